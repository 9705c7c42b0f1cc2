"""aiogram's own tests of its session, with `OneShotSession` in the place of the session that they are about.

    python scripts/campaigns/campaign_aiogram.py [--keep FOLDER]

It fetches aiogram's source by pip, in the version that is installed here, makes an environment with what its tests need, and runs
tests/test_api/test_client there, unchanged. What is about the inside of aiohttp is left out: NOT_OURS says what, and why. It fails where one of those is not
there any more. Pip does it in a minute; with `--keep` both stay in a folder for the next time.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "campaign_aiogram_plugin"
TESTS = "tests/test_api/test_client"
LOOPS = ("-o", "asyncio_default_fixture_loop_scope=function")  # some releases of pytest-asyncio warn without it, and a warning is an error there
NEEDED = ("pytest", "pytest-aiohttp", "aresponses", "pytz")


def main() -> int:
    """Run them; returns pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the source and the environment there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder: Path = given.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        version = importlib.metadata.version("aiogram")
        source, python = _source(folder, version), _environment(folder, version)
        path = os.pathsep.join((str(Path(__file__).parent), str(ROOT)))
        command = [str(python), "-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider", *LOOPS, "-q", TESTS]
        return subprocess.run(command, cwd=source, env={**os.environ, "PYTHONPATH": path}).returncode


def _source(folder: Path, version: str) -> Path:
    """aiogram's source, tests included."""
    source = folder / f"aiogram-{version}"
    if not source.exists():
        _pip(Path(sys.executable), "download", "--no-deps", "--no-binary", "aiogram", "--dest", str(folder), f"aiogram=={version}")
        with tarfile.open(f"{source}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return source


def _environment(folder: Path, version: str) -> Path:
    """The Python of an environment with what aiogram's tests and this project need."""
    python, made = folder / "venv" / "bin" / "python", folder / "venv" / f"made-{version}"
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")], check=True)
        _pip(python, "install", f"aiogram[proxy,redis,mongo]=={version}", *NEEDED, str(ROOT))
        _pip(python, "uninstall", "--yes", "syncbot")  # what is tried is what stands here
        made.touch()
    return python


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([str(python), "-m", "pip", "-q", "--disable-pip-version-check", *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
