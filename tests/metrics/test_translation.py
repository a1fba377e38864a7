import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics.translation import (
    describe_metrics,
    length_bin,
    score_sentence,
    score_translations,
)

HYPOTHESES = ["the cat sat on the mat .", "a dog runs in the park", "two men talk"]
REFERENCES = ["The cat sat on a mat.", "A dog runs through the park", "two men talk"]


def ngrams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def bleu(hypotheses, references):
    """BLEU of lines that are tokenized already, from its definition."""
    logs = []
    for n in range(1, 5):
        matched = total = 0
        for hypothesis, reference in zip(hypotheses, references, strict=True):
            left = ngrams(reference, n)
            for gram in ngrams(hypothesis, n):
                total += 1
                if gram in left:
                    left.remove(gram)
                    matched += 1
        logs.append(np.log(matched / total))
    said, wanted = (sum(map(len, lines)) for lines in (hypotheses, references))
    return 100 * min(1.0, np.exp(1 - wanted / said)) * np.exp(np.mean(logs))


def test_bleu_equals_its_definition_on_text_that_13a_cuts():
    cut = [reference.lower().replace(".", " .").split() for reference in REFERENCES]
    expected = bleu([hypothesis.split() for hypothesis in HYPOTHESES], cut)
    scores = score_translations(HYPOTHESES, REFERENCES, lowercase=True)
    assert scores["bleu"] == pytest.approx(expected, rel=1e-9)
    assert scores["exact"] == pytest.approx(1 / 3)


def test_scores_are_case_sensitive_unless_lowercased():
    upper = [reference.upper() for reference in REFERENCES]
    assert score_translations(upper, REFERENCES)["exact"] == 0
    folded = score_translations(upper, REFERENCES, lowercase=True)
    assert folded == pytest.approx({"bleu": 100, "chrf": 100, "exact": 1})


def test_signatures_contain_the_case():
    assert "case:lc" in describe_metrics(lowercase=True)["bleu"]
    assert "case:mixed" in describe_metrics(lowercase=False)["bleu"]
    assert "nc:6" in describe_metrics()["chrf"]


def test_the_score_of_a_sentence_grows_with_its_matches():
    scores = [score_sentence(said, "a small dog") for said in ("xyz", "a big dog", "a small dog")]
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[-1] == 100


@pytest.mark.parametrize(("words", "label"), [(0, "1-5"), (5, "1-5"), (6, "6-10"), (31, "31+")])
def test_lengths_fall_into_bins(words, label):
    assert length_bin("w " * words) == label


def test_wrong_numbers_of_texts_are_refused():
    with pytest.raises(UserError, match="expected at least one, got none"):
        score_translations([], [])
    with pytest.raises(UserError, match="expected a reference for each of 2, got 1"):
        score_translations(["a", "b"], ["a"])
