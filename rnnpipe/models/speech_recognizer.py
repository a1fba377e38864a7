"""Speech recognizers: frames of sound in, text out, by CTC, by attention or by both.

Graves et al. 2006; Chorowski et al. 2015, arXiv:1506.07503; Chan et al. 2016, arXiv:1508.01211;
Watanabe et al. 2017.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnpipe.audio import LogMelOptions
from rnnpipe.models.ensemble import begin_ensemble, find_members, mean_logits
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.recurrence import PyramidalRecurrenceOptions
from rnnpipe.parts.spec_augment import SpecAugmentOptions
from rnnpipe.parts.speech_outputs import CTCOutputOptions, SpeechOutputOptions
from rnnpipe.parts.subsampling import SubsamplingOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.text.tokens import PAD

if TYPE_CHECKING:
    import keras

    from rnnpipe.decoding import Step
    from rnnpipe.layers import RecurrentStack

FEATURES, LENGTHS, TARGET = "features", "lengths", "target"
"""The inputs of a recognizer."""

CTC, LOGITS, ALIGNMENTS = "ctc", "logits", "alignments"
"""Its outputs: the logits of each step, those of a decoder's tokens, and where it attended."""

NORMALIZATION, SUBSAMPLING, ENCODER = "normalization", "subsampling", "encoder"
"""The names of what normalises features, of the convolutions and of the recurrence in a model."""

_ENCODED = ("memory", "bridge")  # the names of the layers that a decoder begins with

IMPOSSIBLE = -1e9
"""The logits of all but the blank at steps of padding."""


class SpeechRecognizerOptions(Settings):
    """Convolutional subsampling, recurrent layers, and what makes a text of their states."""

    features: LogMelOptions | None = setting(
        None,
        "of samples; null: those of data.features, or the default ones at the rate of data.sound",
    )
    spec_augment: SpecAugmentOptions | None = setting(
        None, "what is hidden of the features in training; null: nothing"
    )
    subsampling: SubsamplingOptions = SubsamplingOptions()
    encoder: PyramidalRecurrenceOptions | None = setting(
        PyramidalRecurrenceOptions(cell=GRUOptions(units=128), bidirectional=True),
        "null: each step knows the frames of its convolutions alone",
    )
    dropout: float = fraction(help="of the states that the output reads, in training")
    output: SpeechOutputOptions = CTCOutputOptions()

    @property
    def frames(self) -> int:
        """The frames of a step."""
        return self.subsampling.frames * (1 if self.encoder is None else self.encoder.factor)

    @property
    def reads_forwards(self) -> bool:
        """Whether the encoder needs no later step."""
        return self.encoder is None or not self.encoder.bidirectional


def build_speech_recognizer(
    options: SpeechRecognizerOptions,
    *,
    mels: int,
    vocab: int,
    mean: Sequence[float] | None = None,
    variance: Sequence[float] | None = None,
    encoder: "RecurrentStack | None" = None,
) -> "keras.Model":
    """A model that transcribes speech.

        x = subsampling((features − mean) / √variance)           (batch, steps, features)
        h = encoder(x)                                           (batch, steps, units)

        ctc    = W h + b                                         (batch, steps, vocab)
        logits = decoder(target, h, bridge(last h))              (batch, target_time, vocab)

    The blank of `ctc` is `PAD`. Padding changes nothing: at its steps `ctc` is certain of the
    blank, so that a loss or a decoding over all steps is that over those of the sound.

    Args:
        options: of its parts.
        mels: features of a frame.
        vocab: number of tokens.
        mean: of each feature over the training data; None: zeros.
        variance: of each feature; None: ones.
        encoder: a `RecurrentStack` in the place of that part, with the name `encoder`, of layers
            that return their sequences and states.

    Returns:
        A model from `{"features": (batch, time, mels), "lengths": (batch,) frames}`, and with a
        decoder `"target": (batch, target_time)`, which begins with the start token, to `{"ctc":
        (batch, steps, vocab)}`, or `{"logits": (batch, target_time, vocab), "alignments": (batch,
        target_time, steps)}`, or all three.

    Example:
        >>> import numpy
        >>> model = build_speech_recognizer(SpeechRecognizerOptions(), mels=8, vocab=6)
        >>> features = numpy.zeros((2, 40, 8), "float32")
        >>> outputs = model({"features": features, "lengths": numpy.array([40, 9])})
        >>> tuple(outputs["ctc"].shape)
        (2, 10, 6)
    """
    import keras
    from keras import layers

    features = keras.Input((None, mels), name=FEATURES)
    lengths = keras.Input((), dtype="int32", name=LENGTHS)
    inputs = {FEATURES: features, LENGTHS: lengths}
    normalize = _normalization([0.0] * mels if mean is None else mean, variance)
    subsampling = options.subsampling.make(causal=options.reads_forwards, name=SUBSAMPLING)
    normalized, frames = normalize(features), mask_steps(features, lengths)
    if options.spec_augment is not None:
        normalized = options.spec_augment.make()(normalized, mask=frames)
    states = subsampling(normalized, mask=frames)
    steps, last = subsampling.compute_lengths(lengths), []
    states = layers.Dropout(options.subsampling.dropout, name="subsampling_dropout")(states)
    if encoder is None and options.encoder is not None:
        encoder = options.encoder.make(name=ENCODER)
    if encoder is not None:
        states, *last = encoder(states, mask=mask_steps(states, steps))
        last = _split_layers(last, encoder.depth)
        steps = encoder.compute_lengths(steps)
    mask = mask_steps(states, steps)
    memory = layers.Dropout(options.dropout, name="memory")(states)
    outputs = {}
    if options.output.has_ctc:
        outputs[CTC] = _classify_steps(memory, mask, lengths, vocab)
    if options.output.has_decoder:
        inputs[TARGET] = keras.Input((None,), dtype="int32", name=TARGET)
        outputs |= _decode(options.output, inputs[TARGET], memory, mask, last, vocab)
    return keras.Model(inputs, outputs, name="speech_recognizer")


def _normalization(mean: Sequence[float], variance: Sequence[float] | None) -> Any:
    """A layer of constants: those of Keras' `Normalization` are inputs of exported graphs."""
    from keras import layers

    scale = [1.0] * len(mean) if variance is None else [each**-0.5 for each in variance]
    offset = [-each * factor for each, factor in zip(mean, scale, strict=True)]
    return layers.Rescaling(scale, offset, name=NORMALIZATION)


def mask_steps(steps: Any, lengths: Any) -> Any:
    """The mask of sequences `(batch, time, …)` with these lengths, `(batch, time)`."""
    from keras import ops

    numbers = ops.cumsum(ops.ones_like(steps[:, :, 0], dtype="int32"), axis=1)
    return numbers <= lengths[:, None]


def _split_layers(states: Sequence[Any], depth: int) -> list[Sequence[Any]]:
    """The states of each layer of a recurrence."""
    count = len(states) // depth
    return [states[layer * count : (layer + 1) * count] for layer in range(depth)]


def _classify_steps(memory: Any, mask: Any, lengths: Any, vocab: int) -> Any:
    """The logits of all steps; at padding the blank is certain."""
    from keras import layers, ops

    logits = layers.Dense(vocab, dtype="float32", name=CTC)(memory)
    blank = ops.one_hot(ops.zeros_like(lengths) + PAD, vocab)  # (batch, vocab)
    return ops.where(mask[:, :, None], logits, (1.0 - blank[:, None]) * IMPOSSIBLE)


def _decode(
    options: Any, target: Any, memory: Any, mask: Any, last: Sequence[Any], vocab: int
) -> dict[str, Any]:
    """The outputs of a decoder that attends to the steps."""
    from rnnpipe.layers import Bridge, WordDropout
    from rnnpipe.models.outputs import first_glimpse, name_alignments

    embedding = options.embedding
    decoder = options.decoder.make(
        vocab,
        embedding.make(vocab, name="target_embedding"),
        memory_features=memory.shape[-1],
    )
    first = None
    if last:
        first = Bridge(decoder.state_sizes, options.decoder.bridge, name="bridge")(last)
    words = WordDropout(embedding.word_dropout, name="target_word_dropout")(target)
    logits, alignments = decoder(words, memory, mask=mask, initial_state=first)
    return {LOGITS: logits, **first_glimpse(name_alignments(alignments))}


def begin_recognition(
    model: "keras.Model", sound: Mapping[str, Any], *, beam_width: int | None = None
) -> "tuple[Step, Any]":
    """The decoder's step and first state for recordings, as `rnnpipe.decoding` takes them.

    Args:
        model: what `build_speech_recognizer` made with a decoder, trained or loaded, or an ensemble
            of such models.
        sound: `features` and `lengths`, as the model takes them.
        beam_width: how many rows the decoding makes of each recording: then what never changes is
            repeated once, and not gathered at each step.

    Returns:
        The step, whose alignments are `(batch, glimpses, steps)`, and its first state.
    """
    if members := find_members(model):
        return begin_ensemble(begin_recognition, members, sound, beam_width=beam_width)
    import keras

    outputs = {layer.name: layer.output for layer in model.layers if layer.name in _ENCODED}
    inputs = [model.input[name] for name in (FEATURES, LENGTHS)]
    encoded = keras.Model(inputs, outputs)([sound[FEATURES], sound[LENGTHS]], training=False)
    memory, first = encoded["memory"], encoded.get("bridge")
    mask = mask_steps(memory, count_steps(model, sound[LENGTHS]))
    return model.get_layer("decoder").begin(memory, mask, first, beam_width=beam_width)


def take_ctc(model: "keras.Model") -> "keras.Model":
    """The model of `ctc` alone, of `features` and `lengths`.

    Args:
        model: what `build_speech_recognizer` made with CTC, or an ensemble of such models.
    """
    import keras

    if members := find_members(model):
        models = [take_ctc(member) for member in members]
        inputs = {
            name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
            for name, tensor in models[0].input.items()
        }
        return keras.Model(inputs, {CTC: mean_logits([each(inputs)[CTC] for each in models])})
    sound = {name: model.input[name] for name in (FEATURES, LENGTHS)}
    return keras.Model(sound, {CTC: model.output[CTC]}, name=model.name)


def count_steps(model: "keras.Model", lengths: Any) -> Any:
    """The steps of the outputs of so many frames, of the same shape."""
    for layer in model.layers:
        if layer.name in (SUBSAMPLING, ENCODER):
            lengths = layer.compute_lengths(lengths)
    return lengths
