"""The errors of OpenSearch and the two shapes they are sent in."""

from __future__ import annotations

from typing import Any

SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"


class ApiError(Exception):
    """An answer that refuses: status, type and reason go into OpenSearch's error envelope.

    `extra` are members beside type and reason (line and column of a parsing error, for one);
    `caused_by` is told once, outside the root cause, as OpenSearch does. `root` is the root cause where it is
    another than the refusal itself.
    """

    def __init__(
        self,
        status: int,
        type: str,  # noqa: A002 - its name in the envelope
        reason: str,
        extra: dict[str, Any] | None = None,
        caused_by: dict[str, Any] | None = None,
        root: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(status, type, reason)
        self.status = status
        self.type = type
        self.reason = reason
        self.extra = {} if extra is None else extra
        self.caused_by = caused_by
        self.root = root

    @property
    def root_reason(self) -> str:
        """What the root cause says, as tasks tell it."""
        return str(self.root["reason"]) if self.root else self.reason

    def envelope(self) -> dict[str, Any]:
        """The body: `{"error": {"root_cause": [...], "type", "reason"}, "status"}`."""
        cause = {"type": self.type, "reason": self.reason, **self.extra}
        error: dict[str, Any] = {"root_cause": [self.root or cause], **cause}
        if self.caused_by is not None:
            error["caused_by"] = self.caused_by
        return {"error": error, "status": self.status}


class NodeError(ApiError):
    """A mistake of the client that the node does not foresee: it answers with a fault of its own, a 5xx.

    Rules that allow no 5xx for a client's mistake put their own status in its place.
    """


class RestError(Exception):
    """A refusal that OpenSearch's REST layer sends by itself: a plain string as `error`.

    One kind tells the `exception` that made it, in the place of the status.
    """

    def __init__(
        self,
        status: int,
        message: str,
        tells_status: bool = True,
        headers: tuple[tuple[str, str], ...] = (),
        exception: str | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.tells_status = tells_status
        self.headers = headers
        self.exception = exception

    def envelope(self) -> dict[str, Any]:
        """The body: `{"error": "...", "status": n}`; one kind leaves the status out."""
        if self.exception is not None:
            return {"error": self.message, "exception": self.exception}
        return (
            {"error": self.message, "status": self.status} if self.tells_status else {"error": self.message}
        )


class Unauthorized(Exception):  # noqa: N818 - as HTTP calls it
    """A request without credentials, or with wrong ones, to a secured cluster."""


def illegal_argument(reason: str, status: int = 400, caused_by: dict[str, Any] | None = None) -> ApiError:
    """The usual refusal of a value."""
    return ApiError(status, "illegal_argument_exception", reason, caused_by=caused_by)


def node_error(kind: str, reason: str, caused_by: dict[str, Any] | None = None) -> NodeError:
    """A fault of the node, named by the kind of Java exception that it is."""
    return NodeError(500, kind, reason, caused_by=caused_by)


def null_pointer(method: str, variable: str) -> NodeError:
    """A fault of the node: it called a method of something that was not there."""
    return node_error("null_pointer_exception", f'Cannot invoke "{method}" because "{variable}" is null')


def wrong_class(value: Any, wanted: str) -> NodeError:
    """A fault of the node: it took a value for a `java.lang.String`, say, that is none."""
    found = java_class(value)
    modules = "are in module java.base of loader 'bootstrap'"
    reason = f"class {found} cannot be cast to class {wanted} ({found} and {wanted} {modules})"
    return node_error("class_cast_exception", reason)


def java_class(value: Any) -> str:
    """What a JSON value is inside the node."""
    if isinstance(value, bool):
        return "java.lang.Boolean"
    if isinstance(value, int):
        sizes = ((31, "java.lang.Integer"), (63, "java.lang.Long"))
        return next((name for bits, name in sizes if -(2**bits) <= value < 2**bits), "java.math.BigInteger")
    names = {float: "lang.Double", str: "lang.String", list: "util.ArrayList", dict: "util.HashMap"}
    return f"java.{names[type(value)]}"


def validation_error(problems: list[str]) -> ApiError:
    """A request that was read and is not acceptable; the problems are numbered."""
    numbered = "".join(f"{number}: {problem};" for number, problem in enumerate(problems, 1))
    return ApiError(400, "action_request_validation_exception", f"Validation Failed: {numbered}")


def status_error(status: int, reason: str) -> ApiError:
    """A refusal that carries its own status."""
    return ApiError(status, "status_exception", reason)


def parse_error(reason: str) -> ApiError:
    """A body that is missing or holds a field which can't be read."""
    return ApiError(400, "parse_exception", reason)


def parsing_error(reason: str, line: int, column: int, caused_by: dict[str, Any] | None = None) -> ApiError:
    """A token of the wrong kind at a place of the body; line and column count from 1."""
    return ApiError(400, "parsing_exception", reason, {"line": line, "col": column}, caused_by)


def not_x_content() -> NodeError:
    """A body that begins with nothing that the node knows a content type by."""
    reason = "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"
    return node_error("not_x_content_exception", reason)


def json_error(kind: str, reason: str, line: int, column: int) -> ApiError:
    """A body that is not JSON. `kind` is `json_parse_exception` or `json_e_o_f_exception`."""
    return ApiError(400, kind, f"{reason}\n at {SOURCE}; line: {line}, column: {column}]")
