"""The desk's list of studies: imaging's catalogue as a doctor reads it."""
