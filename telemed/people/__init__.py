"""Hospitals, the people who work there, how they sign in, and the keys of the hospitals' own software."""
