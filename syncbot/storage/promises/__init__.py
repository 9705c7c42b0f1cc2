"""What every store promises, as Protocols and frozen values."""
