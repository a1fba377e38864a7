"""Sounds changed by chance, so that training hears each of them in many ways."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnpipe.errors import UserError
from rnnpipe.settings import Settings, fraction, setting, value_text

if TYPE_CHECKING:
    import tensorflow as tf


class SoundAugmentationOptions(Settings):
    """What happens to the samples of training utterances, anew in every epoch."""

    speed: float = fraction(
        help="share by which they become faster or slower at most, and their pitch with it"
    )
    lowest_snr: float | None = setting(
        None, "dB from sound down to the loudest white noise that is added; null: none", ge=-60
    )
    highest_snr: float = setting(40.0, "dB from sound down to the faintest of that noise", le=120)

    def check(self) -> None:
        """The noise has a range, and is asked for if it has one."""
        if self.lowest_snr is None:
            self.require_default("highest_snr", "without lowest_snr")
        elif self.lowest_snr > self.highest_snr:
            expected = f"at most highest_snr, {value_text(self.highest_snr)}"
            raise UserError("lowest_snr", expected, value_text(self.lowest_snr), "lower it")


NO_SOUND_AUGMENTATION = SoundAugmentationOptions()


def augment_sound(
    samples: "tf.Tensor", how: SoundAugmentationOptions, seed: "Sequence[tf.Tensor]"
) -> "tf.Tensor":
    """An utterance that is faster or slower and noisier.

    The factor of the speed is uniform from `1 - speed` to `1 + speed`, the signal-to-noise ratio in
    dB from `lowest_snr` to `highest_snr`; it compares the mean power of the whole utterance.

    Args:
        samples: float32, `(samples,)`.
        how: what happens to it.
        seed: two numbers; the same ones change a sound in the same way.

    Returns:
        float32, of another number of samples where `speed` is set. Noise may exceed full scale.

    Source: Ko et al., Audio Augmentation for Speech Recognition, 2015.
    """
    import tensorflow as tf

    if how == NO_SOUND_AUGMENTATION:
        return samples
    speed, level = tf.unstack(tf.random.stateless_uniform((2,), tf.stack(seed), -1.0, 1.0))
    if how.speed:
        samples = change_speed(samples, 1.0 + speed * how.speed)
    if how.lowest_snr is not None:
        middle, half = _middle(how.lowest_snr, how.highest_snr)
        samples = add_noise(samples, middle + level * half, tf.random.fold_in(tf.stack(seed), 1))
    return samples


def change_speed(samples: "tf.Tensor", factor: "tf.Tensor") -> "tf.Tensor":
    """The samples of a sound that is played so many times as fast, and as much higher.

    The spectrum of the whole is cut off or filled up with zeros: no frequency of it is attenuated,
    and none becomes another.

    Args:
        samples: float32, `(samples,)`.
        factor: above 1 for faster; float32.
    """
    import tensorflow as tf

    before = tf.size(samples)
    after = tf.cast(tf.round(tf.cast(before, tf.float32) / factor), tf.int32)

    def resample() -> tf.Tensor:
        scale = tf.cast(after, tf.float32) / tf.cast(before, tf.float32)
        return tf.signal.irfft(tf.signal.rfft(samples), [after]) * scale

    # No transform has length 0.
    return tf.cond(tf.minimum(before, after) > 0, resample, lambda: samples[:0])


def add_noise(samples: "tf.Tensor", snr: "tf.Tensor", seed: "Sequence[tf.Tensor]") -> "tf.Tensor":
    """The samples with white noise over them.

    Args:
        samples: float32, `(samples,)`.
        snr: the ratio of the mean power of the samples to that of the noise, in dB.
        seed: two numbers, of the noise.
    """
    import tensorflow as tf

    root_mean_square = tf.sqrt(
        tf.math.divide_no_nan(tf.reduce_sum(samples**2), tf.cast(tf.size(samples), tf.float32))
    )
    noise = tf.random.stateless_normal(tf.shape(samples), tf.stack(seed))
    return samples + noise * root_mean_square * 10.0 ** (-snr / 20.0)


def _middle(low: float, high: float) -> tuple[float, float]:
    """The middle of a range, and half of its width."""
    return (low + high) / 2, (high - low) / 2
