"""The demonstration of `bin/demo`: a synthetic town (`town`), its photographs (`pictures`) and a shift of inspections.

Nothing here is of this world but a few road names; everything made says so itself: 演示 / SYNTHETIC.
"""
