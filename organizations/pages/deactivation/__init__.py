"""Deactivate and reactivate."""
