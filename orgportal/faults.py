"""What stops a process before it does any work."""


class SettingsFault(Exception):
    """A setting with which the portal must not, or cannot, run.

    `variable` is the name of the environment variable to change; `fault` says what is wrong with its value
    without showing the value, since the value may be a secret.
    """

    def __init__(self, variable: str, fault: str) -> None:
        super().__init__(variable, fault)
        self.variable = variable
        self.fault = fault

    def __str__(self) -> str:
        return f"{self.variable}: {self.fault}"


class WrongFile(Exception):
    """What DATABASE_URL names is not a database that this portal may use; the text says why and what to do."""
