"""What Jackson, the parser inside OpenSearch, says of a body that is no JSON.

The body is read again as Jackson reads it, byte by byte, so that the same fault is met first and at the same
column, which counts bytes. Words and columns are those of a 2.19.0 node.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from mlconform.mock_server.opensearch_ml.errors import SOURCE, ApiError, json_error

_SPACES = b" \t\r\n"
_HEX = b"0123456789abcdefABCDEF"
_ESCAPES = b'"\\/bfnrtu'
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_WORDS = (b"true", b"false", b"null")
_ODD_NUMBERS = re.compile(rb"NaN|-?Infinity")
_NAMELESS = "was expecting double-quote to start field name"
_MORE_BYTES = ((0xC0, 0xE0, 1), (0xE0, 0xF0, 2), (0xF0, 0xF8, 3))


class _Open(Struct):
    """An object or array that is not closed yet; a name that an object has must not come again."""

    is_object: bool
    start: int
    names: set[bytes] = field(default_factory=set)

    @property
    def kind(self) -> str:
        return "Object" if self.is_object else "Array"


def fault_of(body: bytes) -> ApiError | None:
    """The first fault in a body that begins with one JSON value, or None where there is none."""
    scanner = _Scanner(body)
    try:
        scanner.value()
        while scanner.open:
            scanner.next_in_container()
    except ApiError as error:
        return error
    return None


class _Scanner:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.open: list[_Open] = []

    def value(self) -> None:
        """One scalar, or the opening of an object or array."""
        byte = self.skip_spaces()
        if byte is None:
            raise self.end(f" within/between {self.open[-1].kind} entries" if self.open else "")
        if byte in b"{[":
            self.open.append(_Open(byte == ord("{"), self.at))
            self.at += 1
        elif byte == ord('"'):
            self.string(" in VALUE_STRING")
        elif _ODD_NUMBERS.match(self.body, self.at):
            self.odd_number()
        elif byte in b"-0123456789":
            self.number()
        elif byte == ord("+"):
            told = "JSON spec does not allow numbers to have plus signs: enable"
            told = f"{told} `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow"
            raise self.fault(f"Unexpected character ('+' (code 43)) in numeric value: {told}", self.at + 1)
        elif chr(byte).isalpha() or byte in b"_$":
            self.word()
        elif byte in b"}]" and not self.open:
            raise self.wrong_closer(byte)
        else:
            expected = "expected a value" if byte in b"},]" else f"expected a valid value {_VALUES}"
            raise self.unexpected(expected)

    def next_in_container(self) -> None:
        """What follows in the innermost object or array: its end, or a comma, a name and a value."""
        inner = self.open[-1]
        first = self.at == inner.start + 1
        byte = self.skip_spaces()
        if byte is None:
            told = f": expected close marker for {inner.kind} (start marker at {self.place(inner.start)})"
            raise self.end(told)
        if byte == (ord("}") if inner.is_object else ord("]")):
            self.open.pop()
            self.at += 1
            return
        if byte in b"}]":
            raise self.wrong_closer(byte)
        if not first:
            if byte != ord(","):
                raise self.unexpected(f"was expecting comma to separate {inner.kind} entries")
            self.at += 1
            if self.skip_spaces() is None:
                raise self.fault(f"Unexpected end-of-input within/between {inner.kind} entries", self.at)
        if inner.is_object:
            self.name(inner)
        self.value()

    def name(self, inner: _Open) -> None:
        if self.skip_spaces() != ord('"'):
            raise self.unexpected(_NAMELESS)
        start = self.at
        self.string(" in field name")
        name = self.body[start + 1 : self.at - 1]
        if name in inner.names:
            raise self.fault(f"Duplicate field '{name.decode('utf-8', 'replace')}'", self.at)
        inner.names.add(name)
        byte = self.skip_spaces()
        if byte is None:
            raise self.end(" within/between Object entries")
        if byte != ord(":"):
            raise self.unexpected("was expecting a colon to separate field name and value")
        self.at += 1

    def string(self, at_end: str) -> None:
        self.at += 1
        while (byte := self.byte()) != ord('"'):
            if byte is None:
                raise self.end(at_end)
            if byte == ord("\\"):
                self.escape()
            elif byte < 32:
                described = _described(chr(byte))
                told = "has to be escaped using backslash to be included in string value"
                raise self.fault(f"Illegal unquoted character ({described}): {told}", self.at)
            elif byte < 128:
                self.at += 1
            else:
                self.character()
        self.at += 1

    def escape(self) -> None:
        self.at += 1
        byte = self.byte()
        if byte is None:
            raise self.end(" in character escape sequence")
        if byte not in _ESCAPES:
            raise self.fault(f"Unrecognized character escape {_described(self.shown())}", self.at)
        self.at += 1
        for _ in range(4 if byte == ord("u") else 0):
            digit = self.byte()
            if digit is None:
                raise self.end(" in character escape sequence")
            if digit not in _HEX:
                raise self.unexpected("expected a hex-digit for character escape sequence")
            self.at += 1

    def character(self) -> None:
        """One character of several bytes."""
        byte = self.body[self.at]
        more = next((count for low, high, count in _MORE_BYTES if low <= byte < high), None)
        if more is None:
            raise self.fault(f"Invalid UTF-8 start byte 0x{byte:x}", self.at + 1)
        for _ in range(more):
            self.at += 1
            after = self.byte()
            if after is None:
                raise self.end(" in VALUE_STRING")
            if after & 0xC0 != 0x80:
                raise self.fault(f"Invalid UTF-8 middle byte 0x{after:x}", self.at + 1)
        self.at += 1

    def number(self) -> None:
        if self.byte() == ord("-"):
            self.at += 1
            self.digits("expected digit (0-9) to follow minus sign, for valid numeric value")
        else:
            self.digits("")
        if self.byte() == ord("."):
            self.at += 1
            self.digits("Decimal point not followed by a digit", fraction=True)
        if self.byte() in (ord("e"), ord("E")):
            self.at += 1
            if self.byte() in (ord("+"), ord("-")):
                self.at += 1
            self.digits("Exponent indicator not followed by a digit", fraction=True)
        after = self.byte()
        if not self.open and after is not None and after not in _SPACES:
            raise self.unexpected("Expected space separating root-level values", decoded=False)

    def digits(self, missing: str, *, fraction: bool = False) -> None:
        start = self.at
        while (byte := self.byte()) is not None and byte in b"0123456789":
            self.at += 1
        if start == self.at:
            if byte is None:
                raise self.end(" in FIELD_NAME" if self.open and self.open[-1].is_object else " in null")
            told = f"Unexpected character ({_described(self.shown())}) in numeric value"
            raise self.fault(f"{told}: {missing}", start)
        if not fraction and self.body[start] == ord("0") and self.at > start + 1:
            raise self.fault("Invalid numeric value: Leading zeroes not allowed", start + 1)

    def odd_number(self) -> None:
        found = _ODD_NUMBERS.match(self.body, self.at)
        assert found is not None
        told = f"Non-standard token '{found[0].decode()}'"
        enable = "enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
        raise self.fault(f"{told}: {enable}", found.end())

    def word(self) -> None:
        """A word that is no value; its first byte counts as a character, whatever it is part of."""
        for word in _WORDS:
            end = self.at + len(word)
            if self.body.startswith(word, self.at) and not _continues(self.body[end : end + 1]):
                self.at = end
                return
        token = chr(self.body[self.at])
        self.at += 1
        while (byte := self.byte()) is not None:
            start = self.at
            if byte < 128:
                if not _continues(bytes([byte])):
                    break
                self.at += 1
            else:
                self.character()
            token += self.body[start : self.at].decode("utf-8", "replace")
        place = self.at if byte is None else self.at + 1
        raise self.fault(f"Unrecognized token '{token}': was expecting {_VALUES}", place)

    def skip_spaces(self) -> int | None:
        """The next byte that is no space, which is where the scanner then stands; None at the end."""
        while (byte := self.byte()) is not None and byte in _SPACES:
            self.at += 1
        if byte is not None and byte < 32:
            allowed = "only regular white space (\\r, \\n, \\t) is allowed between tokens"
            raise self.fault(f"Illegal character ({_described(chr(byte))}): {allowed}", self.at + 1)
        return byte

    def byte(self) -> int | None:
        return self.body[self.at] if self.at < len(self.body) else None

    def shown(self) -> str:
        """The character here, as far as its bytes make one."""
        return self.body[self.at : self.at + 4].decode("utf-8", "replace")[0]

    def unexpected(self, expected: str, *, decoded: bool = True) -> ApiError:
        character = self.shown() if decoded else chr(self.body[self.at])
        return self.fault(f"Unexpected character ({_described(character)}): {expected}", self.at)

    def wrong_closer(self, byte: int) -> ApiError:
        place = self.place(self.open[-1].start) if self.open else f"{SOURCE}; line: 1]"
        kind = self.open[-1].kind if self.open else "root"
        expected = "}" if byte == ord("]") else "]"
        told = f"expected '{expected}' (for {kind} starting at {place})"
        return self.fault(f"Unexpected close marker '{chr(byte)}': {told}", self.at)

    def end(self, where: str) -> ApiError:
        """The end of the body came too early."""
        line, column = self.line_and_column(len(self.body))
        return json_error("json_e_o_f_exception", f"Unexpected end-of-input{where}", line, column)

    def fault(self, reason: str, at: int) -> ApiError:
        return json_error("json_parse_exception", reason, *self.line_and_column(at))

    def place(self, at: int) -> str:
        line, column = self.line_and_column(at)
        return f"{SOURCE}; line: {line}, column: {column}]"

    def line_and_column(self, at: int) -> tuple[int, int]:
        return self.body.count(b"\n", 0, at) + 1, at - self.body.rfind(b"\n", 0, at)


def _continues(byte: bytes) -> bool:
    """Whether a word goes on with this byte."""
    return byte.isalnum() or byte in (b"_", b"$")


def _described(character: str) -> str:
    code = ord(character)
    if code < 32:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code} / 0x{code:x})" if code > 255 else f"'{character}' (code {code})"
