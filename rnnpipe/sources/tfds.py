"""The base class of sources that read data sets of TensorFlow Datasets."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.splits import Split, left_out_notices, split_of_name
from rnnpipe.storage.cache import cache_folder

_FORM = 3  # of what is written; files of another form are left alone and written anew


class Tfds(GeneratedSource):
    """A data set of TensorFlow Datasets, some features of whose examples make a record.

    The examples are read through TensorFlow Datasets once, into plain files in the cache: the
    workers of a build then need no TensorFlow. A subclass declares settings for the features, and
    writes and opens the files.

    Without `splits`, the splits `train`, `validation` and `test` are read, or else the first whose
    name begins like that (`newstest2014`).
    """

    kind: Literal["tfds"] = "tfds"
    name: str | None = setting(
        None, "e.g. imdb_reviews or wmt14_translate/de-en; null: the data set that lies in path"
    )
    path: FilePath | None = setting(
        None, "TensorFlow Datasets' data_dir; null: its own, where it downloads to"
    )
    splits: dict[Split, str] | None = setting(
        None, "e.g. {train: 'train[:90%]', test: test}; null: those of these names"
    )

    @property
    @abstractmethod
    def fields(self) -> Mapping[str, str]:
        """The feature of each field of a record; nested ones are written `translation/de`."""

    def check(self) -> None:
        """There is a name or a folder."""
        if self.name is None and self.path is None:
            fix = "write e.g. name: imdb_reviews"
            raise UserError("", "the name or the path of a data set", "neither", fix)

    @cached_property
    def root(self) -> Path:
        """The folder that holds the exported data sets."""
        return cache_folder("raw") / self.kind

    def __getstate__(self) -> dict[str, Any]:
        """Workers read the files: they need what was found, not TensorFlow Datasets."""
        found = {"folder_name": self.folder_name, "instructions": self.instructions}
        state = {key: value for key, value in vars(self).items() if key != "_builder"}
        return state | found

    @property
    def _data_dir(self) -> str | None:
        return None if self.path is None else str(self.path)

    @cached_property
    def _builder(self) -> Any:
        import tensorflow_datasets as tfds  # workers must not import TensorFlow

        try:
            if self.name is None:
                return tfds.builder_from_directory(self._data_dir)
            return tfds.builder(self.name, data_dir=self._data_dir)
        except (tfds.core.DatasetNotFoundError, ValueError, OSError, AssertionError) as fault:
            raise UserError(
                self._title,
                "a data set that TensorFlow Datasets knows",
                _first_line(fault),
                "correct data.source.name or path",
            ) from fault

    @property
    def _title(self) -> str:
        return f"tfds:{self.name}" if self.name else str(self._data_dir)

    @cached_property
    def instructions(self) -> dict[Split, str]:
        """What of the data set becomes each split; the data set must be prepared."""
        if self.splits is not None:
            return self.splits
        names = list(self._builder.info.splits)
        found: dict[Split, str] = {}
        for name in sorted(names, key=lambda name: split_of_name(name) != name):
            if split := split_of_name(name):
                found.setdefault(split, name)
        return found

    @property
    def notices(self) -> Sequence[str]:
        """Splits of the data set that are not read, unless a config chose them."""
        if self.splits is not None:
            return []
        read = {
            part for instruction in self.instructions.values() for part in instruction.split("+")
        }
        left = set(self._builder.info.splits) - read
        fix = "name what is to be read in data.source.splits, e.g. {train: train, test: test}"
        return left_out_notices(left, fix)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which data set it is, and what of it is read."""
        return {"name": self.name, "fields": dict(self.fields), "splits": self.instructions}

    @cached_property
    def folder_name(self) -> str:
        """The data set's name, and a hash of its version, its size and what of it is read."""
        info = self._builder.info
        sizes = {name: [split.num_examples, split.num_bytes] for name, split in info.splits.items()}
        content = [_FORM, info.full_name, sizes, dict(self.fields), self.instructions]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.kind}-{info.name}-{digest[:12]}"

    def prepare(self, progress: Progress) -> None:
        """Downloads the data set and writes its texts, if they are not there; see `Source`."""
        if not self._builder.is_prepared():
            self._download()
        self._check_features()
        super().prepare(progress)

    def _download(self) -> None:
        try:
            self._builder.download_and_prepare()
        except Exception as fault:  # whatever a download runs into
            raise UserError(
                self._title,
                "a data set that is there or can be downloaded",
                f"{type(fault).__name__}: {_first_line(fault)}",
                "check the network, or prepare it elsewhere and name its folder as "
                "data.source.path",
            ) from fault

    def _check_features(self) -> None:
        known = flatten_features(self._builder.info.features)
        for field, feature in self.fields.items():
            if feature not in known:
                expected, got = f"a feature called {feature}", ", ".join(sorted(known))
                fix = f"name the right one as data.source.{field}"
                raise UserError(self._title, expected, got, fix)
        for split in self.instructions.values():
            try:
                self._builder.info.splits[split]
            except (KeyError, ValueError) as fault:
                got, fix = ", ".join(self._builder.info.splits), "correct data.source.splits"
                raise UserError(self._title, f"a split {split}", got, fix) from fault
        if "train" not in self.instructions:
            got = ", ".join(self._builder.info.splits)
            fix = "say which are which as data.source.splits"
            raise UserError(self._title, "a split for training", got, fix)

    def count(self) -> int:
        """How many examples its splits have."""
        splits = self._builder.info.splits
        return sum(splits[split].num_examples for split in self.instructions.values())

    def examples(self, instruction: str) -> Iterator[dict[str, Any]]:
        """The wanted fields of the examples of a split, as `convert` makes them."""
        import tensorflow_datasets as tfds  # as above

        features = flatten_features(self._builder.info.features)
        examples = self._builder.as_dataset(
            split=instruction, shuffle_files=False, decoders=self.decoders()
        )
        for example in tfds.as_numpy(examples):
            yield {
                field: self.convert(field, features[name], _value_at(example, name))
                for field, name in self.fields.items()
            }

    def decoders(self) -> Any:
        """TensorFlow Datasets' decoders of features that are not read as usual, by feature."""
        return None

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """JSON's form of a text, a number or a class, which is given by its name.

        An example without a class, for which TensorFlow Datasets writes -1, has none here either.
        """
        del field
        if isinstance(value, bytes):
            return value.decode(errors="surrogateescape")
        number = value.item()
        if not hasattr(feature, "names"):
            return number
        if number < 0:
            return None
        return feature.names[number] if feature.names else number


def flatten_features(features: Any, prefix: str = "") -> dict[str, Any]:
    """All features of a data set by their names; nested ones are written `translation/de`."""
    flat: dict[str, Any] = {}
    for name, feature in features.items():
        inner = flatten_features(feature, f"{prefix}{name}/") if hasattr(feature, "items") else {}
        flat |= inner or {f"{prefix}{name}": feature}
    return flat


def _value_at(example: Mapping[str, Any], name: str) -> Any:
    if name in example:  # a name of its own may have a slash, as image/id has
        return example[name]
    first, _, rest = name.partition("/")
    return _value_at(example[first], rest)


def _first_line(fault: BaseException) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0]
