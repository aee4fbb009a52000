"""Where the inspectors go, and what their bad network costs."""

from itertools import combinations
from random import Random

import httpx

from schemas.positions import distance_m
from server.demo.network import Network
from server.demo.patrol import moved
from server.demo.shift import APART_M, BEATS, spread
from server.demo.town import make_town
from sync.device.faulty import Odds


def test_places_are_far_enough_apart_that_no_two_findings_are_the_same_thing():
    shops = make_town(3).shops
    chosen = spread(shops, Random(1))
    assert {shop.street for shop in chosen} == set(BEATS)
    assert all(distance_m(one.lon, one.lat, other.lon, other.lat) > APART_M for one, other in combinations(chosen, 2))
    assert chosen == spread(shops, Random(1))


def test_a_move_is_as_long_as_it_says():
    lon, lat = moved(119.95, 31.7, 30, -40)
    assert abs(distance_m(119.95, 31.7, lon, lat) - 50) < 0.3


def test_the_meter_counts_what_left_the_device():
    network = Network(1)
    network.meter.inner = httpx.MockTransport(lambda request: httpx.Response(204))
    client = httpx.Client(transport=network)
    client.patch("http://device.test/uploads/1", content=b"x" * 1000)
    client.post("http://device.test/sync/push", content=b"y" * 500)
    assert network.meter.photo_bytes == 1000
    network.odds = Odds(duplicate=1)
    client.patch("http://device.test/uploads/1", content=b"x" * 1000)
    assert network.meter.photo_bytes == 3000
    assert network.troubles() == {"duplicate": 1}
