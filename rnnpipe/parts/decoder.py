"""The decoder of captions, translations and other sequences."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.parts.attention import AdditiveAttentionOptions, AttentionOptions
from rnnpipe.parts.cells import Att2InOptions, CellOptions, LSTMOptions
from rnnpipe.settings import Kinds, Settings, fraction, setting

if TYPE_CHECKING:
    import keras

    from rnnpipe.layers import AttentionDecoder, ScheduledSampling

_HERE = "rnnpipe.parts.decoder"


class ScheduledSamplingOptions(Settings):
    """How often, in training, the decoder reads its own last token (Bengio et al. 2015)."""

    kinds = Kinds(
        "rnnpipe.scheduled_sampling",
        {
            "linear": f"{_HERE}:LinearSamplingOptions",
            "exponential": f"{_HERE}:ExponentialSamplingOptions",
            "inverse_sigmoid": f"{_HERE}:InverseSigmoidSamplingOptions",
        },
    )

    def make_schedule(self) -> Callable[[int], float]:
        """The rate after so many training steps."""
        raise NotImplementedError

    def make_callback(self, decoder: "AttentionDecoder") -> "ScheduledSampling":
        """What changes the rate of a decoder in training."""
        from rnnpipe.layers import ScheduledSampling

        return ScheduledSampling(decoder, self.make_schedule())


class LinearSamplingOptions(ScheduledSamplingOptions):
    """The rate grows evenly, then stays."""

    kind: Literal["linear"] = "linear"
    steps: int = setting(10_000, "training steps after which the final rate is reached", ge=1)
    final: float = setting(0.25, "the final rate", ge=0, le=1)

    def make_schedule(self) -> Callable[[int], float]:
        """A `linear_schedule`."""
        from rnnpipe.layers import linear_schedule

        return linear_schedule(self.steps, self.final)


class ExponentialSamplingOptions(ScheduledSamplingOptions):
    """The rate nears 1 by a factor at each step."""

    kind: Literal["exponential"] = "exponential"
    base: float = setting(0.9999, "what the trust in given tokens is multiplied by", gt=0, lt=1)

    def make_schedule(self) -> Callable[[int], float]:
        """An `exponential_schedule`."""
        from rnnpipe.layers import exponential_schedule

        return exponential_schedule(self.base)


class InverseSigmoidSamplingOptions(ScheduledSamplingOptions):
    """The rate starts low, grows fastest after about pace · log pace steps, and nears 1."""

    kind: Literal["inverse_sigmoid"] = "inverse_sigmoid"
    pace: float = setting(1000.0, "of the growth, in training steps", ge=1)

    def make_schedule(self) -> Callable[[int], float]:
        """An `inverse_sigmoid_schedule`."""
        from rnnpipe.layers import inverse_sigmoid_schedule

        return inverse_sigmoid_schedule(self.pace)


class DecoderOptions(Settings):
    """A recurrent decoder: its cells, its attention and its readout.

    Example:
        >>> decoder = DecoderOptions(cell=LSTMOptions(units=8)).make(20, 4)
        >>> import numpy
        >>> logits, alignments = decoder(numpy.ones((2, 5), "int32"), numpy.zeros((2, 7, 6)))
        >>> tuple(logits.shape), tuple(alignments.shape)
        ((2, 5, 20), (2, 5, 1, 7))
    """

    cell: CellOptions = LSTMOptions(units=512)
    depth: int = setting(1, "cells on top of each other", ge=1)
    attention: AttentionOptions | None = setting(
        AdditiveAttentionOptions(units=512), "null: the decoder sees the memory at its start alone"
    )
    architecture: Literal["luong", "bahdanau", "top_down"] = setting(
        "luong",
        "when it attends: after its cells step (luong), before (bahdanau), or between the first "
        "cell and the others (top_down, Anderson 2018)",
    )
    input_feeding: bool = setting(True, "whether its cells read what attention found")
    output: Literal["tanh", "deep", "maxout", "plain", "state"] = setting(
        "tanh", "the readout between its state and the logits"
    )
    output_size: int | None = setting(None, "units of the readout; null: those of its cell", ge=1)
    tie_weights: bool = setting(False, "whether the logits use the embedding (Press & Wolf 2017)")
    dropout: float = fraction(help="of the embeddings' and of the readout's features, in training")
    bridge: Literal["dense", "copy", "zeros"] = setting(
        "dense", "how its first states are made of the encoder's last ones"
    )
    scheduled_sampling: ScheduledSamplingOptions | None = setting(
        None, "how often it reads its own last token in training; null: never"
    )

    def check(self) -> None:
        """Attending between two cells takes two of them; att2in attends before it steps."""
        attends_before = self.attention is not None and self.architecture == "bahdanau"
        if isinstance(self.cell, Att2InOptions) and not attends_before:
            fix = "write architecture: bahdanau, or another cell"
            raise UserError("cell.kind", "another kind without bahdanau", "att2in", fix)
        if self.architecture == "top_down" and self.depth < 2:
            raise UserError("depth", "at least 2 with top_down", str(self.depth), "write 2")
        if self.output in ("plain", "state"):
            self.require_default("output_size", f"with the output {self.output}")

    def make(
        self,
        vocab: int,
        embedding: Any,
        *,
        memory_features: int | None = None,
        name: str = "decoder",
    ) -> "AttentionDecoder":
        """The decoder.

        Args:
            vocab: number of tokens.
            embedding: the size of their vectors, or a Keras `Embedding`.
            memory_features: of what it attends to; only cells that read the context apart from the
                token need to know.
            name: of the layer.

        Raises:
            UserError: it has no attention.
        """
        from rnnpipe.layers import AttentionDecoder

        if self.attention is None:
            raise UserError("attention", "a mechanism", "none", "write e.g. {kind: additive}")
        return AttentionDecoder(
            vocab,
            embedding,
            [self._make_cell(memory_features) for _ in range(self.depth)],
            self.attention.make(),
            architecture=self.architecture,
            input_feeding=self.input_feeding,
            output=self.output,
            output_size=self.output_size,
            tie_weights=self.tie_weights,
            dropout=self.dropout,
            sampling_rate=None if self.scheduled_sampling is None else 0.0,
            name=name,
        )

    def _make_cell(self, memory_features: int | None) -> "keras.layers.Layer":
        if self.attention is None or not isinstance(self.cell, Att2InOptions):
            return self.cell.make_cell()
        if memory_features is None:
            fix = "pass memory_features, or take another cell"
            raise UserError("memory_features", "a number, for att2in", "none", fix)
        # How many features a context has depends on the mechanism, its heads and glimpses.
        mechanism = self.attention.make()
        mechanism.build((None, self.cell.units), (None, None, memory_features))
        return self.cell.make_cell(context=mechanism.context_features)
