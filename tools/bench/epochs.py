"""What it is worth that our batches are not tuned by TensorFlow, epoch by epoch.

    rnnpipe build configs/sentiment.yaml
    python -m tools.bench.epochs configs/sentiment.yaml
    python -m tools.bench.epochs configs/translation.yaml --turns 3

Epochs of a config's training, on its finished records, alternate with the same epochs on batches
whose settings tf.data tunes, as it does by default. Told are seconds on the wall and CPU seconds of
each epoch: an iterator that is let go may wait for its tuner, and then both cores do nothing.
"""

import argparse
import os
import statistics
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from rnnpipe.config.loader import load_config
from rnnpipe.runs.records import find_records
from rnnpipe.tasks import find_schemas, make_task
from tools.bench.interleaved import Case, seconds_of


def main() -> None:
    """Prints a line for each pair of epochs, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="a YAML whose records are built")
    parser.add_argument("--turns", type=int, default=6, help="epochs of each (default: 6)")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    options = parser.parse_args()
    config = load_config(options.config, find_schemas(), options.overrides)
    task = make_task(config)
    records = find_records(config, task)
    trainer = task.build_trainer(task.build_model(records), records)
    untuned = task.make_batches(records, "train", shuffle_seed=config.seed)
    tuning = tf.data.Options()
    tuning.autotune.enabled = True
    tuned = untuned.with_options(tuning)

    def epoch(batches: tf.data.Dataset) -> Case:
        return lambda: trainer.fit(batches, verbose=0, shuffle=False)

    cases = {"ours": epoch(untuned), "tuned": epoch(tuned)}
    cases["ours"]()  # compilation is not counted
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(options.turns):
        for name, case in cases.items():
            wall, cpu = seconds_of(case)
            taken[name].append(wall)
            print(f"{name:6} {wall:7.2f} s, of which the CPUs worked {cpu:7.2f}", flush=True)
    ours, theirs = (statistics.median(taken[name]) for name in cases)
    print(f"an epoch: {ours:.2f} s, tuned {theirs:.2f} s, {theirs / ours:.2f} x ours")


if __name__ == "__main__":
    main()
