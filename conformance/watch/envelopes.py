"""What the parts of one answer of OpenSearch owe each other and the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from mlconform.conformance.watch.observation import Held, Observation, Seen, held

_DEFAULT_SIZE = 10
_ENVELOPE: Final = "osml.wire.error-envelope"
_ROOT_CAUSE: Final = "osml.relation.root-cause"


def errors(seen: Seen) -> Iterator[Observation | Held]:
    """An error says its status once more, and its first cause is itself."""
    body = seen.body
    if not isinstance(body, dict) or seen.succeeded:
        return
    error, status = body.get("error"), body.get("status")
    if isinstance(error, dict) or "status" in body:
        yield held(_ENVELOPE)
        if status != seen.status or type(status) is not int:
            came = f"{status!r} with the status {seen.status}"
            yield Observation(_ENVELOPE, False, "`status` in the body as in the status line", came)
    causes = error.get("root_cause") if isinstance(error, dict) else None
    if isinstance(error, dict) and isinstance(causes, list) and causes and isinstance(causes[0], dict):
        yield from _caused(error, _own(causes[0]))


def _caused(error: dict[str, Any], first: dict[str, Any]) -> Iterator[Observation | Held]:
    """What has a cause that the server knows names that, and a search that failed on shards names theirs."""
    yield held(_ENVELOPE, _ROOT_CAUSE)
    caused = error.get("caused_by")
    if "caused_by" in error and not _is_cause(caused):
        yield Observation(_ENVELOPE, False, "`caused_by` as an object with `type` and `reason`", repr(caused))
    if not any(first == _own(each) or "failed_shards" in each for each in _chain(error)):
        known = [_own(each) for each in _chain(error)]
        expected = "the first of `root_cause` as `error`, or as what caused it"
        yield Observation(_ROOT_CAUSE, False, expected, f"{first} in {known}")


def _is_cause(value: Any) -> bool:
    texts = all(isinstance(member(value, name), str | None) for name in ("type", "reason"))
    return isinstance(value, dict) and "type" in value and texts


def _chain(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """An error and what caused it, each caused by the next."""
    following: Any = error
    while isinstance(following, Mapping):
        yield following
        following = following.get("caused_by")


def _own(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in error.items() if name not in ("root_cause", "caused_by")}


def shards(seen: Seen) -> Iterator[Observation]:
    """The counts of `_shards` agree."""
    found = member(seen.body, "_shards")
    if not isinstance(found, dict) or not seen.succeeded or member(seen.body, "result") == "noop":
        return
    counts = [found.get(name, 0) for name in ("total", "successful", "failed", "skipped")]
    holds = {"total", "successful", "failed"} <= found.keys() and all(type(each) is int for each in counts)
    if holds:
        total, right, wrong, skipped = counts
        # A copy that no node holds is counted and neither succeeds nor fails; a search leaves out none.
        whole = right == total or "skipped" not in found
        # Where nothing was ever kept, a search has nowhere to look and finds nothing.
        nowhere = total == 0 == right and "skipped" in found and member(seen.body, "hits", "hits") == []
        some = 1 <= right <= total and 0 <= skipped < total and whole
        holds = wrong == 0 and (nowhere or some)
    yield Observation(
        "osml.relation.shards",
        holds,
        "`_shards` whose parts agree, with none that failed",
        found,
    )


def hits(seen: Seen) -> Iterator[Observation]:
    """A search gives as many hits as it counts, or as many as were asked for."""
    found = member(seen.body, "hits")
    listed, total = member(found, "hits"), member(found, "total", "value")
    if not isinstance(listed, list) or type(total) is not int:
        return
    yield Observation(
        "osml.relation.hits",
        member(seen.body, "timed_out") is False,
        "a search that ended in its time",
        repr(member(seen.body, "timed_out")),
    )
    yield from _numbered(seen, listed)
    named = member(seen.sent, "query", "ids", "values")
    if isinstance(named, list):
        yield Observation(
            "osml.relation.hits",
            all(member(hit, "_id") in named for hit in listed),
            "no hit but those whose ids were asked for",
            repr([member(hit, "_id") for hit in listed]),
        )
    asked = _asked(seen)
    if asked is None:
        return
    start, size = asked
    sorts = isinstance(seen.sent, dict) and "sort" in seen.sent
    yield Observation(
        "osml.relation.hits",
        all(isinstance(member(hit, "sort"), list) == sorts for hit in listed),
        "hits with the values that they are sorted by, where they are sorted",
        repr(listed)[:200],
    )
    yield Observation(
        "osml.relation.hits",
        len(listed) == max(0, min(total - start, size)),
        "as many hits as `hits.total.value` counts, up to those asked for",
        f"{len(listed)} hits of {total}, asked for {size} from {start}",
    )


def _numbered(seen: Seen, listed: list[Any]) -> Iterator[Observation]:
    """Each write to a shard has a number of its own; of several shards each counts for itself."""
    numbers = [member(hit, "_seq_no") for hit in listed]
    if member(seen.body, "_shards", "total") == 1 and all(type(each) is int for each in numbers):
        yield Observation(
            "osml.relation.write-counts",
            len(set(numbers)) == len(numbers),
            "hits of one shard, each with a `_seq_no` of its own",
            repr(numbers),
        )


def _asked(seen: Seen) -> tuple[int, int] | None:
    """First hit and number of hits that the request asks for; None where it does something else to them."""
    sent: Any = seen.sent if isinstance(seen.sent, dict) else {}
    query = parse_qs(seen.exchange.request.path.partition("?")[2])
    if {"collapse", "search_after", "terminate_after"} & sent.keys():
        return None
    start = sent.get("from", int(query.get("from", ["0"])[0]))
    size = sent.get("size", int(query.get("size", [str(_DEFAULT_SIZE)])[0]))
    return (start, size) if isinstance(start, int) and isinstance(size, int) else None


def member(value: object, *path: str) -> Any:
    """The value at this path of objects, or None."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
