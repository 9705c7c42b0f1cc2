#!/usr/bin/env python3
"""From a fresh checkout to a running bot: makes .venv, installs syncbot, and runs the echo bot.

With a token in the environment or in an env file, the real bot runs until Ctrl-C. Without one, the same bot talks to a stand-in for Telegram
on this machine, through a proxy with faults, and ends by saying how that went; nothing leaves the machine.

Only the standard library is used here: this file runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)


def main() -> int:
    """Set up and run; the exit code is the bot's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--setup-only", action="store_true", help="only make the virtual environment and install")
    parser.add_argument("--venv", default=".venv", help="folder of the virtual environment (default: %(default)s)")
    parser.add_argument("--extra", default="testing", help="extra to install with syncbot (default: %(default)s)")
    options = parser.parse_args()
    if problem := unfit():
        print(f"quickstart: {problem}", file=sys.stderr)
        return 78
    folder = ROOT / options.venv
    if not set_up(folder, options.extra):
        return 75
    if options.setup_only:
        return 0
    python = folder / "bin" / "python"
    bot = os.path.join("examples", "echo.py")
    os.chdir(ROOT)
    if has_token(python):
        print("The echo bot runs; write to it in Telegram. Ctrl-C ends it.", flush=True)
        os.execv(python, [str(python), bot])  # noqa: S606  # the bot takes this process over, signals and all
    code = subprocess.call([str(python), "-m", "syncbot.testing.sandbox", bot])
    print(FAREWELL if code == 0 else SORRY, flush=True)
    return code


QUESTION = """
import sys
from syncbot import ConfigError, Settings
try:
    sys.exit(0 if Settings.load(require_token=False).token else 1)
except ConfigError:
    sys.exit(0)
"""
FAREWELL = """
Next: get a token from @BotFather in Telegram, put it into a file .env beside README.md as
    TELEGRAM_BOT_TOKEN=123456789:the-token
and run this command again: the same bot then runs for real. README.md tells the rest."""
SORRY = "\nNot everything was delivered. Please report what is printed above, with the seed."


def unfit() -> str:
    """Why this Python cannot do it, in one line; "" if it can."""
    if sys.version_info < NEEDED:
        have, need = (".".join(map(str, version[:2])) for version in (sys.version_info, NEEDED))
        return f"Python {need} or newer is needed, and this is {have}; run it with a newer one: python{need} scripts/quickstart.py"
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Python's module {missing[0]} is missing; on Debian and Ubuntu it comes with: apt-get install python{version}-venv"
    return ""


def set_up(folder: Path, extra: str) -> bool:
    """Make the virtual environment and install syncbot with an extra, unless that has been done for this very pyproject.toml."""
    stamp = folder / f".syncbot-{extra}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest() + f" {sys.version}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return True
    print(f"Setting up {folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder} …", flush=True)
    python = folder / "bin" / "python"
    steps = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", f"{ROOT}[{extra}]"],
    ]
    for step in steps:
        if subprocess.call(step) != 0:
            print(f"quickstart: this did not work: {' '.join(step)}", file=sys.stderr)
            return False
    stamp.write_text(wanted)
    return True


def has_token(python: Path) -> bool:
    """Whether syncbot's settings name a token; a wrong setting is its own clear error when the bot starts."""
    return subprocess.call([str(python), "-c", QUESTION]) == 0


if __name__ == "__main__":
    sys.exit(main())
