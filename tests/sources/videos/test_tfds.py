import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.videos.tfds import TfdsVideos
from tests.sources.reading import send_to_worker
from tests.tfds_store import store_tfds

LABELS = (b"up", b"down", b"caf\xe9")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Three videos of as many frames, with labels in text, of which one is not UTF-8."""
    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    features = {
        "video": tfds.features.Video(shape=(None, 16, 16, 3)),
        "label": tfds.features.Text(),
    }
    clips = [
        (n, {"video": np.full((4, 16, 16, 3), 50 * n, np.uint8), "label": label})
        for n, label in enumerate(LABELS)
    ]
    store_tfds(folder, "tiny_videos", features, {"train": clips})
    return folder


def test_labels_are_text_and_those_that_are_not_are_dead_letters(data_dir):
    source = TfdsVideos(name="tiny_videos", path=data_dir)
    source, partitions = send_to_worker(source)
    found = [raw for partition in partitions for raw in source.read(partition)]
    assert [r.fields["clip_label"] for r in found[:2]] == ["up", "down"]
    assert isinstance(found[2], DeadLetter)
    assert (found[2].key, found[2].step) == ("train/000002.mp4", "read label")
