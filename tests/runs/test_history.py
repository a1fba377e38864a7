from rnnpipe.runs.history import read_history


def test_the_columns_of_a_history_are_read(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,val_loss\n0,0.5,0.75\n1,0.25,nan\n")
    history = read_history(path)
    assert history["loss"] == [0.5, 0.25]
    assert history["val_loss"][0] == 0.75
    assert list(history) == ["loss", "val_loss"]


def test_a_row_that_is_being_written_does_not_count(tmp_path):
    path = tmp_path / "history.csv"
    assert read_history(path) == {}
    path.write_text("epoch,lo")
    assert read_history(path) == {}
    path.write_text("epoch,loss\n")
    assert read_history(path) == {}
    path.write_text("epoch,loss\n0,0.5\n1,0.2")
    assert read_history(path) == {"loss": [0.5]}
