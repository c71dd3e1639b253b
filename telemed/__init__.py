"""The clinical service: people, consultations, opinions, access and audit. The only part that knows the other two."""
