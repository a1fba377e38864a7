"""Every source of videos: what its files say, and what it says where they are wrong."""

import json
import math
import os
import pickle
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.generated.moving.routes import ROUTES, STEPS
from rnnpipe.sources.generated.moving_shapes import MovingShapes
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.source import VideoSource, VideoWindows
from rnnpipe.sources.videos.table import ClipTable


def ignore(done, total): ...


def sample(videos, rate=10.0, max_frames=100):
    return VideoWindows(videos=videos, rate=rate, max_frames=max_frames)


def read(source):
    source = source if isinstance(source, VideoWindows) else sample(source)
    source.prepare(ignore)
    again = pickle.loads(pickle.dumps(source))
    return [found for partition in source.partitions() for found in again.read(partition)]


def reasons(found):
    return {each.key: (each.step, each.reason) for each in found if isinstance(each, DeadLetter)}


@pytest.fixture
def folder(tmp_path, write_clip):
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_clip(tmp_path / name, [10, 20, 30, 40])
    (tmp_path / "clips.csv").write_text(
        "clip,label,split\na.mp4,walk,train\nb.mp4,run,val\nc.mp4,,test\n"
    )
    return tmp_path


def test_a_table_of_clips_and_one_of_frames(folder):
    rows = [("a", 0, "up"), ("a", 1, "up"), ("a", 3, "down"), ("c", 2, "up")]
    lines = [f"{clip}.mp4,{frame},{label}\n" for clip, frame, label in rows]
    (folder / "frames.csv").write_text("clip,frame,label\n" + "".join(lines))
    found = read(ClipTable(path=folder, split="split", frame_labels=Path("frames.csv")))
    assert found[0] == Reference(
        "a.mp4:00000000",
        "a.mp4",
        "train",
        {
            "video": str(folder / "a.mp4"),
            "first": 0,
            "count": 100,
            "clip_label": "walk",
            "segments": [(0, 2, "up"), (3, 4, "down")],
            "unit": "frames",
        },
    )
    assert [(each.split, each.fields["clip_label"]) for each in found] == [
        ("train", "walk"),
        ("validation", "run"),
        ("test", None),
    ]


def test_frames_may_be_labelled_in_seconds(folder):
    (folder / "frames.csv").write_text("clip,start,end,label\na.mp4,0.2,0.4,b\na.mp4,0,0.2,a\n")
    found = read(ClipTable(path=folder, frame_labels=Path("frames.csv")))
    assert found[0].fields["segments"] == [(0, 0.2, "a"), (0.2, 0.4, "b")]
    assert found[0].fields["unit"] == "seconds"


def test_a_long_video_becomes_several_windows_of_one_group(folder):
    first, second, *_ = read(sample(ClipTable(path=folder), max_frames=3))
    assert [each.fields["first"] for each in (first, second)] == [0, 3]
    assert first.group == second.group
    assert first.key < second.key


@pytest.mark.parametrize("other", [{"rate": 5.0}, {"max_frames": 50}])
def test_other_windows_are_another_data_set(folder, grid, tmp_path, other):
    moving = MovingShapes(path=tmp_path / "moving", clips=3, size=16, seed=4)
    for videos in (ClipTable(path=folder), Grid(path=grid), moving):
        assert sample(videos).settings != sample(videos, **other).settings
        assert sample(videos).settings == sample(videos).settings
        json.dumps(sample(videos).settings)


def test_workers_do_not_get_all_clips_with_each_partition(folder):
    source = sample(ClipTable(path=folder))
    before = pickle.dumps(source)
    source.prepare(ignore)
    assert pickle.dumps(source) == before


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "moving_shapes"}, True),
        ({"kind": "grid", "path": "x"}, True),
        ({"kind": "clips", "path": "x"}, False),
        ({"kind": "clips", "path": "x", "frame_labels": "y.csv"}, True),
        ({"kind": "tfds", "name": "ucf101"}, False),
    ],
)
def test_whether_frames_have_labels_is_known_before_the_data_is_read(settings, expected):
    family: Any = VideoSource  # of which a source is read by its kind
    assert load_settings(family, settings).labels_frames is expected


def test_bad_rows_are_dead_letters(folder):
    (folder / "clips.csv").write_text(
        "clip,label,split\n,walk,train\na.mp4,walk,never\nb.mp4,walk\nc.mp4,,train\nd.mp4,run,test\n"
    )
    told = reasons(read(ClipTable(path=folder, split="split")))
    assert told == {
        "clips.csv:2": ("read row", "it names no clip"),
        "a.mp4": ("read row", "'never' is no split"),
        "clips.csv:4": ("read row", "2 fields where 3 columns are named"),
        "c.mp4": ("read labels", "neither the clip nor its frames have a label"),
        "d.mp4": ("read video", "No such file or directory"),
    }


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("a.mp4,0,1,\n", "frames.csv:2: the label is empty"),
        ("a.mp4,x,1,up\n", "frames.csv:2: start is no number: 'x'"),
        ("a.mp4,1,1,up\n", "'up' goes from 1 to 1"),
        ("a.mp4,0,2,up\na.mp4,1,3,down\n", "'down' begins at 1, 'up' ends at 2"),
    ],
)
def test_wrong_labels_of_frames_cost_their_clip_alone(folder, rows, reason):
    (folder / "frames.csv").write_text(f"clip,start,end,label\n{rows}")
    told = reasons(read(ClipTable(path=folder, frame_labels=Path("frames.csv"))))
    assert told["a.mp4"] == ("read labels", reason)
    assert "b.mp4" not in told


@pytest.mark.parametrize(
    ("label", "clip_label"), [(0, "0"), (7, "7"), ("0", "0"), ("walk ", "walk")]
)
def test_labels_of_json_are_text_or_whole_numbers(folder, label, clip_label):
    rows = [{"clip": "a.mp4", "label": label}, {"clip": "b.mp4", "label": "x"}]
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, _ = read(ClipTable(path=folder, table=Path("clips.jsonl")))
    assert first.fields["clip_label"] == clip_label


@pytest.mark.parametrize("of_frames", [False, True])
@pytest.mark.parametrize("label", [False, True, 1.5, math.nan, ["x"], {"x": 1}, "\ud83d"])
def test_other_labels_of_json_are_dead_letters(folder, label, of_frames):
    good, bad = {"clip": "a.mp4", "label": "x"}, {"clip": "b.mp4", "label": label}
    rows = [{"clip": "a.mp4", "label": "y"}, {"clip": "b.mp4", "label": "y"}]
    frames = [{**row, "frame": 0} for row in (good, bad)]
    for name, table in {"clips": rows if of_frames else [good, bad], "frames": frames}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    labels = Path("frames.jsonl") if of_frames else None
    source = ClipTable(path=folder, table=Path("clips.jsonl"), frame_labels=labels)
    told = reasons(read(source))
    assert list(told) == ["b.mp4"]
    assert told["b.mp4"][0] == "read label"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"label": "x"}, ("clips.jsonl:2", "read row", "it names no clip")),
        ({"clip": None, "label": "x"}, ("clips.jsonl:2", "read row", "it names no clip")),
        ({"clip": 5, "label": "x"}, ("clips.jsonl:2", "read row", "not the name of a clip: 5")),
        (
            {"clip": "\ud83d.mp4", "label": "x"},
            ("clips.jsonl:2", "read name", "it is not UTF-8; rename the file"),
        ),
    ],
)
def test_rows_without_the_name_of_a_clip(folder, row, told):
    rows = [{"clip": "a.mp4", "label": "x"}, row]
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, letter = read(ClipTable(path=folder, table=Path("clips.jsonl")))
    assert (letter.key, letter.step, letter.reason) == told


@pytest.mark.parametrize("clip", [None, "", 5, ["a.mp4"]])
def test_labels_of_no_clip_are_an_error_with_their_line(folder, clip):
    rows = [{"clip": "a.mp4", "frame": 0, "label": "x"}, {"clip": clip, "frame": 1, "label": "x"}]
    if clip is None:
        del rows[1]["clip"]
    (folder / "frames.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=r"frames\.jsonl:2: expected the name of a clip, got "):
        read(ClipTable(path=folder, frame_labels=Path("frames.jsonl")))


def test_a_row_that_comes_twice_says_nothing_new(folder):
    for columns, row in (
        ("clip,frame,label", "a.mp4,1,x"),
        ("clip,start,end,label", "a.mp4,1,2,x"),
    ):
        (folder / "frames.csv").write_text(f"{columns}\n{row}\n{row}\n")
        first, *_ = read(ClipTable(path=folder, frame_labels=Path("frames.csv")))
        assert first.fields["segments"] == [(1, 2, "x")]


@pytest.mark.parametrize("frame", ["0.5", "1e-3", "nan", "inf", "-1", ""])
def test_frames_have_whole_numbers(folder, frame):
    (folder / "frames.csv").write_text(f"clip,frame,label\na.mp4,{frame},x\nb.mp4,1.0,x\n")
    found = read(ClipTable(path=folder, frame_labels=Path("frames.csv")))
    assert list(reasons(found)) == ["a.mp4", "c.mp4"]


def test_a_clip_is_found_however_its_accents_are_written(folder):
    composed, decomposed = (unicodedata.normalize(form, "café.mp4") for form in ("NFC", "NFD"))
    (folder / "a.mp4").rename(folder / decomposed)
    (folder / "clips.csv").write_text(f"clip,label\n{composed},x\nb.mp4,y\n", encoding="utf-8")
    (folder / "f.csv").write_text(f"clip,frame,label\n{decomposed},1,up\n", encoding="utf-8")
    found = read(ClipTable(path=folder, frame_labels=Path("f.csv")))
    assert reasons(found) == {}
    assert found[0].fields["segments"] == [(1, 2, "up")]
    assert found[0].fields["video"] == str(folder / decomposed)


def test_a_table_of_another_format_is_to_be_renamed(folder):
    (folder / "clips.csv").rename(folder / "clips.txt")
    with pytest.raises(
        UserError, match=r"called \.csv, \.tsv or \.jsonl, got clips\.txt; call it so"
    ):
        read(ClipTable(path=folder, table=Path("clips.txt")))


def test_labels_of_clips_that_are_not_there_are_told(folder):
    (folder / "frames.csv").write_text("clip,frame,label\nz.mp4,0,up\n")
    told = reasons(read(ClipTable(path=folder, frame_labels=Path("frames.csv"))))
    assert told["z.mp4"] == ("find clip", "clips.csv does not name it")


@pytest.mark.parametrize(
    ("files", "options", "told"),
    [
        ({"clips.csv": "file,label\n"}, {}, "expected a column called clip, got file, label; "),
        (
            {"clips.csv": "clip,label\na.mp4,x\n", "frames.csv": "clip,label\n"},
            {"frame_labels": Path("frames.csv")},
            "expected a column frame, or columns start and end, got clip, label",
        ),
        (
            {"clips.csv": "clip,label\na.mp4,x\n", "frames.csv": "clip,frame,label\na.mp4,1\n"},
            {"frame_labels": Path("frames.csv")},
            "frames.csv:2: expected a row, got 2 fields where 3 columns are named; correct it",
        ),
        ({}, {"table": Path("none.csv")}, "none.csv"),
    ],
)
def test_tables_that_are_wrong_as_a_whole(tmp_path, files, options, told):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as fault:
        ClipTable(path=tmp_path, **options).prepare(ignore)
    assert told in str(fault.value)


@pytest.fixture
def grid(tmp_path, write_clip):
    write_clip(tmp_path / "clips" / "s1" / "bbaf2n.mp4", [0, 50], rate=1)
    words = ["sil", "bin", "blue", "at", "f", "sp", "two", "now", "sil"]
    lines = [f"{5000 * n} {5000 * (n + 1)} {word}\n" for n, word in enumerate(words)]
    (tmp_path / "align" / "s1").mkdir(parents=True)
    (tmp_path / "align" / "s1" / "bbaf2n.align").write_text("".join(lines))
    return tmp_path


def test_grid(grid):
    (found,) = read(Grid(path=grid))
    assert (found.key, found.fields["clip_label"]) == ("s1/bbaf2n:00000000", "blue")
    assert found.fields["segments"][4:7] == [(0.8, 1.0, "f"), (1.0, 1.2, "sil"), (1.2, 1.4, "two")]
    assert found.fields["unit"] == "seconds"
    assert read(Grid(path=grid, clip_label="digit"))[0].fields["clip_label"] == "two"
    assert read(Grid(path=grid, clip_label=None))[0].fields["clip_label"] is None


def test_the_words_of_grid_are_those_of_its_table(shared_data):
    source = Grid(path=shared_data / "grid_s1")
    (partition, *_) = source.partitions()
    folder = shared_data / "grid_s1"
    table = ClipTable(path=folder, label="color", frame_labels=Path("frame_labels.csv"))
    (rows, *_) = table.partitions()
    assert [clip.clip_label for clip in partition] == [clip.clip_label for clip in rows]
    middles = (np.arange(75) + 0.5) / 25
    for clip, row in zip(partition, rows, strict=True):
        of_seconds = [next(w for s, e, w in clip.segments if t < e or e > 2.97) for t in middles]
        of_frames = [word for start, end, word in row.segments for _ in range(start, end)]
        assert of_seconds == of_frames


@pytest.mark.parametrize(
    ("alignment", "reason"),
    [
        (None, "there is no bbaf2n.align"),
        ("0 1 2 3\n", "line 1 is not start, end and word: '0 1 2 3'"),
        ("0 x sil\n", "a time is no number: 'x'"),
        ("0 5 sil\n5 9 bin\n", "1 words, a sentence has 6"),
        (b"\xff", "bbaf2n.align cannot be read"),
    ],
)
def test_wrong_alignments(grid, alignment, reason):
    path = grid / "align" / "s1" / "bbaf2n.align"
    path.unlink()
    if alignment is not None:
        path.write_bytes(alignment if isinstance(alignment, bytes) else alignment.encode())
    assert reasons(read(Grid(path=grid)))["s1/bbaf2n"][1] == reason


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\n7 7 sp\n", 1),
        lambda text: text + text.splitlines()[-1],
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["byte order mark", "pause of no length", "line twice", "CRLF"],
)
def test_alignments_that_say_no_more(grid, change):
    path = grid / "align" / "s1" / "bbaf2n.align"
    (before,) = read(Grid(path=grid))
    path.write_bytes(change(path.read_text()).encode())
    assert read(Grid(path=grid)) == [before]


def test_an_alignment_is_found_however_its_accents_are_written(grid):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    for folder, name, ending in (("clips", composed, "mp4"), ("align", decomposed, "align")):
        path = grid / folder / "s1" / f"bbaf2n.{ending}"
        path.rename(path.with_name(f"{name}.{ending}"))
    assert reasons(read(Grid(path=grid))) == {}


def test_a_word_of_no_length_is_a_fault(grid):
    path = grid / "align" / "s1" / "bbaf2n.align"
    path.write_text(path.read_text().replace("10000 15000 blue", "10000 10000 blue"))
    reason = reasons(read(Grid(path=grid)))["s1/bbaf2n"][1]
    assert reason == "'blue' goes from 0.4 to 0.4"


def test_what_lies_beside_the_videos_of_grid_is_no_video(grid):
    (grid / "clips" / "s1" / "._bbaf2n.mp4").write_bytes(b"\x00\x05\x16\x07")
    (grid / "clips" / "__MACOSX").mkdir()
    (grid / "clips" / "__MACOSX" / "x.mp4").touch()
    with open(os.path.join(os.fsencode(grid / "clips"), b"caf\xe9.mp4"), "wb"):
        pass
    found = read(Grid(path=grid))
    assert [each.key for each in found] == ["caf\\xe9", "s1/bbaf2n:00000000"]
    assert reasons(found)["caf\\xe9"] == ("read name", "it is not UTF-8; rename the file")


@pytest.mark.parametrize("missing", ["clips", "align"])
def test_grid_without_its_folders(grid, missing):
    (grid / missing).rename(grid / "moved")
    with pytest.raises(UserError, match="expected a folder with GRID's"):
        Grid(path=grid).prepare(ignore)


def test_grid_without_videos(grid):
    (grid / "clips" / "s1" / "bbaf2n.mp4").unlink()
    with pytest.raises(UserError, match=r"expected videos \(.mpg, .mp4, .avi\), got none"):
        Grid(path=grid).prepare(ignore)


def test_moving_shapes_are_written_once_and_always_the_same(tmp_path):
    one, two = (MovingShapes(path=tmp_path / name, clips=3, size=16, seed=4) for name in "ab")
    found = [read(source) for source in (one, two)]
    assert [each.fields["segments"] for each in found[0]] == [
        each.fields["segments"] for each in found[1]
    ]
    for path in one.raw_files():
        assert path.read_bytes() == (two.folder / path.relative_to(one.folder)).read_bytes()
    for each in found[0]:
        assert each.fields["clip_label"] in ROUTES
        assert {label for _, _, label in each.fields["segments"]} <= STEPS.keys()
    more = MovingShapes(path=tmp_path / "a", clips=4, size=16, seed=4)
    assert read(more)[0].fields["segments"] == found[0][0].fields["segments"]
