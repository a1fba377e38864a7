"""Log-mel features in TensorFlow, for training; see `rnnpipe.audio.LogMel`."""

from collections.abc import Callable

import tensorflow as tf

from rnnpipe.audio import LogMel, LogMelOptions
from rnnpipe.errors import UserError


def make_log_mel(options: LogMelOptions) -> Callable[[tf.Tensor], tf.Tensor]:
    """The function that computes log-mel features in a `tf.data.Dataset`, as `LogMel` does.

    Args:
        options: rate, bands and frames.

    Returns:
        A function from samples, float32 from -1 to 1 `(…, samples)`, to features, float32
        `(…, frames, mels)`. It raises a `UserError` for integers.
    """
    log_mel = LogMel(options)

    def compute(samples: tf.Tensor) -> tf.Tensor:
        if not samples.dtype.is_floating:
            expected, fix = "floats from -1 to 1", "divide integers by full scale"
            raise UserError("samples", expected, samples.dtype.name, fix)
        spectra = tf.signal.stft(
            tf.cast(samples, tf.float64),
            log_mel.window_length,
            log_mel.hop_length,
            log_mel.fft_length,
            window_fn=lambda length, dtype: tf.constant(log_mel.window, dtype),
        )
        power = tf.math.real(spectra) ** 2 + tf.math.imag(spectra) ** 2  # (…, frames, bins)
        energy = tf.einsum("...tf,mf->...tm", power, tf.constant(log_mel.filters))
        return tf.cast(tf.math.log(energy + options.floor_energy), tf.float32)

    return compute
