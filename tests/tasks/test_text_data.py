from pathlib import Path

import pytest

from rnnpipe.config.schema.base import Build as BuildSection
from rnnpipe.config.schema.text import TextClassData, TextPairData
from rnnpipe.tasks.text_data import prepare_text_class_build, prepare_text_pair_build


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
    build = prepare_text_class_build(data, BuildSection(records_per_shard=7))
    assert build.source.kind == source["kind"]
    assert build.records_per_shard == 7
    recipe = build.recipe
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
    build = prepare_text_pair_build(data, BuildSection())
    assert build.source.kind == source["kind"]
    assert build.shares == {"validation": 0.1, "test": 0.1}
    assert not build.recipe.joint
    assert build.recipe.text.normalizer.split_punctuation
