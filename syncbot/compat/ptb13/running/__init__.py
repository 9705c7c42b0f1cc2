"""From `Updater.start_polling()` to the handlers: updater, dispatcher, context."""
