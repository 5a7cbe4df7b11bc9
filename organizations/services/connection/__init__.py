"""The settings of an environment, and the only door to Redox."""
