# {{name}}

A Telegram bot that cron starts each minute: `bot.py`. The code of a bot never holds its token; `.env` does.

```sh
python3 -m venv .venv && . .venv/bin/activate
pip install /path/to/syncbot -e '.[test]'      # the checkout of syncbot, and this project
pytest                                         # no token, no network
syncbot try bot:make_app                       # talk to it in a page on this machine
cp .env.example .env && syncbot init --env-file .env
syncbot doctor
syncbot poll bot:make_app --once               # one run, as cron makes it
(crontab -l; cat crontab) | crontab -          # from now on, each minute
```
