import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

from rnnpipe.errors import UserError
from rnnpipe.metrics.bootstrap import paired_bootstrap
from rnnpipe.metrics.translation import (
    compute_bleu,
    count_ngrams,
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


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("tokenize", ["13a", "char"])
@pytest.mark.parametrize("lines", [slice(None), slice(1), slice(1, 2)])
def test_the_bleu_of_sums_is_that_of_the_corpus(lowercase, tokenize, lines):
    options = {"lowercase": lowercase, "tokenize": tokenize}
    pairs = list(zip(HYPOTHESES[lines], REFERENCES[lines], strict=True))
    sums = np.sum([count_ngrams(*pair, **options) for pair in pairs], axis=0)
    expected = score_translations(*map(list, zip(*pairs, strict=True)), **options)["bleu"]
    assert compute_bleu(sums) == expected


def translate(sentences, share, seed):
    """Sentences of which a share of the words is replaced."""
    random = np.random.default_rng(seed)
    return [
        " ".join(word if random.random() > share else "xxx" for word in sentence.split())
        for sentence in sentences
    ]


def test_a_paired_bootstrap_agrees_with_that_of_sacrebleu():
    random = np.random.default_rng(0)
    lengths = random.integers(5, 15, size=150)
    references = [" ".join(map(str, random.integers(100, 999, size=n))) for n in lengths]
    systems = [translate(references, share, seed) for seed, share in enumerate((0.2, 0.185))]
    named = list(zip(("first", "second"), systems, strict=True))
    test = PairedTest(
        named, {"bleu": BLEU()}, [references], test_type="bs", n_samples=1000, n_jobs=1
    )
    _, theirs = test()
    statistics = np.array(
        [[count_ngrams(*p) for p in zip(lines, references, strict=True)] for lines in systems]
    )
    ours = paired_bootstrap(statistics, compute_bleu)
    for score, result in zip(ours.scores, theirs["BLEU"], strict=True):
        assert score.value == pytest.approx(result.score)
        assert (score.low + score.high) / 2 == pytest.approx(result.mean, abs=0.3)
        assert (score.high - score.low) / 2 == pytest.approx(result.ci, rel=0.1)
    p = theirs["BLEU"][1].p_value
    assert p is not None
    assert 0.02 < p < 0.3  # neither certain nor a coin
    assert ours.differences[0].p == pytest.approx(p, abs=0.04)
