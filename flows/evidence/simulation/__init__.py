"""Simulations that say what the evidence is worth, beside what others do. Seeded, and on the very code that decides."""
