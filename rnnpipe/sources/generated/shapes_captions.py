"""Drawn scenes of coloured shapes with captions: data that needs no download."""

from pathlib import Path
from typing import Literal

from rnnpipe.settings import setting
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.source import CaptionSource
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress

_CODE = Path(__file__).with_name("shapes")


class ShapesCaptions(GeneratedSource, CaptionSource):
    """Scenes of one to three shapes with five captions each, written as real COCO captions.

    Example:
        >>> source = ShapesCaptions(path=Path("data/captions"), images=100)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.partitions()[0]))
        >>> len(first.fields["captions"])
        5
    """

    kind: Literal["shapes_captions"] = "shapes_captions"
    images: int = setting(4000, "scenes that are drawn", ge=10)
    size: int = setting(64, "height and width of their images, in pixels", ge=32)
    seed: int = setting(1, "of the scenes and the captions")

    @property
    def folder_name(self) -> str:
        """E.g. `shapes_captions-4000-64px-seed1-c0ffee42`."""
        code = hash_code(_CODE)
        return f"{self.kind}-{self.images}-{self.size}px-seed{self.seed}-{code}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the scenes and writes them."""
        from rnnpipe.sources.generated.shapes.caption_writer import write_captioned_shapes

        write_captioned_shapes(folder, **self.settings, progress=progress)

    def open(self, folder: Path) -> CocoCaptions:
        """The reader of these files."""
        return CocoCaptions(path=folder)
