"""One in a hundred raw records is broken: the others are written, each bad one is reported."""

from collections import Counter
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.generated.shapes.caption_writer import write_captioned_shapes
from rnnpipe.sources.text.lines import MAX_BYTES
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.captions import CaptionRecipe
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.text_pairs import PairTextOptions, TextPairRecipe
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import sentence

SHARES = {"validation": 0.1, "test": 0.1}
PAIRS, IMAGES = 2500, 400

BAD_LINES = {
    b"": ("read text", "the source text is empty"),
    b" \t ": ("read text", "the source text is empty"),
    b"nine \xff": ("decode text", "byte 0xff at 5 is no utf-8"),
    b"a" * (MAX_BYTES + 1): ("read text", f"longer than {MAX_BYTES:,} bytes"),
    "\u00ad\u200b\u2060".encode(): ("encode text", "no token is left of the source text"),
}


def write_pairs(folder, bad_every):
    """Returns the step and the reason of each letter that must come, by key."""
    folder.mkdir()
    expected, bad = {}, list(BAD_LINES)
    with (folder / "train.de").open("wb") as source, (folder / "train.en").open("wb") as target:
        for number in range(PAIRS):
            line = sentence(number).encode()
            if number % bad_every == bad_every // 2:
                line = bad[number // bad_every % len(bad)]
                expected[f"train:{number + 1}"] = BAD_LINES[line]
            source.write(line + b"\n")
            target.write(sentence(number).upper().encode() + b"\n")
    return expected


@pytest.mark.parametrize("workers", [1, 2])
def test_pairs_with_every_kind_of_damage_are_dead_letters(tmp_path, workers):
    expected = write_pairs(tmp_path / "raw", bad_every=100)
    source = Parallel(path=tmp_path / "raw", source="de", target="en")
    build = Build(
        source, TextPairRecipe(text=PairTextOptions(tokenizer="bpe", vocabulary=60)), SHARES, 200
    )
    records = build.run(tmp_path / "records", runner=Runner(workers))
    letters = list(records.dead_letters())
    assert [letter["key"] for letter in letters] == sorted(expected)
    assert {x["key"]: (x["step"], x["reason"]) for x in letters} == expected
    kept = [pair["pair_id"] for split in records.splits for pair in records.read(split)]
    assert Counter(kept) == Counter({f"train:{n + 1}" for n in range(PAIRS)} - expected.keys())
    assert records.stats["read"] == PAIRS == len(kept) + len(expected)
    assert records.stats["dead_letters"] == Counter(step for step, _ in expected.values())


def test_pairs_of_which_too_many_are_broken_stop_the_build(tmp_path):
    expected = write_pairs(tmp_path / "raw", bad_every=10)
    source = Parallel(path=tmp_path / "raw", source="de", target="en")
    build = Build(
        source, TextPairRecipe(text=PairTextOptions(tokenizer="bpe", vocabulary=60)), SHARES, 200
    )
    with pytest.raises(UserError) as fault:
        build.run(tmp_path / "records", runner=Runner(2))
    counted = len([step for step, _ in expected.values() if step != "encode text"])
    message = (
        f"got {counted} of {PAIRS} (150 x read text: the source text is empty; 50 x decode text"
    )
    assert message in str(fault.value)
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_images_with_every_kind_of_damage_are_dead_letters(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    write_captioned_shapes(folder, IMAGES, size=24, seed=1, progress=lambda done, total: None)
    source = CocoCaptions(path=folder)
    source.prepare(lambda done, total: None)
    images = sorted({(x.fields["image"], x.key) for x in source.read(source.partitions()[0])})
    whole = Path(images[0][0]).read_bytes()
    damages = {b"": "the file is empty", b"<html>": "not an image", whole[: len(whole) // 2]: ""}
    expected = {}
    for (path, key), (content, reason) in zip(images[:3], damages.items(), strict=True):
        Path(path).write_bytes(content)
        expected[key] = reason
    build = Build(source, CaptionRecipe(image=ImageOptions(size=16)), SHARES, 50)
    records = build.run(tmp_path / "records", runner=Runner(2))
    letters = {letter["key"]: letter for letter in records.dead_letters()}
    assert letters.keys() == expected.keys()
    for key, reason in expected.items():
        assert letters[key]["step"] == "decode image"
        assert letters[key]["reason"].startswith(reason)
    assert records.stats["read"] == sum(records.splits.values()) + 3 == IMAGES
