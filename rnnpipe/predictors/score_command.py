"""The command `rnnpipe score`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from rnnpipe.output import write_notice
from rnnpipe.predictors.job import write_rows
from rnnpipe.predictors.options import (
    add_row_options,
    add_setting_option,
    describe_job,
    find_output,
    open_source,
    parse_options,
    split_settings,
)
from rnnpipe.predictors.score_formats import make_score_writer
from rnnpipe.requirements import requiring
from rnnpipe.runs.console import make_console

if TYPE_CHECKING:
    from rnnpipe.runs.run import Run
    from rnnpipe.tasks.scored_text import ScoredText


def score(run: Run, folder: Path, words: Sequence[str]) -> int:
    """Scores given texts with a trained run, and prints or writes the scores.

    Args:
        run: the run.
        folder: as the command names it.
        words: the further arguments.

    Returns:
        The exit code: 1 if some rows have no score.

    Raises:
        UserError: the task has no likelihood of a text, the options contradict each other, or an
            input or file cannot be read.
    """
    overrides, words = split_settings(words)
    run = run.with_settings(overrides) if overrides else run
    run.check_scores()
    options, texts = parse_options(
        f"rnnpipe score {folder}",
        f"Scores given texts with a trained model of the task {run.task.name}: their "
        "log-probability in nats, the number of their tokens, and their perplexity.",
        run.task.scored_inputs,
        words,
        _add_options,
    )
    if run.path != folder:
        write_notice(f"scoring with {run.path}")
    with requiring(*run.extras, where="rnnpipe score"):
        if options.input is None and options.output is None and options.format is None:
            _print(run.scorer.predict_one(texts))  # type: ignore[arg-type]  # a scorer's
            return 0
        return _score_many(run, options, texts, overrides)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_setting_option(parser.add_argument_group("settings"))
    many = parser.add_argument_group("many rows")
    add_row_options(many, results="scores")
    help_text = "write the score of each token too, as JSON"
    many.add_argument("--tokens", action="store_true", help=help_text)


def _score_many(
    run: Run, options: argparse.Namespace, texts: Mapping[str, Any], overrides: Sequence[str]
) -> int:
    output, form = find_output(options)
    source = open_source(run.scorer, texts, options, form)
    writer = make_score_writer(form, source.columns, tokens=options.tokens)
    further = {"tokens": options.tokens, "scores": True, "settings": sorted(overrides)}
    job = describe_job(run.path, options, texts, form, **further)
    return int(write_rows(run.scorer, source, writer, output, job, "score") > 0)


def _print(scored: ScoredText) -> None:
    for note in scored.notes:
        write_notice(note)
    table, console = Table("token", "log-probability"), make_console()
    for token, log_probability in scored.tokens:
        table.add_row(token, f"{log_probability:.4f}")
    console.print(table)
    count = len(scored.tokens)
    console.print(
        f"log-probability {scored.log_probability:.4f}, tokens {count}, "
        f"perplexity {scored.perplexity:.4f}"
    )
