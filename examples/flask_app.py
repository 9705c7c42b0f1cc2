"""A bot in a Flask application: one blueprint, fed by a webhook.

Run it with `flask --app examples/flask_app.py run`, or with gunicorn: `gunicorn --chdir examples -w 4 'flask_app:create_app()'`. Then tell
Telegram where it is: `syncbot webhook set https://bot.example/telegram/hook`.

Each process that gets a request takes part: all of them store updates, one handles them, and another takes over when that one ends.
"""

from typing import Any

import telegram
from flask import Blueprint, Flask, jsonify, request
from flask.typing import ResponseReturnValue

from syncbot import Bot, Context, Runtime
from syncbot.webhook import MAX_BYTES, SECRET_HEADER

app = Runtime(Bot.from_env())
hook = app.wsgi(None)  # the path is Flask's affair
blueprint = Blueprint("telegram", __name__, url_prefix="/telegram")


@app.command("start")
def start(update: telegram.Update, context: Context) -> None:
    """Greet whoever starts a conversation."""
    context.reply("Hello from Flask!")


@app.message()
def count(update: telegram.Update, context: Context) -> None:
    """Count the messages of each user; the number survives restarts."""
    context.user_data["n"] = context.user_data.get("n", 0) + 1
    context.reply(f"That was message {context.user_data['n']}.")


@blueprint.post("/hook")
def take() -> ResponseReturnValue:
    """Take an update: 200 is answered once it is stored."""
    reply = hook.receive(request.get_data(), secret=request.headers.get(SECRET_HEADER), content_type=request.content_type)
    return reply.text, reply.status, dict(reply.headers)


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """How the bot is, in this process."""
    facts: dict[str, Any] = app.health()
    return jsonify(facts)


def create_app() -> Flask:
    """The application."""
    flask = Flask(__name__)
    flask.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    flask.register_blueprint(blueprint)
    return flask
