"""The house: what may stand at the top, what may never be tracked, and that every command's entry point resolves."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"knowledge_graph", "triage", "training", "serving"}
FOLDERS = PACKAGES | {"tests", "docs", "mlruns", ".ci"}
NO_HOSTS = re.compile(
    rb"(?i)(?:index-url|extra-index|find-links|trusted-host|pypi\.org|pythonhosted|registry\.npmjs|://[^\s/\"']*(?:artifactory|nexus|devpi))"
)
MACHINE_PATHS = re.compile(rb"(?<![\w.])/(?:home|root|Users|work|workspace|mnt|opt)/\w")
BARE_NAMES = {"utils", "helpers", "manager", "processor", "handler", "service"}


def tracked() -> list[str]:
    """Files git tracks, and new ones it would not ignore."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def commands() -> dict[str, str]:
    """Sub-commands as pyproject.toml declares them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared: dict[str, str] = project["entry-points"]["claim_triage.commands"]
    return declared


def test_the_top_holds_only_the_four_packages_and_their_company() -> None:
    """A fifth package would be a decision, not a folder."""
    assert {name.split("/")[0] for name in tracked() if "/" in name} <= FOLDERS


def test_the_four_packages_are_there() -> None:
    """Each with its own __init__."""
    assert {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"tests"} == PACKAGES


def test_of_mlruns_only_the_readme_is_kept() -> None:
    """Runs and models belong to a machine."""
    assert [name for name in tracked() if name.startswith("mlruns/")] == ["mlruns/README.md"]
    ignored = subprocess.run(["git", "check-ignore", "-q", "mlruns/mlflow.db"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


@pytest.mark.parametrize("path", sorted(p.relative_to(ROOT).as_posix() for name in PACKAGES for p in (ROOT / name).rglob("__init__.py")))
def test_every_package_says_what_it_knows(path: str) -> None:
    """A package opens with a docstring."""
    assert ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))), f"{path}: add a module docstring"


def test_modules_are_named_after_the_trade() -> None:
    """No utils, helpers, managers, processors, handlers or services."""
    assert [name for name in tracked() if Path(name).stem.rstrip("s") in {n.rstrip("s") for n in BARE_NAMES}] == []


@pytest.mark.parametrize(("pattern", "what"), [(NO_HOSTS, "a package registry"), (MACHINE_PATHS, "a path of one machine")])
def test_no_tracked_file_names(pattern: re.Pattern[bytes], what: str) -> None:
    """A clone must work anywhere: where packages come from is the machine's own setting."""
    found = [name for name in tracked() if name != "tests/test_house.py" and pattern.search((ROOT / name).read_bytes())]
    assert found == [], f"{what} stands in {found}"


def test_the_patterns_find_what_they_look_for() -> None:
    """Otherwise the test above would pass on anything."""
    assert NO_HOSTS.search(b"--index-url x")
    assert MACHINE_PATHS.search(b'x = "/home/li/claims"')
    assert not MACHINE_PATHS.search(b"https://example.org/home/a and docs/work/b")


@pytest.mark.parametrize(("name", "target"), sorted(commands().items()))
def test_every_sub_command_resolves(name: str, target: str) -> None:
    """What pyproject.toml declares can be loaded."""
    assert EntryPoint(name, target, "claim_triage.commands").load() is not None


def test_the_installed_commands_are_the_declared_ones() -> None:
    """Installed before the last change of pyproject.toml? Then install again."""
    installed = {e.name: e.value for e in entry_points(group="claim_triage.commands")}
    assert {name: installed.get(name) for name in commands()} == commands()


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "NOTICE", "ARCHITECTURE.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_papers_of_the_house_are_there(name: str) -> None:
    """Each with something in it."""
    assert (ROOT / name).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("path", sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]))
def test_links_between_papers_lead_somewhere(path: str) -> None:
    """A relative link names a file that is there."""
    text = (ROOT / path).read_text(encoding="utf-8")
    links = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in links if target and not ((ROOT / path).parent / target).exists()] == []
