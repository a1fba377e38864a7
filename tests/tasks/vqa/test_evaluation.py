import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.config.loader import load_settings
from rnnpipe.tasks.vqa.config import VqaConfig
from rnnpipe.tasks.vqa.evaluation import evaluate
from rnnpipe.tasks.vqa.task import VqaTask
from rnnpipe.transforms.build import Build


@pytest.fixture
def task(handmade_vqa):
    data = {
        "source": {"kind": "vqa_v2", "path": handmade_vqa},
        "image": {"size": 16},
        "splits": {"validation": 0.3, "test": 0.3},
    }
    return VqaTask(load_settings(VqaConfig, {"task": "vqa", "data": data}))


@pytest.fixture
def records(task, tmp_path):
    return Build.of(task.plan_build()).run(tmp_path / "records")


class Oracle:
    """A model that names the colour of an image, and "no" where there is none to be seen."""

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, inputs, training=False):
        image = tf.gather(inputs["image"], inputs["image_index"])
        colour = tf.reduce_mean(tf.cast(image, tf.float32), axis=(1, 2))  # (batch, 3)
        is_grey = tf.math.reduce_std(colour, axis=1) < 10
        names = [self.answers.index(name) for name in ("red", "green", "2", "no")]
        which = tf.where(is_grey, 3, tf.argmax(colour, axis=1, output_type=tf.int32))
        return {
            "logits": 5 * tf.one_hot(tf.gather(names, which), len(self.answers)),
            "alignments": tf.ones((tf.shape(which)[0], 1, 4, 4)) / 16,
        }


def test_scores_are_those_of_the_model_and_of_the_baselines(task, records):
    # Whichever image each split has got, the answers of the four questions are known.
    answers = ["2", "green", "no", "red", "yes"]
    (records.path / "answers.json").write_text(str(answers).replace("'", '"'))
    right = {10: 1.0, 11: 0.0, 20: 1.0, 30: 1.0}  # question 11 is no question of colour
    blank = {10: 0.0, 11: 0.3, 20: 0.0, 30: 0.0}  # one of ten said "no" to question 11
    inputs = task.make_batches(records, "test").map(lambda inputs, targets: inputs)
    evaluation = evaluate(Oracle(answers), records, "test", inputs)

    asked = [record["question_id"] for record in records.read("test")]
    scores = evaluation.scores
    assert scores["vqa_accuracy"] == pytest.approx(np.mean([right[q] for q in asked]))
    assert scores["vqa_accuracy_ceiling"] == 1
    expected = np.mean([blank[q] for q in asked])
    assert scores["baseline/blank_image/vqa_accuracy"] == pytest.approx(expected)
    assert "baseline/blank_image/vqa_accuracy_ceiling" not in scores
    assert [row["question_id"] for row in evaluation.predictions] == asked
    assert [row["vqa_accuracy"] for row in evaluation.predictions] == [right[q] for q in asked]
    for row in evaluation.predictions:
        assert row["top"][0][0] == row["prediction"]
        assert sum(p for _, p in row["top"]) == pytest.approx(1, abs=1e-3)


def test_targets_are_the_shares_of_people(task, records):
    known = records.answers
    for inputs, targets in task.make_batches(records, "train"):
        assert inputs["image"].shape[1:] == (16, 16, 3)
        assert targets.shape == (len(inputs["question"]), len(known))
    shares = {
        record["question_id"]: {
            known[i]: weight
            for i, weight in zip(record["answer_ids"], record["answer_weights"], strict=True)
        }
        for record in records.read("train")
    }
    rows = np.concatenate([targets for _, targets in task.make_batches(records, "train")])
    for row, expected in zip(rows, shares.values(), strict=True):
        found = {known[i]: share for i, share in enumerate(row) if share}
        assert found == pytest.approx(expected)


def test_the_monitor_is_that_of_the_config(task):
    assert task.monitor() == ("val_vqa_accuracy", "max")
