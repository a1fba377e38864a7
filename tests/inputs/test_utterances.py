import json
from itertools import chain, pairwise

import numpy as np
import pytest

from rnnpipe.audio import LogMel, LogMelOptions, to_float
from rnnpipe.inputs.feature_statistics import measure_features
from rnnpipe.inputs.sound_augmentation import SoundAugmentationOptions
from rnnpipe.inputs.utterances import make_utterances
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import SPECS
from rnnpipe.records.tfrecord import write_tfrecord

OPTIONS = LogMelOptions(rate=2000, mels=5, window=0.03, hop=0.01)
SECONDS = (0.5, 0.2, 0.9, 0.4, 0.7)


def record(kind, number, seconds):
    samples = np.random.default_rng(number).integers(-9000, 9000, round(2000 * seconds), "int16")
    values = {
        "utterance_id": str(number),
        "samples": samples,
        "features": LogMel(OPTIONS)(to_float(samples)),
        "text": "a" * (number + 1),
        "tokens": list(range(4, 5 + number)),
        "speaker": "",
        "duration": seconds,
    }
    return {name: values[name] for name in SPECS[kind].fields}


@pytest.fixture(scope="module", params=["speech", "speech_features"])
def made(request, tmp_path_factory):
    """The records, their features, and what makes these of the samples."""
    kind, folder = request.param, tmp_path_factory.mktemp(request.param)
    rows = [record(kind, number, seconds) for number, seconds in enumerate(SECONDS)]
    path = folder / shard_name(kind, "train", 0, 1)
    write_tfrecord(path, [encode_example(SPECS[kind], row) for row in rows])
    count = {"records": len(rows), "shard_records": [len(rows)], "num_bytes": 1}
    (folder / "stats.json").write_text(json.dumps({"kind": kind, "splits": {"train": count}}))
    features = [record("speech_features", n, s)["features"] for n, s in enumerate(SECONDS)]
    return RecordsDirectory(folder), features, OPTIONS if kind == "speech" else None


def test_recordings_come_in_order_padded_with_their_lengths_and_tokens(made):
    records, features, log_mel = made
    batches = list(make_utterances(records, "train", log_mel=log_mel, batch_size=2))
    assert len(batches) == 3
    row = 0
    for inputs, tokens in batches:
        assert inputs["features"].shape[1] % 32 == 0
        for padded, length, ids in zip(inputs["features"], inputs["lengths"], tokens, strict=True):
            assert length == len(features[row])
            np.testing.assert_allclose(padded[:length], features[row], atol=1e-4)
            assert not padded[length:].numpy().any()
            assert ids.numpy().tolist()[: row + 1] == list(range(4, 5 + row))
            assert not ids.numpy()[row + 1 :].any()
            row += 1


def test_shuffled_batches_are_of_about_one_length_and_differ_by_epoch(made):
    records, features, log_mel = made
    batches = make_utterances(records, "train", log_mel=log_mel, batch_size=2, shuffle_seed=3)
    assert int(batches.cardinality()) == 3
    orders = []
    for _ in range(4):
        lengths = [inputs["lengths"].numpy().tolist() for inputs, _ in batches]
        orders.append(lengths)
        assert sorted(chain.from_iterable(lengths)) == sorted(map(len, features))
        ranked = sorted(lengths, key=max)
        assert all(max(a) <= min(b) for a, b in pairwise(ranked))
    assert len({str(order) for order in orders}) > 1


def test_a_seed_gives_the_same_batches(made):
    records, _, log_mel = made
    options = {"log_mel": log_mel, "batch_size": 2, "shuffle_seed": 9}
    first, second = (list(make_utterances(records, "train", **options)) for _ in range(2))
    for (inputs, tokens), (others, again) in zip(first, second, strict=True):
        np.testing.assert_array_equal(inputs["features"], others["features"])
        np.testing.assert_array_equal(tokens, again)


def test_augmented_sounds_are_others_in_each_epoch_of_training_alone(made):
    records, features, log_mel = made
    if log_mel is None:
        pytest.skip("features are stored")
    how = SoundAugmentationOptions(speed=0.2, lowest_snr=5.0)
    options = {"log_mel": log_mel, "batch_size": 5, "augmentation": how}
    batches = make_utterances(records, "train", shuffle_seed=1, **options)
    epochs = [sorted(inputs["lengths"].numpy()) for inputs, _ in [*batches, *batches]]
    assert epochs[0] != epochs[1]
    ((inputs, _),) = make_utterances(records, "train", **options)
    assert inputs["lengths"].numpy().tolist() == list(map(len, features))


def test_statistics_are_those_of_all_frames(made):
    records, features, log_mel = made
    mean, variance = measure_features(records, log_mel, 5)
    frames = np.concatenate(features).astype("float64")
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(variance, frames.var(axis=0), rtol=1e-6)
