"""Make the first account, which gives others their roles. Replaces Django's command, which accepts weak passwords."""

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from organizations.management.commands._password import ask_password
from organizations.management.commands._programs import check_database
from organizations.models import User
from organizations.services.accounts import accounts
from organizations.services.actors import system
from organizations.services.errors import ActionRefused

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Makes an account that manages people and roles. Asks for missing values."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", help="User name; by default DJANGO_SUPERUSER_USERNAME, else asked for.")
        parser.add_argument("--email", help="E-mail address; by default DJANGO_SUPERUSER_EMAIL, else none.")
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_true",
            help="Do not ask. The password is DJANGO_SUPERUSER_PASSWORD; without one, set it with changepassword.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        check_database()
        asks = not options["noinput"]
        name = options["username"] or os.environ.get("DJANGO_SUPERUSER_USERNAME") or ""
        email = options["email"] or os.environ.get("DJANGO_SUPERUSER_EMAIL") or ""
        if not name and asks:
            name = input("User name: ")
        user = User(username=User.normalize_username(name.strip()), email=email, is_superuser=True)
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if name_error := user.name_error():
            raise CommandError(name_error[1])
        password = ask_password(user, self.stderr) if asks else os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        actor = system("Command createsuperuser")
        try:
            accounts.save(user, password=password, is_own_password=True, what="account made", actor=actor)
        except ActionRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The account {user.username} was made. It can only manage people and roles.")
