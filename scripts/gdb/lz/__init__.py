# SPDX-License-Identifier: MIT
"""What gdb knows about Lazybones. scripts/gdb/lazybones.py loads it; one noun a file."""
