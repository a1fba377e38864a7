"""Raw data of every kind of record, some of it broken, for tests that hold for all of them."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.generated.cluttered_shapes import ClutteredShapes
from rnnpipe.sources.generated.moving.writer import FRAME_LABELS, write_moving
from rnnpipe.sources.generated.shapes import write_shapes
from rnnpipe.sources.generated.shapes.caption_writer import write_captioned_shapes
from rnnpipe.sources.source import Reference, Source
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import ClassTable
from rnnpipe.sources.videos.source import VideoWindows
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.recipes.captions import CaptionRecipe
from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.speech import SoundOptions, SpeechRecipe, SpeechTextOptions
from rnnpipe.transforms.recipes.text_classes import ClassTextOptions, TextClassRecipe
from rnnpipe.transforms.recipes.text_pairs import PairTextOptions, TextPairRecipe
from rnnpipe.transforms.recipes.text_stream import StreamRecipe
from rnnpipe.transforms.recipes.video_frames import FrameOptions, VideoRecipe
from rnnpipe.transforms.recipes.vqa import VqaRecipe
from tests.sources.audio.writing import tone, write_wav

NUMBERS = ("nil", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Raw:
    """Raw data that has been written.

    Args:
        source: reads it.
        recipe: makes records of it.
        dead: which dead letters must come of it: the step by the key.
    """

    source: Source
    recipe: Recipe
    dead: Mapping[str, str]

    def build(self, **options) -> Build:
        """A build with several shards a split."""
        shares = {"validation": 0.2, "test": 0.2}
        return Build(self.source, self.recipe, shares, **{"records_per_shard": 8, **options})


def sentence(number: int) -> str:
    """A sentence that no other number has."""
    return " ".join(NUMBERS[int(digit)] for digit in str(number))


def _is_broken(number: int, broken: int) -> bool:
    return 0 < number <= broken


def _vqa(folder: Path, amount: int, broken: int) -> Raw:
    write_shapes(
        folder,
        images=amount,
        size=16,
        seed=1,
        questions_per_image=2,
        disagreement=0.1,
        progress=lambda done, total: None,
    )
    source = VqaV2(path=folder)
    dead = _break(source, "image", broken, lambda reference: reference.key)
    return Raw(source, VqaRecipe(image=ImageOptions(size=16)), dict.fromkeys(dead, "decode image"))


def _caption(folder: Path, amount: int, broken: int) -> Raw:
    folder.mkdir()
    write_captioned_shapes(folder, amount, size=16, seed=1, progress=lambda done, total: None)
    source = CocoCaptions(path=folder)
    dead = _break(source, "image", broken, lambda reference: reference.key)
    return Raw(
        source, CaptionRecipe(image=ImageOptions(size=16)), dict.fromkeys(dead, "decode image")
    )


def _video(folder: Path, amount: int, broken: int) -> Raw:
    folder.mkdir()
    write_moving(folder, clips=amount, size=16, seed=1, progress=lambda done, total: None)
    videos = ClipTable(path=folder, frame_labels=Path(FRAME_LABELS))
    source = VideoWindows(videos=videos, rate=6, max_frames=100)
    dead = _break(source, "video", broken, lambda reference: reference.group)
    return Raw(
        source,
        VideoRecipe(frames=FrameOptions(rate=6, size=16)),
        dict.fromkeys(dead, "decode video"),
    )


def _image_class(folder: Path, amount: int, broken: int) -> Raw:
    source = ClutteredShapes(path=folder, images=amount, size=16, fragments=2, seed=1)
    dead = _break(source, "image", broken, lambda reference: reference.key)
    return Raw(
        source, ImageClassRecipe(image=ImageOptions(size=16)), dict.fromkeys(dead, "decode image")
    )


def _break(
    source: Source, field: str, broken: int, key_of: Callable[[Reference], str]
) -> list[str]:
    """Overwrites some files; returns the keys under which they will be missed."""
    source.prepare(lambda done, total: None)
    keys: dict[str, set[str]] = {}
    for partition in source.partitions():
        for reference in source.read(partition):
            keys.setdefault(reference.fields[field], set()).add(key_of(reference))
    files = sorted(keys)[:broken]
    for file in files:
        Path(file).write_bytes(b"not what it is called")
    return sorted(key for file in files for key in keys[file])


def _text_class(folder: Path, amount: int, broken: int) -> Raw:
    folder.mkdir()
    with (folder / "train.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(amount):
            rows.writerow(["" if _is_broken(number, broken) else sentence(number), number % 3])
    source = ClassTable(path=folder)
    source.prepare(lambda done, total: None)
    dead = {f"train.csv:{number + 2}": "read text" for number in range(1, broken + 1)}
    return Raw(source, TextClassRecipe(text=ClassTextOptions(tokenizer="bpe", vocabulary=40)), dead)


def _text_pair(folder: Path, amount: int, broken: int) -> Raw:
    folder.mkdir()
    for language, marks in (("de", "aeiou"), ("en", "eioua")):
        table = str.maketrans("aeiou", marks)
        lines = (
            "\n" if _is_broken(number, broken) else f"{sentence(number).translate(table)}\n"
            for number in range(amount)
        )
        (folder / f"train.{language}").write_text("".join(lines))
    source = Parallel(path=folder, source="de", target="en")
    source.prepare(lambda done, total: None)
    dead = {f"train:{number + 1}": "read text" for number in range(1, broken + 1)}
    return Raw(
        source, TextPairRecipe(text=PairTextOptions(tokenizer="unigram", vocabulary=50)), dead
    )


def _text_stream(folder: Path, amount: int, broken: int) -> Raw:
    folder.mkdir()
    path = folder / "book.txt"
    with path.open("wb") as file:
        for number in range(amount):
            end = b"\xff" if _is_broken(number, broken) else b"."
            file.write(b"# Chapter\n" + sentence(number).encode() + end + b"\n")
    source = TextStreams(path=path, begin="^# ")
    source.prepare(lambda done, total: None)
    dead = {f"book.txt#{n:06d}:{0:010d}": "decode text" for n in range(1, broken + 1)}
    return Raw(source, StreamRecipe(symbols="char", vocabulary=64), dead)


def _speech(folder: Path, amount: int, broken: int) -> Raw:
    folder.mkdir()
    with (folder / "utterances.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "text", "start", "end"])
        for number in range(amount):
            name, span = f"{number // 4}.wav", [0.1 * (number % 4), 0.1 * (number % 4 + 1)]
            is_dead = _is_broken(number, broken)
            rows.writerow([name, "" if is_dead else sentence(number), *span])
    for number in range(-(-amount // 4)):
        write_wav(folder / f"{number}.wav", tone(0.4, 8000, 300 + number), 8000)
    source = UtteranceTable(path=folder, start="start", end="end")
    source.prepare(lambda done, total: None)
    dead = {f"utterances.csv:{number + 2}": "read text" for number in range(1, broken + 1)}
    recipe = SpeechRecipe(sound=SoundOptions(rate=8000), text=SpeechTextOptions(tokenizer="char"))
    return Raw(source, recipe, dead)


KINDS: Mapping[str, Callable[[Path, int, int], Raw]] = {
    "vqa": _vqa,
    "text_class": _text_class,
    "text_pair": _text_pair,
    "text_stream": _text_stream,
    "caption": _caption,
    "video": _video,
    "image_class": _image_class,
    "speech": _speech,
}
"""How to write raw data: the folder, how many items, how many of them broken."""


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
