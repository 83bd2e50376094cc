"""What the answers about cluster settings owe each other: what was set is told, and reads so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlconform.conformance.watch.envelopes import member
from mlconform.conformance.watch.observation import Observation, Seen
from mlconform.conformance.watch.things import same

_SCOPES = ("persistent", "transient")
_RULE = "osml.relation.settings"


class Settings:
    """Remembers what was set, by its full name, and which names were ever set."""

    def __init__(self) -> None:
        self._set: dict[str, Any] = {}
        self._known: set[str] = set()

    def __call__(self, seen: Seen) -> Iterator[Observation]:
        if seen.operation not in ("put_cluster_settings", "get_cluster_settings") or not seen.succeeded:
            return
        path = seen.exchange.request.path
        if "filter_path" in path:
            return
        asked = (*_SCOPES, "defaults") if "include_defaults=true" in path else _SCOPES
        lacking = [scope for scope in asked if not isinstance(member(seen.body, scope), dict)]
        yield Observation(_RULE, not lacking, "the scopes of settings as objects", ", ".join(lacking))
        told = {scope: flat(member(seen.body, scope)) for scope in (*_SCOPES, "defaults")}
        if "flat_settings=true" in path:
            yield Observation(_RULE, _is_flat(seen.body), "flat settings without an object within", seen.body)
        odd = [name for values in told.values() for name, value in values.items() if not _is_text(value)]
        yield Observation(_RULE, not odd, "settings that read as texts or lists of texts", repr(odd))
        if seen.operation == "put_cluster_settings":
            yield from self._put(seen, told)
        else:
            wrong = {
                name: told["persistent"].get(name)
                for name, value in self._set.items()
                if not same(value, told["persistent"].get(name))
            }
            yield Observation(_RULE, not wrong, "settings that read as they were set", repr(wrong))
            if "include_defaults=true" in path:
                lacking = sorted(
                    name for name in self._known if not any(name in each for each in told.values())
                )
                yield Observation(
                    _RULE,
                    not lacking,
                    "settings that were set once, among the defaults at least",
                    repr(lacking),
                )

    def _put(self, seen: Seen, told: dict[str, dict[str, Any]]) -> Iterator[Observation]:
        for scope in _SCOPES:
            sent = flat(member(seen.sent, scope))
            self._known |= {name for name, value in sent.items() if value is not None and "*" not in name}
            wrong = {
                name: told[scope].get(name)
                for name, value in sent.items()
                if value is not None and not same(value, told[scope].get(name))
            }
            yield Observation(
                _RULE, not wrong, f"the answer tells the {scope} settings that were sent", repr(wrong)
            )
            if scope == "persistent" and not seen.racing:
                self._set = {**self._set, **sent}
                self._set = {name: value for name, value in self._set.items() if value is not None}


def _is_flat(body: Any) -> bool:
    scopes = [member(body, scope) for scope in (*_SCOPES, "defaults")]
    found = [scope for scope in scopes if isinstance(scope, dict)]
    return not any(isinstance(value, dict) for scope in found for value in scope.values())


def flat(value: Any, before: str = "") -> dict[str, Any]:
    """Settings by their full names; an object within is a part of the name."""
    found: dict[str, Any] = {}
    for name, inner in (value if isinstance(value, dict) else {}).items():
        if isinstance(inner, dict):
            found |= flat(inner, f"{before}{name}.")
        else:
            found[before + name] = inner
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    )
