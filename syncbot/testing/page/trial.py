"""A trial of a bot: the sandbox, the bot as a process in it, and what has been seen of both."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TextIO

from syncbot.testing.page.bot_process import BotProcess
from syncbot.testing.page.calls import CallLog
from syncbot.testing.page.feed import Feed
from syncbot.testing.page.watcher import ChatWatcher, shown_message
from syncbot.testing.people.people import Group, User
from syncbot.testing.sandbox.sandbox import FAULTS, Sandbox
from syncbot.testing.server.answers import Answer
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON

_SHOWN = 200
_LINES_SHOWN = 100
_KEPT = 3000
"""Messages of a chat and calls that are remembered: a chatty bot may be tried for hours."""
_LATE_SECONDS = 2
_STATE_SECONDS = 0.4


class Trial:
    """A bot in the sandbox, as it is: a context manager that starts and ends it.

    ```python
    with Trial("bot:app") as trial:
        ann = trial.user("Ann")
        ann.send("/start")
        ann.wait_for("Hello, Ann!")
    ```

    Args:
        target: "bot.py" (a script) or "bot:app"; None for no bot of ours: one that is started by hand comes to `sandbox.url`.
        arguments: of the script.
        rate: the part of the connections that a fault strikes at first, 0 to 1.
        tls: False for a bot of another library, which is given the base URL and knows neither our certificate nor our proxy.
        console: where what the bot prints goes; None for nowhere.
        first_user_id: the id of the first user, where the bot listens to one alone.
    """

    def __init__(
        self,
        target: str | None,
        arguments: Sequence[str] = (),
        *,
        rate: float = 0.0,
        tls: bool = True,
        console: TextIO | None = None,
        first_user_id: int = 1001,
    ) -> None:
        self.target = target
        # A token of its own for each trial: nobody else's program can speak to this server.
        self.sandbox = Sandbox(rate, tls=tls, token=f"123456789:{secrets.token_urlsafe(24)}", keep_requests=_KEPT, keep_texts=False)
        self.feed = Feed()
        self.calls = CallLog()
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.watcher = ChatWatcher(self.sandbox.server, self.feed, self.calls, self._look)
        self.bot = BotProcess(self.sandbox, [target, *arguments], self.tell_state, self._attempted, console) if target is not None else None
        self.rate = rate
        self.faults = [fault.name for fault in FAULTS]
        self._first_user_id = first_user_id
        self._told: JSON = {}
        self._told_at = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.feed.close)
            stack.enter_context(self.sandbox)
            self.watcher.start()
            stack.callback(self.watcher.close)
            self.user("Ann", id=self._first_user_id)
            if self.bot is not None:
                stack.callback(self.bot.close)
                self.bot.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stack.close()

    # ------------------------------------------------------------------ who is there

    def user(self, name: str, *, id: int | None = None) -> User:
        """Somebody of this name, with a private chat; the one who is there already, or a new one."""
        for user in self.users.values():
            if user.card["first_name"] == name:
                return user
        user = self.sandbox.server.user(id if id is not None else self._first_user_id + len(self.users), name, username=_username(name), language_code="en")
        self.users[user.id] = user
        self.feed.tell("chat", chat=self.chat_card(self.sandbox.server.world.chats[user.id]))
        return user

    def group(self, title: str, type: str = "supergroup") -> Group:
        """A group, supergroup or channel of this title with everybody in it; the one that is there already, or a new one."""
        for group in self.groups.values():
            if self.sandbox.server.world.chats[group.id].facts["title"] == title:
                return group
        group = self.sandbox.server.group(title, members=list(self.users.values()), type=type)
        self.groups[group.id] = group
        self.feed.tell("chat", chat=self.chat_card(self.sandbox.server.world.chats[group.id]))
        return group

    def chat_card(self, chat: ChatState) -> JSON:
        """A chat as the page's list shows it."""
        facts = chat.facts
        title = facts.get("title") or " ".join(str(facts[key]) for key in ("first_name", "last_name") if facts.get(key))
        return {"id": chat.id, "type": chat.type, "title": title, "blocked": bool(chat.refusal)}

    # ------------------------------------------------------------------ what goes wrong

    def set_faults(self, names: Sequence[str], rate: float) -> None:
        """Strike this share of the connections from now on, with faults of these names."""
        self.sandbox.proxy.set_random([fault for fault in FAULTS if fault.name in names], rate)
        self.rate, self.faults = rate, [fault.name for fault in FAULTS if fault.name in names]
        self.tell_state()

    def set_rtt(self, seconds: float) -> None:
        """Let the way to the server take this long, there and back."""
        self.sandbox.proxy.rtt = min(max(seconds, 0.0), 10.0)
        self.tell_state()

    def too_many_requests(self) -> None:
        """Answer the next message of the bot with 429."""
        self.sandbox.server.script("*", Answer.retry_after(_LATE_SECONDS), when=lambda request: request.method.startswith(("send", "edit")))
        self.tell_state()

    # ------------------------------------------------------------------ what is seen

    def state(self) -> JSON:
        """How the bot is, what is switched on, and what was counted."""
        server, proxy, bot = self.sandbox.server, self.sandbox.proxy, self.bot
        struck, late, kills = dict(proxy.struck), server.count_status(429), bot.kills if bot is not None else 0
        return {
            "target": self.target,
            "running": bot.is_running if bot is not None else server.is_polled,
            "exit_code": bot.exit_code if bot is not None else None,
            "managed": bot is not None,
            "rate": self.rate,
            "faults": self.faults,
            "rtt": proxy.rtt,
            "struck": struck,
            "kills": kills,
            "late": late,
            "survived": sum(struck.values()) + late + kills,
            "waiting": len(server.pending_updates),
            "problems": server.problems[-20:],
            "output": list(bot.lines)[-_LINES_SHOWN:] if bot is not None else [],
        }

    def tell_state(self) -> None:
        """Tell the feed the state."""
        self._told, self._told_at = self.state(), time.monotonic()
        self.feed.tell("state", state=self._told)

    def _look(self) -> None:
        """Something may have happened: tell the state where it is another one, some times a second at most."""
        if time.monotonic() - self._told_at >= _STATE_SECONDS and self.state() != self._told:
            self.tell_state()

    def snapshot(self) -> JSON:
        """All that a page shows that has just been opened, and the number of the last event that it knows."""
        last = self.feed.last  # first: what happens meanwhile is told twice rather than never
        world = self.sandbox.server.world
        with world.changed:
            chats = [
                {**self.chat_card(chat), "messages": self.messages(chat), "keyboard": self.watcher.keyboards.get(chat.id)} for chat in world.chats.values()
            ]
        users = [dict(user.card) for user in list(self.users.values())]
        names = [fault.name for fault in FAULTS]
        facts: dict[str, Any] = {"last": last, "bot": world.bot, "users": users, "chats": chats, "all_faults": names, "url": self.sandbox.url}
        return {**facts, "calls": self.calls.rows()[-_SHOWN:], "commands": self.watcher.commands(), "state": self.state()}

    def messages(self, chat: ChatState, before: int | None = None) -> list[JSON]:
        """The newest messages of a chat, those before an id where one is given, in order."""
        found: list[JSON] = []
        with self.sandbox.server.world.changed:
            for number in reversed(chat.messages):
                if before is None or number < before:
                    found.append(shown_message(chat, number))
                if len(found) == _SHOWN:
                    break
        return found[::-1]

    def _attempted(self, attempt: JSON) -> None:
        row = self.calls.attempted(attempt)
        if row is not None:
            self.feed.tell("call", call=row)


def _username(name: str) -> str:
    letters = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
    return f"{letters or 'user'}_test"
