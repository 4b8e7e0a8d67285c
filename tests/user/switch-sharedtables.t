#!/bin/sh
# SPDX-License-Identifier: MIT
# The user ring on Lazybones with sharedtables=off, less the rows that it abolishes.
exec "$(dirname "$0")/../../scripts/user-ring" lazybones --append sharedtables=off
