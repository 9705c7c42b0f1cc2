"""What the bot says; no test needs a token or a network. The fixtures come with syncbot."""

import pytest

from bot import make_app


def test_an_order(run_bot, chat):
    run_bot(make_app)
    chat.send("/start")
    chat.expect("Hello! /order takes an order.")
    chat.send("/order")
    chat.press("L")
    chat.expect("What may it be?")
    chat.send("Tea")
    chat.expect("Order 1: Tea (L), with pleasure.")


def test_no_order_is_lost_when_the_bot_is_killed(run_bot, chat, kill_after):
    run_bot("bot.py")
    kill_after(1)
    chat.send("/order")
    chat.press("S")
    chat.expect("What may it be?")
    chat.send("Tea")
    chat.expect("Order 1: Tea (S), with pleasure.")


@pytest.mark.faults("tls_drop", rate=0.2)
def test_through_a_bad_network(run_bot, chat):
    run_bot(make_app)
    for _ in range(3):
        chat.send("/start")
        chat.expect("Hello! /order takes an order.")
