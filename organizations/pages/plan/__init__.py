"""Several records at once: the draft and the plan."""
