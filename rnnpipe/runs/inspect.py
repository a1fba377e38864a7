"""What is in a records directory."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.verify import verify_records
from rnnpipe.runs.summary import print_summary
from rnnpipe.sources.images.decoding import decode_jpeg

_DEAD_LETTERS_SHOWN = 5
_VALUE_WIDTH = 100


def inspect_records(path: Path, examples: int, console: Console, *, check: bool = False) -> None:
    """Prints counts, fields, lengths, a few decoded examples and the dead letters.

    Args:
        path: a records directory.
        examples: how many records of the first split to show.
        console: where it is printed.
        check: whether to read every record, decode its images, and compare all with what the build
            noted.

    Raises:
        UserError: `path` is no records directory, or is damaged, see `verify_records`.
    """
    records = RecordsDirectory.open(path)
    console.print(f"{records.spec.name}: {records.spec.description}", style="bold")
    console.print(f"fingerprint {records.fingerprint}\n")
    print_summary(records, console)
    console.print(_fields(records))
    console.print(_lengths(records))
    first = next(iter(records.splits))
    for number, record in enumerate(islice(records.read(first), examples), start=1):
        console.print(_example(f"{first}, record {number}", record))
    _print_dead_letters(records, console)
    if check:
        console.print(f"Checked: all {verify_records(records, decode_jpeg):,} records are whole.")


def _fields(records: RecordsDirectory) -> Table:
    table = Table("field", "kind", "meaning", title="Fields", title_justify="left")
    for name, field in records.spec.fields.items():
        table.add_row(name, field.type, field.meaning)
    return table


def _lengths(records: RecordsDirectory) -> Table:
    table = Table("measure", "least", "mean", "most", title="Per record", title_justify="left")
    totals: dict[str, Counter[int]] = {}
    for split in records.stats["splits"].values():
        for name, histogram in split["histograms"].items():
            totals.setdefault(name, Counter()).update({int(v): n for v, n in histogram.items()})
    for name, histogram in totals.items():
        if not histogram.total():
            continue
        mean = sum(value * count for value, count in histogram.items()) / histogram.total()
        table.add_row(name, str(min(histogram)), f"{mean:.2f}", str(max(histogram)))
    return table


def _example(title: str, record: dict[str, Any]) -> Table:
    table = Table("field", "value", title=title, title_justify="left")
    for name, value in record.items():
        text = _describe(value)
        table.add_row(name, text if len(text) <= _VALUE_WIDTH else f"{text[:_VALUE_WIDTH]}…")
    return table


def _describe(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return f"{len(value)} times {sum(map(len, value)) // len(value):,} bytes"
    return str(value)


def _print_dead_letters(records: RecordsDirectory, console: Console) -> None:
    letters = list(records.dead_letters())
    if not letters:
        console.print("No dead letters.")
        return
    shown = f", the first {_DEAD_LETTERS_SHOWN}" if len(letters) > _DEAD_LETTERS_SHOWN else ""
    table = Table("key", "source", "step", "reason", title_justify="left")
    table.title = f"Dead letters: {len(letters):,}{shown}"
    for letter in letters[:_DEAD_LETTERS_SHOWN]:
        table.add_row(letter["key"], letter["source"], letter["step"], letter["reason"])
    console.print(table)
