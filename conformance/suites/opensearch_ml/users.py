"""The target as other users see it, and what access to a thing of somebody else means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import opensearch_ml, opensearch_settings
from mlconform.conformance.targets.credentials import basic
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_settings import CONNECTOR_ACCESS_CONTROL, MODEL_ACCESS_CONTROL
from mlconform.conformance.targets.opensearch_users import missing
from mlconform.conformance.targets.users import Part, User

MODES: Final = ("private", "restricted", "public")
# Who may use what a group of this mode holds (page model-apis, "Model access control considerations").
MAY_USE: Final[Mapping[str, frozenset[Part]]] = {
    "private": frozenset({Part.ADMIN, Part.OWNER}),
    "restricted": frozenset({Part.ADMIN, Part.OWNER, Part.PEER}),
    "public": frozenset({Part.ADMIN, Part.OWNER, Part.PEER, Part.STRANGER}),
}
# Those who may use models at all, so that the mode alone decides; the gravest mistake comes first.
USERS_OF_MODELS: Final = (Part.STRANGER, Part.PEER, Part.OWNER, Part.ADMIN)


class Users:
    """ML Commons as each part sees it, for one check.

    Raises `Untestable` where the target knows no users, or has nobody for a part.
    """

    def __init__(self, ml: MlCommons, found: Mapping[Part, User] | Untestable) -> None:
        if isinstance(found, Untestable):
            raise found
        self.ml = ml
        self._found = found
        own = ml.session.options.credentials
        admin = found.get(Part.ADMIN)
        self._admin_keeps = admin is not None and admin.credentials == own

    def user(self, part: Part) -> User:
        """Who plays this part."""
        if part not in self._found:
            raise missing(part)
        return self._found[part]

    def acting(self, part: Part) -> MlCommons:
        """ML Commons as the user of this part; an admin removes what is made, else who made it."""
        credentials = self.user(part).credentials
        return self.ml.apart(self.ml.session.acting_as(credentials, removes_itself=not self._admin_keeps))

    def anonymous(self) -> MlCommons:
        """ML Commons as a request without credentials sees it."""
        return self.ml.apart(self.ml.session.acting_as(None))

    def impostor(self) -> MlCommons:
        """As the owner's name with a wrong password sees it."""
        name = self.user(Part.OWNER).name
        return self.ml.apart(self.ml.session.acting_as(basic(name, "not-this-password")))

    def who_plays(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Those of the parts that somebody plays."""
        return tuple(part for part in parts if part in self._found)

    # what they have

    def control_models(self) -> None:
        """Turn model access control on; put back after the check."""
        opensearch_settings.change_settings(self.ml.session, {MODEL_ACCESS_CONTROL: True})

    def control_connectors(self) -> None:
        """Turn connector access control on; put back after the check."""
        opensearch_settings.change_settings(self.ml.session, {CONNECTOR_ACCESS_CONTROL: True})

    def access(self, mode: str) -> dict[str, Any]:
        """What gives a thing of the owner this mode."""
        return {"access_mode": mode} | ({"add_all_backend_roles": True} if mode == "restricted" else {})

    def group(self, mode: str, part: Part = Part.OWNER) -> str:
        """A model group of the owner's with this access mode."""
        return self.acting(part).group(**self.access(mode))

    def model(self, mode: str) -> str:
        """A model of the owner's in such a group."""
        return self.acting(Part.OWNER).model(model_group_id=self.group(mode))


def see_access(
    expect: Expect,
    requirement: str,
    answered: Exchange,
    who: Part,
    thing: str,
    *,
    may: bool,
    done: bool = True,
) -> bool:
    """Whether the user is let in or refused as it should be; kept for the table of operations by user.

    `thing` is what it is asked for, empty for the operation at all.

    Who is refused is known and may not: a 4xx that is no 401 (RFC 9110, sections 15.5.2 and 15.5.4).
    Who is let in meets success, or where the request could not be `done` whatever but a refusal of the user.
    """
    refused = answered.status in (401, 403)
    if may:
        holds = answered.status < 300 or (not done and not refused and answered.status < 500)
        expected = f"{who.told} is let in: {'success (2xx)' if done else 'no 401 or 403'}{_for(thing)}"
    else:
        holds = 400 <= answered.status < 500 and answered.status != 401
        expected = f"{who.told} is refused: a 4xx that is no 401{_for(thing)}"
    expect.see_access(requirement, holds, str(who), thing, expected=expected, exchange=answered)
    return holds


def _for(thing: str) -> str:
    return f" for {thing}" if thing else ""


def see_found(expect: Expect, requirement: str, users: Users, kind: str, things: Mapping[str, str]) -> None:
    """A search for these things, by the mode of each, shows everybody what is open to them, and no more."""
    for thing in things.values():
        users.acting(Part.ADMIN).await_found(kind, thing)
    query = {"query": {"ids": {"values": list(things.values())}}}
    for who in users.who_plays(USERS_OF_MODELS):
        answered = users.acting(who).session.request("POST", f"{opensearch_ml.PATHS[kind]}_search", query)
        expect.status(requirement, answered, 200)
        hits = answered.member("hits", "hits")
        shown = {hit.get("_id") for hit in hits if isinstance(hit, dict)} if isinstance(hits, list) else set()
        for mode, thing in things.items():
            may = who in MAY_USE[mode]
            expect.see_access(
                requirement,
                (thing in shown) == may,
                str(who),
                f"a {kind} that is {mode}",
                expected=f"{who.told} {'finds' if may else 'does not find'} a {kind} that is {mode}",
                exchange=answered,
                told="shown" if thing in shown else "hidden",
            )
