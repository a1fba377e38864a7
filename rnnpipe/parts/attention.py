"""Attention mechanisms."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Settings, fraction, setting

if TYPE_CHECKING:
    from rnnpipe.layers import Attention

_HERE = "rnnpipe.parts.attention"


class AttentionOptions(Settings):
    """An attention mechanism.

    A subclass has a `kind` and makes the mechanism. Some kinds take another one as `mechanism`.
    Other packages add kinds by the entry point group `rnnpipe.attention`.

    Example:
        >>> options = LocalAttentionOptions(mechanism=GeneralAttentionOptions(), reach=5)
        >>> type(options.make()).__name__
        'LocalAttention'
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
            "gated": f"{_HERE}:GatedAttentionOptions",
            "hard": f"{_HERE}:HardAttentionOptions",
            "local": f"{_HERE}:LocalAttentionOptions",
            "monotonic": f"{_HERE}:MonotonicAttentionOptions",
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

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `LocationAttention`."""
        from rnnpipe.layers import LocationAttention

        return LocationAttention(
            filters=self.filters,
            kernel_size=self.kernel_size,
            cumulative=self.cumulative,
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


class _WrapperOptions(AttentionOptions):
    aligns_by_softmax = False

    mechanism: AttentionOptions

    @property
    def reads_grids(self) -> bool:
        """Whether its mechanism does."""
        return self.mechanism.reads_grids

    @property
    def is_hard(self) -> bool:
        """Whether its mechanism is."""
        return self.mechanism.is_hard

    @property
    def needs_equal_features(self) -> bool:
        """Whether its mechanism does."""
        return self.mechanism.needs_equal_features

    @property
    def alignment_count(self) -> int:
        """That of its mechanism."""
        return self.mechanism.alignment_count


class GatedAttentionOptions(_WrapperOptions):
    """A mechanism whose context passes a gate that the query opens (Xu et al. 2015)."""

    kind: Literal["gated"] = "gated"
    mechanism: AttentionOptions = AdditiveAttentionOptions()
    per_feature: bool = setting(False, "whether each feature of the context has its own gate")

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `GatedAttention`."""
        from rnnpipe.layers import GatedAttention

        return GatedAttention(self.mechanism.make(seed=seed), self.per_feature, name=name)


class HardAttentionOptions(_WrapperOptions):
    """A mechanism that attends to one position at a time, trained by REINFORCE (Xu et al. 2015)."""

    kind: Literal["hard"] = "hard"
    mechanism: AttentionOptions = AdditiveAttentionOptions()
    expected_share: float = setting(
        0.5, "how often training takes the expected position, not a sample", ge=0, le=1
    )

    def check(self) -> None:
        """Positions are sampled once, of one alignment."""
        fix = "write e.g. {kind: additive}"
        if self.mechanism.is_hard:
            raise UserError("mechanism", "a mechanism that is not hard itself", "a hard one", fix)
        if (count := self.mechanism.alignment_count) > 1:
            raise UserError("mechanism", "one alignment of each query", str(count), fix)

    @property
    def is_hard(self) -> bool:
        """Always."""
        return True

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `HardAttention`."""
        from rnnpipe.layers import HardAttention

        mechanism = self.mechanism.make(seed=seed)
        return HardAttention(mechanism, expected_share=self.expected_share, seed=seed, name=name)


class ReinforceOptions(Settings):
    """How hard attention learns where to attend: by REINFORCE (Xu et al. 2015, section 4.1)."""

    reward_weight: float = setting(1.0, "of the likelihood that an alignment leads to", ge=0)
    entropy_weight: float = setting(
        0.01, "of the alignments' entropy; more of it keeps them from settling early", ge=0
    )


def is_hard(options: AttentionOptions | None) -> bool:
    """Whether there is a mechanism that is trained by REINFORCE."""
    return options is not None and options.is_hard


class _AligningOptions(_WrapperOptions):
    """A wrapper that aligns in its own way, over sequences alone."""

    @property
    def reads_grids(self) -> bool:
        """Never: positions follow each other."""
        return False

    def check(self) -> None:
        """The mechanism aligns by softmax, whose place the wrapper takes."""
        if not self.mechanism.aligns_by_softmax:
            got = getattr(self.mechanism, "kind", type(self.mechanism).__name__)
            fix = "write e.g. {kind: additive}"
            raise UserError("mechanism.kind", "a mechanism that aligns by softmax", got, fix)


class LocalAttentionOptions(_AligningOptions):
    """A mechanism that attends around a position predicted from the query (Luong et al. 2015)."""

    kind: Literal["local"] = "local"
    mechanism: AttentionOptions = GeneralAttentionOptions()
    units: int = setting(64, "of the layer that predicts the position", ge=1)
    reach: int = setting(10, "positions on either side of it", ge=1)

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `LocalAttention`."""
        from rnnpipe.layers import LocalAttention

        return LocalAttention(self.mechanism.make(seed=seed), self.units, self.reach, name=name)


class MonotonicAttentionOptions(_AligningOptions):
    """A mechanism that only moves forward in a sequence (Raffel et al. 2017)."""

    kind: Literal["monotonic"] = "monotonic"
    mechanism: AttentionOptions = AdditiveAttentionOptions()
    noise: float = setting(1.0, "standard deviation of the noise on the scores in training", ge=0)
    score_bias: float = setting(0.0, "where the bias of the scores starts")
    hard: bool = setting(True, "whether inference chooses positions instead of expecting them")

    def make(self, *, seed: int | None = None, name: str | None = None) -> "Attention":
        """A `MonotonicAttention`."""
        from rnnpipe.layers import MonotonicAttention

        return MonotonicAttention(
            self.mechanism.make(seed=seed),
            noise=self.noise,
            score_bias=self.score_bias,
            hard=self.hard,
            seed=seed,
            name=name,
        )
