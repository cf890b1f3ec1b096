"""Single sign-on: its settings, and the accounts elsewhere that people are linked to."""
