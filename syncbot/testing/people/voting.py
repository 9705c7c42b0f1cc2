"""Votes in the bot's polls."""

from __future__ import annotations

from collections.abc import Sequence

from syncbot.testing.people.people import Scene
from syncbot.testing.world.world import ChatState
from syncbot.types import JSON


def vote(scene: Scene, chat: ChatState, user: JSON, message_id: int, options: Sequence[int]) -> JSON:
    """A user votes for these options (none takes the vote back), in place of the vote before; returns the Poll as it is now.

    The bot gets a poll update, and a poll_answer where the poll is not anonymous.

    Raises:
        LookupError: there is no such open poll, or it has no such option.
    """
    with scene.world.changed:
        message = chat.messages.get(message_id, {})
        poll = message.get("poll")
        if poll is None or poll["is_closed"] or not all(0 <= number < len(poll["options"]) for number in options):
            raise LookupError("there is no open poll with these options")
        votes = chat.more.setdefault("votes", {}).setdefault(message_id, {})
        votes[user["id"]] = list(options)
        counts = [sum(number in chosen for chosen in votes.values()) for number in range(len(poll["options"]))]
        shown = [{**option, "voter_count": count} for option, count in zip(poll["options"], counts, strict=True)]
        new: JSON = {**poll, "options": shown, "total_voter_count": sum(bool(chosen) for chosen in votes.values())}
        chat.messages[message_id] = {**message, "poll": new}
        scene.queue.push("poll", new)
        if not poll["is_anonymous"]:
            kept = [poll["options"][number]["persistent_id"] for number in options]
            scene.queue.push("poll_answer", {"poll_id": poll["id"], "user": user, "option_ids": list(options), "option_persistent_ids": kept})
        return new
