"""What a trained run says of a user's own input."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rnnpipe.errors import Faults, UserError
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.model import load_model
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Prediction, TakesOptions


def predict(
    run: RunDirectory, inputs: Mapping[str, str], picture: Path | None, console: Console
) -> None:
    """Prints the likeliest answers and draws where the model looked, or writes a text.

    Args:
        run: a trained run.
        inputs: the command line's inputs by name, e.g. `image`.
        picture: where the picture goes; None for the run's own folder.
        console: where the answers are printed.

    Raises:
        UserError: an input is missing, is not the task's, or cannot be read.
    """
    task = make_task(load_run_config(run))
    options = task.options if isinstance(task, TakesOptions) else {}
    known = [*task.inputs, *options]
    faults = [
        UserError(f"--{name}", f"an input of {task.name}", "none", f"add --{name}")
        for name in task.inputs
        if name not in inputs
    ]
    faults += [
        UserError(f"--{name}", f"one of {', '.join(known)}", name, f"{task.name} has no such input")
        for name in inputs
        if name not in known
    ]
    if faults:
        raise Faults(faults)
    prediction = task.predict(load_model(run), run.vocabulary, {**options, **inputs})
    if isinstance(prediction, Prediction):
        _show(prediction, run, picture, console)
        return
    for text in prediction:
        console.out(text, end="")
    console.print()


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
    path = picture or run.path / "prediction.png"
    try:
        path.write_bytes(prediction.picture)
    except OSError as error:
        raise UserError(
            f"--picture {path}", "a file to write to", str(error.strerror), "name another file"
        ) from error
    console.print(f"{'Timeline' if prediction.timeline else 'Where it looked'}: {path}")
