"""The inputs of a prediction: a task declares them, the command line turns them into options."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from functools import partial
from numbers import Real
from pathlib import PurePath
from typing import Any

from rnnpipe.config.loader import load_flags
from rnnpipe.errors import Faults, UserError
from rnnpipe.settings import Settings

_Types = tuple[type[Any], ...]

_PLAIN: _Types = (str, PurePath, Real)  # NumPy's numbers too


class _Default(Enum):
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a task's predictions; on the command line it is the option `--<name>`.

    Args:
        name: e.g. `image`; words are separated by dashes.
        help: one line for `rnnpipe predict RUN --help`.
        type: converts the text of the command line, and raises a `ValueError` that states what it
            expects, as `integer` does; `bool` makes a flag without a value.
        default: the value if the input is missing; without one the input is required.
        metavar: how the value is called in the help.
        accepts: types of Python values that the predictor takes as they are.
        endings: of an input that is a file: how the names of such files end, in small letters; a
            folder of them is a batch.

    Example:
        >>> Input("length", "number of symbols", integer(1), default=500).parse("20")
        20
    """

    name: str
    help: str
    type: Callable[[str], Any] = str
    default: Any = _Default.NONE
    metavar: str = "TEXT"
    accepts: _Types = ()
    endings: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _Default.NONE

    def convert(self, value: Any) -> Any:
        """The value of a Python call: a text is parsed, and so are a number, path or tuple.

        Raises:
            UserError: it does not stand for a value of the type.
        """
        if isinstance(value, self.accepts):
            return value
        expected = "True or False"
        if self.type is bool:
            if isinstance(value, bool):
                return value
        else:
            expected = "a text, number, path or tuple of texts"
            if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
                return self.parse("; ".join(value))
            if type(value) is not bool and isinstance(value, _PLAIN):
                return self.parse(str(value))
        raise UserError(f"--{self.name}", expected, repr(value)[:60], f"correct --{self.name}")

    def parse(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            UserError: the text does not stand for a value of the type.
        """
        try:
            return self.type(text)
        except ValueError as error:
            fix = f"correct --{self.name}"
            raise UserError(f"--{self.name}", str(error), text or "nothing", fix) from None


def parse_inputs(task: str, inputs: Sequence[Input], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all inputs of a task.

    Args:
        task: its name, for messages.
        inputs: what it declares.
        given: the inputs of a user by name: texts, or Python values as `Input.convert` takes
            them; None stands for an input that is missing.

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
        if given.get(name) is None:
            if declared.required:
                faults.append(
                    UserError(f"--{name}", f"an input of {task}", "none", f"add --{name}")
                )
            values[name] = declared.default
            continue
        try:
            values[name] = declared.convert(given[name])
        except UserError as fault:
            faults.append(fault)
    faults += [
        UserError(f"--{name}", f"one of {', '.join(names)}", name, f"{task} has no such input")
        for name in given
        if name not in names
    ]
    if faults:
        raise Faults(faults)
    return values


def split_phrases(text: str) -> list[str]:
    """Cuts text at its semicolons.

    Example:
        >>> split_phrases("a red dog; in the snow")
        ['a red dog', 'in the snow']
    """
    phrases = [phrase.strip() for phrase in text.split(";")]
    if not all(phrases):
        raise ValueError("phrases with semicolons between them")
    return phrases


def integer(minimum: int, maximum: int = 2**31 - 1) -> Callable[[str], int]:
    """Converts text to an integer from `minimum` to `maximum`.

    Example:
        >>> integer(1)("12")
        12
    """

    def convert(text: str) -> int:
        # Python's `int` refuses thousands of digits.
        whole = re.fullmatch(r"-?[0-9]{1,1000}", text)
        if whole is None or int(text) < minimum:
            raise ValueError(f"an integer of at least {minimum}")
        if int(text) > maximum:
            raise ValueError(f"an integer of at most {maximum}")
        return int(text)

    return convert


def setting_inputs(options: Settings) -> list[Input]:
    """An input for each setting of a section: its name, help and check; the default is its value.

    Args:
        options: a section of the config without sections of its own.

    Example:
        >>> from rnnpipe.parts.search import SamplingOptions
        >>> temperature, top_k, _ = setting_inputs(SamplingOptions(temperature=0.8))
        >>> temperature.default, top_k.name, top_k.parse("40")
        (0.8, 'top-k', 40)
    """
    return [
        Input(
            declared.name.replace("_", "-"),
            declared.metadata["description"],
            partial(_read_setting, type(options), declared.name),
            getattr(options, declared.name),
            "VALUE",
        )
        for declared in fields(options)
    ]


def _read_setting(options: type[Settings], name: str, text: str) -> Any:
    try:
        return getattr(load_flags(options, [f"{name}={text}"]), name)
    except UserError as fault:
        raise ValueError(fault.expected) from fault
