# A Gentle Walk into Deep Learning, in C. `make help` lists what you can type.
#
# Settings, each on the command line or in the environment:
#   CC=gcc|clang     the compiler                      ARCH=native|x86-64-v3|…   the processor to build for (-march)
#   MODE=release|asan   asan stops at the first memory error or undefined behaviour
#   FULL=1           chapters train longer             WERROR=1   warnings are errors (as in CI)
#   BUILD=folder     where everything generated goes (default build)
#   OPENMP=no        one thread only, as with a compiler that has no OpenMP

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# make predefines CC, so "CC ?= gcc" would never fire.
ifeq ($(origin CC),default)
CC := gcc
endif
ARCH ?= native
MODE ?= release
BUILD ?= build

# A team of threads that spins while it waits is a little faster alone, and ten times slower as soon as another program
# wants one of its cores. Benchmarks, which need the machine for themselves, spin for a moment.
export OMP_WAIT_POLICY ?= passive

# The chapters keep their pictures' data and scripts there.
export COURSE_BUILD ?= $(BUILD)

# $(call accepts,OPTION…,HEADER): the options, when the compiler knows them and finds the header; otherwise nothing
accepts = $(shell echo '$(if $2,\#include <$2>)' | $(CC) $1 -x c -E -o /dev/null - >/dev/null 2>&1 && echo "$1")

# Without OpenMP everything runs on one thread, with the same bits (common/base/parallel.h).
ifneq ($(OPENMP),no)
THREADS := $(call accepts,-fopenmp,omp.h)
endif
ifeq ($(THREADS),)
THREADS := $(or $(call accepts,-fopenmp-simd),-Wno-unknown-pragmas) -Wno-unused-function -Wno-unused-variable# named in pragmas only
SERIAL  := -serial
endif

# One object tree for each compiler, processor and mode: switching never mixes objects.
TREE := $(BUILD)/$(notdir $(CC))-$(ARCH)-$(MODE)$(SERIAL)

MODE_FLAGS_release := -O3 -g
MODE_FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
ifeq ($(MODE_FLAGS_$(MODE)),)
$(error MODE=$(MODE): there are release and asan)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
# At -O1 clang leaves loops as they are that were to become vector code, and says so.
ifneq ($(findstring clang,$(CC)),)
MODE_FLAGS_asan += -Wno-pass-failed
endif
ifdef WERROR
WARNINGS += -Werror
endif

# Nothing here may change a result: no fast-math, and no contraction that the source does not ask for.
# Without errno and traps, sqrt and selections become vector code with the same bits.
# Some compilers take a wide machine for a narrow one; this only chooses among equal instructions.
ifneq ($(filter native x86-64%,$(ARCH)),)
ifeq ($(shell uname -m),x86_64)
WIDE := $(call accepts,-mprefer-vector-width=512)
endif
endif
# Some compilers know no native processor, or call it otherwise; then the code is for any.
MACHINE := $(if $(filter native,$(ARCH)),$(or $(call accepts,-march=native),$(call accepts,-mcpu=native)),-march=$(ARCH)) $(WIDE)

# zlib and the tokenizer's libraries, where they are installed; without them it says what to install, and all else works. Looked for
# when something is linked: `make setup` may have come before.
if_header = $(if $(shell echo '\#include <$1>' | $(CC) -DPCRE2_CODE_UNIT_WIDTH=8 -E -o /dev/null - 2>/dev/null && echo yes),$2)

CFLAGS   := -std=c11 $(MODE_FLAGS_$(MODE)) $(MACHINE) -ffp-contract=off -fno-math-errno -fno-trapping-math $(THREADS) $(WARNINGS)
CPPFLAGS := -D_GNU_SOURCE -Icommon
LDLIBS    = $(call if_header,pcre2.h,-lpcre2-8) $(call if_header,cjson/cJSON.h,-lcjson) $(call if_header,uninorm.h,-lunistring) $(call if_header,zlib.h,-lz) -lm

COMMON_SOURCES := $(wildcard common/base/*.c common/matrix/*.c common/learning/*.c common/models/*.c common/lesson/*.c)
COMMON_OBJECTS := $(COMMON_SOURCES:%.c=$(TREE)/%.o)
LIBRARY        := $(TREE)/libcommon.a

CHAPTERS := $(sort $(notdir $(wildcard chapters/[0-9]*)))

.PHONY: help
help:
	@sh common/tools/help.sh Makefile

# ---- Building ---------------------------------------------------------------------------------------------------------

$(TREE)/%.o: %.c
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(COMMON_OBJECTS)
	@rm -f $@
	$(QUIET)ar rcs $@ $^

-include $(shell find $(TREE) -name '*.d' 2>/dev/null)

# V=1 shows every command.
ifndef V
QUIET := @
endif

# ---- Data ---------------------------------------------------------------------------------------------------------------
# The sets of datasets/recipes that a chapter needs; its own make target brings them. The stamp .done says that all is there.

DATA_2 := fashion-mnist
DATA_6 := fashion-mnist
DATA_7 := fashion-mnist
DATA_9 := fashion-mnist
DATA_10 := fashion-mnist
DATA_13 := time-series
DATA_14 := austen poems-small reviews
DATA_18 := bible sayings gpt2-tokenizer qwen3-tokenizer
DATA_20 := bible austen
DATA_11 := fashion-mnist
chapter_data = $(patsubst %,datasets/cache/%/.done,$(DATA_$(call chapter_number,$1)))# chapter folder → its stamps
DATA = $(sort $(foreach n,$(CHAPTER_NUMBERS),$(DATA_$n)))

datasets/cache/%/.done: datasets/recipes datasets/fetch.sh
	$(QUIET)sh datasets/fetch.sh $*

.PHONY: data data-list test-data
data: ## bring the data sets that the chapters need (or DATA="mnist …")
	$(QUIET)$(if $(strip $(DATA)),sh datasets/fetch.sh $(DATA),echo "The chapters that are written need no more data than is shipped." >&2)

data-list: ## say what data sets there are
	$(QUIET)sh datasets/fetch.sh --list

test-data:
	$(QUIET)sh tests/test_fetch.sh

# ---- Chapters -----------------------------------------------------------------------------------------------------------
# make chapter1 builds and runs chapters/01-…; its name is the folder's without the number, dashes as underscores.

chapter_name    = $(subst -,_,$(patsubst $(firstword $(subst -, ,$1))-%,%,$1))
chapter_number  = $(patsubst 0%,%,$(firstword $(subst -, ,$1)))
chapter_program = $(TREE)/chapters/$1/$(call chapter_name,$1)
CHAPTER_PROGRAMS := $(foreach c,$(CHAPTERS),$(call chapter_program,$c))
CHAPTER_NUMBERS  := $(foreach c,$(CHAPTERS),$(call chapter_number,$c))
CHAPTER_TARGETS  := $(addprefix chapter,$(CHAPTER_NUMBERS))
chapter_of = $(firstword $(wildcard chapters/$1-* chapters/0$1-*))# chapter number → its folder

$(CHAPTER_PROGRAMS): $(TREE)/%: $(TREE)/%.o $(LIBRARY)
	$(QUIET)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

# ARGS="--seed 2" hands options to the chapter.
define chapter_rule
.PHONY: chapter$(call chapter_number,$1)
chapter$(call chapter_number,$1): setup-check $(call chapter_program,$1) $(call chapter_data,$1)
	$(QUIET)$(call chapter_program,$1) $$(ARGS)
endef
$(foreach c,$(CHAPTERS),$(eval $(call chapter_rule,$c)))

#: chapterN ## run chapter N (ARGS=--help shows its options)

.PHONY: chapters
chapters: $(CHAPTER_TARGETS) ## run every chapter, one after the other

# ---- Talking with a model (common/tools/sample.c) ------------------------------------------------------------------------
# Chapter 20 leaves its model there; without it, the chapter is run first.

MODEL_20 := $(COURSE_BUILD)/models/20-tiny-gpt
SAMPLE   := $(TREE)/common/tools/sample
SMALL_GPT := $(TREE)/tests/tools/small_gpt
$(SAMPLE) $(SMALL_GPT): %: %.o $(LIBRARY)
	$(QUIET)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

.PHONY: sample test-sample
test-sample: $(SAMPLE) $(SMALL_GPT)
	$(QUIET)sh tests/tools/test_sample.sh $(SAMPLE) $(SMALL_GPT)
TEST_EXTRAS += test-sample
sample: $(SAMPLE) ## talk with chapter 20's GPT: PROMPT="In the beginning" [TEMPERATURE=] [TOP_K=] [TOP_P=] [TOKENS=] [SEED=]
	$(QUIET)[ -e $(MODEL_20)/model.safetensors ] || { echo "There is no model yet: chapter 20 trains one, in about a minute." >&2; \
		$(MAKE) --no-print-directory chapter20 >&2; }
	$(QUIET)$(SAMPLE) --model $(MODEL_20) $(if $(TEMPERATURE),--temperature $(TEMPERATURE)) $(if $(TOP_K),--top-k $(TOP_K)) \
		$(if $(TOP_P),--top-p $(TOP_P)) $(if $(TOKENS),--tokens $(TOKENS)) $(if $(SEED),--seed $(SEED)) $(if $(PROMPT),"$$PROMPT")

# A chapter that is not written yet says so.
chapter%:
	@echo "There is no chapter $* yet. There are: $(CHAPTER_TARGETS)" >&2; exit 1

# ---- The notebook -------------------------------------------------------------------------------------------------------
# make weave1 runs chapter 1 and writes its page, chapters/01-…/README.md; make verify1 runs it again and compares.

WEAVER   := $(TREE)/common/tools/weave
GLOSSARY := $(TREE)/common/tools/glossary

$(WEAVER) $(GLOSSARY): %: %.o $(LIBRARY)
	$(QUIET)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

CHAPTERS_READY := $(WEAVER) $(CHAPTER_PROGRAMS) $(foreach c,$(CHAPTERS),$(call chapter_data,$c))

.PHONY: weave verify
weave: setup-check $(CHAPTERS_READY) ## run every chapter and write its page, README.md
	$(QUIET)sh common/tools/notebook.sh weave $(TREE) $(TREE)/weave $(CHAPTERS)
verify: setup-check $(CHAPTERS_READY) ## run every chapter again, compare each byte with its page
	$(QUIET)sh common/tools/notebook.sh verify $(TREE) $(TREE)/verify $(CHAPTERS)

# weave1, verify1: the same for one chapter.
#: weaveN ## the same for chapter N
#: verifyN ## the same for chapter N
define notebook_rule
.PHONY: $1$(call chapter_number,$2)
$1$(call chapter_number,$2): setup-check $(WEAVER) $(call chapter_program,$2) $(call chapter_data,$2)
	$(QUIET)sh common/tools/notebook.sh $1 $(TREE) $(TREE)/$1 $2
endef
$(foreach c,$(CHAPTERS),$(eval $(call notebook_rule,weave,$c))$(eval $(call notebook_rule,verify,$c)))

.PHONY: book
book: weave $(GLOSSARY) ## weave, then make the web book and Jupyter notebooks
	$(QUIET)sh common/tools/book.sh $(TREE) $(BUILD) $(CHAPTERS)

.PHONY: test-weave
test-weave: $(WEAVER) $(GLOSSARY)
	$(QUIET)sh tests/tools/test_weave.sh $(TREE)

# ---- Setting up ---------------------------------------------------------------------------------------------------------
# setup-check asks nothing and installs nothing when everything is there; see common/tools/setup.sh.

.PHONY: setup setup-check
setup: ## install what is missing, or print the one line that does
	$(QUIET)CC="$(CC)" sh common/tools/setup.sh --note $(BUILD)/setup.done

# setup.done holds what was missing and could not be installed. As long as it is not empty, somebody looks again each time.
.PHONY: setup-again
setup-check: $(BUILD)/setup.done
$(BUILD)/setup.done: common/tools/setup.sh $(if $(shell cat $(BUILD)/setup.done 2>/dev/null),setup-again)
	$(QUIET)CC="$(CC)" sh common/tools/setup.sh --again $@

# What was compiled without a library is compiled again when that is there.
$(patsubst %,$(TREE)/common/%.o,lesson/idx lesson/bible lesson/plot_png models/tokenizer_file models/tokenizer_split): \
	$(wildcard $(BUILD)/setup.done)

CHAPTER_1 := $(call chapter_program,01-linear-regression)
.PHONY: test-setup test-environment
test-setup:
	$(QUIET)sh tests/tools/test_setup.sh
TEST_EXTRAS += test-setup test-environment
test-environment: $(CHAPTER_1)
	$(QUIET)sh tests/tools/test_environment.sh $<

# ---- On a new system (tests/fresh.sh) -----------------------------------------------------------------------------------

.PHONY: test-fresh
test-fresh: ## try all of it on new Debian systems [SUITES="bookworm trixie"] [STEPS="bare chapter1 data verify"] [KEEP=1]
	$(QUIET)sh tests/fresh.sh $(BUILD)/fresh

# ---- Tests --------------------------------------------------------------------------------------------------------------

UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(TREE)/%)
CHECK_LIBS   := $(shell pkg-config --libs check 2>/dev/null || echo -lcheck -lsubunit -lrt -lm -lpthread)

$(UNIT_TESTS): $(TREE)/%: $(TREE)/%.o $(TREE)/tests/unit/suite.o $(LIBRARY)
	$(QUIET)$(CC) $(CFLAGS) $^ $(CHECK_LIBS) $(LDLIBS) -o $@

# unit-matrix builds and runs one test program.
$(UNIT_SOURCES:tests/unit/test_%.c=unit-%): unit-%: $(TREE)/tests/unit/test_%
	$(QUIET)$<
.PHONY: $(UNIT_SOURCES:tests/unit/test_%.c=unit-%)

# The tests of the exercises of chapter 01 are linked with its solution.c and with its exercise.c.
EXERCISES         := $(sort $(patsubst tests/exercises/exercise_%.c,%,$(wildcard tests/exercises/exercise_[0-9]*.c)))
ANSWERED          := $(strip $(foreach e,$(EXERCISES),$(if $(wildcard chapters/$e-*/solution.c),$e)))# none in a handout
EXERCISE_PROGRAMS := $(ANSWERED:%=$(TREE)/tests/exercises/exercise_%_solution) $(EXERCISES:%=$(TREE)/tests/exercises/exercise_%_student)
EXERCISE_OBJECTS  := $(TREE)/tests/exercises/exercise_suite.o $(TREE)/tests/unit/suite.o
define exercise_rule
$(TREE)/tests/exercises/exercise_$1.o: CPPFLAGS += -Itests/unit -Ichapters/$2
$(TREE)/tests/exercises/exercise_$1_solution: $(TREE)/chapters/$2/solution.o
$(TREE)/tests/exercises/exercise_$1_student: $(TREE)/chapters/$2/exercise.o
$(TREE)/tests/exercises/exercise_$1_solution $(TREE)/tests/exercises/exercise_$1_student: \
		$(TREE)/tests/exercises/exercise_$1.o $(EXERCISE_OBJECTS) $(LIBRARY)
endef
$(foreach e,$(EXERCISES),$(eval $(call exercise_rule,$e,$(notdir $(firstword $(wildcard chapters/$e-*))))))

$(TREE)/tests/exercises/exercise_suite.o: CPPFLAGS += -Itests/unit
$(EXERCISE_PROGRAMS):
	$(QUIET)$(CC) $(CFLAGS) $(filter-out $(LIBRARY),$^) $(LIBRARY) $(CHECK_LIBS) $(LDLIBS) -o $@

comma := ,
# Each test is "name=command". Other parts of this file add theirs to TEST_EXTRAS as the names of targets.
TEST_EXTRAS    += test-data test-weave
TEST_MAKE      := env -u MAKEFLAGS -u MFLAGS $(MAKE) -s CC=$(CC) ARCH=$(ARCH) MODE=$(MODE) BUILD=$(BUILD) $(if $(SERIAL),OPENMP=no) $(if $(WERROR),WERROR=1)
UNIT_CHECKS     = $(foreach t,$(UNIT_TESTS),"$(patsubst test_%,%,$(notdir $t))=$t")
EXERCISE_CHECKS = $(foreach e,$(EXERCISES),\
	$(if $(filter $e,$(ANSWERED)),"exercises $e$(comma) answers=$(TREE)/tests/exercises/exercise_$e_solution") \
	"exercises $e, yours=$(TREE)/tests/exercises/exercise_$e_student $(firstword $(wildcard chapters/$e-*))/exercise.c")
HABIT_CHECKS   := "habits=sh common/tools/check_layers.sh" "habits are checked=sh tests/tools/test_check_layers.sh" \
	"tests are counted=sh tests/tools/test_test.sh"
EXTRA_CHECKS    = $(foreach t,$(TEST_EXTRAS),"$(patsubst test-%,%,$t)=$(TEST_MAKE) $t")
RUN_TESTS      := $(QUIET)sh common/tools/test.sh $(TREE)/test-logs

# As many programs are built at a time as there are processors, unless make was told (-j).
IN_PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

.PHONY: test exercises test-programs exercise-programs need-check
test: need-check ## check everything: units, exercises, tools, habits
	$(QUIET)$(MAKE) --no-print-directory $(IN_PARALLEL) test-programs
	$(RUN_TESTS) $(UNIT_CHECKS) $(EXERCISE_CHECKS) $(EXTRA_CHECKS) $(HABIT_CHECKS)

exercises: need-check ## check the answers and the stubs of all exercises
	$(QUIET)$(MAKE) --no-print-directory $(IN_PARALLEL) exercise-programs
	$(RUN_TESTS) $(EXERCISE_CHECKS)

test-programs: $(UNIT_TESTS) exercise-programs $(WEAVER) $(GLOSSARY)
exercise-programs: $(EXERCISE_PROGRAMS)

need-check: setup-check
	$(QUIET)echo '#include <check.h>' | $(CC) -E -o /dev/null - 2>/dev/null || \
		{ echo "The tests need the library Check. Type: sudo apt-get install check pkg-config" >&2; exit 1; }

# ---- The teacher's grader (tests/grader) ----------------------------------------------------------------------------------
# One program grades one chapter: its tests, linked with stubs that hand each call to a worker, a program of its own that
# holds the student's code. Everything but the student's file is built beforehand, into GRADER/NN, the chapter's harness.

GRADER          := $(TREE)/tests/grader
GRADED          := $(sort $(patsubst tests/grader/hidden_%.c,%,$(wildcard tests/grader/hidden_[0-9]*.c)))
GRADER_PROGRAMS := $(foreach g,$(GRADED),$(GRADER)/grade-$g)
GRADER_OBJECTS  := $(patsubst %,$(GRADER)/%.o,grade report examine submission scan tool jail caller hidden) \
	$(TREE)/tests/unit/suite.o
$(GRADER)/%.o: CPPFLAGS += -I. -Itests/unit
WORKER_FLAGS    := -std=c11 -O2 $(MACHINE) -ffp-contract=off -fno-math-errno -fno-trapping-math \
	-fopenmp-simd -fno-pie -I. $(WARNINGS) -Wno-unused-variable
WORKER_SOURCES  := $(filter-out common/base/arena.c,$(wildcard common/base/*.c common/matrix/*.c)) \
	tests/grader/worker.c tests/grader/guarded.c
WORKER_OBJECTS  := $(WORKER_SOURCES:%.c=$(GRADER)/worker/%.o)
WORKER_HEADERS  := $(wildcard common/base/*.h common/matrix/*.h) common/lesson/exercise.h

$(WORKER_OBJECTS): $(GRADER)/worker/%.o: %.c
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(CPPFLAGS) $(WORKER_FLAGS) -MMD -MP -c $< -o $@
$(GRADER)/probe: tests/grader/probe.c tests/grader/wire.h
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(CPPFLAGS) $(WORKER_FLAGS) -static $< -o $@

# $1 number, $2 chapter folder
define grader_rule
$(GRADER)/$1/stubs.c: what = stubs
$(GRADER)/$1/adapters.c: what = adapters
$(GRADER)/$1/reference.h: what = reference
$(GRADER)/$1/names: what = names
$(GRADER)/$1/redefine: what = redefine
$(GRADER)/$1/stubs.c $(GRADER)/$1/adapters.c $(GRADER)/$1/reference.h $(GRADER)/$1/names $(GRADER)/$1/redefine: \
		tests/exercises/tasks_$1.txt tests/grader/generate.awk
	@mkdir -p $$(@D)
	$$(QUIET)awk -v what=$$(what) -f tests/grader/generate.awk $$< > $$@
$(GRADER)/$1/stubs.o: $(GRADER)/$1/stubs.c
	$$(QUIET)$(CC) $(CPPFLAGS) -I. -Ichapters/$2 $(CFLAGS) -MMD -MP -c $$< -o $$@
$(GRADER)/$1/reference.o: $(TREE)/chapters/$2/solution.o $(GRADER)/$1/redefine
	$$(QUIET)objcopy --redefine-syms=$(GRADER)/$1/redefine $$< $$@
$(GRADER)/hidden_$1.o: CPPFLAGS += -Ichapters/$2 -I$(GRADER)/$1
$(GRADER)/hidden_$1.o: $(GRADER)/$1/reference.h
$(GRADER)/$1/worker.o: $(GRADER)/$1/adapters.c $(WORKER_OBJECTS)
	$$(QUIET)$(CC) $(CPPFLAGS) $(WORKER_FLAGS) -Ichapters/$2 -c $$< -o $(GRADER)/$1/adapters.o
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
	$$(QUIET)$(CC) $(CFLAGS) $$(filter %.o %.a,$$^) $(CHECK_LIBS) $(LDLIBS) -o $$@
endef
$(foreach g,$(GRADED),$(eval $(call grader_rule,$g,$(notdir $(firstword $(wildcard chapters/$g-*))))))

$(GRADER)/check_format: $(GRADER)/check_format.o
	$(QUIET)$(CC) $(CFLAGS) $^ -o $@

.PHONY: test-grader test-mutants
test-grader: grader-programs $(GRADER)/check_format
	$(QUIET)CC="$(CC)" SEEDS=$(if $(filter asan,$(MODE)),4,20) sh tests/grader/test_grader.sh $(GRADER) cheats odd seeds faults formats user $(if $(FULL),wrong)
test-mutants: grader-programs
	$(QUIET)CC="$(CC)" FULL="$(FULL)" sh tests/grader/test_grader.sh $(GRADER) mutants
TEST_EXTRAS += test-grader $(if $(filter release,$(MODE)),test-mutants)

GRADE_CHAPTER := $(or $(filter $(CHAPTER) 0$(CHAPTER),$(GRADED)),$(if $(CHAPTER),,01))
GRADE_OPTIONS := --harness $(GRADER)/$(GRADE_CHAPTER) --compiler $(CC) --arch $(ARCH) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))
.PHONY: grade-class grade-one grader-programs
grader-programs: $(GRADER_PROGRAMS)
grade-class: need-check $(GRADER)/grade-$(GRADE_CHAPTER) ## DIR=submissions OUT=grades [CHAPTER=1] [SEED=] [JOBS=]
	$(QUIET)$(if $(DIR),,echo "Say DIR=folder: one folder or .c file a student" >&2; exit 2)
	$(QUIET)$(GRADER)/grade-$(GRADE_CHAPTER) $(GRADE_OPTIONS) --out $(or $(OUT),grades) $(DIR)
grade-one: need-check $(GRADER)/grade-$(GRADE_CHAPTER) ## grade one file as a teacher would: FILE=… [CHAPTER=1] [SEED=]
	$(QUIET)$(if $(FILE),,echo "Say FILE=exercise.c" >&2; exit 2)
	$(QUIET)$(GRADER)/grade-$(GRADE_CHAPTER) $(GRADE_OPTIONS) --out $(BUILD)/grade-one --one $(FILE)

# ---- Exercises (tests/exercises) ------------------------------------------------------------------------------------------
# What a student types. The programs grade_NN are built with MODE=asan, and the student's file without optimisation and
# with local variables that hold rubbish until they are given a value.

GRADE_PROGRAMS := $(EXERCISES:%=$(TREE)/tests/exercises/grade_%)
define grade_rule
$(TREE)/tests/exercises/grade_$1: $(TREE)/chapters/$2/exercise.o $(TREE)/tests/exercises/exercise_$1.o
$(if $(filter asan,$(MODE)),$(TREE)/chapters/$2/exercise.o: CFLAGS += -O0 -ftrivial-auto-var-init=pattern)
endef
$(foreach e,$(EXERCISES),$(eval $(call grade_rule,$e,$(notdir $(firstword $(wildcard chapters/$e-*))))))
$(TREE)/tests/exercises/exercise_grade.o: CPPFLAGS += -Itests/unit
$(GRADE_PROGRAMS): $(TREE)/tests/exercises/exercise_grade.o $(filter $(TREE)/common/base/% $(TREE)/common/matrix/%,$(COMMON_OBJECTS))
	$(QUIET)$(CC) $(CFLAGS) $^ $(CHECK_LIBS) -lm -o $@

COURSE := COURSE_MAKE="$(TEST_MAKE) MODE=asan WERROR=" COURSE_PROGRAMS=$(BUILD)/$(notdir $(CC))-$(ARCH)-asan$(SERIAL)/tests/exercises \
	COURSE_STATE=$(BUILD)/progress TASK="$(TASK)" LEVEL="$(LEVEL)" TEST="$(TEST)" FORCE="$(FORCE)" sh tests/exercises/course.sh

#: gradeN ## run the tests on your exercise.c: points, what is not right yet
#: hintN ## a hint: TASK=2 LEVEL=1 (to 3); default: your next task
#: watchN ## grade again at each save, until everything passes
#: debugN ## run one test in the debugger: TEST=name
#: resetN ## put the stubs back into exercise.c (asks, keeps a copy)
#: solutionN ## show our answers, once yours pass (or FORCE=1) [TASK=2]
.PHONY: progress handout
# Named one by one: a pattern rule grade% would take every grade.c, in whatever folder, for something to make.
COURSE_NUMBERS := $(shell seq 0 99)
define course_rule
.PHONY: $(COURSE_NUMBERS:%=$1%)
$(COURSE_NUMBERS:%=$1%): $1%: $2
	$$(QUIET)$$(COURSE) $1 $$*
endef
$(foreach v,grade watch debug,$(eval $(call course_rule,$v,need-check)))
$(foreach v,hint reset solution,$(eval $(call course_rule,$v)))
progress: need-check ## show how far you are in every chapter
	$(QUIET)$(COURSE) progress
handout: ## the course without answers, for students: OUT=folder
	$(QUIET)sh tests/exercises/course.sh handout "$(OUT)"

# Typical wrong answers must fail their tasks; this is about the tests, not about memory, so one mode is enough.
TEST_EXTRAS += $(if $(ANSWERED),test-course $(if $(filter release,$(MODE)),test-wrong))
.PHONY: test-wrong test-course
test-course: need-check
	$(QUIET)bash tests/tools/test_course.sh "$(TEST_MAKE)"
test-wrong: need-check $(EXERCISES:%=$(TREE)/tests/exercises/exercise_%.o) $(EXERCISE_OBJECTS) $(LIBRARY)
	$(QUIET)sh tests/exercises/test_wrong.sh $(TREE) "$(CC) $(CPPFLAGS) $(CFLAGS) -O1" "$(CHECK_LIBS) $(LDLIBS)" $(WRONG)

# ---- The elementary functions and the same bits (tests/unit/test_mathf.c, tests/bits.c) --------------------------------------

.PHONY: test-mathf-all
test-mathf-all: $(TREE)/tests/unit/test_mathf ## try exp, log, tanh, … on every float there is (minutes)
	$(QUIET)EXHAUSTIVE=1 nice $<

# Everything but floor 5, which reads compressed files, and the tokenizer: nothing but the C library is needed, for
# whatever processor.
BITS := $(TREE)/tests/bits
$(BITS): $(BITS).o $(filter-out $(TREE)/common/lesson/% $(TREE)/common/models/tokenizer% $(TREE)/common/models/gpt_file%,$(COMMON_OBJECTS))
	$(QUIET)$(CC) $(CFLAGS) $^ $(filter -static -lm,$(LDLIBS)) -o $@

.PHONY: bits
bits: ## compare compilers, processors, threads: the same bits?
	$(QUIET)BUILD=$(BUILD) MAKE="$(MAKE)" sh common/tools/bits.sh

# ---- Benchmarks (tests/bench) -------------------------------------------------------------------------------------------
# Each tests/bench/bench_NAME.c is a program; what it prints is described in tests/bench/bench.h.

BENCHES       := $(patsubst tests/bench/bench_%.c,%,$(wildcard tests/bench/bench_*.c))
BENCH_CHOSEN  := $(if $(NAME),$(filter $(NAME),$(BENCHES)),$(BENCHES))
BENCH_PEERS   := $(patsubst %.c,$(TREE)/%,$(wildcard tests/bench/peers/*.c))

$(TREE)/tests/bench/bench.o: CPPFLAGS += '-DBENCH_ARCH="$(ARCH)"'
$(BENCHES:%=$(TREE)/tests/bench/bench_%): $(TREE)/%: $(TREE)/%.o $(TREE)/tests/bench/bench.o $(LIBRARY)
	$(QUIET)$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BENCH_PEERS): $(TREE)/%: $(TREE)/%.o
	$(QUIET)$(CC) $< -ldl -lm -o $@

.PHONY: bench bench-programs
bench-programs: $(BENCH_CHOSEN:%=$(TREE)/tests/bench/bench_%) $(if $(PEERS),$(BENCH_PEERS))
bench: ## how fast it is (NAME=gemm; PEERS=1 beside other libraries)
	$(QUIET)$(if $(BENCH_CHOSEN),,echo "NAME=$(NAME): there are $(BENCHES)" >&2; exit 1)
	$(QUIET)$(MAKE) --no-print-directory $(IN_PARALLEL) bench-programs
	$(QUIET)for name in $(BENCH_CHOSEN); do \
		env -u OMP_WAIT_POLICY GOMP_SPINCOUNT=$${GOMP_SPINCOUNT:-1000} BENCH_PEERS=$(PEERS) BENCH_PROGRAMS=$(TREE)/tests/bench/peers $(TREE)/tests/bench/bench_$$name || exit 1; done
