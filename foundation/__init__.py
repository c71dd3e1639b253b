"""What all three parts stand on: the error tree, the one JSON error shape, the database handle, ids,
the clock and the background task.

Imports none of the parts. Anything a single part needs belongs to that part instead.
"""
