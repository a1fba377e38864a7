import pytest

from rnnpipe.errors import UserError
from tests.tasks.speech.conftest import TEXTS, make_task


def test_texts_that_have_steps_are_no_news(records, capsys):
    make_task().check_records(records)
    assert capsys.readouterr().err == ""


def test_texts_that_need_more_steps_are_counted(records, capsys):
    task = make_task(model={"subsampling": {"depth": 4, "stride": 2}})
    task.check_records(records)
    (notice,) = capsys.readouterr().err.splitlines()
    total = len(TEXTS["train"])
    assert f"of {total} training texts have more tokens than their recordings have" in notice
    assert 0 < int(notice.split(" of ")[0].split()[-1]) < total


def test_nothing_can_be_learned_without_steps(records):
    task = make_task(model={"subsampling": {"depth": 8, "stride": 2}})
    with pytest.raises(UserError, match=r"model\.subsampling: expected training texts with no mo"):
        task.check_records(records)
