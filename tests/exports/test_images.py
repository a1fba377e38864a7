"""Exports of tasks that read images answer as their models do, on the whole test split."""

from collections.abc import Mapping

import keras
import numpy as np
import pytest

from rnnpipe.exports.check import compare_calls
from rnnpipe.runs.sample import record_calls
from tests.exports.exporting import export_model
from tests.exports.formats import GRAPHS
from tests.tasks.test_image_predictions import CONFIGS, build, inputs_of  # noqa: F401


@pytest.fixture
def built(build, request, tmp_path):  # noqa: F811
    """A task with its records, rows of raw inputs of the test split, a model and its vocabulary."""
    task, records, raw = build(request.param)
    keras.utils.set_random_seed(1)
    model = task.build_model(records)
    model.set_weights([1.5 * weight for weight in model.get_weights()])  # answers differ by images
    vocabulary = tmp_path / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    rows = [inputs_of(row, raw) for row in records.read("test")]
    return task, records, rows, model, vocabulary


@pytest.mark.parametrize("built", CONFIGS, indirect=True)
def test_answers_are_those_of_the_model_in_any_batch(built, tmp_path):
    task, records, rows, model, vocabulary = built
    network = task.make_network(model, vocabulary)
    expected = list(task.make_predictor(vocabulary, network).predict(rows))
    assert len({prediction.answers[0] for prediction in expected}) > 1
    for form in GRAPHS:
        made = export_model(task, model, vocabulary, form, tmp_path / form, records)
        assert 0 == made.manifest.check["made_up_rows"] < made.manifest.check["rows"]
        for batch_size in (1, 3, 64):
            made.export.batch_size = batch_size
            for found, wanted in zip(made.export.predict(rows), expected, strict=True):
                assert [a.text for a in found.answers] == [a.text for a in wanted.answers]
                for answer, other in zip(found.answers, wanted.answers, strict=True):
                    assert answer.probability == pytest.approx(other.probability, abs=1e-4)
                np.testing.assert_allclose(found.alignments, wanted.alignments, atol=1e-4)
        calls = record_calls(task, network, vocabulary, None)  # as if the records were gone
        comparison = compare_calls(made.export.network, calls)
        assert comparison.rows == comparison.made_up_rows == 8
        comparison.check(form)


@pytest.mark.parametrize("built", ["vqa"], indirect=True)
def test_questions_of_a_batch_share_the_grids_of_their_images(built):
    task, records, _, model, vocabulary = built
    calls = record_calls(task, task.make_network(model, vocabulary), vocabulary, records)
    assert calls
    for call in calls:
        assert isinstance(call.arrays, Mapping)
        assert len(call.arrays["image"]) < len(call.arrays["question"])
