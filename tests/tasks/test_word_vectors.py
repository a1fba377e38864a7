"""Word vectors in runs."""

import numpy as np
import pytest

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.tasks import make_task
from rnnpipe.text.tokenizer import Tokenizer

SIZE = 5
FILES = {
    "text": "a 1 2 3 4 5\ndull 2 3 4 5 6\nshape 1 1 1 1 1\nthe 0 1 0 1 0\nred 1 0 1 0 1\n",
    "wide": "a 1 2 3 4 5 6\n",
}
# The settings of a task with word vectors: the section of its texts, and what makes it tiny.
TASKS = {
    "sentiment": ("text", {"data.source.sentences": 100}),
    "captioning": ("caption", {"data.source.images": 100}),
    "vqa": ("question", {"data.source.images": 100}),
    "translation": ("text", {"data.source.pairs": 100, "data.text.tokenizer": "word"}),
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Files of vectors by name."""
    folder = tmp_path_factory.mktemp("vectors")
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return {name: folder / name for name in FILES}


def configure(name, path, **settings):
    """The config of a tiny run with the vectors of a file."""
    section, tiny = TASKS[name]
    own = {f"data.{section}.vectors": {"path": str(path)}, "model.embedding.size": SIZE}
    # What the shipped config says of random vectors has no effect with others.
    return rnnpipe.load_config(name, {**tiny, **own, "model.embedding.scale": None, **settings})


@pytest.mark.parametrize("name", TASKS)
def test_models_begin_with_the_vectors_of_the_records(name, paths):
    config = configure(name, paths["text"])
    task = make_task(config)
    task.check_model()
    records = rnnpipe.build(config)
    model = task.build_model(records)
    folder = records.path / "source" if name == "translation" else records.path
    pieces = Tokenizer.load(folder).pieces
    tables = (weight for weight in model.weights if weight.path.endswith("embeddings"))
    table = next(each for each in tables if "target" not in each.path)
    values = np.asarray(table)[pieces.index("▁the")]
    np.testing.assert_array_equal(values, [0, 1, 0, 1, 0])


REFUSED = {
    "vectors of another size": (
        "sentiment",
        "wide",
        {},
        "model.embedding.size: expected 6, the features of the word vectors, got 5; write 6",
    ),
    "both in a decoder": (
        "captioning",
        "text",
        {"model.embedding.vectors": "both"},
        "model.embedding.vectors: expected tuned or frozen, as a decoder reads one table",
    ),
    "a scale of vectors that are given": (
        "vqa",
        "text",
        {"model.embedding.scale": 0.5},
        "model.embedding.scale: expected null with word vectors, where it has no effect, got 0.5",
    ),
    "frozen without vectors": (
        "sentiment",
        None,
        {"data.text.vectors": None, "model.embedding.vectors": "frozen"},
        "model.embedding.vectors: expected tuned without word vectors in data",
    ),
    "a file that is missing": (
        "sentiment",
        "text",
        {"data.text.vectors.path": "missing.txt"},
        "missing.txt: expected a text file",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_before_any_work(case, paths):
    name, file, settings, message = REFUSED[case]
    with pytest.raises(UserError) as fault:
        make_task(configure(name, paths.get(file, ""), **settings)).check_model()
    assert message in str(fault.value).replace("']", "").replace("overrides['", "")
