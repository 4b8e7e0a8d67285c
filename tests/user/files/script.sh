#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# Run by execve.c: says how it was called.
echo "script $0 [$1] [$2] $#"
exit 4
