"""The trial in a terminal: one line is one thing to do, and what the bot says is printed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from syncbot.terminal import harmless
from syncbot.testing.page.actions import Actions, WrongAction
from syncbot.testing.page.saving import Story
from syncbot.testing.page.trial import Trial
from syncbot.types import JSON

HELP = """Write to the bot, or: [Button] presses a button, @user NAME and @group TITLE make or choose who writes and where,
@kill kills the bot, @faults 20 strikes 20 % of the connections, @calls shows the last calls, @quit ends (so does the end of input)."""
_CALLS_SHOWN = 10
_LOOK_SECONDS = 1.0


class Terminal:
    """A conversation by lines.

    Args:
        trial: the trial, which runs.
        write: prints one line.
    """

    def __init__(self, trial: Trial, write: Callable[[str], None]) -> None:
        self._trial = trial
        self._write = write
        self._actions = Actions(trial, Story(trial.sandbox.server.world))
        self._user = self._chat = next(iter(trial.users))
        self._listener = threading.Thread(target=self._listen, name="syncbot-trial-terminal", daemon=True)
        self._stop = threading.Event()

    def run(self, lines: Iterable[str]) -> None:
        """Do what the lines say until they end or one says @quit."""
        self._listener.start()
        try:
            for line in lines:
                if line.strip() == "@quit":
                    return
                if line.strip():
                    self._obey(line.strip())
        finally:
            self._stop.set()
            self._listener.join()

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        try:
            match word:
                case "@user":
                    self._user = self._chat = self._do("add_user", name=rest)["chat"]
                case "@group":
                    self._chat = self._do("add_chat", name=rest)["chat"]
                case "@kill":
                    self._do("kill")
                case "@faults":
                    self._do("faults", names=self._trial.faults, rate=float(rest) / 100)
                case "@calls":
                    for call in self._trial.calls.rows()[-_CALLS_SHOWN:]:
                        self._write(harmless(f"  {call['method']} {call['status']} ×{max(1, len(call['tries']))} {call['params']}"))
                case "@help":
                    self._write(HELP)
                case _ if line.startswith("[") and line.endswith("]"):
                    self._press(line[1:-1].strip())
                case _:
                    self._do("send", text=line)
        except (WrongAction, ValueError) as problem:
            self._write(f"  {harmless(str(problem))}")

    def _do(self, name: str, /, **asked: object) -> JSON:
        return self._actions.carry_out(name, {"user": self._user, "chat": self._chat, **asked}) or {}

    def _press(self, text: str) -> None:
        world = self._trial.sandbox.server.world
        with world.changed:
            for message in reversed(world.chats[self._chat].messages.values()):
                for row, buttons in enumerate(message.get("reply_markup", {}).get("inline_keyboard", [])):
                    for column, button in enumerate(buttons):
                        if button["text"] == text:
                            self._do("press", message_id=message["message_id"], row=row, column=column)
                            return
        self._do("send", text=text)  # a button of a reply keyboard says its own text

    def _listen(self) -> None:
        seen = 0
        while not self._stop.is_set():
            events = self._trial.feed.after(seen, _LOOK_SECONDS)
            for event in events or []:
                seen = event["n"]
                if line := self._line(event):
                    self._write(harmless(line))
            if events is None:
                seen = self._trial.feed.last

    def _line(self, event: JSON) -> str:
        if event["kind"] == "toast" and event["text"]:
            return f"  ({event['text']})"
        message = event.get("message", {})
        if event["kind"] != "message" or message.get("from", {}).get("id") != self._trial.sandbox.server.bot["id"]:
            return ""
        chat = self._trial.sandbox.server.world.chats[event["chat"]]
        where = "" if event["chat"] == self._chat else f" in {self._trial.chat_card(chat)['title']}"
        changed = " (changed)" if event.get("edited") else ""
        buttons = "".join(f"\n        [{button['text']}]" for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row)
        kind = next((name for name in ("photo", "document", "video", "audio", "voice", "poll", "location", "contact") if name in message), "message")
        return f"    bot{where}{changed} │ {message.get('text') or message.get('caption') or f'({kind})'}{buttons}"
