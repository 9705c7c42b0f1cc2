# {{name}}

A Telegram bot that systemd keeps running: `bot.py`. The code of a bot never holds its token; an env file does.

```sh
python3 -m venv .venv && . .venv/bin/activate
pip install /path/to/syncbot -e '.[test]'      # the checkout of syncbot, and this project
pytest                                         # no token, no network
syncbot try bot.py                             # talk to it in a page on this machine
sudo install -d /opt/{{name}} && sudo cp bot.py /opt/{{name}} && sudo python3 -m venv /opt/{{name}}/.venv
sudo /opt/{{name}}/.venv/bin/pip install /path/to/syncbot
sudo /opt/{{name}}/.venv/bin/syncbot init --env-file /etc/{{name}}.env
sudo cp {{name}}.service /etc/systemd/system/ && sudo systemctl enable --now {{name}}
```
