"""Log-mel features of sound as it comes."""

from typing import Any

import numpy as np

from rnnpipe.audio.log_mel import Array, LogMel, check_samples


class LogMelStream:
    """The log-mel features of a stream: chunk by chunk, the same bits as those of the whole.

    Args:
        log_mel: the function of samples.

    Example:
        >>> from rnnpipe.audio import LogMelOptions
        >>> stream = LogMelStream(LogMel(LogMelOptions(rate=8000, mels=24)))
        >>> [len(stream.push(np.zeros(150, "float32"))) for _ in range(3)]
        [0, 2, 2]
    """

    def __init__(self, log_mel: LogMel) -> None:
        self.log_mel = log_mel
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: np.ndarray[Any, Any]) -> Array:
        """The frames that end in a chunk of samples.

        Args:
            samples: what follows the samples before, float from -1 to 1, `(samples,)`.

        Returns:
            Features, float32 `(frames, mels)`; often without a frame where chunks are short.

        Raises:
            UserError: see `check_samples`.
        """
        check_samples(samples)
        joined = np.concatenate([self._rest, samples])
        features = self.log_mel(joined)
        self._rest = joined[len(features) * self.log_mel.hop_length :]
        return features
