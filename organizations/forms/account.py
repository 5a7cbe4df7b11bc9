"""Forms of sign-in, one's own password, and an account with its roles."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.models import Group

from organizations.fields import FieldError, read_text
from organizations.models import User
from organizations.posted_numbers import MOST_DIGITS

_LONGEST_NAME = 150
_NAMES = ("username", "first_name", "last_name")
_LONGEST_PASSWORD = 1000
_NO_AUTOFILL = {"autocomplete": "off"}  # a browser would fill in its own user
PASSWORD_HINT = "At least 12 characters that are hard to guess, without {whose} name."  # noqa: S105 - a hint


class SignInForm(forms.Form):
    username = forms.CharField(
        label="Name",
        max_length=150,
        error_messages={"required": "Enter your name.", "max_length": "This is too long for a user name."},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=_LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter your password.", "max_length": "This is too long for a password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(SetPasswordMixin, forms.Form):
    """One's own password. It asks for the old one, so that nobody can take over an account from an open session.

    The view checks the old password, because wrong tries are counted before the password is compared.
    """

    old_password = forms.CharField(
        label="Old password",
        max_length=_LONGEST_PASSWORD,
        strip=False,
        error_messages={"max_length": "This is too long for a password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password1, new_password2 = SetPasswordMixin.create_password_fields("New password", "New password again")

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user
        self.fields["new_password1"].help_text = PASSWORD_HINT.format(whose="your")
        self.fields["new_password2"].help_text = ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.validate_passwords("new_password1", "new_password2")
        self.validate_password_for_user(self.user, "new_password1")
        return cleaned


class RolesField(forms.ModelMultipleChoiceField):
    """Chosen roles. Django would query the database for any number, also for one that no column can hold."""

    def clean(self, value: Any) -> Any:
        too_long = next((role_id for role_id in value or () if len(str(role_id)) > MOST_DIGITS), None)
        if too_long is not None:
            raise forms.ValidationError(self.error_messages["invalid_pk_value"], params={"pk": too_long[:MOST_DIGITS]})
        return super().clean(value)


class AccountForm(forms.ModelForm):
    """A new or changed account. Nobody changes a user name, or their own roles."""

    opened_with = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "groups")
        labels = {"username": "User name", "email": "E-mail", "groups": "Roles"}  # noqa: RUF012 - the form of Django's Meta
        help_texts = {"username": "Letters A to Z, digits and @ . + - _. It cannot be changed later."}  # noqa: RUF012
        error_messages = {"username": {"required": "Enter a user name."}}  # noqa: RUF012
        field_classes = {"groups": RolesField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "username": forms.TextInput(attrs=_NO_AUTOFILL | {"spellcheck": "false", "autocapitalize": "none"}),
            "first_name": forms.TextInput(attrs=_NO_AUTOFILL),
            "last_name": forms.TextInput(attrs=_NO_AUTOFILL),
            "email": forms.EmailInput(attrs=_NO_AUTOFILL),
            "groups": forms.CheckboxSelectMultiple,
        }

    def __init__(self, data: Any, *, instance: User, is_own: bool = False) -> None:
        super().__init__(data, instance=instance)
        if instance.pk is not None:
            self.fields["opened_with"].initial = instance.fingerprint()
            del self.fields["username"]
        self.fields["groups"].queryset = Group.objects.order_by("pk")  # type: ignore[attr-defined]
        if is_own:
            del self.fields["groups"]

    @property
    def changes(self) -> list[str]:
        """The labels of the fields that differ from the stored account."""
        return [str(self.fields[name].label).lower() for name in self.changed_data if name != "opened_with"]

    def clean_first_name(self) -> str:
        return self._name("first_name")

    def clean_last_name(self) -> str:
        return self._name("last_name")

    def _name(self, field: str) -> str:
        """A name without characters that hide or reorder text: the history names people by it."""
        try:
            return read_text(str(self.fields[field].label), self.cleaned_data[field], _LONGEST_NAME).value
        except FieldError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self._username = cleaned.get("username")
        is_open = self.instance.pk is None or self.instance.is_active
        if is_open and set(_NAMES) & set(self.changed_data) and not set(_NAMES) & set(self.errors):
            names = {name: cleaned.get(name, getattr(self.instance, name)) for name in _NAMES}
            error = User(pk=self.instance.pk, **names).name_error()
            if error:
                self.add_error(*error)
        return cleaned

    def added_before(self) -> User | None:
        """The account that the first click created, if this is the second one; else None."""
        if set(self.errors) != {"username"} or self._username is None:
            return None
        names = {name: self.cleaned_data[name] for name in ("first_name", "last_name", "email")}
        unused = User.objects.filter(username=self._username, must_change_password=True, last_login=None)
        account = unused.filter(**names).first()
        return account if account and set(account.groups.all()) == set(self.cleaned_data["groups"]) else None
