# SPDX-License-Identifier: MIT
# What is done with labs in the full tree; part of the Makefile.

.PHONY: lab labs
lab:
	$(Q)scripts/lab cut '$(LAB)'

labs:
	$(Q)for name in $$(scripts/lab list); do scripts/lab cut $$name || exit 1; done

# Every wrong kernel of labs/mutants, graded; writes docs/kill-matrix.md.
.PHONY: kill-matrix
kill-matrix:
	@scripts/setup
	$(Q)scripts/kill-matrix --write docs/kill-matrix.md
