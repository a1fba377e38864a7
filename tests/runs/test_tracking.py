"""Runs in MLflow and Weights & Biases, without network."""

import json
from pathlib import Path

import pytest
from rich.console import Console

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.parts.trackers import Tracker
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.tracking import Trackers
from tests.runs.trainings import SENTIMENT, call, interrupt, the_run_in

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("wandb")

from tests.runs.wandb_file import read_rows, read_summary  # noqa: E402  # which needs it

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # of MLflow


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """A database of MLflow."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


def make_arguments(folder, uri, *settings):
    trackers = f"train.trackers=[{{kind: mlflow, uri: '{uri}'}}, {{kind: wandb, mode: offline}}]"
    options = [part for each in (*SENTIMENT, trackers, *settings) for part in ("--set", each)]
    return ["run", "sentiment", "--runs-dir", folder, *options]


@pytest.fixture(scope="module")
def resumed(uri, tmp_path_factory):
    """A run of two members that was interrupted in the second epoch of the first one."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where MLflow puts artifacts
        interrupt(patch, 2)
        assert call(*make_arguments(folder, uri)) == 130
        run = the_run_in(folder)
        first = (run / "trackers.json").read_text()
        client = mlflow.MlflowClient(uri)
        known = client.get_run(json.loads(first)["mlflow"])
        assert known.info.status == "KILLED"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert call("resume", run) == 0
    assert (run / "trackers.json").read_text() == first
    return rnnpipe.load(run), known.info.run_id


def test_mlflow_has_settings_epochs_scores_and_the_report(resumed, uri, tmp_path):
    run, number = resumed
    client = mlflow.MlflowClient(uri)
    known = client.get_run(number)
    assert known.info.status == "FINISHED"
    assert known.info.run_name == f"sentiment/{run.path.name}"
    assert client.get_experiment(known.info.experiment_id).name == "sentiment"
    assert known.data.params["train.optimizer.learning_rate"] == str(
        run.config.train.optimizer.learning_rate
    )
    assert known.data.tags["folder"] == str(run.path.absolute())
    for name, values in run.history.items():
        logged = [(m.step, m.value) for m in client.get_metric_history(number, name)]
        assert logged == [pytest.approx(pair) for pair in enumerate(values, start=1)]
    second = client.get_metric_history(number, "members/2/val_accuracy")
    assert [metric.step for metric in second] == [1, 2]
    for name, value in run.metrics["test"].items():
        assert known.data.metrics[f"test/{name}"] == pytest.approx(value)
    (page,) = client.list_artifacts(number)
    text = Path(client.download_artifacts(number, page.path, str(tmp_path))).read_text()
    assert text == run.report.path.read_text()


def test_weights_and_biases_has_epochs_scores_and_the_report(resumed):
    run, _ = resumed
    number = json.loads((run.path / "trackers.json").read_text())["wandb"]
    files = sorted((run.path / "wandb").glob(f"offline-run-*-{number}/*.wandb"))
    assert len(files) == 3  # of the first process, of the second, of the evaluation
    rows = [row for path in files for row in read_rows(path)]
    main = [row for row in rows if "val_accuracy" in row]
    assert [row["epoch"] for row in main] == [1, 2]
    for name, values in run.history.items():
        assert [row[name] for row in main] == pytest.approx(values)
    assert [row["epoch"] for row in rows if "members/2/val_accuracy" in row] == [1, 2]
    summary = read_summary(files[-1])
    for name, value in run.metrics["test"].items():
        assert summary[f"test/{name}"] == pytest.approx(value)
    assert (files[-1].parent / "files/report.html").read_text() == run.report.path.read_text()


class _Failing(Tracker):
    def __init__(self):
        super().__init__("1")
        self.told = []

    def log_epoch(self, epoch, values):
        self.told.append(epoch)
        if epoch == 2:
            raise ConnectionError("the server has\n gone")

    def log_scores(self, scores, report):
        self.told.append("scores")

    def end(self, ending):
        self.told.append(ending)


class _Patient(_Failing):
    def log_epoch(self, epoch, values):
        self.told.append((epoch, values))


def test_a_service_that_fails_is_reported_once_and_left_out(tmp_path, capsys):
    failing, other = _Failing(), _Patient()
    opened = {"first": failing, "second": other}
    trackers = Trackers(RunDirectory(tmp_path), Console(), opened)
    (log,) = trackers.make_callbacks(tmp_path / "history.csv")
    for epoch in range(3):
        log.on_epoch_end(epoch, {"loss": 1.0})
    trackers.end("finished")
    assert failing.told == [1, 2]
    assert [told[0] for told in other.told[:3]] == [1, 2, 3]
    assert other.told[3:] == ["finished"]
    printed = capsys.readouterr().out
    assert printed.count("first no longer tracks this run: the server has gone") == 1


def test_parts_of_a_run_have_names_of_their_own(tmp_path):
    run, tracker = RunDirectory(tmp_path), _Patient()
    trackers = Trackers(run, Console(), {"first": tracker})
    histories = [run.history, run.members / "2/history.csv", run.baselines / "cnn.csv"]
    for history in histories:
        (log,) = trackers.make_callbacks(history)
        log.on_epoch_end(0, {"loss": 1.0})
    names = ("loss", "members/2/loss", "baselines/cnn/loss")
    assert tracker.told == [(1, {name: 1.0}) for name in names]


@pytest.mark.parametrize(
    ("trackers", "message"),
    [
        (
            [{"kind": "mlflow"}, {"kind": "mlflow"}],
            "expected each kind once, got mlflow, mlflow",
        ),
        ([{"kind": "mlfow"}], "did you mean mlflow?"),
        ([{"kind": "mlflow", "project": "x"}], "expected a key of "),
    ],
)
def test_mistakes_are_named(trackers, message):
    with pytest.raises(UserError) as caught:
        rnnpipe.load_config("sentiment", {"train.trackers": trackers})
    assert message in str(caught.value)


def test_a_service_that_does_not_answer_ends_the_command_before_training(tmp_path, capsys):
    file = tmp_path / "a file"
    file.write_text("no database")
    arguments = make_arguments(tmp_path / "runs", f"sqlite:///{file}")
    assert call(*arguments) == 2
    errors = capsys.readouterr().err
    assert "train.trackers: expected a service of mlflow that answers, got" in errors
    assert "Traceback" not in errors
