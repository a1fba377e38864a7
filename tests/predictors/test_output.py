"""What an interrupted file of predictions left, damaged."""

import pytest

from rnnpipe.errors import UserError
from rnnpipe.predictors.output import Progress, ResumableOutput


class Interrupted(Exception):
    pass


@pytest.fixture
def output(tmp_path):
    """A file whose command was interrupted after its header."""
    output = ResumableOutput(tmp_path / "answers.csv", {"run": "a"})
    with pytest.raises(Interrupted), output.resume() as opened:  # noqa: PT012  # the block ends it
        opened.write_header("answer\n")
        raise Interrupted
    return output


@pytest.mark.parametrize("text", ["", "{", "null", "5", "\udcff", "[" * 100_000])
def test_a_damaged_job_is_reported(text, output, tmp_path):
    path = tmp_path / "answers.csv.partial" / "job.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(UserError, match=r"got a damaged job\.json \("), output.resume():
        pass


LINES = [
    "{",
    "[]",
    "null",
    '{"rows": 1}x',
    '{"size": "3"}',
    '{"size": 900}',
    '{"row": 1}',
    "\udcff",
]


@pytest.mark.parametrize("line", LINES)
def test_a_damaged_line_of_progress_is_left_out(line, output, tmp_path):
    path = tmp_path / "answers.csv.partial" / "progress.jsonl"
    path.write_text(f'{{"rows": 1, "size": 3}}\n{line}\n', errors="surrogateescape")
    with output.resume() as opened:
        assert opened.done == Progress(rows=1, size=3)
