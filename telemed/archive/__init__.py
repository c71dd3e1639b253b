"""The administrator's and the hospitals' view of the archive: usage, decisions, retention, verification."""
