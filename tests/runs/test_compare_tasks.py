"""Comparisons of every task, with metrics that are no accuracies among them."""

import math

import numpy as np
import pytest

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.metrics.captions import score_captions
from rnnpipe.metrics.translation import score_sentence, score_translations
from rnnpipe.tasks import find_tasks
from tests.report.page_reader import Reader
from tests.runs.evaluated import classified, make_evaluated
from tests.without_modules import call_with

WORDS = ["data.symbols=word", "train.keep_best.metric=perplexity"]
REFERENCES = ["the cat sat on the mat", "a dog runs in the park", "two men talk in the rain"]
GOOD = [*REFERENCES[:2], "two men walk in the rain"]
BAD = [REFERENCES[0], "a dog in park", "men talk"]


def translated(texts, counted=(True, True, True)):
    return [
        {
            "pair_id": f"test:{number}",
            "source": f"source {number}",
            "reference": reference,
            "prediction": text,
            "counted": counts,
            "chrf": score_sentence(text, reference),
        }
        for number, (reference, text, counts) in enumerate(
            zip(REFERENCES, texts, counted, strict=True)
        )
    ]


def captioned(texts, scores):
    return [
        {"image_id": number, "captions": [reference], "prediction": text, "cider_d": score}
        for number, (reference, text, score) in enumerate(
            zip(REFERENCES, texts, scores, strict=True)
        )
    ]


def answered(scores):
    return [
        {
            "question_id": number,
            "image_id": 1,
            "question": "Which colour?",
            "answers": ["red", "red", "blue"],
            "prediction": "red",
            "vqa_accuracy": score,
        }
        for number, score in enumerate(scores)
    ]


def heard(texts):
    return [
        {"utterance_id": f"{number}.wav", "reference": reference, "prediction": text}
        for number, (reference, text) in enumerate(zip(["two dogs", "a cat"], texts, strict=True))
    ]


def labeled(predictions):
    return [
        {
            "video_id": f"clip:{number}",
            "frames": 4,
            "frame_labels": [[0, 2, "left"], [2, 3, "up"], [3, 4, None]],
            "frame_predictions": [[0, end, "left"], [end, 4, "up"]],
            "clip_label": "spin",
            "clip_prediction": clip,
        }
        for number, (end, clip) in enumerate(predictions)
    ]


def read_text(bits):
    return [
        {"document": "a", "number": number, "characters": 10, "tokens": 4, "bits_per_char": cost}
        for number, cost in enumerate(bits)
    ]


def of_shapes(answers):
    return [
        {"image_name": f"{number}.png", "label": "star", "prediction": answer}
        for number, answer in enumerate(answers)
    ]


RUNS = {
    "text_classification": ("sentiment", classified(["pos", "neg"]), classified(["pos", "pos"])),
    "image_classification": ("glimpse", of_shapes(["star", "cross"]), of_shapes(["star", "star"])),
    "vqa": ("vqa", answered([0.3, 1.0]), answered([0.6, 1.0])),
    "translation": ("translation", translated(BAD), translated(GOOD)),
    "captioning": ("captioning", captioned(BAD, [9, 2, 1]), captioned(GOOD, [9, 9, 5])),
    "video_labeling": (
        "video",
        labeled([(1, "spin"), (2, "halt")]),
        labeled([(2, "spin"), (2, "spin")]),
    ),
    "language_model": ("language_model", read_text([2.0, 3.0]), read_text([1.5, 3.0])),
    "speech": ("speech", heard(["ten dogs", "a cup"]), heard(["two dogs", "a cat"])),
}
"""The config of each task, the predictions of a run, and those of a better one."""

VALUES = {
    "text_classification": {"accuracy": [0.5, 1.0]},
    "image_classification": {"accuracy": [0.5, 1.0]},
    "vqa": {"vqa_accuracy": [0.65, 0.8]},
    "translation": {
        "bleu": [score_translations(texts, REFERENCES)["bleu"] for texts in (BAD, GOOD)]
    },
    "captioning": {
        "bleu_4": [
            score_captions({i: [r] for i, r in enumerate(REFERENCES)}, dict(enumerate(texts)))[
                "bleu_4"
            ]
            for texts in (BAD, GOOD)
        ],
        "cider_d": [4.0, 23 / 3],
    },
    "video_labeling": {"frame_accuracy": [5 / 6, 1.0], "clip_accuracy": [0.5, 1.0]},
    "language_model": {"bits_per_char": [2.5, 2.25]},
    "speech": {"wer": [0.5, 0.0], "cer": [4 / 13, 0.0]},
}


def test_every_task_is_here():
    assert set(RUNS) == set(VALUES) == set(find_tasks())


@pytest.fixture
def compare(tmp_path):
    """Compares runs of a config, by their rows of predictions and their settings."""

    def compare(name, *runs):
        paths = [
            make_evaluated(tmp_path / f"run-{number}", name, rows, settings=settings).path
            for number, (rows, settings) in enumerate(runs, start=1)
        ]
        return rnnpipe.compare(*paths, output=tmp_path / "page.html", verbose=False)

    return compare


@pytest.mark.parametrize("task", RUNS)
def test_runs_of_every_task_are_compared(task, compare, tmp_path):
    name, worse, better = RUNS[task]
    comparison = compare(name, (worse, []), (better, []))
    metrics = comparison.splits["test"].metrics
    values = {name: [score.value for score in each.scores] for name, each in metrics.items()}
    assert values == {name: pytest.approx(each) for name, each in VALUES[task].items()}
    text = Reader((tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "test: run-2 is " in text
    assert "test: run-1 is " not in text  # of lower bits it is the higher ones that are worse


def test_perplexities_are_those_of_words(compare):
    runs = [(read_text(bits), WORDS) for bits in ([2.0, 3.0], [1.0, 2.0])]
    (table,) = compare("language_model", *runs).tables
    assert [row[1] for row in table.rows] == pytest.approx([2 ** (50 / 8), 2 ** (30 / 8)])


def test_translations_that_do_not_count_are_not_compared(compare):
    counted = (True, True, False)
    comparison = compare("translation", (translated(BAD, counted), []), (translated(GOOD), []))
    paired = comparison.splits["test"]
    expected = score_translations(BAD[:2], REFERENCES[:2])["bleu"]
    assert paired.metrics["bleu"].scores[0].value == expected
    np.testing.assert_array_equal(np.isnan(paired.record_scores), [[0, 0, 1], [0, 0, 0]])


def test_sentences_are_judged_by_metrics_for_sentences(compare, tmp_path):
    compare("translation", (translated(BAD), []), (translated(GOOD), []))
    text = Reader((tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "By the chrf of each record alone." in text
    assert f"run-1 men talk ({score_sentence('men talk', REFERENCES[2]):.3g})" in text


def test_scores_that_are_no_numbers_are_shown_as_they_are(compare, tmp_path):
    diverged = read_text([math.inf, math.nan, 2.0])
    comparison = compare("language_model", (diverged, []), (read_text([math.inf, 3.0, 1.0]), []))
    assert [row[1] for row in comparison.tables[0].rows] == pytest.approx(
        [math.nan, math.inf], nan_ok=True
    )
    text = Reader((tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "test: run-2 is better than run-1" in text
    assert "run-1 2.0 (2) run-2 1.0 (1)" in text


def test_metrics_that_are_not_defined_alike_are_refused(compare):
    rows = translated(GOOD)
    with pytest.raises(UserError) as error:
        compare("translation", (rows, []), (rows, ["evaluate.lowercase=true"]))
    assert "run-2: expected bleu (mixed case, tokenizer 13a), as run-1, got " in str(error.value)
    assert "got bleu (lower case, tokenizer 13a); evaluate both runs alike" in str(error.value)


def test_bits_of_characters_are_not_compared_with_perplexities_of_words(compare):
    rows = read_text([1.0])
    with pytest.raises(UserError, match="expected bits_per_char, as run-1, got perplexity; "):
        compare("language_model", (rows, []), (rows, WORDS))


def test_predictions_that_lack_a_field_are_refused(tmp_path):
    rows = translated(GOOD)
    paths = [make_evaluated(tmp_path / name, "translation", rows) for name in ("one", "two")]
    text = paths[1].predictions.read_text().replace('"counted"', '"other"')
    paths[1].seal.write_text(paths[1].predictions, text)
    with pytest.raises(UserError) as error:
        rnnpipe.compare(*(run.path for run in paths), verbose=False)
    assert str(error.value) == (
        f"{paths[1].predictions}: expected rows with counted, got one without it; evaluate it "
        f"again with `rnnpipe evaluate {paths[1].path}`"
    )


@pytest.mark.parametrize("bits", ['""', "[1.5]", '"a"', "{}", "null"])
def test_predictions_with_something_else_than_numbers_are_refused(bits, tmp_path):
    rows = read_text([2.0, 3.0])
    paths = [make_evaluated(tmp_path / name, "language_model", rows) for name in ("one", "two")]
    text = paths[1].predictions.read_text().replace("3.0", bits)
    paths[1].seal.write_text(paths[1].predictions, text)
    with pytest.raises(UserError, match=r"/two/.*: expected rows that an evaluation of"):
        rnnpipe.compare(*(run.path for run in paths), verbose=False)


def test_predictions_without_an_answer_are_refused_where_it_is_shown(tmp_path):
    name, first, second = RUNS["vqa"]
    paths = [
        make_evaluated(tmp_path / str(number), name, rows)
        for number, rows in enumerate((first, second))
    ]
    text = paths[1].predictions.read_text().replace('"prediction"', '"other"')
    paths[1].seal.write_text(paths[1].predictions, text)
    page = tmp_path / "page.html"
    with pytest.raises(UserError, match=r"/1/.*: expected rows with prediction, got one without"):
        rnnpipe.compare(*(run.path for run in paths), output=page, verbose=False)


def test_a_comparison_needs_no_tensorflow(tmp_path):
    for name in ("one", "two"):
        make_evaluated(tmp_path / name, "language_model", read_text([2.0, 3.0]))
    done = call_with(["report"], "compare", "one", "two", cwd=tmp_path)
    assert done.stderr == ""
    assert done.returncode == 0
    assert "bits_per_char on test, 2 records" in done.stdout
    assert (tmp_path / "comparison.html").is_file()
