"""LibriSpeech's folders, as small ones."""

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.audio.librispeech import LibriSpeech
from rnnpipe.sources.source import Reference
from tests.sources.audio.writing import encode, tone
from tests.sources.reading import ignore_progress, read_all

SPEAKERS = "; a list of speakers\n84 | F | dev-clean | 8.0 | Christie\n19 | F | train | 25 | Kara\n"


def write_chapter(folder, subset, speaker, chapter, texts):
    place = folder / subset / speaker / chapter
    names = [f"{speaker}-{chapter}-{number:04d}" for number in range(len(texts))]
    for name in names:
        encode(place / f"{name}.flac", tone(0.1))
    lines = [f"{name} {text}\n" for name, text in zip(names, texts, strict=True)]
    (place / f"{speaker}-{chapter}.trans.txt").write_text("".join(lines))
    return place


@pytest.fixture
def folder(tmp_path):
    write_chapter(tmp_path, "train-clean-100", "19", "198", ["ONE TWO", "THREE"])
    write_chapter(tmp_path, "train-other-500", "20", "205", ["FOUR"])
    write_chapter(tmp_path, "dev-clean", "84", "121123", ["FIVE"])
    write_chapter(tmp_path, "test-clean", "61", "70968", ["SIX"])
    (tmp_path / "extra").mkdir()
    return tmp_path


def reasons(found):
    return {each.key: (each.step, each.reason) for each in found if isinstance(each, DeadLetter)}


def test_lines_are_the_texts_of_the_sounds_beside_them(folder):
    found = {each.key: each for each in read_all(LibriSpeech(path=folder))}
    first, second = "19-198-0000.flac", "19-198-0001.flac"
    place = "train-clean-100/19/198"
    assert found.pop(f"{place}/{first}") == Reference(
        f"{place}/{first}",
        "19",
        "train",
        {
            "sound": str(folder / place / first),
            "start": None,
            "end": None,
            "text": "ONE TWO",
            "speaker": "19",
        },
        file=f"{place}/{first}",
    )
    assert {key: (each.split, each.fields["text"]) for key, each in found.items()} == {
        f"{place}/{second}": ("train", "THREE"),
        "train-other-500/20/205/20-205-0000.flac": ("train", "FOUR"),
        "dev-clean/84/121123/84-121123-0000.flac": ("validation", "FIVE"),
        "test-clean/61/70968/61-70968-0000.flac": ("test", "SIX"),
    }


def test_subsets_may_be_chosen(folder):
    source = LibriSpeech(
        path=folder, subsets={"train": ("train-other-500",), "test": ("dev-clean",)}
    )
    assert {each.split: each.fields["text"] for each in read_all(source)} == {
        "train": "FOUR",
        "test": "FIVE",
    }
    assert source.settings != LibriSpeech(path=folder).settings
    assert source.notices == []


def test_folders_that_are_not_read_and_speakers_of_two_splits_are_reported(folder):
    write_chapter(folder, "test-other", "19", "300", ["SEVEN"])
    (folder / "SPEAKERS.TXT").write_text(SPEAKERS)
    speakers, unread, unlisted = LibriSpeech(path=folder).notices
    assert speakers == "data.source: 1 of the 2 speakers of test speaks in train too"
    assert unread.startswith("data.source: extra/ is not read; name what is to be read in")
    assert unlisted == "data.source: SPEAKERS.TXT does not list 2 speakers: 20, 61"


def test_what_has_no_counterpart_is_a_dead_letter(folder):
    place = folder / "train-clean-100/19/198"
    chapter = "train-clean-100/19/198/19-198.trans.txt"
    with (place / "19-198.trans.txt").open("a") as file:
        file.write("\n19-198-0005 NO SOUND\n19-198-0001 ANOTHER\n19-198-0002\n")
    for name in ("19-198-0002.flac", "19-198-0009.flac"):
        (place / name).write_bytes((place / "19-198-0000.flac").read_bytes())
    found = read_all(LibriSpeech(path=folder))
    differ = ("read text", "2 lines of 19-198-0001 differ")
    assert reasons(found) == {
        f"{chapter}:2": differ,
        f"{chapter}:4": ("find sound", "no sound is called 19-198-0005"),
        f"{chapter}:5": differ,
        f"{chapter}:6": ("read text", "the text is empty"),
        "train-clean-100/19/198/19-198-0009.flac": (
            *("read text", "no .trans.txt file beside it has its text"),
        ),
    }


@pytest.mark.parametrize(
    ("subsets", "message"),
    [
        (None, "expected folders of which one is for training, got extra"),
        ({"train": ("none",)}, "none: expected a folder with a subset, got nothing there"),
        ({"train": ("extra",)}, "expected files called ….trans.txt, got none"),
    ],
)
def test_folders_without_texts_are_refused(tmp_path, subsets, message):
    (tmp_path / "extra").mkdir()
    with pytest.raises(UserError) as fault:
        LibriSpeech(path=tmp_path, subsets=subsets).prepare(ignore_progress)
    assert message in str(fault.value)
