"""The history of the tables of all three parts, in one line of revisions."""
