"""What an interrupted file of predictions left, damaged."""

import pytest

from rnnpipe.errors import UserError
from rnnpipe.predictors.input_row import InputRow
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


def write_rows(output, *texts):
    """Writes a row for each text, as if each took its time."""
    with output.resume() as opened:
        opened.write_header("answer\n")
        for text in texts:
            opened.write([(InputRow("", {"text": text}, {}), f"{text}\n", False)])
        raise Interrupted


@pytest.fixture
def two_rows(output):
    """The same file with two rows."""
    with pytest.raises(Interrupted):
        write_rows(output, "one", "two")
    return output


LINES = ["{", "[]", "null", "", "\udcff", "[" * 100_000]


@pytest.mark.parametrize("line", LINES)
def test_a_damaged_line_of_progress_is_left_out(line, two_rows, tmp_path):
    path = tmp_path / "answers.csv.partial" / "progress.log"
    first, second, _ = path.read_text().split("\n")
    damaged = [line, f"{'0' * 32} {line}", second.replace('"rows": 2', '"rows": 3'), second[:-1]]
    path.write_text("\n".join([first, *damaged]), errors="surrogateescape")
    with two_rows.resume() as opened:
        assert (opened.done.rows, opened.done.size) == (1, len("answer\none\n"))
        assert opened.lost == 0


@pytest.mark.parametrize(("rows", "size"), [(2**63, 4), (2, 2**63), (2, 2**53)])
def test_absurd_progress_is_left_out(rows, size, two_rows, tmp_path):
    log = tmp_path / "answers.csv.partial" / "progress.log"
    first = log.read_text().split("\n")[0]
    line = Progress(rows, size, 0, "ab", "cd").to_line()
    log.write_text(f"{first}\n{line}")
    with two_rows.resume() as opened:
        assert opened.done.rows == 1


@pytest.mark.parametrize(
    ("results", "rows"),
    [
        ("answer\none\ntwo\n", 2),
        ("answer\none\ntwo\nthr", 2),  # torn: no line of progress has it
        ("answer\none\ntwO\n", 1),
        ("answer\none\ntw", 1),
        ("answer\nOne\ntwo\n", 0),
        ("", 0),
    ],
)
def test_damaged_results_are_predicted_again(results, rows, two_rows, tmp_path):
    (tmp_path / "answers.csv.partial" / "results").write_text(results)
    names = ["one", "two", "three"]
    for number in (rows, rows + 1):  # what is written after the damage is intact again
        with pytest.raises(Interrupted), two_rows.resume() as opened:  # noqa: PT012  # as above
            assert opened.done.rows == number
            assert opened.lost == (2 - rows if number == rows else 0)
            left = opened.skip(InputRow("", {"text": name}, {}) for name in names)
            opened.write_header("answer\n")
            if number == rows:
                row = next(left)
                opened.write([(row, f"{row.columns['text']}\n", False)])
            raise Interrupted
    content = (tmp_path / "answers.csv.partial" / "results").read_text()
    assert content == "".join(f"{text}\n" for text in ("answer", *names[: rows + 1]))
