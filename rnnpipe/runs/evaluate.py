"""The last stage of a run: scores, predictions and the report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from rnnpipe.config.dump import dump_config
from rnnpipe.config.overrides import Overrides
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.report.items import ReportItem, Table
from rnnpipe.report.page import write_page
from rnnpipe.report.run import RunPage
from rnnpipe.runs.checks import check_comparable_records, check_readable_records, check_splits
from rnnpipe.runs.config import check_overrides, load_run_config, note_edits
from rnnpipe.runs.contents import read_environment
from rnnpipe.runs.create import create_run
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.ensemble import (
    describe_runs,
    note_other_records,
    open_ensemble,
    pin_members,
)
from rnnpipe.runs.history import find_best, read_history
from rnnpipe.runs.holding import holding_records
from rnnpipe.runs.language_model import (
    load_language_model,
    open_language_model,
    pin_language_model,
)
from rnnpipe.runs.model import PartialTraining, load_baselines, load_ensemble
from rnnpipe.runs.records import find_records
from rnnpipe.runs.scores import print_table, score_table
from rnnpipe.runs.start import show_start
from rnnpipe.runs.tracking import track_results
from rnnpipe.runs.training_tables import show_members, show_phases
from rnnpipe.setting_paths import make_paths_absolute
from rnnpipe.storage.atomic import json_text, jsonl_text, write_text
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.tasks import make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.extensions import add_scores, make_plugin_items
from rnnpipe.tasks.run_config import RunConfig

_SHOWN = 12  # digits of a hash in the report
_TOGETHER = "All scores are of the mean of their probabilities; the history is of the first."
_FUSED = (
    "Its log-probabilities were added to those of the model, see evaluate.search.language_model."
)
_CHANGEABLE = ("evaluate.", "data.source.", "data.directory.", "data.splits.")


def evaluate_run(
    run: RunDirectory,
    console: Console,
    records: RecordsDirectory | None = None,
    overrides: Overrides = (),
) -> RunDirectory:
    """Scores a run on the splits of its config and writes its report.

    A training that has not ended is scored by its best weights so far, and left undisturbed.

    Args:
        run: a run with weights of at least one epoch.
        console: where the scores are printed.
        records: those it was just trained on; None to find them by the run's config.
        overrides: settings of `evaluate`, e.g. `evaluate.search.beam_width=10`, to score with
            instead of the run's own, or of where the data comes from, to score on other records.
            The results go into a folder of their own then, in `evaluations`.

    Returns:
        The folder of the results: that of the run, or one in `evaluations` with overrides or of a
        training that has not ended.

    Raises:
        UserError: the records are gone, stale, damaged, being replaced or others than those it was
            trained on, there are no weights yet, an override is none of those, a member of the
            ensemble or the language model of the search does not fit, or the disk is full.
    """
    expected = "a key of evaluate, or where other data comes from (data.source, …)"
    check_overrides(overrides, _CHANGEABLE, expected)
    config = load_run_config(run, overrides)
    _check_files(run)
    task = make_task(config)
    runs, language_model = open_ensemble(config, task, run), open_language_model(config)
    config = pin_language_model(pin_members(config, runs[1:]), language_model)
    notices = [*note_edits(run), *note_other_records(runs)]
    notices += load_language_model(task, language_model, run.seal.check(run.vocabulary))
    if records is None:
        records = find_records(config, task)
        is_other = any(override.startswith("data.") for override in overrides)
        check = check_readable_records if is_other else check_comparable_records
        if notice := check(run, records, task):
            notices.append(notice)
    check_splits(config, records.splits)
    ensemble = describe_runs(runs) if len(runs) > 1 else []
    fused = [] if language_model is None else describe_runs([language_model])
    with holding_records(records, console):
        task.check_records(records)
        trained = load_ensemble(runs, task)
        if trained.partial:
            notices.append(trained.partial.notice)
        results = _evaluate(trained.model, load_baselines(run), config, task, records, console)
        records.check()  # once more: scores are of these records, or there are none
    results = replace(results, ensemble=ensemble, language_model=fused)
    fix = f"make room, then score it with `rnnpipe evaluate {run.path}`"
    with report_full_disk("the scores", run.path, fix):
        page = _make_page(run, config, task, records, results, trained.partial)
        if overrides or trained.partial:
            folder = _create_evaluation(run, config, trained.partial, results, page)
        else:
            _write(folder := run, results, page)
            track_results(config, run, results.scores, console)
    print_table(score_table(task.main_metric, results.scores), console)
    for notice in dict.fromkeys([*notices, *results.notices]):  # splits may share them
        console.print(f"Note: {notice}", style="yellow")
    together = ", ".join(str(each.path) for each in runs)
    console.print(f"Run:    {together}\nReport: {folder.report}")
    return folder


def _check_files(run: RunDirectory) -> None:
    """Checks, before scoring that may take hours, what the report is made of."""
    names = ("history.csv", run.start_report.name, "checkpoints/baselines/*.keras")
    sealed = (path for name in names for path in run.seal.find(name))
    for path in (run.environment, *sealed):
        run.seal.check(path)


@dataclass(frozen=True, slots=True)
class _Results:
    """The results of all splits, and the runs that gave them beside the run itself."""

    scores: Mapping[str, Mapping[str, float]]
    predictions: Sequence[Mapping[str, Any]]
    items: Sequence[ReportItem]
    files: Mapping[str, str]
    notices: Sequence[str]
    ensemble: Sequence[Mapping[str, str]] = ()
    language_model: Sequence[Mapping[str, str]] = ()  # one at most


def _evaluate(
    model: keras.Model,
    baselines: Mapping[str, keras.Model],
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    console: Console,
) -> _Results:
    scores: dict[str, dict[str, float]] = {}
    predictions: list[dict[str, Any]] = []
    items: list[ReportItem] = []
    files: dict[str, str] = {}
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
        files |= evaluation.files
    return _Results(scores, predictions, items, files, notices)


def _create_evaluation(
    run: RunDirectory,
    config: RunConfig,
    partial: PartialTraining | None,
    results: _Results,
    page: RunPage,
) -> RunDirectory:
    """A folder of results in that of a run, whole or not at all."""

    def fill(folder: RunDirectory) -> None:
        folder.seal.begin()
        if partial:
            folder.seal.write_text(folder.partial, json_text(partial.to_json()))
        folder.seal.write_text(folder.config, dump_config(make_paths_absolute(config)))
        _write(folder, results, page)

    return create_run(run.path, "evaluations", fill)


def _write(folder: RunDirectory, results: _Results, page: RunPage) -> None:
    for name, content in results.files.items():
        write_text(folder.path / name, content)
    _write_runs(folder.ensemble, results.ensemble)
    _write_runs(folder.language_model, results.language_model)
    folder.seal.write_text(folder.metrics, json_text(results.scores))
    folder.seal.write_text(folder.predictions, jsonl_text(results.predictions))
    write_page(folder.report, page)  # at last: a run with a report is finished


def _write_runs(path: Path, runs: Sequence[Mapping[str, str]]) -> None:
    if runs:
        write_text(path, json_text({"runs": runs}))
    else:
        path.unlink(missing_ok=True)


def _make_page(
    run: RunDirectory,
    config: RunConfig,
    task: Task,
    records: RecordsDirectory,
    results: _Results,
    partial: PartialTraining | None,
) -> RunPage:
    split, first = next(iter(results.scores.items()))
    table = score_table(task.main_metric, results.scores)
    history = read_history(run, run.history)
    environment = read_environment(run)
    is_own = environment["records"] == records.fingerprint
    for settings in ("settings", "records_from"):  # the report shows the config
        environment.pop(settings, None)
    return RunPage(
        title=f"{task.name} · {config.data.source.kind}",
        summary=_summarize(records, split, is_own=is_own)
        + (f" Note: {partial.notice}." if partial else ""),
        headline=[
            (f"{split} {task.main_metric}", first[task.main_metric]),
            *((label, value) for label, value in table_values(table)[1:]),
        ],
        scores=table,
        items=[
            *_show_runs("Ensemble", results.ensemble, _TOGETHER),
            *_show_runs("Language model of the search", results.language_model, _FUSED),
            *results.items,
            *show_members(run, task),
            *show_phases(run),
            *show_start(run),
        ],
        history=history,
        best_epoch=partial.best_epoch
        if partial
        else find_best(history, task.monitor(), run.history) + 1,
        records=_describe_records(records),
        config_yaml=dump_config(config),
        environment={name: _show(value) for name, value in environment.items()},
    )


def _summarize(records: RecordsDirectory, split: str, *, is_own: bool) -> str:
    trained = f"Trained on {records.splits['train']:,} records" if is_own else "Trained on others"
    return f"{records.spec.description} {trained}, scored on {records.splits[split]:,}."


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


def _show_runs(title: str, runs: Sequence[Mapping[str, str]], note: str) -> Iterator[ReportItem]:
    """The runs that were evaluated beside this one, where there are some."""
    if runs:
        rows = [(each["run"], each["model_sha256"][:_SHOWN]) for each in runs]
        yield Table(title, ("run", "SHA-256 of its model"), rows, note=note)


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_show(item)}" for name, item in value.items())
    return " ".join(map(_show, value)) if isinstance(value, list) else str(value)
