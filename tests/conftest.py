"""No test depends on the clock, those of hypothesis included: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("cinema", deadline=None)
settings.load_profile("cinema")
