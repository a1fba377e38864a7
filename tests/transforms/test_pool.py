import os

import apache_beam as beam

from rnnpipe.transforms.runner import Runner


def _write_pid(number, folder):
    (folder / str(number)).write_text(f"{os.getpid()} {os.getppid()}")


def test_pipelines_run_one_after_the_other_on_forked_workers(tmp_path):
    with Runner(2).open() as run:
        for number in (1, 2):
            run(lambda p, n=number: p | beam.Create([n]) | beam.Map(_write_pid, tmp_path))
    (first, parent), (second, same) = (
        (tmp_path / str(number)).read_text().split() for number in (1, 2)
    )
    assert first != second  # a worker serves one pipeline
    assert parent == same != str(os.getpid())
