"""What flows: meters beside the stream, and the filter for the one event that a caller did not ask for."""
