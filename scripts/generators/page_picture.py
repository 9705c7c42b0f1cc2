"""Makes docs/img/try.png, the README's picture of `syncbot try`, from a real run: `python scripts/generators/page_picture.py`.

Needs Chromium with its driver (apt-get install chromium-driver) and selenium, which the extra `test` brings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from syncbot.testing.page.trial import Trial
from syncbot.testing.page.web import PageServer

ROOT = Path(__file__).parents[2]
_WAIT_SECONDS = 30
_MOST_MESSAGES = 40


def browser(*, width: int = 1280, height: int = 760, theme: str = "light") -> webdriver.Chrome:
    """A Chromium without a window, of this size and theme."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}", "--lang=en"):
        options.add_argument(argument)
    if theme == "dark":
        options.add_argument("--force-dark-mode")
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    emulated = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", emulated)  # a window cannot be as narrow as a phone
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    return driver


def say(driver: webdriver.Chrome, text: str) -> None:
    """Write into the page's message box and send it."""
    driver.find_element(By.ID, "text").send_keys(text + "\n")


def shows(driver: webdriver.Chrome, text: str) -> None:
    """Wait until a message with this text stands in the page."""
    WebDriverWait(driver, _WAIT_SECONDS).until(lambda page: text in page.find_element(By.ID, "messages").text)


def main(target: str = str(ROOT / "docs" / "img" / "try.png"), theme: str = "light") -> None:
    """Talk to the shop through a bad proxy, and take the picture."""
    with Trial("examples/shop.py") as trial, PageServer(trial, ROOT) as page:
        trial.user("Bob")
        trial.group("Team")
        driver = browser(theme=theme)
        try:
            driver.get(page.url)
            WebDriverWait(driver, _WAIT_SECONDS).until(lambda page: "running" in page.find_element(By.ID, "bot-state").text)
            say(driver, "/start")
            shows(driver, "What may it be?")
            say(driver, "With two biscuits, please")
            shows(driver, "I have told the kitchen")
            driver.find_element(By.CSS_SELECTOR, ".keyboard button").click()
            shows(driver, "You ordered")
            trial.set_faults(trial.faults, 0.6)
            for number in range(_MOST_MESSAGES):  # until a fault has struck a call: the connection that stands ready may take it instead
                say(driver, ("Is it still raining?", "And a glass of water", "Thank you!")[number % 3])
                calls = number + 4
                WebDriverWait(driver, _WAIT_SECONDS).until(lambda page, least=calls: len(page.find_elements(By.CSS_SELECTOR, "#call-list details")) > least)
                if driver.find_elements(By.CSS_SELECTOR, ".again"):
                    break
            say(driver, "/start")
            WebDriverWait(driver, _WAIT_SECONDS).until(lambda page: page.find_elements(By.CSS_SELECTOR, ".keyboard"))
            driver.find_element(By.CSS_SELECTOR, "#call-list details:has(.again) summary").click()
            driver.save_screenshot(target)
        finally:
            driver.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
