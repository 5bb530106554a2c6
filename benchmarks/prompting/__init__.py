"""What the prompters are measured at."""
