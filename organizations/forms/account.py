"""Forms about people: signing in, one's own password, an account with its roles."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordMixin

from organizations.fields import FieldError, read_text
from organizations.models import User

_LONGEST_ID = 18
_LONGEST_NAME = 150
PASSWORD_HINT = "At least 12 characters, no common password, nothing of your name."  # noqa: S105 - a hint


class SignInForm(forms.Form):
    username = forms.CharField(
        label="Name",
        max_length=150,
        error_messages={"required": "Enter your name.", "max_length": "No account has so long a name."},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        error_messages={"required": "Enter your password.", "max_length": "No account has so long a password."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(PasswordChangeForm):
    """One's own password. Asking for the old one keeps a session left open from becoming somebody else's account."""

    field_order = ("old_password", "new_password1", "new_password2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        self.fields["new_password1"].help_text = PASSWORD_HINT
        self.fields["new_password2"].label = "New password again"


class RolesField(forms.ModelMultipleChoiceField):
    """Chosen roles. Django would ask the database for any number, also for one that no database can hold."""

    def clean(self, value: Any) -> Any:
        beyond = next((each for each in value or () if len(str(each)) > _LONGEST_ID), None)
        if beyond is not None:
            raise forms.ValidationError(self.error_messages["invalid_pk_value"], params={"pk": beyond[:_LONGEST_ID]})
        return super().clean(value)


class PersonForm(SetPasswordMixin, forms.ModelForm):
    """An account as an administrator sees it. An empty password keeps the one there is."""

    password1, password2 = SetPasswordMixin.create_password_fields("New password", "New password again")

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
        is_new = self.instance.pk is None
        for name in ("password1", "password2"):
            self.fields[name].required = is_new
            self.fields[name].help_text = ""
        self.fields["password1"].help_text = PASSWORD_HINT if is_new else "Leave empty to keep the password."

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
        if cleaned.get("password1", "") != cleaned.get("password2", ""):
            self.add_error("password2", "The two passwords are not the same.")
        names = ("username", "first_name", "last_name", "email")
        self.validate_password_for_user(User(**{name: cleaned.get(name, "") for name in names}))
        return cleaned
