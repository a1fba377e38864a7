"""Morse code as a source of speech."""

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.generated.morse_code import MorseCode
from tests.sources.reading import read_all


def test_morse_is_written_once_and_always_the_same(tmp_path):
    one, two = (MorseCode(path=tmp_path / name, utterances=10, words=2) for name in "ab")
    found, again = read_all(one), read_all(two)
    assert [each.fields["text"] for each in found] == [each.fields["text"] for each in again]
    for path in one.raw_files():
        assert path.read_bytes() == (two.folder / path.relative_to(one.folder)).read_bytes()
    assert [each.split for each in found] == ["train"] * 10 + ["validation"] * 2 + ["test"] * 2
    assert one.split_names == {"train", "validation", "test"}


def test_each_setting_has_files_of_its_own(tmp_path):
    changes = [
        {},
        {"seed": 2},
        {"snr": 0.0},
        {"jitter": 0.2},
        {"test_snrs": (0.0,)},
        {"fastest": 60.0},
        {"words": 4},
    ]
    folders = {MorseCode(path=tmp_path, **change).folder_name for change in changes}
    assert len(folders) == len(changes)


def test_levels_of_noise_are_the_speakers_of_the_test_split(tmp_path):
    source = MorseCode(path=tmp_path, utterances=10, words=2, test_snrs=(10.0, 0.0, -3.0))
    speakers = [(each.split, each.fields["speaker"]) for each in read_all(source)]
    levels = ["snr 10 dB", "snr 0 dB", "snr -3 dB"]
    assert speakers[:12] == [("train", "")] * 10 + [("validation", "")] * 2
    assert speakers[12:] == [("test", level) for level in levels] * 2


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"slowest": 60.0}, "slowest"),
        ({"lowest": 1100.0}, "lowest"),
        ({"highest": 4000.0}, "highest"),
        ({"test_snrs": (3.0, 3.0)}, "test_snrs"),
        ({"test_snrs": (0.0, -5000.0)}, "test_snrs"),
        ({"test_snrs": (float("nan"),)}, "test_snrs"),
        ({"words": 1}, "MorseCode.words"),
    ],
)
def test_impossible_settings_are_refused(options, where):
    with pytest.raises(UserError) as fault:
        MorseCode(**options)
    assert fault.value.where == where
