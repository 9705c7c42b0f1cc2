"""Which module may import which: layers, one door for each foreign library, and a few things that nobody does."""

from __future__ import annotations

import functools
import sys

import pytest
from kits.imports_kit import Import, imports, modules, read

# A module imports from its own package (the first name below syncbot) and from those in lines above its own.
LAYERS = [
    {"errors", "process", "regular", "terminal", "trouble"},
    {"bounds", "plain", "secret"},
    {"types"},
    {"redact"},
    {"logs", "storage", "text", "keyboards", "auth"},
    {"config"},
    {"transport"},
    {"client"},
    {"runtime"},
    {"webhook"},
    {"adapters", "testing"},
    {"compat"},
    {"cli"},
]

# Steps up, allowed within a function alone: what a user of the lower module asks for by name, and what it costs nothing to have otherwise.
STEPS_UP = {
    ("syncbot.runtime.webhook_face", "webhook"): "Runtime.wsgi() gives the WSGI application of this runtime, and Runtime.run_webhook() serves it",
}

# Who may import a foreign library; names end with a dot where all modules of a package may.
DOORS = {
    "requests": ("syncbot.transport.", "syncbot.adapters."),
    "urllib3": ("syncbot.transport.",),
    "socks": ("syncbot.transport.",),
    "tenacity": ("syncbot.client.retry",),
    "sqlite3": ("syncbot.storage.",),
    "psycopg": ("syncbot.storage.postgres.",),
    "telegram": ("syncbot.client.ptb.decode", "syncbot.client.ptb.shortcuts", "syncbot.adapters.ptb", "syncbot.compat.ptb13."),
    "telebot": ("syncbot.adapters.telebot", "syncbot.adapters.telebot_polling", "syncbot.adapters.telebot_store"),
    "aiogram": ("syncbot.adapters.aiogram",),
    "aiohttp": ("syncbot.adapters.aiogram",),
    "multidict": ("syncbot.adapters.aiogram",),
    "yarl": ("syncbot.adapters.aiogram",),
    "azure": ("syncbot.adapters.serverless",),
    "asyncio": ("syncbot.adapters.call_threads",),
    "dotenv": ("syncbot.config.envfile",),
    "cronsim": ("syncbot.runtime.jobs.crontab",),
    "click": ("syncbot.cli.",),
    "waitress": ("syncbot.webhook.serving",),
    "trustme": ("syncbot.testing.certs",),
    "pytest": ("syncbot.testing.plugin.fixtures",),
}

# Costs time or memory at each start, for what is rarely needed: imported within functions alone, or by modules that are imported so themselves.
DEFERRED = {"tenacity", "telegram", "telebot", "trustme", "waitress", "socks", "dotenv", "cronsim"}
LATE_MODULES = {
    "syncbot.transport.dialing.socks_socket",
    "syncbot.client.ptb.shortcuts",
    "syncbot.runtime.handling.async_handlers",
    "syncbot.adapters.telebot",
    "syncbot.adapters.telebot_polling",
    "syncbot.adapters.telebot_store",
    "syncbot.adapters.ptb",
    "syncbot.adapters.aiogram",
}
# Packages of which each module is such a one: who runs a program of another library has loaded that already.
LATE_PACKAGES = ("syncbot.compat.ptb13.",)


def package_of(module: str) -> str:
    """The first name below syncbot; empty for the public face."""
    return module.partition(".")[2].partition(".")[0]


def is_late(module: str) -> bool:
    """Whether a module loads what costs much."""
    return module in LATE_MODULES or module.startswith(LATE_PACKAGES)


LEVELS = {package: level for level, packages in enumerate(LAYERS) for package in packages}


@functools.cache
def ours() -> list[Import]:
    """The imports of our own modules that happen; read when a test asks, since each process that runs tests loads this file."""
    return [one for one in imports() if one.is_ours and not one.for_types]


@functools.cache
def foreign() -> list[Import]:
    """The same of all other modules."""
    return [one for one in imports() if not one.is_ours and not one.for_types]


def test_every_module_has_its_place() -> None:
    """A new module or package is put into a layer before anything imports it."""
    packages = {package_of(name) for name in modules()} - {""}
    assert packages == set(LEVELS)


def test_imports_go_down() -> None:
    """A module imports from its own package and from lower layers; the few steps up stand in functions."""
    wrong = []
    for one in ours():
        own, other = package_of(one.module), package_of(one.name)
        if not own or own == other or other not in LEVELS or LEVELS[other] < LEVELS[own]:
            continue
        if not ((one.module, other) in STEPS_UP and one.deferred):
            wrong.append(str(one))
    assert wrong == []


def test_every_step_up_is_still_taken() -> None:
    """An exception that nobody needs any more is taken out of the table."""
    assert {(one.module, package_of(one.name)) for one in ours()} >= set(STEPS_UP)


def test_the_public_face_is_used_from_outside_alone() -> None:
    """Modules import each other where they live, not through `syncbot` itself; only its version is asked for there."""
    allowed = {f"syncbot.{package}" for package in LEVELS} | {"syncbot.__version__"}
    roundabout = [str(one) for one in ours() if one.module != "syncbot" and one.name.count(".") == 1 and one.name not in allowed]
    assert roundabout == []


def test_the_public_face_loads_the_errors_and_nothing_else() -> None:
    """`import syncbot` reads the error tree; every other name is loaded when it is first asked for."""
    assert {one.name for one in ours() if one.module == "syncbot" and not one.deferred} == {"syncbot.errors"}


@pytest.mark.parametrize("library", DOORS)
def test_a_foreign_library_is_imported_behind_its_door(library: str) -> None:
    """Each library has one place that knows it."""
    users = [one for one in foreign() if one.name.partition(".")[0] == library]
    assert users, "it is not used any more"
    wrong = [str(one) for one in users if not any(one.module == door or (door.endswith(".") and f"{one.module}.".startswith(door)) for door in DOORS[library])]
    assert wrong == []


def test_no_other_foreign_library_is_used() -> None:
    """Whatever is neither ours nor Python's has a door; certainly nothing that brings an event loop, but for the errors of aiohttp in aiogram's bridge."""
    names = {one.name.partition(".")[0] for one in foreign()}
    assert names - sys.stdlib_module_names <= set(DOORS)
    assert not names & {"httpx", "httpcore", "trio", "anyio"}


def test_what_costs_much_is_loaded_where_it_is_needed() -> None:
    """Libraries that few calls need are imported within functions, and so are the few modules of ours that begin with one."""
    early = [one for one in foreign() if one.name.partition(".")[0] in DEFERRED and not one.deferred and not is_late(one.module)]
    assert [str(one) for one in early] == []
    early = [one for one in ours() if is_late(one.name) and not one.deferred and not is_late(one.module)]
    assert [str(one) for one in early] == []


def calls_and_names() -> list[tuple[str, int, str]]:
    """Every name with one dot of the package that is used, with its module and line."""
    return [(reader.module, line, name) for reader in read() for line, name in reader.dotted]


def test_nobody_sleeps() -> None:
    """Waits go through an event or a condition, so that a stop ends them."""
    assert [f"{module}:{line}" for module, line, name in calls_and_names() if name == "time.sleep"] == []


def test_the_environment_is_read_by_the_settings_alone() -> None:
    """os.environ belongs to config/settings.py; the command line may fill in defaults and hear its terminal, a sandbox hands it on to its process."""
    readers = {module for module, _, name in calls_and_names() if name in ("os.environ", "os.getenv", "os.environb")}
    assert readers <= {"syncbot.config.settings", "syncbot.cli.console.target", "syncbot.cli.console.output", "syncbot.testing.sandbox.sandbox"}


def test_the_lowest_layer_needs_the_standard_library_alone() -> None:
    """errors.py and types.py import nothing foreign, not even in a function."""
    wrong = [str(one) for one in foreign() if one.module in ("syncbot.errors", "syncbot.types") and one.name.partition(".")[0] not in sys.stdlib_module_names]
    assert wrong == []
