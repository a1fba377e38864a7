"""What a build made."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import DEAD_LETTERS

_SHOWN = 3  # steps at which records were lost


def print_summary(records: RecordsDirectory, console: Console) -> None:
    """Prints the size of each split, what was read, left out and why, and what there is to note.

    Args:
        records: a finished data set.
        console: where it is printed.
    """
    stats = records.stats
    console.print(_tabulate(stats))
    console.print(_account(stats))
    steps = sorted(stats["dead_letters"].items(), key=lambda step: (-step[1], step[0]))
    for step, count in steps[:_SHOWN]:
        reason = stats["dead_letter_reasons"][step]
        console.print(f"  {count:,} at step {step}, mostly: {reason}", markup=False)
    for notice in stats["notices"]:
        console.print(f"Note: {notice}", style="yellow", markup=False)


def _account(stats: Mapping[str, Any]) -> str:
    """How many raw records there were, and what became of them."""
    dead, dropped = sum(stats["dead_letters"].values()), sum(stats["dropped"].values())
    parts = [f"{stats['written']:,} written"]
    parts += [f"{dead:,} in {DEAD_LETTERS}"] if dead else []
    parts += [f"{dropped:,} dropped"] if dropped else []
    return f"{stats['read']:,} raw records read: {', '.join(parts)}"


def _tabulate(stats: Mapping[str, Any]) -> Table:
    table = Table("", title="Records", title_justify="left")
    for column in ("records", "shards", "MB"):
        table.add_column(column, justify="right")
    for split, content in stats["splits"].items():
        shards, size = len(content["shard_records"]), content["num_bytes"] / 1e6
        table.add_row(split, f"{content['records']:,}", str(shards), f"{size:.1f}")
    table.add_section()
    table.add_row("dead letters", f"{sum(stats['dead_letters'].values()):,}")
    for step, count in stats["dead_letters"].items():
        table.add_row(f"  {step}", f"{count:,}")
    for reason, count in stats["dropped"].items():
        table.add_row(f"dropped: {reason}", f"{count:,}")
    return table
