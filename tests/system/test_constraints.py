"""constraints.txt installs what a release was tested with, into an environment that has nothing yet."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kits.docs_kit import ROOT, blocks


def _guides_lines() -> list[str]:
    """The commands of docs/security.md, as they stand there."""
    return next(block.text for block in blocks("sh") if block.guide.name == "security.md" and "constraints.txt" in block.text).splitlines()


@pytest.mark.slow
def test_an_installation_of_just_what_was_tested(tmp_path: Path) -> None:
    """The guide's commands install every package by its hash, and syncbot without fetching anything more; it runs, and nothing else was installed."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "syncbot", checkout / "syncbot", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "MANIFEST.in", "constraints.txt"):
        shutil.copy(ROOT / name, checkout)
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    script = "\n".join(_guides_lines()).replace("/path/to/this/checkout", str(checkout))
    assert script.count("pip install") == 2
    subprocess.run(["sh", "-euc", script], cwd=checkout, env={"PATH": f"{venv / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}, check=True, timeout=200)
    listed = json.loads(subprocess.check_output([venv / "bin/pip", "list", "--format=json", "--disable-pip-version-check"]))
    found = {f"{one['name'].lower().replace('_', '-')}=={one['version']}" for one in listed if one["name"] not in ("pip", "syncbot")}
    assert found == set(re.findall(r"^[a-z0-9-]+==[^ \n]+", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    subprocess.run([venv / "bin/pip", "check"], check=True)
    assert subprocess.check_output([venv / "bin/syncbot", "--version"], text=True).startswith("syncbot ")
