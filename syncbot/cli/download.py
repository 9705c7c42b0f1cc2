"""`syncbot download`: a file from Telegram."""

from __future__ import annotations

import errno
import sys

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.options import as_path, common_options, json_option, load_settings, open_bot, timeout_option
from syncbot.cli.console.output import ReaderGone, complain, is_terminal, write, write_exact, write_json
from syncbot.cli.console.progress import ProgressBar, progress_option


@click.command("download")
@click.argument("file_id")
@click.argument("path", required=False, callback=as_path)
@timeout_option
@progress_option
@json_option
@common_options
@click.pass_context
def command(ctx: click.Context, /, file_id: str, path: str | None, timeout: float | None, with_progress: bool | None, as_json: bool) -> Exit:
    """Download the file FILE_ID to PATH: a name, a folder, or "-" for standard output. Without PATH it goes into this folder.

    What is cut goes on where it stood, also when the same command is given again. The name of the file is printed.

    \b
    Examples:
      syncbot download BQACAgIAAxkBAAIB
      syncbot download BQACAgIAAxkBAAIB report.pdf
      syncbot download BQACAgIAAxkBAAIB - | tar xz
    """
    if path == "-":
        if is_terminal(sys.stdout):
            raise click.UsageError("the bytes of a file would upset the terminal; send them into a pipe, or name a file")
        if as_json:
            raise click.UsageError("--json goes with a file, not with standard output")
    settings = load_settings(ctx)
    with open_bot(settings, timeout) as bot, ProgressBar("download", with_progress) as bar:
        progress = bar.show if bar.visible else None
        try:
            if path == "-":
                bot.download_to(file_id, sys.stdout.buffer, progress=progress)
                sys.stdout.buffer.flush()
                return Exit.OK
            target = bot.download(file_id, path, progress=progress)
        except BrokenPipeError:
            raise ReaderGone from None
        except (TypeError, ValueError) as problem:  # no file id; the path is a device, or the server a local one that the settings do not tell of
            raise click.UsageError(str(problem)) from None
        except OSError as problem:
            text = f"{problem.filename or path or 'the file'} cannot be written ({problem.strerror})"
            if problem.errno in (errno.ENOSPC, errno.EDQUOT):  # nothing is wrong with the command line, and what has come is kept
                complain(text)
                return Exit.TRY_LATER
            raise click.UsageError(text) from None
        size = target.stat().st_size
    if as_json:
        write_json({"path": str(target), "size": size})
    else:
        (write if is_terminal(sys.stdout) else write_exact)(str(target))  # a program wants the name as it is
    return Exit.OK
