import keras
import numpy as np
import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.tasks import find_schemas
from rnnpipe.tasks.text_classification.config import TextClassificationTrain
from tests.tasks.predicting import check_scores, make_predictor, refused


def test_shuffled_batches_are_of_like_lengths_and_others_in_order(task, records):
    rows = list(records.read("train"))
    ordered = [classes for _, classes in task.make_batches(records, "train")]
    labels = np.concatenate(ordered).argmax(axis=1)
    assert labels.tolist() == [row["label"] for row in rows]
    shuffled = list(task.make_batches(records, "train", shuffle_seed=1))
    assert sum(len(tokens) for tokens, _ in shuffled) == len(rows)
    assert all(tokens.shape[1] % 4 == 0 for tokens, _ in shuffled)
    for tokens, classes in shuffled:
        assert classes.shape == (len(tokens), 3)
        np.testing.assert_array_equal(np.sum(classes, axis=1), 1)


def test_the_loss_is_smoothed_and_the_accuracy_is_not(task, records):
    model = task.build_model(records)
    assert model.output["alignments"].shape[1] == 2
    trainer = task.build_trainer(model, records)
    ((tokens, classes), *_) = task.make_batches(records, "validation")
    measured = trainer.evaluate(tokens, classes, verbose=0, return_dict=True)
    logits = np.asarray(model(tokens)["logits"], "float64")
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = 0.9 * np.asarray(classes) + 0.1 / 3
    assert measured["loss"] == pytest.approx(-(targets * logs).sum(axis=1).mean(), rel=1e-5)
    right = logits.argmax(axis=1) == np.argmax(classes, axis=1)
    assert measured["accuracy"] == pytest.approx(right.mean())


def test_predicts_a_text_of_ones_own(task, records, tmp_path):
    keras.utils.set_random_seed(1)
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    prediction = predictor.predict_one({"text": "A good, dull zebra!"})
    assert {answer.text for answer in prediction.answers} == {"bad", "good", "mixed"}
    assert sum(answer.probability for answer in prediction.answers) == pytest.approx(1, abs=1e-5)
    assert prediction.picture.startswith(b"\x89PNG")
    assert prediction.notes == [
        "--text: the model reads the first 5 of its 6 tokens",
        "--text: 1 of its 5 tokens are not in the vocabulary",
    ]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_text_without_words_is_refused(task, records, tmp_path, text):
    predictor = make_predictor(task, task.build_model(records), records, tmp_path)
    assert "--text: expected a text, got" in refused(predictor, text=text)


def test_texts_are_classified_in_any_batch_as_evaluation_classifies(task, records, tmp_path):
    keras.utils.set_random_seed(1)
    model = task.build_model(records)
    evaluation = task.evaluate(model, records, "test")
    rows = evaluation.predictions
    predictor = make_predictor(task, model, records, tmp_path)
    check_scores(task, evaluation, predictor, records)
    for batch_size in (1, 3, 64):
        predictor.batch_size = batch_size
        predictions = list(predictor.predict({"text": row["text"]} for row in rows))
        for row, prediction in zip(rows, predictions, strict=True):
            assert [answer.text for answer in prediction.answers] == [t for t, _ in row["top"]]
            for answer, (_, probability) in zip(prediction.answers, row["top"], strict=True):
                assert answer.probability == pytest.approx(probability, abs=1e-4)
    alone = predictor.predict_one({"text": rows[0]["text"]})
    np.testing.assert_allclose(alone.alignments, predictions[0].alignments, atol=1e-6)


def test_the_monitor_is_that_of_the_config(task):
    assert task.monitor() == ("val_accuracy", "max")


def test_r_drop_without_dropout_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "task: text_classification\n"
        "data: {source: {kind: sentiment_grammar}}\n"
        "train: {r_drop: 1.0}\n"
    )
    with pytest.raises(UserError, match=r"train.r_drop: expected a model with dropout"):
        load_config(path, find_schemas())
    path.write_text(path.read_text() + "model: {dropout: 0.1}\n")
    train = load_config(path, find_schemas()).train
    assert isinstance(train, TextClassificationTrain)
    assert train.r_drop == 1


def test_the_last_state_cannot_be_connected(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "task: text_classification\n"
        "data: {source: {kind: sentiment_grammar}}\n"
        "model:\n"
        "  recurrence: {depth: 2, connection: residual}\n"
        "  pooling: {kind: last}\n"
    )
    with pytest.raises(UserError, match="expected another pooling with"):
        load_config(path, find_schemas())
