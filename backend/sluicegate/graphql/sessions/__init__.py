"""The browsers that people are signed in with."""
