"""A few drawn scenes with captions, from raw files to records."""

import pytest

from rnnpipe.sources.generated.shapes_captions import ShapesCaptions
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.captions import CaptionRecipe
from rnnpipe.transforms.recipes.images import ImageOptions


@pytest.fixture(scope="package")
def drawn(tmp_path_factory):
    """Records of 60 scenes, some of them in the split `test`; all their words are known."""
    folder = tmp_path_factory.mktemp("drawn")
    source = ShapesCaptions(path=folder / "raw", images=60, size=32, seed=1)
    source.prepare(lambda done, total: None)
    return Build(source, CaptionRecipe(image=ImageOptions(size=32)), {"test": 0.2}).run(
        folder / "records"
    )
