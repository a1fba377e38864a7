"""Mechanisms around another one: gated, hard, local and monotonic attention."""

from typing import TYPE_CHECKING, Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.attention import (
    AdditiveAttentionOptions,
    AttentionOptions,
    GeneralAttentionOptions,
)
from rnnpipe.settings import Settings, setting

if TYPE_CHECKING:
    from rnnpipe.layers import Attention


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
