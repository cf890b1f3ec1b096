"""The rules: merging, windows, decisions. One service decides for console, automation and gateway alike."""
