"""Users of a cluster with the Security plugin: who somebody is, and users that a run makes for itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.credentials import Credentials, basic
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource
from mlconform.conformance.targets.users import FULL_ROLE, READ_ROLES, Part, User, cast

AUTHINFO: Final = "/_plugins/_security/authinfo"
_API: Final = "/_plugins/_security/api"
USERS: Final = f"{_API}/internalusers"
_ALONE: Final = "the target knows no users; it takes a cluster with the Security plugin"
_GIVE: Final = "give more users with --user NAME=FILE, or let the run make its own with --create-users"


def who_is(session: Session) -> User | None:
    """The user whom the target takes the session's own account for; None where it knows no users.

    Raises `PrerequisiteMissing` where the credentials are refused.
    """
    credentials = session.options.credentials
    if credentials is None:
        return None
    read = session.aside("GET", AUTHINFO)
    if read.answer is None or read.status == 401:
        told = read.problem or read.summary
        raise PrerequisiteMissing(
            f"the credentials of {credentials.identity or credentials.name} are not accepted: {told}; "
            "correct them, or leave the user out"
        )
    if read.status != 200 or not isinstance(read.member("user_name"), str):
        return None
    return User(
        str(read.member("user_name")),
        credentials,
        _names(read.member("backend_roles")),
        _names(read.member("roles")),
    )


def _names(found: Any) -> frozenset[str]:
    return frozenset(str(each) for each in found) if isinstance(found, list) else frozenset()


def users_of(session: Session) -> Mapping[Part, User]:
    """Who plays which part on this target; users that the run may make itself are made.

    Raises `Untestable` where the target knows no users at all.
    """
    own = who_is(session)
    if own is None:
        raise Untestable(_ALONE, Remedy.USERS)
    given = [who_is(session.acting_as(each)) for each in session.options.users]
    found = dict(cast([own, *(user for user in given if user is not None)]))
    if session.options.create_users:
        found |= _made(session, own, found)
    return found


def _made(session: Session, own: User, found: Mapping[Part, User]) -> Mapping[Part, User]:
    """The parts that nobody plays yet, each played by a user of the run's own."""
    if not own.is_admin:
        raise Untestable(f"{own.name} may make no users, for it is no admin", Remedy.PERMISSION)
    owner = found.get(Part.OWNER)
    team = sorted(owner.backend_roles) if owner else [f"{session.options.prefix}team"]
    wanted = {
        Part.OWNER: (team, [FULL_ROLE]),
        Part.PEER: (team, [FULL_ROLE]),
        Part.STRANGER: ([f"{session.options.prefix}other-team"], [FULL_ROLE]),
        Part.READER: ([], [_read_role(session)]),
        Part.NOBODY: ([], []),
    }
    return {part: _make(session, part, *wanted[part]) for part in wanted if part not in found}


def _read_role(session: Session) -> str:
    roles = session.aside("GET", f"{_API}/roles")
    known = roles.json if roles.status == 200 and isinstance(roles.json, dict) else {}
    return next((name for name in READ_ROLES if name in known), READ_ROLES[0])


def _make(session: Session, part: Part, backend_roles: list[str], roles: list[str]) -> User:
    name = f"{session.options.prefix}{part}"
    # As the plugin wants passwords: letters of both cases, a digit and a sign.
    password = f"Aa1-{secrets.token_urlsafe(24)}"
    body = {"password": password, "backend_roles": backend_roles, "opendistro_security_roles": roles}
    session.tracker.add(_removable(session, name))
    answered = session.aside("PUT", f"{USERS}/{quote(name, safe='')}", body)
    if answered.answer is None or answered.status not in (200, 201):
        raise Untestable(
            f"no user could be made: {answered.problem or answered.summary}; give users with --user "
            "NAME=FILE, or let the account use the plugin's API (plugins.security.restapi.roles_enabled)",
            Remedy.USERS,
        )
    credentials: Credentials = replace(basic(name, password), identity=str(part))
    return User(name, credentials, frozenset(backend_roles), frozenset(roles))


def _removable(session: Session, name: str) -> Resource:
    def remove() -> str | None:
        deleted = session.aside("DELETE", f"{USERS}/{quote(name, safe='')}")
        if deleted.answer is None:
            return deleted.problem
        return None if deleted.status in (200, 404) else deleted.summary

    return Resource("user", name, remove)


def left_users(session: Session, prefix: str, spare: tuple[str, ...]) -> list[Resource]:
    """The users that runs made and did not remove; none where the account may not ask."""
    read = session.aside("GET", USERS)
    if read.answer is None or read.status != 200 or not isinstance(read.json, dict):
        return []
    names = (name for name in read.json if name.startswith(prefix) and not name.startswith(spare))
    return [_removable(session, name) for name in sorted(names)]


def missing(part: Part) -> Untestable:
    """What a check says that needs a user who is not there."""
    return Untestable(f"it takes a user more, {part.told}: {_GIVE}", Remedy.USERS)
