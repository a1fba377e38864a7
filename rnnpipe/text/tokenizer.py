"""Text as token ids and back, learnt from a table of words and their counts."""

import io
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.storage.json_files import MAX_BYTES, read_json_as
from rnnpipe.storage.whole_files import read_whole
from rnnpipe.text.normalize import JOIN, Normalizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

TokenizerKind = Literal["word", "unigram", "bpe", "char"]

MODEL_FILE = "tokenizer.model"
SETTINGS_FILE = "tokenizer.json"

_SPECIAL = {"pad_id": PAD, "unk_id": UNKNOWN, "bos_id": START, "eos_id": END}
_LEAST = len(_SPECIAL) + 2
_MAX_WORD_BYTES = 4192
_RESERVED = "▅"  # what SentencePiece puts in place of unknown characters
_ENOUGH_WORDS = 2_000_000

_RANDOM_SEED = 2**32 - 1  # by which SentencePiece means one of the machine's entropy
_SEEDING = threading.Lock()

_Table = list[tuple[str, int]]


@dataclass(frozen=True)
class _Settings:
    """What the file of settings holds."""

    kind: TokenizerKind
    normalizer: Normalizer


class Tokenizer:
    """Cuts text into tokens and joins tokens to text; small enough to travel to every worker.

    Args:
        model_bytes: a SentencePiece model whose ids begin with those of `rnnpipe.text.tokens`.
        kind: what a token is: a whole word, a character, or a part of a word that `unigram`
            (Kudo 2018) or `bpe` (Sennrich et al. 2016) found.
        normalizer: what text goes through first.

    Raises:
        UserError: the bytes are not such a model.
    """

    def __init__(
        self, model_bytes: bytes, kind: TokenizerKind, normalizer: Normalizer | None = None
    ) -> None:
        self.model_bytes, self.kind = model_bytes, kind
        self.normalizer = normalizer or Normalizer()
        self._processor = _processor(model_bytes)

    def __reduce__(self) -> tuple[Any, ...]:
        return Tokenizer, (self.model_bytes, self.kind, self.normalizer)

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are, the four special ones included."""
        return int(self._processor.vocab_size())

    @cached_property
    def pieces(self) -> list[str]:
        """The token of every id; `▁` stands for the space before a word."""
        return [self._processor.id_to_piece(i) for i in range(self.vocabulary_size)]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {piece: number for number, piece in enumerate(self.pieces)}

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end.

        A word that is not in the vocabulary is one `UNKNOWN` for the kind `word`; for the other
        kinds, a run of characters that training never met is one.
        """
        return self.encode_batch([text])[0]

    def split(self, text: str) -> list[str]:
        """The tokens that `encode` gives the ids of, as text: unknown ones as they are written.

        Example:
            >>> words = train_tokenizer({"red": 3, "blue": 2}, kind="word", vocabulary=8)
            >>> words.split("Red and blue")
            ['▁red', '▁and', '▁blue']
        """
        normal = self.normalizer(text)
        if self.kind == "word":
            return [f"▁{word}" for word in normal.split()]
        return list(self._processor.encode(normal, out_type=str))

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """The ids of every text; see `encode`. Many texts at once take less time."""
        return self.encode_normal([self.normalizer(text) for text in texts])

    def encode_normal(self, normal: Sequence[str]) -> list[list[int]]:
        """The ids of every text that has gone through the normaliser already."""
        if self.kind == "word":
            # Not by `encode`, which makes a single `UNKNOWN` of a run of unknown words.
            ids = self._ids
            return [[ids.get(f"▁{word}", UNKNOWN) for word in text.split()] for text in normal]
        # One thread: builds and loaders share the cores out among their own workers.
        return list(self._processor.encode(normal, num_threads=1))

    def sample_normal(
        self, normal: Sequence[str], *, alpha: float, nbest_size: int, seed: int
    ) -> list[list[int]]:
        """The ids of every text, which is cut by chance; the kinds `bpe` and `unigram` can be.

        A whole batch follows from its seed.

        Args:
            normal: texts that have gone through the normaliser already.
            alpha: of `bpe` the probability that a merge is left out (Provilkov et al. 2020), of
                `unigram` the power of the probabilities by which it is drawn (Kudo 2018).
            nbest_size: of `unigram`, how many of the likeliest it is drawn from; -1: all.
            seed: of the draws.

        Example:
            >>> words = {"low": 5, "lower": 3}
            >>> tokenizer = train_tokenizer(words, kind="bpe", vocabulary=30)
            >>> sampled = tokenizer.sample_normal(["lower"], alpha=1.0, nbest_size=-1, seed=1)
            >>> len(tokenizer.encode("lower")), len(sampled[0]), tokenizer.decode(sampled[0])
            (1, 6, 'lower')
        """
        import sentencepiece

        with _SEEDING:  # the seed is the process's, and each batch begins anew with it
            sentencepiece.set_random_generator_seed(seed % _RANDOM_SEED)
            options = {"enable_sampling": True, "alpha": alpha, "nbest_size": nbest_size}
            return list(self._processor.encode(list(normal), num_threads=1, **options))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; padding, start and end are left out, unknown text reads `<unk>`.

        Without unknown tokens it is the text that was encoded, normalised; marks stand apart where
        the normaliser sets them apart without marking joins.
        """
        text = self._processor.decode([int(i) for i in ids])
        return self.normalizer.join(" ".join(text.split()))

    def save(self, folder: Path) -> None:
        """Writes `tokenizer.model` and `tokenizer.json` into a folder."""
        settings = {"kind": self.kind, "normalizer": asdict(self.normalizer)}
        (folder / MODEL_FILE).write_bytes(self.model_bytes)
        (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Reads what `save` wrote.

        Raises:
            UserError: there is no tokenizer in the folder, or it is damaged.
        """
        try:
            settings = read_json_as(_Settings, folder / SETTINGS_FILE)
            model_bytes = read_whole(folder / MODEL_FILE, MAX_BYTES)
            return cls(model_bytes, settings.kind, settings.normalizer)
        except (OSError, ValueError) as error:
            expected = f"a tokenizer ({MODEL_FILE}, {SETTINGS_FILE})"
            got = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise UserError(str(folder), expected, got, "build the records again") from error


def train_tokenizer(
    counts: Mapping[str, int],
    *,
    kind: TokenizerKind,
    vocabulary: int,
    normalizer: Normalizer | None = None,
    further: Sequence[str] = (),
) -> Tokenizer:
    """A tokenizer learnt from how often each word occurs; the same counts give the same bytes.

    Args:
        counts: words and how often they occur. They go through the normaliser, so that raw words
            will do.
        kind: what a token is; see `Tokenizer`. For `word` the tokens are the most frequent words,
            in that order, ties in the order of the alphabet.
        vocabulary: how many ids there are at most, the four special ones included. Little text
            gives fewer. Where there are more characters than ids, the rarer ones are unknown.
        normalizer: what text goes through first; the default is `Normalizer()`.
        further: normal words that join the tokens of the kind `word`, beyond `vocabulary`: they
            come after those that were counted, in the order of the alphabet.

    Raises:
        UserError: there are no words, or the vocabulary has no room for any.

    Example:
        >>> words = train_tokenizer({"red": 3, "blue": 2}, kind="word", vocabulary=8)
        >>> words.encode("Red and blue"), words.decode([2, 5, 1, 3, 0])
        ([4, 1, 5], 'blue <unk>')
    """
    if vocabulary < _LEAST:
        expected = f"at least {_LEAST} tokens, of which {len(_SPECIAL)} are special"
        raise UserError("vocabulary", expected, str(vocabulary), "write e.g. 2000")
    normalizer = normalizer or Normalizer()
    table = _table(counts, normalizer)
    if not table:
        fix = "check that the training split holds text"
        raise UserError("vocabulary", "at least one word to learn from", "none", fix)
    if kind == "word" and further:
        table = _with_further(table, further, vocabulary - len(_SPECIAL))
        vocabulary = len(table) + len(_SPECIAL)
    if kind in ("unigram", "bpe"):
        table = _without_rare_characters(table, vocabulary - len(_SPECIAL))
    if kind == "unigram":
        table = _scaled_down(table)
    model = io.BytesIO()
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(f"{word}\t{count}" for word, count in table),
        model_writer=model,
        input_format="tsv",
        model_type=kind,
        vocab_size=vocabulary,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        max_sentence_length=_MAX_WORD_BYTES,
        unk_surface=" <unk>",
        minloglevel=2,
        pad_id=PAD,
        unk_id=UNKNOWN,
        bos_id=START,
        eos_id=END,
    )
    return Tokenizer(model.getvalue(), kind, normalizer)


def _table(counts: Mapping[str, int], normalizer: Normalizer) -> _Table:
    words: Counter[str] = Counter()
    for text, count in counts.items():
        # With joins a word is normal already, and would lose them.
        for word in [text] if JOIN in text else normalizer(text).split():
            words[word] += count
    return [
        (word, count)
        for word, count in _ranked(words)
        if count > 0 and _RESERVED not in word and len(word.encode()) < _MAX_WORD_BYTES
    ]


def _ranked(counts: Mapping[str, int]) -> _Table:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _with_further(table: _Table, further: Sequence[str], room: int) -> _Table:
    known = table[:room]
    words = {word for word, _ in known}
    # They are rarer than what was counted, so that SentencePiece gives them the last ids.
    rarer = [(word, 1) for word in sorted(set(further) - words)]
    return [(word, count + 1) for word, count in known] + rarer


def _without_rare_characters(table: _Table, room: int) -> _Table:
    # These trainers fail unless every character, and the space before a word, fits into the
    # vocabulary; words are cut where a character that does not is taken out.
    characters: Counter[str] = Counter()
    for word, count in table:
        for character in word:
            characters[character] += count
    if len(characters) < room:
        return table
    ranked = sorted(characters, key=lambda character: (-characters[character], character))
    rare = re.compile(f"[{re.escape(''.join(ranked[room - 1 :]))}]")
    parts: Counter[str] = Counter()
    for word, count in table:
        for part in filter(None, rare.split(word)):
            parts[part] += count
    return _ranked(parts)


def _scaled_down(table: _Table) -> _Table:
    # The unigram trainer takes time in proportion to the counts: 2 million words are seconds.
    total = sum(count for _, count in table)
    if total <= _ENOUGH_WORDS:
        return table
    return [(word, -(-count * _ENOUGH_WORDS // total)) for word, count in table]


def _processor(model_bytes: bytes) -> Any:
    import sentencepiece

    try:
        processor = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
        found = {name: getattr(processor, name)() for name in _SPECIAL}
        for number in range(processor.vocab_size()):
            processor.id_to_piece(number)  # which is text
        if found == _SPECIAL:
            processor.decode([UNKNOWN])  # is text, too
    except (RuntimeError, UnicodeDecodeError) as error:
        fix = "build the records again"
        raise UserError("tokenizer", "a SentencePiece model", str(error), fix) from error
    if found != _SPECIAL:
        fix = "use a model that train_tokenizer made"
        raise UserError("tokenizer", f"the ids {_SPECIAL}", str(found), fix)
    return processor
