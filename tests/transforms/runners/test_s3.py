"""Builds from and to an object store: the same bytes, wholly published or not at all."""

from pathlib import Path
from typing import Any

import pytest

from rnnpipe.records.manifest import MANIFEST
from rnnpipe.records.metadata import import_datasets
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.generated.moving.writer import FRAME_LABELS
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.videos.source import VideoWindows
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import KINDS, contents

READERS: dict[str, Any] = {
    "speech": lambda path: UtteranceTable(path=path, start="start", end="end"),
    "text_pair": lambda path: Parallel(path=path, source="de", target="en"),
    "text_stream": lambda path: TextStreams(path=path / "book.txt", begin="^# "),
    "caption": CocoCaptions,
    "video": lambda path: VideoWindows(
        videos=ClipTable(path=path, frame_labels=Path(FRAME_LABELS)), rate=6, max_frames=100
    ),
}


def fetched(records):
    records.fetch()
    return contents(records.path)


def written(records):
    """The files of a directory but for its manifest, which in a store lies elsewhere."""
    files = contents(records.path)
    assert files.pop(MANIFEST)
    return files


def text_pairs(folder, amount=40):
    return KINDS["text_pair"](folder, amount, 1).build(max_bad_fraction=0.2)


@pytest.mark.parametrize(
    "kind",
    [
        "text_pair",
        "video",
        "speech",
        pytest.param("text_stream", marks=pytest.mark.slow),
        pytest.param("caption", marks=pytest.mark.slow),
    ],
)
def test_raw_data_and_records_in_a_store_give_the_bytes_of_directories(kind, tmp_path, bucket):
    build = KINDS[kind](tmp_path / "raw", 30, 1).build(max_bad_fraction=0.2)
    local = build.run(tmp_path / "records")
    for name, content in contents(tmp_path / "raw").items():
        (bucket / "raw" / name).write_bytes(content)
    source = READERS[kind](bucket / "raw")
    source.prepare(lambda done, total: None)
    assert (
        Build(source, build.recipe, build.shares).fingerprint["sources"]
        == (Build(build.source, build.recipe, build.shares).fingerprint["sources"])
    )
    options = {"records_per_shard": build.records_per_shard, "max_bad_fraction": 0.2}
    stored = Build(source, build.recipe, build.shares, **options).run(bucket / "records")
    assert fetched(stored) == written(local)


def test_two_workers_write_the_same_bytes_and_no_other_file(tmp_path, bucket):
    build = text_pairs(tmp_path / "raw")
    local = build.run(tmp_path / "records")
    stored = build.run(bucket / "records", runner=Runner(2))
    assert fetched(stored) == written(local)
    published = stored.copied.manifest.build
    assert {path.name for path in (bucket / "records").iterdir()} == {MANIFEST, published}
    kept = (bucket / "records" / published).read_files()
    assert kept.keys() == written(local).keys() == stored.copied.manifest.files.keys()
    tfds = import_datasets()
    split = tfds.builder_from_directory(stored.path).info.splits["train"]
    assert split.num_examples == stored.splits["train"]


def test_a_fault_before_publication_leaves_no_data_set_and_a_rerun_finishes_it(
    tmp_path, bucket, monkeypatch
):
    build = text_pairs(tmp_path / "raw")

    def fail(*args):
        raise ConnectionError("the cable was cut")

    with monkeypatch.context() as broken:
        broken.setattr("rnnpipe.transforms.build.write_metadata", fail)
        with pytest.raises(ConnectionError, match="the cable was cut"):
            build.run(bucket / "records")
    assert not (bucket / "records").exists()
    assert not build.find_finished(bucket / "records")
    records = build.run(bucket / "records")
    assert build.find_finished(bucket / "records")
    assert sum(records.splits.values()) == 39
