"""The people of the demonstration."""

import re
from collections import Counter

from schemas.people import User
from server.demo.people import cast, password


def test_twelve_inspectors_two_reviewers_a_supervisor_and_an_administrator():
    assert Counter(person.role for person in cast()) == {"admin": 1, "supervisor": 1, "reviewer": 2, "inspector": 12}


def test_each_person_is_one_that_the_server_takes():
    people = cast()
    for person in people:
        User().load(person.document())
        assert person.unit is None or person.role == "inspector"
    assert len({person.username for person in people}) == len(people)


def test_passwords_are_new_each_time_and_easy_to_type():
    made = {password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-z]{6}-[a-z]{6}-\d\d", each) for each in made)
