"""Inflating a deflated data set (PS3.5 section A.5) with a bound: small files must not become large in memory."""

import zlib
from typing import Final

from imaging.dicom.elements import Buffer
from imaging.dicom.remarks import RefusedAs, Unreadable

# Real data sets deflate 2 to 20 fold; a uniform image may go further, so small results are always allowed.
MAX_RATIO: Final = 100
_PIECE_BYTES: Final = 1 << 20


def inflate(data: Buffer, start: int, *, always_bytes: int, limit_bytes: int) -> bytes:
    """``data`` up to ``start`` as it is, followed by the inflated rest.

    The rest may become ``always_bytes``, or a hundred times its deflated size if that is more, but never more than
    ``limit_bytes``. Raises Unreadable: INFLATES_TOO_FAR, MALFORMED (no deflate stream) or TRUNCATED.
    """
    bound = min(limit_bytes, max(always_bytes, MAX_RATIO * (len(data) - start)))
    reader = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    pieces, size, pending = [data[:start]], 0, data[start:]
    try:
        while pending and not reader.eof:
            piece = reader.decompress(pending, _PIECE_BYTES)
            pending = reader.unconsumed_tail
            size += len(piece)
            if size > bound:
                raise Unreadable(RefusedAs.INFLATES_TOO_FAR)
            pieces.append(piece)
    except zlib.error as error:
        raise Unreadable(RefusedAs.MALFORMED) from error
    if not reader.eof:
        raise Unreadable(RefusedAs.TRUNCATED)
    return b"".join(pieces)
