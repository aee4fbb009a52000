"""What a change does: gate, merge, log, scope, conflict, journal; and the device's half of the protocol."""
