"""Drawn scenes of coloured shapes with captions: data that needs no download."""

from pathlib import Path

from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated import shapes
from rnnpipe.sources.generated.shapes.caption_writer import write_captioned_shapes
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress


class ShapesCaptions(GeneratedSource):
    """Scenes of one to three shapes with five captions each, written as real COCO captions.

    Args:
        path: where the data sets go: a folder that is missing, empty or holds such data sets only.
        images: how many scenes are drawn.
        size: height and width of their images, in pixels.
        seed: of the scenes and the captions.

    Example:
        >>> source = ShapesCaptions("data/captions", images=100, size=64, seed=1)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.partitions()[0]))
        >>> len(first.fields["captions"])
        5
    """

    kind = "shapes_captions"

    def __init__(self, path: str | Path, *, images: int, size: int, seed: int) -> None:
        super().__init__(path, images=images, size=size, seed=seed)

    @property
    def folder_name(self) -> str:
        """E.g. `shapes_captions-4000-64px-seed1-c0ffee42`."""
        s = self._settings
        code = hash_code(Path(shapes.__file__).parent)
        return f"{self.kind}-{s['images']}-{s['size']}px-seed{s['seed']}-{code}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the scenes and writes them."""
        write_captioned_shapes(folder, **self._settings, progress=progress)

    def open(self, folder: Path) -> CocoCaptions:
        """The reader of these files."""
        return CocoCaptions(folder)
