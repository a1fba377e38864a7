"""How log-mel features are computed, as a config says it."""

import math

from rnnpipe.audio.mel_scale import hertz_to_mel
from rnnpipe.errors import UserError
from rnnpipe.settings import Settings, setting, value_text


class LogMelOptions(Settings):
    """How log-mel features are computed of samples.

    Example:
        >>> LogMelOptions(rate=8000, mels=24).window_length
        200
    """

    rate: int = setting(16000, "samples for each second", ge=1000, le=384_000)
    mels: int = setting(40, "bands of frequencies, equally wide on the mel scale", ge=1, le=512)
    window: float = setting(0.025, "seconds of sound in a frame", gt=0, le=1)
    hop: float = setting(0.010, "seconds from a frame's start to that of the next", gt=0, le=1)
    lowest: float = setting(20.0, "Hz where the first band begins", ge=0)
    highest: float | None = setting(None, "Hz where the last band ends; null: half of rate", gt=0)
    floor: float = setting(
        -80.0,
        "dB of full scale of the white noise that is added to each band's energy: what is fainter "
        "is told apart no more",
        ge=-120,
        le=0,
    )

    @property
    def window_length(self) -> int:
        """Samples of a frame."""
        return round(self.window * self.rate)

    @property
    def hop_length(self) -> int:
        """Samples from the start of a frame to that of the next one."""
        return round(self.hop * self.rate)

    @property
    def fft_length(self) -> int:
        """The power of two to which frames are padded with zeros."""
        return 1 << (self.window_length - 1).bit_length()

    @property
    def floor_energy(self) -> float:
        """The energy that is added to each band.

        Noise of one step of 16 bits has an energy of 1e-9 per frequency, that of a quiet room 1e-7.
        """
        energy: float = 10 ** (self.floor / 10)
        return energy

    def check(self) -> None:
        """Every sample is in a frame, and every band has a frequency of the spectrum."""
        for name, samples, fewest in (
            ("window", self.window_length, 2),
            ("hop", self.hop_length, 1),
        ):
            if samples < fewest:
                expected = f"{fewest} samples or more, {value_text(fewest / self.rate)} s"
                got = f"{value_text(getattr(self, name))} s"
                raise UserError(name, expected, got, "enlarge it")
        if self.hop_length > self.window_length:
            expected = f"at most the window of {value_text(self.window)} s, so that frames meet"
            raise UserError("hop", expected, value_text(self.hop), "lower it")
        if (self.highest or 0) > self.rate / 2:
            expected = f"at most half of the rate, {value_text(self.rate / 2)}"
            raise UserError("highest", expected, value_text(self.highest), "lower it")
        if self.lowest >= (highest := self.highest or self.rate / 2):
            expected = f"less than the highest frequency, {value_text(highest)}"
            raise UserError("lowest", expected, value_text(self.lowest), "lower it")
        if empty := self._count_empty_bands():
            expected = "no more bands than a spectrum of the window tells apart"
            got = f"{self.mels}, {empty} of them without a frequency"
            raise UserError("mels", expected, got, "lower it, or enlarge window")

    def _count_empty_bands(self) -> int:
        """How many bands have no frequency of the spectrum between their ends."""
        lowest, highest = map(hertz_to_mel, (self.lowest, self.highest or self.rate / 2))
        width, filled = (highest - lowest) / (self.mels + 1), set[int]()
        for number in range(self.fft_length // 2 + 1):
            place = (hertz_to_mel(number * self.rate / self.fft_length) - lowest) / width
            # Band i lies between i and i + 2 widths above the lowest frequency.
            filled.update(range(math.floor(place) - 1, math.ceil(place)))
        return len(set(range(self.mels)) - filled)
