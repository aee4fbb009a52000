"""What gunicorn loads."""

import gc

from server import create_app

app = create_app()
gc.collect()
gc.freeze()  # what stands now stands for ever: a collection need not walk it again and again
gc.set_threshold(20_000, 20, 50)  # a push makes thousands of small objects that are no cycles
