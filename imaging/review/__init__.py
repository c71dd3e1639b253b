"""The AI review hook: completeness, outbox, delivery, results, assessments."""
