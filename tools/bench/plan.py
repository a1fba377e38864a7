"""What a build of so much data takes, by arithmetic: shards, shuffled bytes, memory, hours.

    python -m tools.bench.plan pairs                              # 10^9 pairs of sentences
    python -m tools.bench.plan video --records 100000 --workers 8
    python -m tools.bench.plan pairs --per-shard 1000             # with the shards of small data

The sizes and times of one record are those that small builds have; docs/scale.md says where each
comes from. A test holds the shuffled bytes and the numbers of shards, partitions and buckets
against real builds: of pairs of two sizes, of some clips.
"""

import argparse
from dataclasses import dataclass, replace

from rnnpipe.sources.text.lines import LINES, MOST_SPANS
from rnnpipe.transforms.passes.count import MAX_ITEMS
from rnnpipe.transforms.passes.external_sort import MAX_VALUES_IN_MEMORY
from rnnpipe.transforms.passes.shuffle import MAX_BATCH_BYTES, Shuffle

_CLAIM = 200  # bytes that a shuffle batch's place takes in the main process of a local build
_WORD = 150  # bytes that a word and its count take in memory
_IN_MEMORY = 5  # times as many bytes as pickled


@dataclass(frozen=True)
class Data:
    """A kind of data, by what one record of it takes.

    Args:
        records: how many there are.
        raw: bytes of raw data.
        written: bytes on disk as a record.
        reference: bytes that go to the worker which writes it.
        identities: by how many things it could repeat another record.
        identity: bytes of each of these that go to where like is compared with like.
        first: CPU seconds of the first pass.
        second: CPU seconds of the second pass.
        per_piece: how many records one worker reads at least.
        most_pieces: how many partitions there are at most, if there is a limit.
    """

    records: int
    raw: float
    written: float
    reference: float
    identities: int
    identity: float
    first: float
    second: float
    per_partition: int
    max_partitions: int | None = None


PAIRS = Data(10**9, 250, 620, 380, 3, 87, 280e-6, 320e-6, LINES, MOST_SPANS)
VIDEO = Data(600_000, 1.7e6, 360_000, 350, 0, 0.0, 2e-3, 0.6, 50)
KINDS = {"pairs": PAIRS, "video": VIDEO}


@dataclass(frozen=True)
class Plan:
    """What the build of some data takes.

    Args:
        data: what is built.
        per_shard: records in a shard.
        workers: how many share the work.
    """

    data: Data
    per_shard: int
    workers: int

    @property
    def partitions(self) -> int:
        """In how many partitions the raw data is read: no more workers than that can read."""
        partitions = -(-self.data.records // self.data.per_partition)
        if self.data.max_partitions is None or partitions <= self.data.max_partitions:
            return partitions
        return -(-partitions // -(-partitions // self.data.max_partitions))

    @property
    def buckets(self) -> int:
        """In how many groups like is brought together with like."""
        return max(Shuffle().buckets, self.partitions)

    @property
    def shards(self) -> int:
        """How many files are written."""
        return -(-self.data.records // self.per_shard)

    @property
    def first_shuffle(self) -> float:
        """Bytes that the first pass brings together, without the counts of words."""
        return self.data.records * self.data.identities * self.data.identity

    @property
    def second_shuffle(self) -> float:
        """Bytes that the second pass brings together."""
        return self.data.records * self.data.reference

    @property
    def bucket(self) -> float:
        """Bytes of a bucket: on a cluster, what comes together under one key."""
        return self.first_shuffle / self.buckets

    @property
    def shard(self) -> float:
        """Bytes of the references of a shard: on a cluster, what comes together under one key."""
        return self.per_shard * self.data.reference

    @property
    def claims(self) -> float:
        """Bytes in the main process of a local build: the offsets of all shuffle batches."""
        sendings = max(self.second_shuffle / MAX_BATCH_BYTES, min(self.workers, self.partitions))
        return _CLAIM * min(self.data.records, sendings * self.shards)

    @property
    def sorted_at_once(self) -> float:
        """Bytes of what a worker sorts in memory, whatever there is of it."""
        most = max(self.data.reference, self.data.identity)
        return (
            _IN_MEMORY * most * min(MAX_VALUES_IN_MEMORY, max(self.per_shard, self.bucket_values))
        )

    @property
    def bucket_values(self) -> float:
        """How many values a bucket holds."""
        return self.data.records * self.data.identities / self.buckets

    @property
    def hours(self) -> float:
        """Hours by the clock, if all workers are busy to the end."""
        return self.data.records * (self.data.first + self.data.second) / self.workers / 3600


def describe(plan: Plan) -> str:
    """The plan, a line for each number."""
    data, giga, mega = plan.data, 1e9, 1e6
    words = f"{MAX_ITEMS:,} of each kind at most, {MAX_ITEMS * _WORD / mega:,.0f} MB"
    hours = data.records * (data.first + data.second) / 3600
    rows = {
        "records": f"{data.records:,}",
        "raw data": f"{data.records * data.raw / giga:,.1f} GB",
        "records on disk": f"{data.records * data.written / giga:,.1f} GB",
        "partitions": f"{plan.partitions:,}",
        "shards": f"{plan.shards:,} of {plan.per_shard * data.written / mega:,.0f} MB",
        "count pass shuffles": f"{plan.first_shuffle / giga:,.1f} GB",
        "write pass shuffles": f"{plan.second_shuffle / giga:,.1f} GB",
        "buckets": f"{plan.buckets:,} of {plan.bucket / mega:,.1f} MB",
        "references of a shard": f"{plan.shard / mega:,.1f} MB",
        "a worker sorts at once": f"{plan.sorted_at_once / mega:,.0f} MB",
        "a worker batches at once": f"{MAX_BATCH_BYTES / mega:,.0f} MB for each shuffle",
        "main process, words": words,
        "main process, offsets (local)": f"{plan.claims / mega:,.0f} MB",
        "worker-hours": f"{hours:,.0f}",
        f"hours of {plan.workers} workers": f"{plan.hours:,.1f}",
    }
    return "\n".join(f"{name:30}{value}" for name, value in rows.items())


def main() -> None:
    """Prints the plan that the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--records", type=int)
    parser.add_argument("--per-shard", type=int)
    parser.add_argument("--workers", type=int, default=64)
    options = parser.parse_args()
    data = KINDS[options.kind]
    data = replace(data, records=options.records or data.records)
    per_shard = options.per_shard or {"pairs": 200_000, "video": 500}[options.kind]
    print(describe(Plan(data, per_shard, options.workers)))


if __name__ == "__main__":
    main()
