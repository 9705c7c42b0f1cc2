"""Texts as Telegram reads them: the markup of its parse modes, and what it finds in plain text."""
