import json
import re

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics import captions
from rnnpipe.metrics.captions import (
    CiderD,
    compute_bleu_4,
    count_ngrams,
    find_java_metrics,
    score_captions,
    score_with_java,
    tokenize_caption,
)


def read_json(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def coco(shared_data):
    """The references and candidates of 141 images, as they were written."""
    folder = shared_data / "coco_caption_eval"
    references = {}
    for entry in read_json(folder / "captions_refs_partial.json")["annotations"]:
        references.setdefault(entry["image_id"], []).append(entry["caption"])
    results = read_json(folder / "captions_val2014_fakecap_results.json")
    candidates = {entry["image_id"]: entry["caption"] for entry in results}
    return references, {image: candidates[image] for image in references}


def test_published_counts_of_the_example_results(shared_data):
    path = shared_data / "coco_caption_eval" / "captions_val2014_fakecap_results.json"
    lengths = [len(tokenize_caption(entry["caption"])) for entry in read_json(path)]
    grams = [sum(max(length - n, 0) for length in lengths) for n in range(4)]
    assert grams == [9893, 8893, 7893, 6893]


def test_published_tokens(shared_data, coco):
    pairs = read_json(shared_data / "coco_caption_eval" / "tokenized_pairs.json")
    references, candidates = coco
    for image, expected in pairs["references"].items():
        texts = references[int(image)]
        assert [" ".join(tokenize_caption(text)) for text in texts] == expected
    for image, expected in pairs["candidates"].items():
        assert " ".join(tokenize_caption(candidates[int(image)])) == expected


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A dog's owner can't see it, won't he?", "a dog 's owner ca n't see it wo n't he"),
        ("DON'T! You're we've I'm he'd they'll", "do n't you 're we 've i 'm he 'd they 'll"),
        ("I cannot, gonna wanna", "i can not gon na wan na"),
        ("women's dogs' bowls", "women 's dogs bowls"),
        ("it\u2019s \u201cbig\u201d \u2014 huge \u2026", "it 's big huge"),
        ("five o'clock d'oeuvres Ho'ohu Pe'e", "five o'clock d'oeuvres ho'ohu pe'e"),
        ("'tis rock 'n' roll, hook 'em, y'all", "'t is rock 'n' roll hook 'em y' all"),
        ("the 1950's and '50s at 3:30pm, 3pm", "the 1950 's and '50s at 3:30 pm 3pm"),
        (
            "at the corner of St. John St. and 5th Ave.",
            "at the corner of st. john st. and 5th ave.",
        ),
        ("Mr. T on TV. A T.V. in the U.S.", "mr. t on tv a t.v. in the u.s."),
        ("No. 5 bus. No. no.", "no. 5 bus no no"),
        ("black-and-white t-shirt -- and - so on", "black-and-white t-shirt and so on"),
        ("tub/shower 1/2 \u00bd 10,000 10.5", "tub/shower 1/2 1/2 10,000 10.5"),
        ("Q&amp;A at AT&T, salt &amp; pepper m&m", "q&a at at&t salt & pepper m & m"),
        ("(a) [b] {c} <unk>", "-lrb- a -rrb- -lsb- b -rsb- -lcb- c -rcb- <unk>"),
        ("50% off for $5.99 #41", "50 % off for $ 5.99 # 41"),
        ("wait!! what?! no! ....", "wait !! what ?! no"),
        ("a man,a woman;a dog.A cat", "a man a woman a dog.a cat"),
        ("me@site.com http://www.site.com/a", "me@site.com http://www.site.com/a"),
        (" \n ", ""),
    ],
)
def test_tokens_are_those_of_the_stanford_tokenizer(text, tokens):
    assert " ".join(tokenize_caption(text)) == tokens


def test_published_scores_of_coco(shared_data, coco):
    expected = read_json(shared_data / "coco_caption_eval" / "expected_scores_partial.json")
    scores = score_captions(*coco)
    assert expected.pop("images") == 141
    assert {*expected} == {"Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"}
    for name, value in expected.items():
        assert scores[name.lower()] == pytest.approx(value, abs=1e-9)
    assert scores["cider_d"] == scores["cider"]


@pytest.fixture(scope="module")
def nlg_eval(shared_data):
    """Hypotheses and two references each, line by line."""
    folder = shared_data / "metric_golden" / "nlg_eval"
    lines = [(folder / f"{name}.txt").read_text().splitlines() for name in ("hyp", "ref1", "ref2")]
    hypotheses, *references = lines
    return dict(enumerate(map(list, zip(*references, strict=True)))), dict(enumerate(hypotheses))


def test_published_scores_of_nlg_eval(nlg_eval):
    scores = score_captions(*nlg_eval)
    expected = {
        "bleu_1": 0.55,
        "bleu_2": 0.428174,
        "bleu_3": 0.284043,
        "bleu_4": 0.201143,
        "rouge_l": 0.522104,
        "cider": 1.242192,
        "cider_d": 1.242192,
    }
    assert {name: round(score, 6) for name, score in scores.items()} == expected


def test_meteor_where_java_is(nlg_eval):
    metrics, _ = find_java_metrics()
    if "meteor" not in metrics:
        pytest.skip("there is no Java")
    references, candidates = nlg_eval
    assert score_with_java(references, candidates, "meteor") == pytest.approx(0.295797, abs=1e-6)


def make_java(folder, monkeypatch, script):
    """The only program on the path: one called java."""
    folder.mkdir(exist_ok=True)
    (folder / "java").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_missing_java_is_reported(tmp_path, monkeypatch):
    none = ((), "METEOR and SPICE are left out: they need Java, and no program `java` runs")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert find_java_metrics() == none
    one = ((), "METEOR is left out: it needs Java, and no program `java` runs")
    assert find_java_metrics(["meteor"]) == one
    assert find_java_metrics([]) == ((), "")
    make_java(tmp_path / "bin", monkeypatch, "exit 1")
    assert find_java_metrics() == none
    monkeypatch.setattr(captions, "_folder", lambda: tmp_path)
    make_java(tmp_path / "bin", monkeypatch, """echo 'openjdk version "17.0.15"' >&2""")
    metrics, notice = find_java_metrics()
    assert metrics == ("meteor",)
    assert notice.startswith(
        "SPICE is left out: it needs Java 8 to 14 (here is 17), and stanford-corenlp-3.6.0.jar and "
    )
    assert find_java_metrics(["meteor"]) == (("meteor",), "")
    assert find_java_metrics(["spice"]) == ((), notice)
    make_java(tmp_path / "bin", monkeypatch, """echo 'java version "1.8.0_392"' >&2""")
    assert find_java_metrics()[1].startswith("SPICE is left out: it needs stanford-corenlp-3.6.0")
    (tmp_path / "spice" / "lib").mkdir(parents=True)
    (tmp_path / "spice" / "lib" / "stanford-corenlp-3.6.0.jar").touch()
    assert find_java_metrics() == (("meteor", "spice"), "")


def test_a_failing_program_is_reported(tmp_path, monkeypatch):
    make_java(tmp_path, monkeypatch, "exit 1")
    with pytest.raises(UserError, match="METEOR: expected a score from its Java program, got"):
        score_with_java({1: ["a dog"]}, {1: "a cat"}, "meteor")


@pytest.mark.parametrize(
    ("references", "candidates", "message"),
    [
        ({}, {}, "captions: expected at least one, got none"),
        (
            {1: ["a"], 2: ["b"]},
            {1: "a", 3: "c"},
            "one for each of 2 images, got 1 images without one, 1 captions of other images",
        ),
        ({1: []}, {1: "a"}, "at least one reference for each image, got none for 1"),
    ],
)
def test_user_errors_are_raised(references, candidates, message):
    with pytest.raises(UserError, match=re.escape(message)):
        score_captions(references, candidates)


def test_an_empty_caption_scores_zero():
    references = {1: ["a red circle"], 2: ["a blue square"]}
    scores = score_captions(references, {1: "", 2: "."})
    assert all(score < 1e-6 for score in scores.values())


@pytest.mark.parametrize("as_ids", [False, True])
def test_the_reward_is_the_score_of_each_caption(coco, as_ids):
    references, candidates = coco
    ids: dict[str, int] = {}

    def tokens(text):
        words = tokenize_caption(text)
        return [ids.setdefault(word, len(ids)) for word in words] if as_ids else words

    cut = [[tokens(text) for text in texts] for texts in references.values()]
    said = [tokens(text) for text in candidates.values()]
    said[3], said[4] = [], said[4][:1]  # nothing, and a single word
    spoken = [*candidates.values()]
    spoken[3], spoken[4] = "", spoken[4].split()[0]
    scores = CiderD(cut).score(said, cut)
    assert scores.shape == (141,)
    assert scores[3] == 0
    expected = score_captions(references, dict(zip(references, spoken, strict=True)))
    assert scores.mean() == pytest.approx(expected["cider_d"], abs=1e-9)


def test_a_subset_is_scored_with_the_document_frequencies_of_all_images(coco):
    cut = [[tokenize_caption(text) for text in texts] for texts in coco[0].values()]
    said = [tokenize_caption(text) for text in coco[1].values()]
    scorer = CiderD(cut, remembered=2)
    whole = scorer.score(said, cut)
    np.testing.assert_array_equal(scorer.score(said[5:9], cut[5:9]), whole[5:9])
    np.testing.assert_array_equal(scorer.score(np.array(said[:1]), cut[:1]), whole[:1])


def test_user_errors_of_the_reward_are_raised():
    with pytest.raises(UserError, match="those of at least one image, got none"):
        CiderD([])
    scorer = CiderD([[["a"]]])
    with pytest.raises(UserError, match="at least one reference for each of 1 candidates"):
        scorer.score([["a"]], [[]])


def test_the_bleu_of_sums_is_that_of_all_captions(coco):
    references, candidates = coco
    for images in (list(references), list(references)[:1], list(references)[5:8]):
        counts = [count_ngrams(references[image], candidates[image]) for image in images]
        scores = score_captions(
            {image: references[image] for image in images},
            {image: candidates[image] for image in images},
        )
        assert compute_bleu_4(np.sum(counts, axis=0)) == scores["bleu_4"]


def test_the_closest_reference_counts_and_the_shorter_of_two_that_are_as_close():
    references = ["a dog", "a dog runs fast here", "a big dog runs"]
    assert count_ngrams(references, "a dog runs")[:2] == [3, 2]
    assert count_ngrams(references, "A dog runs, fast!")[:4] == [4, 4, 4, 3]
