"""Exports that recognize speech: by CTC, by a decoder, by both, and as a stream."""

import pytest

from rnnpipe.errors import UserError
from rnnpipe.models.ensemble import join_models
from tests.exports.exporting import export_model
from tests.exports.formats import GRAPHS
from tests.tasks.speech.conftest import DECODER, make_model, make_task, records, say, tokenizer  # noqa: F401

SOUNDS = [say("ab cad", 3), say("d", 4), say("cc ba", 5)]
OUTPUTS = {
    "ctc": {"kind": "ctc"},
    "attention": {"kind": "attention", **DECODER},
    "joint": {"kind": "joint", **DECODER},
}


def export(task, model, form, records, folder):  # noqa: F811
    vocabulary = folder / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    return export_model(task, model, vocabulary, form, folder / "export", records)


@pytest.mark.parametrize(
    ("kind", "form"),
    [(kind, form) for kind in OUTPUTS for form in GRAPHS if (kind, form) != ("joint", "onnx")],
)
def test_recordings_are_written_as_by_the_run(kind, form, records, tmp_path):  # noqa: F811
    task = make_task(model={"output": OUTPUTS[kind]}, data={"sound": {"max_seconds": 3.0}})
    made = export(task, make_model(task, records), form, records, tmp_path)
    rows = [{"audio": sound} for sound in SOUNDS]
    expected = list(made.run.predict(rows))
    assert len({prediction.answers[0].text for prediction in expected}) > 1
    for batch_size in (1, 64):
        made.export.batch_size = batch_size
        for found, wanted in zip(made.export.predict(rows), expected, strict=True):
            assert [a.text for a in found.answers] == [a.text for a in wanted.answers]
            assert found.answers[0].probability == pytest.approx(
                wanted.answers[0].probability, abs=1e-4
            )
            assert [word[:3] for word in found.timeline] == [word[:3] for word in wanted.timeline]
    if kind == "ctc":
        for row in rows:
            assert list(made.export.stream(row)) == list(made.run.stream(row))
    search = {"encode", "step"} if form == "litert" else {"search"}  # its loop is outside
    functions = {"ctc": {"call", "step"}, "attention": search, "joint": {"call", *search}}
    assert set(made.manifest.functions) == functions[kind]


def test_onnx_has_no_loops_within_a_search(records, tmp_path):  # noqa: F811
    task = make_task(model={"output": OUTPUTS["joint"]})
    with pytest.raises(UserError, match="expected saved_model or litert for such a search, got a"):
        export(task, make_model(task, records), "onnx", records, tmp_path)


def test_an_ensemble_is_written_and_streamed_as_by_the_run(records, tmp_path):  # noqa: F811
    task = make_task()
    models = [make_model(task, records, seed=seed) for seed in (1, 2)]
    made = export(task, join_models(models, ["ctc"]), "onnx", records, tmp_path)
    for sound in SOUNDS:
        row = {"audio": sound}
        found, wanted = made.export.predict_one(row), made.run.predict_one(row)
        assert [a.text for a in found.answers] == [a.text for a in wanted.answers]
        assert list(made.export.stream(row)) == list(made.run.stream(row))


@pytest.mark.skipif("litert" not in GRAPHS, reason="needs ai_edge_litert")
def test_of_a_long_recording_litert_reads_the_seconds_that_fit(records, tmp_path):  # noqa: F811
    task = make_task(data={"sound": {"max_seconds": 0.5}})
    vocabulary = tmp_path / "vocabulary"
    task.save_vocabulary(records, vocabulary)
    made = export_model(task, make_model(task, records), vocabulary, "litert", tmp_path / "export")
    long, short = made.export.predict([{"audio": SOUNDS[0]}, {"audio": SOUNDS[1]}])
    assert "--audio: the model reads its first 0.512 seconds alone" in long.notes
    assert not short.notes
