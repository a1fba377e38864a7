"""Images: from whatever file there is to a square of RGB pixels, and to the JPEG of a record."""

import threading
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from rnnpipe.errors import BadRecord
from rnnpipe.sources.images.fit import Fit
from rnnpipe.storage.paths import as_path
from rnnpipe.storage.whole_files import read_whole

Photo = str | Path | bytes | np.ndarray[Any, np.dtype[np.uint8]]
"""The path of an image file, its bytes, or pixels `(height, width, 3)`."""


class StoredJpeg(bytes):
    """The JPEG of a record, which is read as it is: a second loss would change its pixels."""


# An image is decoded to about this many times the size wanted, where its format can do so cheaply.
_DRAFT = 2
_MAX_SIDE = 65_535  # pixels, as of JPEG: Pillow needs as much memory for a row as for many pixels
_READ_PIXELS = 1 << 20  # that are converted together

_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Filters of warnings belong to the whole process, so one thread at a time may change them.
_WARNINGS = threading.Lock()


def read_image(path: str | Path, size: int, fit: Fit) -> Image.Image:
    """An image file as a square of RGB pixels.

    Reads any raster format that Pillow knows, whatever the file is called:

    - EXIF orientation is applied, colours become RGB (Adobe's inverted CMYK too);
    - transparent places become white, as on a page;
    - 16 bits a channel are scaled to 8; numbers beyond 16 bits, or floats beyond [0, 1], are
      stretched from the image's darkest to its brightest;
    - of an animation, or of several pictures in one file, the first counts.

    Args:
        path: the file.
        size: height and width of the square, in pixels.
        fit: how an image that is not square becomes square, see `Fit`.

    Returns:
        An image of mode `RGB`; `numpy.asarray` gives uint8 `(height, width, channels)`.

    Raises:
        BadRecord: the file cannot be read (step `read image`), or is damaged, cut off, no image,
            larger than `PIL.Image.MAX_IMAGE_PIXELS`, 89,478,485 pixels, or than 65,535 pixels on a
            side (step `decode image`).

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     Image.new("L", (640, 480), 255).save(f"{folder}/white.png")
        ...     image = read_image(f"{folder}/white.png", 64, "stretch")
        >>> image.mode, image.size, image.getpixel((0, 0))
        ('RGB', (64, 64), (255, 255, 255))
    """
    return decode_image(read_bytes(path), size, fit)


def read_bytes(path: str | Path) -> bytes:
    """The bytes of an image file, for `decode_image` at one size or several.

    Raises:
        BadRecord: the file cannot be read (step `read image`).
    """
    try:
        return read_whole(as_path(path))
    except OSError as fault:
        raise BadRecord("read image", fault.strerror or type(fault).__name__) from fault


def to_bytes(photo: Photo) -> bytes:
    """The bytes of an image: those of its file, or for pixels those of a file without loss.

    Args:
        photo: the path of a file, its bytes, or pixels: uint8 `(height, width, 3)`, red, green,
            blue.

    Raises:
        BadRecord: the file cannot be read (step `read image`), or the pixels have another type or
            shape (step `decode image`).
    """
    if isinstance(photo, bytes):
        return photo
    if not isinstance(photo, np.ndarray):
        return read_bytes(photo)
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        got = f"{photo.dtype} {photo.shape}"
        raise BadRecord("decode image", f"pixels are uint8 (height, width, 3), not {got}")
    buffer = BytesIO()
    Image.fromarray(photo).save(buffer, "PPM")
    return buffer.getvalue()


def decode_image(data: bytes, size: int, fit: Fit) -> Image.Image:
    """`read_image` for the bytes of a file.

    Raises:
        BadRecord: the bytes are not an image that can be decoded (step `decode image`).
    """
    return _decode(data, size, lambda image: square(image, size, fit))


def decode_whole_image(data: bytes, longest: int) -> Image.Image:
    """An image in its own proportions, as people look at it; else as `decode_image`.

    Args:
        data: the bytes of a file.
        longest: the longer side of the result, in pixels; the shorter one is at least a quarter.

    Raises:
        BadRecord: as of `decode_image`.
    """

    def scale(image: Image.Image) -> Image.Image:
        largest = max(image.size)
        width, height = (max(round(longest * side / largest), longest // 4) for side in image.size)
        return image.resize((width, height), Image.Resampling.BICUBIC)

    return _decode(data, longest, scale)


def _decode(data: bytes, size: int, finish: Callable[[Image.Image], Image.Image]) -> Image.Image:
    if not data:
        raise BadRecord("decode image", "the file is empty")
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = _to_plain(_load(data, size))
        return finish(image).convert("RGB")
    except BadRecord:
        raise
    except UnidentifiedImageError as fault:
        # Pillow's own words name the buffer in memory.
        raise BadRecord("decode image", "not an image in a format that can be read") from fault
    except Exception as fault:
        # Damaged data makes Pillow raise OSError, SyntaxError, ValueError, struct.error and more.
        reason = " ".join(str(fault).split()) or type(fault).__name__
        raise BadRecord("decode image", reason) from fault


def decode_jpeg(jpeg: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels of a stored image, uint8 `(height, width, 3)`, equal to those of training.

    Decoders may differ in their last bits: training decodes with libjpeg's accurate integer DCT
    too, see `rnnpipe.inputs.parsing.decode_jpeg`, and there is no other choice to be made where
    colour has its full resolution.

    Args:
        jpeg: of `encode_jpeg`.

    Raises:
        BadRecord: it cannot be decoded (step `decode image`).
    """
    try:
        return np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
        raise BadRecord("decode image", f"{type(fault).__name__}: {fault}") from fault


def encode_jpeg(image: Image.Image, quality: int = 92) -> bytes:
    """The JPEG of an image, the same bytes for the same pixels.

    Colour keeps its full resolution (4:4:4): in the small images that models see, halving it, as
    photographs can bear, would blur the colours that questions ask about.

    Args:
        image: an image of mode `RGB`.
        quality: from 1 to 95, in libjpeg's terms.
    """
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling="4:4:4")
    return buffer.getvalue()


def _load(data: bytes, size: int) -> Image.Image:
    """The first picture of a file, upright."""
    image = Image.open(BytesIO(data))
    if image.format == "EPS":  # a program, which Pillow would hand to Ghostscript
        raise BadRecord("decode image", "EPS files are not read")
    if max(image.size) > _MAX_SIDE:
        width, height = image.size
        raise BadRecord(
            "decode image", f"{width:,} by {height:,} pixels; a side has at most {_MAX_SIDE:,}"
        )
    image.draft(None, (_DRAFT * size, _DRAFT * size))
    image.load()
    turn = _ORIENTATIONS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF leaves the pixels good: the picture is taken as upright
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_plain(image: Image.Image) -> Image.Image:
    """An image of 8 bits a channel: RGB, or grey, which takes a quarter of the memory."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep(image)
    if image.has_transparency_data:
        return _on_white(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """An image with white in its transparent places."""
    whole = Image.new("RGB", image.size)
    for rows, part in _cut_rows(image):
        page = Image.new("RGBA", part.size, "white")
        shown = Image.alpha_composite(page, part.convert("RGBA"))
        whole.paste(shown.convert("RGB"), (0, rows.start))
    return whole


def _from_deep(image: Image.Image) -> Image.Image:
    """One channel of more than 8 bits, or of floats, as grey."""
    extremes = [(values.min(), values.max()) for _, values in _read_rows(image)]
    least, most = float(min(extremes)[0]), max(float(largest) for _, largest in extremes)
    low, high = 0.0, 1.0 if image.mode == "F" else 65535.0
    if least < low or most > high:
        low, high = least, most
    levels = np.empty((image.height, image.width), np.uint8)
    for rows, values in _read_rows(image):
        levels[rows] = np.rint((values - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)
        if "transparency" in image.info:
            levels[rows][values == image.info["transparency"]] = 255
    return Image.fromarray(levels)


def _read_rows(image: Image.Image) -> Iterator[tuple[slice, np.ndarray[Any, np.dtype[np.float64]]]]:
    """The values of some rows after the other."""
    for rows, part in _cut_rows(image):
        yield rows, np.nan_to_num(np.asarray(part, np.float64))


def _cut_rows(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Some rows after the other: what is made of all at once takes gigabytes."""
    step = max(_READ_PIXELS // image.width, 1)
    for top in range(0, image.height, step):
        rows = slice(top, min(top + step, image.height))
        yield rows, image.crop((0, rows.start, image.width, rows.stop))


def square(image: Image.Image, size: int, fit: Fit) -> Image.Image:
    """An image as a square of `size` pixels a side, see `Fit`."""
    box, method = (size, size), Image.Resampling.BICUBIC
    if fit == "crop":
        return ImageOps.fit(image, box, method)
    if fit == "pad":
        return ImageOps.pad(_thicken(image, size), box, method)
    return image.resize(box, method)


def _thicken(image: Image.Image, size: int) -> Image.Image:
    """An image so thin that nothing would be left of its shorter side, with a pixel left of it."""
    longest = max(image.size)
    sides = [round(size * side / longest) for side in image.size]
    if min(sides):
        return image
    return image.resize((max(sides[0], 1), max(sides[1], 1)), Image.Resampling.BICUBIC)
