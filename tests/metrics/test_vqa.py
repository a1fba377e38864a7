import gzip
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnpipe.errors import UserError
from rnnpipe.metrics.contractions import CONTRACTIONS
from rnnpipe.metrics.vqa import answer_scores, normalize_answer, score_vqa, vqa_accuracy

PIECES = ["a", "an", "the", "dog", "Dont", "none", "ten", "1,000", "3.5", " ", "  ", "\t", "\n"]
PIECES += [*";/[]\"'{}()=+\\_-><@`,?!.:", "couldnt've", "5", "é", "I", "\u2003"]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
answer_lists = st.lists(texts, min_size=2, max_size=4).flatmap(
    lambda pool: st.lists(st.sampled_from(pool), min_size=1, max_size=10)
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Yes", "yes"),
        ("  a\tbig\nDog ", "big dog"),
        ("two", "2"),
        ("None", "0"),
        ("eleven", "eleven"),
        ("an apple.", "apple"),
        ("3.5", "3.5"),
        ("p.m.", "pm"),
        ("3. 5", "3 5"),
        (".5", ".5"),
        ("100,978", "100978"),
        ("1,000-2,000", "10002000"),
        ("t-shirt", "t shirt"),
        ("t-shirt - red", "tshirt red"),
        ("red, blue", "red blue"),
        ("red,blue", "red blue"),
        ("red,blue, green/grey", "redblue green grey"),
        ("dont", "don't"),
        ("don't", "don't"),
        ("couldn'tve", "couldn't've"),
        ("Im", "im"),
        ("girl's", "girl's"),
        ("2:50 pm", "2:50 pm"),
        ("what?", "what"),
        ("the", ""),
        ("10 (ten)", "10 10"),
    ],
)
def test_normalised_answers(text, normal):
    assert normalize_answer(text) == normal


@given(texts)
@example("5-.a")
@example("somebody'd")
def test_normal_answers_stay_as_they_are(text):
    assert normalize_answer(normalize_answer(text)) == normalize_answer(text)


def test_contractions_lack_one_apostrophe_and_form_no_chains():
    assert len(CONTRACTIONS) == 114
    assert not set(CONTRACTIONS) & set(CONTRACTIONS.values())
    assert {"its", "were", "well", "id", "ill", "shell", "cant"} & set(CONTRACTIONS) == {"cant"}


@pytest.mark.parametrize("agreeing", range(11))
def test_each_of_ten_people_adds_three_tenths(agreeing):
    answers = ["yes"] * agreeing + ["no"] * (10 - agreeing)
    assert vqa_accuracy("yes", answers) == pytest.approx(min(0.3 * agreeing, 1), abs=1e-15)


@pytest.mark.parametrize(
    ("prediction", "answers", "accuracy"),
    [
        ("dog", ["a dog"] * 10, 0.0),
        ("a dog", ["a dog"] * 10, 1.0),
        (" a dog\n", ["a dog\t"] * 10, 1.0),
        ("dog", ["a dog"] * 9 + ["cat"], 1.0),
        ("The Dog!", ["a dog"] * 9 + ["cat"], 1.0),
        ("Yes", ["yes"] * 10, 0.0),
        ("yes", ["yes"] * 9 + ["yes "], 1.0),
        ("Yes", ["yes"] * 9 + ["yes "], 0.0),
        ("Yes", ["yes"] * 9 + ["YES"], 1.0),
        ("2", ["two", "2", "3"], 4 / 9),
        ("2", ["2"], 0.0),
        ("", ["the", "a", "b", "c"], 7 / 12 - 1 / 12),
    ],
)
def test_accuracies_counted_by_hand(prediction, answers, accuracy):
    assert vqa_accuracy(prediction, answers) == pytest.approx(accuracy, abs=1e-15)


def by_definition(prediction, answers):
    """The official procedure step by step: one mark after the other, one person after the other."""

    def strip(text):
        return text.replace("\n", " ").replace("\t", " ").strip()

    def process(text):
        result = text
        comma = any(re.fullmatch(r"\d,\d", text[i : i + 3]) for i in range(len(text)))
        for mark in ';/[]"{}()=+\\_-><@`,?!':
            beside = mark + " " in text or " " + mark in text
            result = result.replace(mark, "" if beside or comma else " ")
        pairs = zip(result, result[1:] + " ", strict=False)
        kept = [now for now, after in pairs if now != "." or re.fullmatch(r"\d", after)]
        words = []
        for word in "".join(kept).lower().split():
            digits = str(NUMBERS.index(word)) if word in NUMBERS else word
            if digits not in ("a", "an", "the"):
                words.append("0" if word == "none" else CONTRACTIONS.get(digits, digits))
        return " ".join(words)

    answers = [strip(answer) for answer in answers]
    prediction = strip(prediction)
    if any(answer != answers[0] for answer in answers):
        answers = [process(answer) for answer in answers]
        prediction = process(prediction)
    total = 0.0
    for person in range(len(answers)):
        others = answers[:person] + answers[person + 1 :]
        total += min(1.0, sum(answer == prediction for answer in others) / 3)
    return total / len(answers)


@given(texts, answer_lists)
def test_accuracy_equals_its_definition(prediction, answers):
    for guess in {prediction, *answers}:
        expected = by_definition(guess, answers)
        assert vqa_accuracy(guess, answers) == pytest.approx(expected, abs=1e-12)


@given(texts, answer_lists)
def test_scores_hold_every_answer_that_scores_at_all(prediction, answers):
    scores = answer_scores(answers)
    for answer, score in scores.items():
        assert 0 < vqa_accuracy(answer, answers) == score <= 1
    as_spelt = prediction.replace("\n", " ").replace("\t", " ").strip()
    if vqa_accuracy(prediction, answers) > 0:
        assert scores.keys() & {normalize_answer(prediction), as_spelt}
    else:
        assert prediction not in scores


def test_scores_of_answers_by_hand():
    assert answer_scores(["a dog"] * 10) == {"a dog": 1.0}
    assert answer_scores(["2"] * 2 + ["two"] + ["no"] * 6 + ["the"]) == {
        "no": 1.0,
        "2": pytest.approx(0.9),
        "": 0.3,
    }


def reference(answers, answer_type="other", question_type="what"):
    return {"answers": answers, "answer_type": answer_type, "question_type": question_type}


def test_scores_by_kind_and_the_ceiling():
    scores = score_vqa(
        ["yes", "dog", "3"],
        [
            reference(["yes"] * 10, "yes/no", "is the"),
            reference(["cat"] * 9 + ["dog"], "other", "what"),
            reference(["3"] * 2 + ["4"] * 2 + list("abcdef"), "number", "what"),
        ],
    )
    assert scores == {
        "vqa_accuracy": pytest.approx((1 + 0.3 + 0.6) / 3),
        "vqa_accuracy/answer_type/number": pytest.approx(0.6),
        "vqa_accuracy/answer_type/other": pytest.approx(0.3),
        "vqa_accuracy/answer_type/yes/no": 1.0,
        "vqa_accuracy/question_type/is the": 1.0,
        "vqa_accuracy/question_type/what": pytest.approx(0.45),
        "vqa_accuracy_ceiling": pytest.approx((1 + 1 + 0.6) / 3),
    }


def test_a_split_without_anything_to_score_is_reported():
    with pytest.raises(UserError, match="answers: expected at least one answer, got none"):
        vqa_accuracy("yes", [])
    with pytest.raises(UserError, match="got 0 predictions for 0 questions"):
        score_vqa([], [])
    with pytest.raises(UserError, match="got 1 predictions for 2 questions"):
        score_vqa(["yes"], [reference(["yes"])] * 2)


def test_real_answers(shared_data):
    file = shared_data / "vqa_v2_text" / "val_annotations.json.gz"
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        annotations = json.load(stream)["annotations"]
    rows = [{**a, "answers": [given["answer"] for given in a["answers"]]} for a in annotations]
    scores = score_vqa([a["multiple_choice_answer"] for a in annotations], rows)
    assert scores["vqa_accuracy"] <= scores["vqa_accuracy_ceiling"] <= 1
    # The most frequent answer is the best one to give, but for the spelling of a few.
    assert scores["vqa_accuracy"] > 0.99 * scores["vqa_accuracy_ceiling"]
    for row in rows[:300]:
        for guess in {*row["answers"], "yes"}:
            expected = by_definition(guess, row["answers"])
            assert vqa_accuracy(guess, row["answers"]) == pytest.approx(expected, abs=1e-12)
