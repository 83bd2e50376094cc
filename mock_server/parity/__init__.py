"""Recorded exchanges of a real node, replayed on the mock, and how far the answers are apart.

Needed by `make parity` and by whoever records a scenario; the mock itself does without it.
"""

from mlconform.mock_server.parity.recording import Exchange, Recording, RecordingError, read_recording
from mlconform.mock_server.parity.replay import Compared, Replayed, replay

__all__ = ["Compared", "Exchange", "Recording", "RecordingError", "Replayed", "read_recording", "replay"]
