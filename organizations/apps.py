from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OrganizationsConfig(AppConfig):
    name = "organizations"
    verbose_name = "orgportal"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from organizations import checks  # noqa: F401
        from organizations.services.accounts import sessions

        user_logged_in.connect(sessions.begin)
        post_migrate.connect(_ensure_rows_and_index, sender=self)


def _ensure_rows_and_index(**_: object) -> None:
    from organizations.services import installation, search_index
    from orgportal import schema

    # `migrate` can apply only some migrations, such as those of one app. The rest follows once all tables are there.
    if not schema.mismatch():
        installation.ensure_rows()
        search_index.ensure_indexes()
