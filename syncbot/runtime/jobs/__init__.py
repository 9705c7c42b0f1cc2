"""Functions that run at times: what they are called, when they are due, and who begins them."""
