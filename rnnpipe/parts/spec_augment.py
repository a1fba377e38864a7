"""SpecAugment, as settings."""

from typing import TYPE_CHECKING

from rnnpipe.settings import Settings, setting

if TYPE_CHECKING:
    from rnnpipe.layers import SpecAugment


class SpecAugmentOptions(Settings):
    """What is hidden of log-mel features in training; see `rnnpipe.layers.SpecAugment`.

    Example:
        >>> SpecAugmentOptions(frequency_masks=1).make().frequency_masks
        1
    """

    frequency_masks: int = setting(2, "how many bands of frequencies are hidden", ge=0)
    frequency_width: int = setting(10, "frequencies of the widest band", ge=0)
    time_masks: int = setting(2, "how many stretches of time are hidden", ge=0)
    time_width: int = setting(50, "frames of the longest stretch", ge=0)
    time_share: float = setting(
        0.2, "share of the frames of an utterance that a stretch hides at most", ge=0, le=1
    )

    def make(self, *, seed: int | None = None, name: str = "spec_augment") -> "SpecAugment":
        """The layer.

        Args:
            seed: of the random choice.
            name: of the layer.
        """
        from rnnpipe.layers import SpecAugment

        return SpecAugment(
            frequency_masks=self.frequency_masks,
            frequency_width=self.frequency_width,
            time_masks=self.time_masks,
            time_width=self.time_width,
            time_share=self.time_share,
            seed=seed,
            name=name,
        )
