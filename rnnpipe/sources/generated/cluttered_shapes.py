"""Drawn shapes among fragments of others: images with classes that need no download."""

import random
from pathlib import Path

from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated import clutter
from rnnpipe.sources.generated.clutter.drawing import KINDS, draw_cluttered
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.source import Progress

_PROGRESS_EVERY = 50


class ClutteredShapes(GeneratedSource):
    """Pictures of one whole shape among fragments of others, in a folder for each kind of shape.

    Args:
        path: where the data sets go: a folder that is missing, empty or holds such data sets only.
        images: how many pictures are drawn.
        size: their height and width, in pixels.
        fragments: how many fragments each has.
        seed: of all that is drawn at random.

    Example:
        >>> source = ClutteredShapes("data/shapes", images=60, size=64, fragments=8, seed=1)
        >>> source.prepare(lambda done, total: None)
        >>> sorted({reference.fields["label"] for reference in source.read(source.partitions()[0])})
        ['circle']

    Source: Mnih et al., Recurrent Models of Visual Attention, 2014, section 4.1, whose translated
    digits lie among fragments of other digits.
    """

    kind = "cluttered_shapes"

    def __init__(
        self, path: str | Path, *, images: int, size: int, fragments: int, seed: int
    ) -> None:
        super().__init__(path, images=images, size=size, fragments=fragments, seed=seed)

    @property
    def folder_name(self) -> str:
        """E.g. `cluttered_shapes-9000-64px-8-seed1-c0ffee42`."""
        s = self._settings
        code = hash_code(Path(clutter.__file__).parent)
        return f"{self.kind}-{s['images']}-{s['size']}px-{s['fragments']}-seed{s['seed']}-{code}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the pictures and writes them as PNG; a larger set begins with the smaller one."""
        s = self._settings
        for kind in KINDS:
            (folder / kind).mkdir()
        for number in range(1, s["images"] + 1):
            rng = random.Random(f"{s['seed']}/{number}")
            kind = rng.choice(KINDS)
            picture = draw_cluttered(rng, kind, s["size"], s["fragments"])
            picture.save(folder / kind / f"{number:06d}.png")
            if number % _PROGRESS_EVERY == 0 or number == s["images"]:
                progress(number, s["images"])

    def open(self, folder: Path) -> ImageFolders:
        """The reader of these files."""
        return ImageFolders(folder)
