"""Sounds with a text beside each."""

import os
import unicodedata
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.audio.text_files import TextFiles
from rnnpipe.sources.source import Reference
from tests.sources.audio.writing import tone, write_wav
from tests.sources.reading import ignore_progress, read_all


def lay(folder, sounds=(), texts=None):
    for name in sounds:
        write_wav(folder / name, tone(0.1))
    for name, text in (texts or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def texts_of(found):
    return {each.key: each.fields["text"] for each in found if isinstance(each, Reference)}


def reasons(found):
    return {each.key: (each.step, each.reason) for each in found if isinstance(each, DeadLetter)}


def test_a_text_is_called_like_its_sound(tmp_path):
    texts = {"a.txt": "one\n", "x/b.lab": "two", "x/c.wav.txt": "three", "d.TXT": "four"}
    lay(tmp_path, ["a.wav", "x/b.WAV", "x/c.wav", "d.wav"], texts)
    found = read_all(TextFiles(path=tmp_path))
    expected = {"a.wav": "one", "x/b.WAV": "two", "x/c.wav": "three", "d.wav": "four"}
    assert texts_of(found) == expected
    assert not reasons(found)
    assert {each.split for each in found} == {"train"}


def test_what_has_no_counterpart_is_a_dead_letter(tmp_path):
    texts = {"b.txt": "two", "c.txt": "", "d.txt": "x", "d.lab": "y", "README.txt": "about it"}
    lay(tmp_path, ["a.wav", "c.wav", "d.wav", "e.wav"], texts)
    (tmp_path / "e.txt").write_bytes(b"caf\xe9")
    assert reasons(read_all(TextFiles(path=tmp_path))) == {
        "a.wav": ("read text", "no text is called like it"),
        "b.txt": ("find sound", "no sound is called like it"),
        "c.wav": ("read text", "the text is empty"),
        "d.wav": ("read text", "2 texts are called like it: d.lab, d.txt"),
        "e.wav": ("decode text", "byte 0xe9 at 3 is no utf-8"),
    }


def test_labels_with_times_are_no_text_but_digits_are(tmp_path):
    labels = "0 4000000 sil\n4000000 9000000 one\n"
    lay(tmp_path, ["a.wav", "b.wav"], {"a.lab": labels, "b.lab": "1 2 3\n"})
    found = read_all(TextFiles(path=tmp_path))
    assert reasons(found) == {"a.wav": ("read text", "a.lab has times and labels, no text")}
    assert texts_of(found) == {"b.wav": "1 2 3"}


def test_numbers_of_thousands_of_digits_are_a_text(tmp_path):
    lay(tmp_path, ["a.wav"], {"a.txt": f"{'9' * 5000} 1 one\n1 2 two\n"})
    (found,) = TextFiles(path=tmp_path).find_items()
    assert found.text.startswith("9999")


def test_folders_at_the_top_are_splits_if_one_is_for_training(tmp_path):
    names = ["train/a", "train-other/b", "dev/c", "test/x/d", "more/e", "f"]
    lay(tmp_path, [f"{n}.wav" for n in names], {f"{n}.txt": "one" for n in names})
    source = TextFiles(path=tmp_path)
    assert {each.key: each.split for each in read_all(source)} == {
        "dev/c.wav": "validation",
        "test/x/d.wav": "test",
        "train-other/b.wav": "train",
        "train/a.wav": "train",
    }
    (notice,) = source.notices
    assert notice.startswith("data.source: f.wav, more are not read; lay it into a folder called")


def test_texts_may_lie_in_folders_of_their_own_and_speakers_be_folders(tmp_path):
    names = ["p1/a", "p2/b"]
    lay(
        tmp_path,
        [f"wav/{n}.wav" for n in names],
        {f"txt/{n}.txt": n for n in names},
    )
    source = TextFiles(path=tmp_path, sounds=Path("wav"), texts=Path("txt"), speaker_folders=True)
    found = read_all(source)
    assert texts_of(found) == {"p1/a.wav": "p1/a", "p2/b.wav": "p2/b"}
    assert [(each.group, each.fields["speaker"]) for each in found] == [("p1", "p1"), ("p2", "p2")]
    assert sorted(path.name for path in source.raw_files()) == ["a.txt", "a.wav", "b.txt", "b.wav"]


def test_names_match_in_any_unicode_normalization(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    lay(tmp_path, [f"{composed}.wav"], {f"{decomposed}.txt": "one"})
    assert list(texts_of(read_all(TextFiles(path=tmp_path))).values()) == ["one"]


def test_names_that_are_not_utf_8_are_dead_letters(tmp_path):
    lay(tmp_path, ["a.wav"], {"a.txt": "one"})
    content = (tmp_path / "a.wav").read_bytes()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")).write_bytes(content)
    found = read_all(TextFiles(path=tmp_path))
    assert reasons(found) == {"caf\\xe9.wav": ("read name", "it is not UTF-8; rename the file")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "expected sounds (.wav, .flac, .mp3, …), got none"),
        ({"texts": Path("none")}, "expected a folder with texts, got nothing there"),
    ],
)
def test_folders_without_sounds_or_texts_are_refused(tmp_path, options, message):
    with pytest.raises(UserError) as fault:
        TextFiles(path=tmp_path, **options).prepare(ignore_progress)
    assert message in str(fault.value)


def test_an_encoding_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected an encoding such as utf-8"):
        TextFiles(path=tmp_path, encoding="none")
