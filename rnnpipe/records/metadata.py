"""The files beside the records that make a directory one that TensorFlow Datasets opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnpipe.records.layout import shard_template
from rnnpipe.records.specs import Field, RecordSpec


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
    import tensorflow_datasets as tfds

    _ = tfds.folder_dataset.write_metadata, tfds.core.SplitInfo, tfds.features.Image
    return tfds


def write_metadata(folder: Path, spec: RecordSpec, splits: Mapping[str, SplitSize]) -> None:
    """Writes `dataset_info.json` and `features.json` into a folder of finished shards."""
    tfds = import_datasets()
    tfds.folder_dataset.write_metadata(
        data_dir=str(folder),
        features=tfds.features.FeaturesDict(
            {name: _feature(tfds, field) for name, field in spec.fields.items()}
        ),
        split_infos=[
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=list(size.shard_lengths),
                num_bytes=size.num_bytes,
                filename_template=tfds.core.ShardedFileTemplate(
                    data_dir=str(folder),
                    template=shard_template(spec.name),
                    dataset_name=spec.name,
                    split=split,
                    filetype_suffix="tfrecord",
                ),
            )
            for split, size in splits.items()
        ],
        description=spec.description,
        check_data=False,  # it would read TFRecords through TensorFlow; the build has counted them
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
            shape=shape, dtype=np.float32, encoding="bytes", doc=field.meaning
        )
    feature = (
        tfds.features.Text(doc=field.meaning)
        if field.kind == "text"
        else tfds.features.Scalar(dtype=np.dtype(field.kind), doc=field.meaning)
    )
    for _ in range(field.sequence + field.nested):
        feature = tfds.features.Sequence(feature, doc=field.meaning)
    return feature
