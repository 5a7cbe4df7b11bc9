"""Which account a session belongs to."""

from django.contrib.auth.backends import ModelBackend

from organizations import permissions
from organizations.models import User


class AccountBackend(ModelBackend):
    """Reads the account of each request together with its roles and rights."""

    def get_user(self, user_id: int) -> User | None:
        """The account if it is active, as the database has it now."""
        user = permissions.person_with_rights(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
