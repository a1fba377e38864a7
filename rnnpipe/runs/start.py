"""The weights of another run, with which a training begins."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.items import ReportItem, Table
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.contents import read_start
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.model import load_model
from rnnpipe.storage.arrays import read_sealed_arrays
from rnnpipe.storage.seal import sealed_path
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.run_config import Start
from rnnpipe.training.row_names import RowNames
from rnnpipe.training.transfer import NamedWeights, Transfer, is_within, transfer_weights

_META = "start.json"


@dataclass(frozen=True)
class _Meta:
    """What the file of weights says of them."""

    run: str
    state: str
    rows: dict[str, tuple[str, list[str]]]
    parts: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class StartWeights:
    """The weights of another run, with which a training begins.

    Args:
        run: its folder.
        state: where its training was, empty if that had ended.
        members: the weights of its model, or of each member of its ensemble.
        parts: the only ones to take, and what the other run calls them; None for all.
    """

    run: str
    state: str
    members: Sequence[NamedWeights]
    parts: Mapping[str, str] | None

    @classmethod
    def read(cls, start: Start) -> "StartWeights":
        """Those of the run that a config names.

        Raises:
            UserError: it has none.
        """
        run = RunDirectory(start.path)
        task = make_task(load_run_config(run))
        loaded = load_model(run, task)
        rows = task.row_names(run.seal.check(run.vocabulary))
        members = [NamedWeights.of(model, rows) for model in _split_members(loaded.model)]
        return cls(str(run.path), str(loaded.partial or ""), members, start.renames)

    def save(self, path: Path) -> None:
        """Writes them to a file, so that the training may be resumed without the other run."""
        rows = self.members[0].rows  # those of all
        meta = {"run": self.run, "state": self.state, "rows": rows, "parts": self.parts}
        arrays: dict[str, Any] = {_META: np.array(json.dumps(meta))}
        for number, member in enumerate(self.members):
            arrays |= {f"{number}/{name}": array for name, array in member.arrays.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        with sealed_path(path) as unfinished:
            np.savez(unfinished, **arrays)

    @classmethod
    def load(cls, path: Path) -> "StartWeights":
        """Reads what `save` wrote.

        Raises:
            UserError: the file is missing or damaged.
        """
        arrays, meta = read_sealed_arrays(path, _META, _Meta)
        members: dict[str, dict[str, Any]] = {}
        for name, array in arrays.items():
            number, _, inner = name.partition("/")
            members.setdefault(number, {})[inner] = array
        rows = {layer: RowNames(*names) for layer, names in meta.rows.items()}
        weights = [NamedWeights(each, rows) for each in members.values()]
        return cls(meta.run, meta.state, weights, meta.parts)

    def apply(self, model: keras.Model, rows: Mapping[str, RowNames], number: int = 1) -> Transfer:
        """Gives a new model the weights that fit it.

        Args:
            model: the model, or a member of an ensemble.
            rows: what its rows stand for.
            number: which member it is; the other run's members are taken in turn.
        """
        source = self.members[(number - 1) % len(self.members)]
        return transfer_weights(model, rows, source, self.parts)

    def check(self, task: Task, records: RecordsDirectory) -> Transfer:
        """What the model of a task will take, before it is trained.

        Raises:
            UserError: nothing, or nothing of a part that is named.
        """
        transfer = self.apply(task.build_model(records), task.row_names(records.path))
        for ours, theirs in (self.parts or {}).items():
            self._check_part(transfer, ours, theirs)
        if not transfer.taken:
            got = f"none in {self.run} ({_first_reason(transfer.left)})"
            fix = "compare the sections model of both configs, or leave train.start out"
            raise UserError("train.start", "a run with weights that fit the model", got, fix)
        return transfer

    def _check_part(self, transfer: Transfer, ours: str, theirs: str) -> None:
        if any(is_within(path, ours) for path in transfer.taken):
            return
        left = {path: why for path, why in transfer.left.items() if is_within(path, ours)}
        known = {"the model": [*transfer.taken, *transfer.left], self.run: self.members[0].arrays}
        for (owner, paths), part in zip(known.items(), (ours, theirs), strict=True):
            if not any(is_within(path, part) for path in paths):
                names = ", ".join(dict.fromkeys(path.partition("/")[0] for path in paths))
                expected = f"a layer with weights of {owner} ({names})"
                raise UserError("train.start.parts", expected, part, "correct it")
        got = f"none ({_first_reason(left)})"
        fix = "compare the sections model of both configs, or name other parts"
        raise UserError("train.start.parts", f"weights that fit in {ours}", got, fix)


def _split_members(model: keras.Model) -> list[keras.Model]:
    """The members of an ensemble in their order, or the one model."""
    numbers = {
        int(named[1]): layer
        for layer in model.layers
        if (named := re.fullmatch(r"member_(\d+)", layer.name))
    }
    return [numbers[number] for number in sorted(numbers)] or [model]


def _first_reason(left: Mapping[str, str]) -> str:
    path, reason = next(iter(left.items()))
    return f"{path}: {reason}" + (f", and {len(left) - 1} more" if len(left) > 1 else "")


def describe_start(start: StartWeights, transfer: Transfer) -> dict[str, Any]:
    """What a training began with, as JSON values."""
    return {"run": start.run, "state": start.state, **asdict(transfer)}


def print_start(content: Mapping[str, Any], console: Console) -> None:
    """Prints what `describe_start` gave: a line for each part and outcome."""
    state = f" ({content['state']})" if content["state"] else ""
    console.print(f"Starting with weights of {content['run']}{state}:", markup=False)
    for part, count, outcome in _group(content):
        console.print(f"  {part}: {count} {outcome}", markup=False)


def show_start(run: RunDirectory) -> list[ReportItem]:
    """Where a training began with weights of another run: what it took and left, by part."""
    if not run.seal.expects(run.start_report):
        return []
    content = read_start(run)
    state = f", whose training had not ended: {content['state']}" if content["state"] else ""
    note = f"Training began with weights of {content['run']}{state}."
    return [
        Table("Weights of another run", ("part", "weights", "outcome"), _group(content), note=note)
    ]


def _group(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The part, how many of its weights, and what became of them."""
    counts: Counter[tuple[str, str]] = Counter()
    for path, rows in content["taken"].items():
        counts[path.partition("/")[0], f"taken: {rows}" if rows else "taken"] += 1
    for path, reason in content["left"].items():
        counts[path.partition("/")[0], f"left as they were: {reason}"] += 1
    for path in content["unused"]:
        counts[path.partition("/")[0], "of the other run not used"] += 1
    return [(part, str(count), outcome) for (part, outcome), count in counts.items()]
