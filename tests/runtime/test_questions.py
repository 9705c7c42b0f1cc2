"""Which questions are open, and who answers them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from syncbot import filters
from syncbot.errors import AskTimeout, Cancelled, Stopped, StorageError
from syncbot.runtime.durable.results import read_outcome
from syncbot.runtime.work.filter_text import filter_of, filter_text
from syncbot.runtime.work.open_question import OpenQuestion
from syncbot.runtime.work.questions import MAX_WAITING, Questions
from syncbot.storage import Question, QuestionAnswer

CHAT, USER = 1, 2


class Entries:
    """The store's questions, with trouble when asked for."""

    def __init__(self, *questions: Question) -> None:
        self.questions = list(questions)
        self.closed: list[QuestionAnswer] = []
        self.trouble = False

    def entries(self) -> list[Question]:
        return self.questions

    def close(self, answers: Sequence[QuestionAnswer]) -> None:
        if self.trouble:
            raise StorageError("full", retryable=True)
        self.closed += answers


def message(text: str = "x", id: int = 5) -> dict[str, Any]:
    """An update that can be an answer."""
    entities = [{"type": "bot_command", "offset": 0, "length": len(text)}] if text.startswith("/") else []
    return {"update_id": id, "message": {"text": text, "entities": entities}}


def opened(questions: Questions, row: int = 1, user: int = USER, **options: Any) -> OpenQuestion:
    """A question that is open."""
    chosen: dict[str, Any] = {"is_recorded": True, "may_hold": True} | {name: options.pop(name) for name in ("is_recorded", "may_hold") if name in options}
    found = questions.ask(Question(row, 0, "ask", CHAT, user, **options), **chosen)
    questions.opened(found)
    return found


def offered(questions: Questions, raw: dict[str, Any], row: int = 9, chat: int = CHAT, user: int = USER) -> Sequence[QuestionAnswer] | None:
    """An update may answer."""
    return questions.offer(row, chat, user, raw, lambda: None)


def test_an_answer_counts_when_it_is_written() -> None:
    """The one who waits goes on when the end of the answering update is in the store, not before; a second one is no answer."""
    questions = Questions(Entries())
    found = opened(questions)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(questions.wait, found)
        answers = offered(questions, message())
        assert answers is not None
        assert offered(questions, message("y"), row=10) is None
        assert not waiting.done()
        questions.answered(answers)
        assert read_outcome(waiting.result(10.0)) == message()
    assert questions.number == questions.held == 0


@pytest.mark.parametrize(("chat", "user"), [(9, USER), (CHAT, 9)])
def test_another_users_message_is_no_answer(chat: int, user: int) -> None:
    """Only the same user in the same chat answers."""
    questions = Questions(Entries())
    opened(questions)
    assert offered(questions, message(), chat=chat, user=user) is None


def test_the_newest_question_is_answered_first() -> None:
    """Of two questions to one user the later one gets the first answer; those of the store keep their order."""
    questions = Questions(Entries(Question(1, 0, "ask", CHAT, USER, {}, 1.0)))
    opened(questions, row=2)
    assert [answer.row for n in (7, 8) for answer in offered(questions, message(), row=n) or ()] == [2, 1]
    assert offered(questions, message(), row=10) is None


def test_an_answer_whose_handling_was_put_aside_is_offered_again() -> None:
    """What an update was to answer is open again when the update is put back; offered twice by the same update, it is answered once."""
    questions = Questions(Entries())
    opened(questions)
    assert offered(questions, message()) == offered(questions, message())
    questions.give_back(9)
    answers = offered(questions, message(), row=10)
    assert answers is not None
    questions.answered(answers)
    questions.give_back(10)
    assert (offered(questions, message(), row=11), questions.number) == (None, 0)


def test_a_question_that_is_open_again_is_looked_at() -> None:
    """Its time may have come while an update was to answer it, so that nobody waits for that any more."""
    told: list[int] = []
    questions = Questions(Entries(), now=lambda: 5.0, on_opened=lambda: told.append(1))
    opened(questions, until=4.0)
    assert offered(questions, message()) is not None
    assert (questions.end_due(), questions.next_time()) == (0, None)
    told.clear()
    questions.give_back(9)
    assert (told, questions.next_time()) == ([1], 4.0)
    questions.give_back(9)
    assert told == [1]


def test_commands_are_no_answers_and_cancel_takes_back() -> None:
    """Other commands go to their handlers; /cancel answers with Cancelled, whatever is wanted."""
    questions = Questions(Entries())
    opened(questions, wants={"message": "has('photo')"})
    assert offered(questions, message("/help")) is None
    [answer] = offered(questions, message("/Cancel@TheBot")) or ()
    assert isinstance(read_outcome(answer.outcome), Cancelled)


@pytest.mark.parametrize("data", ["ask:1:0:3", "ask:1:0:-1", "ask:2:0:1", "ask:1:0:", "ask:1:0:01", "", None, 1])
def test_a_made_up_press_chooses_nothing(data: object) -> None:
    """Only what a button of the question sends is an answer to it; a message is none."""
    questions = Questions(Entries())
    opened(questions, wants={"press": ["ask:1:0:", 3]})
    assert offered(questions, {"callback_query": {"id": "1", "data": data}}) is None
    assert offered(questions, message()) is None
    assert offered(questions, {"callback_query": {"id": "1", "data": "ask:1:0:2"}}) is not None


@pytest.mark.parametrize(
    "data", ["ask:1", "ask:1:yes", "ask:1:0", "ask:1:0:0:0", "ask:one:0:0", "ask:1:0:0 ", "ask:²:0:0", "ask:" + "9" * 40 + ":0:0", "", None]
)
def test_a_bots_own_buttons_are_no_question(data: object) -> None:
    """Whatever their data: a message with them that goes out by the outbox is not taken for a question that is over, whose buttons go."""
    questions = Questions()
    assert questions.delivered({"message_id": 5, "reply_markup": {"inline_keyboard": [[{"text": "Yes", "callback_data": data}]]}})
    assert not questions.delivered({"message_id": 5, "reply_markup": {"inline_keyboard": [[{"text": "Yes", "callback_data": "ask:1:0:0"}]]}})


@pytest.mark.parametrize("raw", [message("/cancel"), {"callback_query": {"id": "1", "data": "ask:1:0:0"}}])
def test_a_message_that_comes_while_its_question_is_being_answered_comes_too_late(raw: dict[str, Any]) -> None:
    """What came of the question is about to be written, and does not name a message that has arrived since: whoever sent that takes its buttons away."""
    questions = Questions()
    opened(questions, wants={"press": ["ask:1:0:", 1]})
    assert offered(questions, raw) is not None
    assert not questions.delivered({"message_id": 5, "reply_markup": {"inline_keyboard": [[{"text": "Yes", "callback_data": "ask:1:0:0"}]]}})


def test_what_is_over_is_told_once_and_in_time() -> None:
    """A question ends at its time with AskTimeout, a sleep with nothing; the store's trouble leaves them for the next look."""
    entries, now = Entries(Question(1, 0, "sleep", until=5.0)), [0.0]
    questions = Questions(entries, now=lambda: now[0])
    found = opened(questions, row=2, asked=1.0, until=8.0)
    opened(questions, row=3)
    assert (questions.next_time(), questions.end_due()) == (5.0, 0)
    now[0], entries.trouble = 9.0, True
    with pytest.raises(StorageError):
        questions.end_due()
    entries.trouble = False
    assert questions.end_due() == 2
    assert [(answer.row, type(read_outcome(answer.outcome))) for answer in entries.closed] == [(1, type(None)), (2, AskTimeout)]
    assert isinstance(read_outcome(questions.wait(found)), AskTimeout)
    assert (questions.next_time(), questions.end_due(), questions.number) == (None, 0, 1)


def test_an_answer_on_its_way_is_not_too_late() -> None:
    """A question that an update is answering does not end meanwhile; put back, it does."""
    now = [0.0]
    questions = Questions(Entries(), now=lambda: now[0])
    opened(questions, until=5.0)
    assert offered(questions, message()) is not None
    now[0] = 6.0
    assert questions.end_due() == 0
    questions.give_back(9)
    assert questions.end_due() == 1


def test_a_stop_ends_every_waiting() -> None:
    """Whoever waits, or begins to, gets Stopped; an answer to what is not recorded has to stay in the inbox."""
    questions = Questions(Entries())
    found, unrecorded = opened(questions), opened(questions, row=2, user=7, is_recorded=False)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(questions.wait, found)
        questions.stop()
        with pytest.raises(Stopped):
            waiting.result(10.0)
    with pytest.raises(Stopped):
        offered(questions, message(), user=7)
    with pytest.raises(Stopped):
        questions.wait(unrecorded)
    assert offered(questions, message()) is not None
    late = opened(questions, row=3)
    assert not late.is_held
    assert late.over.is_set(), "whoever waited for it would wait for ever"


def test_too_many_are_put_aside() -> None:
    """A bound of threads wait; what is recorded is put aside beyond it, what is not is refused; one that ends makes room."""
    questions = Questions(Entries())
    held = [opened(questions, row=n, user=n) for n in range(MAX_WAITING)]
    assert all(found.is_held for found in held)
    assert not opened(questions, row=1000).is_held
    with pytest.raises(RuntimeError, match=str(MAX_WAITING)):
        opened(questions, row=1001, is_recorded=False)
    questions.forget(held[0])
    assert opened(questions, row=1001, is_recorded=False).is_held
    with pytest.raises(RuntimeError, match="durable=False"):
        opened(questions, row=1002, is_recorded=False, may_hold=False)


def test_an_answer_waits_for_the_question_to_be_written() -> None:
    """An update that comes while the question is being written is its answer; where it is not written after all, it answers nothing."""
    for is_written in (True, False):
        questions = Questions(Entries())
        found = questions.ask(Question(1, 0, "ask", CHAT, USER), is_recorded=True, may_hold=True)
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(offered, questions, message())
            (questions.opened if is_written else questions.forget)(found)
            assert (answer.result(10.0) is not None) is is_written


def test_an_answer_is_taken_once() -> None:
    """Of a thousand offers from eight threads, exactly one is taken."""
    questions, taken, lock = Questions(Entries()), list[int](), threading.Lock()
    opened(questions)

    def offer(n: int) -> None:
        if offered(questions, message(), row=n):
            with lock:
                taken.append(n)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(offer, range(1000)))
    assert len(taken) == 1


@pytest.mark.parametrize(
    "wanted", [filters.PHOTO, filters.LOCATION, filters.CONTACT | ~filters.regex(r"^a\d$"), filters.text("a", "b") & filters.mime("image/"), filters.ALL]
)
def test_filters_are_kept_as_text(wanted: filters.Filter) -> None:
    """A filter of ours comes back from its text as it was."""
    assert repr(filter_of(filter_text(wanted))) == repr(wanted)


@pytest.mark.parametrize("wanted", [lambda update: True, filters.PHOTO & (lambda update: True), filters.PRIVATE, filters.state("a")])
def test_what_cannot_be_kept_is_refused(wanted: Callable[[Any], object]) -> None:
    """Functions, and filters that are not about the message's content, are refused in words."""
    with pytest.raises(TypeError, match="check="):
        filter_text(wanted)


@pytest.mark.parametrize("text", ["", "__import__('os')", "has('photo', x=1)", "has(open('x'))", "1 + 1", "has", "a" * 100_000, "(" * 1000, "has(1) & 2"])
def test_a_damaged_filter_is_none(text: str) -> None:
    """What stands in a damaged file is refused, and nothing of it is run."""
    with pytest.raises(ValueError, match="filter"):
        filter_of(text)
