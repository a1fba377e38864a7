"""The source of a VQA config."""

from rnnpipe.sources.generated.shapes_vqa import Shapes
from rnnpipe.sources.source import Source
from rnnpipe.sources.vqa.easy_vqa import EasyVqa
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.sources.vqa.vqa_v2_files import VqaFiles
from rnnpipe.storage.cache import cache_folder
from rnnpipe.tasks.vqa.config import EasyVqaSource, ShapesSource, VqaV2Source


def open_source(config: ShapesSource | VqaV2Source | EasyVqaSource) -> Source:
    """The source that a config's `data.source` describes."""
    match config:
        case ShapesSource():
            settings = config.model_dump(exclude={"kind", "path"})
            return Shapes(config.path or cache_folder("raw") / "shapes", **settings)
        case VqaV2Source():
            return VqaV2(config.path, _files_of(config))
        case EasyVqaSource():
            return EasyVqa(config.path)


def _files_of(config: VqaV2Source) -> dict[str, VqaFiles] | None:
    if config.files is None:
        return None
    return {split: VqaFiles(**names.model_dump()) for split, names in config.files.items()}
