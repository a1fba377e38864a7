r"""Builds records of long texts: spans of documents, in their order, as token ids.

python -m rnnpipe.pipelines.text_stream --source.kind text \
        --source.path data/tinyshakespeare/input.txt --directory shakespeare
python -m rnnpipe.pipelines.text_stream --source.kind text --source.path data/wikitext-2 \
        --source.begin '^ = [^=]+ = $' --symbols word --vocabulary 40000 --directory wikitext \
        -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.text_stream import StreamData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a user's mistake."""
    return run("rnnpipe.pipelines.text_stream", __doc__, StreamData, argv)


if __name__ == "__main__":
    sys.exit(main())
