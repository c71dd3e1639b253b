"""Registration, tokens, findings and the doctors' word, through the service that telemed and the routes call."""

import msgspec
import pytest

from imaging.guard import Access
from imaging.review.errors import (
    EndpointUnknown,
    FindingUnknown,
    JobClosed,
    JobSuperseded,
    JobUnknown,
    KeyInvalid,
    KeyReused,
    RejectionWithoutReason,
    ResultRefused,
    RulesInvalid,
    SequenceStale,
    TokenInvalid,
    UrlRefused,
)
from imaging.review.findings import Word
from imaging.review.intake import Sent
from imaging.review.tables import ReviewEndpoint, ReviewToken
from tests.review_rows import add_instance, add_study, result, stand_in


class Claimed:
    """A registered model with a claimed job: the start of most tests."""

    def __init__(self, hook, study, registered, job, token):
        self.hook, self.study, self.registered, self.job, self.token = hook, study, registered, job, token
        self.sop = f"{study.study_instance_uid[:50]}.1.1"

    async def post(self, idempotency_key="k1", **document):
        sop = stand_in(self.job, document.pop("sop", self.sop))
        body = msgspec.json.encode(result(self.job.job_uid, sop=sop, **document))
        return await self.hook.service.take_result(Sent(self.job.job_uid, self.token, idempotency_key, body))


@pytest.fixture
async def claimed(hook):
    registered = await hook.register()
    return await claim(hook, registered, await add_study(hook.database, hook.clock))


async def claim(hook, registered, study):
    job = await hook.complete(study)
    issued = await hook.service.issue_token(registered.key, job.job_uid)
    return Claimed(hook, study, registered, job, issued.access_token)


# Registration


async def test_a_registration_gives_secret_and_key_once_and_keeps_only_a_hash_of_the_key(hook):
    registered = await hook.register()
    assert registered.secret.startswith("whsec_")
    async with hook.database.read() as session:
        row = await session.get_one(ReviewEndpoint, registered.endpoint.endpoint_id)
    assert registered.key not in row.key_hash
    (shown,) = await hook.service.endpoints()
    assert shown == registered.endpoint
    assert registered.secret not in repr(shown)


async def test_an_address_inside_the_network_may_not_be_registered(hook):
    with pytest.raises(UrlRefused):
        await hook.register("https://10.0.0.7/hook")
    assert await hook.service.endpoints() == []


async def test_rules_are_read_at_registration(hook):
    with pytest.raises(RulesInvalid):
        await hook.register(rules={"eval": "1"})


async def test_an_endpoint_that_is_not_there_cannot_be_switched(hook):
    with pytest.raises(EndpointUnknown):
        await hook.service.enable_endpoint("nope", True)


# Tokens


async def opens(claimed, token):
    """The key of the study that a token shows for the claimed job; None: nothing."""
    try:
        return (await claimed.hook.service.sight(token, claimed.job.job_uid)).study.id
    except TokenInvalid:
        return None


async def test_a_token_opens_exactly_its_study_for_looking(claimed):
    assert await opens(claimed, claimed.token) == claimed.study.id
    with pytest.raises(JobUnknown):
        await claimed.hook.service.sight(claimed.token, "2.25.1")


async def test_the_token_itself_is_not_stored(claimed):
    async with claimed.hook.database.read() as session:
        (row,) = (await session.execute(ReviewToken.__table__.select())).all()
    assert claimed.token not in repr(row)


async def test_a_token_lives_no_longer_than_a_quarter_of_an_hour(claimed):
    claimed.hook.clock.passes(899)
    assert await opens(claimed, claimed.token)
    claimed.hook.clock.passes(1)
    assert await opens(claimed, claimed.token) is None


async def test_a_token_lives_no_longer_than_the_deadline(hook):
    registered = await hook.register(deadline_seconds=60)
    job = await hook.complete(await add_study(hook.database, hook.clock))
    hook.clock.passes(10)
    assert (await hook.service.issue_token(registered.key, job.job_uid)).expires_in == 50


async def test_a_token_can_be_renewed_while_the_job_runs(claimed):
    claimed.hook.clock.passes(1000)
    again = await claimed.hook.service.issue_token(claimed.registered.key, claimed.job.job_uid)
    assert await opens(claimed, again.access_token)


async def test_the_end_of_the_job_revokes_its_tokens(claimed):
    await claimed.post()
    assert await opens(claimed, claimed.token) is None


@pytest.mark.parametrize("token", ["", "aijob_guess", "aikey_x", "x" * 5000])
async def test_a_guessed_token_opens_nothing(claimed, token):
    assert await opens(claimed, token) is None


async def test_a_wrong_key_gets_no_token(claimed):
    with pytest.raises(KeyInvalid):
        await claimed.hook.service.issue_token("aikey_wrong", claimed.job.job_uid)


async def test_another_vendors_job_does_not_exist(claimed):
    other = await claimed.hook.register(name="Other", rules={"modality": ["MR"]})
    with pytest.raises(JobUnknown):
        await claimed.hook.service.issue_token(other.key, claimed.job.job_uid)


async def test_no_token_for_a_job_that_was_superseded(claimed):
    await add_instance(claimed.hook.database, claimed.hook.clock, claimed.study.id)
    await claimed.hook.complete(claimed.study)
    with pytest.raises(JobSuperseded):
        await claimed.hook.service.issue_token(claimed.registered.key, claimed.job.job_uid)
    assert await opens(claimed, claimed.token) is None


async def test_no_token_after_the_deadline_even_if_nobody_has_noticed_yet(claimed):
    claimed.hook.clock.passes(3600)
    with pytest.raises(JobClosed):
        await claimed.hook.service.issue_token(claimed.registered.key, claimed.job.job_uid)


async def test_a_token_does_not_open_another_job(claimed):
    second = await claim(claimed.hook, claimed.registered, await add_study(claimed.hook.database, claimed.hook.clock))
    with pytest.raises(JobUnknown):
        await claimed.hook.service.sight(claimed.token, second.job.job_uid)


# Results


async def test_a_result_becomes_findings_and_ends_the_job(claimed):
    claimed.hook.changes.clear()
    taken = await claimed.post(findings=2)
    assert taken.answer == {"job_uid": claimed.job.job_uid, "state": "completed", "sequence": 1, "findings": 2}
    first, second = await claimed.hook.service.findings_of(claimed.study.id)
    assert (first.label, first.label_code, first.kind, first.points) == (
        "Spot", "99TEST:spot", "circle", [[10, 10], [14, 10]],
    )  # fmt: skip
    assert (first.sop_instance_uid, first.frame, first.probability, first.assessment) == (claimed.sop, 1, None, None)
    assert first.measurements == [{"name": "diameter", "value": 6.5, "unit": "mm"}]
    assert first.finding_id != second.finding_id
    assert claimed.hook.changes == [("findings", claimed.study.id, claimed.job.job_uid)]


async def test_repeating_a_document_gets_the_same_answer_even_after_the_job_ended(claimed):
    first = await claimed.post()
    again = await claimed.post()
    assert (again.answer, again.repeated) == (first.answer, True)
    assert len(await claimed.hook.service.findings_of(claimed.study.id)) == 1


async def test_another_document_under_the_same_key_is_refused(claimed):
    await claimed.post(status="in-progress")
    with pytest.raises(KeyReused):
        await claimed.post(sequence=2)


async def test_a_new_document_after_the_end_is_refused(claimed):
    await claimed.post()
    with pytest.raises(JobClosed):
        await claimed.post("k2", sequence=2)


async def test_documents_are_taken_in_order(claimed):
    await claimed.post("k1", sequence=5, status="in-progress")
    with pytest.raises(SequenceStale) as caught:
        await claimed.post("k2", sequence=5)
    assert caught.value.facts == {"last_sequence": 5}
    await claimed.post("k3", sequence=6, findings=2)
    assert len(await claimed.hook.service.findings_of(claimed.study.id)) == 3


async def test_a_refused_document_changes_nothing(claimed):
    with pytest.raises(ResultRefused):
        await claimed.post(sop="9.9.9")
    (job,) = await claimed.hook.jobs(claimed.study)
    assert (job.state, job.sequence) == ("in_progress", 0)
    assert await claimed.hook.service.findings_of(claimed.study.id) == []
    assert (await claimed.post()).repeated is False


async def test_an_instance_that_came_after_the_decision_is_foreign(claimed):
    late = await add_instance(claimed.hook.database, claimed.hook.clock, claimed.study.id)
    with pytest.raises(ResultRefused):
        await claimed.post(sop=late)


@pytest.mark.parametrize(("status", "state"), [("failed", "failed"), ("skipped", "skipped")])
async def test_a_review_that_did_not_happen_says_why(claimed, status, state):
    await claimed.post(status=status, reason="no lungs", findings=0)
    (job,) = await claimed.hook.service.jobs_of(claimed.study.id)
    assert (job.state, job.last_error) == (state, "no lungs")


async def test_a_superseded_job_takes_no_result(claimed):
    await add_instance(claimed.hook.database, claimed.hook.clock, claimed.study.id)
    await claimed.hook.complete(claimed.study)
    with pytest.raises(JobSuperseded):
        await claimed.post()


async def test_an_expired_token_takes_no_result(claimed):
    claimed.hook.clock.passes(901)
    with pytest.raises(TokenInvalid):
        await claimed.post()


async def test_a_newer_generation_replaces_what_nobody_judged(claimed):
    await claimed.post(findings=2)
    judged, _ = await claimed.hook.service.findings_of(claimed.study.id)
    await claimed.hook.service.assess(judged.finding_id, Word("u1", "Dr Li", "accepted"))
    await add_instance(claimed.hook.database, claimed.hook.clock, claimed.study.id)
    newer = await claim(claimed.hook, claimed.registered, claimed.study)
    assert len(await claimed.hook.service.findings_of(claimed.study.id)) == 2, "kept until the newer review is done"
    await newer.post(findings=3)
    shown = await claimed.hook.service.findings_of(claimed.study.id)
    assert [one.job_uid for one in shown] == [newer.job.job_uid] * 3 + [claimed.job.job_uid]
    assert shown[-1].finding_id == judged.finding_id


@pytest.mark.parametrize(
    "ending", [{"status": "failed", "reason": "no memory", "findings": 0}, {"status": "in-progress"}]
)
async def test_a_newer_generation_that_is_not_done_replaces_nothing(claimed, ending):
    await claimed.post(findings=2)
    await add_instance(claimed.hook.database, claimed.hook.clock, claimed.study.id)
    newer = await claim(claimed.hook, claimed.registered, claimed.study)
    await newer.post(**ending)
    shown = await claimed.hook.service.findings_of(claimed.study.id)
    assert [one.job_uid for one in shown].count(claimed.job.job_uid) == 2


# The doctors' side


async def test_the_latest_word_is_shown_and_the_earlier_kept(claimed):
    await claimed.post()
    (finding,) = await claimed.hook.service.findings_of(claimed.study.id)
    await claimed.hook.service.assess(finding.finding_id, Word("u1", "Dr Li", "accepted"))
    claimed.hook.changes.clear()
    judged = await claimed.hook.service.assess(finding.finding_id, Word("u2", "Dr Wu", "rejected", " a vessel "))
    assert (judged.assessment.decision, judged.assessment.reason, judged.assessment.by_name) == (
        "rejected", "a vessel", "Dr Wu",
    )  # fmt: skip
    assert await claimed.hook.service.finding(finding.finding_id) == judged
    assert claimed.hook.changes == [("findings", claimed.study.id, finding.finding_id)]


async def test_a_rejection_needs_a_reason(claimed):
    await claimed.post()
    (finding,) = await claimed.hook.service.findings_of(claimed.study.id)
    with pytest.raises(RejectionWithoutReason):
        await claimed.hook.service.assess(finding.finding_id, Word("u1", "Dr Li", "rejected", "  "))


async def test_a_finding_that_is_not_there(hook):
    with pytest.raises(FindingUnknown):
        await hook.service.finding("nope")
    with pytest.raises(FindingUnknown):
        await hook.service.assess("nope", Word("u1", "Dr Li", "accepted"))


async def test_the_list_of_open_findings_holds_only_what_one_may_see(claimed):
    await claimed.post(findings=3)
    shown = await claimed.hook.service.findings_of(claimed.study.id)
    await claimed.hook.service.assess(shown[0].finding_id, Word("u1", "Dr Li", "accepted"))
    own = Access("u1", owners=frozenset({"WZ01"}))
    found, total = await claimed.hook.service.unreviewed(own, limit=1)
    assert (len(found), total) == (1, 2)
    assert await claimed.hook.service.unreviewed(Access("u2", owners=frozenset({"SH01"}))) == ([], 0)
    invited = Access("u3", owners=frozenset({"SH01"}), study_ids=frozenset({claimed.study.id}))
    assert (await claimed.hook.service.unreviewed(invited))[1] == 2
    assert await claimed.hook.service.unreviewed(Access("nobody")) == ([], 0)
    elsewhere = Access("u1", owners=frozenset({"WZ01", "SH01"}), only_owner="SH01")
    assert await claimed.hook.service.unreviewed(elsewhere) == ([], 0)


async def test_the_word_for_a_study_follows_its_review(claimed):
    async def word():
        return (await claimed.hook.service.study_states([claimed.study.id]))[claimed.study.id]

    untouched = await add_study(claimed.hook.database, claimed.hook.clock, modality="MR")
    assert await claimed.hook.service.study_states([untouched.id]) == {untouched.id: (None, 0)}
    assert await word() == ("running", 0)
    await claimed.post(findings=2)
    assert await word() == ("done", 2)
    await add_instance(claimed.hook.database, claimed.hook.clock, claimed.study.id)
    await claimed.hook.complete(claimed.study)
    assert await word() == ("pending", 2)


async def test_a_job_tells_its_whole_story(claimed):
    await claimed.post()
    (job,) = await claimed.hook.service.jobs_of(claimed.study.id)
    assert (job.model_name, job.model_version, job.vendor) == ("spotter", "1.0", "Lab")
    assert (job.state, job.completeness_basis, job.generation, job.summary) == ("completed", "quiet", 1, "spots")
