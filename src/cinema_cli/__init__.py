"""cinema: from a story to a film, and from films to the models that make it."""

__version__ = "0.1.0"
