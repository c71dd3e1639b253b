"""The reference AI reviewer: a process of its own that knows the hospital's side only through docs/ai-hook.md.

It imports nothing of the platform, so that it has exactly what a vendor would have. Not a medical device: what it
reports are heuristic candidates for a doctor to look at, or figures of image quality.
"""
