"""Other accounts of the machine cannot read files of the portal, with any umask."""

import stat
from pathlib import Path

import pytest

from orgportal import database_file, startup
from orgportal.start_errors import SettingsError

from .files import open_to_others
from .serving import manage, python


def test_the_folder_of_a_new_database_is_private(tmp_path):
    code = "from orgportal import database_file as f; from pathlib import Path; import sys; f.make(Path(sys.argv[1]))"
    database = tmp_path / "new" / "folder" / "portal.sqlite3"
    assert python(code, str(database), umask=0o022).returncode == 0
    assert database.exists()
    assert open_to_others(tmp_path) == set()


def test_a_database_and_the_files_beside_it_are_made_private(tmp_path):
    for file in database_file.parts(tmp_path / "db"):
        file.touch()
        file.chmod(0o644)
    database_file.make_private(tmp_path / "db")
    assert (len(list(tmp_path.iterdir())), open_to_others(tmp_path)) == (4, set())


def test_a_readable_database_of_another_account_is_refused_with_advice(tmp_path, monkeypatch):
    database = tmp_path / "db"
    database.touch()
    database.chmod(0o640)
    # The error for an account that is not the owner.
    monkeypatch.setattr(Path, "chmod", lambda *_: (_ for _ in ()).throw(PermissionError()))
    with pytest.raises(SettingsError, match=f"chmod 600 {database}"):
        database_file.make_private(database)


def test_the_default_folder_is_made_private_and_a_named_folder_is_unchanged(settings, tmp_path):
    settings.BASE_DIR, settings.VAR_DIR = tmp_path, tmp_path / "named"
    for name in ("var", "named"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    startup.verify()
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("var", "named")] == [0o700, 0o755]


NOT_A_DATABASE = [
    ("serve",),
    ("migrate",),
    ("restore", "{folder}/backup"),
    ("createsuperuser",),
    ("deliver",),
]


@pytest.mark.parametrize("arguments", NOT_A_DATABASE, ids=" ".join)
def test_a_file_that_is_not_a_database_is_unchanged(variables, tmp_path, database, arguments):
    database.rename(tmp_path / "backup")
    (tmp_path / "notes").mkdir()
    file = tmp_path / "notes" / "text"
    file.write_text("Not a database.\n")
    file.chmod(0o644)
    other_variables = {**variables, "DATABASE_URL": f"sqlite:///{file}"}
    ended = manage(*(each.format(folder=tmp_path) for each in arguments), **other_variables)
    assert (ended.returncode, f"{file} is not an SQLite database. Check DATABASE_URL." in ended.stderr) == (2, True)
    assert [word for word in ("Traceback", "django.") if word in ended.stderr] == []
    assert [path.name for path in file.parent.iterdir()] == ["text"]
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("Not a database.\n", 0o644)
