"""The Bot API's methods: the generated table, and how they become methods of a bot."""
