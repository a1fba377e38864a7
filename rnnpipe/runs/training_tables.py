"""Tables of the trainings of a run, for its report: of members, pretraining and further phases."""

from typing import Any

from rnnpipe.report.items import ReportItem, Table
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.history import find_best, read_history
from rnnpipe.tasks.base import Task


def show_members(run: RunDirectory, task: Task) -> list[ReportItem]:
    """Where the model is several: what each of them had in its best epoch, a row per member."""
    further = (run.members / str(number) for number in range(2, task.ensemble_size + 1))
    paths = (run.history, *(folder / "history.csv" for folder in further))
    histories = {path: history for path in paths if (history := read_history(run, path))}
    rows: list[tuple[Any, ...]] = []
    for number, (path, history) in enumerate(histories.items(), start=1):
        best = find_best(history, task.monitor(), path)
        rows.append((str(number), str(best + 1), *(values[best] for values in history.values())))
    note = "Each by itself, in its best epoch."
    return (
        [Table("Members", ("member", "epoch", *next(iter(histories.values()))), rows, note=note)]
        if len(rows) > 1
        else []
    )


def show_phases(run: RunDirectory) -> list[ReportItem]:
    """A table for the pretraining and for each further phase of training, a row per epoch."""
    tables: list[ReportItem] = []
    sealed = run.seal.find("checkpoints/phases/*/history.csv")
    further = sorted({*run.phases.glob("*/history.csv"), *sealed})
    for path in (run.pretraining / "history.csv", *further):
        if not (history := read_history(run, path)):
            continue
        rows = [
            (str(place), *row)
            for place, row in enumerate(zip(*history.values(), strict=True), start=1)
        ]
        title = "Pretraining"
        if path in further:
            title = f"Further training: {path.parent.name.replace('_', ' ')}"
        tables.append(Table(title, ("epoch", *history), rows))
    return tables
