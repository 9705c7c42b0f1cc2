"""Sticker sets: made, filled, ordered and shown again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall
from syncbot.testing.world.file_store import StoredFile
from syncbot.testing.world.problems import bad_request
from syncbot.types import JSON


def sticker_card(stored: StoredFile, **facts: Any) -> JSON:
    """A Bot API Sticker."""
    return {**stored.card, "type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, **facts}


def _sets(call: ApiCall) -> dict[str, JSON]:
    found: dict[str, JSON] = call.world.settings.setdefault("sticker_sets", {})
    return found


def _set_of(call: ApiCall) -> JSON:
    found = _sets(call).get(str(call.get("name")).lower())
    if found is None:
        raise bad_request("STICKERSET_INVALID")
    return found


def known_sticker(call: ApiCall, file_id: Any) -> tuple[JSON, JSON] | None:
    """The set and the sticker with this file id."""
    return next(((a_set, sticker) for a_set in _sets(call).values() for sticker in a_set["stickers"] if sticker["file_id"] == file_id), None)


def _found(call: ApiCall, name: str = "sticker") -> tuple[JSON, JSON]:
    found = known_sticker(call, call.get(name))
    if found is None:
        raise bad_request("STICKER_INVALID")
    return found


def _emoji(asked: Any) -> str:
    """The first emoji of a list, which is the one that a Sticker shows."""
    return str(asked[0]) if isinstance(asked, list) and asked else "🙂"


def _new(call: ApiCall, given: Any, a_set: JSON) -> JSON:
    """A Sticker out of an InputSticker."""
    if not isinstance(given, dict):
        raise bad_request("can't parse InputSticker JSON object")
    stored = call.file(given.get("sticker"), "sticker")
    kind = given.get("format")
    facts: JSON = {"type": a_set["sticker_type"], "is_animated": kind == "animated", "is_video": kind == "video", "emoji": _emoji(given.get("emoji_list"))}
    if given.get("mask_position"):
        facts["mask_position"] = given["mask_position"]
    return sticker_card(stored, set_name=a_set["name"], **facts)


def create_set(call: ApiCall) -> bool:
    """createNewStickerSet."""
    name, given = str(call.get("name")), call.get("stickers")
    if name.lower() in _sets(call):
        raise bad_request("sticker set name is already occupied")
    if not given or not isinstance(given, list):
        raise bad_request("there are no stickers in the request")
    a_set: JSON = {"name": name, "title": str(call.get("title")), "sticker_type": call.get("sticker_type", "regular")}
    a_set["stickers"] = [_new(call, item, a_set) for item in given]
    _sets(call)[name.lower()] = a_set
    return True


def add(call: ApiCall) -> bool:
    """addStickerToSet."""
    a_set = _set_of(call)
    a_set["stickers"].append(_new(call, call.get("sticker"), a_set))
    return True


def replace(call: ApiCall) -> bool:
    """replaceStickerInSet."""
    a_set, old = _found(call, "old_sticker")
    a_set["stickers"][a_set["stickers"].index(old)] = _new(call, call.get("sticker"), a_set)
    return True


def move(call: ApiCall) -> bool:
    """setStickerPositionInSet."""
    a_set, sticker = _found(call)
    a_set["stickers"].remove(sticker)
    a_set["stickers"].insert(call.integer("position"), sticker)
    return True


def delete(call: ApiCall) -> bool:
    """deleteStickerFromSet."""
    a_set, sticker = _found(call)
    a_set["stickers"].remove(sticker)
    return True


def set_emoji(call: ApiCall) -> bool:
    """setStickerEmojiList."""
    _, sticker = _found(call)
    sticker["emoji"] = _emoji(call.get("emoji_list"))
    return True


def set_mask(call: ApiCall) -> bool:
    """setStickerMaskPosition."""
    _, sticker = _found(call)
    sticker.pop("mask_position", None)
    if call.get("mask_position"):
        sticker["mask_position"] = call.get("mask_position")
    return True


def set_keywords(call: ApiCall) -> bool:
    """setStickerKeywords, which nothing shows again."""
    return bool(_found(call))


def set_title(call: ApiCall) -> bool:
    """setStickerSetTitle."""
    _set_of(call)["title"] = str(call.get("title"))
    return True


def set_thumbnail(call: ApiCall) -> bool:
    """setStickerSetThumbnail: none where no file is given."""
    a_set = _set_of(call)
    a_set.pop("thumbnail", None)
    if call.get("thumbnail") or "thumbnail" in call.files:
        stored = call.file(call.get("thumbnail"), "thumbnail")
        a_set["thumbnail"] = {**stored.card, "width": 100, "height": 100}
    return True


def delete_set(call: ApiCall) -> bool:
    """deleteStickerSet."""
    del _sets(call)[_set_of(call)["name"].lower()]
    return True


def upload(call: ApiCall) -> JSON:
    """uploadStickerFile."""
    return call.file(call.get("sticker"), "sticker").card


HANDLERS: Mapping[str, Callable[[ApiCall], Any]] = {
    "uploadStickerFile": upload,
    "createNewStickerSet": create_set,
    "getStickerSet": _set_of,
    "addStickerToSet": add,
    "replaceStickerInSet": replace,
    "setStickerPositionInSet": move,
    "deleteStickerFromSet": delete,
    "setStickerEmojiList": set_emoji,
    "setStickerMaskPosition": set_mask,
    "setStickerKeywords": set_keywords,
    "setStickerSetTitle": set_title,
    "setStickerSetThumbnail": set_thumbnail,
    "deleteStickerSet": delete_set,
}
