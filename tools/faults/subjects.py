"""What trials are made on: a tiny data set of a task, its records, runs and an export."""

import shutil
from collections.abc import Iterable, Mapping
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


_ALWAYS = ("raw", "rows.csv", "records")


@dataclass(frozen=True)
class Subject:
    """The tiny data set of a task, and all that commands need, in one folder.

    Its parts are `raw`, `records`, `rows.csv` with inputs, and what is made when a command first
    needs it: `runs/trained`, a run that was scored, `runs/interrupted`, one that was interrupted in
    its second epoch, and `exported`. A copy of the whole is kept, as trials damage it. It is always
    tried in the same folder: files name others.

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
        whole = self.whole if (self.whole / "raw").exists() else self.folder
        texts = dict(_INPUTS[self.task])
        for name, text in texts.items():
            if text.startswith("*"):
                found = min((whole / "raw").rglob(text))
                texts[name] = str(self.folder / found.relative_to(whole))
        return texts

    def restore(self, parts: Iterable[str]) -> None:
        """Makes the folder whole: raw data, records and some parts more, and nothing else."""
        for path in self.folder.iterdir():
            remove(path)
        for part in {*_ALWAYS, *parts}:
            if (self.whole / part).exists():
                copy(self.whole / part, self.folder / part)

    def prepare(self, parts: Iterable[str]) -> None:
        """Makes parts that there are not, each in a child process.

        Raises:
            SystemExit: something failed.
        """
        for folder in (self.folder, self.whole):
            folder.mkdir(parents=True, exist_ok=True)
        steps = {
            "records": self._build,
            "runs/trained": self._make_trained,
            "runs/interrupted": self._interrupt,
            "exported": self._export,
        }
        for part, make in steps.items():
            if (self.whole / part).exists() or part not in {"records", *parts}:
                continue
            self.restore(["runs/trained"])
            ending = run_function(make, self.folder)
            if ending.code != 0:
                got = f"exit code {ending.code}\n{ending.errors}"
                raise SystemExit(f"{part} of {self.task} cannot be made: {got}")
            for made in ("raw", "rows.csv", part) if part == "records" else (part,):
                copy(self.folder / made, self.whole / made)

    def _build(self) -> int:
        code = cli.main(["build", *self.config])
        rows = [",".join(self.inputs), *[",".join(self.inputs.values())] * 3, ""]
        (self.folder / "rows.csv").write_text("\n".join(rows), encoding="utf-8")
        return code

    def _make_trained(self) -> int:
        from tests.runs.handmade import make_run

        config = rnnpipe.load_config(self.config[0], self.config[2::2])
        records = rnnpipe.build(config, verbose=False)
        make_run(self.folder / "runs" / "trained", config, records, seed=1).evaluate(verbose=False)
        return 0

    def _interrupt(self) -> int:
        import pytest

        from tests.runs.trainings import interrupt

        with pytest.MonkeyPatch.context() as patch:
            interrupt(patch, 2)
            cli.main(["train", *self.config, "--runs-dir", str(self.folder / "new")])
        (left,) = self.folder.glob("new/*/*")
        (self.folder / "runs").mkdir(exist_ok=True)
        left.rename(self.folder / "runs" / "interrupted")
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
    target.parent.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target)
