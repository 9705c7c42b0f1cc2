"""docs/writing-bots.md: each of its programs is talked to, its table of filters is whole, and its example does what the guide says."""

from __future__ import annotations

import logging
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kits.docs_kit import ROOT, Block, blocks

from syncbot import Runtime, filters
from syncbot.testing import TEST_TOKEN, BotApiServer, User

EXAMPLE = ROOT / "examples" / "reminders.py"
SECONDS = 30.0
Talk = Callable[[BotApiServer, User], None]


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """Telegram, as far as the bots can tell."""
    with BotApiServer(slow_same_offset=False) as running:
        yield running


@pytest.fixture
def ann(server: BotApiServer) -> User:
    """Who talks to them: user 42, which is the admin where there is one."""
    return server.user(42, "Ann")


@pytest.fixture
def folder(tmp_path: Path, server: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run them in, with the settings around it."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"TELEGRAM_BOT_TOKEN": TEST_TOKEN, "SYNCBOT_BASE_URL": server.url, "SYNCBOT_CHAT": "42"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    """A program may set logging up for its process; this is not its process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def says(*turns: tuple[str, str]) -> Talk:
    """A conversation: what the user writes, or presses where it is in brackets, and what the bot says to it."""

    def talk(server: BotApiServer, user: User) -> None:
        for said, answer in turns:
            if pressed := re.fullmatch(r"\[(.+)\]", said):
                user.press(pressed[1])
            else:
                user.send(said)
            user.wait_for(re.compile(f"^{answer}$"), SECONDS)

    return talk


def jobs(server: BotApiServer, user: User) -> None:
    """A job can be put and cancelled."""
    says(("/tea", r"In four minutes\."), ("/notea", r"Cancelled\."), ("/notea", r"There is none\."))(server, user)


def sends_files(server: BotApiServer, user: User) -> None:
    """A document goes out, one comes in and is kept, a photo comes and goes."""
    user.send("/report")
    user.wait_for("As of today", SECONDS)
    user.send_document(b"12345")
    user.wait_for("Kept 5 bytes.", SECONDS)
    assert [path.stat().st_size for path in Path("received").iterdir()] == [5]
    user.send_photo(b"\xff\xd8photo")
    user.wait_for("7 bytes", SECONDS)


def fails(server: BotApiServer, user: User) -> None:
    """A refusal is caught, and what is not caught is told by the error handler."""
    says(("/divide 1", r"1\.0"), ("/divide", "Something went wrong. It has been noted."), ("/pin", "Pinned."))(server, user)


def meets_a_group(server: BotApiServer, user: User) -> None:
    """An admin sets the rules, members read them, and new ones are welcomed with them."""
    bob = server.user(43, "Bob")
    group = server.group(members=[user])
    group.promote_bot(user)
    group.send(bob, "/rules anything goes")
    group.wait_for("There are no rules.", SECONDS)
    with server.world.changed:
        server.world.chats[group.id].members[user.id] = "administrator"
    group.send(user, "/rules be kind")
    group.wait_for("The rules are set.", SECONDS)
    group.join(bob)
    group.wait_for("Welcome, Bob! be kind", SECONDS)


def pays(server: BotApiServer, user: User) -> None:
    """An invoice, the question before the money moves, and the thanks."""
    user.send("/buy")
    server.wait_count("sendInvoice", 1, SECONDS)
    order = {"currency": "XTR", "total_amount": 5, "invoice_payload": "tea:1"}
    server.add_query("pay-1")
    server.push("pre_checkout_query", {"id": "pay-1", "from": user.card, **order})
    assert server.answer_to("pay-1", SECONDS)["ok"] is True
    charges = {"telegram_payment_charge_id": "t", "provider_payment_charge_id": "p"}
    chat = {"id": user.id, "type": "private", "first_name": "Ann"}
    server.push("message", {"message_id": 9000, "date": 1, "chat": chat, "from": user.card, "successful_payment": order | charges})
    user.wait_for("Thank you for 5 Stars.", SECONDS)


def asks_inline(server: BotApiServer, user: User) -> None:
    """An inline query is answered with what fits."""
    answer = server.answer_to(user.inline_query("tea"), SECONDS)
    assert [result["title"] for result in answer["results"]] == ["Tea", "Green tea"]


GATE = says(("Hello you", "Hello!"), ("Bye", r"I did not get that\."), ("again", r"I did not get that\."), ("hello", r"That is enough for today\."))
TALKS: list[tuple[str, Talk]] = [
    ("Handlers", says(("/start", "Hello, Ann!"), ("/add 2 3", r"That makes 5\."), ("call me Al", "Hello, Al!"), ("abc", r"You said 3 characters\."))),
    ("Handlers", GATE),
    ("Filters", says(("a text that goes on for long", r"That is a lot\."), ("hi", "Short, and without a link."))),
    ("Several files", says(("/start", "Hello!"), ("/restart", "Restarting …"))),
    ("Keyboards", says(("/start", r"What may it be\?"), ("Count", "0"), ("[+]", "1"), ("[+]", "2"), ("Nothing", r"As you like\."))),
    ("Questions", says(("/order", r"Size\?"), ("[Large]", "How many\\?"), ("x", r"A number, please\."), ("3", r"Where to\?"), ("Home", r"3 × L, to Home\."))),
    ("State", says(("/game", "I think of .*"), ("4", r"No\. Again\?"), ("/stop", r"Another time\."))),
    ("What the bot remembers", says(("/start", r"Visit 1 of yours, 1 of all\."), ("/forget", "Forgotten."), ("/start", r"Visit 1 of yours, 2 of all\."))),
    ("Jobs", jobs),
    ("When the process dies", says(("/buy", r"Order 5 of \d{4}-\d\d-\d\d, code \d{4}\."))),
    ("Files", sends_files),
    ("Errors", fails),
    ("Groups", meets_a_group),
    ("Payments", pays),
    ("Inline mode", asks_inline),
    ("Several bots in one process", says(("/start", r"I am @\w+\."))),
    ("Logging", says(("/start", "Hello!"))),
]
PROGRAMS = [block for block in blocks("python") if block.guide.name == "writing-bots.md" and "def test_" not in block.text]


def heading_above(block: Block) -> str:
    """The heading of the section that a block stands in."""
    lines = block.guide.read_text(encoding="utf-8").splitlines()[: block.line]
    return next(line.removeprefix("## ") for line in reversed(lines) if line.startswith("## "))


@pytest.mark.parametrize(
    ("block", "heading", "talk"), [(block, *talk) for block, talk in zip(PROGRAMS, TALKS, strict=True)], ids=[heading for heading, _ in TALKS]
)
@pytest.mark.usefixtures("_logging_as_before")
def test_each_program_answers_as_the_guide_says(block: Block, heading: str, talk: Talk, folder: Path, server: BotApiServer, ann: User) -> None:
    """Each program of the guide is run as it stands, and holds the conversation that it is there for."""
    assert heading_above(block) == heading
    if "bots" in block.text:
        (folder / "bots").mkdir()
        (folder / "bots" / "shop.env").write_text(f"TELEGRAM_BOT_TOKEN={TEST_TOKEN}\nSYNCBOT_BASE_URL={server.url}\n")
    (folder / "bot.py").write_text(block.text, encoding="utf-8")
    names = runpy.run_path(str(folder / "bot.py"))
    app: Runtime[Any] = names["app"] if "app" in names else names["apps"][0]
    with app:
        talk(server, ann)


def test_the_table_of_filters_has_all_of_them() -> None:
    """Each name of syncbot.filters that is a filter, or makes one, stands in the table."""
    text = (ROOT / "docs" / "writing-bots.md").read_text(encoding="utf-8")
    table = text.partition("<!-- begin filters -->")[2].partition("<!-- end filters -->")[0]
    shown = set(re.findall(r"`(\w+)(?:\(.*?\))?`", table))
    wanted = {name for name, value in vars(filters).items() if isinstance(value, filters.Filter) and not name.startswith("_")}
    assert len(wanted) > 40
    assert wanted | {"has", "regex", "text", "chat", "user", "language", "entity", "mime", "extension", "state", "as_filter"} <= shown


@pytest.mark.slow
def test_the_example_reminds_and_is_administered(folder: Path, server: BotApiServer, ann: User) -> None:
    """A menu, three questions, the reminder of each day, settings by buttons, and commands that the admin alone has."""
    app: Runtime[Any] = runpy.run_path(str(EXAMPLE))["app"]
    bob = server.user(43, "Bob")
    with app:
        says(
            ("/start", r"I remind you of one thing, once a day\."),
            ("Settings", r"Nothing yet: New reminder begins\."),
            ("New reminder", r"What of\?"),
            ("Water the plants", r"Whose clock\?"),
            ("[Berlin]", r"At what time\?"),
            ("soon", r"A time of day, please, such as 08:30\."),
            ("08:30", r"Every day at 08:30: Water the plants\."),
        )(server, bob)
        entry = app.jobs.get("remind:43")
        assert entry is not None
        assert entry.rule == {"daily": "08:30", "tz": "Europe/Berlin"}
        assert app.jobs.run("remind:43")
        bob.wait_for("Water the plants", SECONDS)
        assert bob.press("Done").wait_answer(SECONDS)["text"] == "Well done!"
        bob.wait_for("Water the plants ✓", SECONDS)
        says(
            ("/settings", r"Water the plants: at 08:30 \(Europe/Berlin\), on\. Done so far: 1\."),
            ("[Another time]", r"At what time\?"),
            ("/cancel", r"Never mind\."),
            ("[Another time]", r"At what time\?"),
            ("21:15", r"Water the plants: at 21:15 .*"),
            ("[Switch off]", r"Water the plants: .*, off\. Done so far: 1\."),
        )(server, bob)
        assert app.jobs.get("remind:43") is None
        on = r"Water the plants: .*, on\. Done so far: 1\."
        says(("[Switch on]", on), ("/settings", on))(server, bob)  # the second is handled when what the first one has changed is kept
        assert app.jobs.get("remind:43") is not None
        bob.send("/stats")
        says(("/stats", r"Reminded: 1\. Done: 1\."))(server, ann)
        ann.send("/tell Until tomorrow")
        bob.wait_for("Until tomorrow", SECONDS)
        server.wait_count("setMyCommands", 1, SECONDS)
    assert not any("Reminded" in message.text for message in bob.messages)
