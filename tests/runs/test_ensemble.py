"""Runs that are evaluated and predict together, of every task, against NumPy and loops."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from rnnpipe.inputs.streams import make_streams, read_documents
from rnnpipe.models.language_model import first_states, get_states
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.language_model.evaluation import token_nats
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN
from tests.runs.handmade import MAX_LENGTH, RUNS, copy_run
from tests.tasks.test_image_inputs import find_image


def softmax(logits):
    logits = np.asarray(logits, "float64")
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_every_task_has_ensembles():
    assert RUNS.keys() == set(find_schemas())


def evaluate_together(pair):
    """The scores and predictions of the ensemble, with what every evaluation of one records."""
    results = pair.together.evaluate(verbose=False)
    runs = json.loads((results.path / "ensemble.json").read_text())["runs"]
    assert [run["run"] for run in runs] == [str(pair.together.path), str(pair.other.path)]
    hashes = [run["model_sha256"] for run in runs]
    assert len(set(hashes)) == 2
    page = Path(results.report).read_text()
    for run, digest in zip((pair.together, pair.other), hashes, strict=True):
        assert str(run.path) in page
        assert digest[:12] in page
    return results.metrics["test"], results.predictions


def find_video(raw, row):
    stem = Path(row["video_id"]).stem
    return next(path for path in raw.rglob("*") if path.is_file() and path.stem == stem)


def find_sound(raw, row):
    return next(raw.rglob(Path(row["utterance_id"]).name))


def check_answers(answers, row):
    """That an answer to a raw input is that to its record."""
    for answer, (text, probability) in zip(answers, row["top"], strict=True):
        assert answer.probability == pytest.approx(probability, abs=2e-4)
        assert answer.text == text


def classify(pair):
    """The probabilities of both models' mean over the test split, by the NumPy of this module."""
    inputs = list(pair.own.task.make_inputs(pair.records, "test"))
    return pair.mean(
        lambda model: np.concatenate([softmax(model(batch)["logits"]) for batch in inputs])
    )


@pytest.mark.parametrize("task", ["text_classification", "image_classification"])
def test_classes(task, make_pair):
    pair, names = make_pair(task), make_pair(task).records.labels
    scores, rows = evaluate_together(pair)
    expected = classify(pair)
    labels = [row["label"] for row in pair.records.read("test", ["label"])]
    assert scores["accuracy"] == pytest.approx(np.mean(expected.argmax(axis=1) == labels))
    nats = -np.log(expected[np.arange(len(labels)), labels])
    assert scores["log_loss"] == pytest.approx(nats.mean(), rel=1e-4)
    for row, probabilities in zip(rows, expected, strict=True):
        for name, probability in row["top"]:
            assert probability == pytest.approx(probabilities[names.index(name)], abs=1e-4)
    for row in rows[:3]:
        raw = {"text": row["text"]} if "text" in row else {"image": find_image(pair.raw, row)}
        check_answers(pair.together.predict(**raw).answers, row)


def test_answers_to_questions(make_pair):
    pair = make_pair("vqa")
    scores, rows = evaluate_together(pair)
    expected = classify(pair)
    known = pair.records.answers
    for row, probabilities in zip(rows, expected, strict=True):
        assert row["prediction"] == known[probabilities.argmax()]
        for name, probability in row["top"]:
            assert probability == pytest.approx(probabilities[known.index(name)], abs=1e-4)
    assert scores["vqa_accuracy"] == pytest.approx(np.mean([row["vqa_accuracy"] for row in rows]))
    for row in rows[:3]:
        image = find_image(pair.raw, row)
        predicted = pair.together.predict(image=image, question=row["question"])
        check_answers(predicted.answers, row)
        assert predicted.alignments.shape[0] == 2  # the other run has one glimpse


def test_labels_of_videos(make_pair):
    pair = make_pair("video_labeling")
    scores, rows = evaluate_together(pair)
    inputs = list(pair.own.task.make_inputs(pair.records, "test"))
    clips = pair.mean(
        lambda model: np.concatenate([softmax(model(batch)["clip"]) for batch in inputs])
    )
    records = list(pair.records.read("test", ["frame_labels", "clip_label"]))
    labels = [record["clip_label"] for record in records]
    nats = -np.log(clips[np.arange(len(labels)), labels])
    assert scores["clip_log_loss"] == pytest.approx(nats.mean(), rel=1e-4)
    masks = [np.asarray(batch["frame_index"]) >= 0 for batch in inputs]
    pairs = list(zip(inputs, masks, strict=True))
    frames = pair.mean(
        lambda model: np.concatenate([softmax(model(b)["frame"])[mask] for b, mask in pairs])
    )
    of_frames = np.concatenate([record["frame_labels"] for record in records])
    nats = -np.log(frames[np.arange(len(of_frames)), of_frames])
    assert scores["frame_log_loss"] == pytest.approx(nats.mean(), rel=1e-4)
    for row in rows[:2]:
        video = find_video(pair.raw, row)
        predicted = pair.together.predict(video=video)
        assert predicted.answers[0].text == row["clip_prediction"]
        timeline = [segment.label for segment in predicted.timeline]
        assert timeline == [name for _, _, name in row["frame_predictions"]]
        lines = "".join(pair.together.stream(video=video)).splitlines()
        streamed = [line.split()[-1] for line in lines if not line.startswith("clip:")]
        assert streamed == timeline
        assert f"clip: {row['clip_prediction']}" in "\n".join(lines)


def collapse(path):
    """The tokens of a path of CTC, without repeated ones and blanks."""
    return [
        token
        for token, before in zip(path, [PAD, *path], strict=False)
        if token not in (PAD, before)
    ]


def test_texts_of_recordings(make_pair):
    pair = make_pair("speech")
    _, rows = evaluate_together(pair)
    tokenizer = Tokenizer.load(pair.records.path)
    inputs = list(pair.own.task.make_inputs(pair.records, "test"))
    expected = []
    for batch in inputs:
        mean = pair.mean(lambda model, batch=batch: softmax(model(batch)["ctc"]))
        expected += [tokenizer.decode(collapse(path)) for path in mean.argmax(axis=-1).tolist()]
    assert [row["prediction"] for row in rows] == expected
    assert len(set(expected)) > 1
    for row in rows:
        sound = find_sound(pair.raw, row)
        predicted = pair.together.predict(audio=sound)
        assert predicted.answers[0].text == row["prediction"]
        lines = "".join(pair.together.stream(audio=sound)).splitlines()
        assert " ".join(line.split()[-1] for line in lines) == row["prediction"]


def decode_by_hand(pair, images_or_sources, name, target):
    """Greedy search of each row alone, by the mean of the probabilities of both models."""
    decoded = []
    for inputs in images_or_sources:
        tokens: list[int] = []
        while len(tokens) < MAX_LENGTH and tokens[-1:] != [END]:
            given = {**inputs, target: np.array([[START, *tokens]])}
            mean = pair.mean(lambda model, given=given: softmax(model(given)["logits"])[0, -1])
            tokens.append(int(mean.argmax()))
        decoded.append([token for token in tokens if token != END])
    return decoded


def mean_perplexity(pair):
    nats = []
    for inputs, targets in pair.own.task.make_batches(pair.records, "test").as_numpy_iterator():
        mean = pair.mean(lambda model, inputs=inputs: softmax(model(inputs)["logits"]))
        likelihood = np.take_along_axis(mean, targets[..., None], axis=-1)[..., 0]
        nats.append(-np.log(likelihood[targets != PAD]))
    return np.exp(np.concatenate(nats).mean())


def test_translations(make_pair):
    pair = make_pair("translation")
    scores, rows = evaluate_together(pair)
    assert scores["perplexity"] == pytest.approx(mean_perplexity(pair), rel=1e-4)
    target = Tokenizer.load(pair.records.path / "target")
    sources = [
        {"source": np.array([record["source_tokens"]])} for record in pair.records.read("test")
    ]
    expected = [
        target.decode(tokens) for tokens in decode_by_hand(pair, sources, "source", "target")
    ]
    assert [row["prediction"] for row in rows] == expected
    assert len(set(expected)) > 2
    alone = pair.own.evaluate({"evaluate.metrics": []}, verbose=False).predictions
    assert [row["prediction"] for row in alone] != expected
    for row in rows[:3]:
        answers = pair.together.predict(text=row["source"]).answers
        assert answers[0].text == row["prediction"]
        probability = row["n_best"][0]["token_probability"]
        assert answers[0].probability == pytest.approx(probability, abs=1e-4)


def test_captions(make_pair):
    pair = make_pair("captioning")
    scores, rows = evaluate_together(pair)
    assert scores["perplexity"] == pytest.approx(mean_perplexity(pair), rel=1e-4)
    tokenizer = Tokenizer.load(pair.records.path)
    images = [
        {"image": decode_jpeg(record["image_jpeg"])[None], "image_index": np.zeros(1, "int32")}
        for record in pair.records.read("test", ["image_jpeg"])
    ]
    expected = [
        tokenizer.decode(tokens) for tokens in decode_by_hand(pair, images, "image", "caption")
    ]
    assert [row["prediction"] for row in rows] == expected
    for row in rows[:2]:
        predicted = pair.together.predict(image=find_image(pair.raw, row))
        assert predicted.answers[0].text == row["prediction"]
        assert predicted.alignments is not None


def test_language_models(make_pair):
    pair = make_pair("language_model")
    scores, _ = evaluate_together(pair)
    config = pair.own.config
    streams = make_streams(
        read_documents(pair.records, "test"),
        rows=config.evaluate.batch_size,
        time=config.train.bptt_length,
    )
    mean = pair.mean(lambda model: np.exp(-streams.by_text(token_nats(model, streams))))
    assert scores["nats"] == pytest.approx(-np.log(mean).mean(), rel=1e-4)
    symbols = Symbols.load(pair.records.path)
    tokens = symbols.encode("The ")
    states = [first_states(run.model, 1) for run in (pair.own, pair.other)]
    read = [START, *tokens]
    for _ in range(12):
        each = []
        for number, run in enumerate((pair.own, pair.other)):
            inputs = {"tokens": ops.array([read]), "starts": ops.array([False])}
            outputs = run.model({**inputs, "states": states[number]})
            states[number] = get_states(outputs)
            each.append(softmax(outputs["logits"])[0, -1])
        probabilities = np.mean(each, axis=0)
        probabilities[[PAD, UNKNOWN, START, END]] = 0  # they stand for no text
        read = [int(probabilities.argmax())]
        tokens.extend(read)
    written = pair.together.predict(prompt="The ", length=12, top_k=1).answers[0].text
    assert written == "".join(map(symbols.text_of, tokens))


def prediction_of(run, pair):
    """What a run answers to a raw input of the test split, but for rounding."""
    row = next(pair.records.read("test"))
    match run.config.task:
        case "text_classification":
            answers = run.predict(text=row["text"]).answers
        case "translation":
            answers = run.predict(text=row["source"]).answers
        case "vqa":
            image = find_image(pair.raw, row)
            answers = run.predict(image=image, question=row["question"]).answers
        case "video_labeling":
            answers = run.predict(video=find_video(pair.raw, row)).answers
        case "language_model":
            answers = run.predict(prompt="The ", length=30, seed=3).answers
        case "speech":
            answers = run.predict(audio=find_sound(pair.raw, row)).answers
        case _:
            answers = run.predict(image=find_image(pair.raw, row)).answers
    return [(answer.text, pytest.approx(answer.probability, abs=1e-5)) for answer in answers]


@pytest.mark.parametrize("task", RUNS)
def test_a_run_and_its_copy_answer_as_the_run(task, make_pair, tmp_path):
    pair = make_pair(task)
    copy = copy_run(pair.own, tmp_path / "copy")
    twice = copy_run(pair.own, tmp_path / "twice", copy.path)
    assert prediction_of(twice, pair) == prediction_of(pair.own, pair)
    if task == "text_classification":
        alone, both = (run.evaluate(verbose=False).metrics["test"] for run in (copy, twice))
        assert both == pytest.approx(alone, rel=1e-4)
