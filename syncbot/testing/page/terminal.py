"""The trial in a terminal: one line is one thing to do, and what the bot says is printed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from syncbot.terminal import harmless
from syncbot.testing.page.actions import Actions, WrongAction, find_button
from syncbot.testing.page.saving import Story
from syncbot.testing.page.trial import Trial
from syncbot.types import JSON

HELP = """Write to the bot, or: [Button] presses a button, @user NAME and @group TITLE make or choose who writes and where,
@kill kills the bot, @faults 20 strikes 20 % of the connections, @calls shows the last calls, @quit ends (so does the end of input)."""
_CALLS_SHOWN = 10
_LOOK_SECONDS = 1.0
_QUIET_SECONDS = 1.0
_SILENCE_SECONDS = 3.0
"""How long a bot that has not answered yet is waited for, once it has fetched what was said."""
_LONGEST_ANSWER_SECONDS = 30.0


class Terminal:
    """A conversation by lines.

    Args:
        trial: the trial, which runs.
        write: prints one line.
        paced: the lines come from a pipe or a file: each is written, and the next waits until the bot has answered and then been quiet for a second
            (30 s at most).
    """

    def __init__(self, trial: Trial, write: Callable[[str], None], *, paced: bool = False) -> None:
        self._trial = trial
        self._paced = paced
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
                    if self._paced and (line.startswith("@kill") or not line.startswith("@")):
                        self._wait_for_quiet()
        finally:
            self._stop.set()
            self._listener.join()

    def _obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if self._paced:
            self._write(f"{self._trial.users[self._user].card['first_name']:>7} │ {harmless(line)}")
        try:
            match word:
                case "@user":
                    self._user = self._chat = self._do("add_user", name=rest)["chat"]
                    self._tell(f"you are {rest.strip()} now")
                case "@group":
                    self._chat = self._do("add_chat", name=rest)["chat"]
                    self._tell(f"you write in {rest.strip()} now; @user {self._trial.users[self._user].card['first_name']} goes back")
                case "@kill":
                    self._do("kill")
                    self._tell("the bot was killed, and starts again")
                case "@faults":
                    if not rest.strip().isdecimal():
                        raise WrongAction("say how many percent of the connections are to break: @faults 20")
                    self._do("faults", names=self._trial.faults, rate=int(rest) / 100)
                    self._tell(f"{self._trial.rate:.0%} of the connections break from now on")
                case "@calls":
                    for call in self._trial.calls.rows()[-_CALLS_SHOWN:]:
                        tries = len(call["tries"])
                        again = f" at try {tries}" if tries > 1 else ""
                        self._tell(f"{call['method']}: {'done' if call['status'] == 200 else call['status']}{again}, {call['params']}")
                case "@help":
                    self._write(HELP)
                case _ if line.startswith("[") and line.endswith("]"):
                    self._press(line[1:-1].strip())
                case _:
                    self._do("send", text=line)
        except (WrongAction, ValueError) as problem:
            self._tell(str(problem))

    def _tell(self, text: str) -> None:
        self._write(f"  {harmless(text)}")

    def _wait_for_quiet(self) -> None:
        feed, server, bot = self._trial.feed, self._trial.sandbox.server, self._trial.bot
        seen, quiet_since, needed = feed.last, time.monotonic(), _SILENCE_SECONDS
        ends_at = quiet_since + _LONGEST_ANSWER_SECONDS
        while quiet_since + needed > time.monotonic() < ends_at and not (bot is not None and bot.exit_code):
            waited_for = server.pending_updates  # looked at first: what the bot has only just fetched it still has to answer
            events = feed.after(seen, _QUIET_SECONDS)
            if waited_for or events is None or any(event["kind"] != "state" for event in events):
                quiet_since = time.monotonic()
            if events and any(map(self._line, events)):
                needed = _QUIET_SECONDS
            seen = events[-1]["n"] if events else feed.last if events is None else seen

    def _do(self, name: str, /, **asked: object) -> JSON:
        return self._actions.carry_out(name, {"user": self._user, "chat": self._chat, **asked}) or {}

    def _press(self, text: str) -> None:
        world = self._trial.sandbox.server.world
        with world.changed:
            if (button := find_button(reversed(world.chats[self._chat].messages.values()), text)) is not None:
                self._do("press", **button)
                return
        keys = [key for row in self._trial.watcher.keyboards.get(self._chat, {}).get("keyboard", []) for key in row]
        if text not in [key.get("text") if isinstance(key, dict) else key for key in keys]:
            self._tell(f"there is no button [{text}] here; it is said as a text")
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
        text = (message.get("text") or message.get("caption") or f"({kind})").replace("\n", "\n        │ ")
        return f"    bot{where}{changed} │ {text}{buttons}"
