"""Evaluation of recognized texts beside baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnpipe.audio import LogMelOptions
from rnnpipe.metrics.speech import score_groups, score_transcripts
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.speech.recognition import Recognizer
from rnnpipe.tasks.speech.recordings import Drawing, RecordedSounds
from rnnpipe.tasks.speech.report import METRICS, make_report_items
from rnnpipe.tasks.speech.results import RecognizedSplit, Row, normalize_text
from rnnpipe.tasks.speech.transcripts import find_words, split_pieces
from rnnpipe.text.tokenizer import Tokenizer

MOST_FREQUENT = "most_frequent_text"

_SOUNDS = ("samples", "features")


def evaluate(
    recognizer: Recognizer,
    records: RecordsDirectory,
    split: str,
    batches: Iterable[Mapping[str, Any]],
    baselines: Mapping[str, Recognizer],
    *,
    log_mel: LogMelOptions,
    step: float,
) -> Evaluation:
    """Scores a model and its baselines on a split.

    Args:
        recognizer: the model.
        records: the records.
        split: which of their splits.
        batches: of `features` and `lengths`, in the records' order.
        baselines: models like it by name; the most frequent text of training is added to them.
        log_mel: the features that the model reads.
        step: seconds of a step of the model.
    """
    tokenizer = Tokenizer.load(records.path)
    recognized = recognize(recognizer, records, split, batches, step)
    scores = score(recognized)
    seconds = sum(row["duration"] for row in recognized.rows)
    scores["real_time_factor"] = recognizer.seconds / max(seconds, 1e-9)
    texts = {
        name: recognize(baseline, records, split, batches, step).best
        for name, baseline in baselines.items()
    }
    texts[MOST_FREQUENT] = [_find_most_frequent(records, tokenizer)] * len(recognized.rows)
    for name, found in texts.items():
        for metric, value in score_transcripts(found, recognized.references).items():
            scores[f"baseline/{name}/{metric}"] = value
    described = [_describe(recognized, index) for index in range(len(recognized.rows))]
    drawing = Drawing(recognizer, batches, recognized, tokenizer, log_mel, step)
    sounds = RecordedSounds(records, split)
    items = make_report_items(recognized, scores, drawing, sounds, log_mel.rate)
    return Evaluation(scores, described, items)


def score_recognizer(
    recognizer: Recognizer,
    records: RecordsDirectory,
    split: str,
    batches: Iterable[Mapping[str, Any]],
) -> dict[str, float]:
    """The scores of the texts of a split, without baselines, see `evaluate`."""
    return score(recognize(recognizer, records, split, batches, 1.0))


def recognize(
    recognizer: Recognizer,
    records: RecordsDirectory,
    split: str,
    batches: Iterable[Mapping[str, Any]],
    step: float,
) -> RecognizedSplit:
    """The texts of a split."""
    tokenizer = Tokenizer.load(records.path)
    fields = [name for name in records.spec.fields if name not in _SOUNDS]
    rows = list(records.read(split, fields))
    transcripts = recognizer(batches)
    return RecognizedSplit(
        rows,
        [normalize_text(row["text"], tokenizer) for row in rows],
        transcripts,
        [[tokenizer.decode(one.tokens) for one in each] or [""] for each in transcripts],
        [
            find_words(each[0], split_pieces(each[0].tokens, tokenizer), step) if each else []
            for each in transcripts
        ],
    )


def score(recognized: RecognizedSplit) -> dict[str, float]:
    """All scores, those of each speaker and of each bin of durations."""
    texts, references = recognized.best, recognized.references
    scores = score_transcripts(texts, references)
    for by in ("speaker", "seconds"):
        for group, found in score_groups(texts, references, recognized.groups(by)).items():
            if group:
                scores |= {f"{name}/{by}/{group}": found[name] for name in METRICS}
    return scores


def _find_most_frequent(records: RecordsDirectory, tokenizer: Tokenizer) -> str:
    texts = (row["text"] for row in records.read("train", ["text"]))
    counts = Counter(normalize_text(text, tokenizer) for text in texts)
    return min(counts, key=lambda text: (-counts[text], text))


def _describe(recognized: RecognizedSplit, index: int) -> dict[str, Any]:
    row: Row = recognized.rows[index]
    texts: Sequence[str] = recognized.texts[index]
    return {
        "utterance_id": row["utterance_id"],
        "speaker": row["speaker"],
        "duration": round(float(row["duration"]), 3),
        "text": row["text"],
        "reference": recognized.references[index],
        "prediction": texts[0],
        "words": [
            [word.text, round(word.start, 3), round(word.end, 3)]
            for word in recognized.words[index]
        ],
        "n_best": [
            {
                "text": text,
                "score": round(one.score, 4),
                "token_probability": round(one.probability, 4),
            }
            for text, one in zip(texts, recognized.transcripts[index], strict=False)
        ],
    }
