"""What the tests of `syncbot.compat.ptb13` share; most of it runs under the real python-telegram-bot 13.15 too, and needs the standard library alone."""
