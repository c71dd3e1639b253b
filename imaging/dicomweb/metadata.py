"""Metadata answers out of the stored pieces: unpacked, made absolute and joined, without reading the JSON in them."""

import zlib
from collections.abc import Sequence

# The stored model is compact JSON in which a quote inside text is escaped, so these bytes are nothing else.
_RELATIVE = b'"BulkDataURI":"bulkdata/'


class Assembler:
    """One JSON array in pieces. Each call may take milliseconds: call it in a thread."""

    def __init__(self, *, gzip: bool) -> None:
        self._packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16) if gzip else None
        self._glue = b"["

    def add(self, stored: Sequence[bytes], addresses: Sequence[str]) -> bytes:
        """The next pieces. ``addresses``: of the instances, absolute, in step with ``stored``."""
        joined = bytearray()
        for packed, address in zip(stored, addresses, strict=True):
            absolute = b'"BulkDataURI":"' + address.encode() + b"/bulkdata/"
            joined += self._glue + zlib.decompress(packed).replace(_RELATIVE, absolute)
            self._glue = b","
        return self._packed(bytes(joined))

    def finish(self) -> bytes:
        end = self._packed(b"[]" if self._glue == b"[" else b"]")
        return end + self._packer.flush() if self._packer else end

    def _packed(self, data: bytes) -> bytes:
        return self._packer.compress(data) if self._packer else data
