"""Images, videos and documents that several splits share are reported, for every source of them."""

import gzip
import json
import shutil
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.source import Reference, Source
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.sources.videos.source import VideoWindows
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.sources.vqa.vqa_v2 import VqaV2
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.captions import CaptionRecipe
from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe
from rnnpipe.transforms.recipes.images import ImageOptions
from rnnpipe.transforms.recipes.text_stream import StreamRecipe
from rnnpipe.transforms.recipes.video_frames import FrameOptions, VideoRecipe
from rnnpipe.transforms.recipes.vqa import VqaRecipe

IMAGE = ImageOptions(size=16)
# Two training images and two test images, of which one is the other split's under another name.
IMAGES = {"train/1.png": 10, "train/2.png": 90, "test/3.png": 170, "test/4.png": 90}


def write_json(path, content):
    path.write_text(json.dumps(content))


def write_images(folder, images=IMAGES):
    for name, level in images.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (level, level, level)).save(path)


def make_coco(folder):
    write_images(folder)
    for split, ids in {"train": (1, 2), "test": (3, 4)}.items():
        images = [{"id": number, "file_name": f"{number}.png"} for number in ids]
        captions = [{"image_id": number, "caption": "a dog"} for number in ids]
        write_json(folder / f"captions_{split}.json", {"images": images, "annotations": captions})
    return CocoCaptions(path=folder), CaptionRecipe(image=IMAGE)


def make_flickr(folder):
    write_images(folder, {f"images/{Path(name).name}": n for name, n in IMAGES.items()})
    (folder / "x.token.txt").write_text("".join(f"{n}.png#0\ta dog\n" for n in range(1, 5)))
    (folder / "x.trainImages.txt").write_text("1.png\n2.png\n")
    (folder / "x.testImages.txt").write_text("3.png\n4.png\n")
    return Flickr8k(path=folder), CaptionRecipe(image=IMAGE)


def make_vqa(folder):
    """Three questions about each image: it counts once."""
    write_images(folder)
    for split, ids in {"train": (1, 2), "test": (3, 4)}.items():
        asked = [
            {"question_id": 10 * image + n, "image_id": image, "question": "What is it?"}
            for image in ids
            for n in range(3)
        ]
        answered = [
            {"question_id": each["question_id"], "answers": [{"answer": "red"}]} for each in asked
        ]
        write_json(folder / f"{split}_questions.json", {"data_subtype": split, "questions": asked})
        write_json(folder / f"{split}_annotations.json", {"annotations": answered})
    return VqaV2(path=folder), VqaRecipe(image=IMAGE)


def make_folders(folder):
    write_images(folder, {"train/a/1.png": 10, "train/b/2.png": 90})
    write_images(folder, {"test/a/3.png": 170, "test/b/4.png": 90})
    return ImageFolders(path=folder), ImageClassRecipe(image=IMAGE)


def make_clips(folder, write_clip):
    """Clips of several windows: each counts once."""
    for name, levels in {"1": [0, 99, 0, 99], "2": [99, 0, 50, 0], "3": [60, 60, 0, 0]}.items():
        write_clip(folder / f"{name}.mp4", levels)
    shutil.copy(folder / "2.mp4", folder / "4.mp4")
    rows = ["1.mp4,a,train", "2.mp4,b,train", "3.mp4,a,test", "4.mp4,b,test"]
    (folder / "clips.csv").write_text("\n".join(["clip,label,split", *rows]))
    videos = ClipTable(path=folder, split="split")
    recipe = VideoRecipe(frames=FrameOptions(rate=10, size=16))
    return VideoWindows(videos=videos, rate=10, max_frames=2), recipe


def make_streams(folder):
    """A link from one split to the other, and a packed copy; documents have several spans."""
    for name, word in (("train/1", "one"), ("train/2", "two"), ("test/3", "three")):
        path = folder / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{word} and more.\n" * 900)
    (folder / "test/4.txt").symlink_to(folder / "train/2.txt")
    (folder / "test/5.txt.gz").write_bytes(gzip.compress(b"five and more.\n"))
    return TextStreams(path=folder), StreamRecipe()


@pytest.fixture(params=[make_coco, make_flickr, make_vqa, make_folders, make_clips, make_streams])
def source_and_recipe(request, tmp_path, write_clip):
    folder = tmp_path / "raw"
    folder.mkdir()
    if request.param is make_clips:
        return make_clips(folder, write_clip)
    return request.param(folder)


def test_leaks_between_splits_are_reported(source_and_recipe, tmp_path):
    source, recipe = source_and_recipe
    source.prepare(lambda done, total: None)
    records = Build(source, recipe, {}).run(tmp_path / "records")
    name = "video" if isinstance(recipe, VideoRecipe) else "image"
    name = "document" if isinstance(recipe, StreamRecipe) else name
    assert records.stats["duplicates"] == {name: {"duplicates": {}, "leaks": {"test in train": 1}}}
    assert records.stats["notices"] == [f"1 of the {name}s of test are in train too"]


def test_duplicates_of_a_split_are_reported(tmp_path):
    write_images(tmp_path / "raw", {"a/1.png": 10, "b/2.png": 10, "b/3.png": 10, "a/.x.png": 10})
    source = ImageFolders(path=tmp_path / "raw")
    records = Build(source, ImageClassRecipe(image=IMAGE), {}).run(tmp_path / "records")
    assert records.stats["notices"] == [
        "data.source: hidden and system files are not read: 1, such as .x.png",
        "2 of the images of train are there before",
    ]


def test_damaged_frames_are_counted(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "raw"
    folder.mkdir()
    for name in "ab":
        with av.open(str(folder / f"{name}.mpg"), "w") as container:
            stream = container.add_stream("mpeg1video", rate=25)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            for _ in range(30):
                pixels = rng.integers(0, 255, (96, 128, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(stream.encode())
    data = bytearray((folder / "a.mpg").read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 4000, 7):
        data[place] ^= 0x5A
    (folder / "a.mpg").write_bytes(data)
    (folder / "clips.csv").write_text("clip,label\na.mpg,a\nb.mpg,b\n")
    source = VideoWindows(videos=ClipTable(path=folder), rate=25, max_frames=100)
    source.prepare(lambda done, total: None)
    recipe = VideoRecipe(frames=FrameOptions(rate=25, size=16))
    records = Build(source, recipe, {}).run(tmp_path / "records")
    (notice,) = records.stats["notices"]
    assert notice.endswith(" train frames are damaged, parts are guessed")
    of_b, of_a = sorted(map(int, records.stats["splits"]["train"]["histograms"]["frames_damaged"]))
    assert of_b == 0
    assert 1 <= of_a < 30


class Named(Source):
    """A source whose records have the keys of its settings."""

    kind: str = "named"
    keys: tuple[str, ...] = ()

    split_names = frozenset({"train", "test"})
    settings = MappingProxyType({})

    def prepare(self, progress):
        """Nothing to do."""

    def partitions(self):
        return [0]

    def read(self, partition):
        for number, key in enumerate(self.keys):
            fields = {"image": str(Path(__file__)), "label": str(number)}
            yield Reference(key, key, "train", fields)

    def raw_files(self):
        return []


def test_an_undecodable_key_is_a_dead_letter(tmp_path):
    write_images(tmp_path, {"a.png": 1})
    source = Named(keys=("caf\udce9", "good"))
    build = Build(source, ImageClassRecipe(image=IMAGE), {}, max_bad_fraction=0.5)
    with pytest.raises(UserError) as fault:  # after reading, for there is no test record
        build.run(tmp_path / "records")
    assert str(fault.value) == (
        "data.source: expected at least one record for test, got none of 1; correct the raw data "
        "of test, or take it away"
    )
