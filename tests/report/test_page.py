import base64
import dataclasses
import io
import itertools
import math
import re
from typing import get_args

import numpy as np
import pytest
from jinja2 import Environment, PackageLoader
from PIL import Image

from rnnpipe.report.image_heatmap import draw_attention, draw_image
from rnnpipe.report.items import (
    Answer,
    Calibration,
    Confusion,
    Figure,
    Gallery,
    Passage,
    Picture,
    ReportItem,
    Sample,
    Sound,
    Span,
    Table,
)
from rnnpipe.report.page import write_page
from rnnpipe.report.run import RunPage
from tests.report.page_reader import HOSTILE, Reader


@pytest.fixture(scope="module")
def pictures():
    image = np.random.default_rng(0).integers(0, 255, (16, 16, 3), "uint8")
    image = np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC))
    alignment = np.eye(8)
    return (
        Picture(draw_image(image), "image"),
        Picture(draw_attention(image, alignment), "glimpse 1"),
        Picture(draw_attention(image, alignment[::-1]), "glimpse 2"),
    )


@pytest.fixture(scope="module")
def sample(pictures):
    return Sample(
        "What color is the circle?",
        "other · color",
        True,
        0.9,
        pictures,
        (Answer("red", 0.75, True), Answer("blue", 0.25, False)),
        (("people said", "red ×9, maroon ×1"),),
    )


@pytest.fixture
def page(sample):
    return RunPage(
        title="vqa · shapes",
        summary="Answers questions about shapes.",
        headline=[("vqa_accuracy", 0.9412), ("minutes", 4.8)],
        scores=Table(
            "Test",
            ("", "vqa_accuracy", "questions"),
            [("model", 0.9412, 1200), ("blanked", 0.48, 1200)],
            highlight=0,
        ),
        items=[
            Table("By answer type", ("type", "model", "blanked"), [("yes/no", 0.95, 0.5)]),
            Confusion("Frequent answers", ("yes", "no"), ((9, 1), (0, 0))),
            Calibration("Trust", [(0.55, 0.4, 10), (0.95, 0.9, 30)], "Sure and right."),
            Gallery("Right", "Drawn by chance.", [sample]),
            Gallery("Worst", "", [dataclasses.replace(sample, right=False, score=0.0)]),
        ],
        history={"loss": [3.0, 2.0], "val_loss": [3.1, 2.2], "learning_rate": [0.001, 0.001]},
        best_epoch=2,
        records={"splits": {"train": 9600, "test": 1200}, "dead letters": 0, "names": ["a", "b"]},
        config_yaml="task: vqa\nseed: 7\n",
        environment={"keras": "3.15.1"},
    )


def read(tmp_path, page):
    path = tmp_path / "report.html"
    write_page(path, page)
    html = path.read_text("utf-8")
    assert html.startswith("<!doctype html>\n")
    return Reader(html)


def test_the_page_shows_all_content(tmp_path, page):
    text = read(tmp_path, page).text
    for part in (
        "vqa · shapes",
        "Answers questions about shapes.",
        "0.941 minutes",
        "model 0.941 1,200",
        "yes/no 0.950 0.500",
        "yes 9 1 no · ·",
        "learning_rate was 0.001 throughout.",
        "The upright line marks epoch 2",
        "1 3.000 3.100 0.001 2 2.000 2.200 0.001",
        "What color is the circle? other · color ✓ right 0.90",
        "✗ wrong 0.00",
        "red ✓ 75.0% blue 25.0%",
        "people said red ×9, maroon ×1",
        "splits train 9,600 test 1,200",
        "dead letters 0",
        "names a, b",
        "keras 3.15.1",
        "task: vqa seed: 7",
    ):
        assert " ".join(part.split()) in text or part in text, part


def test_images_are_embedded_with_alternative_texts(tmp_path, page):
    images = read(tmp_path, page).all("img")
    assert len(images) == 6
    for image in images:
        head, _, data = image["src"].partition(",")
        assert head == "data:image/png;base64"
        decoded = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        decoded.load()
        assert decoded.format == "PNG"
    assert images[1]["alt"] == "glimpse 1: What color is the circle?"


def test_sounds_are_embedded_in_players_and_wide_samples_are_marked(tmp_path, page, sample):
    sound = Sound(b"RIFF....WAVE", "recording")
    gallery = Gallery("Recordings", "", [dataclasses.replace(sample, sounds=[sound])], wide=True)
    reader = read(tmp_path, dataclasses.replace(page, items=[gallery]))
    (player,) = reader.all("audio")
    head, _, data = player["src"].partition(",")
    assert head == "data:audio/wav;base64"
    assert base64.b64decode(data, validate=True) == sound.wav
    assert player["aria-label"] == "recording: What color is the circle?"
    assert "controls" in player
    assert "samples wide" in [element.get("class") for element in reader.all("div")]


def test_the_page_contains_no_links_and_no_scripts(tmp_path, page):
    reader = read(tmp_path, page)
    assert not reader.all("script", "link", "iframe", "object", "base", "form")
    ids = [attrs["id"] for _, attrs in reader.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    for _, attrs in reader.elements:
        assert not [name for name in attrs if name.startswith("on")]
        if "href" in attrs:
            assert attrs["href"].removeprefix("#") in ids
        assert attrs.get("src", "data:").startswith("data:")
    html = (tmp_path / "report.html").read_text("utf-8")
    style = html[html.index("<style>") : html.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)
    assert {"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"} <= {
        meta.get("content") for meta in reader.all("meta")
    }


def test_headings_descend_a_level_at_a_time(tmp_path, page):
    reader = read(tmp_path, page)
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(cell.get("scope") in {"row", "col"} for cell in reader.all("th"))


def test_hostile_text_is_escaped(tmp_path, page, pictures):
    sample = Sample(
        HOSTILE,
        HOSTILE,
        False,
        0.0,
        [dataclasses.replace(pictures[0], caption=HOSTILE)],
        [Answer(HOSTILE, 0.5, True)],
        [(HOSTILE, HOSTILE)],
    )
    table = Table(HOSTILE, (HOSTILE, "x"), [(HOSTILE, 0.5)], note=HOSTILE)
    hostile = RunPage(
        title=HOSTILE,
        summary=HOSTILE,
        headline=[(HOSTILE, HOSTILE)],
        scores=table,
        items=[
            table,
            Confusion(HOSTILE, (HOSTILE,), ((1,),), HOSTILE),
            Gallery(HOSTILE, HOSTILE, [sample]),
        ],
        history={HOSTILE: [1.0, 2.0]},
        records={HOSTILE: {HOSTILE: [HOSTILE]}},
        config_yaml=HOSTILE,
        environment={HOSTILE: HOSTILE},
    )
    plain, attacked = read(tmp_path, page), read(tmp_path, hostile)

    tags = {tag for tag, _ in attacked.elements}
    assert tags <= {tag for tag, _ in plain.elements}
    assert {name for _, attrs in attacked.elements for name in attrs} <= {
        name for _, attrs in plain.elements for name in attrs
    }
    assert attacked.text.count(" ".join(HOSTILE.split())) >= 20
    assert "49" not in attacked.text
    assert attacked.all("img")[0]["alt"] == f"{HOSTILE}: {HOSTILE}"


@pytest.mark.parametrize(
    "change",
    [
        {"items": [], "history": {}, "records": {}, "environment": {}, "config_yaml": ""},
        {"headline": []},
        {"history": {"loss": [2.0], "val_loss": [2.1]}, "best_epoch": 1},
        {"history": {"loss": [math.nan, 1.0], "val_loss": [math.inf, math.nan]}, "best_epoch": 7},
        {"history": {"epoch": [0, 1], "loss": [1e-9, 1e9]}, "best_epoch": None},
        {"scores": Table("", ("", "a"), [("x", math.nan), ("y", None), ("z", -math.inf)])},
        {"scores": Table("", (), [])},
        {"items": [Confusion("", (), ()), Table("", ("a",), []), Gallery("", "", [])]},
        {"items": [Gallery("", "", [Sample(""), Sample("x", score=math.nan)])]},
        {"items": [Gallery("", "", [Sample("q", answers=[Answer("a", math.nan, False)])])]},
        {"records": {"none": None, "empty": [], "yes": True, "deep": {"a": {"b": {}}}}},
        {"title": "x" * 20_000, "summary": "why " * 20_000},
    ],
    ids="-".join,
)
def test_the_page_renders_whatever_is_missing(tmp_path, page, change):
    reader = read(tmp_path, dataclasses.replace(page, **change))
    for _, attrs in reader.elements:
        assert not re.search("nan|inf", attrs.get("style", "") + attrs.get("d", ""))


def test_empty_sections_are_omitted(tmp_path, page):
    bare = dataclasses.replace(page, items=page.items[:2], history={})
    for shown, expected in [(page, 4), (bare, 2)]:
        reader = read(tmp_path, shown)
        assert len(reader.all("section")) == len(reader.all("a")) == expected


def test_bars_are_as_long_as_the_fractions(tmp_path, page):
    bars = [attrs for attrs in read(tmp_path, page).all("span") if attrs.get("class") == "bar"]
    widths = [bar["style"] for bar in bars]
    assert widths[:4] == ["width:94.1%", "width:48.0%", "width:95.0%", "width:50.0%"]
    assert widths[4:6] == ["width:75.0%", "width:25.0%"]


@pytest.mark.parametrize(
    ("highlight", "rows", "cells"), [(None, 0, 0), (1, 1, 0), ("accuracy", 0, 2), ("none", 0, 0)]
)
def test_highlight_marks_a_row_or_a_column(tmp_path, page, highlight, rows, cells):
    table = Table("", ("", "accuracy", "n"), [("a", 0.5, 1), ("b", 0.6, 2)], highlight=highlight)
    reader = read(tmp_path, dataclasses.replace(page, scores=table, items=[]))
    marked = [tag for tag, attrs in reader.elements if "highlight" in attrs.get("class", "")]
    assert (marked.count("tr"), marked.count("td")) == (rows, cells)


def test_every_kind_of_exhibit_has_its_macro():
    environment = Environment(loader=PackageLoader("rnnpipe.report", "."), autoescape=True)
    source, _, _ = environment.loader.get_source(environment, "items.html")
    for kind in get_args(ReportItem):
        assert f"{{% macro {kind.__name__.lower()}(item) %}}" in source


def test_two_dozen_samples_stay_small(tmp_path, page, sample):
    write_page(
        tmp_path / "report.html",
        dataclasses.replace(page, items=[Gallery("Many", "", [sample] * 24)]),
    )
    assert (tmp_path / "report.html").stat().st_size < 2_000_000


def test_report_is_replaced(tmp_path, page):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_page(path, page)
    assert "old" not in Reader(path.read_text("utf-8")).text.split()


def test_headers_are_aligned_with_their_numbers(tmp_path, page):
    table = Table("", ("name", "n", "word"), [("a", None, "x"), ("b", 2, "y")])
    reader = read(tmp_path, dataclasses.replace(page, scores=table, items=[], history={}))
    heads = [cell.get("class") for cell in reader.all("th") if cell["scope"] == "col"]
    assert heads == [None, "number", None]


def test_words_are_shaded_by_their_weight_and_joined_as_they_were(tmp_path, page):
    spans = [Span(" un", 0.25), Span("like"), Span(" any", 1.0), Span(" <b>", math.nan)]
    items = [Gallery("", "", [Sample("t", spans=spans)])]
    path = tmp_path / "report.html"
    write_page(path, dataclasses.replace(page, items=items))
    html = path.read_text("utf-8")
    words = html[
        html.index('<p class="words"') : html.index("</p>", html.index('<p class="words"'))
    ]
    assert Reader(words + "</p>").text == "un like any <b>"
    assert re.sub("<[^>]*>", "", words) == " unlike any &lt;b&gt;"
    assert re.findall(r"--share:([\d.]+)%", words) == ["25.0", "0.0", "100.0", "0"]


def test_a_passage_keeps_its_spaces_and_line_breaks(tmp_path, page):
    spans = [Span("To  be,", 0.5), Span("\n"), Span("  <or>", 1.0), Span(" not\n", 0.0)]
    items = [Passage("Unit 7", spans, "The darker, the more.")]
    path = tmp_path / "report.html"
    write_page(path, dataclasses.replace(page, items=items))
    html = path.read_text("utf-8")
    passage = html[html.index('<pre class="passage"') : html.index("</pre>")]
    assert re.sub("<[^>]*>", "", passage) == "To  be,\n  &lt;or&gt; not\n"
    assert re.findall(r"--share:([\d.]+)%", passage) == ["50.0", "100.0"]


def test_a_figure_is_part_of_the_page(tmp_path, page):
    items = [Figure("Gates", Picture(b"\x89PNG", "four gates"), "Red is high.")]
    reader = read(tmp_path, dataclasses.replace(page, items=items))
    (image,) = [image for image in reader.all("img") if image.get("class") == "figure"]
    assert image["alt"] == "four gates"
    assert image["src"].startswith("data:image/png;base64,")


def test_a_calibrated_model_lies_on_the_diagonal(tmp_path, page):
    points = [(0.25, 0.25, 1), (0.5, 0.5, 4), (1.0, 0.75, 4)]
    page = dataclasses.replace(page, items=[Calibration("Trust", points)], history={})
    circles = read(tmp_path, page).all("circle")
    x, y, radius = ([float(circle[name]) for circle in circles] for name in ("cx", "cy", "r"))
    assert x[0] - 36 == 252 - y[0]
    assert x[1] - 36 == 252 - y[1]
    assert (x[2], y[2]) == (276, 252 - 0.75 * 240)
    assert radius[0] < radius[1] == radius[2]
