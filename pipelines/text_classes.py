r"""Builds records of texts with classes: tokens and labels.

    python -m rnnpipe.pipelines.text_classes --source.kind label_files \
        --source.path data/rt_polarity \
        --directory rt
    python -m rnnpipe.pipelines.text_classes --source.kind trec \
        --source.path data/trec_questions \
        --source.labels fine --directory trec
    python -m rnnpipe.pipelines.text_classes --source.kind table --source.path data/reviews \
        --source.text review --directory reviews
    python -m rnnpipe.pipelines.text_classes --source.kind tfds --source.name imdb_reviews \
        --directory imdb -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.text_classes import TextClassData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.text_classes", __doc__, TextClassData, argv)


if __name__ == "__main__":
    sys.exit(main())
