"""Any text data set of TensorFlow Datasets."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress, Source
from rnnpipe.sources.splits import left_out_notices, split_of_name
from rnnpipe.sources.text.table import Table

_PROGRESS_EVERY = 1000
_FORM = 2  # of what is written; files of another form are left alone and written anew


class Tfds(GeneratedSource):
    """A data set of TensorFlow Datasets, whose examples have two features that make a record.

    The examples are read through TensorFlow Datasets once, into a JSON lines file for each split:
    the workers of a build then need no TensorFlow. Labels are told by their names.

    Args:
        path: where these files go.
        fields: the feature of each field of the record: `text` and `label`, or `source` and
            `target`. Nested features are written `translation/de`.
        name: the data set, e.g. `imdb_reviews` or `wmt14_translate/de-en`; it is downloaded where
            it is not there. Without it, the one whose files lie in `data_dir` itself.
        data_dir: TensorFlow Datasets' folder; by default its own.
        splits: what of the data set becomes each split (`train`, `validation`, `test`), in
            TensorFlow Datasets' words, e.g. `train[:90%]`; without it the splits called so, or else
            the first that is called like one (`newstest2014`).

    Raises:
        UserError: neither `name` nor `data_dir` is given.

    Example:
        >>> fields = {"text": "text", "label": "label"}
        >>> source = Tfds("data/exported", fields, name="imdb_reviews")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind = "tfds"

    def __init__(
        self,
        path: str | Path,
        fields: Mapping[str, str],
        *,
        name: str | None = None,
        data_dir: str | Path | None = None,
        splits: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(path)
        if name is None and data_dir is None:
            fix = "write e.g. name: imdb_reviews"
            raise UserError("data.source", "the name or the path of a data set", "neither", fix)
        self._fields, self._name = dict(fields), name
        self._data_dir = None if data_dir is None else str(data_dir)
        self._wanted = None if splits is None else dict(splits)

    def __getstate__(self) -> dict[str, Any]:
        """Workers read the files: they need what was found, not TensorFlow Datasets."""
        found = {"folder_name": self.folder_name, "instructions": self.instructions}
        state = {key: value for key, value in vars(self).items() if key != "_builder"}
        return state | found

    @cached_property
    def _builder(self) -> Any:
        import tensorflow_datasets as tfds  # noqa: PLC0415  # workers must not import TensorFlow

        try:
            if self._name is None:
                return tfds.builder_from_directory(self._data_dir)
            return tfds.builder(self._name, data_dir=self._data_dir)
        except (tfds.core.DatasetNotFoundError, ValueError, OSError, AssertionError) as fault:
            raise UserError(
                self._title,
                "a data set that TensorFlow Datasets knows",
                _first_line(fault),
                "correct data.source.name or path",
            ) from fault

    @property
    def _title(self) -> str:
        return f"tfds:{self._name}" if self._name else str(self._data_dir)

    @cached_property
    def instructions(self) -> dict[str, str]:
        """What of the data set becomes each split; the data set must be prepared."""
        if self._wanted is not None:
            return self._wanted
        names = list(self._builder.info.splits)
        found: dict[str, str] = {}
        for name in sorted(names, key=lambda name: split_of_name(name) != name):
            if split := split_of_name(name):
                found.setdefault(split, name)
        return found

    @property
    def notices(self) -> Sequence[str]:
        """Splits of the data set that are not read, unless a config chose them."""
        if self._wanted is not None:
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
        return {"name": self._name, "fields": self._fields, "splits": self.instructions}

    @cached_property
    def folder_name(self) -> str:
        """The data set's name, and a hash of its version, its size and what of it is read."""
        info = self._builder.info
        sizes = {name: [split.num_examples, split.num_bytes] for name, split in info.splits.items()}
        content = [_FORM, info.full_name, sizes, self._fields, self.instructions]
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
        known = _flatten(self._builder.info.features)
        for field, feature in self._fields.items():
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

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a JSON lines file for each split."""
        total, done = self.count(), 0
        for split, instruction in self.instructions.items():
            with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
                for row in self.examples(instruction):
                    file.write(json.dumps(row) + "\n")
                    done += 1
                    if done % _PROGRESS_EVERY == 0:
                        progress(done, total)

    def count(self) -> int:
        """How many examples its splits have."""
        splits = self._builder.info.splits
        return sum(splits[split].num_examples for split in self.instructions.values())

    def examples(self, instruction: str) -> Iterator[dict[str, Any]]:
        """The wanted fields of the examples of a split, as `convert` makes them."""
        import tensorflow_datasets as tfds  # noqa: PLC0415  # as above

        features = _flatten(self._builder.info.features)
        examples = self._builder.as_dataset(
            split=instruction, shuffle_files=False, decoders=self.decoders()
        )
        for example in tfds.as_numpy(examples):
            yield {
                field: self.convert(field, features[name], _value_at(example, name))
                for field, name in self._fields.items()
            }

    def decoders(self) -> Any:
        """TensorFlow Datasets' decoders of features that are not read as usual, by feature."""
        return None

    def convert(self, field: str, feature: Any, value: Any) -> Any:
        """JSON's form of a text, a number or a class, which is told by its name.

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

    def open(self, folder: Path) -> Source:
        """The reader of these files."""
        files = {split: f"{split}.jsonl" for split in self.instructions}
        return Table(folder, {field: field for field in self._fields}, files=files)


def _flatten(features: Any, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, feature in features.items():
        inner = _flatten(feature, f"{prefix}{name}/") if hasattr(feature, "items") else {}
        flat |= inner or {f"{prefix}{name}": feature}
    return flat


def _value_at(example: Mapping[str, Any], name: str) -> Any:
    if name in example:  # a name of its own may have a slash, as image/id has
        return example[name]
    first, _, rest = name.partition("/")
    return _value_at(example[first], rest)


def _first_line(fault: BaseException) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0]
