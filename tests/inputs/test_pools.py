import json

import numpy as np
import pytest

from rnnpipe.inputs.pools import make_pooled_batches
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import TEXT_CLASS, TEXT_PAIR
from rnnpipe.records.tfrecord import write_tfrecord


def write(folder, spec, shards):
    for number, shard in enumerate(shards):
        path = folder / shard_name(spec.name, "train", number, len(shards))
        write_tfrecord(path, [encode_example(spec, values) for values in shard])
    counts = [len(shard) for shard in shards]
    train = {"records": sum(counts), "shard_records": counts, "num_bytes": 1, "histograms": {}}
    stats = {"kind": spec.name, "splits": {"train": train}}
    (folder / "stats.json").write_text(json.dumps(stats))
    return RecordsDirectory(folder)


@pytest.fixture
def texts(tmp_path):
    """200 texts of 1 to 40 tokens, each token and the label the number of its text."""
    lengths = np.random.default_rng(2).integers(1, 41, 200)
    rows = [
        {"text_id": str(i), "text": "", "tokens": [i + 1] * int(length), "label": i}
        for i, length in enumerate(lengths)
    ]
    return write(tmp_path, TEXT_CLASS, [rows[:80], rows[80:]])


def batches_of(records, **options):
    defaults = {"fields": ("tokens", "label"), "by": ("tokens",), "batch_size": 16}
    return make_pooled_batches(records, "train", **{**defaults, "shuffle_seed": 1, **options})


def test_every_record_comes_once_with_its_other_fields(texts):
    batches = list(batches_of(texts))
    assert len(batches) == 13
    assert sorted(len(batch["label"]) for batch in batches) == [8] + [16] * 12
    labels = np.concatenate([batch["label"] for batch in batches])
    assert sorted(labels) == list(range(200))
    for batch in batches:
        np.testing.assert_array_equal(batch["tokens"][:, 0], batch["label"] + 1)


def test_little_is_padding_and_few_lengths_occur(texts):
    batches = list(batches_of(texts))
    widths = {batch["tokens"].shape[1] for batch in batches}
    assert all(width % 4 == 0 for width in widths)
    tokens = np.concatenate([batch["tokens"].numpy().ravel() for batch in batches])
    assert np.mean(tokens == 0) < 0.15


def test_a_seed_repeats_the_batches_and_epochs_differ(texts):
    def epochs(seed):
        batches = batches_of(texts, shuffle_seed=seed)
        return [[batch["label"].numpy().tolist() for batch in batches] for _ in range(3)]

    first = epochs(1)
    assert first == epochs(1)
    assert first != epochs(2)
    assert first[0] != first[1] != first[2]


def test_batches_of_each_length_come_at_any_time(texts):
    batches = batches_of(texts)
    orders = [[batch["tokens"].shape[1] for batch in batches] for _ in range(3)]
    assert orders[0] != sorted(orders[0])
    assert orders[0] != orders[1]


def test_pairs_are_sorted_by_both_sides(tmp_path):
    lengths = [(s, t) for s in (3, 9) for t in (2, 7) for _ in range(8)]
    random = np.random.default_rng(0)
    rows = [
        {
            "pair_id": str(i),
            "source": "",
            "target": "",
            "source_tokens": [4] * lengths[i][0],
            "target_tokens": [5] * lengths[i][1],
        }
        for i in random.permutation(len(lengths))
    ]
    fields = ("source_tokens", "target_tokens")
    records = write(tmp_path, TEXT_PAIR, [rows])
    batches = batches_of(records, fields=fields, by=None, batch_size=8)
    widths = sorted(tuple(batch[name].shape[1] for name in fields) for batch in batches)
    assert widths == [(4, 4), (4, 8), (12, 4), (12, 8)]
    assert not any((batch["target_tokens"].numpy()[:, :2] == 0).any() for batch in batches)


def test_a_transform_makes_pairs(texts):
    batches = batches_of(texts, transform=lambda batch: (batch["tokens"], 2 * batch["label"]))
    for tokens, doubled in batches:
        np.testing.assert_array_equal(2 * (tokens[:, 0] - 1), doubled)
