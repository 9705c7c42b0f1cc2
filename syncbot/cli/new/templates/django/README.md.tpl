# {{name}}

A Telegram bot in a Django site: `{{package}}/bot.py`. The code never holds its token; an env file does.

```sh
python3 -m venv .venv && . .venv/bin/activate
pip install /path/to/syncbot -e '.[test]'          # the checkout of syncbot, and this project
pytest && syncbot try {{package}}.bot:make_app     # its tests; then talk to it in a page: neither needs a token
cp .env.example .env && syncbot init --env-file .env
DJANGO_DEBUG=1 python manage.py runbot             # it polls; {{name}}.service keeps that running in /opt/{{name}}
syncbot webhook set https://bot.example/telegram/hook    # or: the site's view takes what Telegram posts
```
Set DJANGO_SECRET_KEY and DJANGO_HOSTS for the site; the bot polls, or has a webhook: not both.
