r"""Builds caption records: images, or features of them, and tokenized captions.

    python -m rnnpipe.pipelines.coco_captions --source.kind coco_captions --source.path data/coco \
        --source.karpathy dataset_coco.json --directory coco --workers 2
    python -m rnnpipe.pipelines.coco_captions --source.kind flickr8k --source.path data/flickr8k \
        --features.backbone.kind application --features.backbone.name ResNet101 \
        --features.image_size 448 --directory flickr8k \
        -- --runner=FlinkRunner --flink_master=localhost:8081
    python -m rnnpipe.pipelines.coco_captions --source.kind tfds --source.name coco_captions \
        --source.number image/id --directory coco

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.captions import CaptionData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.coco_captions", __doc__, CaptionData, argv)


if __name__ == "__main__":
    sys.exit(main())
