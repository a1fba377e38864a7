"""How VQA records are made: images resized, questions tokenized, answers as soft targets."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.metrics.vqa import normalize_answer
from rnnpipe.records.layout import ANSWERS
from rnnpipe.records.specs import VQA, RecordSpec
from rnnpipe.sources.images.decoding import Fit, encode_jpeg, read_image
from rnnpipe.sources.source import Reference
from rnnpipe.text.normalize import Normalizer
from rnnpipe.text.tokenizer import Tokenizer, TokenizerKind, train_tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.recipes.base import Counts, Encoded, Encoder, Recipe

_WORDS, _ANSWERS, _ANSWERS_BY_TYPE = "words", "answers", "answers by question type"
_NORMALIZE = Normalizer()


class VqaRecipe(Recipe):
    """How VQA records are made.

    Args:
        image_size: height and width of the stored images, in pixels.
        image_fit: how an image that is not square becomes square.
        jpeg_quality: quality of the stored images, from 1 to 95.
        tokenizer: how questions are cut into tokens.
        vocabulary: how many tokens there are at most.
        max_tokens: where longer questions are cut, in tokens.
        max_answers: how many answers the model knows at most: the most frequent ones.
        min_answer_count: how many people must have given an answer for the model to know it.
    """

    image_size: int = 64
    image_fit: Fit = "stretch"
    jpeg_quality: int = 92
    tokenizer: TokenizerKind = "word"
    vocabulary: int = 2000
    max_tokens: int = 20
    max_answers: int = 1000
    min_answer_count: int = 1

    @property
    def spec(self) -> RecordSpec:
        """The kind of record."""
        return VQA

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of the arguments."""
        return asdict(self)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of the question and the answers that people gave to it."""
        fields = reference.fields
        for word in _NORMALIZE(fields["question"]).split():
            yield _WORDS, word
        for answer in map(normalize_answer, fields["answers"]):
            yield _ANSWERS, answer
            yield _ANSWERS_BY_TYPE, f"{fields['question_type']}\t{answer}"

    def learn(self, counts: Counts, folder: Path) -> "VqaEncoder":
        """The tokenizer and the answers that the model knows; both are saved in `folder`.

        Raises:
            UserError: no answer was given by enough people.
        """
        answers = self._known_answers(counts)
        if not answers:
            most = max(counts[_ANSWERS].values(), default=0)
            raise UserError(
                "data.answers.min_answer_count",
                f"at least one answer that {self.min_answer_count} people gave",
                f"none: the most frequent one was given {most} times",
                "lower the threshold or give more raw data",
            )
        tokenizer = train_tokenizer(
            counts[_WORDS], kind=self.tokenizer, vocabulary=self.vocabulary, normalizer=_NORMALIZE
        )
        tokenizer.save(folder)
        (folder / ANSWERS).write_text(json.dumps(answers, indent=0, ensure_ascii=False) + "\n")
        return VqaEncoder(self, tokenizer, {answer: i for i, answer in enumerate(answers)})

    def summarise(self, counts: Counts) -> Mapping[str, Any]:
        """Vocabulary sizes and coverage, and the most frequent answers: the baselines need them."""
        by_type: dict[str, Counter[str]] = {}
        for item, count in counts[_ANSWERS_BY_TYPE].items():
            question_type, answer = item.rsplit("\t", 1)
            by_type.setdefault(question_type, Counter())[answer] = count
        known = self._known_answers(counts)
        given = counts[_ANSWERS]
        return {
            "distinct_words": counts[_WORDS].distinct,
            "distinct_answers": given.distinct,
            "known_answers": len(known),
            "answer_coverage": sum(given[answer] for answer in known) / max(given.total(), 1),
            "most_frequent_answer": _most_frequent(given),
            "most_frequent_answer_by_question_type": {
                question_type: _most_frequent(by_type[question_type])
                for question_type in sorted(by_type)
            },
        }

    def _known_answers(self, counts: Counts) -> list[str]:
        enough = {a: n for a, n in counts[_ANSWERS].items() if n >= self.min_answer_count and a}
        return sorted(enough, key=lambda answer: (-enough[answer], answer))[: self.max_answers]


def _most_frequent(counts: Counter[str]) -> str:
    return min(counts, key=lambda answer: (-counts[answer], answer))


@dataclass(frozen=True, slots=True)
class VqaEncoder(Encoder):
    """Makes records of references.

    Args:
        recipe: how.
        tokenizer: cuts the questions.
        answer_ids: the answers that the model knows, by their text.
    """

    recipe: VqaRecipe
    tokenizer: Tokenizer
    answer_ids: Mapping[str, int]

    def encode(self, reference: Reference) -> Encoded:
        """The record of one question.

        Raises:
            BadRecord: the image cannot be read or decoded.
        """
        fields, recipe = reference.fields, self.recipe
        tokens = self.tokenizer.encode(fields["question"])
        given = Counter(map(normalize_answer, fields["answers"]))
        known = sorted((self.answer_ids[a], n) for a, n in given.items() if a in self.answer_ids)
        values = {
            "question_id": fields["question_id"],
            "image_id": fields["image_id"],
            "image_jpeg": _read_jpeg(
                fields["image"], recipe.image_size, recipe.image_fit, recipe.jpeg_quality
            ),
            "question": fields["question"],
            "question_tokens": tokens[: recipe.max_tokens],
            "question_type": fields["question_type"],
            "answers": fields["answers"],
            "answer_type": fields["answer_type"],
            "answer_ids": [answer for answer, _ in known],
            "answer_weights": [count / given.total() for _, count in known],
        }
        measures = {
            "question_tokens": len(tokens),
            "question_tokens_cut": max(len(tokens) - recipe.max_tokens, 0),
            "question_tokens_unknown": tokens.count(UNKNOWN),
            "answers_known": sum(count for _, count in known),
        }
        return Encoded(values, measures)


@lru_cache(maxsize=1)
def _read_jpeg(path: str, size: int, fit: Fit, quality: int) -> bytes:
    """The stored form of an image; its questions follow each other, so the last one is kept."""
    return encode_jpeg(read_image(path, size, fit), quality)
