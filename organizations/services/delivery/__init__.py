"""Delivers submissions: claims, sends, settles, resolves and decides them."""
