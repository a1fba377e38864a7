"""What trials are made on: a tiny data set of a task, its records, runs and an export."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rnnpipe
from rnnpipe import cli
from tools.faults.child import run_function

_TRAINING = (
    *("train.epochs=2", "train.batch_size=16", "train.optimizer.schedule={kind: constant}"),
    "build.records_per_shard=50",
)
_INPUTS: Mapping[str, Mapping[str, str]] = {
    "text_classification": {"text": "a good film"},
    "translation": {"text": "a small dog"},
    "vqa": {"image": "*.jpg", "question": "what colour is it"},
    "video_labeling": {"video": "*.mp4"},
    "language_model": {"prompt": "def ", "length": "8"},
}
"""The inputs of a prediction, by task; a pattern stands for the first such file of the raw data."""

TASKS = tuple(_INPUTS)


@dataclass(frozen=True)
class Subject:
    """The tiny data set of a task, and all that commands need and make, in one folder.

    Its parts are `raw`, `records`, `runs/trained`, a run that was scored, `runs/interrupted`, one
    that was interrupted in its second epoch, `exported`, and `rows.csv` with inputs. A copy of the
    whole is kept, as trials damage it. It is always tried in the same folder: files name others.

    Args:
        task: the task.
        folder: where it is tried.
        whole: where the copy is.
    """

    task: str
    folder: Path
    whole: Path

    @property
    def config(self) -> list[str]:
        """The arguments of a command for its config."""
        from tests.runs.handmade import RUNS

        name, settings, _ = RUNS[self.task]
        places = (
            f"data.directory={self.folder / 'records'}",
            f"data.source.path={self.folder / 'raw'}",
        )
        options = [*settings, *_TRAINING, *places]
        return [name, *(part for option in options for part in ("--set", option))]

    @property
    def inputs(self) -> dict[str, str]:
        """The inputs of a prediction."""
        whole = self.whole if self.whole.exists() else self.folder
        texts = dict(_INPUTS[self.task])
        for name, text in texts.items():
            if text.startswith("*"):
                found = min((whole / "raw").rglob(text))
                texts[name] = str(self.folder / found.relative_to(whole))
        return texts

    def restore(self, parts: Sequence[str] = ()) -> None:
        """Makes the folder whole again, or some parts of it."""
        for name in parts or [path.name for path in self.folder.iterdir()]:
            remove(self.folder / name)
        for path in self.whole.iterdir():
            if not parts or path.name in parts:
                copy(path, self.folder / path.name)

    def prepare(self) -> None:
        """Makes all of it, in child processes, unless there is a copy.

        Raises:
            SystemExit: something failed.
        """
        self.folder.mkdir(parents=True)
        if self.whole.exists():
            return
        for prepare in (self._prepare, self._export):
            ending = run_function(prepare, self.folder)
            if ending.code != 0:
                raise SystemExit(f"{self.task} cannot be prepared\n{ending.errors}")
        for name in ("tmp", "cache"):
            shutil.rmtree(self.folder / name)
        self.whole.parent.mkdir(exist_ok=True)
        rows = [",".join(self.inputs), *[",".join(self.inputs.values())] * 3, ""]
        (self.folder / "rows.csv").write_text("\n".join(rows), encoding="utf-8")
        self.folder.rename(self.whole)
        self.folder.mkdir()

    def _prepare(self) -> int:
        import pytest

        from tests.runs.handmade import make_run
        from tests.runs.trainings import interrupt

        runs = self.folder / "runs"
        config = rnnpipe.load_config(self.config[0], self.config[2::2])
        run = make_run(runs / "trained", config, rnnpipe.build(config, verbose=False), seed=1)
        run.evaluate(verbose=False)
        with pytest.MonkeyPatch.context() as patch:
            interrupt(patch, 2)
            cli.main(["train", *self.config, "--runs-dir", str(self.folder / "new")])
        (left,) = self.folder.glob("new/*/*")
        left.rename(runs / "interrupted")
        shutil.rmtree(self.folder / "new")
        return 0

    def _export(self) -> int:
        run, output = self.folder / "runs" / "trained", self.folder / "exported"
        return cli.main(["export", str(run), "--format", "onnx", "--output", str(output)])


def remove(path: Path) -> None:
    """Removes what is at a path, if anything is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy(path: Path, target: Path) -> None:
    """Copies a file or a folder, with its times."""
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target)
