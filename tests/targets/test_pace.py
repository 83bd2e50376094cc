"""No more requests a second than were allowed, one after the other and at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.exchange import OutgoingRequest
from mlconform.conformance.targets.pace import Pace
from mlconform.conformance.targets.transport import HttpTransport
from mlconform.mock_server import MockServer
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.core import Request, Response

ROOT = OutgoingRequest("GET", "/")


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)


def paced(per_second: float) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(per_second, now=clock.now, wait=clock.wait), clock


def turns(pace: Pace, clock: Clock, count: int) -> list[float]:
    found = []
    for _ in range(count):
        pace.take()
        found.append(clock.time)
    return found


class TestTurns:
    @pytest.mark.parametrize(("per_second", "gap"), [(4.0, 0.25), (0.5, 2.0)])
    def test_are_evenly_spaced_and_the_first_is_at_once(self, per_second: float, gap: float) -> None:
        assert turns(*paced(per_second), 4) == pytest.approx([0, gap, 2 * gap, 3 * gap])

    def test_those_of_before_are_not_saved_up(self) -> None:
        pace, clock = paced(4)
        clock.wait(100)
        assert turns(pace, clock, 3) == pytest.approx([100, 100.25, 100.5])

    def test_requests_at_the_same_moment_wait_before_and_not_after_each_other(self) -> None:
        pace, clock = paced(4)
        pace.take()
        with pace.together(3):
            assert turns(pace, clock, 3) == pytest.approx([0.75] * 3)
        assert turns(pace, clock, 2) == pytest.approx([1.0, 1.25])

    def test_what_was_not_used_together_is_lost(self) -> None:
        pace, clock = paced(4)
        with pace.together(3):
            pace.take()
        assert turns(pace, clock, 2) == pytest.approx([0.75, 1.0])

    def test_more_at_once_than_a_second_has_is_untestable(self) -> None:
        pace, _ = paced(2)
        with pytest.raises(Untestable, match="raise --max-rate"), pace.together(3):
            pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[float]]]:
    """A server and the times at which requests arrived."""
    arrived: list[float] = []

    class Counting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            arrived.append(time.monotonic())
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}", arrived
        serving.shutdown()
        thread.join()


class Recorded:
    """A mock of every profile, and the times at which requests arrived."""

    def __init__(self) -> None:
        self._inner = MockServer()
        self.arrived: list[float] = []

    def handle(self, request: Request) -> Response:
        self.arrived.append(time.monotonic())
        return self._inner.handle(request)


def test_the_profiles_of_a_run_share_one_pace() -> None:
    mock = Recorded()
    with serving(mock) as url:
        options = TargetOptions(target=url, max_rate=20, run_id="paced")
        begin = time.monotonic()
        for profile in ("opensearch-ml", "nugen"):
            connect(profile, options).close()
    assert len(mock.arrived) > 5
    assert all(at - begin >= number / 20 for number, at in enumerate(mock.arrived))


class TestOverHttp:
    """A request arrives after it began, so that none arrives before its turn, however busy the machine is."""

    def test_one_after_the_other(self, server: tuple[str, list[float]]) -> None:
        url, arrived = server
        begin = time.monotonic()
        with closing(HttpTransport(url, pace=Pace(20))) as transport:
            for _ in range(10):
                transport.send(ROOT)
        assert len(arrived) == 10
        assert all(at - begin >= number / 20 for number, at in enumerate(arrived))

    def test_at_the_same_moment(self, server: tuple[str, list[float]]) -> None:
        url, arrived = server
        begin = time.monotonic()
        with closing(HttpTransport(url, pace=Pace(20))) as transport:
            for _ in range(3):
                transport.at_once([partial(transport.send, ROOT)] * 4, seed=0)
        assert len(arrived) == 12
        assert all(at - begin >= (3 + number // 4 * 4) / 20 for number, at in enumerate(arrived))

    def test_another_node_is_asked_at_the_same_pace(self, server: tuple[str, list[float]]) -> None:
        url, arrived = server
        begin = time.monotonic()
        with closing(HttpTransport(url, pace=Pace(20))) as transport, closing(transport.at(url)) as other:
            for _ in range(3):
                transport.send(ROOT)
                other.send(ROOT)
        assert all(at - begin >= number / 20 for number, at in enumerate(arrived))

    def test_without_a_pace_nothing_waits(self, server: tuple[str, list[float]]) -> None:
        url, arrived = server
        with closing(HttpTransport(url)) as transport:
            transport.at_once([partial(transport.send, ROOT)] * 4, seed=0)
        assert len(arrived) == 4
