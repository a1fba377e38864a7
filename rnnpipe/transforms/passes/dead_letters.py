"""Dead letters: written by the workers, read in order, and never held in memory all at once."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rnnpipe.errors import DeadLetter
from rnnpipe.transforms.passes.external_sort import external_sort
from rnnpipe.transforms.passes.scratch import scratch_folder, write_lines

DEAD_LETTER_FOLDER = "dead_letters"
_MAX_REASONS = 1000


def write_dead_letters(folder: Path, name: str, letters: Iterable[DeadLetter]) -> None:
    """Writes dead letters to a scratch file.

    Args:
        folder: where the records are built.
        name: of the file, the same for all attempts to write the same letters.
        letters: the dead letters.
    """
    write_lines(
        folder, DEAD_LETTER_FOLDER, name, (json.dumps(asdict(letter)) for letter in letters)
    )


def read_dead_letters(folder: Path) -> Iterator[DeadLetter]:
    """All dead letters, ordered by key and step."""

    def read() -> Iterator[DeadLetter]:
        for path in sorted(scratch_folder(folder, DEAD_LETTER_FOLDER).iterdir()):
            with path.open(encoding="utf-8") as file:
                for line in file:
                    yield DeadLetter(**json.loads(line))

    yield from external_sort(read(), key=_order)


def _order(letter: DeadLetter) -> tuple[str, ...]:
    return letter.key, letter.step, letter.source, letter.reason


@dataclass
class DeadLetterSummary:
    """The number of dead letters by step, and their most frequent reasons.

    Args:
        steps: how many records were lost at each step.
        first: the first letter.
    """

    steps: Counter[str] = field(default_factory=Counter)
    first: DeadLetter | None = None
    _reasons: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def total(self) -> int:
        """How many records were lost."""
        return self.steps.total()

    def add(self, letter: DeadLetter) -> None:
        """Counts one more letter."""
        self.first = self.first or letter
        self.steps[letter.step] += 1
        reasons = self._reasons[letter.step]
        if letter.reason in reasons or len(reasons) < _MAX_REASONS:
            reasons[letter.reason] += 1

    @property
    def reasons(self) -> dict[str, str]:
        """The most frequent reason of each step, among its first thousand."""
        return {
            step: min(reasons, key=lambda reason: (-reasons[reason], reason))
            for step, reasons in self._reasons.items()
        }

    def describe(self) -> str:
        """The most frequent steps, each with a reason: the most frequent of its first thousand."""
        reasons, most = self.reasons, self.steps.most_common(3)
        return "; ".join(f"{count} x {step}: {reasons[step]}" for step, count in most)


def summarize_dead_letters(letters: Iterable[DeadLetter]) -> DeadLetterSummary:
    """The summary of dead letters."""
    summary = DeadLetterSummary()
    for letter in letters:
        summary.add(letter)
    return summary
