"""Planted frauds and odd but honest research, played as whole campaigns: what the system makes of each."""
