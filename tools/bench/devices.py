"""What replicas on the cores of a CPU are worth, in training steps of a config.

    rnnpipe build configs/translation.yaml
    python -m tools.bench.devices configs/translation.yaml --set train.batch_size=256
    python -m tools.bench.devices configs/captioning.yaml --set train.batch_size=192

Processes alternate, as the threads of TensorFlow are fixed once it runs: one replica on one thread,
one replica whose operations share as many threads as there are replicas, and replicas of one thread
each. Each trains on the same batches, which are held in memory; the first steps, in which graphs
are compiled, are not counted.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from rnnpipe.config.loader import load_config
from rnnpipe.runs.records import find_records
from rnnpipe.tasks import find_schemas, make_task
from tools.bench.interleaved import seconds_of


def main() -> None:
    """Prints a line for each turn of a case, and the ratios of the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="a YAML whose records are built")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--replicas", type=int, default=2, help="how many (default: 2)")
    parser.add_argument("--turns", type=int, default=3, help="processes of each (default: 3)")
    parser.add_argument("--batches", type=int, default=8, help="distinct ones (default: 8)")
    parser.add_argument("--threads", nargs=2, type=int, help=argparse.SUPPRESS)  # of a child
    options = parser.parse_args()
    if options.threads:
        print(_rows_per_second(options))
        return
    cases = {  # replicas, threads of an operation, operations at once
        "one replica, one thread": (1, 1, 1),
        "one replica, all threads": (1, options.replicas, 1),
        "replicas of one thread each": (options.replicas, 1, options.replicas),
    }
    speeds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(options.turns):
        for name, case in cases.items():
            speeds[name].append(_measure(options, *case))
            print(f"{name:28} {speeds[name][-1]:9.1f} examples/s", flush=True)
    first, *others = (statistics.median(values) for values in speeds.values())
    for name, speed in zip(list(cases)[1:], others, strict=True):
        print(f"{name}: {speed / first:.2f} x one replica on one thread")


def _measure(options: argparse.Namespace, replicas: int, inside: int, at_once: int) -> float:
    """Examples a second in a process of its own."""
    command = [sys.executable, "-m", "tools.bench.devices", str(options.config)]
    for override in (*options.overrides, f"train.devices={replicas}"):
        command += ["--set", override]
    command += ["--batches", str(options.batches), "--threads", str(inside), str(at_once)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout.split()[-1])


def _rows_per_second(options: argparse.Namespace) -> float:
    inside, at_once = options.threads
    tf.config.threading.set_intra_op_parallelism_threads(inside)
    tf.config.threading.set_inter_op_parallelism_threads(at_once)
    config = load_config(options.config, find_schemas(), options.overrides)
    task = make_task(config)
    records = find_records(config, task)
    trainer = task.build_trainer(task.build_model(records), records)
    batches = task.make_batches(records, "train", shuffle_seed=config.seed).take(options.batches)
    held = batches.cache()
    rows = sum(int(tf.shape(tf.nest.flatten(targets)[0])[0]) for _, targets in held)

    def epoch() -> None:
        trainer.fit(held, verbose=0, shuffle=False)

    epoch()  # compiles
    epoch()
    return rows / statistics.median(seconds_of(epoch)[0] for _ in range(5))


if __name__ == "__main__":
    main()
