"""Single sign-on: its settings, signing in through an identity provider, and what that gives and takes."""
