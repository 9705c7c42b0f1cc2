"""`syncbot run-ptb13 --check bot.py`: what of a program cannot be carried over, by file and line, found without running it."""
