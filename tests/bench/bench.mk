# SPDX-License-Identifier: GPL-2.0-or-later
#
# make bench          figures side by side with what a user of the tutorial runs: docs/bench.md and docs/bench.svg
# make bench LAB=no   without the machine of the lab

BENCH := $(BUILD)/bench
BENCH_KERNEL := $(BUILD)/obj/tests/bench/kernel.o
BENCH_PROGRAMS := $(addprefix $(BENCH)/,passthru-hook passthru-helper virsh tree measure)
# The shipped code, with another root, another kernel and another socket.
BENCH_LDFLAGS := -Wl,--wrap=root_new -Wl,--wrap=root_write_attr

$(BENCH)/passthru-hook: LDFLAGS += $(BENCH_LDFLAGS) -Wl,--wrap=varlink_connect
$(BENCH)/passthru-hook: $(call objects,hook) $(BENCH_KERNEL) $(BUILD)/obj/tests/bench/client.o $(LINK_ORDER)
$(BENCH)/passthru-helper: LDFLAGS += $(BENCH_LDFLAGS)
$(BENCH)/passthru-helper: $(call objects,helper) $(BENCH_KERNEL) $(BUILD)/obj/tests/bench/service.o $(LINK_ORDER)
$(BENCH)/virsh: LDFLAGS += $(BENCH_LDFLAGS)
$(BENCH)/virsh: $(BUILD)/obj/tests/bench/tool.o $(BENCH_KERNEL) $(LINK_ORDER)
$(BENCH)/tree: $(BUILD)/obj/tests/bench/tree.o $(BUILD)/lib/libfake.a $(LINK_ORDER)
$(BENCH)/measure: $(BUILD)/obj/tests/bench/measure.o $(LINK_ORDER)
$(BENCH_PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

.PHONY: bench bench-programs
bench-programs: all $(BENCH_PROGRAMS)

bench:
	@tests/setup check bench $(if $(filter no,$(LAB)),,lab)
	@$(MAKE) --no-print-directory -s bench-programs
	@BUILD=$(BUILD) LAB=$(LAB) tests/bench/run
