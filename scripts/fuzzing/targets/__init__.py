"""What is fuzzed: one class for each parser that reads what others send."""

from __future__ import annotations

import importlib
import sys
from types import MappingProxyType

from fuzzing.corpus import ROOT
from fuzzing.target import Target

sys.path.append(str(ROOT / "tests"))  # for the kits that damage state files

TARGETS = MappingProxyType(
    {
        "http": "wire:HttpAnswers",
        "connect": "wire:ConnectAnswers",
        "socks": "wire:SocksAnswers",
        "envelope": "envelope:Envelopes",
        "updates": "updates:Updates",
        "webhook": "webhook:Bodies",
        "heads": "webhook:Heads",
        "auth": "auth:Signatures",
        "envfile": "settings:EnvFiles",
        "settings": "settings:Environments",
        "commands": "commands:CommandLines",
        "state": "state:StateFiles",
        "partfile": "partfile:PartFiles",
    }
)
"""Each target and its class."""


def load(name: str) -> type[Target]:
    """The class of a target; what it needs is imported only then."""
    module, _, kind = TARGETS[name].partition(":")
    found: type[Target] = getattr(importlib.import_module(f"{__name__}.{module}"), kind)
    return found
