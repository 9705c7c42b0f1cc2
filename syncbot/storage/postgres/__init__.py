"""What a bot remembers, in a PostgreSQL database that any number of machines share."""
