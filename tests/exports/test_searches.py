"""A whole beam search as one graph: its loop, penalties and alignments."""

from functools import partial

import keras
import numpy as np
import onnx
import pytest

from rnnpipe.errors import UserError
from rnnpipe.exports.formats import FORMATS
from rnnpipe.exports.manifest import read_manifest
from rnnpipe.exports.write import VOCABULARY, Exportable, open_network, write_export
from rnnpipe.runs.sample import record_calls
from tests.tasks.translation.conftest import SENTENCES, make_task, records  # noqa: F401

TEXTS = [*SENTENCES["train"], *SENTENCES["test"]]


@pytest.fixture(params=FORMATS)
def predictors(request, records, tmp_path):  # noqa: F811
    """The predictor of a translator, and that of its export."""
    keras.utils.set_random_seed(3)
    task = make_task()
    vocabulary = tmp_path / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    network = task.make_network(task.build_model(records), vocabulary)
    calls = record_calls(task, network, vocabulary, records)
    source = Exportable(task.name, network, "", vocabulary, "", calls)
    output = tmp_path / "export"
    assert write_export(source, request.param, output)["rows"] == len(SENTENCES["test"])
    manifest = read_manifest(output)
    exported = open_network(FORMATS[request.param], output, manifest.functions)
    return (
        task.make_predictor(vocabulary, network),
        task.make_predictor(output / VOCABULARY, exported),
    )


def test_weights_in_loops_are_quantized(records, tmp_path):  # noqa: F811
    keras.utils.set_random_seed(3)
    task = make_task()
    vocabulary = tmp_path / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    network = task.make_network(task.build_model(records), vocabulary)
    score = partial(task.score, records=records, split="test")
    calls = record_calls(task, network, vocabulary, records)
    source = Exportable(task.name, network, "", vocabulary, "", calls, score)
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


def test_a_search_finds_what_that_of_the_run_finds(predictors):
    run, export = predictors
    rows = [{"text": text} for text in TEXTS]
    expected = list(run.predict(rows))
    for batch_size in (1, 3, 64):
        export.batch_size = batch_size
        for found, wanted in zip(export.predict(rows), expected, strict=True):
            assert [each.text for each in found.answers] == [each.text for each in wanted.answers]
            for answer, other in zip(found.answers, wanted.answers, strict=True):
                assert answer.probability == pytest.approx(other.probability, abs=1e-5)
            np.testing.assert_allclose(found.alignments, wanted.alignments, atol=1e-5)
    best = export.predict_one({"text": TEXTS[0], "n-best": 1})
    assert [each.text for each in best.answers] == [expected[0].answers[0].text]
    for option, value, message in [
        ("prefix", "ein", "--prefix: expected nothing, as the export was made, got"),
        ("n-best", 3, "--n-best: expected at most 2, as the export was made, got 3"),
    ]:
        with pytest.raises(UserError) as caught:
            list(export.predict([{"text": TEXTS[0], option: value}]))
        assert message in str(caught.value)
