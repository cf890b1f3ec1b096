"""Values and enums of the product: frozen, checked, free of input and output."""
