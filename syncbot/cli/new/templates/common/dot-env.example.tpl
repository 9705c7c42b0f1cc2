# Copy it to .env, which only you may read: cp .env.example .env && chmod 600 .env && syncbot init --env-file .env
# Whoever has the token has the bot: it belongs there, and never into the code. It comes from @BotFather.
TELEGRAM_BOT_TOKEN=
# The chat that `syncbot send` writes to, and the only users whom the bot listens to (take the # away to set them).
#SYNCBOT_CHAT=123456789
#ALLOWED_TELEGRAM_USER_ID=123456789
# The ways to Telegram in order of preference, where there is none without a proxy.
#SYNCBOT_PROXY=socks5h://127.0.0.1:1080,direct
# What the bot remembers; on a local disk.
SYNCBOT_STATE={{name}}.db
