"""Roles: which actions they allow, on which indices.

Names and permissions are those of the roles that the Security plugin of 3.4.0 comes with, as far as somebody
who uses models meets them.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from msgspec import Struct, field

ACTIONS = "cluster:admin/opensearch/ml"
"""What the names of the actions of ML Commons begin with."""

_GROUPS = {
    "cluster_all": ("cluster:*",),
    "cluster_monitor": ("cluster:monitor/*",),
    "cluster_manage_pipelines": ("cluster:admin/ingest/pipeline/*",),
    "indices_all": ("indices:*",),
    "indices_monitor": ("indices:monitor/*",),
    "create_index": ("indices:admin/create", "indices:admin/mapping/put"),
    "manage": ("indices:monitor/*", "indices:admin/*"),
    "read": ("indices:data/read*", "indices:admin/mappings/fields/get*"),
    "write": ("indices:data/write*", "indices:admin/mapping/put"),
    "crud": ("indices:data/read*", "indices:data/write*"),
    "unlimited": ("*",),
}
_READ = (
    "config/get",
    "connectors/get",
    "connectors/search",
    "controllers/get",
    "memory/conversation/get",
    "memory/conversation/interaction/search",
    "memory/conversation/list",
    "memory/conversation/search",
    "memory/interaction/get",
    "memory/interaction/list",
    "memory/trace/get",
    "model_groups/get",
    "model_groups/search",
    "models/get",
    "models/search",
    "profile/nodes",
    "stats/nodes",
    "tasks/get",
    "tasks/search",
    "tools/get",
    "tools/list",
)


class IndexPermission(Struct):
    """Actions allowed on the indices whose names match a pattern."""

    index_patterns: list[str]
    allowed_actions: list[str]


class Role(Struct):
    """What somebody may do; a `reserved` one came with the cluster and stays as it is.

    `tenants` are patterns of the dashboards' tenants that it may write, which only shows.
    """

    cluster_permissions: list[str] = field(default_factory=list)
    index_permissions: list[IndexPermission] = field(default_factory=list)
    reserved: bool = False
    description: str | None = None
    static: bool = False
    tenants: list[str] = field(default_factory=list)

    def permits(self, action: str, index: str) -> bool:
        """Whether the role allows an action, where it concerns an index on that one."""
        if not action.startswith("indices:"):
            return _allow(self.cluster_permissions, action)
        return any(
            _allow(permission.allowed_actions, action)
            and any(fnmatch.fnmatchcase(index, pattern) for pattern in permission.index_patterns)
            for permission in self.index_permissions
        )


class RoleMapping(Struct):
    """Who has a role: users by name, and those who have one of the backend roles, or all of a list."""

    users: list[str] = field(default_factory=list)
    backend_roles: list[str] = field(default_factory=list)
    and_backend_roles: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    description: str | None = None

    def holds(self, name: str, backend_roles: Iterable[str]) -> bool:
        """Whether a user of this name with these backend roles has the role."""
        has = set(backend_roles)
        every = bool(self.and_backend_roles) and has.issuperset(self.and_backend_roles)
        return name in self.users or every or not has.isdisjoint(self.backend_roles)


def first_roles(read_roles: tuple[str, ...], *, only_read: bool) -> dict[str, Role]:
    """The roles that a cluster begins with; `read_roles` are the names of the one that reads."""
    actions = _READ if only_read else ("*",)
    full = Role(
        [f"{ACTIONS}/*", "cluster_monitor"], [IndexPermission(["*"], ["indices_monitor"])], reserved=True
    )
    read = {name: Role([f"{ACTIONS}/{action}" for action in actions], reserved=True) for name in read_roles}
    everything = Role(
        ["*"],
        [IndexPermission(["*"], ["*"])],
        reserved=True,
        description="Allow full access to all indices and all cluster APIs",
        static=True,
        tenants=["*"],
    )
    return {"all_access": everything, "ml_full_access": full, **read}


def first_mappings() -> dict[str, RoleMapping]:
    """Who has which role in the beginning."""
    return {
        "all_access": RoleMapping(backend_roles=["admin"]),
        "ml_full_access": RoleMapping(users=["ml_full", "alice", "bob"]),
        "ml_read_access": RoleMapping(users=["ml_read"]),
    }


def _allow(permissions: Iterable[str], action: str) -> bool:
    patterns = (pattern for name in permissions for pattern in _GROUPS.get(name, (name,)))
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in patterns)
