"""The commands that are tried, and what each is to give."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tools.faults.child import Ending
from tools.faults.subjects import Subject

Result = Mapping[str, bytes]
"""What a command gives, by name: files, parts of files, what it prints."""

_TIME = re.compile(r"\d{8}-\d{6}(-\d+)?")
_EVENTS = re.compile(r"events\.out\.tfevents\.[^/]*")


_VARYING = {"README.md", "environment.json", "export.json", "report.html", "seal.json"}
_VARYING_SUFFIXES = {".h5", ".npz", ".onnx"}
"""Files with times, durations, names that are drawn, and what depends on them.

An export compares its answers with those of its run before it appears; its README.md has by what
inputs, which are made up where the records are damaged.
"""


COMMANDS = frozenset(
    {
        *("build", "build workers", "inspect", "run", "resume", "evaluate", "export"),
        *("predict", "predict file", "predict workers", "predict export"),
    }
)
"""The names of all commands."""


@dataclass(frozen=True)
class Command:
    """A command of rnnpipe.

    Args:
        name: of the command.
        arguments: its arguments.
        made: the file or folder that it makes, in that of its subject; empty: it prints.
        reads: the parts of the subject that it reads.
    """

    name: str
    arguments: list[str]
    made: str
    reads: tuple[str, ...]

    @property
    def has_workers(self) -> bool:
        """Whether it has worker processes."""
        return self.name.endswith("workers")

    @property
    def builds(self) -> bool:
        """Whether it makes anew a part of the subject, which is removed before."""
        return self.name.startswith("build")

    def read_result(self, folder: Path, ending: Ending | None = None) -> Result:
        """What it gave, of which each repetition gives the same.

        Args:
            folder: that of the subject.
            ending: how it ended; None if that has not been seen.
        """
        if not self.made:
            return {"output": ending.output.encode()} if ending else {}
        path = folder / self.made
        if path.is_file():
            return {"": _read(path)}
        return {generic_name(file, path): _read(file) for file in path.rglob("*") if file.is_file()}


def generic_name(path: Path, folder: Path) -> str:
    """The name of a file in a folder, without times."""
    return _EVENTS.sub("EVENTS", _TIME.sub("TIME", path.relative_to(folder).as_posix()))


def _read(path: Path) -> bytes:
    """What of a file is the same in each repetition."""
    if path.suffix == ".keras":
        return _read_weights(path)
    varies = path.name in _VARYING or path.suffix in _VARYING_SUFFIXES or _EVENTS.search(path.name)
    return b"" if varies else path.read_bytes()


def _read_weights(path: Path) -> bytes:
    arrays: list[bytes] = []

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays.append(np.asarray(item).tobytes())

    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content, "r") as file:
        file.visititems(add)
    return b"".join(arrays)


def find_commands(subject: Subject) -> dict[str, Command]:
    """All commands of a subject, by name."""
    folder = subject.folder
    config, workers = subject.config, ["--set", "build.workers=2"]
    trained, broken = folder / "runs" / "trained", folder / "runs" / "interrupted"
    inputs = [part for name, text in subject.inputs.items() for part in (f"--{name}", text)]
    rows = ["predict", trained, "--input", folder / "rows.csv"]
    jobs = ["--workers", "2", "--rows-per-shard", "1", "--format", "jsonl"]
    export = ["export", trained, "--format", "onnx"]

    def make(name: str, words: list[object], made: str, *reads: str) -> Command:
        return Command(name, list(map(str, words)), made, reads)

    own, both = ("runs/trained",), ("runs/trained", "records")
    commands = [
        make("build", ["build", *config], "records", "records"),
        make("build workers", ["build", *config, *workers], "records", "records"),
        make("inspect", ["inspect", folder / "records", "--check"], "", "records"),
        make("run", ["run", *config, "--runs-dir", folder / "new"], "new", "records"),
        make("resume", ["resume", broken], "runs/interrupted", "runs/interrupted", "records"),
        make("evaluate", ["evaluate", trained], "runs/trained", *both),
        make("export", [*export, "--output", folder / "made"], "made", *both),
        make("predict", ["predict", trained, *inputs], "", *own),
        make("predict file", [*rows, "--output", folder / "out.jsonl"], "out.jsonl", *own),
        make("predict workers", [*rows, *jobs, "--output", folder / "out"], "out", *own),
        make("predict export", ["predict", folder / "exported", *inputs], "", "exported"),
    ]
    return {command.name: command for command in commands}
