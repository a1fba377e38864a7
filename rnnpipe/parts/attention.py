"""Attention mechanisms."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Settings, fraction, setting

if TYPE_CHECKING:
    from rnnpipe.layers import Attention

_HERE = "rnnpipe.parts.attention"
_WRAPPERS = "rnnpipe.parts.attention_wrappers"


class AttentionOptions(Settings):
    """An attention mechanism.

    A subclass has a `kind` and makes the mechanism. Some kinds take another one as `mechanism`.
    Other packages add kinds by the entry point group `rnnpipe.attention`.

    Example:
        >>> type(GeneralAttentionOptions(glimpses=2).make()).__name__
        'GeneralAttention'
    """

    kinds = Kinds(
        "rnnpipe.attention",
        {
            "additive": f"{_HERE}:AdditiveAttentionOptions",
            "coverage": f"{_HERE}:CoverageAttentionOptions",
            "location": f"{_HERE}:LocationAttentionOptions",
            "dot": f"{_HERE}:DotAttentionOptions",
            "general": f"{_HERE}:GeneralAttentionOptions",
            "multi_head": f"{_HERE}:MultiHeadAttentionOptions",
            "gated": f"{_WRAPPERS}:GatedAttentionOptions",
            "hard": f"{_WRAPPERS}:HardAttentionOptions",
            "local": f"{_WRAPPERS}:LocalAttentionOptions",
            "monotonic": f"{_WRAPPERS}:MonotonicAttentionOptions",
        },
    )

    aligns_by_softmax: ClassVar[bool] = True
    """Whether local and monotonic attention can align in its place."""

    @property
    def reads_grids(self) -> bool:
        """Whether its memory may be a grid, and not only a sequence."""
        return True

    @property
    def is_hard(self) -> bool:
        """Whether it samples positions, so that it is trained by REINFORCE."""
        return False

    @property
    def needs_equal_features(self) -> bool:
        """Whether a query has to have as many features as the memory."""
        return False

    @property
    def alignment_count(self) -> int:
        """How many alignments each query has."""
        return 1

    def check_reads_grids(self, key: str) -> None:
        """Checks that its memory may be the grid of an image.

        Args:
            key: the setting that it is, for messages.

        Raises:
            UserError: it attends along a sequence alone.
        """
        if not self.reads_grids:
            got, fix = getattr(self, "kind", type(self).__name__), "write e.g. {kind: additive}"
            raise UserError(f"{key}.kind", "an attention that reads grids", got, fix)

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """The mechanism.

        Args:
            seed: of its dropout and samples.
            name: of the layer.
        """
        raise NotImplementedError


class _JointLayerOptions(AttentionOptions):
    units: int = setting(256, "of the layer in which query and memory are compared", ge=1)
    glimpses: int = setting(1, "alignments of each query", ge=1)
    activation: Literal["tanh", "relu"] = setting("tanh", "of that layer")
    normalize: bool = setting(False, "whether the score's vector is normalised (Salimans 2016)")
    dropout: float = fraction(help="of that layer, in training")

    @property
    def alignment_count(self) -> int:
        """Its glimpses."""
        return self.glimpses

    def _arguments(self, seed: int | None, name: str | None) -> dict[str, Any]:
        return {
            "units": self.units,
            "glimpses": self.glimpses,
            "activation": self.activation,
            "normalize": self.normalize,
            "dropout": self.dropout,
            "seed": seed,
            "name": name,
        }


class AdditiveAttentionOptions(_JointLayerOptions):
    """Additive attention (Bahdanau et al. 2015)."""

    kind: Literal["additive"] = "additive"

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """An `AdditiveAttention`."""
        from rnnpipe.layers import AdditiveAttention

        return AdditiveAttention(**self._arguments(seed, name))


class CoverageAttentionOptions(_JointLayerOptions):
    """Additive attention that knows how much it has attended to each position (Tu et al. 2016)."""

    kind: Literal["coverage"] = "coverage"
    max_fertility: float = setting(2.0, "how often a position can be attended to", gt=0)

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `CoverageAttention`."""
        from rnnpipe.layers import CoverageAttention

        return CoverageAttention(max_fertility=self.max_fertility, **self._arguments(seed, name))


class LocationAttentionOptions(_JointLayerOptions):
    """Additive attention that sees its last alignments (Chorowski et al. 2015)."""

    kind: Literal["location"] = "location"
    filters: int = setting(32, "features of the last alignments around each position", ge=1)
    kernel_size: int = setting(31, "positions over which each filter reaches", ge=1)
    cumulative: bool = setting(False, "whether it sees the sum of all alignments so far")
    sharpening: float = setting(1.0, "what scores are multiplied by; above 1, less is read", gt=0)
    smoothing: bool = setting(False, "whether a sigmoid takes the place of the exponential")

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `LocationAttention`."""
        from rnnpipe.layers import LocationAttention

        return LocationAttention(
            filters=self.filters,
            kernel_size=self.kernel_size,
            cumulative=self.cumulative,
            sharpening=self.sharpening,
            smoothing=self.smoothing,
            **self._arguments(seed, name),
        )


class DotAttentionOptions(AttentionOptions):
    """Dot-product attention: query and memory have the same features (Luong et al. 2015)."""

    kind: Literal["dot"] = "dot"
    scale: Literal["sqrt", "learned"] | None = setting(
        None, "sqrt: 1 / √features; learned: a weight; null: 1"
    )

    @property
    def needs_equal_features(self) -> bool:
        """Always."""
        return True

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `DotAttention`."""
        from rnnpipe.layers import DotAttention

        del seed
        return DotAttention(self.scale, name=name)


class GeneralAttentionOptions(AttentionOptions):
    """Multiplicative attention with a weight between query and memory (Luong et al. 2015)."""

    kind: Literal["general"] = "general"
    glimpses: int = setting(1, "alignments of each query", ge=1)
    scale: Literal["sqrt", "learned"] | None = setting(
        None, "sqrt: 1 / √features; learned: a weight; null: 1"
    )

    @property
    def alignment_count(self) -> int:
        """Its glimpses."""
        return self.glimpses

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `GeneralAttention`."""
        from rnnpipe.layers import GeneralAttention

        del seed
        return GeneralAttention(self.glimpses, scale=self.scale, name=name)


class MultiHeadAttentionOptions(AttentionOptions):
    """Multi-head attention (Vaswani et al. 2017)."""

    kind: Literal["multi_head"] = "multi_head"
    num_heads: int = setting(4, "heads, each with an alignment of its own", ge=1)
    key_dim: int = setting(64, "features of each head's queries and keys", ge=1)
    dropout: float = fraction(help="of the alignments, in training")

    @property
    def alignment_count(self) -> int:
        """Its heads."""
        return self.num_heads

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `MultiHeadAttention`."""
        from rnnpipe.layers import MultiHeadAttention

        return MultiHeadAttention(
            self.num_heads, self.key_dim, dropout=self.dropout, seed=seed, name=name
        )
