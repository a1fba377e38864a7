"""The model of a training that has not ended: of one model, of members, of a further phase."""

import numpy as np
import pytest

from rnnpipe.config.loader import load_config
from rnnpipe.errors import UserError
from rnnpipe.runs.directory import RunDirectory, open_run
from rnnpipe.runs.model import load_model, save_model
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.training.best_weights import Checkpoint, save_weights
from rnnpipe.training.self_critical import SelfCriticalTrainer
from tests.runs.trainings import CONFIGS

TINY = ["model.embedding.size=4", "model.recurrence.cell.units=3"]


def make(*settings):
    config = load_config(CONFIGS / "sentiment.yaml", find_schemas(), [*TINY, *settings])
    return make_task(config)


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path)
    run.seal.begin()
    run.seal.write_text(run.config, "")
    return run


def train(task, run, path, number, checkpoint):
    """Leaves weights that are all one number, as a training does."""
    model = task._build(vocab=9, classes=3)
    run.untrained.parent.mkdir(exist_ok=True)
    save_model(model, run.untrained)
    model.set_weights([np.full_like(weight, number) for weight in model.get_weights()])
    trainer = task.wrap_model(model)
    trainer.build()
    save_weights(trainer, path, checkpoint)
    return model


def numbers(model):
    return {float(value) for weight in model.get_weights() for value in np.unique(weight)}


def test_the_best_weights_so_far_are_the_model(run):
    task = make()
    train(task, run, run.weights, 5, Checkpoint((4,), 20, "val_accuracy", 0.5))
    assert open_run(run.path) == run
    loaded = load_model(run, task)
    assert numbers(loaded.model) == {5}
    assert str(loaded.partial) == "epoch 4 of 20, val_accuracy 0.5"
    assert loaded.partial.best_epoch == 4
    assert loaded.partial.to_json() == {
        "members": [{"epochs": [4], "of": 20, "metric": "val_accuracy", "value": 0.5}],
        "size": 1,
        "phase": None,
    }
    assert loaded.partial.notice == (
        "the training has not ended: the weights are the best so far (epoch 4 of 20, "
        "val_accuracy 0.5)"
    )
    save_model(loaded.model, run.model)
    assert load_model(run, task).partial is None


@pytest.mark.parametrize("members", [1, 2])
def test_the_members_that_have_weights_are_an_ensemble(members, run):
    task = make("train.ensemble_size=3")
    paths = [run.weights, run.members / "2" / "best.weights.h5"][:members]
    for number, path in enumerate(paths, start=1):
        train(task, run, path, number, Checkpoint((number,), 9, "val_accuracy", 0.5))
    loaded = load_model(run, task)
    assert numbers(loaded.model) == set(range(1, members + 1))
    texts = [f"member {n} of 3, epoch {n} of 9, val_accuracy 0.5" for n in (1, 2)]
    assert str(loaded.partial) == "; ".join(texts[:members])
    assert loaded.model.output["logits"].shape == (None, 3)


def test_a_further_phase_has_the_best_weights(run):
    task = make()
    model = train(task, run, run.weights, 5, Checkpoint((4,), 20, "val_accuracy", 0.5))
    trainer = SelfCriticalTrainer(model, begin=lambda images: images, reward=None, max_length=4)
    model.set_weights([np.full_like(weight, 7) for weight in model.get_weights()])
    path = run.phases / "self_critical" / "best.weights.h5"
    save_weights(trainer, path, Checkpoint((), 10, "val_accuracy", 0.5))
    loaded = load_model(run, task)
    assert numbers(loaded.model) == {7}
    assert str(loaded.partial) == "self critical, before epoch 1 of 10, val_accuracy 0.5"
    assert loaded.partial.to_json()["phase"]["name"] == "self_critical"


def test_a_training_that_ends_meanwhile_has_its_trained_model(run, monkeypatch):
    task = make()
    model = train(task, run, run.weights, 5, Checkpoint((4,), 20, "val_accuracy", 0.5))

    def end(run):
        save_model(model, run.model)
        run.seal.remove(run.untrained)
        return [run.weights]

    monkeypatch.setattr("rnnpipe.runs.model._find_members", end)
    loaded = load_model(run, task)
    assert loaded.partial is None
    assert numbers(loaded.model) == {5}


NOTHING = (
    "expected a run with weights of at least one epoch, got one whose first epoch is not done; try "
    "again when it is; if the training was interrupted, continue it with `rnnpipe resume"
)


def test_before_the_first_epoch_there_is_nothing(run):
    for action in (lambda: open_run(run.path), lambda: load_model(run, make())):
        with pytest.raises(UserError) as fault:
            action()
        assert NOTHING in str(fault.value)


def test_a_trained_run_comes_before_a_newer_one_that_still_trains(tmp_path):
    runs = [RunDirectory(tmp_path / f"20260501-10000{number}") for number in range(3)]
    for run, file in zip(runs, ("model", "weights", None), strict=True):
        (run.path / "checkpoints").mkdir(parents=True)
        run.config.write_text("")
        if file:
            getattr(run, file).write_text("")
    assert open_run(tmp_path) == runs[0]
    runs[0].model.unlink()
    assert open_run(tmp_path) == runs[1]
