"""The results of an evaluation: scores, predictions and the report."""

import os
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from rnnpipe.config.overrides import Overrides
from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.report.items import Table
from rnnpipe.report.notebook import table_html
from rnnpipe.runs.config import load_run_config, note_edits
from rnnpipe.runs.contents import read_scores
from rnnpipe.runs.directory import RunDirectory
from rnnpipe.runs.scores import score_table
from rnnpipe.storage.json_files import parse_json_as
from rnnpipe.tasks import make_task
from rnnpipe.tasks.run_config import RunConfig


@dataclass(frozen=True)
class Report(os.PathLike[str]):
    """A report: its page, which opens in a browser, and the table that it begins with.

    A notebook shows the table and a link to the page.

    Args:
        path: of the page.
        scores: the main metric of the model and of the baselines.
    """

    path: Path
    scores: Table

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        table = table_html(self.scores.columns, self.scores.rows, self.scores.title)
        path = self.path.absolute()
        # A notebook serves the files below its own folder, by relative links.
        inside = path.is_relative_to(Path.cwd())
        link = path.relative_to(Path.cwd()).as_posix() if inside else path.as_uri()
        name = escape(str(self.path))
        return f'{table}<p>Report: <a href="{escape(link)}" target="_blank">{name}</a></p>'


class Results:
    """What an evaluation left in a folder.

    Args:
        directory: the folder: that of a run, or of an evaluation with other settings.
        overrides: settings written over those of its config.
    """

    def __init__(self, directory: RunDirectory, overrides: Overrides = ()) -> None:
        self._directory, self._overrides = directory, overrides

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """The folder."""
        return self._directory.path

    @cached_property
    def config(self) -> RunConfig:
        """The config, resolved."""
        config = load_run_config(self._directory, self._overrides)
        for notice in note_edits(self._directory):
            write_notice(notice)
        return config

    @property
    def partial(self) -> dict[str, Any] | None:
        """Where the training was whose weights were evaluated; None if it had ended.

        `members` has, of the model or of each member of an ensemble, the numbers of its best epoch
        or of the `epochs` that it is the mean of, `of` how many, and the `metric` with its `value`.
        `phase` has the same of the further phase that it was in, with its `name`.
        """
        seal, path = self._directory.seal, self._directory.partial
        return seal.read_json(path) if seal.expects(path) else None

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """By split, a number for every metric; those of baselines are `baseline/<name>/<metric>`.

        Raises:
            UserError: it is trained, but not evaluated.
        """
        self._expect(self._directory.metrics)
        return read_scores(self._directory)

    @property
    def predictions(self) -> list[dict[str, Any]]:
        """A row for every evaluated record.

        Raises:
            UserError: it is trained, but not evaluated.
        """
        path = self._directory.predictions
        self._expect(path)
        lines = self._directory.seal.read_text(path).split("\n")  # a text may hold other breaks
        try:
            return [parse_json_as(dict[str, Any], line) for line in lines if line]
        except ValueError as error:
            got, fix = f"something else ({error})", "evaluate the run again"
            raise UserError(str(path), "predictions as JSON lines", got, fix) from error

    @property
    def report(self) -> Report:
        """The report.

        Raises:
            UserError: it is trained, but not evaluated.
        """
        table = score_table(make_task(self.config).main_metric, self.metrics)
        return Report(self._directory.report, table)

    def _repr_html_(self) -> str:
        if self._directory.report.exists():
            return self.report._repr_html_()
        return f"<code>{escape(repr(self), quote=False)}</code>"

    def _expect(self, path: Path) -> None:
        if not self._directory.seal.expects(path):
            expected, got = "a run with scores", "one that is not evaluated"
            raise UserError(str(self.path), expected, got, "evaluate it first")
