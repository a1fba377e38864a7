from rnnpipe.transforms.recipes.labels import learn_labels


def test_numbers_come_by_value_before_names():
    assert learn_labels({"b", "10", "9", "-1", "-20", "a", "--1", "1.5"}) == [
        *("-20", "-1", "9", "10"),
        *("--1", "1.5", "a", "b"),
    ]


def test_numbers_beyond_the_digit_limit_are_sorted_too():
    longer, shorter = "1" + "0" * 5000, "9" * 5000
    labels = [longer, "x", shorter, f"-{longer}", f"-{shorter}"]
    assert learn_labels(labels) == [f"-{longer}", f"-{shorter}", shorter, longer, "x"]
