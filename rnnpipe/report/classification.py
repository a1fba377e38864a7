"""Report items of classification: tables of scores, confusions, calibration, samples."""

from collections.abc import Mapping, Sequence

import numpy as np

from rnnpipe.metrics.classification import count_confusions, make_bins
from rnnpipe.report.items import (
    Answer,
    Calibration,
    Confusion,
    Gallery,
    Picture,
    ReportItem,
    Sample,
    Span,
    Table,
)
from rnnpipe.report.ranking import rank

OF_BASELINES = ("accuracy", "macro_f1", "log_loss", "calibration_error")
"""The scores of baselines that are kept, see `score_classes`."""

_CONFUSED, _TABLED = 14, 60  # classes
_SAMPLES, _ANSWERS = 10, 3


def report_classification(
    probabilities: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    scores: Mapping[str, float],
    baselines: Mapping[str, str],
    *,
    of: str,
) -> list[ReportItem]:
    """The scores, the classes, their confusions and the calibration of a classifier.

    Args:
        probabilities: `(records, classes)`.
        labels: the right class of each, `(records,)`.
        names: of the classes.
        scores: of the model, and of the baselines as `baseline/<name>/<metric>`.
        baselines: the title of each, by its name.
        of: what belongs to the classes, e.g. `text`.
    """
    return [
        tabulate_scores(scores, baselines),
        *report_classes(probabilities, labels, names, scores, of=of),
        calibrate(probabilities, labels, what=f"{of}s"),
    ]


def report_classes(
    probabilities: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    scores: Mapping[str, float],
    *,
    of: str,
    titles: tuple[str, str] = ("By class", "Classes taken for each other"),
    prefix: str = "",
) -> list[ReportItem]:
    """The classes with their scores, and how often each is taken for another.

    Args:
        probabilities: `(records, classes)`.
        labels: the right class of each, `(records,)`.
        names: of the classes.
        scores: with `<prefix>precision/<name>` and so on, see `score_classes`.
        of: what belongs to the classes, e.g. `text`.
        titles: of the table and of the confusion matrix.
        prefix: of the scores' names.
    """
    counts = np.bincount(labels, minlength=len(names))
    confusions = count_confusions(probabilities, labels)
    return [
        tabulate_classes(titles[0], counts, names, scores, what=f"{of}s", prefix=prefix),
        tabulate_confusions(titles[1], confusions, names, of=of),
    ]


def show_samples(
    right: Sequence[Sample], wrong: Sequence[Sample], *, legend: str, turns: str = "class"
) -> list[Gallery]:
    """The galleries of right and of wrong answers, which `pick_samples` has chosen.

    Args:
        right: the right ones.
        wrong: the wrong ones.
        legend: what their pictures or shades mean.
        turns: what the right ones are from in turn.
    """
    spread = f"From every {turns} in turn. {legend}".strip()
    surest = f"Wrong answers of which the model was surest. {legend}".strip()
    return [Gallery("Right answers", spread, right), Gallery("Worst errors", surest, wrong)]


def tabulate_scores(scores: Mapping[str, float], baselines: Mapping[str, str]) -> Table:
    """The scores of a model and of its baselines.

    Args:
        scores: of the model, and of the baselines as `baseline/<name>/<metric>`.
        baselines: what to call each, by its name.
    """
    prefixes = {"model": "", **{shown: f"baseline/{name}/" for name, shown in baselines.items()}}
    return Table(
        "Model and baselines",
        ("", *(metric.replace("_", " ").replace("f1", "F1") for metric in OF_BASELINES)),
        [
            (model, *(scores[f"{prefix}{metric}"] for metric in OF_BASELINES))
            for model, prefix in prefixes.items()
        ],
        note="The log loss is in nats. The calibration error is by how much the model's confidence "
        "and its accuracy differ, on average.",
        highlight=0,
    )


def tabulate_classes(
    title: str,
    counts: np.ndarray,
    names: Sequence[str],
    scores: Mapping[str, float],
    *,
    what: str,
    prefix: str = "",
) -> Table:
    """Precision, recall and F1 of each class, the most frequent ones first.

    Args:
        title: of the table.
        counts: how often each class occurs.
        names: of the classes.
        scores: with `<prefix>precision/<name>` and so on, see `score_classes`.
        what: what belongs to the classes, e.g. `texts`.
        prefix: of the scores' names.
    """
    order = np.argsort(-counts, kind="stable")[:_TABLED]
    metrics = [f"{prefix}{metric}" for metric in ("precision", "recall", "f1")]
    return Table(
        title,
        ("class", what, "precision", "recall", "F1"),
        [
            (names[c], int(counts[c]), *(scores[f"{metric}/{names[c]}"] for metric in metrics))
            for c in order
        ],
        note=f"The {_TABLED} most frequent classes." if len(names) > _TABLED else "",
        highlight="F1",
    )


def tabulate_confusions(
    title: str, counts: np.ndarray, names: Sequence[str], *, of: str
) -> Confusion:
    """The confusion matrix of the most frequent classes.

    Args:
        title: of the table.
        counts: `counts[right][given]`, see `count_confusions`.
        names: of the classes.
        of: what belongs to them, e.g. `text`.
    """
    order = np.argsort(-counts.sum(axis=1), kind="stable")[:_CONFUSED]
    shown = f", of the {_CONFUSED} most frequent classes" if len(names) > _CONFUSED else ""
    return Confusion(
        title,
        [names[c] for c in order],
        counts[np.ix_(order, order)].tolist(),
        note=f"The class of the {of} against what the model predicted{shown}.",
    )


def calibrate(probabilities: np.ndarray, labels: np.ndarray, *, what: str) -> Calibration:
    """The calibration of confidences.

    Args:
        probabilities: `(records, classes)`.
        labels: the right class of each, `(records,)`.
        what: what belongs to the classes, e.g. `texts`.
    """
    return Calibration(
        "Calibration",
        [
            (each.confidence, each.accuracy, each.count)
            for each in make_bins(probabilities, labels)
            if each.count
        ],
        note=f"{what.capitalize()} of which the model was about equally sure, against the share "
        f"that it got right; the area of a circle is the number of {what}. On the dashed line a "
        "model is right as often as it is sure; below it, it is too sure.",
    )


def pick_samples(probabilities: np.ndarray, labels: np.ndarray) -> tuple[list[int], list[int]]:
    """A few records to show: right ones, of every class in turn, and the surest wrong ones.

    Args:
        probabilities: `(records, classes)`.
        labels: the right class of each, `(records,)`.
    """
    given, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(given != labels)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")][:_SAMPLES]
    return _spread(np.flatnonzero(given == labels), labels), wrong.tolist()


def _spread(candidates: np.ndarray, labels: np.ndarray) -> list[int]:
    """A few of the candidates, one of each class in turn."""
    place: dict[int, int] = {}
    turns = []
    for index in candidates.tolist():
        turn = place.setdefault(int(labels[index]), 0)
        place[int(labels[index])] += 1
        turns.append((turn, int(labels[index]), index))
    return [index for _, _, index in sorted(turns)[:_SAMPLES]]


def make_sample(
    probabilities: np.ndarray,
    names: Sequence[str],
    label: int,
    *,
    subtitle: str,
    pictures: Sequence[Picture] = (),
    spans: Sequence[Span] = (),
) -> Sample:
    """A record with the likeliest classes as answers.

    Args:
        probabilities: of the classes, `(classes,)`.
        names: of the classes.
        label: the right class.
        subtitle: of the sample, e.g. the record's name.
        pictures: of the record.
        spans: of its text.
    """
    true, predicted = names[label], names[int(probabilities.argmax())]
    return Sample(
        title=sample_title(predicted, true),
        subtitle=subtitle,
        right=predicted == true,
        pictures=pictures,
        answers=list_answers(probabilities, names, true),
        spans=spans,
    )


def sample_title(predicted: str, label: str) -> str:
    """The title of a sample: the predicted class, and the true one if it differs."""
    return label if predicted == label else f"{predicted}, but it is {label}"


def list_answers(
    probabilities: Sequence[float] | np.ndarray, names: Sequence[str], label: str
) -> list[Answer]:
    """The likeliest classes of a record as answers."""
    found = rank(probabilities, names)[:_ANSWERS]
    return [Answer(name, probability, name == label) for name, probability in found]
