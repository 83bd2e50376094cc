"""The users that a run acts as beside its own account: who each of them is, and which part each can play."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mlconform.conformance.targets.credentials import Credentials

ADMIN_ROLE: Final = "all_access"
FULL_ROLE: Final = "ml_full_access"
# Pages name the second, nodes have the first.
READ_ROLES: Final = ("ml_read_access", "ml_readonly_access")
# A role that says nothing of models: who has it alone may do nothing with them.
_IRRELEVANT: Final = frozenset({"own_index"})


class Part(StrEnum):
    """What a user is to a thing that the owner makes."""

    ADMIN = "admin"
    OWNER = "owner"
    PEER = "peer"
    STRANGER = "stranger"
    READER = "reader"
    NOBODY = "nobody"

    @property
    def told(self) -> str:
        """In words."""
        return _TOLD[self]


_TOLD: Final = {
    Part.ADMIN: "an admin",
    Part.OWNER: "the owner",
    Part.PEER: "who shares a backend role with the owner",
    Part.STRANGER: "who shares no backend role with the owner",
    Part.READER: "who may only read",
    Part.NOBODY: "who has no role",
}


@dataclass(frozen=True, slots=True)
class User:
    """An account of the target, as the target itself tells who it is."""

    name: str
    credentials: Credentials
    backend_roles: frozenset[str]
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return ADMIN_ROLE in self.roles

    @property
    def may_all(self) -> bool:
        """Full access to models, and no more."""
        return FULL_ROLE in self.roles and not self.is_admin

    @property
    def only_reads(self) -> bool:
        return not self.is_admin and not self.may_all and not self.roles.isdisjoint(READ_ROLES)

    @property
    def roles_are_ordinary(self) -> bool:
        """Whether it is known of each role what it allows, and none is an admin's."""
        return self.roles <= {FULL_ROLE, *READ_ROLES, *_IRRELEVANT}

    @property
    def may_nothing(self) -> bool:
        return self.roles <= _IRRELEVANT


def cast(users: Iterable[User]) -> Mapping[Part, User]:
    """Who plays which part; of several who could, the first. A part that nobody can play is left out.

    The owner is one for whom there is a peer, where any has one.
    """
    everybody = list(users)
    full = [user for user in everybody if user.may_all]
    owners = [user for user in full if user.backend_roles]
    owner = next((user for user in owners if any(_peers(user, full))), next(iter(owners), None))
    found = {
        Part.ADMIN: next((user for user in everybody if user.is_admin), None),
        Part.OWNER: owner,
        Part.PEER: next(_peers(owner, full), None) if owner else None,
        Part.STRANGER: next(_strangers(owner, full), None) if owner else None,
        Part.READER: next((user for user in everybody if user.only_reads), None),
        Part.NOBODY: next((user for user in everybody if user.may_nothing), None),
    }
    return {part: user for part, user in found.items() if user is not None}


def _peers(owner: User, users: Iterable[User]) -> Iterator[User]:
    return (user for user in users if user.name != owner.name and user.backend_roles & owner.backend_roles)


def _strangers(owner: User, users: Iterable[User]) -> Iterator[User]:
    """Those with backend roles of their own come first: a check for any role at all meets them alone."""
    strange = [
        user for user in users if user.name != owner.name and not user.backend_roles & owner.backend_roles
    ]
    return iter(sorted(strange, key=lambda user: not user.backend_roles))
