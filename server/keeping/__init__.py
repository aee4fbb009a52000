"""Keeping, holding and giving up (保管与处置): how long records are kept, legal holds by order, disposals of photos and
erasures of personal values, each an approved and journalled act. Nothing is given up by itself.
"""
