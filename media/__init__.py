"""What a photo is: uploads, stores, checks, renditions, capture chain."""
