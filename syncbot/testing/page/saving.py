"""A conversation as a pytest file: what people did and what the bot answered, played again before it is called a test."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from syncbot.testing.people.reading import SentMessage, newer_than
from syncbot.testing.world.world import World
from syncbot.types import JSON

_STEPS_KEPT = 200
_SHORTEST_COMMON = 3
_WORD = re.compile(r"\w+|\W")
_CHECK_SECONDS = 120.0
_WAIT_SECONDS = 20
_IMPATIENT_SECONDS = 4
"""How long a test waits that is to fail."""
_IMPATIENT = f"""import pytest


@pytest.fixture
def syncbot_timeout():
    return {_IMPATIENT_SECONDS}.0
"""
_TAKEN = {"chat", "new_chat", "re", "run_bot", "telegram", "in", "is", "as", "or", "if"}
_MEDIA = ("photo", "document", "video", "audio", "voice", "animation", "sticker", "location", "venue", "contact", "poll", "dice", "invoice")


@dataclass(frozen=True)
class Step:
    """What somebody did: `kind` is "send", "press", "edit", "media", "contact" or "location"; `title` is that of a group, empty in a private chat."""

    kind: str
    user: str
    title: str
    chat_type: str
    facts: JSON
    mark: int = 0


@dataclass(frozen=True)
class Line:
    """A line of the test: a step, or what the bot answered to it. `texts` are the answer as it was each time; `medium` what it shows beside a text."""

    step: Step
    is_answer: bool
    texts: tuple[str, ...] = ()
    medium: str = ""
    title: str = ""
    user: str = ""


@dataclass
class Story:
    """What happened so far. Methods may be called from any thread."""

    world: World
    _steps: list[Step] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acted(self, step: Step) -> None:
        """Somebody is about to do something."""
        with self.world.changed:
            mark = self.world.sent[-1].number if self.world.sent else 0
        with self._lock:
            self._steps.append(replace(step, mark=mark))
            del self._steps[:-_STEPS_KEPT]

    def lines(self) -> list[Line]:
        """The conversation in order."""
        with self._lock:
            steps = list(self._steps)
        with self.world.changed:
            events = [event for event in newer_than(self.world.sent, steps[0].mark if steps else 0) if event.kind != "deleted"]
            titles = {chat.id: (str(chat.facts.get("title", "")), str(chat.facts.get("first_name", ""))) for chat in self.world.chats.values()}
        lines: list[Line] = []
        for number, step in enumerate(steps):
            end = steps[number + 1].mark if number + 1 < len(steps) else float("inf")
            lines.append(Line(step, False))
            for event in events:
                if step.mark < event.number <= end:
                    title, name = titles.get(event.message["chat"]["id"], ("", ""))
                    medium = next((kind for kind in _MEDIA if kind in event.message), "")
                    lines.append(Line(step, True, (SentMessage(event.message).text,), medium, title, name))
        return lines


def shown(lines: Sequence[Line]) -> list[JSON]:
    """The lines as the page lists them, to be ticked."""
    return [
        {"index": n, "answer": line.is_answer, "who": "bot" if line.is_answer else line.step.user, "text": _summary(line), "varies": _varies(line)}
        for n, line in enumerate(lines)
    ]


def test_name(lines: Sequence[Line]) -> str:
    """A name of the test, from the first thing that was said."""
    words = re.findall(r"[a-z0-9]+", " ".join(str(line.step.facts.get("text", "")) for line in lines[:1]).lower())[:4]
    return "_".join(["test", *(words or ["conversation"])])


def without(lines: Sequence[Line], unticked: Collection[int]) -> list[Line]:
    """The lines that were left ticked."""
    return [line for number, line in enumerate(lines) if number not in unticked]


def with_texts_of(lines: Sequence[Line], played: Sequence[Line]) -> list[Line]:
    """The lines with the texts of a further run beside those they had; the same number of answers is needed."""
    answers = iter([line for line in played if line.is_answer])
    return [replace(line, texts=line.texts + next(answers).texts) if line.is_answer else line for line in lines]


def source_of(lines: Sequence[Line], target: str, name: str) -> str:
    """The test as a Python file, for the fixtures of pytest that come with syncbot."""
    first, *others = dict.fromkeys(who for line in lines for who in (line.step.user, line.user) if who)
    groups = {line.step.title: line.step.chat_type for line in lines if line.step.title}
    names = {first: "chat", **{who: _identifier(who) for who in others}, **{title: _identifier(title, "the_") for title in groups}}
    members = ", ".join(names[who] for who in (first, *others))
    body = [f"run_bot({target!r})"]
    body += [f"{names[who]} = new_chat({who!r})" for who in others]
    body += [f"{names[title]} = telegram.group({title!r}, members=[{members}], type={kind!r})" for title, kind in groups.items()]
    body += [_statement(line, names) for line in lines]
    fixtures = ", ".join(["run_bot", "chat", *(["new_chat"] if others else []), *(["telegram"] if groups else [])])
    imports = ["", "import re"] if any(_varies(line) for line in lines) else []
    head = ['"""A conversation with the bot, as it was tried; written by `syncbot try`. The fixtures come with syncbot."""', *imports, "", ""]
    head += [f"def {name}({fixtures}):", '    """The bot answers as it did."""']
    return "\n".join([*head, *(f"    {one}" for one in body), ""])


def check(source: str, name: str, folder: Path, *, patient: bool = True) -> str:
    """Run the test with pytest in a process of its own in this folder, without settings of the folder's own.

    Args:
        source: the file.
        name: the test's, and the file's.
        folder: where the bot is.
        patient: wait for answers as long as the test is going to; else not for long, as it is to fail.

    Returns:
        What was wrong; empty where it passes.
    """
    with tempfile.TemporaryDirectory(prefix="syncbot-test-") as place:
        file, settings = Path(place, f"{name}.py"), Path(place, "pytest.ini")
        file.write_text(source if patient else source.replace(f"timeout={_WAIT_SECONDS}", f"timeout={_IMPATIENT_SECONDS}"), encoding="utf-8")
        settings.write_text("[pytest]\n", encoding="utf-8")
        if not patient:
            Path(place, "conftest.py").write_text(_IMPATIENT, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-c", str(settings), "-p", "no:cacheprovider", "--tb=short", str(file)]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_CHECK_SECONDS, check=False)  # noqa: S603  # our own interpreter
        except subprocess.TimeoutExpired:
            return f"the test did not end within {_CHECK_SECONDS:.0f} s"
    if done.returncode == 0:
        return ""
    said = [line.removeprefix("E").strip() for line in done.stdout.splitlines() if line.startswith("E  ")]
    return (said or done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["the test failed"])[0 if said else -1]


def changed(lines: Sequence[Line]) -> list[Line]:
    """The same lines with the first answer that has a text changed, so that the test has to fail."""
    result, done = [], False
    for line in lines:
        if line.is_answer and line.texts[0] and not done:
            line, done = replace(line, texts=(line.texts[0] + " (changed)",)), True
        result.append(line)
    return result


def write_test(source: str, name: str, folder: Path) -> Path:
    """Write the file into `tests` of this folder, or the folder itself, under a name that is free; returns where it is."""
    home = folder / "tests" if (folder / "tests").is_dir() else folder
    for number in range(1, 1000):
        path = home / (f"{name}.py" if number == 1 else f"{name}_{number}.py")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(source)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{home} has a thousand tests named {name} already")


def _identifier(text: str, before: str = "") -> str:
    plain = re.sub(r"\W+", "_", text.lower()).strip("_")
    name = f"{before}{plain}"
    return name if name.isidentifier() and name not in _TAKEN else f"{before or 'user_'}{abs(hash(text)) % 1000}"


def _statement(line: Line, names: dict[str, str]) -> str:
    if line.is_answer and line.title in names:
        return f"{names[line.title]}.wait_for({_wanted(line)}, timeout={_WAIT_SECONDS})"
    if line.is_answer:
        return f"{names[line.user]}.expect({_wanted(line)})"
    user, group, facts = names[line.step.user], names.get(line.step.title, ""), line.step.facts
    writer = "None" if line.step.chat_type == "channel" else user
    match line.step.kind:
        case "send":
            return f"{group}.send({writer}, {facts['text']!r})" if group else f"{user}.send({facts['text']!r})"
        case "press":
            return f"{user}.press({facts['text']!r}{f', in_chat={group}' if group else ''})"
        case "edit":
            return f"{user}.edit({user}.last_sent, {facts['text']!r})"
        case "media":
            media = f"{facts['kind']!r}, name={facts['name']!r}, caption={facts['text']!r}"
            return f"{group}.send_media({writer}, {media})" if group else f"{user}.send_media({media})"
        case "contact":
            return f'{user}.send_contact("+15550100")'
    return f"{user}.send_location(48.8584, 2.2945)"


def _wanted(line: Line) -> str:
    if _varies(line):
        return f"re.compile({_pattern(line.texts)!r})"
    if line.texts[0]:
        return repr(line.texts[0])
    return f"lambda message: {line.medium!r} in message.data" if line.medium else "lambda message: True"


def _varies(line: Line) -> bool:
    return len(set(line.texts)) > 1


def _pattern(texts: Sequence[str]) -> str:
    """A pattern of what the texts have in common."""
    parts: list[str] = [texts[0]]
    for other in texts[1:]:
        parts = [piece for part in parts for piece in _common(part, other)]
    words = [re.escape(part).replace("\\ ", " ") for part in parts]
    return r"(?s)\A" + re.sub(r"(\.\*)+", ".*", ".*".join(words)) + r"\Z" if parts else "(?s)."


def _common(one: str, other: str) -> list[str]:
    ones = _WORD.findall(one)  # whole words and numbers: of a time that goes on, the first digits stay the same for a while
    blocks = difflib.SequenceMatcher(None, ones, _WORD.findall(other), autojunk=False).get_matching_blocks()
    found = ("".join(ones[block.a : block.a + block.size]) for block in blocks)
    pieces = [piece for piece in found if len(piece) >= _SHORTEST_COMMON]
    if not pieces:
        return [""]
    return [
        *([] if one.startswith(pieces[0]) and other.startswith(pieces[0]) else [""]),
        *pieces,
        *([] if one.endswith(pieces[-1]) and other.endswith(pieces[-1]) else [""]),
    ]


def _summary(line: Line) -> str:
    if line.is_answer:
        return line.texts[0] or f"({line.medium or 'something'})"
    facts: dict[str, Any] = line.step.facts
    return {"press": f"[{facts.get('text')}]", "contact": "(contact)", "location": "(location)"}.get(line.step.kind) or str(
        facts.get("text") or facts.get("name")
    )
