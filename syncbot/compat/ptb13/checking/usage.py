"""What a program does with telegram's objects, as far as it can be told from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from syncbot.compat.ptb13.checking.finding import Finding
from syncbot.compat.ptb13.checking.known import attributes, found_in, wrong_call

_GONE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("forward_date", "forward_from_chat", "forward_from_message_id", "forward_sender_name", "forward_signature"), ("Message",)),
    **dict.fromkeys(("voice_chat_scheduled", "voice_chat_started", "voice_chat_ended", "voice_chat_participants_invited"), ("Message",)),
    **dict.fromkeys(("all_members_are_administrators", "kick_member", "get_members_count"), ("Chat",)),
    **dict.fromkeys(("can_manage_voice_chats",), ("ChatMemberAdministrator",)),
    **dict.fromkeys(("can_send_media_messages",), ("ChatMemberRestricted", "ChatPermissions")),
    **dict.fromkeys(("thumb_url", "thumb_width", "thumb_height", "hide_url"), ("InlineQueryResultArticle",)),
    "thumb": ("Document", "Video", "Sticker"),
    "contains_masks": ("StickerSet",),
    "ATTACHMENT_TYPES": ("Message",),
    "MESSAGE_TYPES": ("Message",),
    "CREATOR": ("ChatMember",),
    "KICKED": ("ChatMember",),
    "RECORD_AUDIO": ("ChatAction",),
    "UPLOAD_AUDIO": ("ChatAction",),
}
"""Attributes that objects had in python-telegram-bot 13, and have not any more, unless they are given back to the class."""

_OBJECTS: Mapping[str, tuple[str, str]] = {
    "updater": ("telegram.ext", "Updater"),
    "dispatcher": ("telegram.ext", "Dispatcher"),
    "dp": ("telegram.ext", "Dispatcher"),
    "updater.dispatcher": ("telegram.ext", "Dispatcher"),
    "context.dispatcher": ("telegram.ext", "Dispatcher"),
    "job_queue": ("telegram.ext", "JobQueue"),
    "updater.job_queue": ("telegram.ext", "JobQueue"),
    "dispatcher.job_queue": ("telegram.ext", "JobQueue"),
    "context.job_queue": ("telegram.ext", "JobQueue"),
    "context.job": ("telegram.ext", "Job"),
    "bot": ("telegram", "Bot"),
    "updater.bot": ("telegram", "Bot"),
    "dispatcher.bot": ("telegram", "Bot"),
    "context.bot": ("telegram", "Bot"),
}
"""What a name stands for in nearly every program: each of these is asked whether it has what is used of it."""


def check_usage(path: Path, tree: ast.Module, names: Mapping[str, Any]) -> Iterator[Finding]:
    """What is used that is not there, and called otherwise than it may be.

    Args:
        path: the file.
        tree: what stands in it.
        names: what names of telegram mean in it.
    """
    own = _set_by_the_program(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from _attribute(path, node, own)
        elif isinstance(node, ast.Call):
            yield from _call(path, node, names)


def _set_by_the_program(tree: ast.Module) -> set[str]:
    """Attributes that it gives to objects itself, and those of its classes."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names |= {child.name for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return names


def _attribute(path: Path, node: ast.Attribute, own: set[str]) -> Iterator[Finding]:
    if node.attr in own:
        return
    if node.attr in _GONE:
        kinds = [found_in("telegram", name) for name in _GONE[node.attr]]
        if not any(kind is not None and hasattr(kind, node.attr) for kind in kinds):
            yield Finding(path, node.lineno, f"{ast.unparse(node)}: {_GONE[node.attr][0]}.{node.attr} is not there any more")
        return
    whose = ast.unparse(node.value)
    kind = found_in(*_OBJECTS[whose]) if whose in _OBJECTS else None
    if isinstance(kind, type) and node.attr not in attributes(kind):
        yield Finding(path, node.lineno, f"{whose}.{node.attr}: {kind.__name__} has no {node.attr} here")


def _call(path: Path, node: ast.Call, names: Mapping[str, Any]) -> Iterator[Finding]:
    function = _meant(node.func, names)
    if function is None and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in _OBJECTS:
        kind = found_in(*_OBJECTS[ast.unparse(node.func.value)])
        method = getattr(kind, node.func.attr, None)
        function = None if method is None else method.__get__(object(), kind) if hasattr(method, "__get__") and not isinstance(method, type) else method
    if function is None:
        return
    if (wrong := wrong_call(function, node)) is not None:
        yield Finding(path, node.lineno, f"{ast.unparse(node.func)}(…): {wrong}")
    if getattr(function, "__name__", "") == "PicklePersistence":
        yield Finding(
            path,
            node.lineno,
            "PicklePersistence keeps everything in the bot's state file; a pickle of python-telegram-bot 13 is read once, with --read-pickles",
            is_note=True,
        )


def _meant(function: ast.expr, names: Mapping[str, Any]) -> Any:
    """What is called, where that is a name of telegram's."""
    if isinstance(function, ast.Name):
        return names.get(function.id)
    if isinstance(function, ast.Attribute):
        owner = _meant(function.value, names)
        return None if owner is None else getattr(owner, function.attr, None)
    return None
