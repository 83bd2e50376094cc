"""The contracts that the options of a command choose."""

from __future__ import annotations

from mlconform.conformance.contract import store
from mlconform.conformance.contract.model import Contract


def chosen_contracts(profile: str, docs_version: str | None = None) -> list[Contract]:
    """One contract a profile; a version is one of the named profile, or of all that have several."""
    names = store.profiles() if profile == "all" else (profile,)
    return [
        store.load(name, None if profile == "all" and len(store.versions(name)) == 1 else docs_version)
        for name in names
    ]
