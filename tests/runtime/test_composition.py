"""What a runtime consists of: its routes, its jobs and its webhook, each usable by itself."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from syncbot import Bot, Context, Router, Runtime
from syncbot.runtime.jobs.functions import JobFunctions
from syncbot.runtime.jobs.jobs import Jobs
from syncbot.runtime.webhook_face import WebhookFace
from syncbot.testing import TEST_TOKEN
from syncbot.transport import FakeTransport

MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": {"id": 7, "is_bot": False, "first_name": "A"}, "text": "hi"}


@pytest.fixture
def app(tmp_path: Path) -> Runtime:
    """A runtime with a state file, without a network."""
    return Runtime(Bot(TEST_TOKEN, transport=FakeTransport(), limits=None), state=tmp_path / "bot.db")


def test_a_runtime_has_its_parts() -> None:
    """A runtime is a router, for whoever registers handlers, and no jobs and no webhook: it has them."""
    assert issubclass(Runtime, Router)
    assert not issubclass(Runtime, Jobs | JobFunctions | WebhookFace)


def test_handlers_of_runtime_and_router_are_the_same(app: Runtime) -> None:
    """What is registered on the runtime stands in its router, and what is registered on that is called by the runtime, in the order of both."""
    seen: list[str] = []
    app.use(lambda update, context, following: (seen.append("around"), following())[0])
    app.message(group=1)(lambda update, context: seen.append("runtime"))
    app.router.message()(lambda update, context: seen.append("router"))
    included = Router()
    included.message(group=2)(lambda update, context: seen.append("included"))
    app.include(included)
    assert app.handle({"update_id": 1, "message": MESSAGE}).handled == 1
    assert seen == ["around", "router", "runtime", "included"]
    assert app.kinds_asked_for() == tuple(app.router.routes.kinds_wanted()) == ("message", "callback_query")


def test_a_runtime_is_included_as_a_router_is(app: Runtime, tmp_path: Path) -> None:
    """`include` takes another runtime: what is registered on it, before and after, is called by the one that it was included in."""
    seen: list[str] = []
    part = Runtime(app.bot, state=tmp_path / "part.db")
    part.message()(lambda update, context: seen.append("before"))
    app.include(part)
    part.message(group=1)(lambda update, context: seen.append("after"))
    app.handle({"update_id": 1, "message": MESSAGE})
    assert seen == ["before", "after"]
    with pytest.raises(ValueError, match="itself"):
        app.include(app)
    with pytest.raises(ValueError, match="included already"):
        app.include(part.router)


def test_a_decorator_without_parentheses_is_found(app: Runtime) -> None:
    """A decorator of the runtime that was given no handler is told at the start, as one of the router is."""
    app.command("start")
    with pytest.raises(TypeError, match="command"):
        app.kinds_asked_for()


def test_the_parts_work_by_themselves(app: Runtime) -> None:
    """Updates that are brought to `app.webhook` are handled as those that are brought to the runtime."""
    seen: list[int] = []

    @app.message()
    def handler(update: object, context: Context) -> None:
        assert context.raw is not None
        seen.append(context.raw["update_id"])

    app.webhook.process({"update_id": 1, "message": MESSAGE})
    app.process({"update_id": 2, "message": MESSAGE})
    assert app.webhook.handle({"update_id": 3, "message": MESSAGE}).handled == 3
    assert seen == [1, 2, 3]


def test_the_middleware_of_a_router_sees_what_the_handler_found(app: Runtime) -> None:
    """A router's middleware knows the words behind the command that it is around, and may change them."""
    seen: list[list[str]] = []
    part = Router()

    @part.use
    def shorten(update: object, context: Context, following: object) -> None:
        seen.append(context.args)
        context.args = context.args[:1]
        assert callable(following)
        following()

    part.command("go")(lambda update, context: seen.append(context.args))
    app.include(part)
    app.handle({"update_id": 1, "message": {**MESSAGE, "text": "/go a b", "entities": [{"type": "bot_command", "offset": 0, "length": 3}]}})
    assert seen == [["a", "b"], ["a"]]


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        *((getattr(Runtime, name), getattr(JobFunctions, name)) for name in ("job", "every", "daily", "cron", "later")),
        *((getattr(Runtime, name), getattr(WebhookFace, name)) for name in ("process", "handle", "ensure_started", "wsgi")),
        (Runtime.run_webhook, WebhookFace.run),
    ],
)
def test_a_method_of_the_runtime_takes_what_that_of_its_part_takes(whole: object, part: object) -> None:
    """The runtime hands everything on: names, defaults and types are those of the part."""
    assert inspect.signature(whole) == inspect.signature(part)  # type: ignore[arg-type]  # both are functions
