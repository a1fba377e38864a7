"""Pipelines that are built and run within a notebook."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam.pipeline


@contextmanager
def as_in_a_script() -> Iterator[None]:
    """Beam treats the pipelines of this block as those of a script, also within IPython.

    There, Beam 2.77 takes each pipeline for one of `apache-beam[interactive]`
    (`apache_beam/utils/interactive_utils.py`): it imports pandas, which the build does not need,
    puts the number of the cell into labels and leaves temporary files behind. It has no option
    against that.
    """
    module: Any = apache_beam.pipeline
    saved = module.is_in_ipython, module.alter_label_if_ipython
    module.is_in_ipython = lambda: False
    module.alter_label_if_ipython = lambda transform, pvalueish: None
    try:
        yield
    finally:
        module.is_in_ipython, module.alter_label_if_ipython = saved
