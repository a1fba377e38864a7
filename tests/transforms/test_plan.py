"""The arithmetic of docs/scale.md beside small builds."""

import pickle
from dataclasses import replace

import pytest

from rnnpipe.sources.source import Reference
from rnnpipe.sources.text import lines
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.videos.source import VideoWindows
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.transforms import build as build_module
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.passes.scratch import clear
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.recipes.text_pairs import PairTextOptions, TextPairRecipe
from rnnpipe.transforms.recipes.video_frames import FrameOptions, VideoRecipe
from tests.transforms.kinds import sentence
from tools.bench.plan import PAIRS, VIDEO, Plan

RECIPE = TextPairRecipe(text=PairTextOptions(tokenizer="bpe", vocabulary=60))


def write(folder, pairs):
    folder.mkdir()
    for language in ("de", "en"):
        text = "".join(f"{sentence(10_000 + number)}\n" for number in range(pairs))
        (folder / f"train.{language}").write_text(text)
    return Parallel(path=folder, source="de", target="en")


def size_of(value):
    return len(pickle.dumps(value, 5))


def references_of(source):
    found = (raw for partition in source.partitions() for raw in source.read(partition))
    return [raw for raw in found if isinstance(raw, Reference)]


@pytest.fixture
def weighed(monkeypatch):
    """What builds shuffle: the bytes of each pass, and in how many buckets."""
    found = {"bytes": [], "buckets": []}

    def weigh(folder):
        found["bytes"].append(sum(path.stat().st_size for path in folder.iterdir()))
        clear(folder)

    def count(folder, buckets):
        found["buckets"].append(buckets)
        return Shuffle(folder, buckets)

    monkeypatch.setattr(build_module, "clear", weigh)
    monkeypatch.setattr(build_module, "Shuffle", count)
    return found


@pytest.fixture
def per_record(tmp_path):
    """What a record takes, from the first few."""
    source = write(tmp_path / "sample", 50)
    found = references_of(source)
    same = [
        (name, value, "train", r.key, r.group)
        for r in found
        for name, value in RECIPE.identities(r).items()
    ]
    reference, identity = (sum(map(size_of, values)) / len(values) for values in (found, same))
    return replace(PAIRS, reference=reference, identity=identity, per_partition=50)


@pytest.mark.parametrize("pairs", [1500, 6000])
def test_the_plan_of_few_pairs_equals_their_measured_size(
    tmp_path, monkeypatch, weighed, per_record, pairs
):
    monkeypatch.setattr(lines, "LINES", 50)
    source = write(tmp_path / "raw", pairs)
    build = Build(source, RECIPE, {"test": 0.1}, 100)
    records = build.run(tmp_path / "records")
    plan = Plan(replace(per_record, records=pairs), 100, 1)
    first, second = weighed["bytes"]
    assert first == pytest.approx(plan.first_shuffle, rel=0.05)
    assert second == pytest.approx(plan.second_shuffle, rel=0.05)
    # The last partition of a file whose lines come out even is empty; each split has a shard begun.
    assert len(source.partitions()) - plan.partitions in (0, 1)
    assert plan.buckets == (120 if pairs == 6000 else 64)
    assert weighed["buckets"][0] - plan.buckets in (0, 1)
    shards = sum(len(records.shards(split)) for split in records.splits)
    assert shards - plan.shards in (0, 1)


def test_the_plan_of_few_clips_equals_their_measured_size(tmp_path, weighed, write_clip):
    clips = 120
    for number in range(clips):
        write_clip(tmp_path / "raw" / f"{number:03}.mp4", [number, 255 - number])
    rows = "".join(f"{number:03}.mp4,{number % 3}\n" for number in range(clips))
    (tmp_path / "raw" / "clips.csv").write_text(f"clip,label\n{rows}")
    source = VideoWindows(videos=ClipTable(path=tmp_path / "raw"), rate=10, max_frames=2)
    found = references_of(source)
    records = Build(
        source, VideoRecipe(frames=FrameOptions(rate=10, size=16)), {"test": 0.1}, 20
    ).run(tmp_path / "records")
    reference = sum(map(size_of, found)) / len(found)
    plan = Plan(replace(VIDEO, records=clips, reference=reference), 20, 1)
    first, second = weighed["bytes"]
    assert plan.first_shuffle == 0
    assert first < second / 20  # the counts of labels
    assert second == pytest.approx(plan.second_shuffle, rel=0.05)
    assert len(source.partitions()) == plan.partitions == 3
    assert weighed["buckets"] == [plan.buckets]
    assert sum(len(records.shards(split)) for split in records.splits) - plan.shards in (0, 1)
