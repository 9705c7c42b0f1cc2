#!/usr/bin/env python3
"""From a fresh checkout to a running bot: makes .venv, installs syncbot, and runs the echo bot.

With a token in the environment or in an env file, a start script for these settings is written, and the real bot runs until Ctrl-C. Without one,
the same bot talks to a stand-in for Telegram on this machine, through a proxy with faults, and ends by saying how that went; nothing leaves the machine.

Only the standard library is used here: this file runs before anything is installed. The other scripts take `enter` from it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
VENV = os.environ.get("VENV") or ".venv"
"""The folder of the virtual environment, from the checkout on."""


def main() -> int:
    """Set up and run; the exit code is the bot's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--setup-only", action="store_true", help="only make the virtual environment and install")
    parser.add_argument("--start-script", action="store_true", help="only set up and write the start script for the settings that are found")
    parser.add_argument("--venv", default=VENV, help="folder of the virtual environment (default: %(default)s)")
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
    found = find_settings(python)
    if found.token:
        write_start_script(python, found)
    if options.start_script:
        if not found.token:
            print("quickstart: there is no token yet, so there is nothing to start; scripts/configure_env.sh asks for one", file=sys.stderr)
        return 0 if found.token else 78
    bot = os.path.join("examples", "echo.py")
    farewell = FAREWELL.format(syncbot=os.path.relpath(python.with_name("syncbot")), bot=os.path.relpath(ROOT / bot))  # as seen from where the user stands
    os.chdir(ROOT)
    if found.token:
        print("The echo bot runs; write to it in Telegram. Ctrl-C ends it.", flush=True)
        os.execv(python, [str(python), bot])  # noqa: S606  # the bot takes this process over, signals and all
    code = subprocess.call([str(python), "-m", "syncbot.testing.sandbox", bot])
    print(farewell if code == 0 else SORRY, flush=True)
    return code


QUESTION = """
import json, os
from syncbot import ConfigError, Settings
from syncbot.config import SETTINGS
try:
    settings = Settings.load(require_token=False)
    token, env_file = bool(settings.token), settings.env_file
except ConfigError:
    token, env_file = True, None
names = [name for setting in SETTINGS for name in setting.spellings]
print(json.dumps({"token": token, "env_file": str(env_file or ""), "environment": {name: os.environ[name] for name in names if name in os.environ}}))
"""
FAREWELL = """
Next, talk to this bot yourself, in a page on this machine:
    {syncbot} try {bot}
For real it needs a token, which @BotFather gives in Telegram. Give it to
    scripts/configure_env.sh
and run this command again: the same bot then runs for real. README.md tells the rest."""
SORRY = "\nNot everything was delivered. Please report what is printed above, with the seed."
START_SCRIPT = """\
#!/bin/sh
# Starts a bot with the settings that scripts/quickstart.py found; it writes this file anew each time.
#   ./start.sh             the echo bot
#   ./start.sh mybot.py    a bot of your own, in this folder
# Settings: {source}.
set -eu
cd {root}
{exports}exec {python} "${{@:-examples/echo.py}}"
"""


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
    # To standard error: what the other scripts write to standard output may be read by a program.
    print(f"Setting up {folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder} …", file=sys.stderr, flush=True)
    python = folder / "bin" / "python"
    steps = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", f"{ROOT}[{extra}]"],
    ]
    for step in steps:
        if subprocess.call(step, stdout=sys.stderr) != 0:
            print(f"quickstart: this did not work: {' '.join(step)}", file=sys.stderr)
            return False
    stamp.write_text(wanted)
    return True


def enter(extra: str = "testing") -> None:
    """For the other scripts, at their start: go on in the virtual environment, which is set up first where it has to be.

    Returns only in a Python that has syncbot and what its built-in server needs; ends the process where there can be none.
    """
    if all(importlib.util.find_spec(name) is not None for name in ("syncbot", "trustme")):
        return
    if problem := unfit():
        print(f"{Path(sys.argv[0]).name}: {problem}", file=sys.stderr)
        sys.exit(78)
    folder = ROOT / VENV
    if not set_up(folder, extra):
        sys.exit(75)
    if Path(sys.prefix).resolve() != folder.resolve():
        python = str(folder / "bin" / "python")
        os.execv(python, [python, *sys.orig_argv[1:]])  # noqa: S606  # the same command line, in the other Python


@dataclass(frozen=True)
class Found:
    """The settings that syncbot finds in this checkout.

    Args:
        token: there is a token; or something is wrong, which is its own clear error when the bot starts.
        env_file: the env file; "" for none.
        environment: the settings that stand in the environment.
    """

    token: bool
    env_file: str
    environment: dict[str, str]


def find_settings(python: Path) -> Found:
    """Ask syncbot itself, in the Python that has it."""
    return Found(**json.loads(subprocess.check_output([str(python), "-c", QUESTION], cwd=ROOT)))


def write_start_script(python: Path, found: Found) -> None:
    """Write start.sh: the same bot with the same settings from anywhere, a cron job without an environment included.

    What stood in the environment is written into it, since it would not be there next time: only its owner may read the file.
    """
    source = " ".join((found.env_file or "no env file").split())
    text = START_SCRIPT.format(
        root=shlex.quote(str(ROOT)),
        python=shlex.quote(str(python)),
        source=source + (f", and from the environment: {', '.join(found.environment)}" if found.environment else ""),
        exports="".join(f"export {name}={shlex.quote(value)}\n" for name, value in found.environment.items()),
    )
    target = ROOT / "start.sh"
    new = target.with_suffix(".sh.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(target)
    print(f"Written: {target}, which starts a bot with these settings.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
