"""The page in a real browser: conversations, both themes, the keyboard, a phone's width, and who can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from kits.docs_kit import ROOT
from kits.page_kit import SHOP, write_bot
from kits.timing_kit import soon
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from syncbot.testing import Trial
from syncbot.testing.page.web import PageServer

pytestmark = pytest.mark.programs("chromium", "chromedriver")

_WAIT_SECONDS = 60
_SAVE_SECONDS = 90
"""Saving plays the conversation twice and runs its test twice, each in processes of its own."""
_AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
_RUN_AXE = """
const done = arguments[0], tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
axe.run({runOnly: {type: "tag", values: tags}}).then(
  (result) => done({passes: result.passes.length, violations: result.violations.map((one) => [one.id, ...one.nodes.map((node) => node.html.slice(0, 200))])}),
  (problem) => done({passes: 0, violations: [String(problem)]}));
"""


def browser(*, width: int = 1280, height: int = 760, theme: str = "light") -> webdriver.Chrome:
    """A Chromium without a window, of this size and theme."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    driver.set_script_timeout(_WAIT_SECONDS)
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)  # a window cannot be as narrow as a phone
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    return driver


class Person:
    """Somebody in front of the page."""

    def __init__(self, driver: webdriver.Chrome, page: PageServer) -> None:
        self.driver = driver
        self.page = page
        driver.get(page.url)
        self.until("document.querySelector('#chat-title').textContent === 'Ann'")

    def until(self, condition: str, seconds: float = _WAIT_SECONDS) -> Any:
        """Wait until a condition in JavaScript holds; returns its value."""
        return WebDriverWait(self.driver, seconds, 0.05).until(lambda driver: driver.execute_script(f"return {condition}"), condition)

    def say(self, text: str) -> None:
        """Write a message and send it with Enter."""
        self.driver.find_element(By.ID, "text").send_keys(text + Keys.ENTER)

    def reads(self, text: str) -> None:
        """Wait until this stands among the messages."""
        self.until(f"document.querySelector('#messages').innerText.includes({text!r})")

    def bot_says(self, text: str) -> None:
        """Wait until the bot has said this, or has changed a message into it."""
        self.until(f"[...document.querySelectorAll('#messages article:not(.mine)')].some((one) => one.innerText.includes({text!r}))")

    def press(self, text: str) -> None:
        """Press the newest button with this text, below a message or below the box."""
        found = f"[...document.querySelectorAll('.keyboard button, #reply-keyboard button')].filter((one) => one.innerText === {text!r}).at(-1)"
        self.until(f"{found} !== undefined")
        self.driver.execute_script(f"{found}.click()")  # type: ignore[no-untyped-call]  # selenium gives it no types

    def click(self, selector: str) -> None:
        """Click what a selector of CSS finds first; it may be drawn anew before it is clicked."""

        def click(driver: webdriver.Chrome) -> bool:
            driver.find_element(By.CSS_SELECTOR, selector).click()
            return True

        WebDriverWait(self.driver, _WAIT_SECONDS, 0.05, [StaleElementReferenceException]).until(click, selector)

    def axe(self) -> Any:
        """What axe's rules say of the page: how many it passes, and what violates one."""
        self.driver.execute_script(_AXE)  # type: ignore[no-untyped-call]  # selenium gives it no types
        return self.driver.execute_async_script(_RUN_AXE)  # type: ignore[no-untyped-call]  # selenium gives it no types

    def complaints(self) -> list[str]:
        """What the browser's console holds: errors of scripts, what the policy of the page has stopped."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]  # selenium gives it no types


@pytest.fixture
def page(tmp_path: Path) -> Iterator[PageServer]:
    """The page of a shop's trial."""
    with Trial(write_bot(tmp_path, SHOP)) as trial, PageServer(trial, tmp_path) as page:
        yield page


@pytest.fixture
def person(page: PageServer) -> Iterator[Person]:
    """Somebody at a desk."""
    driver = browser()
    try:
        yield Person(driver, page)
    finally:
        driver.quit()


def test_a_conversation(person: Person) -> None:
    """Commands, formatting, an inline keyboard with its toast, a reply keyboard, an edit with the arrow key, a poll, the log of calls."""
    person.say("/start")
    person.reads("What may it be?")
    assert person.until("document.querySelector('#messages strong')?.textContent") == "it"
    person.click(".keyboard button")
    person.reads("One Tea, with pleasure")
    assert person.until("document.querySelector('#toast').textContent") == "Good choice"
    person.say("/keys")
    person.until("!document.querySelector('#reply-keyboard').hidden")
    person.click("#reply-keyboard button")
    person.reads("You said: Yes")
    person.driver.find_element(By.ID, "text").send_keys(Keys.ARROW_UP)
    person.driver.find_element(By.ID, "text").send_keys("!" + Keys.ENTER)
    person.reads("Now it is Yes!")
    person.say("/poll")
    person.until("document.querySelector('.poll button')")
    person.click(".poll button")
    person.until("document.querySelector('.poll button').innerText.endsWith('1')")
    for method in ("sendMessage", "answerCallbackQuery", "sendPoll"):
        person.until(f"[...document.querySelectorAll('#call-list .method')].some((one) => one.textContent === {method!r})")
    person.click("#call-list summary")
    assert "question" in person.until("document.querySelector('#call-list pre')?.textContent")
    assert person.complaints() == []


def test_the_newest_message_stays_in_sight(person: Person, page: PageServer) -> None:
    """A reply keyboard and the menu of commands take room from the messages, a picture adds some, and what was said last is still seen."""
    server = page.trial.sandbox.server
    chat = server.world.chats[page.trial.user("Ann").id]
    for number in range(30):
        server.world.bot_says(chat, {"text": f"message {number}"})
    lower_edge = "getBoundingClientRect().bottom"
    last = f"[...document.querySelectorAll('#messages > *')].at(-1).{lower_edge} <= document.querySelector('#messages').{lower_edge}"
    person.reads("message 29")
    person.say("/keys")
    person.until("!document.querySelector('#reply-keyboard').hidden")
    person.until(last)
    person.driver.set_window_size(1280, 500)
    person.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1280, "height": 500, "deviceScaleFactor": 1, "mobile": False})
    person.until("innerHeight === 500")
    person.until(last)
    person.driver.refresh()
    person.until("!document.querySelector('#reply-keyboard').hidden")
    person.until(last)
    assert person.complaints() == []


def test_a_handler_that_fails_is_seen(tmp_path: Path) -> None:
    """What the bot prints of an error comes up by itself, at its last line; unticked it goes away, and with the next error it comes again."""
    bot = "@app.command('boom')\ndef boom(update, context):\n    raise ValueError('it broke ' + update.message.text)\n"
    driver = browser()
    try:
        with Trial(write_bot(tmp_path, bot)) as trial, PageServer(trial, tmp_path) as page:
            person = Person(driver, page)
            assert "/start" in person.until("getComputedStyle(document.querySelector('#messages'), '::before').content")
            for words in ("one", "two"):
                person.say(f"/boom {words}")
                person.until(f"document.querySelector('#output').innerText.includes('it broke /boom {words}')")
                person.until("(box => box.scrollHeight - box.scrollTop - box.clientHeight < 5)(document.querySelector('#output'))")
                person.click("#show-output")
                person.until("document.querySelector('#output').hidden")
    finally:
        driver.quit()


CONVERSATIONS = {
    "echo.py": [("/start", "Hello, Ann! Tell me something."), ("Is anybody there?", "Is anybody there?")],
    "shop.py": [("/start", "Welcome to the tea shop! What may it be?"), ("[Coffee]", "You ordered: Coffee"), ("no sugar", "I have told the kitchen: no sugar")],
    "reminders.py": [
        ("/start", "I remind you of one thing, once a day."),
        ("[New reminder]", "What of?"),
        ("Water the plants", "Whose clock?"),
        ("[Berlin]", "At what time?"),
        ("soon", "A time of day, please, such as 08:30."),
        ("08:30", "Every day at 08:30: Water the plants."),
        ("[Settings]", "Water the plants: at 08:30 (Europe/Berlin), on. Done so far: 0."),
        ("[Switch off]", "Water the plants: at 08:30 (Europe/Berlin), off. Done so far: 0."),
    ],
}
"""What is said to each of the example bots, or pressed where it is in brackets, and what it says to that."""


@pytest.mark.parametrize("example", CONVERSATIONS)
def test_the_examples(example: str, tmp_path: Path) -> None:
    """Each example bot is talked to as its user would, with keyboards of both kinds, questions and edited messages, and the page has nothing to complain of."""
    driver = browser()
    try:
        with Trial(str(ROOT / "examples" / example)) as trial, PageServer(trial, tmp_path) as page:
            person = Person(driver, page)
            for said, answer in CONVERSATIONS[example]:
                if said.startswith("["):
                    person.press(said.strip("[]"))
                else:
                    person.say(said)
                person.bot_says(answer)
            assert person.complaints() == []
    finally:
        driver.quit()


def test_what_a_bot_says_stays_text(person: Person, page: PageServer) -> None:
    """Markup in a name, a message, a button or a call is shown, never run; a link to a script is no link."""
    evil = "<img src=x onerror=\"document.title='taken'\">"
    page.trial.user(evil[:60])
    person.say(evil)
    person.reads("You said: " + evil)
    server = page.trial.sandbox.server
    chat = server.world.chats[page.trial.user("Ann").id]
    entity = {"type": "text_link", "offset": 0, "length": 4, "url": "javascript:document.title='taken'"}
    server.world.bot_says(chat, {"text": "link", "entities": [entity], "reply_markup": {"inline_keyboard": [[{"text": evil, "url": "javascript:alert(1)"}]]}})
    person.reads("link")
    found = person.driver.execute_script(  # type: ignore[no-untyped-call]  # selenium gives it no types
        "return [document.title, document.querySelectorAll('#messages img, a[href^=javascript], #chat-list img').length]"
    )
    assert found == ["Try your bot", 0]
    assert person.complaints() == []


def test_several_people_and_a_group(person: Person) -> None:
    """A user and a group are added, and who writes in the group is chosen; another chat shows how much is new there."""
    for kind, name in (("User", "Bob"), ("Group", "Team")):
        person.driver.find_element(By.ID, "add-kind").send_keys(kind)
        person.driver.find_element(By.ID, "add-name").send_keys(name + Keys.ENTER)
        person.until(f"document.querySelector('#chat-title').textContent === {name!r}")
    person.driver.find_element(By.ID, "actor").send_keys("Bob")
    person.say("from Bob")
    person.reads("You said: from Bob")
    assert person.until("document.querySelector('.message.mine .author').textContent") == "Bob"


def test_by_keyboard_alone(person: Person) -> None:
    """Ctrl+K finds a chat, Escape gives the focus back, and Enter that ends a word of an input method sends nothing."""
    box = person.driver.find_element(By.ID, "text")
    box.send_keys(Keys.CONTROL + "k")
    assert person.until("document.activeElement.id") == "chat-filter"
    person.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert person.until("document.activeElement.id") == "text"
    box.send_keys("にほん")
    person.driver.execute_script(  # type: ignore[no-untyped-call]  # selenium gives it no types
        "document.querySelector('#text').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    assert box.get_attribute("value") == "にほん"


def test_kill_and_faults(person: Person, page: PageServer) -> None:
    """The bot is killed from the page, and answers again; 429 and faults are switched on, and what was survived is counted."""
    person.say("one")
    person.reads("You said: one")
    person.click("#late")
    person.say("two")
    person.reads("You said: two")
    person.click("#kill")
    person.say("three")
    person.reads("You said: three")
    person.until("/survived [2-9]/.test(document.querySelector('#counters').textContent)")
    person.driver.find_element(By.ID, "fault-rate").send_keys("20")
    person.until("true")
    assert page.trial.state()["kills"] == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_everybody_can_use_it(page: PageServer, theme: str, width: int) -> None:
    """axe finds nothing, in both themes, at a desk and on a phone, where nothing is wider than the screen."""
    driver = browser(width=width, theme=theme)
    try:
        person = Person(driver, page)
        person.say("/start")
        person.reads("What may it be?")
        found = person.axe()
        assert found["violations"] == []
        assert found["passes"] > 20
        assert person.until("document.documentElement.scrollWidth") <= width
    finally:
        driver.quit()


def test_a_thousand_messages(person: Person, page: PageServer) -> None:
    """With 1,000 messages in the chat a key is drawn within 100 ms, only the newest are drawn, and "Earlier" brings more."""
    server = page.trial.sandbox.server
    chat = server.world.chats[page.trial.user("Ann").id]
    for number in range(1000):
        server.world.bot_says(chat, {"text": f"message {number}"})
    person.reads("message 999")
    assert person.until("document.querySelectorAll('#messages article').length") <= 201

    def press() -> float:
        return float(
            person.driver.execute_async_script(  # type: ignore[no-untyped-call]  # selenium gives it no types
                """const done = arguments[0], box = document.querySelector('#text'), began = performance.now();
                box.value += 'x'; box.dispatchEvent(new InputEvent('input', {bubbles: true}));
                requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));"""
            )
        )

    assert soon(100, press, tries=8)
    person.click("#earlier")
    person.until("document.querySelectorAll('#messages article').length > 300")


def test_who_reads_above_is_not_given_everything(person: Person, page: PageServer) -> None:
    """While somebody reads what was said before, a chatty bot makes the page no larger without end; a click shows the newest, and nothing is missing there."""
    server = page.trial.sandbox.server
    chat = server.world.chats[page.trial.user("Ann").id]
    for number in range(150):
        server.world.bot_says(chat, {"text": f"message {number}"})
    person.reads("message 149")
    person.driver.execute_async_script(  # type: ignore[no-untyped-call]  # selenium gives it no types
        """const done = arguments[0];
        document.querySelector('#messages').scrollTop = 0;
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));"""  # the page has heard of it by then
    )
    for number in range(150, 1400):
        server.world.bot_says(chat, {"text": f"message {number}"})
    person.until("document.querySelector('#newer').textContent.startsWith('1250 new')")
    assert person.until("document.querySelectorAll('#messages article').length") <= 1000
    person.click("#newer")
    person.reads("message 1399")
    person.say("and on")
    person.reads("You said: and on")
    texts = person.until("[...document.querySelectorAll('#messages article')].map((one) => one.innerText)")
    shown = [int(text.split("message ")[1].split()[0]) for text in texts if "message " in text]
    assert shown == list(range(shown[0], 1400))


def test_save_as_test(person: Person, tmp_path: Path) -> None:
    """The conversation is saved from the page, which tells that the test passes, and fails with an answer changed."""
    person.say("hello")
    person.reads("You said: hello")
    person.click("#save")
    person.until("document.querySelectorAll('#save-lines label').length === 2")
    person.click("#save-go")
    person.until("document.querySelector('#save-result').textContent.includes('fails with one answer changed')", _SAVE_SECONDS)
    assert (tmp_path / "test_hello.py").is_file()
