"""What a program does with telegram's objects, as far as it can be told from its text."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from syncbot.compat.ptb13.bot.renamed import method_name
from syncbot.compat.ptb13.checking.finding import Finding
from syncbot.compat.ptb13.checking.kinds import Kinds
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


def check_usage(path: Path, tree: ast.Module, names: Mapping[str, Any]) -> Iterator[Finding]:
    """What is used that is not there, and called otherwise than it may be.

    Args:
        path: the file.
        tree: what stands in it.
        names: what names of telegram mean in it.
    """
    own, kinds = _set_by_the_program(tree), Kinds(tree, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from _attribute(path, node, own, kinds)
        elif isinstance(node, ast.Call):
            yield from _call(path, node, kinds)
            yield from _webhook(path, node)
        elif isinstance(node, ast.Dict):
            yield from _proxy_settings(path, node)


def _set_by_the_program(tree: ast.Module) -> set[str]:
    """Attributes that it gives to objects itself, and those of its classes."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names |= {child.name for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return names


def _attribute(path: Path, node: ast.Attribute, own: set[str], kinds: Kinds) -> Iterator[Finding]:
    if node.attr in own:
        return
    if node.attr in _GONE:
        owners = [found_in("telegram", name) for name in _GONE[node.attr]]
        if not any(hasattr(owner, node.attr) for owner in owners):
            yield Finding(path, node.lineno, f"{ast.unparse(node)}: {_GONE[node.attr][0]}.{node.attr} is not there any more")
        return
    shown, kind, meant = ast.unparse(node), kinds.kind(node.value), kinds.meant(node.value)
    if kind is not None and node.attr not in attributes(kind) and not (kind.__name__ == "Bot" and hasattr(found_in("telegram", "User"), node.attr)):
        yield Finding(path, node.lineno, f"{shown}: {kind.__name__} has no {node.attr} here")
    elif meant is not None and kinds.meant(node) is None and not hasattr(meant, node.attr):
        yield Finding(path, node.lineno, f"{shown}: {ast.unparse(node.value)} has no {node.attr} here")


def _call(path: Path, node: ast.Call, kinds: Kinds) -> Iterator[Finding]:
    shown = ast.unparse(node.func)
    function = kinds.meant(node.func)
    name = getattr(function, "__name__", "")
    if function is None and isinstance(node.func, ast.Attribute) and (kind := kinds.kind(node.func.value)) is not None:
        method = getattr(kind, node.func.attr, None)
        if inspect.isfunction(method):
            function, name = method.__get__(kind), f"{kind.__name__}.{method_name(node.func.attr)}"
    if function is None:
        return
    if (wrong := wrong_call(function, name, node)) is not None:
        yield Finding(path, node.lineno, f"{shown}(…): {wrong}")
    if name == "PicklePersistence":
        yield Finding(
            path,
            node.lineno,
            "PicklePersistence keeps everything in the bot's state file; a pickle of python-telegram-bot 13 is read once, with --read-pickles",
            is_note=True,
        )


def _webhook(path: Path, node: ast.Call) -> Iterator[Finding]:
    given = {keyword.arg for keyword in node.keywords if not (isinstance(keyword.value, ast.Constant) and keyword.value.value is None)}
    if isinstance(node.func, ast.Attribute) and node.func.attr == "start_webhook" and "key" in given:
        yield Finding(path, node.lineno, "start_webhook(key=…): it speaks no TLS here; put nginx or Caddy in front of it, and leave the key out")


def _proxy_settings(path: Path, node: ast.Dict) -> Iterator[Finding]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "urllib3_proxy_kwargs" and isinstance(value, ast.Dict):
            names = [str(each.value) for each in value.keys if isinstance(each, ast.Constant)]
            if unused := [name for name in names if name not in ("username", "password")]:
                text = f"urllib3_proxy_kwargs: {', '.join(unused)} is not used here; a proxy is told by its URL, username and password"
                yield Finding(path, value.lineno, text, is_note=True)
