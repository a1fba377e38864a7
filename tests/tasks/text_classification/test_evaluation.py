import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.report.items import Calibration, Confusion, Gallery, Table
from rnnpipe.tasks.network import make_function
from rnnpipe.tasks.text_classification.evaluation import classify_texts, evaluate
from rnnpipe.text.tokenizer import Tokenizer


class Reader:
    """A model that takes `dull` for bad and `good` for good, and looks at that word."""

    def __init__(self, tokenizer, attends=True):
        self.words = [tokenizer.pieces.index(f"▁{word}") for word in ("dull", "good")]
        self.output = {"logits": None, **({"alignments": None} if attends else {})}

    def __call__(self, tokens, training=False):
        tokens = tf.convert_to_tensor(tokens)
        found = tf.stack([tf.cast(tokens == word, tf.float32) for word in self.words], axis=1)
        logits = 4 * tf.reduce_max(found, axis=2)  # (batch, 2)
        logits = tf.concat([logits, tf.zeros_like(logits[:, :1])], axis=1)
        alignments = found / tf.maximum(tf.reduce_sum(found, axis=2, keepdims=True), 1)
        return {"logits": logits, "alignments": alignments} | (
            {} if "alignments" in self.output else {"alignments": None}
        )


@pytest.fixture
def reader(records):
    return Reader(Tokenizer.load(records.path))


@pytest.fixture
def evaluation(task, records, reader):
    tokens = task.make_batches(records, "test").map(lambda tokens, classes: tokens)
    return evaluate(reader, records, "test", tokens, keep="start")


def test_scores_are_those_of_the_model_and_of_the_baselines(records, evaluation):
    # It errs in "not good" and in what is mixed: both are taken for good.
    rows = list(records.read("test"))
    right = [
        records.labels[row["label"]] == ("bad" if "dull" in row["text"] else "good") for row in rows
    ]
    scores = evaluation.scores
    assert scores["accuracy"] == pytest.approx(np.mean(right))
    assert 0 < scores["accuracy"] < 1
    assert scores["recall/good"] == 1
    assert scores["f1/mixed"] == 0
    counts = np.bincount([row["label"] for row in records.read("train")])
    majority = np.mean([row["label"] == counts.argmax() for row in rows])
    assert scores["baseline/majority/accuracy"] == pytest.approx(majority)
    assert scores["baseline/bag_of_words/accuracy"] == 1
    assert not any(name.startswith("baseline/majority/f1") for name in scores)


def test_predictions_are_in_the_order_of_the_records(records, evaluation):
    rows = list(records.read("test"))
    assert [said["text_id"] for said in evaluation.predictions] == [row["text_id"] for row in rows]
    for said, row in zip(evaluation.predictions, rows, strict=True):
        assert said["label"] == records.labels[row["label"]]
        assert said["prediction"] == said["top"][0][0]
        assert sum(probability for _, probability in said["top"]) == pytest.approx(1, abs=1e-3)


def test_exhibits_count_every_text(records, evaluation):
    scores, classes, confusion, calibration, right, wrong = evaluation.report_items
    texts = records.splits["test"]
    assert isinstance(scores, Table)
    assert [row[0] for row in scores.rows] == ["model", "bag of words", "majority"]
    assert isinstance(classes, Table)
    assert sum(int(row[1] or 0) for row in classes.rows) == texts
    assert isinstance(confusion, Confusion)
    assert sum(map(sum, confusion.counts)) == texts
    assert isinstance(calibration, Calibration)
    assert sum(count for _, _, count in calibration.points) == texts
    assert isinstance(right, Gallery)
    assert all(sample.right for sample in right.samples)
    assert {sample.title for sample in right.samples} == {"bad", "good"}
    assert isinstance(wrong, Gallery)
    assert {sample.title for sample in wrong.samples} == {
        "good, but it is bad",
        "good, but it is mixed",
    }


def test_the_attended_word_is_shaded(evaluation):
    for gallery in evaluation.report_items[4:]:
        for sample in gallery.samples:
            dark = {span.text for span in sample.spans if span.weight == 1}
            assert dark in ({" dull"}, {" good"})


def test_a_truncated_text_is_marked(evaluation):
    cut = [sample for sample in evaluation.report_items[4].samples if sample.spans[-1].text == " …"]
    assert cut
    for sample in cut:
        assert len(sample.spans) == 5 + 1


def test_all_batches_are_classified(reader):
    dull, good = reader.words
    batches = [np.array([[dull, 0], [good, 9]], "int32"), np.array([[9, 9, dull]], "int32")]
    probabilities = classify_texts(make_function(reader), batches)
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 0]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
