"""Text data sets of TensorFlow Datasets."""

import json
from collections.abc import Mapping
from pathlib import Path

from rnnpipe.settings import setting
from rnnpipe.sources.source import Progress
from rnnpipe.sources.splits import Split
from rnnpipe.sources.text.source import TextClassSource, TextPairSource
from rnnpipe.sources.text.table import ClassTable, PairTable
from rnnpipe.sources.tfds import Tfds

_PROGRESS_EVERY = 1000


class TextTfds(Tfds):
    """A data set whose texts become a JSON lines file for each split; classes have their names."""

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

    @property
    def _files(self) -> dict[Split, Path]:
        return {split: Path(f"{split}.jsonl") for split in self.instructions}


class ClassTfds(TextTfds, TextClassSource):
    """A data set of TensorFlow Datasets whose examples have a text and a label.

    Example:
        >>> source = ClassTfds(name="imdb_reviews")
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    text: str = setting("text", "the feature with the text")
    label: str = setting("label", "the feature with the label")

    @property
    def fields(self) -> Mapping[str, str]:
        """The features of `TextFields`."""
        return {"text": self.text, "label": self.label}

    def open(self, folder: Path) -> ClassTable:
        """The reader of these files."""
        return ClassTable(path=folder, files=self._files)


class PairTfds(TextTfds, TextPairSource):
    """A data set of TensorFlow Datasets whose examples have a text in each of two languages."""

    source: str = setting(help="the feature to translate from, e.g. de")
    target: str = setting(help="the feature to translate to, e.g. en")

    @property
    def fields(self) -> Mapping[str, str]:
        """The features of `PairFields`."""
        return {"source": self.source, "target": self.target}

    def open(self, folder: Path) -> PairTable:
        """The reader of these files."""
        return PairTable(path=folder, files=self._files, source="source", target="target")
