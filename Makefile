# SPDX-License-Identifier: MIT
# Lazybones' front door. `make help` lists what there is; scripts/ does the work that is not building.
#
# Two builds live side by side: build/debug (assertions, junk fill, code that gdb can follow) and
# build/release. Choose with BUILD=. A compiler other than gcc: make CC=clang. On another architecture: make
# CROSS_COMPILE=x86_64-linux-gnu-. All paths here are relative, so the tree may lie anywhere, spaces and all.

BUILD ?= debug
KINDS := debug release
ifeq ($(filter $(BUILD),$(KINDS)),)
$(error BUILD is debug or release, not "$(BUILD)")
endif

CROSS_COMPILE ?=
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
LD := $(CROSS_COMPILE)ld
OBJCOPY := $(CROSS_COMPILE)objcopy
NASM ?= nasm
USER_CC ?= musl-gcc
BUSYBOX ?= $(firstword $(wildcard /bin/busybox /usr/bin/busybox))

# ---- what is built from what

ROOMS := boot arch/x86_64 mm kernel kernel/lib kernel/fs
SOURCES := $(sort $(wildcard $(foreach room,$(ROOMS),$(room)/*.c $(room)/*.asm)))
SELFTESTS := $(sort $(wildcard tests/kernel/*.c))
# The self-tests are a quarter of the kernel's size: the release build leaves them out.
SOURCES.debug := $(SOURCES) $(SELFTESTS)
SOURCES.release := $(SOURCES)
USER_PROGRAMS := $(patsubst %.c,build/%,$(sort $(wildcard user/*.c)))
USER_TESTS := $(patsubst %.c,build/%,$(sort $(wildcard tests/user/*.c tests/system/*.c)))
USER_LIBRARIES := $(patsubst tests/user/lib/%.c,build/tests/user/%.so,$(sort $(wildcard tests/user/lib/*.c)))
USER_TESTS_DYNAMIC := $(patsubst %.c,build/%,$(shell grep -l '^// linked: dynamically' tests/user/*.c))
STAND_INS := $(patsubst %.asm,build/%,$(sort $(wildcard tests/system/*.asm)))

# ---- flags

# No red zone and no vector registers: an interrupt may come at any instruction, and the FPU's state is the
# user's. Frame pointers stay, for backtraces. Distributions switch on hardening that a kernel must not have;
# we switch it off.
CFLAGS := -std=gnu11 -g -ffreestanding -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
          -fno-stack-protector -fcf-protection=none -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
          -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes
CFLAGS.debug := -Og -DDEBUG=1
CFLAGS.release := -O2 -DDEBUG=0
NASMFLAGS := -f elf64 -g -F dwarf
LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none
USER_CFLAGS := -std=gnu11 -static -O2 -Wall -Wextra
ifneq ($(findstring clang,$(CC)),)
CFLAGS += --target=x86_64-linux-gnu
endif
# A newer compiler's new warning must not stop a student's build, only ours.
ifeq ($(CI),true)
CFLAGS += -Werror
NASMFLAGS += -w+error
USER_CFLAGS += -Werror
endif

Q := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),,@printf '  %-8s %s\n' $(1) $@)

# ---- for people

.PHONY: all run test bench bench-linux profile debug picture iso doctor help clean setup programs test-programs FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: build/$(BUILD)/lazybones.iso build/grub.iso programs

help:
	@echo 'make run      boot Lazybones in QEMU, its console on this terminal (MEM=128M)'
	@echo 'make test     build everything and run every test'
	@echo 'make bench    what memory costs, in instructions (BENCH=name, ACCEL=kvm for nanoseconds)'
	@echo 'make bench-linux  the same on Linux, beside it; writes docs/performance.md'
	@echo 'make profile  where the instructions of one operation go, as a tree (BENCH=zero_fill)'
	@echo 'make debug    QEMU halted, with gdb attached and a breakpoint on the page fault (PROGRAM=build/user/forkvars)'
	@echo 'make picture  the life of a program in memory: build/picture.html (PROGRAM=build/user/forkvars, MEM=128M)'
	@echo 'make iso      the bootable image: build/$$BUILD/lazybones.iso (BIOS and UEFI)'
	@echo 'make doctor   the tools that are needed, and what was found'
	@$(if $(wildcard labs),echo 'make lab LAB=cow  cut a lab for students: build/labs/cow (make labs: all of them)')
	@echo 'make grade    grade $(if $(wildcard labs),the reference of a lab: LAB=cow,your work) (ONLY=test,test SEED=name VERBOSE=1 RESULTS=file.json)'
	@echo 'make clean    remove build/, except what was downloaded'
	@echo
	@echo 'scripts/run PROGRAM [ARG...]    run a Linux program on Lazybones (--help for more)'
	@echo
	@echo 'BUILD=debug (default) or release   CC=clang   CROSS_COMPILE=x86_64-linux-gnu-   V=1 (show commands)'

run:
	@scripts/setup
	$(Q)$(MAKE) --no-print-directory build/$(BUILD)/lazybones.iso
	$(Q)scripts/qemu.py iso build/$(BUILD)/lazybones.iso

# PROGRAM=build/user/forkvars boots that program, APPEND= adds kernel parameters, WAIT=1234 starts no gdb, but listens there
# for one.
DEBUG_OPTIONS = $(if $(PROGRAM),--program '$(PROGRAM)') $(if $(APPEND),--append '$(APPEND)') $(if $(WAIT),--wait '$(WAIT)')
debug:
	@scripts/setup
	$(Q)$(MAKE) --no-print-directory build/$(BUILD)/lazybones.iso $(filter build/%,$(PROGRAM))
	$(Q)scripts/qemu.py debug $(DEBUG_OPTIONS) build/$(BUILD)/lazybones.elf build/$(BUILD)/lazybones.iso

# Any program; one of ours is built first. Deterministic, so that the same page comes each time. The page is
# what was asked for, whatever status the program ends with.
PICTURED = $(or $(PROGRAM),build/user/forkvars)
picture:
	@scripts/setup && scripts/setup picture
	$(Q)$(if $(filter build/%,$(PICTURED)),$(MAKE) --no-print-directory $(PICTURED))
	@rm -f build/picture.html
	$(Q)scripts/run --icount $(if $(MEM),--mem $(MEM)) --html build/picture.html $(PICTURED) $(ARGS) || [ -f build/picture.html ]

iso:
	@scripts/setup
	$(Q)$(MAKE) --no-print-directory build/$(BUILD)/lazybones.iso

# TESTS may name some of them: make test TESTS='tests/system/boot-*.t'
# The longest begin first, so that none of them is left alone at the end. One more runs than there are CPUs, for
# guests sleep at times.
LONGEST := $(patsubst %,tests/%.t,user/linux user/lazybones system/stress system/build user/switch-sharedtables \
             user/switch-zeropage user/switch-cow user/switch-zfod system/oom-rounds host/ring system/boot-menu)
TESTS ?= $(LONGEST) $(filter-out $(LONGEST),$(sort $(wildcard tests/*/*.t)))
JOBS := $(shell nproc)
test:
	@scripts/setup
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) test-programs
	$(Q)LAZYBONES_BUILT='$(CURDIR)' CC='$(CC)' prove -j$$(($(JOBS) + 1)) --timer --exec '' $(TESTS)

# BENCH=name (or several) measures that alone; APPEND= adds kernel parameters; ACCEL=kvm times instead of counting.
BENCH ?=
ACCEL ?=
bench:
	@scripts/setup
	$(Q)scripts/bench $(if $(filter kvm,$(ACCEL)),--kvm) $(if $(APPEND),--append '$(APPEND)') $(BENCH)

# The same program on the distribution's Linux kernel; without BENCH the figures go into docs/performance.md.
bench-linux:
	@scripts/setup
	$(Q)scripts/bench --linux $(BENCH)

# A lab's tree has one lab, in lab/; the full tree has them all, in labs/ (labs/README.md).
.PHONY: grade
grade:
	@scripts/setup
	$(Q)scripts/grade $(if $(wildcard labs),--lab '$(LAB)') $(if $(ONLY),--only '$(ONLY)') $(if $(SEED),--seed '$(SEED)') \
	    $(if $(VERBOSE),--verbose) $(if $(RESULTS),--results '$(RESULTS)')

-include labs/labs.mk

# Where the instructions of one operation go: BENCH=name; REPEAT=n looks at its n-th repetition.
profile:
	@scripts/setup
	$(Q)scripts/profile $(if $(REPEAT),--repeat $(REPEAT)) $(BENCH)

doctor:
	@scripts/doctor

# build/linux is a download, and not made from anything here.
clean:
	$(Q)find build -mindepth 1 -maxdepth 1 ! -name linux -exec rm -rf {} + 2>/dev/null || true

# ---- the kernel, once for each kind

# Changes exactly when the compilers or their flags do; all that they make depends on it.
build/%/flags: FORCE
	@mkdir -p $(@D)
	@{ $(CC) --version | head -n 1; $(NASM) --version; $(LD) --version | head -n 1; \
	   echo '$(CC) $(CFLAGS) $(CFLAGS.$*) | $(NASMFLAGS) | $(LDFLAGS)'; } >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# Changes when a source comes or goes: then the kernel must be linked again.
build/%/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SOURCES.$*)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

define kind_rules
OBJECTS.$(1) := $$(patsubst %,build/$(1)/%.o,$$(SOURCES.$(1)))

build/$(1)/%.c.o: %.c build/$(1)/flags
	$$(call say,CC)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS) $$(CFLAGS.$(1)) -I. -MMD -MP -MF $$@.d -c -o $$@ $$<

build/$(1)/%.asm.o: %.asm build/$(1)/flags
	$$(call say,NASM)
	@mkdir -p $$(@D)
	$$(Q)$$(NASM) $$(NASMFLAGS) -I./ -MD $$@.d -MP -o $$@ $$<

build/$(1)/lazybones.elf: $$(OBJECTS.$(1)) build/$(1)/sources linker.ld
	$$(call say,LD)
	$$(Q)$$(LD) $$(LDFLAGS) -T linker.ld -o $$@ $$(OBJECTS.$(1))

# What boots: no DWARF, but .symtab, with which the kernel names the functions in a backtrace.
build/$(1)/lazybones: build/$(1)/lazybones.elf
	$$(Q)$$(OBJCOPY) --strip-debug $$< $$@

build/$(1)/lazybones.iso: build/$(1)/lazybones build/initrd.cpio boot/grub.cfg Makefile
	$$(call say,ISO)
	$$(call grub_iso,build/$(1)/lazybones build/initrd.cpio)

-include $$(OBJECTS.$(1):=.d)
endef
$(foreach kind,$(KINDS),$(eval $(call kind_rules,$(kind))))

# ---- GRUB

# By name, for the default is all of them. What only one of the two platforms has comes by itself. The odd
# partition tables are there because grub-mkrescue's UEFI image asks for each of them and complains of those
# that are missing.
GRUB_MODULES := normal configfile test echo search iso9660 serial multiboot2 newc reboot halt \
                $(addprefix part_,gpt msdos acorn amiga apple bsd dfly dvh plan sun sunpc)

# $(call grub_iso,FILES,OPTIONS): make $@, an ISO for BIOS and UEFI with our menu, and FILES in its /boot.
define grub_iso
@rm -rf $@.d && mkdir -p $@.d/boot/grub
@cp boot/grub.cfg $@.d/boot/grub $(if $(1),&& cp $(1) $@.d/boot)
$(Q)grub-mkrescue $(2) -o $@ $@.d --locales= --themes= --fonts= --install-modules='$(GRUB_MODULES)' \
    -volid LAZYBONES >$@.log 2>&1 || { cat $@.log >&2; rm -f $@; exit 1; }
@rm -r $@.d $@.log
endef

# GRUB alone, for `scripts/run`: kernel, parameters and initial files come on a second disk, made for each
# run.
build/grub.iso: boot/grub.cfg Makefile
	$(call say,GRUB)
	@mkdir -p $(@D)
	$(call grub_iso)

# The same for BIOS alone, sooner at the kernel under -icount: what labs are graded with.
build/grub-quick.iso: boot/grub.cfg Makefile scripts/quick-grub
	$(call say,GRUB)
	@mkdir -p $(@D)
	@scripts/quick-grub $@.grub
	$(call grub_iso,,-d $@.grub)
	@rm -r $@.grub

build/kvm-probe.img: scripts/kvm-probe.asm
	@mkdir -p $(@D)
	$(Q)$(NASM) -f bin -o $@ $<

# ---- user programs

build/user.flags: FORCE
	@mkdir -p $(@D)
	@{ $(USER_CC) --version | head -n 1; echo '$(USER_CC) $(USER_CFLAGS)'; } >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

build/user/%: user/%.c build/user.flags
	$(call say,USER)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_CFLAGS) -I. -MMD -MP -MF $@.d -o $@ $<

build/tests/user/%: tests/user/%.c build/user.flags
	$(call say,USER)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_CFLAGS) -I. -I tests/user -MMD -MP -MF $@.d -o $@ $<

build/tests/system/%: tests/system/%.c build/user.flags
	$(call say,USER)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

# The programs of a lab's tests (a student's tree).
build/lab/%: lab/%.c build/user.flags
	$(call say,USER)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_CFLAGS) -I. -MMD -MP -MF $@.d -o $@ $<

# Kernels of a page that stand in for ours where a test needs a machine to come to a bad end.
build/tests/system/%: tests/system/%.asm
	$(call say,NASM)
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf32 -o $@.o $< && $(LD) -m elf_i386 -z noexecstack -Ttext 0x100000 -o $@ $@.o

# Tests that want the host's own C library beside them, and what they bring to be loaded.
$(USER_TESTS_DYNAMIC): USER_CC := $(CC)
$(USER_TESTS_DYNAMIC): USER_CFLAGS := $(filter-out -static,$(USER_CFLAGS)) -fPIE -pie

build/tests/user/%.so: tests/user/lib/%.c build/user.flags
	$(call say,USER)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -static,$(USER_CFLAGS)) -fPIC -shared -fno-builtin -o $@ $<

-include $(USER_PROGRAMS:=.d) $(USER_TESTS:=.d) $(patsubst %.c,build/%.d,$(wildcard lab/tests/*.c))

programs: $(USER_PROGRAMS)

# The initial files of the ISO. The list in build/initrd.list changes when a program comes or goes.
SHOWN_PROGRAMS := $(filter-out build/user/run,$(USER_PROGRAMS))
INITRD_FILES := $(foreach program,$(SHOWN_PROGRAMS),bin/$(notdir $(program))=$(program)) \
                $(if $(filter build/user/init,$(USER_PROGRAMS)),init=build/user/init) \
                $(if $(BUSYBOX),bin/busybox=$(BUSYBOX)) etc=user/etc
build/initrd.list: FORCE
	@mkdir -p $(@D)
	@echo '$(INITRD_FILES)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

build/initrd.cpio: $(USER_PROGRAMS) $(wildcard user/etc/*) build/initrd.list scripts/newc.py
	$(call say,CPIO)
	$(Q)scripts/newc.py $@ $(INITRD_FILES)

test-programs: $(foreach kind,$(KINDS),build/$(kind)/lazybones.iso) build/grub.iso build/kvm-probe.img \
               $(USER_PROGRAMS) $(USER_TESTS) $(USER_LIBRARIES) $(STAND_INS) host-ring

# The host ring has a Makefile of its own. Only x86-64 can run it (tests/host/ring.t says so).
.PHONY: host-ring
host-ring:
	$(Q)if [ "$$(uname -m)" = x86_64 ]; then $(MAKE) -s --no-print-directory -C tests/host CC='$(CC)'; fi

FORCE:
