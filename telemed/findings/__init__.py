"""The doctor's door to the AI review: what it found, and the doctor's word on each finding."""
