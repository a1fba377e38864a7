import numpy as np

from rnnpipe.config.schema.base import Adam, Schedule
from rnnpipe.tasks.optimizer import make_optimizer


def test_everything_that_a_config_says_reaches_the_optimizer():
    config = Adam(
        kind="adam",
        learning_rate=0.5,
        schedule=Schedule(kind="cosine", warmup_steps=2),
        clip_norm=3.0,
        weight_decay=0.25,
        ema=0.75,
    )
    optimizer = make_optimizer(config, steps=6)
    assert optimizer.global_clipnorm == 3.0
    assert optimizer.weight_decay == 0.25
    assert optimizer.use_ema
    assert optimizer.ema_momentum == 0.75
    rates = []
    for step in (0, 1, 2, 4, 6):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    # Up in 2 steps, then half a cosine over the 4 that are left.
    np.testing.assert_allclose(rates, [0, 0.25, 0.5, 0.25, 0], atol=1e-6)
