"""A recurrent decoder that attends: memory and words so far in, logits of the next word out."""

from typing import Any

import keras
from keras import ops, tree

from rnnpipe.layers.decoder.cell import LOOKS, AttentionCell
from rnnpipe.layers.decoder.checks import (
    check_choices,
    check_embedding,
    check_given,
    check_memory,
    check_parts,
    check_rates,
    check_sizes,
    check_tokens,
)
from rnnpipe.layers.decoder.fast import run_fast
from rnnpipe.layers.decoder.readout import KINDS, Readout
from rnnpipe.layers.decoder.sampling import run_sampling
from rnnpipe.layers.decoder.step import DecoderStep
from rnnpipe.layers.decoder.structures import Outputs, carried_mask, nothing, repeat
from rnnpipe.layers.decoder.top_down import TopDownCell
from rnnpipe.layers.faults import fault


@keras.saving.register_keras_serializable("rnnpipe")
class AttentionDecoder(keras.layers.Layer):
    """A recurrent decoder with attention: the words so far and a memory in, the next word out.

    At each step, with e the vector of the word before, it looks after its cells have stepped
    (Luong), before (Bahdanau), or between the first one and the others (Anderson):

        after:  s = cells([e; f], s)      c, α = attention(s, memory)      f = r or c, fed onward
        before: c, α = attention(s, memory)      s = cells([e; c], s)
        between: q = cell₁([e; s; mean memory], q)   c, α = attention(q, memory)   s = cells([c; q])

        r = readout(s, c, e)      logits = r W + b

    where the readout is one of

        "tanh":   r = tanh([s; c] W_r + b_r)  (Luong)     "deep": r = tanh([s; c; e] W_r + b_r)
        "maxout": r = max of each pair in [s; c; e] W_r + b_r  (Bahdanau)     "plain": r = [s; c]
        "state":  r = s  (Rennie, Anderson)

    With input feeding, what is fed onward is r if it is `"tanh"`, else c; at first zeros.
    Without, the cells, or the first of those looked between, read e alone. All that a step needs is
    an argument or a state: nothing is kept on the layer.

    Args:
        vocab: how many tokens there are.
        embedding: the size of the words' vectors, in which token 0 is padding, or an `Embedding`
            layer, which an encoder may share.
        cell: the cell that steps, of this package or of Keras, or a list of them, the lowest first.
            With `look="before"`, the first state of the last one asks.
        attention: the mechanism.
        look: `"after"` or `"before"` the cells step, or `"between"` the first and the others.
        input_feeding: whether the cells read what attention found.
        output: the readout.
        output_size: the size of r; that of s by default, or of e where weights are tied.
        tie_weights: whether W is the transposed embedding.
        dropout: fraction of e and of r, as the logits read it, that is dropped in training.
        sampling_rate: how often in training a word is the model's own guess and not the one that
            is given (scheduled sampling), at first: it makes the variable `sampling_rate`, which a
            `ScheduledSampling` callback changes. None makes no variable.
        seed: of dropout and sampling.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        tokens: `(batch, target_time)` integers: the words so far, the start token first.
        memory: `(batch, source_time, features)`, a grid `(batch, height, width, channels)`, or
            whatever the mechanism reads.
        mask: `(batch, source_time)` or `(batch, height, width)`, True where memory may be read; by
            default the mask that `memory` carries.
        initial_state: the first states of all cells, in order, as a list of `(batch, units)`: for a
            GRU `[h]`, for two LSTMs `[h, c, h, c]`; zeros where not given.
        sampling_rate: takes the place of the variable in this call.
        training: whether dropout and scheduled sampling are on.

    Returns:
        `(logits, alignments)`: `(batch, target_time, vocab)` and `(batch, target_time, glimpses,
        source_time)` or `(batch, target_time, glimpses, height, width)`. If the embedding masks
        token 0, the logits carry that mask, so that losses and metrics pass over padding.

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
        >>> from rnnpipe.decoding import greedy
        >>> step, state = decoder.begin(memory)
        >>> tuple(greedy(step, state, max_length=9).ids.shape)
        (2, 1, 9)

    Source: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and
    Translate, 2015, A.2.2; Luong, Pham and Manning, Effective Approaches to Attention-based Neural
    Machine Translation, 2015, section 3; looking between: Anderson et al., Bottom-Up and Top-Down
    Attention, 2018, section 3.2; deep output: Pascanu et al., How to Construct Deep
    Recurrent Neural Networks, 2014; tied weights: Press and Wolf, Using the Output Embedding to
    Improve Language Models, 2017; scheduled sampling: Bengio et al., Scheduled Sampling for
    Sequence Prediction with Recurrent Neural Networks, 2015.
    """

    def __init__(
        self,
        vocab: int,
        embedding: Any,
        cell: Any,
        attention: Any,
        *,
        look: str = "after",
        input_feeding: bool = True,
        output: str = "tanh",
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
        check_choices(self, {"look": (look, LOOKS), "output": (output, KINDS)})
        check_rates(self, dropout, sampling_rate)
        self.vocab, self.tie_weights, self.seed = vocab, tie_weights, seed
        self.embedding = self._own_embedding(embedding)
        kind = TopDownCell if look == "between" else AttentionCell
        self.cell = kind(
            cells,
            attention,
            Readout(output, output_size, dtype=self.dtype_policy, name="readout"),
            look=look,
            input_feeding=input_feeding,
            dtype=self.dtype_policy,
            name="cell",
        )
        self.output_size, self.first_rate = output_size, sampling_rate
        self.dropout = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.random = keras.random.SeedGenerator(seed)
        self.to_logits = (
            None
            if tie_weights
            else keras.layers.Dense(vocab, dtype=self.dtype_policy, name="logits")
        )
        self.supports_masking = True

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of the cells' states in order, for a `Bridge`."""
        return self.cell.state_sizes

    def build(self, tokens_shape: Any, memory_shape: Any = None) -> None:
        """Creates the weights for a memory of this shape."""
        del tokens_shape
        check_given(self, memory_shape)
        if not self.embedding.built:
            self.embedding.build((None, None))
        size = self.embedding.compute_output_shape((None, None))[-1]
        readout = self.cell.readout
        readout.units = self.output_size or (size if self.tie_weights else self.cell.output_size)
        self.cell.build((None, size), memory_shape)
        if self.to_logits is not None:
            self.to_logits.build((None, readout.units))
        elif readout.units != size:
            fix = "leave output_size out, or choose another output than 'plain'"
            raise fault(self, f"a readout of {size}, as the tied words", str(readout.units), fix)
        else:
            self.bias = self.add_weight((self.vocab,), "zeros", name="bias")
        if self.first_rate is not None:
            start = keras.initializers.Constant(self.first_rate)
            self.sampling_rate = self.add_weight(
                (), start, trainable=False, autocast=False, name="sampling_rate"
            )

    def call(
        self,
        tokens: Any,
        memory: Any = None,
        mask: Any = None,
        initial_state: Any = None,
        sampling_rate: Any = None,
        *,
        memory_mask: Any = None,
        training: Any = False,
    ) -> tuple[Any, Any]:
        """Logits of the word after each of `tokens`; see the class for the arguments."""
        # Keras itself fills an argument of the name `memory_mask`, on every backend.
        mask = memory_mask if mask is None else mask
        check_tokens(self, tokens, rank=2)
        check_memory(self, memory, mask, tokens)
        source = self.cell.source(memory, mask)
        state = self.cell.first_state(source, initial_state)
        rate = self._rate(sampling_rate) if training else None
        if rate is not None:
            return run_sampling(self, tokens, source, state, rate)
        words = self.dropout(self.embedding(tokens), training=training)
        outputs = run_fast(self.cell, words, source, state, training)
        if outputs is None:
            outputs = self.cell.run(words, source, state, training)
        return self.logits(words, outputs, training), outputs.alignments

    def begin(
        self, memory: Any, mask: Any = None, initial_state: Any = None, *, copies: int | None = None
    ) -> tuple[DecoderStep, Any]:
        """A step and its first state, for `rnnpipe.decoding`; the layer must be built.

        Args:
            memory: as for a call.
            mask: as for a call.
            initial_state: as for a call.
            copies: how many rows the decoding makes of each source, e.g. the width of a beam. By
                default memory and keys are part of the state, which suits any number; with it they
                stay outside, repeated once, which is faster.

        Returns:
            `step(tokens, state) -> (logits, state, alignments)`, from `(batch,)` to
            `(batch, vocab)`, the next state and `(batch, glimpses, ...positions)`, which
            `step.take(rows)` restricts to some rows; and the first state, whose rows are the batch.

        Raises:
            UserError: if the layer is not built, or an argument has the wrong shape.
        """
        if not self.built:
            raise fault(self, "a built decoder", "none of its weights", "call it, or load a model")
        check_given(self, memory)
        mask = carried_mask(memory) if mask is None else mask
        memory = tree.map_structure(
            lambda each: ops.convert_to_tensor(each, dtype=self.compute_dtype), memory
        )
        check_memory(self, memory, mask)
        source = self.cell.source(memory, mask)
        state = self.cell.first_state(source, initial_state)
        outside = None if copies is None else repeat(source, copies)
        # Turned here, once, and not by every step.
        tied = None if self.to_logits is not None else self._tied_kernel()
        step = DecoderStep(self, outside, tied)
        return step, (state, source if outside is None else ())

    def compute_mask(self, tokens: Any, *_: Any) -> Any:
        """The logits carry the mask of the tokens, if the embedding makes one."""
        mask = self.embedding.compute_mask(tokens)
        return None if mask is None else (mask, None)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "vocab": self.vocab,
            "embedding": serialize(self.embedding),
            "cell": [serialize(cell) for cell in self.cell.cells],
            "attention": serialize(self.cell.attention),
            "look": self.cell.look,
            "input_feeding": self.cell.input_feeding,
            "output": self.cell.readout.kind,
            "output_size": self.output_size,
            "tie_weights": self.tie_weights,
            "dropout": self.dropout.rate,
            "sampling_rate": self.first_rate,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AttentionDecoder":
        """The decoder that `get_config` told of."""
        make = keras.saving.deserialize_keras_object
        parts = {name: make(config[name]) for name in ("embedding", "cell", "attention")}
        return cls(**{**config, **parts})

    def word(self, tokens: Any) -> Any:
        """Vectors of one word a row, without the mask that no cell takes."""
        return self.embedding(tokens[:, None])[:, 0]

    def logits(
        self, words: Any, outputs: Outputs, training: Any = False, *, tied: Any = None
    ) -> Any:
        """Logits of any number of steps at once, with the tied kernel, if it is at hand."""
        readout = outputs.readout
        if nothing(readout):
            readout = self.cell.readout(outputs.output, outputs.context, words)
        readout = self.dropout(readout, training=training)
        if self.to_logits is not None:
            return self.to_logits(readout)
        kernel = self._tied_kernel() if tied is None else tied
        return ops.matmul(readout, kernel) + ops.cast(self.bias, self.compute_dtype)

    def _tied_kernel(self) -> Any:
        """The embedding as the kernel of the logits, `(embedding_size, vocab)`."""
        return ops.transpose(ops.cast(self.embedding.embeddings, self.compute_dtype))

    def _rate(self, given: Any) -> Any:
        """How often to sample, or None for not at all."""
        rate = given if given is not None else getattr(self, "sampling_rate", None)
        return None if isinstance(rate, int | float) and rate == 0 else rate

    def _own_embedding(self, embedding: Any) -> Any:
        if isinstance(embedding, int):
            return keras.layers.Embedding(
                self.vocab, embedding, mask_zero=True, dtype=self.dtype_policy, name="embedding"
            )
        check_embedding(self, embedding)
        return embedding
