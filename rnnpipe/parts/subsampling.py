"""Convolutional subsampling: few steps of many frames of sound."""

from typing import TYPE_CHECKING

from rnnpipe.errors import UserError
from rnnpipe.settings import Settings, fraction, setting

if TYPE_CHECKING:
    from rnnpipe.layers import ConvolutionalSubsampling


class SubsamplingOptions(Settings):
    """Convolutions over time and frequency that make a step of several frames."""

    filters: int = setting(32, "channels of each convolution", ge=1)
    depth: int = setting(2, "convolutions", ge=1)
    kernel_size: int = setting(3, "frames and frequencies that each one covers", ge=1)
    stride: int = setting(2, "by which each one divides the frames", ge=1)
    frequency_stride: int = setting(2, "by which each one divides the frequencies", ge=1)
    causal: bool | None = setting(
        None,
        "whether they look at no later frame, as a stream needs it; null: where the encoder reads "
        "forwards alone",
    )
    dropout: float = fraction(help="of the features of a step, in training")

    @property
    def frames(self) -> int:
        """The frames of a step."""
        return self.stride**self.depth

    def check(self) -> None:
        """No frame and no frequency is lost between two kernels."""
        stride = max(self.stride, self.frequency_stride)
        if self.kernel_size < stride:
            expected = f"at least stride and frequency_stride, {stride}"
            raise UserError("kernel_size", expected, str(self.kernel_size), "widen it")

    def make(self, *, causal: bool, name: str = "subsampling") -> "ConvolutionalSubsampling":
        """The layer.

        Args:
            causal: whether it looks at no later frame, where the settings leave that open.
            name: of the layer.
        """
        from rnnpipe.layers import ConvolutionalSubsampling

        return ConvolutionalSubsampling(
            self.filters,
            self.depth,
            kernel_size=self.kernel_size,
            stride=self.stride,
            frequency_stride=self.frequency_stride,
            causal=causal if self.causal is None else self.causal,
            name=name,
        )
