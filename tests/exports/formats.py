"""The formats whose runtimes are installed."""

import pytest

from rnnpipe.exports.formats import FORMATS as ALL_FORMATS
from rnnpipe.requirements import install_command, is_installed

INSTALLED = [
    name
    for name, form in ALL_FORMATS.items()
    if all(map(is_installed, (*form.to_write, *form.to_open)))
]

GRAPHS = [name for name in INSTALLED if ALL_FORMATS[name].finish is None]
"""Those of them with graphs of their own: MLflow's are those of ONNX."""

FORMATS = [
    pytest.param(
        name,
        id=name,
        marks=pytest.mark.skipif(
            name not in INSTALLED, reason=f"needs {install_command(*form.to_write, *form.to_open)}"
        ),
    )
    for name, form in ALL_FORMATS.items()
]
"""The parameters of a test of all formats."""

WHOLE = [name for name in GRAPHS if not ALL_FORMATS[name].bounded]
"""Those that hold all functions, for inputs of any shapes."""

litert = pytest.mark.skipif("litert" not in INSTALLED, reason=f"needs {install_command('litert')}")
