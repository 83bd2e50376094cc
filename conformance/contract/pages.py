"""A documentation page as units: every character that is not white space belongs to exactly one of them.

A unit is the smallest thing a page says: a heading, a table row, a code block, a sentence, a leaf of an
OpenAPI document. Its key stays the same when lines move, so requirements and exclusions can name it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mlconform.conformance.contract import examples, fragment, sentences
from mlconform.conformance.contract.routes import template


class Kind(StrEnum):
    """What a unit is."""

    FRONT_MATTER = "front-matter"
    HEADING = "heading"
    LABEL = "label"
    LIQUID = "liquid"
    MARKUP = "markup"
    ENDPOINT = "endpoint"
    PATH_PARAMETER = "path-parameter"
    TABLE_HEADER = "table-header"
    FIELD = "field"
    ROW = "row"
    EXAMPLE_REQUEST = "example-request"
    EXAMPLE_RESPONSE = "example-response"
    SETTINGS = "settings"
    ERROR_BODY = "error-body"
    CODE = "code"
    STATEMENT = "statement"
    OPENAPI = "openapi"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a page. `lines` is first and last line from 1, `start` and `end` are character offsets.

    `section` is the slug of the nearest heading above; `columns` are the table's column titles in lower
    case for a row, `path` is the place in the OpenAPI document for one of its leaves.
    """

    key: str
    kind: Kind
    page: str
    start: int
    end: int
    lines: tuple[int, int]
    text: str
    heading: str = ""
    section: str = ""
    level: int = 0
    columns: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of one version. `problems` are (line, message) for what could not be read, `fragments` the
    text of its OpenAPI documents."""

    id: str
    version: str
    text: str
    units: tuple[Unit, ...]
    problems: tuple[tuple[int, str], ...] = ()
    fragments: tuple[str, ...] = ()

    def sha256(self, lines: tuple[int, int]) -> str:
        """The hash of these lines (first and last, from 1) as they stand, joined by newlines."""
        return digest("\n".join(self.text.split("\n")[lines[0] - 1 : lines[1]]))


def digest(text: str) -> str:
    """SHA-256 of the UTF-8 form, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def fold(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def slug(text: str) -> str:
    """A heading as part of a key: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9_]+", "-", re.sub(r"\{[{%:].*?\}\}?", "", text.lower())).strip("-")


_LIQUID = re.compile(r"^\s*(?:[>*-]\s*)*\{%.*%\}\s*$")
_ATTRIBUTES = re.compile(r"^\s*(?:[>*-]\s*)*\{:.*\}\s*$")
_BOLD_ONLY = re.compile(r"^\s*\*\*(?P<title>[^*]+?):?\*\*\s*$")
_SINCE_LABEL = re.compile(
    r"^\s*(?:\*\*|_)?(?:Introduced|Deprecated|Removed)(?: in)? v?\d+(?:\.\d+)*(?:\*\*|_)?\s*$"
)
_SEPARATOR = re.compile(r"^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?$")
_MARKERS_ONLY = re.compile(r"^[\s>*+-]+$")
_LIST_MARKER = re.compile(r"^\s*(?:[*+-]|\d+[.)])\s")
_PATH_PARAMETER = re.compile(r"^\s*[*+-]\s+`(?P<name>\w+)`\s*:")
_CODE_KIND = {
    examples.Block.ENDPOINT: Kind.ENDPOINT,
    examples.Block.SETTINGS: Kind.SETTINGS,
    examples.Block.REQUEST: Kind.EXAMPLE_REQUEST,
    examples.Block.RESPONSE: Kind.EXAMPLE_RESPONSE,
    examples.Block.ERROR: Kind.ERROR_BODY,
    examples.Block.OTHER: Kind.CODE,
}


def cells(row: str) -> list[str]:
    """The cells of a row, outer pipes dropped; a pipe in a code span or after a backslash splits nothing."""
    body = re.sub(r"`[^`]*`|\\\|", lambda match: match.group().replace("|", "\0"), row.strip())
    body = body.removeprefix("|")
    parts = body.removesuffix("|").split("|") if body.count("|") else [body]
    return [part.replace("\0", "|").strip() for part in parts]


def plain(cell: str) -> str:
    """A name as a table's cell gives it, without code marks, emphasis and links."""
    return re.sub(r"[`*\s]", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", cell))


def read_page(page_id: str, version: str, text: str) -> Page:
    """Split a page into units. Never raises: what can't be read becomes an `unread` unit and a problem."""
    reader = _Reader(page_id, text)
    reader.read()
    problems, fragments = tuple(sorted(reader.problems)), tuple(reader.fragments)
    return Page(page_id, version, text, tuple(reader.units()), problems, fragments)


class _Reader:
    """Walks the blocks of one page in order and remembers the heading it stands under."""

    def __init__(self, page_id: str, text: str) -> None:
        self.page_id = page_id
        self.text = text
        self.lines = text.split("\n")
        self.offsets = [0]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line) + 1)
        self.found: list[Unit] = []
        self.problems: list[tuple[int, str]] = []
        self.fragments: list[str] = []
        self.heading = ""
        self.taken = [not line.strip() for line in self.lines]

    def read(self) -> None:
        body_from = self._front_matter()
        # Blank lines instead of the front matter keep Markdown's line numbers those of the page.
        source = "\n" * body_from + "\n".join(self.lines[body_from:])
        for token in MarkdownIt("commonmark").parse(source):
            self._block(token)
        self._leftovers()

    def units(self) -> Iterator[Unit]:
        """The units in page order, each with its own key."""
        used: Counter[str] = Counter()
        for unit in sorted(self.found, key=lambda unit: unit.start):
            used[unit.key] += 1
            count = used[unit.key]
            yield unit if count == 1 else replace(unit, key=f"{unit.key}-{count}")

    def _front_matter(self) -> int:
        if self.lines[0].strip() != "---":
            return 0
        for number, line in enumerate(self.lines[1:], 1):
            if line.strip() == "---":
                self._add(Kind.FRONT_MATTER, 0, number + 1, "")
                return number + 1
        return 0

    def _block(self, token: Token) -> None:
        if token.map is None or token.type not in _READERS:
            return
        first, last = token.map
        _READERS[token.type](self, token, first, last)

    def _heading(self, token: Token, first: int, last: int) -> None:
        title = re.sub(r"^[\s>#*+-]+|\s#+\s*$", "", self.lines[first]).strip()
        self._enter(title, first, last, int(token.tag[1:]))

    def _enter(self, title: str, first: int, last: int, level: int) -> None:
        self.heading = title
        self.found.append(replace(self._unit(Kind.HEADING, first, last, slug(title)), level=level))

    def _markup(self, _token: Token, first: int, last: int) -> None:
        self._add(Kind.MARKUP, first, last)

    def _code(self, token: Token, first: int, last: int) -> None:
        if fragment.is_fragment(token.info, token.content):
            self._fragment(token, first, last)
            return
        block = "\n".join(self.lines[first:last])
        if token.type == "fence" and not re.match(r"^[\s>]*(`{3,}|~{3,})\s*$", self.lines[last - 1]):
            self.problems.append((first + 1, "the code block is opened here and never closed"))
        kind = _CODE_KIND[examples.classify(block, self.heading)]
        example = examples.read_example(block)
        if example.problem and kind not in {Kind.CODE, Kind.ENDPOINT}:
            self.problems.append((first + 1, f"the body can't be read as JSON: {example.problem}"))
        if kind is Kind.ENDPOINT:
            self._endpoints(first, last)
        else:
            self._add(kind, first, last, self._natural(kind, example))

    def _natural(self, kind: Kind, example: examples.Example) -> str:
        if kind is Kind.ERROR_BODY:
            return str(examples.status_of(example.body) or slug(self.heading))
        if kind is Kind.SETTINGS:
            return setting_names(example.body)[0] if setting_names(example.body) else slug(self.heading)
        title = re.sub(r"^examples?( (requests?|responses?))?:?\s*", "", self.heading, flags=re.IGNORECASE)
        return slug(title)

    def _endpoints(self, first: int, last: int) -> None:
        numbers = examples.request_lines("\n".join(self.lines[first:last]))
        starts = [first, *(first + number for number in numbers[1:])]
        for number, start, end in zip(numbers, starts, [*starts[1:], last], strict=True):
            name = template(" ".join(self.lines[first + number].split()))
            self._add(Kind.ENDPOINT, start, end, name)

    def _fragment(self, token: Token, first: int, last: int) -> None:
        try:
            leaves = fragment.leaves(token.content)
        except ValueError as error:
            self.problems.append((first + 1, f"the OpenAPI document can't be read: {error}"))
            self._add(Kind.UNREAD, first, last)
            return
        self.fragments.append(token.content)
        starts = [first, *(first + 1 + leaf.line for leaf in leaves[1:])]
        for leaf, start, end in zip(leaves, starts, [*starts[1:], last], strict=True):
            unit = self._unit(Kind.OPENAPI, start, end, "/".join(_pointer(leaf.path)))
            self.found.append(replace(unit, path=leaf.path))

    def _paragraph(self, _token: Token, first: int, last: int) -> None:
        number = first
        while number < last:
            end = self._special(number, last)
            if end == number:
                end = number + 1
                while end < last and self._special(end, last, add=False) == end:
                    end += 1
                self._sentences(number, end)
            number = end

    def _special(self, number: int, last: int, *, add: bool = True) -> int:
        """The line after the label, tag, title, parameter or table at `number`; `number` itself for prose."""
        line = self.lines[number]
        end = number + 1
        if number + 1 < last and "|" in line and _SEPARATOR.match(self.lines[number + 1]):
            return self._table(number, last) if add else last
        if _SINCE_LABEL.match(line) or _ATTRIBUTES.match(line):
            read = (Kind.LABEL, slug(line) if _SINCE_LABEL.match(line) else None)
        elif _LIQUID.match(line):
            read = (Kind.LIQUID, None)
        elif (match := _PATH_PARAMETER.match(line)) and "path param" in self.heading.lower():
            read = (Kind.PATH_PARAMETER, match["name"])
        elif match := _BOLD_ONLY.match(line):
            read = (Kind.HEADING, slug(match["title"]))
        else:
            return number
        if add and read[0] is Kind.HEADING and match:
            self._enter(match["title"], number, end, 7)
        elif add:
            self._add(read[0], number, end, read[1])
        return end

    def _table(self, first: int, last: int) -> int:
        columns = tuple(cell.lower() for cell in cells(self.lines[first]))
        header = self._unit(Kind.TABLE_HEADER, first, first + 2, slug(self.heading))
        self.found.append(replace(header, columns=columns))
        kind = _row_kind(columns, self.heading)
        number = first + 2
        while number < last and "|" in self.lines[number]:
            name = plain(cells(self.lines[number])[0])
            row = self._unit(kind, number, number + 1, name or None)
            self.found.append(replace(row, columns=columns))
            number += 1
        return number

    def _sentences(self, first: int, last: int) -> None:
        base = self.offsets[first]
        for start, end in sentences.split(self.text[base : self.offsets[last] - 1]):
            self.found.append(self._span(Kind.STATEMENT, base + start, base + end))
        self._take(first, last)

    def _leftovers(self) -> None:
        """Lines that no block claimed: empty quotes and list items are markup, the rest is reported."""
        for number, taken in enumerate(self.taken):
            if taken:
                continue
            line = self.lines[number]
            if _MARKERS_ONLY.match(line) or _LIST_MARKER.match(line):
                self._add(Kind.MARKUP, number, number + 1)
            else:
                self.problems.append((number + 1, f"no Markdown block holds it: {line.strip()[:60]!r}"))
                self._add(Kind.UNREAD, number, number + 1)

    def _take(self, first: int, last: int) -> None:
        self.taken[first:last] = [True] * (last - first)

    def _add(self, kind: Kind, first: int, last: int, natural: str | None = None) -> None:
        self.found.append(self._unit(kind, first, last, natural))

    def _unit(self, kind: Kind, first: int, last: int, natural: str | None = None) -> Unit:
        """Whole lines, from `first` to before `last` (from 0)."""
        self._take(first, last)
        text = self.text[self.offsets[first] : self.offsets[last] - 1]
        start = self.offsets[first] + len(text) - len(text.lstrip())
        return self._span(kind, start, self.offsets[first] + len(text.rstrip()), natural)

    def _span(self, kind: Kind, start: int, end: int, natural: str | None = None) -> Unit:
        """The characters from `start` to before `end`; without a natural name the text's hash names it."""
        text = self.text[start:end]
        name = digest(fold(text))[:8] if natural is None else natural
        first = self.text.count("\n", 0, start) + 1
        return Unit(
            key=f"{self.page_id}/{kind}/{name}".rstrip("/"),
            kind=kind,
            page=self.page_id,
            start=start,
            end=end,
            lines=(first, first + text.count("\n")),
            text=text,
            heading=self.heading,
            section=slug(self.heading),
        )


_READERS = {
    "heading_open": _Reader._heading,
    "paragraph_open": _Reader._paragraph,
    "fence": _Reader._code,
    "code_block": _Reader._code,
    "html_block": _Reader._markup,
    "hr": _Reader._markup,
}


def unfenced(block: str) -> str:
    """A code block without the lines that open and close it."""
    return "\n".join(line for line in block.split("\n") if not re.match(r"^[\s>]*(`{3,}|~{3,})", line))


def setting_names(body: object) -> list[str]:
    """The dotted names of the settings in the body of a settings request."""
    if not isinstance(body, dict):
        return []
    scopes = [body[scope] for scope in ("persistent", "transient") if isinstance(body.get(scope), dict)]
    return [name for scope in scopes for name in scope]


def _row_kind(columns: tuple[str, ...], heading: str) -> Kind:
    named = columns[0] in {"field", "parameter", "name", "setting"}
    if named and "path param" in heading.lower():
        return Kind.PATH_PARAMETER
    return Kind.FIELD if named and any("type" in column for column in columns) else Kind.ROW


def _pointer(path: tuple[str, ...]) -> Iterator[str]:
    """The place as a key: an operation goes by its method, its path is long and the page has few."""
    if path[0] == "paths" and len(path) > 2:
        return iter(path[2:])
    return iter(part.strip("/").replace("/", ":") for part in path)
