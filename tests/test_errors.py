"""Errors of users pass unchanged between processes."""

import pickle

import pytest

from rnnpipe.errors import BadRecord, Faults, UserError

MISTAKE = UserError("model.units", "a positive integer", "-3", "write e.g. 256")


@pytest.mark.parametrize(
    "error", [MISTAKE, Faults([MISTAKE, UserError("seed", "a number", "x", "write e.g. 7")])]
)
def test_a_pickled_user_error_keeps_its_message(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.where, again.fix) == (error.where, error.fix)


def test_a_pickled_bad_record_keeps_its_message():
    again = pickle.loads(pickle.dumps(BadRecord("decode image", "truncated")))
    assert (again.step, again.reason, str(again)) == (
        "decode image",
        "truncated",
        "decode image: truncated",
    )
