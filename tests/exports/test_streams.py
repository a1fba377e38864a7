"""Exports that answer step by step, with states that are carried: texts and videos."""

import json
from types import SimpleNamespace
from typing import Any, ClassVar

import keras
import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.exports.write import Exportable, write_export
from rnnpipe.models.ensemble import join_models
from rnnpipe.models.language_model import (
    LanguageModelOptions,
    build_language_model,
    join_language_models,
)
from rnnpipe.parts.cells import GRUOptions, LSTMOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.runs.sample import make_score, record_calls
from rnnpipe.tasks.language_model.evaluation import token_nats
from rnnpipe.tasks.language_model.task import LanguageModelTask
from rnnpipe.tasks.video_labeling.task import VideoLabelingTask
from rnnpipe.text.symbols import Symbols
from rnnpipe.transforms.recipes.video_frames import FrameOptions
from tests.exports.exporting import export_model
from tests.exports.formats import GRAPHS
from tests.tasks.language_model.test_task import make_task as make_text_task
from tests.tasks.video_labeling.test_prediction import NAMES, build

SYMBOLS = Symbols("char", "abc")
PROMPTS = ["a", "", "bca", "b", "caabbcabc", "a"]
RECURRENCES = {
    "gru": RecurrenceOptions(cell=GRUOptions(units=8), learned_state=True),
    "lstm": RecurrenceOptions(cell=LSTMOptions(units=8), depth=2),
}


def build_texts(kind):
    keras.utils.set_random_seed(1)
    options = LanguageModelOptions(recurrence=RECURRENCES[kind])
    model = build_language_model(options, vocab=SYMBOLS.size)
    rng = np.random.default_rng(2)
    model.set_weights([3 * w + 0.3 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(params=[(form, kind) for form in GRAPHS for kind in RECURRENCES], ids="-".join)
def texts(request, tmp_path):
    form, kind = request.param
    task: LanguageModelTask = make_text_task("sampling.top_k=3")
    vocabulary = tmp_path / "vocabulary"
    vocabulary.mkdir()
    SYMBOLS.save(vocabulary)
    return export_model(task, build_texts(kind), vocabulary, form, tmp_path / "export")


def test_a_text_is_drawn_as_by_the_run_in_any_batch_and_as_a_stream(texts):
    rows = [
        {"prompt": prompt, "seed": seed, "length": 5 + seed} for seed, prompt in enumerate(PROMPTS)
    ]
    rows += [{"prompt": "ab", "length": 9, "temperature": t} for t in (0.1, 5.0)]
    expected = list(texts.run.predict(rows))
    for batch_size in (1, 3, 64):
        texts.export.batch_size = batch_size
        for found, wanted in zip(texts.export.predict(rows), expected, strict=True):
            assert found.answers[0].text == wanted.answers[0].text
            assert found.answers[0].probability == pytest.approx(
                wanted.answers[0].probability, abs=1e-5
            )
    for row, wanted in zip(rows, expected, strict=True):
        pieces = list(texts.export.stream(row))
        assert pieces == list(texts.run.stream(row))
        assert "".join(pieces) == wanted.answers[0].text
    assert len({prediction.answers[0].text for prediction in expected}) == len(rows)
    with pytest.raises(UserError, match=r"--top-k: expected 3, as the export was made, got 2"):
        list(texts.export.predict([{"prompt": "a", "top-k": 2}]))
    with pytest.raises(UserError, match=r"--top-p: expected None, as the export was made, got"):
        list(texts.export.stream({"prompt": "a", "top-p": 0.5}))


def test_the_check_says_that_its_inputs_are_made_up(texts):
    check = texts.manifest.check
    assert check["rows"] == check["made_up_rows"] > 8
    assert check["largest_difference"] <= 1e-5
    step = texts.manifest.functions["step"]
    assert list(step.states) == [name for name in step.inputs if name.startswith("state/")]
    assert set(step.outputs) == {"logits", "tokens", "log_probs", *step.states}


class Texts:
    """Records of two documents, as far as language models read them."""

    splits: ClassVar = {"train": 1, "test": 2}

    def read(self, split, fields):
        assert split == "test"
        for document, text in enumerate(("abcabcaabbcc" * 3, "cab")):
            tokens = np.array(SYMBOLS.encode(text))
            record = {"document": str(document), "number": 0, "text": text, "tokens": tokens}
            yield {name: record[name] for name in fields}


@pytest.mark.parametrize("quantization", [None, "int8"])
def test_texts_of_records_are_read_and_scored_token_by_token(quantization, tmp_path):
    task: LanguageModelTask = make_text_task("evaluate.batch_size=2", "train.bptt_length=4")
    vocabulary, records = tmp_path / "vocabulary", Texts()
    vocabulary.mkdir()
    SYMBOLS.save(vocabulary)
    model = build_texts("lstm")
    network = task.make_network(model, vocabulary)
    calls = record_calls(task, network, vocabulary, records)
    steps = [call for call in calls if call.function == "step" and not call.made_up]
    assert len(steps) == 20  # of 39 tokens in two rows, of which chunks are whole
    assert sum(not call.made_up for call in calls) == len(steps)
    read = np.stack([call.arrays["tokens"] for call in steps])
    assert np.count_nonzero(read) == 39
    score = make_score(task, records)
    source = Exportable(task.name, network, "", vocabulary, "", calls, task.inputs, score)
    check = write_export(source, "onnx", tmp_path / "export", quantization)
    assert 0 < check["made_up_rows"] == check["rows"] - 2 * len(steps)
    if quantization:
        streams = task._streams(records, "test", 2)
        nats = streams.by_text(token_nats(model, streams)).mean()
        float32, int8 = (check["scores"][name]["nats"] for name in ("float32", "int8"))
        assert float32 == pytest.approx(nats, rel=1e-5)
        assert float32 != int8 == pytest.approx(nats, rel=0.05)


def test_an_ensemble_draws_as_its_export(tmp_path):
    vocabulary = tmp_path / "vocabulary"
    vocabulary.mkdir()
    SYMBOLS.save(vocabulary)
    model = join_language_models([build_texts("gru"), build_texts("lstm")])
    made = export_model(make_text_task(), model, vocabulary, "onnx", tmp_path / "export")
    row = {"prompt": "ab", "length": 12, "seed": 3}
    assert made.export.predict_one(row).answers[0].text == "".join(made.run.stream(row))
    assert list(made.export.stream(row)) == list(made.run.stream(row))


@pytest.fixture
def label_task():
    """A task that has the data alone."""
    task: Any = VideoLabelingTask.__new__(VideoLabelingTask)
    data = SimpleNamespace(frames=FrameOptions(size=16, rate=5.0), features=None)
    task.config = SimpleNamespace(data=data, evaluate=SimpleNamespace(batch_size=4))
    return task


@pytest.fixture
def labels(tmp_path):
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    (folder / "labels.json").write_text(json.dumps(NAMES["frame"]))
    (folder / "clip_labels.json").write_text(json.dumps(NAMES["clip"]))
    return folder


@pytest.fixture
def clips(tmp_path, write_clip):
    rng = np.random.default_rng(1)
    return [
        str(write_clip(tmp_path / f"{frames}.mp4", rng.integers(0, 255, frames).tolist(), rate=10))
        for frames in (40, 17, 6)
    ]


@pytest.mark.parametrize("form", GRAPHS)
@pytest.mark.parametrize("members", [1, 2])
def test_videos_are_labeled_as_by_the_run_and_as_streams(
    form, members, label_task, labels, clips, tmp_path
):
    models = [build() for _ in range(members)]
    if members > 1:
        models[1].set_weights([1.1 * weight for weight in models[1].get_weights()])
    model = models[0] if members == 1 else join_models(models, ["frame", "clip"])
    made = export_model(label_task, model, labels, form, tmp_path / "export")
    rows = [{"video": clip} for clip in clips]
    expected = list(made.run.predict(rows))
    for batch_size in (1, 2, 64):
        made.export.batch_size = batch_size
        for found, wanted in zip(made.export.predict(rows), expected, strict=True):
            assert [s[:3] for s in found.timeline] == [s[:3] for s in wanted.timeline]
            for part in ("answers", "timeline"):
                pairs = zip(getattr(found, part), getattr(wanted, part), strict=True)
                assert all(
                    a.probability == pytest.approx(b.probability, abs=1e-5) for a, b in pairs
                )
    for row, wanted in zip(rows, expected, strict=True):
        lines = list(made.export.stream(row))
        assert lines == list(made.run.stream(row))
        named = [line.split()[-1] for line in lines if not line.startswith("clip: ")]
        assert named == [segment.label for segment in wanted.timeline]
    assert made.manifest.check["made_up_rows"] == made.manifest.check["rows"]


def test_a_model_that_reads_backwards_is_exported_without_steps(
    label_task, labels, clips, tmp_path
):
    made = export_model(label_task, build(bidirectional=True), labels, "onnx", tmp_path / "export")
    assert list(made.manifest.functions) == ["call"]
    (found,), (wanted,) = (list(p.predict([{"video": clips[0]}])) for p in made[:2])
    assert [each.label for each in found.timeline] == [each.label for each in wanted.timeline]
    with pytest.raises(UserError, match=r"expected a network with the function step, got an exp"):
        list(made.export.stream({"video": clips[0]}))
