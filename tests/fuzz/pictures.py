"""Readers of images and videos, and of the files that tell about them."""

import gzip
import json
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from PIL import Image

from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.images.decoding import decode_image, decode_whole_image, encode_jpeg
from rnnpipe.sources.videos.decoding import find_duration, read_video, sample_pictures
from rnnpipe.sources.videos.files import encode_video
from rnnpipe.sources.videos.framing import Framing
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.sources.vqa.easy_vqa import EasyVqa
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from tests.fuzz.cases import Reader, mutated, mutated_json, put
from tests.fuzz.texts import read

_NAMES = ("COCO_train2014_000000000001.jpg", "2.jpg", "a b.png")
_COCO = {
    "images": [
        {"id": n, "file_name": name, "scene": {"shapes": [{"kind": "circle", "x": 0.5}]}}
        for n, name in enumerate(_NAMES, start=1)
    ],
    "annotations": [
        {"id": n, "image_id": n, "caption": f"a dog {n}", "segmentation": [[1, 2.5]]}
        for n in (1, 2, 3, 1)
    ],
}
_KARPATHY = {
    "images": [
        {"cocoid": n, "filename": name, "split": split, "sentences": [{"raw": "a dog"}]}
        for n, (name, split) in enumerate(
            zip(_NAMES, ("train", "restval", "test"), strict=True), start=1
        )
    ],
    "dataset": "coco",
}
_QUESTIONS = {
    "data_subtype": "train2014",
    "questions": [
        {"question_id": 10 * n, "image_id": n, "question": "What is it?"} for n in (1, 2)
    ],
}
_ANSWERS = {
    "data_subtype": "train2014",
    "annotations": [
        {
            "question_id": 10 * n,
            "image_id": n,
            "question_type": "what is",
            "answer_type": "other",
            "answers": [{"answer": "a dog", "answer_id": i} for i in (1, 2)],
        }
        for n in (1, 2)
    ],
}
_EASY = [["What?", "red", 1], ["Is it?", "yes", "2"]]
_TOKENS = b"1.jpg#0\ta dog\n1.jpg#1\ttwo dogs\n2.jpg#0\ta caf\xc3\xa9\n"
_CLIPS = b"clip,label,split\n1.mpg,up,train\n2.mpg,down,test\na/3.mpg,up,val\n"
_FRAMES = b"clip,start,end,label\n1.mpg,0,0.5,up\n1.mpg,0.5,1,down\n2.mpg,0,1,up\n"
_ALIGNMENT = b"0 23750 sil\n23750 29500 bin\n29500 34000 blue\n34000 35500 at\n" + (
    b"35500 41000 f\n41000 47250 two\n47250 53000 now\n53000 74500 sil\n"
)
_TRICKS = (b"../secret.mpg", b"/etc/hostname", b"1e400", b"-5", b"1.mpg,up,train\n")


def _read_coco(case: Any, folder: Path) -> None:
    content, karpathy = case
    put(folder / "captions_train2014.json", content)
    for name in _NAMES:
        put(folder / "train2014" / name, b"")
    if karpathy is None:
        read(CocoCaptions(path=folder))
    else:
        put(folder / "dataset_coco.json", karpathy)
        read(CocoCaptions(path=folder, karpathy=Path("dataset_coco.json")))


def _read_vqa(case: Any, folder: Path) -> None:
    for name, content in zip(("questions", "annotations"), case, strict=True):
        put(folder / f"train2014_{name}.json", content)
    for name in _NAMES:
        put(folder / "train2014" / name, b"")
    read(VqaV2(path=folder))


def _read_easy(case: bytes, folder: Path) -> None:
    put(folder / "train" / "questions.json", case)
    for number in (1, 2):
        put(folder / "train" / "images" / f"{number}.png", b"")
    read(EasyVqa(path=folder))


def _read_flickr(case: Any, folder: Path) -> None:
    tokens, names, karpathy = case
    put(folder / "Flickr8k.token.txt", tokens)
    put(folder / "Flickr_8k.trainImages.txt", names)
    for number in (1, 2):
        put(folder / "images" / f"{number}.jpg", b"")
    path = None if karpathy is None else put(folder / "dataset.json", karpathy)
    read(Flickr8k(path=folder, karpathy=path and Path(path.name)))


def _read_clips(case: Any, folder: Path) -> None:
    table, frames = case
    put(folder / "clips.csv", table)
    put(folder / "frames.csv", frames or b"")
    for name in ("1.mpg", "2.mpg", "a/3.mpg"):
        put(folder / name, b"")
    labels = None if frames is None else Path("frames.csv")
    items = read(ClipTable(path=folder, split="split", frame_labels=labels))
    paths = [Path(item.fields["video"]) for item in items if hasattr(item, "fields")]
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in paths)


def _read_alignment(case: bytes, folder: Path) -> None:
    put(folder / "clips" / "s1" / "bbaf2n.mpg", b"")
    put(folder / "align" / "s1" / "bbaf2n.align", case)
    read(Grid(path=folder))


def _image_files() -> list[bytes]:
    """A tiny image in every format that Pillow writes without another library."""
    picture = Image.effect_noise((9, 7), 500)
    files = []
    forms = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "PCX", "SGI", "DIB")
    for form in forms:
        for mode in ("RGB", "L"):
            buffer = BytesIO()
            exif = Image.Exif()
            exif[0x0112] = 6
            options = {"exif": exif} if form in ("JPEG", "PNG", "WEBP", "TIFF") else {}
            picture.convert(mode).save(buffer, form, **options)
            files.append(buffer.getvalue())
    for mode in ("I;16", "F", "CMYK", "RGBA", "1", "P"):
        buffer = BytesIO()
        picture.convert("F" if mode == "F" else "L").convert(mode).save(buffer, "TIFF")
        files.append(buffer.getvalue())
    return files


def _decode_image(case: Any, folder: Path) -> None:
    data, fit = case
    image = decode_image(data, 8, fit)
    assert (image.mode, image.size) == ("RGB", (8, 8))
    assert decode_image(encode_jpeg(image), 8, fit).size == (8, 8)
    assert max(decode_whole_image(data, 16).size) == 16


def _video(folder: Path, ending: str) -> bytes:
    path = folder / f"clip{ending}"
    encode_video(path, (Image.new("RGB", (16, 16), (n, n, n)) for n in (0, 90, 180)), 10.0)
    return path.read_bytes()


def _videos(ending: str) -> st.SearchStrategy[Any]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return mutated(_video(Path(folder), ending))


def _decode_video(case: bytes, folder: Path) -> None:
    path = put(folder / "clip.mp4", case)
    assert find_duration(path) >= 0
    frame = Framing(size=8, fit="pad", box=None)
    for number, (_, shown) in enumerate(sample_pictures(read_video(path), rate=5)):
        assert frame(shown).size == (8, 8)
        if number > 40:
            break


def _packed(value: Any) -> st.SearchStrategy[bytes]:
    """The JSON of a value, gzipped or not."""
    whole = gzip.compress(json.dumps(value).encode(), mtime=0)
    return st.one_of(mutated_json(value), mutated_json(value).map(gzip.compress), mutated(whole))


_MAYBE = partial(st.one_of, st.none())
READERS = (
    Reader(
        "COCO captions",
        st.tuples(mutated_json(_COCO), _MAYBE(mutated_json(_KARPATHY))),
        _read_coco,
        200,
    ),
    Reader("VQA v2.0", st.tuples(mutated_json(_QUESTIONS), mutated_json(_ANSWERS)), _read_vqa, 200),
    Reader("easy-VQA", _packed(_EASY), _read_easy, 200),
    Reader(
        "Flickr8k",
        st.tuples(
            mutated(_TOKENS, (b"#", b"#1\t", b"../3.jpg#0\tx\n")),
            mutated(b"1.jpg\n2.jpg\n"),
            _MAYBE(mutated_json(_KARPATHY)),
        ),
        _read_flickr,
        200,
    ),
    Reader(
        "tables of clips",
        st.tuples(mutated(_CLIPS, _TRICKS), _MAYBE(mutated(_FRAMES, _TRICKS))),
        _read_clips,
        200,
    ),
    Reader("alignments of GRID", mutated(_ALIGNMENT, _TRICKS), _read_alignment, 150),
    Reader(
        "images",
        st.tuples(
            st.sampled_from(_image_files()).flatmap(mutated),
            st.sampled_from(("crop", "pad", "stretch")),
        ),
        _decode_image,
        250,
    ),
    Reader("videos in MPEG-4", _videos(".mp4"), _decode_video, 100),
    Reader("videos in AVI", _videos(".avi"), _decode_video, 100),
)
