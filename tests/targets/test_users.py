"""Who of several users plays which part."""

from __future__ import annotations

import pytest

from mlconform.conformance.targets.credentials import basic
from mlconform.conformance.targets.users import FULL_ROLE, Part, User, cast


def user(name: str, *roles: str, backend: str = "") -> User:
    return User(name, basic(name, "not-a-secret"), frozenset(backend.split()), frozenset(roles))


ADMIN = user("root", "all_access", "own_index", backend="admin")
ALICE = user("alice", FULL_ROLE, backend="team_a")
BOB = user("bob", FULL_ROLE, backend="team_b")
CAROL = user("carol", FULL_ROLE, backend="team_a team_c")
LONER = user("loner", FULL_ROLE)
READER = user("reader", "ml_read_access")
NOBODY = user("nobody", "own_index")


def parts(*users: User) -> dict[Part, str]:
    return {part: found.name for part, found in cast(users).items()}


def test_each_part_is_played_by_whom_its_roles_fit() -> None:
    assert parts(ADMIN, ALICE, BOB, CAROL, LONER, READER, NOBODY) == {
        Part.ADMIN: "root",
        Part.OWNER: "alice",
        Part.PEER: "carol",
        Part.STRANGER: "bob",
        Part.READER: "reader",
        Part.NOBODY: "nobody",
    }


def test_the_owner_is_one_who_has_a_peer() -> None:
    found = parts(BOB, ALICE, CAROL)
    assert (found[Part.OWNER], found[Part.PEER], found[Part.STRANGER]) == ("alice", "carol", "bob")


def test_a_stranger_has_backend_roles_where_anybody_has() -> None:
    assert parts(ALICE, LONER, BOB)[Part.STRANGER] == "bob"
    assert parts(ALICE, LONER)[Part.STRANGER] == "loner"


def test_who_has_no_backend_role_owns_nothing() -> None:
    assert Part.OWNER not in parts(LONER)


@pytest.mark.parametrize("role", ["ml_read_access", "ml_readonly_access"])
def test_a_reader_by_either_name_of_the_role(role: str) -> None:
    assert parts(user("x", role)) == {Part.READER: "x"}


def test_a_role_that_nobody_knows_plays_no_part() -> None:
    assert parts(user("x", "a_role_of_their_own")) == {}
