# weft: a shell for looking into the weights of transformers.
#
#   make            builds build/weft, which runs in place
#   make demo       a small checkpoint and its report
#   make test       all tests; ends with the line "N passed, N failed"
#   make lint       luacheck, warnings as errors, include rules, clang-format
#   make sanitize   C tests, wrong arguments and the demo under ASan and UBSan
#   make coverage   how much of the readers the C tests reach, and what not
#   make fuzz       random damage to every format, FUZZ_SECONDS (60) a reader
#   make bench      weft beside torch, scipy and the machine's own limit
#   make plan-table  README's forecasts, at this machine's rates
#   make docs       reference, man page, completions, annotations for editors
#   make install    program, module, commands, docs under PREFIX (and DESTDIR)
#
# What it is built of, all Debian packages (`make deps` installs what is
# missing), and what each is for:
#   gcc, libc6-dev, pkg-config  the compiler and how to find the rest
#   libopenblas-pthread-dev     BLAS and LAPACK, the thread-safe build
#   liblapacke-dev              LAPACK's C face
#   libcjson-dev                JSON of configs, indexes and headers
#   zlib1g-dev                  deflated members of .npz files
#   liblua5.4-dev               the language of the shell
#   libedit-dev                 the prompt's line editor
#   lua-argparse                the stock commands' options
#   lua-filesystem              folders and file kinds in Lua
#   gnuplot-nox                 draws the figures that weft emits
#   libopenmpi-dev, openmpi-bin  many machines; no need (MPI=0: not at all)
# and for the tests:
#   libcmocka-dev               C unit tests
#   lua-busted, lua5.4          Lua specs
#   python3-pip                 fetches the small real model
#   iproute2                    two hosts on one machine
#   strace                      kills a report at each of its writes
#   lua-check, clang-format-14  lint
#   clang-14, libclang-rt-14-dev  fuzzing alone (`make fuzz-deps`)

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
# Beside each other: Lua files, core.so and the commands. The program looks
# for it at ../lib/lua/5.4/weft.
MODULEDIR = $(PREFIX)/lib/lua/$(LUA_VERSION)
MANDIR = $(PREFIX)/share/man
DOCDIR = $(PREFIX)/share/doc/weft
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
FISHDIR = $(PREFIX)/share/fish/vendor_completions.d
CC = gcc
CLANG_FORMAT = clang-format-14
BUILD = build

BUILD_DEPS = gcc libc6-dev pkg-config libopenblas-pthread-dev liblapacke-dev \
             libcjson-dev zlib1g-dev liblua5.4-dev libedit-dev lua-argparse \
             lua-filesystem gnuplot-nox
TEST_DEPS = libcmocka-dev lua-busted lua5.4 python3-pip iproute2 strace
LINT_DEPS = lua-check $(CLANG_FORMAT)
MPI_DEPS = libopenmpi-dev openmpi-bin
FUZZ_DEPS = clang-14 libclang-rt-14-dev

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
       -Wmissing-prototypes -Wvla
OPT = -O2
WERROR =
SAN =
# No fused multiply-add behind our back: the same bytes on every processor.
CFLAGS = -std=c11 -D_GNU_SOURCE $(OPT) -g -ffp-contract=off -fPIC -pthread \
         -fvisibility=hidden $(WARN) $(WERROR) $(SAN)
# Asked for when a recipe runs, since `make deps` may install it before that.
LUA_CFLAGS = $$(pkg-config --cflags lua5.4)
LUA_LIBS = $$(pkg-config --libs lua5.4)
LUA_VERSION = $(shell pkg-config --variable=major_version lua5.4)
# OpenBLAS before LAPACKE, whose Debian build would pull reference LAPACK in.
LIBS = -lopenblas -llapacke -lcjson -lz -lm

# Many machines: 1 builds mpi.so, 0 does not, auto where there is an MPI.
MPI = auto
MPI_CFLAGS = $$(pkg-config --cflags ompi-c)
MPI_LIBS = $$(pkg-config --libs ompi-c)

CORE = $(wildcard core/*.c)
BIND = $(wildcard core/bind/*.c)
SHELL_C = $(wildcard core/shell/*.c)
CTEST = $(wildcard tests/c/test_*.c)
CTEST_HELP = $(filter-out $(CTEST),$(wildcard tests/c/*.c))
BENCH_C = $(wildcard tests/bench/*.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
OBJECTS = $(call obj,$(CORE) $(BIND) $(SHELL_C) $(CTEST) $(CTEST_HELP) \
          $(BENCH_C))
CTEST_BIN = $(patsubst %.c,$(BUILD)/%,$(CTEST))
BENCH_BIN = $(patsubst %.c,$(BUILD)/%,$(BENCH_C))
MODULE = $(BUILD)/lua/weft

build: $(BUILD)/weft links $(MODULE)/core.so mpi

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LUA_CFLAGS) -Icore -Itests/c -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

$(BUILD)/libcore.a: $(call obj,$(CORE))
	@rm -f $@
	ar rcs $@ $^

# The core comes as a module, so that a start without it costs no BLAS.
$(BUILD)/weft: $(call obj,$(SHELL_C))
	$(CC) $(SAN) -pthread -o $@ $^ $(LUA_LIBS) -ledit

# nodelete: closing a Lua state must not unmap code that a worker runs.
$(MODULE)/core.so: $(call obj,$(BIND)) $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(SAN) -shared -pthread -Wl,-z,nodelete -o $@ $(call obj,$(BIND)) \
	    $(BUILD)/libcore.a $(LIBS)

# Looked for when the recipe runs. Not in core.so, which starts without MPI;
# of the core it has the allocator and the errors.
mpi: $(BUILD)/libcore.a
	@if [ $(MPI) = 1 ] || \
	    { [ $(MPI) = auto ] && pkg-config --exists ompi-c; }; then \
	    $(MAKE) --no-print-directory $(MODULE)/mpi.so; \
	else \
	    rm -f $(MODULE)/mpi.so; \
	fi

$(BUILD)/core/mpi/mpi.o: CFLAGS += $(MPI_CFLAGS)

$(MODULE)/mpi.so: $(BUILD)/core/mpi/mpi.o $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(SAN) -shared -pthread -o $@ $^ $(MPI_LIBS)

# The module's folder, in place: links, so that an edited file is a live one.
links:
	@mkdir -p $(MODULE)
	@find $(MODULE) -xtype l -delete
	@ln -sfnr lua/* scripts $(MODULE)/

# ---- what it needs ----

# Installs those of the packages $(1) that are missing. Without apt-get it
# prints them, and fails only where one of the commands or headers is missing.
define install_missing
@if ! command -v apt-get >/dev/null; then \
    echo "weft needs, by their Debian names: $(strip $(1))"; \
    for tool in $(CC) pkg-config gnuplot; do \
        command -v $$tool >/dev/null || { echo "no $$tool" >&2; exit 1; }; \
    done; \
    for header in cblas lapacke cjson/cJSON histedit zlib; do \
        echo "#include <$$header.h>" | $(CC) -E - >/dev/null || exit 1; \
    done; \
    pkg-config --exists --print-errors lua5.4; exit; \
fi; \
missing=; \
for package in $(1); do \
    dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | \
        grep -qx installed || missing="$$missing $$package"; \
done; \
[ -n "$$missing" ] || exit 0; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
apt="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q"; \
$$apt update && $$apt install -y --no-install-recommends $$missing
endef

# MPI is no need: where apt does not have it, the rest is as it was.
deps:
	$(call install_missing,$(BUILD_DEPS) $(TEST_DEPS))
	@[ $(MPI) = 0 ] || pkg-config --exists ompi-c || \
	    ! command -v apt-get >/dev/null || \
	    $(MAKE) --no-print-directory mpi-deps || \
	    echo "no Open MPI here: weft is built for one machine"

mpi-deps:
	$(call install_missing,$(MPI_DEPS))

lint-deps: deps
	$(call install_missing,$(LINT_DEPS))

fuzz-deps: deps
	$(call install_missing,$(FUZZ_DEPS))

# ---- showing and testing ----

demo: deps
	$(MAKE) build
	$(MAKE) run-demo
	@echo "the report: $(BUILD)/demo-report/one_output.md"

run-demo:
	rm -rf $(BUILD)/demo $(BUILD)/demo-report
	$(BUILD)/weft demo $(BUILD)/demo
	$(BUILD)/weft report $(BUILD)/demo --out $(BUILD)/demo-report

test: deps
	@$(MAKE) --no-print-directory run-tests

run-tests: build c-tests $(BUILD)/tests/shell/pty
	@tests/run $(BUILD) c lua

c-tests: $(CTEST_BIN)

# mem.c is the one place that allocates; the wrapper makes its n-th call fail.
$(CTEST_BIN): %: %.o $(call obj,$(CTEST_HELP)) $(BUILD)/libcore.a
	$(CC) $(SAN) -pthread -Wl,--wrap=aligned_alloc -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/tests/shell/pty: tests/shell/pty.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

# A build of its own; the program has the sanitizers too, else it could not
# load a core.so that has them.
SANITIZE = BUILD=$(BUILD)/san OPT=-O1 \
    SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined'

sanitize:
	$(MAKE) $(SANITIZE) build c-tests
	@tests/sanitized $(BUILD)/san tests/run $(BUILD)/san c sweep
	@tests/sanitized $(BUILD)/san $(MAKE) $(SANITIZE) run-demo

# Which of the readers' lines and branches the C tests reach, and each refusal
# that none of them provokes; status 1 where there is one. A build of its own.
READERS_C = arena checkpoint cursor file gguf hash json json_scan names npy \
            npz open open_index open_split pickle pickle_global pytorch \
            safetensors zip zip_inflate

coverage: deps
	$(MAKE) BUILD=$(BUILD)/cov OPT=-O0 SAN=--coverage c-tests
	@find $(BUILD)/cov -name '*.gcda' -delete
	@tests/coverage/run $(BUILD)/cov $(READERS_C)

# What nobody thought of: libFuzzer's inputs, one program a reader of files
# that others wrote, under ASan and UBSan. Not part of `make test`, whose
# test_mutate does the like with 100,000 inputs. Findings: $(BUILD)/fuzz/found.
# (The macro is gcc's; clang has another way to say that ASan is on.)
FUZZ_SECONDS = 60
FUZZED = safetensors index gguf split npy npz torch pickle json
FUZZ = BUILD=$(BUILD)/fuzz CC=clang-14 OPT=-O1 \
    SAN='-fsanitize=address,undefined,fuzzer-no-link \
    -fno-sanitize-recover=undefined -D__SANITIZE_ADDRESS__'

fuzz: fuzz-deps
	$(MAKE) $(FUZZ) fuzz-programs
	@$(BUILD)/fuzz/seed $(BUILD)/fuzz/seeds
	@tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZED)

fuzz-programs: $(FUZZED:%=$(BUILD)/fuzz_%) $(BUILD)/seed

# Without what readers don't use and is written for gcc.
READERS = $(filter-out core/estimate% core/reduce%,$(CORE))

$(BUILD)/libreaders.a: $(call obj,$(READERS))
	@rm -f $@
	ar rcs $@ $^

FUZZ_H = $(wildcard core/*.h tests/c/*.h)

$(BUILD)/fuzz_%: tests/fuzz/fuzz_open.c $(BUILD)/libreaders.a $(FUZZ_H)
	$(CC) $(CFLAGS) -Icore -Itests/c -DREADER=READER_$* -fsanitize=fuzzer \
	    -o $@ $< $(BUILD)/libreaders.a $(LIBS) -lcmocka

$(BUILD)/seed: tests/fuzz/seeds.c $(BUILD)/libreaders.a $(FUZZ_H)
	$(CC) $(CFLAGS) -Icore -Itests/c -o $@ $< $(BUILD)/libreaders.a $(LIBS) \
	    -lcmocka

lint: lint-format lint-includes lint-size lint-width
	luacheck -q $$(find lua scripts examples tests -name '*.lua')
	$(MAKE) BUILD=$(BUILD)/lint WERROR=-Werror build c-tests \
	    bench-programs $(BUILD)/lint/tests/shell/pty

lint-format:
	$(CLANG_FORMAT) --dry-run -Werror $$(find core tests -name '*.[ch]')

# Lua stays out of the core, and BLAS in one place of it.
lint-includes:
	@! grep -rnE '# *include *[<"]l(ua|ualib|auxlib)\.h' core \
	    --exclude-dir=bind --exclude-dir=shell
	@! grep -rnE '# *include *[<"](cblas|lapacke)\.h' core \
	    --exclude='linalg*.c'

lint-size:
	@wc -l $$(find core lua scripts -name '*.[ch]' -o -name '*.lua') | \
	    awk '$$2 != "total" && $$1 > 600 { \
	        print $$2 ": " $$1 " lines, at most 600"; bad = 1 } \
	        END { exit bad }'

# clang-format leaves comments as wide as they are; of Lua luacheck tells.
lint-width:
	@! LC_ALL=C.UTF-8 grep -nE '^.{81}' Makefile \
	    $$(find core tests -name '*.[ch]')

# ---- documentation ----

# All of it is made of lua/doc, by the program itself:
# $(call document,KIND,FILE)
define document
$(BUILD)/weft lua/doc/generate.lua $(1) >$(BUILD)/doc/.part
@mv $(BUILD)/doc/.part $(BUILD)/doc/$(2)
endef

docs: build
	@mkdir -p $(BUILD)/doc
	$(call document,markdown,reference.md)
	$(call document,man,weft.1)
	$(call document,luacats,weft.d.lua)
	$(call document,bash,weft.bash)
	$(call document,zsh,_weft)
	$(call document,fish,weft.fish)

# ---- measuring ----

$(BENCH_BIN): %: %.o $(BUILD)/libcore.a
	$(CC) $(SAN) -pthread -o $@ $^ $(LIBS)

bench-programs: $(BENCH_BIN)

# Pairs of times: quote the ratios, machines differ. What to measure, how often,
# beside which peers, and a file for the table (tests/bench/RESULTS.md is one);
# an hour or so with all of it.
BENCH =
BENCH_RUNS = 5
BENCH_PYTHON =
BENCH_NOTEBOOK =
BENCH_OUT =

bench: build bench-programs
	@BENCH="$(BENCH)" BENCH_RUNS="$(BENCH_RUNS)" BENCH_OUT="$(BENCH_OUT)" \
	    BENCH_PYTHON="$(BENCH_PYTHON)" BENCH_NOTEBOOK="$(BENCH_NOTEBOOK)" \
	    $(BUILD)/weft tests/bench/bench.lua $(BUILD)/bench \
	    $(BUILD)/tests/bench

# README's two tables of forecasts, from a minute of calibration.
plan-table: build
	@$(BUILD)/weft tests/bench/plan_table.lua

# ---- installing ----

INSTALLED = $(DESTDIR)$(MODULEDIR)/weft

install: build docs
	install -D -m 755 $(BUILD)/weft $(DESTDIR)$(BINDIR)/weft
	cd lua && find . -name '*.lua' \
	    -exec install -D -m 644 {} $(abspath $(INSTALLED))/{} \;
	install -d $(INSTALLED)/scripts
	install -m 644 scripts/*.lua $(INSTALLED)/scripts
	install -m 644 $(MODULE)/core.so $(INSTALLED)/core.so
	! [ -f $(MODULE)/mpi.so ] || \
	    install -m 644 $(MODULE)/mpi.so $(INSTALLED)/mpi.so
	install -D -m 644 $(BUILD)/doc/weft.1 $(DESTDIR)$(MANDIR)/man1/weft.1
	install -D -m 644 $(BUILD)/doc/weft.bash $(DESTDIR)$(BASHDIR)/weft
	install -D -m 644 $(BUILD)/doc/_weft $(DESTDIR)$(ZSHDIR)/_weft
	install -D -m 644 $(BUILD)/doc/weft.fish $(DESTDIR)$(FISHDIR)/weft.fish
	install -d $(DESTDIR)$(DOCDIR)
	install -m 644 $(BUILD)/doc/reference.md $(BUILD)/doc/weft.d.lua \
	    $(DESTDIR)$(DOCDIR)

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/weft $(DESTDIR)$(MANDIR)/man1/weft.1
	rm -f $(DESTDIR)$(BASHDIR)/weft $(DESTDIR)$(ZSHDIR)/_weft
	rm -f $(DESTDIR)$(FISHDIR)/weft.fish
	rm -rf $(INSTALLED) $(DESTDIR)$(DOCDIR)

clean:
	rm -rf $(BUILD)


.PHONY: bench bench-programs build links mpi deps mpi-deps lint-deps demo \
        run-demo test run-tests c-tests sanitize coverage fuzz fuzz-deps \
        fuzz-programs lint lint-format lint-includes lint-size lint-width \
        docs plan-table install uninstall clean
.SECONDARY: $(OBJECTS)
