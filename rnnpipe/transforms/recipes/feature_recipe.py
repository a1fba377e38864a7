"""The base class of recipes whose records may have features of a backbone."""

from typing import TYPE_CHECKING, ClassVar

from rnnpipe.records.specs import RecordSpec
from rnnpipe.transforms.recipes.base import Recipe

if TYPE_CHECKING:
    from rnnpipe.transforms.recipes.image_features import FeatureOptions


class FeatureRecipe(Recipe):
    """A recipe with the setting `features`, which subclasses declare.

    Attributes:
        specs: the kind of record without features, and the one with them.
    """

    specs: ClassVar[tuple[RecordSpec, RecordSpec]]

    if TYPE_CHECKING:

        @property
        def features(self) -> "FeatureOptions | None":
            """Which features; None for none."""

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        plain, with_features = self.specs
        return plain if self.features is None else with_features
