"""Forms about people: signing in, one's own password, an account with its roles."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordMixin

from organizations.fields import FieldError, read_text
from organizations.models import User

_LONGEST_ID = 18
_LONGEST_NAME = 150
_NAMES = ("username", "first_name", "last_name", "email")
_LONGEST_PASSWORD = 1000
PASSWORD_HINT = "At least 12 characters that are hard to guess, without {whose} name."  # noqa: S105 - a hint


class SignInForm(forms.Form):
    username = forms.CharField(
        label="Name",
        max_length=150,
        error_messages={"required": "Enter your name.", "max_length": "No account has so long a name."},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=_LONGEST_PASSWORD,
        strip=False,
        error_messages={"required": "Enter your password.", "max_length": "No account has so long a password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(SetPasswordMixin, forms.Form):
    """One's own password. Asking for the old one keeps a session left open from becoming somebody else's account.

    Whether the old one is right is for the view to ask: tries are counted before anybody looks at the password.
    """

    old_password = forms.CharField(
        label="Old password",
        max_length=_LONGEST_PASSWORD,
        strip=False,
        error_messages={"max_length": "No account has so long a password."},
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
    """Chosen roles. Django would ask the database for any number, also for one that no database can hold."""

    def clean(self, value: Any) -> Any:
        beyond = next((each for each in value or () if len(str(each)) > _LONGEST_ID), None)
        if beyond is not None:
            raise forms.ValidationError(self.error_messages["invalid_pk_value"], params={"pk": beyond[:_LONGEST_ID]})
        return super().clean(value)


class AccountForm(forms.ModelForm):
    """An account as an administrator sees it, without its password: of oneself, and of who made the portal."""

    opened_with = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "is_active", "groups")
        labels = {"groups": "Roles"}  # noqa: RUF012 - the form of Django's Meta
        help_texts = {"groups": "What each role may do stands under Roles."}  # noqa: RUF012
        field_classes = {"groups": RolesField}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "username": forms.TextInput(attrs={"autocomplete": "username"}),
            "groups": forms.CheckboxSelectMultiple,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["opened_with"].initial = self.instance.fingerprint()

    def clean_first_name(self) -> str:
        return self._name("first_name")

    def clean_last_name(self) -> str:
        return self._name("last_name")

    def _name(self, field: str) -> str:
        """The history names people by it: it must not look like another, nor turn the rest of a line round."""
        try:
            return read_text(str(self.fields[field].label), self.cleaned_data[field], _LONGEST_NAME).value
        except FieldError as fault:
            raise forms.ValidationError(str(fault)) from fault

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        stale = self.instance.pk and self.instance.stale_fault(cleaned.get("opened_with", ""))
        if stale:
            raise forms.ValidationError(stale)
        named = {*_NAMES, "is_active"} & set(self.changed_data)
        counts = self.instance.pk is None or cleaned.get("is_active", self.instance.is_active)
        if not self.errors and named and counts:
            fault = self.person(cleaned).name_fault()
            if fault:
                self.add_error(*fault)
        return cleaned

    def person(self, cleaned: dict[str, Any]) -> User:
        """The person with the names that were typed, and those that this form does not change."""
        names = {name: cleaned.get(name, getattr(self.instance, name)) for name in _NAMES}
        return User(pk=self.instance.pk, **names)


class PersonForm(SetPasswordMixin, AccountForm):
    """An account with a password, which its person must change. An empty one keeps the one there is."""

    password1, password2 = SetPasswordMixin.create_password_fields("New password", "New password again")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance.pk is None
        for name in ("password1", "password2"):
            self.fields[name].required = is_new
            self.fields[name].help_text = ""
        keep = "" if is_new else "Leave empty to keep the password. "
        hint = PASSWORD_HINT.format(whose="the person's")
        self.fields["password1"].help_text = f"{keep}{hint} The person must change it at the first sign-in."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("password1", "") != cleaned.get("password2", ""):
            self.add_error("password2", "The two passwords are not the same.")
        self.validate_password_for_user(self.person(cleaned), "password1")
        return cleaned
