import tensorflow as tf

from rnnpipe.inputs.prefetching import prefetch


def test_all_batches_come_in_order_and_nothing_is_tuned():
    batches = prefetch(tf.data.Dataset.range(7).batch(3), ahead=1)
    assert [batch.tolist() for batch in batches.as_numpy_iterator()] == [[0, 1, 2], [3, 4, 5], [6]]
    assert batches.options().autotune.enabled is False


def test_derived_data_sets_are_not_tuned_either():
    assert prefetch(tf.data.Dataset.range(7)).take(3).repeat().options().autotune.enabled is False
