"""A sequence of states as one vector."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rnnpipe.settings import Kinds, Settings, fraction, setting

if TYPE_CHECKING:
    from rnnpipe.layers import ConcatPooling, Pooling

_HERE = "rnnpipe.parts.pooling"


class PoolingOptions(Settings):
    """How the states of all steps become one vector.

    Other packages add kinds by the entry point group `rnnpipe.poolings`.
    """

    kinds = Kinds(
        "rnnpipe.poolings",
        {
            "last": f"{_HERE}:LastPoolingOptions",
            "mean": f"{_HERE}:MeanPoolingOptions",
            "max": f"{_HERE}:MaxPoolingOptions",
            "concat": f"{_HERE}:ConcatPoolingOptions",
            "attention": f"{_HERE}:AttentionPoolingOptions",
        },
    )
    needs_sequences: ClassVar[bool] = True
    """Whether it reads the states of all steps."""

    def make(self, *, name: str = "pooling") -> "Pooling":
        """The layer: from `(batch, time, features)` to what is pooled and its alignments."""
        raise NotImplementedError


class LastPoolingOptions(PoolingOptions):
    """The last state; of a backward layer the first one."""

    kind: Literal["last"] = "last"
    needs_sequences = False


class _StepPoolingOptions(PoolingOptions):
    words: bool = setting(
        False, "whether tokens' embeddings are pooled beside their states (Lai et al. 2015)"
    )


class MeanPoolingOptions(_StepPoolingOptions):
    """The mean of the states of all steps."""

    kind: Literal["mean"] = "mean"

    def make(self, *, name: str = "pooling") -> "Pooling":
        """A `MeanPooling`."""
        from rnnpipe.layers import MeanPooling

        return MeanPooling(name=name)


class MaxPoolingOptions(_StepPoolingOptions):
    """The maximum of each feature over all steps."""

    kind: Literal["max"] = "max"

    def make(self, *, name: str = "pooling") -> "Pooling":
        """A `MaxPooling`."""
        from rnnpipe.layers import MaxPooling

        return MaxPooling(name=name)


class ConcatPoolingOptions(_StepPoolingOptions):
    """The last state, the maximum and the mean, side by side (Howard & Ruder 2018)."""

    kind: Literal["concat"] = "concat"

    def make(
        self, *, backward: tuple[int, int] | None = None, name: str = "pooling"
    ) -> "ConcatPooling":
        """A `ConcatPooling`, where it matters which features are read backwards."""
        from rnnpipe.layers import ConcatPooling

        return ConcatPooling(backward, name=name)


class AttentionPoolingOptions(_StepPoolingOptions):
    """A weighted mean of the states of all steps; the weights are learned (Yang et al. 2016)."""

    kind: Literal["attention"] = "attention"
    units: int = setting(64, "of the layer that scores the steps", ge=1)
    glimpses: int = setting(1, "weighted means, each with weights of its own", ge=1)
    dropout: float = fraction(help="of that layer, in training")

    def make(self, *, name: str = "pooling") -> "Pooling":
        """An `AttentionPooling`."""
        from rnnpipe.layers import AttentionPooling

        options: dict[str, Any] = {"dropout": self.dropout, "name": name}
        return AttentionPooling(self.units, self.glimpses, **options)
