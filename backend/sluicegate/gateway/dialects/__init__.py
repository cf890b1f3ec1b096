"""What differs between wire protocols: errors, model lists, usage blocks."""
