"""The outbox of a runtime: queued by handlers and by other processes, delivered while it runs, and what a stop leaves."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kits.runtime_kit import SECONDS, EndsMeanwhile, becomes, running
from kits.timing_kit import soon

from syncbot import Context, Limits
from syncbot.errors import ConfigError, StorageError
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.runtime.outbox.outbox import OpenQueue, Outbox, RuntimeOutbox
from syncbot.runtime.runtime import Runtime
from syncbot.runtime.session.health_note import EVERY_SECONDS, FACTS, FactsNote
from syncbot.storage import OutboxState, open_store
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer

MakeApp = Callable[..., Runtime]


def delivered(server: BotApiServer, text: str) -> bool:
    """Whether a message of this text has arrived, once."""
    return server.count_text(text) == 1


def test_what_a_handler_queues_goes_out_at_once(make_app: MakeApp, server: BotApiServer) -> None:
    """A handler queues without waiting for the network, and the runtime delivers it."""
    app = make_app()

    @app.message()
    def on_message(update: Any, context: Any) -> None:
        app.outbox.send_message(update.message.chat.id, f"queued {update.message.text}")

    app.start()
    user = server.user(7, "Ann")
    user.send("one")
    assert user.wait_for("queued one")
    user.send("two")
    assert user.wait_for("queued two")
    assert becomes(lambda: sum(app.outbox.counts().values()) == 0)


def test_what_was_queued_before_the_start_goes_out(make_app: MakeApp, server: BotApiServer) -> None:
    """A runtime that does not run queues into its file, and delivers that when it starts."""
    app = make_app()
    for n in range(5):
        app.outbox.send_message(7, f"early {n}")
    assert app.outbox.counts()[OutboxState.QUEUED] == 5
    app.start()
    assert becomes(lambda: all(delivered(server, f"early {n}") for n in range(5)))
    texts = [request.params["text"] for request in server.requests if request.method == "sendMessage"]
    assert texts == [f"early {n}" for n in range(5)]


def test_another_process_queues_for_a_running_bot(make_app: MakeApp, server: BotApiServer) -> None:
    """What another process puts into the state file goes out within about a second."""
    app = make_app()
    app.start()
    program = (
        "import sys; from syncbot import Bot; from syncbot.runtime.outbox.outbox import Outbox;"
        f"Outbox(sys.argv[1], Bot({TEST_TOKEN!r}, proxies=['direct'])).send_message(7, 'from elsewhere')"
    )

    def queue_elsewhere() -> float:
        before = server.count_text("from elsewhere")
        subprocess.run([sys.executable, "-c", program, str(app.state)], check=True, timeout=60)
        began = time.monotonic()
        assert becomes(lambda: server.count_text("from elsewhere") == before + 1)
        return time.monotonic() - began

    assert soon(2.0, queue_elsewhere)


def test_no_thread_without_something_queued(make_app: MakeApp) -> None:
    """A runtime whose outbox is not used has no thread for it."""
    app = make_app()
    app.start()
    assert becomes(lambda: app.health()["polls"] > 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("syncbot-deliverer")]


def test_a_stop_keeps_what_is_queued(make_app: MakeApp, server: BotApiServer) -> None:
    """A stop lets the call under way end, and the rest waits for the next start."""
    app = make_app()
    for seconds in (1.0, 5.0):  # a busy machine may come to the stop when the first is over
        app.start()
        count = server.count("sendMessage")
        server.script("sendMessage", Answer.normal().after(seconds))
        app.outbox.send_message(7, "first")
        app.outbox.send_message(7, "second")
        server.wait_count("sendMessage", count + 1)
        app.stop()
        if app.outbox.entries():
            break
    assert [(item.call.params["text"], item.state) for item in app.outbox.entries()] == [("second", OutboxState.QUEUED)]
    assert server.count("sendMessage") == count + 1
    assert server.count_text("first") == server.count_text("second") + 1
    app.start()
    assert becomes(lambda: server.count_text("second") == server.count_text("first"))


def test_a_call_that_is_queued_as_the_runtime_ends_is_kept(make_app: MakeApp, server: BotApiServer) -> None:
    """The runtime ends between two steps of queueing: the call is queued, and nothing is raised."""
    app = make_app()
    app.start()
    session = app._lifecycle.session
    assert session is not None
    done, session.done = session.done, EndsMeanwhile()
    app.outbox.send_message(7, "late", not_before=timedelta(hours=1))
    session.done = done
    assert app.outbox.counts()[OutboxState.QUEUED] == 1


def test_a_call_stays_queued_when_nobody_can_be_told(make_app: MakeApp, server: BotApiServer, tmp_path: Path) -> None:
    """The state file is closed after a call was written into it, before the deliverer has looked: whoever queued it hears of no failure, and queues it once."""
    bot = make_app().bot

    with open_store(tmp_path / "bot.db", bot.id) as store:

        def closed() -> None:
            raise StorageError("the state file has been closed")

        outbox = RuntimeOutbox(tmp_path / "bot.db", bot, lambda: OpenQueue(store.outbox, QueueFolder(None), store.journal, closed))
        number = outbox.send_message(7, "late")
        assert [item.id for item in store.outbox.entries()] == [number]
        assert outbox.drop(number)


def test_in_memory_the_outbox_lives_with_the_runtime(make_app: MakeApp, server: BotApiServer) -> None:
    """Without a state file what is queued, files too, goes out while the runtime runs; before the start it is refused."""
    app = make_app(state=None)
    with pytest.raises(RuntimeError, match="only while the runtime runs"):
        app.outbox.send_message(7, "too early")
    app.start()
    app.outbox.send_document(7, b"data", filename="a.bin", caption="with a file")
    assert becomes(lambda: delivered(server, "with a file"))
    app.outbox.send_message(7, "never", not_before=timedelta(hours=1))
    app.stop()


def test_run_once_delivers_too(make_app: MakeApp, server: BotApiServer) -> None:
    """A run from cron delivers what is due, and does not wait for what is queued for later."""
    app = make_app()
    app.outbox.send_message(7, "now")
    app.outbox.send_message(7, "later", not_before=timedelta(hours=1))
    began = time.monotonic()
    assert app.run_once(max_seconds=30.0).exit_code == 0
    assert time.monotonic() - began < 15.0
    assert delivered(server, "now")
    assert [item.call.params["text"] for item in app.outbox.entries()] == ["later"]


@pytest.mark.parametrize(("uncertain", "left"), [("hold", 1), ("drop", 0)])
def test_the_setting_for_uncertain_calls(make_app: MakeApp, server: BotApiServer, uncertain: Any, left: int) -> None:
    """`uncertain=` says what the runtime does with a call of which nobody knows."""
    app = make_app(uncertain=uncertain)
    server.script("sendMessage", Answer.normal().once_done().cut())
    app.outbox.send_message(7, "lost")
    app.start()
    server.wait_count("sendMessage", 1)
    assert becomes(lambda: [item.state for item in app.outbox.entries()] == [OutboxState.UNCERTAIN] * left)
    assert delivered(server, "lost")


def test_a_wrong_setting_is_refused(make_app: MakeApp) -> None:
    """Another word for `uncertain` is a ConfigError that shows the right ones."""
    with pytest.raises(ConfigError, match='"hold", "again" and "drop"'):
        make_app(uncertain="maybe")


def test_the_facts_of_a_run_stand_in_the_state_file(make_app: MakeApp, tmp_path: Path) -> None:
    """A running bot writes its health into its state file, and at the end that it has ended."""
    app = make_app()
    app.start()

    def facts() -> dict[str, Any]:
        with open_store(tmp_path / "bot.db", None) as store:
            found: dict[str, Any] = store.meta.get(FACTS) or {}
            return found

    assert becomes(lambda: facts().get("running"))
    assert facts()["every"] == EVERY_SECONDS
    app.stop()
    assert (facts()["running"], facts()["ok"], facts()["once"]) == (False, False, False)
    app.run_once(max_seconds=5.0)
    assert facts()["once"] is True


def test_facts_are_written_seldom() -> None:
    """The facts are written once a minute, and a few seconds after the health has changed."""
    now = [0.0]
    written: list[bool] = []
    health = {"ok": True}

    class Meta:
        """Notes what is written."""

        def get(self, name: str, default: Any = None) -> Any:
            return default

        def set(self, name: str, value: Any) -> None:
            written.append(value["ok"])

    note = FactsNote(Meta(), lambda: health, lambda: now[0])
    for _ in range(600):
        note.tick()
        now[0] += 0.25
    assert written == [True] * 3
    health["ok"] = False
    note.tick()
    assert written[3:] == [False]
    health["ok"] = True
    note.tick()
    assert written[4:] == []
    now[0] += 5.0
    note.tick()
    assert written[4:] == [True]


def test_scripts_and_a_runtime_share_a_file(make_app: MakeApp, server: BotApiServer) -> None:
    """A script that flushes while the runtime delivers sends nothing twice."""
    app = make_app()
    app.start()
    with Outbox(str(app.state), app.bot) as outbox:
        for n in range(40):
            outbox.send_message(n % 4 + 1, f"shared {n}")
        outbox.flush(20.0)
    assert becomes(lambda: all(server.count_text(f"shared {n}") for n in range(40)))
    assert becomes(lambda: sum(app.outbox.counts().values()) == 0)
    assert all(delivered(server, f"shared {n}") for n in range(40))


def test_what_a_handler_queues_is_not_queued_again(server: BotApiServer, make_app: MakeApp) -> None:
    """A handler that is put aside at a stop, and runs again, has queued its calls once."""
    user, other, begun = server.user(id=42), server.user(id=43), threading.Event()

    def make(limits: Limits | None) -> Runtime:
        app = make_app(bot_options={"limits": limits})

        @app.message()
        def handler(update: Any, context: Context) -> None:
            app.outbox.send_message(43, "queued")
            context.reply("one")
            begun.set()
            context.reply("two")

        return app

    user.send("go")
    with running(make(Limits(chat_burst=1, chat_interval=15.0))):
        assert begun.wait(SECONDS)
    with running(make(None)):
        assert becomes(lambda: delivered(server, "two") and delivered(server, "queued"))
    assert [message.text for message in user.messages] == ["one", "two"]
    assert [message.text for message in other.messages] == ["queued"]
