# slipway. `make help` lists the targets. Everything that is built lands in build/ (build/sanitize with SANITIZE=).
#
# The tree is a set of rooms; one archive is made of each, and the linker takes from the archives what a program uses.
# src/cli/slip/ is the program slip, src/cli/slipway/ the program slipway, src/cli/*.cc belongs to both.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/sh

rooms := src/base src/sys oci drivers src/store src/runtime src/manager src/cli

# --- what this machine has -----------------------------------------------------------------------------------------

# These work before configure has run, and without a compiler: they call make again once the packages are there.
standalone := demo check clean distclean format help dist
ifneq ($(if $(MAKECMDGOALS),$(filter-out $(standalone),$(MAKECMDGOALS)),all),)
include config.mk
endif

config.mk: configure config.mk.in config.h.in
	./configure --quiet
configure: configure.ac
	autoconf

ifeq ($(origin CXX),default)
CXX := $(or $(CONFIGURED_CXX),g++)
endif
# A check-out warns with errors; a release tarball must build with tomorrow's compiler too.
WERROR ?= $(if $(or $(CI),$(wildcard .git)),1,0)

# Commands are named, not shown; V=1 shows them.
ifdef V
say =
else
say = @echo '  $(1) $@';
endif

# --- flags ---------------------------------------------------------------------------------------------------------

comma := ,
ifdef SANITIZE
BUILD := build/sanitize
# g++ 12 sees truncations in instrumented code that are not there.
mode_flags := -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -Wno-format-truncation
mode_link := -fsanitize=$(SANITIZE)
else
BUILD := build
mode_flags := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY) $(HARDENING_FLAGS)
mode_link := $(PACK_FLAGS)
endif

ALL_CXXFLAGS := -std=c++20 -g -fPIE -D_GNU_SOURCE -I. $(CODE_FLAGS) $(WARNING_FLAGS) \
  $(if $(filter 1,$(WERROR)),-Werror) $(mode_flags) $(CONFIGURED_CXXFLAGS) $(CXXFLAGS)
ALL_LDFLAGS := $(LINK_FLAGS) $(mode_link) $(LDFLAGS)
linked_libs := $(YAJL_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS) $(BPF_LIBS)
# With -static-libstdc++ beside -static-pie, g++ 12 goes back to shared libraries half-way, and the program crashes.
dynamic_mode := -pie $(if $(SANITIZE),,$(RUNTIME_FLAGS))
# A sanitizer's run-time library cannot be linked statically.
slip_mode := $(if $(and $(filter yes,$(SLIP_STATIC)),$(if $(SANITIZE),,1)),-static-pie,$(dynamic_mode))

# --- sources -------------------------------------------------------------------------------------------------------

room_archive = $(BUILD)/lib/lib$(notdir $(1)).a
objects_of = $(patsubst %.cc,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.cc,$(1))))

slip_rooms := src/base src/sys oci src/runtime src/cli
programs := $(foreach p,slip slipway,$(if $(wildcard src/cli/$(p)/main.cc),$(BUILD)/$(p)))
unit_tests := $(patsubst tests/unit/%.cc,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.cc))
fuzz_targets := $(patsubst tests/fuzz/%.cc,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.cc))
test_tools := $(patsubst tests/lib/%.cc,$(BUILD)/tests/lib/%,$(wildcard tests/lib/*.cc))
archives := $(foreach room,$(rooms),$(call room_archive,$(room)))
sources := $(wildcard $(addsuffix /*.cc,$(rooms)) src/cli/*/*.cc)
shell_tests := $(wildcard tests/*/*.sh)

.PHONY: all
all: $(programs) $(archives) $(BUILD)/tests/CTestTestfile.cmake

# Rewritten only when its text changes, so that what depends on it is rebuilt then and only then.
define write_if_changed
@mkdir -p $(@D)
@printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
endef
.PHONY: FORCE
FORCE:
$(BUILD)/compile-flags: FORCE
	$(call write_if_changed,$(CXX) $(ALL_CXXFLAGS))
$(BUILD)/link-flags: FORCE
	$(call write_if_changed,$(CXX) $(ALL_LDFLAGS) $(slip_mode) $(dynamic_mode) $(linked_libs))

$(BUILD)/obj/%.o: %.cc $(BUILD)/compile-flags
	@mkdir -p $(@D)
	$(call say,CXX )$(CXX) $(ALL_CXXFLAGS) -MMD -MP -c -o $@ $<

define room_rules
$(call room_archive,$(1)): $(call objects_of,$(1)) $(BUILD)/lib/$(notdir $(1)).list
	@rm -f $$@
	$$(call say,AR  )$(AR) rcsD $$@ $(call objects_of,$(1))
$(BUILD)/lib/$(notdir $(1)).list: FORCE
	$$(call write_if_changed,$(call objects_of,$(1)))
endef
$(foreach room,$(rooms),$(eval $(call room_rules,$(room))))

in_group = -Wl,--start-group $(1) -Wl,--end-group
slip_archives := $(foreach room,$(slip_rooms),$(call room_archive,$(room)))

$(BUILD)/slip: $(call objects_of,src/cli/slip) $(slip_archives) $(BUILD)/link-flags
	$(call say,LINK)$(CXX) $(slip_mode) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(call in_group,$(slip_archives)) $(linked_libs)
$(BUILD)/slipway: $(call objects_of,src/cli/slipway) $(archives) $(BUILD)/link-flags
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(call in_group,$(archives)) $(linked_libs)

# --- tests ---------------------------------------------------------------------------------------------------------

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(archives) $(BUILD)/link-flags
	@mkdir -p $(@D)
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) -o $@ $< $(call in_group,$(archives)) $(linked_libs) -lcmocka
$(BUILD)/tests/lib/%: $(BUILD)/obj/tests/lib/%.o $(BUILD)/link-flags
	@mkdir -p $(@D)
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) -o $@ $<

# The list of tests, for CTest. Labels and limits stand in the head of each test's own source.
$(BUILD)/tests/CTestTestfile.cmake: tests/lib/list-tests $(wildcard tests/unit/*_test.cc) $(shell_tests) \
    $(BUILD)/tests/list
	@mkdir -p $(@D)
	@tests/lib/list-tests $(BUILD) >$@.tmp
	@mv $@.tmp $@
$(BUILD)/tests/list: FORCE
	$(call write_if_changed,$(wildcard tests/unit/*_test.cc) $(shell_tests))

.PHONY: tests quick check check-all
tests: all $(unit_tests) $(test_tools)

# Unit tests and the fast shell tests; under a minute.
quick: tests
	ctest --test-dir $(BUILD)/tests --output-on-failure -j2 -LE '^(vm|engine|engines|slow)$$'

# --- keeping order -------------------------------------------------------------------------------------------------

.PHONY: clean distclean format help
clean:
	rm -rf build
distclean: clean
	rm -rf config.mk config.h configure configure~ config.log config.status autom4te.cache
format:
	git ls-files -co --exclude-standard '*.cc' '*.h' | xargs clang-format -i
help:
	@echo 'make [all]      build/slip and build/slipway'
	@echo 'make quick      unit tests and fast tests'
	@echo 'make format     clang-format on all sources'
	@echo 'make clean      remove build/'
	@echo 'Variables: SANITIZE=address,undefined  WERROR=1  CXX=  CXXFLAGS=  DESTDIR=  prefix='

-include $(wildcard $(patsubst %.cc,$(BUILD)/obj/%.d,$(sources) $(wildcard tests/*/*.cc)))
