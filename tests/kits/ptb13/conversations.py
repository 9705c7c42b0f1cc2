"""What is said to each of the programs in tests/compat/programs, and what they have to answer: the same for syncbot's classes and for 13.15's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from syncbot.testing import BotApiServer, SentMessage, User
from syncbot.testing.people.voting import vote

Restart = Callable[[], None]
Conversation = Callable[[BotApiServer, User, Restart], None]

ADDRESS = {"country_code": "DE", "state": "", "city": "Berlin", "street_line1": "a", "street_line2": "", "post_code": "1"}


def echobot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """A greeting with a mention, help, an echo; another command is not answered."""
    ann.send("/start")
    greeting = ann.wait_for("Hi Ann!")
    assert greeting.entities[0]["type"] in ("text_mention", "text_link")
    ann.send("/help")
    ann.wait_for("Help!")
    ann.send("/other")
    ann.send("Hello <you>")
    ann.wait_for("Hello <you>")


def timerbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """A timer beeps; one takes the other's place; one is called off; what is no number is explained."""
    for text, answer in (
        *[("/set", "Usage: /set <seconds>"), ("/set soon", "Usage: /set <seconds>"), ("/set -1", "Sorry, we can not go back to future!")],
        *[("/unset", "You have no active timer."), ("/set 1000", "Timer successfully set!"), ("/set 1000", "Timer successfully set! Old one was removed.")],
        *[("/unset", "Timer successfully cancelled!"), ("/set 0.1", "Timer successfully set!")],
    ):
        ann.send(text)
        ann.wait_for(answer)
    server.wait_for("Beep!")


def conversationbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """The whole way with a photo and a place; the short way; a way out, and what is no answer is passed over."""
    ann.send("Boy")
    ann.send("/start")
    ann.wait_for(re.compile("boy or a girl"))
    ann.send("neither")
    ann.send("Boy")
    ann.wait_for(re.compile("photo of yourself"))
    ann.send_photo(b"\xff\xd8" + b"x" * 998)
    ann.wait_for(re.compile("Gorgeous, 1000 bytes"))
    ann.send_location(1.5, 2.5)
    ann.wait_for(re.compile(r"1\.5 / 2\.5"))
    ann.send("I am Ann")
    ann.wait_for(re.compile("Thank you"))
    ann.send("/skip")
    ann.send("/start")
    ann.wait_for(re.compile("boy or a girl"))
    ann.send("Other")
    ann.wait_for(re.compile("photo of yourself"))
    ann.send("/skip")
    ann.wait_for(re.compile("you look great"))
    ann.send("/skip")
    ann.wait_for(re.compile("paranoid"))
    ann.send("/cancel")
    ann.wait_for(re.compile("Bye"))


def conversationbot2(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Facts of a given kind and of one made up, collected and summed up."""
    ann.send("/start")
    ann.wait_for(re.compile("tell me something"))
    ann.send("Age")
    ann.wait_for("Your age? Yes, I would love to hear about that!")
    ann.send("42")
    ann.wait_for(re.compile("Age - 42"))
    ann.send("Something else...")
    ann.wait_for(re.compile("category first"))
    ann.send("Skill")
    ann.wait_for(re.compile("Your skill"))
    ann.send("Whistling")
    ann.wait_for(re.compile("Age - 42\nSkill - Whistling"))
    ann.send("Done")
    ann.wait_for(re.compile("I learned these facts about you: \nAge - 42\nSkill - Whistling\nUntil next time!"))


def nestedconversationbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Down three conversations and up again, twice; then everything is shown, and the end."""

    def press(button: str, wanted: str) -> SentMessage:
        ann.press(button).wait_answer()
        return ann.wait_for(re.compile(wanted))

    ann.send("/start")
    ann.wait_for(re.compile("Family Bot"))
    ann.wait_for(re.compile("You may choose"))
    press("Add family member", "parent or a child")
    press("Add parent", "whom to add")
    press("Add Mother", "select a feature")
    press("Name", "tell me")
    ann.send("Cleo")
    ann.wait_for(re.compile("Got it"))
    press("Age", "tell me")
    ann.send("70")
    ann.wait_for(re.compile("Got it"))
    press("Done", "parent or a child")
    press("Back", "You may choose")
    press("Add yourself", "about yourself")
    press("Add info", "select a feature")
    press("Name", "tell me")
    ann.send("Ann")
    ann.wait_for(re.compile("Got it"))
    press("Done", "You may choose")
    shown = press("Show data", "Yourself")
    assert "Name: Ann, Age: -" in shown.text
    assert "Mother: Name: Cleo, Age: 70" in shown.text
    press("Back", "You may choose")
    press("Add family member", "parent or a child")
    ann.send("/stop")
    ann.wait_for("Okay, bye.")
    ann.send("/start")
    ann.wait_for(re.compile("You may choose"))
    press("Done", "See you around!")


def persistentconversationbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Stopped in the middle of a question, it goes on with the answer; and it knows everything that it was told before."""
    ann.send("/start")
    ann.wait_for("Hi! My name is Doctor Botter.")
    ann.send("Age")
    ann.wait_for(re.compile("Your age"))
    restart()
    ann.send("42")
    ann.wait_for(re.compile("age - 42"))
    restart()
    ann.send("/show_data")
    ann.wait_for("This is what you already told me: age - 42")
    ann.send("Age")
    ann.wait_for("Your age? I already know the following about that: 42")
    ann.send("Done")
    ann.wait_for(re.compile("age - 42 Until next time!"))
    restart()
    ann.send("Age")
    ann.send("/start")
    ann.wait_for("Hi! My name is Doctor Botter. You already told me your age.")


def inlinekeyboard(server: BotApiServer, ann: User, restart: Restart) -> None:
    """A pressed button is answered, and its message edited."""
    ann.send("/help")
    ann.wait_for(re.compile("/start"))
    ann.send("/start")
    ann.wait_for("Please choose:")
    ann.press("Option 3").wait_answer()
    ann.wait_for("Selected option: 3")


def inlinekeyboard2(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Round and round, and out."""
    ann.send("/start")
    ann.wait_for(re.compile("^Start handler"))
    for button, wanted in (
        ("2", "^Second"),
        ("1", "^First"),
        ("3", "^Third"),
        ("Yes", "^Start handler"),
        ("1", "^First"),
        ("3", "^Third"),
        ("Nah", "^See you"),
    ):
        ann.press(button).wait_answer()
        ann.wait_for(re.compile(wanted))


def inlinebot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Three results for a query, none for an empty one."""
    ann.send("/start")
    ann.wait_for("Hi!")
    ann.inline_query("")
    answer = server.answer_to(ann.inline_query("some*text"))
    texts = [result["input_message_content"]["message_text"] for result in answer["results"]]
    assert texts == ["SOME*TEXT", "*some\\*text*", "_some\\*text_"]


def deeplinking(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Each link leads on to the next."""
    username = server.bot["username"]
    ann.send("/start")
    ann.wait_for(re.compile(rf"https://t\.me/{username}\?startgroup=check-this-out"))
    ann.start("check-this-out")
    assert ann.wait_for(re.compile("Awesome")).button("Continue here!")["url"].endswith("?start=so-cool")
    ann.start("so-cool")
    assert ann.wait_for(re.compile("mask the deep-linked")).entities[0]["url"].endswith("?start=using-entities-here")
    ann.start("using-entities-here")
    ann.wait_for(re.compile("InlineKeyboardButtons"))
    assert ann.press("Like this!").wait_answer()["url"].endswith("?start=using-keyboard-here")
    ann.start("using-keyboard-here")
    ann.wait_for(re.compile(r"The payload was: \['using-keyboard-here'\]"))


def errorhandlerbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """An error in a handler is told to the developer, and the bot goes on."""
    ann.send("/start")
    ann.wait_for(re.compile(f"Your chat id is {ann.id}"))
    ann.send("/bad_command <x>")
    told = ann.wait_for(re.compile("An exception was raised"))
    assert "update = /bad_command <x>" in told.text
    assert "AttributeError" in told.text
    ann.send("/start")
    ann.wait_for(re.compile("Your chat id"))


def pollbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """A poll with names, a quiz, and a poll of the user's own."""
    ann.send("/start")
    ann.wait_for(re.compile("Please select"))
    ann.send("/poll")
    poll = ann.wait_for(lambda message: "poll" in message.data)
    vote(server.scene, ann._chat, ann.card, poll.message_id, [0, 2])
    ann.wait_for(re.compile("Ann feels Good and Fantastic!"))
    server.wait_count("stopPoll", 1)
    ann.send("/quiz")
    quiz = ann.wait_for(lambda message: "poll" in message.data and message.data["poll"]["type"] == "quiz")
    vote(server.scene, ann._chat, ann.card, quiz.message_id, [2])
    ann.wait_for("The quiz is over.")
    ann.send("/preview")
    ann.wait_for("Press the button")
    own = {**poll.data["poll"], "id": "own", "question": "Tea?", "is_closed": False, "total_voter_count": 0}
    server.push("message", {"message_id": 900, "date": 1_700_000_000, "chat": {"id": ann.id, "type": "private"}, "from": ann.card, "poll": own})
    ann.wait_for(lambda message: message.data.get("poll", {}).get("question") == "Tea?")


def paymentbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Both invoices, the questions before a payment, and thanks after it."""
    ann.send("/start")
    ann.wait_for(re.compile("Use /shipping"))
    ann.send("/shipping")
    ann.wait_for(lambda message: "invoice" in message.data)
    ann.send("/noshipping")
    ann.wait_for(lambda message: "invoice" in message.data)
    facts = {"from": ann.card, "invoice_payload": "Custom-Payload"}
    total = {"currency": "USD", "total_amount": 100}
    for number, payload in (("1", "Custom-Payload"), ("2", "another")):
        for kind, more in (("shipping_query", {"shipping_address": ADDRESS}), ("pre_checkout_query", total)):
            server.add_query(f"{kind}{number}")
            server.push(kind, {**facts, "id": f"{kind}{number}", **more, "invoice_payload": payload})
            answer = server.answer_to(f"{kind}{number}")
            assert str(answer["ok"]).lower() == ("true" if number == "1" else "false")
    paid = {**total, "invoice_payload": "Custom-Payload", "telegram_payment_charge_id": "t", "provider_payment_charge_id": "p"}
    message = {"message_id": 900, "date": 1_700_000_000, "chat": {"id": ann.id, "type": "private"}, "from": ann.card}
    server.push("message", {**message, "successful_payment": paid})
    ann.wait_for("Thank you for your payment!")


def chatmemberbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Who comes is greeted, who goes is missed, and the groups that it was put into are known."""
    bob = server.user(first_name="Bob")
    group = server.group(members=[ann])
    group.promote_bot(ann)
    group.join(bob)
    group.wait_for("Bob was added by Bob. Welcome!")
    group.leave(bob)
    group.wait_for("Bob is no longer with us. Thanks a lot, Bob ...")
    other = server.group("Other", members=[ann])
    other.kick_bot(ann)
    ann.send("/show_chats")
    ann.wait_for(re.compile(r"groups with IDs \["))


def contexttypesbot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Clicks are counted for each message, users for the bot."""
    ann.send("/start")
    ann.wait_for("This button was clicked 0 times.")
    for number in (1, 2):
        ann.press("Click me!").wait_answer()
        ann.wait_for(f"This button was clicked {number} times.")
    ann.send("/print_users")
    ann.wait_for(f"The following user IDs have used this bot: {ann.id}")


def arbitrarycallbackdatabot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Each button holds a list that grows; a restart keeps it; an old button, and one whose object was thrown away, is told."""
    ann.send("/start")
    first = ann.wait_for("Please choose:")
    ann.press("2").wait_answer()
    ann.wait_for("So far you've selected [2]. Choose the next item:")
    restart()
    ann.press("3").wait_answer()
    ann.wait_for("So far you've selected [2, 3]. Choose the next item:")
    ann.press(first, "1").wait_answer()
    ann.wait_for(re.compile("^Sorry"))
    ann.send("/start")
    ann.wait_for("Please choose:")
    ann.send("/clear")
    ann.wait_for("All clear!")
    ann.press("1").wait_answer()
    ann.wait_for(re.compile("^Sorry"))


def rawapibot(server: BotApiServer, ann: User, restart: Restart) -> None:
    """Its own loop echoes, and goes on after a user who has blocked it."""
    ann.send("first")
    ann.wait_for("first")
    bob = server.user(first_name="Bob")
    bob.send("hello")
    bob.wait_for("hello")
    ann.send("last")
    ann.wait_for("last")


CONVERSATIONS: Mapping[str, Conversation] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            *(echobot, timerbot, conversationbot, conversationbot2, nestedconversationbot, persistentconversationbot, inlinekeyboard, inlinekeyboard2),
            *(inlinebot, deeplinking, errorhandlerbot, pollbot, paymentbot, chatmemberbot, contexttypesbot, arbitrarycallbackdatabot, rawapibot),
        )
    }
)

_UNINTERESTING = {"getUpdates", "getMe", "deleteWebhook", "setWebhook"}
_USUAL = (("type", "regular"), ("cache_time", 300))
"""What 13.15 said, and Telegram takes anyway."""
_RANDOM = re.compile(r"\b[0-9a-f]{64}\b")


def calls(server: BotApiServer) -> list[tuple[str, dict[str, Any]]]:
    """What a program has sent, but for its polls: parameters as they were before Telegram renamed some, without those that say nothing."""
    return [(request.method, _older(dict(request.params))) for request in server.requests if request.method not in _UNINTERESTING]


def _older(params: dict[str, Any]) -> dict[str, Any]:
    reply, preview = params.pop("reply_parameters", None), params.pop("link_preview_options", None)
    if reply:
        params["reply_to_message_id"] = reply["message_id"]
    if preview:
        params["disable_web_page_preview"] = preview["is_disabled"]
    if "options" in params:
        params["options"] = [option["text"] if isinstance(option, dict) else option for option in params["options"]]
    return {name: _plain(value) for name, value in params.items() if value not in (None, "", [], False) and (name, value) not in _USUAL}


def _plain(value: Any) -> Any:
    """A value without what says nothing, and without names that are made anew each time."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each not in (None, False)}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if value is True:
        return "True"
    return _RANDOM.sub("<made up>", value) if isinstance(value, str) else value
