"""What participants may do, by what it is about."""
