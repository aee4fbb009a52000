"""The device's half of the protocol: a Python handheld with its own outbox, for demo, tests, simulator and integrators.

Start with `device.py`, the face. What a person does is written to one SQLite file before anything is sent (`store`,
`outbox`, `capture`), what the server says is kept beside it (`rows`), and what a person sees is both together (`view`).
`exchange` delivers and fetches, `uploads` brings photos, `witness` watches the journal, `client` speaks HTTP. `bundle`
saves what waits to a file, for a device that will not come any more.
"""
