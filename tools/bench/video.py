"""What the build of videos needs: frames a second, and memory by the length of a video.

    python -m tools.bench.video [--backbone NAME]

Writes videos of growing length (320 by 240, 25 frames/s), and makes their records as a worker does,
12 frames a second at 64 by 64, in windows of 256; each in a process of its own, whose highest
memory is printed. With a backbone of keras.applications it also makes features of 96 by 96 pixels.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from rnnpipe.parts.backbones import ApplicationBackboneOptions
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.clips import Clip, cut_windows, refer_clip
from rnnpipe.sources.videos.decoding import find_duration
from rnnpipe.sources.videos.files import encode_video
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.video_frames import FrameOptions, VideoEncoder, VideoRecipe

MINUTES = (0.5, 5)
RATE, MAX_FRAMES, SIZE = 12, 256, 64
_WIDTH, _HEIGHT, _SPEED = 320, 240, 25


def draw(frames: int) -> Iterator[Image.Image]:
    """Pictures that change all over, as those of a camera do."""
    wide = Image.effect_noise((2 * _WIDTH, _HEIGHT), 40).convert("RGB")
    for number in range(frames):
        left = number % _WIDTH
        yield wide.crop((left, 0, left + _WIDTH, _HEIGHT))


def measure(path: str, backbone: str | None) -> None:
    """Makes the records of a video and prints how fast, and the memory taken."""
    features = None
    if backbone:
        network = ApplicationBackboneOptions(name=backbone, weights="none")
        features = FeatureOptions(backbone=network, image_size=96)
    frames = FrameOptions(rate=RATE, size=SIZE, max_frames=MAX_FRAMES)
    encoder = VideoEncoder(VideoRecipe(frames=frames, features=features), {}, {"noise": 0})
    start = time.perf_counter()
    count = 0
    clip = refer_clip(Clip("noise", path, clip_label="noise"))
    for found in cut_windows(clip, RATE, MAX_FRAMES):
        assert isinstance(found, Reference), found
        count += len(encoder.encode(found).values["frames_jpeg"])
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    minutes = float(find_duration(path)) / 60
    cells = (f"{minutes:g}", f"{count:,}", f"{count / taken:,.0f}", f"{peak:,.0f}")
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Prints a table, a row for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", help="of keras.applications (default: no features)")
    parser.add_argument("--video", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.video:
        measure(options.video, options.backbone)
        return
    print("| minutes | frames of records | a second | highest memory, MiB |\n" + "| --- " * 4 + "|")
    with TemporaryDirectory() as folder:
        for minutes in MINUTES:
            path = Path(folder) / f"{minutes}.mp4"
            encode_video(path, draw(int(minutes * 60 * _SPEED)), _SPEED)
            subprocess.run([sys.executable, *sys.argv, "--video", str(path)], check=True)


if __name__ == "__main__":
    main()
