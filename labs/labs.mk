# SPDX-License-Identifier: MIT
# What is done with labs in the full tree; part of the Makefile.

.PHONY: lab labs
lab:
	$(Q)scripts/lab cut '$(LAB)'

labs:
	$(Q)for name in $$(scripts/lab list); do scripts/lab cut $$name || exit 1; done
