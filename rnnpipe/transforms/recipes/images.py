"""How records store images."""

from pathlib import Path
from typing import TYPE_CHECKING

from rnnpipe.settings import Settings, setting
from rnnpipe.sources.images.fit import Fit

if TYPE_CHECKING:  # what reads a config needs no Pillow
    from PIL import Image


class ImageOptions(Settings):
    """How images are stored: as square JPEGs.

    Example:
        >>> from PIL import Image
        >>> white = Image.new("RGB", (64, 64), "white")
        >>> ImageOptions(jpeg_quality=95).encode(white)[:2].hex()
        'ffd8'
    """

    size: int = setting(64, "height and width, in pixels", ge=16)
    fit: Fit = setting("stretch", "how an image that is not square becomes square")
    jpeg_quality: int = setting(92, "in libjpeg's terms", ge=1, le=95)

    def decode(self, data: bytes) -> "Image.Image":
        """The square of an image file's bytes.

        Raises:
            BadRecord: they are not an image that can be decoded.
        """
        from rnnpipe.sources.images.decoding import decode_image

        return decode_image(data, self.size, self.fit)

    def encode(self, image: "Image.Image") -> bytes:
        """The stored form of a square."""
        from rnnpipe.sources.images.decoding import encode_jpeg

        return encode_jpeg(image, self.jpeg_quality)

    def read_jpeg(self, path: str | Path) -> bytes:
        """The stored form of an image file.

        Raises:
            BadRecord: it cannot be read or decoded.
        """
        from rnnpipe.sources.images.decoding import read_bytes

        return self.encode(self.decode(read_bytes(path)))
