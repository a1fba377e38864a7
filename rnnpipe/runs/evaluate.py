"""The last stage of a run: scores, predictions and the report."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as TerminalTable

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.items import ReportItem, Table
from rnnpipe.report.page import Page, write_report
from rnnpipe.runs.build import find_records
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import RunDirectory, write_json, write_jsonl, write_text
from rnnpipe.runs.model import load_baselines, load_model
from rnnpipe.runs.progress import fetch_records
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.extensions import add_scores, make_plugin_items
from rnnpipe.tasks.run_config import RunConfig

_BASELINE = "baseline/"

Scores = Mapping[str, Mapping[str, float]]


def evaluate_run(
    run: RunDirectory, console: Console, records: RecordsDirectory | None = None
) -> Scores:
    """Scores a trained run on the splits of its config and writes its report.

    Args:
        run: a trained run.
        console: where the scores are printed.
        records: its records; None to find them by the run's config.

    Returns:
        By split, a number for every metric; those of baselines are `baseline/<name>/<metric>`.

    Raises:
        UserError: the records are gone or stale.
    """
    config = load_run_config(run)
    task = make_task(config)
    records = records or find_records(config, task)
    fetch_records(records, console)
    model = load_model(run)
    baselines = load_baselines(run)

    scores: dict[str, dict[str, float]] = {}
    predictions: list[dict[str, Any]] = []
    items: list[ReportItem] = []
    notices: list[str] = []
    for split in config.evaluate.splits:
        with console.status(f"evaluating on {split}"):
            evaluation = task.evaluate(model, records, split, baselines)
        scores[split] = add_scores(
            config.evaluate.metrics, evaluation.predictions, evaluation.scores
        )
        predictions += [{"split": split, **row} for row in evaluation.predictions]
        items += evaluation.report_items
        items += make_plugin_items(
            config.evaluate.report_items, evaluation.predictions, scores[split]
        )
        notices += evaluation.notices
        for name, content in evaluation.files.items():
            write_text(run.path / name, content)
    write_json(run.metrics, scores)
    write_jsonl(run.predictions, predictions)
    table = _score_table(task, scores)
    write_report(run.report, _make_page(run, config, task, records, scores, table, items))
    _print_scores(table, console)
    for notice in dict.fromkeys(notices):  # splits may share them
        console.print(f"Note: {notice}", style="yellow")
    console.print(f"Run:    {run.path}\nReport: {run.report}")
    return scores


def _score_table(task: Task, scores: Scores) -> Table:
    """The main metric of the model, its ceiling and the baselines, a column for each split."""
    names = {"model": task.main_metric}
    first = next(iter(scores.values()))
    for name in first:
        if name == f"{task.main_metric}_ceiling":
            names["ceiling: the best possible answers"] = name
        elif name.startswith(_BASELINE) and name.endswith(f"/{task.main_metric}"):
            baseline = name.removeprefix(_BASELINE).removesuffix(f"/{task.main_metric}")
            names[f"baseline: {baseline.replace('_', ' ')}"] = name
    return Table(
        f"{task.main_metric} of the model and the baselines",
        ("", *scores),
        [(label, *(scores[split][name] for split in scores)) for label, name in names.items()],
        highlight=0,
    )


def _print_scores(table: Table, console: Console) -> None:
    printed = TerminalTable(*map(str, table.columns), title=table.title, title_justify="left")
    for row in table.rows:
        cells = [f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row]
        printed.add_row(*cells)
    console.print(printed)


def _make_page(
    run: RunDirectory,
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    scores: Scores,
    table: Table,
    items: list[ReportItem],
) -> Page:
    split, first = next(iter(scores.items()))
    history = _read_history(run.history)
    environment = json.loads(run.environment.read_text())
    return Page(
        title=f"{task.name} · {config.data.source.kind}",
        summary=f"{records.spec.description} Trained on {records.splits['train']:,} records, "
        f"scored on {records.splits[split]:,}.",
        headline=[
            (f"{split} {task.main_metric}", first[task.main_metric]),
            *((label, value) for label, value in table_values(table)[1:]),
        ],
        scores=table,
        items=[*items, *_show_members(run, task), *_show_phases(run)],
        history=history,
        best_epoch=_find_best(history, task) + 1,
        records=_describe_records(records),
        config_yaml=run.config.read_text(),
        environment={name: _show(value) for name, value in environment.items()},
    )


def table_values(table: Table) -> list[tuple[str, Any]]:
    """The first two cells of every row: a name and its value on the first split."""
    return [(str(row[0]), row[1]) for row in table.rows]


def _describe_records(records: RecordsDirectory) -> dict[str, Any]:
    dead = records.stats["dead_letters"]
    return {
        "records": {split: f"{count:,}" for split, count in records.splits.items()},
        "dead letters": dead or "none",
        "fingerprint": records.fingerprint,
        "directory": str(records.published),
    }


def _find_best(history: Mapping[str, Sequence[float]], task: Task) -> int:
    """The place of the epoch whose weights were kept."""
    monitor, mode = task.monitor()
    values = history[monitor]
    return values.index(min(values) if mode == "min" else max(values))


def _show_members(run: RunDirectory, task: Task) -> list[ReportItem]:
    """Where the model is several: what each of them had in its best epoch, a row per member."""
    further = sorted(run.members.glob("*/history.csv"), key=lambda path: int(path.parent.name))
    histories = [_read_history(path) for path in (run.history, *further)]
    rows: list[tuple[Any, ...]] = []
    for number, history in enumerate(histories, start=1):
        best = _find_best(history, task)
        rows.append((str(number), str(best + 1), *(values[best] for values in history.values())))
    note = "Each by itself, in its best epoch."
    return (
        [Table("Members", ("member", "epoch", *histories[0]), rows, note=note)] if further else []
    )


def _show_phases(run: RunDirectory) -> list[ReportItem]:
    """A table for each further phase of training, a row per epoch."""
    tables: list[ReportItem] = []
    for path in sorted(run.phases.glob("*/history.csv")):
        history = _read_history(path)
        rows = [
            (str(place), *row)
            for place, row in enumerate(zip(*history.values(), strict=True), start=1)
        ]
        title = f"Further training: {path.parent.name.replace('_', ' ')}"
        tables.append(Table(title, ("epoch", *history), rows))
    return tables


def _read_history(path: Path) -> dict[str, list[float]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "epoch"}


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_show(item)}" for name, item in value.items())
    return " ".join(map(_show, value)) if isinstance(value, list) else str(value)
