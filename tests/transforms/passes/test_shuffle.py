from collections import Counter

import apache_beam as beam
import pytest

from rnnpipe.transforms.passes import shuffle as shuffle_module
from rnnpipe.transforms.passes.shuffle import EMPTY_BATCH, BatchForShuffle, Shuffle, unbatch
from rnnpipe.transforms.runners.runner import Runner


def _write(gathered, folder):
    key, pending = gathered
    pending = list(pending)
    values = Counter(unbatch(pending))
    total = sum(map(len, pending))
    (folder / str(key)).write_text(f"{total}\n{sorted(values.items())!r}")


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("most", [100, 1 << 20])
def test_unbatching_restores_all_values(tmp_path, monkeypatch, stored, most):
    monkeypatch.setattr(shuffle_module, "MAX_BATCH_BYTES", most)  # several batches a bundle, or one
    (tmp_path / "shuffle").mkdir()
    shuffle = Shuffle(tmp_path / "shuffle" if stored else None)
    pairs = [(i % 3, (i // 2, "text")) for i in range(100)]

    def construct(pipeline):
        pending = pipeline | beam.Create(pairs) | BatchForShuffle(int, shuffle)
        return pending | beam.GroupByKey() | beam.Map(_write, tmp_path)

    Runner().run(construct)
    for key in range(3):
        expected = Counter(value for k, value in pairs if k == key)
        _, found = (tmp_path / str(key)).read_text().split("\n")
        assert found == repr(sorted(expected.items()))
    assert list(unbatch([EMPTY_BATCH])) == []
    assert any((tmp_path / "shuffle").iterdir()) == stored


def test_shuffled_files_bypass_the_runner(tmp_path):
    (tmp_path / "shuffle").mkdir()
    text = "a long text " * 10_000

    def construct(pipeline):
        pending = (
            pipeline
            | beam.Create([(0, text)])
            | BatchForShuffle(int, Shuffle(tmp_path / "shuffle"))
        )
        return pending | beam.GroupByKey() | beam.Map(_write, tmp_path)

    Runner().run(construct)
    total, found = (tmp_path / "0").read_text().split("\n")
    assert found == repr([(text, 1)])
    assert int(total) < 500 < len(text)
