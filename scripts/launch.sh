#!/bin/sh
# Checks the settings and the way to Telegram, then runs a bot, starts it anew when it fails, and keeps a log.
#   scripts/launch.sh                      the echo bot
#   scripts/launch.sh mybot.py [ARG …]     a script
#   scripts/launch.sh mybot:app            the app of a module, by `syncbot run`
#   scripts/launch.sh --no-check …         without the check
#   scripts/launch.sh --log FILE …         the log; bot.log in the working folder without it
# It ends when the bot ends well, when only somebody can mend it (77 refused by Telegram, 78 wrong configuration, 2 wrong command line), and at SIGINT or
# SIGTERM, which the bot gets too. Where systemd or procd is at hand, let that do it: docs/systemd.md, docs/openwrt.md.
# VENV is the folder of the virtual environment (default: .venv); PYTHON the interpreter that makes it (default: python3).
set -u

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
"${PYTHON:-python3}" "$root/scripts/quickstart.py" --setup-only || exit $?
case ${VENV:-.venv} in
/*) bin=$VENV/bin ;;
*) bin=$root/${VENV:-.venv}/bin ;;
esac

case ${1:-} in
--no-check) shift ;;
-h | --help) ;;
*)
    # No look for another poller: the bot itself finds out, and says so.
    "$bin/syncbot" doctor --watch 0 >&2
    code=$?
    case $code in
    0) ;;
    75 | 76) echo "launch.sh: no good way to Telegram now (see above); the bot goes on trying" >&2 ;;
    *) exit $code ;;
    esac
    ;;
esac
exec "$bin/python" "$root/scripts/helpers/launcher.py" "$@"
