"""How VQA records are made: images resized, questions tokenized, answers as soft targets."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.metrics.vqa import normalize_answer
from rnnpipe.records.layout import ANSWERS
from rnnpipe.records.specs import VQA, VQA_FEATURES
from rnnpipe.settings import Settings, setting
from rnnpipe.sources.source import Reference
from rnnpipe.sources.vqa.source import VqaSource
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import UNKNOWN
from rnnpipe.transforms.options import Data
from rnnpipe.transforms.recipes.base import Counts, Encoded
from rnnpipe.transforms.recipes.feature_recipe import FeatureRecipe
from rnnpipe.transforms.recipes.image_records import ImageRecordEncoder, ImageRecordOptions
from rnnpipe.transforms.recipes.tokenization import EmbeddedTextOptions, count_words

_WORDS, _ANSWERS, _ANSWERS_BY_TYPE = "words", "answers", "answers by question type"


class AnswerOptions(Settings):
    """Which answers the model knows: the most frequent ones of the training split."""

    max_answers: int = setting(1000, "how many at most", ge=1)
    min_answer_count: int = setting(1, "how many people must have given an answer", ge=1)


class VqaRecordOptions(ImageRecordOptions):
    """How VQA records are made."""

    question: EmbeddedTextOptions = EmbeddedTextOptions(vocabulary=2000, max_tokens=20)
    answers: AnswerOptions = AnswerOptions()


class VqaRecipe(VqaRecordOptions, FeatureRecipe):
    """How VQA records are made; each has a question, its image and its answers."""

    specs = (VQA, VQA_FEATURES)

    def count(self, reference: Reference) -> Iterator[tuple[str, str]]:
        """The words of the question and the answers that people gave to it."""
        fields = reference.fields
        yield from count_words(self.question.normalizer, _WORDS, fields["question"])
        for answer in map(normalize_answer, fields["answers"]):
            yield _ANSWERS, answer
            yield _ANSWERS_BY_TYPE, f"{fields['question_type']}\t{answer}"

    def learn(self, counts: Counts, folder: Path) -> "VqaEncoder":
        """The tokenizer and the answers that the model knows; both are saved in `folder`.

        Raises:
            UserError: no answer was given by enough people, or the backbone cannot be made.
        """
        recipe = self.for_workers()
        answers = self._known_answers(counts)
        if not answers:
            most = max(counts[_ANSWERS].values(), default=0)
            raise UserError(
                "data.answers.min_answer_count",
                f"at least one answer that {self.answers.min_answer_count} people gave",
                f"none: the most frequent one was given {most} times",
                "lower the threshold or give more raw data",
            )
        tokenizer = self.question.learn(counts[_WORDS], folder)
        (folder / ANSWERS).write_text(
            json.dumps(answers, indent=0, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        return VqaEncoder(recipe, tokenizer, {answer: i for i, answer in enumerate(answers)})

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
        enough = {
            a: n for a, n in counts[_ANSWERS].items() if n >= self.answers.min_answer_count and a
        }
        return sorted(enough, key=lambda answer: (-enough[answer], answer))[
            : self.answers.max_answers
        ]


def _most_frequent(counts: Counter[str]) -> str:
    return min(counts, key=lambda answer: (-counts[answer], answer))


@dataclass(frozen=True)
class VqaEncoder(ImageRecordEncoder):
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
        """The record of a question; what `encode_all` makes features of has pixels in their place.

        Raises:
            BadRecord: the image cannot be read or decoded.
        """
        fields, longest = reference.fields, self.recipe.question.max_tokens
        tokens = self.tokenizer.encode(fields["question"])
        given = Counter(map(normalize_answer, fields["answers"]))
        known = sorted((self.answer_ids[a], n) for a, n in given.items() if a in self.answer_ids)
        image = self.recipe.read_image(fields["image"])
        values = {
            "question_id": fields["question_id"],
            "image_id": fields["image_id"],
            **image.values,
            "question": fields["question"],
            "question_tokens": tokens[:longest],
            "question_type": fields["question_type"],
            "answers": fields["answers"],
            "answer_type": fields["answer_type"],
            "answer_ids": [answer for answer, _ in known],
            "answer_weights": [count / given.total() for _, count in known],
        }
        measures = {
            "question_tokens": len(tokens),
            "question_tokens_cut": max(len(tokens) - longest, 0),
            "question_tokens_unknown": tokens.count(UNKNOWN),
            "answers_known": sum(count for _, count in known),
        }
        return Encoded(values, measures, image.contents)


class VqaData(VqaRecordOptions, Data):
    """Questions about images, and what is made of them."""

    recipe = VqaRecipe

    source: VqaSource
