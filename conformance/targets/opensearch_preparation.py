"""What a run does to a cluster before its checks: take the turn, and let connectors reach its endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.endpoint import is_private
from mlconform.conformance.targets.opensearch_memory import in_memory, memory_of_deleted
from mlconform.conformance.targets.opensearch_ml import is_gone, is_refused, path_of
from mlconform.conformance.targets.opensearch_settings import (
    PRIVATE_ADDRESSES,
    RECORD,
    SETTINGS,
    TRUSTED_ENDPOINTS,
    change_settings,
    keep_settings,
    persistent_setting,
    read_settings,
)
from mlconform.conformance.targets.opensearch_sweep import pipelines
from mlconform.conformance.targets.session import Session
from mlconform.conformance.targets.tracker import Resource
from mlconform.conformance.targets.turns import PREFIX, Tell, Turn, marks


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
        if session.options.shared and not session.facts.settings_refused:
            # Else each check that changes a setting makes the record of it, and removes it again.
            keep_settings(session, {})


def _ask_for_settings(session: Session) -> None:
    """Learn whether the account may change settings: one is set to what it is, for a change of none at all
    is refused before it is asked who asks."""
    if session.options.credentials is None:
        return
    now = persistent_setting(session, PRIVATE_ADDRESSES)
    answered = session.request("PUT", SETTINGS, {"persistent": {PRIVATE_ADDRESSES: now}})
    if is_refused(answered):
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
    session.facts = replace(session.facts, held=frozenset(in_memory(session)))
    session.tracker.add(memory_of_deleted(session))
    if session.options.may_change_settings:
        # Whoever keeps settings and has no turn died; their values would be taken for the cluster's own.
        found, _ = pipelines(session, "ingest pipeline", PREFIX)
        session.remove([kept for kept in found if kept.id.endswith(f"-{RECORD}")])


def join(session: Session, run: str) -> None:
    """Stand on what another process of this run has prepared."""
    mark = f"{PREFIX}{run}-mark"
    if mark in marks(session):
        path = path_of("ingest pipeline", mark)
        session.grounds.append(lambda: "the mark of the run" if is_gone(session, path) else None)


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
    """Which of the settings that the run made are no longer so, or None; a check may add to a list."""
    read = session.aside("GET", f"{SETTINGS}?flat_settings=true")
    if read.answer is None or read.status != 200:
        return None
    gone = [name for name, value in wanted.items() if not _holds(read.member("persistent", name), value)]
    return f"the settings {', '.join(gone)}" if gone else None


def _holds(now: Any, wanted: Any) -> bool:
    if isinstance(now, list) and isinstance(wanted, list):
        return all(each in now for each in wanted)
    return bool(now == wanted)
