"""`syncbot doctor`: a healthy way, and the cause by name where something is broken."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from syncbot.cli.doctor.deadline import within
from syncbot.cli.doctor.result import Result, Status
from syncbot.cli.doctor.way import clock_skew
from syncbot.config import state_dir
from syncbot.runtime.session.mode import write_mode
from syncbot.storage import open_store
from syncbot.testing import TEST_TOKEN, Answer, BotApiServer, Fault, FaultProxy, TestCA

Command = Callable[..., Any]

QUICK = ("--watch", "1")


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    """A Bot API server over TLS."""
    with BotApiServer(tls=True, slow_same_offset=False, hosts=["127.0.0.1", "localhost.invalid"]) as running:
        yield running


@pytest.fixture(autouse=True)
def trust(server: BotApiServer, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands trust the server's authority."""
    monkeypatch.setenv("SYNCBOT_CA_FILE", server.ca_file)
    monkeypatch.setenv("SYNCBOT_TIMEOUT", "10")


def examined(command: Command, *argv: str) -> tuple[int, dict[str, Any], str]:
    """Run the doctor; its exit code, its report, and what it complained of."""
    ended = command("doctor", "--json", *QUICK, *argv)
    report = json.loads(ended.out)
    assert report["exit_code"] == ended.code
    assert report["ok"] is (ended.code == 0)
    assert TEST_TOKEN not in ended.out + ended.err
    return ended.code, report, ended.err


def step(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The one step of this name."""
    (found,) = [one for one in report["steps"] if one["step"] == name]
    return dict(found)


def failed_steps(report: dict[str, Any]) -> list[str]:
    """The names of the steps that failed."""
    return [one["step"] for one in report["steps"] if one["status"] == "failed"]


def test_misspelt_setting(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that looks like a setting and is none is worth a note with the nearest right one; its value is not told."""
    Path(".env").write_text("SYNCBOT_PROXI=http://user:secret@proxy.example:1\nMY_OWN=1\n")
    monkeypatch.setenv("SYNCBOT_WHATEVER_ELSE", "1")
    code, report, err = examined(command)
    assert (code, err) == (0, "")
    settings = step(report, "settings")
    assert settings["status"] == "note"
    assert f"SYNCBOT_PROXI in {Path.cwd() / '.env'} is no setting; did you mean SYNCBOT_PROXY?" in settings["advice"]
    assert "SYNCBOT_WHATEVER_ELSE in the environment is no setting" in settings["advice"]
    assert "secret" not in json.dumps(report)
    assert "MY_OWN" not in json.dumps(report)


def test_misspelt_token(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the token is missing, the name that it probably stands under is told."""
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    Path("bot.env").write_text(f"TELEGRAM_TOKEN={TEST_TOKEN}\n")
    code, report, _ = examined(command, "--env-file", "bot.env")
    assert code == 78
    assert step(report, "settings")["advice"] == f"TELEGRAM_TOKEN in {Path.cwd() / 'bot.env'} is no setting; did you mean TELEGRAM_BOT_TOKEN?"


@pytest.mark.parametrize("kind", ["http", "socks5", "socks5h", "direct"])
def test_healthy_way(command: Command, server: BotApiServer, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A healthy way passes every step, ten of ten calls, with no connection left, and takes no update from the bot."""
    server.user(1001).send("wait for the bot")
    with FaultProxy(username="u", password="secret-word") as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url_for(kind) if kind != "direct" else "direct")
        code, report, err = examined(command)
    assert (code, err) == (0, "")
    assert "10/10" in step(report, "10 quick calls")["text"]
    assert "0 connections left open" in step(report, "10 quick calls")["text"]
    assert "TLSv1.3, certificate of syncbot.testing" in step(report, "TLS")["text"]
    assert "@test_bot" in step(report, "token")["text"]
    assert len(server.pending_updates) == 1
    assert "secret-word" not in json.dumps(report)
    server.wait_closed()


def test_report_for_people(terminal: Callable[..., Any]) -> None:
    """At a terminal each step is a line with its time, in colour."""
    running = terminal("doctor", *QUICK)
    assert running.wait() == 0
    assert "\x1b[32m✓" in running.screen
    assert "10 quick calls: 10/10" in running.screen


def test_no_colour_in_a_pipe(command: Command) -> None:
    """In a pipe the same lines stand without colour, and the last one says that all is well."""
    ended = command("doctor", *QUICK)
    assert ended.code == 0
    assert "\x1b" not in ended.out
    assert {line[0] for line in ended.out.splitlines()[:-1]} <= set("✓!- ")
    assert ended.out.splitlines()[-1] == "Healthy."
    assert "token: the bot is @test_bot" in ended.out


def test_dead_proxy(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that is not there is named, with what to look at; what lies behind it is not looked at."""
    with FaultProxy() as proxy, proxy.refuse_connections():
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        code, report, err = examined(command)
    assert code == 75
    assert failed_steps(report) == ["proxy reachable"]
    assert f"the proxy cannot be reached at 127.0.0.1:{proxy.port}" in report["cause"]
    assert "is the proxy running" in step(report, "proxy reachable")["advice"]
    assert err.startswith("syncbot: proxy reachable: the proxy cannot be reached")
    assert err.endswith("; next: syncbot init\n")
    assert report["command"] == "syncbot init"
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_wrong_proxy_password(command: Command, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A proxy that refuses the password is told from one that is dead, and the password is not shown."""
    with FaultProxy(kind, username="u", password="right-word") as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", f"{kind}://u:wrong-word@127.0.0.1:{proxy.port}")
        code, report, err = examined(command)
    assert code == 78
    assert failed_steps(report) == [f"proxy answers {'CONNECT' if kind == 'http' else 'SOCKS'}"]
    assert "refused" in report["cause"]
    assert "right user and password" in step(report, failed_steps(report)[0])["advice"]
    assert "wrong-word" not in json.dumps(report) + err


def test_proxy_that_refuses_the_tunnel(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers CONNECT with 502 is named as that."""
    with FaultProxy(faults=[Fault.bad_gateway()], rate=1.0) as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        code, report, _ = examined(command)
    assert code == 75
    assert failed_steps(report) == ["proxy answers CONNECT"]
    assert "502" in report["cause"]


@pytest.mark.parametrize("fault", [Fault.tls_drop(), Fault.tls_garbage(), Fault.tls_chunks()], ids=str)
def test_proxy_that_cuts_tls(command: Command, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """A proxy that opens tunnels and then cuts TLS is named as that, and how often it does so."""
    with FaultProxy(faults=[fault], rate=1.0) as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        code, report, _ = examined(command)
    assert code == 75
    assert step(report, "proxy answers CONNECT")["status"] == "ok"
    assert failed_steps(report) == ["TLS"]
    assert "the TLS handshake fails every time: the proxy, or something behind it, lets the connection through and then cuts TLS" in report["cause"]


def test_proxy_that_sometimes_cuts_tls(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that strikes now and then is not called a constant one."""
    with FaultProxy() as proxy:
        proxy.script(Fault.NONE, Fault.tls_drop(), Fault.NONE, Fault.NONE)
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        _, report, _ = examined(command)
    assert "fails in 1 of 3 tries" in report["cause"]


def test_the_way_is_named_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line names the proxy once, also where the error's own words do."""
    with FaultProxy() as proxy:
        proxy.script(*[Fault.NONE] * 12, Fault.tls_drop())  # two for the way, four for its early opening, six for small packets
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        ended = command("doctor")
    assert ended.code == 75
    last = ended.err.splitlines()[-1]
    assert last.startswith("syncbot: token: not sent")
    assert last.count(proxy.url) == 1


def test_expired_certificate(command: Command, server: BotApiServer) -> None:
    """An expired certificate is named, with this machine's time beside it."""
    server.use_certificate("expired")
    before = time.strftime("%Y-%m-%d", time.gmtime())
    code, report, _ = examined(command)
    assert code == 75
    assert failed_steps(report) == ["TLS"]
    assert "certificate has expired" in report["cause"]
    assert any(day in report["cause"] for day in (before, time.strftime("%Y-%m-%d", time.gmtime())))


def test_certificate_that_is_not_yet_valid(command: Command, server: BotApiServer) -> None:
    """A certificate from the future means a clock that is behind."""
    server.use_certificate("not_yet_valid")
    code, report, _ = examined(command)
    assert code == 75
    assert "not yet valid" in report["cause"]
    assert "set the clock" in step(report, "TLS")["advice"]


def test_unknown_authority(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of somebody else's authority is not accepted, and the setting for one is named."""
    with TestCA() as other:
        monkeypatch.setenv("SYNCBOT_CA_FILE", other.ca_file)
        code, report, _ = examined(command)
    assert code == 75
    assert "not accepted" in report["cause"]
    assert "SYNCBOT_CA_FILE" in step(report, "TLS")["advice"]


def test_wrong_token(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token is found when all before it is well."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456789:" + "x" * 35)
    code, report, _ = examined(command)
    assert code == 77
    assert failed_steps(report) == ["token"]
    assert "the token is wrong or was revoked" in report["cause"]
    assert "@BotFather" in step(report, "token")["advice"]


@pytest.mark.parametrize(
    ("method", "result", "name"),
    [
        ("getMe", True, "token"),
        ("getMe", ["a bot"], "token"),
        ("getWebhookInfo", None, "how it runs"),
        ("getWebhookInfo", "none", "how it runs"),
        ("getUpdates", 7, "how it runs"),
        ("getUpdates", {"updates": []}, "how it runs"),
    ],
)
def test_server_answers_nonsense(command: Command, server: BotApiServer, method: str, result: object, name: str) -> None:
    """A server whose result has another form is named as the cause, step and method with it."""
    server.script(method, Answer.ok(result), times=None)
    code, report, _ = examined(command)
    assert code == 75
    assert failed_steps(report) == [name]
    assert f"what answers {method} is no Bot API server" in report["cause"]


def test_webhook_of_another_kind(command: Command, server: BotApiServer) -> None:
    """A webhook whose URL is no text is a webhook all the same."""
    server.script("getWebhookInfo", Answer.ok({"url": 7, "last_error_message": [1]}), times=None)
    code, report, _ = examined(command)
    assert code == 0
    assert "a webhook is set, at 7" in step(report, "how it runs")["text"]
    assert "the webhook last failed with: [1]" in step(report, "delivery")["text"]


def test_webhook(command: Command, server: BotApiServer) -> None:
    """A webhook that is set is named with its host, without the secret path, and with the way to remove it; whether the bot needs it nobody knows here."""
    assert command("call", "setWebhook", "url=https://bot.example/secret-path").code == 0
    code, report, _ = examined(command)
    assert code == 0
    assert "a webhook is set, at bot.example" in step(report, "how it runs")["text"]
    assert step(report, "how it runs")["status"] == "note"
    assert "secret-path" not in json.dumps(report)
    advice = step(report, "how it runs")["advice"]
    assert "may have had no update yet" in advice  # a web application before its first request: the webhook was set a moment ago, and is to stay
    assert "syncbot webhook delete" in advice
    assert server.count("getUpdates") == 0


def test_webhook_that_nobody_knows_of(command: Command, server: BotApiServer) -> None:
    """Where getWebhookInfo fails, nothing says that a webhook is set, and the other steps are taken all the same."""
    server.script("getWebhookInfo", Answer.server_error())
    _, report, _ = examined(command)
    assert failed_steps(report) == ["how it runs"]
    assert step(report, "10 quick calls")["status"] == "ok"
    assert server.count("getUpdates") == 0


_POLLER = """
import threading
from syncbot.client.bot import Bot
from syncbot.errors import SyncBotError

with Bot.from_env(retry=None) as bot:
    while True:
        try:
            bot.call("getUpdates", timeout=1)
        except SyncBotError:
            threading.Event().wait(0.2)
"""


@pytest.mark.parametrize("ran_here", [True, False])
def test_second_poller(command: Command, server: BotApiServer, ran_here: bool) -> None:
    """Another program that polls is found, although Telegram lets the newer poll win: a failure for a bot that ran here; else it may be the bot itself."""
    if ran_here:
        with open_store(state_dir() / f"{TEST_TOKEN.partition(':')[0]}.db", int(TEST_TOKEN.partition(":")[0])) as store:
            write_mode(store, poll=True)
    with subprocess.Popen([sys.executable, "-c", _POLLER]) as other:  # a process of its own: the doctor counts the connections of this one
        try:
            server.wait_polled(timeout=30.0)
            code, report, _ = examined(command, "--watch", "20")
        finally:
            other.kill()
    found = step(report, "how it runs")
    assert "another program polls for this bot" in found["text"]
    assert "only one program may poll" in found["advice"]
    assert (code, found["status"], failed_steps(report)) == ((77, "failed", ["how it runs"]) if ran_here else (0, "note", []))


def test_name_that_does_not_resolve(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that cannot be looked up is named."""
    monkeypatch.setenv("SYNCBOT_BASE_URL", "https://telegram.invalid")
    code, report, _ = examined(command)
    assert code == 75
    assert failed_steps(report) == ["name look-up"]
    assert "the name telegram.invalid cannot be looked up" in report["cause"]


def test_hint_for_socks5h(command: Command, server: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this machine cannot look a name up and the proxy can, socks5h is offered, and was tried."""
    port = server.port
    with FaultProxy("socks5", resolve={"localhost.invalid": f"127.0.0.1:{port}"}) as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        monkeypatch.setenv("SYNCBOT_BASE_URL", f"https://localhost.invalid:{port}")
        _, report, _ = examined(command)
    (look_up,) = [one for one in report["steps"] if one["status"] == "failed"]
    assert look_up["step"] == "name look-up"
    assert "write socks5h instead of socks5 (tried: that works)" in look_up["advice"]


def test_several_proxies(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """All proxies of the list are compared; one that works is enough, and the dead one is named."""
    with FaultProxy() as good, FaultProxy() as dead, dead.refuse_connections():
        monkeypatch.setenv("SYNCBOT_PROXY", f"{dead.url},{good.url}")
        code, report, err = examined(command)
    assert (code, err) == (0, "")
    assert failed_steps(report) == ["proxy reachable"]
    assert f"127.0.0.1:{dead.port}: does not work" in step(report, "all ways")["text"]
    assert step(report, "10 quick calls")["way"].endswith(str(good.port))


def test_no_proxy_of_several_works(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none of the list works, the first one's cause is the answer."""
    with FaultProxy() as dead, dead.refuse_connections():
        monkeypatch.setenv("SYNCBOT_PROXY", f"{dead.url},socks5://127.0.0.1:{dead.port}")
        code, report, _ = examined(command)
    assert code == 75
    assert "the proxy cannot be reached" in report["cause"]


def test_unsteady_way(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of the ten that fails is counted, and the doctor does not hide it by trying again."""
    with FaultProxy() as proxy:
        proxy.script(*[Fault.NONE] * 16, Fault.cut_before_answer())
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        code, report, _ = examined(command, "--watch", "0")
    assert code == 75
    assert step(report, "10 quick calls")["text"].startswith("9/10")


def test_idle_limit(command: Command, server: BotApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """--idle finds out that the way cuts what is idle, and that it does not."""
    with FaultProxy(idle_cut_after_seconds=1.9) as proxy:
        monkeypatch.setenv("SYNCBOT_PROXY", proxy.url)
        for _ in range(3):  # a busy machine may take a second longer, but hardly each time
            code, report, _ = examined(command, "--watch", "0", "--idle=10")
            assert code == 0
            if told := "a waiting connection is cut after 2 s" in step(report, "idle limit")["text"]:
                break
        assert told, step(report, "idle limit")["text"]
    monkeypatch.setenv("SYNCBOT_PROXY", "direct")
    _, report, _ = examined(command, "--watch", "0", "--idle=1")
    assert step(report, "idle limit")["text"] == "a connection may wait 1 s"


def test_clock_of_the_server(command: Command, server: BotApiServer) -> None:
    """A clock that is an hour off is a note, by the Date header of an answer."""
    date = formatdate(time.time() + 3600, usegmt=True)
    server.script("*", Answer(200, {"Date": date}), times=None, when=lambda request: request.verb == "GET")
    code, report, _ = examined(command, "--watch", "0")
    assert code == 0
    assert step(report, "clock")["status"] == "note"
    assert "behind the server's" in step(report, "clock")["text"]


@pytest.mark.parametrize(("offset", "skew"), [(0, 0.0), (1, 0.0), (100, -99.5), (-100, 98.5)])
def test_clock_skew(offset: int, skew: float) -> None:
    """The skew is what remains when the header's whole seconds and the time of the call are allowed for."""
    now = 1_700_000_000
    found = clock_skew({"date": formatdate(now + offset, usegmt=True)}, now + 0.0 if offset >= 0 else now - 0.5, now + 0.5 + (offset == 1))
    assert found == pytest.approx(skew, abs=1.1)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"date": ""}])
def test_clock_skew_without_a_date(headers: dict[str, str]) -> None:
    """Without a readable Date header there is no skew to tell."""
    assert clock_skew(headers, 1.0, 2.0) is None


def test_record(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """--record writes outcome and date to the env file, and keeps what stood there."""
    Path(".env").write_text("# mine\nSYNCBOT_DNS_CACHE=5\n")
    assert examined(command, "--record", "--watch", "0")[0] == 0
    lines = Path(".env").read_text().splitlines()
    assert lines[:2] == ["# mine", "SYNCBOT_DNS_CACHE=5"]
    assert "TELEGRAM_HTTP_CLIENT_TEST_PASSED=true" in lines
    assert any(line.startswith(("TELEGRAM_HTTP_CLIENT_TEST_DATE=20", "TELEGRAM_HTTP_CLIENT_TEST_DATE='20")) for line in lines)
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456789:" + "x" * 35)
    assert examined(command, "--record", "--watch", "0")[0] == 77
    assert "TELEGRAM_HTTP_CLIENT_TEST_PASSED=false" in Path(".env").read_text()


def test_the_order_of_the_steps(command: Command) -> None:
    """What costs nothing comes first, the way before what is asked over it, and what takes long at the end."""
    _, report, _ = examined(command, "--idle", "1")
    assert [one["step"] for one in report["steps"]] == [
        *["settings", "files", "state and lock", "health", "name look-up", "connection", "TLS", "token", "how it runs", "delivery", "clock"],
        *["10 quick calls", "idle limit"],
    ]


def test_a_step_that_does_not_end(command: Command) -> None:
    """Whatever holds a step up, the report goes on to its end within the step's deadline, and names the step before it."""
    over = threading.Event()

    def steps() -> Iterator[Result]:
        yield Result("TLS", Status.OK, "well")
        over.wait(60)
        yield Result("token", Status.OK, "too late")

    try:
        found = list(within(steps(), 0.2))
    finally:
        over.set()
    assert [one.step for one in found] == ["TLS", "deadline"]
    assert "what comes after 'TLS' has not ended" in found[1].text
    assert found[1].exit == 75


def test_a_step_that_raises() -> None:
    """What a step raises reaches whoever looks at the steps."""

    def steps() -> Iterator[Result]:
        yield Result("TLS", Status.OK, "well")
        raise LookupError("a mistake")

    with pytest.raises(LookupError, match="a mistake"):
        list(within(steps(), 20.0))


def test_wrong_setting(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting ends it before anything else, with the code for one."""
    monkeypatch.setenv("SYNCBOT_TIMEOUT", "soon")
    code, report, err = examined(command)
    assert code == 78
    assert failed_steps(report) == ["settings"]
    assert "SYNCBOT_TIMEOUT" in err
