"""Fixtures for pytest: people who talk to a bot, over real sockets. See docs/testing-your-bot.md."""
