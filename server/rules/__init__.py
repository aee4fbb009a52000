"""The trade as pure functions: no request, no session, no clock of their own; figures come from server.reference."""
