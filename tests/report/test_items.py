import pytest

from rnnpipe.report.items import Calibration, Confusion, Table


def test_a_row_with_a_missing_cell_is_named():
    with pytest.raises(ValueError, match=r"table 'Scores': expected 2 cells, got \('model',\)"):
        Table("Scores", ("", "accuracy"), (("always yes", 0.5), ("model",)))


@pytest.mark.parametrize("counts", [((1, 2),), ((1, 2), (3,)), ((1, 2), (3, 4), (5, 6))])
def test_confusion_is_as_wide_and_as_long_as_its_labels(counts):
    with pytest.raises(ValueError, match="confusion 'Answers': counts must be 2 by 2"):
        Confusion("Answers", ("yes", "no"), counts)


def test_confusion_of_nothing():
    assert Confusion("Answers", (), ()).counts == ()


@pytest.mark.parametrize("point", [(1.1, 0.5, 3), (0.5, -0.1, 3)])
def test_calibration_axes_are_shares(point):
    with pytest.raises(ValueError, match=r"calibration 'Model': expected shares within \[0, 1\]"):
        Calibration("Model", [(0.6, 0.7, 2), point])
