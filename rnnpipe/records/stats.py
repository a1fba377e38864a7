"""What `stats.json` holds, whatever has written it."""

from dataclasses import dataclass
from typing import Annotated, Any

from rnnpipe.storage.json_files import validate


class _NotNegative:
    """A bound that pydantic reads; records are read where it is not imported."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "ge": 0}


Count = Annotated[int, _NotNegative()]
Counts = dict[str, Count]


@dataclass(frozen=True)
class SplitStats:
    """What must be known of a split.

    Args:
        records: how many there are.
        num_bytes: the size of its record files.
        shard_records: how many records each file has.
        histograms: how many records have each value of a measure, by the measure.
    """

    records: Count
    num_bytes: Count
    shard_records: list[Count]
    histograms: dict[str, Counts]


@dataclass(frozen=True)
class Stats:
    """What must be known of a data set; each kind of records adds what its baselines need.

    Args:
        kind: of its records.
        read: how many raw records there were.
        written: how many of them became records.
        dead_letters: how many could not be processed, by the step at which they failed.
        dead_letter_reasons: the most frequent reason of each step.
        dropped: how many were dropped, by the reason.
        notices: what there is to note, a sentence each.
        splits: the splits.
        most_frequent_caption: of captions.
        most_frequent_answer: of questions about images.
        most_frequent_answer_by_question_type: the same for each beginning of a question.
    """

    kind: str
    read: Count
    written: Count
    dead_letters: Counts
    dead_letter_reasons: dict[str, str]
    dropped: Counts
    notices: list[str]
    splits: dict[str, SplitStats]
    most_frequent_caption: str | None = None
    most_frequent_answer: str | None = None
    most_frequent_answer_by_question_type: dict[str, str] | None = None


_OF_KIND = {
    "caption": ("most_frequent_caption",),
    "vqa": ("most_frequent_answer", "most_frequent_answer_by_question_type"),
}
"""What baselines need of a kind of records, and of the features of its images."""


def check_stats(content: Any) -> None:
    """Checks that the content of a `stats.json` is that of a data set.

    Raises:
        ValueError: something is missing, of another type, or contradicts something else.
    """
    stats = validate(Stats, content)
    for key in _OF_KIND.get(stats.kind.removesuffix("_features"), ()):
        if content.get(key) is None:
            raise ValueError(f"{key} is missing")
    if missing := stats.dead_letters.keys() - stats.dead_letter_reasons.keys():
        raise ValueError(f"no reason for the dead letters of the step {min(missing):.100}")
    if not stats.splits:
        raise ValueError("there are no splits")
    for name, split in stats.splits.items():
        _check_split(f"splits.{name:.100}", split)


def _check_split(where: str, split: SplitStats) -> None:
    total = sum(split.shard_records)
    if total != split.records:
        raise ValueError(f"{where}: {split.records:,} records, {total:,} in its files")
    for measure, histogram in split.histograms.items():
        if not all(
            value.isascii() and value.isdecimal() and len(value) < 20 for value in histogram
        ):
            raise ValueError(f"{where}.histograms.{measure:.100}: values are whole numbers")
