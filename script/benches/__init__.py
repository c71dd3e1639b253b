"""Benches: each drives the real server from outside and prints figures of this machine in this run."""
