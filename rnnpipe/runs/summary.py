"""What a build made."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from rnnpipe.records.directory import RecordsDirectory


def print_summary(records: RecordsDirectory, console: Console) -> None:
    """Prints the size of each split, what was left out and why, and what there is to note.

    Args:
        records: a finished data set.
        console: where it is printed.
    """
    console.print(_tabulate(records.stats))
    for notice in records.stats["notices"]:
        console.print(f"Note: {notice}", style="yellow")


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
