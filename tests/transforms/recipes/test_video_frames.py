from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import BadRecord, UserError
from rnnpipe.parts.backbones import ApplicationBackboneOptions
from rnnpipe.records.specs import VIDEO_FEATURES
from rnnpipe.sources.source import Reference
from rnnpipe.sources.videos.clips import Clip, cut_windows, refer_clip
from rnnpipe.sources.videos.decoding import read_video, sample_pictures
from rnnpipe.sources.videos.framing import Framing
from rnnpipe.sources.videos.source import VideoWindows
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.base import Dropped
from rnnpipe.transforms.recipes.image_features import FeatureOptions
from rnnpipe.transforms.recipes.video_frames import (
    FrameOptions,
    VideoData,
    VideoEncoder,
    VideoRecipe,
)
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import contents
from tests.transforms.recipes.backbone import CHANNELS, SIDE, compute_plainly, make_features

FRAMES = FrameOptions(rate=10, size=16)
RECIPE = VideoRecipe(frames=FRAMES)
LEVELS = [0, 60, 120, 180, 240]


def levels_of(jpegs):
    images = (np.asarray(Image.open(BytesIO(jpeg))) for jpeg in jpegs)
    return [round(float(image.mean()) / 60) for image in images]


@pytest.fixture
def source(tmp_path, write_clip):
    """Three labelled clips and two bad files."""
    folder = tmp_path / "raw"
    write_clip(folder / "a.mp4", LEVELS)
    write_clip(folder / "b.mp4", LEVELS[::-1])
    write_clip(folder / "c.mp4", LEVELS[:2], rate=5)
    (folder / "cut.mp4").write_bytes((folder / "a.mp4").read_bytes()[:200])
    write_clip(folder / "short.mp4", LEVELS[:3])
    (folder / "clips.csv").write_text(
        "clip,label,split\na.mp4,up,train\nb.mp4,down,train\nc.mp4,up,test\n"
        "cut.mp4,up,train\nshort.mp4,up,train\n"
    )
    rows = [(clip, frame) for clip in "ab" for frame in range(5)] + [("c", 0), ("short", 4)]
    lines = [f"{clip}.mp4,{frame},{'dark' if frame < 2 else 'pale'}\n" for clip, frame in rows]
    (folder / "frames.csv").write_text("clip,frame,label\n" + "".join(lines))
    videos = ClipTable(path=folder, split="split", frame_labels=Path("frames.csv"))
    return VideoWindows(videos=videos, rate=10, max_frames=3)


def test_records_have_the_content_of_the_raw_data(source, tmp_path):
    records = Build(source, RECIPE, {}, max_bad_fraction=0.5).run(tmp_path / "records")
    assert (records.labels, records.clip_labels) == (["dark", "pale"], ["down", "up"])
    read = {r["video_id"]: r for split in records.splits for r in records.read(split)}
    first = read["a.mp4:00000000"]
    assert levels_of(first.pop("frames_jpeg")) == [0, 1, 2]
    np.testing.assert_allclose(first.pop("frame_times"), [0.05, 0.15, 0.25])
    assert first == {"video_id": "a.mp4:00000000", "frame_labels": [0, 0, 1], "clip_label": 1}
    assert levels_of(read["a.mp4:00000003"]["frames_jpeg"]) == [3, 4]
    assert levels_of(read["b.mp4:00000000"]["frames_jpeg"]) == [4, 3, 2]
    slow = read["c.mp4:00000000"]  # each frame is on show for two samples
    assert (levels_of(slow["frames_jpeg"]), slow["frame_labels"]) == ([0, 0, 1], [0, 0, -1])
    letters = {
        letter["key"]: (letter["step"], letter["reason"]) for letter in records.dead_letters()
    }
    assert letters["cut.mp4"] == ("decode video", "there is no video in it")
    late = "'pale' begins at 4 frames, but the video ends at 3"
    assert letters["short.mp4:00000000"] == ("match labels", late)
    assert records.stats["training_clips"] == {"down": 1, "up": 2}
    assert records.stats["splits"]["test"]["rates"] == {"frames_unlabelled": 0.5}

    builder = tfds.builder_from_directory(str(records.path))
    assert isinstance(builder.info.features["frames_jpeg"], tfds.features.Video)
    for row in tfds.as_numpy(builder.as_dataset(split="train")):
        stored = read[row["video_id"].decode()]
        assert row["frames_jpeg"].shape == (len(stored["frame_labels"]), 16, 16, 3)
        assert row["frame_labels"].tolist() == stored.get("frame_labels")


def test_any_number_of_workers_writes_the_same_bytes(source, tmp_path):
    build = Build(source, RECIPE, {}, records_per_shard=1, max_bad_fraction=0.5)
    one, two = (
        build.run(tmp_path / f"records-{workers}", runner=Runner(workers)) for workers in (1, 2)
    )
    content = [
        {path.name: path.read_bytes() for path in records.path.iterdir()} for records in (one, two)
    ]
    assert content[0] == content[1]
    clips = [{r["video_id"].split(":")[0] for r in one.read(split)} for split in one.splits]
    assert not set.intersection(*clips)


def test_features_are_those_of_a_plain_loop_whatever_the_number_of_workers(
    source, weights, tmp_path
):
    box = (0.0, 0.25, 1.0, 0.75)
    recipe = VideoRecipe(
        frames=replace(FRAMES, box=box), features=make_features(weights, batch_size=2)
    )
    build = Build(source, recipe, {}, records_per_shard=2, max_bad_fraction=0.5)
    one, two = (
        build.run(tmp_path / f"records-{workers}", runner=Runner(workers)) for workers in (1, 2)
    )
    assert contents(one.path) == contents(two.path)
    assert one.spec is VIDEO_FEATURES
    compute, framing = compute_plainly(weights), Framing(SIDE, box=box, fit="stretch")
    stored = {r["video_id"]: r for split in one.splits for r in one.read(split)}
    for clip in "abc":
        pictures = [
            framing(s) for _, s in sample_pictures(read_video(f"{tmp_path}/raw/{clip}.mp4"), 10)
        ]
        expected = [compute(picture).mean(axis=(0, 1)) for picture in pictures]
        parts = [r for key, r in sorted(stored.items()) if key.startswith(clip)]
        found = np.concatenate([part["frame_features"] for part in parts])
        assert found.shape == (len(pictures), CHANNELS)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert levels_of(parts[0]["frames_jpeg"])  # the film strip's
    assert found.std(axis=0).max() > 0.01
    rows = tfds.builder_from_directory(str(one.path)).as_dataset(split="train")
    for row in tfds.as_numpy(rows):
        expected = stored[row["video_id"].decode()]["frame_features"]
        np.testing.assert_array_equal(row["frame_features"], expected)


def test_features_do_not_depend_on_other_records(tmp_path, write_clip, weights):
    path = write_clip(tmp_path / "a.mp4", LEVELS)
    recipe = VideoRecipe(frames=FRAMES, features=make_features(weights, batch_size=2))
    encoder = VideoEncoder(recipe, {}, {"x": 0})

    def compute(first):
        reference = refer(path, first=first, count=3, clip_label="x")
        return encoder.encode(reference).values["frame_features"]

    before = compute(0)
    compute(3)
    np.testing.assert_array_equal(compute(0), before)


def test_a_backbone_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    recipe = VideoRecipe(
        frames=FRAMES, features=FeatureOptions(backbone=ApplicationBackboneOptions(name="nonsense"))
    )
    counts = {"frame labels": {}, "clip labels": {"a": 1, "b": 1}}
    with pytest.raises(
        UserError, match=r"data\.features\.backbone\.name: expected a network of keras"
    ):
        recipe.learn(counts, tmp_path)


def test_weights_count_by_their_content_and_without_features_there_are_none(weights):
    settings = VideoRecipe(features=make_features(weights)).settings
    assert len(settings["features"]["backbone"]["weights"]) == 64
    assert VideoRecipe().settings["features"] is None


def test_bad_files_are_dead_letters_or_read_as_far_as_they_go(shared_data):
    outcomes: dict[str, Any] = {}
    for path in sorted((shared_data / "bad_inputs").glob("*/*.m[op][v4g]")):
        encoder = VideoEncoder(VideoRecipe(frames=FrameOptions(rate=25, size=32)), {}, {"x": 0})
        clip = refer_clip(Clip(path.name, str(path), clip_label="x"))
        for found in cut_windows(clip, 25, 500):
            if not isinstance(found, Reference):
                outcomes[path.name] = found.step
                continue
            try:
                outcomes[path.name] = len(encoder.encode(found).values["frames_jpeg"])
            except BadRecord as bad:
                outcomes[path.name] = bad.step
    assert outcomes == {
        "corrupted.mp4": "decode video",
        "empty.mp4": "decode video",
        "jpeg_inside.mp4": 1,
        "realshort.mp4": 30,
        "truncated_60.mp4": "decode video",
        "truncated_half.mpg": 37,
        "video_0.mov": 2,
        "video_90.mov": 2,
    }


def refer(path, first=0, **options):
    fields = {"video": str(path), "first": first, "count": 9, "clip_label": None, "unit": "frames"}
    return Reference("k", "k", "train", {**fields, "segments": [], **options})


def test_unencodable_videos_are_refused(tmp_path, write_clip):
    path = write_clip(tmp_path / "a.mp4", LEVELS)
    encoder = VideoEncoder(RECIPE, {"up": 0}, {"x": 0})
    with pytest.raises(BadRecord, match="the training split has no 'y'"):
        encoder.encode(refer(path, clip_label="y"))
    with pytest.raises(BadRecord, match="the training split has no 'down'"):
        encoder.encode(refer(path, segments=[(0, 2, "down")]))
    with pytest.raises(Dropped, match="no frame of the video is left"):
        encoder.encode(refer(path, first=9))
    with pytest.raises(BadRecord, match="it ends before the first frame is due"):
        VideoEncoder(VideoRecipe(frames=replace(FRAMES, rate=0.5)), {}, {"x": 0}).encode(
            refer(path, clip_label="x")
        )


def test_a_single_label_is_refused(tmp_path):
    counts = {"frame labels": {"up": 3}, "clip labels": {}}
    with pytest.raises(UserError, match="or two of clips, to train on, got up alone"):
        RECIPE.learn(counts, tmp_path)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ({"box": [0.5, 0, 0.5, 1]}, r"box: expected left < right and top < bottom, from 0 to 1"),
        ({"box": [0, 0, 1, 1.5]}, r"got \[0.0, 0.0, 1.0, 1.5\]; write e.g. \[0.25, 0.25"),
        ({"box": [0, 1]}, r"settings: frames\.box"),
        ({"rate": 0}, r"frames.rate: expected a positive number, got 0"),
    ],
)
def test_impossible_frame_options_are_refused(frames, message):
    with pytest.raises(UserError, match=message):
        load_settings(VideoData, {"source": {"kind": "moving_shapes"}, "frames": frames})


def test_the_source_is_sampled_as_the_frames_are(tmp_path):
    frames = {"rate": 5, "max_frames": 7, "size": 16}
    values = {"source": {"kind": "clips", "path": tmp_path}, "frames": frames}
    data = load_settings(VideoData, values)
    source = data.open_source()
    assert (source.rate, source.max_frames) == (5, 7)
    assert source.videos == data.source
    assert data.make_recipe() == VideoRecipe(frames=FrameOptions(**frames))
