"""The one way that an update takes through a bot: who may, who waits for it, who handles it, and what happens when that fails."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from syncbot.errors import AskTimeout, Cancelled, NotSent, Stopped, Suspended
from syncbot.logs import get_logger, guard
from syncbot.runtime.durable.asking import Answers
from syncbot.runtime.durable.seam import run_of
from syncbot.runtime.durable.step import ANSWERED
from syncbot.runtime.handling.context import Context
from syncbot.runtime.handling.handlers import ContinuePropagation, Handler, Middleware, StopPropagation, call
from syncbot.runtime.handling.router import Route, Routes
from syncbot.runtime.handling.update_facts import command_of, user_id_of
from syncbot.runtime.job import Job, JobWork, job_of
from syncbot.storage.promises.data import NO_CHANGES, Changes, Scope

if TYPE_CHECKING:
    import telegram

    from syncbot.client.bot import Bot
    from syncbot.runtime.job import JobSource
    from syncbot.storage.promises.parts import Data


class HandlerFailed(Exception):
    """The handling of an update failed, and the error handlers have run.

    Args:
        reason: the redacted traceback with its whole chain.
        changes: what the error handlers changed, to be written; what the handlers had changed before the failure is not among it, so that
            handling the update again starts from where it started before.
    """

    def __init__(self, reason: str, changes: Changes = NO_CHANGES) -> None:
        super().__init__(reason)
        self.reason = reason
        self.changes = changes
        self.keep = True
        """Whether it goes to the dead letters."""


class Dispatcher:
    """Hands updates to handlers.

    Args:
        routes: the handlers.
        bot: the bot.
        data: where user_data, chat_data, bot_data and states are loaded from.
        jobs: what jobs do.
        allowed_users: the ids of those who may use the bot; None for everybody.
        bot_username: tells the bot's own user name, for commands such as "/start@ThisBot"; asked only where one is met.
    """

    def __init__(
        self,
        routes: Routes,
        bot: Bot,
        data: Data,
        *,
        jobs: JobSource | None = None,
        allowed_users: frozenset[int] | None = None,
        bot_username: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._routes = routes
        self._bot = bot
        self._data = data
        self._jobs = jobs
        self._allowed_users = allowed_users
        self._bot_username = bot_username
        self._log = get_logger(__name__)
        self._told: set[tuple[Scope, str]] = set()
        self._told_of_a_stranger = False

    def handle(self, raw: dict[str, Any], answers: Answers | None = None) -> Changes:
        """Handle one update, whichever way it came in, or run a job.

        Args:
            raw: the update as JSON, or what `job_body` made.
            answers: where its handler may wait for an answer, or it may be one that a handler waits for; None where nobody can wait.

        Returns:
            What is to be written now that it is done.

        Raises:
            HandlerFailed: it is to go to the dead letters.
            Stopped, Suspended: the update is to be handled again.
        """
        if (job := job_of(raw)) is not None:
            return self._run_job(job, answers)
        if not self.allows(raw):
            self._say_stranger(raw)
            return NO_CHANGES
        context = self._context(raw=raw, answers=answers)
        if context.offer() and not self._routes.has_command(context.kind, command_of(raw)):
            return self._handle_others(context)
        return self._guarded(context, self._dispatch)

    def _handle_others(self, context: Context) -> Changes:
        """The first message of an album has answered a question; the others are messages like any."""
        others = context.alone()[1:]
        if others:
            context.run.value(ANSWERED, "", lambda: None, "an answer")  # so that the first one is one in another run too
        return self._guarded(others[0], lambda first: _one_by_one(first, others, self._dispatch)) if others else context.changes()

    def allows(self, raw: object) -> bool:
        """Whether an update comes from somebody who may use the bot. With a list, one that comes from nobody is refused."""
        if self._allowed_users is None:
            return True
        user_id = user_id_of(raw)
        return user_id is not None and user_id in self._allowed_users

    def _say_stranger(self, raw: object) -> None:
        if not self._told_of_a_stranger:  # else whoever finds the bot could fill the disk
            self._told_of_a_stranger = True
            who = "nobody" if (user_id := user_id_of(raw)) is None else f"user {user_id}"
            why = "is not among the allowed users (allowed_users= or ALLOWED_TELEGRAM_USER_ID)"
            self._log.info("an update of %s was passed over, who %s; this is said once", who, why)

    def _context(self, **facts: Any) -> Context:
        facts |= {"run": run_of(self._bot.recorders.here), "told": self._told, "album_kinds": self._routes.album_kinds()}
        return Context(self._bot, self._data, bot_username=self._bot_username, **facts)

    def _guarded(self, context: Context, work: Callable[[Context], None]) -> Changes:
        """Do the work; whatever it raises, SystemExit and KeyboardInterrupt too, is its failure and not ours."""
        try:
            work(context)
            return context.changes()
        except (Stopped, Suspended):
            raise
        except BaseException as error:
            context.run.check()  # what was raised on the way out of a handler that is put aside is no failure
            if isinstance(error, AskTimeout | Cancelled):
                return self._gave_up(context, error)
            if context.run.is_stopping() and any(isinstance(link, Stopped | NotSent) for link in _chain(error)):
                context.run.suspend("the runtime is stopping")  # something was waited for that a stop cuts short, such as a download
            failure = self._fail(context, error)
        try:
            raise failure
        finally:
            del failure  # its traceback holds this frame: another circle

    def _run_job(self, job: Job, answers: Answers | None) -> Changes:
        """The same without an update. The function gets a `Context`."""
        work = self._jobs.find(job.function) if self._jobs is not None else None
        if work is None or self._jobs is None:
            return self._no_such_job(job)
        context = self._context(job=job, answers=answers)
        try:
            return self._guarded(context, partial(_call_job, work))
        except HandlerFailed as failure:
            failure.keep = not job.repeats and not job.declared  # one that repeats has its next time
            raise

    def _no_such_job(self, job: Job) -> Changes:
        words = f"this program has no job {job}, which was due at {job.due:%Y-%m-%d %H:%M:%S} UTC"
        self._log.error("%s", words)
        if job.declared:
            return NO_CHANGES  # it has ended with the program that had it
        raise HandlerFailed(f"{words}; name its function with @app.job({str(job)!r}), and have it run again: syncbot dead-letters retry")

    # ── handlers ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _dispatch(self, context: Context) -> None:
        update = context.update
        ask = partial(self._ask_handlers, update, context)
        try:  # noqa: SIM105  # contextlib.suppress takes exception groups apart, and hands a copy on
            _around(self._routes.middleware(), update, context, ask)()
        except (StopPropagation, ContinuePropagation):
            pass  # from a middleware: it wanted nobody to go on

    def _ask_handlers(self, update: telegram.Update, context: Context) -> None:
        """Give the update to the first handler of each group that wants it; an album to those for albums, and else each of its messages to the others."""
        done: set[int] = set()
        is_album = context.is_album
        for route in self._routes.of(context.kind or ""):
            if is_album and not route.handler.takes_albums:
                continue
            if route.group in done or (matched := route.handler.check(update, context)) is None:
                continue
            context.args, context.match = list(matched.args), matched.match
            try:
                if route.middleware:
                    _within(route, update, context)
                else:
                    _call(route.handler, update, context)
            except ContinuePropagation:
                continue
            except StopPropagation:
                return
            done.add(route.group)
        if is_album and not done:
            _one_by_one(context, context.alone(), lambda part: self._ask_handlers(part.update, part))

    # ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _gave_up(self, context: Context, error: BaseException) -> Changes:
        """A question was not answered, and its handler lets that pass: no failure. The error handlers that name it are told."""
        context.fail(error)
        self._tell_error_handlers(context, error, named=True)
        context.error = None  # as in _fail
        return self._changes_of_error_handlers(context)

    def _fail(self, context: Context, error: BaseException) -> HandlerFailed:
        """Tell the error handlers, and make what is to be raised."""
        context.fail(error)
        if not self._tell_error_handlers(context, error):
            self._log.error("%s failed", _shown(context), exc_info=error)
        failure = HandlerFailed(guard().text(_traceback(error)), self._changes_of_error_handlers(context))
        context.error = None  # the error's frames hold the context: a circle that only the garbage collector would find
        return failure

    def _tell_error_handlers(self, context: Context, error: BaseException, *, named: bool = False) -> bool:
        """Call every error handler that wants the error (`named`: and names its class); of one that fails itself the log tells, and the others are called."""
        told: set[int] = set()  # a router can be included in several others
        for handler in self._routes.error_handlers():
            if id(handler) in told or not handler.wants(error) or (named and not handler.types):
                continue
            told.add(id(handler))
            try:
                call(handler.function, context.update_or_raw, context)
            except (Stopped, Suspended):
                raise
            except StopPropagation:
                break
            except ContinuePropagation:
                continue
            except BaseException as another:
                context.run.check()
                self._log.error("an error handler failed itself, on %s", _shown(context), exc_info=another)
        return bool(told)

    def _changes_of_error_handlers(self, context: Context) -> Changes:
        try:
            return context.changes()
        except Exception as problem:
            self._log.error("what the error handlers changed cannot be stored: %s", problem)
            return NO_CHANGES


def _one_by_one(whole: Context, parts: list[Context], handle: Callable[[Context], None]) -> None:
    """Handle the messages of an album one after the other, each with what the one before has left."""
    before = whole
    for part in parts:
        part.take_over(before)
        handle(part)
        before = part
    whole.take_over(before)


def _call(handler: Handler, update: telegram.Update, context: Context) -> None:
    with context.run.within(handler.function, handler.options):
        call(handler.function, update, context)


def _call_job(work: JobWork, context: Context) -> None:
    with context.run.within(work.function, work.options):
        call(work.function, context)


def _within(route: Route, update: telegram.Update, context: Context) -> None:
    """Call a handler within the middleware of its routers. The signals of a handler are for us, not for the middleware to see."""
    signals: list[Exception] = []

    def handler() -> None:
        try:
            _call(route.handler, update, context)
        except (StopPropagation, ContinuePropagation) as signal:
            signals.append(signal)

    _around(route.middleware, update, context, handler)()
    if signals:
        raise signals[0]


def _around(middleware: tuple[Middleware, ...], update: telegram.Update, context: Context, inner: Callable[[], None]) -> Callable[[], None]:
    """What to call: the middleware, the outermost first, and within it what it is around."""
    for one in reversed(middleware):
        inner = partial(call, one, update, context, _only_once(inner))
    return inner


def _only_once(inner: Callable[[], None]) -> Callable[[], None]:
    """What a middleware gets as `next`."""
    called = False

    def following() -> None:
        nonlocal called
        if called:
            raise RuntimeError("a middleware has called next() twice")
        called = True
        inner()

    return following


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception as problem:  # an error whose own parts cannot be printed is still to be buried
        return f"{type(error).__name__} (its traceback cannot be written: {type(problem).__name__})"


def _shown(context: Context) -> str:
    if context.raw is None:
        return "the job" if context.job is None else f"the job {context.job}"
    return f"the handling of update {context.raw.get('update_id')} ({context.kind})"
