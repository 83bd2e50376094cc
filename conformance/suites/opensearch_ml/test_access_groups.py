"""Model access control, on: which access a model group can have, and who may read, change and delete it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
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


def _register(ml: MlCommons, **fields: Any) -> Exchange:
    body = {"name": ml.session.new_name("group"), "description": "made by a conformance run"}
    return ml.register_group(body | fields)


def _put(ml: MlCommons, group: str, body: Mapping[str, Any]) -> Exchange:
    return ml.session.request("PUT", f"{ML}/model_groups/{group}", body)


def _access(users: Users, group: str) -> Any:
    return users.acting(Part.ADMIN).get_group(group).member("access")


@requirement(
    "osml.access.group.private-by-default",
    "osml.access.group.modes",
    "osml.group.register.field.access_mode",
)
def test_the_mode_of_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    owner = users.acting(Part.OWNER)
    for mode in MODES:
        name = "osml.access.group.modes"
        made = _register(owner, **users.access(mode))
        expect.accepted("osml.group.register.field.access_mode", made)
        expect.equal(
            name, _access(users, str(made.member("model_group_id"))), mode, f"access of a {mode} group"
        )
    made = _register(owner)
    expect.accepted("osml.access.group.private-by-default", made)
    access = _access(users, str(made.member("model_group_id")))
    expect.equal("osml.access.group.private-by-default", access, "private", "access where nothing was said")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            {"access_mode": "restricted"}, marks=requirement("osml.access.group.restricted-needs-roles")
        ),
        pytest.param(
            {"access_mode": "restricted", "backend_roles": None, "add_all_backend_roles": True},
            marks=requirement("osml.access.group.not-both"),
        ),
        pytest.param(
            {"access_mode": "public", "backend_roles": None},
            marks=requirement("osml.access.group.roles-restricted"),
        ),
        pytest.param(
            {"access_mode": "private", "backend_roles": None},
            marks=requirement("osml.access.group.roles-restricted"),
        ),
        pytest.param(
            {"access_mode": "restricted", "backend_roles": ["mlconform-nobodys-role"]},
            marks=requirement("osml.access.group.own-roles"),
        ),
        pytest.param({"access_mode": "mlconform"}, marks=requirement("osml.access.group.mode-values")),
    ],
    ids=["no-roles", "both", "public-roles", "private-roles", "another-role", "another-mode"],
)
def test_access_that_a_group_cannot_have(
    users: Users, expect: Expect, fields: Mapping[str, Any], request: pytest.FixtureRequest
) -> None:
    """None stands for the owner's own backend roles."""
    users.control_models()
    own = sorted(users.user(Part.OWNER).backend_roles)
    sent = {name: own if value is None else value for name, value in fields.items()}
    (name,) = request.node.get_closest_marker("requirement").args
    expect.client_error(name, _register(users.acting(Part.OWNER), **sent))


@requirement(
    "osml.access.group.add-all",
    "osml.access.group.add-all-not-admin",
    "osml.access.group.backend-roles",
    "osml.group.register.field.add_all_backend_roles",
    "osml.group.register.field.backend_roles",
)
def test_backend_roles_of_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    owner, admin = users.acting(Part.OWNER), users.acting(Part.ADMIN)
    own = sorted(users.user(Part.OWNER).backend_roles)
    made = _register(owner, access_mode="restricted", add_all_backend_roles=True)
    expect.accepted("osml.access.group.add-all", made)
    read = admin.get_group(str(made.member("model_group_id")))
    expect.accepted("osml.group.register.field.add_all_backend_roles", made)
    given = sorted(read.member("backend_roles") or [])
    expect.equal("osml.access.group.add-all", given, own, "backend_roles of the group")
    made = _register(owner, access_mode="restricted", backend_roles=own[:1])
    expect.accepted("osml.group.register.field.backend_roles", made)
    read = admin.get_group(str(made.member("model_group_id")))
    expect.equal("osml.access.group.backend-roles", read.member("backend_roles"), own[:1], "backend_roles")
    refused = _register(admin, access_mode="restricted", add_all_backend_roles=True)
    expect.client_error("osml.access.group.add-all-not-admin", refused)


@requirement("osml.access.group.get")
def test_who_reads_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    for mode in MODES:
        group = users.group(mode)
        for who in users.who_plays(USERS_OF_MODELS):
            answered = users.acting(who).get_group(group)
            may = who in MAY_USE[mode]
            see_access(expect, "osml.access.group.get", answered, who, f"a {mode} group", may=may)


@requirement("osml.access.group.update-shared")
def test_a_peer_changes_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    peer, group = users.acting(Part.PEER), users.group("restricted")
    named = _put(peer, group, {"name": peer.session.new_name("group"), "description": "by a peer"})
    thing = "name and description of a restricted group"
    see_access(expect, "osml.access.group.update-shared", named, Part.PEER, thing, may=True)


@requirement("osml.access.group.update", "osml.access.group.update-access")
def test_who_changes_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    group, thing = users.group("restricted"), "a restricted group"
    for who in users.who_plays(USERS_OF_MODELS):
        ml = users.acting(who)
        if who in (Part.OWNER, Part.ADMIN):
            named = _put(ml, group, {"name": ml.session.new_name("group"), "description": f"by {who}"})
            told = f"name and description of {thing}"
            see_access(expect, "osml.access.group.update", named, who, told, may=True)
        closed = _put(ml, group, {"access_mode": "private"})
        may = who in (Part.OWNER, Part.ADMIN)
        see_access(
            expect, "osml.access.group.update-access", closed, who, f"the access mode of {thing}", may=may
        )
        if may:
            opened = _put(users.acting(Part.OWNER), group, users.access("restricted"))
            see_access(
                expect, "osml.access.group.update", opened, Part.OWNER, "the access mode of a group", may=True
            )


@requirement("osml.access.group.update-stranger")
def test_a_stranger_changes_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    for mode in ("private", "restricted"):
        group = users.group(mode)
        answered = _put(users.acting(Part.STRANGER), group, {"description": "by a stranger"})
        name = "osml.access.group.update-stranger"
        see_access(expect, name, answered, Part.STRANGER, f"the description of a {mode} group", may=False)
        read = users.acting(Part.ADMIN).get_group(group)
        kept = read.member("description")
        expect.equal(name, kept, "made by a conformance run", f"description of the {mode} group")


@requirement("osml.access.group.update-restricted-needs-roles")
def test_a_group_becomes_restricted(users: Users, expect: Expect) -> None:
    users.control_models()
    owner, name = users.acting(Part.OWNER), "osml.access.group.update-restricted-needs-roles"
    group = users.group("private")
    both = {"backend_roles": sorted(users.user(Part.OWNER).backend_roles), "add_all_backend_roles": True}
    expect.client_error(name, _put(owner, group, {"access_mode": "restricted"}))
    expect.client_error(name, _put(owner, group, {"access_mode": "restricted", **both}))
    expect.equal(name, _access(users, group), "private", "access of the group")


@requirement("osml.access.group.mode-changes")
def test_a_new_mode_counts_at_once(users: Users, expect: Expect) -> None:
    users.control_models()
    owner, stranger, name = (
        users.acting(Part.OWNER),
        users.acting(Part.STRANGER),
        "osml.access.group.mode-changes",
    )
    model = users.model("private")
    group = str(owner.get(model).member("model_group_id"))
    for mode in ("public", "private", "restricted", "public"):
        expect.accepted(name, _put(owner, group, users.access(mode)))
        answered = stranger.get(model)
        thing = f"a model whose group has become {mode}"
        see_access(expect, name, answered, Part.STRANGER, thing, may=mode == "public")


@requirement("osml.access.group.delete", "osml.access.group.delete-stranger")
def test_who_deletes_a_group(users: Users, expect: Expect) -> None:
    users.control_models()
    for mode in MODES:
        for who in users.who_plays(USERS_OF_MODELS):
            may = who in MAY_USE[mode]
            name = "osml.access.group.delete" if may else "osml.access.group.delete-stranger"
            group = users.group(mode)
            answered = users.acting(who).session.request("DELETE", f"{ML}/model_groups/{group}")
            see_access(expect, name, answered, who, f"an empty {mode} group", may=may)


@requirement("osml.access.group.search")
def test_a_search_shows_groups_that_are_open(users: Users, expect: Expect) -> None:
    users.control_models()
    groups = {mode: users.group(mode) for mode in MODES}
    see_found(expect, "osml.access.group.search", users, "model group", groups)


@requirement("osml.register.group-access")
def test_the_group_that_a_registration_makes(users: Users, expect: Expect) -> None:
    """Private where nothing is said of it, else as the three parameters say."""
    users.control_models()
    owner, name = users.acting(Part.OWNER), "osml.register.group-access"
    for fields, mode in (({}, "private"), *((users.access(mode), mode) for mode in MODES)):
        made = owner.register(owner.remote_body(**fields))
        told = f"{mode}, as the registration says" if fields else "private, as nothing is said of it"
        expect.see(
            name,
            made.status == 200,
            expected=f"the registration is accepted, and its group is {told}",
            came=made.summary,
            exchange=made,
        )
        if made.status == 200:
            group = str(users.acting(Part.ADMIN).get(str(made.member("model_id"))).member("model_group_id"))
            access = _access(users, group)
            expect.see(name, access == mode, expected=f"its group is {told}", came=f"access = {access!r}")


@requirement("osml.access.group.owner-keeps")
def test_the_owner_without_the_backend_role(users: Users, expect: Expect) -> None:
    """The owner is let in by being the owner, whatever backend roles an admin gives the group."""
    users.control_models()
    group = users.group("restricted")
    roles = sorted(users.user(Part.STRANGER).backend_roles) or ["mlconform-another-role"]
    given = _put(users.acting(Part.ADMIN), group, {"access_mode": "restricted", "backend_roles": roles})
    expect.accepted("osml.access.group.owner-keeps", given)
    read = users.acting(Part.OWNER).get_group(group)
    thing = "a group that has none of the owner's backend roles"
    see_access(expect, "osml.access.group.owner-keeps", read, Part.OWNER, thing, may=True)
