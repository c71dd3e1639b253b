"""Rooms and call set-up. Knows nothing of imaging or of the clinical service."""
