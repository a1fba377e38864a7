"""Sound as models take it: samples and log-mel features, in NumPy alone.

One definition for the workers that write records, for training, predictions and exports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["LogMel", "LogMelOptions", "LogMelStream", "make_wav", "to_float", "to_int16"]

_MODULES = {
    "LogMel": "log_mel",
    "LogMelOptions": "options",
    "LogMelStream": "log_mel_stream",
    "make_wav": "wav",
    "to_float": "samples",
    "to_int16": "samples",
}
"""Where a name is; it is imported when it is used, since a config reads its options alone."""

if TYPE_CHECKING:
    from rnnpipe.audio.log_mel import LogMel
    from rnnpipe.audio.log_mel_stream import LogMelStream
    from rnnpipe.audio.options import LogMelOptions
    from rnnpipe.audio.samples import to_float, to_int16
    from rnnpipe.audio.wav import make_wav


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
