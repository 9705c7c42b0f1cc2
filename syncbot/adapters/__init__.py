"""Bridges for bots that exist already: python-telegram-bot (`ptb`), pyTelegramBotAPI (`telebot`), aiogram (`aiogram`), and anything that speaks HTTP (`http`)."""
