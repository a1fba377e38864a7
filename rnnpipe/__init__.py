"""Recurrent sequence models on Keras 3: from raw data to a trained, explained model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Prediction",
    "RecordsDirectory",
    "Report",
    "Results",
    "Run",
    "Sweep",
    "UserError",
    "build",
    "compare",
    "load",
    "load_config",
    "resume",
    "run",
    "sweep",
    "train",
]

_MODULES = {
    "Comparison": "rnnpipe.runs.compare",
    "Prediction": "rnnpipe.tasks.prediction",
    "RecordsDirectory": "rnnpipe.records.directory",
    "Report": "rnnpipe.runs.results",
    "Results": "rnnpipe.runs.results",
    "Run": "rnnpipe.runs.run",
    "Sweep": "rnnpipe.sweeps.sweep",
    "UserError": "rnnpipe.errors",
}
"""Where a name is that `rnnpipe.api` does not define; all are imported when they are used."""

if TYPE_CHECKING:
    from rnnpipe.api import build, compare, load, load_config, resume, run, sweep, train
    from rnnpipe.errors import UserError
    from rnnpipe.records.directory import RecordsDirectory
    from rnnpipe.runs.compare import Comparison
    from rnnpipe.runs.results import Report, Results
    from rnnpipe.runs.run import Run
    from rnnpipe.sweeps.sweep import Sweep
    from rnnpipe.tasks.prediction import Prediction


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "rnnpipe.api")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
