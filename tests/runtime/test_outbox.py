"""Queueing: what is written down, when it is refused, and what becomes of files."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kits.outbox_kit import BOT_ID, SENT, copies, deliver, make_bot, texts

from syncbot import Bot, StorageError
from syncbot.client.uploads import BytesSource, FilePart
from syncbot.errors import NotSent
from syncbot.runtime.outbox.file_copies import QueueFolder
from syncbot.runtime.outbox.outbox import Flushed, Outbox
from syncbot.storage import Incoming, OutboxCall, OutboxState, Question, QuestionAnswer, QuestionOpening, open_store
from syncbot.testing import TEST_TOKEN, BotApiServer
from syncbot.transport import FakeTransport
from syncbot.transport.fake import FakeCall


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The path of a state file that is not there yet."""
    return tmp_path / "bot.db"


@pytest.fixture
def outbox(state: Path) -> Outbox:
    """An outbox that opens its file for each call."""
    return Outbox(state, make_bot())


# ── queueing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_written_down_and_its_number_returned(outbox: Outbox) -> None:
    """A queued call has its parameters as they will be sent, and the chat as its key."""
    first = outbox.send_message(42, "hi", disable_notification=True, reply_to_message_id=7)
    second = outbox.call("sendDice", chat_id="@Channel")
    one, two = outbox.entries()
    assert (one.id, two.id) == (first, second)
    assert dict(one.call.params) == {"chat_id": "42", "text": "hi", "disable_notification": "true", "reply_parameters": '{"message_id":7}'}
    assert (one.call.method, one.call.key, two.call.method, two.call.key) == ("sendMessage", "42", "sendDice", "@channel")
    assert outbox.counts()[OutboxState.QUEUED] == 2


def test_nothing_is_sent_when_a_call_is_queued(state: Path) -> None:
    """Queueing touches no network."""
    transport = FakeTransport()
    Outbox(state, make_bot(transport)).send_message(42, "hi")
    assert transport.calls == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda outbox: outbox.send_message(42), "sendMessage needs text"),
        (lambda outbox: outbox.send_message(42, "hi", chat_idd=1), "did you mean 'chat_id'"),
        (lambda outbox: outbox.call("sendMessage", chat_id=1, txt="hi"), "did you mean 'text'"),
        (lambda outbox: outbox.send_message(42, object()), "Telegram cannot be sent a object"),
        (lambda outbox: outbox.send_message(42, "hi", timeout=5), "sendMessage has no parameter 'timeout'"),
        (lambda outbox: outbox.get_me(), "getMe only asks for something"),
        (lambda outbox: outbox.call("getUpdates"), "getUpdates only asks for something"),
    ],
)
def test_a_wrong_call_is_refused_before_it_is_queued(outbox: Outbox, call: Any, words: str) -> None:
    """What the bot would refuse is refused when it is queued, and so is what only asks; nothing is in the queue afterwards."""
    with pytest.raises(TypeError, match=words):
        call(outbox)
    assert outbox.entries() == []


@pytest.mark.parametrize("text", ["half \ud83d", float("nan")])
def test_what_cannot_be_written_is_refused_at_once(outbox: Outbox, text: Any) -> None:
    """A value that no request can hold is a ValueError at queueing, not a failure at delivery."""
    with pytest.raises(ValueError, match=r"surrogate|not a number"):
        outbox.send_message(42, text)
    assert outbox.entries() == []


def test_a_method_newer_than_the_table_can_be_queued(outbox: Outbox) -> None:
    """A method and parameters that the table does not know pass, and keep their order by chat."""
    id = outbox.call("sendHologram", chat_id=5, depth=3)
    outbox.call("sendMessage", check=False, chat_id=5, text="hi", sparkle=True)
    outbox.send_message(5, "hi", api_kwargs={"sparkle": True})
    one, two, three = outbox.entries()
    assert (one.id, one.call.method, dict(one.call.params), one.call.key) == (id, "sendHologram", {"chat_id": "5", "depth": "3"}, "5")
    assert two.call.params["sparkle"] == three.call.params["sparkle"] == "true"


def test_times_are_written_down(outbox: Outbox) -> None:
    """`not_before` takes a time, a datetime or a timedelta, and `ttl` counts from there on, else from now."""
    moment = datetime(2040, 1, 1, tzinfo=UTC)
    outbox.send_message(1, "a", not_before=moment.timestamp())
    outbox.send_message(1, "b", not_before=moment, ttl=60)
    outbox.send_message(1, "c", not_before=moment.replace(tzinfo=None), ttl=timedelta(minutes=2))
    before = time.time()
    outbox.send_message(1, "d", not_before=timedelta(hours=1))
    outbox.send_message(1, "e", ttl=30)
    after = time.time()
    a, b, c, d, e = (item.call for item in outbox.entries())
    assert (a.not_before, a.expires) == (moment.timestamp(), None)
    assert (b.not_before, b.expires) == (moment.timestamp(), moment.timestamp() + 60)
    assert (c.not_before, c.expires) == (moment.timestamp(), moment.timestamp() + 120)
    assert before + 3600 <= d.not_before <= after + 3600
    assert e.expires is not None
    assert before + 30 <= e.expires <= after + 30
    with pytest.raises(ValueError, match="ttl: 0 is less than"):
        outbox.send_message(1, "f", ttl=0)


def test_an_outbox_can_be_kept_open(state: Path) -> None:
    """In a `with` the file is opened once; without, nothing is left open."""
    with Outbox(state, make_bot()) as outbox:
        ids = [outbox.send_message(1, f"{n}") for n in range(20)]
        assert Path(f"{state}-wal").exists()
    assert not Path(f"{state}-wal").exists()
    assert [item.id for item in outbox.entries()] == ids
    assert not Path(f"{state}-wal").exists()


def test_another_bots_state_file_is_refused(state: Path) -> None:
    """A bot cannot queue into another one's file."""
    Outbox(state, make_bot()).send_message(1, "hi")
    with pytest.raises(StorageError):
        Outbox(state, Bot("7" + TEST_TOKEN, transport=FakeTransport())).send_message(1, "hi")


def test_the_usual_state_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTO takes SYNCBOT_STATE, else a file by the bot's id in the user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Outbox("auto", make_bot()).send_message(1, "hi")
    assert (tmp_path / "syncbot" / f"{BOT_ID}.db").exists()
    monkeypatch.setenv("SYNCBOT_STATE", str(tmp_path / "named.db"))
    Outbox("auto", make_bot()).send_message(1, "hi")
    assert (tmp_path / "named.db").exists()


def test_queueing_loads_neither_telegram_nor_asyncio(state: Path) -> None:
    """A script that queues a message and ends pays for neither."""
    program = f"""
import sys
from syncbot import Bot
from syncbot.runtime.outbox.outbox import Outbox
Outbox({str(state)!r}, Bot({TEST_TOKEN!r})).send_message(1, "hi")
assert not {{"telegram", "asyncio", "tenacity"}} & set(sys.modules), sorted(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_are_copied_and_removed_after_the_delivery(state: Path, tmp_path: Path) -> None:
    """A file waits as a private copy, arrives with its own name, and the copy is gone when it was delivered."""
    picture = tmp_path / "Ünïcode.jpg"
    picture.write_bytes(b"JPEG" * 1000)
    transport = FakeTransport(sendPhoto=SENT, sendMediaGroup=[[SENT]])
    bot = make_bot(transport)
    outbox = Outbox(state, bot)
    outbox.send_photo(1, picture, caption="é")
    outbox.send_media_group(1, [{"type": "photo", "media": picture}, {"type": "photo", "media": io.BytesIO(b"other")}], caption="both")
    picture.unlink()

    [folder] = tmp_path.glob("*.outbox")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(copy.stat().st_mode) for copy in copies(state)] == [0o600] * 3
    assert outbox.entries()[0].call.params["photo"] == {"file": "Ünïcode.jpg", "type": "application/octet-stream"}

    assert outbox.flush() == Flushed(2, 0, 0, 0)
    photo, album = transport.calls
    assert (photo.parameters["caption"], photo.files) == ("é", {"photo": b"JPEG" * 1000})
    assert (album.files, len(album.parameters["media"])) == ({"file0": b"JPEG" * 1000, "file1": b"other"}, 2)
    assert copies(state) == []


def test_files_arrive_at_a_real_server(state: Path, api: BotApiServer) -> None:
    """The form of a queued upload is one that a Bot API server takes, file name and all."""
    with Bot(TEST_TOKEN, base_url=api.url, ca_file=api.ca_file, proxies=["direct"]) as bot:
        outbox = Outbox(state, bot)
        outbox.send_document(5, b"report", filename="report.txt", caption="as asked")
        assert outbox.flush() == Flushed(1, 0, 0, 0)
    [request] = api.requests
    assert (request.params["caption"], request.file("document").name, request.file("document").size) == ("as asked", "report.txt", 6)


def test_a_file_that_cannot_be_read_queues_nothing(state: Path, tmp_path: Path) -> None:
    """A missing file is refused when it is queued, and nothing stays behind."""
    outbox = Outbox(state, make_bot())
    with pytest.raises(FileNotFoundError):
        outbox.send_photo(1, tmp_path / "missing.jpg")
    assert not Path(f"{state}.outbox").exists()
    assert outbox.entries() == []


def test_no_copy_stays_when_a_call_cannot_be_queued(state: Path, tmp_path: Path) -> None:
    """When the state file refuses the call, the copies of its files are removed."""
    outbox = Outbox(state, make_bot()).open()
    try:
        state.rename(tmp_path / "moved.db")
        with pytest.raises(StorageError):
            outbox.send_document(1, b"data", filename="a.bin")
        assert copies(state) == []
    finally:
        outbox.close()


def test_no_room_for_copies_is_a_storage_error(state: Path) -> None:
    """Where copies cannot be written the error says where, and nothing is queued."""
    Path(f"{state}.outbox").write_text("a file in the folder's place")
    outbox = Outbox(state, make_bot())
    with pytest.raises(StorageError, match="cannot be copied into"):
        outbox.send_document(1, b"data", filename="a.bin")
    assert outbox.entries() == []


def test_two_threads_may_copy_the_first_files_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a state file the copies of both lie in the one folder that is made for them, where they are found."""
    make, both = tempfile.mkdtemp, threading.Barrier(2)

    def slow_make(**names: Any) -> str:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        return make(**names)

    monkeypatch.setattr(tempfile, "mkdtemp", slow_make)
    folder = QueueFolder(None)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.extend(folder.copy([FilePart("document", "a.bin", BytesSource(b"data"))]))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [folder.file(name).read_bytes() for name in names] == [b"data"] * 2
    folder.close()


def test_the_files_of_a_call_that_another_makes_again_stay(state: Path) -> None:
    """An answer comes so late that another deliverer has the call by now: its files are left to that one."""
    ahead = 0.0
    with open_store(state, BOT_ID, now=lambda: time.time() + ahead) as store:

        def answer(call: FakeCall) -> Any:
            nonlocal ahead
            ahead = 7200.0
            assert store.outbox.claim("other", lease=3600) == []  # the lease has run out, and it is uncertain
            assert store.outbox.retry(id)
            assert store.outbox.claim("other", lease=3600)
            return SENT

        bot = make_bot(FakeTransport(sendDocument=answer))
        id = Outbox(state, bot).send_document(1, b"data", filename="a.bin")
        deliver(store, bot, QueueFolder.beside(state))
        assert [item.owner for item in store.outbox.entries()] == ["other"]
    assert len(copies(state)) == 1


def test_dropping_removes_the_files_and_failing_keeps_them(state: Path) -> None:
    """The copy of a failed call's file stays for another try, and goes with the call."""
    transport = FakeTransport(sendDocument=AssertionError("no"))
    outbox = Outbox(state, make_bot(transport))
    id = outbox.send_document(1, b"data", filename="a.bin")
    transport.answer("sendDocument", NotSent("no way"))
    assert outbox.flush(0.3).left == 1
    assert len(copies(state)) == 1
    assert outbox.drop(id)
    assert copies(state) == []
    assert not outbox.drop(id)


def test_copies_that_nobody_speaks_of_are_swept(state: Path) -> None:
    """An old copy without a call is deleted by the next deliverer; a young one may be on its way into the queue, and a known one is needed."""
    outbox = Outbox(state, make_bot())
    outbox.send_document(1, b"data", filename="a.bin", not_before=timedelta(hours=1))
    folder = QueueFolder.beside(state)
    [known] = copies(state)
    names = [f"{name}.copy" for name in ("old", "young")]
    for name in names:
        folder.file(name).write_bytes(b"x")
    for path in (known, folder.file(names[0])):
        os.utime(path, (1, 1))
    with open_store(state, BOT_ID) as store:
        deliver(store, make_bot(), folder)
    assert copies(state) == sorted([known, folder.file(names[1])])


@pytest.mark.parametrize("name", ["../secret", "{folder}/secret", "..", "", "a\0.copy", "../bot.db.outbox/x.copy", "x.lock", "link.copy", "gone.copy", 7, None])
def test_a_name_in_the_state_file_leads_nowhere_else(state: Path, tmp_path: Path, name: Any) -> None:
    """Whatever name of a file somebody has written into the state file: no other file is sent, or deleted with the call, and the call fails with words."""
    transport = FakeTransport(sendDocument=SENT)
    outbox = Outbox(state, make_bot(transport))
    id = outbox.send_document(1, b"data", filename="a.bin")
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    Path(f"{state}.outbox", "link.copy").symlink_to(secret)
    with sqlite3.connect(state) as db:
        db.execute("UPDATE outbox SET files = ?", (json.dumps([name.replace("{folder}", str(tmp_path)) if isinstance(name, str) else name]),))
    db.close()
    outbox.flush(5.0)
    assert transport.parameters("sendDocument") == []
    [item] = outbox.entries()
    assert item.state is OutboxState.FAILED
    words = "is gone" if name in ("link.copy", "gone.copy") else "none of the outbox's own files" if isinstance(name, str) else "not a list of names"
    assert words in item.reason
    assert outbox.drop(id)
    assert secret.read_bytes() == b"secret"
    assert state.exists()


def test_an_owner_in_the_state_file_leads_nowhere_else(state: Path, tmp_path: Path) -> None:
    """The name of a deliverer is part of a path too: no lock outside of the folder is taken, or changed."""
    (tmp_path / "other.lock").touch()
    (tmp_path / "other.lock").chmod(0o644)
    folder = QueueFolder.beside(state)
    folder.unlock(folder.lock("first"))
    for owner in ("../other", str(tmp_path / "other")):
        assert not folder.is_dead(owner)
    assert stat.S_IMODE((tmp_path / "other.lock").stat().st_mode) == 0o644


# ── flush ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_flush_delivers_what_is_due_and_leaves_what_is_for_later(state: Path) -> None:
    """What is due is delivered in order, what is queued for later is not counted as left."""
    transport = FakeTransport(sendMessage=SENT)
    with Outbox(state, make_bot(transport)) as outbox:
        for text in ("a", "b", "c"):
            outbox.send_message(1, text)
        later = outbox.send_message(2, "later", not_before=timedelta(hours=1))
        assert outbox.flush() == Flushed(3, 0, 0, 0)
        assert texts(transport) == ["a", "b", "c"]
        assert [item.id for item in outbox.entries()] == [later]


def test_flush_waits_for_what_comes_due_within_its_time(state: Path) -> None:
    """A call that becomes due during a flush is delivered by it, unless the flush has no such patience."""
    transport = FakeTransport(sendMessage=SENT)
    with Outbox(state, make_bot(transport)) as outbox:
        for seconds in (0.3, 2.0, 8.0):  # on a busy machine the time may have come before the first flush
            outbox.send_message(1, "soon", not_before=timedelta(seconds=seconds))
            if (delivered := outbox.flush(patience=0.0).delivered) == 0:
                break
        assert delivered == 0
        assert outbox.flush(20.0).delivered == 1


def test_flush_ends_with_its_time(state: Path) -> None:
    """Without a way to Telegram a flush ends when its time is up, and says what is left and why."""
    transport = FakeTransport(sendMessage=NotSent("the proxy is away"))
    with Outbox(state, make_bot(transport)) as outbox:
        outbox.send_message(1, "a")
        outbox.send_message(1, "b")
        for seconds in (0.5, 5.0):  # a busy machine may not come to the first attempt in the shorter one
            began = time.monotonic()
            flushed = outbox.flush(seconds)
            assert time.monotonic() - began < seconds + 10.0
            if flushed.error:
                break
        assert (flushed.delivered, flushed.left, flushed.error) == (0, 2, "the proxy is away")
        assert outbox.retry(1) is False


@pytest.mark.parametrize("is_over", [False, True], ids=["open", "over"])
def test_flush_takes_the_buttons_of_a_question_away_as_a_runtime_does(state: Path, is_over: bool) -> None:
    """Of one that came when it was over; of one that is open the message is known from then on, for whoever ends it."""
    buttons = {"inline_keyboard": [[{"text": "S", "callback_data": "ask:1:0:0"}]]}
    message = {**SENT, "message_id": 9, "chat": {"id": 7, "type": "private"}, "reply_markup": buttons}
    transport = FakeTransport(sendMessage=message, editMessageReplyMarkup=True)
    with open_store(state, BOT_ID) as store:
        store.inbox.recover()
        store.inbox.store([Incoming(1, "7", b"{}")])
        [claimed] = store.inbox.claim()
        question = Question(claimed.row, 0, "choose", 7, 42, {"press": [f"ask:{claimed.row}:0:", 1]}, asked=1.0, until=2.0)
        call = OutboxCall("sendMessage", {"chat_id": 7, "text": "Size?", "reply_markup": json.dumps(buttons)}, "7")
        store.inbox.yield_turn(claimed, QuestionOpening(question, [call]))
        if is_over:
            store.questions.close([QuestionAnswer(claimed.row, 0, "{}")])
        with Outbox(state, make_bot(transport)) as outbox:
            assert outbox.flush().delivered == 1
        assert [one.wants.get("message_id") for one in store.questions.entries()] == ([] if is_over else [9])
    assert transport.parameters("editMessageReplyMarkup") == ([{"chat_id": 7, "message_id": 9}] if is_over else [])
