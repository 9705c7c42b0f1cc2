"""The threads that handle updates."""
