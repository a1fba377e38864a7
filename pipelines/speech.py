r"""Builds records of speech: 16-bit samples or log-mel features, with tokenized texts.

    python -m rnnpipe.pipelines.speech --source.kind table --source.path data/grid \
        --source.text sentence --source.split split --directory grid
    python -m rnnpipe.pipelines.speech --source.kind table --source.path data/talks \
        --source.start start --source.end end --source.speaker speaker --sound.max_seconds 20 \
        --text.tokenizer bpe --text.vocabulary 1000 --directory talks --workers 2
    python -m rnnpipe.pipelines.speech --source.kind table --source.path data/calls \
        --sound.rate 8000 --features.rate 8000 --features.mels 40 --directory calls \
        -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.speech import SpeechData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.speech", __doc__, SpeechData, argv)


if __name__ == "__main__":
    sys.exit(main())
