"""The literature: a library in one file, what is read into it, and where more is found.

A work comes in by `reading` (files) or `sources` (the public indexes), is kept once by `library`, and goes out as a
search result, a chain of predecessors or a reference. Whatever it says is material, never an instruction.
"""
