"""A bot in a trial: as it is, with whatever stands in its code, killed, and talked to by people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kits.page_kit import CLOCK, SHOP, write_bot

from syncbot.testing import Fault, Trial
from syncbot.testing.page.actions import Actions, WrongAction
from syncbot.testing.page.playback import save
from syncbot.testing.page.saving import Story, check, source_of, without
from syncbot.testing.page.terminal import Terminal

SECONDS = 60.0
"""How long a bot may take to start on a busy machine, and to answer."""


def actions_of(trial: Trial) -> tuple[Actions, Story]:
    """What a person can do in a trial, and what is noted of it."""
    story = Story(trial.sandbox.server.world)
    return Actions(trial, story), story


def test_a_script_as_it_is(tmp_path: Path) -> None:
    """Token, base URL and state file stand in the code: the bot answers in the trial all the same, and its real state file never comes to be."""
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        ann = trial.user("Ann")
        ann.send("/start")
        message = ann.wait_for("What may it be?", SECONDS)
        press = ann.press(message, "Tea")
        assert press.wait_answer()["text"] == "Good choice"
        ann.wait_for("One Tea, with pleasure", SECONDS)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("real")] == []


def test_a_killed_bot_is_started_again(tmp_path: Path) -> None:
    """Kill it: it is there again and answers what was said meanwhile; the kill is counted."""
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        actions, _ = actions_of(trial)
        ann = trial.user("Ann")
        ann.send("one")
        ann.wait_for("You said: one", SECONDS)
        actions.carry_out("kill", {})
        ann.send("two")
        ann.wait_for("You said: two", SECONDS)
        assert (trial.state()["kills"], trial.state()["running"]) == (1, True)


def test_a_bot_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    """A mistake in the script: what it printed and its exit code are there to be seen, and it can be started again once it is mended."""
    target = tmp_path / "bot.py"
    target.write_text("raise SystemExit('no such thing')", encoding="utf-8")
    with Trial(str(target)) as trial:
        assert trial.bot is not None
        seen = 0
        while trial.bot.exit_code is None:
            events = trial.feed.after(seen, 20)
            assert events
            seen = events[-1]["n"]
        assert (trial.bot.exit_code, list(trial.bot.lines)) == (1, ["no such thing"])
        write_bot(tmp_path, SHOP)
        actions_of(trial)[0].carry_out("start", {})
        ann = trial.user("Ann")
        ann.send("hi")
        ann.wait_for("You said: hi", SECONDS)


def test_calls_tell_their_tries(tmp_path: Path) -> None:
    """A call whose first attempt was struck shows both attempts, with the proxy and what went wrong."""
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        ann = trial.user("Ann")
        ann.send("one")
        ann.wait_for("You said: one", SECONDS)
        trial.sandbox.proxy.script(*[Fault.tls_drop()] * 2)
        ann.send("two")
        ann.wait_for("You said: two", SECONDS)
        seen, tries = 0, []
        while len(tries) < 2:  # the poll may take one of the two faults; the feed tells when the call is known with its tries
            events = trial.feed.after(seen, 20)
            assert events
            seen = events[-1]["n"]
            tries = next((row["tries"] for row in trial.calls.rows() if row["params"].get("text") == "You said: two"), [])
            if len(tries) == 1:
                break
        assert tries[-1]["outcome"] == "200"
        assert tries[-1]["proxy"] == trial.sandbox.proxy.url
        assert trial.state()["survived"] >= 1


def test_people_edit_vote_and_drop_files(tmp_path: Path) -> None:
    """What the page can do beside writing reaches the bot as Telegram would tell it."""
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        actions, _ = actions_of(trial)
        ann = trial.user("Ann")
        who = {"user": ann.id, "chat": ann.id}
        actions.carry_out("send", {**who, "text": "one"})
        ann.wait_for("You said: one", SECONDS)
        actions.carry_out("edit", {**who, "message_id": ann.last_sent.message_id, "text": "two"})
        ann.wait_for("Now it is two", SECONDS)
        actions.upload({**who, "what": "photo", "name": "x.png"}, b"\x89PNG\r\n\x1a\n")
        ann.wait_for("A file, thank you", SECONDS)
        actions.carry_out("send", {**who, "text": "/poll"})
        poll = ann.wait_for(lambda message: "poll" in message.data, SECONDS)
        actions.carry_out("vote", {**who, "message_id": poll.message_id, "options": [1]})
        assert [option["voter_count"] for option in ann.last.data["poll"]["options"]] == [0, 1]
        with pytest.raises(WrongAction):
            actions.carry_out("vote", {**who, "message_id": poll.message_id, "options": [7]})


def test_groups_and_channels(tmp_path: Path) -> None:
    """Several users stand side by side in a group; who comes later joins it."""
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        actions, _ = actions_of(trial)
        group = actions.carry_out("add_chat", {"name": "Team", "type": "supergroup"})["chat"]
        bob = actions.carry_out("add_user", {"name": "Bob"})["chat"]
        actions.carry_out("send", {"user": bob, "chat": group, "text": "hello all"})
        trial.groups[group].wait_for("You said: hello all", SECONDS)
        assert trial.groups[group].status_of(trial.users[bob]) == "member"


def test_a_saved_test_passes_and_notices_a_change(tmp_path: Path) -> None:
    """Save as test: the file passes; once the bot answers something else, it fails and says what was missing."""
    target = write_bot(tmp_path, SHOP)
    with Trial(target) as trial:
        actions, story = actions_of(trial)
        ann = trial.user("Ann")
        who = {"user": ann.id, "chat": ann.id}
        actions.carry_out("send", {**who, "text": "/start"})
        message = ann.wait_for("What may it be?", SECONDS)
        actions.carry_out("press", {**who, "message_id": message.message_id, "row": 0, "column": 1})
        ann.wait_for("One Coffee, with pleasure", SECONDS)
        saved = save(story.lines(), target, [], tmp_path)
    assert (saved["problem"], saved["passes"], saved["fails"]) == ("", True, True)
    assert Path(saved["path"]).name == "test_start.py"
    assert Path(saved["path"]).read_text(encoding="utf-8") == saved["source"]  # it is what has passed
    bot = Path(target)
    bot.write_text(bot.read_text(encoding="utf-8").replace("with pleasure", "at once"), encoding="utf-8")
    assert "chat.press('Coffee')" in saved["source"]
    told = (check(saved["source"], "test_start", tmp_path, patient=False) for _ in range(8))  # a busy machine may hold up the first answer for longer
    assert any("'One Coffee, with pleasure'; it said 'One Coffee, at once'" in one for one in told)


def test_a_saved_test_of_several_people(tmp_path: Path) -> None:
    """Two users and a group: each has the fixture that fits, and the test passes."""
    target = write_bot(tmp_path, SHOP)
    with Trial(target) as trial:
        actions, story = actions_of(trial)
        ann = trial.user("Ann")
        actions.carry_out("send", {"user": ann.id, "chat": ann.id, "text": "hello"})
        ann.wait_for("You said: hello", SECONDS)
        bob = actions.carry_out("add_user", {"name": "Chat"})["chat"]
        group = actions.carry_out("add_chat", {"name": "Team", "type": "supergroup"})["chat"]
        actions.carry_out("send", {"user": bob, "chat": bob, "text": "good day"})
        trial.users[bob].wait_for("You said: good day", SECONDS)
        actions.carry_out("send", {"user": bob, "chat": group, "text": "hello all"})
        trial.groups[group].wait_for("You said: hello all", SECONDS)
        source = source_of(story.lines(), target, "test_hello")
    assert "(run_bot, chat, new_chat, telegram):" in source
    assert "the_team.wait_for('You said: hello all', timeout=20)" in source
    assert check(source, "test_hello", tmp_path) == ""


def test_an_answer_that_is_left_out_is_not_looked_at(tmp_path: Path) -> None:
    """A line that was unticked may be another one later: it does not stand in the test, and those beside it do."""
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        actions, story = actions_of(trial)
        ann = trial.user("Ann")
        for text in ("one", "two"):
            actions.carry_out("send", {"user": ann.id, "chat": ann.id, "text": text})
            ann.wait_for(f"You said: {text}", SECONDS)
        kept = source_of(without(story.lines(), [1]), "bot.py", "test_one")
    assert "chat.send('one')\n    chat.send('two')\n    chat.expect('You said: two')\n" in kept


@pytest.mark.slow
def test_what_differs_becomes_a_pattern(tmp_path: Path) -> None:
    """An answer with the time in it is another one each time: the test looks for what stays."""
    target = write_bot(tmp_path, CLOCK)
    with Trial(target) as trial:
        actions, story = actions_of(trial)
        ann = trial.user("Ann")
        actions.carry_out("send", {"user": ann.id, "chat": ann.id, "text": "Now?"})
        ann.wait_for(re.compile("It is"), SECONDS)
        saved = save(story.lines(), target, [], tmp_path)
    assert saved["passes"], saved["problem"]
    assert saved["fails"]
    assert "re.compile('(?s)\\\\AIt is .*" in saved["source"]
    assert ".*.*" not in saved["source"]


def test_in_a_terminal(tmp_path: Path) -> None:
    """Lines are said, a button in brackets is pressed, and what the bot says is printed, without control characters of a terminal."""
    written: list[str] = []
    with Trial(write_bot(tmp_path, SHOP)) as trial:
        ann = trial.user("Ann")

        def lines() -> object:
            yield "/start\n"
            ann.wait_for("What may it be?", SECONDS)
            yield "[Tea]\n"
            ann.wait_for("One Tea, with pleasure", SECONDS)
            yield "a\x1b[2Jb\n"
            ann.wait_for(re.compile("You said: a"), SECONDS)
            yield "one\ntwo"
            ann.wait_for("You said: one\ntwo", SECONDS)
            yield "@nonsense\n"
            ann.wait_for("You said: @nonsense", SECONDS)
            yield "[Coffe]\n"
            ann.wait_for("You said: Coffe", SECONDS)

        Terminal(trial, written.append).run(lines())  # type: ignore[arg-type]  # a generator is an iterable of lines
    text = "\n".join(written)
    assert "│ What may it be?" in text
    assert "[Tea]" in text
    assert "there is no button [Coffe] here; it is said as a text" in text
    assert "bot │ You said: one\n        │ two" in text
    assert "\x1b" not in text
