"""Sources of speech: utterances with their texts."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter
from rnnpipe.settings import FilePath, Kinds, setting
from rnnpipe.sources.audio.utterances import Grouping, Utterance, refer_utterance
from rnnpipe.sources.folder import absolute
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.storage.paths import as_path

_UTTERANCES_PER_PARTITION = 500

Partition = tuple[Utterance | DeadLetter, ...]
"""Utterances that one worker reads; those that cannot be read as dead letters."""


class SpeechSource(Source):
    """Utterances with their texts; references have the fields of `UtteranceFields`.

    Other packages add kinds by the entry point group `rnnpipe.speech_sources`.
    """

    kinds = Kinds(
        "rnnpipe.speech_sources",
        {
            "table": "rnnpipe.sources.audio.table:UtteranceTable",
        },
    )

    group_by: Grouping = setting(
        "speaker",
        "what is never in two splits that are held out of train; recording where the speaker is "
        "not known",
    )


class UtteranceFolder(SpeechSource):
    """A folder of sounds with texts; a subclass lists its utterances."""

    path: FilePath = setting(help="the folder")

    def __getstate__(self) -> dict[str, Any]:
        """Workers get their utterances in partitions, not all of them once more."""
        left_out = ("_utterances", "_files")
        return {key: value for key, value in vars(self).items() if key not in left_out}

    @abstractmethod
    def find_utterances(self) -> Sequence[Utterance | DeadLetter]:
        """All utterances of the folder.

        Raises:
            UserError: the folder or a file of texts is not as it should be.
        """

    @abstractmethod
    def text_files(self) -> Iterable[Path]:
        """The files that texts come from."""

    @property
    def folder(self) -> Path:
        """The folder, as every worker can open it."""
        return absolute(self.path)

    @cached_property
    def _utterances(self) -> Sequence[Utterance | DeadLetter]:
        return self.find_utterances()

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(each.split for each in self._utterances if isinstance(each, Utterance))

    @property
    def settings(self) -> Mapping[str, Any]:
        """What must stay in one split."""
        return {"group_by": self.group_by}

    @property
    def notices(self) -> Sequence[str]:
        """Speakers whom the raw data has in several splits."""
        return speaker_notices(each for each in self._utterances if isinstance(each, Utterance))

    def prepare(self, progress: Progress) -> None:
        """Checks that the sounds and their texts are there; see `Source`."""
        progress(len(self._utterances), len(self._utterances))

    def partitions(self) -> list[Partition]:
        """Some utterances each."""
        utterances = self._utterances
        starts = range(0, len(utterances), _UTTERANCES_PER_PARTITION)
        return [tuple(utterances[at : at + _UTTERANCES_PER_PARTITION]) for at in starts]

    def read(self, partition: Partition) -> Iterator[Reference | DeadLetter]:
        """The utterances of a partition, see `refer_utterance`."""
        for each in partition:
            yield each if isinstance(each, DeadLetter) else refer_utterance(each, self.group_by)

    def raw_files(self) -> Iterator[Path]:
        """The files of texts, and the sounds that are there."""
        yield from self.text_files()
        paths = {each.path for each in self._utterances if isinstance(each, Utterance)}
        for path in map(as_path, sorted(paths)):
            if path.is_file():
                yield path


def speaker_notices(utterances: Iterable[Utterance]) -> list[str]:
    """A notice of speakers whom the raw data itself has in training and in another split.

    Example:
        >>> both = [Utterance("a", "a", "x", speaker="ann", split=s) for s in ("train", "test")]
        >>> speaker_notices(both)
        ['data.source: 1 of the 1 speakers of test speaks in train too']
    """
    speakers: dict[str, set[str]] = {}
    for each in utterances:
        if each.speaker:
            speakers.setdefault(each.split, set()).add(each.speaker)
    notices, known = [], speakers.get("train", set())
    for split in ("validation", "test"):
        if shared := speakers.get(split, set()) & known:
            of = f"{len(shared):,} of the {len(speakers[split]):,} speakers of {split}"
            verb = "speaks" if len(shared) == 1 else "speak"
            notices.append(f"data.source: {of} {verb} in train too")
    return notices
