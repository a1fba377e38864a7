from collections import Counter
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.generated.grammars import SentimentGrammar, TranslationGrammar
from rnnpipe.sources.generated.grammars.sources import LONGEST_TRAINED
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.parallel import Parallel
from tests.sources.reading import ignore_progress, read_all


def ignore(done: int, total: int) -> None: ...


def test_opinions_are_written_in_the_layout_of_rt_polarity(tmp_path):
    source = SentimentGrammar(path=tmp_path, sentences=201, seed=1)
    read = read_all(source)
    assert Counter(r.fields["label"] for r in read) == {"neg": 100, "pos": 101}
    assert len({r.fields["text"] for r in read}) == 201
    assert sorted(path.name for path in source.folder.iterdir()) == ["opinions.neg", "opinions.pos"]
    assert read_all(LabelFiles(path=source.folder)) == read
    assert source.split_names == {"train"}


def test_translations_are_written_as_parallel_files(tmp_path):
    source = TranslationGrammar(path=tmp_path, pairs=200, seed=1)
    read = read_all(source)
    by_split = Counter(r.split for r in read)
    assert by_split == {"train": 200, "validation": 16, "test": 24}
    assert len({r.fields["source"] for r in read}) == len(read)
    lengths = {
        split: [len(r.fields["source"].split()) for r in read if r.split == split]
        for split in by_split
    }
    assert max(lengths["train"] + lengths["validation"]) <= LONGEST_TRAINED
    assert sum(length > LONGEST_TRAINED for length in lengths["test"]) == 8
    assert read_all(Parallel(path=source.folder, source="en", target="velu")) == read


@pytest.mark.parametrize(
    "make",
    [
        lambda path, seed: SentimentGrammar(path=path, sentences=100, seed=seed),
        lambda path, seed: TranslationGrammar(path=path, pairs=100, seed=seed),
    ],
)
def test_equal_arguments_give_equal_files_in_a_folder_of_their_own(tmp_path, make):
    def content(path, seed):
        source = make(tmp_path / path, seed)
        source.prepare(ignore_progress)
        return {file.name: file.read_bytes() for file in source.raw_files()}

    assert content("a", 1) == content("b", 1) != content("b", 2)
    assert len(list((tmp_path / "b").iterdir())) == 2
    assert make(tmp_path / "a", 1).settings["seed"] == 1


def test_foreign_folders_are_not_touched(tmp_path):
    (tmp_path / "notes").touch()
    with pytest.raises(UserError) as fault:
        read_all(SentimentGrammar(path=tmp_path, sentences=100, seed=1))
    assert str(fault.value) == (
        f"{tmp_path}: expected a place for sentiment_grammar: a folder that is empty or not there "
        "yet, got a folder with other files (notes); name another folder as data.source.path"
    )
    with pytest.raises(UserError, match="expected a folder that can be written"):
        read_all(SentimentGrammar(path=Path("/proc/opinions"), sentences=100, seed=1))
