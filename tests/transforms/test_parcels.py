from collections import Counter

import apache_beam as beam

from rnnpipe.transforms import parcels
from rnnpipe.transforms.parcels import EMPTY, Parcels, unpack
from rnnpipe.transforms.runner import Runner


def _write(gathered, folder):
    key, packed = gathered
    values = Counter(unpack(packed))
    (folder / str(key)).write_text(repr(sorted(values.items())))


def test_what_was_packed_comes_out_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(parcels, "_MOST_VALUES", 7)  # several parcels a bundle

    def construct(pipeline):
        pairs = pipeline | beam.Create([(i % 3, i // 2) for i in range(100)])
        return pairs | Parcels(int) | beam.GroupByKey() | beam.Map(_write, tmp_path)

    Runner().run(construct)
    for key in range(3):
        expected = Counter(i // 2 for i in range(100) if i % 3 == key)
        assert (tmp_path / str(key)).read_text() == repr(sorted(expected.items()))
    assert list(unpack([EMPTY])) == []
