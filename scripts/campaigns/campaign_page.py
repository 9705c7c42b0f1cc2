"""Lets a chatty bot talk in the page of `syncbot try` for a while, and sees whether the memory of everything that takes part stays as it is.

    python scripts/campaigns/campaign_page.py --seconds 3600 --rate 5
    python scripts/campaigns/campaign_page.py --seconds 600 --browser     # with the page open in Chromium; needs selenium

First so much is said that all that has a bound is full. Then it counts: the memory of the trial's process (the stand-in, the page's server), of the
bot's, and with --browser what the page's script holds, at regular times. Exits 0 when none of them is more than a tenth, or 8 MB, larger in the last
quarter than in the second one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import mean

from campaign_kit import wait_until

from syncbot.testing import Trial
from syncbot.testing.page.web import PageServer
from syncbot.testing.people.people import User

BOT = """
from syncbot import Bot, Runtime, filters

app = Runtime(Bot.from_env(limits=None))

@app.message(filters.TEXT)
def chat(update, context):
    first = context.reply("You said: " + update.message.text, reply_markup={"inline_keyboard": [[{"text": "More", "callback_data": "more"}]]})
    context.reply("And <b>more</b> of it. " * 10, parse_mode="HTML")
    first.edit_text("You said it: " + update.message.text)

if __name__ == "__main__":
    app.run()
"""
_SAMPLES = 40
_SLACK_MB = 8.0
_SLACK_PART = 0.1
_AT_ONCE = 20
"""What the bot has not answered yet, at most."""


def main(argv: Sequence[str]) -> int:
    """Run the campaign; returns the exit code."""
    options = _parser().parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        script = Path(folder, "bot.py")
        script.write_text(BOT, encoding="utf-8")
        trial = stack.enter_context(Trial(str(script)))
        page = stack.enter_context(PageServer(trial, Path(folder)))
        looks: dict[str, Callable[[], float]] = {"trial": lambda: _resident_mb(os.getpid()), "bot": lambda: _resident_mb(_bots_process(trial))}
        if options.browser:
            looks["page"] = stack.enter_context(_browser(page.url))
        ann = trial.user("Ann")
        said = _talk(trial, ann, options.fill, 0)
        samples = [_sample(looks)]
        began = time.monotonic()
        for number in range(1, _SAMPLES + 1):
            until = began + options.seconds * number / _SAMPLES
            while time.monotonic() < until:
                said = _talk(trial, ann, 1, said)
                wait_until(lambda: False, max(0.0, min(1 / options.rate, until - time.monotonic())))
            samples.append(_sample(looks))
        answered = trial.sandbox.server.count("editMessageText")
    print(f"{said} messages said, {answered} answered with three calls each, in {options.seconds:g} s after the first {options.fill}")
    return 0 if _verdict(samples) else 1


def _talk(trial: Trial, user: User, messages: int, said: int) -> int:
    """Say so many more, but never many more than the bot has answered; returns how many were said in all."""
    for number in range(said + 1, said + messages + 1):
        user.send(f"message {number}, and some words to go with it")
        assert wait_until(lambda number=number: trial.sandbox.server.count("editMessageText") >= number - _AT_ONCE, 120.0), "the bot does not answer"
    return said + messages


def _sample(looks: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    return {name: look() for name, look in looks.items()}


def _verdict(samples: Sequence[Mapping[str, float]]) -> bool:
    """Print the figures; whether all are flat."""
    quarter, good = len(samples) // 4, True
    for name in samples[0]:
        values = [sample[name] for sample in samples]
        before, after = mean(values[quarter : 2 * quarter]), mean(values[-quarter:])
        flat = after - before <= max(_SLACK_MB, _SLACK_PART * before)
        good = good and flat
        print(f"{name}: {values[0]:.1f} MB at first, {before:.1f} MB in the second quarter, {after:.1f} MB in the last one: {'flat' if flat else 'it GROWS'}")
    print("ok" if good else "FAILED")
    return good


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _bots_process(trial: Trial) -> int:
    assert trial.bot is not None
    assert trial.bot.process_id is not None, "the bot does not run"
    return trial.bot.process_id


@contextmanager
def _browser(url: str) -> Iterator[Callable[[], float]]:
    """The page in Chromium; gives what tells the megabytes that its script holds, rubbish taken out."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.get(url)
        driver.execute_cdp_cmd("Performance.enable", {})

        def held() -> float:
            driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
            metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            return float(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize")) / 1e6

        yield held
    finally:
        driver.quit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0, help="for how long it counts (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=5.0, help="messages a second that a user writes, each answered with three calls (default: %(default)s)")
    parser.add_argument("--fill", type=int, default=2000, help="messages that are said first, as fast as the bot answers (default: %(default)s)")
    parser.add_argument("--browser", action="store_true", help="have the page open in Chromium")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
