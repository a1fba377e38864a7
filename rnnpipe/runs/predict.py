"""The predictions of a trained run for a user's own input."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rnnpipe.errors import UserError
from rnnpipe.output import write_output
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.model import load_model
from rnnpipe.tasks.base import Prediction, Task
from rnnpipe.tasks.inputs import parse_inputs


def predict(
    run: RunDirectory,
    task: Task,
    texts: Mapping[str, str],
    picture: Path | None,
    console: Console,
) -> None:
    """Prints the likeliest answers and draws the attention, or prints a generated text.

    Args:
        run: a trained run.
        task: its task.
        texts: the inputs as written on the command line, by name, e.g. `image`.
        picture: the file of the picture; None for one in the run's folder.
        console: where the answers are printed.

    Raises:
        UserError: an input is missing, unknown or malformed, or cannot be read.
    """
    inputs = parse_inputs(task.name, task.inputs, texts)
    prediction = task.predict(load_model(run), run.vocabulary, inputs)
    if isinstance(prediction, Prediction):
        _show(prediction, run, picture, console)
        return
    if picture is not None:
        fix = "leave it out, or ask for one answer"
        raise UserError("--picture", "inputs that a picture is drawn for", "others", fix)
    _write(prediction)


def _write(pieces: Iterable[str]) -> None:
    """Writes a text piece by piece, and ends its last line."""
    last = "\n"
    for last in pieces:
        write_output(last)
    if not last.endswith("\n"):
        write_output("\n")


def _show(
    prediction: Prediction, run: RunDirectory, picture: Path | None, console: Console
) -> None:
    if prediction.timeline:
        table = Table("from", "to", "label", "probability")
        for start, end, label, probability in prediction.timeline:
            table.add_row(f"{start:.2f} s", f"{end:.2f} s", label, f"{probability:.1%}")
        console.print(table)
    if prediction.answers:
        table = Table("answer", "probability")
        for answer, probability in prediction.answers:
            table.add_row(answer, f"{probability:.1%}")
        console.print(table)
    if prediction.picture is not None:
        kind = "Timeline" if prediction.timeline else "Picture"
        _save(prediction.picture, picture or run.path / "prediction.png", kind, console)


def _save(png: bytes, path: Path, kind: str, console: Console) -> None:
    try:
        path.write_bytes(png)
    except OSError as error:
        raise UserError(
            f"--picture {path}", "a file to write to", str(error.strerror), "name another file"
        ) from error
    console.print(f"{kind}: {path}")
