import pytest

from signaling.codes import CLOSES, ERRORS, CloseCode, ErrorCode, Refusal


def test_every_code_has_a_sentence():
    assert set(ERRORS) == set(ErrorCode)
    assert set(CLOSES) == set(CloseCode)
    assert all(sentence.endswith(".") for sentence in [*CLOSES.values(), *(m.sentence for m in ERRORS.values())])


@pytest.mark.parametrize(
    ("code", "come_back"),
    [(CloseCode.DRAIN, True), (CloseCode.TICKET_STALE, True), (CloseCode.REMOVED, False), (CloseCode.NORMAL, False)],
)
def test_the_range_of_a_close_code_tells_whether_to_come_back(code, come_back):
    assert code.come_back is come_back


def test_a_refusal_without_words_of_its_own_uses_its_codes():
    refusal = Refusal(ErrorCode.ROOM_FULL)
    assert (refusal.detail, refusal.temporary) == (ERRORS[ErrorCode.ROOM_FULL].sentence, True)
