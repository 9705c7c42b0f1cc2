"""What the bot says; no test needs a token or a network. The fixtures come with syncbot."""

import threading
from wsgiref.simple_server import make_server

from django.test import Client
from syncbot.webhook import derived_secret

from {{package}}.wsgi import application


def test_runbot_polls(run_bot, chat):
    run_bot("manage.py", "runbot")
    chat.send("/start")
    chat.expect("Hello from Django!")
    chat.send("one")
    chat.expect("That was message 1.")


def test_the_site_takes_what_telegram_posts(app, telegram, chat):
    with make_server("127.0.0.1", 0, application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        app.bot.set_webhook(f"http://127.0.0.1:{server.server_port}/telegram/hook", secret_token=derived_secret(telegram.token))
        telegram.deliver_webhook()
        for number in range(1, 4):
            chat.send("something")
            chat.expect(f"That was message {number}.")
        server.shutdown()


def test_a_stranger_is_refused(app):
    assert Client(SERVER_NAME="localhost").post("/telegram/hook", b"{}", content_type="application/json").status_code == 403
    assert Client(SERVER_NAME="localhost").get("/telegram/hook").status_code == 405
