"""The content of `stats.json`: counts, lengths, rates, dead letters and dropped records."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rnnpipe.records.metadata import SplitSize
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.transforms.passes.contents import content_notices
from rnnpipe.transforms.passes.count import CountResult
from rnnpipe.transforms.passes.dead_letters import DeadLetterSummary
from rnnpipe.transforms.passes.duplicates import Repeats, duplicate_notices
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
    contents: Repeats,
    notices: Sequence[str] = (),
    word_vectors: Mapping[str, WordVectors] = MappingProxyType({}),
) -> dict[str, Any]:
    """The statistics of a finished data set, JSON values.

    Args:
        recipe: how its records were made.
        counted: the result of the count pass.
        splitter: which splits were held out.
        results: the result of each split.
        dead_letters: the raw records that were left out, all of them.
        contents: repeated images or videos, see `find_repeated_contents`.
        notices: notices about the raw data itself.
        word_vectors: those that vocabularies have from elsewhere, by their files.
    """
    dropped = sum((result.dropped for result in results.values()), Counter[str]())
    written = sum(result.records for result in results.values())
    return {
        "kind": recipe.spec.name,
        "read": written + dropped.total() + dead_letters.total,
        "written": written,
        "dead_letters": dead_letters.steps,
        "dead_letter_reasons": dead_letters.reasons,
        "dropped": dropped,
        "duplicates": {**counted.duplicates, **contents},
        "notices": [
            *notices,
            *(f"{number:,} records dropped: {reason}" for reason, number in dropped.items()),
            *duplicate_notices(counted.duplicates, counted.records),
            *content_notices(contents),
            *recipe.count_notices(counted.counts),
            *(f"{name}: {words.notice}" for name, words in word_vectors.items()),
            *(n for split in results for n in recipe.notices(split, _totals(results[split]))),
        ],
        "held_out": splitter.held_out,
        "draw": splitter.draw,
        "splits": {
            split: {
                "records": sum(size.shard_lengths),
                "num_bytes": size.num_bytes,
                "shard_records": size.shard_lengths,
                **_measures(recipe, results[split]),
            }
            for split, size in sizes_of(results).items()
        },
        **recipe.summarise(counted.counts),
        **_describe_vectors(word_vectors),
    }


def _describe_vectors(vectors: Mapping[str, WordVectors]) -> dict[str, Any]:
    if not vectors:
        return {}
    return {"word_vectors": {name: words.summary for name, words in vectors.items()}}


def _totals(result: SplitResult) -> dict[str, int]:
    """The sum of each measure of a split."""
    return {name: sum(v * n for v, n in h.items()) for name, h in result.histograms.items()}


def _measures(recipe: Recipe, result: SplitResult) -> Mapping[str, Any]:
    totals, histograms = _totals(result), result.histograms
    return {
        "rates": recipe.rate(totals) if totals else {},
        "histograms": {name: dict(sorted(histograms[name].items())) for name in sorted(histograms)},
    }
