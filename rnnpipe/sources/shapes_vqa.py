"""Drawn scenes of coloured shapes with questions: data that needs no download."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources import shapes
from rnnpipe.sources.folder import absolute, list_folder
from rnnpipe.sources.shapes import write_shapes
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.vqa_v2 import VqaV2
from rnnpipe.sources.vqa_v2_parts import VqaPart

_NAME = "shapes-"


class Shapes:
    """Scenes of coloured shapes, written as real VQA v2.0 files where they are not there yet.

    Every choice of arguments has a folder of its own below `path`, whose name tells them and which
    version of the drawing code it is: others write another data set and leave the first alone.

    Args:
        path: where the data sets go: a folder that is missing, empty or holds such data sets only.
        images: how many scenes are drawn.
        size: height and width of their images, in pixels.
        seed: of the scenes and the questions.
        questions_per_image: how many questions each is asked.
        disagreement: how often an annotator gives another answer, from 0 to 1.

    Example:
        >>> amounts = {"images": 100, "questions_per_image": 8, "disagreement": 0.1}
        >>> source = Shapes("data/shapes", size=64, seed=1, **amounts)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.pieces()[0]))
    """

    kind = "shapes"

    def __init__(
        self,
        path: str | Path,
        *,
        images: int,
        size: int,
        seed: int,
        questions_per_image: int,
        disagreement: float,
    ) -> None:
        self._path = absolute(path)
        self._settings: dict[str, Any] = {
            "images": images,
            "size": size,
            "seed": seed,
            "questions_per_image": questions_per_image,
            "disagreement": disagreement,
        }

    @property
    def folder(self) -> Path:
        """Where this data set lies, e.g. `shapes-4000x8-64px-0.1-seed1-c0ffee42`."""
        s = self._settings
        return self._path / (
            f"{_NAME}{s['images']}x{s['questions_per_image']}-{s['size']}px"
            f"-{s['disagreement']}-seed{s['seed']}-{_code_version()}"
        )

    @cached_property
    def _written(self) -> VqaV2:
        return VqaV2(self.folder)

    @property
    def parts(self) -> frozenset[str]:
        """Only `train`: the build holds the other splits out of it."""
        return self._written.parts

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was drawn."""
        return self._settings

    def prepare(self, progress: Progress) -> None:
        """Writes the data set, if it is not there; see `Source`."""
        if not self.folder.exists():
            self._check_place()
            try:
                write_shapes(self.folder, **self._settings, progress=progress)
            except UserError:
                if not self.folder.exists():  # another process may have been faster
                    raise
        self._written.prepare(lambda done, total: None)

    def _check_place(self) -> None:
        """Other people's files are neither touched nor mixed with ours."""
        others = [name for name in list_folder(self._path) if not name.startswith(_NAME)]
        if others or self._path.is_file():
            raise UserError(
                str(self._path),
                "a place for drawn shapes: a folder that is empty or not there yet",
                f"a folder with other files ({min(others)})" if others else "a file",
                "name another folder as data.source.path, or another data.source.kind",
            )

    def pieces(self) -> list[VqaPart]:
        """As of `VqaV2`."""
        return self._written.pieces()

    def read(self, piece: VqaPart) -> Iterator[Reference | DeadLetter]:
        """As of `VqaV2`."""
        return self._written.read(piece)

    def files(self) -> Iterable[Path]:
        """As of `VqaV2`."""
        return self._written.files()


@cache
def _code_version() -> str:
    """A hash of the code that draws."""
    digest = hashlib.sha256()
    for path in sorted(Path(shapes.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
