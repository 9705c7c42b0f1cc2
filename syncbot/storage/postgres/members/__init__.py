"""Processes that handle the same bot, and what becomes of what one has that dies."""
