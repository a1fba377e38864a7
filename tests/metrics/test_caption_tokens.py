from pathlib import Path

import pytest

from rnnpipe.metrics.caption_tokens import tokenize_caption

JAVA = Path(__file__).with_name("java_caption_tokens.tsv").read_text(encoding="utf-8")
"""Captions and their tokens as COCO's evaluation has them, printed by the Java tokenizer."""


@pytest.mark.parametrize("line", JAVA.removesuffix("\n").split("\n"))
def test_tags_names_smileys_and_emoji_are_those_of_the_java_tokenizer(line):
    caption, tokens = line.split("\t")
    assert " ".join(tokenize_caption(caption)) == tokens
