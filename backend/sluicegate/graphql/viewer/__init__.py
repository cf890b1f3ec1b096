"""The caller, and what everybody may know about the deployment."""
