"""Cluster settings: read, changed for a while, and put back, also after a run that died.

What they were is kept on the cluster meanwhile, in an empty ingest pipeline.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_ml import in_the_way, is_refused, path_of, remove_plain
from mlconform.conformance.targets.opensearch_users import who_is
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource

SETTINGS = "/_cluster/settings"
TRUSTED_ENDPOINTS = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE_ADDRESSES = "plugins.ml_commons.connector.private_ip_enabled"
CUSTOM_PLAN = "plugins.ml_commons.allow_custom_deployment_plan"
MODEL_ACCESS_CONTROL = "plugins.ml_commons.model_access_control_enabled"
CONNECTOR_ACCESS_CONTROL = "plugins.ml_commons.connector_access_control_enabled"
# What the name of a pipeline ends in that keeps settings, and what their names begin with.
RECORD = "settings"
# RFC 6585, section 4; RFC 9110, section 15.6.4.
_BUSY = frozenset({429, 503})
_OWN_SETTINGS = "plugins.ml_commons."


def read_settings(session: Session, *, defaults: bool = False) -> Mapping[str, Any]:
    """The settings in effect by full name; with `defaults` also those that nobody set.

    Raises `Untestable` where they can't be read.
    """
    return _settings_of(session, *(["defaults"] if defaults else []), "persistent", "transient")


def persistent_setting(session: Session, name: str) -> Any:
    """What a persistent setting is; None where nobody set it. Raises `Untestable` where it can't be read."""
    return _settings_of(session, "persistent").get(name)


def connectors_are_controlled(session: Session) -> bool:
    """Whether connectors have access modes here; where nobody tells, they are taken to have none."""
    try:
        return (
            str(read_settings(session).get(CONNECTOR_ACCESS_CONTROL)) == "true"
            and who_is(session) is not None
        )
    except Untestable:
        return False


def nodes_that_set(session: Session, name: str) -> tuple[str, ...]:
    """The names of the nodes whose own file or start command sets this; none where they do not tell."""
    answered = session.request("GET", "/_nodes/settings?flat_settings=true")
    nodes = answered.member("nodes") if answered.status == 200 else None
    found = nodes.items() if isinstance(nodes, dict) else ()
    return tuple(
        str(node.get("name", node_id))
        for node_id, node in found
        if isinstance(node, dict) and name in (node.get("settings") or {})
    )


def _settings_of(session: Session, *scopes: str) -> Mapping[str, Any]:
    """The settings of these scopes; where two have the same name, the later scope wins."""
    query = "?flat_settings=true" + ("&include_defaults=true" if "defaults" in scopes else "")
    answered = session.request("GET", SETTINGS + query)
    if answered.status != 200:
        raise Untestable(f"cluster settings could not be read: {answered.summary}")
    merged: dict[str, Any] = {}
    for scope in scopes:
        found = answered.member(scope)
        merged.update(found if isinstance(found, dict) else {})
    return merged


def change_settings(session: Session, wanted: Mapping[str, Any]) -> Exchange:
    """Set persistent cluster settings and remember what they were, to be put back.

    Raises `Untestable` where settings may not be changed or the cluster refuses.
    """
    mark = session.tracker.mark()
    remember_settings(session, wanted)
    answered = session.request("PUT", SETTINGS, {"persistent": dict(wanted)})
    told = f"the settings {', '.join(wanted)} could not be set: {answered.summary}"
    if is_refused(answered):
        # Nothing was changed, so there is nothing to put back.
        session.remove([each for each in session.tracker.take(mark) if each.kind != "settings"])
        raise Untestable(told, Remedy.PERMISSION)
    if answered.status != 200:
        raise Untestable(told)
    return answered


def remember_settings(session: Session, names: Iterable[str]) -> None:
    """Have these persistent settings put back to what they are now.

    Raises `Untestable` where settings may not be changed.
    """
    require_settings(session)
    # Not the transient values: put back, they would have become persistent.
    before = _settings_of(session, "persistent")
    back = {name: before.get(name) for name in names}
    keep_settings(session, back)
    session.tracker.add(Resource("settings", ", ".join(back), lambda: _put_back(session, back)))


def require_settings(session: Session) -> None:
    """Raise `Untestable` where settings may not be changed."""
    if not session.options.may_change_settings:
        raise Untestable(
            "cluster settings may not be changed on this target; allow it with --allow-settings",
            Remedy.SETTINGS,
        )
    if session.facts.settings_refused:
        raise Untestable(
            f"the account may not change cluster settings: {session.facts.settings_refused}",
            Remedy.PERMISSION,
        )


def _put_back(session: Session, settings: Mapping[str, Any]) -> str | None:
    answered = session.request("PUT", SETTINGS, {"persistent": settings})
    return None if answered.status == 200 else in_the_way(answered)


def keep_settings(session: Session, back: Mapping[str, Any]) -> None:
    """Write onto the target what these settings were when the run began, for a sweep after its death.

    They are kept as the description of an empty ingest pipeline: the cluster state holds it, so it
    is listed at once. Where that is refused, a killed run leaves its settings behind. Raises `Untestable`
    where the target is too busy to tell what is kept already: what this check kept would then stand for
    the whole run, and with it what the run stands on would be put back.
    """
    name = session.options.prefix + RECORD
    path = path_of("ingest pipeline", name)
    answered = session.request("GET", path)
    if answered.answer is not None and answered.status in _BUSY:
        raise Untestable(f"what is kept of the settings could not be read: {answered.summary}")
    known = _kept(answered.member(name)) if answered.status == 200 else None
    mark = session.tracker.mark()
    if known is None:
        session.tracker.add(kept_settings(session, name))
    wanted = {**back, **(known or {})}
    if wanted != known:
        written = session.request("PUT", path, {"description": json.dumps(wanted), "processors": []})
        if is_refused(written):
            session.tracker.take(mark)


def kept_settings(session: Session, name: str) -> Resource:
    """What a pipeline keeps is put back before the pipeline goes."""

    def remove() -> str | None:
        read = session.request("GET", path_of("ingest pipeline", name))
        kept = _kept(read.member(name)) if read.status == 200 else {}
        now = _settings_of(session, "persistent") if kept else {}
        changed = {setting: value for setting, value in kept.items() if now.get(setting) != value}
        problem = _put_back(session, changed) if changed else None
        return problem or remove_plain(session, "ingest pipeline", name)

    return Resource("ingest pipeline", name, remove)


def _kept(pipeline: Any) -> dict[str, Any]:
    """The settings that the description of a pipeline keeps; none where it keeps something else."""
    try:
        kept = json.loads(pipeline["description"])
        return {name: value for name, value in kept.items() if name.startswith(_OWN_SETTINGS)}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
