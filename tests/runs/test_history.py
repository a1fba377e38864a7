import pytest

from rnnpipe.errors import UserError
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.history import read_history


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path)
    run.seal.begin()
    return run


def test_the_columns_of_a_history_are_read(run):
    run.history.write_text("epoch,loss,val_loss\n0,0.5,0.75\n1,0.25,nan\n")
    history = read_history(run, run.history)
    assert history["loss"] == [0.5, 0.25]
    assert history["val_loss"][0] == 0.75
    assert list(history) == ["loss", "val_loss"]


def test_a_row_that_is_being_written_does_not_count(run):
    assert read_history(run, run.history) == {}
    run.history.write_text("epoch,lo")
    assert read_history(run, run.history) == {}
    run.history.write_text("epoch,loss\n")
    assert read_history(run, run.history) == {}
    run.history.write_text("epoch,loss\n0,0.5\n1,0.2")
    assert read_history(run, run.history) == {"loss": [0.5]}


DAMAGE = {
    "cut": "epoch,loss\n0,0.5\n1\n",
    "flipped": "epoch,loss\n0,0.5\n1,0x2\n",
    "another column": "loss,accuracy\n0.5,1\n",
    "too long": "epoch,loss\n" + "9" * 200_000 + ",1\n",
}


@pytest.mark.parametrize("text", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_history_is_reported_while_it_grows_and_afterwards(text, run):
    run.history.write_text(text)
    with pytest.raises(UserError, match=f"{run.history}: expected the history of a training, got"):
        read_history(run, run.history)
    run.seal.write_text(run.history, "epoch,loss\n0,0.5\n1,0.25\n")
    assert read_history(run, run.history) == {"loss": [0.5, 0.25]}
    run.history.write_text(text)
    with pytest.raises(UserError, match=f"{run.history}: expected the file that was written"):
        read_history(run, run.history)
