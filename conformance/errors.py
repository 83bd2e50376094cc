"""What stops a run, or any command, before its first check."""

from __future__ import annotations


class TargetUnreachable(Exception):  # noqa: N818
    """Nothing answers at the target's address. Exit code 3."""


class PrerequisiteMissing(Exception):  # noqa: N818
    """Something answers, but not what this profile needs. Exit code 3."""


class UsageError(Exception):
    """An option or file that the user gave cannot be used. Exit code 2."""
