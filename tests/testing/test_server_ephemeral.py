"""What the fake server knows of Bot API 10.2 and 10.3: messages that one member sees, drafts that are stopped, subscriptions, communities, rich messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kits.server_kit import Client, client_of

from syncbot.testing import BotApiServer, Group, RateLimits, User

JSON = dict[str, Any]
NO_RIGHTS = "Bad Request: not enough rights to send ephemeral messages to the chat"
OLD_QUERY = "Bad Request: query is too old and response timeout expired or query ID is invalid"
YES = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer(strict=True) as running:
        yield running


@pytest.fixture
def ann(server: BotApiServer) -> User:
    return server.user(42, "Ann")


@pytest.fixture
def bob(server: BotApiServer) -> User:
    return server.user(43, "Bob")


@pytest.fixture
def group(server: BotApiServer, ann: User, bob: User) -> Group:
    return server.group("The group", members=[ann, bob], username="the_group")


@pytest.fixture
def client(server: BotApiServer) -> Iterator[Client]:
    with client_of(server) as connected:
        yield connected


def only_for(user: User, **more: Any) -> JSON:
    """The parameter that makes a message ephemeral."""
    return {"ephemeral_message_parameters": {"receiver_user_id": user.id, **more}}


def newest(server: BotApiServer, kind: str = "message") -> JSON:
    """What the newest update holds."""
    found: JSON = server.pending_updates[-1][kind]
    return found


# ── messages that one member sees ────────────────────────────────────────────────────────────────────────────────────


def test_one_member_alone_sees_it(server: BotApiServer, client: Client, group: Group, ann: User, bob: User) -> None:
    """It has an id of its own and none of a message; its receiver sees it, the others and the group's own list do not."""
    group.promote_bot(ann)
    sent = client.ok("sendMessage", chat_id=group.id, text="psst", **only_for(ann))
    assert (sent["message_id"], sent["ephemeral_message_id"], sent["receiver_user"]["id"]) == (0, 1, ann.id)
    assert group.seen_by(ann).wait_for("psst").is_ephemeral
    assert [message.text for message in group.seen_by(ann).messages] == ["psst"]
    assert group.seen_by(bob).messages == group.messages == []
    client.ok("sendMessage", chat_id=group.id, text="all")
    assert [message.text for message in group.seen_by(bob).messages] == ["all"]
    assert group.seen_by(ann).wait_for("all").message_id == 1
    assert [message.text for message in server.sent] == ["psst", "all"]


def test_a_view_is_made_under_the_lock_of_the_world(server: BotApiServer, group: Group, ann: User) -> None:
    """While the server works on the group, who wants to look waits: the first look makes a place for what the member alone sees."""
    made = threading.Event()

    def look() -> None:
        group.seen_by(ann)
        made.set()

    thread = threading.Thread(target=look)
    with server.world.changed:
        thread.start()
        assert not made.wait(0.2)
    assert made.wait(20.0)
    thread.join()


def test_its_own_methods_change_it(client: Client, group: Group, ann: User, bob: User) -> None:
    """Text, keyboard, caption and media change, each for the member who sees it; nothing is told but True."""
    group.promote_bot(ann)
    view = group.seen_by(ann)
    client.ok("sendMessage", chat_id=group.id, text="old", **only_for(ann))
    here = {"chat_id": "@the_group", "receiver_user_id": ann.id, "ephemeral_message_id": 1}
    assert client.ok("editEphemeralMessageText", **here, text="<b>new</b>", parse_mode="HTML") is True
    assert view.wait_for("new").kind == "edited"
    assert client.ok("editEphemeralMessageReplyMarkup", **here, reply_markup=YES) is True
    assert client.refused("editEphemeralMessageReplyMarkup", **here, reply_markup=YES).startswith("Bad Request: message is not modified")
    client.ok("editEphemeralMessageText", **here, rich_message={"markdown": "rich"})
    assert view.last.text == "rich"
    assert client.refused("editEphemeralMessageText", **{**here, "receiver_user_id": bob.id}, text="x") == "Bad Request: message to edit not found"
    client.upload("sendPhoto", {"photo": ("p.jpg", b"jpg")}, chat_id=group.id, **only_for(ann))
    there = {**here, "ephemeral_message_id": 2}
    client.ok("editEphemeralMessageCaption", **there, caption="c")
    assert view.last.text == "c"
    client.upload("editEphemeralMessageMedia", {"new": ("d.txt", b"doc")}, **there, media={"type": "document", "media": "attach://new"})
    assert "document" in view.last.data


def test_it_is_deleted_by_its_own_method_and_its_id_is_free(client: Client, group: Group, ann: User, bob: User) -> None:
    """A deleted one is gone, and the next may have its id, whomever it is for: a second try of a deletion would hit that one."""
    group.promote_bot(ann)
    here = {"chat_id": group.id, "receiver_user_id": ann.id, "ephemeral_message_id": 1}
    client.ok("sendMessage", chat_id=group.id, text="one", **only_for(ann))
    assert client.ok("sendMessage", chat_id=group.id, text="two", **only_for(bob))["ephemeral_message_id"] == 2
    assert client.ok("deleteEphemeralMessage", **here) is True
    assert group.seen_by(ann).messages == []
    assert client.refused("deleteEphemeralMessage", **here) == "Bad Request: message to delete not found"
    assert client.ok("sendMessage", chat_id=group.id, text="three", **only_for(ann))["ephemeral_message_id"] == 1


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("deleteMessage", {}),
        ("editMessageText", {"text": "x"}),
        ("forwardMessage", {}),
        ("copyMessage", {}),
        ("pinChatMessage", {}),
        ("setMessageReaction", {"reaction": []}),
    ],
)
def test_the_ordinary_methods_do_not_find_it(client: Client, group: Group, ann: User, method: str, params: JSON) -> None:
    """Neither under its ephemeral id nor under the 0 that it has in place of another."""
    group.promote_bot(ann)
    client.ok("sendMessage", chat_id=group.id, text="psst", **only_for(ann))
    source = {"from_chat_id": group.id} if method in ("forwardMessage", "copyMessage") else {}
    for number in (0, 1):
        told = client.refused(method, chat_id=group.id, message_id=number, **source, **params)
        assert told.endswith("not found") or told == "Bad Request: message identifier is not specified"


def test_who_may_be_sent_one(server: BotApiServer, client: Client, group: Group, ann: User) -> None:
    """Members of groups, and no bots; in a private chat there is nobody to keep it from."""
    group.promote_bot(ann)
    stranger = server.user(44)
    for user_id in (stranger.id, server.bot["id"], 999):
        told = client.refused("sendMessage", chat_id=group.id, text="x", ephemeral_message_parameters={"receiver_user_id": user_id})
        assert told == "Bad Request: user not found"
    assert client.refused("sendMessage", chat_id=ann.id, text="x", **only_for(ann)) == (
        "Bad Request: ephemeral messages can be sent only to groups and supergroups"
    )
    live = {"latitude": 1, "longitude": 1, "live_period": 60}
    assert client.refused("sendLocation", chat_id=group.id, **live, **only_for(ann)) == "Bad Request: live locations can't be sent as ephemeral messages"


def test_a_bot_that_is_no_administrator_answers_presses(server: BotApiServer, client: Client, group: Group, ann: User, bob: User) -> None:
    """It may within 15 seconds, and to the one who pressed; else it lacks the right. It can stand in place of the message under the button, for this member."""
    client.ok("sendMessage", chat_id=group.id, text="Sure?", reply_markup=YES)
    assert client.refused("sendMessage", chat_id=group.id, text="x", **only_for(ann)) == NO_RIGHTS
    press = ann.press("Yes", in_chat=group)
    assert client.refused("sendMessage", chat_id=group.id, text="x", **only_for(bob, callback_query_id=press.id)) == OLD_QUERY
    client.ok("sendMessage", chat_id=group.id, text="for you", **only_for(ann, callback_query_id=press.id, replace_callback_query_message=True))
    assert [message.text for message in group.seen_by(ann).messages] == ["for you"]
    assert [message.text for message in group.seen_by(bob).messages] == ["Sure?"]
    server.world.callbacks[press.id].pressed -= 16
    assert client.refused("sendMessage", chat_id=group.id, text="x", **only_for(ann, callback_query_id=press.id)) == OLD_QUERY


def test_a_press_under_an_ephemeral_message(server: BotApiServer, client: Client, group: Group, ann: User, bob: User) -> None:
    """Its receiver alone finds the button; the update shows the message as it is now, and it is edited, not replaced."""
    group.promote_bot(ann)
    client.ok("sendMessage", chat_id=group.id, text="Sure?", reply_markup=YES, **only_for(ann))
    with pytest.raises(LookupError):
        bob.press("Yes", in_chat=group)
    press = ann.press("Yes", in_chat=group)
    assert newest(server, "callback_query")["message"]["ephemeral_message_id"] == 1
    told = client.refused("sendMessage", chat_id=group.id, text="x", **only_for(ann, callback_query_id=press.id, replace_callback_query_message=True))
    assert told == "Bad Request: ephemeral messages can't be replaced"


def test_commands_that_the_bot_alone_sees(server: BotApiServer, client: Client, group: Group, ann: User, bob: User) -> None:
    """A command that was set as ephemeral reaches the bot with an id of that kind, and nobody else; its answer names it, within 15 seconds."""
    client.ok("setMyCommands", commands=[{"command": "secret", "description": "Ask", "is_ephemeral": True}, {"command": "open", "description": "Ask"}])
    assert client.ok("getMyCommands")[0]["is_ephemeral"] is True
    group.send(ann, "/open")
    assert newest(server)["message_id"] == 1
    group.send(ann, "/secret@test_bot word")
    asked = newest(server)
    assert (asked["message_id"], asked["ephemeral_message_id"], asked["receiver_user"]["id"]) == (0, 1, server.bot["id"])
    answer = {"chat_id": group.id, "text": "psst", "reply_parameters": {"ephemeral_message_id": 1}}
    assert client.refused("sendMessage", **answer) == "Bad Request: message to be replied not found"
    assert client.refused("sendMessage", **answer, **only_for(bob)) == "Bad Request: message to be replied not found"
    assert client.ok("sendMessage", **answer, **only_for(ann))["ephemeral_message_id"] == 2
    group.send(ann, "thanks", reply_to=group.seen_by(ann).wait_for("psst"))
    assert newest(server)["ephemeral_message_id"] == 3
    with server.world.changed:
        server.world.chats[group.id].seen_alone(ann.id).messages[1]["date"] = int(time.time()) - 17
    assert client.refused("sendMessage", **answer, **only_for(ann)) == "Bad Request: message to be replied not found"


def test_the_parameters_of_the_version_before(client: Client, group: Group, ann: User) -> None:
    """receiver_user_id and callback_query_id beside the text are taken as they were in Bot API 10.2."""
    client.ok("sendMessage", chat_id=group.id, text="Sure?", reply_markup=YES)
    press = ann.press("Yes", in_chat=group)
    sent = client.ok("sendMessage", chat_id=group.id, text="x", receiver_user_id=ann.id, callback_query_id=press.id)
    assert sent["receiver_user"]["id"] == ann.id


def test_an_ephemeral_message_counts_for_its_chat() -> None:
    """Whoever sees them, they use up the burst of one chat."""
    with BotApiServer(rate_limits=RateLimits(chat_per_second=0.001)) as server, client_of(server) as client:
        ann, bob = server.user(42), server.user(43)
        group = server.group(members=[ann, bob])
        group.promote_bot(ann)
        told = [client.call("sendMessage", chat_id=group.id, text="x", **only_for(user)) for user in (ann, bob) * 3]
        assert [answer["ok"] for answer in told] == [True] * 5 + [False]
        assert [violation.rule for violation in server.meter.violations] == ["chat"]


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_shown_until_the_message_comes(client: Client, ann: User) -> None:
    """The newest one is shown, as text or as blocks; an empty one too, and none after the message."""
    assert ann.draft is None
    client.ok("sendMessageDraft", chat_id=ann.id, draft_id=3, text="")
    assert ann.wait_for_draft("").kind == "draft"
    client.ok("sendMessageDraft", chat_id=ann.id, draft_id=3, text="<i>one</i>", parse_mode="HTML")
    assert ann.wait_for_draft("one").entities == [{"type": "italic", "offset": 0, "length": 3}]
    client.ok("sendRichMessageDraft", chat_id=ann.id, draft_id=3, rich_message={"blocks": [{"type": "thinking", "text": "hm"}]})
    ann.wait_for_draft("hm")
    client.ok("sendMessage", chat_id=ann.id, text="one two")
    assert ann.draft is None


def test_a_draft_passes_by_itself(server: BotApiServer, client: Client, ann: User) -> None:
    """After 30 seconds nothing of it is shown."""
    client.ok("sendMessageDraft", chat_id=ann.id, draft_id=3, text="one")
    with server.world.changed:
        server.world.chats[ann.id].more["draft"]["shown_until"] -= 30
    assert ann.draft is None


@pytest.mark.parametrize("keep", [True, False])
def test_a_user_stops_a_draft(server: BotApiServer, client: Client, ann: User, keep: bool) -> None:
    """The bot is told, with the draft's id and thread; the draft stays where that was asked for, and later ones of it are not shown."""
    thread = client.ok("createForumTopic", chat_id=ann.id, name="t")["message_thread_id"]
    flags = {"can_stop": True, "keep_on_stop": keep}
    client.ok("sendMessageDraft", chat_id=ann.id, draft_id=3, text="one", message_thread_id=thread, **flags)
    ann.stop_draft()
    stopped = newest(server, "stopped_message_generation")
    assert (stopped["draft_id"], stopped["message_thread_id"], stopped["chat"]["id"]) == (3, thread, ann.id)
    client.ok("sendMessageDraft", chat_id=ann.id, draft_id=3, text="one two", **flags)
    assert (ann.draft.text if ann.draft else None) == ("one" if keep else None)
    client.ok("sendMessageDraft", chat_id=ann.id, draft_id=4, text="another")
    ann.wait_for_draft("another")
    with pytest.raises(LookupError, match="can_stop"):
        ann.stop_draft()


def test_drafts_that_are_none(client: Client, group: Group, ann: User) -> None:
    """They are for private chats, with an id that is not 0, and as long as a message; a block that thinks is for drafts alone."""
    assert client.refused("sendMessageDraft", chat_id=group.id, draft_id=1, text="x") == "Bad Request: drafts can be sent only to private chats"
    assert client.refused("sendMessageDraft", chat_id=ann.id, draft_id=0, text="x") == "Bad Request: draft_id must be non-zero"
    assert client.refused("sendMessageDraft", chat_id=ann.id, draft_id=1, text="x" * 4097) == "Bad Request: message is too long"
    thinking = {"blocks": [{"type": "thinking", "text": "hm"}]}
    assert client.refused("sendRichMessage", chat_id=ann.id, rich_message=thinking).endswith("type of the block is invalid")


# ── subscriptions and communities ────────────────────────────────────────────────────────────────────────────────────


def test_a_subscription_changes(server: BotApiServer, ann: User) -> None:
    """Each state is an update with the invoice's payload; another word is none."""
    for state in ("canceled", "active", "failed"):
        ann.change_subscription(state, invoice_payload="gold")
        assert newest(server, "subscription") == {"user": ann.card, "invoice_payload": "gold", "state": state}
    with pytest.raises(ValueError, match="no state"):
        ann.change_subscription("paused")


def test_a_group_in_a_community(server: BotApiServer, client: Client, group: Group, ann: User) -> None:
    """The group tells that it is in one, who came by way of it, and that it is in none any more."""
    with pytest.raises(LookupError, match="in no community"):
        group.join(server.user(50), from_community=True)
    group.add_to_community(ann, "The town")
    community = newest(server)["community_chat_added"]["community"]
    assert community["name"] == "The town"
    assert client.ok("getChat", chat_id=group.id)["community"] == community
    group.join(server.user(50), from_community=True)
    assert newest(server)["community_chat_joined"] == {"community": community}
    group.remove_from_community(ann)
    assert newest(server)["community_chat_removed"] == {}
    assert "community" not in client.ok("getChat", chat_id=group.id)


# ── rich messages and buttons ────────────────────────────────────────────────────────────────────────────────────────


def test_blocks_stand_in_the_message(client: Client, ann: User) -> None:
    """Blocks come back as Telegram shows them: media as files, items with labels, maps with a size; their text and buttons are the user's to read and press."""
    blocks: list[JSON] = [
        {"type": "heading", "text": "Title", "size": 1},
        {"type": "paragraph", "text": ["Some ", {"type": "bold", "text": "bold"}, {"type": "button", "button": {"text": "In", "callback_data": "in"}}]},
        {"type": "list", "items": [{"blocks": [{"type": "paragraph", "text": "first"}], "type": "1"}, {"blocks": []}]},
        {"type": "details", "summary": "More", "blocks": [{"type": "photo", "photo": {"type": "photo", "media": "attach://p"}}]},
        {"type": "voice_note", "voice_note": {"type": "voice_note", "media": "attach://p"}},
        {"type": "map", "location": {"latitude": 1, "longitude": 2}, "zoom": 5},
        {"type": "table", "cells": [[{"text": "a", "align": "left", "valign": "top"}, {"text": "b", "align": "left", "valign": "top"}]]},
        {"type": "buttons", "buttons": [{"text": {"type": "bold", "text": "Go"}, "callback_data": "go"}, {"text": "Off", "disabled": {}}]},
        {"type": "divider"},
    ]
    sent = client.upload("sendRichMessage", {"p": ("p.jpg", b"jpg")}, chat_id=ann.id, rich_message={"blocks": blocks, "is_rtl": True})["result"]
    made = sent["rich_message"]["blocks"]
    assert [block["type"] for block in made] == [block["type"] for block in blocks]
    assert [item["label"] for item in made[2]["items"]] == ["1.", "•"]
    assert len(made[3]["blocks"][0]["photo"]) == 2
    assert made[4]["voice_note"]["mime_type"] == "audio/ogg"
    assert (made[5]["zoom"], made[5]["width"]) == (5, 600)
    assert ann.last.text.splitlines() == ["Title", "Some boldIn", "first", "More", "a", "b"]
    assert [button["text"] for button in ann.last.buttons] == ["In", "Go", "Off"]
    assert ann.press("Go").answer is None
    with pytest.raises(LookupError, match="'Off' is disabled and does nothing"):
        ann.press("Off")


def test_media_beside_a_text(server: BotApiServer, client: Client, ann: User) -> None:
    """Those that a link of the text names stand in the message, the others do not."""
    file_id = server.add_file(b"x", name="x.jpg")
    media = [{"id": name, "media": {"type": "photo", "media": file_id}} for name in ("a", "b")]
    sent = client.ok("sendRichMessage", chat_id=ann.id, rich_message={"markdown": "![](tg://photo?id=b)", "media": media})
    assert [block["type"] for block in sent["rich_message"]["blocks"]] == ["paragraph", "photo"]


@pytest.mark.parametrize(
    "rich",
    [
        {},
        {"html": "x", "markdown": "x"},
        {"html": "x", "blocks": [{"type": "divider"}]},
        {"blocks": [{"type": "smell"}]},
        {"blocks": ["x"]},
        {"blocks": [{"type": "list", "items": ["x"]}]},
        {"blocks": [{"type": "map", "location": {}}]},
        {"blocks": [{"type": "map", "location": "x"}]},
        {"blocks": [{"type": "blockquote"}]},
        {"blocks": [{"type": "table"}]},
        {"blocks": [{"type": "table", "cells": 5}]},
        {"blocks": [{"type": "table", "cells": [[1]]}]},
        {"blocks": [{"type": "buttons", "buttons": [{"text": "x"}]}]},
        {"html": "x", "media": [{"id": "a b", "media": {"type": "photo", "media": "x"}}]},
        {"html": "x", "media": [{"id": "a", "media": {"type": "poll", "media": "x"}}]},
    ],
)
def test_rich_messages_that_are_none(server: BotApiServer, client: Client, ann: User, rich: JSON) -> None:
    """Each is refused as a mistake of the call, and none is one of the server."""
    assert client.refused("sendRichMessage", chat_id=ann.id, rich_message=rich).startswith("Bad Request: ")
    assert server.problems == []


def test_blocks_without_an_end(server: BotApiServer, client: Client, ann: User) -> None:
    """Blocks within blocks, deeper than the server goes, are refused."""
    rich: JSON = {"blocks": [{"type": "divider"}]}
    for _ in range(400):
        rich = {"blocks": [{"type": "blockquote", **rich}]}
    assert client.refused("sendRichMessage", chat_id=ann.id, rich_message=rich).endswith("nested too deep")
    assert server.problems == []


@pytest.mark.parametrize("odd", [[], {}, "x", None, 1.5, True, 2**70])
def test_odd_receivers(server: BotApiServer, client: Client, group: Group, ann: User, odd: Any) -> None:
    """Whatever stands in the place of a number names nobody and nothing, and is no mistake of the server."""
    group.promote_bot(ann)
    client.refused("sendMessage", chat_id=group.id, text="x", ephemeral_message_parameters={"receiver_user_id": odd})
    client.refused("sendMessage", chat_id=group.id, text="x", reply_parameters={"ephemeral_message_id": odd or 1}, **only_for(ann))
    assert not [problem for problem in server.problems if "failed" in problem]


def test_a_keyboard_that_asks_for_a_reply(client: Client, ann: User) -> None:
    """`force_reply` stays with an inline keyboard, and an edit does not change it; a disabled button is one that does nothing."""
    keyboard = {"inline_keyboard": [[{"text": "Off", "disabled": {}}, {"text": "Yes", "callback_data": "yes"}]], "force_reply": True}
    sent = client.ok("sendMessage", chat_id=ann.id, text="x", reply_markup=keyboard)
    assert sent["reply_markup"] == keyboard
    with pytest.raises(LookupError, match="disabled"):
        ann.press("Off")
    edited = client.ok("editMessageReplyMarkup", chat_id=ann.id, message_id=sent["message_id"], reply_markup=YES)
    assert edited["reply_markup"] == YES | {"force_reply": True}


def test_a_right_that_is_new(client: Client, group: Group, ann: User) -> None:
    """An administrator who may send welcome messages is one."""
    assert client.ok("promoteChatMember", chat_id=group.id, user_id=43, can_send_welcome_messages=True)
    assert client.ok("getChatMember", chat_id=group.id, user_id=43)["can_send_welcome_messages"] is True
