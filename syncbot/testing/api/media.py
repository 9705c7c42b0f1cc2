"""Media, as messages and polls show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncbot.testing.api.content import ApiCall
from syncbot.testing.api.stickers import known_sticker, sticker_card
from syncbot.testing.world.file_store import StoredFile
from syncbot.testing.world.problems import bad_request
from syncbot.types import JSON


def _named(stored: StoredFile) -> JSON:
    return {**stored.card, "file_name": stored.name, "mime_type": stored.mime_type}


def given(params: JSON, *names: str) -> JSON:
    """Those of the parameters that have a value."""
    return {name: params[name] for name in names if params.get(name) not in (None, "")}


def _frame(params: JSON) -> JSON:
    return {"width": params.get("width") or 640, "height": params.get("height") or 480, "duration": params.get("duration") or 0}


def photo_sizes(stored: StoredFile) -> list[JSON]:
    """A photo as the Bot API describes it: a small and a large size."""
    small = {"file_id": stored.file_id, "file_unique_id": f"{stored.unique_id}s", "file_size": min(stored.size, 1000), "width": 90, "height": 67}
    return [small, {**stored.card, "width": 1280, "height": 960}]


def _animation(stored: StoredFile, params: JSON) -> JSON:
    value = {**_named(stored), **_frame(params)}
    return {"animation": value, "document": _named(stored)}  # old clients find an animation under document, and a live photo under photo


DESCRIBE: Mapping[str, Callable[[StoredFile, JSON], JSON]] = {
    "photo": lambda stored, params: {"photo": photo_sizes(stored)},
    "live_photo": lambda stored, params: {"live_photo": {**stored.card, **_frame(params), "mime_type": "video/mp4"}},
    "audio": lambda stored, params: {"audio": {**_named(stored), "duration": params.get("duration") or 0, **given(params, "performer", "title")}},
    "document": lambda stored, params: {"document": _named(stored)},
    "video": lambda stored, params: {"video": {**_named(stored), **_frame(params)}},
    "animation": _animation,
    "voice": lambda stored, params: {"voice": {**stored.card, "duration": params.get("duration") or 0, "mime_type": "audio/ogg"}},
    "video_note": lambda stored, params: {
        "video_note": {**stored.card, "length": params.get("length") or 240, "duration": params.get("duration") or 0},
    },
    "sticker": lambda stored, params: {"sticker": sticker_card(stored, **given(params, "emoji"))},
}
"""How each kind of medium stands in a message."""


_WITH_THUMBNAIL = {"animation", "audio", "document", "video", "video_note"}


def media_content(call: ApiCall, kind: str, value: Any, params: JSON) -> JSON:
    """The content of a message with a medium of this kind ("photo", "document", …)."""
    if kind not in DESCRIBE:
        raise bad_request("can't parse InputMedia: type of the media is invalid")
    content = DESCRIBE[kind](call.file(value, kind), params)
    if kind == "sticker" and (known := known_sticker(call, value)) is not None:
        content["sticker"] = known[1]
    if (thumbnail := _thumbnail(call, params)) is not None:
        for name in _WITH_THUMBNAIL & set(content):
            content[name]["thumbnail"] = {**thumbnail.card, "width": 320, "height": 240}
    if kind == "video" and params.get("cover"):
        content["video"]["cover"] = photo_sizes(call.file(params["cover"], "cover"))
    if kind == "live_photo":
        content["photo"] = content["live_photo"]["photo"] = photo_sizes(call.file(params.get("photo"), "photo"))
    return content


def _thumbnail(call: ApiCall, params: JSON) -> StoredFile | None:
    """The thumbnail, which has to be uploaded with the call: anything else is passed over."""
    given_name = params.get("thumbnail") or params.get("thumb")
    if isinstance(given_name, str) and given_name.startswith("attach://"):
        return call.file(given_name, "thumbnail")
    return call.file(None, "thumbnail") if params is call.params and "thumbnail" in call.files else None


def venue(params: JSON) -> JSON:
    """A Bot API Venue."""
    more = given(params, "foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
    return {"location": location(given(params, "latitude", "longitude")), "title": params.get("title"), "address": params.get("address"), **more}


def location(params: JSON) -> JSON:
    """A Bot API Location; raises `ApiProblem` where there is no such place."""
    latitude, longitude = params.get("latitude"), params.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float) or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise bad_request("wrong latitude or longitude")
    more = given(params, "horizontal_accuracy", "live_period", "heading", "proximity_alert_radius")
    return {"latitude": latitude, "longitude": longitude, **more}


def checklist(asked: Any) -> JSON:
    """A Checklist out of an InputChecklist."""
    if not isinstance(asked, dict) or not isinstance(asked.get("tasks"), list):
        raise bad_request("can't parse checklist JSON object")
    tasks = [{"id": task.get("id", n + 1), "text": str(task.get("text", ""))} for n, task in enumerate(asked["tasks"]) if isinstance(task, dict)]
    return {"title": str(asked.get("title", "")), "tasks": tasks, **given(asked, "others_can_add_tasks", "others_can_mark_tasks_as_done")}
