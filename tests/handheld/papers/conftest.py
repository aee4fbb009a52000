"""An inspector with a phone without a network, in a street with one zone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bureau import Bureau
from tests.paperwork import SCOPE, draw_zone, offline
from tests.phones import Phone
from tests.wire import Person


@pytest.fixture(scope="session", autouse=True)
def zone(office: Bureau) -> None:
    draw_zone(office)


@pytest.fixture
def inspector(office: Bureau) -> Person:
    return office.newcomer("inspector", scopes=(SCOPE,))


@pytest.fixture
def supervisor(office: Bureau) -> Person:
    return office.person("supervisor", scopes=(SCOPE,))


@pytest.fixture
def one(office: Bureau, inspector: Person, phone: Callable[..., Phone]) -> Phone:
    return offline(phone().enrol(office.invite(inspector.username)))
