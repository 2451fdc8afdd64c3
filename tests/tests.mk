# SPDX-License-Identifier: GPL-2.0-or-later
#
# All that has to do with tests. Each suite appends one line per check to a file in RESULTS; tests/total counts them.

RESULTS := $(BUILD)/results
TEST_CPPFLAGS := -Itests

# Replies of the kernel that no test may cause on the machine it runs on come from tests/fake: the linker puts its
# functions in the place of root_write_attr and others (--wrap), so the shipped code has no test hooks.
FAKE_LDFLAGS := $(foreach f,root_write_attr root_read_attr root_read_u64 root_read unit_set_cpus unit_is_active unit_set_active write renameat fsync,-Wl,--wrap=$(f))
# The boot half has faults of its own.
APPLY_TESTS := $(foreach t,apply apply-checks trial kernel,$(BUILD)/tests/test-$(t))
$(APPLY_TESTS): $(BUILD)/obj/tests/unit/apply-host.o
$(APPLY_TESTS): FAKE_LDFLAGS := $(foreach f,write renameat renameat2 unlinkat mkdirat fchmod fsync syncfs fstatfs \
  command_run,-Wl,--wrap=$(f))
# The program as a whole, but for its main().
$(BUILD)/tests/test-early-run: $(filter-out %/main.o,$(call objects,early))
$(BUILD)/tests/test-device-idle: $(BUILD)/obj/cli/device-idle.o
# The helper is a program and no archive; the credentials of a socket come from the kernel.
$(BUILD)/tests/test-peer: $(patsubst %,$(BUILD)/obj/helper/%.o,worker peer journal)
$(BUILD)/tests/test-peer: FAKE_LDFLAGS += -Wl,--wrap=getsockopt
$(BUILD)/tests/test-module: FAKE_LDFLAGS := $(foreach f,root_is_live sd_bus_open_system sd_bus_flush_close_unref \
  sd_bus_call_method sd_bus_message_read sd_bus_message_unref sd_bus_get_property_string,-Wl,--wrap=$(f))
FAKE_OBJECTS := $(patsubst tests/%.c,$(BUILD)/obj/tests/%.o,$(sort $(wildcard tests/fake/*.c)))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/test-*.c)))
FUZZ := $(patsubst tests/fuzz/fuzz-%.c,%,$(sort $(wildcard tests/fuzz/fuzz-*.c)))
REPLAY := $(FUZZ:%=$(BUILD)/tests/replay-%)
SCRIPTS := $(shell git ls-files -z tests libvirt kernel-install kernelstub initramfs-tools dracut mkinitcpio 2>/dev/null | xargs -0 grep -lE '^\#!/(usr/)?bin/(ba|a)?sh' 2>/dev/null)
CMOCKA = $(shell pkg-config --libs cmocka)

$(BUILD)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(TEST_CPPFLAGS) $(CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/lib/libfake.a: $(FAKE_OBJECTS)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsD $@.new $^ && mv $@.new $@

# A group: base calls the fakes, and the fakes call base.
$(BUILD)/tests/test-%: $(BUILD)/obj/tests/unit/test-%.o $(BUILD)/lib/libfake.a $(LINK_ORDER)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(FAKE_LDFLAGS) -o $@ $(filter %.o,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIB_LDLIBS) $(CMOCKA)

$(BUILD)/tests/hostile-worker: $(BUILD)/obj/tests/hostile/worker.o $(patsubst %,$(BUILD)/obj/helper/%.o,worker peer journal) \
    $(LINK_ORDER)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

$(BUILD)/tests/replay-%: $(BUILD)/obj/tests/fuzz/fuzz-%.o $(BUILD)/obj/tests/fuzz/replay.o $(LINK_ORDER)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

$(BUILD)/tests/fuzz-%: $(BUILD)/obj/tests/fuzz/fuzz-%.o $(LINK_ORDER)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIB_LDLIBS)

# What the cell power-cut runs on the host, and in the guest. libext2fs: nothing else reads ext4 without its journal.
POWER_CUT := $(patsubst %,$(BUILD)/obj/tests/lab/power-cut/%.o,cut disk ext4 folder image log main vfat)
$(BUILD)/tests/power-cut: $(POWER_CUT) $(BUILD)/lib/libbase.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lext2fs -lcom_err

$(BUILD)/tests/power-cut-replace: $(BUILD)/obj/tests/lab/power-cut/replace.o $(BUILD)/lib/libboot.a $(BUILD)/lib/libbase.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Not .SECONDARY, which would let a missing object of an archive pass for made.
.PRECIOUS: $(BUILD)/obj/tests/%.o

# check is what CI calls: nothing but make and a shell is needed before it, as root on Debian 12.
.PHONY: check
check:
	tests/setup check lab
	@rm -rf $(RESULTS)
	+@status=0; \
	for suite in check-unit check-install check-fuzz check-asan check-lab check-demo; do \
	  $(MAKE) --no-print-directory $$suite || status=1; done; \
	tests/total $(RESULTS)/* || status=1; exit $$status

.PHONY: check-unit
check-unit: all $(UNIT) $(BUILD)/tests/hostile-worker
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/unit
	@BUILD=$(BUILD) SANITIZED=$(SANITIZED) tests/run $(RESULTS)/unit tests/layers tests/hardening tests/units tests/docs \
	  tests/initramfs tests/device tests/cli tests/groups tests/completions tests/hostile/hostile tests/boot-loaders tests/boot $(UNIT)

.PHONY: check-install
check-install: all
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/install
	@BUILD=$(BUILD) tests/run $(RESULTS)/install tests/install

# Each fuzz target replays its corpus: what was found once is not found again.
.PHONY: check-fuzz
check-fuzz: $(REPLAY)
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/fuzz
	@BUILD=$(BUILD) tests/run $(RESULTS)/fuzz tests/fuzz/replay-all

# Everything once more with sanitizers; the checks are not counted twice, only whether all of them pass.
.PHONY: asan check-asan
asan:
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' CFLAGS='-O1 -g' \
	  SANITIZED=yes check-unit check-fuzz

check-asan:
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/asan
	@$(MAKE) --no-print-directory asan >$(BUILD)/asan.log 2>&1 \
	  && echo 'ok - unit tests and corpora with address and undefined behaviour sanitizers' >>$(RESULTS)/asan \
	  || { tail -60 $(BUILD)/asan.log; echo 'not ok - unit tests and corpora with sanitizers' >>$(RESULTS)/asan; false; }

# The lab's cells that fit into CI; the others, and longer runs of these, are for torture. A cell that boots through a boot
# loader takes minutes: CI has one of each kind.
LAB_LONG := 71-grub-trixie 73-systemd-boot-bookworm 74-uki 81-early-other 82-early-off 84-early-lend
LAB_CELLS ?= $(filter-out demo $(LAB_LONG),$(patsubst tests/lab/cells/%.sh,%,$(sort $(wildcard tests/lab/cells/*.sh))))
# RELEASE:COUNT: machines whose IOMMU groups are predicted under the kernel of that Debian release.
GROUPS_MACHINES ?= bookworm:2 trixie:2

.PHONY: check-lab
check-lab: all
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/lab
	@status=0; tests/lab/run --results $(RESULTS)/lab $(LAB_CELLS) || status=1; \
	BUILD=$(BUILD) tests/lab/groups --results $(RESULTS)/lab $(GROUPS_MACHINES) || status=1; exit $$status

.PHONY: check-demo
check-demo: all
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/demo
	@if tests/lab/demo; then echo 'ok - the demo shows what it should'; else echo 'not ok - the demo'; fi >>$(RESULTS)/demo.new; \
	  cat $(RESULTS)/demo.new; grep -E '^(not )?ok' $(RESULTS)/demo.new >$(RESULTS)/demo; rm $(RESULTS)/demo.new; \
	  ! grep -q '^not ok' $(RESULTS)/demo

.PHONY: torture
torture: all $(UNIT)
	tests/setup check lab
	@rm -rf $(RESULTS) && mkdir -p $(RESULTS)
	+@status=0; \
	SEQUENCES=20000 tests/run $(RESULTS)/unit $(BUILD)/tests/test-random || status=1; \
	KILLS=300 LEND_CYCLES=500 DOMAIN_CYCLES=50 POWER_CUTS=500 tests/lab/run --timeout 7200 --results $(RESULTS)/lab $(LAB_CELLS) $(LAB_LONG) || status=1; \
	BUILD=$(BUILD) tests/lab/groups --results $(RESULTS)/lab bookworm:40 trixie:40 || status=1; \
	tests/total $(RESULTS)/* || status=1; exit $$status

.PHONY: demo
demo:
	@tests/setup lab
	@$(MAKE) --no-print-directory -s all
	@tests/lab/demo

SECONDS ?= 30

.PHONY: fuzz
fuzz:
	tests/setup check
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang CFLAGS='-O1 -g -Wno-unknown-warning-option' HARDENING= WARNINGS=-Wall \
	  SANITIZE=-fsanitize=fuzzer-no-link,address,undefined $(FUZZ:%=$(BUILD)/fuzz/tests/fuzz-%)
	BUILD=$(BUILD)/fuzz tests/fuzz/run $(SECONDS) $(FUZZ)

# cppcheck 2.10 knows neither the cleanup attribute (memleak, resourceLeak) nor that NULL is a pointer in POSIX.
CPPCHECK_IS_WRONG := missingIncludeSystem nullPointerRedundantCheck memleak resourceLeak varFuncNullUB

.PHONY: lint
lint:
	tests/setup check
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability,performance \
	  $(foreach s,$(CPPCHECK_IS_WRONG),--suppress=$(s)) -DVERSION='""' -Isrc src
	shellcheck $(SCRIPTS)
	shellcheck -s bash completions/passthru.bash
	tests/layers | grep -v '^ok'; ! tests/layers | grep -q '^not ok'

include tests/bench/bench.mk
