import pytest

from imaging.dicom.names import WORDS_KEPT, display_name, name_key, typed_words, words


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


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("=张^伟", ["张", "张伟", "伟", "zhang wei", "zhangwei", "zw", "Zhāng Wěi", "zhang1wei3", "wei"]),
        ("Wang^XiaoDong=王^小东", ["小东", "wang xiaodong", "xiaodong", "wxd", "WANG", "王小"]),
        ("单田芳", ["shan", "shantianfang", "stf"]),
        ("曾国藩", ["zengguofan", "zgf"]),
        ("解晓东", ["xie", "xxd", "xiaodong"]),
        ("欧阳娜娜", ["ouyang", "娜娜", "nana", "oynn"]),
        ("吕布", ["lü", "lv", "lubu"]),
        ("Buc^Jérôme", ["jerome", "BUC", "Jéro"]),
    ],
)
def test_t40_a_name_is_found_by_the_beginning_of_every_reading(name, typed):
    found = words(name)
    for text in typed:
        every = typed_words(text)
        separately = all(any(word.startswith(one) for word in found) for one in every)
        assert separately or any(word.startswith("".join(every)) for word in found), text


def test_t40_a_surname_is_not_read_as_the_common_word():
    assert not {word for word in words("单田芳") | words("解晓东") if word.startswith(("dan", "jie"))}


def test_a_name_made_to_fill_the_index_has_few_words():
    assert len(words("^".join(map(str, range(10_000))))) <= WORDS_KEPT
