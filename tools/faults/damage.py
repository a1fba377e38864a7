"""Damage to a file of records, of a run or of an export, before a command that reads it."""

import hashlib
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.faults.child import run_command
from tools.faults.commands import Command, find_commands, generic_name
from tools.faults.oracle import (
    REFUSED,
    RIGHT,
    Wrong,
    check_ending,
    check_names,
    check_result,
    list_names,
)
from tools.faults.trial import Trial

_COMMANDS = (
    *("build", "inspect", "predict", "predict export") * 2,  # the quickest
    *("run", "resume", "evaluate", "export", "predict file"),
)
_MAY_CHANGE = ("environment.json", "seal.json")
"""What `resume` notes in a run before it reads its model."""


Damage = Callable[[Path, random.Random, Path], Any]
"""Damages a file; the third argument is the folder of its subject."""


def _flip(path: Path, rng: random.Random, folder: Path) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def _append(path: Path, rng: random.Random, folder: Path) -> None:
    with path.open("ab") as file:
        file.write(rng.choice([b"\0", b"\n", b"{}", rng.randbytes(1000)]))


def _cut(path: Path, rng: random.Random, folder: Path) -> None:
    os.truncate(path, rng.randrange(max(path.stat().st_size, 1)))


def _replace(make: Callable[[Path], object]) -> Damage:
    def damage(path: Path, rng: random.Random, folder: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _link(path: Path, rng: random.Random, folder: Path) -> None:
    path.rename(folder / "moved")
    path.symlink_to(folder / "moved")


def _swap(path: Path, rng: random.Random, folder: Path) -> None:
    files = sorted(other for other in path.parent.iterdir() if other.is_file())
    path.write_bytes(rng.choice(files).read_bytes())


_DAMAGES: Mapping[str, Damage] = {
    "a flipped bit": _flip,
    "cut": _cut,
    "emptied": lambda path, rng, folder: os.truncate(path, 0),
    "removed": lambda path, rng, folder: path.unlink(),
    "lengthened": _append,
    "another file": _swap,
    "a pipe": _replace(os.mkfifo),
    "a folder": _replace(Path.mkdir),
    "a link to nothing": _replace(lambda path: path.symlink_to("nowhere")),
    "a link without end": _replace(lambda path: path.symlink_to("/dev/zero")),
    "a link to itself, moved": _link,
}


def damage(trial: Trial) -> str:
    """Damages a file of what a command reads."""
    rng, command = trial.rng, trial.draw_command(*_COMMANDS)
    trial.subject.restore(command.reads)
    part = rng.choice(command.reads)
    files = sorted(path for path in (trial.folder / part).rglob("*") if path.is_file())
    path, kind = rng.choice(files), rng.choice(list(_DAMAGES))
    name = path.relative_to(trial.folder).as_posix()
    trial.what = f"{command.name}: {name} is {kind}"
    before = list_names(trial.folder)
    _DAMAGES[kind](path, rng, trial.folder)
    damaged, hashes = list_names(trial.folder), _hash_files(trial.folder / part)
    ending = trial.run(command)
    check_ending(ending, (0, 2))
    after = list_names(trial.folder)
    if ending.code == 0:
        got = dict(command.read_result(trial.folder, ending))
        reference = trial.reference(command)
        expected = dict(reference.result)
        if not command.builds:  # which makes it anew
            for result in (got, expected):
                _drop(result, generic_name(path, trial.folder), command)
        check_result(got, expected)
        _check_left(after, reference.names | before | damaged)
        return RIGHT
    _check_left(after, damaged)
    if str(trial.folder) not in ending.errors:
        raise Wrong(f"a message without a file: {ending.errors!r}")
    if part == "records":
        _check_mended(trial)
    elif changed := _find_changed(hashes, _hash_files(trial.folder / part), command):
        raise Wrong(f"changed by a command that refused: {', '.join(changed)}")
    return REFUSED


def _drop(result: dict[str, bytes], name: str, command: Command) -> None:
    """Drops the damaged file itself from what a command gave."""
    result.pop(name.removeprefix(f"{command.made}/"), None)


def _check_left(names: frozenset[str], allowed: frozenset[str]) -> None:
    check_names(names & (names | allowed), names & allowed)


def _check_mended(trial: Trial) -> None:
    """A build makes damaged records whole."""
    build = find_commands(trial.subject)["build"]
    ending = run_command(build.arguments, trial.folder)
    try:
        check_ending(ending, (0,))
        whole = build.read_result(trial.subject.whole, None)
        check_result(build.read_result(trial.folder), whole)
    except Wrong as wrong:
        raise Wrong(f"built again: {wrong}") from None


def _hash_files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _find_changed(before: dict[str, str], after: dict[str, str], command: Command) -> list[str]:
    allowed = _MAY_CHANGE if command.name == "resume" else ()
    names = {*before, *after} - set(allowed)
    return sorted(name for name in names if before.get(name) != after.get(name))
