"""The list of records: list and tree in one."""
