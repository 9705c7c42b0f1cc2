"""Bridges for bots that exist already: python-telegram-bot (`ptb`), pyTelegramBotAPI (`telebot`), and anything that speaks HTTP (`http`)."""
