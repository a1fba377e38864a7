"""The behaviour that tasks share unless they override it."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from rnnpipe.parts.optimizers import AdamOptions
from rnnpipe.parts.schedules import CosineScheduleOptions
from rnnpipe.tasks.base import Task


class Minimal(Task):
    """A task with nothing but what it must have."""

    name, main_metric = "minimal", "accuracy"
    vocabulary = ("labels.json", "source")

    def build_model(self, records):
        inputs = keras.Input((2,))
        hidden = keras.layers.Dense(3)(inputs)
        return keras.Model(inputs, {"logits": keras.layers.Dense(2)(hidden), "hidden": hidden})

    def compile_options(self, model):
        return {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}

    def evaluate(self, model, records, split, baselines=()):
        raise NotImplementedError

    def make_predictor(self, folder, network):
        raise NotImplementedError


def make_task(metric="accuracy"):
    optimizer = AdamOptions(learning_rate=0.1, schedule=CosineScheduleOptions(), clip_norm=None)
    train = SimpleNamespace(
        batch_size=4,
        micro_batches=1,
        devices="auto",
        epochs=3,
        optimizer=optimizer,
        keep_best=SimpleNamespace(metric=metric),
    )
    return Minimal(SimpleNamespace(train=train, evaluate=SimpleNamespace(batch_size=16)))


@pytest.mark.parametrize(
    ("metric", "monitor"),
    [
        ("accuracy", ("val_accuracy", "max")),
        ("bleu", ("val_bleu", "max")),
        ("loss", ("val_loss", "min")),
        ("perplexity", ("val_perplexity", "min")),
        ("bits_per_char", ("val_bits_per_char", "min")),
        (None, ("val_accuracy", "max")),
    ],
)
def test_the_monitor_is_the_metric_of_keep_best_or_else_the_main_one(metric, monitor):
    assert make_task(metric).monitor() == monitor


def test_files_and_folders_of_the_vocabulary_are_copied(tmp_path):
    (tmp_path / "records" / "source").mkdir(parents=True)
    (tmp_path / "records" / "labels.json").write_text('["a"]')
    (tmp_path / "records" / "other.json").write_text("{}")
    (tmp_path / "records" / "source" / "tokenizer.json").write_text("{}")
    for _ in range(2):  # a resumed run does so again
        make_task().save_vocabulary(
            SimpleNamespace(path=tmp_path / "records"), tmp_path / "vocabulary"
        )
    copied = [path.relative_to(tmp_path) for path in (tmp_path / "vocabulary").rglob("*.json")]
    assert sorted(map(str, copied)) == [
        "vocabulary/labels.json",
        "vocabulary/source/tokenizer.json",
    ]


def test_the_trainer_has_the_logits_alone_and_a_schedule_of_all_steps():
    task, records = make_task(), SimpleNamespace(splits={"train": 9})
    model = task.build_model(records)
    trainer = task.build_trainer(model, records)
    inputs = np.array([[1.0, -2.0]], "float32")
    np.testing.assert_array_equal(trainer(inputs), model(inputs)["logits"])
    assert task.steps_per_epoch(records) == 3  # the last batch has one record
    schedule = trainer.optimizer._learning_rate
    assert float(schedule(9)) == pytest.approx(0.0, abs=1e-6)
    assert float(schedule(8)) > 0


def test_batches_of_training_and_of_evaluation_have_their_own_sizes():
    assert make_task().batch_size(None) == 16
    assert make_task().batch_size(0) == 4


def test_optional_methods_of_a_task_do_nothing():
    task = make_task()
    assert task.check_model() is None
    assert list(task.make_callbacks(None, None, None, None)) == []
    assert list(task.make_phases(None, None, None)) == []
    assert task.build_baselines(None) == {}
    assert task.ensemble_size == 1
