"""The one exception of the contract: bad pages, a bad overlay, or files that are not as generated."""

from __future__ import annotations


class ContractError(Exception):
    """The contract can't be built, checked or loaded; the message says what to do next."""
