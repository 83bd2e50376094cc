"""Pages, overlay and suites to the generated files; the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlconform.conformance.contract import (
    checks,
    contradictions,
    deviations,
    files,
    history,
    lock,
    openapi,
    overlay_files,
    page_records,
    recorded,
    requirements,
    store,
)
from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.lock import Lock, LockedPage
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.contract.operations import shown
from mlconform.conformance.contract.overlay import Overlay, PageEntry
from mlconform.conformance.contract.page_rules import Finding
from mlconform.conformance.contract.pages import Page, read_page
from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.contract.versions import nearest

SUITES = Path(__file__).parents[1] / "suites"
# The recordings lie beside the contracts, in a checkout.
OBSERVED = Path("tests", "observed")


@dataclass(frozen=True, slots=True)
class Built:
    """What a build makes: the bytes of each file by its path below `schemas`, and what to tell.

    `notes` are what could not be read (page, line), findings that nobody settled, units that nothing
    accounts for, and checks that decide what is no requirement.
    """

    files: Mapping[str, bytes]
    lock: Lock
    notes: tuple[str, ...]


def generate(docs: Path, root: Path | None = None, suites: Path = SUITES) -> Built:
    """Everything that the pages below `docs` and the overlays below `root` give; writes nothing.

    Raises ContractError for missing or ambiguous pages and for an overlay that does not fit them.
    """
    root = root or store.schemas_root()
    if not docs.is_dir():
        raise ContractError(
            f"expected a folder of documentation pages, found none at {docs}; pass it with --docs"
        )
    decided = checks.decided_by(suites) if suites.is_dir() else {}
    made: dict[str, bytes] = {}
    known: set[str] = set()
    overlays: dict[str, str] = {}
    locked: list[LockedPage] = []
    notes: list[str] = []
    for path in _overlays(root):
        written = overlay_files.load(path)
        overlays |= {
            file.relative_to(root).as_posix(): lock.sha256(file.read_bytes())
            for file in (path, *overlay_files.areas(path))
        }
        versions = _pages(docs, written, locked)
        notes += _without_operation(written, versions)
        for built, pages in _contracts(written, versions, decided):
            contract = _with_recorded(built, written, root.parent / OBSERVED)
            known |= contract.requirements.keys()
            made |= _rendered(contract)
            notes += _notes(contract, pages)
    notes += [
        f"{decided[name][0]}: it decides {name}, which is no requirement; correct the id or the overlay"
        for name in sorted(decided.keys() - known)
    ]
    hashes = {name: lock.sha256(data) for name, data in made.items()}
    result = Lock(tuple(locked), overlays, hashes)
    return Built({**made, lock.NAME: lock.write(result)}, result, tuple(notes))


def build(
    docs: Path, out: Path | None = None, overlays: Path | None = None, suites: Path = SUITES
) -> tuple[str, ...]:
    """Write the generated files below `out` and say what changed and what needs a look, a line each.

    The overlays are read below `overlays`, by default where the contracts lie, which is also the default
    of `out`; another `out` gets a copy of them, so that it is whole. What the lock below `out` says an
    earlier build made, and this one does not, is removed.
    """
    overlays = overlays or store.schemas_root()
    root = out or overlays
    built = generate(docs, overlays, suites)
    copies = {
        file.relative_to(overlays).as_posix(): file.read_bytes()
        for path in _overlays(overlays)
        for file in (path, *overlay_files.areas(path))
    }
    earlier = lock.read(root).generated if (root / lock.NAME).is_file() else {}
    report = []
    for name, data in sorted({**built.files, **copies}.items()):
        path = root / name
        before = path.read_bytes() if path.is_file() else None
        if before != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            report.append(f"{'new' if before is None else 'changed'}: {name}")
    for name in sorted(earlier.keys() - built.files.keys()):
        (root / name).unlink(missing_ok=True)
        report.append(f"removed: {name}")
    return (*(report or ["nothing changed"]), *built.notes)


def check(docs: Path | None = None, root: Path | None = None, suites: Path = SUITES) -> tuple[str, ...]:
    """What is not as a build would make it, a message each; empty where all is well.

    With `docs`, changed pages and files that differ byte for byte. Without, the hashes of the lock alone.
    """
    root = root or store.schemas_root()
    locked = lock.read(root)
    if docs is None:
        return tuple(lock.verify(locked, root))
    # The hashes come first: a changed page is the likely cause of an overlay that no longer fits.
    found = lock.changed(locked, _current_pages(docs, root))
    try:
        built = generate(docs, root, suites)
    except ContractError as error:
        if not found:
            raise
        return (*found, str(error))
    found += [
        f"{name}: {_difference(root / name, data)}; run `mlconform contract build --docs FOLDER`"
        for name, data in sorted(built.files.items())
        if not (root / name).is_file() or (root / name).read_bytes() != data
    ]
    found += [
        f"{path.relative_to(root).as_posix()}: no page or overlay makes this file; remove it"
        for path in _foreign(root, built)
    ]
    return tuple(found)


def unaccounted(root: Path | None = None) -> tuple[str, ...]:
    """The units that nothing accounts for in the contracts below `root`, each with the file that says so."""
    root = root or store.schemas_root()
    return tuple(
        f"{name}: no requirement rests on {unit.key} and nothing excludes it"
        for name in sorted(lock.read(root).generated)
        if name.endswith(files.REQUIREMENTS)
        for unit in files.read_units(files.parse((root / name).read_bytes(), name))
        if not unit.requirements and unit.excluded is None
    )


def _overlays(root: Path) -> list[Path]:
    found = sorted(root.glob("*/overlay.yaml"))
    if not found:
        raise ContractError(f"expected a folder a profile with its overlay.yaml below {root}, found none")
    return found


def _current_pages(docs: Path, root: Path) -> list[LockedPage]:
    if not docs.is_dir():
        raise ContractError(
            f"expected a folder of documentation pages, found none at {docs}; pass it with --docs"
        )
    locked: list[LockedPage] = []
    for path in _overlays(root):
        _pages(docs, overlay_files.load(path), locked)
    return locked


def _pages(docs: Path, written: Overlay, locked: list[LockedPage]) -> dict[str, dict[str, Page]]:
    """The pages of each version by their ids; each is added to `locked`."""
    found: dict[str, dict[str, Page]] = {}
    for version in written.versions:
        for entry in written.pages:
            path = _find(docs, written, entry, version)
            data = path.read_bytes()
            file = path.relative_to(docs).as_posix()
            locked.append(LockedPage(written.profile, entry.id, version, file, lock.sha256(data)))
            found.setdefault(version, {})[entry.id] = _page(entry, version, path, data)
    return found


def _page(entry: PageEntry, version: str, path: Path, data: bytes) -> Page:
    try:
        return read_page(entry.id, version, data.decode())
    except UnicodeDecodeError as error:
        raise ContractError(f"{path.name}: expected UTF-8 text: {error}") from None


def _find(docs: Path, written: Overlay, entry: PageEntry, version: str) -> Path:
    file = written.file_of(entry, version)
    found = sorted(path for path in docs.rglob(file) if path.is_file())
    if len(found) != 1:
        came = ", ".join(path.relative_to(docs).as_posix() for path in found) or "none"
        raise ContractError(
            f"page {entry.id} of {written.profile} {version}: expected one file {file!r} "
            f"below {docs}, found {came}; pass the folder of the pages with --docs"
        )
    return found[0]


def folder_contract(folder: Path, root: Path | None = None) -> Contract:
    """The contract that the overlays give with the pages in one folder, which is laid out like a version's.

    Pages that are not there are left out, and so is what the overlay cites and no page says.
    Raises ContractError where the folder has none of the pages of any profile.
    """
    root = root or store.schemas_root()
    decided = checks.decided_by(SUITES) if SUITES.is_dir() else {}
    for path in _overlays(root):
        written = overlay_files.load(path)
        pages = {}
        for entry in written.pages:
            found = sorted(folder.rglob(entry.file)) if folder.is_dir() else []
            if found:
                pages[entry.id] = _page(entry, folder.name, found[0], found[0].read_bytes())
        if pages:
            version = folder.name if folder.name in written.versions else written.versions[-1]
            facts = Facts(written, version, pages, elsewhere=None)
            return replace(_contract(facts, decided, contradictions.findings(facts)), version=folder.name)
    raise ContractError(
        f"expected a folder with documentation pages laid out like those of one version, found none in "
        f"{folder}"
    )


def _contracts(
    written: Overlay, pages: Mapping[str, Mapping[str, Page]], decided: checks.Decided
) -> Iterator[tuple[Contract, Mapping[str, Page]]]:
    """The contract of each version with its pages; what only some of them have says since when."""
    every = frozenset(
        unit.key for version in pages.values() for page in version.values() for unit in page.units
    )
    facts = [Facts(written, version, pages[version], every) for version in written.versions]
    found = [contradictions.findings(each) for each in facts]
    contradictions.forbid_settling_nothing(written, {name for findings in found for name in findings})
    contracts = [_contract(each, decided, findings) for each, findings in zip(facts, found, strict=True)]
    yield from zip(history.dated(contracts), pages.values(), strict=True)


def _with_recorded(contract: Contract, written: Overlay, folder: Path) -> Contract:
    """The contract with the form of the answers that its recorded versions gave."""
    routes = Routes.of(contract.openapi).by_operation
    found = {
        version: recorded.forms(folder, version, routes)
        for version in written.recorded_versions
        if nearest(version, written.versions) == contract.version
    }
    return replace(contract, recorded={version: forms for version, forms in found.items() if forms})


def _contract(facts: Facts, decided: checks.Decided, found: Mapping[str, Finding]) -> Contract:
    founded = requirements.requirements(facts, decided)
    return Contract(
        profile=facts.overlay.profile,
        version=facts.version,
        requirements={entry.requirement.id: entry.requirement for entry in founded},
        openapi=openapi.document(facts),
        units=requirements.account(facts, founded),
        contradictions=contradictions.contradictions(facts, found),
        deviations=deviations.deviations(facts),
        pages=tuple(
            page_records.record(facts.overlay, entry, facts.pages[entry.id])
            for entry in facts.overlay.pages
            if entry.id in facts.pages
        ),
    )


def _rendered(contract: Contract) -> dict[str, bytes]:
    folder = f"{contract.profile}/{contract.version}"
    known = {
        f"{contract.profile}/known/{name}.yaml": files.dump(files.waivers_value(entries))
        for name, entries in deviations.known_sets(contract).items()
    }
    if contract.recorded:
        known[f"{folder}/{files.RECORDED}"] = openapi.as_json(dict(contract.recorded))
    return {
        **known,
        f"{folder}/{files.REQUIREMENTS}": files.dump(files.requirements_value(contract)),
        f"{folder}/{files.OPENAPI}": files.dump(dict(contract.openapi)),
        **{f"{folder}/{name}": openapi.as_json(body) for name, body in openapi.schemas(contract.openapi)},
    }


def _notes(contract: Contract, pages: Mapping[str, Page]) -> list[str]:
    unread = [
        f"{page.id} ({page.version}), line {line}: {message}"
        for page in pages.values()
        for line, message in page.problems
    ]
    unsettled = [
        f"{entry.id}: {entry.finding} Settle it in the overlay of {contract.profile}."
        for entry in contract.contradictions
        if entry.settled is None
    ]
    unaccounted = [
        f"{unit.source}: no requirement rests on {unit.key} and nothing excludes it"
        for unit in contract.units
        if not unit.requirements and unit.excluded is None
    ]
    return unread + unsettled + unaccounted


def _without_operation(written: Overlay, versions: Mapping[str, Mapping[str, Page]]) -> list[str]:
    """The pages whose examples would make requirements and are of no operation in any version."""
    routes = {operation.id: operation.route for operation in written.operations}
    used = {
        name
        for pages in versions.values()
        for name, page in pages.items()
        if any(entry.operation is not None for entry in shown(page, routes))
    }
    return [
        f"page {page.id} of {written.profile}: `examples: true`, yet no entry under `operations` is of "
        "one of its examples, so that they make no requirement; add one, or take `examples` away"
        for page in written.pages
        if page.examples and page.id not in used
    ]


def _foreign(root: Path, built: Built) -> list[Path]:
    """Files among the generated ones that no build made."""
    folders = {(root / name).parent for name in built.lock.generated}
    found = [path for folder in sorted(folders) for path in sorted(folder.glob("*")) if path.is_file()]
    return [path for path in found if path.relative_to(root).as_posix() not in built.files]


def _difference(path: Path, expected: bytes) -> str:
    if not path.is_file():
        return "the file is missing"
    came = path.read_bytes().split(b"\n")
    for number, (line, found) in enumerate(zip(expected.split(b"\n"), came, strict=False), 1):
        if line != found:
            return (
                f"line {number} differs: expected {line.decode().strip()!r}, "
                f"found {found.decode(errors='replace').strip()!r}"
            )
    return "the number of lines differs"
