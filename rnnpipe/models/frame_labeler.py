"""Videos frame by frame: an encoder reads each, recurrent layers remember the ones before."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.models.streaming import check_reads_forwards, select_states
from rnnpipe.parts.cells import GRUOptions
from rnnpipe.parts.image_encoders import CNNOptions, ImageEncoderOptions
from rnnpipe.parts.recurrence import RecurrenceOptions, find_state_sizes
from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    import keras

FRAME, CLIP = "frame", "clip"
"""The outputs of a labeler: the logits of each frame's label and of the clip's class."""

FRAME_ENCODER, RECURRENCE = "frame_encoder", "recurrence"
"""The names of the frames' encoder and of the recurrence in a model."""


class FrameEncoderOptions(Settings):
    """What makes a vector of each frame."""

    image_encoder: ImageEncoderOptions = CNNOptions(channels=(16, 32))
    units: int = setting(64, "size of the vector that a frame becomes", ge=1)
    dropout: float = fraction(help="of that vector's features, in training")

    def make(self, shape: Sequence[int]) -> "keras.Model":
        """The encoder: x = relu(W flatten(encoder(frame)) + b).

        Args:
            shape: of a frame, `(height, width, 3)`, or of its stored features, `(channels,)`.

        Returns:
            A model from frames `(frames, …)` to `(frames, units)`.
        """
        import keras

        encoder = self.image_encoder.make(shape)
        frame = keras.Input(tuple(shape), dtype=encoder.input.dtype)
        vector = keras.layers.Flatten()(encoder(frame))
        vector = keras.layers.Dense(self.units, activation="relu", name="features")(vector)
        vector = keras.layers.Dropout(self.dropout, name="feature_dropout")(vector)
        return keras.Model(frame, vector, name=FRAME_ENCODER)


class FrameLabelerOptions(Settings):
    """A frame encoder, recurrent layers over time, a softmax for frames and for clips."""

    frame_encoder: FrameEncoderOptions = FrameEncoderOptions()
    recurrence: RecurrenceOptions | None = setting(
        RecurrenceOptions(cell=GRUOptions(units=64)), "null: each frame is read alone"
    )
    pooling: Literal["mean", "max"] = setting(
        "mean", "of the frames of a clip; max where a few frames decide its class"
    )
    dropout: float = fraction(help="of the features that each softmax reads, in training")


def build_frame_labeler(
    options: FrameLabelerOptions,
    *,
    frame_shape: Sequence[int],
    frame_labels: int,
    clip_labels: int,
    frame_encoder: "keras.Model | None" = None,
    recurrence: "keras.layers.Layer | None" = None,
) -> "keras.Model":
    """A model that labels each frame of a video, and the whole clip.

        xₜ = encoder(frameₜ)                     (batch, time, features)
        hₜ = recurrence(x)ₜ   or   xₜ            (batch, time, units)
        frame logitsₜ = V hₜ                     (batch, time, frame_labels)
        clip logits = U pool over t of hₜ        (batch, clip_labels)

    Without recurrence each frame is read alone, and a clip as a set of frames: what only motion
    shows is lost.

    Clips are of different lengths. Their frames come in one row, as many as there are, and
    `frame_index` assigns them: the encoder reads no padding, not even for the statistics of its
    normalisation.

    Args:
        options: of its parts.
        frame_shape: of a frame, `(height, width, 3)`, or of its features `(channels,)`.
        frame_labels: number of labels of frames; 0: they are not labelled.
        clip_labels: number of classes of clips; 0: they are not classified.
        frame_encoder: a Keras model in the place of that part, from frames `(frames, …)` to
            `(frames, features)`, with the name `frame_encoder`.
        recurrence: a Keras layer in the place of that part, with `return_sequences=True`,
            `return_state=True` and the name `recurrence`.

    Returns:
        A model from `{"frames": what the encoder reads, (frames, …), "frame_index": (batch, time)
        int}`, of which -1 is padding, to `{"frame": (batch, time, frame_labels), "clip": (batch,
        clip_labels)}`, both logits.

    Raises:
        UserError: there are no labels, encoder or recurrence have another name, or the recurrence
            does not return its states.

    Example:
        >>> import numpy
        >>> model = build_frame_labeler(
        ...     FrameLabelerOptions(), frame_shape=(32, 32, 3), frame_labels=5, clip_labels=3
        ... )
        >>> frames = numpy.zeros((7, 32, 32, 3), "uint8")
        >>> index = numpy.array([[0, 1, 2, 3], [4, 5, 6, -1]])
        >>> logits = model({"frames": frames, "frame_index": index})
        >>> {name: tuple(value.shape) for name, value in logits.items()}
        {'frame': (2, 4, 5), 'clip': (2, 3)}

    Source: Donahue et al., Long-term Recurrent Convolutional Networks for Visual Recognition and
    Description, 2015.
    """
    import keras
    from keras import ops

    if not (frame_labels or clip_labels):
        fix = "label the frames or the clips"
        raise UserError("build_frame_labeler", "labels", "none", fix)
    encoder = frame_encoder or options.frame_encoder.make(frame_shape)
    _check_name(encoder, "an encoder", FRAME_ENCODER)
    if recurrence is None and options.recurrence is not None:
        recurrence = options.recurrence.make(name=RECURRENCE)
    frames = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="frames")
    index = keras.Input((None,), dtype="int32", name="frame_index")
    mask = index >= 0
    states = ops.take(encoder(frames), ops.maximum(index, 0), axis=0)
    if recurrence is not None:
        _check_name(recurrence, "a recurrence", RECURRENCE)
        find_state_sizes(recurrence, states)
        states = recurrence(states, mask=mask)[0]
    outputs = _label(options, states, mask, frame_labels, clip_labels)
    return keras.Model({"frames": frames, "frame_index": index}, outputs, name="frame_labeler")


def _check_name(layer: "keras.layers.Layer", what: str, name: str) -> None:
    """Checks the name by which `build_stream` finds a layer."""
    if layer.name != name:
        expected, fix = f"{what} named {name}", f"build it with name={name!r}"
        raise UserError("build_frame_labeler", expected, layer.name, fix)


def _label(
    options: FrameLabelerOptions, states: Any, mask: Any, frame_labels: int, clip_labels: int
) -> dict[str, Any]:
    from keras import layers

    from rnnpipe.layers import MaxPooling, MeanPooling

    outputs = {}
    if frame_labels:
        hidden = layers.Dropout(options.dropout, name="frame_dropout")(states)
        outputs[FRAME] = layers.Dense(frame_labels, dtype="float32", name=FRAME)(hidden)
    if clip_labels:
        pool = {"mean": MeanPooling, "max": MaxPooling}[options.pooling](name="clip_pooling")
        pooled, _ = pool(states, mask=mask)
        pooled = layers.Dropout(options.dropout, name="clip_dropout")(pooled)
        outputs[CLIP] = layers.Dense(clip_labels, dtype="float32", name=CLIP)(pooled)
    return outputs


def build_stream(model: "keras.Model") -> "keras.Model":
    """A labeler as one step: a frame and what it remembers in, logits and what it remembers out.

    It shares the weights of `model`, and labels each frame as that does in the whole video. The
    class of the clip is that of all frames so far.

    Args:
        model: of `build_frame_labeler`, with a recurrence that reads forwards, or without any.

    Returns:
        A model from `{"frames": one of each video, (batch, …), "states": […], "pooled": (batch,
        units), "number": (batch, 1)}`, where `number` counts the frames so far and this one, to
        `{"frame": (batch, frame_labels), "clip": (batch, clip_labels), "states": […], "pooled":
        …}`. At the first frame of a video the states are zeros, and `pooled` is not read.

    Raises:
        UserError: the recurrence reads backwards too, so that it needs the whole video.
    """
    import keras
    from keras import ops

    from rnnpipe.layers import MaxPooling

    check_stream(model)
    named = {layer.name: layer for layer in model.layers}
    encoder, recurrence = named[FRAME_ENCODER], named.get(RECURRENCE)
    frame = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="frames")
    number = keras.Input((1,), name="number")
    hidden = encoder(frame)
    states: list[Any] = []
    after: list[Any] = []
    if recurrence is not None:
        sizes = find_state_sizes(recurrence, hidden[:, None])
        states = [keras.Input((size,), name=f"state_{i}") for i, size in enumerate(sizes)]
        before_it = select_states(recurrence, hidden, states, number)
        sequence, *after = recurrence(hidden[:, None], initial_state=before_it)
        hidden = sequence[:, 0]
    before = keras.Input((hidden.shape[-1],), name="pooled")
    if isinstance(named.get("clip_pooling"), MaxPooling):
        pooled = ops.maximum(ops.where(number > 1, before, hidden), hidden)
    else:
        pooled = ops.where(number > 1, before, hidden) * (1 - 1 / number) + hidden / number
    labelled = {FRAME: hidden, CLIP: pooled}
    return keras.Model(
        {"frames": frame, "states": states, "pooled": before, "number": number},
        {name: named[name](value) for name, value in labelled.items() if name in named}
        | {"states": after, "pooled": pooled},
        name="frame_stream",
    )


def check_stream(model: "keras.Model") -> None:
    """Checks that a labeler can read a video frame by frame.

    Raises:
        UserError: the recurrence reads backwards too, so that it needs the whole video.
    """
    recurrence = next((layer for layer in model.layers if layer.name == RECURRENCE), None)
    check_reads_forwards(recurrence, "a video", "model.recurrence")
