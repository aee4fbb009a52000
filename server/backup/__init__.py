"""Backup and restore (protocol section 12): `making` writes a directory, `manifest` proves it, `restoring` reads it.

A backup is portable: the rows of one snapshot as JSON lines a table (`tables`), photos by digest (`photos`), keys and
unfinished uploads. So one path serves both engines, and a backup of the one restores on the other.
"""
