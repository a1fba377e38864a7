"""Texts of which many occur again, in one split or in several; what a build must say of them."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import Table
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.text_classes import TextClassRecipe
from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe
from rnnpipe.transforms.recipes.tokenization import Tokenization
from tests.transforms.kinds import sentence

WORDS = Tokenization("word", 100)
TRAIN = range(300)  # a hundred sentences, three times each
TEST = [*range(90, 110), 90]  # ten of them, ten others, and one of the ten again


@dataclass(frozen=True)
class Repeated:
    """A build of texts that occur again.

    Args:
        build: drops what it can.
        duplicates: what its statistics must say of duplicates.
        dropped: how many records must be dropped, by reason.
        kept: which training records are left.
    """

    build: Build
    duplicates: Mapping[str, Any]
    dropped: Mapping[str, int]
    kept: set[str]


def _pairs(folder: Path) -> Repeated:
    """The first and the third copy have the same translation, the second has another."""
    folder.mkdir()
    sides = {"de": "{}", "en": "{} again"}
    for language, form in sides.items():
        train = [form.format(sentence(n % 100)) for n in TRAIN]
        if language == "en":
            train[100:200] = [f"{line} once" for line in train[100:200]]
        test = [form.format(sentence(n)) for n in TEST]
        for name, lines in (("train", train), ("test", test)):
            (folder / f"{name}.{language}").write_text("".join(f"{line}\n" for line in lines))
    source = Parallel(folder, source="de", target="en")
    source.prepare(lambda done, total: None)
    recipe = TextPairRecipe(WORDS, drop_duplicates=True, drop_leaks=True)
    both = {"duplicates": {"train": 100, "test": 1}, "leaks": {"test in train": 11}}
    return Repeated(
        Build(source, recipe, {}, records_per_shard=30),
        {
            "pair": both,
            "source": {**both, "duplicates": {"train": 200, "test": 1}},
            "target": both,
        },
        {"duplicate in train": 90, "in train and in another split": 30},
        # Keys are strings: train:201 comes before train:3.
        {f"train:{n + 1}" for n in range(100, 190)}
        | {min(f"train:{n + 1}", f"train:{n + 201}") for n in range(90)},
    )


def _classes(folder: Path) -> Repeated:
    folder.mkdir()
    for name, numbers in (("train", TRAIN), ("test", TEST)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["text", "label"])
            rows.writerows([sentence(n % 100 if name == "train" else n), n % 3] for n in numbers)
    source = Table(folder, {"text": "text", "label": "label"})
    source.prepare(lambda done, total: None)
    recipe = TextClassRecipe(WORDS, drop_duplicates=True, drop_leaks=True)
    return Repeated(
        Build(source, recipe, {}, records_per_shard=30),
        {"text": {"duplicates": {"train": 200, "test": 1}, "leaks": {"test in train": 11}}},
        {"duplicate in train": 180, "in train and in another split": 30},
        {min(f"train.csv:{n + start}" for start in (2, 102, 202)) for n in range(90)},
    )


DUPLICATED: Mapping[str, Callable[[Path], Repeated]] = {"text_pair": _pairs, "text_class": _classes}
"""How to write such texts, by the kind of record."""


def check_duplicates(repeated: Repeated, records: Any) -> None:
    """Looks whether the records that were built are the right ones."""
    stats = records.stats
    assert stats["duplicates"] == repeated.duplicates
    assert stats["dropped"] == repeated.dropped
    key = "pair_id" if "pair" in repeated.duplicates else "text_id"
    kept = [record[key] for record in records.read("train")]
    assert sorted(kept) == sorted(repeated.kept)
    assert (
        stats["read"] == len(TRAIN) + len(TEST) == stats["written"] + sum(repeated.dropped.values())
    )
    assert records.splits["test"] == len(TEST)
