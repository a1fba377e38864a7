"""The files beside the records that make a directory one that TensorFlow Datasets opens."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rnnpipe.quiet import quiet_import
from rnnpipe.records.layout import shard_name, shard_template
from rnnpipe.records.specs import Field, RecordSpec

_FILES = ("dataset_info.json", "features.json")


@dataclass(frozen=True, slots=True)
class SplitSize:
    """How much one split holds.

    Args:
        shard_lengths: records in each shard, in order.
        num_bytes: size of all its shards.
    """

    shard_lengths: Sequence[int]
    num_bytes: int


def import_datasets() -> Any:
    """TensorFlow Datasets, which only some steps of a build need.

    While it is imported, it takes the place of Python's own import in the whole process: what
    another thread imports meanwhile fails.
    """
    with quiet_import():
        import tensorflow_datasets as tfds

        _ = tfds.folder_dataset.write_metadata, tfds.core.SplitInfo, tfds.features.Image
    return tfds


def write_metadata(folder: Path, spec: RecordSpec, splits: Mapping[str, SplitSize]) -> None:
    """Writes `dataset_info.json` and `features.json` of finished shards into a folder."""
    tfds = import_datasets()
    # Some features import TensorFlow when they are made.
    with TemporaryDirectory() as names, quiet_import():
        # TensorFlow Datasets looks for the shards by name; the real ones may be in a store.
        for split, size in splits.items():
            for shard in range(len(size.shard_lengths)):
                Path(names, shard_name(spec.name, split, shard, len(size.shard_lengths))).touch()
        tfds.folder_dataset.write_metadata(
            data_dir=names,
            features=tfds.features.FeaturesDict(
                {name: _feature(tfds, field) for name, field in spec.fields.items()}
            ),
            split_infos=[
                _split_info(tfds, spec, split, size, names) for split, size in splits.items()
            ],
            description=spec.description,
            check_data=False,  # it would read the shards through TensorFlow; they are counted
        )
        for name in _FILES:
            shutil.move(Path(names, name), folder / name)


def _split_info(tfds: Any, spec: RecordSpec, split: str, size: SplitSize, folder: str) -> Any:
    return tfds.core.SplitInfo(
        name=split,
        shard_lengths=list(size.shard_lengths),
        num_bytes=size.num_bytes,
        filename_template=tfds.core.ShardedFileTemplate(
            data_dir=folder,
            template=shard_template(spec.name),
            dataset_name=spec.name,
            split=split,
            filetype_suffix="tfrecord",
        ),
    )


def _feature(tfds: Any, field: Field) -> Any:
    if field.kind == "jpeg" and field.sequence:
        frames = (None, None, None, 3)
        return tfds.features.Video(shape=frames, encoding_format="jpeg", doc=field.meaning)
    if field.kind == "jpeg":
        return tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg", doc=field.meaning)
    if field.axes:
        shape = (None,) * field.axes
        return tfds.features.Tensor(
            shape=shape, dtype=np.dtype(field.kind), encoding="bytes", doc=field.meaning
        )
    feature = (
        tfds.features.Text(doc=field.meaning)
        if field.kind == "text"
        else tfds.features.Scalar(dtype=np.dtype(field.kind), doc=field.meaning)
    )
    for _ in range(field.sequence + field.nested):
        feature = tfds.features.Sequence(feature, doc=field.meaning)
    return feature
