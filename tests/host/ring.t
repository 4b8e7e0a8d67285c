#!/bin/sh
# SPDX-License-Identifier: MIT
# ram: 512M of the host's  time: 30
#
# The host ring: mm/ over a software MMU, with sanitizers. Builds it and runs it; its output is TAP.
# Environment: SEED, OPS, PARAMS and others (tests/host/main.c); CC.

cd "$(dirname "$0")/../.." || exit 1
if [ "$(uname -m)" != x86_64 ]; then
    echo '1..0 # SKIP the per-CPU pointer is in GS: this ring needs an x86-64 host'
    exit 0
fi
mkdir -p build/host
if ! make -s -C tests/host "CC=${CC:-gcc}" >build/host/make.log 2>&1; then
    sed 's/^/# /' build/host/make.log
    echo 'Bail out! the host ring does not build'
    exit 1
fi
# Tests end by exit() with memory of the model still in use where they fail; that is not what is looked for.
ASAN_OPTIONS=detect_leaks=0 exec build/host/ring "$@"
