#!/bin/sh
# SPDX-License-Identifier: MIT
# The user ring on Lazybones.
exec "$(dirname "$0")/../../scripts/user-ring" lazybones
