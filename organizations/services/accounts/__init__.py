"""Accounts: sign-in, sessions, passwords and roles."""
