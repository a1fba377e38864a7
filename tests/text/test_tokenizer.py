import gzip
import json
import pickle
import random
import subprocess
import sys
from collections import Counter
from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnnpipe.errors import UserError
from rnnpipe.text.normalize import JOIN, Normalizer
from rnnpipe.text.tokenizer import Tokenizer, TokenizerKind, train_tokenizer
from rnnpipe.text.tokens import END, PAD, START, UNKNOWN

KINDS = get_args(TokenizerKind)
COUNTS = {"the": 90, "dog": 40, "a": 60, "cat": 40, "is": 70, "what's": 20, "red": 30, "?": 50}


@pytest.mark.parametrize("kind", KINDS)
def test_special_ids_come_first(kind):
    tokenizer = train_tokenizer(COUNTS, kind=kind, vocabulary=40)
    assert (PAD, UNKNOWN, START, END) == (0, 1, 2, 3)
    assert tokenizer.pieces[:4] == ["<pad>", "<unk>", "<s>", "</s>"]
    assert len(tokenizer.pieces) == tokenizer.vocabulary_size <= 40


@pytest.mark.parametrize("kind", KINDS)
def test_known_text_comes_back(kind):
    tokenizer = train_tokenizer(COUNTS, kind=kind, vocabulary=60)
    ids = tokenizer.encode("What’s the  DOG?")
    assert tokenizer.decode(ids) == "what's the dog ?"
    assert tokenizer.decode([START, *ids, END, PAD, PAD]) == "what's the dog ?"
    assert not {PAD, UNKNOWN, START, END} & set(ids)
    assert tokenizer.encode_batch(["the dog", "", "?"]) == [
        tokenizer.encode(text) for text in ("the dog", "", "?")
    ]
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_split_into_the_tokens_that_are_encoded(kind):
    tokenizer = train_tokenizer(COUNTS, kind=kind, vocabulary=60)
    for text in ("What’s the  DOG?", "the żebra is  ŵild ", "", "?"):
        ids, pieces = tokenizer.encode(text), tokenizer.split(text)
        assert len(pieces) == len(ids)
        for number, piece in zip(ids, pieces, strict=True):
            assert number == UNKNOWN or tokenizer.pieces[number] == piece
        assert "".join(pieces).replace("▁", " ").split() == tokenizer.normalizer(text).split()


def test_words_are_sorted_by_count_and_alphabet():
    tokenizer = train_tokenizer(COUNTS, kind="word", vocabulary=11)
    ranked = ["the", "is", "a", "?", "cat", "dog", "red"]
    assert tokenizer.pieces[4:] == [f"▁{word}" for word in ranked]
    assert tokenizer.encode("is a dog red") == [5, 6, 9, 10]


def test_each_unknown_word_is_one_unknown():
    tokenizer = train_tokenizer(COUNTS, kind="word", vocabulary=40)
    the = tokenizer.pieces.index("▁the")
    assert tokenizer.encode("the zebra zebras the x") == [the, UNKNOWN, UNKNOWN, the, UNKNOWN]
    assert tokenizer.decode([the, UNKNOWN, UNKNOWN, the]) == "the <unk> <unk> the"


@pytest.mark.parametrize("kind", ["unigram", "bpe", "char"])
def test_unknown_characters_are_unknown(kind):
    tokenizer = train_tokenizer(COUNTS, kind=kind, vocabulary=60)
    assert tokenizer.encode("dog 猫").count(UNKNOWN) == 1
    assert tokenizer.decode(tokenizer.encode("dog 猫")) == "dog <unk>"


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_cannot_be_written_in_text(kind):
    normalizer = Normalizer(split_punctuation=False)
    counts = {"x<s>": 9, "<s>": 8, "<pad>": 7, "</s>y": 6}
    tokenizer = train_tokenizer(counts, kind=kind, vocabulary=60, normalizer=normalizer)
    assert not {PAD, START, END} & set(tokenizer.encode("<s> x <pad> </s> y x<s>"))


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_do_not_depend_on_the_order_of_the_counts(kind):
    items = list(COUNTS.items())
    first = train_tokenizer(COUNTS, kind=kind, vocabulary=30).model_bytes
    for seed in range(3):
        random.Random(seed).shuffle(items)
        assert train_tokenizer(dict(items), kind=kind, vocabulary=30).model_bytes == first


def test_raw_words_are_normalised_and_counted_together():
    raw = {"The": 1, "the": 1, "dog?": 1, "a": 1}
    tokenizer = train_tokenizer(raw, kind="word", vocabulary=9)
    assert tokenizer.pieces[4:] == ["▁the", "▁?", "▁a", "▁dog"]


@pytest.mark.parametrize("kind", KINDS)
def test_large_counts_take_no_longer(kind):
    counts = {word: count * 10**9 for word, count in COUNTS.items()}
    tokenizer = train_tokenizer(counts, kind=kind, vocabulary=40)
    assert tokenizer.decode(tokenizer.encode("the cat is red")) == "the cat is red"


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(words, st.integers(1, 99), min_size=1, max_size=30),
    st.sampled_from(KINDS),
    st.integers(6, 60),
    st.text(),
)
def test_a_vocabulary_is_a_maximum_and_any_text_can_be_encoded(counts, kind, vocabulary, text):
    assume(any(Normalizer()(word).replace("▅", "") for word in counts))
    tokenizer = train_tokenizer(counts, kind=kind, vocabulary=vocabulary)
    assert 4 < tokenizer.vocabulary_size <= vocabulary
    assert not {PAD, START, END} & set(tokenizer.encode(text))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(), min_size=1), st.sampled_from(KINDS), st.booleans())
def test_training_texts_survive_the_round_trip(texts, kind, split):
    normalizer = Normalizer(split_punctuation=split, mark_joins=True)
    whole = Normalizer(split_punctuation=False)
    counts = Counter(word for text in texts for word in normalizer(text).split())
    assume(counts and not any("▅" in word for word in counts))
    tokenizer = train_tokenizer(counts, kind=kind, vocabulary=3000, normalizer=normalizer)
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == whole(text)


def test_raw_words_are_counted_with_their_joins():
    normalizer = Normalizer(mark_joins=True)
    counts = {"dog.": 3, normalizer("dog.").split()[1]: 1, ".": 2}
    tokenizer = train_tokenizer(counts, kind="word", vocabulary=9, normalizer=normalizer)
    assert tokenizer.pieces[4:] == [f"▁{JOIN}.", "▁dog", "▁."]
    assert tokenizer.decode(tokenizer.encode("Dog. .")) == "dog. ."


def test_unusable_counts_are_refused():
    with pytest.raises(UserError, match="expected at least one word to learn from, got none"):
        train_tokenizer({}, kind="word", vocabulary=10)
    with pytest.raises(UserError, match="expected at least one word to learn from, got none"):
        train_tokenizer({" \n": 3, "x": 0, "▅": 1, "y" * 5000: 1}, kind="bpe", vocabulary=10)
    with pytest.raises(UserError, match="vocabulary: expected at least 6 tokens, of which 4 are"):
        train_tokenizer(COUNTS, kind="word", vocabulary=5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_loaded_and_pickled(kind, tmp_path):
    normalizer = Normalizer(lowercase=False)
    tokenizer = train_tokenizer(COUNTS, kind=kind, vocabulary=40, normalizer=normalizer)
    tokenizer.save(tmp_path)
    for twin in (Tokenizer.load(tmp_path), pickle.loads(pickle.dumps(tokenizer))):
        assert twin.model_bytes == tokenizer.model_bytes
        assert (twin.kind, twin.normalizer) == (kind, normalizer)
        assert twin.encode("the Dog zebra") == tokenizer.encode("the Dog zebra")


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"expected a tokenizer .* got No such file"):
        Tokenizer.load(tmp_path)
    train_tokenizer(COUNTS, kind="word", vocabulary=10).save(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"kind": "word"}')
    with pytest.raises(
        UserError, match="got ValueError: normalizer: field required; build the records again"
    ):
        Tokenizer.load(tmp_path)
    train_tokenizer(COUNTS, kind="word", vocabulary=10).save(tmp_path)
    (tmp_path / "tokenizer.model").write_bytes(b"junk")
    with pytest.raises(UserError, match="expected a tokenizer"):
        Tokenizer.load(tmp_path)


def test_training_writes_nothing_to_the_terminal(capfd):
    train_tokenizer(COUNTS, kind="unigram", vocabulary=30)
    assert capfd.readouterr() == ("", "")


def test_the_import_loads_no_tensorflow():
    code = "import sys, rnnpipe.text.tokenizer; print({'tensorflow', 'keras'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"set()\n"


@pytest.mark.parametrize("kind", KINDS)
def test_real_questions_are_read(kind, shared_data):
    file = shared_data / "vqa_v2_text" / "val_questions.json.gz"
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        questions = [question["question"] for question in json.load(stream)["questions"]]
    normal = [Normalizer()(question) for question in questions]
    counts = Counter(word for text in normal for word in text.split())
    tokenizer = train_tokenizer(counts, kind=kind, vocabulary=len(counts) + 4)
    ids = tokenizer.encode_batch(questions)
    assert [tokenizer.decode(question) for question in ids] == normal
    assert not any(UNKNOWN in question for question in ids)


def test_a_model_whose_tokens_are_no_text_is_refused():
    model = train_tokenizer({"red": 3, "blue": 2}, kind="word", vocabulary=8).model_bytes
    with pytest.raises(UserError, match=r"expected a SentencePiece model, got .*utf-8"):
        Tokenizer(model.replace(b"blue", b"bl\xe0e"), "word")


def test_a_model_whose_unknown_token_is_no_text_is_refused():
    model = train_tokenizer({"red": 3, "blue": 2}, kind="word", vocabulary=8).model_bytes
    assert b" <unk>" in model
    with pytest.raises(UserError, match=r"expected a SentencePiece model, got .*utf-8"):
        Tokenizer(model.replace(b" <unk>", b" \xe0unk>"), "word")
