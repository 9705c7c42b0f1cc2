"""One run of a job, as it stands in the inbox and as its function sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from syncbot.runtime.durable.options import HandlerOptions
from syncbot.storage.promises.jobs import JobEntry

_FIELD = "job"
_NUMBER = re.compile(r"#\d+$")


class JobWork(NamedTuple):
    """What a job does, and how it is run again."""

    function: Callable[[Any], object]
    options: HandlerOptions = {}  # noqa: RUF012  # nobody changes it


if TYPE_CHECKING:

    class JobSource(Protocol):
        """Where the functions of jobs are."""

        def find(self, name: str) -> JobWork | None:
            """What the job with this name does."""
            ...


class Job(str):
    """The job that runs: `context.job`. It is the job's name, and has what the job was given.

    Args:
        facts: what `job_body` wrote.
    """

    function: str
    """What the function is known by."""
    key: str
    """What the job is known by in `app.jobs`."""
    data: Any
    """What it was given."""
    chat_id: int | None
    user_id: int | None
    due: datetime
    """When it was due; of several missed times the first one."""
    repeats: bool
    """Whether it runs again."""
    declared: bool
    """Whether its times stand in the program."""

    def __new__(cls, facts: Mapping[str, Any]) -> Job:
        name = facts["name"]
        self = super().__new__(cls, _NUMBER.sub("", name[1:]) if facts["declared"] else name)  # as its decorator was told
        self.function = name
        self.key, self.data, self.chat_id, self.user_id = facts["key"], facts["data"], facts["chat_id"], facts["user_id"]
        self.due = datetime.fromtimestamp(facts["due"], UTC)
        self.repeats, self.declared = facts["repeats"], facts["declared"]
        return self


def job_body(entry: JobEntry, *, repeats: bool) -> bytes:
    """A run of a job for the inbox. It has no `update_id`, which everything that comes from outside has."""
    facts = {
        "name": entry.name,
        "key": entry.key,
        "chat_id": entry.chat_id,
        "user_id": entry.user_id,
        "data": entry.data,
        "due": entry.next_time,
        "repeats": repeats,
        "declared": entry.declared,
    }
    return json.dumps({_FIELD: facts}, separators=(",", ":")).encode()


def job_of(raw: Mapping[str, Any]) -> Job | None:
    """The job, if this is a run of one."""
    return Job(raw[_FIELD]) if _FIELD in raw and "update_id" not in raw else None


def job_order(entry: JobEntry) -> str:
    """What its runs are kept in order by: with the updates of its chat, else by themselves."""
    about = entry.user_id if entry.chat_id is None else entry.chat_id
    return f"job:{entry.key}" if about is None else str(about)
