"""Every shell line of the guides: it parses, its programs are there, and each `syncbot …` is a command line that syncbot takes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec

import click
import pytest
from kits.docs_kit import GUIDES, ROOT, Block, blocks

from syncbot.cli.console.frame import cli

SEPARATORS = {"|", "||", "&&", ";", "&", "(", ")", ";;"}


def _lines(block: Block) -> Iterator[str]:
    for line in block.text.replace("\\\n", " ").splitlines():
        if block.language == "crontab":
            line = re.sub(r"^(\S+\s+){5}", "", line) if not line.startswith("#") else ""
        yield line


def _commands(line: str) -> Iterator[list[str]]:
    """The simple commands of a shell line, those within $(…) and in quotes behind `sh -c` too."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in SEPARATORS:
            while words and (re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]) or words[0] in ("sudo", "cd")):
                del words[0]
            if words:
                yield words
                if "-c" in words[:-1] and "/bin/sh" in words:
                    yield from _commands(words[words.index("-c") + 1])
            words = []
        else:
            for inner in re.findall(r"\$\((.+?)\)", word):
                yield from _commands(inner)
            words.append(word)


def _all_commands() -> list[tuple[str, list[str]]]:
    found = []
    for block in blocks("sh", "crontab"):
        for line in _lines(block):
            found += [(f"{block}: {shlex.join(words)}", words) for words in _commands(line)]
    return found


COMMANDS = _all_commands()


def _parse(argv: list[str]) -> int:
    """Let click read a command line, as far as it gets without running it; the exit code of --help and --version, else 0."""
    try:
        ctx = cli.make_context("syncbot", list(argv))
        command: click.Command = cli
        while isinstance(command, click.Group) and (rest := [*_set_aside(ctx), *ctx.args]):
            name, found, rest = command.resolve_command(ctx, rest)
            assert found is not None
            command, ctx = found, found.make_context(name, rest, parent=ctx)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def _set_aside(ctx: click.Context) -> list[str]:
    """The name of a group's command, which click keeps apart under a name that has changed over its versions."""
    return list(vars(ctx).get("_protected_args") or vars(ctx).get("protected_args") or ())


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_each_shell_block_is_a_shell_script(block: Block) -> None:
    """A POSIX shell reads each block without an error."""
    ended = subprocess.run(["sh", "-n"], input=block.text, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("where", "words"), [one for one in COMMANDS if os.path.basename(one[1][0]) == "syncbot"], ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_syncbot_command_is_one_that_syncbot_takes(where: str, words: list[str]) -> None:
    """Command, arguments and options of each `syncbot …` in the guides are read by click."""
    argv = [word for word in words[1:] if word not in ("<", ">", "token.txt") and not word.startswith((">", "<"))]
    argv = argv[: argv.index("/dev/null")] if "/dev/null" in argv else argv
    assert _parse(argv) == 0


def test_each_program_of_this_checkout_is_there() -> None:
    """Scripts and files of the checkout that the guides name exist, and can be run where they are run."""
    seen = set()
    for where, words in COMMANDS:
        for word in words:
            if re.match(r"(scripts|examples|benchmarks|deploy)/", word):
                assert (ROOT / word).exists(), where
                seen.add(word)
        if words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), where
    assert {"scripts/quickstart.py", "scripts/configure_env.sh", "scripts/test_telegram_bot.py", "deploy/syncbot.service"} <= seen


def test_each_python_module_that_is_run_is_there() -> None:
    """Each `python -m MODULE` of ours in the guides can be imported and run."""
    modules = {words[words.index("-m") + 1] for _, words in COMMANDS if "-m" in words[:-1] and "python" in words[0]}
    assert "syncbot.testing.sandbox" in modules
    for module in sorted(modules):
        assert find_spec(module) is not None, module


def test_options_of_scripts_in_the_guides_exist() -> None:
    """Options that the guides give to a Python script of the checkout stand in its --help."""
    wanted: dict[str, set[str]] = {}
    for _, words in COMMANDS:
        for place, word in enumerate(words):
            if re.fullmatch(r"(scripts|benchmarks)/\w+\.py", word):
                wanted.setdefault(word, set()).update(option for option in words[place + 1 :] if option.startswith("--"))
    assert any(wanted.values())
    for script, options in wanted.items():
        shown = subprocess.run([sys.executable, ROOT / script, "--help"], capture_output=True, text=True, check=True).stdout
        assert all(option in shown for option in options), (script, options)


def test_commands_named_in_sentences_exist() -> None:
    """A `syncbot NAME` within a sentence, and an option beside it, exist too."""
    checked = 0
    for guide in GUIDES:
        for text in re.findall(r"(?<!`)`(syncbot [a-z][^`…\n]*)`(?!`)", guide.read_text(encoding="utf-8")):
            argv = shlex.split(text.partition(" <")[0])[1:]
            if any(word.isupper() or "[" in word for word in argv):
                continue
            with suppress(click.MissingParameter):  # a sentence need not give the arguments
                assert _parse(argv) == 0, (guide, text)
            checked += 1
    assert checked > 20
