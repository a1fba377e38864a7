"""Which split and which shard a record belongs to: a hash decides, never chance or order."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from rnnpipe.records.layout import SPLITS
from rnnpipe.sources.source import Reference

_RANGE = 1 << 64


def stable_hash(text: str) -> int:
    """A 64-bit hash that is the same on every machine and in every process.

    Names of files may hold what is no Unicode text: half surrogate pairs stand for their bytes.
    """
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


@dataclass(frozen=True, slots=True)
class Splitter:
    """Puts every group of records into one split.

    A split that the raw data gives is kept. The other splits are held out of `train`:
    a group goes to the split in whose share of the hash range it falls, so it is always the same
    one, whatever else the data holds.

    Args:
        held_out: the share of `train` to hold out for each split that the raw data does not give.
        draw: which of many equally good hash functions to take.

    Example:
        >>> Splitter({"test": 0.5}, 0).split_of(Reference("q1", "image1", "train", {}))
        'test'
    """

    held_out: Mapping[str, float]
    draw: int

    def split_of(self, reference: Reference) -> str:
        """The split of a record: `train`, `validation` or `test`."""
        if reference.split != "train" or not self.held_out:
            return reference.split
        point = stable_hash(f"split {self.draw}: {reference.group}") / _RANGE
        bound = 0.0
        for split, share in self.held_out.items():
            bound += share
            if point < bound:
                return split
        return "train"


def held_out_shares(splits: frozenset[str], shares: Mapping[str, float]) -> dict[str, float]:
    """The shares of those splits that the raw data's own `splits` lack; a share of 0 makes none."""
    return {split: shares[split] for split in SPLITS if shares.get(split) and split not in splits}


def shard_of(reference: Reference, shards: int) -> int:
    """The shard of a record: all records of one unit share it, so that its image is read once."""
    return stable_hash(f"shard: {reference.unit}") % shards


def order_in_shard(reference: Reference) -> tuple[int, str]:
    """What the records of a shard are sorted by: units in hashed order, then keys."""
    return stable_hash(f"order: {reference.unit}"), reference.key
