"""The functions of an exported network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.storage.json_files import EXACT
from rnnpipe.tasks.network import Array, Arrays, Function, Graph, first_state

Compute = Callable[[Arrays], Arrays]
"""What a runtime computes: arrays of the described shapes and dtypes, to outputs by name."""

_N_BEST = "n_best"


@dataclass(frozen=True)
class Description:
    """An exported function as `export.json` describes it.

    Args:
        file: the file or folder that computes it.
        inputs: the dtype and shape of each input by name; None is an axis of any size.
        outputs: their names, sorted.
        options: the settings that are part of the graph.
        states: the inputs that are zeros where they are left out.
        padding: the axis on which an input of one length is padded, and with what, by name.
        cropped: the axes of an output that are as long as an input was before it was padded, that
            input, and how many of its steps are one of the output's, by name.
    """

    __pydantic_config__ = EXACT

    file: str
    inputs: Mapping[str, tuple[str, Sequence[int | None]]]
    outputs: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    states: Sequence[str] = ()
    padding: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    cropped: Mapping[str, Sequence[tuple[int, str, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (_, shape) in self.inputs.items():
            if not shape:
                raise ValueError(f"the input {name} has no axis of rows")

    @classmethod
    def of(cls, graph: Graph, file: str) -> Description:
        """The description of a graph that a file computes."""
        outputs = graph.trace_outputs()
        inputs = {name: (spec.dtype.name, list(spec.shape)) for name, spec in graph.inputs.items()}
        return cls(
            file,
            inputs,
            sorted(outputs),
            dict(graph.options),
            list(graph.states),
            {name: (bound.axis, bound.padding) for name, bound in graph.bounds.items()},
            graph.bounded_outputs(),
        )

    @property
    def has_one_row(self) -> bool:
        """Whether it computes one row of a batch at a time."""
        shapes = {name: shape for name, (_, shape) in self.inputs.items()}
        own = shapes.keys() - {name for name in shapes if index_name(name) in shapes}
        return {shapes[name][0] for name in own} == {1}


class ExportedFunction:
    """A function of a network that an export computes.

    Args:
        compute: what its runtime computes.
        description: of the function.
    """

    def __init__(self, compute: Compute, description: Description) -> None:
        self._compute, self.description = compute, description

    @property
    def limits(self) -> Mapping[str, int | None]:
        """The most that padded inputs may have in a row, by name."""
        inputs, padding = self.description.inputs, self.description.padding
        return {name: inputs[name][1][axis] for name, (axis, _) in padding.items()}

    def __call__(self, arrays: Arrays, **options: Any) -> Arrays:
        """The outputs of a batch by name.

        Args:
            arrays: the inputs by name.
            **options: those of the graph, or fewer sequences of each row.

        Raises:
            UserError: an option is none that the export was made with, or an input is longer than
                the export can read.
        """
        keep = options.pop(_N_BEST, None)
        for name, value in options.items():
            self._check(name, value)
        outputs = self._compute_batch(arrays)
        if keep is None:
            return outputs
        found = self.description.options[_N_BEST]
        if keep > found:
            raise _refuse(_N_BEST, f"at most {found}", str(keep))
        return {name: output[:, :keep] for name, output in outputs.items()}

    def _compute_batch(self, arrays: Arrays) -> Arrays:
        if not self.description.has_one_row:
            return self._compute_rows(arrays)
        parts = [self._compute_rows(row) for row in split_rows(arrays)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _compute_rows(self, arrays: Arrays) -> Arrays:
        rows = len(next(iter(arrays.values())))
        outputs = self._compute(
            {name: self._read(name, arrays, rows) for name in self.description.inputs}
        )
        return {name: self._crop(name, output, arrays) for name, output in outputs.items()}

    def _read(self, name: str, arrays: Arrays, rows: int) -> Array:
        dtype, shape = self.description.inputs[name]
        if name not in arrays and name in self.description.states:
            return first_state(shape, dtype, rows)
        array = np.ascontiguousarray(arrays[name], object if dtype == "string" else dtype)
        if name not in self.description.padding:
            return array
        axis, padding = self.description.padding[name]
        length = shape[axis] or array.shape[axis]
        if array.shape[axis] > length:
            raise _refuse(name, f"at most {length} in a row", str(array.shape[axis]))
        missing = [(0, 0)] * array.ndim
        missing[axis] = (0, length - array.shape[axis])
        return np.pad(array, missing, constant_values=padding)

    def _crop(self, name: str, output: Array, arrays: Arrays) -> Array:
        for axis, source, steps in self.description.cropped.get(name, ()):
            length = -(-arrays[source].shape[self.description.padding[source][0]] // steps)
            output = output[(slice(None),) * axis + (slice(length),)]
        return output

    def _check(self, name: str, value: Any) -> None:
        known = self.description.options.get(name)
        known = () if known == [] else known
        if value != known:
            raise _refuse(name, "nothing" if known == () else repr(known), repr(value))


def index_name(name: str) -> str:
    """The input that has the numbers of another one's rows that each row of a batch reads.

    Example:
        >>> index_name("image"), index_name("frames")
        ('image_index', 'frame_index')
    """
    return f"{name.removesuffix('s')}_index"


def split_rows(arrays: Arrays) -> Iterator[Arrays]:
    """The rows of a batch, each as a batch of its own.

    Args:
        arrays: the inputs of a network by name. Of `image`, `image_index` has the numbers that a
            row reads, and likewise of other names, see `index_name`; those below 0 are padding.

    Example:
        >>> batch = {"image": np.array([[7], [8]]), "image_index": np.array([1, 0])}
        >>> [row["image"].tolist() for row in split_rows(batch)]
        [[[8]], [[7]]]
    """
    shared = {name: index_name(name) for name in arrays if index_name(name) in arrays}
    own = {name: array for name, array in arrays.items() if name not in shared}
    for place in range(len(next(iter(own.values())))):
        row = {name: array[place : place + 1] for name, array in own.items()}
        for name, index in shared.items():
            used = row[index]
            numbers = np.unique(used[used >= 0])
            row[name] = arrays[name][numbers]
            row[index] = np.where(used >= 0, np.searchsorted(numbers, used), used)
        yield row


def _refuse(name: str, expected: str, got: str) -> UserError:
    option = {"required": "require"}.get(name, name.replace("_", "-"))
    return UserError(
        f"--{option}",
        f"{expected}, as the export was made",
        got,
        "predict with the run, or export it with other settings",
    )


class ExportedNetwork(dict[str, Function]):
    """The functions of an exported network by name."""

    def __missing__(self, name: str) -> Function:
        expected = f"a network with the function {name}"
        got = f"an export of {', '.join(self)}"
        raise UserError("export", expected, got, "predict as a whole, or with the run")
