"""Files that a registration names by URL: fetched over HTTP as a node does, once a setting allows it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Final

_LONGEST_SECONDS: Final = 10.0
# Past the proxies of the environment, which a node knows nothing of.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class FetchError(ValueError):
    """What went wrong, in the words of a node."""


def fetch(url: str) -> bytes:
    """The content at a URL of HTTP or HTTPS. Raises FetchError; waits at most 10 s for each answer."""
    if not url.startswith(("http://", "https://")):
        raise FetchError(f"expected a URL of HTTP, for the mock fetches from no other, got {url}")
    try:
        with _OPENER.open(url, timeout=_LONGEST_SECONDS) as answered:
            content: bytes = answered.read()
    except urllib.error.HTTPError:
        raise FetchError(url) from None
    except http.client.IncompleteRead:
        raise FetchError("Premature EOF") from None
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        told = "Connection refused" if isinstance(reason, ConnectionRefusedError) else str(reason)
        raise FetchError(told) from None
    return content
