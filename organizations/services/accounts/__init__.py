"""Accounts of people: sign-in, sessions, passwords, roles."""
