"""The methods of the Bot API as Python methods that queue a call instead of making it. Type checkers see the stub beside this file, `queued.pyi`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from syncbot.bounds import check_method_name
from syncbot.client.api.bot_methods import BotMethods
from syncbot.client.api.signatures import QUEUE_OPTIONS
from syncbot.client.api.table import MethodSpec, check_parameters, find_method


class QueuedMethods(BotMethods):
    """Methods of the same names and parameters as a bot's; each returns the number of the call in the queue. A subclass says where the queue is."""

    _call_options = QUEUE_OPTIONS

    @abstractmethod
    def _queue_call(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> int:
        """Queue a call whose parameters' names are checked; `options` are `ttl`, `not_before` and `connection`."""

    def call(
        self,
        method: str,
        /,
        *,
        check: bool = True,
        ttl: float | timedelta | None = None,
        not_before: float | datetime | timedelta | None = None,
        connection: object = None,
        **parameters: Any,
    ) -> int:
        """Queue a call of any method of the Bot API.

        Args:
            method: its name, such as "sendMessage"; one that is newer than the table works too.
            check: refuse parameters that the method does not have, as far as it is known.
            ttl: how many seconds it may wait at most, from `not_before` on where that is given; then it fails instead of being made.
            not_before: earliest time of the first attempt: seconds since 1970, a datetime (without a zone it is UTC), or a timedelta from now.
            connection: a connection of the application to the PostgreSQL database in which the state is (psycopg's, Django's, SQLAlchemy's): the call is
                queued within the transaction that it is in, and is made if and only if that commits.
            parameters: the method's.

        Returns:
            Its number in the queue.

        Raises:
            TypeError: a parameter is unknown or missing, or the method only asks for something; nothing was queued.
            ValueError: a value cannot be sent, or the method's name is none; nothing was queued.
        """
        check_method_name(method)
        spec = find_method(method)
        given = {name: value for name, value in parameters.items() if value is not None}
        if check and spec is not None:
            check_parameters(spec, given)
        return self._accept(spec, spec.name if spec is not None else method, given, {"ttl": ttl, "not_before": not_before, "connection": connection})

    def _invoke(self, spec: MethodSpec, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
        return self._accept(spec, spec.name, parameters, options)

    def _accept(self, spec: MethodSpec | None, method: str, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> int:
        if spec is not None and spec.only_asks:
            raise TypeError(f"{method} only asks for something, and nobody would see the answer of a queued call; call it on the bot itself")
        return self._queue_call(spec, method, parameters, options)
