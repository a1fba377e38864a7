"""Checks before work that may take hours."""

from collections.abc import Collection

from rnnpipe.errors import UserError
from rnnpipe.tasks.run_config import RunConfig


def check_splits(config: RunConfig, splits: Collection[str]) -> None:
    """Whether there is what a run is trained, validated and scored on.

    Args:
        config: the run's config.
        splits: those that its records have.

    Raises:
        UserError: one of them is missing.
    """
    there = ", ".join(splits)
    for split in ("train", "validation"):
        if split not in splits:
            fix = "give it a share above 0, or name its files in data.source"
            raise UserError(f"data.splits.{split}", "a split to train with", f"only {there}", fix)
    missing = [split for split in config.evaluate.splits if split not in splits]
    if missing:
        expected, got = f"splits that the records have ({there})", ", ".join(missing)
        fix = f"name others, or give data.splits.{missing[0]} a share above 0"
        raise UserError("evaluate.splits", expected, got, fix)
