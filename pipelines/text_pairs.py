r"""Builds records of texts and their translations, both tokenized.

    python -m rnnpipe.pipelines.text_pairs --source.kind parallel --source.path data/multi30k \
        --source.source de --source.target en --directory multi30k
    python -m rnnpipe.pipelines.text_pairs --source.kind table --source.path data/pairs \
        --source.source german --source.target english --text.joint false --directory pairs
    python -m rnnpipe.pipelines.text_pairs --source.kind tfds --source.name wmt14_translate/de-en \
        --source.source de --source.target en --directory wmt --workers 2 \
        -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.text_pairs import TextPairData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.text_pairs", __doc__, TextPairData, argv)


if __name__ == "__main__":
    sys.exit(main())
