# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            build            make check      all tests, set-up included
# make demo       the main job     make install    honours DESTDIR, prefix, sysconfdir, libexecdir
# make asan       build and unit tests with sanitizers
# make lint       static checks    make fuzz       SECONDS=30 for each target
# make torture    the long tests   make bench      figures side by side with the tutorial's scripts

VERSION := $(shell cat VERSION)
BUILD ?= build

prefix ?= /usr/local
bindir ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec
sysconfdir ?= /etc
datadir ?= $(prefix)/share
docdir ?= $(datadir)/doc/passthru
mandir ?= $(datadir)/man
kernelinstalldir ?= /usr/lib/kernel/install.d
# Those who make an initramfs look there only.
initramfsdir ?= /usr/share/initramfs-tools
dracutdir ?= /usr/lib/dracut/modules.d
initcpiodir ?= /usr/lib/initcpio
unitdir ?= $(shell pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null || echo $(prefix)/lib/systemd/system)

# Where the shells look, below our own prefix. Debian's zsh has another name for it.
bashcompletiondir ?= $(call pc_completions,bash-completion,bash-completion/completions)
fishcompletiondir ?= $(call pc_completions,fish,fish/vendor_completions.d)
zshcompletiondir ?= $(datadir)/zsh/$(notdir $(or $(wildcard $(datadir)/zsh/vendor-completions),site-functions))
pc_completions = $(or $(shell pkg-config --define-variable=datadir=$(datadir) --variable=completionsdir $(1) \
  2>/dev/null),$(datadir)/$(2))

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
  -Wformat=2 -Wvla -Wundef -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
ifdef CI
WARNINGS += -Werror
endif
# As distributions do it (tests/hardening looks at the programs). Control-flow enforcement is x86's.
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
  $(if $(filter x86_64 i686,$(shell uname -m)),-fcf-protection)
override CPPFLAGS += -D_GNU_SOURCE -Isrc -DVERSION='"$(VERSION)"' -DLIBEXECDIR='"$(libexecdir)"'
override CFLAGS += -std=gnu17 -ffunction-sections -fdata-sections $(WARNINGS) $(HARDENING) $(SANITIZE)
override LDFLAGS += -pie -Wl,--as-needed -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now $(SANITIZE)

# A layer is a folder and a static archive; a file includes only from layers to its left (tests/layers).
LAYERS := base model sys config wire lease boot advice
PROGRAMS := early hook helper cli
PACKAGES := libkmod libpci inih expat json-c libsystemd efivar

# Deferred until a compiler runs: `make check` on a fresh machine installs pkg-config first.
LIB_CFLAGS = $(eval LIB_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(LIB_CFLAGS)
LIB_LDLIBS = $(eval LIB_LDLIBS := $(shell pkg-config --libs $(PACKAGES)))$(LIB_LDLIBS)

objects = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(sort $(wildcard src/$(1)/*.c)))
ARCHIVES := $(LAYERS:%=$(BUILD)/lib/lib%.a)
# Right to left: the linker looks for what a layer needs in the archives behind it.
LINK_ORDER := $(foreach l,advice boot lease wire config sys model base,$(BUILD)/lib/lib$(l).a)

BINARIES := $(BUILD)/passthru $(BUILD)/passthru-hook $(BUILD)/passthru-helper $(BUILD)/passthru-early

.PHONY: all
all: $(BINARIES)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

define archive
$(BUILD)/lib/lib$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(AR) rcsD $$@.new $$^ && mv $$@.new $$@
endef
$(foreach l,$(LAYERS),$(eval $(call archive,$(l))))

$(BUILD)/passthru: $(call objects,cli) $(LINK_ORDER)
$(BUILD)/passthru-hook: $(call objects,hook) $(LINK_ORDER)
$(BUILD)/passthru-helper: $(call objects,helper) $(LINK_ORDER)
$(BUILD)/passthru-early: $(call objects,early) $(LINK_ORDER)
# Small, for it goes into an initramfs.
$(BUILD)/passthru-early: override LDFLAGS += -s -Wl,-z,noseparate-code
$(BINARIES):
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LDLIBS)

include tests/tests.mk

MAN_LINKS := passthru.socket.8 passthru-lease@.service.8 passthru-boot.service.8 passthru-early.service.8 passthru-idle.service.8 # to passthru.service.8

# What names folders of the installation: SOURCE:TARGET:MODE
TEXTS := \
  kernel-install/95-passthru.install:$(kernelinstalldir)/95-passthru.install:755 \
  kernelstub/zzz-passthru:$(sysconfdir)/kernel/postinst.d/zzz-passthru:755 \
  $(foreach f,$(notdir $(wildcard man/*)),man/$(f):$(mandir)/man$(patsubst .%,%,$(suffix $(f)))/$(f):644) \
  initramfs-tools/hook:$(initramfsdir)/hooks/passthru:755 initramfs-tools/init-top:$(initramfsdir)/scripts/init-top/00-passthru:755 \
  $(foreach f,module-setup.sh passthru-early.sh,dracut/50passthru/$(f):$(dracutdir)/50passthru/$(f):755) \
  $(foreach f,install/passthru install/sd-passthru hooks/passthru,mkinitcpio/$(f):$(initcpiodir)/$(f):644) \
  $(foreach f,$(notdir $(wildcard systemd/*)),systemd/$(f):$(unitdir)/$(f):644)

folders = -e 's|@bindir@|$(bindir)|g' -e 's|@libexecdir@|$(libexecdir)|g' -e 's|@sysconfdir@|$(sysconfdir)|g' \
  -e 's|@kernelinstalldir@|$(kernelinstalldir)|g' -e 's|@unitdir@|$(unitdir)|g' -e 's|@initramfsdir@|$(initramfsdir)|g' \
  -e 's|@version@|$(VERSION)|g'

.PHONY: install
install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir)/passthru
	install -m 755 $(BUILD)/passthru $(BUILD)/passthru-hook $(DESTDIR)$(bindir)/
	install -m 755 $(BUILD)/passthru-helper $(BUILD)/passthru-early $(DESTDIR)$(libexecdir)/passthru/
	@set -e; for t in $(TEXTS); do \
	  source=$${t%%:*} mode=$${t##*:} target=$${t#*:}; target=$(DESTDIR)$${target%:*}; \
	  install -d "$${target%/*}"; sed $(folders) "$$source" >"$$target"; chmod "$$mode" "$$target"; done
	for l in $(MAN_LINKS); do ln -sf passthru.service.8 $(DESTDIR)$(mandir)/man8/$$l || exit 1; done
	install -d $(DESTDIR)$(sysconfdir)/libvirt/hooks/qemu.d
	ln -sf $(bindir)/passthru-hook $(DESTDIR)$(sysconfdir)/libvirt/hooks/qemu.d/50-passthru
	install -d $(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir) $(DESTDIR)$(fishcompletiondir)
	install -m 644 completions/passthru.bash $(DESTDIR)$(bashcompletiondir)/passthru
	install -m 644 completions/passthru.zsh $(DESTDIR)$(zshcompletiondir)/_passthru
	install -m 644 completions/passthru.fish $(DESTDIR)$(fishcompletiondir)/passthru.fish

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(bindir)/passthru $(DESTDIR)$(bindir)/passthru-hook
	rm -rf $(DESTDIR)$(libexecdir)/passthru $(DESTDIR)$(dracutdir)/50passthru
	rm -f $(DESTDIR)$(sysconfdir)/libvirt/hooks/qemu.d/50-passthru
	@for t in $(TEXTS); do target=$${t#*:}; rm -f "$(DESTDIR)$${target%:*}"; done
	for l in $(MAN_LINKS); do rm -f $(DESTDIR)$(mandir)/man8/$$l; done
	rm -f $(DESTDIR)$(bashcompletiondir)/passthru $(DESTDIR)$(zshcompletiondir)/_passthru \
	  $(DESTDIR)$(fishcompletiondir)/passthru.fish
	@[ ! -e $(DESTDIR)/var/lib/passthru/boot.json ] || echo "Kernel parameters of passthru stay in the boot loader's files:" \
	  "run 'passthru boot revert' before you remove it (now: install it again first)."

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
