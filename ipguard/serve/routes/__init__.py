"""Paths of the service, a module a subject."""
