"""`telegram.ext`'s persistence of python-telegram-bot 13: `BasePersistence` for subclasses, `DictPersistence`, `PicklePersistence`."""

from syncbot.compat.ptb13.persistence.base import BasePersistence
from syncbot.compat.ptb13.persistence.dictpersistence import DictPersistence
from syncbot.compat.ptb13.persistence.picklepersistence import PicklePersistence

__all__ = ["BasePersistence", "DictPersistence", "PicklePersistence"]
