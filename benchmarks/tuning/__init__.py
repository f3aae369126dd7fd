"""Tuning the weight decay by training on, against a grid of full trainings."""
