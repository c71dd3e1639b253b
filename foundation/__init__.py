"""What all three parts stand on: the error tree, the one JSON error shape, the database handle, ids and the clock.

Imports none of the parts. Anything a single part needs belongs to that part instead.
"""
