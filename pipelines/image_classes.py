r"""Builds records of images with classes, or features of them, from a folder for each class.

    python -m rnnpipe.pipelines.image_classes --source.kind image_folders \
        --source.path data/flowers \
        --directory flowers --workers 2
    python -m rnnpipe.pipelines.image_classes --source.kind image_folders \
        --source.path data/flowers \
        --directory flowers -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.image_classes import ImageClassData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.image_classes", __doc__, ImageClassData, argv)


if __name__ == "__main__":
    sys.exit(main())
