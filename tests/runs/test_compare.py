import json
import shutil

import numpy as np
import pytest

import rnnpipe
from rnnpipe import cli
from rnnpipe.errors import UserError
from rnnpipe.metrics.bootstrap import paired_bootstrap
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.tasks.text_classification.task import TextClassificationTask
from tests.report.page_reader import Reader
from tests.runs.evaluated import classified, make_evaluated

FIRST = ["pos", "pos", "neg", "neg", "pos", "neg"]
SECOND = ["pos", "neg", "pos", "pos", "pos", "neg"]  # right: 1 alone is worse, 2 and 3 better


@pytest.fixture
def make(tmp_path):
    """Makes an evaluated run of a text classifier."""

    def make(name, answers=FIRST, *, rows=None, config="sentiment", **options):
        rows = classified(answers) if rows is None else rows
        return make_evaluated(tmp_path / name, config, rows, **options).path

    return make


def compare(*paths, **options):
    return rnnpipe.compare(*paths, verbose=False, **options)


def read_page(comparison, tmp_path):
    comparison.write(tmp_path / "page.html")
    return Reader((tmp_path / "page.html").read_text(encoding="utf-8")).text


def test_metrics_have_the_intervals_of_a_paired_bootstrap(make):
    comparison = compare(make("one"), make("two", SECOND))
    right = np.array([[answer == "pos" for answer in answers] for answers in (FIRST, SECOND)])
    statistics = np.stack([right, np.ones_like(right)], axis=-1).astype(float)
    expected = paired_bootstrap(statistics, lambda sums: float(sums[0] / sums[1]))
    paired = comparison.splits["test"]
    assert paired.metrics == {"accuracy": expected}
    assert (paired.records, paired.totals) == (6, [6, 6])
    (table,) = comparison.tables
    assert table.title == "accuracy on test, 6 records; differences from one"
    first, second = table.rows
    assert first[:2] == ("one", 0.5)
    assert first[3:] == ("", "", "")
    difference = expected.differences[0]
    assert second[:2] == ("two", 4 / 6)
    assert second[3:] == (
        "+0.1667",
        f"[{difference.low:+.4f}, {difference.high:+.4f}]",
        f"{difference.p:.3f}",
    )


def test_the_page_shows_disagreements_curves_and_differences(make, tmp_path):
    settings = ["model.recurrence.cell.units=9"]
    one = make("one", metrics={"baseline/majority/accuracy": 0.5})
    two = make("two", SECOND, settings=settings, metrics={"baseline/majority/accuracy": 0.5})
    text = read_page(compare(one, two), tmp_path)
    for part in (
        "text_classification · 2 runs",
        "it alone is right one alone is right both right both wrong two 2 1 2 1",
        "test: two is right, one is wrong The largest differences of accuracy first.",
        "text id film:2 text text 2 label pos one neg (wrong) two pos (right)",
        "test: one is right, two is wrong",
        "text id film:1 text text 1 label pos one pos (right) two neg (wrong)",
        "baseline: majority 0.500",
        "val_accuracy one 2.000 two 2.000",
        "model.recurrence.cell.units 48 9",
        "Versions, machines and the fingerprints of the records are the same.",
        f"one {one} 2026-01-01T00:00:00+00:00 2 2",
    ):
        assert " ".join(part.split()) in text, part


def test_baselines_that_differ_are_shown_for_each_run(make):
    name = "baseline/bag_of_words/accuracy"
    one, two = make("one", metrics={name: 0.25}), make("two", metrics={name: 0.75})
    (table,) = compare(one, two, make("three")).tables
    assert [row[:2] for row in table.rows[3:]] == [
        ("baseline: bag of words (one)", 0.25),
        ("baseline: bag of words (two)", 0.75),
    ]


def test_records_are_matched_whatever_their_order(make):
    rows = classified(SECOND)
    paired = compare(make("one"), make("two", rows=rows[::-1])).splits["test"]
    assert [row["text_id"] for row in paired.rows[1]] == [row["text_id"] for row in paired.rows[0]]
    np.testing.assert_array_equal(paired.record_scores, [[1, 1, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0]])


def test_only_records_of_all_runs_are_compared(make, capsys):
    one, two = make("one"), make("two", rows=classified(SECOND)[2:], records="b" * 64)
    comparison = rnnpipe.compare(one, two)
    paired = comparison.splits["test"]
    assert (paired.records, paired.totals) == (4, [6, 4])
    assert [each.value for each in paired.metrics["accuracy"].scores] == [0.25, 0.75]
    printed = capsys.readouterr().out
    assert "different records (aaaaaaaaaaaa, bbbbbbbbbbbb), matched by text_id, text, label" in (
        printed
    )
    assert "of test, 4 records are in all runs" in printed
    assert "(6 of one, 4 of two)" in printed


def test_a_record_with_the_same_name_but_another_text_is_another_record(make):
    rows = classified(SECOND)
    rows[0] = {**rows[0], "text": "another"}
    assert compare(make("one"), make("two", rows=rows)).splits["test"].records == 5
    other = [{**row, "label": "neg"} for row in rows]
    with pytest.raises(UserError) as error:
        compare(make("three"), make("four", rows=other))
    assert str(error.value) == (
        "compare: expected scored records of test that all runs have, with the same text_id, "
        "text, label, got none; evaluate the runs on the same records"
    )


def test_records_that_are_alike_are_matched_one_by_one(make):
    same = [{**row, "text_id": "a", "text": "a"} for row in classified(FIRST)]
    paired = compare(make("one", rows=same), make("two", rows=same[:4])).splits["test"]
    assert paired.records == 4


def test_all_splits_that_all_runs_have_are_compared(make):
    more = {"validation": classified(SECOND)}
    one, two = make("one", more=more), make("two", SECOND, more=more)
    assert list(compare(one, two).splits) == ["test", "validation"]
    assert list(compare(one, two, split="validation").splits) == ["validation"]
    assert list(compare(one, two, make("three")).splits) == ["test"]
    with pytest.raises(UserError) as error:
        compare(one, make("four"), split="validation")
    assert str(error.value) == (
        "split: expected a split that all runs were evaluated on (test), got validation, which is "
        "not in four; evaluate a run with `--set evaluate.splits=[…]`, and name that evaluation"
    )
    with pytest.raises(UserError, match=r"got test of one.*; dev of five; evaluate a run"):
        compare(make("one-more"), make("five", split="dev"))


def test_a_run_is_compared_with_its_evaluations(make):
    one = make("runs/one")
    other = make("other", SECOND)
    again = one / "evaluations" / "20260102-000000"
    shutil.copytree(other, again)
    for name in ("model.keras", "environment.json", "history.csv"):
        RunDirectory(again).seal.remove(again / name)
    label = "one/evaluations/20260102-000000"
    comparison = compare(one, again)
    (table,) = comparison.tables
    assert [row[:2] for row in table.rows] == [("one", 0.5), (label, 4 / 6)]
    assert comparison.notices == []
    RunDirectory(again).seal.write_text(again / "partial.json", "{}")
    assert compare(one, again).notices == [
        f"{label} is an evaluation of a training that had not ended"
    ]


def test_the_newest_of_several_runs_is_compared(make):
    make("runs/20260101-120000")
    newest = make("runs/20260103-120000", SECOND)
    comparison = compare(make("first"), newest.parent)
    assert comparison.runs[1].results.path == newest


def test_fewer_than_two_runs_are_refused(make):
    one = make("one")
    for paths in ((), (one,)):
        with pytest.raises(UserError, match=r"compare: expected two runs or more, got .*; name"):
            compare(*paths)


@pytest.mark.parametrize("name", ["one", ".", "link"])
def test_a_run_that_is_named_twice_is_refused(name, make, tmp_path):
    one = make("runs/one")
    (tmp_path / "runs" / "link").symlink_to(one)
    with pytest.raises(UserError, match=r": expected a run that is not named yet, got .*/one;"):
        compare(one, tmp_path / "runs" / name)


def test_a_run_of_another_task_is_refused(make):
    one = make("one")
    rows = [{"image_name": "a", "label": "b", "prediction": "b"}]
    two = make("two", rows=rows, config="glimpse")
    with pytest.raises(UserError) as error:
        compare(one, two)
    assert str(error.value) == (
        f"{two}: expected a run of text_classification, as {one}, got one of image_classification; "
        "compare runs of one task"
    )


def test_a_run_that_was_not_evaluated_is_refused(make):
    one, two = make("one"), make("two")
    RunDirectory(two).seal.remove(two / "metrics.json")
    with pytest.raises(UserError, match=r"two: expected a run with scores, got one that is not"):
        compare(one, two)


@pytest.mark.parametrize(
    "name",
    ["metrics.json", "predictions.jsonl", "history.csv", "environment.json", "config.yaml"],
)
def test_a_damaged_run_is_refused(name, make):
    one, two = make("one"), make("two")
    content = (two / name).read_bytes()
    (two / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=rf"two/{name}: expected .* got "):
        compare(one, two)


def test_a_folder_that_is_no_run_is_refused(make, tmp_path):
    with pytest.raises(UserError, match="expected the folder of a trained run, got no such"):
        compare(make("one"), tmp_path / "none")


def test_metrics_that_do_not_follow_from_the_predictions_are_refused(make):
    one, two = make("one"), make("two", metrics={"accuracy": 0.75})
    with pytest.raises(UserError) as error:
        compare(one, two)
    assert str(error.value) == (
        f"{two / 'predictions.jsonl'}: expected the predictions of accuracy 0.75 in metrics.json, "
        f"got those of 0.5; evaluate it again with `rnnpipe evaluate {two}`"
    )


def test_a_task_without_metrics_of_records_is_compared_as_a_whole(make, monkeypatch, tmp_path):
    one, two = make("one"), make("two", SECOND)
    monkeypatch.setattr(TextClassificationTask, "corpus_metrics", lambda self: ())
    comparison = compare(one, two)
    (table,) = comparison.tables
    assert table.rows == [("one", 0.5, "", "", "", ""), ("two", 4 / 6, "", "", "", "")]
    assert comparison.notices == [
        "text_classification declares no metrics of records: there are no intervals and no samples"
    ]
    assert "Disagreements" not in read_page(comparison, tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("page.txt", "expected a name that ends in .html, got page.txt"),
        ("none/page.html", "expected a file in a folder that is there, got no folder"),
        ("folder.html", "expected a file in a folder that is there, got a folder"),
        ("one/report.html", "expected a file outside of runs, got one in"),
    ],
)
def test_a_place_that_is_none_for_a_page_is_refused_before_any_work(name, message, make, tmp_path):
    make("one")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UserError, match=message):
        compare(output=tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "one"]


def test_a_notebook_shows_the_tables(make):
    html = compare(make("one"), make("two", SECOND))._repr_html_()
    assert "differences from one" in html
    assert "0.6667" in html or "0.667" in html


def test_the_command_prints_tables_and_writes_the_page(make, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make("one")
    make("two", SECOND)
    assert cli.main(["compare", "one", "two"]) == 0
    printed = capsys.readouterr().out
    assert "accuracy on test, 6 records; differences from one" in printed
    assert "+0.1667" in printed
    assert printed.endswith("Page: comparison.html\n")
    assert (tmp_path / "comparison.html").read_text().startswith("<!doctype html>")
    assert cli.main(["compare", "one", "two", "--split", "dev", "--output", "b.html"]) == 2
    assert "rnnpipe: split: expected a split" in capsys.readouterr().err
    assert not (tmp_path / "b.html").exists()


def test_runs_stay_as_they_are(make, tmp_path):
    one, two = make("one"), make("two", SECOND)

    def contents():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = contents()
    compare(one, two)
    assert contents() == before
    assert json.loads((one / "metrics.json").read_text()) == {"test": {"accuracy": 0.5}}
