"""`syncbot send`: a message from the shell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from syncbot.cli.console.exits import Exit, worst
from syncbot.cli.console.options import as_chat, as_path, as_seconds, common_options, json_option, load_settings, open_bot, timeout_option
from syncbot.cli.console.output import complain, system_path, write_json
from syncbot.cli.console.progress import progress_option
from syncbot.cli.sending.delivering import deliver
from syncbot.errors import ConfigError

if TYPE_CHECKING:
    from syncbot.cli.sending.attachments import Call

MAX_STDIN_BYTES = 256 * 1024
"""More would be more than sixty messages: somebody has put a file into the wrong place."""
_TEXT_LIMIT = 4096  # characters of one message, https://core.telegram.org/bots/api#sendmessage
_PARSE_MODES = {"html": "HTML", "markdown": "MarkdownV2", "plain": None}
_HINT = "give it as an argument, or write it to standard input: df -h | syncbot send --pre"


@click.command("send")
@click.argument("words", nargs=-1, metavar="[TEXT]")
@click.option("--chat", "chats", multiple=True, metavar="CHAT", help="The id or @name of the chat; several times for several. Else SYNCBOT_CHAT.")
@click.option("--file", "files", multiple=True, callback=as_path, metavar="FILE", help='Send this file, or "-" for standard input; several times for an album.')
@click.option("--name", metavar="NAME", help="What the one file is called in the chat; standard input has no name of its own.")
@click.option(
    "--as", "kind", type=click.Choice(["photo", "video", "audio", "voice", "animation", "document"]), help="Send files as this, whatever their names."
)
@click.option("--caption", help="The text below the (first) file.")
@click.option("--format", "markup", type=click.Choice(list(_PARSE_MODES)), default="plain", help="How text and caption are marked up. Default: plain.")
@click.option("--pre", is_flag=True, help="Show the text in a monospaced block, as a terminal does.")
@click.option("--no-preview", is_flag=True, help="Without a picture of what a link leads to.")
@click.option("--silent", is_flag=True, help="Without a sound.")
@click.option("--reply-to", type=int, metavar="ID", help="Answer the message with this id.")
@click.option("--thread", type=int, metavar="ID", help="Into this topic of a forum.")
@click.option("--button", "buttons", multiple=True, metavar="LABEL=URL", help="A button with a link below the message; several times for several.")
@click.option("--queue", is_flag=True, help="Put it into the state first: what cannot be delivered now goes out with the next flush, or by the running bot.")
@click.option(
    "--ttl", callback=as_seconds, metavar="SECONDS", help="With --queue: how long it may wait at most; then it fails instead of being sent. Default: for good."
)
@click.option("--edit", type=int, metavar="ID", help="Change the text of the bot's message with this id instead of sending one.")
@click.option("--id-file", callback=as_path, metavar="FILE", help="Keep one message up to date: the first time it is sent, and its id written to FILE.")
@progress_option
@timeout_option
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], chats: tuple[str, ...], timeout: float | None, queue: bool, as_json: bool, **options: Any) -> Exit:
    """Send TEXT, or what standard input brings when TEXT is absent or "-". Silent when it was sent.

    \b
    Examples:
      syncbot send "The backup is done"
      df -h | syncbot send --pre --chat -1001234567890
      syncbot send --file photo.jpg --file plan.pdf --caption "As promised"
      pg_dump shop | gzip | syncbot send --file - --name shop.sql.gz
      uptime | syncbot send --pre --silent --id-file ~/.uptime.id
      syncbot send --button "Open=https://example.com" "The build has failed"

    Behind --file FILE the names of further files may stand, as the shell makes them of --file *.jpg.

    What begins with a dash goes behind "--": syncbot send -- -1
    """
    text, options["files"] = _text_or_files(words, options["files"])
    if options["pre"] and options["markup"] != "plain":
        raise click.UsageError("--pre shows the text as it is, and so goes with --format plain only")
    if options["caption"] is not None and not options["files"]:
        raise click.UsageError("--caption is the text below a file; without --file give the text alone")
    if options["ttl"] is not None and not queue:
        raise click.UsageError("--ttl is how long a message may wait in the outbox; without --queue it does not wait there")
    keeping = options["edit"] is not None or options["id_file"] is not None
    if keeping:
        from syncbot.cli.sending.keeping import check_options  # deferred: most messages are sent once, and left alone

        check_options(options, queue=queue)
    wanted = [as_chat("--chat", chat) for chat in chats]
    calls = _calls(_text(text, bool(options["files"])), options)
    settings = load_settings(ctx)
    if not wanted and settings.chat is None:
        raise ConfigError("no chat to send to: give --chat ID, or set SYNCBOT_CHAT, for example SYNCBOT_CHAT=123456789 (syncbot init finds yours)")
    targets = list(dict.fromkeys(wanted)) or [settings.chat]
    with open_bot(settings, timeout) as bot:
        if queue:
            from syncbot.cli.sending.queueing import DELIVER_SECONDS, queue_and_deliver  # deferred: it loads sqlite3

            results = queue_and_deliver(bot, targets, calls, timeout or DELIVER_SECONDS, options["ttl"])
        elif keeping:
            from syncbot.cli.sending.keeping import keep

            results = keep(bot, targets, calls, options["edit"], options["id_file"])
        else:
            results = [deliver(bot, chat, calls, options["with_progress"]) for chat in targets]
    for result in results:
        if said := result["error"] or ("" if as_json else result.get("note")):  # JSON tells what is queued
            complain(said if len(targets) == 1 else f"chat {result['chat']}: {said}")
    if as_json:
        write_json([{name: value for name, value in result.items() if name not in ("exit", "note")} for result in results])
    return worst(result["exit"] for result in results)


def _text_or_files(words: tuple[str, ...], files: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The text and all files: behind a --file the shell may have written the further names of a pattern, and a name is never sent as a text."""
    if "-" in files and "-" in words:
        raise click.UsageError("standard input is the file, and cannot be the text too")
    names = tuple(map(system_path, words))
    if files and words and "-" not in words and all(map(os.path.isfile, names)):
        return None, files + names
    if len(words) > 1:
        extra = ", ".join(word for word, name in zip(words, names, strict=True) if not os.path.isfile(name))
        raise click.UsageError(f"there is no file {extra}" if files else f"the text is one argument, put it into quotes: {' '.join(words)[:60]!r}")
    return (words[0] if words else None), files


def _text(argument: str | None, has_files: bool) -> str:
    """The text to send; empty only where files are sent without one."""
    if argument is None and has_files:
        return ""
    text = _from_stdin() if argument in (None, "-") else str(argument)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise click.UsageError("the text is not UTF-8") from None
    if not text.strip():
        raise click.UsageError(f"the text is empty; {_HINT}")
    return text


def _from_stdin() -> str:
    if sys.stdin is None:
        raise click.UsageError(f"there is no text, and standard input is closed; {_HINT}")
    if sys.stdin.isatty():
        from syncbot.cli.console.output import tell

        tell("Write the text; Ctrl-D on an empty line sends it, Ctrl-C does not.")
    data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        raise click.UsageError(f"the text on standard input has more than {MAX_STDIN_BYTES // 1024} KB; send it as a document with --file")
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as problem:
        place = f"byte {problem.start + 1} is 0x{data[problem.start]:02x}"
    raise click.UsageError(f"the text on standard input is not UTF-8 ({place}); convert it: iconv -f LATIN1 -t UTF-8 FILE | syncbot send")


def _calls(text: str, options: dict[str, Any]) -> list[Call]:
    """What is to be sent, in order: the pieces of the text, then the files."""
    calls = [("sendMessage", _text_parameters(piece, options)) for piece in _pieces(text, options)] if text else []
    if options["files"]:
        from syncbot.cli.sending.attachments import file_calls  # deferred: most messages are text alone

        caption = {"caption": options["caption"], "parse_mode": _PARSE_MODES[options["markup"]]} if options["caption"] else {}
        calls += file_calls(options["files"], options["kind"], caption, options["name"])
    elif options["name"]:
        raise click.UsageError("--name is what a file is called; without --file there is none")
    everywhere = {"disable_notification": options["silent"] or None, "message_thread_id": options["thread"]}
    calls = [(method, {**parameters, **{name: value for name, value in everywhere.items() if value is not None}}) for method, parameters in calls]
    if options["reply_to"] is not None:
        calls[0][1]["reply_parameters"] = {"message_id": options["reply_to"]}
    if options["buttons"]:
        if calls[-1][0] == "sendMediaGroup":
            raise click.UsageError("an album can have no buttons; send the files one by one")
        calls[-1][1]["reply_markup"] = {"inline_keyboard": [[_button(button)] for button in options["buttons"]]}
    return calls


def _text_parameters(piece: str, options: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {"text": piece}
    if options["no_preview"]:
        parameters["link_preview_options"] = {"is_disabled": True}
    if options["pre"]:
        units = len(piece.encode("utf-16-le")) // 2  # as entities count
        parameters["entities"] = [{"type": "pre", "offset": 0, "length": units}]
    elif mode := _PARSE_MODES[options["markup"]]:
        parameters["parse_mode"] = mode
    return parameters


def _pieces(text: str, options: dict[str, Any]) -> list[str]:
    if len(text) <= _TEXT_LIMIT:
        return [text]
    from syncbot.text import split  # deferred: most texts are short

    try:
        return split(text, _PARSE_MODES[options["markup"]])
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None


def _button(text: str) -> dict[str, str]:
    label, separator, url = text.partition("=")
    if not separator or not label.strip() or "://" not in url:
        raise click.UsageError(f'--button: {text!r} is not a label and a link; for example --button "Open=https://example.com"')
    return {"text": label.strip(), "url": url.strip()}
