import json
import random

import pytest

from rnnpipe.errors import DeadLetter
from rnnpipe.storage import leftovers
from rnnpipe.transforms.passes import dead_letters, external_sort
from rnnpipe.transforms.passes.dead_letters import (
    DeadLetterSummary,
    read_dead_letters,
    summarize_dead_letters,
    write_dead_letters,
)


def make_letters(number):
    reasons = ("no text", f"byte {number} is no utf-8")
    steps = ("decode text", "encode text")
    return [
        DeadLetter(f"k{number:04d}", "a.de", *pair) for pair in zip(steps, reasons, strict=True)
    ]


def test_dead_letters_of_all_workers_are_sorted_and_unique(tmp_path, monkeypatch):
    monkeypatch.setattr(external_sort, "MAX_VALUES_IN_MEMORY", 7)
    expected = [letter for number in range(50) for letter in make_letters(number)]
    shuffled = random.Random(1).sample(expected, len(expected))
    for worker in range(4):
        write_dead_letters(tmp_path, str(worker), shuffled[worker::4])
    write_dead_letters(tmp_path, "0", shuffled[0::4])  # what is tried again
    assert list(read_dead_letters(tmp_path)) == expected


def test_undecodable_names_are_escaped(tmp_path):
    write_dead_letters(tmp_path, "a", [DeadLetter("caf\udce9", "ä", "read", "\ud83d")])
    assert list(read_dead_letters(tmp_path)) == [DeadLetter("caf\\udce9", "ä", "read", "\\ud83d")]


def test_leftovers_of_a_killed_attempt_are_not_read(tmp_path, monkeypatch):
    def killed():
        yield from make_letters(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(leftovers, "_remove", lambda path: None)  # as if it were killed
    with pytest.raises(KeyboardInterrupt):
        write_dead_letters(tmp_path, "1", killed())
    assert "k0001" in "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    write_dead_letters(tmp_path, "1", make_letters(1))
    assert list(read_dead_letters(tmp_path)) == make_letters(1)


def test_dead_letters_are_summarized(monkeypatch):
    many = [letter for number in range(50) for letter in make_letters(number)]
    summary = summarize_dead_letters([*many, make_letters(3)[0]])
    assert summary.total == 101
    assert summary.steps == {"decode text": 51, "encode text": 50}
    assert summary.first == many[0]
    assert summary.describe() == "51 x decode text: no text; 50 x encode text: byte 0 is no utf-8"
    assert DeadLetterSummary().first is None


def test_only_the_first_of_many_reasons_are_kept(monkeypatch):
    monkeypatch.setattr(dead_letters, "_MAX_REASONS", 2)
    summary = summarize_dead_letters(DeadLetter("k", "s", "step", str(n % 10)) for n in range(100))
    assert summary.total == 100
    assert summary.describe() == "100 x step: 0"
    assert len(json.dumps(summary._reasons)) < 40
