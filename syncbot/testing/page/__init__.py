"""A trial of a bot: the bot runs in the sandbox, and a page (or a terminal) on this machine lets a person talk to it. `syncbot try` starts it."""
