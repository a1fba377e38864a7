"""Writing an export: a folder that answers without the run, its data and its training code."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.exports.card import describe_quantization
from rnnpipe.exports.check import Call, compare_calls
from rnnpipe.exports.formats import Format, find_format, find_quantizer
from rnnpipe.exports.function import Description, ExportedFunction, ExportedNetwork
from rnnpipe.exports.manifest import Manifest, hash_files
from rnnpipe.quiet import quiet_import
from rnnpipe.requirements import requiring
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.paths import check_new_folder
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Bound, Graph, Network

CONFIG = "config.yaml"
VOCABULARY = "vocabulary"
CARD = "README.md"


Complete = Callable[[Network, Path], Network]


def keep_network(network: Network, vocabulary: Path) -> Network:
    """The network as it is."""
    del vocabulary
    return network


@dataclass(frozen=True)
class Exportable:
    """What an export is made of.

    Args:
        task: its name.
        network: of the trained model.
        config: the resolved config, YAML.
        vocabulary: the folder of `Task.save_vocabulary`.
        card: the model card, Markdown.
        calls: of functions of the network, by which the export is checked.
        inputs: that the task declares.
        score: the scores of the answers of a network; none where there are no records.
        bounds: of the inputs of functions, by their names, for formats with fixed shapes.
        complete: adds the functions that are outside of graphs, see `Task.complete_network`.
        input_extras: the extras of rnnpipe that reading inputs needs.
    """

    task: str
    network: Network
    config: str
    vocabulary: Path
    card: str
    calls: Sequence[Call]
    inputs: Sequence[Input]
    score: Callable[[Network], Mapping[str, float]] = lambda network: {}
    bounds: Mapping[str, Mapping[str, Bound]] = field(default_factory=dict)
    complete: Complete = keep_network
    input_extras: Sequence[str] = ()


def write_export(
    source: Exportable, format_name: str, output: Path, quantization: str | None = None
) -> Mapping[str, Any]:
    """Writes an export, checked against its run, wholly or not at all.

    Args:
        source: what it is made of.
        format_name: of its graphs.
        output: the folder.
        quantization: the name of a quantizer of the format. It changes the answers, so that the
            scores of the run and of the export are compared instead.

    Returns:
        What was compared, see `Manifest.check`.

    Raises:
        UserError: something is at `output` already, the format cannot hold the functions of the
            task or has no such quantizer, or the export answers otherwise than the run.
    """
    check_new_folder(output, str(output))
    form, graphs = find_format(format_name), _find_graphs(source, format_name)
    quantize = quantization and find_quantizer(format_name, quantization)
    with requiring(*form.to_write, *form.to_open, where=f"--format {format_name}"):
        output.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(output, durable=True) as folder:
            folder.mkdir()
            described = {}
            weights = Counter[str]()
            for name, graph in graphs.items():
                with quiet_import():  # it names tensors that TensorFlow calls otherwise
                    described[name] = Description.of(graph, name + form.suffix)
                    form.write(graph, folder / described[name].file)
                if quantize:
                    weights.update(quantize(folder / described[name].file))
            shutil.copytree(source.vocabulary, folder / VOCABULARY)
            (folder / CONFIG).write_text(source.config, encoding="utf-8")
            network = open_network(form, folder, described, source.complete)
            check = _check(source, network, quantization, str(output))
            quantized = {"name": quantization, "weights": dict(weights)} if quantization else None
            card = source.card + (describe_quantization(quantized, check) if quantized else "")
            (folder / CARD).write_text(card, encoding="utf-8")
            files = hash_files(folder)
            Manifest(format_name, source.task, described, check, files, quantized).write(folder)
            if form.finish is not None:
                form.finish(folder, source.inputs, source.input_extras)
    return check


def _check(
    source: Exportable, network: Network, quantization: str | None, where: str
) -> dict[str, Any]:
    """Compares the outputs, and the scores of a quantized export, whose outputs may differ."""
    comparison = compare_calls(network, [call for call in source.calls if call.function in network])
    if quantization is None:
        comparison.check(where)
        return comparison.to_json()
    scores = {
        name: dict(source.score(each))
        for name, each in (("float32", source.network), (quantization, network))
    }
    return {**comparison.to_json(), "scores": scores}


def open_network(
    form: Format,
    folder: Path,
    described: Mapping[str, Description],
    complete: Complete = keep_network,
) -> ExportedNetwork:
    """The functions of an export.

    Args:
        form: of its graphs.
        folder: that of the export.
        described: its graphs by name.
        complete: adds the functions that are outside of graphs.
    """
    functions = {
        name: ExportedFunction(form.open(folder / each.file, each.outputs), each)
        for name, each in described.items()
    }
    return ExportedNetwork(complete(functions, folder / VOCABULARY))


def _find_graphs(source: Exportable, format_name: str) -> dict[str, Graph]:
    with quiet_import():
        graphs = find_format(format_name).find_graphs(source.network, source.bounds)
    if not graphs:
        raise UserError(
            f"--format {format_name}",
            "a task whose functions are graphs",
            f"{source.task} with functions of {', '.join(source.network)} that are none",
            "predict with the run",
        )
    return graphs
