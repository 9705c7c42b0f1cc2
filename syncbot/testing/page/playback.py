"""Plays a saved conversation again, from a fresh state, and hears what the bot says this time."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from syncbot.testing.page.actions import Actions, WrongAction, find_button
from syncbot.testing.page.saving import Line, Story, changed, check, source_of, test_name, with_texts_of, without, write_test
from syncbot.testing.page.trial import Trial
from syncbot.types import JSON

_SECONDS_FOR_AN_ANSWER = 60.0
"""The first one comes when the bot has started, which takes its time on a busy machine."""
_RUNS = 2


def play(lines: Sequence[Line], target: str) -> list[Line]:
    """Let people do the same with a bot that knows nothing yet; returns what came of it. Raises `WrongAction` where the bot answers less."""
    with Trial(target) as trial:
        story = Story(trial.sandbox.server.world)
        actions = Actions(trial, story)
        expected = 0
        for line in lines:
            if not line.is_answer:
                _do(trial, actions, line)
                continue
            expected += 1
            _wait_for_answers(trial, expected, line.texts[0])
        return story.lines()


def _wait_for_answers(trial: Trial, count: int, text: str) -> None:
    world = trial.sandbox.server.world
    try:
        world.wait_until(lambda: sum(event.kind != "deleted" for event in world.sent) >= count, _SECONDS_FOR_AN_ANSWER, "no answer")
    except TimeoutError:
        raise WrongAction(f"played again, the bot did not answer: {text!r}") from None


def save(lines: Sequence[Line], target: str, unticked: Sequence[int], folder: Path) -> JSON:
    """Write the test; returns its path, its source, whether it `passes` and whether it `fails` with one answer changed.

    Raises:
        WrongAction: the conversation cannot be played again.
    """
    if not lines:
        raise WrongAction("nothing has been said yet")
    if importlib.util.find_spec("pytest") is None:
        raise WrongAction("the test is tried with pytest, which is not installed here: pip install pytest")
    name, whole = test_name(lines), list(lines)
    for _ in range(_RUNS):
        played = play(whole, target)
        if sum(line.is_answer for line in played) != sum(line.is_answer for line in whole):
            raise WrongAction("played again, the bot answers more or less often than before: its answers depend on something else than the conversation")
        whole = with_texts_of(whole, played)
    kept = without(whole, unticked)
    source = source_of(kept, target, name)
    problem = check(source, name, folder)
    fails = bool(check(source_of(changed(kept), target, name), name, folder, patient=False))
    path = write_test(source, name, folder)
    return {"path": str(path), "source": source, "passes": not problem, "problem": problem, "fails": fails}


def _do(trial: Trial, actions: Actions, line: Line) -> None:
    step, server = line.step, trial.sandbox.server
    user = trial.user(step.user)
    chat = trial.group(step.title, step.chat_type).id if step.title else user.id
    asked: JSON = {"user": user.id, "chat": chat, **step.facts}
    if step.kind == "media":
        actions.upload({**asked, "what": step.facts["kind"], "caption": step.facts["text"]}, b"test")
        return
    with server.world.changed:
        messages = server.world.chats[chat].messages
        if step.kind == "press":
            button = find_button(reversed(messages.values()), step.facts["text"])
            if button is None:
                raise WrongAction(f"played again, there is no button {step.facts['text']!r}")
            asked.update(button)
        elif step.kind == "edit":
            asked["message_id"] = next(number for number in reversed(messages) if messages[number].get("from", {}).get("id") == user.id)
    actions.carry_out(step.kind, asked)
