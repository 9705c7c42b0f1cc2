"""Bots that were written for python-telegram-bot 13, run unchanged.

```sh
syncbot run-ptb13 bot.py
```

or, for services that start the program themselves, one line before its other imports: `import syncbot.compat.ptb13.install`. From then on
`from telegram.ext import Updater` finds the synchronous classes of this package; the types (`telegram.Update`, …) are those of the python-telegram-bot
that is installed, whose own `telegram.ext` is never loaded.
"""
