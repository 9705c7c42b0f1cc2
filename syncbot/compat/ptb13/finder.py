"""Finds the modules of python-telegram-bot 13 that today's has no more, or has otherwise: `telegram.ext`, `telegram.utils`, `telegram.parsemode`, …"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import Any

_HERE = __name__.rpartition(".")[0]
_EXT = f"{_HERE}.ext"
_OWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ext": ("ext",),
        "ext.callbackdatacache": ("callback_data",),
        "ext.dispatcher": ("running.dispatcher", "handlers.stop"),
        "ext.filters": ("filters", "filters.base", "filters.names"),
        "ext.jobqueue": ("jobs",),
        "ext.messagequeue": ("messagequeue",),
        "ext.utils": (),
        "ext.utils.promise": ("promise",),
        "utils": (),
        "utils.deprecate": ("utils.deprecate",),
        "utils.helpers": ("utils.helpers", "defaults"),
        "utils.promise": ("promise",),
        "utils.request": ("bot.request",),
        "utils.types": ("utils.types",),
    }
)
"""Modules below `telegram`, with those of this package whose names they have."""
_EXT_PARTS_TEXT = """
basepersistence callbackcontext callbackqueryhandler chatjoinrequesthandler chatmemberhandler choseninlineresulthandler commandhandler contexttypes
conversationhandler defaults dictpersistence extbot handler inlinequeryhandler messagehandler picklepersistence pollanswerhandler pollhandler
precheckoutqueryhandler regexhandler shippingqueryhandler stringcommandhandler stringregexhandler typehandler updater
"""
_EXT_PARTS = frozenset(_EXT_PARTS_TEXT.split())
_PARTS_TEXT = """
base bot botcommand botcommandscope callbackquery chat chataction chatadministratorrights chatinvitelink chatjoinrequest chatlocation chatmember
chatmemberupdated chatpermissions choseninlineresult dice files forcereply forumtopic games inline keyboardbutton keyboardbuttonpolltype loginurl
menubutton message messageautodeletetimerchanged messageentity messageid parsemode passport payment poll proximityalerttriggered replykeyboardmarkup
replykeyboardremove replymarkup sentwebappmessage update user userprofilephotos version videochat voicechat webappdata webappinfo webhookinfo
"""
_PARTS = frozenset(_PARTS_TEXT.split())
_PACKAGES = ("files.", "games.", "inline.", "passport.", "payment.")


class _Alias(ModuleType):
    """A module whose names are those of others.

    Args:
        name: its name.
        homes: the modules that are asked for a name, in this order.
    """

    def __init__(self, name: str, homes: Sequence[str]) -> None:
        super().__init__(name, f"{name}, as programs for python-telegram-bot 13 know it; syncbot runs them.")
        self.__path__: list[str] = []
        self._homes = tuple(homes)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__" and self._homes:
            return getattr(import_module(self._homes[0]), "__all__")  # noqa: B009  # it may have none
        for home in () if name.startswith("__") else self._homes:
            module = import_module(home)
            if hasattr(module, name):
                return getattr(module, name)
        if _homes(f"{self.__name__}.{name}") is not None:  # a module below, which 13 had loaded already
            return import_module(f"{self.__name__}.{name}")
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)


class Finder(MetaPathFinder, Loader):
    """Finds these modules before Python looks for them."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The specification of one of these modules; None for any other."""
        return ModuleSpec(fullname, self, is_package=True) if _homes(fullname) is not None else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module."""
        return _Alias(spec.name, _homes(spec.name) or ())

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs: its names are found when somebody asks for them."""


def _homes(fullname: str) -> tuple[str, ...] | None:
    root, _, name = fullname.partition(".")
    if root != "telegram" or not name:
        return None
    if name in _OWN:
        beside = (_EXT,) if name.startswith("ext.") else ()
        return (*(f"{_HERE}.{home}" for home in _OWN[name]), *beside)
    if name.startswith("ext."):
        return (_EXT,) if name.removeprefix("ext.") in _EXT_PARTS else None
    return ("telegram",) if name in _PARTS or name.startswith(_PACKAGES) else None


def late_module(name: str) -> Any:
    """One of these modules below `telegram`, which 13 had loaded with it: `telegram.utils`.

    Raises:
        AttributeError: there is none.
    """
    if name.startswith("_") or _homes(f"telegram.{name}") is None:
        raise AttributeError(f"module 'telegram' has no attribute {name!r}", name=name)
    return import_module(f"telegram.{name}")


def is_in_place() -> bool:
    """Whether the modules are found already."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def put_in_place() -> None:
    """Have the modules found from now on.

    Raises:
        ImportError: today's `telegram.ext` has been imported already.
    """
    loaded = sys.modules.get("telegram.ext")
    if loaded is not None and not isinstance(loaded, _Alias):
        raise ImportError("telegram.ext has been imported already, and it is not that of python-telegram-bot 13: import syncbot.compat.ptb13.install first")
    sys.meta_path.insert(0, Finder())
