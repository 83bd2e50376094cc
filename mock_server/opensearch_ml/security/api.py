"""The API of the Security plugin, as far as a client needs it: who it is, and users with roles."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.errors import node_error
from mlconform.mock_server.opensearch_ml.security.accounts import Account, Accounts, Caller
from mlconform.mock_server.opensearch_ml.security.roles import IndexPermission, Role, RoleMapping
from mlconform.mock_server.opensearch_ml.store import JsonObject

ThingT = TypeVar("ThingT")

_EXPECTED = {
    "texts": "Array expected",
    "objects": "Array expected",
    "object": "Object expected",
    "text": "String expected",
}
_USER = {
    "backend_roles": "texts",
    "attributes": "object",
    "description": "text",
    "opendistro_security_roles": "texts",
    "password": "text",
}
_ROLE = {
    "cluster_permissions": "texts",
    "index_permissions": "objects",
    "tenant_permissions": "objects",
    "description": "text",
}
_MAPPING = {
    "backend_roles": "texts",
    "hosts": "texts",
    "and_backend_roles": "texts",
    "users": "texts",
    "description": "text",
}
_ONE_OF = "backend_roles,hosts,and_backend_roles,users"
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")


class _RefusalError(Exception):
    """An answer that refuses, in this API's own form."""

    def __init__(self, status: int, body: JsonObject) -> None:
        super().__init__(status)
        self.answer = Answer(body, status)


def health(_call: Call) -> Answer:
    """GET /_plugins/_security/health, which needs no credentials."""
    settings = {"plugins.security.cache.ttl_minutes": 60}
    return Answer({"message": None, "mode": "strict", "status": "UP", "settings": settings})


def authinfo(call: Call) -> Answer:
    """GET and POST /_plugins/_security/authinfo: who the caller is."""
    accounts, caller = _secured(call)
    account = accounts.users[caller.name]
    return Answer(
        {
            "user": str(caller),
            "user_name": caller.name,
            "user_requested_tenant": None,
            "remote_address": "127.0.0.1:0",
            "backend_roles": list(caller.backend_roles),
            "custom_attribute_names": [f"attr.internal.{name}" for name in account.attributes],
            "roles": list(caller.roles),
            "tenants": _tenants(caller),
            "principal": None,
            "peer_certificates": "0",
            "sso_logout_url": None,
        }
    )


def account(call: Call) -> Answer:
    """GET /_plugins/_security/api/account: the caller's own account."""
    accounts, caller = _secured(call)
    return Answer(
        {
            "user_name": caller.name,
            "is_reserved": False,
            "is_hidden": False,
            "is_internal_user": True,
            "user_requested_tenant": None,
            "backend_roles": list(caller.backend_roles),
            "custom_attribute_names": [
                f"attr.internal.{name}" for name in accounts.users[caller.name].attributes
            ],
            "tenants": _tenants(caller),
            "roles": list(caller.roles),
        }
    )


def _tenants(caller: Caller) -> dict[str, bool]:
    shared = {"global_tenant": True, "admin_tenant": True} if caller.is_admin else {}
    return {**shared, caller.name: True}


def _secured(call: Call) -> tuple[Accounts, Caller]:
    if call.cluster.accounts is None or call.caller is None:
        raise LookupError("only a secured cluster has this route, and it is not open")
    return call.cluster.accounts, call.caller


def _administered(handler: Callable[[Call, Accounts], Answer]) -> Callable[[Call], Answer]:
    """A handler for who may administer, which is refused in this API's own form."""

    def answer(call: Call) -> Answer:
        accounts, caller = _secured(call)
        try:
            if not caller.is_admin:
                raise _not_administrator(caller)
            return handler(call, accounts)
        except _RefusalError as refused:
            return refused.answer

    return answer


def _not_administrator(caller: Caller) -> _RefusalError:
    roles = ", ".join(caller.roles)
    return _forbidden(
        f"No permission to access REST API: User {caller.name} with Security roles [{roles}] does not have "
        "any role privileged for admin access. No client TLS certificate found in request"
    )


def _get(call: Call, things: dict[str, ThingT], told: str, view: Callable[[ThingT], JsonObject]) -> Answer:
    name = call.parameters.get("name")
    wanted = things if name is None else {name: _known(things, name, told)}
    return Answer({key: view(thing) for key, thing in wanted.items()})


def _known(things: dict[str, ThingT], name: str, told: str) -> ThingT:
    thing = things.get(name)
    if thing is None:
        raise _RefusalError(404, {"status": "NOT_FOUND", "message": f"{told} '{name}' not found."})
    return thing


def _put(things: MutableMapping[str, ThingT], name: str, thing: ThingT) -> Answer:
    created = name not in things
    things[name] = thing
    if created:
        return Answer({"status": "CREATED", "message": f"'{name}' created."}, 201)
    return Answer({"status": "OK", "message": f"'{name}' updated."})


def _delete(call: Call, things: dict[str, ThingT], told: str) -> Answer:
    name = call.parameters["name"]
    _known(things, name, told)
    del things[name]
    return Answer({"status": "OK", "message": f"'{name}' deleted."})


@_administered
def get_users(call: Call, accounts: Accounts) -> Answer:
    """GET api/internalusers and api/internalusers/{name}: never with a password."""
    return _get(call, accounts.users, "user", _view_user)


@_administered
def put_user(call: Call, accounts: Accounts) -> Answer:
    """PUT api/internalusers/{name}: a user as sent, with the password as it was where none is."""
    name, body = call.parameters["name"], _body(call, _USER)
    before, password = accounts.users.get(name), body.get("password")
    if password is not None:
        _require_strong(name, password)
    elif before is None:
        reason = "Please specify either 'hash' or 'password' when creating a new internal user."
        raise _RefusalError(400, {"status": "BAD_REQUEST", "message": reason})
    else:
        password = before.password
    roles = body.get("opendistro_security_roles", [])
    for role in roles:
        _known(accounts.roles, role, "role")
    made = Account(
        password,
        body.get("backend_roles", []),
        body.get("attributes", {}),
        roles,
        body.get("description"),
    )
    return _put(accounts.users, name, made)


@_administered
def delete_user(call: Call, accounts: Accounts) -> Answer:
    """DELETE api/internalusers/{name}."""
    return _delete(call, accounts.users, "user")


def _view_user(user: Account) -> JsonObject:
    described = {} if user.description is None else {"description": user.description}
    return {
        "hash": "",
        "reserved": False,
        "hidden": False,
        "backend_roles": user.backend_roles,
        "attributes": user.attributes,
        **described,
        "opendistro_security_roles": user.roles,
        "static": False,
    }


def _require_strong(name: str, password: str) -> None:
    """A node estimates how long a password withstands guesses; here it takes length, kinds and variety."""
    if not password:
        raise _RefusalError(400, {"status": "error", "reason": "Password is too short"})
    kinds = sum(re.search(kind, password) is not None for kind in _KINDS)
    varied = len(password) >= 8 and len(set(password)) >= 6 and kinds >= 3
    if not varied or name.lower() in password.lower():
        raise _RefusalError(400, {"status": "error", "reason": "Weak password"})


@_administered
def get_roles(call: Call, accounts: Accounts) -> Answer:
    """GET api/roles and api/roles/{name}."""
    return _get(call, accounts.roles, "role", _view_role)


@_administered
def put_role(call: Call, accounts: Accounts) -> Answer:
    """PUT api/roles/{name}: one that came with the cluster stays as it is."""
    name = call.parameters["name"]
    _require_own(accounts, name)
    body = _body(call, _ROLE)
    permissions = [
        IndexPermission(part.get("index_patterns", []), part.get("allowed_actions", []))
        for part in body.get("index_permissions", [])
    ]
    made = Role(body.get("cluster_permissions", []), permissions, description=body.get("description"))
    return _put(accounts.roles, name, made)


@_administered
def delete_role(call: Call, accounts: Accounts) -> Answer:
    """DELETE api/roles/{name}."""
    _require_own(accounts, call.parameters["name"])
    return _delete(call, accounts.roles, "role")


def _require_own(accounts: Accounts, name: str) -> None:
    role = accounts.roles.get(name)
    if role is not None and role.reserved:
        kind = "static" if role.static else "reserved"
        raise _forbidden(f"Resource '{name}' is {kind}.")


def _view_role(role: Role) -> JsonObject:
    described = {} if role.description is None else {"description": role.description}
    return {
        "reserved": role.reserved,
        "hidden": False,
        **described,
        "cluster_permissions": role.cluster_permissions,
        "index_permissions": [
            {
                "index_patterns": permission.index_patterns,
                "fls": [],
                "masked_fields": [],
                "allowed_actions": permission.allowed_actions,
            }
            for permission in role.index_permissions
        ],
        "tenant_permissions": [
            {"tenant_patterns": [pattern], "allowed_actions": ["kibana_all_write"]}
            for pattern in role.tenants
        ],
        "static": role.static,
    }


@_administered
def get_mappings(call: Call, accounts: Accounts) -> Answer:
    """GET api/rolesmapping and api/rolesmapping/{name}."""
    return _get(call, accounts.mappings, "rolesmapping", _view_mapping)


@_administered
def put_mapping(call: Call, accounts: Accounts) -> Answer:
    """PUT api/rolesmapping/{name}: who has the role of that name, in the place of those who had it."""
    name = call.parameters["name"]
    body = _body(call, _MAPPING, one_of=_ONE_OF)
    _known(accounts.roles, name, "role")
    return _put(accounts.mappings, name, RoleMapping(**body))


@_administered
def delete_mapping(call: Call, accounts: Accounts) -> Answer:
    """DELETE api/rolesmapping/{name}."""
    return _delete(call, accounts.mappings, "rolesmapping")


def _view_mapping(mapping: RoleMapping) -> JsonObject:
    described = {} if mapping.description is None else {"description": mapping.description}
    return {
        "hosts": mapping.hosts,
        "users": mapping.users,
        "reserved": False,
        "hidden": False,
        "backend_roles": mapping.backend_roles,
        "and_backend_roles": mapping.and_backend_roles,
        **described,
    }


def _forbidden(message: str) -> _RefusalError:
    return _RefusalError(403, {"status": "FORBIDDEN", "message": message})


def _body(call: Call, types: dict[str, str], *, one_of: str | None = None) -> JsonObject:
    """The members of a body, each of its type."""
    body = _object(call)
    unknown = [name for name in body if name not in types]
    if unknown:
        keys = {"keys": ",".join(unknown)}
        refusal: JsonObject = {"status": "error", "reason": "Invalid configuration", "invalid_keys": keys}
        if one_of is not None and not set(body) & set(one_of.split(",")):
            refusal["specify_one_of"] = {"keys": one_of}
        raise _RefusalError(400, refusal)
    wrong = {
        name: _EXPECTED[types[name]] for name, value in body.items() if not _is_of_type(value, types[name])
    }
    if wrong:
        raise _RefusalError(400, {"status": "error", "reason": "Wrong datatype", **wrong})
    return body


def _is_of_type(value: Any, kind: str) -> bool:
    if kind in ("texts", "objects"):
        inner = str if kind == "texts" else dict
        return isinstance(value, list) and all(isinstance(item, inner) for item in value)
    return isinstance(value, str if kind == "text" else dict)


def _object(call: Call) -> JsonObject:
    try:
        value = json.loads(call.document.value or b"null")
    except (ValueError, RecursionError):
        raise _RefusalError(
            400, {"status": "error", "reason": "Could not parse content of request."}
        ) from None
    if not value:
        raise _RefusalError(400, {"status": "error", "reason": "Request body required for this action."})
    if not isinstance(value, dict):
        raise node_error("class_cast_exception", "expected an object as the body of this request")
    return value
