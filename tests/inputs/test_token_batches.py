import json
from collections import Counter

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.inputs.token_batches import make_token_batches
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import TEXT_PAIR
from rnnpipe.records.tfrecord import write_tfrecord

FIELDS = ("source_tokens", "target_tokens")
COUNT, LONGEST, TOKENS = 300, 40, 96


@pytest.fixture
def pairs(tmp_path):
    """Pairs whose target's tokens are all the number of the pair, the source about as long."""
    random = np.random.default_rng(4)
    lengths = random.integers(1, LONGEST + 1, COUNT)
    rows = [
        {
            "pair_id": str(i),
            "source": "",
            "target": "",
            "source_tokens": [5] * int(max(lengths[i] + random.integers(-2, 3), 1)),
            "target_tokens": [i + 1] * int(lengths[i]),
        }
        for i in range(COUNT)
    ]
    path = tmp_path / shard_name(TEXT_PAIR.name, "train", 0, 1)
    write_tfrecord(path, [encode_example(TEXT_PAIR, row) for row in rows])
    histograms = {"target_tokens": dict(Counter(map(int, lengths)))}
    train = {
        "records": COUNT,
        "shard_records": [COUNT],
        "num_bytes": path.stat().st_size,
        "histograms": histograms,
    }
    stats = {"kind": TEXT_PAIR.name, "splits": {"train": train}}
    (tmp_path / "stats.json").write_text(json.dumps(stats))
    return RecordsDirectory(tmp_path)


def batches_of(records, **options):
    defaults = {"fields": FIELDS, "tokens": TOKENS, "shuffle_seed": 1}
    return make_token_batches(records, "train", **{**defaults, **options})


def numbers(batch):
    return batch["target_tokens"][:, 0].numpy().tolist()


def test_every_record_comes_once_with_all_its_tokens(pairs):
    lengths = {row["target_tokens"][0]: len(row["target_tokens"]) for row in pairs.read("train")}
    found = {}
    for batch in batches_of(pairs):
        for row in batch["target_tokens"].numpy():
            assert row[0] not in found
            found[row[0]] = np.count_nonzero(row)
            assert set(row[: found[row[0]]]) == {row[0]}
    assert found == lengths


def test_batches_are_about_as_large_as_one_another(pairs):
    batches = list(batches_of(pairs))
    shapes = [batch["target_tokens"].shape for batch in batches]
    assert all(rows * time <= TOKENS and time % 4 == 0 for rows, time in shapes)
    # Only the last batch of each of the ten buckets may have room for one more.
    assert sum((rows + 1) * time <= TOKENS for rows, time in shapes) <= LONGEST // 4
    for batch in batches:
        short = np.count_nonzero(batch["target_tokens"], axis=1).min()
        assert batch["target_tokens"].shape[1] - short < 4


def test_the_number_of_batches_is_known_before_they_come(pairs):
    for options in ({}, {"shuffle_seed": None}, {"tokens": 30}, {"multiple": 7}):
        batches = batches_of(pairs, **options)
        assert int(batches.cardinality()) == len(list(batches))


def test_a_sequence_that_is_too_long_is_a_batch_by_itself(pairs):
    for batch in batches_of(pairs, tokens=8):
        rows, time = batch["target_tokens"].shape
        assert rows * time <= 8 or rows == 1


def test_the_other_field_is_about_as_long_within_a_batch(pairs):
    padding = [np.mean(batch["source_tokens"].numpy() == 0) for batch in batches_of(pairs)]
    assert np.mean(padding) < 0.25


def test_a_seed_repeats_the_batches_and_epochs_differ(pairs):
    def epochs(seed):
        batches = batches_of(pairs, shuffle_seed=seed)
        return [[numbers(batch) for batch in batches] for _ in range(2)]

    first = epochs(1)
    assert first == epochs(1)
    assert first != epochs(2)
    assert first[0] != first[1]
    lengths = [batch["target_tokens"].shape[1] for batch in batches_of(pairs)]
    assert lengths != sorted(lengths)


def test_a_transform_makes_pairs(pairs):
    for source, target in batches_of(pairs, transform=lambda batch: tuple(batch.values())):
        assert source.shape[0] == target.shape[0]


def test_a_missing_split_is_reported(pairs):
    with pytest.raises(UserError, match="test"):
        make_token_batches(pairs, "test", fields=FIELDS, tokens=TOKENS)


def test_lengths_that_no_record_can_have_are_refused(pairs):
    stats = json.loads((pairs.path / "stats.json").read_text())
    stats["splits"]["train"]["histograms"]["target_tokens"] = {str(10**15): 1}
    (pairs.path / "stats.json").write_text(json.dumps(stats))
    with pytest.raises(UserError, match=r"at most .* tokens, got 1,000,000,000,000,000"):
        batches_of(RecordsDirectory(pairs.path))
