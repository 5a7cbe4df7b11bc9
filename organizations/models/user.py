from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person with an account. Deactivated when they leave, never deleted: the history names them."""

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
