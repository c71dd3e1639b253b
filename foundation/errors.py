"""The one error tree. Every refusal a caller can see is a subclass; its ``code`` never changes once published.

ServiceError
├── Invalid            400  the request is malformed
├── Unauthenticated    401  who are you?
├── Forbidden          403  known, but this role may not do that
├── NotFound           404  it does not exist, or not for you
├── NotAcceptable      406  no representation in a form you accept
├── Conflict           409  the state of the thing does not allow it
├── Gone               410  it existed and was removed on purpose
├── TooLarge           413  over a published limit
├── UnsupportedMedia   415  a content type nobody here reads
├── Unprocessable      422  well formed, but a rule refuses it
├── RateLimited        429  too often
└── Unavailable        503  a thing we depend on is away; try again

A part or feature subclasses the fitting branch and gives its own dotted ``code`` (``opinion.stale``).
``detail`` is one English sentence that tells the caller what to do; it never names a patient.
The browser shows the sentence its message files hold for the code.
"""

from typing import ClassVar


class ServiceError(Exception):
    """A refusal with a stable code.

    ``facts`` become members of the problem document (RFC 9457 section 3.2): JSON values, no identifiers of patients.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", **facts: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.facts = facts


class Invalid(ServiceError):
    status, code, title = 400, "invalid", "The request is malformed"


class Unauthenticated(ServiceError):
    status, code, title = 401, "unauthenticated", "Sign in, or send a valid key"


class Forbidden(ServiceError):
    status, code, title = 403, "forbidden", "This role may not do that"


class NotFound(ServiceError):
    status, code, title = 404, "not_found", "Nothing here that you may see"


class MethodNotAllowed(ServiceError):
    status, code, title = 405, "method_not_allowed", "This address does not take that method"


class NotAcceptable(ServiceError):
    status, code, title = 406, "not_acceptable", "No representation in a form you accept"


class Conflict(ServiceError):
    status, code, title = 409, "conflict", "The present state does not allow that"


class Gone(ServiceError):
    status, code, title = 410, "gone", "It was removed"


class TooLarge(ServiceError):
    status, code, title = 413, "too_large", "Larger than the published limit"


class UnsupportedMedia(ServiceError):
    status, code, title = 415, "unsupported_media_type", "Nobody here reads that content type"


class RangeNotSatisfiable(ServiceError):
    status, code, title = 416, "range_not_satisfiable", "The range lies outside the content"


class Unprocessable(ServiceError):
    status, code, title = 422, "unprocessable", "A rule refuses this"


class RateLimited(ServiceError):
    status, code, title = 429, "rate_limited", "Too many requests; wait and try again"


class Unavailable(ServiceError):
    status, code, title = 503, "unavailable", "Not available just now; try again"
