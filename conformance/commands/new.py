"""`mlconform new`: what a contributor begins with; its test fails with the next thing to do."""

from __future__ import annotations

import re
from pathlib import Path

import click

from mlconform.conformance.errors import UsageError

_MUTANT = '''"""The fault {name}: the mock has it, and the checks of the requirement that it breaks notice."""

from __future__ import annotations

import subprocess
import sys

from mlconform.conformance.mutants.faults import BROKEN
from mlconform.mock_server import MUTANTS

NAME = "{name}"


def test_the_fault_is_noticed() -> None:
    assert NAME in MUTANTS, f"next: give mock_server/faults.py a mutant {{NAME!r}} with a rule it breaks"
    assert NAME in BROKEN, f"next: say in conformance/mutants/faults.py which requirement {{NAME!r}} breaks"
    command = [sys.executable, "-m", "mlconform", "mutants", NAME]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, f"next: have a check of {{BROKEN[NAME]}} notice; now:\\n{{told}}"
'''
_CHECK = '''"""{name}."""

from __future__ import annotations

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import requirement
from mlconform.conformance.targets.session import Session


@requirement("{name}")
def test_{snake}(session: Session, expect: Expect) -> None:
    answered = session.request("GET", "/")
    expect.status("{name}", answered, 0)
'''
_CHECK_TEST = '''"""The requirement {name}: it is in the contract, and its check passes against the mock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlconform.conformance.contract import store

NAME, PROFILE = "{name}", "{profile}"
CHECK = "{file}"


def test_the_check_decides_its_requirement(tmp_path: Path) -> None:
    known = store.load(PROFILE).requirements
    assert NAME in known, f"next: give {{NAME}} an entry in schemas/{{PROFILE}}/overlay and build"
    assert known[NAME].checks, "next: build the contract again, so that it names the check"
    run = ["run", "--profile", PROFILE, "--select", NAME, "--out", str(tmp_path)]
    command = [sys.executable, "-m", "mlconform", *run]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, f"next: let {{CHECK}} ask what {{NAME}} says; now:\\n{{told}}"
'''
_PAGE = '''"""The page {name}: it is in the contract, and every unit of it is accounted for."""

from __future__ import annotations

from mlconform.conformance.contract import overlay_files, store

NAME, PROFILE = "{name}", "{profile}"


def test_the_page_is_accounted_for() -> None:
    overlay = overlay_files.load(store.schemas_root() / PROFILE / "overlay.yaml")
    pages = [page.id for page in overlay.pages]
    assert NAME in pages, f"next: list {{NAME}} under `pages` of schemas/{{PROFILE}}/overlay.yaml"
    units = [unit for unit in store.load(PROFILE).units if unit.source.page == NAME]
    assert units, "next: mlconform contract build --docs DOCS"
    open_ones = [unit.key for unit in units if not unit.requirements and unit.excluded is None]
    assert not open_ones, f"next: a requirement or an exclusion, and build again, for {{open_ones}}"
'''


# The profile `new-api`, whose every file is written with another name in its place.
_SKELETON = Path(__file__).with_name("skeleton")


@click.group("new")
def command() -> None:
    """Begin a profile, or in a checkout a mutant, a check or a page, with a test that says what is next."""


_PROFILE = click.option("--profile", default="opensearch-ml", show_default=True, help="the profile it is of")


@command.command("mutant")
@click.argument("name")
def mutant(name: str) -> None:
    """A deliberate fault of the mock, as `delete-keeps-model`."""
    snake = _snake(name, r"[a-z][a-z0-9-]*")
    _require_checkout()
    _write({f"tests/mutants/test_{snake}.py": _MUTANT.format(name=name)}, f"tests/mutants/test_{snake}.py")


@command.command("check")
@click.argument("name")
@_PROFILE
def check(name: str, profile: str) -> None:
    """A check of a requirement, named by its id, as `osml.delete.gone`."""
    snake = _snake(name, r"[a-z][a-z0-9.-]*")
    file = f"conformance/suites/{profile.replace('-', '_')}/test_{snake}.py"
    test = f"tests/suites/test_{snake}_decides.py"
    filled = {"name": name, "snake": snake, "profile": profile, "file": file}
    _require_checkout()
    _write({file: _CHECK.format(**filled), test: _CHECK_TEST.format(**filled)}, test)


@command.command("page")
@click.argument("name")
@_PROFILE
def page(name: str, profile: str) -> None:
    """A page of the documentation, as `delete-model`."""
    test = f"tests/contract/test_page_{_snake(name, r'[a-z][a-z0-9-]*')}.py"
    _require_checkout()
    _write({test: _PAGE.format(name=name, profile=profile)}, test)


@command.command("profile")
@click.argument("name")
def profile(name: str) -> None:
    """An API that can be judged, as `things`: a package of its own, in a folder of this name."""
    snake = _snake(name, r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
    words = {"new-api": name, "new_api": snake, "NewApi": snake.title().replace("_", "")}

    def named(text: str) -> str:
        for word, wanted in words.items():
            text = text.replace(word, wanted)
        return text

    files = sorted(path for path in _SKELETON.rglob("*") if path.is_file() and path.suffix != ".pyc")
    _write(
        {
            f"{name}/{named(path.relative_to(_SKELETON).as_posix())}": named(path.read_text())
            for path in files
        },
        f"{name}/test_profile.py",
    )


def _snake(name: str, form: str) -> str:
    if not re.fullmatch(form, name):
        raise UsageError(f"expected a name of the form {form}, found {name!r}; choose another")
    return re.sub(r"[.-]", "_", name)


def _require_checkout() -> None:
    if not Path("mock_server/faults.py").is_file():
        raise UsageError(f"expected a checkout of mlconform, found none in {Path.cwd()}; change to it")


def _write(files: dict[str, str], test: str) -> None:
    """Write the files; none of them where one is there already."""
    there = [name for name in files if Path(name).exists()]
    if there:
        raise UsageError(f"{there[0]} is there already; go on with it, or choose another name")
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
        click.echo(f"written: {name}")
    click.echo(f"next: python -m pytest {test}")
