#!/bin/sh
# SPDX-License-Identifier: MIT
# The user ring on Lazybones with zfod=off, less the rows that it abolishes.
exec "$(dirname "$0")/../../scripts/user-ring" lazybones --append zfod=off
