"""Images a second that a build of captions reads, resizes and writes, and the memory it takes.

    python -m tools.bench.images                                # speed, on 30,000 made-up photos
    python -m tools.bench.images --images 600                   # for a look
    python -m tools.bench.images --photos data/coco/train2017   # on copies of these
    python -m tools.bench.images --memory 300 3000              # peak memory by number of images
    python -m tools.bench.images --backbone MobileNetV2         # with features of random weights

The work: read photos, resize them, encode them as JPEG again, cut five captions each into tokens,
serialise and write TFRecord shards. The ways to do it: a plain loop; a `multiprocessing.Pool` of
two whose workers write a shard each; and the build's second pass with one worker and with two.
Peak memory is that of a fresh process that does the whole build with one worker.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rnnpipe.parts.backbones import ApplicationBackboneOptions
from rnnpipe.records.codec import encode_example
from rnnpipe.records.layout import shard_name
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter, order_in_shard
from rnnpipe.transforms.passes.write import WriteShards
from rnnpipe.transforms.recipes.base import Encoded, Tally
from rnnpipe.transforms.recipes.captions import CaptionEncoder, CaptionRecipe
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.images import ImageOptions
from tools.bench.competitors import LOOP, ONE, POOL, TWO, compare, loop, pool, references_of, run

SPLITTER = Splitter({}, 0)
CAPTIONS = [f"A photo of {what} near a tree." for what in ("a dog", "two cats", "it", "a", "b")]
DISTINCT, PER_SHARD = 40, 100


@dataclass(frozen=True)
class Work:
    """What every way has to do.

    Args:
        source: the raw data, all of it in `train`.
        encoder: makes the records.
        recipe: how.
        shards: how many files to write.
        folder: where.
    """

    source: CocoCaptions
    encoder: CaptionEncoder
    recipe: CaptionRecipe
    shards: int
    folder: Path

    def write(self, shard: int, references: list[Reference]) -> None:
        """Encodes and writes one shard."""
        spec = self.recipe.spec
        records = (
            encode_example(spec, outcome.values)
            for _, outcome in self.encoder.encode_all(sorted(references, key=order_in_shard))
            if isinstance(outcome, Encoded)
        )
        write_tfrecord(self.folder / shard_name(spec.name, "train", shard, self.shards), records)


def build(work: Work, workers: int) -> None:
    """The second pass of a build."""
    spec, shards = work.recipe.spec, {"train": work.shards}

    def write(shuffle: Shuffle) -> WriteShards:
        source, encoder, folder = work.source, work.encoder, work.folder
        return WriteShards(source, SPLITTER, shards, spec, encoder, folder, shuffle=shuffle)

    run(write, work, workers)


WAYS: Mapping[str, Callable[[Work], None]] = {
    LOOP: loop,
    POOL: pool,
    ONE: lambda work: build(work, 1),
    TWO: lambda work: build(work, 2),
}


def write_raw(folder: Path, images: int, photos: Path | None) -> CocoCaptions:
    """Photos under so many names, each with five captions, as COCO has them."""
    (folder / "train").mkdir(parents=True)
    originals = sorted(photos.glob("*.jpg")) if photos else _make_photos(folder / "made")
    entries: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, path in enumerate(islice(cycle(originals), images)):
        name = f"{number:012d}.jpg"
        (folder / "train" / name).symlink_to(path.absolute())
        entries.append({"id": number, "file_name": name})
        for caption in CAPTIONS:
            given = {"id": len(annotations), "image_id": number, "caption": f"{number} {caption}"}
            annotations.append(given)
    content = {"images": entries, "annotations": annotations}
    (folder / "captions_train.json").write_text(json.dumps(content))
    return CocoCaptions(path=folder)


def _make_photos(folder: Path) -> list[Path]:
    """Noisy pictures of 640 x 480, about as many bytes as COCO's."""
    folder.mkdir()
    rng, paths = np.random.default_rng(1), []
    for number in range(DISTINCT):
        coarse = Image.fromarray(rng.integers(0, 256, (60, 80, 3)).astype(np.uint8))
        fine = np.asarray(coarse.resize((640, 480), Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(fine + rng.normal(0, 8, fine.shape), 0, 255).astype(np.uint8)
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(noisy).save(paths[-1], quality=90)
    return paths


def measure_speed(options: argparse.Namespace, folder: Path) -> None:
    """Times every way interleaved and prints the best of each."""
    source = write_raw(folder / "raw", options.images, options.photos)
    recipe = _recipe(options)
    counts: defaultdict[str, Tally] = defaultdict(Tally)
    references = references_of(source)
    for reference in references:
        for name, item in recipe.count(reference):
            counts[name][item] += 1
    (folder / "out").mkdir()
    encoder = recipe.learn(counts, folder / "out")
    assert isinstance(encoder, CaptionEncoder)
    work = Work(source, encoder, recipe, -(-len(references) // PER_SHARD), folder / "out")
    compare(WAYS, work, len(references), "images", options.rounds)


def measure_memory(options: argparse.Namespace, folder: Path) -> None:
    """Peak memory of fresh processes that build so many images each."""
    for images in options.memory:
        source = folder / f"raw-{images}"
        write_raw(source, images, options.photos)
        program = [
            sys.executable,
            "-m",
            "tools.bench.images",
            "--build",
            str(source),
            "--size",
            str(options.size),
        ]
        if options.backbone:
            program += ["--backbone", options.backbone]
        output = subprocess.run(program, check=True, capture_output=True, text=True).stdout
        print(f"{images:6,} images: {output.strip()}")


def build_once(options: argparse.Namespace) -> None:
    """The whole build, and the peak memory of this process."""
    output = options.build / "records"
    source = CocoCaptions(path=options.build)
    source.prepare(lambda done, total: None)
    records = Build(source, _recipe(options), {}, PER_SHARD).run(output)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{records.splits['train']:,} records, peak {peak:.0f} MiB")


def _recipe(options: argparse.Namespace) -> CaptionRecipe:
    features = None
    if options.backbone:
        backbone = ApplicationBackboneOptions(name=options.backbone, weights="none")
        features = FeatureOptions(backbone=backbone)
    return CaptionRecipe(image=ImageOptions(size=options.size), features=features)


def main() -> None:
    """Measures what the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs to take copies of")
    parser.add_argument("--images", type=int, default=30_000)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--backbone", help="of keras.applications; its weights are random")
    parser.add_argument("--memory", type=int, nargs="*", metavar="IMAGES")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build_once(options)
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-images-"))
    try:
        (measure_memory if options.memory else measure_speed)(options, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
