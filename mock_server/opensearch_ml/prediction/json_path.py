"""The JSONPath that response filters are written in: names, indices and wildcards."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"""\.\.|\.?\*|\.?\[\*\]|\.([^.\[\]*]+)|\.?\[(-?\d{1,9})\]|\.?\[(['"])(.*?)\3\]""")


class PathNotFoundError(Exception):
    """A path that leads nowhere; the message is that of the node's library."""


def read(value: Any, path: str) -> Any:
    """What is at a path; a path with wildcards gives a list. Raises PathNotFoundError."""
    steps = _steps(path)
    if any(step is None for step in steps):
        return _all(value, steps)
    for index, step in enumerate(steps):
        try:
            value = _step(value, step)
        except LookupError:
            is_last = index == len(steps) - 1
            if is_last or isinstance(step, int):
                raise PathNotFoundError(f"No results for path: {_shown(steps)}") from None
            raise PathNotFoundError(f"Missing property in path {_shown(steps[: index + 1])}") from None
    return value


def _shown(steps: list[int | str | None]) -> str:
    names = ("*" if step is None else str(step) if isinstance(step, int) else f"'{step}'" for step in steps)
    return "$" + "".join(f"[{name}]" for name in names)


def _steps(path: str) -> list[int | str | None]:
    text = path.strip().removeprefix("$")
    steps: list[int | str | None] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or match[0] == "..":
            raise PathNotFoundError(f"No results for path: {path}")
        name, index, _, quoted = match.groups()
        steps.append(int(index) if index is not None else name if name is not None else quoted)
        at = match.end()
    return steps


def _step(value: Any, step: int | str | None) -> Any:
    if isinstance(step, int) and isinstance(value, list):
        return value[step]
    if isinstance(step, str) and isinstance(value, dict):
        return value[step]
    raise LookupError(step)


def _all(value: Any, steps: list[int | str | None]) -> list[Any]:
    found = [value]
    for step in steps:
        below: list[Any] = []
        for one in found:
            if step is None:
                below += one if isinstance(one, list) else one.values() if isinstance(one, dict) else ()
            else:
                try:
                    below.append(_step(one, step))
                except LookupError:
                    continue
        found = below
    return found
