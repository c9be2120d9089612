"""Property tests draw the same examples every time, and keep none on the disk."""

from hypothesis import settings

settings.register_profile("cinema", derandomize=True, database=None, deadline=None)
settings.load_profile("cinema")
