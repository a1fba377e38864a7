"""Digits joined at random, as a source of speech."""

import csv
import wave

import numpy as np
import pytest

from rnnpipe.audio import make_wav, to_int16
from rnnpipe.errors import UserError
from rnnpipe.sources.audio.grid import DIGITS
from rnnpipe.sources.generated.connected_digits import ConnectedDigits
from tests.sources.reading import read_all

RATE = 8000


def level(digit, index):
    """What all samples of a recording are: no two recordings have the same."""
    return (20 * (digit + 1) + index) / 300


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for digit in (0, 3, 8):
        for speaker in ("ann", "bo"):
            for index in range(12):
                samples = np.full(80 + index, level(digit, index), "float32")
                (folder / f"{digit}_{speaker}_{index}.wav").write_bytes(make_wav(samples, RATE))
    return folder


@pytest.fixture(scope="module")
def source(recordings, tmp_path_factory):
    path = tmp_path_factory.mktemp("connected")
    source = ConnectedDigits(recordings=recordings, path=path, utterances=30)
    return source, read_all(source)


def read_rows(source):
    with (source.folder / "utterances.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read_wav(path):
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_utterances_have_3_to_7_digits_and_their_words(source):
    source, found = source
    assert [each.split for each in found] == ["train"] * 30 + ["validation"] * 3 + ["test"] * 3
    lengths = {len(each.fields["text"].split()) for each in found}
    assert lengths == {3, 4, 5, 6, 7}
    for row, each in zip(read_rows(source), found, strict=True):
        names = row["recordings"].split(";")
        assert each.fields["text"].split() == [DIGITS[int(name[0])] for name in names]
        assert {name.split("_")[1] for name in names} == {each.fields["speaker"]}


def test_no_recording_is_in_two_splits(source):
    source, _ = source
    indices = {}
    for row in read_rows(source):
        for name in row["recordings"].split(";"):
            index = int(name.removesuffix(".wav").split("_")[2])
            indices.setdefault(row["split"], set()).add(index)
    assert indices["test"] <= set(range(5))
    assert indices["validation"] <= set(range(5, 10))
    assert indices["train"] == {10, 11}


def test_files_are_the_recordings_with_silence_around_them(source):
    source, _ = source
    for row in read_rows(source)[:10]:
        samples = read_wav(source.folder / row["file"])
        edges = np.flatnonzero(np.diff(samples)) + 1
        parts = np.split(samples, edges)
        gaps, sounds = parts[::2], parts[1::2]
        assert all(not gap.any() for gap in gaps)
        assert all(400 <= len(gap) <= 3200 for gap in gaps)
        assert len({len(gap) for gap in gaps}) > 1
        names = row["recordings"].split(";")
        assert len(sounds) == len(names)
        for sound, name in zip(sounds, names, strict=True):
            digit, _, index = name.removesuffix(".wav").split("_")
            assert len(sound) == 80 + int(index)
            assert sound[0] == to_int16(np.float32(level(int(digit), int(index))))


def test_equal_settings_write_equal_bytes_wherever_the_recordings_are(source, recordings, tmp_path):
    source, _ = source
    moved = tmp_path / "moved"
    moved.symlink_to(recordings)
    again = ConnectedDigits(recordings=moved, path=tmp_path / "again", utterances=30)
    read_all(again)
    assert again.folder_name == source.folder_name
    assert again.settings == source.settings
    for path in source.raw_files():
        assert path.read_bytes() == (again.folder / path.relative_to(source.folder)).read_bytes()


def test_other_recordings_are_joined_to_other_files(source, tmp_path):
    source, _ = source
    for index in range(12):
        (tmp_path / f"1_ann_{index}.wav").write_bytes(make_wav(np.ones(90) / 2, RATE))
    other = ConnectedDigits(recordings=tmp_path, path=tmp_path / "files", utterances=30)
    assert other.folder_name != source.folder_name


def test_a_damaged_recording_or_too_few_are_refused_and_nothing_is_left(tmp_path):
    for index in range(5):
        (tmp_path / f"1_ann_{index}.wav").write_bytes(make_wav(np.ones(90) / 2, RATE))
    source = ConnectedDigits(recordings=tmp_path, path=tmp_path / "files", utterances=10)
    with pytest.raises(UserError, match="none for train, validation"):
        read_all(source)
    for index in range(5, 12):
        (tmp_path / f"1_ann_{index}.wav").write_bytes(make_wav(np.ones(90) / 2, RATE))
    (tmp_path / "1_ann_7.wav").write_bytes(b"RIFF")
    source = ConnectedDigits(recordings=tmp_path, path=tmp_path / "files", utterances=10)
    with pytest.raises(UserError, match=r"1_ann_7\.wav: expected a recording"):
        read_all(source)
    assert list((tmp_path / "files").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "where"), [({"fewest": 8}, "fewest"), ({"shortest_gap": 1.0}, "shortest_gap")]
)
def test_impossible_settings_are_refused(options, where, tmp_path):
    with pytest.raises(UserError) as fault:
        ConnectedDigits(recordings=tmp_path, **options)
    assert fault.value.where == where
