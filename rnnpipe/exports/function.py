"""The functions of an exported network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnpipe.errors import UserError
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
    """

    file: str
    inputs: Mapping[str, tuple[str, Sequence[int | None]]]
    outputs: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    states: Sequence[str] = ()

    @classmethod
    def of(cls, graph: Graph, file: str) -> Description:
        """The description of a graph that a file computes."""
        outputs = graph.trace().get_concrete_function().structured_outputs
        inputs = {name: (spec.dtype.name, list(spec.shape)) for name, spec in graph.inputs.items()}
        return cls(file, inputs, sorted(outputs), dict(graph.options), list(graph.states))


class ExportedFunction:
    """A function of a network that an export computes.

    Args:
        compute: what its runtime computes.
        description: of the function.
    """

    def __init__(self, compute: Compute, description: Description) -> None:
        self._compute, self.description = compute, description

    def __call__(self, arrays: Arrays, **options: Any) -> Arrays:
        """The outputs of a batch by name.

        Args:
            arrays: the inputs by name.
            **options: those of the graph, or fewer sequences of each row.

        Raises:
            UserError: an option is none that the export was made with.
        """
        keep = options.pop(_N_BEST, None)
        for name, value in options.items():
            self._check(name, value)
        rows = len(next(iter(arrays.values())))
        outputs = self._compute(
            {name: self._read(name, arrays, rows) for name in self.description.inputs}
        )
        if keep is None:
            return outputs
        found = self.description.options[_N_BEST]
        if keep > found:
            raise _refuse(_N_BEST, f"at most {found}", str(keep))
        return {name: output[:, :keep] for name, output in outputs.items()}

    def _read(self, name: str, arrays: Arrays, rows: int) -> Array:
        dtype, shape = self.description.inputs[name]
        if name not in arrays and name in self.description.states:
            return first_state(shape, dtype, rows)
        return np.ascontiguousarray(arrays[name], object if dtype == "string" else dtype)

    def _check(self, name: str, value: Any) -> None:
        known = self.description.options.get(name)
        known = () if known == [] else known
        if value != known:
            raise _refuse(name, "nothing" if known == () else repr(known), repr(value))


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
        raise UserError("export", expected, got, "predict with the run")
