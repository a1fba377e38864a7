"""Options of the layers that stand in for Keras' own, checked before Keras sees them."""

import inspect
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import keras

from rnnpipe.errors import UserError

LOOKUPS: dict[str, Callable[[Any], Any]] = {
    "activation": keras.activations.get,
    "recurrent_activation": keras.activations.get,
    **{
        f"{weights}_{kind}": module.get
        for weights in ("kernel", "recurrent", "bias")
        for kind, module in (
            ("initializer", keras.initializers),
            ("regularizer", keras.regularizers),
            ("constraint", keras.constraints),
        )
    },
    "dtype": keras.dtype_policies.get,
}


class CheckedOptions:
    """A mixin before a Keras layer: it raises a `UserError` for a wrong option.

    The signature that help and editors show is that of the Keras layer, or of a subclass with an
    `__init__` of its own. One with `added_options`, by name and default, takes these as keywords
    and passes all other arguments on.
    """

    added_options: Mapping[str, Any] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        owners = (kind for kind in cls.__mro__ if "__init__" in vars(kind))
        added: dict[str, Any] = {}
        owner: Any
        for owner in owners:
            if "added_options" not in vars(owner):
                break
            added |= owner.added_options
        cls.__signature__ = _add(_signature(owner), added)  # type: ignore[attr-defined]  # `inspect` reads it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = type(self).__name__
        later = type(self).__mro__[type(self).__mro__.index(CheckedOptions) + 1 :]
        keras_layer = next(each for each in later if "__init__" in vars(each))
        try:
            bound = _signature(keras_layer).bind(*args, **kwargs)
        except TypeError as error:
            raise UserError(kind, "its arguments", str(error), f"see help({kind})") from None
        options = {**bound.arguments, **bound.arguments.get("kwargs", {})}
        where = f"{kind} {options['name']!r}" if options.get("name") else kind
        check_options(where, options)
        super().__init__(*args, **kwargs)


def _signature(kind: type) -> inspect.Signature:
    """The signature of a class that has an `__init__` of its own, without `self`."""
    signature = inspect.signature(kind.__init__)  # type: ignore[misc]  # of this class exactly
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _add(signature: inspect.Signature, options: Mapping[str, Any]) -> inspect.Signature:
    """A signature with more keywords."""
    parameters = list(signature.parameters.values())
    place = sum(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters)
    keyword = inspect.Parameter.KEYWORD_ONLY
    more = [inspect.Parameter(name, keyword, default=value) for name, value in options.items()]
    return signature.replace(parameters=[*parameters[:place], *more, *parameters[place:]])


def check_options(where: str, options: dict[str, Any]) -> None:
    """Checks the values of a recurrent layer's options.

    Args:
        where: the layer, for messages.
        options: values by name; those that are not known here are left to Keras.

    Raises:
        UserError: if a value is of the wrong type, out of range, or a name that Keras lacks.

    Example:
        >>> check_options("LSTM 'reader'", {"units": 256, "dropout": 0.2})
    """
    units = options.get("units", 1)
    if isinstance(units, bool) or not isinstance(units, Integral) or int(units) < 1:
        raise UserError(where, "units, a positive integer", repr(units), "write e.g. units=256")
    for name in ("dropout", "recurrent_dropout", "weight_drop"):
        rate = options.get(name, 0.0)
        if not isinstance(rate, Real) or not 0 <= float(rate) <= 1:
            raise UserError(where, f"{name} from 0 to 1", repr(rate), f"write e.g. {name}=0.2")
    cudnn = options.get("use_cudnn", "auto")
    if cudnn not in ("auto", True, False):
        expected = 'use_cudnn of "auto", True or False'
        raise UserError(where, expected, repr(cudnn), "leave it out: cuDNN is taken where it can")
    for name, look_up in LOOKUPS.items():
        try:
            look_up(options.get(name))
        except (TypeError, ValueError):
            got, fix = repr(options[name]), "pass a name from Keras' documentation, or an object"
            raise UserError(where, f"a known {name}", got, fix) from None
