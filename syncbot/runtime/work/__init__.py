"""The threads that handle updates and run jobs."""
