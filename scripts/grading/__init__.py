# SPDX-License-Identifier: MIT
"""The labs: cutting them from the living code, and grading what becomes of them."""
