"""What the bot says; no test needs a token or a network. The fixtures come with syncbot."""

import pytest

from bot import make_app


def test_notes_are_kept(run_bot, chat):
    run_bot(make_app)
    chat.send("/notes")
    chat.expect("There are none.")
    chat.send("milk")
    chat.expect("Noted. You have 1.")
    chat.send("bread")
    chat.expect("Noted. You have 2.")
    chat.send("/notes")
    chat.expect("milk\nbread")


def test_one_run_answers_what_has_waited(run_bot, chat):
    chat.send("/start")
    chat.send("milk")
    run_bot("bot.py")
    chat.expect("Send me a note. /notes shows them all.")
    chat.expect("Noted. You have 1.")


@pytest.mark.faults("tls_drop", rate=0.2)
def test_through_a_bad_network(run_bot, chat):
    run_bot(make_app)
    for number in range(1, 4):
        chat.send(f"note {number}")
        chat.expect(f"Noted. You have {number}.")
