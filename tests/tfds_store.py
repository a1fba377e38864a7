"""Tiny data sets in the format of TensorFlow Datasets."""

import tensorflow_datasets as tfds


def store_tfds(folder, name, features, splits, **options):
    """Writes a data set with the tools of TensorFlow Datasets itself, in the order of its rows."""
    features = tfds.features.FeaturesDict(features) if isinstance(features, dict) else features
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=features,
        split_datasets=splits,
        data_dir=folder,
        disable_shuffling=True,
        **options,
    )
