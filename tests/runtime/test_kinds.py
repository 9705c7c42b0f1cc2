"""The table of the kinds of updates, its generator, and what is read from the JSON of an update."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import telegram
from hypothesis import given
from hypothesis import strategies as st
from kits.dispatch_kit import ALONE, ALONE_OF_BOT, ANNA, FORUM, GROUP, JSON, SAMPLES, message, update

from syncbot.client.ptb.decode import decode_update
from syncbot.runtime.handling.kinds import API_VERSION, KINDS, SERVICE_FIELDS
from syncbot.runtime.handling.update_facts import NO_TARGET, ReplyTarget, is_answer, kind_of, order_key, ordered_kinds, target_of, user_id_of

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/generators/generate_kinds.py"


# ── the generator ────────────────────────────────────────────────────────────────────────────────────────────────────


def spec_field(name: str, kind: str, description: str = "") -> JSON:
    """A field as the specification writes it."""
    return {"name": name, "types": [kind], "required": False, "description": description}


def committed_spec() -> JSON:
    """The specification as far as the committed table tells it."""
    types: JSON = {"Update": {"fields": [spec_field("update_id", "Integer"), *(spec_field(kind.name, kind.type) for kind in KINDS)]}}
    for kind in KINDS:
        fields = {kind.user[0]: "User"} if kind.user else {}
        fields |= {kind.chat[0]: "Chat" if kind.chat == ("chat",) else "MaybeInaccessibleMessage"} if kind.chat else {}
        fields |= {kind.pattern: "String"} if kind.pattern else {}
        types[kind.type] = {"fields": [spec_field(name, written) for name, written in fields.items()]}
    answers = ("users_shared", "chat_shared", "web_app_data", "successful_payment", "write_access_allowed")
    types["Message"]["fields"] = [spec_field("from", "User"), spec_field("chat", "Chat")]
    types["Message"]["fields"] += [spec_field(name, "Text", "Optional. Service message: …") for name in (*SERVICE_ORDER, *answers)]
    return {"version": f"Bot API {API_VERSION}", "types": types}


def service_order() -> list[str]:
    """The service fields in the order in which the file has them."""
    text = (SCRIPT.parents[2] / "syncbot/runtime/handling/kinds.py").read_text(encoding="utf-8").partition("_SERVICE = ")[2]
    return [word for word in text.split() if word in SERVICE_FIELDS]


SERVICE_ORDER = service_order()


def generate(spec: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run([sys.executable, str(SCRIPT), str(spec), *options], capture_output=True, text=True, timeout=100, check=False)


def written(tmp_path: Path, spec: JSON) -> Path:
    """The specification as a file."""
    path = tmp_path / "api.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def test_the_committed_files_are_current(tmp_path: Path) -> None:
    """`--check` agrees that the table, the decorators and the stub are what the specification makes of them."""
    named = os.environ.get("BOT_API_SPEC")
    done = generate(Path(named) if named else written(tmp_path, committed_spec()), "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_finds_what_is_stale(tmp_path: Path) -> None:
    """`--check` names the files that are not current, and exits with 1."""
    done = generate(written(tmp_path, committed_spec() | {"version": "Bot API 99.9"}), "--check")
    assert done.returncode == 1
    assert done.stderr.count("is not current; run scripts/generators/generate_kinds.py") == 4


def test_a_new_kind_is_refused_until_somebody_has_looked_at_it(tmp_path: Path) -> None:
    """A kind without a summary ends the generation with its name."""
    spec = committed_spec()
    spec["types"]["Update"]["fields"].append(spec_field("chat_theme", "ChatTheme"))
    done = generate(written(tmp_path, spec))
    assert done.returncode == 1
    assert done.stderr.endswith("differ: chat_theme\n")


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_samples_are_complete() -> None:
    """There is a sample of every kind, so that the tests below leave none out."""
    assert list(SAMPLES) == [kind.name for kind in KINDS]


@pytest.mark.parametrize("kind", sorted(set(SAMPLES).intersection(telegram.Update.ALL_TYPES)))
def test_the_json_says_the_same_as_the_object(kind: str) -> None:
    """Kind, user and chat read from the JSON are those that python-telegram-bot's object has; guest messages have no chat for us."""
    raw = update(SAMPLES[kind], kind)
    decoded = decode_update(raw)
    assert kind_of(raw) == kind
    assert user_id_of(raw) == (decoded.effective_user.id if decoded.effective_user else None)
    expected = None if kind == "guest_message" else decoded.effective_chat
    assert target_of(raw).chat_id == (expected.id if expected else None)


def test_no_kind_of_python_telegram_bot_is_missing() -> None:
    """The table has the kinds that `telegram.Update` has, so that nothing decoded goes unnoticed."""
    assert set(telegram.Update.ALL_TYPES) <= {kind.name for kind in KINDS}


@pytest.mark.parametrize(("kind", "chat_id"), [("subscription", None), ("stopped_message_generation", 7)])
def test_who_caused_what_python_telegram_bot_does_not_know(kind: str, chat_id: int | None) -> None:
    """The user of a kind that it lacks is known all the same; a draft is stopped by the user whose private chat it is in."""
    raw = update(SAMPLES[kind], kind)
    assert (user_id_of(raw), target_of(raw).chat_id) == (7, chat_id)
    assert decode_update(raw).api_kwargs == {kind: SAMPLES[kind]}


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (update(chat=GROUP), "-100"),
        (update(SAMPLES["callback_query"], "callback_query"), "-100"),
        (update(SAMPLES["inline_query"], "inline_query"), "7"),
        (update(SAMPLES["guest_message"], "guest_message"), "7"),
        (update(SAMPLES["poll"], "poll"), ""),
        ({"update_id": 1, "newer": {"chat": {"id": 5}, "from": {"id": 6}}}, "5"),
        ({"update_id": 1, "newer": {"from": {"id": 6}}}, "6"),
        ({"update_id": 1}, ""),
    ],
)
def test_order_keys(raw: JSON, key: str) -> None:
    """Updates keep the order of their chat, else that of their user's private chat; those without either need none."""
    assert order_key(raw) == key


HOSTILE: list[Any] = [
    None,
    7,
    "text",
    [],
    {},
    {1: 2},
    {"update_id": 1},
    {"message": None},
    {"message": 5},
    {"message": []},
    {"message": {"from": 5, "chat": "x"}},
    {"message": {"from": {"id": "7"}, "chat": {"id": 7.5}}},
    {"message": {"from": {"id": True}, "chat": {"id": None}}},
    {"message": {"from": {"id": 2**70}, "chat": {"id": -(2**70)}}},
    {"callback_query": {"message": [1]}},
]


@pytest.mark.parametrize("raw", HOSTILE, ids=repr)
def test_hostile_updates_are_nobodys(raw: Any) -> None:
    """Wrong types anywhere give no user, no chat and no key, and never an exception."""
    assert (user_id_of(raw), target_of(raw).chat_id, order_key(raw)) == (None, None, "")
    assert target_of(raw).reply_chat_id is None


_names = st.sampled_from(["message", "chat", "from", "id", "user", "callback_query", "x"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=20,
)


@given(_json)
def test_any_json_can_be_read(raw: Any) -> None:
    """Whatever JSON comes in, reading it gives ids that fit 64 bits or None, and a key that is text."""
    for found in (user_id_of(raw), target_of(raw).chat_id):
        assert found is None or (type(found) is int and abs(found) <= 2**63)
    assert isinstance(order_key(raw), str)
    assert isinstance(target_of(raw), ReplyTarget)


def test_an_update_of_two_kinds_is_nobodys() -> None:
    """An update that claims two kinds cannot come from Telegram, and does not pass for one of the first one's user."""
    assert user_id_of({"message": message(), "callback_query": {"from": {"id": 666}}}) is None
    assert user_id_of({"message": message(), "callback_query": None}) == 7


def test_a_newer_kind_is_known_by_its_field() -> None:
    """A kind that the table lacks is the first field beside update_id; its sender counts, a mere `user` does not."""
    assert kind_of({"update_id": 1, "newer": {"from": ANNA}}) == "newer"
    assert user_id_of({"update_id": 1, "newer": {"from": ANNA}}) == 7
    assert user_id_of({"update_id": 1, "newer": {"user": ANNA}}) is None


def test_kinds_are_put_in_order() -> None:
    """Kinds come out in the table's order, unknown ones at the end."""
    assert ordered_kinds(["zz", "poll", "newer", "message"]) == ["message", "poll", "newer", "zz"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (update(), True),
        (update(kind="business_message"), True),
        (update(text=None, contact={"phone_number": "1", "first_name": "A"}), True),
        (update(text=None, users_shared={"request_id": 1, "users": []}), True),
        (update(text=None, pinned_message=message()), False),
        (update(text=None, new_chat_members=[ANNA]), False),
        (update(kind="edited_message"), False),
        (update(kind="channel_post"), False),
        (update(SAMPLES["callback_query"], "callback_query"), False),
        (update(kind="guest_message"), False),
    ],
)
def test_what_can_be_an_answer(raw: JSON, expected: bool) -> None:
    """New messages that a person wrote answer a question; edits, buttons and news of the chat do not."""
    assert is_answer(raw) is expected


# ── what an answer has to name ───────────────────────────────────────────────────────────────────────────────────────

TOPIC: JSON = {"chat": FORUM, "message_thread_id": 44, "is_topic_message": True}
TARGETS: list[tuple[JSON, JSON]] = [
    (update(), {"chat_id": 7, "reply_chat_id": 7, "user_id": 7, "message_id": 11}),
    (update(**TOPIC), {"chat_id": -200, "reply_chat_id": -200, "user_id": 7, "message_id": 11, "message_thread_id": 44}),
    # In an ordinary group the thread is one of replies, which cannot be sent to.
    (update(chat=GROUP, message_thread_id=44), {"chat_id": -100, "reply_chat_id": -100, "user_id": 7, "message_id": 11}),
    (
        update(chat={"id": -400, "type": "supergroup", "title": "DM"}, direct_messages_topic={"topic_id": 9}),
        {"chat_id": -400, "reply_chat_id": -400, "user_id": 7, "message_id": 11, "direct_messages_topic_id": 9},
    ),
    (
        update(SAMPLES["callback_query"] | {"message": message(message_id=21, **TOPIC)}, "callback_query"),
        {"chat_id": -200, "reply_chat_id": -200, "user_id": 7, "message_id": 21, "message_thread_id": 44, "query_id": "cq"},
    ),
    (
        update({"id": "cq", "from": ANNA, "chat_instance": "c", "inline_message_id": "im"}, "callback_query"),
        {"reply_chat_id": 7, "user_id": 7, "inline_message_id": "im", "query_id": "cq"},
    ),
    (
        update(SAMPLES["business_message"], "business_message"),
        {"chat_id": 7, "reply_chat_id": 7, "user_id": 7, "message_id": 11, "business_connection_id": "bc"},
    ),
    (update(SAMPLES["business_connection"], "business_connection"), {"reply_chat_id": 7, "user_id": 7}),
    (update(SAMPLES["guest_message"], "guest_message"), {"user_id": 7, "message_id": 11, "query_id": "gq"}),
    (update(SAMPLES["chat_join_request"], "chat_join_request"), {"chat_id": -100, "reply_chat_id": 70, "user_id": 7, "query_id": "jq"}),
    (update(SAMPLES["message_reaction"], "message_reaction"), {"chat_id": -100, "reply_chat_id": -100, "user_id": 7, "message_id": 5}),
    (update(SAMPLES["inline_query"], "inline_query"), {"reply_chat_id": 7, "user_id": 7, "query_id": "iq"}),
    (update(SAMPLES["pre_checkout_query"], "pre_checkout_query"), {"reply_chat_id": 7, "user_id": 7, "query_id": "pq"}),
    (update(SAMPLES["poll"], "poll"), {}),
    (
        update(SAMPLES["stopped_message_generation"], "stopped_message_generation"),
        {"chat_id": 7, "reply_chat_id": 7, "user_id": 7, "message_thread_id": 44},
    ),
    (update(SAMPLES["subscription"], "subscription"), {"reply_chat_id": 7, "user_id": 7}),
    # Where one user alone sees a message, it has no other id.
    (update(ALONE), {"chat_id": -100, "reply_chat_id": -100, "user_id": 7, "ephemeral_message_id": 5, "receiver_user_id": 123456789}),
    (
        update(SAMPLES["callback_query"] | {"message": ALONE_OF_BOT}, "callback_query"),
        {"chat_id": -100, "reply_chat_id": -100, "user_id": 7, "ephemeral_message_id": 6, "receiver_user_id": 7, "query_id": "cq"},
    ),
]


@pytest.mark.parametrize(("raw", "expected"), TARGETS)
def test_targets(raw: JSON, expected: JSON) -> None:
    """An update says where its answer goes: chat, forum topic, business account, query, or the private chat with its user."""
    assert target_of(raw) == ReplyTarget(kind=kind_of(raw) or "", **expected)


def test_no_update_has_no_target() -> None:
    """Where there is no update, there is nothing to name."""
    assert target_of(None) is NO_TARGET
