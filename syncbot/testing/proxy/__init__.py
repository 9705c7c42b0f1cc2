"""A proxy that does harm on purpose."""
