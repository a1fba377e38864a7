from pathlib import Path

import pytest

from rnnpipe.config.schema.text import TextClassData, TextPairData
from rnnpipe.tasks.text_data import (
    make_text_class_recipe,
    make_text_pair_recipe,
    open_text_classes,
    open_text_pairs,
)


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "sentiment_grammar", "sentences": 200},
        {"kind": "label_files", "path": Path("rt"), "files": {"neg": Path("a"), "pos": Path("b")}},
        {"kind": "label_folders", "path": Path("aclImdb"), "labels": ["neg", "pos"]},
        {"kind": "trec", "path": Path("trec"), "labels": "fine"},
        {"kind": "table", "path": Path("csv"), "text": "review", "columns": ["review", "label"]},
        {"kind": "tfds", "name": "imdb_reviews", "splits": {"train": "train[:90%]"}},
    ],
)
def test_every_source_of_classes_opens(source):
    data = TextClassData.model_validate(
        {
            "source": source,
            "text": {"tokenizer": "bpe", "keep": "end", "normalize": {"drop_tags": True}},
            "repeats": {"leaks": "drop"},
        }
    )
    assert open_text_classes(data.source).kind == source["kind"]
    recipe = make_text_class_recipe(data)
    assert (recipe.keep, recipe.drop_leaks, recipe.drop_duplicates) == ("end", True, False)
    normalizer = recipe.text.normalizer
    assert normalizer.drop_tags
    assert not normalizer.split_punctuation


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "translation_grammar", "pairs": 200},
        {"kind": "parallel", "path": Path("m30k"), "source": "de", "target": "en"},
        {"kind": "table", "path": Path("csv"), "source": "de", "target": "en", "format": "tsv"},
        {"kind": "tfds", "name": "wmt14_translate/de-en", "source": "de", "target": "en"},
    ],
)
def test_every_source_of_pairs_opens(source):
    data = TextPairData.model_validate(
        {"source": source, "text": {"tokenizer": "word", "joint": False}}
    )
    assert open_text_pairs(data.source).kind == source["kind"]
    recipe = make_text_pair_recipe(data)
    assert not recipe.joint
    assert recipe.text.normalizer.split_punctuation
