"""What the commands that send share."""
