"""Vectors of words in records."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.text.normalize import JOIN
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.plan import BuildPlan
from rnnpipe.transforms.recipes.base import Tally
from rnnpipe.transforms.recipes.text_classes import ClassTextOptions, TextClassRecipe
from rnnpipe.transforms.recipes.text_pairs import PairTextOptions, TextPairRecipe
from rnnpipe.transforms.recipes.tokenization import EmbeddedTextOptions
from rnnpipe.transforms.recipes.word_vectors import WordVectorOptions

FILE = "the 1 1\nParis 2 2\nfilm 3 3\nFilm 4 4\nunseen 5 5\n, 6 6\nbroken 7\nPARIS 8 8\n"


@pytest.fixture
def path(tmp_path):
    """A file of seven vectors of two features, and a row that cannot be read."""
    (tmp_path / "vectors.txt").write_text(FILE)
    return tmp_path / "vectors.txt"


def learn(folder, counts, **options):
    """The pieces and the vectors of those that have some."""
    folder.mkdir(exist_ok=True)
    tokenizer = EmbeddedTextOptions(**options).learn(counts, folder)
    vectors = WordVectors.load(folder)
    rows = zip(vectors.ids, vectors.vectors.tolist(), strict=True)
    by_piece = {tokenizer.pieces[number]: row for number, row in rows}
    return tokenizer, vectors, by_piece


def test_words_have_the_vectors_of_their_spelling_or_else_of_one_that_is_normalised(tmp_path, path):
    counts = {"film": 3, "paris": 2, "the": 4, "zzz": 1}
    vectors = WordVectorOptions(path=path)
    _, found, by_piece = learn(tmp_path / "out", counts, vectors=vectors)
    # `film` is spelled so; of `Paris` and `PARIS` the first counts.
    assert by_piece == {"▁the": [1, 1], "▁film": [3, 3], "▁paris": [2, 2]}
    assert found.coverage == pytest.approx(9 / 10)
    assert (found.tokens, found.unreadable_rows, found.size) == (8, 1, 2)
    assert found.vectors.dtype == np.float32


def test_frequent_words_of_the_file_join_the_vocabulary(tmp_path, path):
    vectors = WordVectorOptions(path=path, words=5)
    tokenizer, _, by_piece = learn(
        tmp_path / "out", {"film": 3, "good": 2, "bad": 1}, vectors=vectors, vocabulary=8
    )
    # Those of the texts come first, by their counts.
    assert tokenizer.pieces[4:] == ["▁film", "▁good", "▁bad", "▁paris", "▁the", "▁unseen"]
    assert by_piece["▁unseen"] == [5, 5]
    assert tokenizer.encode("An unseen film") == [1, 9, 4]


def test_a_full_vocabulary_still_has_the_words_of_the_file(tmp_path, path):
    counts = {f"word{number}": 20 - number for number in range(10)}
    vectors = WordVectorOptions(path=path, words=3)
    tokenizer, _, _ = learn(tmp_path / "out", counts, vectors=vectors, vocabulary=8)
    words = ["▁word0", "▁word1", "▁word2", "▁word3", "▁film", "▁paris", "▁the"]
    assert tokenizer.pieces[4:] == words


def test_of_parts_of_words_whole_words_have_vectors(tmp_path, path):
    counts = {"the": 50, "film": 40, "films": 3, ",": 9}
    tokenizer, _, by_piece = learn(
        tmp_path / "out",
        counts,
        tokenizer="bpe",
        vocabulary=24,
        vectors=WordVectorOptions(path=path),
    )
    assert (by_piece["▁the"], by_piece["▁film"]) == ([1, 1], [3, 3])
    assert not {"film", "the", "m"} & by_piece.keys()
    assert all(piece in tokenizer.pieces for piece in by_piece)


def test_marks_that_say_what_they_touched_have_the_vectors_of_the_marks(tmp_path, path):
    options = PairTextOptions(tokenizer="word", vectors=WordVectorOptions(path=path))
    tokenizer = options.learn({"film": 2, f"{JOIN},": 3, ",": 1}, tmp_path)
    vectors = WordVectors.load(tmp_path)
    found = {tokenizer.pieces[number] for number in vectors.ids}
    assert found == {"▁film", f"▁{JOIN},", "▁,"}
    assert vectors.coverage == 1.0


def test_each_side_of_a_pair_has_its_own_vectors(tmp_path, path):
    (tmp_path / "target.txt").write_text("das 1 2\nBild 3 4\n")
    text = PairTextOptions(
        tokenizer="word",
        joint=False,
        vectors=WordVectorOptions(path=path),
        target_vectors=WordVectorOptions(path=tmp_path / "target.txt"),
    )
    counts = {"source": Tally({"the": 1, "film": 1}), "target": Tally({"das": 1, "bild": 1})}
    (tmp_path / "out").mkdir()
    TextPairRecipe(text=text).learn(counts, tmp_path / "out")
    source, target = (WordVectors.load(tmp_path / "out" / side) for side in ("source", "target"))
    assert sorted(map(tuple, source.vectors)) == [(1, 1), (3, 3)]
    assert sorted(map(tuple, target.vectors)) == [(1, 2), (3, 4)]


REFUSED = {
    "characters": (ClassTextOptions, {"tokenizer": "char"}, 0, "tokenizer: expected word, unigram"),
    "parts of words": (ClassTextOptions, {"tokenizer": "bpe"}, 5, "vectors.words: expected 0"),
    "joint": (
        PairTextOptions,
        {"target_vectors": WordVectorOptions(path=Path("target"))},
        0,
        "target_vectors: expected null with a joint",
    ),
}


@pytest.mark.parametrize(("options", "settings", "words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_effect_is_refused(options, settings, words, message, path):
    with pytest.raises(UserError, match=message):
        options(vectors=WordVectorOptions(path=path, words=words), **settings)


def test_vectors_of_another_language_are_refused(tmp_path, path):
    options = EmbeddedTextOptions(vectors=WordVectorOptions(path=path))
    with pytest.raises(UserError, match="expected vectors of words of the training texts"):
        options.learn({"чтение": 2}, tmp_path)


@pytest.fixture
def plan(tmp_path, path):
    """A build of reviews with vectors."""
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "reviews.good").write_text("".join(f"the film is fine {n}\n" for n in range(20)))
    (raw / "reviews.bad").write_text("".join(f"the film is poor {n}\n" for n in range(20)))
    source = LabelFiles(path=raw)
    source.prepare(lambda done, total: None)
    text = ClassTextOptions(vectors=WordVectorOptions(path=path))
    return BuildPlan(source, TextClassRecipe(text=text), {"test": 0.2})


def test_records_hold_their_vectors_and_say_how_much_they_cover(plan, tmp_path):
    records = Build(plan.source, plan.recipe, plan.shares).run(tmp_path / "records")
    vectors = WordVectors.load(records.path)
    pieces = Tokenizer.load(records.path).pieces
    assert {pieces[number] for number in vectors.ids} == {"▁the", "▁film"}
    stats = json.loads((records.path / "stats.json").read_text())
    assert stats["word_vectors"] == {
        "word_vectors.npz": {
            "tokens": len(pieces),
            "found": 2,
            "coverage": pytest.approx(2 / 5),
            "unreadable_rows": 1,
        }
    }
    notice = f"word_vectors.npz: 2 of {len(pieces)} tokens have word vectors, and 40.0% of the"
    assert any(each.startswith(notice) for each in stats["notices"])


def test_records_of_other_vectors_are_others_and_of_the_same_elsewhere_are_not(
    plan, path, tmp_path
):
    first = plan.fingerprint["fingerprint"]

    def fingerprint(file):
        text = ClassTextOptions(vectors=WordVectorOptions(path=file))
        return BuildPlan(plan.source, TextClassRecipe(text=text), plan.shares).fingerprint

    (tmp_path / "same.txt").write_bytes(path.read_bytes())
    (tmp_path / "other.txt").write_text(FILE.replace("1 1", "1 2"))
    assert fingerprint(tmp_path / "same.txt")["fingerprint"] == first
    assert fingerprint(tmp_path / "other.txt")["fingerprint"] != first


def test_damaged_vectors_are_reported(plan, tmp_path):
    records = Build(plan.source, plan.recipe, plan.shares).run(tmp_path / "records")
    (records.path / "word_vectors.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match=r"word_vectors\.npz"):
        RecordsDirectory.open(records.path)
    with pytest.raises(UserError, match="expected word vectors"):
        WordVectors.load(records.path)
