"""Files up and down."""
