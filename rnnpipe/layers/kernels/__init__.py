"""Fused kernels, a package for each backend that has some.

They are equal to the plain implementations in outputs and gradients, and are chosen automatically.
A package exports `recurrent_kernel(recurrence, units)`, `decoder_kernel(recurrence, architecture,
sizes)`, `log_likelihood(targets, logits, for_metric)` and `ctc_loss(targets, logits,
target_lengths, lengths)`.

A recurrent kernel takes `(sequences, mask, weights, states, training)`: sequences `(batch, time,
features)`, a boolean mask `(batch, time)` or None, the weights (input kernel, input bias or None,
recurrent weights), the first states, each `(batch, units)`, and whether gradients are likely to be
computed. It returns the first state of every step, `(batch, time, units)`, and the list of last
states. Masked steps pass every state on.
"""

import functools
import importlib
from collections.abc import Callable
from types import ModuleType
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
    kernels = _kernels()
    return None if kernels is None else _make_recurrent_kernel(kernels, recurrence, units)


@functools.cache
def _make_recurrent_kernel(
    kernels: ModuleType, recurrence: str, units: int
) -> RecurrentKernel | None:
    kernel: RecurrentKernel | None = kernels.recurrent_kernel(recurrence, units)
    return kernel


def find_decoder_kernel(
    recurrence: str, architecture: str, sizes: tuple[int, ...]
) -> DecoderKernel | None:
    """The kernel of a `"luong"` or `"bahdanau"` decoder of these sizes, or None without one."""
    kernels = _kernels()
    return None if kernels is None else kernels.decoder_kernel(recurrence, architecture, sizes)


def find_log_likelihood() -> LogLikelihood | None:
    """The kernel of token log-likelihoods, or None without one."""
    kernels = _kernels()
    return None if kernels is None else kernels.log_likelihood


def find_ctc_loss() -> CTCLossKernel | None:
    """The kernel of the CTC loss, or None without one."""
    kernels = _kernels()
    return None if kernels is None else kernels.ctc_loss


def _kernels() -> ModuleType | None:
    """The kernels for this backend; all of them are for CPUs."""
    if place_obstacle() is not None:
        return None
    return importlib.import_module(f"rnnpipe.layers.kernels.{keras.backend.backend()}")
