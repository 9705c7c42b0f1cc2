"""`syncbot completion`: the script by which a shell completes our command lines."""

from __future__ import annotations

import os
import sys

import click

from syncbot.cli.console.exits import Exit
from syncbot.cli.console.frame import COMPLETE
from syncbot.cli.console.options import common_options
from syncbot.cli.console.output import is_terminal, surroundings, tell, write_exact

_HINTS = {
    "bash": """put this line into ~/.bashrc: eval "$(syncbot completion bash)" """,
    "zsh": """put this line into ~/.zshrc, behind compinit: eval "$(syncbot completion zsh)" """,
    "fish": "write it to where fish looks: syncbot completion fish > ~/.config/fish/completions/syncbot.fish",
}
"""How each shell reads the script at its start."""


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice(list(_HINTS)))
@common_options
def command(shell: str | None) -> Exit:
    """Print the script that lets SHELL complete commands and options with the Tab key; without SHELL, for the one that you use.

    \b
    Examples:
      eval "$(syncbot completion bash)"          # in ~/.bashrc
      eval "$(syncbot completion zsh)"           # in ~/.zshrc, behind compinit
      syncbot completion fish > ~/.config/fish/completions/syncbot.fish
    """
    from click.shell_completion import get_completion_class

    chosen = shell or os.path.basename(surroundings("SHELL"))
    if chosen not in _HINTS:
        raise click.UsageError(f"which shell? Give {', '.join(_HINTS)}; for example syncbot completion bash")
    found = get_completion_class(chosen)
    assert found is not None
    write_exact(found(click.Command("syncbot"), {}, "syncbot", COMPLETE).source())
    if is_terminal(sys.stdout):
        tell(_HINTS[chosen])
    return Exit.OK
