"""Evaluation of translations beside baselines without a model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal

import keras
import tensorflow as tf

from rnnpipe.metrics.translation import (
    BleuTokenizer,
    length_bin,
    score_sentence,
    score_translations,
)
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.beam_decoder import Hypothesis
from rnnpipe.tasks.perplexity import measure_perplexity
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.translation.alignment_errors import measure_alignment_errors
from rnnpipe.tasks.translation.baselines import WordByWord
from rnnpipe.tasks.translation.report import make_report_items
from rnnpipe.tasks.translation.results import Row, TranslatedSplit
from rnnpipe.tasks.translation.search import TranslationSearch
from rnnpipe.tasks.translation.texts import TranslationTexts
from rnnpipe.text.tokenizer import Tokenizer

_LEARNT_FROM = 50_000  # training pairs that the dictionary is made of, at most
_TOKENS = ("source_tokens", "target_tokens")


def evaluate(
    model: keras.Model,
    records: RecordsDirectory,
    split: str,
    batches: tf.data.Dataset,
    search: TranslationSearch,
    texts: TranslationTexts,
    *,
    aligned: tf.data.Dataset | None,
    lowercase: bool,
    bleu_tokenizer: BleuTokenizer,
    unseen_lengths: Literal["together", "apart"],
) -> Evaluation:
    """Scores a model and two baselines on a split, the text that comes out against the raw one.

    The baselines copy the source, and translate word by word with a dictionary that is counted out
    of the training pairs.

    Args:
        model: what `build_translator` made.
        records: the records.
        split: which of their splits.
        batches: of (inputs, targets) of the split, for the perplexity.
        search: finds the translations.
        texts: makes texts of them.
        aligned: the batches with the alignments of the records; None: they have none.
        lowercase: whether case counts for nothing.
        bleu_tokenizer: what cuts texts into words for BLEU.
        unseen_lengths: whether sources longer than all of training count in the main scores;
            where all of them are, they do.
    """
    tokenizer = Tokenizer.load(records.path / TARGET)
    translated = _translate(search, records, split, texts, unseen_lengths)
    scores = _score_model(translated, lowercase, bleu_tokenizer)
    scores["perplexity"] = measure_perplexity(model, batches)
    if aligned is not None:
        scores["alignment_error_rate"] = measure_alignment_errors(model, aligned)
    pairs = zip(translated.rows, translated.counted, strict=True)
    main = [row for row, counts in pairs if counts]
    references = [row["target"] for row in main]
    for name, translations in _baselines(records, main, tokenizer).items():
        for metric, value in score_translations(
            translations, references, lowercase=lowercase, tokenize=bleu_tokenizer
        ).items():
            scores[f"baseline/{name}/{metric}"] = value
    return Evaluation(
        scores,
        [
            _describe(*each, lowercase)
            for each in zip(
                translated.rows,
                translated.hypotheses,
                translated.texts,
                translated.counted,
                strict=True,
            )
        ],
        make_report_items(
            records, translated, scores, lowercase=lowercase, bleu_tokenizer=bleu_tokenizer
        ),
    )


def score_search(
    search: TranslationSearch,
    texts: TranslationTexts,
    records: RecordsDirectory,
    split: str,
    *,
    lowercase: bool,
    bleu_tokenizer: BleuTokenizer,
    unseen_lengths: Literal["together", "apart"],
) -> dict[str, float]:
    """The scores of translations of a split, without baselines and perplexity, see `evaluate`."""
    translated = _translate(search, records, split, texts, unseen_lengths)
    return _score_model(translated, lowercase, bleu_tokenizer)


def _translate(
    search: TranslationSearch,
    records: RecordsDirectory,
    split: str,
    texts: TranslationTexts,
    unseen_lengths: Literal["together", "apart"],
) -> TranslatedSplit:
    rows = list(records.read(split))
    found = search([row["source_tokens"] for row in rows])
    translations = [texts(each, row["source"]) for each, row in zip(found, rows, strict=True)]
    known = _find_known_lengths(records, rows)
    together = unseen_lengths == "together" or not any(known)
    return TranslatedSplit(
        rows,
        [[each.hypothesis for each in of_row] for of_row in translations],
        [[each.text for each in of_row] or [""] for of_row in translations],
        known,
        [together or is_known for is_known in known],
    )


def _find_known_lengths(records: RecordsDirectory, rows: Sequence[Row]) -> list[bool]:
    histogram = records.stats["splits"]["train"]["histograms"]["source_tokens"]
    longest = max(map(int, histogram))
    # By the raw text: the tokens of these splits are cut where training's longest pairs may end.
    whole = Tokenizer.load(records.path / SOURCE).encode_batch(row["source"] for row in rows)
    return [len(tokens) <= longest for tokens in whole]


def _score_model(
    translated: TranslatedSplit, lowercase: bool, tokenizer: BleuTokenizer
) -> dict[str, float]:
    """The main scores, those of each bin of lengths, and those of lengths unseen in training."""
    groups: dict[str, list[int]] = {"": []}
    for index, row in enumerate(translated.rows):
        if translated.counted[index]:
            groups[""].append(index)
            groups.setdefault(f"/source_words/{length_bin(row['source'])}", []).append(index)
        if not translated.known[index]:
            groups.setdefault("/unseen_lengths", []).append(index)
    return {
        f"{metric}{group}": value
        for group, indices in groups.items()
        for metric, value in score_translations(
            [translated.texts[i][0] for i in indices],
            [translated.rows[i]["target"] for i in indices],
            lowercase=lowercase,
            tokenize=tokenizer,
        ).items()
    }


def _baselines(
    records: RecordsDirectory, rows: Sequence[Row], tokenizer: Tokenizer
) -> dict[str, list[str]]:
    training = islice(records.read("train", _TOKENS), _LEARNT_FROM)
    dictionary = WordByWord((pair["source_tokens"], pair["target_tokens"]) for pair in training)
    return {
        "copy_of_the_source": [row["source"] for row in rows],
        "word_by_word": [tokenizer.decode(dictionary(row["source_tokens"])) for row in rows],
    }


def _describe(
    row: Row,
    hypotheses: Sequence[Hypothesis],
    texts: Sequence[str],
    counted: bool,
    lowercase: bool,
) -> dict[str, Any]:
    return {
        "pair_id": row["pair_id"],
        "source": row["source"],
        "reference": row["target"],
        "prediction": texts[0],
        "counted": counted,
        "chrf": round(score_sentence(texts[0], row["target"], lowercase=lowercase), 2),
        "n_best": [
            {
                "text": text,
                "score": round(one.score, 4),
                "token_probability": round(one.probability, 4),
            }
            for text, one in zip(texts, hypotheses, strict=False)
        ],
    }
