"""The catalogue: schema, store, authoring format, rules, compiled form, data."""
