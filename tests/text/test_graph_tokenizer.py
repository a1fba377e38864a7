"""Normalisers and tokenizers as TensorFlow computes them, against those in Python."""

import random
import unicodedata
from itertools import product

import pytest

from rnnpipe.text.normalize import JOIN, Normalizer
from rnnpipe.text.tokenizer import train_tokenizer

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tensorflow_text")

NORMALIZERS = [
    Normalizer(form, lowercase, split, tags, joins)
    for form, (lowercase, split, tags, joins) in product(
        ["NFC", "NFKC"],
        [
            (True, True, False, False),
            (True, True, True, True),
            (False, True, False, True),
            (False, False, True, False),
        ],
    )
]
TEXTS = [
    "",
    " \t\n",
    "What’s  on the U.S. flag?",
    "(a dog) !",
    "u.s. e.g. p.m, a.b.c.d. x.y.zz u.s.ab u.sa a.1 1.a u.s.5 u.s.. .a.b b.a.r.",
    "3.5 1,000 2:50 1.2.3 1. .5 1..2 a1.5 3.x ١.٢",
    "t-shirt o'clock '' - -- a- -b _a_ a_b x.y_ rock'n'roll",
    "<br />one<b>two</b> a < b > c </p\n>",
    "ﬁ ２ ½ ² Ⅻ İstanbul ΑΣ ΑΣ. Σ ΑΣΑ Ǆ ß ẞ",
    "e\u0301 a\u00ad\u0301b x\0y \u200b\u2581 \u3000\u2028 “quoted” ‘single’ non\u2011breaking",
    "हिन्दी, ไทย 中文。日本語！ 👍🏽 €5 a\u2060b \ufeff",
]
PIECES = ["a", "B", "é", "e\u0301", "Σ", "1", "٣", "½", "_", " ", "\t", "\u00a0", "\n", "‘", "”"]
PIECES += ["\u0301", "\u200d", "中", *".,:'-!?()<>/&€"]
UNLOWERED = {  # the capital letters of Unicode 14
    *map(chr, [0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8]),
    *(chr(number) for number in range(0x10570, 0x10596) if chr(number).islower() is False),
}


def normalize(texts, normalizer):
    from rnnpipe.text.graph_normalizer import normalize_in_graph

    graph = tf.function(normalize_in_graph, autograph=False)
    return [text.decode() for text in graph(tf.constant(texts), normalizer).numpy()]


def draw_texts(seed, count):
    draw = random.Random(seed)
    return ["".join(draw.choices(PIECES, k=draw.randrange(1, 24))) for _ in range(count)]


@pytest.mark.parametrize("normalizer", NORMALIZERS, ids=str)
def test_texts_are_made_uniform_as_in_python(normalizer):
    texts = TEXTS + draw_texts(0, 2000)
    for text, found in zip(texts, normalize(texts, normalizer), strict=True):
        assert found == normalizer(text), ascii(text)


def test_what_is_no_utf_8_becomes_replacement_characters():
    assert normalize([b"caf\xe9 x"], Normalizer()) == ["caf \ufffd x"]


def test_all_characters_but_few_are_made_uniform_as_in_python():
    characters = [
        character
        for number in range(0x110000)
        if (kind := unicodedata.category(character := chr(number))) not in ("Cs", "Cn")
        and (kind not in ("Co", "Lo") or number % 97 == 0)
    ]
    texts = [f"a{character}b {character} 1{character}2" for character in characters]
    differing = {
        character
        for character, text, found in zip(
            characters, texts, normalize(texts, Normalizer()), strict=True
        )
        if found != Normalizer()(text)
    }
    assert differing <= UNLOWERED
    assert len(differing) <= 40


@pytest.mark.parametrize("kind", ["word", "unigram", "bpe", "char"])
def test_ids_are_those_of_the_tokenizer(kind):
    from rnnpipe.text.graph_tokenizer import GraphTokenizer

    counts = {"what's": 9, "hello": 30, "world": 20, "u.s.": 8, "(": 3, ")": 4, f"{JOIN}!": 5}
    tokenizer = train_tokenizer(
        counts, kind=kind, vocabulary=30, normalizer=Normalizer(mark_joins=True)
    )
    graph = GraphTokenizer(tokenizer)
    texts = ["Hello world!", "(What’s up in the U.S.) ", "xx yy hello ß ▅", *TEXTS]
    texts += draw_texts(1, 300)
    ids = tokenizer.encode_batch(texts)
    assert graph.encode(tf.constant(texts)).to_list() == ids
    ids += [[0, 2, 5, 1, 4, 3, 0], [1, 1], []]
    found = graph.decode(tf.ragged.constant(ids, dtype=tf.int32)).numpy()
    assert [text.decode() for text in found] == [tokenizer.decode(each) for each in ids]


def test_cut_and_padded_ids():
    from rnnpipe.text.graph_tokenizer import cut_ids, pad_ids

    ids = tf.ragged.constant([[4, 5, 6], [], [7]], dtype=tf.int32)
    assert cut_ids(ids, 2, "start").to_list() == [[4, 5], [], [7]]
    assert cut_ids(ids, 2, "end").to_list() == [[5, 6], [], [7]]
    assert cut_ids(ids, None, "end") is ids
    padded, is_text = pad_ids(ids)
    assert padded.numpy().tolist() == [[4, 5, 6], [1, 0, 0], [7, 0, 0]]
    assert is_text.numpy().tolist() == [True, False, True]
