import pickle

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.source import Reference
from rnnpipe.transforms.passes import read_progress
from rnnpipe.transforms.passes.read_progress import ReadPartitions, count_records_read


class Numbers:
    """A source whose every fourth record is dead."""

    def read(self, partition):
        for number in range(*partition):
            dead = DeadLetter(str(number), "numbers", "read", "a fourth one")
            yield Reference(str(number), "g", "train", {}) if number % 4 else dead


def test_progress_is_reported_while_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(read_progress, "_SECONDS", 0.0)
    workers = [ReadPartitions(Numbers(), tmp_path) for _ in range(2)]
    for worker in workers:
        worker.setup()
    assert count_records_read(tmp_path) == (0, 0)
    found = workers[0].process(pickle.dumps((0, 10)))
    for _ in range(5):
        next(found)
    assert count_records_read(tmp_path) == (5, 2)
    assert len(list(found)) == 5
    list(workers[1].process(pickle.dumps((10, 30))))
    list(workers[0].process(pickle.dumps((30, 40))))
    assert count_records_read(tmp_path) == (40, 10)


def test_fast_readers_write_no_progress(tmp_path):
    worker = ReadPartitions(Numbers(), tmp_path)
    worker.setup()
    assert len(list(worker.process(pickle.dumps((0, 100))))) == 100
    assert count_records_read(tmp_path) == (0, 0)
