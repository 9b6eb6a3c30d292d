"""Hostile text in every place that a model reads, and a model that does whatever it is told: nothing may come of it."""
