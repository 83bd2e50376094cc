"""What an ending of a check leaves for the report."""

from __future__ import annotations

from typing import Any

import pytest

from mlconform.conformance.running import endings


def test_the_log_of_an_error_begins_with_its_beginning_however_long_the_paths_are() -> None:
    # The paths of a clone are as long as whoever made it likes.
    called: dict[str, Any] = {}
    source = "def fail(times):\n    if times:\n        fail(times - 1)\n    raise RuntimeError('our own')\n"
    exec(compile(source, "/" + "clone/" * 400, "exec"), called)
    with pytest.raises(RuntimeError) as raised:
        called["fail"](3)
    log = endings._log(raised.value)
    assert log.startswith("Traceback")
    assert log.endswith("RuntimeError: our own\n")
