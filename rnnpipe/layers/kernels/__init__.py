"""Fused kernels, a package for each backend that has some.

They are equal to the plain implementations in outputs and gradients, and are chosen automatically.
A package exports those that it has, as `obstacles.DEVICES` lists them, of `recurrent_kernel(
recurrence, units)`, `decoder_kernel(recurrence, architecture, sizes)`, `log_likelihood(targets,
logits, for_metric)` and `ctc_loss(targets, logits, target_lengths, lengths)`.

A recurrent kernel takes `(sequences, mask, weights, states, training)`: sequences `(batch, time,
features)`, a boolean mask `(batch, time)` or None, the weights (input kernel, input bias or None,
recurrent weights), the first states, each `(batch, units)`, and whether gradients are likely to be
computed. It returns the first state of every step, `(batch, time, units)`, and the list of last
states. Masked steps pass every state on.
"""

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from rnnpipe.layers.kernels.devices import computing_anywhere, computing_here, device_type
from rnnpipe.layers.kernels.obstacles import (
    explain,
    first_obstacle,
    place_obstacle,
    precision_obstacle,
)
from rnnpipe.layers.kernels.overrides import is_overridden
from rnnpipe.types import Tensor

__all__ = [
    "CTCLossKernel",
    "DecoderKernel",
    "RecurrentKernel",
    "computing_anywhere",
    "computing_here",
    "device_type",
    "explain",
    "find_ctc_loss",
    "find_decoder_kernel",
    "find_log_likelihood",
    "find_recurrent_kernel",
    "first_obstacle",
    "is_overridden",
    "place_obstacle",
    "precision_obstacle",
]

RecurrentKernel: TypeAlias = Callable[..., tuple[Tensor, list[Tensor]]]
DecoderKernel: TypeAlias = Callable[..., tuple[Tensor, Tensor, Tensor, Any]]
LogLikelihood: TypeAlias = Callable[..., tuple[Tensor, Tensor]]
CTCLossKernel: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def find_recurrent_kernel(recurrence: str, units: int) -> RecurrentKernel | None:
    """The kernel of a recurrence (`"lstm"`, `"gru"`, `"vanilla"`), or None without one."""
    make = _find("recurrent_kernel")
    return None if make is None else make(recurrence, units)


def find_decoder_kernel(
    recurrence: str, architecture: str, sizes: tuple[int, ...]
) -> DecoderKernel | None:
    """The kernel of a `"luong"` or `"bahdanau"` decoder of these sizes, or None without one."""
    make = _find("decoder_kernel")
    return None if make is None else make(recurrence, architecture, sizes)


def find_log_likelihood() -> LogLikelihood | None:
    """The kernel of token log-likelihoods, or None without one."""
    return _find("log_likelihood")


def find_ctc_loss() -> CTCLossKernel | None:
    """The kernel of the CTC loss, or None without one."""
    return _find("ctc_loss")


def _find(name: str) -> Any:
    """What the package of this backend exports under a name, or None where it does not serve."""
    if place_obstacle(name) is not None:
        return None
    package = importlib.import_module(f"rnnpipe.layers.kernels.{keras.backend.backend()}")
    return getattr(package, name)
