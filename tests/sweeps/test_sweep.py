"""Sweeps whose trials train nothing, see `fake_child`, and one that trains."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import yaml

from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.sweeps.trial import Trial
from tests.report.page_reader import Reader
from tests.sweeps.conftest import SPACE

UNITS = "model.recurrence.cell.units"
FRACTION = {"kind": "float", "low": 0.0, "high": 0.5}


def expected_score(trial):
    return 1 - abs(trial.values[UNITS] - 40) / 100


def without_times(trials):
    return [replace(trial, seconds=0.0) for trial in trials]


def test_trials_are_runs_of_the_config_with_their_values(fake, sweep):
    made = sweep()
    assert [trial.number for trial in made.trials] == [1, 2, 3, 4, 5, 6]
    for trial in made.trials:
        assert (trial.state, len(trial.epochs)) == ("finished", 4)
        assert trial.score == pytest.approx(expected_score(trial))
        config = yaml.safe_load(made.directory.config_of(trial).read_text())
        assert config["model"]["recurrence"]["cell"]["units"] == trial.values[UNITS]
        assert config["model"]["pooling"]["kind"] == trial.values["model.pooling"]["kind"]
    assert made.best.score == max(trial.score for trial in made.trials)
    best = yaml.safe_load(made.directory.best.read_text())
    assert best == yaml.safe_load(made.directory.config_of(made.best).read_text())
    builds = [log.read_text().count("build") for log in made.directory.trials.glob("*.log")]
    assert sum(builds) == 1  # all have the same records


def test_later_trials_follow_what_did_well(fake, sweep):
    scores = [trial.score for trial in sweep(trials=24).trials]
    assert sum(scores[-6:]) > sum(scores[:6])


def test_a_sweep_goes_on_as_it_would_have(fake, sweep):
    whole = sweep(name="whole")
    sweep(trials=2, name="parts")
    assert without_times(sweep(trials=6, name="parts").trials) == without_times(whole.trials)


def test_two_at_a_time_are_as_good(fake, sweep):
    fake("FAKE_SECONDS", "0.1")
    trials = sweep(jobs=2).trials
    assert [trial.state for trial in trials] == ["finished"] * 6
    assert [trial.score for trial in trials] == [
        pytest.approx(expected_score(trial)) for trial in trials
    ]


def test_a_grid_has_each_combination_once(fake, sweep):
    units = {UNITS: {"kind": "choice", "values": [16, 40]}}
    space = {**SPACE, "parameters": {**SPACE["parameters"], **units}, "sampler": "grid"}
    trials = sweep(space, trials=50).trials
    values = [(trial.values[UNITS], trial.values["model.pooling"]["kind"]) for trial in trials]
    assert values == [(16, "max"), (16, "mean"), (40, "max"), (40, "mean")]


def test_trials_that_do_worse_than_the_median_are_stopped(fake, sweep):
    fake("FAKE_SECONDS", "0.3")
    values = [40, 40, 8, 40]
    space = {
        "parameters": {UNITS: {"kind": "choice", "values": [40, 8]}},
        "pruning": {"startup_trials": 2, "warmup_epochs": 1},
    }
    made = sweep(space, trials=4)
    stopped = [trial for trial in made.trials if trial.state == "pruned"]
    finished = [trial for trial in made.trials if trial.state == "finished"]
    assert {trial.values[UNITS] for trial in stopped} <= {8}
    assert all(trial.score is None and len(trial.epochs) == 2 for trial in stopped)
    assert len(finished) + len(stopped) == len(values)


def test_a_failure_is_reported_and_the_sweep_goes_on(fake, sweep, capsys):
    fake("FAKE_FAILURE", "2")
    space = {"parameters": {UNITS: {"kind": "choice", "values": [64, 40]}}, "sampler": "grid"}
    first, second = sweep({**space, "pruning": None}, verbose=True).trials
    assert (first.state, first.score) == ("failed", None)
    assert first.reason == "model.units: expected fewer, got more; write e.g. 60"
    assert second.state == "finished"
    assert "trial 1  failed: model.units: expected fewer" in capsys.readouterr().out


def test_nothing_goes_on_where_the_first_trials_fail(fake, sweep, tmp_path):
    fake("FAKE_FAILURE", "2")
    space = {"parameters": {UNITS: {"kind": "integer", "low": 64, "high": 72}}}
    with pytest.raises(UserError, match="got 3 that failed"):
        sweep(space)
    assert len(list((tmp_path / "sweep/trials").glob("*.json"))) == 3


def test_a_sweep_that_is_killed_goes_on_where_it_was(fake, sweep, tmp_path):
    fake("FAKE_SECONDS", "0.4")
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE, sort_keys=False))
    code = (
        "import sys\n"
        "from rnnpipe import cli\n"
        "from rnnpipe.sweeps import job\n"
        "job.COMMAND = (sys.executable, '-m', 'tests.sweeps.fake_child')\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    output = tmp_path / "sweep"
    arguments = ["sweep", "sentiment", "--space", str(tmp_path / "space.yaml"), "--trials", "3"]
    command = [sys.executable, "-c", code, *arguments, "--output", str(output)]
    for epochs, number in enumerate((signal.SIGKILL, signal.SIGTERM), start=1):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        wait_for(output, epochs)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1].decode()
        if number == signal.SIGTERM:
            assert process.returncode == 143
            assert "to go on with the sweep, run the same command again" in errors
    assert "unfinished" in read_states(output)
    made = sweep({**SPACE}, trials=3)
    assert [trial.state for trial in made.trials] == ["finished"] * 3
    assert any("resume-training" in log.read_text() for log in (output / "trials").glob("*.log"))
    fake("FAKE_SECONDS", "0")
    other = sweep(name="other", trials=3)
    assert [trial.values for trial in other.trials] == [trial.values for trial in made.trials]


def wait_for(output, epochs):
    """Waits until so many epochs of trials are done."""
    for _ in range(1200):
        histories = output.glob("trials/*/*/history.csv")
        if sum(len(path.read_text().splitlines()) - 1 for path in histories) >= epochs:
            return
        time.sleep(0.05)
    raise TimeoutError


def read_states(output):
    return [json.loads(path.read_text())["state"] for path in output.glob("trials/*.json")]


def test_processes_end_with_the_sweep(fake, tmp_path):
    read, write = os.pipe()
    code = "from rnnpipe.sweeps import child\nimport time, threading\n"
    code += "threading.Thread(target=child._end_with_parent, daemon=True).start()\n"
    code += "print('ready', flush=True)\ntime.sleep(60)"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        os.close(read)
        os.close(write)
        assert process.wait(30) == -signal.SIGTERM


def test_the_page_shows_trials_settings_and_the_best_config(fake, sweep):
    made = sweep(trials=8)
    text = Reader(made.page.read_text(encoding="utf-8")).text
    assert "text_classification · 8 trials" in text
    assert "8 finished, compared by val_accuracy" in text
    assert f"trial {made.best.number} val_accuracy {made.best.score:.4g}" in text
    assert "Share of the variance" in text
    for name in (UNITS, "model.pooling"):
        assert name in text
    assert "Best config" in text
    assert "{kind: mean}" in text
    assert f"<td>{made.best.score:.4f}</td>" in made._repr_html_()


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "settings: parameters: expected a mapping"),
        ({"parameters": {}}, "parameters: expected settings to vary, got none"),
        (
            {"parameters": {"model.units": {"kind": "integer", "low": 1, "high": 2}}},
            "parameters.model.units: expected a key of model .*, got units; units belongs at",
        ),
        (
            {"parameters": {UNITS: {"kind": "choice", "values": [8, "many"]}}},
            'parameters.model.recurrence.cell.units: expected a positive integer, got "many"',
        ),
        (
            {"parameters": {UNITS: {"kind": "integer", "low": 9, "high": 2}}},
            "high: expected a value above low, 9, got 2; swap the two",
        ),
        (
            {"parameters": {UNITS: {"kind": "integer", "low": 1, "high": 6, "step": 2}}},
            "high: expected low and a number of steps of 2, got 6; write e.g. 5",
        ),
        (
            {
                "parameters": {
                    "model.dropout": {"kind": "float", "low": 0.0, "high": 0.5, "log": True}
                }
            },
            "low: expected a value above 0 with log, got 0",
        ),
        (
            {
                "parameters": {"model.dropout": FRACTION},
                "sampler": "grid",
            },
            "sampler: expected tpe or random with model.dropout, which has infinitely many values",
        ),
        (
            {"parameters": {UNITS: {"kind": "choice", "values": [8, 8]}}},
            "values: expected each value once, got one twice",
        ),
        (
            {"parameters": {"seed": {"kind": "integer", "low": 1, "high": 5}}},
            "parameters: expected settings of the model and its training, got seed",
        ),
        (
            {
                "parameters": {
                    "train.keep_best.metric": {"kind": "choice", "values": ["loss", "accuracy"]}
                }
            },
            "train.keep_best.metric: expected settings that scores do not depend on",
        ),
    ],
)
def test_mistakes_of_a_space_are_named_before_anything_is_written(
    fake, sweep, tmp_path, space, message
):
    with pytest.raises(UserError, match=message):
        sweep(space)
    assert not (tmp_path / "sweep").exists()


def test_the_folder_of_another_sweep_is_left_as_it_is(fake, sweep, tmp_path):
    sweep(trials=1)
    other = {**SPACE, "sampler": "random"}
    with pytest.raises(UserError, match="one of other overrides or another search space; name"):
        sweep(other)
    with pytest.raises(UserError, match="one of other overrides"):
        sweep(overrides={"train.epochs": 3})
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    with pytest.raises(UserError, match="expected a new or an empty folder, got a folder with"):
        sweep(name="full")


def test_a_damaged_trial_is_named(fake, sweep, tmp_path):
    made = sweep(trials=1)
    (tmp_path / "sweep/trials/0001.json").write_text('{"number": 1}')
    with pytest.raises(UserError, match=r"0001.json: expected a file of a sweep, got one that"):
        sweep(trials=2)
    assert made.directory.best.exists()


def test_mistakes_of_the_command_are_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["sweep", "sentiment"])
    assert "one of the arguments --space --seeds is required" in capsys.readouterr().err
    assert cli.main(["sweep", "sentiment", "--seeds", "none"]) == 2
    assert "--trials: expected" in capsys.readouterr().err
    missing = str(tmp_path / "space.yaml")
    assert cli.main(["sweep", "sentiment", "--space", missing]) == 2
    assert "space.yaml: expected a YAML file, got no such file" in capsys.readouterr().err


def test_runs_with_other_seeds_have_means_and_deviations(tmp_path, capsys):
    settings = ["data.source.sentences=120", "train.epochs=1", "model.embedding.size=4"]
    options = [part for each in settings for part in ("--set", each)]
    output = tmp_path / "seeds"
    arguments = ["sweep", "sentiment", "--seeds", "2", "--jobs", "2", "--output", str(output)]
    assert cli.main([*arguments, *options]) == 0
    from rnnpipe.sweeps.directory import SweepDirectory
    from rnnpipe.sweeps.sweep import Sweep

    made = Sweep(SweepDirectory(output))
    assert [trial.values for trial in made.trials] == [{"seed": 7}, {"seed": 8}]
    first, second = (made.metrics[number]["test"]["log_loss"] for number in (1, 2))
    mean, deviation = made.means["test"]["log_loss"]
    assert mean == pytest.approx((first + second) / 2)
    assert deviation == pytest.approx(abs(first - second) / 2**0.5)
    assert first != second
    assert "Means over the seeds" in capsys.readouterr().out
    assert "Means over the seeds" in made._repr_html_()


def test_a_trial_that_trains_has_the_score_of_its_best_epoch(sweep):
    space = {"parameters": {UNITS: {"kind": "choice", "values": [3]}}}
    settings = {"data.source.sentences": 120, "train.epochs": 2, "train.keep_best.patience": 2}
    made = sweep(space, trials=1, overrides=settings)
    (trial,) = made.trials
    history = made.directory.run_of(trial)
    assert isinstance(trial, Trial)
    assert trial.score == max(trial.epochs)
    assert history.model.exists()
    assert not history.metrics.exists()  # the test split is not read
