"""The HTTP API and the page: many clients, one model. Needs the extra `[serve]`; only `detente serve` imports it."""
