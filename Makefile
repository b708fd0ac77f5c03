# A Gentle Walk into Deep Learning, in C. `make help` lists what you can type.
#
# Settings, each on the command line or in the environment:
#   CC=gcc|clang     the compiler; CC="ccache gcc" too  ARCH=native|x86-64-v3|…   the processor to build for (-march)
#   MODE=release|asan   asan stops at the first memory error or undefined behaviour
#   FULL=1           chapters train longer              WERROR=1   warnings are errors (as in CI)
#   BUILD=folder     where everything generated goes (default build)
#   OPENMP=no        one thread only, as with a compiler that has no OpenMP
#   CFLAGS CPPFLAGS LDFLAGS LDLIBS   come after what the course itself needs; each choice has object files of its own
# Those of single commands (PROMPT, DIR, OUT, TASK, …) stand beside their targets.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
override SHELL := /bin/sh

ifeq ($(wildcard common/tools/help.sh),)
$(error This Makefile works in its own folder. Type: make -C $(dir $(lastword $(MAKEFILE_LIST))) $(MAKECMDGOALS))
endif

comma := ,
hash  := \## which some versions of make want escaped inside of a function, and others not
quote = '$(subst ','\'',$1)'# one word for the shell, whatever is in it
on    = $(filter-out 0 no off false,$(strip $($1)))# $(call on,FULL): FULL=0 is not meant to be one

# ---- What is typed and what is set -----------------------------------------------------------------------------------------
# Settings are data. They reach recipes through the environment, "$$DIR", and are never pasted into a command: blanks,
# quotes, $ and ; are then only characters. What becomes part of a target's name is one plain word, or is refused.

# Programs find an environment that does not change what they do.
unexport CDPATH ENV BASH_ENV GREP_OPTIONS GREP_COLOR GREP_COLORS POSIXLY_CORRECT
export LC_ALL := C.UTF-8

# Asked for before anything is overridden: which settings were typed after make, and which were in the environment.
TYPED := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
FOUND := $(foreach v,ARCH MODE BUILD,$(if $(filter environment%,$(origin $v)),$v))

# The name of this computer under WSL, if nobody typed it.
ifneq ($(filter environment%,$(origin NAME)),)
override undefine NAME
endif
TEXTS := DATA PROMPT TEMPERATURE TOP_K TOP_P TOKENS SEED ARGS DIR OUT FILE CHAPTER JOBS TASK LEVEL TEST FORCE NAME PEERS PROFILE WRONG \
	BUNDLE SECONDS ONLY MODEL MODEL_20 MODEL_26 MODEL_29 MODEL_30 WORLD POLICY EPISODES SPEED SYSTEM SUITES STEPS KEEP GUIDANCE HOSTS PROCESSES \
	ACCURACY JSON
as_it_is = $(if $(filter-out undefined,$(origin $1)),$(eval override $1 := $$(value $1))$(eval export $1))
$(foreach t,$(TEXTS) FULL WERROR V OPENMP SCRIPTS COURSE_BUILD $(filter-out $(TEXTS) CC CFLAGS CPPFLAGS LDFLAGS LDLIBS MAKEFLAGS SHELL,$(TYPED)),$(call as_it_is,$t))

# $(call refuse,NAME,why): ends this make. Only help is given all the same.
refuse = $(if $(filter-out help,$(MAKECMDGOALS)),$(error $1=$(value $1)$(if $(filter $1,$(FOUND)), (from the environment)): $2))

# make predefines CC, so "CC ?= gcc" would never fire. An empty setting is none.
ifneq ($(filter default undefined,$(origin CC)),)
CC := gcc
else ifeq ($(strip $(CC)),)
override CC := gcc
endif
ARCH  ?= native
MODE  ?= release
BUILD ?= build

# What no target's name can hold, or the shell would not leave alone.
NO_OPTION := $$ ' " ` \ : ; % \# ( ) { } [ ] * ? ~ | & < > !
ODD := $(NO_OPTION) = ,
odd = $(strip $(foreach c,$(ODD),$(findstring $c,$1)) $(wordlist 2,3,$1))

ifneq ($(call odd,$(value BUILD))$(filter -% . ./,$(value BUILD))$(if $(subst /,,$(value BUILD)),,$(value BUILD)),)
$(call refuse,BUILD,make needs a folder whose name has no blanks$(comma) no - first and none of $(ODD); it may be a link to any other)
override BUILD := build
endif
override BUILD := $(or $(patsubst %/,%,$(patsubst ./%,%,$(strip $(value BUILD)))),build)

ifneq ($(filter-out release asan fuzz,$(value MODE))$(word 2,$(value MODE)),)
$(call refuse,MODE,there are release and asan)
override MODE := release
endif
override MODE := $(or $(strip $(value MODE)),release)

# "x86-64-v3 -mtune=generic": a processor, and options for it.
override ARCH := $(or $(strip $(patsubst -march=%,%,$(value ARCH))),native)
ifneq ($(filter x86_64 amd64 x86 arm arm64 aarch64 powerpc riscv riscv64 mips,$(value ARCH)),)
$(call refuse,ARCH,that is a family of processors; ARCH is what -march takes: native$(comma) x86-64-v3$(comma) …)
else ifneq ($(call odd,$(firstword $(value ARCH)))$(filter-out -%,$(wordlist 2,99,$(value ARCH)))$(strip \
	$(foreach c,$(NO_OPTION),$(findstring $c,$(value ARCH)))),)
$(call refuse,ARCH,no processor is called so; ARCH is what -march takes: native$(comma) x86-64-v3$(comma) …)
override ARCH := native
endif
export CC ARCH MODE BUILD OPENMP
PROCESSOR := $(firstword $(ARCH))

# CC may be a command: of "ccache gcc -m64", this word is the compiler.
COMPILER := $(or $(firstword $(foreach w,$(CC),$(if $(or $(findstring gcc,$(notdir $w)),$(findstring clang,$(notdir $w)),$(filter \
	cc %-cc c99,$(notdir $w))),$w))),$(firstword $(CC)))

# Options that would change the numbers; check_layers.sh, which looks for these, knows by the missing -f that they are not set.
USERS_FLAGS := $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(LDLIBS)
OTHER_BITS  := $(addprefix -f,fast-math unsafe-math-optimizations associative-math reciprocal-math finite-math-only \
	no-signed-zeros fp-contract=fast% fp-contract=on fp-model=% single-precision-constant excess-precision=fast \
	approx-func) $(addprefix -,Ofast mfpmath=% mrecip% mdaz-ftz)
WRONG_FLAGS := $(filter $(OTHER_BITS),$(subst ",,$(subst ',,$(CC) $(ARCH) $(USERS_FLAGS))))
ifneq ($(WRONG_FLAGS),)
$(if $(filter-out help,$(MAKECMDGOALS)),$(error $(WRONG_FLAGS): every number would be another than the book's. Leave it \
	out$(comma) whether in CC$(comma) CFLAGS or the environment))
endif

# $(call accepts,OPTION…,HEADER): the options, when the compiler knows them and finds the header; otherwise nothing. Most compilers
# know all that is asked below, and so one question comes first: every make would wait for each of them.
asked    = $(shell echo '$(if $2,$(hash)include <$2>)' | $(CC) $1 -x c -E -o /dev/null - >/dev/null 2>&1 && echo "$1")
ACCEPTED := $(call asked,-fopenmp -march=native -mprefer-vector-width=512,omp.h)
accepts  = $(or $(if $(filter-out $(ACCEPTED),$1),,$1),$(asked))

# Without OpenMP everything runs on one thread, with the same bits (common/base/parallel.h).
ifneq ($(OPENMP),no)
THREADS := $(call accepts,-fopenmp,omp.h)
endif
ifeq ($(THREADS),)
THREADS := $(or $(call accepts,-fopenmp-simd),-Wno-unknown-pragmas) -Wno-unused-function -Wno-unused-variable# named in pragmas only
SERIAL  := -serial
endif

# One object tree for each compiler, processor and mode, and for each choice of options: switching never mixes objects.
CHOICE := $(if $(or $(word 2,$(CC)),$(findstring /,$(CC)),$(call odd,$(CC)),$(word 2,$(ARCH)),$(strip $(USERS_FLAGS))),-$(shell \
	printf '%s\n' $(foreach t,CC ARCH CFLAGS CPPFLAGS LDFLAGS LDLIBS,$(call quote,$($t))) | cksum | cut -d ' ' -f 1))
tree = $(BUILD)/$(if $(call odd,$(notdir $(COMPILER))),compiler,$(notdir $(COMPILER)))-$(PROCESSOR)-$1$(SERIAL)$(CHOICE)
TREE := $(call tree,$(MODE))

# ---- Mistakes ----------------------------------------------------------------------------------------------------------------
# A mistyped target, or a setting that nearly is one, is told before anything is built (common/tools/suggest.sh).

chapter_number = $(patsubst 0%,%,$(firstword $(subst -, ,$1)))
CHAPTERS         := $(sort $(notdir $(wildcard chapters/[0-9]*)))
CHAPTER_NUMBERS  := $(foreach c,$(CHAPTERS),$(call chapter_number,$c))
# The appendix's chapters have a letter for a number, and no exercises. Lessons are both.
LESSONS          := $(CHAPTERS) $(sort $(notdir $(wildcard chapters/[A-Z]-*)))
LESSON_NUMBERS   := $(foreach c,$(LESSONS),$(call chapter_number,$c))
EXERCISES        := $(sort $(patsubst tests/exercises/exercise_%.c,%,$(wildcard tests/exercises/exercise_[0-9]*.c)))
EXERCISE_NUMBERS := $(EXERCISES:0%=%)
UNIT_SOURCES     := $(wildcard tests/unit/test_*.c)
FAMILIES := $(foreach v,chapter weave verify,$(LESSON_NUMBERS:%=$v%)) $(UNIT_SOURCES:tests/unit/test_%.c=unit-%) \
	$(foreach v,grade hint watch debug hidden reset solution,$(EXERCISE_NUMBERS:%=$v%)) \
	$(patsubst tests/fuzz/fuzz_%.c,fuzz-%,$(wildcard tests/fuzz/fuzz_*.c))
UNKNOWN  := $(filter-out $(FAMILIES) $(BUILD)/% datasets/cache/%,$(MAKECMDGOALS))
ifneq ($(UNKNOWN),)
TARGETS  := $(filter-out told,$(shell sed -n 's/^\([a-z][-a-z0-9 ]*\):.*/\1/p' Makefile))
UNKNOWN  := $(filter-out $(TARGETS),$(UNKNOWN))
endif

ifeq ($(wildcard tests/grader),)
NOT_HANDED_OUT := $(filter fuzz fuzz-% test-fuzz test-fresh test-make test-course test-grader test-mutants test-packages test-wrong \
	gradescope autolab classroom50 workflow,$(MAKECMDGOALS))
$(if $(NOT_HANDED_OUT),$(error $(NOT_HANDED_OUT): not in this folder, which is a handout; your teacher has it. make help lists what there is))
endif

# Typed settings that are none here and that no program heeds; suggest.sh tells which of them nearly are one.
SETTINGS := CC ARCH MODE FULL WERROR BUILD OPENMP SCRIPTS V CFLAGS CPPFLAGS LDFLAGS LDLIBS $(TEXTS)
STRANGE  := $(filter-out $(SETTINGS) OMP_% GOMP_% KMP_% %SAN_OPTIONS CK_% LC_% TERM HOME PATH LANG TZ USER TMPDIR COLUMNS LINES,$(TYPED))
ifneq ($(STRANGE),)
STRANGE  := $(shell sh common/tools/suggest.sh settings $(foreach s,$(STRANGE),$(call quote,$s)) -- $(SETTINGS))
endif

ifneq ($(UNKNOWN)$(STRANGE),)
.DEFAULT_GOAL := told
export COURSE_GOALS := $(MAKECMDGOALS)
export COURSE_SETTINGS := $(SETTINGS)
.PHONY: told
told:
	+@sh common/tools/suggest.sh goals $(call quote,$(STRANGE)) $(call quote,$(UNKNOWN)) $(TARGETS) -- $(FAMILIES)
%: told ; @:
$(MAKEFILE_LIST): ;
else
.DEFAULT_GOAL := help

# Files are built side by side; what a reader types runs one after the other, in the order in which it was typed.
ifneq ($(filter-out $(BUILD)/% %-programs,$(or $(MAKECMDGOALS),help)),)
.NOTPARALLEL:
endif

# Threads that wait for their next loop may spin or sleep. Waking a sleeper costs tens of microseconds, and spinning takes a core
# from whoever else wants it. What runs side by side (tests, students' programs) sleeps; a chapter, a tool or a benchmark, which
# has the machine for itself, spins for about 50 µs first: a chapter of small networks takes up to half as long, and two such
# chapters at once half as long again. Who sets OMP_WAIT_POLICY decides for all.
ifeq ($(origin OMP_WAIT_POLICY),undefined)
export OMP_WAIT_POLICY := passive
export COURSE_WAITS := yes
endif
ALONE := $(if $(COURSE_WAITS),env -u OMP_WAIT_POLICY GOMP_SPINCOUNT=$${GOMP_SPINCOUNT:-1000})

# The chapters keep their pictures' data and scripts there.
export COURSE_BUILD ?= $(BUILD)

MODE_FLAGS_release := -O3 -g
MODE_FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
MODE_FLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
# At -O1 clang leaves loops as they are that were to become vector code, and says so.
ifneq ($(findstring clang,$(notdir $(COMPILER))),)
MODE_FLAGS_asan += -Wno-pass-failed
endif
ifneq ($(call on,WERROR),)
WARNINGS += -Werror
export WERROR
endif

# Nothing here may change a result: no fast-math, and no contraction that the source does not ask for.
# Without errno and traps, sqrt and selections become vector code with the same bits.
# Some compilers take a wide machine for a narrow one; this only chooses among equal instructions.
ifneq ($(filter native x86-64%,$(PROCESSOR)),)
ifeq ($(shell uname -m),x86_64)
WIDE := $(call accepts,-mprefer-vector-width=512)
endif
endif
# Some compilers know no native processor, or call it otherwise; then the code is for any.
MACHINE := $(if $(filter native,$(PROCESSOR)),$(or $(call accepts,-march=native),$(call accepts,-mcpu=native)),-march=$(PROCESSOR)) \
	$(wordlist 2,99,$(ARCH)) $(WIDE)

# zlib and the tokenizer's libraries, where they are installed; without them it says what to install, and all else works.
# Looked for when something is linked, `make setup` may have come before; but then once, for each make.
if_header = '$(hash)if __has_include(<$1>)' $2 '$(hash)endif'
FOUND_LIBRARIES = $(eval FOUND_LIBRARIES := $$(shell printf '%s\n' $$(call if_header,pcre2.h,-lpcre2-8) \
	$$(call if_header,cjson/cJSON.h,-lcjson) $$(call if_header,uninorm.h,-lunistring) $$(call if_header,zlib.h,-lz) | \
	$$(CC) -x c -E - 2>/dev/null | grep '^-l'))$(FOUND_LIBRARIES)

# What the course needs, and then what the user wants.
COURSE_CFLAGS   := -std=c11 $(MODE_FLAGS_$(MODE)) $(MACHINE) -ffp-contract=off -fno-math-errno -fno-trapping-math $(THREADS) $(WARNINGS)
COURSE_CPPFLAGS := -D_GNU_SOURCE -Icommon
LIBRARIES = $(FOUND_LIBRARIES) $(PACKAGE_LIBS) -lm
COMPILE   = $(CC) $(COURSE_CPPFLAGS) $(PACKAGE_CFLAGS) $(CPPFLAGS) $(COURSE_CFLAGS) $(CFLAGS)
LINK      = $(CC) $(COURSE_CFLAGS) $(CFLAGS) $(LDFLAGS)

ROOMS          := base matrix learning learning/ops files lesson lesson/plot models
COMMON_SOURCES := $(wildcard $(ROOMS:%=common/%/*.c))
COMMON_OBJECTS := $(COMMON_SOURCES:%.c=$(TREE)/%.o)
# What an exercise may call: no layer, and no kernel of one, that it is about.
EXERCISE_LIBRARY := $(wildcard common/base/*.c) $(wildcard $(patsubst %,common/matrix/%.c,matrix gemm eigen))
LIBRARY        := $(TREE)/libcommon.a

.PHONY: help
help:
	@sh common/tools/help.sh Makefile

# ---- Building ---------------------------------------------------------------------------------------------------------
# A file is written beside its name and then renamed: whoever is interrupted, and two makes at once, leave only whole ones.

# V=1 shows every command.
QUIET := $(if $(call on,V),,@)

renamed = && mv -f $$new $@ || { rm -f $$new $$new-d; exit 1; }
compile = $(QUIET)new=$@.$$$$; $1 -MMD -MP -MT $@ -MF $$new-d -c $< -o $$new && mv -f $$new-d $(@:.o=.d) $(renamed)
# $1 objects and archives, $2 libraries
link    = $(QUIET)new=$@.$$$$; $(LINK) $1 $2 $(LDLIBS) -o $$new $(renamed)

# A line of a recipe that brings files up to date, with a compiler for each processor, and shows how far it is.
built = +$(QUIET)sh common/tools/build.sh $(TREE) "$(MAKE)" $1

$(TREE)/%.o: %.c
	@mkdir -p $(@D)
	$(call compile,$(COMPILE))

# q and not r: files of two rooms may have the same name.
$(LIBRARY): $(COMMON_OBJECTS)
	@mkdir -p $(@D)
	$(QUIET)new=$@.$$$$; ar qcs $$new $^ $(renamed)

# The image decoder adds up what a file says; a hostile one's sums wrap around, and where the bits of a damaged JPEG have run out, it
# shifts by more than a word has, which only makes other pixels. The encoder's lists hold pointers of several types.
$(TREE)/common/files/image.o: COURSE_CFLAGS += -fwrapv -fno-strict-aliasing -fno-sanitize=shift-exponent

-include $(shell find $(TREE) -name '*.d' 2>/dev/null)

# ---- Data ---------------------------------------------------------------------------------------------------------------
# A chapter's file `data` names the sets of datasets/recipes that it reads, one a line; tests/bench/data says the same of the
# benchmarks, each line a name and its sets. Their own make targets bring them. The stamp .done says that all is there.

SETS_OF_CHAPTERS := $(shell grep '^[a-z]' /dev/null $(wildcard chapters/[0-9]*/data))# words chapters/01-…/data:set
SETS_OF_BENCHES  := $(shell awk '/^[a-z]/ { for (i = 2; i <= NF; i++) print $$1 ":" $$i }' $(or $(wildcard tests/bench/data),/dev/null))
under         = $(patsubst $1:%,%,$(filter $1:%,$2))# of words with a colon, what stands behind $1:
sets_of_bench = $(call under,$1,$(SETS_OF_BENCHES))# benchmark → its sets
stamps        = $(patsubst %,datasets/cache/%/.done,$1)# sets → their stamps
chapter_data  = $(call stamps,$(call under,chapters/$1/data,$(SETS_OF_CHAPTERS)))# chapter folder → its stamps
CHAPTER_SETS := $(sort $(foreach c,$(CHAPTERS),$(call under,chapters/$c/data,$(SETS_OF_CHAPTERS))))
COURSE_SETS   = $(sort $(CHAPTER_SETS) $(foreach b,$(BENCHES),$(call sets_of_bench,$b)))

datasets/cache/%/.done: datasets/recipes $(wildcard datasets/*.sh datasets/tools/*)
	$(QUIET)sh datasets/fetch.sh $*

# What the user writes reaches the scripts through the environment, so that blanks and other characters stay what they are.
.PHONY: data data-list data-bundle test-data
data: export SETS = $(or $(DATA),$(CHAPTER_SETS))
data data-bundle: export BUNDLE_FILE := $(value BUNDLE)
data: ## bring the data sets that the chapters need (or DATA="mnist …"; or from BUNDLE=file)
	$(QUIET)if [ -n "$$BUNDLE_FILE" ]; then sh datasets/bundle.sh take "$$BUNDLE_FILE" $$SETS; else sh datasets/fetch.sh $$SETS; fi

data-bundle: export SETS = $(or $(DATA),$(COURSE_SETS))
data-bundle: ## pack what chapters and benchmarks need into one file, for a room without a network ([BUNDLE=file])
	$(QUIET)sh datasets/bundle.sh pack "$${BUNDLE_FILE:-course-data.tar.gz}" $$SETS

data-list: ## say what data sets there are
	$(QUIET)sh datasets/fetch.sh --list

test-data:
	$(QUIET)sh tests/test_fetch.sh

# ---- Chapters -----------------------------------------------------------------------------------------------------------
# make chapter1 builds and runs chapters/01-…; its name is the folder's without the number, dashes as underscores.

chapter_name    = $(subst -,_,$(patsubst $(firstword $(subst -, ,$1))-%,%,$1))
chapter_program = $(TREE)/chapters/$1/$(call chapter_name,$1)
CHAPTER_PROGRAMS := $(foreach c,$(LESSONS),$(call chapter_program,$c))
CHAPTER_TARGETS  := $(addprefix chapter,$(LESSON_NUMBERS))
chapter_of = $(firstword $(wildcard chapters/$1-* chapters/0$1-*))# chapter number → its folder
CHAPTERS_DATA = $(foreach c,$(CHAPTERS),$(call chapter_data,$c))

# Of the library only what a chapter includes, so that the first one is soon there. Should that not be all, the library is linked.
# All programs are asked for at once, for the answer takes a look at the whole library.
NEEDS = $(eval NEEDS := $$(shell sh common/tools/needs.sh $$(CHAPTER_PROGRAMS:$$(TREE)/%=%.c) $$(wildcard common/tools/weave.c)))$(NEEDS)
needs = $(patsubst %.c,$(TREE)/%.o,$(call under,$1,$(NEEDS)))
.SECONDEXPANSION:
$(CHAPTER_PROGRAMS): $(TREE)/%: $(TREE)/%.o $$(call needs,$$*.c)
	$(QUIET)new=$@.$$$$; $(LINK) $^ $(LIBRARIES) $(LDLIBS) -o $$new 2>/dev/null || { $(THIS_MAKE) -s $(LIBRARY) && \
		$(LINK) $< $(LIBRARY) $(LIBRARIES) $(LDLIBS) -o $$new; } $(renamed)

# A chapter's file `packages` names those of Debian's that only it needs. They are looked for when its program is made, and by
# make setup; without one of them it is compiled as far as it goes, and again when that is there.
packages_done = $(BUILD)/setup-$(call chapter_number,$1).done
define packages_rule
$(call chapter_program,$1): PACKAGE_LIBS = $$(shell sh common/tools/packages.sh libs chapters/$1)
$(call chapter_program,$1).o: PACKAGE_CFLAGS = $$(shell sh common/tools/packages.sh cflags chapters/$1)
$(call chapter_program,$1).o: $(call packages_done,$1)
$(call packages_done,$1): chapters/$1/packages $(if $(shell cat $(call packages_done,$1) 2>/dev/null),setup-again) | setup-check
	$$(QUIET)sh common/tools/setup.sh --again $$@ --packages chapters/$1
endef
$(foreach c,$(CHAPTERS),$(if $(wildcard chapters/$c/packages),$(eval $(call packages_rule,$c))))

# ARGS="--seed 2" hands options to the chapter; SEED=2 is the same.
define chapter_rule
.PHONY: chapter$(call chapter_number,$1)
chapter$(call chapter_number,$1): setup-check $(call chapter_data,$1)
	$$(call built,$(call chapter_program,$1))
	$$(QUIET)$$(ALONE) sh common/tools/run.sh $(call chapter_program,$1) $$$${SEED:+--seed "$$$$SEED"}
endef
$(foreach c,$(LESSONS),$(eval $(call chapter_rule,$c)))

#: chapterN ## run chapter N (ARGS=--help shows its options); chapterA is the appendix's first

.PHONY: chapters chapters-built
chapters-built: setup-check
	$(call built,$(CHAPTER_PROGRAMS))
chapters: chapters-built $(CHAPTER_TARGETS) ## run every chapter, one after the other

# Runs a chapter whose model is not there yet: $(call model_of,number,one of the model's files)
model_of = [ -e "$$MODEL_$1/$2" ] || { echo "There is no model yet: chapter $1 trains one, in about a minute." >&2; \
	$(MAKE) --no-print-directory chapter$1 ARGS= SEED= >&2; }

# ---- Talking with a model (common/tools/sample.c) ------------------------------------------------------------------------
# Chapter 20 leaves its model there; without it, the chapter is run first.

export MODEL_20 ?= $(COURSE_BUILD)/models/20-tiny-gpt
SAMPLE    := $(TREE)/common/tools/sample
SMALL_GPT := $(TREE)/tests/tools/small_gpt
$(SAMPLE) $(SMALL_GPT): %: %.o $(LIBRARY)
	$(call link,$^,$(LIBRARIES))

.PHONY: sample test-sample
test-sample:
	$(call built,$(SAMPLE) $(SMALL_GPT))
	$(QUIET)sh tests/tools/test_sample.sh $(SAMPLE) $(SMALL_GPT)
TEST_EXTRAS += test-sample
sample: ## talk with chapter 20's GPT: PROMPT="In the beginning" [TEMPERATURE=] [TOP_K=] [TOP_P=] [TOKENS=] [SEED=]
	$(call built,$(SAMPLE))
	+$(QUIET)case "$$ARGS" in *--help*) exit ;; esac; $(call model_of,20,model.safetensors)
	$(QUIET)$(ALONE) sh common/tools/run.sh $(SAMPLE) --model "$$MODEL_20" $${TEMPERATURE:+--temperature "$$TEMPERATURE"} \
		$${TOP_K:+--top-k "$$TOP_K"} $${TOP_P:+--top-p "$$TOP_P"} $${TOKENS:+--tokens "$$TOKENS"} $${SEED:+--seed "$$SEED"} \
		$${PROMPT:+-- "$$PROMPT"}

# ---- A conversation (common/tools/chat.c) ----------------------------------------------------------------------------------
# Chapter 29 leaves its model there; without it, the chapter is run first. MODEL=folder opens another.

export MODEL_29 ?= $(COURSE_BUILD)/models/29-sft-lora
CHAT        := $(TREE)/common/tools/chat
SMALL_CHAT  := $(TREE)/tests/tools/small_chat
ON_TERMINAL := $(TREE)/tests/tools/on_terminal
$(CHAT): $(TREE)/common/tools/line_editor.o
$(CHAT) $(SMALL_CHAT) $(ON_TERMINAL): %: %.o $(LIBRARY)
	$(call link,$(filter-out $(LIBRARY),$^) $(LIBRARY),$(LIBRARIES))

.PHONY: chat test-chat
test-chat:
	$(call built,$(CHAT) $(SMALL_CHAT) $(ON_TERMINAL))
	$(QUIET)sh tests/tools/test_chat.sh $(CHAT) $(SMALL_CHAT) $(ON_TERMINAL)
TEST_EXTRAS += test-chat
chat: ## talk with chapter 29's bot, in English or Chinese: [MODEL=folder] [PROMPT=] [SYSTEM=] [TEMPERATURE=] [TOP_K=] [TOP_P=] [TOKENS=] [SEED=]
	$(call built,$(CHAT))
	+$(QUIET)case "$$ARGS" in *--help*) exit ;; esac; [ -n "$$MODEL" ] || $(call model_of,29,config.json)
	$(QUIET)$(ALONE) sh common/tools/run.sh $(CHAT) --model "$${MODEL:-$$MODEL_29}" $${SYSTEM:+--system "$$SYSTEM"} \
		$${TEMPERATURE:+--temperature "$$TEMPERATURE"} $${TOP_K:+--top-k "$$TOP_K"} $${TOP_P:+--top-p "$$TOP_P"} \
		$${TOKENS:+--tokens "$$TOKENS"} $${SEED:+--seed "$$SEED"} $${PROMPT:+-- "$$PROMPT"}

# ---- Drawing from words (common/tools/draw.c) ------------------------------------------------------------------------------
# Chapter 26 leaves its networks there; without them, the chapter is run first.

export MODEL_26 ?= $(COURSE_BUILD)/models/26-diffusion
DRAW         := $(TREE)/common/tools/draw
SMALL_UNCLIP := $(TREE)/tests/tools/small_unclip
$(DRAW) $(SMALL_UNCLIP): %: %.o $(LIBRARY)
	$(call link,$^,$(LIBRARIES))

.PHONY: draw test-draw
test-draw:
	$(call built,$(DRAW) $(SMALL_UNCLIP))
	$(QUIET)sh tests/tools/test_draw.sh $(DRAW) $(SMALL_UNCLIP)
TEST_EXTRAS += test-draw
draw: ## draw with chapter 26's networks: PROMPT="a purple sneaker" [GUIDANCE=] [STEPS=] [SEED=] [OUT=]
	$(call built,$(DRAW))
	+$(QUIET)case "$$ARGS" in *--help*) exit ;; esac; $(call model_of,26,decoder.safetensors)
	$(QUIET)$(ALONE) sh common/tools/run.sh $(DRAW) --model "$$MODEL_26" $${GUIDANCE:+--guidance "$$GUIDANCE"} \
		$${STEPS:+--steps "$$STEPS"} $${SEED:+--seed "$$SEED"} $${OUT:+--out "$$OUT"} $${PROMPT:+-- "$$PROMPT"}

# ---- Watching a policy (common/tools/balance.c) ----------------------------------------------------------------------------
# Chapter 30 leaves its policies there; without them, the chapter is run first.

export MODEL_30 ?= $(COURSE_BUILD)/models/30-reinforcement-learning
BALANCE     := $(TREE)/common/tools/balance
SMALL_AGENT := $(TREE)/tests/tools/small_agent
$(BALANCE) $(SMALL_AGENT): %: %.o $(LIBRARY)
	$(call link,$^,$(LIBRARIES))

.PHONY: balance test-balance
test-balance:
	$(call built,$(BALANCE) $(SMALL_AGENT) $(ON_TERMINAL))
	$(QUIET)sh tests/tools/test_balance.sh $(BALANCE) $(SMALL_AGENT) $(ON_TERMINAL)
TEST_EXTRAS += test-balance
balance: ## watch chapter 30's policies in the terminal: WORLD=pole|pendulum [POLICY=random] [EPISODES=] [SEED=] [SPEED=]
	$(call built,$(BALANCE))
	+$(QUIET)case "$$ARGS" in *--help*) exit ;; esac; [ "$$POLICY" = random ] || $(call model_of,30,pendulum.safetensors)
	$(QUIET)$(ALONE) sh common/tools/run.sh $(BALANCE) --model "$$MODEL_30" $${WORLD:+--world "$$WORLD"} \
		$${POLICY:+--policy "$$POLICY"} $${EPISODES:+--episodes "$$EPISODES"} $${SEED:+--seed "$$SEED"} $${SPEED:+--speed "$$SPEED"}

# ---- The notebook -------------------------------------------------------------------------------------------------------
# make weave1 runs chapter 1 and writes its page, chapters/01-…/README.md; make verify1 runs it again and compares.

WEAVER := $(TREE)/common/tools/weave

NOTEBOOK := $(patsubst %,$(TREE)/common/tools/%.o,notebook notebook_fold notebook_mentions notebook_pages notebook_read)
$(WEAVER): %: %.o $$(call needs,common/tools/weave.c)
	$(call link,$^,$(LIBRARIES))

.PHONY: weave verify
weave: setup-check $(CHAPTERS_DATA) ## run every chapter and write its page, README.md
	$(call built,$(WEAVER) $(CHAPTER_PROGRAMS))
	$(QUIET)$(ALONE) sh common/tools/notebook.sh weave $(TREE) $(TREE)/weave $(LESSONS)
verify: setup-check $(CHAPTERS_DATA) ## run every chapter again, compare each byte with its page
	$(call built,$(WEAVER) $(CHAPTER_PROGRAMS))
	$(QUIET)$(ALONE) sh common/tools/notebook.sh verify $(TREE) $(TREE)/verify $(LESSONS)

# weave1, verify1: the same for one chapter.
#: weaveN ## the same for chapter N
#: verifyN ## the same for chapter N
define notebook_rule
.PHONY: $1$(call chapter_number,$2)
$1$(call chapter_number,$2): setup-check $(call chapter_data,$2)
	$$(call built,$(WEAVER) $(call chapter_program,$2))
	$$(QUIET)$$(ALONE) sh common/tools/notebook.sh $1 $(TREE) $(TREE)/$1 $2
endef
$(foreach c,$(LESSONS),$(eval $(call notebook_rule,weave,$c))$(eval $(call notebook_rule,verify,$c)))

# The book is made of the committed pages: nothing runs and nothing is compiled.
.PHONY: book test-book
book: setup-check ## make the web book of the pages: open build/book/index.html
	$(QUIET)sh common/tools/book.sh $(BUILD)/book

# Pages that compute in the browser (common/tools/live). Chapter 20 leaves its model; without it, the chapter is run first.
LIVE_WRITER := $(TREE)/common/tools/live/model_write
LIVE_BITS   := $(TREE)/tests/tools/live_bits
$(LIVE_WRITER) $(LIVE_BITS): %: %.o $(LIBRARY)
	$(call link,$^,$(LIBRARIES))
$(LIVE_BITS).o: COURSE_CPPFLAGS += -I. '-DCHAPTER="$(wildcard chapters/01-*/linear_regression.c)"'
.PHONY: live test-live
live: setup-check ## the book with pages that compute in your browser: descent, and chapter 20's GPT
	$(QUIET)sh common/tools/live/live.sh --check
	$(call built,$(LIVE_WRITER))
	+$(QUIET)$(call model_of,20,model.safetensors)
	$(QUIET)MAKE="$(THIS_MAKE)" sh common/tools/live/live.sh $(BUILD)/live $(LIVE_WRITER) "$$MODEL_20"
	$(QUIET)sh common/tools/book.sh $(BUILD)/book
test-live: setup-check ## compare the pages that compute in a browser with the native programs (needs chromium)
	$(QUIET)sh common/tools/live/live.sh --check
	$(call built,$(LIVE_WRITER) $(LIVE_BITS) $(SAMPLE) $(SMALL_GPT))
	$(QUIET)MAKE="$(THIS_MAKE)" sh tests/tools/test_live.sh $(BUILD) $(TREE)
test-book: book ## look at every page of the web book in a browser (needs chromium)
	$(QUIET)sh tests/tools/test_book.sh $(BUILD)/book $(BUILD)/test-book

# The web book bound into one file, its EPUB and its PDF.
.PHONY: epub pdf test-print
epub: book ## make one EPUB of everything: build/book.epub (needs zip)
	$(QUIET)sh common/tools/bind.sh epub $(BUILD)/book $(BUILD)/book.epub
pdf: book ## make one PDF of everything: build/book.pdf (needs chromium)
	$(QUIET)sh common/tools/bind.sh pdf $(BUILD)/book $(BUILD)/book.pdf
test-print: epub pdf ## check the EPUB and the PDF (needs epubcheck, poppler-utils)
	$(QUIET)sh tests/tools/test_print.sh $(BUILD)/book $(BUILD)/book.epub $(BUILD)/book.pdf

# So are the Jupyter notebooks. Their kernel asks here how a chapter's program is compiled: the commands, and what is linked
# behind its object file.
.PHONY: notebooks jupyter kernel-commands test-notebooks
notebooks: setup-check ## make the chapters' Jupyter notebooks of their pages, in build/notebooks
	$(call built,$(WEAVER))
	$(QUIET)sh common/tools/notebook.sh jupyter $(TREE) $(BUILD)/notebooks $(LESSONS)
jupyter: notebooks ## open them in Jupyter, with a kernel that compiles and runs their cells
	$(QUIET)$(ALONE) sh common/tools/kernel/jupyter.sh $(BUILD)/jupyter $(BUILD)/notebooks
packages_say    = $(foreach c,$(LESSONS),$(if $(wildcard chapters/$c/packages),$(shell sh common/tools/packages.sh $1 chapters/$c)))
kernel-commands: PACKAGE_CFLAGS = $(call packages_say,cflags)
kernel-commands: PACKAGE_LIBS = -Wl,--as-needed $(call packages_say,libs)
kernel-commands: setup-check
	$(call built,$(LIBRARY))
	@:$(info $(COMPILE)) $(info $(LINK)) $(info $(LIBRARY) $(LIBRARIES) $(LDLIBS))
test-notebooks: notebooks
	$(call built,$(LIBRARY))
	$(QUIET)sh tests/tools/test_notebooks.sh $(BUILD)

.PHONY: questions
questions: ## the questions under "Check yourself" of all pages, for print [CHAPTER=1] [OUT=file.html]
	$(QUIET)set -- $(CHAPTERS); [ -z "$$CHAPTER" ] || set -- $(filter $(CHAPTER)-% 0$(CHAPTER)-% $(CHAPTER),$(CHAPTERS)); \
		[ $$# -gt 0 ] || { echo "CHAPTER=$$CHAPTER: there are the chapters $(CHAPTER_NUMBERS)" >&2; exit 2; }; \
		sh common/tools/questions.sh "$${OUT:-$(BUILD)/questions.html}" "$$@"

.PHONY: test-weave
test-weave:
	$(call built,$(WEAVER))
	$(QUIET)sh tests/tools/test_weave.sh $(TREE)

# ---- Setting up ---------------------------------------------------------------------------------------------------------
# setup-check asks nothing and installs nothing when everything is there; see common/tools/setup.sh.

.PHONY: setup setup-check
setup: ## install what is missing, or print the one line that does
	$(QUIET)sh common/tools/setup.sh --note $(BUILD)/setup.done
	$(QUIET)sh datasets/fetch.sh --prepare $(CHAPTER_SETS) || :

# setup.done holds what was missing and could not be installed. As long as it is not empty, somebody looks again each time.
.PHONY: setup-again
setup-check: $(BUILD)/setup.done
$(BUILD)/setup.done: common/tools/setup.sh $(if $(shell cat $(BUILD)/setup.done 2>/dev/null),setup-again)
	$(QUIET)sh common/tools/setup.sh --again $@

# What was compiled without a library is compiled again when that is there.
$(patsubst %,$(TREE)/common/%.o,files/json files/idx files/image lesson/plot/png models/tokenizer_split): \
	$(wildcard $(BUILD)/setup.done)

CHAPTER_1 := $(call chapter_program,01-linear-regression)
.PHONY: test-setup test-environment test-reader
test-setup:
	$(QUIET)sh tests/tools/test_setup.sh
TEST_EXTRAS += test-setup test-environment test-reader
test-reader:
	$(QUIET)sh tests/tools/test_reader.sh $(call quote,$(COMPILER)) "$(TEST_MAKE)"
test-environment: $(CHAPTER_1)
	$(QUIET)sh tests/tools/test_environment.sh $<

# ---- On a new system (tests/fresh.sh) -----------------------------------------------------------------------------------

.PHONY: test-fresh
test-fresh: ## try all of it on new Debian systems [SUITES="bookworm trixie"] [STEPS="bare chapter1 data verify grader"] [KEEP=1]
	$(QUIET)sh tests/fresh.sh $(BUILD)/fresh

# ---- Tests --------------------------------------------------------------------------------------------------------------

UNIT_TESTS := $(UNIT_SOURCES:%.c=$(TREE)/%)
CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null || echo -lcheck -lsubunit -lrt -lm -lpthread)

$(UNIT_TESTS): $(TREE)/%: $(TREE)/%.o $(TREE)/tests/unit/suite.o $(LIBRARY)
	$(call link,$(filter-out $(LIBRARY),$^) $(LIBRARY),$(CHECK_LIBS) $(LIBRARIES))

$(TREE)/tests/unit/test_notebook: $(NOTEBOOK)

# unit-matrix builds and runs one test program.
$(UNIT_SOURCES:tests/unit/test_%.c=unit-%): unit-%:
	$(call built,$(TREE)/tests/unit/test_$*)
	$(QUIET)$(TREE)/tests/unit/test_$*
.PHONY: $(UNIT_SOURCES:tests/unit/test_%.c=unit-%)

# Not a part of make test: it makes networks.
MPI_CHAPTER := $(call chapter_program,33-many-machines)
.PHONY: test-mpi
test-mpi: setup-check $(call chapter_data,33-many-machines) ## train over a fast, a slow and a broken wire (as root; chapter 33)
	$(call built,$(MPI_CHAPTER))
	$(QUIET)sh tests/tools/test_mpi.sh $(MPI_CHAPTER)

# The tests of the exercises of chapter 01 are linked with its solution.c and with its exercise.c.
ANSWERED          := $(strip $(foreach e,$(EXERCISES),$(if $(wildcard chapters/$e-*/solution.c),$e)))# none in a handout
EXERCISE_PROGRAMS := $(ANSWERED:%=$(TREE)/tests/exercises/exercise_%_solution) $(EXERCISES:%=$(TREE)/tests/exercises/exercise_%_student)
EXERCISE_OBJECTS  := $(TREE)/tests/exercises/exercise_suite.o $(TREE)/tests/unit/suite.o
define exercise_rule
$(TREE)/tests/exercises/exercise_$1.o: COURSE_CPPFLAGS += -Itests/unit -Ichapters/$2
$(TREE)/tests/exercises/exercise_$1_solution: $(TREE)/chapters/$2/solution.o
$(TREE)/tests/exercises/exercise_$1_student: $(TREE)/chapters/$2/exercise.o
$(TREE)/tests/exercises/exercise_$1_solution $(TREE)/tests/exercises/exercise_$1_student: \
		$(TREE)/tests/exercises/exercise_$1.o $(EXERCISE_OBJECTS) $(LIBRARY)
endef
$(foreach e,$(EXERCISES),$(eval $(call exercise_rule,$e,$(notdir $(firstword $(wildcard chapters/$e-*))))))

$(TREE)/tests/exercises/exercise_suite.o: COURSE_CPPFLAGS += -Itests/unit
$(EXERCISE_PROGRAMS):
	$(call link,$(filter-out $(LIBRARY),$^) $(LIBRARY),$(CHECK_LIBS) $(LIBRARIES))

# Each test is "name=command". Other parts of this file add theirs to TEST_EXTRAS as the names of targets.
TEST_EXTRAS    += test-data test-weave
# CC, ARCH and the other settings are in the environment of whatever make starts.
THIS_MAKE      := $(MAKE)
TEST_MAKE      := env -u MAKEFLAGS -u MFLAGS $(THIS_MAKE) -s
UNIT_CHECKS     = $(foreach t,$(UNIT_TESTS),"$(patsubst test_%,%,$(notdir $t))=$t")
EXERCISE_CHECKS = $(foreach e,$(EXERCISES),\
	$(if $(filter $e,$(ANSWERED)),"exercises $e$(comma) answers=$(TREE)/tests/exercises/exercise_$e_solution") \
	"exercises $e, yours=$(TREE)/tests/exercises/exercise_$e_student $(firstword $(wildcard chapters/$e-*))/exercise.c")
HABIT_CHECKS   := "habits=sh common/tools/check_layers.sh" "pictures of the README=sh common/tools/pictures.sh --check" "habits are checked=sh tests/tools/test_check_layers.sh" \
	"tests are counted=sh tests/tools/test_test.sh" "names are free=sh tests/tools/test_names.sh $(call quote,$(COMPILER))"
# What no compiler can change: scripts, habits, and whether the exercises' tests notice mistakes. SCRIPTS=no leaves it out,
# and under asan the student's commands as well, which build with asan anyway.
SCRIPT_TESTS   := test-data test-setup test-environment test-reader test-make test-wrong test-mutants test-packages test-bench \
	$(if $(filter asan,$(MODE)),test-course)
EXTRA_CHECKS    = $(foreach t,$(filter-out $(if $(filter no,$(SCRIPTS)),$(SCRIPT_TESTS)),$(TEST_EXTRAS)),"$(patsubst test-%,%,$t)=$(TEST_MAKE) $t")
RUN_TESTS      := $(QUIET)sh common/tools/test.sh $(TREE)/test-logs

.PHONY: test exercises test-programs exercise-programs need-check
test: need-check ## check everything: units, exercises, tools, habits
	$(call built,test-programs)
	$(RUN_TESTS) $(EXTRA_CHECKS) $(UNIT_CHECKS) $(EXERCISE_CHECKS) $(if $(filter no,$(SCRIPTS)),,$(HABIT_CHECKS))

exercises: need-check ## check the answers and the stubs of all exercises
	$(call built,exercise-programs)
	$(RUN_TESTS) $(EXERCISE_CHECKS)

# All that the tests run, so that tests which run side by side find it built. The longest tests come first.
test-programs: $(UNIT_TESTS) exercise-programs $(WEAVER) $(SAMPLE) $(SMALL_GPT) $(CHAT) $(SMALL_CHAT) $(ON_TERMINAL) $(DRAW) \
	$(SMALL_UNCLIP) $(BALANCE) $(SMALL_AGENT)
exercise-programs: $(EXERCISE_PROGRAMS)

need-check: setup-check
	$(QUIET)echo '#include <check.h>' | $(CC) -E -o /dev/null - 2>/dev/null || \
		{ echo "The tests need the library Check. Type: sudo apt-get install check pkg-config" >&2; exit 1; }

# Many versions of a chapter's answers, compiled as one file: TOGETHER makes it, variants.c there runs the tests on each.
VERSIONS := $(TREE)/tests/exercises/wrong
SIGNATURES := tests/exercises/signatures.awk
TOGETHER := $(SIGNATURES) tests/exercises/wrong/together.awk
$(VERSIONS)/variants.o: COURSE_CPPFLAGS += -I. -Itests/unit -Itests/exercises
WRONG_PROGRAMS := $(ANSWERED:%=$(VERSIONS)/wrong_%)

# ---- The teacher's grader (tests/grader) ----------------------------------------------------------------------------------
# One program grades one chapter: its tests, linked with stubs that hand each call to a worker, a program of its own that
# holds the student's code. Everything but the student's file is built beforehand, into GRADER/NN, the chapter's harness.

GRADER          := $(TREE)/tests/grader
GRADED          := $(sort $(patsubst tests/grader/hidden_%.c,%,$(wildcard tests/grader/hidden_[0-9]*.c)))
GRADER_PROGRAMS := $(foreach g,$(GRADED),$(GRADER)/grade-$g)

# Of what takes long, a third is tried each day and another the next; FULL=1, or GRADED=09 for one chapter, tries all of it.
DAY             := $(shell date +%j | sed 's/^0*//')
TODAYS          := $(if $(call on,FULL)$(filter-out file,$(origin GRADED)),$(GRADED),$(shell \
	printf '%s\n' $(GRADED) | awk -v day=$(DAY) 'NR % 3 == day % 3'))
MUTANT_PROGRAMS := $(TODAYS:%=$(GRADER)/mutants_%)
GRADER_OBJECTS  := $(patsubst %,$(GRADER)/%.o,grade ending folders lock roster table report examine submission toolchain listing object \
	scan tool turn apart jail filter caller hidden) \
	$(TREE)/tests/unit/suite.o
$(GRADER)/%.o: COURSE_CPPFLAGS += -I. -Itests/unit
WORKER_FLAGS    := -std=c11 -O2 $(MACHINE) -ffp-contract=off -fno-math-errno -fno-trapping-math \
	-fopenmp-simd -fno-pie -I. $(WARNINGS) -Wno-unused-variable
WORKER_COMPILE   = $(CC) $(COURSE_CPPFLAGS) $(CPPFLAGS) $(WORKER_FLAGS) $(CFLAGS)
WORKER_SOURCES  := $(filter-out common/base/arena.c,$(EXERCISE_LIBRARY)) \
	tests/grader/worker.c tests/grader/entry.c tests/grader/guarded.c tests/grader/packed.c
WORKER_OBJECTS  := $(WORKER_SOURCES:%.c=$(GRADER)/worker/%.o)
WORKER_HEADERS  := $(wildcard common/base/*.h $(patsubst %,common/matrix/%.h,matrix own_words gemm eigen vectors lanes)) common/lesson/exercise.h

$(GRADER)/worker/common/%.o: COURSE_CPPFLAGS += -Daligned_alloc=library_aligned_alloc # not the student's: guarded.c
$(WORKER_OBJECTS): $(GRADER)/worker/%.o: %.c
	@mkdir -p $(@D)
	$(call compile,$(WORKER_COMPILE))
$(GRADER)/probe: tests/grader/probe.c tests/grader/wire.h $(GRADER)/worker/tests/grader/entry.o
	@mkdir -p $(@D)
	$(QUIET)$(WORKER_COMPILE) -static -Wl,--entry=worker_entry $(filter-out %.h,$^) -o $@

# $1 number, $2 chapter folder
define grader_rule
$(GRADER)/$1/stubs.c: what = stubs
$(GRADER)/$1/adapters.c: what = adapters
$(GRADER)/$1/reference.h: what = reference
$(GRADER)/$1/names: what = names
$(GRADER)/$1/redefine: what = redefine
$(GRADER)/$1/stubs.c $(GRADER)/$1/adapters.c $(GRADER)/$1/reference.h $(GRADER)/$1/names $(GRADER)/$1/redefine: \
		chapters/$2/exercise.h $(SIGNATURES) tests/grader/generate.awk
	@mkdir -p $$(@D)
	$$(QUIET)awk -v what=$$(what) -f $(SIGNATURES) -f tests/grader/generate.awk $$< > $$@
$(GRADER)/$1/stubs.o: $(GRADER)/$1/stubs.c
	$$(call compile,$$(COMPILE) -I. -Ichapters/$2)
$(GRADER)/$1/reference.o: $(TREE)/chapters/$2/solution.o $(GRADER)/$1/redefine
	$$(QUIET)objcopy --redefine-syms=$(GRADER)/$1/redefine $$< $$@
$(GRADER)/hidden_$1.o: COURSE_CPPFLAGS += -Ichapters/$2 -I$(GRADER)/$1
$(GRADER)/hidden_$1.o: $(GRADER)/$1/reference.h
$(GRADER)/$1/worker.o: $(GRADER)/$1/adapters.c $(WORKER_OBJECTS)
	$$(QUIET)$$(WORKER_COMPILE) -Ichapters/$2 -c $$< -o $(GRADER)/$1/adapters.o
	$$(QUIET)ld -r -o $$@ $(GRADER)/$1/adapters.o $(WORKER_OBJECTS)
$(GRADER)/$1/harness: $(GRADER)/$1/worker.o $(GRADER)/$1/names $(GRADER)/probe tests/grader/allocator.txt \
		$(WORKER_HEADERS) chapters/$2/exercise.h chapters/$2/solution.c
	$$(QUIET)rm -rf $(GRADER)/$1/include && mkdir -p $(GRADER)/$1/include
	$$(QUIET)for h in $(WORKER_HEADERS:common/%=%); do mkdir -p $(GRADER)/$1/include/$$$${h%/*} && \
		cp common/$$$$h $(GRADER)/$1/include/$$$$h || exit 1; done
	$$(QUIET)cp chapters/$2/exercise.h $(GRADER)/$1/include/ && cp chapters/$2/solution.c $(GRADER)/probe $(GRADER)/$1/
	$$(QUIET)cp tests/grader/allocator.txt $(GRADER)/$1/allocator && touch $$@
$(GRADER)/grade-$1: $(GRADER_OBJECTS) $(GRADER)/$1/stubs.o $(GRADER)/$1/reference.o $(GRADER)/hidden_$1.o \
		$(TREE)/tests/exercises/exercise_$1.o $(LIBRARY) $(GRADER)/$1/harness
	$$(call link,$$(filter %.o %.a,$$^),$$(CHECK_LIBS) $$(LIBRARIES))
endef
$(foreach g,$(GRADED),$(eval $(call grader_rule,$g,$(notdir $(firstword $(wildcard chapters/$g-*))))))

$(TREE)/tests/unit/test_report.o $(TREE)/tests/unit/test_filter.o: COURSE_CPPFLAGS += -I.
GRADER_TOOLS    := $(GRADER)/check_format $(GRADER)/without
$(GRADER_TOOLS): %: %.o
	$(call link,$^,)

ifneq ($(GRADED),)
test-programs: grader-programs $(GRADER_TOOLS)
ifeq ($(filter no,$(SCRIPTS))$(filter-out release,$(MODE)),)
test-programs: $(WRONG_PROGRAMS) $(MUTANT_PROGRAMS)
endif
endif

# Where SCRIPTS=no, what no compiler can change is left out; asan looks at the grader's own memory too.
GRADER_PARTS := cheats honest seeds
ifeq ($(filter no,$(SCRIPTS)),)
GRADER_PARTS += crowd odd class faults formats jobs without
else ifeq ($(MODE),asan)
GRADER_PARTS += faults formats
endif
.PHONY: test-grader test-mutants
test-grader:
	$(call built,$(GRADER_PROGRAMS) $(GRADER_TOOLS))
	$(QUIET)CC=$(call quote,$(COMPILER)) FULL=$(call on,FULL) SEEDS=$(if $(filter no,$(SCRIPTS)),2,20) \
		EVERY=$(if $(call on,FULL),1,$(if $(filter no,$(SCRIPTS)),6,3)) \
		FIRST=$$(($(DAY) + $(if $(filter asan,$(MODE)),2,$(if $(filter no,$(SCRIPTS)),1,0)))) sh tests/grader/test_grader.sh $(GRADER) \
		$(GRADER_PARTS) $(if $(call on,FULL),wrong)
# Mutants of the answers, compiled as one file for each chapter, as the wrong answers are; with the hidden tests.
define mutants_rule
$(GRADER)/mutants/$1.o: chapters/$2/solution.c chapters/$2/exercise.h tests/grader/mutants.sh tests/grader/mutate.awk $(TOGETHER)
	$$(QUIET)sh tests/grader/mutants.sh $$(@:.o=) $$@ chapters/$2 $$(COMPILE) -O1 -g0 -w -Ichapters/$2 $(UNDEFINED_TRAPS)
$(GRADER)/mutants_$1: $(GRADER)/mutants/$1.o $(VERSIONS)/variants.o $(TREE)/tests/exercises/exercise_$1.o $(GRADER)/hidden_$1.o \
		$(GRADER)/hidden.o $(GRADER)/$1/reference.o $(TREE)/tests/unit/suite.o $(LIBRARY)
	$$(call link,$$(filter %.o %.a,$$^),$$(CHECK_LIBS) $$(LIBRARIES))
endef
UNDEFINED_TRAPS := -ftrivial-auto-var-init=pattern -fsanitize=undefined,bounds,float-cast-overflow -fsanitize-undefined-trap-on-error
$(foreach g,$(GRADED),$(eval $(call mutants_rule,$g,$(notdir $(firstword $(wildcard chapters/$g-*))))))
test-mutants:
	$(call built,$(GRADER_PROGRAMS) $(MUTANT_PROGRAMS))
	$(QUIET)CC=$(call quote,$(COMPILER)) ONLY="$${ONLY:-^($$(echo $(TODAYS) | tr ' ' '|'))$$}" sh tests/grader/test_grader.sh $(GRADER) mutants
TEST_EXTRAS += $(if $(GRADED),test-grader test-packages $(if $(filter release,$(MODE)),test-mutants))

# CHAPTER=1, 01 or the name of its folder.
GRADE_CHAPTER := $(if $(strip $(CHAPTER)),$(if $(word 2,$(CHAPTER)),,$(firstword $(foreach g,$(GRADED),$(if $(filter \
	$g $(g:0%=%) $(notdir $(wildcard chapters/$g-*)),$(CHAPTER)),$g)))),$(firstword $(GRADED)))
GRADE := $(GRADER)/grade-$(GRADE_CHAPTER) --harness $(GRADER)/$(GRADE_CHAPTER) --compiler $(call quote,$(COMPILER)) --arch $(PROCESSOR)
# $(call given,NAME,what it is): the grader is there, and the setting NAME too
given = $(QUIET)$(if $(GRADED),$(if $(GRADE_CHAPTER),[ -n "$$$1" ] || { echo "Say $1=$2" >&2; exit 2; }, \
	printf 'CHAPTER=%s: there are graders for the chapters %s\n' "$$CHAPTER" "$(GRADED:0%=%)" >&2; exit 2), \
	echo "The grader is not in this folder: your teacher has it. make grade1 runs the public tests." >&2; exit 2)
.PHONY: grade-class grade-one grader-programs
grader-programs: $(GRADER_PROGRAMS)
grade-class: need-check ## DIR=submissions OUT=grades [CHAPTER=1] [SEED=] [JOBS=]
	$(call given,DIR,folder: one folder or .c file a student)
	$(call built,$(GRADER)/grade-$(GRADE_CHAPTER))
	$(QUIET)exec $(GRADE) $${SEED:+--seed "$$SEED"} $${JOBS:+--jobs "$$JOBS"} --out "$${OUT:-grades}" -- "$$DIR"
grade-one: need-check ## grade one file as a teacher would: FILE=… [CHAPTER=1] [SEED=]
	$(call given,FILE,exercise.c)
	$(call built,$(GRADER)/grade-$(GRADE_CHAPTER))
	$(QUIET)exec $(GRADE) $${SEED:+--seed "$$SEED"} --out $(BUILD)/grade-one --one -- "$$FILE"
#: hiddenN ## the hidden tests on your own exercise.c, with a fresh seed
handout: ## the course without answers, for students: OUT=folder
	$(QUIET)sh tests/exercises/course.sh handout "$$OUT"

# One chapter's grader, packed for a service that grades (tests/grader/package.sh).
.PHONY: gradescope autolab classroom50 workflow test-packages
gradescope: ## pack a chapter's grader for Gradescope: CHAPTER=1 [OUT=] [SEED=]
autolab: ## the same for Autolab: CHAPTER=1 [OUT=] [SEED=]
classroom50: ## the same for Classroom 50: CHAPTER=1 [OUT=] [SEED=]
gradescope autolab classroom50:
	$(QUIET)$(if $(GRADE_CHAPTER),,printf 'CHAPTER=%s: there are graders for the chapters %s\n' "$$CHAPTER" "$(GRADED:0%=%)" >&2; exit 2)
	$(QUIET)sh tests/grader/package.sh $@ $(GRADE_CHAPTER) "$${OUT:-$(BUILD)/packages/$@-$(GRADE_CHAPTER:0%=%)}"
workflow: ## files for CI services, into a handout: public tests at each push: OUT=folder
	$(QUIET)sh tests/grader/package.sh workflow "$$OUT"
test-packages:
	$(call built,$(GRADER_TOOLS))
	$(QUIET)sh tests/grader/test_packages.sh $(GRADER)/check_format "$(TEST_MAKE)"

# ---- Fuzzing (tests/fuzz) -------------------------------------------------------------------------------------------------
# Each tests/fuzz/fuzz_NAME.c hands bytes to a reader. make fuzz links them with libFuzzer, in a tree of its own (MODE=fuzz);
# make test-fuzz links the same with replay.c, and tries what is kept: seeds, findings, long files.

FUZZERS       := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(FUZZERS:%=$(TREE)/tests/fuzz/fuzz_%)
FUZZ_OBJECTS  := $(patsubst %,$(TREE)/tests/fuzz/%.o,fuzz safetensors_frame tokenizer_frame $(if $(filter fuzz,$(MODE)),,replay))
FUZZ_SEEDS    := $(TREE)/tests/fuzz/seeds
FUZZ_LINK     := -Wl,--wrap=exit
FUZZ_CC       := $(if $(findstring clang,$(notdir $(COMPILER))),$(CC),clang)
ifeq ($(MODE),fuzz)
COURSE_CFLAGS   := $(filter-out -fopenmp,$(COURSE_CFLAGS)) -Wno-unknown-pragmas -Wno-pass-failed -Wno-unused-variable -Wno-unused-function
COURSE_CPPFLAGS := -Itests/fuzz/one_thread -DFUZZ_TREE $(COURSE_CPPFLAGS)
# Nothing is read there, and clang takes minutes to watch each step of the widest loops.
$(patsubst %.c,$(TREE)/%.o,$(filter-out common/matrix/matrix.c,$(wildcard common/matrix/*.c common/learning/ops/*.c))): \
	COURSE_CFLAGS := $(filter-out -fsanitize=% -fno-sanitize-recover=%,$(COURSE_CFLAGS))
FUZZ_LINK += -fsanitize=fuzzer $(foreach f,fopen fdopen fclose open_memstream mmap munmap pcre2_jit_compile_8 pcre2_jit_stack_create_8,-Wl$(comma)--wrap=$f)
endif

$(TREE)/tests/fuzz/%.o: COURSE_CPPFLAGS += -I. -Itests/fuzz
$(TREE)/tests/fuzz/fuzz_scan: $(GRADER)/scan.o
$(TREE)/tests/fuzz/fuzz_listing: $(GRADER)/listing.o $(GRADER)/object.o
$(TREE)/tests/fuzz/fuzz_submission: $(patsubst %,$(GRADER)/%.o,submission toolchain listing object scan turn)
$(TREE)/tests/fuzz/fuzz_report: $(GRADER)/report.o
$(TREE)/tests/fuzz/fuzz_notebook: $(NOTEBOOK)
$(FUZZ_PROGRAMS): $(TREE)/%: $(TREE)/%.o $(FUZZ_OBJECTS) $(LIBRARY)
	$(call link,$(filter-out $(LIBRARY),$^) $(LIBRARY),$(FUZZ_LINK) $(LIBRARIES))
$(FUZZ_SEEDS): $(FUZZ_SEEDS).o $(LIBRARY)
	$(call link,$^,$(LIBRARIES))

.PHONY: fuzz fuzz-run fuzz-programs test-fuzz $(FUZZERS:%=fuzz-%)
fuzz-programs: $(FUZZ_PROGRAMS) $(FUZZ_SEEDS)
fuzz: setup-check ## feed every reader with damaged files: SECONDS=60 each [NAME=csv] [SEED=] [JOBS=1]
	$(QUIET)sh tests/fuzz/fuzz.sh check $(FUZZ_CC)
	+$(QUIET)$(MAKE) --no-print-directory MODE=fuzz CC=$(call quote,$(FUZZ_CC)) fuzz-run
fuzz-run:
	$(call built,fuzz-programs)
	$(QUIET)FUZZ_SECONDS=$(call quote,$(or $(SECONDS),60)) sh tests/fuzz/fuzz.sh run $(TREE)/tests/fuzz $(BUILD)/fuzz $(if $(NAME),"$$NAME",$(FUZZERS))
#: fuzz-NAME ## the same for one reader
$(FUZZERS:%=fuzz-%): fuzz-%:
	+$(QUIET)$(MAKE) --no-print-directory fuzz NAME=$*
test-fuzz: setup-check
	$(call built,fuzz-programs)
	$(QUIET)sh tests/fuzz/fuzz.sh replay $(TREE)/tests/fuzz $(TREE)/tests/fuzz/made $(FUZZERS)
TEST_EXTRAS += $(if $(FUZZERS),test-fuzz)# not in a handout

# ---- Exercises (tests/exercises) ------------------------------------------------------------------------------------------
# What a student types. The programs grade_NN are built with MODE=asan, and the student's file without optimisation and
# with local variables that hold rubbish until they are given a value.

GRADE_PROGRAMS := $(EXERCISES:%=$(TREE)/tests/exercises/grade_%)
define grade_rule
$(TREE)/tests/exercises/grade_$1: $(TREE)/chapters/$2/exercise.o $(TREE)/tests/exercises/exercise_$1.o
$(if $(filter asan,$(MODE)),$(TREE)/chapters/$2/exercise.o: COURSE_CFLAGS += -O0 -ftrivial-auto-var-init=pattern)
endef
$(foreach e,$(EXERCISES),$(eval $(call grade_rule,$e,$(notdir $(firstword $(wildcard chapters/$e-*))))))
$(TREE)/tests/exercises/exercise_grade.o: COURSE_CPPFLAGS += -Itests/unit
$(GRADE_PROGRAMS): $(TREE)/tests/exercises/exercise_grade.o $(EXERCISE_LIBRARY:%.c=$(TREE)/%.o)
	$(call link,$^,$(CHECK_LIBS) -lm)

COURSE := COURSE_MAKE="$(TEST_MAKE) MODE=asan WERROR=" COURSE_TREE=$(call tree,asan) COURSE_STATE=$(BUILD)/progress \
	sh tests/exercises/course.sh

#: gradeN ## run the tests on your exercise.c: points, what is not right yet
#: hintN ## a hint: TASK=2 LEVEL=1 (to 3); default: your next task
#: watchN ## grade again at each save, until everything passes
#: debugN ## run one test in the debugger: TEST=name
#: resetN ## put the stubs back into exercise.c (asks, keeps a copy)
#: solutionN ## show our answers, once yours pass (or FORCE=1) [TASK=2]
.PHONY: learn progress handout
# Named one by one: a pattern rule grade% would take every grade.c, in whatever folder, for something to make.
define course_rule
.PHONY: $(EXERCISE_NUMBERS:%=$1%)
$(EXERCISE_NUMBERS:%=$1%): $1%: $2
	$$(QUIET)$$(COURSE) $1 $$*
endef
$(foreach v,grade watch debug hidden,$(eval $(call course_rule,$v,need-check)))
$(foreach v,hint reset solution,$(eval $(call course_rule,$v)))
learn: need-check ## go from task to task: grades at each save, keys n h s q [CHAPTER=1]
	$(QUIET)$(COURSE) learn $${CHAPTER:+"$$CHAPTER"}
progress: need-check ## show how far you are in every chapter
	$(QUIET)$(COURSE) progress

# Typical wrong answers must fail their tasks. Those of a chapter, each a version of its solution, are compiled as one file.
define wrong_rule
$(VERSIONS)/$1/list: chapters/$2/solution.c chapters/$2/wrong.txt tests/exercises/wrong/edit.awk
	$$(QUIET)rm -rf $$(@D) && mkdir -p $$(@D)
	$$(QUIET)awk -v folder=$$(@D) -f tests/exercises/wrong/edit.awk $$(filter chapters/%,$$^) > $$@
$(VERSIONS)/$1.c: $(VERSIONS)/$1/list chapters/$2/exercise.h $(TOGETHER)
	$$(QUIET)awk $(TOGETHER:%=-f %) chapters/$2/exercise.h chapters/$2/solution.c $(VERSIONS)/$1/*.c > $$@
$(VERSIONS)/$1.o: $(VERSIONS)/$1.c
	$$(call compile,$$(COMPILE) -O1 -g0 -w -Ichapters/$2)
$(VERSIONS)/wrong_$1: $(VERSIONS)/$1.o $(VERSIONS)/variants.o $(TREE)/tests/exercises/exercise_$1.o $(TREE)/tests/unit/suite.o $(LIBRARY)
endef
$(foreach e,$(ANSWERED),$(eval $(call wrong_rule,$e,$(notdir $(firstword $(wildcard chapters/$e-*))))))
$(WRONG_PROGRAMS):
	$(call link,$(filter-out $(LIBRARY),$^) $(LIBRARY),$(CHECK_LIBS) $(LIBRARIES))

# This is about the tests, not about memory, so one mode is enough.
TEST_EXTRAS += $(if $(ANSWERED),test-make test-course $(if $(filter release,$(MODE)),test-wrong))
.PHONY: test-wrong test-course test-make
test-course: need-check
	$(call built,$(ON_TERMINAL))
	$(QUIET)bash tests/tools/test_course.sh "$(TEST_MAKE)" $(ON_TERMINAL)
test-wrong: need-check
	$(call built,$(WRONG_PROGRAMS))
	$(QUIET)sh tests/exercises/test_wrong.sh $(VERSIONS) $$WRONG
test-make:
	$(QUIET)sh tests/tools/test_make.sh "$(TEST_MAKE)" $(TREE)

# Claims are proven by breaking what they are about: each line of tests/claims/NN.txt breaks a chapter. Like verify, this runs
# chapters on their data, which `make test` does not.
CLAIMED_DATA = $(foreach c,$(CHAPTERS),$(if $(wildcard tests/claims/$(firstword $(subst -, ,$c)).txt),$(call chapter_data,$c)))

.PHONY: test-claims
test-claims: setup-check $(CLAIMED_DATA) ## break chapters, and see their claims fail: a few, others each day; N=9 a chapter's, FULL=1 all
	$(call built,$(LIBRARY))
	$(QUIET)sh tests/claims/test_claims.sh $(TREE) "$(COMPILE)" "$(LIBRARIES) $(LDLIBS)" $$N

# ---- The elementary functions and the same bits (tests/unit/test_mathf.c, tests/bits.c) --------------------------------------

.PHONY: test-mathf-all
test-mathf-all: ## try exp, log, tanh, … on every float there is (minutes)
	$(call built,$(TREE)/tests/unit/test_mathf)
	$(QUIET)EXHAUSTIVE=1 nice $(TREE)/tests/unit/test_mathf

# The rooms that compute: nothing but the C library is needed, for whatever processor.
BITS := $(TREE)/tests/bits
# Of the models, those of classical learning; the others are operations that are hashed by themselves, and files.
$(BITS): $(BITS).o $(filter $(patsubst %,$(TREE)/common/%/%,base matrix learning) \
	$(patsubst %,$(TREE)/common/models/%.o,block boxes decoder diffusion gpt isolation_forest kmeans map nn pca sampler svm tree unet),$(COMMON_OBJECTS))
	$(call link,$^,$(filter -static -lm,$(LIBRARIES)))

.PHONY: bits
bits: ## compare compilers, processors, threads: the same bits?
	$(QUIET)MAKE="$(THIS_MAKE)" sh common/tools/bits.sh

# ---- Benchmarks (tests/bench) -------------------------------------------------------------------------------------------
# Each tests/bench/bench_NAME.c is a program; what it prints is described in tests/bench/bench.h.

BENCHES       := $(patsubst tests/bench/bench_%.c,%,$(wildcard tests/bench/bench_*.c))
BENCH_CHOSEN  := $(if $(NAME),$(filter $(NAME),$(BENCHES)),$(BENCHES))
BENCH_UNKNOWN := $(filter-out $(BENCHES),$(NAME))
BENCH_HELP    := $(findstring --help,$(ARGS))
BENCH_PEERS   := $(patsubst %.c,$(TREE)/%,$(wildcard tests/bench/peers/*.c))

$(TREE)/tests/bench/bench.o: COURSE_CPPFLAGS += '-DBENCH_ARCH="$(ARCH)"'
$(BENCHES:%=$(TREE)/tests/bench/bench_%): $(TREE)/%: $(TREE)/%.o $(patsubst %,$(TREE)/tests/bench/%.o,bench distance openblas progress watch) $(LIBRARY)
	$(call link,$^,$(LIBRARIES))
$(BENCH_PEERS): $(TREE)/%: $(TREE)/%.o
	$(QUIET)$(CC) $< -ldl -lm -o $@

.PHONY: bench bench-programs test-bench
bench-programs: $(BENCH_CHOSEN:%=$(TREE)/tests/bench/bench_%) $(if $(PEERS),$(BENCH_PEERS))
bench: $(if $(BENCH_HELP),,$(call stamps,$(sort $(foreach b,$(BENCH_CHOSEN),$(call sets_of_bench,$b)))))
bench: ## how fast it is (NAME="gemm lstm"; PEERS=1 beside other libraries; ARGS=--help tells more)
	$(QUIET)$(if $(BENCH_UNKNOWN)$(if $(BENCHES),,none),echo "NAME=$$NAME: there are $(BENCHES)" >&2; exit 1)
	$(if $(BENCH_HELP),,$(call built,bench-programs))
	$(QUIET)$(ALONE) env BENCH_PEERS=$(call quote,$(PEERS)) sh tests/bench/run.sh $(TREE)/tests/bench $(BENCH_CHOSEN)
TEST_EXTRAS += $(if $(BENCHES),test-bench)# not in a handout
test-bench:
	$(QUIET)sh tests/tools/test_bench.sh

endif # of what was typed right
