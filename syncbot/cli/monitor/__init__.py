"""`syncbot monitor`: watches a running bot from outside."""
