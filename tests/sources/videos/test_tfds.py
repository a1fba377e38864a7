import pickle

import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.videos.tfds import TfdsVideos

LABELS = (b"up", b"down", b"caf\xe9")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Three videos of as many frames, with labels in text, of which one is not UTF-8."""
    features = tfds.features
    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    tfds.dataset_builders.store_as_tfds_dataset(
        name="tiny_videos",
        version="1.0.0",
        features=features.FeaturesDict(
            {"video": features.Video(shape=(None, 16, 16, 3)), "label": features.Text()}
        ),
        split_datasets={
            "train": [
                (n, {"video": np.full((4, 16, 16, 3), 50 * n, np.uint8), "label": label})
                for n, label in enumerate(LABELS)
            ]
        },
        data_dir=folder,
        disable_shuffling=True,
    )
    return folder


def test_labels_are_text_and_those_that_are_not_are_dead_letters(data_dir):
    source = TfdsVideos(name="tiny_videos", path=data_dir)
    source.prepare(lambda done, total: None)
    source, partitions = pickle.loads(pickle.dumps((source, source.partitions())))
    found = [raw for partition in partitions for raw in source.read(partition)]
    assert [r.fields["clip_label"] for r in found[:2]] == ["up", "down"]
    assert isinstance(found[2], DeadLetter)
    assert (found[2].key, found[2].step) == ("train/000002.mp4", "read label")
