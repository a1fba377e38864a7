import dataclasses
import itertools
import re

import pytest

from rnnpipe.report.charts import RUN_COLOURS, draw_comparison
from rnnpipe.report.comparison import ComparisonPage
from rnnpipe.report.items import Gallery, Sample, Table
from rnnpipe.report.page import write_page
from tests.report.page_reader import HOSTILE, Reader

HISTORIES = {
    "small": {"loss": [3.0, 2.0], "val_loss": [3.5, 3.0]},
    "large": {"loss": [2.0, 1.0, 0.5], "val_loss": [3.0, 2.0, 2.5], "val_bleu": [1.0, 2.0, 3.0]},
}


@pytest.fixture
def page():
    return ComparisonPage(
        title="translation · 2 runs",
        summary="small, large, compared by bleu.",
        scores=[Table("bleu on test", ("", "bleu"), [("small", 30.0), ("large", 31.5)])],
        details=[Table("All metrics on test", ("", "small", "large"), [("chrf", 50.5, None)])],
        histories=HISTORIES,
        best_epochs={"small": 2, "large": 2},
        disagreements=[Table("Disagreements", ("", "better"), [("large", 7)])],
        samples=[Gallery("large is better", "", [Sample("pair 7", facts=[("large", "a dog")])])],
        differences=[Table("Settings that differ", ("", "small"), [], note="The same.")],
        notices=["the runs have different records"],
    )


def read(tmp_path, page):
    write_page(tmp_path / "page.html", page)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>\n")
    return Reader(html)


def test_the_page_shows_all_content(tmp_path, page):
    text = read(tmp_path, page).text
    for part in (
        "translation · 2 runs small, large, compared by bleu. the runs have different records",
        "small 30.00 large 31.50",
        "chrf 50.50",
        "val_loss small 3.000 large 2.000",
        "large 7 large is better pair 7 large a dog",
        "Settings that differ The same.",
    ):
        assert part in text, part


def test_the_page_needs_no_network_and_no_script(tmp_path, page):
    reader = read(tmp_path, page)
    assert not reader.all("script", "link", "iframe", "object", "base", "form", "img")
    ids = [attrs["id"] for _, attrs in reader.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert all(link["href"].removeprefix("#") in ids for link in reader.all("a"))
    assert {"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"} <= {
        meta.get("content") for meta in reader.all("meta")
    }
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_hostile_text_is_escaped(tmp_path, page):
    table = Table(HOSTILE, ("", HOSTILE), [(HOSTILE, HOSTILE)], note=HOSTILE)
    hostile = ComparisonPage(
        title=HOSTILE,
        summary=HOSTILE,
        scores=[table],
        details=[table],
        histories={HOSTILE: {HOSTILE: [1.0, 2.0]}},
        best_epochs={HOSTILE: 1},
        disagreements=[table],
        samples=[Gallery(HOSTILE, HOSTILE, [Sample(HOSTILE, facts=[(HOSTILE, HOSTILE)])])],
        differences=[table],
        notices=[HOSTILE],
    )
    plain, attacked = read(tmp_path, page), read(tmp_path, hostile)
    assert {tag for tag, _ in attacked.elements} <= {tag for tag, _ in plain.elements}
    assert attacked.text.count(" ".join(HOSTILE.split())) >= 20
    assert "49" not in attacked.text


def test_sections_without_content_are_left_out(tmp_path, page):
    bare = dataclasses.replace(page, histories={}, best_epochs={}, disagreements=[], samples=[])
    assert len(read(tmp_path, page).all("section")) == 4
    assert len(read(tmp_path, bare).all("section")) == len(read(tmp_path, bare).all("a")) == 2


def test_a_chart_has_a_line_for_each_run_that_has_the_quantity():
    charts = draw_comparison(HISTORIES, {"small": 1, "large": 2})
    lines = {chart.title: [(line.label, line.shown) for line in chart.lines] for chart in charts}
    assert lines == {
        "val_loss": [("small", "3.500"), ("large", "2.000")],
        "val_bleu": [("large", "2.000")],
        "loss": [("small", "3.000"), ("large", "1.000")],
    }
    assert [line.kind for line in charts[0].lines] == ["run-1", "run-2"]
    assert charts[1].lines[0].kind == "run-2"  # a run has one colour


def test_runs_share_the_axes_of_the_longest():
    chart = draw_comparison(HISTORIES, {"small": 1, "large": 2})[0]
    small, large = (line.points for line in chart.lines)
    assert [point.x for point in small] == [point.x for point in large][:2]
    assert small[1].y == large[0].y  # both are 3.0
    assert [tick.label for tick in chart.x_ticks] == ["1", "2", "3"]


def test_every_colour_of_a_run_is_in_the_style(tmp_path, page):
    histories = {str(number): {"loss": [1.0, 2.0]} for number in range(RUN_COLOURS + 1)}
    many = dataclasses.replace(page, histories=histories, best_epochs=dict.fromkeys(histories, 1))
    read(tmp_path, many)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    kinds = re.findall(r'class="line (run-\d+)"', html)
    assert kinds == [*(f"run-{number + 1}" for number in range(RUN_COLOURS)), "run-1"]
    assert all(f".{kind} {{ color:" in html for kind in kinds)
