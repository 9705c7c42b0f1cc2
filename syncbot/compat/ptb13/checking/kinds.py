"""What the names in a file stand for, as far as its text says: telegram's modules and classes, and objects of these."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from syncbot.compat.ptb13.checking.known import found_in

_USUAL: Mapping[str, str] = MappingProxyType(
    {
        "updater": "ext.Updater",
        "dispatcher": "ext.Dispatcher",
        "dp": "ext.Dispatcher",
        "job_queue": "ext.JobQueue",
        "context": "ext.CallbackContext",
        "bot": "Bot",
        "update": "Update",
    }
)
"""What a name stands for in nearly every program, where nothing else is said of it."""
_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post", "effective_message", "reply_to_message", "pinned_message")
_PARTS: Mapping[str, str] = MappingProxyType(
    {
        **{f"Update.{name}": "Message" for name in _MESSAGES[:5]},
        **{f"Message.{name}": "Message" for name in _MESSAGES[5:]},
        **{f"{owner}.from_user": "User" for owner in ("Message", "CallbackQuery", "InlineQuery", "ShippingQuery", "PreCheckoutQuery")},
        "Update.effective_user": "User",
        "Update.effective_chat": "Chat",
        "Update.callback_query": "CallbackQuery",
        "Update.inline_query": "InlineQuery",
        "Update.shipping_query": "ShippingQuery",
        "Update.pre_checkout_query": "PreCheckoutQuery",
        "Message.chat": "Chat",
        "Message.bot": "Bot",
        "CallbackQuery.message": "Message",
        "CallbackContext.job": "ext.Job",
        "CallbackContext.dispatcher": "ext.Dispatcher",
        "Updater.dispatcher": "ext.Dispatcher",
        **{f"{owner}.bot": "Bot" for owner in ("CallbackContext", "Updater", "Dispatcher")},
        **{f"{owner}.job_queue": "ext.JobQueue" for owner in ("CallbackContext", "Updater", "Dispatcher")},
        "Bot.request": "utils.request.Request",
    }
)
"""What an attribute of an object is, by its class and its name."""
_JOBS = {"run_once", "run_repeating", "run_daily", "run_monthly", "run_custom"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Kinds:
    """The names of one file.

    Args:
        tree: what stands in it.
        imported: what its imports bring of telegram, by name.
    """

    def __init__(self, tree: ast.Module, imported: Mapping[str, Any]) -> None:
        made = {node.name for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, *_FUNCTIONS))}
        self._imported = {name: found for name, found in imported.items() if name not in made}
        self._objects = dict(_USUAL)
        for _ in range(3):  # what is set to what was set
            self._objects = self._found(tree)

    def meant(self, node: ast.expr) -> Any:
        """The module, class or filter of telegram that an expression names; None where it names none."""
        if isinstance(node, ast.Name):
            return self._imported.get(node.id)
        if isinstance(node, ast.Attribute) and (owner := self.meant(node.value)) is not None:
            return found_in(owner.__name__, node.attr) if isinstance(owner, ModuleType) else getattr(owner, node.attr, None)
        return None

    def kind(self, node: ast.expr) -> type | None:
        """The class of telegram whose object an expression is; None where that cannot be told."""
        found = self._name(node)
        return _class_of(found) if found else None

    def _name(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.Call):
            return _name_of(self.meant(node.func))
        if isinstance(node, ast.Attribute):
            owner = self._name(node.value).rpartition(".")[2]
            return _PARTS.get(f"{owner}.{node.attr}") or self._objects.get(ast.unparse(node), "")
        return self._objects.get(node.id, "") if isinstance(node, ast.Name) else ""

    def _found(self, tree: ast.Module) -> dict[str, str]:
        """What each name stands for, of which the file says only one thing."""
        said: dict[str, set[str]] = {name: {kind} for name, kind in _USUAL.items()}
        for name, kind in (*self._set(tree), *self._given(tree)):
            if said.get(name) == {_USUAL.get(name)} and kind:
                said[name] = {kind}  # it says so itself
            else:
                said.setdefault(name, set()).add(kind)
        return {name: kinds.pop() for name, kinds in said.items() if len(kinds) == 1}

    def _set(self, tree: ast.Module) -> Iterator[tuple[str, str]]:
        known: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    known.add(target)
                    yield ast.unparse(target), self._name(node.value)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store) and node not in known:
                yield ast.unparse(node), ""
            elif isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name, ""

    def _given(self, tree: ast.Module) -> Iterator[tuple[str, str]]:
        """What functions are given: what they say of it, or what handlers and jobs give to those that are handed to them."""
        callbacks = dict(self._callbacks(tree))
        for node in ast.walk(tree):
            if not isinstance(node, (*_FUNCTIONS, ast.Lambda)):
                continue
            given = [*node.args.posonlyargs, *node.args.args]
            usual = callbacks.get(getattr(node, "name", ""), ())
            kinds = usual if len(usual) == len(given) else ("",) * len(given)
            for argument, kind in zip(given, kinds, strict=True):
                said = _name_of(self.meant(argument.annotation)) if argument.annotation is not None else kind or _USUAL.get(argument.arg, "")
                yield argument.arg, said
            yield from ((argument.arg, "") for argument in node.args.kwonlyargs)

    def _callbacks(self, tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
        if any(isinstance(node, ast.keyword) and node.arg == "use_context" and getattr(node.value, "value", True) is False for node in ast.walk(tree)):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
                both = name.endswith("Handler") or name == "add_error_handler"
                if both or name in _JOBS:
                    kinds = ("Update", "ext.CallbackContext") if both else ("ext.CallbackContext",)
                    yield from ((value.id, kinds) for value in node.args if isinstance(value, ast.Name))


def _class_of(name: str) -> type | None:
    module, _, kind = f"telegram.{name}".rpartition(".")
    found = found_in(module, kind)
    return found if isinstance(found, type) else None


def _name_of(kind: Any) -> str:
    """What a class is called here; "" for anything but those whose objects are looked at."""
    return next((name for name in {*_USUAL.values(), *_PARTS.values()} if kind is not None and _class_of(name) is kind), "")
