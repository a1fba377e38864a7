"""Unit probes: the units of the lowest layer that correlate with properties of the text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.models.language_model import first_states
from rnnpipe.text.tokens import START

Array = np.ndarray[Any, np.dtype[Any]]

_CLOSE = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Activations:
    """The activations of a layer at each symbol of a text.

    Args:
        memory: what it carries on, `(time, units)`: an LSTM's c, else the output.
        gates: by name, `(time, units)`; empty for a layer without visible gates.
    """

    memory: Array
    gates: Mapping[str, Array]


def record_activations(model: keras.Model, tokens: list[int]) -> Activations:
    """The activations of the lowest recurrent layer on a text.

    Args:
        model: of `build_language_model`, with the layers of `RecurrenceOptions`.
        tokens: the text; the layer reads the start token before it.
    """
    words = model.get_layer("embedding")(np.array([[START, *tokens]], "int32"))
    stack = model.get_layer("recurrence")
    layer, has_gates = stack.layers[0], _has_gates(stack.layers[0])
    states = first_states(model, 1)
    states = states[: len(states) // stack.depth]

    @tf.function  # a loop over thousands of steps takes long outside of a graph
    def run(words: Any) -> tuple[Any, dict[str, Any]]:
        outputs = layer(words, initial_state=states)[0]
        return outputs, layer.gates(words, initial_state=states) if has_gates else {}

    outputs, gate_values = run(words)
    gates = {name: values.numpy()[0] for name, values in gate_values.items()}
    memory = outputs.numpy()[0]
    if "forget" in gates:
        memory = _lstm_memory(gates, keras.ops.convert_to_numpy(states[1])[0])
    return Activations(memory[1:], {name: values[1:] for name, values in gates.items()})


def _has_gates(layer: keras.layers.Layer) -> bool:
    # A GRU returns its gates only where the reset gate acts after the recurrent product.
    return hasattr(layer, "gates") and getattr(layer, "reset_after", True)


def _lstm_memory(gates: Mapping[str, Array], first: Array) -> Array:
    """C at each step: c' = f ⊙ c + i ⊙ g."""
    cells = [first]
    for i, f, g in zip(gates["input"], gates["forget"], gates["candidate"], strict=True):
        cells.append(f * cells[-1] + i * g)
    return np.stack(cells[1:])


@dataclass(frozen=True, slots=True)
class UnitProbe:
    """The unit whose memory correlates most with a property of the text.

    Args:
        what: the property.
        unit: the number of the unit.
        correlation: Pearson's, between -1 and 1.
        memory: of this unit, `(time,)`.
    """

    what: str
    unit: int
    correlation: float
    memory: Array


def find_unit_probes(memory: Array, pieces: list[str]) -> list[UnitProbe]:
    """The most correlated unit for each property that varies over the text.

    Args:
        memory: `(time, units)`.
        pieces: the text, a symbol for each step.
    """
    probes = []
    centred = memory - memory.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0)) + 1e-9
    for what, measure in PROPERTIES.items():
        values = measure(pieces)
        if values.std() < 1e-6:
            continue
        with_property = (values - values.mean()) / values.std()
        correlations = (centred * with_property[:, None]).mean(axis=0) / spread
        unit = int(np.abs(correlations).argmax())
        probes.append(UnitProbe(what, unit, float(correlations[unit]), memory[:, unit]))
    return sorted(probes, key=lambda probe: -abs(probe.correlation))


def _line_position(pieces: list[str]) -> Array:
    positions, at = [], 0
    for piece in pieces:
        at = 0 if piece == "\n" else at + 1
        positions.append(at)
    return np.array(positions, "float64")


def _word_position(pieces: list[str]) -> Array:
    positions, at = [], 0
    for piece in pieces:
        at = at + 1 if piece.isalnum() else 0
        positions.append(at)
    return np.array(positions, "float64")


def _in_quotes(pieces: list[str]) -> Array:
    inside, values = False, []
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if before + piece == "\n\n":
            inside = False  # an unclosed quote ends with its paragraph
        elif piece in '"“”':
            inside = piece != "”" and not inside
        values.append(inside)
    return np.array(values, "float64")


def _in_brackets(pieces: list[str]) -> Array:
    waiting: list[str] = []
    values = []
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if before + piece == "\n\n":
            waiting = []
        elif piece in _CLOSE:
            waiting.append(_CLOSE[piece])
        elif waiting and piece == waiting[-1]:
            waiting.pop()
        values.append(len(waiting))
    return np.array(values, "float64")


def _in_capitals(pieces: list[str]) -> Array:
    return np.array([piece.isupper() for piece in pieces], "float64")


PROPERTIES: Mapping[str, Callable[[list[str]], Array]] = {
    "the position in the line": _line_position,
    "the position in the word": _word_position,
    "being inside of quotes": _in_quotes,
    "being inside of brackets": _in_brackets,
    "capitals": _in_capitals,
}
"""Properties that units may keep track of: a value for each symbol of a text."""
