"""Sources of questions about images."""

from rnnpipe.settings import Kinds
from rnnpipe.sources.source import Source


class VqaSource(Source):
    """Images, questions about them, and what several people answered.

    A subclass has a `kind`, and references with the fields of `VqaFields`. Other packages add kinds
    by the entry point group `rnnpipe.vqa_sources`.
    """

    kinds = Kinds(
        "rnnpipe.vqa_sources",
        {
            "shapes": "rnnpipe.sources.generated.shapes_vqa:Shapes",
            "vqa_v2": "rnnpipe.sources.vqa.vqa_v2:VqaV2",
            "easy_vqa": "rnnpipe.sources.vqa.easy_vqa:EasyVqa",
        },
    )
