import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnnpipe.config.loader import load_config, load_settings
from rnnpipe.errors import UserError
from rnnpipe.runs.checks import (
    check_comparable_records,
    check_same_records,
    check_splits,
    check_training,
)
from rnnpipe.runs.create import create_run
from rnnpipe.storage.atomic import json_text
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.tasks.base import Task

SOURCES = {
    "captioning": "shapes_captions",
    "language_model": "python_topics",
    "image_classification": "cluttered_shapes",
    "speech": "morse",
    "text_classification": "sentiment_grammar",
    "translation": "translation_grammar",
    "video_labeling": "moving_shapes",
    "vqa": "shapes",
}
TOLD = (
    "evaluate.splits: expected splits that the records have (train, validation), got test; name "
    "others, or give data.splits.test a share above 0"
)


@pytest.mark.parametrize("task", find_schemas())
def test_every_task_reports_a_split_that_cannot_be_scored(task, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"task: {task}\ndata:\n  source: {{kind: {SOURCES[task]}}}\n")
    check_splits(load_config(path, find_schemas()), ["train", "validation", "test"])
    with pytest.raises(UserError) as fault:
        check_splits(load_config(path, find_schemas()), ["train", "validation"])
    assert str(fault.value) == TOLD
    others = load_config(path, find_schemas(), ["evaluate.splits=[validation, train]"])
    check_splits(others, ["train", "validation"])


def test_the_validation_split_must_exist():
    config = SimpleNamespace(evaluate=SimpleNamespace(splits=["test"]))
    with pytest.raises(UserError, match=r"data.splits.validation: expected a split to train with"):
        check_splits(config, ["train", "test"])


@pytest.mark.parametrize("name", find_schemas())
def test_every_task_refuses_a_warm_up_that_is_longer_than_its_training(name, monkeypatch):
    schedule = {"kind": "constant", "warmup_steps": 101}
    config = load_settings(
        find_schemas()[name],
        {
            "task": name,
            "data": {"source": {"kind": SOURCES[name]}},
            "train": {"epochs": 10, "optimizer": {"kind": "adam", "schedule": schedule}},
        },
    )
    task = make_task(config)
    monkeypatch.setattr(type(task), "steps_per_epoch", lambda task, records: 10)
    monkeypatch.setattr(type(task), "check_records", lambda task, records: None)
    records = SimpleNamespace(splits=["train", "validation", "test"])
    with pytest.raises(UserError, match=r"^train\.optimizer\.schedule\.warmup_steps: .* 100 steps"):
        check_training(config, task, records)


RECORDS = {
    "settings": {"recipe": {"vocabulary": 40, "tokenizer": "word"}, "splits": {"test": 0.1}},
    "sources": {"files": 2, "sha256": "ab"},
    "code": "12",
    "libraries": {"pillow": "11"},
}


class Records:
    """Records of a fingerprint, with a vocabulary."""

    published = Path("records")

    def __init__(self, path, vocabulary="a b", **changed):
        self.path, self.made_from = path, {**RECORDS, **changed}
        self.fingerprint = json.dumps(self.made_from)
        path.mkdir(exist_ok=True)
        (path / "symbols.json").write_text(vocabulary)


class Labels(Task):
    """A task whose vocabulary is one file."""

    name, vocabulary = "labels", ("symbols.json",)
    build_model = compile_options = evaluate = make_predictor = None  # type: ignore[assignment]  # unused


Labels.__abstractmethods__ = frozenset()


def note_records(run, fingerprint):
    content = {"records": fingerprint, "records_from": RECORDS, "settings": {}}
    run.seal.write_text(run.environment, json_text(content))


@pytest.fixture
def trained(tmp_path):
    """A run that was trained on `RECORDS`."""
    run = create_run(tmp_path, "run")
    records = Records(tmp_path / "then")
    run.seal.begin()
    note_records(run, records.fingerprint)
    with run.seal.write(run.vocabulary) as vocabulary:
        Labels(None).save_vocabulary(records, vocabulary)
    return run


OTHERS = {
    "settings": (
        {"settings": {"recipe": {"vocabulary": 50, "tokenizer": "word"}, "splits": {"test": 0.1}}},
        "recipe.vocabulary 50, not 40",
    ),
    "raw data": ({"sources": {"files": 3, "sha256": "cd"}}, "other raw data"),
    "code and vocabulary": ({"code": "13", "vocabulary": "b a"}, "another version of rnnpipe"),
    "libraries and vocabulary": (
        {"libraries": {"pillow": "12"}, "vocabulary": "b a"},
        "other versions of libraries",
    ),
}


@pytest.mark.parametrize(("changed", "got"), OTHERS.values(), ids=OTHERS)
def test_a_run_is_neither_scored_nor_resumed_with_other_records(changed, got, trained, tmp_path):
    records = Records(tmp_path / "now", **changed)
    got = f"others in records ({got})"
    expected = f"{trained.path}: expected the records that it was trained on, got {got}"
    expected = re.escape(expected)
    with pytest.raises(UserError, match=expected):
        check_comparable_records(trained, records, Labels(None))
    with pytest.raises(UserError, match=expected):
        check_same_records(trained, records, "train anew")


def test_only_records_of_another_fingerprint_are_refused(trained, tmp_path):
    note_records(trained, "another")
    with pytest.raises(UserError, match=r"\(another fingerprint\)"):
        check_comparable_records(trained, Records(tmp_path / "now"), Labels(None))


def test_equal_records_are_accepted(trained, tmp_path):
    records = Records(tmp_path / "now")
    check_same_records(trained, records, "train anew")
    assert check_comparable_records(trained, records, Labels(None)) == ""


@pytest.mark.parametrize("changed", [{"code": "13"}, {"libraries": {"pillow": "12"}}])
def test_records_made_again_with_the_same_vocabulary_can_be_scored(changed, trained, tmp_path):
    records = Records(tmp_path / "now", **changed)
    assert "made again" in check_comparable_records(trained, records, Labels(None))
    with pytest.raises(UserError):
        check_same_records(trained, records, "train anew")
