"""The content of `stats.json`: counts, lengths, rates, dead letters and dropped records."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rnnpipe.records.metadata import SplitSize
from rnnpipe.transforms.passes.count import CountResult
from rnnpipe.transforms.passes.dead_letters import DeadLetterSummary
from rnnpipe.transforms.passes.duplicates import duplicate_notices
from rnnpipe.transforms.passes.shard_results import SplitResult
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.recipes.base import Recipe


def sizes_of(results: Mapping[str, SplitResult]) -> dict[str, SplitSize]:
    """How much each split holds."""
    return {
        split: SplitSize([number for _, number in sorted(r.shard_records.items())], r.num_bytes)
        for split, r in results.items()
    }


def make_stats(
    recipe: Recipe,
    counted: CountResult,
    splitter: Splitter,
    results: Mapping[str, SplitResult],
    dead_letters: DeadLetterSummary,
    notices: Sequence[str] = (),
) -> dict[str, Any]:
    """The statistics of a finished data set, JSON values.

    Args:
        recipe: how its records were made.
        counted: the result of the count pass.
        splitter: which splits were held out.
        results: the result of each split.
        dead_letters: the raw records that were left out, all of them.
        notices: notices about the raw data itself.
    """
    dropped = sum((result.dropped for result in results.values()), Counter[str]())
    written = sum(result.records for result in results.values())
    return {
        "kind": recipe.spec.name,
        "read": written + dropped.total() + dead_letters.total,
        "written": written,
        "dead_letters": dead_letters.steps,
        "dropped": dropped,
        "duplicates": counted.duplicates,
        "notices": [
            *notices,
            *(f"{number:,} records dropped: {reason}" for reason, number in dropped.items()),
            *duplicate_notices(counted.duplicates, counted.records),
        ],
        "held_out": splitter.held_out,
        "draw": splitter.draw,
        "splits": {
            split: {
                "records": sum(size.shard_lengths),
                "num_bytes": size.num_bytes,
                "shard_records": size.shard_lengths,
                **_measures(recipe, results[split].histograms),
            }
            for split, size in sizes_of(results).items()
        },
        **recipe.summarise(counted.counts),
    }


def _measures(recipe: Recipe, histograms: Mapping[str, Counter[int]]) -> Mapping[str, Any]:
    totals = {name: sum(v * n for v, n in histograms[name].items()) for name in histograms}
    return {
        "rates": recipe.rate(totals) if totals else {},
        "histograms": {name: dict(sorted(histograms[name].items())) for name in sorted(histograms)},
    }
