"""How well captions agree with what people wrote: the scores of COCO's caption evaluation."""

import re
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from rnnpipe.errors import UserError
from rnnpipe.metrics.caption_tokens import tokenize_caption
from rnnpipe.metrics.checks import check_some
from rnnpipe.metrics.cider_d import CiderD
from rnnpipe.metrics.corpus import Array

__all__ = [
    "CiderD",
    "JavaMetric",
    "find_java_metrics",
    "score_captions",
    "score_with_java",
    "tokenize_caption",
]

JavaMetric = Literal["meteor", "spice"]

_JAVA_METRICS: tuple[JavaMetric, ...] = get_args(JavaMetric)

_SPICE_JAR = "stanford-corenlp-3.6.0.jar"
_SPICE_JAVA = range(8, 15)  # it runs JavaScript, which later ones no longer do

_Texts = dict[int, list[str]]


def score_captions(
    references: Mapping[int, Sequence[str]], candidates: Mapping[int, str]
) -> dict[str, float]:
    """The scores that papers on captions report, by the code of COCO's evaluation.

    References and candidates are plain text; `tokenize_caption` cuts both.

    Args:
        references: the captions that people wrote, by image.
        candidates: the caption to judge of each of these images.

    Returns:
        `bleu_1` to `bleu_4` and `rouge_l`, fractions; `cider` and `cider_d`, from 0 to 10: what
        COCO's evaluation calls CIDEr is CIDEr-D, so these are one number under both its names.
        `score_with_java` gives the others.

    Raises:
        UserError: there is nothing to score, or not a caption and a reference for each image.

    Example:
        >>> references = {1: ["A red circle.", "A circle in red."], 2: ["A blue square."]}
        >>> scores = score_captions(references, {1: "a red circle", 2: "a red square"})
        >>> {name: round(score, 2) for name, score in scores.items()}["bleu_1"]
        0.83

    Source:
        Chen et al., "Microsoft COCO Captions" (2015), section 3; `pycocoevalcap` 1.2.
    """
    from pycocoevalcap.bleu.bleu import Bleu  # noqa: PLC0415  # only where scores are asked for
    from pycocoevalcap.cider.cider import Cider  # noqa: PLC0415  # as above
    from pycocoevalcap.rouge.rouge import Rouge  # noqa: PLC0415  # as above

    truth, said = _cut_all(references, candidates)
    bleu, _ = Bleu(4).compute_score(truth, said, verbose=0)
    scores = {f"bleu_{n}": float(score) for n, score in enumerate(bleu, start=1)}
    scores["rouge_l"] = float(Rouge().compute_score(truth, said)[0])
    scores["cider"] = scores["cider_d"] = float(Cider().compute_score(truth, said)[0])
    return scores


def count_ngrams(references: Sequence[str], candidate: str) -> list[int]:
    """The statistics of one caption whose sums give the BLEU of many, see `compute_bleu_4`.

    Args:
        references: the captions that people wrote.
        candidate: the caption to judge.

    Returns:
        The lengths in tokens of the caption and of the reference that is closest in length, then,
        for n from 1 to 4, matches and totals of n-grams.

    Example:
        >>> count_ngrams(["A red circle.", "A circle in red."], "a red square")
        [3, 3, 2, 1, 0, 0, 3, 2, 1, 0]
    """
    from pycocoevalcap.bleu.bleu_scorer import (  # noqa: PLC0415  # as in `score_captions`
        cook_refs,
        cook_test,
    )

    cut = cook_refs([_cut(reference) for reference in references])
    counts = cook_test(_cut(candidate), cut, eff="closest")
    return [counts["testlen"], counts["reflen"], *counts["correct"], *counts["guess"]]


def compute_bleu_4(sums: Sequence[float] | Array) -> float:
    """The `bleu_4` of captions, a fraction, of the sums of `count_ngrams` over them."""
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer  # noqa: PLC0415  # as above

    length, closest, *ngrams = sums
    scorer = BleuScorer(special_reflen=closest)
    half = len(ngrams) // 2
    scorer.ctest = [{"testlen": length, "correct": ngrams[:half], "guess": ngrams[half:]}]
    bleu, _ = scorer.compute_score()
    return float(bleu[-1])


def score_with_java(
    references: Mapping[int, Sequence[str]], candidates: Mapping[int, str], metric: JavaMetric
) -> float:
    """METEOR or SPICE, a fraction, by the programs that COCO's evaluation calls.

    Args:
        references: as for `score_captions`.
        candidates: as for `score_captions`.
        metric: one of those that `find_java_metrics` finds.

    Raises:
        UserError: the program fails, or as for `score_captions`.

    Source:
        Denkowski & Lavie, "Meteor Universal" (2014); Anderson et al., "SPICE" (2016).
    """
    return {"meteor": _meteor, "spice": _spice}[metric](*_cut_all(references, candidates))


def find_java_metrics(
    wanted: Collection[JavaMetric] = _JAVA_METRICS,
) -> tuple[tuple[JavaMetric, ...], str]:
    """Which of the metrics that need Java can be computed here, and why the others cannot.

    Args:
        wanted: those that are of interest.

    Returns:
        Names for `score_with_java`, and a notice, which is empty where nothing is missing.
    """
    wanted = tuple(metric for metric in _JAVA_METRICS if metric in wanted)
    if not wanted:
        return (), ""
    java = _java_version()
    if java is None:
        names = " and ".join(metric.upper() for metric in wanted)
        are, need = ("is", "it needs") if len(wanted) == 1 else ("are", "they need")
        return (), f"{names} {are} left out: {need} Java, and no program `java` runs"
    lacks = _lacks_of_spice(java) if "spice" in wanted else []
    if lacks:
        there = tuple(metric for metric in wanted if metric != "spice")
        return there, f"SPICE is left out: it needs {', and '.join(lacks)}"
    return wanted, ""


def _lacks_of_spice(java: int) -> list[str]:
    folder, lacks = _folder() / "spice" / "lib", []
    if java not in _SPICE_JAVA:
        lacks.append(f"Java {_SPICE_JAVA[0]} to {_SPICE_JAVA[-1]} (here is {java})")
    if not (folder / _SPICE_JAR).is_file():
        models = _SPICE_JAR.replace(".jar", "-models.jar")
        lacks.append(f"{_SPICE_JAR} and {models} of Stanford CoreNLP in {folder}")
    return lacks


def _java_version() -> int | None:
    """8 of `1.8.0_392`, 17 of `17.0.15`; None where no Java runs."""
    java = shutil.which("java")
    if java is None:
        return None
    result = subprocess.run([java, "-version"], check=False, capture_output=True, text=True)
    found = re.search(r'version "(?:1\.)?(\d+)', result.stderr)
    return int(found[1]) if found and result.returncode == 0 else None


def _folder() -> Path:
    spec = find_spec("pycocoevalcap")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("pycocoevalcap", "the package", "none", "run `pip install pycocoevalcap`")
    return Path(spec.submodule_search_locations[0])


def _meteor(truth: _Texts, said: _Texts) -> float:
    from pycocoevalcap.meteor.meteor import Meteor  # noqa: PLC0415  # needs Java

    scorer = Meteor()
    try:
        return float(scorer.compute_score(truth, said)[0])
    except (OSError, ValueError) as fault:  # it has ended, or says something else than scores
        raise _failed("METEOR", fault) from fault
    finally:  # it kills its process, but leaves these open, and its lock shut where it failed
        if scorer.lock.locked():
            scorer.lock.release()
        with suppress(BrokenPipeError):  # what it did not read any more is of no use
            scorer.meteor_p.stdin.close()
        scorer.meteor_p.stdout.close()
        scorer.meteor_p.stderr.close()


def _spice(truth: _Texts, said: _Texts) -> float:
    from pycocoevalcap.spice.spice import Spice  # noqa: PLC0415  # needs Java

    try:
        return float(Spice().compute_score(truth, said)[0])
    except (OSError, ValueError, subprocess.CalledProcessError) as fault:
        raise _failed("SPICE", fault) from fault


def _failed(metric: str, fault: Exception) -> UserError:
    fix = "mend Java, or leave the metric out"
    return UserError(metric, "a score from its Java program", str(fault) or "nothing", fix)


def _cut_all(
    references: Mapping[int, Sequence[str]], candidates: Mapping[int, str]
) -> tuple[_Texts, _Texts]:
    _check(references, candidates)
    truth = {image: [_cut(text) for text in texts] for image, texts in references.items()}
    return truth, {image: [_cut(candidates[image])] for image in references}


def _cut(text: str) -> str:
    return " ".join(tokenize_caption(text))


def _check(references: Mapping[int, Sequence[str]], candidates: Mapping[int, str]) -> None:
    check_some("captions", references)
    if references.keys() != candidates.keys():
        missing, odd = len(references.keys() - candidates.keys()), candidates.keys() - references
        got = f"{missing} images without one, {len(odd)} captions of other images"
        raise UserError("captions", f"one for each of {len(references)} images", got, "pair them")
    bare = [image for image, texts in references.items() if not texts]
    if bare:
        expected, got = "at least one reference for each image", f"none for {bare[0]}"
        raise UserError("references", expected, got, "leave the image out")
