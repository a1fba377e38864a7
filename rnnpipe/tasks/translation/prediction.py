"""Translations of a user's own texts."""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.prediction import Answer, Prediction
from rnnpipe.tasks.text_inputs import encode_text
from rnnpipe.tasks.translation.report import alignment_picture
from rnnpipe.text.tokenizer import Tokenizer

Translate = Callable[[Sequence[Sequence[int]]], Sequence[Sequence[Hypothesis]]]

_LINES = 1000  # of a file that are translated before any is printed


def check_inputs(text: str, file: Path | None) -> None:
    """Checks that there is either a text or a file to translate.

    Raises:
        UserError: there is neither or both.
    """
    if bool(text.strip()) == (file is not None):
        got = "both" if file else "neither"
        raise UserError("--text", "a text, or a --file of them", got, "give one of the two")


class Translator:
    """Translates texts.

    Args:
        search: finds translations.
        folder: with the tokenizers of both sides.
        max_tokens: where longer texts are cut.
    """

    def __init__(self, search: Translate, folder: Path, max_tokens: int) -> None:
        self._search, self._max_tokens = search, max_tokens
        self._source, self._target = (Tokenizer.load(folder / side) for side in (SOURCE, TARGET))

    def translate_text(self, text: str) -> Prediction:
        """The likeliest translations, with the mean probability of a token, and a picture.

        Raises:
            UserError: no token is left of the text, or the search finds no translation.
        """
        tokens = self._encode(text, "--text")
        if not tokens:
            raise UserError("--text", "a text", repr(text), "write a sentence")
        (hypotheses,) = self._search([tokens])
        if not hypotheses:
            fix = "raise evaluate.search.beam_width or max_length in the run's config.yaml"
            raise UserError("--text", "a text with a translation within the beam", "none", fix)
        return Prediction(
            [Answer(self._target.decode(one.tokens), one.probability) for one in hypotheses],
            alignment_picture(tokens, hypotheses[0], (self._source, self._target)),
            alignments=hypotheses[0].alignment,
        )

    def translate_file(self, path: Path, n_best: int) -> Iterator[str]:
        """The translation of each line; of several each, `number ||| translation ||| score`.

        A file whose name ends in `.gz` is decompressed.

        Lines count from 0, as is usual in lists of n-best; an empty one has an empty translation.
        Only line feeds end them, with or without a carriage return before.

        Raises:
            UserError: the file cannot be read, or is not UTF-8.
        """
        try:
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            got = getattr(error, "strerror", None) or str(error)
            fix = "name another file"
            raise UserError(f"--file {path}", "a file of UTF-8 text", got, fix) from error
        return self._translate_lines(_cut_lines(text), n_best, f"--file {path}")

    def _translate_lines(self, lines: list[str], n_best: int, where: str) -> Iterator[str]:
        number = 0
        for chunk in _chunks(lines):
            sources = [
                self._encode(line, f"{where}, line {place}")
                for place, line in enumerate(chunk, start=number + 1)
            ]
            hypotheses = iter(self._search([tokens for tokens in sources if tokens]))
            for tokens in sources:
                translations = next(hypotheses) if tokens else []
                texts = [(self._target.decode(one.tokens), one.score) for one in translations]
                if n_best == 1:
                    yield f"{texts[0][0] if texts else ''}\n"
                else:
                    for text, score in texts or [("", 0.0)]:
                        yield f"{number} ||| {text} ||| {score:.4f}\n"
                number += 1

    def _encode(self, text: str, where: str) -> list[int]:
        return encode_text(self._source, text, where, max_tokens=self._max_tokens, keep="start")


def _cut_lines(text: str) -> list[str]:
    # `splitlines` would also cut at form feeds, U+2028 and the like, and put all after it out of
    # step with the files of other languages.
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r") for line in lines]


def _chunks(lines: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(lines), _LINES):
        yield lines[start : start + _LINES]
