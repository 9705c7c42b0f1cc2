"""What `telegram.ext` holds for a program that was written for 13. Each name is loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

_HERE = __name__.rpartition(".")[0]
HOMES = MappingProxyType(
    {
        "bot.bot": ("Bot",),
        "callback_data": ("CallbackDataCache", "InvalidCallbackData"),
        "defaults": ("Defaults",),
        "filters": ("BaseFilter", "Filters", "MessageFilter", "UpdateFilter"),
        "handlers.conversation": ("ConversationHandler",),
        "handlers.handler": ("Handler",),
        "handlers.messages": ("CommandHandler", "MessageHandler", "PrefixHandler", "RegexHandler"),
        "handlers.others": ("StringCommandHandler", "StringRegexHandler", "TypeHandler"),
        "handlers.queries": (
            *("CallbackQueryHandler", "ChatJoinRequestHandler", "ChatMemberHandler", "ChosenInlineResultHandler", "InlineQueryHandler"),
            *("PollAnswerHandler", "PollHandler", "PreCheckoutQueryHandler", "ShippingQueryHandler"),
        ),
        "handlers.stop": ("DispatcherHandlerStop",),
        "jobs": ("Job", "JobQueue"),
        "messagequeue": ("DelayQueue", "MessageQueue"),
        "persistence": ("BasePersistence", "DictPersistence", "PicklePersistence"),
        "contexts.callback_context": ("CallbackContext",),
        "contexts.context_types": ("ContextTypes",),
        "running.dispatcher": ("Dispatcher", "run_async"),
        "running.updater": ("Updater",),
    }
)
"""The modules below this package, with the names that they give to `telegram.ext`."""
_HOME_OF = {name: home for home, names in HOMES.items() for name in names} | {"ExtBot": "bot.bot"}
__all__ = sorted(_HOME_OF.keys() - {"Bot"})  # the names are those of the table


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"telegram.ext has no {name!r}; this is the one of python-telegram-bot 13, run by syncbot", name=name)
    found = getattr(import_module(f"{_HERE}.{_HOME_OF[name]}"), "Bot" if name == "ExtBot" else name)
    globals()[name] = found
    return found
