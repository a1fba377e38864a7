"""Records of speech: their content, what is left out of them, and why."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from rnnpipe.audio import LogMel, LogMelOptions, to_float
from rnnpipe.config.loader import load_settings
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.inputs.parsing import parse_batch
from rnnpipe.records.specs import SPEECH, SPEECH_FEATURES
from rnnpipe.sources.audio import recording
from rnnpipe.sources.audio.decoding import read_sound
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.audio.utterances import Utterance, refer_utterance
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.base import Dropped, Encoded
from rnnpipe.transforms.recipes.speech import (
    SoundOptions,
    SpeechData,
    SpeechRecipe,
    SpeechTextOptions,
)
from rnnpipe.transforms.recipes.speech_encoder import SpeechEncoder
from rnnpipe.transforms.runners.runner import Runner
from tests.sources.audio.writing import encode, tone, write_wav
from tests.transforms.kinds import contents

RATE = 8000
SOUND = SoundOptions(rate=RATE, max_seconds=2.0)
RECIPE = SpeechRecipe(sound=SOUND)
FEATURES = LogMelOptions(rate=RATE, mels=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of four speakers, each of two utterances, and bad ones."""
    folder = tmp_path_factory.mktemp("raw")
    rows = []
    for number, speaker in enumerate(["ann", "bob", "cid", "dee"]):
        name = f"{speaker}.flac"
        encode(folder / name, tone(1.5, 16000, 300 + 100 * number))
        rows += [f"{name},{speaker} says one,0,0.5,{speaker}"]
        rows += [f"{name},and two,0.5,1.25,{speaker}"]
    loud = tone(1, RATE)
    loud[100:105] = 1.0
    write_wav(folder / "loud.wav", loud, RATE)
    write_wav(folder / "silent.wav", np.full(RATE, 0.1), RATE)
    write_wav(folder / "long.wav", tone(3, RATE), RATE)
    write_wav(folder / "short.wav", tone(0.01, RATE), RATE)
    whole = encode(folder / "cut.flac", tone(2)).read_bytes()
    (folder / "cut.flac").write_bytes(whole[: len(whole) // 2])
    (folder / "text.wav").write_bytes(b"this is no sound\n" * 100)
    for name in ("loud", "silent", "long", "short", "cut", "text", "none"):
        rows += [f"{name}.{'flac' if name == 'cut' else 'wav'},{name} it is,,,ann"]
    rows += ["long.wav,too long,0.5,2.75,ann", "ann.flac,after its end,1,1.75,ann"]
    (folder / "utterances.csv").write_text("\n".join(["file,text,start,end,speaker", *rows, ""]))
    return folder


@pytest.fixture(scope="module")
def build(folder):
    def make(recipe=RECIPE, **options):
        columns = {"start": "start", "end": "end", "speaker": "speaker"}
        source = UtteranceTable(path=folder, **columns)
        source.prepare(lambda done, total: None)
        return Build(source, recipe, {"test": 0.3}, max_bad_fraction=0.5, **options)

    return make


@pytest.fixture(scope="module")
def records(build, tmp_path_factory):
    return build(records_per_shard=2).run(tmp_path_factory.mktemp("built") / "records")


@pytest.fixture(scope="module")
def stored(records):
    return {r["utterance_id"]: r for split in records.splits for r in records.read(split)}


def test_records_have_the_content_of_the_raw_data(stored):
    first = dict(stored["bob.flac:00000.000000-00000.500000"])
    samples = to_float(first.pop("samples"))
    np.testing.assert_allclose(samples[9:], tone(0.5, RATE, 400)[9:], atol=2e-3)
    assert len(first.pop("tokens")) == len("bob says one") + 1  # the space before the first word
    assert first == {
        "utterance_id": "bob.flac:00000.000000-00000.500000",
        "text": "bob says one",
        "speaker": "bob",
        "duration": 0.5,
    }
    second = stored["bob.flac:00000.500000-00001.250000"]
    expected = tone(1.5, RATE, 400)[RATE // 2 : RATE + RATE // 4]
    np.testing.assert_allclose(to_float(second["samples"])[:-20], expected[:-20], atol=2e-3)
    assert len(second["samples"]) == len(expected)


def test_what_is_left_out_has_a_reason(records):
    letters = {
        letter["key"]: (letter["source"], letter["step"], letter["reason"])
        for letter in records.dead_letters()
    }
    cut = letters.pop("cut.flac")
    assert cut[:2] == ("cut.flac", "decode sound")
    assert "after" in cut[2]
    text = letters.pop("text.wav")
    assert text[1] == "decode sound"
    assert letters == {
        "silent.wav": ("silent.wav", "decode sound", "there is nothing but silence"),
        "none.wav": ("none.wav", "read sound", "No such file or directory"),
        "ann.flac:00001.000000-00001.750000": (
            *("ann.flac", "match times"),
            "the text goes to 1.75 seconds, the sound to 1.5",
        ),
    }
    assert records.stats["dropped"] == {
        "a sound of more than 2 seconds": 2,
        "a sound of less than 0.05 seconds": 1,
    }


def test_stats_have_hours_speakers_and_clipped_utterances(records):
    stats = records.stats
    assert stats["rate"] == RATE
    hours = sum(split["rates"]["hours"] for split in stats["splits"].values())
    assert hours == pytest.approx((4 * 1.25 + 1) / 3600)
    clipped = [notice for notice in stats["notices"] if "clipped" in notice]
    assert len(clipped) == 1
    assert "with 5 samples in all" in clipped[0]
    assert stats["training_speakers"] == len({r["speaker"] for r in records.read("train")})


def test_splits_share_no_speaker(records):
    speakers = [{r["speaker"] for r in records.read(split)} for split in records.splits]
    assert len(speakers) == 2
    assert not set.intersection(*speakers)


def test_a_single_speaker_cannot_be_in_two_splits(tmp_path):
    rows = ["file,text,speaker"]
    for number in range(5):
        write_wav(tmp_path / f"{number}.wav", tone(0.1, RATE), RATE)
        rows.append(f"{number}.wav,one,ann")
    (tmp_path / "utterances.csv").write_text("\n".join([*rows, ""]))
    source = UtteranceTable(path=tmp_path, speaker="speaker")
    with pytest.raises(
        UserError, match=r"larger share, or write data\.source\.group_by: recording"
    ):
        Build(source, RECIPE, {"test": 0.2}).run(tmp_path / "records")
    apart = replace(source, group_by="recording")
    records = Build(apart, RECIPE, {"test": 0.2}).run(tmp_path / "records")
    assert sum(records.splits.values()) == 5


def test_recordings_at_a_lower_rate_are_reported():
    totals = {"utterances": 5, "clipped": 0, "upsampled": 2}
    (notice,) = RECIPE.notices("train", totals)
    assert notice == (
        "2 of 5 train utterances were recorded at less than 8,000 samples per second: their "
        "highest frequencies are empty"
    )


def test_tensorflow_datasets_reads_the_samples(records, stored):
    rows = tfds.builder_from_directory(str(records.path)).as_dataset(split="train")
    for row in tfds.as_numpy(rows):
        expected = stored[row["utterance_id"].decode()]
        np.testing.assert_array_equal(row["samples"], expected["samples"], strict=True)
        assert row["tokens"].tolist() == expected["tokens"]


def test_batches_have_padded_samples_and_their_lengths(records):
    serialised = list(tf.data.TFRecordDataset(sorted(map(str, records.path.glob("*train*")))))
    expected = [len(r["samples"]) for r in records.read("train")]
    batch = parse_batch(SPEECH, tf.stack(serialised), ["samples", "speaker"])
    assert batch["samples"].dtype == tf.int16
    assert batch["samples"].shape == (len(expected), max(expected))
    assert sorted(batch["samples_length"].numpy()) == sorted(expected)
    for row, length in zip(batch["samples"].numpy(), batch["samples_length"].numpy(), strict=True):
        assert row[length - 5 : length].any()
        assert not row[length:].any()


def test_any_number_of_workers_writes_the_same_bytes(build, records, tmp_path):
    two = build(records_per_shard=2).run(tmp_path / "records", runner=Runner(2))
    assert contents(two.path) == contents(records.path)


def test_features_are_those_of_the_samples(build, stored, tmp_path):
    records = build(replace(RECIPE, features=FEATURES)).run(tmp_path / "records")
    assert records.spec is SPEECH_FEATURES
    log_mel = LogMel(FEATURES)
    for record in records.read("train"):
        expected = log_mel(to_float(stored[record["utterance_id"]]["samples"]))
        np.testing.assert_array_equal(record["features"], expected, strict=True)
    rows = tfds.builder_from_directory(str(records.path)).as_dataset(split="train")
    assert all(row["features"].shape[1] == 8 for row in tfds.as_numpy(rows))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer({"one": 3, "two": 1}, kind="char", vocabulary=32)


def test_texts_that_are_too_long_are_dropped_from_training_and_cut_elsewhere(folder, tokenizer):
    recipe = replace(RECIPE, text=SpeechTextOptions(tokenizer="char", max_tokens=4))
    encoder = SpeechEncoder(recipe, tokenizer)
    utterance = Utterance("loud.wav", str(folder / "loud.wav"), "one two")
    with pytest.raises(Dropped, match="a training utterance of more than 4 tokens"):
        encoder.encode(refer_utterance(utterance))
    values = encoder.encode(refer_utterance(replace(utterance, split="test"))).values
    assert (len(values["tokens"]), values["text"]) == (4, "one two")


def test_a_file_that_was_replaced_between_two_builds_is_read_anew(tmp_path, tokenizer):
    encoder = SpeechEncoder(RECIPE, tokenizer)
    reference = refer_utterance(Utterance("a.wav", str(tmp_path / "a.wav"), "one"))
    found = []
    for hertz in (300, 700):
        write_wav(tmp_path / "a.wav", tone(0.1, RATE, hertz), RATE)
        ((_, outcome),) = encoder.encode_all([reference])
        found.append((outcome.values["samples"], outcome.contents["recording"]))
        np.testing.assert_allclose(to_float(found[-1][0]), tone(0.1, RATE, hertz), atol=1e-3)
    assert found[0][1] != found[1][1]


def test_utterances_of_a_recording_decode_it_once(folder, tokenizer, monkeypatch):
    opened = []

    def read(path, rate):
        opened.append(path)
        return read_sound(path, rate)

    monkeypatch.setattr(recording, "read_sound", read)
    path = str(folder / "ann.flac")
    spans = [Utterance("ann.flac", path, "one", 0.2 * n, 0.2 * n + 0.2) for n in range(5)]
    encoder = pickle.loads(pickle.dumps(SpeechEncoder(RECIPE, tokenizer)))
    outcomes = [made for _, made in encoder.encode_all(map(refer_utterance, spans))]
    assert all(isinstance(made, Encoded) for made in outcomes)
    assert opened == [path]


def test_a_text_without_tokens_is_refused(folder, tokenizer):
    utterance = Utterance("loud.wav", str(folder / "loud.wav"), "\u200b")
    with pytest.raises(BadRecord, match="no token is left of the text"):
        SpeechEncoder(RECIPE, tokenizer).encode(refer_utterance(utterance))


def test_a_sound_shorter_than_a_frame_has_no_features(folder, tokenizer):
    recipe = replace(RECIPE, sound=replace(SOUND, min_seconds=0), features=FEATURES)
    utterance = Utterance("short.wav", str(folder / "short.wav"), "one")
    with pytest.raises(Dropped, match="shorter than a frame"):
        SpeechEncoder(recipe, tokenizer).encode(refer_utterance(utterance))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sound": {"rate": 8000}, "features": {}}, r"features\.rate: expected that of the sound"),
        ({"sound": {"min_seconds": 5, "max_seconds": 4}}, r"less than max_seconds \(4\), got 5"),
        ({"sound": {"rate": 10}}, r"sound\.rate: expected an integer from 1000 to 192000, got 10"),
    ],
)
def test_impossible_options_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        load_settings(SpeechData, {"source": {"kind": "table", "path": "x"}, **values})


def test_recordings_that_are_copies_are_reported(tmp_path):
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, tone(0.2, RATE), RATE)
    rows = ["file,text,split", "a.wav,one,train", "b.wav,one,test", ""]
    (tmp_path / "utterances.csv").write_text("\n".join(rows))
    source = UtteranceTable(path=tmp_path, split="split")
    source.prepare(lambda done, total: None)
    records = Build(source, RECIPE, {}).run(tmp_path / "records")
    assert "1 of the recordings of test are in train too" in records.stats["notices"]
