"""Regular expressions that clients send: whatever is wrong with one is one error."""

from __future__ import annotations

import re


class PatternError(ValueError):
    """A text that is no pattern; the message says why."""


def compiled(text: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern that a text is. Raises PatternError for a text that is none."""
    try:
        return re.compile(text, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(str(error)) from None
