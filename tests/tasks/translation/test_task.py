import json

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, STATS, TARGET, shard_name
from rnnpipe.records.specs import TEXT_PAIR
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.text.tokenizer import Tokenizer
from tests.tasks.predicting import check_scores, make_predictor, refused
from tests.tasks.translation.conftest import make_task, make_task_with, translate


def test_targets_are_the_shifted_inputs_and_the_end_token(task, records):
    rows = {tuple(row["source_tokens"]): row["target_tokens"] for row in records.read("train")}
    seen = 0
    for inputs, targets in task.make_batches(records, "train", shuffle_seed=1):
        batch = zip(
            *(x.numpy() for x in (inputs["source"], inputs["target"], targets)), strict=True
        )
        for source, reads, says in batch:
            wanted = rows[tuple(source[source > 0])]
            assert reads[reads > 0].tolist() == [2, *wanted]
            assert says[says > 0].tolist() == [*wanted, 3]
            assert reads.shape == says.shape
            seen += 1
    assert seen == len(rows) == 5


def make_training(task, records):
    """Two epochs of training batches: the tokens of each source and of its target."""
    batches = task.make_batches(records, "train", shuffle_seed=1)
    return [
        sorted(
            (source[source > 0].tolist(), says[says > 0].tolist())
            for inputs, targets in batches.as_numpy_iterator()
            for source, says in zip(inputs["source"], targets, strict=True)
        )
        for _ in range(2)
    ]


@pytest.mark.parametrize("tokens", [None, 30])
def test_noise_is_in_training_sources_alone_and_new_in_every_epoch(records, tokens):
    noisy = make_task_with({}, source_noise={"shuffle": 2, "drop": 0.2}, batch_tokens=tokens)
    records = add_target_lengths(records)
    first, second = make_training(noisy, records)
    rows = list(records.read("train"))
    targets = sorted([*row["target_tokens"], 3] for row in rows)
    assert sorted(target for _, target in first) == targets
    assert [source for source, _ in first] != [source for source, _ in second]
    known = {tuple(row["target_tokens"]): row["source_tokens"] for row in rows}
    for source, target in [*first, *second]:
        assert set(source) <= set(known[tuple(target[:-1])])
    plain = make_task()
    for split in ("train", "validation"):
        ours, theirs = (list(task.make_batches(records, split)) for task in (plain, noisy))
        for (inputs, _), (same, _) in zip(ours, theirs, strict=True):
            assert np.array_equal(inputs["source"], same["source"])


def add_target_lengths(records):
    stats = json.loads((records.path / STATS).read_text())
    lengths = [len(row["target_tokens"]) for row in records.read("train")]
    histogram = {str(length): lengths.count(length) for length in lengths}
    stats["splits"]["train"]["histograms"]["target_tokens"] = histogram
    (records.path / STATS).write_text(json.dumps(stats))
    return RecordsDirectory(records.path)


def test_evaluation_scores_text_against_the_raw_references(task, records):
    model = task.build_model(records)
    evaluation = task.evaluate(model, records, "test")
    scores = evaluation.scores
    assert {"bleu", "chrf", "exact", "perplexity"} <= scores.keys()
    assert 0 < scores["perplexity"] < 60
    # Each word has its translation, so that a dictionary is right but for the unknown word.
    assert scores["baseline/word_by_word/exact"] == pytest.approx(2 / 3)
    assert scores["baseline/copy_of_the_source/exact"] == 0
    assert {
        "bleu/source_words/1-5",
        "bleu/source_words/6-10",
        "bleu/unseen_lengths",
    } <= scores.keys()
    for row in evaluation.predictions:
        assert row["reference"] == translate(row["source"])
        assert row["prediction"] == row["n_best"][0]["text"]
        assert len(row["n_best"]) == 2
        assert row["n_best"][0]["score"] >= row["n_best"][1]["score"]
    titles = [exhibit.title for exhibit in evaluation.report_items]
    assert titles[-2:] == ["Best translations", "Worst translations"]


def test_unseen_lengths_are_scored_separately(records, tmp_path):
    task = make_task(unseen_lengths="apart")
    model = task.build_model(records)
    evaluation = task.evaluate(model, records, "test")
    scores = evaluation.scores
    check_scores(task, evaluation, make_predictor(task, model, records, tmp_path), records)
    # Two of the three sources are longer than the four words that training knows.
    assert "bleu/source_words/6-10" not in scores
    assert scores["exact"] == scores["exact/source_words/1-5"]
    assert scores["baseline/word_by_word/exact"] == pytest.approx(1)
    assert "exact/unseen_lengths" in scores


def make_longer(records, split, to):
    """As if training had pairs of `to` tokens, where the tokens of all other splits are cut."""
    stats = json.loads((records.path / STATS).read_text())
    stats["splits"]["train"]["histograms"]["source_tokens"] = {str(to): 1}
    (records.path / STATS).write_text(json.dumps(stats))
    rows = [{**row, "source_tokens": row["source_tokens"][:to]} for row in records.read(split)]
    path = records.path / shard_name("text_pair", split, 0, 1)
    write_tfrecord(path, [encode_example(TEXT_PAIR, row) for row in rows])
    return RecordsDirectory(records.path)


def test_a_truncated_source_has_the_length_of_its_text(records):
    records = make_longer(records, "test", to=3)
    task = make_task(unseen_lengths="apart")
    evaluation = task.evaluate(task.build_model(records), records, "test")
    # Cut to three tokens, all of them would seem to be of a length that training shows.
    (table,) = [each for each in evaluation.report_items if each.title == "By words of the source"]
    assert [(row[0], row[1]) for row in table.rows] == [
        ("1-5", 1),
        ("longer than all of training", 2),
    ]


def test_unseen_lengths_alone_are_the_main_scores(records):
    records = make_longer(records, "test", to=2)
    task = make_task(unseen_lengths="apart")
    scores = task.evaluate(task.build_model(records), records, "test").scores
    for metric in ("bleu", "chrf", "exact"):
        assert scores[metric] == scores[f"{metric}/unseen_lengths"]
    assert "baseline/word_by_word/bleu" in scores


def test_training_is_monitored_by_decoded_scores(task, records, tmp_path):
    model = task.build_model(records)
    trainer = task.build_trainer(model, records)
    decoded, averaging = task.make_callbacks(trainer, model, records, tmp_path / "w.weights.h5")
    logs = {}
    decoded.on_epoch_end(0, logs)
    assert logs.keys() == {"val_bleu", "val_chrf", "val_exact"}
    averaging.set_model(trainer)
    averaging.on_epoch_end(0, logs)


def test_a_text_is_answered_with_translations_and_a_picture(task, records, tmp_path):
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    assert {path.name for path in (tmp_path / "vocabulary").iterdir()} == {SOURCE, TARGET}
    prediction = predictor.predict_one({"text": "a red dog", "n-best": 3})
    assert len(prediction.answers) == 3
    scores = [answer.score for answer in prediction.answers]
    assert scores == sorted(scores, reverse=True)
    assert prediction.alignments.shape[1] == 3
    assert prediction.picture.startswith(b"\x89PNG")


def test_texts_are_translated_in_any_batch_as_evaluation_translates(task, records, tmp_path):
    model = task.build_model(records)
    evaluated = task.evaluate(model, records, "test").predictions
    # These records, which no build made, are not cut at the six tokens of the config.
    rows = [row for row in evaluated if len(row["source"].split()) <= 6]
    predictor = make_predictor(task, model, records, tmp_path)
    texts = [row["source"] for row in rows] * 3
    for batch_size in (1, 2, 64):
        predictor.batch_size = batch_size
        predictions = list(predictor.predict({"text": text} for text in texts))
        for row, prediction in zip([*rows] * 3, predictions, strict=True):
            assert [a.text for a in prediction.answers] == [n["text"] for n in row["n_best"]]
            for answer, one in zip(prediction.answers, row["n_best"], strict=True):
                assert answer.score == pytest.approx(one["score"], abs=1e-4)
                assert answer.probability == pytest.approx(one["token_probability"], abs=1e-4)


def test_more_translations_than_the_beam_width_are_refused(task, records, tmp_path):
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    told = "--n-best: expected at most the beam width, 3, got 4"
    assert told in refused(predictor, **{"text": "a dog", "n-best": 4})


def test_phrases_and_a_prefix_are_written(task, records, tmp_path):
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    asked = {"require": "hund läuft", "prefix": "ein"}
    texts = ["a red dog", "a dog", "red man"]
    rows = [{"text": text, **asked} for text in texts] + [{"text": text} for text in texts]
    *constrained, free, _, _ = predictor.predict(rows)
    for prediction in constrained[:3]:
        for answer in prediction.answers:
            assert answer.text.startswith("ein ")
            assert "hund läuft" in answer.text
    assert free.answers == predictor.predict_one({"text": texts[0]}).answers


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"require": "katze"}, "--require: expected words of the vocabulary, got katze; choose"),
        ({"require": "ein alter hund"}, "--require: expected fewer tokens than the beam is wide"),
        ({"prefix": "die katze"}, "--prefix: expected words of the vocabulary, got die, katze"),
        ({"prefix": "ein " * 8}, "--prefix: expected fewer than 8 tokens, got 8; shorten it"),
        ({"text": "  "}, "--text: expected a text, got '  '; write a sentence"),
    ],
)
def test_phrases_that_cannot_be_generated_are_refused(task, records, tmp_path, inputs, message):
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    assert message in refused(predictor, **{"text": "a dog", **inputs})


def test_a_text_gets_the_best_hypothesis_of_all_groups(records, tmp_path):
    task = make_task(search={"beam_width": 4, "n_best": 2, "groups": 2, "max_length": 8})
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    one, two = predictor.predict({"text": "a dog", "n-best": count} for count in (1, 2))
    assert len(one.answers) == 1
    assert one.answers[0].text == two.answers[0].text


def test_a_beam_is_no_wider_than_the_vocabulary(records):
    search = {"beam_width": 300, "n_best": 3, "groups": 3, "max_length": 8, "diversity": 1.0}
    message = r"evaluate\.search\.beam_width: expected at most the vocabulary, \d+, got 300; narrow"
    with pytest.raises(UserError, match=message):
        make_task(search=search).check_records(records)
    make_task(search={**search, "beam_width": 9}).check_records(records)


def test_banned_tokens_are_of_the_vocabulary(records):
    task = make_task(search={"constraints": {"banned_tokens": ["▁hund", "<unk>"]}})
    task.check_records(records)
    task = make_task(search={"constraints": {"banned_tokens": ["hund"]}})
    message = r"evaluate\.search\.constraints: expected tokens of the vocabulary, got "
    with pytest.raises(UserError, match=message + "hund; did you mean ▁hund?"):
        task.check_records(records)


def test_scheduled_sampling_grows_with_the_steps(records, tmp_path):
    sampling = {"kind": "linear", "steps": 10, "final": 0.5}
    task = make_task_with({"decoder": {"cell": {"units": 7}, "scheduled_sampling": sampling}})
    model = task.build_model(records)
    trainer = task.build_trainer(model, records)
    callback, *_ = task.make_callbacks(trainer, model, records, tmp_path / "w.weights.h5")
    batches = task.make_batches(records, "train", shuffle_seed=1)
    trainer.fit(batches, epochs=2, verbose=0, shuffle=False, callbacks=[callback])
    last = 2 * task.steps_per_epoch(records) - 1
    rate = float(model.get_layer("decoder").sampling_rate)
    assert rate == pytest.approx(0.5 * last / 10)


def test_hard_attention_is_reinforced(records):
    attention = {"kind": "hard", "mechanism": {"kind": "additive", "units": 6}}
    decoder = {"cell": {"units": 7}, "attention": {**attention, "expected_share": 0.0}}
    task = make_task_with({"decoder": decoder}, reinforce={"reward_weight": 0.0})
    model = task.build_model(records)
    trainer = task.build_trainer(model, records)
    assert (trainer.reward_weight, trainer.entropy_weight) == (0.0, 0.01)
    ((inputs, targets), *_) = task.make_batches(records, "validation")
    with tf.GradientTape() as tape:
        loss = trainer.compute_loss(inputs, targets, trainer(inputs, training=True))
    scores = [w.value for w in model.trainable_weights if "additive" in w.path]
    gradients = tape.gradient(loss, scores)
    assert any(gradient is not None and np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ({"bridge": "copy"}, "expected states of sizes"),
        ({"tie_weights": True, "output": "plain"}, "expected a readout of 6"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_the_build(decoder, message):
    task = make_task_with({"decoder": {"cell": {"units": 7}, **decoder}})
    with pytest.raises(UserError, match=message):
        task.check_model()


def test_the_model_has_a_vocabulary_of_each_side(task, records):
    sizes = [Tokenizer.load(records.path / side).vocabulary_size for side in (SOURCE, TARGET)]
    model = task.build_model(records)
    assert model.get_layer("source_embedding").input_dim == sizes[0]
    assert model.output["logits"].shape[-1] == sizes[1]


def test_the_monitor_is_that_of_the_config(task):
    assert task.monitor() == ("val_bleu", "max")
