"""What users are told travels between processes as it is."""

import pickle

import pytest

from rnnpipe.errors import BadRecord, Faults, UserError

MISTAKE = UserError("model.units", "a positive integer", "-3", "write e.g. 256")


@pytest.mark.parametrize(
    "told", [MISTAKE, Faults([MISTAKE, UserError("seed", "a number", "x", "write e.g. 7")])]
)
def test_a_pickled_user_error_keeps_its_message(told):
    again = pickle.loads(pickle.dumps(told))
    assert type(again) is type(told)
    assert str(again) == str(told)
    assert (again.where, again.fix) == (told.where, told.fix)


def test_a_pickled_bad_record_keeps_its_message():
    again = pickle.loads(pickle.dumps(BadRecord("decode image", "truncated")))
    assert (again.step, again.reason, str(again)) == (
        "decode image",
        "truncated",
        "decode image: truncated",
    )
