"""What goes out: queued calls, their files, and the limits that all machines keep together."""
