"""How well translations agree with references: BLEU, chrF and exact matches."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.metrics.checks import check_some

if TYPE_CHECKING:
    from rnnpipe.metrics.corpus import Array

BleuTokenizer = Literal["13a", "intl", "zh", "char", "ja-mecab", "ko-mecab"]
"""How sacreBLEU cuts texts into words; `13a` knows no words of scripts without spaces."""

Utility = Literal["chrf", "bleu"]
"""How good a translation is where another one is right."""

_MAX_ORDER = 4  # of n-grams

LENGTHS = (5, 10, 15, 20, 30)
"""The last numbers of words of the bins of `length_bin`, but for the open one."""


def score_translations(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool = False,
    tokenize: BleuTokenizer = "13a",
) -> dict[str, float]:
    """BLEU and chrF as sacreBLEU computes them, and the share of exact matches.

    sacreBLEU does its own tokenization, so that both sides are plain text: nothing cut, the
    references as they came with the data.

    Args:
        hypotheses: the translations.
        references: a reference for each.
        lowercase: whether case counts for nothing, as with sacreBLEU's `-lc`.
        tokenize: what cuts the texts for BLEU, as sacreBLEU's `-tok`.

    Returns:
        `bleu` and `chrf`, from 0 to 100, and `exact`, a fraction.

    Raises:
        UserError: there is nothing to score, or not a reference for each translation.

    Example:
        >>> scores = score_translations(["A dog."], ["a dog."], lowercase=True)
        >>> {name: round(score, 1) for name, score in scores.items()}
        {'bleu': 0.0, 'chrf': 100.0, 'exact': 1.0}

    Source: Post, A Call for Clarity in Reporting BLEU Scores, 2018; Papineni et al., BLEU, 2002;
    Popović, chrF, 2015. A corpus without any four words in a row, as above, has no BLEU.
    """
    _check(hypotheses, references)
    scores = {
        name: float(metric.corpus_score(hypotheses, [references]).score)
        for name, metric in _metrics(lowercase, tokenize).items()
    }
    matches = [
        _fold(hypothesis, lowercase) == _fold(reference, lowercase)
        for hypothesis, reference in zip(hypotheses, references, strict=True)
    ]
    return {**scores, "exact": sum(matches) / len(matches)}


def count_ngrams(
    hypothesis: str, reference: str, *, lowercase: bool = False, tokenize: BleuTokenizer = "13a"
) -> list[int]:
    """The statistics of one sentence whose sums give the BLEU of a corpus, see `compute_bleu`.

    Returns:
        The lengths of both in words, then, for n from 1 to 4, matches and totals of n-grams.

    Example:
        >>> count_ngrams("a dog barks", "a dog sleeps")
        [3, 3, 2, 1, 0, 0, 3, 2, 1, 0]
    """
    score = _make_bleu(lowercase, tokenize).corpus_score([hypothesis], [[reference]])
    return [score.sys_len, score.ref_len, *score.counts, *score.totals]


def compute_bleu(sums: "Sequence[float] | Array") -> float:
    """The BLEU of a corpus, from 0 to 100, of the sums of `count_ngrams` over its sentences."""
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415  # only where scores are asked for

    words, reference_words, *ngrams = map(int, sums)
    matches, totals = ngrams[:_MAX_ORDER], ngrams[_MAX_ORDER:]
    # Of a corpus without any match of an order, `exp` decides, as in the signature.
    score = BLEU.compute_bleu(matches, totals, words, reference_words, smooth_method="exp")
    return float(score.score)


def describe_metrics(*, lowercase: bool = False, tokenize: BleuTokenizer = "13a") -> dict[str, str]:
    """The signatures of `bleu` and `chrf` that sacreBLEU gives, for others to compute the same.

    Example:
        >>> describe_metrics(lowercase=True)["bleu"].partition("|version")[0]
        'nrefs:1|case:lc|eff:no|tok:13a|smooth:exp'
    """
    signatures = {}
    for name, metric in _metrics(lowercase, tokenize).items():
        metric.corpus_score(["a"], [["a"]])  # the number of references is part of it
        signatures[name] = str(metric.get_signature())
    return signatures


def score_sentence(hypothesis: str, reference: str, *, lowercase: bool = False) -> float:
    """The chrF of one sentence, from 0 to 100: BLEU says little of a single one.

    Example:
        >>> score_sentence("a dog", "a dog")
        100.0
    """
    metric = _metrics(lowercase)["chrf"]
    return float(metric.sentence_score(hypothesis, [reference]).score)


def expected_utilities(
    texts: Sequence[str],
    weights: Sequence[float] | None = None,
    *,
    utility: Utility = "chrf",
    lowercase: bool = False,
) -> list[float]:
    """How good each of several translations of one source is, if one of them is right.

        E[u(i)] = Σⱼ wⱼ u(textᵢ, textⱼ) / Σⱼ wⱼ

    Args:
        texts: the candidates, which are the references too.
        weights: how likely each of them is; None: all alike.
        utility: chrF, or the BLEU of a sentence with its effective order.
        lowercase: whether case counts for nothing.

    Returns:
        From 0 to 100 for each of them.

    Example:
        >>> utilities = expected_utilities(["a dog", "a dog", "the cat"], utility="bleu")
        >>> [round(utility, 1) for utility in utilities]
        [66.7, 66.7, 33.3]

    Source: Kumar and Byrne, Minimum Bayes-Risk Decoding for Statistical Machine Translation, 2004;
    of samples: Eikema and Aziz, Is MAP Decoding All You Need?, 2020, section 5.
    """
    metric = _make_utility(utility, lowercase)
    shares: dict[str, float] = {}
    for text, weight in zip(texts, weights or [1.0] * len(texts), strict=True):
        shares[text] = shares.get(text, 0.0) + weight
    total = sum(shares.values())
    expected = {
        text: sum(
            share * float(metric.sentence_score(text, [other]).score)
            for other, share in shares.items()
        )
        / total
        for text in shares
    }
    return [expected[text] for text in texts]


def length_bin(text: str) -> str:
    """Which bin of lengths, in words, a text belongs to.

    Example:
        >>> length_bin("a dog"), length_bin("word " * 6), length_bin("word " * 40)
        ('1-5', '6-10', '31+')
    """
    words, first = len(text.split()), 1
    for last in LENGTHS:
        if words <= last:
            return f"{first}-{last}"
        first = last + 1
    return f"{first}+"


def _metrics(lowercase: bool, tokenize: BleuTokenizer = "13a") -> dict[str, Any]:
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415  # only where scores are asked for

    return {"bleu": _make_bleu(lowercase, tokenize), "chrf": CHRF(lowercase=lowercase)}


@cache
def _make_bleu(lowercase: bool, tokenize: BleuTokenizer) -> Any:
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415  # as above

    # `force`: a model that sets punctuation apart is scored all the same, 13a sets it apart too.
    return BLEU(lowercase=lowercase, force=True, tokenize=tokenize)


@cache
def _make_utility(utility: Utility, lowercase: bool) -> Any:
    if utility == "chrf":
        return _metrics(lowercase)["chrf"]
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415  # as above

    return BLEU(lowercase=lowercase, force=True, effective_order=True)


def _fold(text: str, lowercase: bool) -> str:
    return text.strip().lower() if lowercase else text.strip()


def _check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    check_some("translations", hypotheses)
    if len(hypotheses) != len(references):
        expected = f"a reference for each of {len(hypotheses)}"
        raise UserError("translations", expected, str(len(references)), "pair them")
