"""Agents: who thinks. Typed records in, typed records out."""
