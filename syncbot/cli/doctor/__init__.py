"""`syncbot doctor`: looks at everything between this machine and Telegram, one step after the other, and says what to do."""
