"""The access of a model group: what is sent of it, what of that is refused, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from mlconform.mock_server.opensearch_ml.bodies.fields import Fields, flag_reader
from mlconform.mock_server.opensearch_ml.cluster import Call
from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.security import access
from mlconform.mock_server.opensearch_ml.security.accounts import Caller
from mlconform.mock_server.opensearch_ml.store import ModelGroup

_MODES = frozenset({"public", "private", "restricted"})


class Sent(Struct, frozen=True):
    """The access parameters of a body; what was not sent is None."""

    mode: str | None
    backend_roles: list[str] | None
    all_backend_roles: bool | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said of access."""
        return self.mode is None and self.backend_roles is None and self.all_backend_roles is None

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing in it to refuse; no roles are as good as none."""
        return self.mode is None and not self.backend_roles and self.all_backend_roles is None

    def roles_for(self, caller: Caller) -> list[str] | None:
        """The backend roles that a restricted group of this caller gets; any other has none."""
        if self.mode_or() != "restricted":
            return None
        return list(caller.backend_roles) if self.all_backend_roles else self.backend_roles

    def mode_or(self, default: str = "private") -> str:
        """The mode that is meant: without one, roles mean a restricted group, and nothing the default."""
        return self.mode or ("restricted" if self.backend_roles or self.all_backend_roles else default)


def readers(*, lowered: bool) -> dict[str, Callable[[Fields], object]]:
    """How the members that say who has access are read; with `lowered`, capitals in a mode do not matter."""
    return {
        "access_mode": lambda fields: mode(fields, lowered=lowered),
        "backend_roles": lambda fields: fields.texts("backend_roles"),
        "add_all_backend_roles": flag_reader("add_all_backend_roles"),
    }


def read(fields: Fields, *, lowered: bool) -> Sent:
    """What a body says of access."""
    return Sent(
        mode(fields, lowered=lowered), fields.texts("backend_roles"), fields.flag("add_all_backend_roles")
    )


def require_known(fields: Fields, rules: Rules) -> None:
    """Raises ApiError 400 for a mode that there is not, where that matters."""
    sent = fields.text("access_mode")
    if sent is not None and rules.unknown_access_modes_refused and sent.lower() not in _MODES:
        raise illegal_argument(f"expected access_mode public, private or restricted, but got {sent}")


def mode(fields: Fields, *, lowered: bool = False) -> str | None:
    """One of the modes there are; any other text is as good as none."""
    sent = fields.text("access_mode") or ""
    sent = sent.lower() if lowered else sent
    return sent if sent in _MODES else None


def refuse(sent: Sent) -> None:
    """Where nothing controls access nobody can say who has it. Raises ApiError 400."""
    if not sent.says_nothing:
        raise illegal_argument(
            "You cannot specify model access control parameters because the Security plugin or model access "
            "control is disabled on your cluster."
        )


def require_valid(sent: Sent, caller: Caller, rules: Rules) -> None:
    """Raises ApiError 400 for access that this caller can't give a group."""
    if sent.mode in ("public", "private"):
        if sent.backend_roles or sent.all_backend_roles:
            raise illegal_argument(
                "You can specify backend roles only for a model group with the restricted access mode."
            )
    elif sent.mode_or() == "restricted":
        _require_valid_roles(sent, caller, rules)


def _require_valid_roles(sent: Sent, caller: Caller, rules: Rules) -> None:
    if caller.is_admin and sent.all_backend_roles:
        raise illegal_argument("Admin users cannot add all backend roles to a model group.")
    if not caller.is_admin and not caller.backend_roles:
        raise illegal_argument(
            "You must have at least one backend role to register a restricted model group."
        )
    if not sent.backend_roles and not sent.all_backend_roles:
        raise illegal_argument(
            "You must specify one or more backend roles or add all backend roles to register a restricted "
            "model group."
        )
    if sent.backend_roles and sent.all_backend_roles:
        raise illegal_argument("You cannot specify backend roles and add all backend roles at the same time.")
    if (
        not caller.is_admin
        and rules.given_roles_are_owned
        and not set(sent.backend_roles or ()) <= set(caller.backend_roles)
    ):
        raise illegal_argument("You don't have the backend roles specified.")


def require_update(call: Call, group: ModelGroup, sent: Sent) -> None:
    """Raises ApiError 400 where the caller may not change a group, or not its access."""
    caller = access.bound(call)
    if caller is None:
        return
    if access.owns(group, caller):
        if not access.is_open(group, caller, call.cluster.rules):
            raise illegal_argument(
                "You don't have the specified backend role to update this model group. For more information, "
                "contact your administrator."
            )
    elif not sent.is_empty and call.cluster.rules.access_is_changed_by_owner:
        raise illegal_argument("Only owner or admin can update access control data.")
    elif not access.is_open(group, caller, call.cluster.rules):
        raise illegal_argument("You don't have permission to update this model group.")


def give(group: ModelGroup, sent: Sent, caller: Caller, rules: Rules) -> None:
    """Give a group the access that was sent, which is valid."""
    group.access, group.backend_roles = sent.mode_or(rules.default_access), sent.roles_for(caller)
