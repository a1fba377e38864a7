"""What a build makes, and whether it is made already: all that finished records are found by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.fingerprint import identify_files, make_fingerprint
from rnnpipe.records.inventory import DamagedRecords
from rnnpipe.records.layout import SPLITS
from rnnpipe.sources.source import Source
from rnnpipe.transforms.options import BuildOptions
from rnnpipe.transforms.passes.splits import held_out_shares
from rnnpipe.transforms.recipes.base import Recipe


@dataclass(frozen=True)
class BuildPlan:
    """One data set to be built. A plan needs no Beam; `Build` carries it out.

    Args:
        source: the raw data.
        recipe: how its records are made.
        shares: the share of the training part to hold out for each split that the raw data lacks.
        records_per_shard: about how many records a file holds.
        max_bad_fraction: the share of raw records that may be left out as dead letters.
    """

    source: Source
    recipe: Recipe
    shares: Mapping[str, float]
    records_per_shard: int = BuildOptions.records_per_shard
    max_bad_fraction: float = BuildOptions.max_bad_fraction

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What the records depend on and its hash; the source must be prepared."""
        _ = self._raw_files  # as they are before they are read
        settings = {
            "kind": self.recipe.spec.name,
            "source": {"kind": self.source.kind, **self.source.settings},
            "recipe": dict(self.recipe.settings),
            "shares": dict(self.shares),
            "records_per_shard": self.records_per_shard,
        }
        return make_fingerprint(settings, self.source.raw_files(), self.recipe.libraries)

    @cached_property
    def _raw_files(self) -> str:
        return identify_files(self.source.raw_files())

    def check_raw_files(self) -> None:
        """Checks that the raw data is still that of the fingerprint.

        Raises:
            UserError: it has changed since: what was read of it may be anything.
        """
        if identify_files(self.source.raw_files()) != self._raw_files:
            raise UserError(
                "data.source",
                "raw data that stays as it is while records are built",
                "files that were changed, replaced or removed meanwhile",
                "build again when nothing writes to them",
            )

    @property
    def splits(self) -> list[str]:
        """The splits that its records have; the source must be prepared."""
        given = self.source.split_names
        every = given | held_out_shares(given, self.shares).keys()
        return [split for split in SPLITS if split in every]

    def find_finished(self, directory: Path) -> RecordsDirectory | None:
        """These records in `directory`; None if there are none, or others.

        Raises:
            DamagedRecords: they are not as they were built, or mixed with others, as far as
                `RecordsDirectory.open` can see.
        """
        if not directory.is_dir() or not any(directory.iterdir()):
            return None
        try:
            records = RecordsDirectory.open(directory)
        except DamagedRecords:
            raise
        except UserError:
            return None
        return records if records.fingerprint == self.fingerprint["fingerprint"] else None
