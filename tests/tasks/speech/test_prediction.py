import io
import wave

import numpy as np
import pytest
from PIL import Image

from rnnpipe.audio import make_wav, to_float
from rnnpipe.decoding import ctc_greedy_search
from rnnpipe.errors import UserError
from rnnpipe.models.ensemble import find_members
from tests.tasks.predicting import check_scores, make_predictor, refused
from tests.tasks.speech.conftest import DECODER, RATE, make_model, make_task, say

SOUNDS = [say("ab cad", 3), say("d", 4), say("cc ba", 5)]
OUTPUTS = {
    "ctc": {"kind": "ctc"},
    "attention": {"kind": "attention", **DECODER},
    "joint": {"kind": "joint", **DECODER},
}


@pytest.fixture(scope="module", params=OUTPUTS)
def made(request, records, tmp_path_factory):
    """A task, its model and their predictor."""
    task = make_task(model={"output": OUTPUTS[request.param]})
    model = make_model(task, records)
    folder = tmp_path_factory.mktemp(request.param)
    return task, model, make_predictor(task, model, records, folder)


def same(one, other):
    assert [answer.text for answer in one.answers] == [answer.text for answer in other.answers]
    assert one.answers[0].probability == pytest.approx(other.answers[0].probability, abs=1e-5)
    assert [word[:3] for word in one.timeline] == [word[:3] for word in other.timeline]


def test_recordings_have_the_same_texts_in_any_batch_and_form(made, tmp_path):
    _, _, predictor = made
    alone = [predictor.predict_one({"audio": sound}) for sound in SOUNDS]
    for one, other in zip(alone, predictor.predict({"audio": s} for s in SOUNDS), strict=True):
        same(one, other)
    assert len({prediction.answers[0].text for prediction in alone}) > 1
    path = tmp_path / "sound.wav"
    path.write_bytes(make_wav(SOUNDS[0], RATE))
    for form in (str(path), path, path.read_bytes(), to_float(SOUNDS[0])):
        same(predictor.predict_one({"audio": form}), alone[0])


def test_words_follow_each_other_within_the_recording(made):
    _, _, predictor = made
    for sound in SOUNDS:
        prediction = predictor.predict_one({"audio": sound})
        words = prediction.timeline
        assert [word.label for word in words] == prediction.answers[0].text.split()
        assert all(0 <= word.start < word.end <= len(sound) / RATE + 0.2 for word in words)
        assert all(0 < word.probability <= 1 for word in words)


def test_several_texts_are_the_likeliest_first(made):
    _, _, predictor = made
    several = predictor.predict_one({"audio": SOUNDS[0], "n-best": 3}).answers
    assert len(several) == 3
    assert [a.score for a in several] == sorted((a.score for a in several), reverse=True)
    assert several[0] == predictor.predict_one({"audio": SOUNDS[0], "n-best": 1}).answers[0]
    assert "expected at most the beam width, 3" in refused(
        predictor, **{"audio": SOUNDS[0], "n-best": 4}
    )


def test_the_picture_shows_the_recording(made):
    _, _, predictor = made
    with Image.open(io.BytesIO(predictor.predict_one({"audio": SOUNDS[0]}).picture)) as picture:
        assert picture.width > 1000


def test_what_is_no_sound_is_refused(made, tmp_path):
    _, _, predictor = made
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    for audio, message in (
        (str(tmp_path / "none.wav"), "expected a sound that can be read"),
        (str(text), "expected a sound that can be read"),
        (b"no sound", "expected a sound that can be read"),
        (SOUNDS[0][:100], "expected a sound of at least 0.032 s, got a shorter one"),
        (SOUNDS[0][None], "expected samples of one channel"),
        (SOUNDS[0].astype("int32"), "expected samples of 16 bits, got int32"),
        (np.array([np.nan]), "expected samples that are numbers"),
    ):
        assert message in refused(predictor, audio=audio)


def test_scores_and_predictions_are_those_of_the_evaluation(made, records):
    task, model, predictor = made
    evaluation = task.evaluate(model, records, "test")
    check_scores(task, evaluation, predictor, records)
    samples = [row["samples"] for row in records.read("test", ["samples"])]
    for sound, row in zip(samples, evaluation.predictions, strict=True):
        prediction = predictor.predict_one({"audio": sound})
        assert [a.text for a in prediction.answers] == [each["text"] for each in row["n_best"]]
        words = [[word.label, word.start, word.end] for word in prediction.timeline]
        assert [word for word, _, _ in row["words"]] == [word for word, _, _ in words]


def test_a_stream_writes_the_words_of_greedy_search(records, tmp_path):
    task = make_task(evaluate={"search": {"beam_width": 1, "n_best": 1}})
    model = make_model(task, records)
    predictor = make_predictor(task, model, records, tmp_path)
    for sound in SOUNDS:
        prediction = predictor.predict_one({"audio": sound})
        lines = [line.split() for line in predictor.stream({"audio": sound})]
        assert " ".join(line[-1] for line in lines) == prediction.answers[0].text
        starts = [float(line[0]) for line in lines]
        np.testing.assert_allclose(starts, [w.start for w in prediction.timeline], atol=0.006)


def test_a_bidirectional_model_reads_no_stream(records, tmp_path):
    task = make_task(model={"encoder": {"bidirectional": True}})
    predictor = make_predictor(task, make_model(task, records), records, tmp_path)
    with pytest.raises(UserError, match="expected a recurrence that reads forwards"):
        list(predictor.stream({"audio": SOUNDS[0]}))


def test_an_ensemble_has_the_mean_probabilities(records, tmp_path):
    task = make_task(evaluate={"search": {"beam_width": 1, "n_best": 1}})
    models = [make_model(task, records, seed=seed) for seed in (1, 2)]
    probabilities = []
    for model in models:
        outputs = task.make_network(model, records.path)["call"](
            next(iter(task.make_inputs(records, "test")))
        )
        values = np.exp(outputs["ctc"] - outputs["ctc"].max(axis=-1, keepdims=True))
        probabilities.append(values / values.sum(axis=-1, keepdims=True))
    joined = task.join(models)
    assert find_members(joined) == models
    predictor = make_predictor(task, joined, records, tmp_path)
    lines = predictor.stream({"audio": SOUNDS[0]})
    text = " ".join(line.split()[-1] for line in lines)
    assert text == predictor.predict_one({"audio": SOUNDS[0]}).answers[0].text
    (first, *_) = task.make_inputs(records, "test")
    found = predictor.network["call"](first)["ctc"]
    mean = np.log(np.maximum(np.mean(probabilities, axis=0), 1e-30))
    assert ctc_greedy_search(found).ids.tolist() == ctc_greedy_search(mean).ids.tolist()


def test_a_sound_becomes_a_wav_file():
    with wave.open(io.BytesIO(make_wav(SOUNDS[1], RATE))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.readframes(file.getnframes()) == SOUNDS[1].astype("<i2").tobytes()
