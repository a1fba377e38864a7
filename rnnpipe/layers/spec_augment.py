"""SpecAugment."""

from typing import Any

import keras
from keras import ops

from rnnpipe.layers.errors import is_number, layer_error, shape_text
from rnnpipe.types import Shape, Tensor


@keras.saving.register_keras_serializable("rnnpipe")
class SpecAugment(keras.layers.Layer):
    """Hides bands of frequencies and stretches of time of log-mel features, in training alone.

    Each of the masks has a width and a place of its own in each utterance, all equally likely:

        f ~ {0, …, frequency_width},  f₀ ~ {0, …, mels − f}:  frequencies f₀, …, f₀ + f − 1
        t ~ {0, …, min(time_width, time_share · length)},  t₀ ~ {0, …, length − t}:
                                                                  frames t₀, …, t₀ + t − 1

    What is hidden becomes `fill`, which should be the features' mean: 0 where they are normalized.
    Padding is neither hidden nor counted.

    Args:
        frequency_masks: how many bands of frequencies are hidden.
        frequency_width: frequencies of the widest.
        time_masks: how many stretches of time are hidden.
        time_width: frames of the longest.
        time_share: of the frames of an utterance that one of them hides at most, from 0 to 1.
        fill: what is there in place of the features.
        seed: of the random choice.
        **kwargs: `name`, `dtype`, `trainable`, as for every Keras layer.

    Call arguments:
        features: `(batch, time, mels)`.
        mask: which frames are no padding, `(batch, time)`, True up to the end of each utterance;
            None: all of them.
        training: whether anything is hidden.

    Returns:
        Features of the same shape and type.

    Raises:
        UserError: a count or width is no integer of at least 0, the share is not within [0, 1] or
            the features have other axes.

    Example:
        >>> import numpy
        >>> features = numpy.ones((1, 50, 40), "float32")
        >>> layer = SpecAugment(time_masks=0, frequency_masks=1, frequency_width=8, seed=1)
        >>> hidden = numpy.asarray(layer(features, training=True)) == 0
        >>> bool((hidden == hidden[:, :1]).all()), int(hidden[0, 0].sum()) <= 8
        (True, True)

    Source: Park et al., SpecAugment: A Simple Data Augmentation Method for Automatic Speech
    Recognition, 2019, section 2, without its time warping, which they found to matter least.
    """

    def __init__(
        self,
        *,
        frequency_masks: int = 2,
        frequency_width: int = 10,
        time_masks: int = 2,
        time_width: int = 50,
        time_share: float = 0.2,
        fill: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        counts = {
            "frequency_masks": frequency_masks,
            "frequency_width": frequency_width,
            "time_masks": time_masks,
            "time_width": time_width,
        }
        for name, value in counts.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                fix = f"write e.g. {name}=2"
                raise layer_error(self, f"{name} that is an integer of at least 0", f"{value}", fix)
        if not is_number(time_share) or not 0 <= time_share <= 1:
            expected, fix = "a time_share from 0 to 1", "write e.g. time_share=0.2"
            raise layer_error(self, expected, str(time_share), fix)
        self.frequency_masks, self.frequency_width = frequency_masks, frequency_width
        self.time_masks, self.time_width = time_masks, time_width
        self.time_share, self.fill, self.seed = time_share, fill, seed
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, features: Tensor, mask: Tensor | None = None, training: bool = False) -> Tensor:
        """Hides; see the class for the arguments."""
        self._check_axes(features)
        if not training:
            return features
        batch, time, mels = ops.shape(features)
        if mask is None:
            lengths = ops.full((batch,), time, "float32")
        else:
            lengths = ops.sum(ops.cast(mask, "float32"), axis=1)
        longest = ops.minimum(self.time_share * lengths, float(self.time_width))
        sizes = ops.full((batch,), mels, "float32")
        widest = ops.minimum(sizes, float(self.frequency_width))
        in_time = self._hide(self.time_masks, longest, lengths, time)
        in_frequency = self._hide(self.frequency_masks, widest, sizes, mels)
        hidden = ops.logical_or(in_time[:, :, None], in_frequency[:, None, :])
        if mask is not None:
            hidden = ops.logical_and(hidden, ops.cast(mask, "bool")[:, :, None])
        return ops.where(hidden, ops.full_like(features, self.fill), features)

    def _hide(self, masks: int, widest: Tensor, sizes: Tensor, places: int) -> Tensor:
        """Which places are hidden, `(batch, places)`.

        Args:
            masks: how many.
            widest: their greatest width, `(batch,)`.
            sizes: how many places they may cover, `(batch,)`.
            places: the length of the axis.
        """
        shape = (2, ops.shape(sizes)[0], masks)
        draws = keras.random.uniform(shape, dtype="float32", seed=self.generator)
        widths = ops.floor(draws[0] * (ops.floor(widest)[:, None] + 1))  # (batch, masks)
        starts = ops.floor(draws[1] * (sizes[:, None] - widths + 1))
        place = ops.arange(places, dtype="float32")[:, None]  # (places, 1)
        starts, ends = starts[:, None, :], (starts + widths)[:, None, :]  # (batch, 1, masks)
        return ops.any(ops.logical_and(starts <= place, place < ends), axis=2)

    def _check_axes(self, features: Tensor) -> None:
        if len(features.shape) != 3:
            expected, fix = "features of shape (batch, time, mels)", "add the missing axis"
            raise layer_error(self, expected, shape_text(features), fix)

    def compute_output_shape(self, features_shape: Shape) -> Shape:
        """The shape of the features."""
        return features_shape

    def compute_output_spec(
        self, features: Tensor, mask: Tensor | None = None, training: bool = False
    ) -> Tensor:
        """The shape and type of the features."""
        del mask, training
        self._check_axes(features)
        return keras.KerasTensor(features.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for serialisation."""
        return {
            **super().get_config(),
            "frequency_masks": self.frequency_masks,
            "frequency_width": self.frequency_width,
            "time_masks": self.time_masks,
            "time_width": self.time_width,
            "time_share": self.time_share,
            "fill": self.fill,
            "seed": self.seed,
        }
