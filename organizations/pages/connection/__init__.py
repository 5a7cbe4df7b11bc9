"""The connection to one environment."""
