"""What crosses the wire: record types, requests, answers, problems. Imports nothing of the other roots."""
