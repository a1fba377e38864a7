"""Tables of utterances: their rows, and the dead letters of the wrong ones."""

import json
import pickle
import unicodedata
from pathlib import Path

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.source import Reference
from tests.sources.audio.writing import tone, write_wav
from tests.sources.reading import ignore_progress, read_all

TIMES = {"start": "start", "end": "end"}


@pytest.fixture
def folder(tmp_path):
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wav(tmp_path / name, tone(0.1))
    return tmp_path


def write_table(folder, *rows, name="utterances.csv"):
    (folder / name).write_text("\n".join([*rows, ""]), encoding="utf-8")


def reasons(found):
    return {each.key: (each.step, each.reason) for each in found if isinstance(each, DeadLetter)}


def test_a_row_is_an_utterance(folder):
    write_table(
        folder,
        "sound,says,from,to,who,part",
        "a.wav,one two,0.5,1.25,ann,train",
        "a.wav,three,1.25,,ann,train",
        "b.wav,four,,,7,dev",
        "c.wav,five,,,,test",
    )
    columns = {"text": "says", "start": "from", "end": "to", "speaker": "who", "split": "part"}
    found = read_all(UtteranceTable(path=folder, file="sound", **columns))
    fields = {
        "sound": str(folder / "a.wav"),
        "start": 0.5,
        "end": 1.25,
        "text": "one two",
        "speaker": "ann",
    }
    assert found[0] == Reference(
        "a.wav:00000.500000-00001.250000", "ann", "train", fields, file="a.wav"
    )
    assert [(each.key, each.group, each.split) for each in found[1:]] == [
        ("a.wav:00001.250000-", "ann", "train"),
        ("b.wav", "7", "validation"),
        ("c.wav", "c.wav", "test"),
    ]
    assert found[1].fields["end"] is None


def test_recordings_may_stay_together_in_the_place_of_speakers(folder):
    write_table(folder, "file,text,speaker", "a.wav,one,ann", "b.wav,two,ann")
    options = {"path": folder, "speaker": "speaker"}
    together, apart = (
        UtteranceTable(**options, group_by=group) for group in ("speaker", "recording")
    )
    assert [each.group for each in read_all(together)] == ["ann", "ann"]
    assert [each.group for each in read_all(apart)] == ["a.wav", "b.wav"]
    assert together.settings != apart.settings


def test_bad_rows_are_dead_letters(folder):
    write_table(
        folder,
        "file,text,start,end,speaker,split",
        ",one,0,1,ann,train",
        "a.wav,,0,1,ann,train",
        "a.wav,two,x,1,ann,train",
        "b.wav,two,1,1,ann,train",
        "c.wav,two,-1,1,ann,train",
        "d.wav,two,0,1,ann,never",
        "../e.wav,two,0,1,ann,train",
        "f.wav,two,0,1",
    )
    source = UtteranceTable(path=folder, speaker="speaker", split="split", **TIMES)
    assert reasons(read_all(source)) == {
        "utterances.csv:2": ("read row", "it names no sound"),
        "utterances.csv:3": ("read text", "the text is empty"),
        "utterances.csv:4": ("read times", "start is no number: 'x'"),
        "utterances.csv:5": ("read times", "it goes from 1 to 1"),
        "utterances.csv:6": ("read times", "it goes from -1 to 1"),
        "utterances.csv:7": ("read row", "'never' is no split"),
        "utterances.csv:8": ("find sound", "../e.wav is not inside the folder"),
        "utterances.csv:9": ("read row", "4 fields where 6 columns are named"),
    }


def test_a_sound_without_text_is_a_dead_letter(folder):
    write_table(folder, "file,text", "a.wav,one", "b.wav,", "c.wav,  ")
    expected = ("read text", "the text is empty")
    found = read_all(UtteranceTable(path=folder))
    assert reasons(found) == {"utterances.csv:3": expected, "utterances.csv:4": expected}
    assert [each.source for each in found if isinstance(each, DeadLetter)] == ["b.wav", "c.wav"]


@pytest.mark.parametrize("end", [True, "1:30", "nan", [1], {"s": 1}])
def test_times_are_numbers(folder, end):
    rows = [{"file": "a.wav", "text": "one", "end": end}, {"file": "b.wav", "text": "one"}]
    write_table(folder, *map(json.dumps, rows), name="u.jsonl")
    found = read_all(UtteranceTable(path=folder, table=Path("u.jsonl"), end="end"))
    assert [*reasons(found)] == ["u.jsonl:1"]
    assert found[1].fields["end"] is None


@pytest.mark.parametrize("text", [5, None, ["one"], "\ud83d"])
def test_texts_are_text(folder, text):
    rows = [{"file": "a.wav", "text": text}, {"file": "b.wav", "text": "one"}]
    write_table(folder, *map(json.dumps, rows), name="u.jsonl")
    found = read_all(UtteranceTable(path=folder, table=Path("u.jsonl")))
    assert [*reasons(found)] == ["u.jsonl:1"]


@pytest.mark.parametrize("other", ["a.wav,two,0.0,1,train", "a.wav,one,,1,test"])
def test_rows_of_a_span_that_differ_are_dead_letters_all(folder, other):
    write_table(
        folder, "file,text,start,end,split", "a.wav,one,0,1,train", other, "a.wav,x,1,2,train"
    )
    found = read_all(UtteranceTable(path=folder, split="split", **TIMES))
    letters = [each for each in found if isinstance(each, DeadLetter)]
    assert [each.reason for each in letters] == ["2 rows of it differ"] * 2
    assert [each.fields["text"] for each in found if isinstance(each, Reference)] == ["x"]


def test_names_match_in_any_unicode_normalization(folder):
    composed, decomposed = (unicodedata.normalize(form, "café.wav") for form in ("NFC", "NFD"))
    (folder / "a.wav").rename(folder / decomposed)
    write_table(folder, "file,text", f"{composed},one", "b.wav,two")
    source = UtteranceTable(path=folder)
    assert read_all(source)[0].fields["sound"] == str(folder / decomposed)
    assert source.notices == ["data.source: utterances.csv does not name c.wav, not read"]


def test_speakers_of_several_splits_are_reported(folder):
    write_table(
        folder,
        "file,text,speaker,split",
        "a.wav,one,ann,train",
        "b.wav,one,ann,test",
        "c.wav,one,bob,test",
    )
    source = UtteranceTable(path=folder, speaker="speaker", split="split")
    assert source.notices == ["data.source: 1 of the 2 speakers of test speaks in train too"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "says"}, "expected a column called says, got file, text; name the right one as"),
        ({"table": Path("none.csv")}, "none.csv"),
        ({"table": Path("a.wav")}, "called .csv, .tsv or .jsonl, got a.wav; call it so"),
    ],
)
def test_malformed_tables_are_refused(folder, options, message):
    write_table(folder, "file,text", "a.wav,one")
    with pytest.raises(UserError) as fault:
        UtteranceTable(path=folder, **options).prepare(ignore_progress)
    assert message in str(fault.value)


def test_pickled_sources_contain_no_utterances(folder):
    write_table(folder, "file,text", "a.wav,one")
    source = UtteranceTable(path=folder)
    before = pickle.dumps(source)
    source.prepare(ignore_progress)
    assert pickle.dumps(source) == before
    json.dumps(source.settings)


def test_the_table_and_the_sounds_are_raw_files(folder):
    write_table(folder, "file,text", "a.wav,one", "none.wav,two")
    source = UtteranceTable(path=folder)
    assert [path.name for path in source.raw_files()] == ["utterances.csv", "a.wav"]
