"""Tables of clips and of frames: their rows, and the dead letters of the wrong ones."""

import json
import math
import unicodedata
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.table import ClipTable
from tests.sources.reading import ignore_progress
from tests.sources.videos.reading import read_source, reasons


def test_a_table_of_clips_is_joined_with_one_of_frames(folder):
    rows = [("a", 0, "up"), ("a", 1, "up"), ("a", 3, "down"), ("c", 2, "up")]
    lines = [f"{clip}.mp4,{frame},{label}\n" for clip, frame, label in rows]
    (folder / "frames.csv").write_text("clip,frame,label\n" + "".join(lines))
    found = read_source(ClipTable(path=folder, split="split", frame_labels=Path("frames.csv")))
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


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize(
    "name", ["../secret/o.mp4", "x/../../secret/o.mp4", "..\\secret\\o.mp4", "{}/secret/o.mp4"]
)
def test_a_table_names_no_clip_outside_of_its_folder(tmp_path, write_clip, form, name):
    (tmp_path / "secret").mkdir()
    (tmp_path / "raw").mkdir()
    for place in ("secret/o.mp4", "raw/a.mp4"):
        write_clip(tmp_path / place, [1, 2])
    name = name.format(tmp_path)
    rows = [{"clip": name, "label": "walk"}, {"clip": "a.mp4", "label": "run"}]
    mark = {"csv": ",", "tsv": "\t"}.get(form)
    lines = [json.dumps(row) if mark is None else mark.join(row.values()) for row in rows]
    header = [] if mark is None else [mark.join(rows[0])]
    (tmp_path / "raw" / f"clips.{form}").write_text("\n".join([*header, *lines, ""]))
    source = ClipTable(path=tmp_path / "raw", table=Path(f"clips.{form}"))
    found = read_source(source)
    (told,) = reasons(found).values()
    assert told == ("find clip", f"{name} is not inside the folder")
    assert [path.name for path in source.raw_files()] == [f"clips.{form}", "a.mp4"]


def test_a_playlist_is_no_clip(folder):
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{folder}/a.mp4\n#EXT-X-ENDLIST\n"
    (folder / "list.m3u8").write_text(text)
    (folder / "clips.csv").write_text("clip,label\nlist.m3u8,walk\n")
    reason = "a list of other files, which may lie anywhere"
    assert reasons(read_source(ClipTable(path=folder))) == {"list.m3u8": ("read video", reason)}


def test_frames_may_be_labelled_in_seconds(folder):
    (folder / "frames.csv").write_text("clip,start,end,label\na.mp4,0.2,0.4,b\na.mp4,0,0.2,a\n")
    found = read_source(ClipTable(path=folder, frame_labels=Path("frames.csv")))
    assert found[0].fields["segments"] == [(0, 0.2, "a"), (0.2, 0.4, "b")]
    assert found[0].fields["unit"] == "seconds"


def test_bad_rows_are_dead_letters(folder):
    (folder / "clips.csv").write_text(
        "clip,label,split\n,walk,train\na.mp4,walk,never\nb.mp4,walk\nc.mp4,,train\nd.mp4,run,test\n"
    )
    dead_letters = reasons(read_source(ClipTable(path=folder, split="split")))
    assert dead_letters == {
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
def test_wrong_labels_of_frames_reject_their_clip_alone(folder, rows, reason):
    (folder / "frames.csv").write_text(f"clip,start,end,label\n{rows}")
    dead_letters = reasons(read_source(ClipTable(path=folder, frame_labels=Path("frames.csv"))))
    assert dead_letters["a.mp4"] == ("read labels", reason)
    assert "b.mp4" not in dead_letters


@pytest.mark.parametrize(
    ("label", "clip_label"), [(0, "0"), (7, "7"), ("0", "0"), ("walk ", "walk")]
)
def test_labels_of_json_are_text_or_whole_numbers(folder, label, clip_label):
    rows = [{"clip": "a.mp4", "label": label}, {"clip": "b.mp4", "label": "x"}]
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, _ = read_source(ClipTable(path=folder, table=Path("clips.jsonl")))
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
    dead_letters = reasons(read_source(source))
    assert list(dead_letters) == ["b.mp4"]
    assert dead_letters["b.mp4"][0] == "read label"


@pytest.mark.parametrize(
    ("row", "message"),
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
def test_rows_without_the_name_of_a_clip_are_dead_letters(folder, row, message):
    rows = [{"clip": "a.mp4", "label": "x"}, row]
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, letter = read_source(ClipTable(path=folder, table=Path("clips.jsonl")))
    assert (letter.key, letter.step, letter.reason) == message


@pytest.mark.parametrize("clip", [None, "", 5, ["a.mp4"]])
def test_labels_of_no_clip_are_an_error_with_their_line(folder, clip):
    rows = [{"clip": "a.mp4", "frame": 0, "label": "x"}, {"clip": clip, "frame": 1, "label": "x"}]
    if clip is None:
        del rows[1]["clip"]
    (folder / "frames.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=r"frames\.jsonl:2: expected the name of a clip, got "):
        read_source(ClipTable(path=folder, frame_labels=Path("frames.jsonl")))


def test_a_repeated_row_is_ignored(folder):
    for columns, row in (
        ("clip,frame,label", "a.mp4,1,x"),
        ("clip,start,end,label", "a.mp4,1,2,x"),
    ):
        (folder / "frames.csv").write_text(f"{columns}\n{row}\n{row}\n")
        first, *_ = read_source(ClipTable(path=folder, frame_labels=Path("frames.csv")))
        assert first.fields["segments"] == [(1, 2, "x")]


@pytest.mark.parametrize("frame", ["0.5", "1e-3", "nan", "inf", "-1", ""])
def test_frames_have_whole_numbers(folder, frame):
    (folder / "frames.csv").write_text(f"clip,frame,label\na.mp4,{frame},x\nb.mp4,1.0,x\n")
    found = read_source(ClipTable(path=folder, frame_labels=Path("frames.csv")))
    assert list(reasons(found)) == ["a.mp4", "c.mp4"]


def test_a_clip_matches_in_any_unicode_normalization(folder):
    composed, decomposed = (unicodedata.normalize(form, "café.mp4") for form in ("NFC", "NFD"))
    (folder / "a.mp4").rename(folder / decomposed)
    (folder / "clips.csv").write_text(f"clip,label\n{composed},x\nb.mp4,y\n", encoding="utf-8")
    (folder / "f.csv").write_text(f"clip,frame,label\n{decomposed},1,up\n", encoding="utf-8")
    found = read_source(ClipTable(path=folder, frame_labels=Path("f.csv")))
    assert reasons(found) == {}
    assert found[0].fields["segments"] == [(1, 2, "up")]
    assert found[0].fields["video"] == str(folder / decomposed)


def test_a_table_of_another_format_is_refused(folder):
    (folder / "clips.csv").rename(folder / "clips.txt")
    with pytest.raises(
        UserError, match=r"called \.csv, \.tsv or \.jsonl, got clips\.txt; call it so"
    ):
        read_source(ClipTable(path=folder, table=Path("clips.txt")))


def test_labels_of_missing_clips_are_reported(folder):
    (folder / "frames.csv").write_text("clip,frame,label\nz.mp4,0,up\n")
    dead_letters = reasons(read_source(ClipTable(path=folder, frame_labels=Path("frames.csv"))))
    assert dead_letters["z.mp4"] == ("find clip", "clips.csv does not name it")


@pytest.mark.parametrize(
    ("files", "options", "message"),
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
def test_malformed_tables_are_refused(tmp_path, files, options, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as fault:
        ClipTable(path=tmp_path, **options).prepare(ignore_progress)
    assert message in str(fault.value)


@pytest.mark.parametrize("other", ["a.mp4,run,train", "a.mp4,walk,test"])
def test_rows_of_a_clip_that_differ_are_dead_letters_all(folder, other):
    rows = f"a.mp4,walk,train\n{other}\nb.mp4,x,val\n"
    (folder / "clips.csv").write_text(f"clip,label,split\n{rows}")
    found = read_source(ClipTable(path=folder, split="split"))
    letters = [each for each in found if isinstance(each, DeadLetter)]
    assert [(each.key, each.reason) for each in letters] == [("a.mp4", "2 rows of it differ")] * 2
    assert {each.group for each in found if isinstance(each, Reference)} == {"b.mp4"}


def test_a_clip_is_found_by_a_path_as_windows_has_it(folder, write_clip):
    (folder / "more").mkdir()
    write_clip(folder / "more/d.mp4", [10, 20])
    (folder / "clips.csv").write_text("clip,label\nmore\\d.mp4,walk\na.mp4,run\n")
    found = read_source(ClipTable(path=folder))
    assert {Path(each.fields["video"]).name for each in found} == {"a.mp4", "d.mp4"}
