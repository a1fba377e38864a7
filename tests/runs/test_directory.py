import pytest

from rnnpipe.errors import UserError
from rnnpipe.runs.console import make_console
from rnnpipe.runs.create import check_runs_dir, create_run
from rnnpipe.runs.directory import RunDirectory, find_runs, open_interrupted, open_run
from rnnpipe.runs.train import note_interrupted
from rnnpipe.storage.atomic import write_json


def test_runs_begun_in_one_second_have_folders_of_their_own(tmp_path):
    runs = [create_run(tmp_path, "vqa") for _ in range(3)]
    assert len({run.path for run in runs}) == 3
    assert all(run.path.parent == tmp_path / "vqa" for run in runs)


def test_a_run_appears_with_its_first_files_or_not_at_all(tmp_path):
    def fill(run):
        run.config.write_text("")
        assert find_runs(tmp_path / "vqa") == []

    assert create_run(tmp_path, "vqa", fill).config.is_file()
    with pytest.raises(ZeroDivisionError):
        create_run(tmp_path, "vqa", lambda run: 1 // 0)
    (folder,) = (tmp_path / "vqa").iterdir()
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_a_place_that_takes_no_run_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    for runs_dir, name, got in ((tmp_path / "file", "vqa", "Not a d"), (tmp_path, "file", "a f")):
        with pytest.raises(UserError, match=f"expected a folder to write runs to, got {got}"):
            create_run(runs_dir, name)


def train(run):
    run.config.write_text("")
    run.model.write_text("")


def finish(run):
    train(run)
    run.report.write_text("")


def test_a_run_is_loaded_by_its_folder_or_as_the_newest_of_several(tmp_path):
    first, second, third = (create_run(tmp_path, "vqa") for _ in range(3))
    finish(first)
    finish(second)
    assert open_run(first.path) == first
    assert open_run(tmp_path / "vqa") == second, "the third one is not trained"
    assert third.path.is_dir()


@pytest.mark.parametrize(
    ("name", "got"), [("none", "no such folder"), ("vqa", "a folder without a run")]
)
def test_a_folder_without_a_run_is_refused(tmp_path, name, got):
    create_run(tmp_path, "vqa")
    with pytest.raises(UserError, match=f"expected the folder of a trained run, got {got}"):
        open_run(tmp_path / name)


def test_the_newest_interrupted_run_of_several_is_resumed(tmp_path):
    first, second, third = (create_run(tmp_path, "vqa") for _ in range(3))
    for run in (first, second):
        run.config.write_text("")
    finish(third)
    assert open_interrupted(first.path) == first
    assert open_interrupted(tmp_path / "vqa") == second
    with pytest.raises(UserError, match="got a run that is finished"):
        open_interrupted(third.path)


@pytest.mark.parametrize(("name", "got"), [("none", "no such folder"), ("vqa", "a folder without")])
def test_a_folder_without_a_run_has_none_interrupted(tmp_path, name, got):
    create_run(tmp_path, "vqa")
    with pytest.raises(UserError, match=f"a run that was interrupted, got {got}"):
        open_interrupted(tmp_path / name)


def test_an_interrupted_run_of_the_same_config_is_noted(tmp_path, capsys):
    finished, interrupted, other, under_way = (create_run(tmp_path, "vqa") for _ in range(4))
    finish(finished)
    for run in (interrupted, under_way):
        run.config.write_text("a config")
    other.config.write_text("another config")
    with under_way.lock():
        note_interrupted(tmp_path / "vqa", "a config", make_console())
    note_interrupted(tmp_path / "vqa", "a third config", make_console())
    assert capsys.readouterr().out == (
        f"Note: {interrupted.path} of the same config was interrupted; to go on with it:\n"
        f"rnnpipe resume {interrupted.path}\n"
    )


def test_a_trained_run_without_a_report_is_unfinished(tmp_path):
    older, newer = (create_run(tmp_path, "vqa") for _ in range(2))
    older.config.write_text("")  # given up long ago
    train(newer)
    assert open_interrupted(newer.path) == newer
    assert open_interrupted(tmp_path / "vqa") == newer


def begin(folder, name, started=None):
    """A trained run of any name."""
    run = RunDirectory(folder / name)
    run.path.mkdir(parents=True)
    train(run)
    if started:
        write_json(run.environment, {"started": started})
    return run


STARTED = "2026-05-0{}T10:00:00.000000+00:00"


@pytest.mark.parametrize("find", [open_run, open_interrupted])
def test_the_newest_run_is_that_begun_last_whatever_its_name(find, tmp_path):
    for name, started in (("20260501-100000", 1), ("old-backup", 1), ("a-renamed-run", 3)):
        begin(tmp_path, name, STARTED.format(started))
    begin(tmp_path, "20260502-100000", STARTED.format(2))
    begin(tmp_path, "zzz")
    assert find(tmp_path).path.name == "a-renamed-run"
    begin(tmp_path, "20260504-100000", STARTED.format(4))
    assert find(tmp_path).path.name == "20260504-100000"


@pytest.mark.parametrize("find", [open_run, open_interrupted])
def test_a_copy_of_a_run_is_not_newer(find, tmp_path):
    for name in ("20260501-100000", "old-backup", "zzz"):
        begin(tmp_path, name, STARTED.format(1))
    assert find(tmp_path).path.name == "20260501-100000"


def test_the_tenth_run_of_a_second_is_newer_than_the_second(tmp_path):
    for number in ("", "-2", "-10"):
        begin(tmp_path, f"20260501-100000{number}")
    names = [run.path.name for run in find_runs(tmp_path)]
    assert names == ["20260501-100000-10", "20260501-100000-2", "20260501-100000"]


def test_only_one_process_trains_a_run(tmp_path):
    run = create_run(tmp_path, "vqa")
    finish(run)
    twice = pytest.raises(UserError, match="got one that another process trains")
    with run.lock(), twice, run.lock():
        pass
    with run.lock():
        assert run.is_locked
    assert not run.is_locked


def test_an_unwritable_target_is_reported_before_any_work(tmp_path):
    check_runs_dir(tmp_path / "new" / "runs")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"expected a folder to write runs to, got .* is a file"):
        check_runs_dir(tmp_path / "file" / "runs")


def test_files_are_written_completely(tmp_path):
    write_json(tmp_path / "metrics.json", {"test": {"accuracy": 0.5}})
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    with pytest.raises(TypeError):
        write_json(tmp_path / "metrics.json", {"test": object()})
    assert "accuracy" in (tmp_path / "metrics.json").read_text()
