"""The settings that every build has: its source, its splits, its size."""

from collections.abc import Sequence
from dataclasses import fields
from typing import ClassVar

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Settings, fraction, setting
from rnnpipe.sources.source import Source
from rnnpipe.transforms.recipes.base import Recipe


class BuildOptions(Settings):
    """How records are built."""

    workers: int = setting(1, "local worker processes; 1 works in this process", ge=1)
    records_per_shard: int = setting(1000, "records of a file, about", ge=1)
    max_bad_fraction: float = setting(
        0.05, "share of raw records that may become dead letters", ge=0, le=1
    )


class HeldOutOptions(Settings):
    """Shares of the training split held out where the raw data has no such split; 0: none."""

    validation: float = fraction(0.1, "share of the training split for validation")
    test: float = fraction(0.1, "share of the training split for the test")

    def check(self) -> None:
        """Some is left to train on."""
        if self.validation + self.test >= 1:
            expected, got = "shares of less than 1 together", f"{self.validation} and {self.test}"
            raise UserError("", expected, got, "make them smaller, so that some is left for train")

    @property
    def shares(self) -> dict[str, float]:
        """The share of each split that is made."""
        shares = {"validation": self.validation, "test": self.test}
        return {split: share for split, share in shares.items() if share}


class Data(Settings):
    """The raw data and what is made of it.

    A subclass names the family of its sources and its recipe, and has the settings of both.
    """

    recipe: ClassVar[type[Recipe]]
    extras: ClassVar[Sequence[str]] = ()
    """The extras of rnnpipe that the build needs beside `build`."""

    source: Source
    directory: FilePath | None = setting(
        None, "where the records go; null: a folder of their own in the cache"
    )
    splits: HeldOutOptions = HeldOutOptions()

    def open_source(self) -> Source:
        """The raw data."""
        return self.source

    def make_recipe(self) -> Recipe:
        """How raw data becomes records."""
        return self.recipe(**{f.name: getattr(self, f.name) for f in fields(self.recipe)})
