"""Conversations and dispatchers of python-telegram-bot 13: what is called, and where they stand then. Runs under both; needs the standard library alone."""

from __future__ import annotations

import json
import logging
import queue
import threading
import warnings
from collections.abc import Callable
from typing import Any

from ptb13.handler_table import ANN, make_bot, pressed, said
from telegram import Update
from telegram.ext import (
    CallbackContext,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    Defaults,
    DictPersistence,
    Dispatcher,
    DispatcherHandlerStop,
    Filters,
    JobQueue,
    MessageHandler,
    TypeHandler,
)

BOB = {"id": 12, "is_bot": False, "first_name": "Bob"}
GROUP = {"id": -21, "type": "group", "title": "Group"}
END = ConversationHandler.END


class Rig:
    """A dispatcher, and what was called."""

    def __init__(self, **options: Any) -> None:
        self.bot = make_bot()
        self.seen: list[Any] = []
        options = {"workers": 0, "update_queue": None, **options}
        self.dispatcher = Dispatcher(self.bot, **options)

    def does(self, name: str, result: Any = None) -> Callable[..., Any]:
        """A function that notes its name, and returns something, or raises it."""

        def function(update: Any, context: Any) -> Any:
            self.seen.append(name)
            if isinstance(result, Exception):
                raise result
            return result(context) if callable(result) else result

        return function

    def on(self, text: str, result: Any = None, **options: Any) -> MessageHandler:
        """A handler of just this text."""
        return MessageHandler(Filters.regex(f"^{text}$"), self.does(text, result), **options)

    def says(self, *texts: str, user: Any = ANN, chat: Any = GROUP) -> None:
        """Somebody says something."""
        for text in texts:
            self.seen.append(f"> {text}")
            self.process({"message": {**said(text, chat=chat), "from": user}})

    def presses(self, data: str, number: int, **fields: Any) -> None:
        """Somebody presses a button."""
        raw = pressed(data=data, **fields)
        if raw["callback_query"].get("message"):
            raw["callback_query"]["message"] = {**said("B", chat=GROUP), "message_id": number}
        self.seen.append(f"> {data} {number}")
        self.process(raw)

    def process(self, raw: dict[str, Any]) -> None:
        """An update comes."""
        self.dispatcher.process_update(Update.de_json({"update_id": 1, **raw}, self.bot))


def running() -> Rig:
    """A dispatcher whose threads run."""
    rig = Rig(workers=2, update_queue=queue.Queue())
    ready = threading.Event()
    threading.Thread(target=rig.dispatcher.start, args=(ready,), daemon=True).start()
    ready.wait(20)
    return rig


def states_of(handler: Any) -> list[Any]:
    """Where each conversation stands."""
    return sorted([list(key), state] for key, state in handler.conversations.items())


def plain(rig: Rig, **options: Any) -> Any:
    """A conversation of two questions."""
    handler = ConversationHandler(
        [rig.on("begin", 1)],
        {1: [rig.on("one", 2), rig.on("stay"), rig.on("odd", 9)], 2: [rig.on("two", END), rig.on("one")]},
        [rig.on("cancel", END), rig.on("help")],
        **options,
    )
    rig.dispatcher.add_handler(handler)
    return handler


def walk(**options: Any) -> Any:
    """Two people go through it."""
    rig = Rig()
    handler = plain(rig, **options)
    found = []
    for user, chat, text in (
        (ANN, GROUP, "one"),
        (ANN, GROUP, "begin"),
        (BOB, GROUP, "begin"),
        (ANN, GROUP, "stay"),
        (ANN, GROUP, "begin"),
        (ANN, GROUP, "one"),
        (ANN, GROUP, "begin"),
        (ANN, {"id": 11, "type": "private"}, "two"),
        (BOB, GROUP, "odd"),
        (BOB, GROUP, "help"),
        (ANN, GROUP, "one"),
        (ANN, GROUP, "two"),
        (BOB, GROUP, "cancel"),
        (BOB, GROUP, "cancel"),
    ):
        rig.says(text, user=user, chat=chat)
        found.append(states_of(handler))
    rig.process({"channel_post": said("begin", chat={"id": -5, "type": "channel", "title": "C"})})
    rig.process({"edited_message": {**said("begin", chat=GROUP), "edit_date": 1}})
    return [rig.seen, found, states_of(handler)]


def nested() -> Any:
    """A conversation within one, which ends it, sends it on, or ends both."""
    rig = Rig()
    inner = ConversationHandler(
        [rig.on("in", "A")],
        {"A": [rig.on("next", "B"), rig.on("stop", "STOPPED")], "B": [rig.on("done", END), rig.on("list", [1])]},
        [rig.on("up", "UP")],
        map_to_parent={END: "P", "STOPPED": END, "UP": "Q"},
    )
    outer = ConversationHandler([rig.on("begin", "P")], {"P": [inner, rig.on("bye", END)], "Q": [rig.on("q", END)]}, [rig.on("cancel", END)])
    rig.dispatcher.add_handler(outer)
    found = []
    for text in ("in", "begin", "in", "next", "begin", "done", "bye", "begin", "in", "stop", "begin", "in", "up", "in", "q", "begin", "in", "cancel", "next"):
        rig.says(text)
        found.append([states_of(outer), states_of(inner)])
    return [rig.seen, found]


def per_message() -> Any:
    """Each message with buttons has a conversation of its own."""
    rig = Rig()
    handler = ConversationHandler(
        [CallbackQueryHandler(rig.does("begin", 1), pattern="begin")],
        {1: [CallbackQueryHandler(rig.does("go", 2), pattern="go")], 2: [CallbackQueryHandler(rig.does("end", END), pattern="end")]},
        [],
        per_message=True,
    )
    rig.dispatcher.add_handler(handler)
    rig.says("begin")
    found = []
    for data, number in (("begin", 1), ("begin", 2), ("go", 1), ("end", 2), ("end", 1), ("go", 2)):
        rig.presses(data, number)
        found.append(states_of(handler))
    rig.presses("begin", 3, message=None, inline_message_id="i")
    return [rig.seen, found, states_of(handler)]


def inline_message() -> Any:
    """Without chats the id of an inline message tells them apart."""
    rig = Rig()
    handler = ConversationHandler([CallbackQueryHandler(rig.does("begin", 1))], {1: []}, [], per_message=True, per_chat=False)
    rig.dispatcher.add_handler(handler)
    rig.presses("begin", 3, message=None, inline_message_id="i")
    rig.presses("begin", 4)
    return [rig.seen, sorted(json.dumps([list(key), state]) for key, state in handler.conversations.items())]


def stops() -> Any:
    """DispatcherHandlerStop ends the way through the groups, and may carry a state."""
    rig = Rig()
    inner = ConversationHandler([rig.on("in", DispatcherHandlerStop(7))], {7: [rig.on("out", DispatcherHandlerStop(END))]}, [], map_to_parent={END: 2})
    handler = ConversationHandler(
        [rig.on("begin", DispatcherHandlerStop(1))],
        {1: [rig.on("stay", DispatcherHandlerStop()), inner, rig.on("end", DispatcherHandlerStop(END))], 2: [rig.on("end", END)]},
        [],
    )
    rig.dispatcher.add_handler(handler)
    rig.dispatcher.add_handler(TypeHandler(Update, rig.does("later")), group=1)
    found = []
    for text in ("other", "begin", "stay", "in", "out", "end", "begin", "end"):
        rig.says(text)
        found.append([states_of(handler), states_of(inner)])
    return [rig.seen, found]


def fails() -> Any:
    """A handler that fails leaves the conversation where it is."""
    rig = Rig()
    handler = ConversationHandler([rig.on("begin", 1), rig.on("wrong", ValueError("w"))], {1: [rig.on("fail", ValueError("f"))]}, [])
    rig.dispatcher.add_handler(handler)
    rig.dispatcher.add_error_handler(lambda update, context: rig.seen.append(repr(context.error)))
    rig.says("wrong", "begin", "fail")
    return [rig.seen, states_of(handler)]


def kept() -> Any:
    """A persistent conversation goes on in another dispatcher, one within it too."""
    persistence = DictPersistence()
    seen = []
    for texts in (("begin", "in"), ("next", "begin"), ("done", "bye")):
        rig = Rig(persistence=persistence)
        inner = ConversationHandler(
            [rig.on("in", 5)], {5: [rig.on("next", 6)], 6: [rig.on("done", END)]}, [], name="inner", persistent=True, map_to_parent={END: 1}
        )
        outer = ConversationHandler([rig.on("begin", 1)], {1: [inner, rig.on("bye", END)]}, [], name="outer", persistent=True)
        rig.dispatcher.add_handler(outer)
        rig.says(*texts)
        seen.append([rig.seen, states_of(outer), states_of(inner), json.loads(persistence.conversations_json)])
    return seen


def waits() -> Any:
    """While a function with run_async runs, the handlers of WAITING are asked; what it returns is the state then."""
    rig = running()
    go, results = threading.Event(), iter([1, None, ValueError("e"), END])
    started: queue.Queue[None] = queue.Queue()

    def slow(update: Any, context: Any) -> Any:
        started.put(None)
        go.wait(20)
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    handler = ConversationHandler(
        [MessageHandler(Filters.regex("^begin$"), slow)],
        {1: [MessageHandler(Filters.regex("^go$"), slow), rig.on("here")], ConversationHandler.WAITING: [rig.on("patience")]},
        [],
        run_async=True,
    )
    for waiting in handler.states[ConversationHandler.WAITING] + handler.states[1][1:]:
        waiting.run_async = False
    rig.dispatcher.add_handler(handler)
    found = []
    for text in ("begin", "go", "go", "go"):
        rig.says(text)
        started.get(timeout=20)
        rig.says("patience", "here")
        promise = next(iter(handler.conversations.values()))[1]
        go.set()
        promise.done.wait(20)
        rig.says("here")
        found.append(states_of(handler))
        go.clear()
    rig.dispatcher.stop()
    return [rig.seen, found]


def times_out() -> Any:
    """A conversation whose time is up calls all handlers of TIMEOUT, and has ended then; one that goes on begins its time anew."""
    job_queue = JobQueue()
    rig = Rig(job_queue=job_queue)
    job_queue.set_dispatcher(rig.dispatcher)
    over = threading.Event()
    handler = ConversationHandler(
        [rig.on("begin", 1)],
        {
            1: [rig.on("more")],
            ConversationHandler.TIMEOUT: [
                MessageHandler(Filters.text, rig.does("timeout", lambda context: context.args)),
                MessageHandler(Filters.photo, rig.does("never")),
                TypeHandler(Update, lambda update, context: over.set()),
            ],
        },
        [rig.on("cancel", END)],
        conversation_timeout=0.3,
    )
    rig.dispatcher.add_handler(handler)
    job_queue.start()
    rig.says("begin", "more", "cancel")
    jobs = len(handler.timeout_jobs)
    rig.says("begin", "more")
    assert over.wait(20)
    for _ in range(2000):
        if not handler.conversations:
            break
        threading.Event().wait(0.01)
    job_queue.stop()
    return [rig.seen, states_of(handler), jobs, len(handler.timeout_jobs)]


def refused() -> Any:
    """What is said at registration."""
    rig = Rig()
    found = []
    for make in (
        lambda: ConversationHandler([], {}, [], per_chat=False, per_user=False),
        lambda: ConversationHandler([], {}, [], persistent=True),
        lambda: rig.dispatcher.add_handler(ConversationHandler([], {}, [], persistent=True, name="n")),
        lambda: rig.dispatcher.add_handler("no handler"),
        lambda: rig.dispatcher.add_handler(rig.on("x"), "group"),
        lambda: CommandHandler("not a command", rig.does("x")),
        lambda: CommandHandler("ä", rig.does("x")),
        lambda: MessageHandler(None, rig.does("x"), message_updates=False, channel_post_updates=False, edited_updates=False),
        lambda: setattr(plain(rig), "name", "x"),
        lambda: ContextTypes(context=dict),
        lambda: setattr(Defaults(), "quote", True),
        lambda: CallbackContext(Dispatcher(rig.bot, None, workers=0, use_context=False)),
        lambda: rig.dispatcher.remove_handler(rig.on("x"), group=5),
    ):
        try:
            make()
            found.append("taken")
        except Exception as error:
            found.append(type(error).__name__)
    return found


def groups() -> Any:
    """The first of each group, in the order of the groups; what is taken out is asked no more."""
    rig = Rig()
    second = TypeHandler(Update, rig.does("second of 0"))
    rig.dispatcher.add_handler(TypeHandler(Update, rig.does("1")), group=1)
    rig.dispatcher.add_handler(rig.on("first"))
    rig.dispatcher.add_handler(second)
    rig.dispatcher.add_handler(TypeHandler(Update, rig.does("-5")), group=-5)
    rig.says("first", "other")
    rig.dispatcher.remove_handler(second)
    rig.says("other")
    return [rig.seen, rig.dispatcher.groups, {group: len(handlers) for group, handlers in rig.dispatcher.handlers.items()}]


def errors() -> Any:
    """Each error handler is told once of each error, with use_context=False in another way; the other groups have their turn all the same."""
    found = []
    for use_context in (True, False):
        rig = Rig(use_context=use_context)

        def failing(*values: Any) -> None:
            raise KeyError("k")

        def told(*values: Any, rig: Rig = rig, use_context: bool = use_context) -> None:
            error = values[1].error if use_context else values[2]
            rig.seen.append([len(values), repr(error), values[1].async_args if use_context else None])

        def stopping(*values: Any, rig: Rig = rig) -> None:
            rig.seen.append("stops")
            raise DispatcherHandlerStop

        def failing_too(*values: Any, rig: Rig = rig) -> None:
            rig.seen.append("fails too")
            raise ValueError

        rig.dispatcher.add_handler(TypeHandler(Update, failing))
        rig.dispatcher.add_handler(TypeHandler(Update, lambda *values, rig=rig: rig.seen.append("group 1")), group=1)
        rig.dispatcher.add_error_handler(told)
        rig.dispatcher.add_error_handler(told)
        rig.says("x")
        rig.dispatcher.add_error_handler(failing_too)
        rig.says("x")
        rig.dispatcher.remove_error_handler(failing_too)
        rig.dispatcher.add_error_handler(stopping)
        rig.says("x")
        found.append(rig.seen)
    return found


def in_threads() -> Any:
    """Functions with run_async tell of their errors, with what they were given; a promise tells of both."""
    rig = running()
    told: queue.Queue[Any] = queue.Queue()
    rig.dispatcher.add_error_handler(lambda update, context: told.put([update, repr(context.error), list(context.async_args), context.async_kwargs]))

    def add(one: int, other: int = 0) -> int:
        if not one:
            raise ValueError("nothing")
        return one + other

    added, failed = rig.dispatcher.run_async(add, 1, other=2), rig.dispatcher.run_async(add, 0, other=3, update="u")
    found = [added.result(20), told.get(timeout=20), failed.done.wait(20), repr(failed.exception)]
    called: list[Any] = []
    done = threading.Event()
    added.add_done_callback(called.append)
    handler = TypeHandler(Update, lambda update, context: done.set(), run_async=True)
    rig.dispatcher.add_handler(handler)
    rig.says("x")
    found += [called, done.wait(20)]
    rig.dispatcher.stop()
    return found


class OwnContext(CallbackContext):
    """A context of one's own."""

    @classmethod
    def from_update(cls, update: Any, dispatcher: Any) -> Any:
        """Put something into it."""
        context = super().from_update(update, dispatcher)
        context.chat_data.setdefault("made", 0)
        return context


class Counted(dict):  # type: ignore[type-arg]  # as programs write it
    """Data of one's own."""


def types_of_ones_own() -> Any:
    """Contexts and data are of the classes that ContextTypes names."""
    rig = Rig(context_types=ContextTypes(OwnContext, Counted, Counted, Counted))
    names: list[Any] = []
    rig.dispatcher.add_handler(
        TypeHandler(
            Update, lambda update, context: names.append([type(one).__name__ for one in (context, context.bot_data, context.chat_data, context.user_data)])
        )
    )
    rig.says("x")
    return [names, {str(key): dict(value) for key, value in rig.dispatcher.chat_data.items()}]


def data() -> Any:
    """The same dicts for each update, kept by a persistence where there is one."""
    persistence = DictPersistence()
    rig = Rig(persistence=persistence)

    def count(update: Any, context: Any) -> None:
        for kept in (context.user_data, context.chat_data, context.bot_data):
            kept["n"] = kept.get("n", 0) + 1

    rig.dispatcher.add_handler(TypeHandler(Update, count))
    rig.says("x", "x")
    rig.says("x", user=BOB)
    found = [json.loads(text) for text in (persistence.user_data_json, persistence.chat_data_json, persistence.bot_data_json)]
    again = Rig(persistence=persistence).dispatcher
    return [found, {str(key): value for key, value in again.user_data.items()}, again.bot_data]


SCENES: dict[str, Callable[[], Any]] = {
    "conversation": walk,
    "conversation, re-entry": lambda: walk(allow_reentry=True),
    "conversation, per chat": lambda: walk(per_user=False),
    "conversation, per user": lambda: walk(per_chat=False),
    **{scene.__name__: scene for scene in (nested, per_message, inline_message, stops, fails, kept, waits, times_out, refused)},
    **{scene.__name__: scene for scene in (groups, errors, in_threads, types_of_ones_own, data)},
}


def main() -> None:
    """Print what comes of each scene."""
    warnings.simplefilter("ignore")
    logging.disable()
    print(json.dumps({name: scene() for name, scene in SCENES.items()}, sort_keys=True))


if __name__ == "__main__":
    main()
