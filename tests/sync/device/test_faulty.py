from random import Random

import httpx
import pytest

from sync.device.faulty import FaultyTransport, Odds


def network(odds, seed=1):
    seen = []

    def answer(request):
        seen.append(request.read())
        return httpx.Response(200, text=str(len(seen)))

    return FaultyTransport(httpx.MockTransport(answer), Random(seed), odds), seen


def post(transport, content=b"hello"):
    with httpx.Client(transport=transport) as client:
        return client.post("http://menqian/x", content=content)


@pytest.mark.parametrize(("fault", "arrivals"), [
    ("lose_request", 0), ("lose_answer", 1), ("duplicate", 2),
])
def test_each_fault_is_what_its_name_says(fault, arrivals):
    transport, seen = network(Odds(**{fault: 1.0}))
    if fault == "duplicate":
        assert post(transport).text == "2"
    else:
        with pytest.raises(httpx.TransportError):
            post(transport)
    assert len(seen) == arrivals and transport.faults == [(fault, "POST /x")]


def test_a_cut_sends_a_part_and_breaks_off():
    transport, seen = network(Odds(cut=1.0))
    with pytest.raises(httpx.WriteError):
        post(transport)
    assert seen == [] and transport.faults[0] == ("cut", "POST /x")


def test_the_same_seed_gives_the_same_faults():
    def traces(seed):
        transport, _ = network(Odds(0.2, 0.2, 0.2, 0.2), seed)
        for _ in range(50):
            try:
                post(transport)
            except httpx.TransportError:
                continue
        return transport.faults

    assert traces(5) == traces(5) != traces(6)


def test_offline_nothing_passes():
    transport, seen = network(Odds())
    transport.offline = True
    with pytest.raises(httpx.ConnectError):
        post(transport)
    transport.offline = False
    assert post(transport).status_code == 200 and len(seen) == 1
