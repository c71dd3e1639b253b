"""Refusals of the review hook. Codes are public: docs/ai-hook.md lists those a vendor can meet."""

from foundation.errors import (
    Conflict,
    Gone,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unprocessable,
    UnsupportedMedia,
)


class KeyInvalid(Unauthenticated):
    code, title = "review.key_invalid", "This endpoint key is not known"


class TokenInvalid(Unauthenticated):
    code, title = "review.token_invalid", "This job token is unknown, expired or withdrawn"


class JobUnknown(NotFound):
    code, title = "review.job_unknown", "No such job for this caller"


class EndpointUnknown(NotFound):
    code, title = "review.endpoint_unknown", "No such review endpoint"


class FindingUnknown(NotFound):
    code, title = "review.finding_unknown", "No such finding"


class JobClosed(Conflict):
    code, title = "review.job_closed", "The job has ended"


class JobSuperseded(Gone):
    code, title = "review.job_superseded", "New images arrived: a newer job replaces this one"


class JobOutOfTurn(Conflict):
    code, title = "review.job_out_of_turn", "The job's state does not allow that"


class KeyReused(Conflict):
    code, title = "review.idempotency_key_reused", "This Idempotency-Key was used for another document"


class SequenceStale(Conflict):
    code, title = "review.sequence_stale", "A document with this or a later sequence was already taken"


class IdempotencyKeyMissing(Invalid):
    code, title = "review.idempotency_key_missing", "Send an Idempotency-Key header"


class ResultMalformed(Invalid):
    code, title = "review.result_malformed", "The result document does not have the required form"


class ResultTooLarge(TooLarge):
    code, title = "review.result_too_large", "The result document is over the limit"


class ResultNotJson(UnsupportedMedia):
    code, title = "review.result_not_json", "Send the result document as application/json"


class ResultRefused(Unprocessable):
    code, title = "review.result_refused", "The result document contradicts the job"


class RulesInvalid(Unprocessable):
    code, title = "review.rules_invalid", "The rules cannot be read"


class ProfileInvalid(Unprocessable):
    code, title = "review.profile_invalid", "The de-identification profile cannot be read"


class UrlRefused(Unprocessable):
    code, title = "review.url_refused", "This address may not be registered"


class RejectionWithoutReason(Unprocessable):
    code, title = "review.reason_missing", "A rejection needs a reason"
