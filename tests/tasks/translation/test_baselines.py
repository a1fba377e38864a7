from rnnpipe.tasks.translation.baselines import WordByWord


def test_ubiquitous_words_are_no_translation():
    """7 goes with everything; only beside the rarer words does it stay behind."""
    pairs = [([4, 5], [7, 8]), ([4, 6], [7, 9]), ([4, 5, 6], [9, 7, 8])]
    dictionary = WordByWord(pairs)
    assert dictionary([4, 5, 6]) == [7, 8, 9]
    assert dictionary([6, 6, 4]) == [9, 9, 7]


def test_ties_are_resolved_by_the_first_id():
    assert WordByWord([([4], [9, 8])])([4]) == [8]


def test_words_absent_from_training_are_unknown():
    assert WordByWord([([4], [8])])([5, 4]) == [1, 8]
