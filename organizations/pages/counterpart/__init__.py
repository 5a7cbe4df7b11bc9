"""The record of the other environment."""
