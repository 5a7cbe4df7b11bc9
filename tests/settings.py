"""The settings of a test run: those of the portal, with only the variables below."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="orgportal-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

os.environ["ORGPORTAL_ENV_FILE"] = ""
os.environ.pop("ORGPORTAL_DEMO", None)
for _name in [name for name in os.environ if name.startswith("REDOX_")]:
    del os.environ[_name]
os.environ.update(
    DEBUG="false",
    SECRET_KEY="only-for-tests-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
    CSRF_TRUSTED_ORIGINS="",
    HTTPS="false",
    BEHIND_PROXY="0",
    BIND="127.0.0.1:8000",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", f"sqlite:///{_folder}/orgportal.sqlite3"),
    TIME_ZONE="America/Chicago",
    LOG_LEVEL="WARNING",
    EMAIL_URL="memorymail://",
    AUDIT_ANCHOR_FILE="",
    PRODUCTION_FOUR_EYES="true",
)

from orgportal.settings import *  # noqa: E402, F403
from orgportal.settings import DATABASES, STORAGES  # noqa: E402

TESTING = True
VAR_DIR = Path(_folder) / "var"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The manifest would have to be collected before each run.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Empty: each test client would list what a portal has collected.
STATIC_ROOT = Path(_folder) / "static"
# Named by the process, so that two runs on one machine do not meet. SQLite in a file: in memory, threads of one
# process fail with "table is locked".
DATABASES["default"]["TEST"] = {
    "NAME": f"{_folder}/test.sqlite3" if "sqlite3" in DATABASES["default"]["ENGINE"] else f"test_{os.getpid()}"
}
if "init_command" in DATABASES["default"].get("OPTIONS", {}):
    # A power cut during a test may lose data.
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
