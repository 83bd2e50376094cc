"""How an event goes from the process of a check to the one that keeps the record; it imports nothing."""

from __future__ import annotations

from typing import Final

EVENT_PROPERTY: Final = "mlconform.event"
"""The name among pytest's user properties under which a report carries an encoded event."""
