"""The grammars as sources: their sentences are written once and read like anybody's files."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from rnnpipe.settings import setting
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated.grammars.opinions import Label, sample_opinion
from rnnpipe.sources.generated.grammars.translation import Grammar
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.source import TextClassSource, TextPairSource

SOURCE_LANGUAGE, TARGET_LANGUAGE = "en", "velu"
LONGEST_TRAINED = 14
"""Words of the longest English sentence in training, its full stop included."""

LONGEST_TESTED = 22

_DEPTH = 2
_HELD_OUT = 0.08
_PROGRESS_EVERY = 500


class GrammarSource(GeneratedSource):
    """Sentences of a grammar: so many, from a seed; equal settings give equal files."""

    @property
    def folder_name(self) -> str:
        """E.g. `sentiment_grammar-12000-seed1-c0ffee42`."""
        amount, seed = self.settings.values()
        return f"{self.kind}-{amount}-seed{seed}-{hash_code(Path(__file__).parent)}"


class SentimentGrammar(GrammarSource, TextClassSource):
    """Opinions of two classes, in the layout of `rt-polarity`: `opinions.neg`, `opinions.pos`.

    The classes are equally frequent and no sentence occurs twice. What decides is negation,
    contrast and intensity; see `sample_opinion`.

    Example:
        >>> source = SentimentGrammar(path=Path("data/opinions"), sentences=1000)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.partitions()[0]))
    """

    kind: Literal["sentiment_grammar"] = "sentiment_grammar"
    sentences: int = setting(12000, "how many", ge=100)
    seed: int = setting(1, "of all that is drawn")

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a file for each class."""
        total = self.sentences
        rng = random.Random(f"opinions {self.seed}")
        wanted: dict[Label, int] = {"neg": total // 2, "pos": total - total // 2}
        drawn: dict[Label, dict[str, None]] = {"neg": {}, "pos": {}}
        while any(len(drawn[label]) < wanted[label] for label in wanted):
            text, label = sample_opinion(rng)
            if len(drawn[label]) < wanted[label]:
                drawn[label][text] = None
        for label, texts in drawn.items():
            _write_lines(folder / f"opinions.{label}", texts)
        progress(total, total)

    def open(self, folder: Path) -> LabelFiles:
        """The reader of these files."""
        return LabelFiles(path=folder)


class TranslationGrammar(GrammarSource, TextPairSource):
    """English and made-up Velu as parallel files; see `Grammar` for how they differ.

    No English sentence occurs twice, in whatever split. In training and validation none is longer
    than `LONGEST_TRAINED` words; the test split holds as many of these lengths as validation, and
    then half as many longer ones, so that scores can be compared by the length of the source.

    Example:
        >>> source = TranslationGrammar(path=Path("data/velu"), pairs=1000)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.partitions()[0]))
    """

    kind: Literal["translation_grammar"] = "translation_grammar"
    pairs: int = setting(
        12000, "training pairs; validation has 8 % of that on top, and test 12 %", ge=100
    )
    seed: int = setting(1, "of all that is drawn")

    def write(self, folder: Path, progress: Progress) -> None:
        """Writes a file for each language and split."""
        pairs = self.pairs
        held_out = max(round(pairs * _HELD_OUT), 2)
        short, long = pairs + 2 * held_out, held_out // 2
        rng = random.Random(f"velu {self.seed}")
        grammar, drawn = Grammar(rng, _DEPTH), dict[str, str]()
        longer: dict[str, str] = {}
        while len(drawn) < short or len(longer) < long:
            source, target = grammar.sample()
            words = len(source.split())
            if words <= LONGEST_TRAINED and len(drawn) < short:
                drawn[source] = target
                if len(drawn) % _PROGRESS_EVERY == 0:
                    progress(len(drawn), short)
            elif LONGEST_TRAINED < words <= LONGEST_TESTED and len(longer) < long:
                longer[source] = target
        rows = [*drawn.items()]
        _write_pairs(folder, "train", rows[:pairs])
        _write_pairs(folder, "validation", rows[pairs : pairs + held_out])
        _write_pairs(folder, "test", [*rows[pairs + held_out :], *longer.items()])

    def open(self, folder: Path) -> Parallel:
        """The reader of these files."""
        return Parallel(path=folder, source=SOURCE_LANGUAGE, target=TARGET_LANGUAGE)


def _write_pairs(folder: Path, split: str, pairs: list[tuple[str, str]]) -> None:
    for side, language in enumerate((SOURCE_LANGUAGE, TARGET_LANGUAGE)):
        _write_lines(folder / f"{split}.{language}", (pair[side] for pair in pairs))


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
