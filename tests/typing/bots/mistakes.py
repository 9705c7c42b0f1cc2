"""Mistakes that `mypy --strict` has to find: an ignore that is not needed is an error itself."""

from __future__ import annotations

import telegram

from syncbot import Bot, Context, Router, Runtime, filters, plain

app = Router()


@app.message()  # type: ignore[type-var]  # a handler takes two values
def one_value(update: telegram.Update) -> None: ...


@app.message("text")  # type: ignore[arg-type]  # no filter
def wrong_filter(update: telegram.Update, context: Context) -> None:
    context.reply(5)  # type: ignore[arg-type]  # a text is a str
    context.reply("x", chat_id=5)  # type: ignore[call-arg]  # the chat is the update's
    context.reply("x", parse_mod="HTML")  # type: ignore[call-arg]  # misspelt
    context.reply_photo()  # type: ignore[call-arg]  # no photo
    context.reply_foto("F")  # type: ignore[attr-defined]  # misspelt
    context.answer(5.5)  # type: ignore[call-overload]  # no answer to anything
    context.ask("?", timeout="long")  # type: ignore[arg-type]  # seconds
    context.args = "x"  # type: ignore[assignment]  # a list
    context.user_data = {}  # type: ignore[misc,assignment]  # it is changed, not replaced
    context.user_data[5] = 1  # type: ignore[index]  # keys are str


@app.callback_query(5)  # type: ignore[arg-type]  # no pattern
def wrong_pattern(update: telegram.Update, context: Context) -> None: ...


app.calback_query()  # type: ignore[attr-defined]  # misspelt
app.message(state="x", grup=1)  # type: ignore[call-arg]  # misspelt
app.use(wrong_pattern)  # type: ignore[type-var]  # a middleware takes three values
combined = filters.TEXT & "text"  # type: ignore[operator]  # no filter


def jobs(bot: Bot) -> None:
    timed = Runtime(bot, state=None)
    timed.every("60")(print)  # type: ignore[arg-type]  # a number of seconds
    timed.daily(9)(print)  # type: ignore[arg-type]  # a time as text
    timed.cron("* * * * *", time_zone="UTC")(print)  # type: ignore[call-arg]  # misspelt
    timed.later(60)(wrong_pattern)  # type: ignore[type-var]  # a job takes one value


def plain_updates(bot: Bot) -> None:
    app = Runtime(bot, types=False)
    app.message()(wrong_filter)  # type: ignore[type-var]  # it wants telegram's types, and gets plain updates
    typed = Router()
    app.include(typed)  # type: ignore[arg-type]  # the handlers of that one would
    Runtime(bot).message()(misspelt)  # type: ignore[type-var]  # the other way round
    Runtime(bot, types=False, wrokers=2)  # type: ignore[call-overload]  # misspelt


def misspelt(update: plain.Update, context: plain.Context) -> None:
    update.mesage  # type: ignore[attr-defined]  # noqa: B018  # misspelt
    context.message.date.year  # type: ignore[attr-defined]  # noqa: B018  # dates are integers
    context.message.text.upper()  # type: ignore[union-attr]  # there may be none
    context.reply("x").txt  # type: ignore[attr-defined]  # noqa: B018  # misspelt
    context.reply("x", parse_mod="HTML")  # type: ignore[call-arg]  # misspelt
    update.update_id = 5  # type: ignore[misc]  # what came is read
