"""Which updates the filters take, and how filters of all sorts combine."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from kits.dispatch_kit import ANNA, CHANNEL, FORUM, GROUP, JSON, SAMPLES, Rig, message, update
from kits.storage_kit import set_state
from telegram.ext import filters as ptb

from syncbot.client.ptb.decode import decode_update
from syncbot.plain import Update
from syncbot.runtime.handling import filters
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.filters import Filter, as_filter, match_in
from syncbot.runtime.handling.update_facts import message_of


def uses_telegrams(found: Filter) -> bool:
    """Whether one of python-telegram-bot's filters is in it."""
    return found.is_telegrams or any(map(uses_telegrams, found.parts))


def check(wanted: Any, raw: JSON) -> object:
    """What a filter says of an update, and ours of a plain one too."""
    rig = Rig()
    context = Context(rig.bot, rig.store.data, raw=raw)
    made = as_filter(wanted)
    found = made.check(decode_update(raw), context)
    if not uses_telegrams(made):
        plain: Any = Update(copy.deepcopy(raw))
        assert bool(made.check(plain, context)) is bool(found), "a plain update is judged otherwise"
    rig.close()
    return found


FILE = {"file_id": "f", "file_unique_id": "u"}
PHOTO = [FILE | {"width": 1, "height": 1}]
MOVING = FILE | {"width": 1, "height": 1, "duration": 1}
SOUND = FILE | {"duration": 1}
PLACE = {"latitude": 1.0, "longitude": 2.0}
OPENED = message(text=None, chat=FORUM, forum_topic_created={"name": "Topic", "icon_color": 1})
ORIGIN = {"type": "user", "date": 1, "sender_user": ANNA}
EXTERNAL = {"origin": ORIGIN}
DICE = {"emoji": "🎲", "value": 3}
STICKER = MOVING | {"type": "regular", "is_animated": False, "is_video": False}
PAYMENT = {
    "currency": "XTR",
    "total_amount": 1,
    "invoice_payload": "p",
    "telegram_payment_charge_id": "t",
    "provider_payment_charge_id": "",
}
LINK = {"type": "url", "offset": 0, "length": 4}
PDF = FILE | {"file_name": "Paper.PDF", "mime_type": "application/pdf"}


def media(**fields: Any) -> JSON:
    """A message without text."""
    return update(text=None, **fields)


def sample(kind: str) -> JSON:
    """An update of a kind."""
    return update(SAMPLES[kind], kind)


ANIMATION = media(animation=MOVING, document=FILE)
VENUE = media(venue={"location": PLACE, "title": "t", "address": "a"}, location=PLACE)

CASES: list[tuple[Any, JSON, bool]] = [
    (filters.ALL, sample("poll"), True),
    (filters.TEXT, update(), True),
    (filters.TEXT, update(text="/start"), True),
    (filters.TEXT, media(photo=PHOTO, caption="c"), False),
    (filters.TEXT, sample("inline_query"), False),
    (filters.TEXT, sample("channel_post"), True),
    (filters.COMMAND, update(text="/start"), True),
    (filters.COMMAND, update(text="/start@OtherBot"), True),
    (filters.COMMAND, update(text="a /start", entities=[{"type": "bot_command", "offset": 2, "length": 6}]), False),
    (filters.COMMAND, update(text="/start", entities=[{"type": "code", "offset": 0, "length": 6}]), False),
    (filters.PHOTO, media(photo=PHOTO), True),
    (filters.PHOTO, update(), False),
    (filters.VIDEO, media(video=MOVING), True),
    (filters.AUDIO, media(audio=SOUND), True),
    (filters.VOICE, media(voice=SOUND), True),
    (filters.STICKER, media(sticker=STICKER), True),
    (filters.VIDEO_NOTE, media(video_note=SOUND | {"length": 1}), True),
    (filters.ANIMATION, ANIMATION, True),
    (filters.DOCUMENT, media(document=PDF), True),
    (filters.DOCUMENT, ANIMATION, False),
    (filters.CONTACT, media(contact={"phone_number": "1", "first_name": "A"}), True),
    (filters.VENUE, VENUE, True),
    (filters.LOCATION, media(location=PLACE), True),
    (filters.LOCATION, VENUE, False),
    (filters.POLL, media(poll=SAMPLES["poll"]), True),
    (filters.DICE, media(dice=DICE), True),
    (filters.MEDIA, media(voice=SOUND), True),
    (filters.MEDIA, ANIMATION, True),
    (filters.MEDIA, update(), False),
    (filters.CAPTION, media(photo=PHOTO, caption="c"), True),
    (filters.CAPTION, media(photo=PHOTO), False),
    (filters.FORWARDED, update(forward_origin=ORIGIN), True),
    (filters.FORWARDED, update(), False),
    (filters.REPLY, update(reply_to_message=message()), True),
    (filters.REPLY, update(external_reply=EXTERNAL), True),
    (filters.REPLY, update(), False),
    (filters.REPLY, update(chat=FORUM, reply_to_message=OPENED, message_thread_id=3, is_topic_message=True), False),
    (filters.VIA_BOT, update(via_bot=ANNA | {"is_bot": True}), True),
    (filters.TOPIC, update(chat=FORUM, message_thread_id=3, is_topic_message=True), True),
    (filters.TOPIC, update(chat=GROUP, message_thread_id=3), False),
    (filters.EDITED, sample("edited_message"), True),
    (filters.EDITED, sample("edited_channel_post"), True),
    (filters.EDITED, update(), False),
    (filters.SERVICE, media(pinned_message=message()), True),
    (filters.SERVICE, update(), False),
    (filters.NEW_CHAT_MEMBERS, media(new_chat_members=[ANNA]), True),
    (filters.LEFT_CHAT_MEMBER, media(left_chat_member=ANNA), True),
    (filters.PINNED_MESSAGE, media(pinned_message=message()), True),
    (filters.SUCCESSFUL_PAYMENT, media(successful_payment=PAYMENT), True),
    (filters.WEB_APP_DATA, media(web_app_data={"data": "d", "button_text": "b"}), True),
    (filters.PRIVATE, update(), True),
    (filters.PRIVATE, update(chat=GROUP), False),
    (filters.PRIVATE, sample("inline_query"), False),
    (filters.GROUP, update(chat=GROUP), True),
    (filters.GROUP, update(chat=FORUM), False),
    (filters.SUPERGROUP, update(chat=FORUM), True),
    (filters.GROUPS, update(chat=GROUP), True),
    (filters.GROUPS, update(chat=FORUM), True),
    (filters.GROUPS, sample("my_chat_member"), True),
    (filters.CHANNEL, update(chat=CHANNEL), True),
    (filters.CHANNEL, sample("chat_boost"), True),
    (filters.has("giveaway", "dice"), media(dice=DICE), True),
    (filters.regex("b+"), update(text="abbc"), True),
    (filters.regex("^b"), update(text="abbc"), False),
    (filters.regex("c"), media(photo=PHOTO, caption="abc"), True),
    (filters.regex(""), media(photo=PHOTO), False),
    (filters.regex(re.compile("B", re.IGNORECASE)), update(text="abc"), True),
    (filters.text("Yes", "No"), update(text="No"), True),
    (filters.text("Yes", "No"), update(text="no"), False),
    (filters.text("Yes"), sample("poll"), False),
    (filters.chat(-100, 7), update(), True),
    (filters.chat(-100), update(), False),
    (filters.chat("@theforum"), update(chat=FORUM), True),
    (filters.chat("TheForum"), update(chat=FORUM), True),
    (filters.chat("@"), update(chat=GROUP), False),
    (filters.chat(-100), sample("callback_query"), True),
    (filters.chat(-100), sample("guest_message"), False),
    (filters.user(7), update(chat=GROUP), True),
    (filters.user(8), update(), False),
    (filters.user("@Anna"), sample("inline_query"), True),
    (filters.user(7), sample("poll_answer"), True),
    (filters.user(7), sample("channel_post"), False),
    (filters.language("pt"), update(), True),
    (filters.language("pt-br"), update(), True),
    (filters.language("en"), update(), False),
    (filters.entity("url"), update(text="a.de", entities=[LINK]), True),
    (filters.entity("url"), media(photo=PHOTO, caption="a.de", caption_entities=[LINK]), True),
    (filters.entity("mention"), update(text="a.de", entities=[LINK]), False),
    (filters.mime("application/pdf"), media(document=PDF), True),
    (filters.mime("application/"), media(document=PDF), True),
    (filters.mime("image/"), media(document=FILE), False),
    (filters.extension("pdf", ".txt"), media(document=PDF), True),
    (filters.extension("df"), media(document=PDF), False),
    (filters.extension("pdf"), update(), False),
]


@pytest.mark.parametrize(("wanted", "raw", "expected"), CASES)
def test_filters(wanted: Any, raw: JSON, expected: bool) -> None:
    """Each filter takes what its name says, and nothing that merely looks like it."""
    assert bool(check(wanted, raw)) is expected


@pytest.mark.parametrize("kind", SAMPLES)
def test_no_filter_stumbles_over_a_kind(kind: str) -> None:
    """Every filter can be asked about every kind of update."""
    for wanted, _, _ in CASES:
        check(wanted, sample(kind))


def test_the_message_under_a_button_may_be_inaccessible() -> None:
    """For a pressed button the filters look at the message under it; one that is too old has no text, and nobody is warned."""
    pressed = SAMPLES["callback_query"]
    assert check(filters.TEXT, update(pressed, "callback_query"))
    old = update(pressed | {"message": {"chat": GROUP, "message_id": 1, "date": 0}}, "callback_query")
    assert not check(filters.TEXT, old)
    assert check(filters.GROUP, old)
    assert message_of(decode_update(old)).message_id == 1


def yes(update: Any) -> bool:
    """A filter that is a function."""
    return True


def no(update: Any, context: Any) -> bool:
    """A filter that takes the context."""
    assert context is not None
    return False


def maybe(update: Any, context: Any = None) -> bool:
    """A filter whose context has a default."""
    return context is not None


class Home:
    """A filter as python-telegram-bot's are: an object with one method."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def check_update(self, update: Any) -> bool:
        """The answer."""
        return self.answer


COMBINED: list[tuple[Any, bool]] = [
    (filters.TEXT & filters.PRIVATE, True),
    (filters.TEXT & filters.GROUP, False),
    (filters.PHOTO | filters.TEXT, True),
    (filters.PHOTO | filters.VIDEO, False),
    (~filters.PHOTO, True),
    (~filters.TEXT, False),
    (~(filters.TEXT & ~filters.PRIVATE), True),
    (filters.TEXT & yes, True),
    (yes & filters.TEXT, True),
    (filters.TEXT & no, False),
    (no | filters.TEXT, True),
    (filters.TEXT & maybe, True),
    (filters.TEXT & (lambda update: update.message.text == "hi"), True),
    ((lambda update, context: context.user_id == 7) & filters.TEXT, True),
    ((lambda *values: len(values) == 2), True),
    (filters.TEXT & Home(True), True),
    (Home(False) | filters.PHOTO, False),
    (filters.TEXT & ptb.TEXT, True),
    (filters.TEXT & ~ptb.TEXT, False),
    (filters.PHOTO | ptb.ChatType.PRIVATE, True),
    (ptb.TEXT & filters.TEXT, True),
    (ptb.TEXT & filters.PHOTO, False),
    (ptb.PHOTO | filters.TEXT, True),
    ((ptb.PHOTO | filters.TEXT) & ptb.User(7), True),
    (ptb.User(8), False),
]


@pytest.mark.parametrize(("wanted", "expected"), COMBINED)
def test_filters_of_all_sorts_combine(wanted: Any, expected: bool) -> None:
    """`&`, `|` and `~` combine ours, functions, objects with check_update and python-telegram-bot's, from either side."""
    assert bool(check(wanted, update())) is expected


def test_the_right_side_is_asked_only_where_it_decides() -> None:
    """`&` and `|` leave out what cannot change the answer, as `and` and `or` do."""
    asked: list[str] = []

    def note(update: Any) -> bool:
        asked.append("asked")
        return True

    check(filters.PHOTO & note, update())
    check(filters.TEXT | note, update())
    assert asked == []
    check(filters.TEXT & note, update())
    assert asked == ["asked", "asked"]  # of telegram's update, and of the plain one


@pytest.mark.parametrize(
    "wanted",
    [
        filters.regex("(h)(.)"),
        filters.TEXT & filters.regex("(h)(.)"),
        filters.regex("(h)(.)") & filters.TEXT,
        filters.regex("(h)(.)") & filters.regex("i"),
        filters.PHOTO | filters.regex("(h)(.)"),
        ptb.Regex("(h)(.)"),
        filters.TEXT & ptb.Regex("(h)(.)"),
        ptb.TEXT & ptb.Regex("(h)(.)"),
    ],
)
def test_the_match_comes_through(wanted: Any) -> None:
    """What a regex found, ours or python-telegram-bot's, comes out of any combination; of several the first."""
    match = match_in(check(wanted, update()))
    assert match is not None
    assert match.groups() == ("h", "i")


def test_a_negated_regex_has_no_match() -> None:
    """`~` gives a plain answer."""
    assert check(~filters.regex("x"), update()) is True
    assert match_in({"matches": []}) is None


async def waits(update: Any) -> bool:
    """No filter: it is asynchronous."""
    return True


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ("TEXT", "is not a filter"),
        (7, "is not a filter"),
        (Home, "is not a filter"),
        (waits, "waits is an async def function"),
        (lambda: True, "takes 0 values"),
        (lambda a, b, c: True, "takes 3 values"),
    ],
)
def test_what_is_no_filter_is_refused_at_once(wrong: Any, text: str) -> None:
    """A filter that cannot work is refused where it is written, not at the first update."""
    with pytest.raises(TypeError, match=text):
        filters.TEXT & wrong


@pytest.mark.parametrize("make", [filters.chat, filters.user, filters.has, lambda: filters.chat(1.5)])  # type: ignore[arg-type]  # wrong on purpose
def test_factories_refuse_nonsense(make: Any) -> None:
    """A filter for no chat, no user or no field is a mistake."""
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: filters.user("42"), TypeError, r"user\(42\), not '42'"),
        (lambda: filters.chat(7, " -1001"), TypeError, r"chat\(-1001\), not ' -1001'"),
        (lambda: filters.mime("image/", "pdf"), ValueError, r"'pdf' has no slash; write mime\(\"application/pdf\"\)"),
    ],
)
def test_factories_refuse_what_nothing_ever_matches(make: Any, error: type[Exception], words: str) -> None:
    """An id in quotes, as an environment has it, and a type without its slash would keep a handler silent for ever."""
    with pytest.raises(error, match=words):
        make()


def test_a_filter_of_the_state_says_that_it_needs_the_context() -> None:
    """To the right of a python-telegram-bot filter, which hands no context on, a state filter says how to write it instead."""
    with pytest.raises(TypeError, match="write it to the left of theirs"):
        check(ptb.TEXT & filters.state("name"), update())
    assert check(filters.state(None) & ptb.TEXT, update())


def test_state_filters_take_any_json_value() -> None:
    """A state is compared as it comes back from the store: a tuple as a list."""
    rig = Rig()
    set_state(rig.store.data, 7, 7, ["order", 3])
    context = Context(rig.bot, rig.store.data, raw=update())
    assert filters.state("x", ("order", 3)).check(context.update, context)
    assert not filters.state(None).check(context.update, context)
    with pytest.raises(TypeError, match="a state cannot be stored"):
        filters.state(object())
    rig.close()


def test_filters_show_what_they_are() -> None:
    """A combination reads as it was written."""
    assert repr(filters.has("text") & ~filters.chat(5) | filters.ALL) == "((has('text') & ~chat(5)) | ALL)"


def test_a_filter_can_be_made_by_subclassing() -> None:
    """One method makes a filter of one's own."""

    class Even(Filter):
        def check(self, update: Any, context: Context) -> bool:
            return (context.user_id or 0) % 2 == 0

    assert not check(Even(), update())
    assert check(~Even(), update())
