"""Errors that end a process at its start."""


class SettingsError(Exception):
    """A setting with which the portal cannot or must not run.

    `variable` is the name of the environment variable to change. `error` says what is wrong with the value, but does
    not show it, because it may be a secret.
    """

    def __init__(self, variable: str, error: str) -> None:
        super().__init__(variable, error)
        self.variable = variable
        self.error = error

    def __str__(self) -> str:
        return f"{self.variable}: {self.error}"


class WrongFile(Exception):
    """DATABASE_URL names a file that the portal cannot use as its database. The text says why and what to do."""
