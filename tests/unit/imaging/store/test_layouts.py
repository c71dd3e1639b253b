from imaging.dicom.layout import Layout
from imaging.store.layouts import RecentLayouts


def layout(values):
    return Layout(132, bulk={f"7FE0{number:04X}": (number, 1, "OB") for number in range(values)})


def test_a_layout_is_kept_under_its_instance():
    recent, kept = RecentLayouts(), layout(1)
    recent.keep("a", kept)
    assert recent.get("a") is kept
    assert recent.get("b") is None


def test_the_one_not_asked_for_longest_makes_room():
    recent = RecentLayouts(limit=3 * 11)
    for key in "abc":
        recent.keep(key, layout(1))
    recent.get("a")
    recent.keep("d", layout(1))
    assert [recent.get(key) is not None for key in "abcd"] == [True, False, True, True]


def test_what_is_larger_than_all_room_is_not_kept_and_leaves_the_count_right():
    recent = RecentLayouts(limit=20)
    recent.keep("large", layout(100))
    recent.keep("small", layout(1))
    assert recent.get("large") is None
    assert recent.get("small") is not None
