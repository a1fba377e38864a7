"""Whether XLA may compile a part of what is computed or traced now."""

import sys
from types import FrameType

import tensorflow as tf

from rnnpipe.layers.kernels.devices import declared_place

_TRAINER = "keras.src.backend.tensorflow.trainer"
_STEP = "one_step_on_data"


def may_compile() -> bool:
    """Whether this process alone runs what is computed or traced now, and plainly so far.

    Eager calls and the steps of `fit`, `evaluate` and `predict` of Keras are never exported; any
    other graph may be, unless `computing_here` says that it is not.
    """
    place = declared_place()
    if place == "anywhere":
        return False
    if tf.executing_eagerly():
        return True
    return (place == "here" or _in_trainer()) and not _in_xla()


def _in_trainer() -> bool:
    """Whether Keras traces a step of a model."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == _STEP and frame.f_globals.get("__name__") == _TRAINER:
            return True
        frame = frame.f_back
    return False


def _in_xla() -> bool:
    """Whether XLA compiles all of the graph that is traced."""
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        context = graph._get_control_flow_context()
        while context is not None:
            if context.IsXLAContext():
                return True
            context = context.outer_context
        graph = getattr(graph, "outer_graph", None)
    return False
