"""Rows as blocks: where the data come from, checked once at the door."""
