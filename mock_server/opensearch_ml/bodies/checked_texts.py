"""The characters that names and descriptions may hold, where the rules say that they are looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlconform.mock_server.opensearch_ml.errors import validation_error
from mlconform.mock_server.opensearch_ml.rules import Rules

_ALLOWED = re.compile(r"""[\w \t\n\x0b\f\r.,!?():@\-/'"]*""")
_BLANK = "is required and cannot be null or blank"
_CHARACTERS = "can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\")"


def check_texts(rules: Rules, texts: Iterable[tuple[str, str | None]], required: str | None = None) -> None:
    """Refuse texts, each named as the refusal names it, that are not acceptable.

    Only the one named `required` must not be blank. Raises ApiError 400 that tells every problem.
    """
    if not rules.texts_are_checked:
        return
    problems = []
    for name, text in texts:
        blank = text is None or not text.strip()
        if blank and name == required:
            problems.append(f"{name} {_BLANK}")
        elif text is not None and not blank and not _ALLOWED.fullmatch(text):
            problems.append(f"{name} {_CHARACTERS}")
    if problems:
        raise validation_error(problems)
