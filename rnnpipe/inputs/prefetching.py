"""Batches that are ready before they are asked for."""

import tensorflow as tf


def prefetch(batches: tf.data.Dataset, ahead: int = 2) -> tf.data.Dataset:
    """The batches, some ahead of time, as fast as the data set's own settings make them.

    TensorFlow would tune those settings at run time. But an iterator that is let go waits for the
    tuner, which sleeps twice as long each time, up to a minute, and does not always wake: of epochs
    of 8.7 seconds some took 10.3 (`tools.bench.epochs`), and nearly all where an epoch ends
    before its batches do. Untuned, `tf.data.AUTOTUNE` means all cores.

    Args:
        batches: what to make ahead.
        ahead: how many of them.
    """
    untuned = tf.data.Options()
    untuned.autotune.enabled = False
    return batches.prefetch(ahead).with_options(untuned)
