# {{name}}

A Telegram bot that takes what Telegram posts: `bot.py`. The code of a bot never holds its token; an env file does.

```sh
python3 -m venv .venv && . .venv/bin/activate
pip install '/path/to/syncbot[webhook]' -e '.[test]'      # the checkout of syncbot, and this project
pytest && syncbot try bot:make_app                        # its tests; then talk to it in a page: neither needs a token
sudo install -d /opt/{{name}} && sudo cp bot.py /opt/{{name}} && sudo python3 -m venv /opt/{{name}}/.venv
sudo /opt/{{name}}/.venv/bin/pip install '/path/to/syncbot[webhook]'
sudo /opt/{{name}}/.venv/bin/syncbot init --env-file /etc/{{name}}.env
sudo cp {{name}}.service /etc/systemd/system/ && sudo systemctl enable --now {{name}}    # put your URL into it first
```
The web server in front ends TLS; nginx: `location /hook { proxy_pass http://127.0.0.1:8080; client_max_body_size 1m; }`
