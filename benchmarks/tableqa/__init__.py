"""What the table helper is measured on and how its weights are fitted."""
