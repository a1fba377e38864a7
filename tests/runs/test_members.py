"""The members of an ensemble: which are taken, which are refused, and what becomes of them."""

import json
import shutil
from pathlib import Path

import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.config.dump import dump_config
from rnnpipe.errors import UserError
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.storage.atomic import json_text
from rnnpipe.tasks.text_classification.task import TextClassificationTask
from tests.runs.handmade import copy_run

BACKBONE = {"kind": "application", "name": "MobileNetV2"}


def read_all(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_members_are_only_read_and_other_settings_leave_the_run(make_pair, capsys):
    pair = make_pair("text_classification")
    before = read_all(pair.other.path)
    results = pair.own.evaluate({"evaluate.ensemble": [pair.other.path]}, verbose=False)
    assert results.path.parent == pair.own.path / "evaluations"
    assert results.config.evaluate.ensemble == (pair.other.path,)
    set_members = f"evaluate.ensemble=[{pair.other.path}]"
    assert cli.main(["evaluate", str(pair.own.path), "--set", set_members]) == 0
    assert f"{pair.own.path}, {pair.other.path}" in capsys.readouterr().out.replace("\n", "")
    newest = max((pair.own.path / "evaluations").iterdir())
    assert json.loads((newest / "metrics.json").read_text()) == results.metrics
    assert not (pair.own.path / "ensemble.json").exists()
    text = next(pair.records.read("test"))["text"]
    assert cli.main(["predict", str(pair.together.path), "--text", text]) == 0
    likeliest = pair.together.predict(text=text).answers[0]
    assert likeliest.probability != pair.own.predict(text=text).answers[0].probability
    assert f"{likeliest.probability:.1%}" in capsys.readouterr().out
    assert read_all(pair.other.path) == before


def test_an_evaluation_without_members_drops_those_of_the_one_before(make_pair, tmp_path):
    pair = make_pair("text_classification")
    run = copy_run(pair.own, tmp_path / "run", pair.other.path)
    run.evaluate(verbose=False)
    assert (run.path / "ensemble.json").is_file()
    (run.path / "config.yaml").write_text((pair.own.path / "config.yaml").read_text())
    run.evaluate(verbose=False)
    assert not (run.path / "ensemble.json").exists()


def test_a_config_trains_with_members_that_are_pinned(make_pair, tmp_path, monkeypatch):
    pair = make_pair("text_classification")
    monkeypatch.chdir(pair.own.path.parents[1])
    # The newest run in the folder `runs` when the training begins; later there is a newer one.
    overrides = {"evaluate.ensemble": ["runs"], "train.epochs": 1}
    run = rnnpipe.run(pair.own.config, overrides, name="runs", runs_dir=Path(), verbose=False)
    assert run.path.parent == Path("runs")
    assert run.config.evaluate.ensemble == (pair.other.path,)
    runs = json.loads((run.path / "ensemble.json").read_text())["runs"]
    assert [each["run"] for each in runs] == [str(run.path.absolute()), str(pair.other.path)]
    again = rnnpipe.load(run.path).evaluate({"evaluate.ensemble": []}, verbose=False)
    assert again.metrics != run.metrics
    shutil.rmtree(run.path)


def test_members_of_other_records_are_noted(make_pair, tmp_path, capsys):
    pair = make_pair("text_classification")
    member = RunDirectory(copy_run(pair.other, tmp_path / "member").path)
    environment = member.seal.read_json(member.environment)
    text = json_text({**environment, "records": "others"})
    member.seal.write_text(member.environment, text)
    pair.own.evaluate({"evaluate.ensemble": [member.path]})
    note = f"{member.path} was trained on other records: it may have seen what is scored here"
    assert note in capsys.readouterr().out.replace("\n", "")


def change(run, folder, **overrides):
    """A copy of a run with another config."""
    copy = copy_run(run, folder)
    config = rnnpipe.load_config(copy.config, overrides)
    RunDirectory(folder).seal.write_text(folder / "config.yaml", dump_config(config))
    return folder


def change_labels(run):
    """Gives a run other labels, as if it had been trained with them."""
    RunDirectory(run).seal.write_text(run / "vocabulary" / "labels.json", '["a", "b"]')


def test_what_is_no_member_is_refused(make_pair, tmp_path):
    pair = make_pair("text_classification")
    unfinished = copy_run(pair.other, tmp_path / "unfinished").path
    (unfinished / "model.keras").unlink()
    words = copy_run(pair.other, tmp_path / "words").path
    change_labels(words)
    (words / "vocabulary" / "more.json").write_text("[]")
    link = tmp_path / "link"
    link.symlink_to(pair.own.path)
    other, own = pair.other.path, pair.own.path
    finished = "expected the folder of a trained run, got"
    for members, told in (
        ([tmp_path / "none"], f"{tmp_path / 'none'}: {finished} no such folder; name folders of"),
        ([other, unfinished], f"{unfinished}: {finished} a folder without a trained model; name"),
        (["s3://runs/a"], "s3://runs/a: expected a path of this machine, got an object store"),
        ([make_pair("vqa").own.path], "expected a run of text_classification, got one of vqa; na"),
        ([words], f"{words}: expected the vocabulary of this run, got another labels.json, more"),
        ([own], f"{own}: expected another run than this one, got the run itself; leave it out"),
        ([link], f"{link}: expected another run than this one, got the run itself; leave it out"),
        ([other, other], f"{other}: expected each run once, got the same run twice; name it once"),
    ):
        with pytest.raises(UserError) as fault:
            pair.own.evaluate({"evaluate.ensemble": members}, verbose=False)
        assert told in str(fault.value)
        assert str(fault.value).startswith("evaluate.ensemble ")


@pytest.mark.parametrize(
    ("task", "settings", "told"),
    [
        ("vqa", {"data.image.size": 64}, "data.image.size 64, not 32"),
        ("captioning", {"data.image.fit": "crop"}, "data.image.fit crop, not stretch"),
        ("video_labeling", {"data.frames.rate": 6}, "data.frames.rate 6.0, not 12.0"),
        (
            "image_classification",
            {
                "data.features": {"backbone": BACKBONE, "image_size": 64},
                "model.image_encoder": {"kind": "features"},
            },
            "data.features.backbone.kind application, not None",
        ),
    ],
)
def test_members_that_read_other_images_are_refused(task, settings, told, make_pair, tmp_path):
    pair = make_pair(task)
    member = change(pair.other, tmp_path / "member", **settings)
    with pytest.raises(UserError, match=f"expected a run that reads the same inputs, got {told}"):
        pair.own.evaluate({"evaluate.ensemble": [member]}, verbose=False)


def test_members_are_checked_before_any_work(make_pair, tmp_path, capsys):
    pair = make_pair("text_classification")
    broken = copy_run(pair.own, tmp_path / "broken", tmp_path / "none")
    message = f"evaluate.ensemble {tmp_path / 'none'}: expected the folder of a trained run"
    with pytest.raises(UserError, match=message):
        broken.predict(text="The film was good.")
    assert broken.config.evaluate.ensemble == (tmp_path / "none",)  # it can still be read
    overrides = {"evaluate.ensemble": [tmp_path / "none"], "data.directory": tmp_path / "records"}
    with pytest.raises(UserError, match=message):
        rnnpipe.run(pair.own.config, overrides, runs_dir=tmp_path / "runs", verbose=False)
    assert not (tmp_path / "records").exists()
    words = copy_run(pair.other, tmp_path / "words").path
    change_labels(words)
    overrides = {"evaluate.ensemble": [words]}
    with pytest.raises(UserError, match="expected the vocabulary of this run, got another labels"):
        rnnpipe.train(pair.own.config, overrides, runs_dir=tmp_path / "runs", verbose=False)
    assert not (tmp_path / "runs").exists()
    (broken.path / "model.keras").unlink()
    assert cli.main(["resume", str(broken.path)]) == 2
    assert message in capsys.readouterr().err


def test_a_task_without_ensembles_refuses_the_key(make_pair, monkeypatch):
    pair = make_pair("text_classification")
    monkeypatch.setattr(TextClassificationTask, "softmax_outputs", ())
    message = "evaluate.ensemble: expected no runs: the task text_classification has no ensembles"
    with pytest.raises(UserError, match=message):
        pair.own.evaluate({"evaluate.ensemble": [pair.other.path]}, verbose=False)
