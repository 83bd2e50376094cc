"""How a command ends: the exit code, and the error of a report that can't be made."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command says to the shell."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    USAGE = 2
    UNREACHABLE = 3
    OWN_ERROR = 4
    INCOMPLETE = 5


class ReportError(Exception):
    """A report can't be made of what was given; the message says why and what to do."""
