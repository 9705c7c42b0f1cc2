#!/bin/sh
# Sets a bot up: asks for its token (or takes it from TELEGRAM_BOT_TOKEN or standard input), finds the way to Telegram, finds your chat, and writes .env.
# Everything is `syncbot init`; its options may follow: scripts/configure_env.sh --no-pair --chat 123456789 < token.txt
# VENV is the folder of the virtual environment (default: .venv); PYTHON the interpreter that makes it (default: python3).
set -eu
cd "$(dirname "$0")/.."

"${PYTHON:-python3}" scripts/quickstart.py --setup-only

exec "${VENV:-.venv}/bin/syncbot" init --env-file .env "$@"
