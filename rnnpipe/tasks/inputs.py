"""The inputs of `predict`: a task declares them, the command line turns them into options."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rnnpipe.errors import Faults, UserError


class _Default(Enum):
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a task's `predict`; on the command line it is the option `--<name>`.

    Args:
        name: e.g. `image`; words are separated by dashes.
        help: one line for `rnnpipe predict RUN --help`.
        type: converts the text of the command line, and raises a `ValueError` that states what it
            expects, as `integer` does; `bool` makes a flag without a value.
        default: the value if the input is missing; without one the input is required.
        metavar: how the value is called in the help.

    Example:
        >>> Input("length", "number of symbols", integer(1), default=500).parse("20")
        20
    """

    name: str
    help: str
    type: Callable[[str], Any] = str
    default: Any = _Default.NONE
    metavar: str = "TEXT"

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _Default.NONE

    def parse(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            UserError: the text does not stand for a value of the type.
        """
        try:
            return self.type(text)
        except ValueError as error:
            fix = f"correct --{self.name}"
            raise UserError(f"--{self.name}", str(error), text, fix) from None


def parse_inputs(task: str, inputs: Sequence[Input], texts: Mapping[str, str]) -> dict[str, Any]:
    """The values of all inputs of a task.

    Args:
        task: its name, for messages.
        inputs: what it declares.
        texts: the inputs of a user by name; that of a flag is not parsed.

    Raises:
        Faults: inputs are missing, unknown or malformed.

    Example:
        >>> declared = [Input("prompt", "how the text begins"), Input("seed", "…", int, default=0)]
        >>> parse_inputs("language_model", declared, {"prompt": "The"})
        {'prompt': 'The', 'seed': 0}
    """
    faults, values = [], {}
    names = [declared.name for declared in inputs]
    for declared in inputs:
        name = declared.name
        if name not in texts:
            if declared.required:
                faults.append(
                    UserError(f"--{name}", f"an input of {task}", "none", f"add --{name}")
                )
            values[name] = declared.default
            continue
        try:
            values[name] = True if declared.type is bool else declared.parse(texts[name])
        except UserError as fault:
            faults.append(fault)
    faults += [
        UserError(f"--{name}", f"one of {', '.join(names)}", name, f"{task} has no such input")
        for name in texts
        if name not in names
    ]
    if faults:
        raise Faults(faults)
    return values


def integer(minimum: int) -> Callable[[str], int]:
    """Converts text to an integer of at least `minimum`.

    Example:
        >>> integer(1)("12")
        12
    """

    def convert(text: str) -> int:
        if text.isascii() and text.removeprefix("-").isdigit() and int(text) >= minimum:
            return int(text)
        raise ValueError(f"an integer of at least {minimum}")

    return convert


def positive_number(text: str) -> float:
    """Converts text to a finite number above 0.

    Example:
        >>> positive_number("0.8")
        0.8
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 < number < math.inf:
        return number
    raise ValueError("a number above 0")
