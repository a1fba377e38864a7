"""Tables of how classes are told apart, whatever it is that belongs to them."""

from collections.abc import Mapping, Sequence

import numpy as np

from rnnpipe.tasks.exhibits import Confusion, Table

_CONFUSED, _TABLED = 14, 60  # classes


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
    """How often each class was taken for each, of the most frequent ones.

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
        note=f"The class of the {of} against what the model said{shown}.",
    )
