"""Finding names of the catalogue in a prompt."""
