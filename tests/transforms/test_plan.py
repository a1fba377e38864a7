"""The arithmetic of docs/scale.md beside builds of two sizes."""

import pickle
from dataclasses import replace

import pytest

from rnnpipe.sources.source import Reference
from rnnpipe.sources.text import lines
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.transforms import build as build_module
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.text import Tokenization
from rnnpipe.transforms.text_pairs import TextPairRecipe
from rnnpipe.transforms.work import clear
from tests.transforms.kinds import sentence
from tools.bench.plan import PAIRS, Plan

RECIPE = TextPairRecipe(Tokenization("bpe", 60))


def write(folder, pairs):
    folder.mkdir()
    for language in ("de", "en"):
        text = "".join(f"{sentence(10_000 + number)}\n" for number in range(pairs))
        (folder / f"train.{language}").write_text(text)
    return Parallel(folder, source="de", target="en")


def size_of(value):
    return len(pickle.dumps(value, 5))


@pytest.fixture
def per_record(tmp_path):
    """What a record takes, from the first few."""
    source = write(tmp_path / "sample", 50)
    found = [r for piece in source.pieces() for r in source.read(piece) if isinstance(r, Reference)]
    same = [
        (name, value, "train", r.key, r.group)
        for r in found
        for name, value in RECIPE.identities(r).items()
    ]
    reference, identity = (sum(map(size_of, values)) / len(values) for values in (found, same))
    return replace(PAIRS, reference=reference, identity=identity, per_piece=500)


@pytest.mark.parametrize("pairs", [1500, 6000])
def test_the_plan_of_a_small_build_is_what_it_takes(tmp_path, monkeypatch, per_record, pairs):
    monkeypatch.setattr(lines, "LINES", 500)
    shuffled = []

    def weigh(folder):
        shuffled.append(sum(path.stat().st_size for path in folder.iterdir()))
        clear(folder)

    monkeypatch.setattr(build_module, "clear", weigh)
    source = write(tmp_path / "raw", pairs)
    build = Build(source, RECIPE, {"test": 0.1}, 100)
    records = build.run(tmp_path / "records")
    plan = Plan(replace(per_record, records=pairs), 100, 1)
    first, second = shuffled
    assert first == pytest.approx(plan.first_shuffle, rel=0.05)
    assert second == pytest.approx(plan.second_shuffle, rel=0.05)
    # The last piece of a file whose lines come out even is empty; each split has a shard begun.
    assert len(source.pieces()) - plan.pieces in (0, 1)
    shards = sum(len(records.shards(split)) for split in records.splits)
    assert shards - plan.shards in (0, 1)
