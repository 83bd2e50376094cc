"""The users of a secured cluster, and who of them sends a request.

The users, their roles and backend roles are those of the secured node that the recordings are of.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security.roles import Role, RoleMapping, first_mappings, first_roles

DEFAULT_PASSWORD = "Only-4-tests-of-mlconform"
USERS = {
    "admin": ("admin",),
    "ml_full": (),
    "ml_read": (),
    "nobody": (),
    "alice": ("team_a",),
    "bob": ("team_b",),
}
"""The users that a secured mock begins with, and their backend roles."""


class _Unshown(Struct, frozen=True):
    """What holds a password, and shows nothing of what it holds."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Security(_Unshown, frozen=True):
    """How a mock is secured: the users of `USERS` share one password, which does not show itself."""

    password: str = DEFAULT_PASSWORD


class Account(_Unshown, frozen=True):
    """A user whom the cluster knows; `password` is kept and never shown."""

    password: str
    backend_roles: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    description: str | None = None


class Caller(Struct, frozen=True):
    """Who sends a request, with the roles that this user has now."""

    name: str
    backend_roles: tuple[str, ...]
    roles: tuple[str, ...]

    def __str__(self) -> str:
        """As refusals name a user."""
        return (
            f"User [name={self.name}, backend_roles=[{', '.join(self.backend_roles)}], requestedTenant=null]"
        )

    @property
    def is_admin(self) -> bool:
        """Whether access modes mean nothing to this user."""
        return "all_access" in self.roles


class Accounts:
    """Users, roles, and which users have which role."""

    def __init__(self, security: Security, rules: Rules) -> None:
        self.password = security.password
        self._passwords_are_checked = rules.passwords_are_checked
        self.users = {name: Account(security.password, list(roles)) for name, roles in USERS.items()}
        self.roles: dict[str, Role] = first_roles(rules.read_roles, only_read=rules.read_role_only_reads)
        self.mappings: dict[str, RoleMapping] = first_mappings()

    def caller(self, authorization: str | None) -> Caller | None:
        """The user whom an `Authorization` header names with the right password, or None."""
        import hmac  # noqa: PLC0415 - a fast start where nobody is secured

        given = _basic(authorization or "")
        if given is None:
            return None
        name, password = given
        account = self.users.get(name)
        if account is None:
            return None
        right = hmac.compare_digest(account.password.encode(), password.encode())
        if not right and self._passwords_are_checked:
            return None
        return Caller(name, tuple(account.backend_roles), self.roles_of(name, account))

    def roles_of(self, name: str, account: Account) -> tuple[str, ...]:
        """The roles that a user has by name, by a backend role, or of his own."""
        mapped = (
            role for role, mapping in self.mappings.items() if mapping.holds(name, account.backend_roles)
        )
        return tuple(dict.fromkeys([*account.roles, *mapped]))

    def permits(self, caller: Caller, action: str, index: str | None) -> bool:
        """Whether the roles of the caller allow an action, on each of the indices that it concerns."""
        roles = [self.roles[name] for name in caller.roles if name in self.roles]
        names = (index or "").split(",")
        return all(any(role.permits(action, name) for role in roles) for name in names)


def _basic(header: str) -> tuple[str, str] | None:
    """User and password of basic authentication (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
