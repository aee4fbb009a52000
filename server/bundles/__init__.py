"""Evidence bundles: a case with its history and photos, and proofs that it stands so in the journal, as a BagIt zip.

`case.py` gathers what belongs to it, `files.py` writes the files of a profile, `proofs.py` those of the journal,
`export.py` journals the export and streams the bag.
"""
