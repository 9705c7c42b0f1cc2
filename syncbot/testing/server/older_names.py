"""Names of former versions of the Bot API that Telegram's server still takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncbot.client.api.table import MethodSpec

METHODS = {"kickchatmember": "banChatMember", "getchatmemberscount": "getChatMemberCount", "setstickersetthumb": "setStickerSetThumbnail"}
"""Methods, in lower case, and how they are called now."""

_RENAMED = {"thumb": "thumbnail"}
_STICKERS = {"png_sticker": "static", "tgs_sticker": "animated", "webm_sticker": "video"}


def field_name(spec: MethodSpec, name: str) -> str:
    """What a parameter, or the field of a file, is called now."""
    new = _RENAMED.get(name, name)
    return new if new in spec.parameters else name


def translated(spec: MethodSpec | None, raw: Mapping[str, Any], uploaded: frozenset[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """Parameters and fields of files under their present names; a `method` beside the one in the path means nothing."""
    params = {name: value for name, value in raw.items() if name != "method"}
    if spec is None:
        return params, uploaded
    params = {field_name(spec, name): value for name, value in params.items()}
    if "correct_option_ids" in spec.parameters and (right := params.pop("correct_option_id", None)) is not None:
        params.setdefault("correct_option_ids", f"[{right}]")
    if "ephemeral_message_parameters" in spec.parameters and "receiver_user_id" in params:
        named = {name: params.pop(name) for name in ("receiver_user_id", "callback_query_id") if name in params}
        params.setdefault("ephemeral_message_parameters", json.dumps(named | {"receiver_user_id": int(named["receiver_user_id"])}))
    for name, kind in _STICKERS.items():
        if name in params or name in uploaded:
            params.update(_sticker(spec, name, kind, params))
    return params, frozenset(field_name(spec, name) for name in uploaded)


def _sticker(spec: MethodSpec, name: str, kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """A sticker that has a parameter of its own, and its emoji and mask beside it, as what the method takes now."""
    value = params.pop(name, f"attach://{name}")
    if spec.name == "uploadStickerFile":
        return {"sticker": value, "sticker_format": params.get("sticker_format", kind)}
    emoji = [params.pop("emojis")] if "emojis" in params else []
    mask = {"mask_position": params.pop("mask_position")} if "mask_position" in params else {}
    sticker = {"sticker": value, "format": kind, "emoji_list": emoji, **mask}
    if "stickers" in spec.parameters:
        return {"stickers": [sticker]}
    return {"sticker": sticker} if "sticker" in spec.parameters else {}
