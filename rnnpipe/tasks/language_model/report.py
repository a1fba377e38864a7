"""The report of a language model: samples, costs of symbols, units, gates and gradients."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from rnnpipe.models.ensemble import find_members
from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
from rnnpipe.parts.cells import (
    CellOptions,
    GRUOptions,
    LSTMOptions,
    RecurrentHighwayOptions,
    VanillaRNNOptions,
)
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.report.items import Figure, Passage, Picture, ReportItem, Span
from rnnpipe.tasks.language_model.drawing import draw_gates, draw_gradient_flow
from rnnpipe.tasks.language_model.generation import generate_text
from rnnpipe.tasks.language_model.unit_probes import UnitProbe, find_unit_probes, record_activations
from rnnpipe.text.symbols import Symbols
from rnnpipe.training.gradients import measure_gradient_flow

Array = np.ndarray[Any, np.dtype[Any]]
Row = Mapping[str, Any]

_WRITTEN, _TEMPERATURES, _SEED = {"char": 500, "word": 120, "token": 250}, (0.5, 0.8, 1.0), 0
_SURPRISED, _READ, _TRACKED, _GATED = 1500, 6000, 1200, 100  # symbols
_TRACKERS = 3
_WORST_BITS = 10.0
_BACK, _TEXTS, _UNITS, _GAIN = 60, 4, 64, 2.0
_CELLS: Mapping[str, CellOptions] = {
    "vanilla": VanillaRNNOptions(units=_UNITS),
    "LSTM": LSTMOptions(units=_UNITS),
    "GRU": GRUOptions(units=_UNITS),
    "recurrent highway": RecurrentHighwayOptions(units=_UNITS),
}


def make_report_items(
    model: keras.Model,
    symbols: Symbols,
    texts: Sequence[Row],
    nats: Array,
    *,
    clip_norm: float | None,
) -> list[ReportItem]:
    """The items of one split.

    Args:
        model: a language model of `build_language_model`, or an ensemble of such models.
        symbols: its vocabulary.
        texts: the split's records.
        nats: the cost of each of their tokens, in their order.
        clip_norm: the norm to which the training clips gradients.
    """
    tokens = np.concatenate([row["tokens"] for row in texts[:8]]).astype("int32")
    own = next(iter(find_members(model)), model)  # units and weights are those of one model
    return [
        *_samples(model, symbols),
        _surprises(symbols, texts[0]["tokens"][:_SURPRISED], nats),
        *_unit_probes(own, symbols, tokens[:_READ].tolist()),
        *_gradients(own, symbols, tokens, clip_norm),
    ]


def _samples(model: keras.Model, symbols: Symbols) -> list[Passage]:
    length, items = _WRITTEN[symbols.kind], []
    for temperature in _TEMPERATURES:
        sampling = SamplingOptions(temperature=temperature)
        text = "".join(generate_text(model, symbols, sampling, length=length, seed=_SEED))
        note = "The smaller the temperature, the likelier and the duller the text."
        items.append(Passage(f"Sample at temperature {temperature}", [Span(text)], note))
    return items


def _surprises(symbols: Symbols, tokens: Sequence[int], nats: Array) -> Passage:
    bits = nats[: len(tokens)] / math.log(2)
    spans = [
        Span(text, min(float(cost) / _WORST_BITS, 1.0))
        for text, cost in zip(symbols.stream(tokens), bits, strict=True)
    ]
    note = f"The darker, the more bits a symbol cost; full shade is {_WORST_BITS:g} bits or more."
    return Passage("Surprisal", spans, note)


def _unit_probes(model: keras.Model, symbols: Symbols, tokens: list[int]) -> list[ReportItem]:
    """Of characters alone: units that track something, and the gates over a few of them."""
    if symbols.kind != "char":
        return []
    pieces = [symbols.text_of(token) for token in tokens]
    reading = record_activations(model, tokens)
    report_items: list[ReportItem] = [
        _probe(probe, pieces) for probe in find_unit_probes(reading.memory, pieces)[:_TRACKERS]
    ]
    if reading.gates:
        gates = {name: values[:_GATED] for name, values in reading.gates.items()}
        names = ", ".join(gates)
        report_items.append(
            Figure(
                "What the gates do",
                Picture(draw_gates(pieces[:_GATED], gates), f"Gates of the lowest layer: {names}"),
                "A column for each character that has just been read, a row for each of the "
                "units of the lowest layer whose gates move most. Red is high, blue is low.",
            )
        )
    return report_items


def _probe(probe: UnitProbe, pieces: Sequence[str]) -> Passage:
    values = probe.memory[:_TRACKED] * np.sign(probe.correlation)
    low, high = np.quantile(values, (0.02, 0.98))
    shares = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return Passage(
        f"Unit {probe.unit} of the lowest layer follows {probe.what}",
        [Span(piece, float(share)) for piece, share in zip(pieces, shares, strict=False)],
        f"The darker, the more the unit holds; it correlates at {probe.correlation:+.2f} over "
        f"{len(pieces):,} characters, the most of all units.",
    )


def _gradients(
    model: keras.Model, symbols: Symbols, tokens: Array, clip_norm: float | None
) -> list[ReportItem]:
    """Gradient flow: in new networks of each kind, and in the trained one."""
    back = min(_BACK, len(tokens) // _TEXTS - 1)
    if back < 2:
        return []
    texts = tokens[: _TEXTS * (back + 1)].reshape(_TEXTS, back + 1)
    networks = {f"{name}, new": _new_network(cell, symbols) for name, cell in _CELLS.items()}
    doubled = _new_network(_CELLS["vanilla"], symbols, gain=_GAIN)
    networks["vanilla, new, weights doubled"] = doubled
    networks["this run's, trained"] = model
    flows = {name: measure_gradient_flow(one, texts) for name, one in networks.items()}
    clipped = {
        name: flow.clipped(clip_norm)
        for name, flow in flows.items()
        if clip_norm and flow.weights > clip_norm
    }
    curves = {name: flow.norms for name, flow in flows.items()}
    clipping = (
        f"Dashes: after the gradient is clipped to a global norm of {clip_norm:g}, as in training."
        if clipped
        else "No gradient here is large enough to be clipped."
    )
    return [
        Figure(
            "Gradient flow",
            Picture(draw_gradient_flow(curves, clipped), "Norms of gradients by steps back"),
            "The gradient of the loss of one prediction by the states before it. Where a curve "
            "falls, gradients vanish and what lies further back cannot be learnt; where it rises, "
            f"they explode. {clipping}",
        )
    ]


def _new_network(cell: CellOptions, symbols: Symbols, gain: float = 1.0) -> keras.Model:
    options = LanguageModelOptions(
        embedding=EmbeddingOptions(size=_UNITS), recurrence=RecurrenceOptions(cell=cell)
    )
    network = build_language_model(options, vocab=symbols.size)
    for weight in network.weights:
        if weight.name == "recurrent_kernel":
            weight.assign(weight * gain)
    return network
