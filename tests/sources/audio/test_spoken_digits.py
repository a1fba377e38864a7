"""Recordings of single digits."""

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.audio.spoken_digits import SpokenDigits
from tests.sources.audio.writing import tone, write_wav
from tests.sources.reading import read_all


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recordings").mkdir()
    for index in (0, 4, 5, 12):
        write_wav(tmp_path / f"recordings/7_ann_lee_{index}.wav", tone(0.05))
    write_wav(tmp_path / "recordings/0_bo_3.wav", tone(0.05))
    return tmp_path


def test_a_name_has_digit_speaker_and_split(folder):
    found = read_all(SpokenDigits(path=folder))
    assert [
        (each.key, each.fields["text"], each.fields["speaker"], each.split) for each in found
    ] == [
        ("0_bo_3.wav", "zero", "bo", "test"),
        ("7_ann_lee_0.wav", "seven", "ann_lee", "test"),
        ("7_ann_lee_4.wav", "seven", "ann_lee", "test"),
        ("7_ann_lee_5.wav", "seven", "ann_lee", "train"),
        ("7_ann_lee_12.wav", "seven", "ann_lee", "train"),
    ]


def test_validation_is_held_out_by_recordings_and_not_by_speakers(folder):
    source = SpokenDigits(path=folder)
    assert source.split_names == {"train", "test"}
    assert [each.group for each in read_all(source)] == [each.key for each in read_all(source)]


def test_sounds_that_are_called_otherwise_are_a_notice(folder):
    write_wav(folder / "recordings/seven.wav", tone(0.05))
    source = SpokenDigits(path=folder)
    assert len(read_all(source)) == 5
    (notice,) = [notice for notice in source.notices if "not read" in notice]
    assert "seven.wav is not read; recordings are called <digit>_<speaker>_<index>.wav" in notice


def test_a_folder_without_recordings_is_refused(tmp_path):
    for recordings in (".", "recordings"):
        with pytest.raises(UserError, match=r"correct data\.source\.path or recordings"):
            read_all(SpokenDigits(path=tmp_path, recordings=recordings))
