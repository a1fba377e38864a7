r"""Builds VQA records: images, tokenized questions and soft-target answers.

    python -m rnnpipe.pipelines.vqa --source.kind vqa_v2 --source.path data/vqa_v2 \
        --directory vqa_v2 --workers 2
    python -m rnnpipe.pipelines.vqa --source.kind easy_vqa \
        --source.path data/easy_vqa --directory easy \
        -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.vqa import VqaData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.vqa", __doc__, VqaData, argv)


if __name__ == "__main__":
    sys.exit(main())
