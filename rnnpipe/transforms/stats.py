"""What `stats.json` says of a data set: counts, lengths, rates, and what was left out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnpipe.errors import DeadLetter
from rnnpipe.records.layout import SPLITS
from rnnpipe.records.metadata import SplitSize
from rnnpipe.transforms.recipe import Recipe
from rnnpipe.transforms.repeats import count_repeats, tell_repeats
from rnnpipe.transforms.shards import ShardResult
from rnnpipe.transforms.splits import Splitter
from rnnpipe.transforms.survey import Survey


def sizes_of(results: Iterable[ShardResult]) -> dict[str, SplitSize]:
    """How much each split holds."""
    sizes: dict[str, SplitSize] = {}
    for split in SPLITS:
        of_split = [result for result in results if result.split == split]
        if of_split:
            num_bytes = sum(result.num_bytes for result in of_split)
            sizes[split] = SplitSize([result.records for result in of_split], num_bytes)
    return sizes


def make_stats(
    recipe: Recipe,
    survey: Survey,
    splitter: Splitter,
    results: Sequence[ShardResult],
    dead: Sequence[DeadLetter],
) -> dict[str, Any]:
    """The statistics of a finished data set, JSON values.

    Args:
        recipe: how its records were made.
        survey: what the first pass found.
        splitter: which splits were held out.
        results: what came of each shard.
        dead: the raw records that were left out, all of them.
    """
    dropped = sum((result.dropped for result in results), Counter[str]())
    written = sum(result.records for result in results)
    repeats = count_repeats(survey.repeats)
    return {
        "kind": recipe.spec.name,
        "read": written + dropped.total() + len(dead),
        "written": written,
        "dead_letters": Counter(letter.step for letter in dead),
        "dropped": dropped,
        "repeats": repeats,
        "notices": [
            *(f"{number:,} records dropped: {reason}" for reason, number in dropped.items()),
            *tell_repeats(repeats, survey.records),
        ],
        "held_out": splitter.held_out,
        "draw": splitter.draw,
        "splits": {
            split: {
                "records": sum(size.shard_lengths),
                "num_bytes": size.num_bytes,
                "shard_records": size.shard_lengths,
                **_measures(recipe, [result for result in results if result.split == split]),
            }
            for split, size in sizes_of(results).items()
        },
        **recipe.summarise(survey.counts),
    }


def _measures(recipe: Recipe, results: Iterable[ShardResult]) -> Mapping[str, Any]:
    histograms: dict[str, Counter[int]] = {}
    for result in results:
        for name, histogram in result.histograms.items():
            histograms.setdefault(name, Counter()).update(histogram)
    totals = {name: sum(v * n for v, n in histograms[name].items()) for name in histograms}
    return {
        "rates": recipe.rate(totals) if totals else {},
        "histograms": {name: dict(sorted(histograms[name].items())) for name in sorted(histograms)},
    }
