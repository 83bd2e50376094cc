"""What an account may do on a cluster with ML Commons, as far as reading alone tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mlconform.conformance.targets.opensearch_users import USERS
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.turns import PIPELINES
from mlconform.conformance.targets.users import User

_PLUGINS: Final = "/_cat/plugins?format=json"


class Deed(StrEnum):
    """What a run does and may be refused."""

    MODELS = "make models, groups, connectors and agents"
    SETTINGS = "change cluster settings"
    PIPELINES = "keep its mark and old settings in ingest pipelines"
    USERS = "make users"


@dataclass(frozen=True, slots=True)
class Ability:
    """Whether the account may do it; `may` is None where only a run finds out."""

    deed: Deed
    may: bool | None


def abilities(session: Session, account: User | None) -> tuple[Ability, ...]:
    """What the session's account may do. The roles that come with the cluster are known; what others allow
    is told to administrators of the Security plugin alone."""
    if account is None:
        # Without users everything is open; who is sent and not known may be a gateway's matter.
        open_to_all = True if session.options.credentials is None else None
        found = {Deed.MODELS: open_to_all, Deed.SETTINGS: open_to_all, Deed.PIPELINES: open_to_all}
        return tuple(Ability(deed, may) for deed, may in found.items())
    reads_pipelines = _may_read(session, PIPELINES)
    return (
        Ability(Deed.MODELS, _may_make_models(account)),
        Ability(Deed.SETTINGS, _may_as_admin(account)),
        Ability(Deed.PIPELINES, False if reads_pipelines is False else _may_as_admin(account)),
        Ability(Deed.USERS, _may_read(session, USERS)),
    )


def _may_make_models(account: User) -> bool | None:
    if account.is_admin or account.may_all:
        return True
    return False if account.only_reads or account.may_nothing else None


def _may_as_admin(account: User) -> bool | None:
    """Who has one of the ordinary roles and another, which nobody knows, may do more than that one allows."""
    if account.is_admin:
        return True
    return False if account.roles_are_ordinary else None


def _may_read(session: Session, path: str) -> bool | None:
    """Whether reading is allowed; where there is nothing of the kind, nobody knows."""
    read = session.aside("GET", path)
    if read.answer is None:
        return None
    return {200: True, 401: False, 403: False}.get(read.status)


def plugins(session: Session) -> tuple[str, ...]:
    """The plugins of the nodes by name and version, sorted; none where the account may not ask."""
    read = session.aside("GET", _PLUGINS)
    rows: Sequence[object] = read.json if read.answer is not None and read.status == 200 else ()
    return tuple(
        sorted({f"{row.get('component')} {row.get('version')}" for row in rows if isinstance(row, dict)})
    )
