"""Several runs as a page, with their learning curves over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnpipe.report import charts
from rnnpipe.report.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage(Page):
    """What pages of several runs have in common.

    Args:
        title: what was run.
        summary: the outcome in a sentence.
        histories: by run, a value per epoch of each column.
        best_epochs: by run, the epoch with its best value, whose weights were kept.
        notices: what a reader must know first.
    """

    histories: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    best_epochs: Mapping[str, int] = field(default_factory=dict)

    def derive(self) -> Mapping[str, Any]:
        """The learning curves."""
        return {"charts": charts.draw_comparison(self.histories, self.best_epochs)}
