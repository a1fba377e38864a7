"""A recurrent decoder with attention, from words and a memory to logits of the next word."""

from collections.abc import Callable
from typing import Any, Literal

import keras

from rnnpipe.layers.attention import Attention
from rnnpipe.layers.decoder.bahdanau import BahdanauCell
from rnnpipe.layers.decoder.cell import AttentionCell
from rnnpipe.layers.decoder.checks import (
    check_choices,
    check_memory,
    check_memory_given,
    check_parts,
    check_rates,
    check_sizes,
    check_tied_readout,
    check_tokens,
)
from rnnpipe.layers.decoder.fused import decoder_obstacle, unroll_fused
from rnnpipe.layers.decoder.luong import LuongCell
from rnnpipe.layers.decoder.readout import READOUTS, Readout, ReadoutKind
from rnnpipe.layers.decoder.scheduled_sampling import unroll_sampling
from rnnpipe.layers.decoder.step import DecoderStep, begin_decoding
from rnnpipe.layers.decoder.structures import StepOutputs
from rnnpipe.layers.decoder.top_down import TopDownCell
from rnnpipe.layers.decoder.vocabulary import make_embedding, make_logits
from rnnpipe.nested import is_empty
from rnnpipe.types import Nested, Shape, Tensor

Architecture = Literal["luong", "bahdanau", "top_down"]

CELLS: dict[str, type[AttentionCell]] = {
    "luong": LuongCell,
    "bahdanau": BahdanauCell,
    "top_down": TopDownCell,
}


@keras.saving.register_keras_serializable("rnnpipe")
class AttentionDecoder(keras.layers.Layer):
    """A recurrent decoder with attention: the previous words and a memory in, the next word out.

    A step, with e the embedding of the previous word, is that of one of three papers:

        luong:     s = cells([e; f], s)                 c, α = attention(s, memory)
        bahdanau:  c, α = attention(s, memory)          s = cells([e; c], s)
        top_down:  q = cell₁([e; s; mean memory], q)    c, α = attention(q, memory)
                   s = cells([c; q], s)

        r = readout(s, c, e)      logits = r W + b

    where the readout is one of

        "tanh":   r = tanh([s; c] W_r + b_r)  (Luong)     "deep": r = tanh([s; c; e] W_r + b_r)
        "maxout": r = max of each pair in [s; c; e] W_r + b_r  (Bahdanau)     "plain": r = [s; c]
        "state":  r = s  (Rennie, Anderson)

    The input feed f of Luong's decoder is the previous r if that is `"tanh"`, else the previous c;
    zeros at first. Without input feeding, the cells (of `top_down`, the first one) read e alone.
    All that a step needs is an argument or a state: the layer itself keeps no state.

    Args:
        vocab: the size of the vocabulary.
        embedding: the size of the word embeddings, in which token 0 is padding, or an `Embedding`
            layer, which an encoder may share.
        cell: a recurrent cell of this package or of Keras, or a list of them, the lowest first.
        attention: the attention mechanism.
        architecture: `"luong"`, `"bahdanau"`, whose query is the last cell's previous output, or
            `"top_down"`, which needs two cells or more.
        input_feeding: whether the cells read the context.
        output: the kind of the readout.
        output_size: the size of r; by default that of s, or of e if the weights are tied.
        tie_weights: whether W is the transposed embedding.
        dropout: fraction of e, and of r before the logits, that is dropped in training.
        sampling_rate: the initial probability with which a word in training is sampled from the
            decoder instead of read from `tokens` (scheduled sampling). It becomes the variable
            `sampling_rate`, which a `ScheduledSampling` callback sets. None creates no variable.
        seed: of dropout and sampling.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        tokens: `(batch, target_time)` integers: the previous words, the start token first.
        memory: `(batch, source_time, features)`, a grid `(batch, height, width, channels)`, or
            whatever else the mechanism reads.
        mask: `(batch, source_time)` or `(batch, height, width)`, True at the positions to attend
            to; by default the mask that `memory` carries.
        initial_state: the first states of all cells, in order, as a list of `(batch, units)`: for a
            GRU `[h]`, for two LSTMs `[h, c, h, c]` or `[[h, c], [h, c]]`; zeros by default.
        sampling_rate: replaces the variable in this call.
        training: whether dropout and scheduled sampling are on.

    Returns:
        `(logits, alignments)`: `(batch, target_time, vocab)` and `(batch, target_time, glimpses,
        source_time)` or `(batch, target_time, glimpses, height, width)`. If the embedding masks
        token 0, the logits carry that mask, so that losses and metrics ignore padding.

    Raises:
        UserError: if an option is out of range, or an argument is missing or of the wrong shape.

    Example:
        >>> import numpy
        >>> from rnnpipe.layers import AdditiveAttention, GRUCell
        >>> decoder = AttentionDecoder(20, 8, GRUCell(16), AdditiveAttention(16))
        >>> tokens, memory = numpy.ones((2, 5), "int32"), numpy.zeros((2, 7, 6))
        >>> logits, alignments = decoder(tokens, memory)
        >>> tuple(logits.shape), tuple(alignments.shape)
        ((2, 5, 20), (2, 5, 1, 7))
        >>> from rnnpipe.decoding import greedy_search
        >>> step, state = decoder.begin(memory)
        >>> tuple(greedy_search(step, state, max_length=9).ids.shape)
        (2, 1, 9)

    Source: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and
    Translate, 2015, A.2.2; Luong, Pham and Manning, Effective Approaches to Attention-based Neural
    Machine Translation, 2015, section 3; top-down: Anderson et al., Bottom-Up and Top-Down
    Attention, 2018, section 3.2; deep output: Pascanu et al., How to Construct Deep
    Recurrent Neural Networks, 2014; tied weights: Press and Wolf, Using the Output Embedding to
    Improve Language Models, 2017; scheduled sampling: Bengio et al., Scheduled Sampling for
    Sequence Prediction with Recurrent Neural Networks, 2015.
    """

    def __init__(
        self,
        vocab: int,
        embedding: int | keras.layers.Embedding,
        cell: Any,
        attention: Attention,
        *,
        architecture: Architecture = "luong",
        input_feeding: bool = True,
        output: ReadoutKind = "tanh",
        output_size: int | None = None,
        tie_weights: bool = False,
        dropout: float = 0.0,
        sampling_rate: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        cells = list(cell) if isinstance(cell, list | tuple) else [cell]
        check_parts(self, cells, attention)
        check_sizes(self, vocab, output_size)
        check_choices(self, {"architecture": (architecture, CELLS), "output": (output, READOUTS)})
        check_rates(self, dropout, sampling_rate)
        self.vocab, self.tie_weights, self.seed = int(vocab), tie_weights, seed
        self.architecture = architecture
        self.embedding = make_embedding(self, embedding)
        self.cell = CELLS[architecture](
            cells,
            attention,
            Readout(output, output_size, dtype=self.dtype_policy, name="readout"),
            input_feeding=input_feeding,
            dtype=self.dtype_policy,
            name="cell",
        )
        self.output_size, self.initial_sampling_rate = output_size, sampling_rate
        self.dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.random = keras.random.SeedGenerator(seed)
        self.to_logits = make_logits(self)
        self.supports_masking = True

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of the cells' states in order, for a `Bridge`."""
        return self.cell.state_sizes

    def build(self, tokens_shape: Shape, memory_shape: Nested[Shape] = None) -> None:
        """Creates the weights for a memory of this shape."""
        del tokens_shape
        check_memory_given(self, memory_shape)
        if not self.embedding.built:
            self.embedding.build((None, None))
        size = self.embedding.compute_output_shape((None, None))[-1]
        readout = self.cell.readout
        readout.units = self.output_size or (size if self.tie_weights else self.cell.output_size)
        self.cell.build((None, size), memory_shape)
        if self.tie_weights:
            check_tied_readout(self, readout.units, size)
        self.to_logits.build((None, readout.units))
        if self.initial_sampling_rate is not None:
            start = keras.initializers.Constant(self.initial_sampling_rate)
            self.sampling_rate = self.add_weight(
                (), start, trainable=False, autocast=False, name="sampling_rate"
            )

    def call(
        self,
        tokens: Tensor,
        memory: Nested[Tensor] = None,
        mask: Nested[Tensor] = None,
        initial_state: Nested[Tensor] = None,
        sampling_rate: Tensor = None,
        *,
        memory_mask: Nested[Tensor] = None,
        training: bool = False,
    ) -> tuple[Tensor, Nested[Tensor]]:
        """Logits of the word after each of `tokens`; see the class for the arguments."""
        # Keras itself fills an argument of the name `memory_mask`, on every backend.
        mask = memory_mask if mask is None else mask
        check_tokens(self, tokens, rank=2)
        check_memory(self, memory, mask, tokens)
        prepared = self.cell.prepare(memory, mask)
        state = self.cell.first_state(prepared, initial_state)
        rate = self._sampling_rate(sampling_rate) if training else None
        if rate is not None:
            return unroll_sampling(self, tokens, prepared, state, rate)
        words = self.dropout(self.embedding(tokens), training=training)
        outputs = unroll_fused(self.cell, words, prepared, state, training)
        if outputs is None:
            outputs = self.cell.unroll(words, prepared, state, training)
        return self.logits(words, outputs, training), outputs.alignments

    def kernel_obstacle(self) -> str | None:
        """Why the decoder has no kernel here, or None if it has; see `rnnpipe.layers.kernels`."""
        return decoder_obstacle(self.cell)

    def begin(
        self,
        memory: Nested[Tensor],
        mask: Nested[Tensor] = None,
        initial_state: Nested[Tensor] = None,
        *,
        beam_width: int | None = None,
    ) -> tuple[DecoderStep, Any]:
        """A step function and its first state, for `rnnpipe.decoding`; the layer must be built.

        Args:
            memory: as for a call.
            mask: as for a call.
            initial_state: as for a call.
            beam_width: how many rows the decoding has for each source. By default memory and keys
                are part of the state, which suits any number of rows; with `beam_width` they are
                repeated once and stay outside of the state, which is faster.

        Returns:
            `step(tokens, state) -> (logits, state, alignments)`, from `(batch,)` to
            `(batch, vocab)`, the next state and `(batch, glimpses, ...positions)`, which
            `step.select_rows(rows)` restricts to some rows; and the first state, whose rows are the
            batch.

        Raises:
            UserError: if the layer is not built, or an argument has the wrong shape.
        """
        return begin_decoding(self, memory, mask, initial_state, beam_width)

    def compute_mask(self, tokens: Tensor, *_: Any) -> Any:
        """The logits carry the mask of the tokens, if the embedding makes one."""
        mask = self.embedding.compute_mask(tokens)
        return None if mask is None else (mask, None)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "vocab": self.vocab,
            "embedding": serialize(self.embedding),
            "cell": [serialize(cell) for cell in self.cell.cells],
            "attention": serialize(self.cell.attention),
            "architecture": self.architecture,
            "input_feeding": self.cell.input_feeding,
            "output": self.cell.readout.kind,
            "output_size": self.output_size,
            "tie_weights": self.tie_weights,
            "dropout": self.dropout.rate,
            "sampling_rate": self.initial_sampling_rate,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AttentionDecoder":
        """Creates a decoder from its config."""
        make = keras.saving.deserialize_keras_object
        parts = {name: make(config[name]) for name in ("embedding", "cell", "attention")}
        return cls(**{**config, **parts})

    def embed(self, tokens: Tensor) -> Tensor:
        """Embeddings of one word a row, without the mask, which no cell takes."""
        return self.embedding(tokens[:, None])[:, 0]

    def logits(
        self,
        words: Tensor,
        outputs: StepOutputs,
        training: bool = False,
        *,
        to_logits: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Logits of any number of steps at once, by `to_logits` in the place of the layer's own."""
        readout = outputs.readout
        if is_empty(readout):
            readout = self.cell.readout(outputs.output, outputs.context, words)
        return (to_logits or self.to_logits)(self.dropout(readout, training=training))

    def _sampling_rate(self, rate: Tensor) -> Tensor:
        """The sampling rate of a call, or None if nothing is sampled."""
        rate = getattr(self, "sampling_rate", None) if rate is None else rate
        return None if isinstance(rate, int | float) and rate == 0 else rate
