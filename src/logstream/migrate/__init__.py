"""Copies stored records from one store to another, each exactly once."""
