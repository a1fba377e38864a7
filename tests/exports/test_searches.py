"""Beam searches of exports: as one graph, or around the graph of a step."""

from functools import partial

import keras
import onnx
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.exports.onnx import write_onnx
from rnnpipe.exports.write import Exportable, write_export
from rnnpipe.runs.sample import record_calls
from rnnpipe.tasks.network import Graph
from tests.exports.exporting import check_equal, export_model
from tests.exports.formats import GRAPHS
from tests.tasks.translation.conftest import OPTIONS, SENTENCES, make_task, records  # noqa: F401

TEXTS = [*SENTENCES["train"], *SENTENCES["test"]]


@pytest.fixture(params=GRAPHS)
def export(request, records, tmp_path):  # noqa: F811
    """Exports a translator with the settings of a search."""

    def export(**settings):
        keras.utils.set_random_seed(3)
        task = make_task(**settings)
        vocabulary = tmp_path / "vocabulary"
        task.save_vocabulary(records, vocabulary)
        model = task.build_model(records)
        output = tmp_path / "export"
        made = export_model(task, model, vocabulary, request.param, output, records)
        assert made.manifest.check["rows"] == len(SENTENCES["test"])
        assert made.manifest.check["made_up_rows"] == 0
        return made

    return export


def test_drawn_translations_are_those_of_the_run_in_any_batch(export):
    search = {**OPTIONS["evaluate"]["search"], "sampling": {"temperature": 2.0, "seed": 5}}
    run, exported, _ = export(search=search)
    rows = [{"text": text} for text in TEXTS]
    expected = [[one.text for one in each.answers] for each in run.predict(rows)]
    assert any(len(set(texts)) > 1 for texts in expected)
    for batch_size in (1, 3, 64):
        exported.batch_size = batch_size
        found = [[one.text for one in each.answers] for each in exported.predict(rows)]
        assert found == expected
    assert exported.predict_one({"text": TEXTS[0], "n-best": 1}).answers[0].text == expected[0][0]


def test_a_greedy_search_over_hard_attention_is_exported(export):
    attention = {"kind": "hard", "mechanism": {"kind": "additive", "units": 6}}
    decoder = {**OPTIONS["model"]["decoder"], "attention": attention}
    search = {"beam_width": 1, "n_best": 1, "max_length": 5}
    run, exported, _ = export(search=search, model={**OPTIONS["model"], "decoder": decoder})
    rows = [{"text": text} for text in TEXTS]
    check_equal(exported.predict(rows), list(run.predict(rows)))


def test_what_onnx_cannot_compute_is_named(tmp_path):
    specs = {"values": tf.TensorSpec([None, 3])}
    graph = Graph(lambda inputs: {"signs": keras.ops.signbit(inputs["values"])}, specs)
    with pytest.raises(UserError, match="got Bitcast, BitwiseAnd; write saved_model"):
        write_onnx(graph, tmp_path / "signs.onnx")
    assert not list(tmp_path.iterdir())


def test_weights_in_loops_are_quantized(records, tmp_path):  # noqa: F811
    keras.utils.set_random_seed(3)
    task = make_task()
    vocabulary = tmp_path / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    network = task.make_network(task.build_model(records), vocabulary)
    score = partial(task.score, records=records, split="test")
    calls = record_calls(task, network, vocabulary, records)
    source = Exportable(task.name, network, "", vocabulary, "", calls, task.inputs, score)
    check = write_export(source, "onnx", tmp_path / "int8", "int8")
    assert check["scores"].keys() == {"float32", "int8"}
    assert check["scores"]["float32"].keys() == check["scores"]["int8"].keys() >= {"bleu", "chrf"}
    assert check["rows"] == len(SENTENCES["test"])
    graph = onnx.load(tmp_path / "int8/search.onnx").graph
    weights = {tensor.name for tensor in graph.initializer}
    for loop in (node for node in graph.node if node.op_type == "Loop"):
        body = loop.attribute[0].g
        known = weights | {tensor.name for tensor in body.initializer}
        kinds = {node.op_type for node in body.node if node.input[1:2] and node.input[1] in known}
        assert "MatMulInteger" in kinds
        assert not kinds & {"MatMul", "Gemm"}


def test_a_search_finds_what_that_of_the_run_finds(export):
    run, exported, manifest = export()
    rows = [{"text": text} for text in TEXTS]
    expected = list(run.predict(rows))
    for batch_size in (1, 3, 64):
        exported.batch_size = batch_size
        check_equal(exported.predict(rows), expected)
    best = exported.predict_one({"text": TEXTS[0], "n-best": 1})
    assert [each.text for each in best.answers] == [expected[0].answers[0].text]
    for option, value, message in [
        ("prefix", "ein", "--prefix: expected nothing, as the export was made, got"),
        ("require", ("hund",), "--require: expected nothing, as the export was made, got"),
        ("n-best", 3, "--n-best: expected at most 2, as the export was made, got 3"),
    ]:
        row = {"text": TEXTS[0], option: value}
        if "search" in manifest.functions:
            with pytest.raises(UserError) as caught:
                list(exported.predict([row]))
            assert message in str(caught.value)
        else:
            check_equal(exported.predict([row]), run.predict([row]))
