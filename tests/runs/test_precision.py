"""Runs that are trained in half precision."""

import keras
import pytest

import rnnpipe
from tests.runs.test_resume import TRAININGS
from tests.runs.trainings import assert_equal, call, interrupt, the_run_in

# What an interruption leaves open would be closed by the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PRECISIONS = {
    "language_model": "bfloat16",
    "sentiment": "float16",
    "captioning": "float16",
    "translation": "bfloat16",
    "glimpse": "bfloat16",
}


@pytest.mark.parametrize(
    "name",
    [
        "language_model",
        *(pytest.param(name, marks=pytest.mark.slow) for name in (*PRECISIONS,)[1:]),
    ],
)
def test_a_run_resumes_with_equal_results_and_answers_in_float32(
    name, command, tmp_path, monkeypatch
):
    settings, ((epoch, _), *_) = TRAININGS[name]
    train = command(name, [*settings, f"train.precision={PRECISIONS[name]}"])
    assert call(*train, "--runs-dir", tmp_path / "whole") == 0
    with monkeypatch.context() as patch:
        interrupt(patch, epoch)
        assert call(*train, "--runs-dir", tmp_path / "broken") == 130
    assert call("resume", tmp_path / "broken" / name) == 0
    run = the_run_in(tmp_path / "whole")
    assert_equal(the_run_in(tmp_path / "broken"), run)
    assert keras.config.dtype_policy().name == "float32"
    for path in run.rglob("*.keras"):
        model = keras.models.load_model(path, compile=False)
        assert {layer.compute_dtype for layer in model._flatten_layers()} == {"float32"}
    assert rnnpipe.load(run).evaluate(verbose=False).metrics == rnnpipe.load(run).metrics
