"""Sources of speech: utterances with their texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnpipe.settings import Kinds, setting
from rnnpipe.sources.audio.utterances import Grouping, Utterance, refer_utterance
from rnnpipe.sources.listed_folder import ListedFolder
from rnnpipe.sources.source import Reference, Source


class SpeechSource(Source):
    """Utterances with their texts; references have the fields of `UtteranceFields`.

    Other packages add kinds by the entry point group `rnnpipe.speech_sources`.
    """

    kinds = Kinds(
        "rnnpipe.speech_sources",
        {
            "morse": "rnnpipe.sources.generated.morse_code:MorseCode",
            "table": "rnnpipe.sources.audio.table:UtteranceTable",
            "text_files": "rnnpipe.sources.audio.text_files:TextFiles",
            "librispeech": "rnnpipe.sources.audio.librispeech:LibriSpeech",
            "tfds": "rnnpipe.sources.audio.tfds:SpeechTfds",
            "grid_audio": "rnnpipe.sources.audio.grid:GridAudio",
            "spoken_digits": "rnnpipe.sources.audio.spoken_digits:SpokenDigits",
            "connected_digits": "rnnpipe.sources.generated.connected_digits:ConnectedDigits",
        },
    )

    group_by: Grouping = setting(
        "speaker",
        "what is never in two splits that are held out of train; recording where the speaker is "
        "not known",
    )

    @property
    def empty_split_fix(self) -> str:
        """Few speakers may all fall into one split."""
        fix = super().empty_split_fix
        if self.group_by == "recording":
            return fix
        return f"{fix}, or write data.source.group_by: recording, as there are too few speakers"


class UtteranceFolder(ListedFolder, SpeechSource):
    """A folder of sounds with texts; a subclass lists its utterances."""

    items_per_partition = 500

    def refer(self, item: Utterance) -> Reference:
        """See `refer_utterance`."""
        return refer_utterance(item, self.group_by)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What must stay in one split."""
        return {"group_by": self.group_by}

    @property
    def notices(self) -> Sequence[str]:
        """Speakers whom the raw data has in several splits."""
        return speaker_notices(item for item in self.items if isinstance(item, Utterance))


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
