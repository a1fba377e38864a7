"""Sound as models take it: samples and log-mel features, in NumPy alone.

One definition for the workers that write records, for training, predictions and exports.
"""

from rnnpipe.audio.log_mel import LogMel, LogMelOptions
from rnnpipe.audio.log_mel_stream import LogMelStream
from rnnpipe.audio.samples import to_float, to_int16

__all__ = ["LogMel", "LogMelOptions", "LogMelStream", "to_float", "to_int16"]
