"""Set a password on the command line. Replaces Django's command, which writes no history."""

import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser

from organizations.management.commands._password import ask_password
from organizations.models import User
from organizations.services.accounts import accounts
from organizations.services.actors import system
from organizations.services.errors import ActionRefused

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Sets the password of an account. The person must change it at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="User name; by default that of the operating system's user.")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"] or getpass.getuser()
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no account '{name}'.")
        password = ask_password(user, self.stderr)
        try:
            accounts.change_password(user, password, actor=system("Command changepassword"))
        except ActionRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The password of {user.username} was set. It must be changed at the next sign-in.")
