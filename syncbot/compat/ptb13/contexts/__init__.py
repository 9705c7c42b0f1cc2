"""What handlers get beside their updates."""
