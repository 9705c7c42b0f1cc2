"""Connections that are opened before a call needs them, and how long they may stand."""
