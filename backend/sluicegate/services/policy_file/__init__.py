"""Policy as a file: read, compared with what is stored, put into force as a whole, and written."""
