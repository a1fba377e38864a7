"""Peak memory and time of whole builds as the data grows tenfold.

    python -m tools.bench.memory text              # 100,000 and 1,000,000 pairs of sentences
    python -m tools.bench.memory images            # 1,000 and 10,000 images
    python -m tools.bench.memory text --amount 20000 --times 1 3 10

Each build runs in a fresh process with two workers. Told are the most memory that the main process
had at any time, the most that any of its workers had (both with what they share, Python and Beam),
wall-clock and CPU seconds, and what ten times the data takes beside once the data.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.generated.grammars import TranslationGrammar
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.captions import CaptionRecipe
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe
from rnnpipe.transforms.recipes.tokenization import RepeatOptions
from rnnpipe.transforms.runners.runner import Runner
from tools.bench.images import write_raw

SHARES = {"validation": 0.01, "test": 0.01}
DISTINCT_PAIRS = 30_000
AMOUNTS = {"text": 100_000, "images": 1_000}


def write_text(folder: Path, pairs: int) -> None:
    """Drawn sentences with a number each, so that no two are the same."""
    drawn = TranslationGrammar(path=folder / "drawn", pairs=DISTINCT_PAIRS, seed=1)
    drawn.prepare(lambda done, total: None)
    (folder / "raw").mkdir()
    for language, name in (("en", "train.a"), ("velu", "train.b")):
        lines = (drawn.folder / f"train.{language}").read_text().splitlines()
        with (folder / "raw" / name).open("w") as file:
            file.writelines(
                f"{lines[n % len(lines)]} {n // 1000} {n % 1000}\n" for n in range(pairs)
            )


def build_of(kind: str, folder: Path) -> Build:
    """A build of raw data that has been written."""
    if kind == "text":
        text = Parallel(path=folder / "raw", source="a", target="b")
        recipe = TextPairRecipe(repeats=RepeatOptions(duplicates="drop", leaks="drop"))
        return Build(text, recipe, SHARES)
    return Build(
        CocoCaptions(path=folder / "raw"), CaptionRecipe(image=ImageOptions(size=224)), SHARES, 100
    )


@dataclass(frozen=True)
class Taken:
    """What a build took.

    Args:
        records: how many it wrote.
        main: the most memory of the main process, MiB.
        worker: the most memory of any of its workers, MiB.
        wall: seconds.
        cpu: seconds of all processes.
    """

    records: int
    main: float
    worker: float
    wall: float
    cpu: float


def build_once(kind: str, folder: Path) -> Taken:
    """Builds with two workers, in this process."""
    peaks: dict[int, float] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            for pid in find_descendants(os.getpid()):
                peaks[pid] = max(peaks.get(pid, 0.0), read_peak(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    build = build_of(kind, folder)
    build.source.prepare(lambda done, total: None)
    records = build.run(folder / "records", runner=Runner(2))
    wall = time.perf_counter() - began
    done.set()
    watcher.join()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    return Taken(
        sum(records.splits.values()), read_peak(os.getpid()), max(peaks.values()), wall, cpu
    )


def find_descendants(pid: int) -> list[int]:
    """The running descendants of a process."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        parents.setdefault(parent, []).append(int(status.parent.name))
    found = list(parents.get(pid, []))
    for child in found:
        found += parents.get(child, [])
    return found


def read_peak(pid: int) -> float:
    """The most memory that a process had until now, in MiB; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(x.split()[1]) / 1024 for x in status.splitlines() if "VmHWM" in x), 0.0)


def measure(kind: str, amount: int, folder: Path) -> Taken:
    """Writes raw data and builds it in a fresh process."""
    folder.mkdir()
    if kind == "text":
        write_text(folder, amount)
    else:
        write_raw(folder / "raw", amount, None)
    program = [sys.executable, "-m", "tools.bench.memory", kind, "--build", str(folder)]
    output = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True).stdout
    shutil.rmtree(folder)
    return Taken(**json.loads(output.splitlines()[-1]))


def main() -> None:
    """Prints a line for each amount, and how it grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=AMOUNTS)
    parser.add_argument("--amount", type=int)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        print(json.dumps(vars(build_once(options.kind, options.build))))
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-memory-"))
    try:
        first = None
        for times in options.times:
            amount = times * (options.amount or AMOUNTS[options.kind])
            taken = measure(options.kind, amount, folder / str(times))
            first = first or taken
            print(
                f"{taken.records:10,} records  main {taken.main:6.0f} MiB"
                f" ({taken.main / first.main:.2f} x)  worker {taken.worker:6.0f} MiB"
                f" ({taken.worker / first.worker:.2f} x)  {taken.wall:7.1f} s"
                f" {taken.cpu:7.1f} s CPU ({taken.cpu / first.cpu:.2f} x)",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
