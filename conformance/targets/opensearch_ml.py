"""What the suite must know to be a good guest on a cluster with ML Commons.

Discovery, the two settings that a remote model needs, reading and changing cluster settings, and
taking away what a run created.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mlconform.conformance.contract.model import Condition, Remedy
from mlconform.conformance.outcomes import PrerequisiteMissing, Untestable
from mlconform.conformance.targets.endpoint import is_private
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.opensearch_users import left_users, who_is
from mlconform.conformance.targets.session import Facts, Session
from mlconform.conformance.targets.tracker import Resource
from mlconform.conformance.targets.turns import PREFIX, Tell, Turn, marks

ML = "/_plugins/_ml"
SETTINGS = "/_cluster/settings"
TRUSTED_ENDPOINTS = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE_ADDRESSES = "plugins.ml_commons.connector.private_ip_enabled"
MODEL_ACCESS_CONTROL = "plugins.ml_commons.model_access_control_enabled"
CONNECTOR_ACCESS_CONTROL = "plugins.ml_commons.connector_access_control_enabled"
# What the name of a pipeline ends in that keeps settings, and what their names begin with.
_RECORD = "settings"
# RFC 6585, section 4; RFC 9110, section 15.6.4.
_BUSY = frozenset({429, 503})
_OWN_SETTINGS = "plugins.ml_commons."
# Roles that may hold a remote model, as a node of the recorded versions reports them.
_HOLDS_MODELS = frozenset({"data", "ml"})


def discover(session: Session) -> Facts:
    """Read product, version, plugin and nodes; raises `PrerequisiteMissing` with what is not there."""
    root = session.request("GET", "/")
    if root.answer is not None and root.status in (401, 403):
        raise PrerequisiteMissing(_not_let_in(session, root))
    if root.status != 200 or not _looks_like_json(root):
        raise PrerequisiteMissing(f"expected OpenSearch's JSON at GET /, but {root.summary}")
    number = root.member("version", "number")
    if not isinstance(number, str):
        raise PrerequisiteMissing(f"expected version.number at GET /, but {root.summary}")
    plugins = session.request("GET", "/_cat/plugins?format=json")
    listed = plugins.json if plugins.status == 200 else []
    rows = listed if isinstance(listed, list) else []
    if not any(isinstance(row, dict) and row.get("component") == "opensearch-ml" for row in rows):
        raise PrerequisiteMissing(
            f"the plugin opensearch-ml is not listed at /_cat/plugins: {plugins.summary}"
        )
    answered = session.request("GET", "/_nodes")
    nodes = answered.member("nodes") if answered.status == 200 else None
    if not isinstance(nodes, dict) or not nodes:
        raise PrerequisiteMissing(f"expected the nodes at GET /_nodes, but {answered.summary}")
    holding = [key for key, node in nodes.items() if _holds_models(node)]
    product = str(root.member("version", "distribution") or "unknown")
    return Facts(
        "opensearch-ml", product, number, tuple(sorted(holding or nodes)), unmet=_unmet_conditions(session)
    )


def _unmet_conditions(session: Session) -> frozenset[Condition]:
    """Access is controlled where there are users and the setting is on (page model-access-control,
    prerequisites)."""
    try:
        controlled = (
            who_is(session) is not None and str(read_settings(session).get(MODEL_ACCESS_CONTROL)) == "true"
        )
    except Untestable:
        # Nobody tells, so nothing is known not to hold.
        return frozenset()
    return frozenset({Condition.ACCESS_CONTROL_OFF}) if controlled else frozenset()


def _not_let_in(session: Session, root: Exchange) -> str:
    """Why the first request was refused, and what to do: nobody asked, with wrong credentials, or without
    the permission."""
    who = session.options.credentials
    if who is None:
        return (
            f"GET / was refused with {root.status}: give credentials with --credentials FILE, in the "
            "target's URL or in MLCONFORM_USERNAME and MLCONFORM_PASSWORD"
        )
    if root.status == 401:
        return f"GET / was refused with 401: the credentials of {who.name} are not accepted; correct them"
    return (
        f"GET / was refused with 403: the credentials of {who.name} are accepted, but the user may not ask "
        f"for it; give the user a role such as ml_full_access: {root.summary}"
    )


def prepare(session: Session, tell: Tell = lambda _: None) -> None:
    """Take the turn on a cluster that others use, and let connectors reach the run's own endpoint.

    What was set is put back when the run ends, and then the turn is given back. Raises
    `PrerequisiteMissing` where another run has the turn; `tell` hears whom the run waits for.
    """
    if session.options.shared:
        _take_turn(session, tell)
    if session.options.may_change_settings:
        _ask_for_settings(session)
        _let_connectors_reach(session)


def _ask_for_settings(session: Session) -> None:
    """Learn whether the account may change settings: one is set to what it is, for a change of none at all
    is refused before it is asked who asks."""
    if session.options.credentials is None:
        return
    now = persistent_setting(session, PRIVATE_ADDRESSES)
    answered = session.request("PUT", SETTINGS, {"persistent": {PRIVATE_ADDRESSES: now}})
    if _is_refused(answered):
        session.facts = replace(session.facts, settings_refused=answered.summary)


def _take_turn(session: Session, tell: Tell) -> None:
    turn = Turn(session)
    if not turn.take(budget=session.options.wait_for_turn, tell=tell):
        note = "the cluster does not let the run mark that it is there: another run would not notice it"
        session.facts = replace(session.facts, notes=(*session.facts.notes, note))
        return
    # Remembered first, it is removed last: until then nobody else begins.
    session.tracker.add(Resource("mark", session.options.prefix, turn.give_back))
    session.grounds.append(lambda: "the mark of the run" if turn.lost else None)
    if session.options.may_change_settings:
        # Whoever keeps settings and has no turn died; their values would be taken for the cluster's own.
        found, _ = _pipelines(session, "ingest pipeline", PREFIX)
        session.remove([kept for kept in found if kept.id.endswith(f"-{_RECORD}")])


def join(session: Session, run: str) -> None:
    """Stand on what another process of this run has prepared."""
    mark = f"{PREFIX}{run}-mark"
    if mark in marks(session):
        path = _path("ingest pipeline", mark)
        session.grounds.append(lambda: "the mark of the run" if _is_gone(session, path) else None)


def _is_gone(session: Session, path: str) -> bool:
    read = session.aside("GET", path)
    return read.answer is not None and read.status == 404


def stand_on(session: Session, kind: str, resource_id: str) -> None:
    """Have the run say so where this thing, which its checks use, was taken away.

    What cannot be read as soon as it was made was taken away by nobody: that is the target's own answer.
    """
    path = _path(kind, resource_id)
    if not _is_gone(session, path):
        session.grounds.append(lambda: f"its {kind} {resource_id}" if _is_gone(session, path) else None)


def _let_connectors_reach(session: Session) -> None:
    """Trust the address of the run's endpoint and nothing wider; private addresses only where it is one."""
    missing = lacking_for_endpoint(session)
    if missing:
        try:
            change_settings(session, missing)
        except Untestable as error:
            if error.remedy is not Remedy.PERMISSION:
                raise
            why = f"connectors may not reach the run's own endpoint: {error}"
            notes = (*session.facts.notes, why)
            session.facts = replace(session.facts, notes=notes, endpoint_refused=why)
            return
        session.grounds.append(lambda: _unset(session, missing))


def lacking_for_endpoint(session: Session) -> dict[str, Any]:
    """The settings that connectors lack to reach the run's own endpoint, with what they must be; none where
    they may already. Raises `Untestable` where nobody tells."""
    url = session.endpoint.url
    found = read_settings(session, defaults=True)
    trusted = found.get(TRUSTED_ENDPOINTS) or []
    missing: dict[str, Any] = {}
    # What is set already is not ours to put back.
    if not any(_matches(pattern, url) for pattern in trusted):
        missing[TRUSTED_ENDPOINTS] = [*trusted, f"^{re.escape(url)}$"]
    if is_private(session.options.endpoint_host) and str(found.get(PRIVATE_ADDRESSES)) != "true":
        # As a node reads it back.
        missing[PRIVATE_ADDRESSES] = "true"
    return missing


def _matches(pattern: Any, url: str) -> bool:
    try:
        return re.fullmatch(pattern, url) is not None
    except (TypeError, re.error):
        return False


def _unset(session: Session, wanted: Mapping[str, Any]) -> str | None:
    """Which of the settings that the run made are no longer so, or None."""
    read = session.aside("GET", f"{SETTINGS}?flat_settings=true")
    if read.answer is None or read.status != 200:
        return None
    gone = [name for name, value in wanted.items() if read.member("persistent", name) != value]
    return f"the settings {', '.join(gone)}" if gone else None


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
    if _is_refused(answered):
        # Nothing was changed, so there is nothing to put back.
        session.remove([each for each in session.tracker.take(mark) if each.kind != "settings"])
        raise Untestable(told, Remedy.PERMISSION)
    if answered.status != 200:
        raise Untestable(told)
    return answered


def _is_refused(answered: Exchange) -> bool:
    """Whether the account may not do this (RFC 9110, sections 15.5.2 and 15.5.4)."""
    return answered.answer is not None and answered.status in (401, 403)


def remember_settings(session: Session, names: Iterable[str]) -> None:
    """Have these persistent settings put back to what they are now.

    Raises `Untestable` where settings may not be changed.
    """
    require_settings(session)
    # Not the transient values: put back, they would have become persistent.
    before = _settings_of(session, "persistent")
    back = {name: before.get(name) for name in names}
    _keep_on_target(session, back)
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


def _in_the_way(answered: Exchange) -> str:
    """Why something could not be removed; raises `Untestable` where the account may not, now or later."""
    if _is_refused(answered):
        raise Untestable(answered.summary, Remedy.PERMISSION)
    return answered.summary


def _put_back(session: Session, settings: Mapping[str, Any]) -> str | None:
    answered = session.request("PUT", SETTINGS, {"persistent": settings})
    return None if answered.status == 200 else _in_the_way(answered)


def _keep_on_target(session: Session, back: Mapping[str, Any]) -> None:
    """Write onto the target what these settings were when the run began, for a sweep after its death.

    They are kept as the description of an empty ingest pipeline: the cluster state holds it, so it
    is listed at once. Where that is refused, a killed run leaves its settings behind. Raises `Untestable`
    where the target is too busy to tell what is kept already: what this check kept would then stand for
    the whole run, and with it what the run stands on would be put back.
    """
    name = session.options.prefix + _RECORD
    path = _path("ingest pipeline", name)
    answered = session.request("GET", path)
    if answered.answer is not None and answered.status in _BUSY:
        raise Untestable(f"what is kept of the settings could not be read: {answered.summary}")
    known = _kept(answered.member(name)) if answered.status == 200 else None
    mark = session.tracker.mark()
    if known is None:
        session.tracker.add(_kept_settings(session, name))
    wanted = {**back, **(known or {})}
    if wanted != known:
        written = session.request("PUT", path, {"description": json.dumps(wanted), "processors": []})
        if _is_refused(written):
            session.tracker.take(mark)


def _kept_settings(session: Session, name: str) -> Resource:
    """What a pipeline keeps is put back before the pipeline goes."""

    def remove() -> str | None:
        read = session.request("GET", _path("ingest pipeline", name))
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


PATHS: Mapping[str, str] = {
    "model": f"{ML}/models/",
    "model group": f"{ML}/model_groups/",
    "connector": f"{ML}/connectors/",
    "agent": f"{ML}/agents/",
    "ingest pipeline": "/_ingest/pipeline/",
    "search pipeline": "/_search/pipeline/",
}


def track(session: Session, kind: str, resource_id: str) -> None:
    """Remember a created resource; `kind` is one of the keys of `PATHS`.

    The group that registering a model made may outlive the model (recording model_group_versions#16),
    and only the model tells which it is: so a model is read while it is there.
    """
    groups: set[str] = set()
    session.tracker.add(_removable(session, kind, resource_id, groups))
    if kind == "model":
        groups |= _group_of(session.request("GET", _path(kind, resource_id)))


def _removable(session: Session, kind: str, resource_id: str, groups: Set[str] = frozenset()) -> Resource:
    def remove() -> str | None:
        if kind == "model":
            return remove_model(session, resource_id, groups)
        return remove_plain(session, kind, resource_id)

    return Resource(kind, resource_id, remove)


def remove_plain(session: Session, kind: str, resource_id: str) -> str | None:
    """Delete one resource; what is in the way, or None when it is gone."""
    deleted = session.request("DELETE", _path(kind, resource_id))
    return None if deleted.status in (200, 404) else _in_the_way(deleted)


def remove_model(session: Session, model_id: str, groups: Set[str]) -> str | None:
    """Undeploy and delete a model, its group, and those of `groups` that the run made."""
    path = _path("model", model_id)
    known = session.request("GET", path)
    if known.status != 404:
        deleted = session.request("DELETE", path)
        if deleted.status == 400 and known.member("model_state") == "DEPLOY_FAILED":
            # It stays until it was deployed and undeployed once (recording deploy_fails#12): the
            # next try undeploys it.
            session.request("POST", f"{path}/_deploy")
        elif deleted.status == 400:
            session.request("POST", f"{path}/_undeploy")
            deleted = session.request("DELETE", path)
        if deleted.status not in (200, 404):
            return _in_the_way(deleted)
    left = [_remove_group(session, group) for group in sorted(groups | _group_of(known))]
    return "; ".join(problem for problem in left if problem is not None) or None


def _remove_group(session: Session, group_id: str) -> str | None:
    """Delete a model group if a run made it; one that is remembered by itself has its own turn."""
    if session.tracker.remembers("model group", group_id):
        return None
    known = session.request("GET", _path("model group", group_id))
    made_by_run = known.status == 200 and str(known.member("name")).startswith(session.options.prefix)
    return remove_plain(session, "model group", group_id) if made_by_run else None


def _group_of(read: Exchange) -> Set[str]:
    group = read.member("model_group_id") if read.status == 200 else None
    return {group} if isinstance(group, str) else set()


def _path(kind: str, resource_id: str) -> str:
    return PATHS[kind] + quote(resource_id, safe="")


def sweep(session: Session, prefix: str, spare: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Remove everything whose name starts with `prefix`, and put back the settings that runs changed.

    What starts with a prefix of `spare` is left alone, and so is the mark of the session's own run.
    Returns what was removed, and what could not be.
    """
    removed: list[str] = []
    complaints: list[str] = []
    left_alone = (*spare, f"{session.options.prefix}mark")
    for kind in ("ingest pipeline", "search pipeline", "agent", "model", "connector", "model group"):
        look = _pipelines if kind.endswith("pipeline") else _found_by_name
        found, problem = look(session, kind, prefix, left_alone)
        if problem is not None:
            complaints.append(f"{kind}s could not be searched: {problem}")
        left = session.remove(found)
        complaints += [str(remaining) for remaining in left]
        stayed = {remaining.resource.id for remaining in left}
        removed += [f"{kind} {resource.id}" for resource in found if resource.id not in stayed]
    users = left_users(session, prefix, left_alone)
    left = session.remove(users)
    stayed = {remaining.resource.id for remaining in left}
    removed += [f"user {user.id}" for user in users if user.id not in stayed]
    return removed, [*complaints, *(str(remaining) for remaining in left)]


def _pipelines(
    session: Session, kind: str, prefix: str, spare: Collection[str] = ()
) -> tuple[list[Resource], str | None]:
    """The pipelines named so, and why there may be more. Where there is none at all, a node answers 404."""
    answered = session.request("GET", PATHS[kind].rstrip("/"))
    if answered.status == 404:
        return [], None
    if answered.status != 200 or not isinstance(answered.json, dict):
        return [], answered.summary
    # The mark goes first: a run that meets what else is missing then sees that it was swept.
    named = sorted(
        (name for name in answered.json if name.startswith(prefix) and not name.startswith(tuple(spare))),
        key=lambda name: (not name.endswith("-mark"), name),
    )
    if kind == "search pipeline":
        return [_removable(session, kind, name) for name in named], None
    return [_kept_settings(session, name) for name in named], None


def _found_by_name(
    session: Session, kind: str, prefix: str, spare: Collection[str] = ()
) -> tuple[list[Resource], str | None]:
    """What is named so, and why there may be more. Without an index (404) there is nothing."""
    search = PATHS[kind] + "_search"
    body = {"query": {"prefix": {"name.keyword": {"value": prefix}}}, "size": 1000}
    answered = session.request("POST", search, body)
    if answered.status != 200:
        return [], None if answered.status == 404 else answered.summary
    hits = answered.member("hits", "hits")
    if not isinstance(hits, list):
        return [], answered.summary
    total = answered.member("hits", "total", "value")
    more = isinstance(total, int) and total > len(hits)
    problem = f"{len(hits)} of {total} were found at once; sweep again" if more else None
    ids = [str(hit.get("_id")) for hit in hits if isinstance(hit, dict) and not _is_of(hit, spare)]
    return [_removable(session, kind, resource_id) for resource_id in ids], problem


def _is_of(hit: Mapping[str, Any], prefixes: Collection[str]) -> bool:
    source = hit.get("_source")
    return isinstance(source, dict) and str(source.get("name")).startswith(tuple(prefixes))


def _holds_models(node: Any) -> bool:
    roles = node.get("roles") if isinstance(node, dict) else None
    return isinstance(roles, list) and any(role in _HOLDS_MODELS for role in roles)


def _looks_like_json(exchange: Exchange) -> bool:
    return exchange.text.lstrip()[:1] in ("{", "[")
