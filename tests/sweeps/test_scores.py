import pytest

from rnnpipe.runs.directory import RunDirectory
from rnnpipe.sweeps.scores import read_epochs, score_run

HIGHEST, LOWEST = ("val_accuracy", "max"), ("val_loss", "min")


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    run.seal.begin()
    return run


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{epoch},{accuracy},{loss}" for epoch, (accuracy, loss) in enumerate(rows)]
    path.write_text("\n".join(["epoch,val_accuracy,val_loss", *lines, ""]))


def test_the_best_epoch_counts(run):
    write(run.history, (0.5, 2.0), (0.8, "nan"), (0.7, 1.0))
    assert score_run(run, HIGHEST) == 0.8
    assert score_run(run, LOWEST) == 1.0
    assert read_epochs(run, HIGHEST) == [0.5, 0.8, 0.7]


def test_members_count_by_their_mean(run):
    write(run.history, (0.5, 2.0), (0.8, 3.0))
    write(run.members / "2/history.csv", (0.6, 1.0), (0.4, 0.5))
    assert score_run(run, HIGHEST) == pytest.approx(0.7)
    assert score_run(run, LOWEST) == pytest.approx(1.25)


def test_a_further_phase_counts_if_it_is_better(run):
    write(run.history, (0.5, 2.0))
    write(run.phases / "self_critical/history.csv", (0.6, 3.0))
    assert score_run(run, HIGHEST) == 0.6
    assert score_run(run, LOWEST) == 2.0


def test_there_is_no_score_without_a_number(run):
    assert score_run(run, HIGHEST) is None
    write(run.history, ("nan", "nan"))
    assert score_run(run, LOWEST) is None
