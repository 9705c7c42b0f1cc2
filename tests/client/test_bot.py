"""The Bot object: how it is made, what `call` does, and what it tells of itself."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kits.timing_kit import soon, took

from syncbot.client.bot import Bot
from syncbot.client.limits import Limits
from syncbot.client.retry import RetryPolicy
from syncbot.config import Settings
from syncbot.errors import ConfigError, DeliveryUncertain, NetworkError, NotSent, Phase, ProxyAuthRequired
from syncbot.runtime.runtime import Runtime
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, FaultProxy
from syncbot.transport import FakeTransport
from syncbot.types import Proxy

TOKEN = "123456789:TEST-abcdefghijklmnopqrstuvwxyz0123"


def fake_bot(**answers: Any) -> tuple[Bot, FakeTransport]:
    transport = FakeTransport(**answers)
    return Bot(TOKEN, transport=transport, retry=RetryPolicy(first_wait=0.001)), transport


@pytest.fixture
def bot(api: BotApiServer) -> Iterator[Bot]:
    with Bot(api.token, proxies=["direct"], base_url=api.url, ca_file=api.ca_file) as bot:
        yield bot


def test_what_is_no_json_is_told_as_it_was_sent() -> None:
    """The fake transport shows a channel's name and a text with a bracket as texts, and an id as a number."""
    bot, transport = fake_bot(sendMessage={"message_id": 1})
    for chat in ("@channel", 7):
        bot.call("sendMessage", chat_id=chat, text="{no JSON")
    assert [dict(call.parameters) for call in transport.calls] == [{"chat_id": "@channel", "text": "{no JSON"}, {"chat_id": 7, "text": "{no JSON"}]


# --- How it is made.


@pytest.mark.parametrize(
    "token", ["", "123456789", "abc:def", "123456789:", "123456789:with space in it-------------", "bot123456789:TEST-abcdefghijklmnopqrstuvwxyz0"]
)
def test_a_malformed_token_is_a_wrong_setting(token: str) -> None:
    """It is refused before anything is sent, and the error does not repeat its secret half."""
    with pytest.raises(ConfigError) as caught:
        Bot(token, transport=FakeTransport())
    assert "TOKEN" in str(caught.value)
    assert "TEST-abc" not in str(caught.value)


@pytest.mark.parametrize(("option", "words"), [({"retry": 3}, r"retry=RetryPolicy\(attempts=3\)"), ({"limits": 30}, r"limits=Limits\(per_second=30\)")])
def test_a_number_where_a_policy_belongs_is_a_wrong_setting(option: dict[str, Any], words: str) -> None:
    """It is told when the bot is made, with the way to write it, and not by the first call."""
    with pytest.raises(ConfigError, match=words):
        Bot(TOKEN, transport=FakeTransport(), **option)


@pytest.mark.parametrize("proxy", ["ftp://p:1", "http://", "http://user:secret@:3128", "socks5://p:port", "http://user:secret@p:99999", "http://p:1/path"])
def test_a_malformed_proxy_is_a_wrong_setting(proxy: str) -> None:
    """It names the setting, says what is wrong, shows a right one, and does not repeat the password."""
    with pytest.raises(ConfigError) as caught:
        Bot(TOKEN, proxies=[proxy])
    assert "proxies" in str(caught.value)
    assert "for example" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("go_elsewhere", [pickle.dumps, copy.deepcopy])
def test_a_bot_goes_nowhere_else(go_elsewhere: Callable[[Bot], object]) -> None:
    """Given to another process it is refused with the way to have one there, and its token stays where it is."""
    with pytest.raises(TypeError, match=r"^a Bot cannot be pickled: .* Bot\.from_env\(\)"):
        go_elsewhere(fake_bot()[0])


def test_a_copy_of_a_bot_shares_all_with_it() -> None:
    """It is one bot under two names: its transport and its limits are the same."""
    bot, fake = fake_bot(getMe={"id": 1, "is_bot": True, "first_name": "A"})
    copied = copy.copy(bot)
    assert copied is not bot
    assert copied.get_me().id == 1
    assert [call.method for call in fake.calls] == ["getMe"]


def test_a_bot_tells_its_id_and_no_secret() -> None:
    """`repr()` and `str()` show the id alone."""
    bot, _ = fake_bot()
    assert bot.id == 123456789
    assert repr(bot) == str(bot) == "Bot(id=123456789)"


def test_a_single_proxy_may_be_a_text() -> None:
    """`proxies="socks5h://…"` is a list of one."""
    with Bot(TOKEN, proxies="http://127.0.0.1:1", retry=None) as bot, pytest.raises(NotSent) as caught:
        bot.call("getMe")
    assert caught.value.proxy == "http://127.0.0.1:1"


def test_without_proxies_the_environment_is_asked(api: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY is used, NO_PROXY exempts, and "direct" means none at all."""
    with FaultProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        options: dict[str, Any] = {"base_url": api.url, "ca_file": api.ca_file}
        with Bot(api.token, **options) as bot:
            bot.call("getMe")
        assert proxy.opened == 1
        with Bot(api.token, proxies=["direct"], **options) as bot:
            bot.call("getMe")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with Bot(api.token, **options) as bot:
            bot.call("getMe")
        assert proxy.opened == 1


def test_the_ca_file_of_the_environment_is_used(api: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """SYNCBOT_CA_FILE serves where no `ca_file` is given."""
    monkeypatch.setenv("SYNCBOT_CA_FILE", api.ca_file)
    with Bot(api.token, proxies=["direct"], base_url=api.url) as bot:
        assert bot.call("getMe")["is_bot"] is True


def test_a_bot_of_the_environment_and_an_env_file(api: BotApiServer, tmp_path: Path) -> None:
    """`from_env` reads the file; an option given with it wins."""
    env_file = tmp_path / "bot.env"
    lines = f"TELEGRAM_BOT_TOKEN={api.token}\nSYNCBOT_BASE_URL=https://127.0.0.1:1\n"
    env_file.write_text(f"{lines}SYNCBOT_CA_FILE={api.ca_file}\nSYNCBOT_TIMEOUT=33\nSYNCBOT_LOCAL=1\n")
    with Bot.from_env(env_file, base_url=api.url) as bot:
        assert bot.call("getMe")["username"] == "test_bot"
        assert bot.timeout == 33.0
        assert bot.local is True
        assert isinstance(bot.settings, Settings)


# --- call.


def test_call_returns_plain_values(bot: Bot, api: BotApiServer) -> None:
    """The JSON result as Python values; parameters as they are."""
    message = bot.call("sendMessage", chat_id=42, text="hi", reply_markup={"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]})
    assert isinstance(message, dict)
    assert message["text"] == "hi"
    assert api.requests_for("sendMessage")[0].params["reply_markup"] == {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}
    assert api.problems == []


def test_an_unknown_parameter_is_refused_before_anything_is_sent() -> None:
    """A TypeError names the nearest right one; `check=False` lets it pass."""
    bot, transport = fake_bot(sendMessage={"message_id": 1})
    with pytest.raises(TypeError, match="text"):
        bot.call("sendMessage", chat_id=1, texd="hi")
    with pytest.raises(TypeError, match="chat_id"):
        bot.call("sendMessage", text="hi")
    assert transport.calls == []
    bot.call("sendMessage", check=False, chat_id=1, texd="hi")
    assert transport.parameters("sendMessage") == [{"chat_id": 1, "texd": "hi"}]


def test_methods_that_the_table_does_not_know_work_too() -> None:
    """A newer method is called as it stands, and counts as not repeatable."""
    bot, transport = fake_bot(brandNewMethod=[NetworkError("cut", phase=Phase.MAYBE_SENT), True])
    with pytest.raises(DeliveryUncertain):
        bot.call("brandNewMethod", anything=1)
    assert bot.call("brandNewMethod", anything=1) is True
    assert len(transport.calls) == 2


def test_the_case_of_a_method_does_not_matter() -> None:
    """As for Telegram; the table's spelling is what is sent."""
    bot, transport = fake_bot(getMe={"id": 1})
    bot.call("getme")
    assert transport.calls[0].method == "getMe"


def test_values_of_none_are_left_out() -> None:
    """None means "not given"."""
    bot, transport = fake_bot(sendMessage={"message_id": 1})
    bot.call("sendMessage", chat_id=1, text="hi", parse_mode=None)
    assert transport.parameters("sendMessage") == [{"chat_id": 1, "text": "hi"}]


def test_timeout_and_deadline_of_one_call() -> None:
    """They bound this call and are not sent; getUpdates has a `timeout` of its own, which is its wait."""
    bot, transport = fake_bot(getMe={"id": 1}, getUpdates=[])
    bot.call("getMe", timeout=3.0, deadline=4.0)
    bot.call("getUpdates", timeout=25)
    bot.call("getUpdates", timeout=timedelta(seconds=25))
    first, *polls = transport.requests
    assert (first.timeout, first.wait) == (3.0, 0.0)
    assert transport.calls[0].parameters == {}
    assert [(poll.timeout, poll.wait, poll.scope) for poll in polls] == [(20.0, 25.0, "poll")] * 2
    assert [str(call.parameters["timeout"]) for call in transport.calls[1:]] == ["25", "25"]


@pytest.mark.parametrize(
    ("method", "repeated"), [("getMe", True), ("editMessageText", True), ("sendMessage", False), ("forwardMessage", False), ("answerWebAppQuery", False)]
)
def test_the_table_says_what_may_be_repeated(method: str, repeated: bool) -> None:
    """After a cut, a method that does no harm twice is tried again, any other is DeliveryUncertain."""
    bot, transport = fake_bot(**{method: [NetworkError("cut", phase=Phase.MAYBE_SENT), True]})
    if repeated:
        assert bot.call(method, check=False) is True
    else:
        with pytest.raises(DeliveryUncertain):
            bot.call(method, check=False)
    assert len(transport.calls) == (2 if repeated else 1)


def test_no_retry_means_one_attempt() -> None:
    """`retry=None` hands every failure to the caller."""
    transport = FakeTransport(getMe=[NotSent("no route"), {"id": 1}])
    bot = Bot(TOKEN, transport=transport, retry=None)
    with pytest.raises(NotSent):
        bot.call("getMe")
    assert len(transport.calls) == 1


def test_the_limits_hold_unless_they_are_switched_off() -> None:
    """With tight limits the second message does not fit its deadline; without limits it goes."""
    for limits, passes in ((Limits(chat_burst=1, chat_interval=60.0), False), (None, True)):
        bot = Bot(TOKEN, transport=FakeTransport(sendMessage={"message_id": 1}), limits=limits)
        bot.call("sendMessage", chat_id=1, text="a")
        if passes:
            bot.call("sendMessage", chat_id=1, text="b", deadline=1.0)
        else:
            with pytest.raises(NotSent, match="rate limits"):
                bot.call("sendMessage", chat_id=1, text="b", deadline=1.0)


# --- Polling, stopping, closing.


def test_fetch_updates_is_one_attempt(bot: Bot, api: BotApiServer) -> None:
    """A poller has its own patience: a failure comes out at once, and what comes back is plain JSON."""
    api.user(id=42).send("hello")
    updates = bot.fetch_updates(offset=None, limit=10, wait=0, allowed_updates=["message"], stop=threading.Event())
    assert [update["message"]["text"] for update in updates] == ["hello"]
    request = api.requests_for("getUpdates")[0]
    assert request.params["allowed_updates"] == ["message"]
    assert "offset" not in request.params
    api.answer_next(Answer.gateway(502))
    with pytest.raises(NetworkError) as caught:
        bot.fetch_updates(offset=1, limit=10, wait=0, allowed_updates=None, stop=threading.Event())
    assert caught.value.attempts == 1


@pytest.mark.parametrize("result", [None, True, {"x": 1}, [1, "two", None]])
def test_updates_of_an_odd_shape_are_left_out(result: object) -> None:
    """Only objects are updates."""
    bot, _ = fake_bot(getUpdates=result)
    assert bot.fetch_updates(offset=None, limit=1, wait=0, allowed_updates=None, stop=threading.Event()) == []


def test_abort_poll_ends_the_poll_and_no_message(bot: Bot, api: BotApiServer) -> None:
    """From another thread, in less than half a second, while a message that is under way arrives."""

    def abort_once() -> float:
        ended = threading.Event()
        errors: list[Exception] = []

        def poll() -> None:
            try:
                bot.fetch_updates(offset=None, limit=10, wait=50, allowed_updates=None, stop=threading.Event())
            except NetworkError as error:
                errors.append(error)
            ended.set()

        sent = api.count("sendMessage")
        api.script("sendMessage", Answer.normal().after(0.6))
        threads = [threading.Thread(target=poll), threading.Thread(target=bot.call, args=("sendMessage",), kwargs={"chat_id": 42, "text": "under way"})]
        for thread in threads:
            thread.start()
        api.wait_polled()
        api.wait_count("sendMessage", sent + 1)
        bot.abort_poll()
        seconds = took(lambda: ended.wait(20))
        assert str(errors[0]) == "aborted"
        for thread in threads:
            thread.join()
        assert api.count_text("under way") == sent + 1
        api.wait_closed()
        return seconds

    assert soon(0.5, abort_once)


def test_close_ends_calls_and_waits_and_a_later_call_works(bot: Bot, api: BotApiServer) -> None:
    """A call that waits in another thread ends with an error, soon; the bot may be used again."""
    api.script("getMe", Answer.never())
    errors: list[Exception] = []

    def call() -> None:
        try:
            bot.call("getMe", timeout=60.0)
        except NetworkError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    api.wait_count("getMe", 1)
    bot.close()
    thread.join(20)
    assert not thread.is_alive()
    assert [str(error) for error in errors] == ["aborted"]
    assert bot.call("getMe")["is_bot"] is True


def test_a_stop_ends_the_wait_for_a_retry() -> None:
    """The bot's stop event, once set, ends every wait of its calls."""
    transport = FakeTransport(getMe=NotSent("no route"))
    bot = Bot(TOKEN, transport=transport, retry=RetryPolicy(attempts=10, first_wait=1000.0, longest_wait=1000.0), deadline=5000.0)
    errors: list[NotSent] = []

    def call() -> None:
        try:
            bot.call("getMe")
        except NotSent as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert transport.wait_for(lambda calls: len(calls) == 1)
    bot.stop_event.set()
    thread.join(20)
    assert len(errors) == 1


def test_a_proxy_that_wants_a_password(api: BotApiServer) -> None:
    """ProxyAuthRequired, with the way to write it, and no secret in it."""
    with FaultProxy(username="user", password="right-one") as proxy:
        options: dict[str, Any] = {"base_url": api.url, "ca_file": api.ca_file}
        with (
            Bot(api.token, proxies=[Proxy("http", "127.0.0.1", proxy.port)], **options) as bot,
            pytest.raises(ProxyAuthRequired, match="http://user:password@host:port"),
        ):
            bot.call("getMe")
        with Bot(api.token, proxies=[proxy.url], **options) as bot:
            assert bot.call("getMe")["is_bot"] is True


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Bot(TEST_TOKEN, proxy="direct"), "Bot takes no 'proxy'; did you mean 'proxies'?"),  # type: ignore[arg-type]  # this is the mistake
        (lambda: Bot.from_env(token=TEST_TOKEN), r"write Bot\(token\)"),
        (lambda: Runtime(TEST_TOKEN), r"not a str; write Runtime\(Bot.from_env\(\)\)"),  # type: ignore[call-overload]  # the same
        (lambda: Runtime(token=TEST_TOKEN), "'token' is the bot's; write"),  # type: ignore[call-overload]  # the same
        (lambda: Runtime(Bot(TEST_TOKEN, proxies="direct"), proxy="x"), "'proxy' is the bot's; write"),  # type: ignore[call-overload]  # the same
        (lambda: Runtime(Bot(TEST_TOKEN, proxies="direct"), worker=3), "did you mean 'workers'?"),  # type: ignore[call-overload]  # the same
    ],
)
def test_an_option_that_belongs_elsewhere(make: Callable[[], object], words: str) -> None:
    """A token or a proxy that is given where none is taken is answered with where it is, and the token is shown nowhere."""
    with pytest.raises(TypeError, match=words) as raised:
        make()
    assert TEST_TOKEN not in str(raised.value)
    shown = [repr({**frame.frame.f_locals, "self": None}) for frame in raised.traceback if "/syncbot/" in str(frame.path)]
    assert shown
    assert all(TEST_TOKEN.partition(":")[2] not in each for each in shown)
