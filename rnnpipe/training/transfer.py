"""Weights of one model taken over by another: by path and shape, and rows by their names."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from rnnpipe.training.row_names import RowNames

Array = np.ndarray[Any, np.dtype[Any]]


def weights_by_path(model: keras.Model) -> dict[str, Any]:
    """The weights of a model by a path that is the same in every process.

    A path has the names of the layers from the model to the weight, and the weight's own:
    `recurrence/level_0/lstm_cell/kernel`. Keras numbers the layers that nobody named as they are
    made in a process, and so it is not their numbers that count here, but which of their kind they
    are within their layer: `image_encoder/conv2d_1/kernel` is of the second convolution of the
    encoder. A layer that is in several places has the shortest path, or the first of those.

    Args:
        model: a built model, new or loaded.

    Example:
        >>> layers = [keras.layers.Dense(2), keras.layers.Dense(2, name="logits")]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> list(weights_by_path(model))
        ['dense/kernel', 'dense/bias', 'logits/kernel', 'logits/bias']
    """
    weights: dict[str, Any] = {}
    seen: set[int] = set()
    level = [("", model)]
    while level:  # breadth first, for the shortest paths
        below = []
        for path, layer in level:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            # Keras has no public list of a layer's own layers.
            children = layer._flatten_layers(include_self=False, recursive=False)
            inner = {id(weight) for child in children for weight in child.weights}
            own = [weight for weight in layer.weights if id(weight) not in inner]
            weights |= {f"{path}{name}": w for name, w in _number(own, lambda weight: True)}
            below += [(f"{path}{name}/", child) for name, child in _number(children, _is_unnamed)]
        level = below
    return weights


def _number(things: Sequence[Any], is_numbered: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Each with its name; those whose numbers do not count have the number among their like."""
    counts: Counter[str] = Counter()
    for thing in things:
        name = thing.name
        if is_numbered(thing):
            base = re.sub(r"_\d+$", "", name)
            name = f"{base}_{counts[base]}" if counts[base] else base
            counts[base] += 1
        yield name, thing


def _is_unnamed(layer: Any) -> bool:
    """Whether a layer has the name that Keras makes of its class: `lstm_cell_3`."""
    base = re.sub(r"_\d+$", "", layer.name)
    return base.replace("_", "") == type(layer).__name__.lower()


@dataclass(frozen=True, slots=True)
class NamedWeights:
    """The weights of a trained model, and what their rows stand for.

    Args:
        arrays: by path, see `weights_by_path`.
        rows: the names of rows by the path of the layer, or of a single weight, that has them.
    """

    arrays: Mapping[str, Array]
    rows: Mapping[str, RowNames] = field(default_factory=dict)

    @classmethod
    def of(cls, model: keras.Model, rows: Mapping[str, RowNames]) -> "NamedWeights":
        """Those of a model."""
        weights = weights_by_path(model)
        arrays = {path: keras.ops.convert_to_numpy(weight) for path, weight in weights.items()}
        return cls(arrays, rows)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a model took of the weights of another.

    Args:
        taken: by path, the number of rows taken and of all and what they are, e.g. `1,800 of 2,000
            tokens`; empty for a whole weight.
        left: by path, why a weight of the model stays as it was.
        unused: the paths of the other's weights that the model did not take.
    """

    taken: Mapping[str, str]
    left: Mapping[str, str]
    unused: Sequence[str]


def transfer_weights(
    model: keras.Model,
    rows: Mapping[str, RowNames],
    source: NamedWeights,
    parts: Mapping[str, str] | None = None,
) -> Transfer:
    """Gives a model the weights of another that fit it.

    A weight fits that has the same path and shape. Where its rows have names, in embeddings the
    first axis and else the last one, it fits if the names are of the same kind, and the rows are
    matched by name: a row whose name the other has not stays as it is.

    Args:
        model: a built model, whose weights change.
        rows: the names of its rows, as in `NamedWeights`.
        source: the other's weights.
        parts: the only paths to take, of layers, groups of layers or weights, and what the other
            calls them; None for all.

    Example:
        >>> import numpy
        >>> model = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(3, 1)])
        >>> ours = {"embedding": RowNames("tokens", ["red", "blue", "hue"])}
        >>> theirs = {"embedding": RowNames("tokens", ["blue", "red"])}
        >>> table = numpy.array([[1.0], [2.0]], "float32")
        >>> source = NamedWeights({"embedding/embeddings": table}, theirs)
        >>> transfer_weights(model, ours, source).taken
        {'embedding/embeddings': '2 of 3 tokens'}
        >>> model.get_weights()[0][:2].tolist()
        [[2.0], [1.0]]
    """
    taken: dict[str, str] = {}
    left: dict[str, str] = {}
    used = set()
    for path, weight in weights_by_path(model).items():
        theirs = _rename(path, parts)
        if theirs is None:
            left[path] = "not among the parts to take"
        elif theirs not in source.arrays:
            left[path] = "the other run has no such weight"
        else:
            array = source.arrays[theirs]
            ours = _Rows.of(path, keras.ops.convert_to_numpy(weight), rows)
            try:
                values, note = ours.match(_Rows.of(theirs, array, source.rows))
            except _Misfit as misfit:
                left[path] = str(misfit)
                continue
            weight.assign(values)
            taken[path] = note
            used.add(theirs)
    return Transfer(taken, left, [path for path in source.arrays if path not in used])


class _Misfit(Exception):
    """Why a weight does not fit."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """A weight, its axis of rows, and their names if they have some."""

    array: Array
    axis: int
    names: RowNames | None

    @classmethod
    def of(cls, path: str, array: Array, rows: Mapping[str, RowNames]) -> "_Rows":
        """Of an embedding the rows are on the first axis, of an output layer on the last one."""
        axis = 0 if path.endswith("/embeddings") else max(array.ndim - 1, 0)
        fitting = (
            names
            for layer, names in rows.items()
            if is_within(path, layer) and array.shape[axis : axis + 1] == (len(names.names),)
        )
        return cls(array, axis, next(fitting, None))

    def match(self, other: "_Rows") -> tuple[Array, str]:
        """The values to take of another weight, and how many rows if not all.

        Raises:
            _Misfit: the other does not fit.
        """
        ours, theirs = self.names, other.names
        if (ours and ours.kind) != (theirs and theirs.kind):
            kinds = [names.kind if names else "unnamed" for names in (theirs, ours)]
            raise _Misfit(f"its rows are {kinds[0]} there, {kinds[1]} here")
        by_name = ours and theirs and [*ours.names] != [*theirs.names]
        shapes = [rows.shape_of_row if by_name else rows.array.shape for rows in (other, self)]
        if shapes[0] != shapes[1]:
            raise _Misfit(f"its shape is {_show(other.array)} there, {_show(self.array)} here")
        if not (ours and theirs and by_name):
            return other.array, ""
        places = {name: place for place, name in enumerate(theirs.names)}
        matched = [(row, places[name]) for row, name in enumerate(ours.names) if name in places]
        if not matched:
            raise _Misfit(f"they have no {ours.kind} in common")
        values = np.moveaxis(self.array.copy(), self.axis, 0)
        to, source = map(list, zip(*matched, strict=True))
        values[to] = np.moveaxis(other.array, other.axis, 0)[source]
        note = f"{len(matched):,} of {len(ours.names):,} {ours.kind}"
        return np.moveaxis(values, 0, self.axis), note

    @property
    def shape_of_row(self) -> tuple[int, ...]:
        return (*self.array.shape[: self.axis], *self.array.shape[self.axis + 1 :])


def _rename(path: str, parts: Mapping[str, str] | None) -> str | None:
    """What the other calls a weight; None if it is not to be taken."""
    if parts is None:
        return path
    for part, theirs in parts.items():
        if is_within(path, part):
            return f"{theirs}{path.removeprefix(part)}"
    return None


def is_within(path: str, part: str) -> bool:
    """Whether a weight belongs to a layer or group of layers, or is that very weight."""
    return path == part or path.startswith(f"{part}/")


def _show(array: Array) -> str:
    return f"({', '.join(map(str, array.shape))})"
