"""What it costs that records are sealed: a build, and the start of a training, in CPU seconds.

    git worktree add ../before COMMIT
    python -m tools.bench.seals ../before                                   a tiny data set
    python -m tools.bench.seals ../before --images 1000 --size 320          one of about 100 MB
    python -m tools.bench.seals                                             the parts alone

Builds of images and starts of a training on them alternate between this checkout and another, each
in a fresh process. A start is what comes before the first step: imports, the search for the records
(which reads them in full, or finds that they were read before), the model and the first batch;
reading is a start and the batches of five epochs.

On a busy machine CPU seconds of a process differ by 5 % from run to run. What sealing adds is less,
and measured by itself without another checkout.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from rnnpipe.records.fingerprint import identify_files
from rnnpipe.records.inventory import Inventory
from rnnpipe.records.manifest import FileDigest, Manifest, StoredFile

OURS = Path(__file__).resolve().parents[2]
START = """
import sys
from contextlib import nullcontext
import rnnpipe
from rnnpipe.runs.console import make_console
from rnnpipe.runs.records import find_records
from rnnpipe.tasks import make_task
import rnnpipe.runs.train
try:
    from rnnpipe.runs.holding import holding_records
except ImportError:
    holding_records = lambda records, console: nullcontext()
config = rnnpipe.load_config("glimpse", sys.argv[1:])
task = make_task(config)
records = find_records(config, task)
with holding_records(records, make_console(quiet=True)):
    task.build_model(records)
    next(iter(task.make_batches(records, "train", shuffle_seed=1)))
"""
READING = START.replace("next(iter(", "for _ in range(5): list(iter(")
BUILD = "import sys, rnnpipe; rnnpipe.build('glimpse', sys.argv[1:], verbose=False)"


def main() -> None:
    """Prints a line for each turn, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, nargs="?", help="the other checkout")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--size", type=int, default=32, help="pixels of a side")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        if options.other is None:
            _measure_parts(Path(folder))
        else:
            _measure(Path(folder), options)


def _measure_parts(folder: Path) -> None:
    """Prints the CPU seconds of what sealing adds, for 100 MB and for 1,000 files."""
    record = os.urandom(100_000)

    def digest() -> None:
        digest = FileDigest()
        for _ in range(1000):
            digest.update(record)
        digest.finish()

    (folder / "large").write_bytes(record * 1000)
    (folder / "many").mkdir()
    for number in range(1000):
        (folder / "many" / str(number)).write_bytes(b"")
    manifest = Manifest.of(folder / "many")
    inventory = Inventory(folder / "many", manifest.files)
    cases = {
        "a build: checksums of 100 MB that are written": digest,
        "a build: 1,000 raw files compared": lambda: identify_files((folder / "many").iterdir()),
        "a build: a manifest of 1,000 files": lambda: manifest.write(folder),
        "a start: 100 MB read": lambda: StoredFile.of(folder / "large"),
        "a start: 1,000 files found": lambda: inventory.check(inventory.files, in_full=False),
    }
    for what, case in cases.items():
        seconds = []
        for _ in range(5):
            before = time.process_time()
            case()
            seconds.append(time.process_time() - before)
        print(f"{what:46} {statistics.median(seconds):7.4f} s")


def _measure(folder: Path, options: argparse.Namespace) -> None:
    _write_images(folder / "raw", options.images, options.size)
    checkouts = {"ours": OURS, "other": options.other.resolve()}
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(options.turns):
        for name, checkout in checkouts.items():
            records = folder / "records"
            shutil.rmtree(records, ignore_errors=True)
            settings = [
                f"data.source={{kind: image_folders, path: {folder / 'raw'}}}",
                f"data.directory={records}",
                f"data.image.size={options.size}",
            ]
            starts = {"first start": START, "later start": START, "reading": READING}
            cases = {"build": BUILD, **starts}
            for case, program in cases.items():
                seconds = _run(checkout, program, settings)
                taken.setdefault((case, name), []).append(seconds)
                print(f"{case:12} {name:6} {seconds:7.2f} s", flush=True)
                os.sync()
    size = sum(path.stat().st_size for path in (folder / "records").iterdir())
    print(f"{size / 1e6:.1f} MB of records; medians of {options.turns}:")
    for case in cases:
        ours, other = (statistics.median(taken[case, name]) for name in checkouts)
        print(f"{case:12} {ours:7.2f} s, other {other:7.2f} s: {100 * (ours / other - 1):+.1f} %")


def _run(checkout: Path, program: str, settings: list[str]) -> float:
    """The CPU seconds of a process."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "TF_CPP_MIN_LOG_LEVEL": "3"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", program, *settings], check=True, cwd=checkout, env=environment
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _write_images(folder: Path, count: int, size: int) -> None:
    """Noise, which no format makes smaller."""
    draw = np.random.default_rng(1)
    for label in ("one", "two"):
        (folder / label).mkdir(parents=True)
        for number in range(count // 2):
            pixels = draw.integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.jpg", quality=95)


if __name__ == "__main__":
    main()
