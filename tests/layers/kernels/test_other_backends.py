"""The kernels of JAX and PyTorch, each in a process of that backend."""

import pytest

RUN = """
import sys
from tests.layers.kernels import on_backend
getattr(on_backend, sys.argv[1])(*sys.argv[2:])
"""

CHECKS = (
    "check_equal_to_keras",
    "check_slopes_in_float64",
    "check_eager_calls",
    "check_weight_drop",
    "check_mixed_precision",
    "check_lengths_and_rows",
    "check_padding_is_never_read",
)

every_recurrence = pytest.mark.parametrize("kind", ["lstm", "gru", "vanilla"])


@pytest.mark.parametrize("backend", ["jax", "torch"])
@every_recurrence
@pytest.mark.parametrize("check", CHECKS)
def test_layers_are_those_of_keras(other_process, backend, kind, check):
    pytest.importorskip(backend)
    other_process(RUN, check, kind, backend=backend)


@every_recurrence
def test_derivatives_of_jax(other_process, kind):
    pytest.importorskip("jax")
    other_process(RUN, "check_derivatives", kind, backend="jax")


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_decoders_say_that_they_have_no_kernel(other_process, backend):
    pytest.importorskip(backend)
    other_process(RUN, "check_decoders_step", backend=backend)
