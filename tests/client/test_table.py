"""The table of methods, and the Python methods that are made of it."""

from __future__ import annotations

import ast
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import telegram
from kits.call_kit import spec_of

from syncbot.client.api import bot_methods as api_module
from syncbot.client.api import signatures
from syncbot.client.api.bot_methods import BotMethods
from syncbot.client.api.table import MethodSpec, check_parameters, find_method, method_names, python_names

PTB_LACKS = {name for name, python in python_names().items() if not hasattr(telegram.Bot, "close" if name == "close" else python)}
PTB_TIMEOUTS = {"read_timeout", "write_timeout", "connect_timeout", "pool_timeout", "api_kwargs"}


class RecordingBot(BotMethods):
    """Returns what `_invoke` was called with."""

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
        return spec.name, parameters, options


@pytest.fixture
def bot() -> Any:
    return RecordingBot()


def test_holds_all_methods() -> None:
    """The table has the 185 methods of Bot API 10.3, each in Telegram's spelling."""
    assert len(method_names()) == len(set(method_names())) == 185
    assert {"sendMessage", "getUpdates", "sendRichMessage", "deleteEphemeralMessage", "logOut"} <= set(method_names())


@pytest.mark.parametrize("written", ["sendMessage", "sendmessage", "SENDMESSAGE", "send_message", "Send_Message"])
def test_finds_a_method_in_any_spelling(written: str) -> None:
    """A method is found by Telegram's name in any case, and by Python's."""
    assert spec_of(written).name == "sendMessage"


@pytest.mark.parametrize("written", ["sendMesage", "s_endmessage", "send__message", "_", "", "send message"])
def test_finds_nothing_for_other_names(written: str) -> None:
    """A name that is not a method's finds None."""
    assert find_method(written) is None


def test_reads_a_method_whole() -> None:
    """Parameters, types, required ones and results come out of the table as Telegram has them."""
    spec = spec_of("sendPhoto")
    assert spec.parameters["chat_id"].types == ("Integer", "String")
    assert spec.parameters["caption_entities"].types == ("Array of MessageEntity",)
    assert [name for name, parameter in spec.parameters.items() if parameter.required] == ["chat_id", "photo"]
    assert spec.returns == ("Message",)
    assert spec_of("getUpdates").returns == ("Array of Update",)
    assert spec_of("editMessageText").returns == ("Message", "Boolean")


def test_nothing_that_adds_something_is_repeatable() -> None:
    """No method that sends, makes, moves or pays for anything is safe to repeat; a status and a passing draft are no messages."""
    verbs = (
        "send",
        "forward",
        "copy",
        "create",
        "post",
        "repost",
        "transfer",
        "convert",
        "upgrade",
        "gift",
        "refund",
        "export",
        "add",
        "save",
        "upload",
        "replace",
    )
    adding = {name for name in method_names() if name.startswith(verbs)} | {
        "answerWebAppQuery",
        "answerGuestQuery",
        "unpinChatMessage",
        "setChatPhoto",
        "deleteEphemeralMessage",  # whose id another message may have by then
        "logOut",
        "close",
    }
    assert {name for name in adding if spec_of(name).repeatable} == {"sendChatAction", "sendMessageDraft", "sendRichMessageDraft"}


def test_everything_that_asks_is_repeatable() -> None:
    """Methods that only ask are safe to repeat."""
    assert all(spec_of(name).repeatable for name in method_names() if name.startswith("get"))


def test_results_are_known_types() -> None:
    """Every result type is a plain value or one of python-telegram-bot's classes that can be made of JSON."""
    kinds = {kind.removeprefix("Array of ") for name in method_names() for kind in spec_of(name).returns}
    assert all(hasattr(getattr(telegram, kind), "de_json") for kind in kinds - {"Boolean", "Integer", "String"})


@pytest.mark.parametrize("name", sorted(set(method_names()) - PTB_LACKS))
def test_positions_are_those_of_python_telegram_bot(name: str) -> None:
    """What can be given by position stands where python-telegram-bot's users expect it."""
    theirs = inspect.signature(getattr(telegram.Bot, "close" if name == "close" else spec_of(name).python_name)).parameters
    positions = [parameter for parameter, facts in theirs.items() if facts.kind is facts.POSITIONAL_OR_KEYWORD][1:]
    ours = list(spec_of(name).parameters)[: spec_of(name).positional]
    assert ours == positions[: len(ours)]


@pytest.mark.parametrize("name", sorted(set(method_names()) - PTB_LACKS))
def test_takes_all_that_python_telegram_bot_takes(name: str) -> None:
    """Every parameter of python-telegram-bot's method is known, the conveniences included."""
    theirs = set(inspect.signature(getattr(telegram.Bot, "close" if name == "close" else spec_of(name).python_name)).parameters)
    spec = spec_of(name)
    assert theirs - PTB_TIMEOUTS - {"self"} <= set(spec.parameters) | set(spec.conveniences)


def test_a_misspelt_parameter_names_the_nearest() -> None:
    """An unknown parameter is a TypeError that names the one that was probably meant."""
    with pytest.raises(TypeError, match=r"sendMessage has no parameter 'chat_idd'; did you mean 'chat_id'\?"):
        check_parameters(spec_of("sendMessage"), ["chat_idd", "text"])
    with pytest.raises(TypeError, match=r"sendMessage has no parameter 'timout'; did you mean 'timeout'\?"):
        RecordingBot().send_message(1, "x", timout=5)  # type: ignore[call-arg]  # wrong on purpose
    with pytest.raises(TypeError, match=r"getMe takes no parameters, so not 'chat_id' either"):
        check_parameters(spec_of("getMe"), ["chat_id"])
    with pytest.raises(TypeError, match=r"has no parameter 'qqqqqqqq'$"):
        check_parameters(spec_of("sendMessage"), ["chat_id", "text", "qqqqqqqq"])


def test_missing_parameters_are_named() -> None:
    """A required parameter that is missing is a TypeError that names it, and what could stand for it."""
    with pytest.raises(TypeError, match=r"^sendMessage needs chat_id, text$"):
        check_parameters(spec_of("sendMessage"), [])
    with pytest.raises(TypeError, match=r"sendLocation needs latitude, longitude \(or location=\)"):
        check_parameters(spec_of("sendLocation"), ["chat_id"])
    check_parameters(spec_of("sendLocation"), ["chat_id", "location"])


def test_calls_by_name_and_position(bot: Any) -> None:
    """A call hands its parameters on by name, and its own options apart from them."""
    assert bot.send_message(1, "hi", timeout=3, deadline=None) == ("sendMessage", {"chat_id": 1, "text": "hi"}, {"timeout": 3})
    assert bot.send_message(text="hi", chat_id=1, parse_mode=None) == ("sendMessage", {"chat_id": 1, "text": "hi"}, {})


def test_the_timeout_of_get_updates_is_telegrams(bot: Any) -> None:
    """The timeout of get_updates is the Bot API's own parameter, as in python-telegram-bot."""
    assert bot.get_updates(timeout=50, deadline=70) == ("getUpdates", {"timeout": 50}, {"deadline": 70})


def test_api_kwargs_pass_unchecked(bot: Any) -> None:
    """A parameter that is newer than the table goes through api_kwargs."""
    assert bot.get_me(api_kwargs={"newer": 1}) == ("getMe", {"newer": 1}, {})


def test_wrong_calls_are_refused(bot: Any) -> None:
    """Too many positions, a parameter given twice, and one that is None but required are TypeErrors."""
    with pytest.raises(TypeError, match="takes 6 values by position"):
        bot.send_message(1, "hi", None, None, None, None, None)
    with pytest.raises(TypeError, match="got chat_id twice"):
        bot.send_message(1, "hi", chat_id=1)
    with pytest.raises(TypeError, match="sendMessage needs text"):
        bot.send_message(1, text=None)
    with pytest.raises(TypeError, match="'progress'"):
        bot.send_message(1, "hi", progress=print)


def test_an_unknown_method_names_the_nearest(bot: Any) -> None:
    """An unknown method is an AttributeError that names the one that was probably meant; `hasattr` just says no."""
    with pytest.raises(AttributeError, match=r"'RecordingBot' object has no attribute 'send_mesage'; did you mean 'send_message'\?"):
        bot.send_mesage(1, "hi")
    assert not hasattr(bot, "defaults")
    assert not hasattr(bot, "_private")


def test_the_apis_close_does_not_hide_ours(bot: Any) -> None:
    """The Bot API's close goes by another name, so that a subclass's close() stays its own."""
    assert bot.close_bot() == ("close", {}, {})
    assert not hasattr(BotMethods, "close")
    assert spec_of("close_bot").name == spec_of("close").name == "close"


def test_looks_like_an_ordinary_method(bot: Any) -> None:
    """help(), inspect and dir() see name, signature and description of every method."""
    assert bot.send_photo.__name__ == "send_photo"
    assert bot.send_photo.__qualname__ == "BotMethods.send_photo"
    shown = pydoc.plain(pydoc.render_doc(bot.send_photo))
    assert "Send a photo." in shown
    assert "chat_id: 'int | str'" in shown
    assert list(inspect.signature(bot.send_photo).parameters)[:3] == ["chat_id", "photo", "caption"]
    assert set(python_names().values()) <= set(dir(bot))


def test_a_subclass_can_override_and_call_super() -> None:
    """A method can be overridden and reached through super() like any other."""

    class Shouting(RecordingBot):
        def send_message(self, chat_id: int, text: str) -> Any:  # type: ignore[override] # a test of overriding, not of its signature
            return super().send_message(chat_id=chat_id, text=text.upper())

    assert Shouting().send_message(1, "hi")[1] == {"chat_id": 1, "text": "HI"}


def test_the_stub_says_what_the_code_does() -> None:
    """Names, kinds and defaults in the stub are those of the signatures at run time, for every method."""
    tree = ast.parse(Path(api_module.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    shown = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "BotMethods")
    written = {node.name: node.args for node in shown.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert set(written) == set(python_names().values())
    for name, arguments in written.items():
        parameters = inspect.signature(getattr(BotMethods, name)).parameters.values()
        by_name = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
        by_place = [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
        assert [argument.arg for argument in arguments.args] == [parameter.name for parameter in by_place]
        assert [argument.arg for argument in arguments.kwonlyargs] == [parameter.name for parameter in by_name]
        assert [default is not None for default in arguments.kw_defaults] == [parameter.default is None for parameter in by_name]
        assert len(arguments.defaults) == sum(parameter.default is None for parameter in by_place)


def test_loads_nothing_heavy() -> None:
    """The methods, a checked call and its encoding load neither telegram nor asyncio, nor difflib while all is right."""
    code = (
        "import sys; from syncbot.client.api.bot_methods import BotMethods; from syncbot.client.encode import encode, body\n"
        "class B(BotMethods):\n"
        "    def _invoke(self, spec, parameters, options): return body(encode(spec, parameters))\n"
        "B().send_message(chat_id=1, text='hi', reply_markup={'inline_keyboard': []})\n"
        "print([name for name in ('telegram', 'asyncio', 'difflib', 'tempfile', 'mimetypes') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_what_telegram_lacks_is_written_as_json() -> None:
    """The annotations name python-telegram-bot's types as far as the installed one has them; for the others they say that a dict is taken, or comes back."""
    plain = {"Integer", "String", "Boolean", "Float", "InputFile"}
    specs = [spec_of(name) for name in method_names()]
    taken = {kind for spec in specs for parameter in spec.parameters.values() for kind in parameter.types} | {kind for spec in specs for kind in spec.returns}
    named = {kind.replace("Array of ", "") for kind in taken} - plain
    assert {kind for kind in named if not hasattr(telegram, kind)} == signatures._NOT_IN_TELEGRAM
