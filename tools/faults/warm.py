"""Imports all that commands import, once, for the children that are forked afterwards."""

import importlib
import pkgutil

import rnnpipe
from rnnpipe.quiet import log_errors_only, quiet_import
from rnnpipe.records.metadata import import_datasets
from rnnpipe.requirements import MODULES

_LIBRARIES = ("runs", "build", "train", "report", "translation", "video", "onnx", "export")
_LAZY = (
    "google.protobuf.json_format",
    "h5py",
    "matplotlib.backends.backend_agg",
    "sklearn.metrics",
    "tensorflow.python.framework.convert_to_constants",
    "tests.runs.handmade",
    "tests.runs.trainings",
)


def import_all() -> None:
    """Imports libraries and every module of rnnpipe; no operation of TensorFlow may run."""
    log_errors_only()  # as the command line does before it imports anything
    with quiet_import():
        import tensorflow  # noqa: F401  # before anything else that imports it
    import_datasets()
    with quiet_import():
        names = [module for extra in _LIBRARIES for module in MODULES[extra]]
        for name in (*names, *_LAZY):
            importlib.import_module(name)
        for module in pkgutil.walk_packages(rnnpipe.__path__, "rnnpipe."):
            if not module.name.startswith(("rnnpipe.pipelines", "rnnpipe.layers.kernels.")):
                importlib.import_module(module.name)
