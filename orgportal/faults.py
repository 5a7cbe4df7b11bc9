"""What stops a process before it does any work."""


class SettingsFault(Exception):
    """A setting with which the portal cannot or must not run.

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
    """DATABASE_URL names a file that the portal cannot use as its database. The text says why and what to do."""
