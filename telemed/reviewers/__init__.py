"""Which AI reviewers the platform tells of complete studies: an administrator registers, pauses and resumes them."""
