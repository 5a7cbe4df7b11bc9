"""The truth test: whatever happened, no page claims anything that the log contradicts.

`steps.py` has what can happen, and `histories.py` draws and runs histories of such steps. `claims.py` finds what the
pages say, and `judges.py` judges each kind of claim by the log. If you reword a page, adapt `claims.py`.
"""
