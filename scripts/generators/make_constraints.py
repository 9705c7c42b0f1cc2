#!/usr/bin/env python3
"""Writes constraints.txt: what a release was tested with, version and SHA-256 of each package that syncbot and its extras need.

    scripts/generators/make_constraints.py          for the versions that are installed here, where the tests have run

The versions are those of this environment; pip tells the hashes of the wheels, for each Python and platform below, and downloads none of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quickstart import ROOT, enter  # found by the line above

TARGET = ROOT / "constraints.txt"
EXTRAS = ("webhook", "postgres", "testing")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64", "armv7l")
LIBRARIES = (("manylinux2014", "manylinux_2_28", "manylinux_2_31", "manylinux_2_34"), ("musllinux_1_1", "musllinux_1_2"))
MACS = (("macosx_11_0_arm64",), ("macosx_10_13_x86_64", "macosx_11_0_x86_64"))
PLATFORMS = [tuple(f"{library}_{machine}" for library in libraries) for machine in MACHINES for libraries in LIBRARIES] + list(MACS)
HEAD = """\
# What this release was tested with, for installations that are to stay as they are; written by scripts/generators/make_constraints.py.
# Wheels for CPython {pythons} on Linux (glibc and musl; {machines}) and macOS.
#   pip install --require-hashes -r constraints.txt && pip install --no-deps --no-build-isolation /path/to/this/checkout
# Without an extra, leave its part out: sed '/^# for webhook/,$d' constraints.txt > core.txt
"""


def main() -> int:
    """Write the file; 75 when pip does not answer for all packages."""
    enter("test")
    parts: dict[str, list[str]] = {"building": build_backend()}
    known: set[str] = set()
    for extra in ("", *EXTRAS):
        needed = closure("syncbot", extra) - known
        known |= needed
        parts[extra or "syncbot itself"] = sorted((f"{name}=={version(name)}" for name in needed), key=str.lower)
    found = hashes([pin for pins in parts.values() for pin in pins])
    text = HEAD.format(pythons=f"{PYTHONS[0]} to {PYTHONS[-1]}", machines=", ".join(MACHINES))
    for part, pins in parts.items():
        text += f"\n# for {part}\n" + "".join(" \\\n    --hash=sha256:".join([pin, *sorted(found[pin])]) + "\n" for pin in pins)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.name}: {len(found)} packages, {sum(map(len, found.values()))} hashes")
    return 0


def closure(name: str, extra: str) -> set[str]:
    """Everything that a package needs, directly or not, by the names that packages call themselves."""
    from importlib.metadata import distribution

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: set[str] = set()
    waiting = [(name, frozenset({extra}))]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        here = waiting.pop()
        if here in done:
            continue
        done.add(here)
        for line in distribution(here[0]).requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in here[1]):
                found.add(canonicalize_name(needed.name))
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras or {""})))
    return found


def build_backend() -> list[str]:
    """The newest of what pyproject.toml builds with: an isolated build takes that one."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    return [f"{name}=={number}" for name, number, _ in ask_pip(wanted)]


def hashes(pins: list[str]) -> dict[str, set[str]]:
    """The SHA-256 of the wheels of each package: one where it is the same everywhere, else those for every Python and platform that has one."""
    found: dict[str, set[str]] = {pin: set() for pin in pins}
    differing = []
    for pin, (_, _, wheel) in zip(pins, ask_pip(pins), strict=True):
        found[pin].add(wheel["sha256"])
        if not wheel["file"].endswith("-none-any.whl"):
            differing.append(pin)
    for python in PYTHONS:
        for platform in PLATFORMS:
            where = [f"--python-version={python}", *(f"--platform={one}" for one in platform)]
            together = ask_pip(differing, *where)
            for pin in differing:
                for name, _, wheel in together or ask_pip([pin], *where):  # where one has no wheel the others are asked for alone
                    if pin.startswith(f"{name}=="):
                        found[pin].add(wheel["sha256"])
    return found


def ask_pip(wanted: list[str], *where: str) -> list[tuple[str, str, dict[str, str]]]:
    """Name, version and wheel of each of these, in their order, as pip would install them; nothing for a platform without a wheel."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        asked = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run", "--ignore-installed", "--no-deps"]
        asked += ["--only-binary=:all:", f"--report={report}", f"--target={folder}/nothing", *where, *wanted]
        ended = subprocess.run(asked, capture_output=True, text=True, check=False)
        if ended.returncode and where:
            return []
        if ended.returncode:
            print(f"make_constraints: pip does not answer: {ended.stderr.strip()}", file=sys.stderr)
            raise SystemExit(75)
        answers = json.loads(report.read_text(encoding="utf-8"))["install"]
    order = {pin.partition("==")[0].partition(">")[0].lower(): place for place, pin in enumerate(wanted)}
    found = []
    for answer in answers:
        name = answer["metadata"]["name"].lower().replace("_", "-")
        info = answer["download_info"]
        found.append((name, answer["metadata"]["version"], {"file": info["url"].rpartition("/")[2], **info["archive_info"]["hashes"]}))
    return sorted(found, key=lambda one: order[one[0]])


if __name__ == "__main__":
    sys.exit(main())
