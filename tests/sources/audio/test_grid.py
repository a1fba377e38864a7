"""The sound of GRID: sentences of names, splits of a table."""

import pytest

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.audio.grid import GridAudio, sentence_of
from tests.sources.audio.writing import tone, write_wav
from tests.sources.reading import read_all


def write_sounds(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_wav(folder / name, tone(0.05))


def write_table(folder, *rows):
    (folder / "utterances.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("bbaf3s", "bin blue at f three soon"),
        ("lgbzzn", "lay green by z zero now"),
        ("audio/s12/prix9a.flac", "place red in x nine again"),
        ("SWWA1P.WAV", "set white with a one please"),
    ],
)
def test_a_name_encodes_a_sentence(name, sentence):
    assert sentence_of(name) == sentence


@pytest.mark.parametrize(
    "name", ["bbaf3", "bbaf3ss", "xbaf3s", "bxaf3s", "bbxf3s", "bbaw3s", "bbaf0s", "bbaf3x", ""]
)
def test_other_names_encode_none(name):
    with pytest.raises(BadRecord, match="encodes no sentence of GRID"):
        sentence_of(name)


def test_splits_come_from_the_table(tmp_path):
    write_sounds(tmp_path, "audio/bbaf3s.wav", "audio/lgbzzn.wav", "audio/pria1a.wav")
    write_table(
        tmp_path,
        "file,split,sentence",
        "audio/bbaf3s.wav,train,bin blue at f three soon",
        "audio/lgbzzn.wav,val,lay green by z zero now",
        "audio/pria1a.wav,test,place red in a one again",
    )
    source = GridAudio(path=tmp_path)
    found = read_all(source)
    assert [(each.key, each.split, each.fields["text"]) for each in found] == [
        ("audio/bbaf3s.wav", "train", "bin blue at f three soon"),
        ("audio/lgbzzn.wav", "validation", "lay green by z zero now"),
        ("audio/pria1a.wav", "test", "place red in a one again"),
    ]
    assert {each.fields["speaker"] for each in found} == {""}
    assert source.split_names == {"train", "validation", "test"}
    assert source.notices == []


def test_without_a_table_all_is_training_data_of_the_speakers_folders(tmp_path):
    write_sounds(tmp_path, "s1/bbaf3s.wav", "s2/bbaf3s.wav", "s2/lgbzzn.wav", "s2/notes.wav")
    *found, bad = sorted(
        read_all(GridAudio(path=tmp_path, sounds=".", table=None)), key=lambda each: each.key
    )
    assert [(each.key, each.split, each.fields["speaker"]) for each in found] == [
        ("s1/bbaf3s.wav", "train", "s1"),
        ("s2/bbaf3s.wav", "train", "s2"),
        ("s2/lgbzzn.wav", "train", "s2"),
    ]
    assert [each.group for each in found] == ["s1", "s2", "s2"]
    assert isinstance(bad, DeadLetter)
    assert (bad.key, bad.step) == ("s2/notes.wav", "read name")


def test_wrong_rows_are_dead_letters_and_left_out_sounds_a_notice(tmp_path):
    write_sounds(tmp_path, "audio/bbaf3s.wav", "audio/lgbzzn.wav", "audio/pria1a.wav")
    write_table(
        tmp_path,
        "file,split,sentence",
        "audio/bbaf3s.wav,train,bin blue at f four soon",
        "audio/lgbzzn.wav,later,lay green by z zero now",
        "../bbaf3s.wav,train,bin blue at f three soon",
        "audio/x.wav,train,bin blue",
    )
    source = GridAudio(path=tmp_path)
    assert [(each.source, each.step) for each in read_all(source)] == [
        ("audio/bbaf3s.wav", "read row"),
        ("audio/lgbzzn.wav", "read row"),
        ("utterances.csv", "find sound"),
        ("audio/x.wav", "read name"),
    ]
    (notice,) = source.notices
    assert "utterances.csv does not name audio/pria1a.wav" in notice


def test_a_missing_table_or_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="GRID's sounds"):
        GridAudio(path=tmp_path).prepare(lambda done, total: None)
    (tmp_path / "audio").mkdir()
    with pytest.raises(UserError, match=r"utterances\.csv"):
        GridAudio(path=tmp_path).prepare(lambda done, total: None)
    with pytest.raises(UserError, match="expected sounds"):
        GridAudio(path=tmp_path, table=None).prepare(lambda done, total: None)
