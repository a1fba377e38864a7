"""The GRID corpus: clips, and the words that are spoken in them."""

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.table import ClipTable
from tests.sources.reading import ignore_progress
from tests.sources.videos.reading import read_source, reasons


def test_clips_have_labels_and_words(grid):
    (found,) = read_source(Grid(path=grid))
    assert (found.key, found.fields["clip_label"]) == ("s1/bbaf2n:00000000", "blue")
    assert found.fields["segments"][4:7] == [(0.8, 1.0, "f"), (1.0, 1.2, "sil"), (1.2, 1.4, "two")]
    assert found.fields["unit"] == "seconds"
    assert read_source(Grid(path=grid, clip_label="digit"))[0].fields["clip_label"] == "two"
    assert read_source(Grid(path=grid, clip_label=None))[0].fields["clip_label"] is None


def test_the_words_of_grid_equal_those_of_its_table(shared_data):
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
def test_wrong_alignments_are_dead_letters(grid, alignment, reason):
    path = grid / "align" / "s1" / "bbaf2n.align"
    path.unlink()
    if alignment is not None:
        path.write_bytes(alignment if isinstance(alignment, bytes) else alignment.encode())
    assert reasons(read_source(Grid(path=grid)))["s1/bbaf2n"][1] == reason


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\n7 7 sp\n", 1),
        lambda text: text + text.splitlines()[-1],
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n \r\n\n",
    ],
    ids=["byte order mark", "pause of no length", "line twice", "CRLF", "blank lines"],
)
def test_equivalent_alignment_files_are_read_alike(grid, change):
    path = grid / "align" / "s1" / "bbaf2n.align"
    (before,) = read_source(Grid(path=grid))
    path.write_bytes(change(path.read_text()).encode())
    assert read_source(Grid(path=grid)) == [before]


def test_an_alignment_matches_in_any_unicode_normalization(grid):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    for folder, name, ending in (("clips", composed, "mp4"), ("align", decomposed, "align")):
        path = grid / folder / "s1" / f"bbaf2n.{ending}"
        path.rename(path.with_name(f"{name}.{ending}"))
    assert reasons(read_source(Grid(path=grid))) == {}


def test_a_word_of_no_length_is_a_dead_letter(grid):
    path = grid / "align" / "s1" / "bbaf2n.align"
    path.write_text(path.read_text().replace("10000 15000 blue", "10000 10000 blue"))
    reason = reasons(read_source(Grid(path=grid)))["s1/bbaf2n"][1]
    assert reason == "'blue' goes from 0.4 to 0.4"


def test_other_files_beside_the_videos_are_ignored(grid):
    (grid / "clips" / "s1" / "._bbaf2n.mp4").write_bytes(b"\x00\x05\x16\x07")
    (grid / "clips" / "__MACOSX").mkdir()
    (grid / "clips" / "__MACOSX" / "x.mp4").touch()
    with open(os.path.join(os.fsencode(grid / "clips"), b"caf\xe9.mp4"), "wb"):
        pass
    found = read_source(Grid(path=grid))
    assert [each.key for each in found] == ["caf\\xe9", "s1/bbaf2n:00000000"]
    assert reasons(found)["caf\\xe9"] == ("read name", "it is not UTF-8; rename the file")


@pytest.mark.parametrize("missing", ["clips", "align"])
def test_missing_folders_of_grid_are_refused(grid, missing):
    (grid / missing).rename(grid / "moved")
    with pytest.raises(UserError, match="expected a folder with GRID's"):
        Grid(path=grid).prepare(ignore_progress)


def test_a_grid_without_videos_is_refused(grid):
    (grid / "clips" / "s1" / "bbaf2n.mp4").unlink()
    with pytest.raises(UserError, match=r"expected videos \(.mpg, .mp4, .avi\), got none"):
        Grid(path=grid).prepare(ignore_progress)
