"""Bytes and their index: blobs, catalogue, ingest."""
