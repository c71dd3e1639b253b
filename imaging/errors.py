"""The archive's own refusals, with their stable codes (docs: error tree in foundation.errors)."""

from foundation.errors import Forbidden, Invalid, TooLarge, Unavailable, UnsupportedMedia


class WorkerDied(Unavailable):
    code, title = "imaging.worker_died", "Reading this object ended its reader"


class TooMuchMemory(TooLarge):
    code, title = "imaging.too_much_memory", "Reading this object takes more memory than one object may"


class BlobAway(Unavailable):
    code, title = "imaging.blob_unavailable", "The stored bytes cannot be read just now"


class MayNotStore(Forbidden):
    code, title = "store.not_allowed", "This caller may not store studies here"


class NotDicomUpload(UnsupportedMedia):
    code, title = "store.content_type", "Send application/dicom, or multipart/related of it"


class EncodedUpload(UnsupportedMedia):
    code, title = "store.content_encoding", "Send the body without Content-Encoding"


class BrokenMultipart(Invalid):
    code, title = "store.multipart_broken", "The multipart body is damaged"


class NothingSent(Invalid):
    code, title = "store.nothing_sent", "The request carries no instance"


class BadStudyUid(Invalid):
    code, title = "store.study_uid", "The address names no valid Study Instance UID"


class TooManyParts(TooLarge):
    code, title = "store.too_many_parts", "More instances than one request may carry"


class TryLater(Unavailable):
    code, title = "store.try_later", "Nothing could be stored just now; send it again later"
