from collections import Counter

from rnnpipe.sources.source import Reference
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import (
    Splitter,
    held_out_shares,
    order_in_shard,
    shard_of,
    stable_hash,
)


def reference(group, key="q", split="train"):
    return Reference(key, group, split, {})


def test_the_hash_does_not_depend_on_the_machine():
    assert stable_hash("a") == 0x40F89E395B66422F


def test_undecodable_names_have_a_hash_and_a_bucket():
    assert len({stable_hash(name) for name in ("caf\udce9", "caf\udcea", "cafe")}) == 3
    assert 0 <= Shuffle(buckets=7).bucket_of("caf\udce9") < 7


def test_splits_of_the_raw_data_are_kept():
    splitter = Splitter({"validation": 0.5}, 0)
    assert {splitter.split_of(reference(str(i), split="test")) for i in range(50)} == {"test"}


def test_shares_are_held_out_of_train():
    splitter = Splitter({"validation": 0.2, "test": 0.1}, 0)
    counts = Counter(splitter.split_of(reference(str(i))) for i in range(10_000))
    assert abs(counts["validation"] / 10_000 - 0.2) < 0.02
    assert abs(counts["test"] / 10_000 - 0.1) < 0.02


def test_a_group_stays_together():
    splitter = Splitter({"validation": 0.3, "test": 0.3}, 0)
    for group in map(str, range(100)):
        references = [reference(group, key) for key in "abc"]
        assert len({splitter.split_of(r) for r in references}) == 1
        assert len({shard_of(r, 7) for r in references}) == 1


def test_another_draw_is_another_split():
    first, second = (Splitter({"test": 0.5}, draw) for draw in (0, 1))
    groups = [reference(str(i)) for i in range(100)]
    assert [first.split_of(r) for r in groups] != [second.split_of(r) for r in groups]


def test_only_missing_splits_are_held_out():
    shares = {"validation": 0.1, "test": 0.2}
    assert held_out_shares(frozenset({"train"}), shares) == shares
    assert held_out_shares(frozenset({"train", "test"}), shares) == {"validation": 0.1}
    assert held_out_shares(frozenset({"train", "validation", "test"}), shares) == {}
    assert held_out_shares(frozenset({"train"}), {**shares, "test": 0.0}) == {"validation": 0.1}


def test_shards_are_about_equal_and_sorted_by_group_then_key():
    counts = Counter(shard_of(reference(str(i)), 4) for i in range(4_000))
    assert set(counts) == {0, 1, 2, 3}
    assert max(counts.values()) < 1.2 * min(counts.values())
    keys = sorted(
        [reference("g", "b"), reference("h", "a"), reference("g", "a")], key=order_in_shard
    )
    together = [r.group for r in keys]
    assert together in (["g", "g", "h"], ["h", "g", "g"])
    assert [r.key for r in keys if r.group == "g"] == ["a", "b"]
