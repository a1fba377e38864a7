"""What the build of videos needs: frames a second, and memory by the length of a video.

    python tools/bench/video.py

Writes videos of growing length (320 by 240, 25 frames/s), and makes the frames of their records as
a worker does, 12 a second at 64 by 64, in stretches of 256; each in a process of its own, whose
highest memory is told.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from rnnpipe.sources.videos.decoding import Framing, find_duration
from rnnpipe.sources.videos.files import encode_video
from rnnpipe.transforms.stretches import StretchReader
from rnnpipe.transforms.video_frames import Look

MINUTES = (0.5, 5)
RATE, MOST, SIZE = 12, 256, 64
_WIDTH, _HEIGHT, _SPEED = 320, 240, 25


def draw(frames: int) -> Iterator[Image.Image]:
    """Pictures that change all over, as those of a camera do."""
    wide = Image.effect_noise((2 * _WIDTH, _HEIGHT), 40).convert("RGB")
    for number in range(frames):
        left = number % _WIDTH
        yield wide.crop((left, 0, left + _WIDTH, _HEIGHT))


def measure(path: str) -> None:
    """Reads all stretches of a video and prints how fast, and the memory taken."""
    start = time.perf_counter()
    duration = float(find_duration(path))
    reader = StretchReader(path, RATE, Look(Framing(SIZE), 92, backbone=None))
    frames = sum(
        len(reader.read(first, MOST).frames) for first in range(0, int(duration * RATE), MOST)
    )
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = (f"{duration / 60:g}", f"{frames:,}", f"{frames / taken:,.0f}", f"{peak:,.0f}")
    print(f"| {' | '.join(told)} |", flush=True)


def main() -> None:
    """Prints a table, a row for each length."""
    print("| minutes | frames of records | a second | highest memory, MiB |\n" + "| --- " * 4 + "|")
    with TemporaryDirectory() as folder:
        for minutes in MINUTES:
            path = Path(folder) / f"{minutes}.mp4"
            encode_video(path, draw(int(minutes * 60 * _SPEED)), _SPEED)
            subprocess.run([sys.executable, __file__, str(path)], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        main()
