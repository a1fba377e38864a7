"""Raw data that changes: before a build, or while it runs."""

from pathlib import Path

from tools.faults.commands import Command, Result
from tools.faults.moments import FileEvents
from tools.faults.oracle import (
    REFUSED,
    RIGHT,
    STOPPED,
    Wrong,
    check_ending,
    check_result,
)
from tools.faults.subjects import remove
from tools.faults.trial import Trial

# All of them change the size of the file: images and videos count by name and size.
_CHANGES = {
    "longer": lambda content, other: content + content[:100],
    "cut": lambda content, other: content[: len(content) // 2],
    "empty": lambda content, other: b"",
    "another": lambda content, other: other,
    "gone": None,
}


def change_raw_data(trial: Trial) -> str:
    """Changes a file of the raw data; records are those of one state of it, and then of the new."""
    rng, command = trial.rng, trial.draw_command("build")
    reference = trial.reference(command)
    files = sorted(path for path in (trial.folder / "raw").rglob("*") if path.is_file())
    path, other = rng.choice(files), rng.choice(files)
    kind, is_before = rng.choice(list(_CHANGES)), rng.random() < 0.4
    operation = rng.randint(1, reference.operations)
    moment = "before" if is_before else f"before file operation {operation}"
    trial.what = f"build: raw {path.name} is {kind} {moment}"

    def change() -> None:
        _change(path, kind, other)

    change()
    expected = _build_anew(trial, command)
    trial.restore(command)
    if is_before:
        trial.subject.restore(command.reads)  # with records of what the raw data was
        change()
        ending = trial.run(command)
    else:
        ending = trial.run(command, FileEvents(trial.folder, operation, change).install)
    check_ending(ending, (0, 2))
    got = command.read_result(trial.folder)
    if is_before:
        _check_either(ending.code, got, (expected or {}, reference.result if not expected else {}))
        return RIGHT if expected else REFUSED
    trial.check_cleaned()
    _check_either(ending.code, got, (reference.result, expected or {}))
    again = trial.run(command)
    try:
        check_ending(again, (0,) if expected else (2,))
        if expected:
            check_result(command.read_result(trial.folder), expected)
    except Wrong as wrong:
        raise Wrong(f"repeated: {wrong}") from None
    return RIGHT if ending.code == 0 else STOPPED


def _change(path: Path, kind: str, other: Path) -> None:
    if (make := _CHANGES[kind]) is None:
        remove(path)
    else:
        path.write_bytes(make(path.read_bytes(), other.read_bytes()))


def _build_anew(trial: Trial, command: Command) -> Result | None:
    """The records of the changed raw data; None where there can be none."""
    remove(trial.folder / command.made)
    ending = trial.run(command)
    check_ending(ending, (0, 2))
    return command.read_result(trial.folder) if ending.code == 0 else None


def _check_either(code: int | None, got: Result, allowed: tuple[Result, ...]) -> None:
    """Checks that records are those of one state of the raw data, or none after a refusal."""
    if (code == 2 and not got) or any(got and got == each for each in allowed):
        return
    raise Wrong(f"exit code {code} and records of no state of the raw data")
