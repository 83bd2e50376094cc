"""The errors of the Nugen API: everything is under `detail`."""

from __future__ import annotations

from typing import Any


class NugenError(Exception):
    """A refusal; `detail` is a text or, for a 422, the list of what is wrong."""

    def __init__(self, status: int, detail: Any, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def invalid(*problems: tuple[tuple[str | int, ...], str, str]) -> NugenError:
    """A 422 that tells of each problem its location, message and type."""
    return NugenError(422, [{"loc": list(loc), "msg": msg, "type": kind} for loc, msg, kind in problems])
