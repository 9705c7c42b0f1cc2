"""Bridges for bots that exist already: python-telegram-bot (`ptb`), aiogram, pyTelegramBotAPI (`telebot`), and anything that speaks HTTP (`http`)."""
