import pytest

from rnnpipe.errors import UserError
from rnnpipe.parts.fine_tuning import FineTuningOptions

GROUPS = ("embedding", "recurrence/level_0 + bridge", "recurrence")


def test_rates_and_epochs_of_the_paper():
    options = FineTuningOptions(groups=GROUPS)
    assert options.factors == pytest.approx([2.6**-3, 2.6**-2, 2.6**-1, 1])
    assert (options.delays, options.last_delay) == ([3, 2, 1, 0], 3)
    assert options.parts[1] == ["recurrence/level_0", "bridge"]


def test_rates_and_epochs_of_ones_own():
    options = FineTuningOptions(groups=GROUPS, rates=(0, 0.1, 0.5), unfreeze_after=(9, 0, 4))
    assert options.factors == [0, 0.1, 0.5, 1.0]
    assert (options.delays, options.last_delay) == ([None, 0, 4, 0], 4)
    at_once = FineTuningOptions(groups=GROUPS, unfreeze_every=0)
    assert (at_once.delays, at_once.last_delay) == ([0, 0, 0, 0], 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": ("a", "b + a")}, "groups: expected names of layers, each once"),
        ({"groups": ("a + ",)}, "groups: expected names of layers, each once"),
        ({"rates": (0.1,)}, "rates: expected a number from 0 for each of the 3 groups, got"),
        ({"unfreeze_after": (1, 2, -1)}, r"unfreeze_after: .* got \[1, 2, -1\]; write e.g. \[0, 0"),
        ({"rates": (0.1, 0.2, 0.3), "rate_divisor": 2.0}, "rate_divisor: expected 2.6 with rates"),
        ({"unfreeze_after": (1, 2, 1), "unfreeze_every": 2}, "unfreeze_every: .* no effect"),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        FineTuningOptions(**{"groups": GROUPS, **options})


def test_every_group_is_trained_before_the_last_epoch():
    FineTuningOptions(groups=GROUPS).check_epochs(4)
    with pytest.raises(UserError, match=r"unfreeze_every: expected all .* that waits for 3"):
        FineTuningOptions(groups=GROUPS).check_epochs(3)
