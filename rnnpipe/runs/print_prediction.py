"""Predictions on the terminal."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rnnpipe.errors import UserError
from rnnpipe.output import write_notice, write_output
from rnnpipe.tasks.prediction import Prediction


def print_prediction(predicted: Prediction, picture: Path | None, console: Console) -> None:
    """Prints the likeliest answers, and draws and saves the picture.

    Args:
        predicted: what was predicted.
        picture: the file of the picture; None: it is not drawn.
        console: where the answers are printed.

    Raises:
        UserError: the picture cannot be written.
    """
    for note in predicted.notes:
        write_notice(note)
    if predicted.timeline:
        table = Table("from", "to", "label", "probability")
        for start, end, label, probability in predicted.timeline:
            table.add_row(f"{start:.2f} s", f"{end:.2f} s", label, f"{probability:.1%}")
        console.print(table)
    if predicted.answers:
        table = Table("answer", "probability")
        for answer in predicted.answers:
            table.add_row(answer.text, f"{answer.probability:.1%}")
        console.print(table)
    if picture is not None and predicted.picture is not None:
        kind = "Timeline" if predicted.timeline else "Picture"
        _save(predicted.picture, picture, kind, console)


def write_pieces(pieces: Iterable[str]) -> None:
    """Writes a text piece by piece, and ends its last line."""
    last = "\n"
    for last in pieces:
        write_output(last)
    if not last.endswith("\n"):
        write_output("\n")


def _save(png: bytes, path: Path, kind: str, console: Console) -> None:
    try:
        path.write_bytes(png)
    except OSError as error:
        raise UserError(
            f"--picture {path}", "a file to write to", str(error.strerror), "name another file"
        ) from error
    console.print(f"{kind}: {path}")
