"""What a recorded node does with a second refusal of one request: it sends it to nobody, and writes it into
the memory of an answer that may be somebody else's, or of what it tells another node."""

from __future__ import annotations

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.opensearch_ml.nodes import Ids

# Of 1,000 deletes on 2.19.0 that a pipeline and an agent were in the way of 39 refusals had the text of both,
# on 3.4.0 93, and of 600 reads right after such a refusal 124 and 154 had that of the second. Of 200 reads on
# each a tenth of a second later none had it.
_IN_ITS_OWN = 0.07
_IN_THE_NEXT = 0.23
_SECONDS = 0.05
# A node that hears it in place of a message closes the connection, and is back after this time.
_PARTED_SECONDS = 2.4


class SecondRefusals:
    """Writes a second refusal into the answer to the request itself, or into the one that comes next, or with
    the probability of `parting` makes one of several nodes leave for a while."""

    def __init__(self, clock: Clock, ids: Ids, parting: float) -> None:
        self._clock = clock
        self._ids = ids
        self._parting = parting
        self._parted_until = 0.0
        self._text = b""
        self._until = 0.0
        self._own = False

    def come(self, text: bytes) -> None:
        """A request that is being refused is refused once more, with this body."""
        now = self._clock.now()
        if self._parting and self._ids.happens(self._parting):
            self._parted_until = now + _PARTED_SECONDS
        self._text, self._until, self._own = text, now + _SECONDS, True

    @property
    def part_nodes(self) -> bool:
        """Whether the last of the nodes has left for one of them."""
        return self._clock.now() < self._parted_until

    def written_into(self, body: bytes) -> bytes:
        """The body of the next answer as it is sent: of its own length, with what was written into it."""
        if not self._text:
            return body
        text, own = self._text, self._own
        happens = self._ids.happens(_IN_ITS_OWN if own else _IN_THE_NEXT) and self._clock.now() < self._until
        self._own = False
        if happens or not own:
            self._text = b""
        if not happens:
            return body
        # Both are refusals of one delete: either may be the longer one, and the one that is written first.
        below, above = (text, body) if own and self._ids.happens(0.5) else (body, text)
        return above[: len(below)] + below[len(above) :]
