# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests need beyond the build.

# Replies of the kernel that no test may cause on the machine it runs on come from tests/fake: the linker puts
# its functions in place of root_write_attr & co (--wrap), so the shipped code has no test hooks.
TEST_CPPFLAGS := -Itests
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/test-*.c)))
FAKE_SOURCES := $(sort $(wildcard tests/fake/*.c))
FAKE_OBJECTS := $(patsubst tests/%.c,$(BUILD)/obj/tests/%.o,$(FAKE_SOURCES))
FAKE_LDFLAGS := -Wl,--wrap=root_write_attr -Wl,--wrap=write -Wl,--wrap=renameat -Wl,--wrap=fsync
CMOCKA = $(shell pkg-config --libs cmocka)

$(BUILD)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(TEST_CPPFLAGS) $(CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/test-%: $(BUILD)/obj/tests/unit/test-%.o $(BUILD)/lib/libfake.a $(LINK_ORDER)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(FAKE_LDFLAGS) -o $@ $^ $(LIB_LDLIBS) $(CMOCKA)

$(BUILD)/lib/libfake.a: $(FAKE_OBJECTS)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcsD $@ $^
