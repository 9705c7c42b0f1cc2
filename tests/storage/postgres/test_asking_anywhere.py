"""`context.ask` on several machines: one asks, any of them gets the answer, or sees that the time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from kits.storage_kit import BOT, finish

from syncbot import AskTimeout, Bot, Context, Runtime
from syncbot.runtime.work.questions import Questions
from syncbot.storage import Changes, Claimed, End, Incoming, JournalKey, Question, QuestionOpening, Store, open_store
from syncbot.testing import TEST_TOKEN, BotApiServer

pytestmark = pytest.mark.programs("postgres")

ANSWER = {"update_id": 2, "message": {"message_id": 2, "date": 1, "chat": {"id": 7, "type": "private"}, "from": {"id": 7}, "text": "Zoë"}}


@pytest.fixture
def stores(postgres_url: str) -> Iterator[tuple[Store, Store]]:
    """Those of two machines, both members."""
    with open_store(postgres_url, BOT) as one, open_store(postgres_url, BOT) as other:
        one.inbox.recover()
        other.inbox.recover()
        yield one, other


def eventually(condition: Callable[[], object]) -> None:
    pause = threading.Event()
    assert any(condition() or pause.wait(0.02) for _ in range(1000))


def of(store: Store) -> Questions:
    """As one machine sees them."""
    return Questions.of(store, lambda: None)


def ask(store: Store, questions: Questions, *, may_hold: bool, until: float | None = None) -> tuple[Claimed, Any]:
    """A handler of this machine asks user 7 in chat 7."""
    store.inbox.store([Incoming(1, "7", b"{}")])
    [claimed] = store.inbox.claim()
    question = Question(claimed.row, 0, "ask", 7, 7, {}, time.time(), until)
    found = questions.ask(question, is_recorded=True, may_hold=may_hold)
    store.inbox.yield_turn(claimed, QuestionOpening(question))
    questions.opened(found)
    return claimed, found


def answer(store: Store, questions: Questions) -> None:
    """The answer comes, and is handled by this machine."""
    store.inbox.store([Incoming(2, "7", b"{}")])
    [claimed] = store.inbox.claim()
    assert claimed.is_awaited
    answers = questions.offer(claimed.row, 7, 7, ANSWER, lambda: None)
    assert answers is not None
    finish(store.inbox, claimed, Changes(answers=tuple(answers)))
    questions.answered(answers)


def test_a_question_of_one_machine_is_answered_through_another(stores: tuple[Store, Store]) -> None:
    """The other one learns of it with the update; the handler that was put aside goes on with the answer, on whichever machine claims it."""
    one, other = stores
    questions, elsewhere = of(one), of(other)
    claimed, _ = ask(one, questions, may_hold=False)
    one.inbox.release(claimed)
    answer(other, elsewhere)
    [again] = other.inbox.claim()
    assert again.update_id == 1
    [step] = other.journal.steps(JournalKey(again.row, again.ticket))
    assert "Zo" in (step.outcome or "")
    assert questions.offer(99, 7, 7, ANSWER, lambda: None) is None, "the one that asked knows that it is over"


def test_a_thread_that_holds_its_handler_hears_of_an_answer_elsewhere(stores: tuple[Store, Store]) -> None:
    """It goes on with what the other machine was told."""
    one, other = stores
    questions, elsewhere = of(one), of(other)
    _, found = ask(one, questions, may_hold=True)
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(questions.wait(found)))
    thread.start()
    questions.look()
    assert not told
    answer(other, elsewhere)
    questions.look()
    thread.join(20.0)
    assert "Zo" in told[0]


def test_whoever_is_left_ends_what_nobody_answers(stores: tuple[Store, Store]) -> None:
    """The machine that asked is gone when the time is over: another one, which never heard of the question, ends it."""
    one, other = stores
    elsewhere = of(other)
    claimed, _ = ask(one, of(one), may_hold=False, until=time.time() - 10.0)
    one.inbox.release(claimed)
    one.close()
    elsewhere.look()
    assert elsewhere.end_due() == 1
    [again] = other.inbox.claim()
    assert "AskTimeout" in str(other.journal.steps(JournalKey(again.row, again.ticket))[0].outcome)
    other.inbox.settle([End(again)])


def test_an_answer_that_came_first_counts_where_the_time_is_over_elsewhere(stores: tuple[Store, Store]) -> None:
    """Both end it at once: the thread that waits is told what stands in the journal."""
    one, other = stores
    questions, elsewhere = of(one), of(other)
    _, found = ask(one, questions, may_hold=True, until=time.time() + 0.1)
    answer(other, elsewhere)
    eventually(questions.end_due)
    assert "Zo" in questions.wait(found)


def test_two_machines_hold_conversations_together(postgres_url: str) -> None:
    """Ten people are asked for two things each by two runtimes on one database: each gets the answer to what he said, whoever handled it."""
    with BotApiServer(any_chat=True, slow_same_offset=False) as server, ExitStack() as stack:
        handled: set[int] = set()
        for number in range(2):
            app = Runtime(stack.enter_context(Bot(TEST_TOKEN, base_url=server.url, limits=None)), state=postgres_url, workers=2)

            @app.command("start")
            def start(update: Any, context: Context, number: int = number) -> None:
                name = context.ask("Your name?", timeout=60).text
                town = context.ask("Your town?", timeout=60).text
                handled.add(number)
                context.reply(f"{name} from {town}")

            stack.enter_context(app)
        people = [server.user() for _ in range(10)]
        for person in people:
            person.start()
        for number, person in enumerate(people):
            person.wait_for("Your name?", timeout=40)
            person.send(f"name{number}")
        for number, person in enumerate(people):
            person.wait_for("Your town?", timeout=40)
            person.send(f"town{number}")
        for number, person in enumerate(people):
            person.wait_for(f"name{number} from town{number}", timeout=40)


def test_an_answer_that_comes_while_its_question_is_being_opened_is_seen_later(stores: tuple[Store, Store]) -> None:
    """The machine that asks is told of the answer before it has noted that its question stands in the store; its next look finds it."""
    one, other = stores
    questions, elsewhere = of(one), of(other)
    one.inbox.store([Incoming(1, "7", b"{}")])
    [claimed] = one.inbox.claim()
    question = Question(claimed.row, 0, "ask", 7, 7, {}, time.time())
    found = questions.ask(question, is_recorded=True, may_hold=True)
    one.inbox.yield_turn(claimed, QuestionOpening(question))
    answer(other, elsewhere)
    questions.look()
    assert not found.over.is_set()
    questions.opened(found)
    questions.look()
    assert "Zo" in questions.wait(found)


def test_the_message_of_a_choice_is_known_whoever_delivers_it(stores: tuple[Store, Store]) -> None:
    """By the outbox, another machine may send it: it leaves the buttons of a question that is open, and the one that ends that knows which message it was."""
    one, other = stores
    questions, elsewhere = of(one), of(other)
    one.inbox.store([Incoming(1, "7", b"{}")])
    [claimed] = one.inbox.claim()
    question = Question(claimed.row, 0, "choose", 7, 7, {"press": [f"ask:{claimed.row}:0:", 1]}, time.time(), time.time() - 1.0)
    found = questions.ask(question, is_recorded=True, may_hold=True)
    one.inbox.yield_turn(claimed, QuestionOpening(question))
    questions.opened(found)
    sent = {"message_id": 5, "reply_markup": {"inline_keyboard": [[{"text": "S", "callback_data": f"ask:{claimed.row}:0:0"}]]}}
    assert elsewhere.delivered(sent)
    assert questions.end_due() == 1
    assert '"message_id":5' in questions.wait(found).replace(" ", "")
    assert not elsewhere.delivered(sent), "its time is over: the buttons go"


def test_taking_a_choice_back_names_its_message(stores: tuple[Store, Store]) -> None:
    """Also where a machine takes it back that knew of the question before another one has delivered it."""
    one, other = stores
    questions, elsewhere = of(one), of(other)
    one.inbox.store([Incoming(1, "7", b"{}")])
    [claimed] = one.inbox.claim()
    question = Question(claimed.row, 0, "choose", 7, 7, {"press": [f"ask:{claimed.row}:0:", 1]}, time.time())
    found = questions.ask(question, is_recorded=True, may_hold=False)
    one.inbox.yield_turn(claimed, QuestionOpening(question))
    questions.opened(found)
    assert elsewhere.delivered({"message_id": 5, "reply_markup": {"inline_keyboard": [[{"text": "S", "callback_data": f"ask:{claimed.row}:0:0"}]]}})
    command = {"text": "/cancel", "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}
    [taken] = questions.offer(99, 7, 7, {"update_id": 2, "message": ANSWER["message"] | command}, lambda: None) or ()
    assert '"message_id":5' in taken.outcome.replace(" ", "")


def test_what_is_not_handled_yet_may_be_an_answer(stores: tuple[Store, Store]) -> None:
    """Whichever machine has it: until its end is recorded. A handler that waits for an answer itself is none."""
    one, other = stores
    claimed, _ = ask(one, of(one), may_hold=True)
    newest = other.inbox.counts().newest
    assert not other.questions.may_be_answered(newest)
    one.inbox.store([Incoming(2, "7", b"{}")])
    newest = other.inbox.counts().newest
    assert other.questions.may_be_answered(newest)
    assert not other.questions.may_be_answered(claimed.row)
    [answering] = one.inbox.claim()
    assert other.questions.may_be_answered(newest)
    finish(one.inbox, answering)
    assert not other.questions.may_be_answered(newest)


def test_an_answer_that_came_while_no_machine_ran_is_one(postgres_url: str) -> None:
    """The machine that starts does not poll, since another one does: it leaves the question, whose time is over, until that one has stored the answer."""
    with BotApiServer(any_chat=True, slow_same_offset=False) as server:
        person = server.user()
        with Bot(TEST_TOKEN, base_url=server.url, limits=None) as bot, greeting(bot, postgres_url) as app:
            app.start()
            person.start()
            person.wait_for("Name?", timeout=40)
            with psycopg.connect(postgres_url, autocommit=True) as db:
                eventually(lambda: db.execute("SELECT 1 FROM syncbot.question").fetchall())
        with psycopg.connect(postgres_url) as db:
            assert db.execute("UPDATE syncbot.question SET until = 1.0").rowcount == 1
        with ExitStack() as stack:
            poller = stack.enter_context(open_store(postgres_url, int(TEST_TOKEN.partition(":")[0])))
            bot = stack.enter_context(Bot(TEST_TOKEN, base_url=server.url, limits=None))
            app = stack.enter_context(greeting(bot, postgres_url))
            poller.inbox.recover()
            assert poller.members is not None
            assert poller.members.take_polling()
            person.send("Zoë")
            app.start()
            eventually(lambda: server.count("getWebhookInfo"))
            offset = poller.inbox.next_offset()
            [update] = bot.call("getUpdates", offset=offset)
            app.process(update)
            bot.call("getUpdates", offset=update["update_id"] + 1)
            person.wait_for("Hello Zoë", timeout=40)


@contextmanager
def greeting(bot: Bot, url: str) -> Iterator[Runtime]:
    """A machine that asks for a name, and is stopped at the end."""
    app = Runtime(bot, state=url, workers=2)

    @app.command("start")
    def start(update: Any, context: Context) -> None:
        context.reply(f"Hello {context.ask('Name?').text}")

    @app.error(AskTimeout)
    def late(update: Any, context: Context) -> None:
        context.reply("Too late")

    try:
        yield app
    finally:
        app.stop()
