"""`telegram.ext.filters` of python-telegram-bot 13: `Filters`, and the classes that filters of one's own are made of."""

from syncbot.compat.ptb13.filters.base import BaseFilter, InvertedFilter, MergedFilter, MessageFilter, UpdateFilter, XORFilter
from syncbot.compat.ptb13.filters.names import Filters

__all__ = ["BaseFilter", "Filters", "InvertedFilter", "MergedFilter", "MessageFilter", "UpdateFilter", "XORFilter"]
