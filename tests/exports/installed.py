"""The formats whose extras are installed."""

from rnnpipe.exports.formats import FORMATS
from rnnpipe.requirements import is_installed

INSTALLED = tuple(
    name
    for name, form in FORMATS.items()
    if all(is_installed(extra) for extra in (*form.to_write, *form.to_open))
)
GRAPHS = tuple(name for name in INSTALLED if FORMATS[name].finish is None)
"""Those of them with graphs of their own: MLflow's are those of ONNX."""
