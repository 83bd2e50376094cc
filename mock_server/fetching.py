"""How the mock fetches a file over HTTP, and what a node makes of the answer."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

from mlconform.mock_server.downloads import Fetched

REFUSED = "Connection refused"
_TIMEOUT_SECONDS = 30.0
# Past the proxies of the environment, which a node knows nothing of.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str) -> Fetched:
    """Fetch a file; what goes wrong is told as a node's HTTP client does (recording local_url_fails)."""
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_SECONDS) as answer:
            return answered(url, answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return answered(url, error.code, b"")
    except http.client.IncompleteRead:
        return Fetched(error="Premature EOF")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return Fetched(error=REFUSED if isinstance(reason, ConnectionRefusedError) else str(reason))


def answered(url: str, status: int, content: bytes) -> Fetched:
    """What a node makes of an answer."""
    if status in (404, 410):
        return Fetched(error=url)
    if status >= 400:
        return Fetched(error=f"Server returned HTTP response code: {status} for URL: {url}")
    return Fetched(content)
