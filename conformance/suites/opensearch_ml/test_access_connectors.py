"""Connector access control, on: who may do what with a connector of each access mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import deciding, exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.suites.opensearch_ml.users import (
    MAY_USE,
    MODES,
    USERS_OF_MODELS,
    Users,
    see_access,
    see_found,
)
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import ML
from mlconform.conformance.targets.users import Part

pytestmark = exclusive


def _connector(users: Users, **access: Any) -> str:
    """A connector of the owner's."""
    owner = users.acting(Part.OWNER)
    made = owner.create_connector(owner.connector_body(**access))
    if made.status != 200:
        raise Untestable(f"a connector with access parameters could not be made: {made.summary}")
    return str(made.member("connector_id"))


def _get(ml: MlCommons, connector: str) -> Exchange:
    return ml.session.request("GET", f"{ML}/connectors/{connector}")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        deciding("osml.access.connector.get", _get),
        deciding(
            "osml.access.connector.update",
            lambda ml, connector: ml.session.request(
                "PUT", f"{ML}/connectors/{connector}", {"description": "x"}
            ),
        ),
    ],
    ids=["get", "update"],
)
def test_an_operation_on_a_connector(
    users: Users, expect: Expect, name: str, call: Callable[[MlCommons, str], Exchange]
) -> None:
    users.control_connectors()
    for mode in MODES:
        connector = _connector(users, **users.access(mode))
        for who in users.who_plays(USERS_OF_MODELS):
            answered = call(users.acting(who), connector)
            see_access(expect, name, answered, who, f"a {mode} connector", may=who in MAY_USE[mode])


@requirement("osml.access.connector.delete")
def test_who_deletes_a_connector(users: Users, expect: Expect) -> None:
    users.control_connectors()
    for mode in MODES:
        for who in users.who_plays(USERS_OF_MODELS):
            connector = _connector(users, **users.access(mode))
            answered = users.acting(who).session.request("DELETE", f"{ML}/connectors/{connector}")
            may = who in MAY_USE[mode]
            see_access(expect, "osml.access.connector.delete", answered, who, f"a {mode} connector", may=may)


@requirement("osml.access.connector.search")
def test_a_search_shows_connectors_that_are_open(users: Users, expect: Expect) -> None:
    users.control_connectors()
    connectors = {mode: _connector(users, **users.access(mode)) for mode in MODES}
    see_found(expect, "osml.access.connector.search", users, "connector", connectors)


@requirement("osml.access.connector.use")
def test_a_model_on_a_closed_connector(users: Users, expect: Expect) -> None:
    """Its credentials serve those alone to whom it is open: nobody else predicts through it."""
    users.control_connectors()
    for mode in ("private", "restricted"):
        connector = _connector(users, **users.access(mode))
        stranger = users.acting(Part.STRANGER)
        made = stranger.register(stranger.remote_body(connector_id=connector))
        answered = made
        if made.status == 200:
            model = str(made.member("model_id"))
            stranger.await_task(stranger.deploy(model))
            answered = stranger.predict(model)
        thing = f"a predict through a {mode} connector"
        see_access(expect, "osml.access.connector.use", answered, Part.STRANGER, thing, may=False)


@requirement("osml.access.connector.private-by-default")
def test_a_connector_of_which_nothing_is_said(users: Users, expect: Expect) -> None:
    users.control_connectors()
    read = _get(users.acting(Part.ADMIN), _connector(users))
    expect.equal("osml.access.connector.private-by-default", read.member("access"), "private", "access")


@requirement("osml.connector.update.field.access_mode", "osml.connector.update.field.backend_roles")
def test_the_access_of_a_connector_is_changed(users: Users, expect: Expect) -> None:
    users.control_connectors()
    owner, admin = users.acting(Part.OWNER).session, users.acting(Part.ADMIN)
    path = f"{ML}/connectors/{_connector(users, **users.access('private'))}"
    changed = owner.request("PUT", path, {"access_mode": "public"})
    expect.accepted("osml.connector.update.field.access_mode", changed)
    access = admin.session.request("GET", path).member("access")
    expect.equal("osml.connector.update.field.access_mode", access, "public", "access")
    roles = sorted(users.user(Part.OWNER).backend_roles)
    given = owner.request("PUT", path, {"access_mode": "restricted", "backend_roles": roles})
    expect.accepted("osml.connector.update.field.backend_roles", given)
    kept = admin.session.request("GET", path).member("backend_roles")
    expect.equal("osml.connector.update.field.backend_roles", kept, roles, "backend_roles")
