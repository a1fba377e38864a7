"""The base class of predictors: raw inputs in, answers out, in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rnnpipe.errors import UserError
from rnnpipe.output import write_notice
from rnnpipe.tasks.batching import batch_by_length
from rnnpipe.tasks.inputs import Input, parse_inputs
from rnnpipe.tasks.network import Arrays, Network
from rnnpipe.tasks.prediction import Prediction

Row = Mapping[str, Any]
"""The inputs of one row by name, as `Input.convert` takes them."""

Result = Prediction | UserError
"""The prediction for a row, or why there is none."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row of inputs as the network reads it.

    Args:
        arrays: of this row alone, without an axis of the batch.
        inputs: the parsed inputs that it was made of.
        options: settings of the network's function, by name; only rows with the same ones go
            through it together.
        length: rows of similar lengths go through the network together.
        notes: what is not read of the inputs, a sentence each.
    """

    arrays: Arrays
    inputs: Mapping[str, Any]
    options: Mapping[str, Hashable] = field(default_factory=dict)
    length: int = 0
    notes: Sequence[str] = ()


class Predictor(ABC):
    """Predicts from raw inputs, in batches: `encode`, then the network, then `decode`.

    The three parts are apart. `encode` and `decode` know NumPy alone, and neither Keras nor its
    backends: they are the same whatever computes the network. What `evaluate` predicts of a test
    record, a predictor predicts of the same raw inputs, in any batch: the answers are equal, but
    for exact ties, and probabilities differ by their rounding, at most 1e-6.

    Args:
        network: the trained network.
        inputs: those that the task declares.
        task: its name, for messages.
        batch_size: rows that go through the network together, at most.
    """

    function: ClassVar[str] = "call"
    """Which function of the network predicts."""
    window: ClassVar[int] = 16
    """For how many batches rows are read ahead, to be sorted by their lengths."""
    max_length: ClassVar[int | None] = None
    """The sum of the lengths of all rows that are in memory, about; None: no bound."""

    def __init__(
        self, network: Network, *, inputs: Sequence[Input], task: str, batch_size: int
    ) -> None:
        self.network, self.inputs, self.task, self.batch_size = network, inputs, task, batch_size

    @abstractmethod
    def encode(self, inputs: Mapping[str, Any]) -> Example:
        """What the network reads of a row, by the code that makes records too.

        Args:
            inputs: a value for each of `self.inputs`, by name.

        Raises:
            UserError: an input cannot be read; `where` is its option, `--<name>`.
        """

    @abstractmethod
    def collate(self, examples: Sequence[Example]) -> Arrays:
        """The arrays of a batch."""

    def compute(self, examples: Sequence[Example]) -> Arrays:
        """What the network computes of a batch of rows with the same options."""
        return self.network[self.function](self.collate(examples), **examples[0].options)

    @abstractmethod
    def decode(self, outputs: Arrays, examples: Sequence[Example]) -> Sequence[Result]:
        """The predictions of a batch, or why there is none of a row.

        Args:
            outputs: of `compute`.
            examples: the rows of the batch.
        """

    def make_up(self, random: np.random.Generator) -> Example | None:
        """An example that nobody asked for, by which an export is checked where records are gone.

        Args:
            random: where it comes from.

        Returns:
            The arrays that `collate` reads; None: the task has no made-up examples.
        """
        del random
        return None

    def stream_example(self, example: Example) -> Iterator[str]:
        """The answer for an example in pieces of text, see `stream`."""
        del example
        expected = "a task that answers piece by piece"
        raise UserError("stream", expected, self.task, "predict it as a whole")

    def stream(self, inputs: Row) -> Iterator[str]:
        """The answer for one row in pieces of text, each as soon as it is known.

        Raises:
            UserError: an input is missing, unknown or malformed, or the task has no such answers.
        """
        example = self.encode(self.parse(inputs))
        for note in example.notes:
            write_notice(note)
        return self.stream_example(example)

    def parse(self, inputs: Row) -> dict[str, Any]:
        """The values of all inputs of a row, see `parse_inputs`."""
        return parse_inputs(self.task, self.inputs, inputs)

    def predict_one(self, inputs: Row) -> Prediction:
        """The prediction for one row.

        Raises:
            UserError: an input is missing, unknown or malformed, or cannot be read.
        """
        (result,) = self.predict([inputs])
        if isinstance(result, UserError):
            raise result
        return result

    def predict(self, rows: Iterable[Row | UserError]) -> Iterator[Result]:
        """The predictions for rows, in their order; only a few batches are in memory at a time.

        Args:
            rows: the inputs of each row; an error stands for a row that could not be read.

        Yields:
            A prediction for each row, or the error that its inputs have.
        """
        for window in self._read_ahead(rows):
            yield from self._predict_window(window)

    def _read_ahead(self, rows: Iterable[Row | UserError]) -> Iterator[list[Example | UserError]]:
        window: list[Example | UserError] = []
        length = 0
        for row in rows:
            encoded = self._encode_row(row)
            window.append(encoded)
            length += 0 if isinstance(encoded, UserError) else encoded.length
            is_long = self.max_length is not None and length >= self.max_length
            if is_long or len(window) == self.window * self.batch_size:
                yield window
                window, length = [], 0
        if window:
            yield window

    def _encode_row(self, row: Row | UserError) -> Example | UserError:
        if isinstance(row, UserError):
            return row
        try:
            return self.encode(self.parse(row))
        except UserError as fault:
            return fault

    def _predict_window(self, window: Sequence[Example | UserError]) -> list[Result]:
        results: dict[int, Result] = {}
        groups: dict[Hashable, list[int]] = {}
        for place, encoded in enumerate(window):
            if isinstance(encoded, UserError):
                results[place] = encoded
            else:
                options = tuple(sorted(encoded.options.items()))
                groups.setdefault(options, []).append(place)
        for places in groups.values():
            examples = [example for p in places if isinstance(example := window[p], Example)]
            for batch in batch_by_length([e.length for e in examples], self.batch_size):
                chosen = [examples[number] for number in batch]
                decoded = self.decode(self.compute(chosen), chosen)
                results |= {places[n]: one for n, one in zip(batch, decoded, strict=True)}
        return [results[place] for place in range(len(window))]
