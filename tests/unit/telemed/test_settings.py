from pathlib import Path

import pytest

from telemed.settings import BadSetting, load


def test_defaults_stay_on_loopback():
    settings = load([], {})
    assert (settings.host, settings.port, settings.signaling_port, settings.data) == (
        "127.0.0.1",
        8080,
        8081,
        Path("var"),
    )


def test_the_command_line_beats_the_environment():
    settings = load(["--port", "9000"], {"TELEMED_PORT": "7000", "TELEMED_WORKERS": "4"})
    assert (settings.port, settings.workers) == (9000, 4)


def test_a_misspelt_variable_is_refused_by_name():
    with pytest.raises(BadSetting, match="TELEMED_PROT"):
        load([], {"TELEMED_PROT": "7000"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEMED_PORT", "eighty"),
        ("TELEMED_PORT", "65536"),
        ("TELEMED_DEMO", "perhaps"),
        ("TELEMED_WORKERS", "0"),
        ("TELEMED_LOG_LEVEL", "LOUD"),
        ("TELEMED_REVIEW_QUIET_SECONDS", "-1"),
        ("TELEMED_DATABASE_URL", "mysql://root:secret@localhost/x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name, value):
    with pytest.raises(BadSetting, match=name) as refusal:
        load([], {name: value})
    assert "secret" not in str(refusal.value)


def test_without_a_database_url_the_data_folder_holds_it(tmp_path):
    assert load(["--data", str(tmp_path)], {}).effective_database_url == f"sqlite+aiosqlite:///{tmp_path}/telemed.db"
