"""Times a translation run: training, waiting for data, greedy and beam search.

    python tools/bench/translation.py runs/multi30k_de_en                    # a trained run
    python tools/bench/translation.py runs/multi30k_de_en --steps 100 --split test --waiting

Training steps are those of the run's own config on its own batches, in `fit`, after the same
batches have gone through once, so that nothing is compiled while the clock runs. The wait for data
is measured apart, step by step, over a whole epoch. Search is of all sentences of a split with the
trained weights: how long translations are, and thus how long they take, is learnt. Wall-clock and
CPU seconds: on a machine that is shared, read the latter, and divide by the cores.

The sizes of `configs/real/multi30k_de_en.yaml` but for dropout are those of JoeyNMT's recipe for
these data, which trains at 724 target tokens a second on two cores, and translates 102 sentences a
second greedily and 26 with a beam of 5.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.build import find_records
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import open_run
from rnnpipe.runs.model import load_model
from rnnpipe.tasks import make_task
from rnnpipe.tasks.translation.search import Search


@dataclass
class Clock:
    """How long something took, in seconds: on the wall, and of all cores together."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Adds the time of a block."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def rate(self, count: int, what: str) -> str:
        """`count` things a second."""
        each, ideal = count / self.wall, (os.cpu_count() or 1) * count / self.cpu
        return f"{each:8,.0f} {what}/s   ({ideal:,.0f} with all cores busy for it alone)"


def time_training(trainer: keras.Model, batches: tf.data.Dataset, steps: int) -> None:
    """Prints target tokens a second."""
    held = list(batches.take(steps))
    tokens = sum(int(np.count_nonzero(targets)) for _, targets in held)
    filled = tokens / sum(targets.shape[0] * targets.shape[1] for _, targets in held)
    same = _replay(held)
    trainer.fit(same, steps_per_epoch=steps, verbose=0, shuffle=False)
    clock = Clock()
    with clock.running():
        trainer.fit(same, steps_per_epoch=steps, verbose=0, shuffle=False)
    print(f"training            {clock.rate(tokens, 'target tokens')}")
    print(f"  {clock.wall / steps * 1000:.0f} ms a step; {filled:.0%} of the target is no padding")


def time_waiting(trainer: keras.Model, batches: tf.data.Dataset) -> None:
    """Prints the share of an epoch that is spent waiting for data, its first batch included."""
    waited, whole = Clock(), Clock()
    with whole.running():
        iterator = iter(batches)
        for _ in range(len(batches)):
            with waited.running():
                inputs, targets = next(iterator)
            trainer.train_on_batch(inputs, targets)
    print(f"waiting for data    {waited.wall / whole.wall:8.1%} of an epoch")


def _replay(held: list[Any]) -> tf.data.Dataset:
    """The same batches for ever."""
    signature = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype), held[0]
    )
    return tf.data.Dataset.from_generator(lambda: held, output_signature=signature).repeat()


def time_search(name: str, search: Callable[[Any], Any], sources: list[Any]) -> None:
    """Prints sentences a second."""
    search(sources)  # traced for every length
    clock = Clock()
    with clock.running():
        search(sources)
    print(f"{name:20}{clock.rate(len(sources), 'sentences')}")


def main() -> None:
    """Times the stages one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a trained run, or a folder of runs: the newest")
    parser.add_argument("--steps", type=int, default=60, help="of training (default: 60)")
    parser.add_argument("--split", default="validation", help="which is translated")
    parser.add_argument("--sentences", type=int, default=1000, help="at most (default: 1000)")
    parser.add_argument("--waiting", action="store_true", help="time a whole epoch for it too")
    options = parser.parse_args()
    run = open_run(options.run)
    task = make_task(load_run_config(run))
    records: RecordsDirectory = find_records(task.config, task)
    model = load_model(run)
    print(f"{run.path}: {model.count_params():,} weights")

    sources = [row["source_tokens"] for row in records.read(options.split)][: options.sentences]
    for name, width in (("greedy", 1), ("beam of 5", 5)):
        time_search(name, Search(model, width=width), sources)
    batches = task.make_batches(records, "train", shuffle_seed=0)
    trainer = task.build_trainer(model, records)
    time_training(trainer, batches, options.steps)
    if options.waiting:
        time_waiting(trainer, batches)


if __name__ == "__main__":
    main()
