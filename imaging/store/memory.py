"""A bound for what waits in memory."""


class Memory:
    """Room for what waits in memory, of all requests together."""

    def __init__(self, size_bytes: int) -> None:
        self._free_bytes = size_bytes

    def take(self, size_bytes: int) -> bool:
        """Whether there was room; it is then the caller's until given back."""
        if size_bytes > self._free_bytes:
            return False
        self._free_bytes -= size_bytes
        return True

    def give(self, size_bytes: int) -> None:
        self._free_bytes += size_bytes
