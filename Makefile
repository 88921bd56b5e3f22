# slipway. `make help` lists the targets. Everything that is built lands in build/ (build/sanitize with SANITIZE=).
#
# The tree is a set of rooms; one archive is made of each, and the linker takes from the archives what a program uses.
# src/cli/slip/ is the program slip, src/cli/slipway/ the program slipway, src/cli/slipway-monitor/ what slipway executes
# for each container; src/cli/*.cc belongs to all of them.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
SHELL := /bin/sh

rooms := src/base src/sys oci drivers src/store src/runtime src/manager src/cli

# --- what this machine has -----------------------------------------------------------------------------------------

# These work before configure has run, and without a compiler: they call make again once the packages are there.
standalone := demo check check-all bench clean distclean format help dist
ifneq ($(if $(MAKECMDGOALS),$(filter-out $(standalone),$(MAKECMDGOALS)),all),)
include config.mk
endif

config.mk: configure config.mk.in config.h.in
	@echo '  CONFIGURE'
	@./configure --quiet
# config.status leaves it alone while its text is the same.
config.h: config.mk
	@test -e $@ || ./configure --quiet
# A release tarball brings it.
configure: configure.ac
	@command -v autoconf >/dev/null || { echo 'make: no autoconf: run contrib/install-deps build' >&2; exit 1; }
	@autoconf

# Installs what is missing of some tiers; configure then looks again.
need = contrib/install-deps --check $(1) >/dev/null || { contrib/install-deps $(1) && rm -f config.mk; }
# A nested make gets as many jobs as there are processors, when the user has not said how many.
jobs = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

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
# g++ 12 sees truncations and uninitialised values in instrumented code that are not there.
mode_flags := -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -Wno-format-truncation -Wno-maybe-uninitialized
# As a shared library, gcc's libubsan does not write into the file that libasan was told of.
mode_link := -fsanitize=$(SANITIZE) $(if $(findstring clang,$(CXX)),,-static-libubsan)
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
slip_static := $(and $(filter yes,$(SLIP_STATIC)),$(if $(SANITIZE),,1))
# See src/cli/entry.h.
entry := $(if $(filter x86_64-%,$(shell $(CXX) -dumpmachine)),-Wl$(comma)-e$(comma)program_entry)
slip_mode := $(if $(slip_static),-static-pie $(entry),$(dynamic_mode))
# See src/cli/slipway-monitor/main.cc.
monitor := $(if $(slip_static),slipway-monitor)

# --- sources -------------------------------------------------------------------------------------------------------

room_archive = $(BUILD)/lib/lib$(notdir $(1)).a
objects_of = $(patsubst %.cc,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.cc,$(1))))

slip_rooms := src/base src/sys oci src/runtime src/cli
programs := $(addprefix $(BUILD)/,slip slipway $(monitor))
unit_tests := $(patsubst tests/unit/%.cc,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.cc))
test_tools := $(patsubst tests/lib/%.cc,$(BUILD)/tests/lib/%,$(wildcard tests/lib/*.cc))
archives := $(foreach room,$(rooms),$(call room_archive,$(room)))
sources := $(wildcard $(addsuffix /*.cc,$(rooms)) src/cli/*/*.cc)
shell_tests := $(wildcard tests/*/*.sh)

completions := $(foreach p,slip slipway,$(foreach s,bash zsh fish,$(BUILD)/completions/$(p).$(s)))
# The pages of slipway's commands are written from its tables, into build/man.
verb_pages := $(BUILD)/man/written
manual_pages = $(wildcard man/*.[1-8] $(BUILD)/man/*.1)

.PHONY: all
all: $(programs) $(archives) $(BUILD)/tests/CTestTestfile.cmake $(if $(SANITIZE),,$(completions) $(verb_pages))

# Rewritten only when its text changes, so that what depends on it is rebuilt then and only then.
define write_if_changed
@mkdir -p $(@D)
@printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
endef
# (`sudo make install` has lost the user's CXX and CXXFLAGS, and shall rebuild nothing for that.)
.PHONY: FORCE
FORCE:
changed_flags := $(if $(filter install,$(MAKECMDGOALS)),,FORCE)
$(BUILD)/compile-flags: $(changed_flags)
	$(call write_if_changed,$(CXX) $(ALL_CXXFLAGS))
$(BUILD)/link-flags: $(changed_flags)
	$(call write_if_changed,$(CXX) $(ALL_LDFLAGS) $(slip_mode) $(dynamic_mode) $(linked_libs))

$(BUILD)/obj/%.o: %.cc $(BUILD)/compile-flags
	@mkdir -p $(@D)
	$(call say,CXX )$(CXX) $(ALL_CXXFLAGS) $(commit_flag) -MMD -MP -c -o $@ $<

# The commit that --version names; one file alone is compiled anew when it changes.
COMMIT := $(shell git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null)
$(BUILD)/commit: FORCE
	$(call write_if_changed,$(COMMIT))
$(BUILD)/obj/src/base/version.o: $(BUILD)/commit
$(BUILD)/obj/src/base/version.o: commit_flag = $(if $(COMMIT),-DSLIPWAY_COMMIT='"$(COMMIT)"')

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
# The linker warns of getaddrinfo(), which logs to a remote syslog: "files" and "dns" it finds without libraries.
$(BUILD)/slipway-monitor: $(call objects_of,src/cli/slipway-monitor) $(archives) $(BUILD)/link-flags
	$(call say,LINK)$(CXX) $(slip_mode) $(ALL_LDFLAGS) $(QUIET_LINK) -o $@ $(filter %.o,$^) $(call in_group,$(archives)) $(linked_libs)

$(BUILD)/completions/slip.%: $(BUILD)/slip
	@mkdir -p $(@D)
	@$< --completion $* >$@
$(BUILD)/completions/slipway.%: $(BUILD)/slipway
	@mkdir -p $(@D)
	@$< --completion $* >$@

$(verb_pages): $(BUILD)/slipway
	@rm -rf $(@D) && mkdir -p $(@D)
	@$< --completion man | awk -v dir=$(@D) '/^\f/ { close(page); page = dir "/" substr($$0, 2); next } { print >page }'
	@touch $@

# --- tests ---------------------------------------------------------------------------------------------------------

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(archives) $(BUILD)/link-flags
	@mkdir -p $(@D)
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) -o $@ $< $(call in_group,$(archives)) $(linked_libs) -lcmocka
$(BUILD)/tests/lib/%: $(BUILD)/obj/tests/lib/%.o $(BUILD)/link-flags
	@mkdir -p $(@D)
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) -o $@ $<

# The drivers' conformance suite: one program, run by tests/drivers/*.sh with the name of a driver.
suite := $(if $(wildcard tests/drivers/suite.cc),$(BUILD)/tests/drivers/suite)
suite_objects := $(call objects_of,tests/drivers)
suite_archives := $(foreach room,src/base src/sys drivers,$(call room_archive,$(room)))
$(BUILD)/tests/drivers/suite: $(suite_objects) $(suite_archives) $(BUILD)/link-flags
	@mkdir -p $(@D)
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) -o $@ $(suite_objects) $(call in_group,$(suite_archives)) $(linked_libs) -lcmocka

# The list of tests, for CTest. Labels and limits stand in the head of each test's own source.
$(BUILD)/tests/CTestTestfile.cmake: tests/lib/list-tests $(wildcard tests/unit/*_test.cc) $(shell_tests) \
    $(BUILD)/tests/list
	@mkdir -p $(@D)
	@tests/lib/list-tests $(BUILD) >$@.tmp
	@mv $@.tmp $@
$(BUILD)/tests/list: FORCE
	$(call write_if_changed,$(wildcard tests/unit/*_test.cc) $(shell_tests))

.PHONY: tests quick check check-all checked
tests: all $(unit_tests) $(test_tools) $(suite)

# LABEL=regex and TEST=regex choose among the tests.
ctest = tests/lib/without-traces ctest --test-dir $(BUILD)/tests --output-on-failure -j$(shell nproc) $(if $(LABEL),-L '$(LABEL)') $(if $(TEST),-R '$(TEST)') $(if $(REPEAT),--repeat until-pass:$(REPEAT))

# Unit tests and the fast shell tests; under a minute.
quick: tests
	$(ctest) -LE '^(vm|engine|engines|slow|fuzz)$$'

# Everything but what emulates a machine for many minutes (label slow); check-all runs that, too, and STRESS=1 gives the
# stress tests their full counts. REPEAT=2 gives a test that fails a second try: for machines that are not quiet.
check check-all:
	@$(call need,build)
	@$(call need,test engines vm) || echo 'make: without them some tests are skipped'
	@STRESS=$(if $(filter check-all,$@),1,$(STRESS)) $(MAKE) --no-print-directory $(jobs) checked
checked: tests fuzz-build
	$(ctest) $(if $(STRESS),,-LE '^slow$$')

# --- fuzzing -------------------------------------------------------------------------------------------------------

# The targets are built in build/fuzz, with sanitizers: by clang with libFuzzer, which is guided by coverage, or else
# with tests/fuzz/driver.cc, which runs the corpus and random changes of it. `make fuzz` runs each for FUZZ_RUNS inputs.
FUZZ_RUNS ?= 200000
fuzz_names := $(patsubst tests/fuzz/%.cc,%,$(wildcard tests/fuzz/*_fuzz.cc))
fuzz_make = $(MAKE) BUILD=build/fuzz SANITIZE=address,undefined FUZZER=$(if $(LIBFUZZER),libfuzzer,own) \
  $(if $(LIBFUZZER),CXX='$(CLANGXX)' CXXFLAGS='-fsanitize=fuzzer-no-link -Wno-unknown-warning-option' WERROR=0) fuzz-targets
fuzz_rooms := src/base src/sys oci src/runtime drivers src/store

.PHONY: fuzz fuzz-build fuzz-targets
fuzz: fuzz-build
	@for name in $(fuzz_names); do echo "== $$name"; tests/fuzz/run $$name $(FUZZ_RUNS) || exit 1; done
fuzz-build:
ifneq ($(fuzz_names),)
	@$(fuzz_make)
endif
fuzz-targets: $(fuzz_names:%=$(BUILD)/%)
fuzz_archives := $(foreach room,$(fuzz_rooms),$(call room_archive,$(room)))
$(fuzz_names:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/tests/fuzz/%.o $(if $(filter own,$(FUZZER)),$(BUILD)/obj/tests/fuzz/driver.o) \
    $(fuzz_archives) $(BUILD)/link-flags
	$(call say,LINK)$(CXX) $(dynamic_mode) $(ALL_LDFLAGS) $(if $(filter libfuzzer,$(FUZZER)),-fsanitize=fuzzer) -o $@ \
	  $(filter %.o,$^) $(call in_group,$(fuzz_archives)) $(linked_libs)

# --- what people run -----------------------------------------------------------------------------------------------

.PHONY: demo demo-built bench bench-built
demo:
	@$(call need,build demo)
	@$(MAKE) --no-print-directory $(jobs) demo-built
demo-built: all
	@contrib/demo
bench:
	@$(call need,build demo bench)
	@$(call need,engines) || echo 'make: without them there is less to compare with'
	@$(MAKE) --no-print-directory $(jobs) bench-built
bench-built: all
	@tests/bench/run

# --- installation --------------------------------------------------------------------------------------------------

INSTALL ?= install
unitdir ?= $(prefix)/lib/systemd/system
bash_completions = $(DESTDIR)$(datarootdir)/bash-completion/completions
zsh_completions = $(DESTDIR)$(datarootdir)/zsh/site-functions
fish_completions = $(DESTDIR)$(datarootdir)/fish/vendor_completions.d
units := $(wildcard contrib/systemd/*.service)

.PHONY: install uninstall dist
install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(bash_completions) $(zsh_completions) $(fish_completions) $(DESTDIR)$(unitdir)
	$(INSTALL) -m 755 -s $(programs) $(DESTDIR)$(bindir)
	for p in slip slipway; do \
	  $(INSTALL) -m 644 $(BUILD)/completions/$$p.bash $(bash_completions)/$$p && \
	  $(INSTALL) -m 644 $(BUILD)/completions/$$p.zsh $(zsh_completions)/_$$p && \
	  $(INSTALL) -m 644 $(BUILD)/completions/$$p.fish $(fish_completions)/$$p.fish || exit 1; done
	for page in $(manual_pages); do \
	  $(INSTALL) -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	$(if $(units),$(INSTALL) -m 644 $(units) $(DESTDIR)$(unitdir))
# The commands' pages by their pattern: build/man may have been cleaned away.
uninstall:
	rm -f $(DESTDIR)$(bindir)/slipway-monitor $(foreach p,slip slipway,$(DESTDIR)$(bindir)/$(p) $(bash_completions)/$(p) $(zsh_completions)/_$(p) \
	  $(fish_completions)/$(p).fish) $(DESTDIR)$(mandir)/man1/slipway-*.1 \
	  $(foreach m,$(wildcard man/*.[1-8]),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	  $(foreach u,$(units),$(DESTDIR)$(unitdir)/$(notdir $(u)))

# What is committed, and configure, so that building needs no autoconf.
dist: configure
	@mkdir -p build
	@version=$$(sed -n 's/^AC_INIT(\[slipway\], \[\(.*\)\])/\1/p' configure.ac) && name=slipway-$$version && \
	git archive --format=tar --prefix=$$name/ HEAD >build/$$name.tar && \
	tar --append --file=build/$$name.tar --owner=0 --group=0 --numeric-owner --mtime=@$$(git log -1 --format=%ct) \
	  --transform="s,^,$$name/," configure && \
	gzip -9nf build/$$name.tar && echo "build/$$name.tar.gz"

# --- keeping order -------------------------------------------------------------------------------------------------

.PHONY: lint tidy clean distclean format help
# The cheap parts, which are tests too, then clang-tidy on what has changed since it last looked.
lint: all tidy
	@for check in format layers child-symbols scripts; do echo "  CHECK $$check"; BUILD=$(CURDIR)/$(BUILD) contrib/check-$$check || exit 1; done

tidy_flags = $(filter-out -Wduplicated-cond -Wlogical-op -fno-semantic-interposition -fstack-clash-protection -Werror,$(ALL_CXXFLAGS))
tidied := $(patsubst %.cc,$(BUILD)/tidy/%.ok,$(sources))
tidy: $(tidied)
# Its object is remade when a header changes; so is this.
$(BUILD)/tidy/%.ok: %.cc $(BUILD)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	@echo '  TIDY $<'; clang-tidy --quiet --warnings-as-errors='*' $< -- $(tidy_flags) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

clean:
	rm -rf build
distclean: clean
	rm -rf config.mk config.h configure configure~ config.log config.status autom4te.cache
format:
	git ls-files -co --exclude-standard '*.cc' '*.h' | xargs clang-format -i
help:
	@echo 'make [all]       build/slip and build/slipway'
	@echo 'make demo        install what is missing, build, and run a first container'
	@echo 'make check       install what is missing, build, and run all tests'
	@echo 'make check-all   the same with the stress tests at their full counts'
	@echo 'make quick       unit tests and fast tests'
	@echo 'make bench       side by side with crun, runc, podman and docker'
	@echo 'make fuzz        each fuzz target for FUZZ_RUNS inputs'
	@echo 'make lint        clang-format, clang-tidy, shellcheck, layering, symbols of the child code'
	@echo 'make format      clang-format on all sources'
	@echo 'make install     programs, man pages, completions, units; uninstall takes them away'
	@echo 'make dist        build/slipway-VERSION.tar.gz'
	@echo 'make clean       remove build/'
	@echo 'Variables: SANITIZE=address,undefined  WERROR=1  CXX=  CXXFLAGS=  DESTDIR=  prefix=  LABEL=  TEST=  V=1'

-include $(wildcard $(patsubst %.cc,$(BUILD)/obj/%.d,$(sources) $(wildcard tests/*/*.cc)))
