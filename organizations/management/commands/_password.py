"""Ask for a password in a terminal."""

import getpass
import sys

from django.core.management.base import CommandError, OutputWrapper

from organizations.models import User
from organizations.services.accounts import passwords

MOST_TRIES = 3


def ask_password(user: User, output: OutputWrapper) -> str:
    """A password that follows the rules, typed twice.

    Raises:
        CommandError: there is no terminal, or three tries failed.
    """
    if not sys.stdin.isatty():
        raise CommandError("A password can only be typed in a terminal. Run the command in one.")
    for _ in range(MOST_TRIES):
        password = getpass.getpass("Password: ")
        error = passwords.password_error(password, user)
        if not error and password != getpass.getpass("Password again: "):
            error = "The two passwords are not the same."
        if not error:
            return password
        output.write(error)
    raise CommandError("No password was set.")
