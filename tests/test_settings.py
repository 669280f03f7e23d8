"""Settings: one row each, one name everywhere."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from logstream.errors import SettingError
from logstream.settings import Settings, load, rows, show


def test_defaults_come_from_the_rows() -> None:
    """Without any source every setting has its default and says so."""
    resolved = load(environ={})
    assert resolved.settings == Settings()
    assert set(resolved.sources.values()) == {"default"}
    assert list(resolved.sources) == [row.name for row in rows()]


def test_option_beats_environment_beats_file(tmp_path: Path) -> None:
    """Each source wins over the next, and its name is kept."""
    file = tmp_path / "logstream.toml"
    file.write_text('retention = "7d"\nflush_rows = 10\ninsecure = true\n')
    resolved = load(
        {"retention": "1d"},
        environ={"LOGSTREAM_RETENTION": "2d", "LOGSTREAM_FLUSH_ROWS": "20"},
        file=file,
    )
    assert resolved.settings.retention_s == 86_400
    assert resolved.settings.flush_rows == 20
    assert resolved.settings.insecure is True
    assert resolved.sources["retention"] == "command line"
    assert resolved.sources["flush_rows"] == "environment (LOGSTREAM_FLUSH_ROWS)"
    assert resolved.sources["insecure"] == f"file ({file})"


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    """LOGSTREAM_CONFIG is read like --config."""
    file = tmp_path / "logstream.toml"
    file.write_text('api_keys = ["a", "b"]\n')
    assert load(environ={"LOGSTREAM_CONFIG": str(file)}).settings.api_keys == ("a", "b")


@pytest.mark.parametrize(
    ("name", "text"),
    [("insecure", "False?"), ("retention", "30"), ("max_body", "20 parsecs"), ("flush_rows", "0"),
     ("ingest_port", "70000"), ("log_level", "loud"), ("flush_rows", "1_0"), ("max_body", "-1"),
     pytest.param("max_body", "9" * 400 + "B", id="endless")],
)  # fmt: skip
def test_a_bad_value_names_setting_value_and_remedy(name: str, text: str) -> None:
    """The message says what is wrong and where it came from, the hint what to write."""
    with pytest.raises(SettingError) as caught:
        load({name: text}, environ={})
    assert name in caught.value.message
    assert text in caught.value.message
    assert "command line" in caught.value.message
    assert caught.value.hint


def test_a_secret_is_never_echoed() -> None:
    """Access keys are marked as secret."""
    assert [row.name for row in rows() if row.secret] == ["api_keys"]


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:sesame@h/0",
        "redis://:open/sesame@h/0",
        "redis://h/0?db=1&password=sesame",
        "mongodb://h/?tlsCertificateKeyFilePassword=sesame&tls=true",
        "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:sesame",
    ],
)
def test_passwords_in_urls_are_not_shown(url: str) -> None:
    """Neither where settings are listed nor where one is refused, however the URL has it."""
    shown = show("broker", url)
    assert "sesame" not in shown
    assert shown.startswith(url[:8])
    with pytest.raises(SettingError) as caught:
        load({"metrics_urls": url}, environ={})
    assert "sesame" not in caught.value.message


def test_false_is_false() -> None:
    """The word false does not switch a flag on."""
    assert load(environ={"LOGSTREAM_INSECURE": "False"}).settings.insecure is False


def test_unknown_names_are_refused_with_a_suggestion(tmp_path: Path) -> None:
    """A misspelt setting in an option or the file stops the start."""
    with pytest.raises(SettingError) as caught:
        load({"retentoin": "1d"}, environ={})
    assert caught.value.hint == "did you mean retention?"
    file = tmp_path / "x.toml"
    file.write_text("nonsense = 1")
    with pytest.raises(SettingError, match="nonsense"):
        load(environ={}, file=file)


def test_a_misspelt_variable_is_warned_of() -> None:
    """Variables of others pass, near misses are named."""
    resolved = load(environ={"LOGSTREAM_RETENTON": "1d", "LOGSTREAM_SERVICE_HOST": "10.0.0.1"})
    assert resolved.warnings == (
        "LOGSTREAM_RETENTON is not a setting; did you mean LOGSTREAM_RETENTION?",
    )


@pytest.mark.parametrize(
    ("content", "fault", "hint"),
    [
        ("flush_rows = 7\nretention = 30d", ", line 2, column 15: expected newline", "in quotes"),
        ('log_level = "info', ", at its end: ", "in quotes"),
        ("= 1", ", line 1, column 1: invalid statement", "in quotes"),
        ("retention = [1]", "retention in settings file", "a line"),
        ("[ingest]\nport = 3000", "ingest in settings file", "without sections"),
        ("\xff", "is not UTF-8 at byte 0", "UTF-8"),
    ],
)
def test_an_unreadable_file_is_a_clear_error(
    tmp_path: Path, content: str, fault: str, hint: str
) -> None:
    """Broken TOML, wrong types and wrong bytes: where in which file, and what to write."""
    file = tmp_path / "x.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingError) as caught:
        load(environ={}, file=file)
    assert str(file) in caught.value.message
    assert fault in caught.value.message
    assert hint in caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is a folder; both say what to do about it."""
    with pytest.raises(SettingError, match="there is no settings file") as caught:
        load(environ={"LOGSTREAM_CONFIG": str(tmp_path / "none.toml")})
    assert "LOGSTREAM_CONFIG" in caught.value.hint
    with pytest.raises(SettingError, match="Is a directory") as caught:
        load(environ={}, file=tmp_path)
    assert caught.value.hint


def test_every_default_can_be_written_back() -> None:
    """What `config` shows can be pasted into a file and means the same."""
    settings = Settings()
    for row in rows():
        value = getattr(settings, row.field)
        assert row.parse(show(row.field, value)) == value, row.name


def test_names_are_unique_and_explained() -> None:
    """Dropping the unit never makes two settings one, and each says what it is."""
    names = [row.name for row in rows()]
    assert len(set(names)) == len(names) == len(dataclasses.fields(Settings))
    assert all(row.help.endswith((".", "503.")) for row in rows())


def test_every_setting_is_documented() -> None:
    """docs/settings.md has one row for each, with its variable and default, and no other row."""
    text = (Path(__file__).parent.parent / "docs" / "settings.md").read_text()
    for row in rows():
        shown = f"`{row.default}`" if row.default else "—"
        assert f"| `{row.name}` | `{row.env}` | {shown} | {row.help} |" in text, row.name
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [row.name for row in rows()]
