"""Sounds of TensorFlow Datasets, in each form that they are stored in."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import UserError
from rnnpipe.sources.audio.recording import Recording
from rnnpipe.sources.audio.tfds import SpeechTfds
from tests.sources.audio.writing import encode, tone
from tests.sources.reading import ignore_progress, send_to_worker
from tests.tfds_store import store_tfds

RATE = 8000
SOUNDS = [(tone(0.1, RATE, hertz) * 32768).astype(np.int16) for hertz in (300, 400, 500)]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Commands as samples, readings as FLAC files, and samples that have no rate."""
    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    commands = {
        "audio": tfds.features.Audio(file_format="wav", sample_rate=RATE, dtype=np.int16),
        "label": tfds.features.ClassLabel(names=["yes", "no"]),
    }
    rows = [(n, {"audio": sound, "label": n % 2}) for n, sound in enumerate(SOUNDS)]
    store_tfds(folder, "commands", commands, {"train": rows[:2], "test": rows[2:]})
    store_tfds(
        folder,
        "rateless",
        {**commands, "audio": tfds.features.Audio()},
        {"train": [(n, {**row, "audio": row["audio"].astype(np.int64)}) for n, row in rows]},
    )
    readings = {
        "speech": tfds.features.Audio(
            file_format="flac", sample_rate=RATE, dtype=np.int16, lazy_decode=True
        ),
        "text": tfds.features.Text(),
        "speaker_id": np.int64,
    }
    rows = []
    for number, sound in enumerate(SOUNDS):
        path = encode(folder / f"{number}.flac", sound / 32768, RATE)
        rows.append((number, {"speech": path, "text": f"READ {number}", "speaker_id": 84}))
    store_tfds(folder, "readings", readings, {"train": rows})
    return folder


def read(**options):
    source, partitions = send_to_worker(SpeechTfds(**options))
    return [raw for partition in partitions for raw in source.read(partition)]


def samples_of(reference):
    return Recording(reference.fields["sound"], RATE).read().samples


def test_samples_become_files_and_classes_their_names(data_dir):
    found = read(name="commands", path=data_dir, text="label")
    assert [(each.split, each.fields["text"]) for each in found] == [
        ("train", "yes"),
        ("train", "no"),
        ("test", "yes"),
    ]
    for reference, sound in zip(found, SOUNDS, strict=True):
        np.testing.assert_array_equal(samples_of(reference), sound)


def test_files_stay_as_they_are(data_dir):
    found = read(name="readings", path=data_dir, audio="speech", speaker="speaker_id")
    assert [each.fields["text"] for each in found] == ["READ 0", "READ 1", "READ 2"]
    assert {each.group for each in found} == {"84"}
    assert all(each.fields["sound"].endswith(".flac") for each in found)
    for reference, sound in zip(found, SOUNDS, strict=True):
        np.testing.assert_allclose(samples_of(reference), sound, atol=1)


def test_a_rate_that_the_data_set_does_not_have_is_to_be_named(data_dir):
    options = {"name": "rateless", "path": data_dir, "text": "label"}
    with pytest.raises(UserError, match=r"expected a rate of samples, got none; write it as data"):
        SpeechTfds(**options).prepare(ignore_progress)
    found = read(**options, rate=RATE)
    np.testing.assert_array_equal(samples_of(found[0]), SOUNDS[0])
