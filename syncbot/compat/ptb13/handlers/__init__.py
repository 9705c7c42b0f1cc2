"""The handlers of 13, which say what updates they want and call their functions."""
