import pytest

from imaging.dicom.names import display_name, name_key


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Wang^XiaoDong=王^小东", "王小东"),
        ("Wang^XiaoDong", "Wang XiaoDong"),
        ("王^小东", "王小东"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎"),
        ("Adams^John^Robert^Rev.^B.A.", "Adams John Robert Rev. B.A."),
        ("=王^小东", "王小东"),
        ("==Yamada^Tarou", "Yamada Tarou"),
        ("Anonymous^^^^", "Anonymous"),
        ("", ""),
    ],
)
def test_display_name(name, shown):
    assert display_name(name) == shown


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Wang^XiaoDong=王^小东", "wangxiaodong 王小东"),
        ("wang xiaodong", "wangxiaodong"),
        ("Buc^Jérôme", "bucjerome"),
        ("ＷＡＮＧ　Ｘｉａｏ", "wangxiao"),
        ("Straße", "strasse"),
        ("김^희중", "김희중"),
        ("がくや", "がくや"),
        ("", ""),
    ],
)
def test_name_key_folds_what_does_not_distinguish(name, key):
    assert name_key(name) == key


def test_the_key_of_a_part_is_part_of_the_key():
    assert name_key("小东") in name_key("Wang^XiaoDong=王^小东")
