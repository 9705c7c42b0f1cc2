"""From an update to its handler: routers, filters, the dispatcher, and what a handler gets."""
