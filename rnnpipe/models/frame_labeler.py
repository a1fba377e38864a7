"""Videos frame by frame: an encoder looks at each, recurrent layers remember the ones before."""

from typing import Any, Literal

import keras
from keras import layers, ops

from rnnpipe.errors import UserError
from rnnpipe.layers import MaxPooling, MeanPooling
from rnnpipe.models.frame_encoders import NAME
from rnnpipe.models.recurrence import find_state_sizes

FRAME, CLIP = "frame", "clip"
"""The outputs of a labeler: the logits of each frame's label and of the clip's class."""


def build_frame_labeler(
    encoder: keras.Model,
    *,
    frame_labels: int,
    clip_labels: int,
    recurrence: Any = None,
    pooling: Literal["mean", "max"] = "mean",
    dropout: float = 0.0,
) -> keras.Model:
    """A model that labels each frame of a video, and the whole clip.

        xₜ = encoder(frameₜ)                     (batch, time, features)
        hₜ = recurrence(x)ₜ   or   xₜ            (batch, time, units)
        frame logitsₜ = V hₜ                     (batch, time, frame_labels)
        clip logits = U pool over t of hₜ        (batch, clip_labels)

    Without recurrence each frame is looked at alone, and a clip as a heap of frames: what only
    motion tells is not to be seen then.

    Clips are of different lengths. Their frames come in one row, as many as there are, and
    `frame_index` says which are whose: the encoder looks at no padding, not even for the statistics
    of its normalisation.

    Args:
        encoder: of `build_frame_encoder` or `build_feature_frame_encoder`, or another model called
            `frame_encoder` from frames `(frames, …)` to vectors `(frames, features)`.
        frame_labels: number of labels of frames; 0: they are not labelled.
        clip_labels: number of classes of clips; 0: they are not classified.
        recurrence: a recurrent layer of this package or of Keras, or a stack of them, with
            `return_sequences=True` and `return_state=True`, see `build_recurrence`; None for none.
        pooling: what a clip is of its frames: their `mean`, or of each number the `max`, so that a
            few frames are enough to tell.
        dropout: share of the numbers dropped in training before each softmax.

    Returns:
        A model from `{"frames": what the encoder sees, (frames, …), "frame_index": (batch, time)
        int}`, of which -1 is padding, to `{"frame": (batch, time, frame_labels), "clip": (batch,
        clip_labels)}`, both logits.

    Raises:
        UserError: there is nothing to say, the encoder has another name, or the recurrence does not
            return its states.

    Example:
        >>> import numpy
        >>> from rnnpipe.models.frame_encoders import build_frame_encoder
        >>> from rnnpipe.models.recurrence import build_recurrence
        >>> encoder, recurrence = build_frame_encoder(32), build_recurrence("gru", 8)
        >>> model = build_frame_labeler(
        ...     encoder, frame_labels=5, clip_labels=3, recurrence=recurrence
        ... )
        >>> frames = numpy.zeros((7, 32, 32, 3), "uint8")
        >>> index = numpy.array([[0, 1, 2, 3], [4, 5, 6, -1]])
        >>> logits = model({"frames": frames, "frame_index": index})
        >>> {name: tuple(value.shape) for name, value in logits.items()}
        {'frame': (2, 4, 5), 'clip': (2, 3)}

    Source: Donahue et al., Long-term Recurrent Convolutional Networks for Visual Recognition and
    Description, 2015.
    """
    if not (frame_labels or clip_labels):
        fix = "give the frames or the clips labels"
        raise UserError("build_frame_labeler", "labels", "none", fix)
    if encoder.name != NAME:
        fix = f"build it with name={NAME!r}"
        raise UserError("build_frame_labeler", f"an encoder called {NAME}", encoder.name, fix)
    frames = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="frames")
    index = keras.Input((None,), dtype="int32", name="frame_index")
    mask = index >= 0
    states = ops.take(encoder(frames), ops.maximum(index, 0), axis=0)
    if recurrence is not None:
        find_state_sizes(recurrence, states)
        states = recurrence(states, mask=mask)[0]
    outputs = {}
    if frame_labels:
        seen = layers.Dropout(dropout, name="frame_dropout")(states)
        outputs[FRAME] = layers.Dense(frame_labels, dtype="float32", name=FRAME)(seen)
    if clip_labels:
        pool = {"mean": MeanPooling, "max": MaxPooling}[pooling](name="clip_pooling")
        pooled, _ = pool(states, mask=mask)
        pooled = layers.Dropout(dropout, name="clip_dropout")(pooled)
        outputs[CLIP] = layers.Dense(clip_labels, dtype="float32", name=CLIP)(pooled)
    return keras.Model({"frames": frames, "frame_index": index}, outputs, name="frame_labeler")


def build_stream(model: keras.Model) -> keras.Model:
    """A labeler as one step: a frame and what it remembers in, logits and what it remembers out.

    It shares the weights of `model` and says of each frame what that says of the whole video. The
    class of the clip is that of all frames so far.

    Args:
        model: of `build_frame_labeler`, with a recurrence that reads forwards, or without any.

    Returns:
        A model from `{"frames": one of each video, (batch, …), "states": […], "pooled": (batch,
        units), "number": (batch, 1)}`, where `number` counts the frames so far and this one, to
        `{"frame": (batch, frame_labels), "clip": (batch, clip_labels), "states": […], "pooled":
        …}`. At the beginning of a video the states are zeros, and what is pooled is not looked at.

    Raises:
        UserError: the recurrence reads backwards too, so that it needs the whole video.
    """
    named = {layer.name: layer for layer in model.layers}
    encoder, recurrence = named[NAME], named.get("recurrence")
    if recurrence is not None and getattr(recurrence, "bidirectional", False):
        raise UserError(
            "a stream",
            "a recurrence that reads forwards",
            "a bidirectional one, which reads a video from its end too",
            "train with model.recurrence.bidirectional=false, or predict without --stream",
        )
    frame = keras.Input(encoder.input.shape[1:], dtype=encoder.input.dtype, name="frames")
    number = keras.Input((1,), name="number")
    hidden = encoder(frame)
    states: list[Any] = []
    after: list[Any] = []
    if recurrence is not None:
        sizes = find_state_sizes(recurrence, hidden[:, None])
        states = [keras.Input((size,), name=f"state_{i}") for i, size in enumerate(sizes)]
        sequence, *after = recurrence(hidden[:, None], initial_state=states)
        hidden = sequence[:, 0]
    before = keras.Input((hidden.shape[-1],), name="pooled")
    if isinstance(named.get("clip_pooling"), MaxPooling):
        pooled = ops.maximum(ops.where(number > 1, before, hidden), hidden)
    else:
        pooled = ops.where(number > 1, before, hidden) * (1 - 1 / number) + hidden / number
    said = {FRAME: hidden, CLIP: pooled}
    return keras.Model(
        {"frames": frame, "states": states, "pooled": before, "number": number},
        {name: named[name](value) for name, value in said.items() if name in named}
        | {"states": after, "pooled": pooled},
        name="frame_stream",
    )
