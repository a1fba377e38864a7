"""Exports of runs, and answers from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.exports.card import Checked, make_card
from rnnpipe.exports.check import Call
from rnnpipe.exports.formats import find_format, find_quantizer
from rnnpipe.exports.manifest import MANIFEST, Manifest, read_manifest
from rnnpipe.exports.serving import describe_serving
from rnnpipe.exports.write import (
    CONFIG,
    VOCABULARY,
    Exportable,
    open_network,
    write_export,
)
from rnnpipe.quiet import quiet_import
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.requirements import requiring
from rnnpipe.runs.contents import read_scores
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.language_model import KEY, find_options
from rnnpipe.runs.predict import predict_keywords, stream_keywords
from rnnpipe.runs.records import find_records
from rnnpipe.runs.sample import make_score, record_calls
from rnnpipe.runs.text_graph import add_text_function, check_text_in_graph
from rnnpipe.storage.paths import check_new_folder
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.network import Network
from rnnpipe.tasks.prediction import Prediction
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.run_config import RunConfig
from rnnpipe.tasks.text_graph import TEXT_FUNCTION


class Export:
    """An exported run, as `rnnpipe.load` returns it; nothing of the run is needed.

    Args:
        path: its folder.
    """

    picture: ClassVar[Path | None] = None
    """The file of the picture of a prediction, where the command line names none: it is not drawn.

    The folder of an export is only read, and drawing takes longer than a prediction.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Export({str(self.path)!r})"

    @cached_property
    def manifest(self) -> Manifest:
        """What `export.json` says; the files are checked.

        Raises:
            UserError: it is of another version, or its files are damaged.
        """
        return read_manifest(self.path)

    @property
    def extras(self) -> Sequence[str]:
        """The extras of rnnpipe that predictions need."""
        return _find_extras(self.manifest.format, self.task)

    @cached_property
    def config(self) -> RunConfig:
        """The config of the run."""
        return load_config(self.path / CONFIG, find_schemas())

    @cached_property
    def task(self) -> Task[Any]:
        """The task; `task.inputs` declares the inputs of `predict`."""
        return make_task(self.config, only_predicts=True)

    @cached_property
    def predictor(self) -> Predictor:
        """The predictor, for rows from anywhere: `predictor.predict(rows)`.

        Raises:
            UserError: it is of another version, or its files are damaged.
        """
        manifest = self.manifest
        form = find_format(manifest.format)
        with requiring(*self.extras, where=str(self.path)), quiet_import():
            functions = {k: v for k, v in manifest.functions.items() if k != TEXT_FUNCTION}
            complete = self.task.complete_network
            network = open_network(form, self.path, functions, complete)
            return self.task.make_predictor(self.path / VOCABULARY, network)

    def predict(self, **inputs: Any) -> Prediction | list[Prediction]:
        """The prediction for inputs of one's own, see `Run.predict`."""
        return predict_keywords(self.predictor, inputs)

    def stream(self, **inputs: Any) -> Iterator[str]:
        """The prediction for inputs of one's own in pieces of text, see `Run.stream`."""
        return stream_keywords(self.predictor, inputs)


def is_export(path: Path) -> bool:
    """Whether a folder is that of an export."""
    return (path / MANIFEST).is_file()


def export_run(
    run: RunDirectory,
    task: Task[Any],
    make_network: Callable[[], Network],
    *,
    format_name: str,
    output: Path | None,
    quantization: str | None,
    text_in_graph: bool,
    console: Console,
) -> Export:
    """Exports a trained run, and checks that the export answers as it does.

    Args:
        run: the run.
        task: its task.
        make_network: loads its model, or the ensemble that its config names.
        format_name: of the graphs.
        output: the folder to write; by default `exports/<format>` in that of the run, with the
            quantization after a dash.
        quantization: the name of a quantizer of the format; None: there is none.
        text_in_graph: whether it has a function from strings too.
        console: where the check is printed.

    Raises:
        UserError: there is no such format or quantizer, a language model takes part in searches,
            something is at `output` already, or the export answers otherwise than the run.
    """
    form = find_format(format_name)
    if find_options(task.config) is not None:
        fix = f"remove it from {run.config}, and export"
        raise UserError(KEY, "null, as exports have none", "a language model", fix)
    if quantization is not None:
        find_quantizer(format_name, quantization)
    kind = "-".join(filter(None, (format_name, quantization)))
    output = run.path / "exports" / kind if output is None else output
    check_new_folder(output, str(output))
    if text_in_graph:
        check_text_in_graph(task, format_name)
    metrics = read_scores(run) if run.seal.expects(run.metrics) else {}
    extras = requiring(*form.to_write, *form.to_open, where=f"--format {format_name}")
    with extras, ExitStack() as held:
        network = make_network()
        if text_in_graph:
            network = add_text_function(task, network, run.vocabulary)
        records = held.enter_context(_opening_records(task, console))
        calls = _record_calls(run, task, network, records)
        source = Exportable(
            task.name,
            network,
            config=run.config.read_text(encoding="utf-8"),
            vocabulary=run.vocabulary,
            card=_card(metrics, task, records, output, format_name, calls),
            calls=calls,
            inputs=task.inputs,
            score=make_score(task, records),
            bounds=task.bounds,
            complete=task.complete_network,
            input_extras=task.input_extras,
        )
        check = write_export(source, format_name, output, quantization)
    console.print(f"{output}: {_describe_check(check, task.main_metric)}")
    return Export(output)


def _record_calls(
    run: RunDirectory, task: Task[Any], network: Network, records: RecordsDirectory | None
) -> list[Call]:
    calls = record_calls(task, network, run.vocabulary, records)
    if not calls:
        expected, got = "inputs to check the export with", "no records and no made-up examples"
        raise UserError(str(run.path), expected, got, "build the records with `rnnpipe build`")
    return calls


def _describe_check(check: Mapping[str, Any], metric: str) -> str:
    made_up = f" ({check['made_up_rows']} of them made up)" if check["made_up_rows"] else ""
    rows = f"{check['rows']} rows{made_up} as the run answers them"
    if "scores" not in check:
        return f"{rows}, largest difference {check['largest_difference']:.1e}"
    equal = f"{check['equal_ids']:.1%} of the ids of {rows}"
    scores = [
        f"{metric} {scores[metric]:.4g} in {name}"
        for name, scores in check["scores"].items()
        if metric in scores
    ]
    return ", ".join([equal, *scores])


@contextmanager
def _opening_records(task: Task[Any], console: Console) -> Iterator[RecordsDirectory | None]:
    """The records of a run, read in full and held; None, with a notice, if that cannot be."""
    with quiet_import():
        from rnnpipe.runs.holding import holding_records

    with ExitStack() as held:
        try:
            records = find_records(task.config, task)
            held.enter_context(holding_records(records, console))
        except UserError as missing:
            console.print(f"checked with made-up inputs: {missing}")
            records = None
        yield records


def _find_extras(format_name: str, task: Task[Any]) -> Sequence[str]:
    """The extras that predictions of an export need."""
    return *find_format(format_name).to_open, *task.input_extras


def _card(
    metrics: Mapping[str, Any],
    task: Task[Any],
    records: RecordsDirectory | None,
    output: Path,
    format_name: str,
    calls: Sequence[Call],
) -> str:
    checked: dict[frozenset[bool], Checked] = {
        frozenset({False}): "records",
        frozenset({True}): "made-up",
        frozenset({False, True}): "both",
    }
    return make_card(
        task.name,
        inputs=tuple(task.inputs),
        metrics=metrics,
        splits={} if records is None else records.splits,
        folder=output.absolute().name,
        extras=f"rnnpipe[{','.join(_find_extras(format_name, task))}]",
        checked=checked[frozenset(call.made_up for call in calls)],
        serving=describe_serving(format_name, task.inputs, output.absolute().name),
    )
