"""What the states of a training cost: of its time, and on disk.

    rnnpipe build configs/translation.yaml
    python -m tools.bench.checkpoints configs/translation.yaml

The first steps of a config's training on its finished records, with a state every few of them. Told
are the size of a state and the median seconds, on the wall and of the CPUs, that writing it takes,
its share of the time between two at the default of `train.checkpoint`, and the microseconds that
the callback takes at a step where it writes nothing.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rnnpipe.config.loader import load_config
from rnnpipe.parts.checkpoints import CheckpointOptions
from rnnpipe.runs.records import find_records
from rnnpipe.storage.seal import Seal
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.training.fit import TrainingFiles, fit_model
from rnnpipe.training.safeguards import Safeguards
from rnnpipe.training.state import TrainingState
from tools.bench.interleaved import seconds_of


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="a YAML whose records are built")
    parser.add_argument("--every-steps", type=int, default=10, help="(default: 10)")
    parser.add_argument("--steps", type=int, default=100, help="of the epoch (default: 100)")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    options = parser.parse_args()
    config = load_config(options.config, find_schemas(), options.overrides)
    task = make_task(config)
    records = find_records(config, task)
    trainer = task.build_trainer(task.build_model(records), records)
    batches = task.make_batches(records, "train", shuffle_seed=config.seed).take(options.steps)
    validation = task.make_batches(records, "validation").take(1)
    saves, ends, sizes = measure(trainer, batches, validation, options.every_steps)
    seconds, cpu = (statistics.median(each) for each in zip(*saves, strict=True))
    minutes = CheckpointOptions().every_minutes or 0.0
    print(
        f"{config.task}: {max(sizes) / 1e6:.1f} MB, a state {seconds:.3f} s (cpu {cpu:.3f} s), "
        f"{100 * seconds / (60 * minutes):.3f} % of {minutes:g} minutes; "
        f"a step without one {1e6 * statistics.median(ends):.1f} us"
    )


def measure(
    trainer: Any, batches: Any, validation: Any, every_steps: int
) -> tuple[list[tuple[float, float]], list[float], list[int]]:
    """Wall and CPU seconds of each state, seconds at steps without one, and bytes of states."""
    saves: list[tuple[float, float]] = []
    ends: list[float] = []
    sizes: list[int] = []
    save, end = TrainingState.save, TrainingState.on_train_batch_end

    def timed_save(state: TrainingState, model: Any) -> None:
        saves.append(seconds_of(lambda: save(state, model)))
        sizes.append(state._files.find()[-1].stat().st_size)

    def timed_end(state: TrainingState, batch: int, logs: Any = None) -> None:
        written, begun = len(saves), time.perf_counter()
        end(state, batch, logs)
        if len(saves) == written:  # what it costs where nothing is written
            ends.append(time.perf_counter() - begun)

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(TrainingState, "save", timed_save),
        mock.patch.object(TrainingState, "on_train_batch_end", timed_end),
    ):
        Seal(Path(folder)).begin()
        files = TrainingFiles(
            Path(folder) / "best.weights.h5", Path(folder) / "history.csv", Path(folder) / "events"
        )
        checkpoint = CheckpointOptions(every_minutes=None, every_steps=every_steps)
        fit_model(
            trainer,
            batches,
            validation,
            epochs=1,
            monitor="val_loss",
            mode="min",
            patience=1,
            files=files,
            safeguards=Safeguards(checkpoint),
        )
    return saves, ends, sizes


if __name__ == "__main__":
    main()
