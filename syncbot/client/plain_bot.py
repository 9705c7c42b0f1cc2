"""A bot without python-telegram-bot: its methods hand out the JSON of their results, with attributes."""

from __future__ import annotations

from typing import Any

from syncbot.client.bot import Bot
from syncbot.client.fit import check_fit, check_update
from syncbot.plain.objects import find_type, shape


class _Plain(Bot):
    """What is other than in a `Bot`."""

    types = False

    def _typed(self, returns: tuple[str, ...], result: Any) -> Any:
        check_fit(returns, result)
        return shape(returns, result)

    def typed_update(self, raw: Any) -> Any:
        """Give an update its class, `syncbot.plain.Update`; `raw` is left as it is."""
        check_update(raw)
        return find_type("Update")(raw)

    def load_types(self) -> None:
        """Load what the first update needs: the table of the types."""
        find_type("Update")

    def _attached(self) -> Any:
        return None


class PlainBot(_Plain):
    """A `Bot` whose methods hand out `syncbot.plain` objects; it never loads telegram. It is made as a `Bot` is."""

    @classmethod
    def of(cls, bot: Bot) -> Bot:
        """The same bot with plain results: it shares its connections, rates and settings with the given one, and closing either closes both."""
        if not bot.types:
            return bot
        own = type(bot)
        view: Bot = object.__new__(cls if own is Bot else type(own.__name__, (_Plain, own), {}))
        vars(view).update(vars(bot))
        return view
