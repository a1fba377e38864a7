import random

import numpy as np

from rnnpipe.sources.generated.moving.routes import ROUTES, STEPS, sample_walk
from rnnpipe.sources.generated.moving.writer import draw_walk

WALKS = [sample_walk(random.Random(seed)) for seed in range(600)]


def test_a_label_names_the_motion_that_led_to_the_place():
    for walk in WALKS[:50]:
        places = np.array(walk.places)
        moved = (np.diff(places, axis=0) + 0.5) % 1 - 0.5
        ways = np.sign(np.round(moved, 9)).astype(int)
        assert [tuple(way) for way in ways] == [STEPS[motion] for motion in walk.motions[1:]]


def test_a_route_is_identified_by_the_order_of_its_motions():
    for walk in WALKS:
        legs = [
            m for m, before in zip(walk.motions, ("", *walk.motions), strict=False) if m != before
        ]
        cycle = ROUTES[walk.route]
        if walk.route != "halting":
            start = cycle.index(legs[0])
            assert legs == [cycle[(start + n) % len(cycle)] for n in range(len(legs))]
        else:
            assert "still" in legs


def test_places_are_independent_of_motions():
    walks = [sample_walk(random.Random(seed)) for seed in range(6000)]
    motions = np.array([motion for walk in walks for motion in walk.motions])
    places = np.array([place for walk in walks for place in walk.places])
    for motion in STEPS:
        x, y = places[motions == motion].T
        shares = np.histogram2d(x, y, bins=2, range=[[0, 1]] * 2)[0]
        np.testing.assert_allclose(shares / shares.sum(), 0.25, atol=0.03)


def test_shapes_wrap_around_the_edges():
    for walk in WALKS[:30]:
        areas = [
            int((np.asarray(picture).std(axis=2) > 20).sum())
            for picture in draw_walk(walk, 64, random.Random(1))
        ]
        assert max(areas) - min(areas) <= 0.25 * max(areas)
