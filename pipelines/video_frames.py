r"""Builds records of videos: frames sampled by time, or features of them, with labels.

    python -m rnnpipe.pipelines.video_frames --source.kind grid --source.path data/grid \
        --frames.rate 25 --directory grid
    python -m rnnpipe.pipelines.video_frames --source.kind clips --source.path data/clips \
        --source.label class --source.frame_labels frame_labels.csv --directory clips --workers 2
    python -m rnnpipe.pipelines.video_frames --source.kind clips --source.path data/clips \
        --features.backbone.kind application --features.backbone.name ResNet50 --directory clips \
        -- --runner=FlinkRunner --flink_master=localhost:8081

A flag is a key of `data` or `build` in a config. Options after `--` are Beam's own; without a
`--runner` the build is local.
"""

import sys
from collections.abc import Sequence

from rnnpipe.pipelines.command import run
from rnnpipe.transforms.recipes.video_frames import VideoData


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the build and returns the exit code: 0, or 2 for a mistake of the user's."""
    return run("rnnpipe.pipelines.video_frames", __doc__, VideoData, argv)


if __name__ == "__main__":
    sys.exit(main())
