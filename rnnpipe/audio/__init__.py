"""Sound as models take it: samples and log-mel features, in NumPy alone.

One definition for the workers that write records, for training, predictions and exports.
"""

from rnnpipe.audio.log_mel import LogMel, LogMelOptions
from rnnpipe.audio.log_mel_stream import LogMelStream
from rnnpipe.audio.samples import to_float, to_int16
from rnnpipe.audio.wav import make_wav

__all__ = ["LogMel", "LogMelOptions", "LogMelStream", "make_wav", "to_float", "to_int16"]
