#!/bin/sh
# test_make.sh: what people type after make and have in their environment, tried on a copy of the course in a folder with an
# odd name. Its compilers are scripts: a program that they "link" says "begin", its arguments in brackets, and "end".
#
#   sh tests/tools/test_make.sh "MAKE COMMAND" TREE
set -u
export LC_ALL=C.UTF-8 TERM=dumb
unset MAKEFLAGS MFLAGS MAKELEVEL CC ARCH MODE BUILD WERROR FULL CFLAGS CPPFLAGS LDFLAGS LDLIBS V COURSE_BUILD MODEL MODEL_20 MODEL_26 \
    MODEL_29 PROMPT SYSTEM ARGS SEED DIR OUT FILE CHAPTER TASK LEVEL TEST FORCE NAME
scratch=$(mktemp -d "${TMPDIR:-/tmp}/test-make-XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
tab=$(printf '\t') line_end='
'

# expect NAME STATUS "text that is printed, or empty" "text that is not, or empty" COMMAND…
expect() {
    name=$1 status=$2 text=$3 absent=$4
    shift 4
    cp "$scratch/said" "$scratch/order" 2>/dev/null # what the command before has said
    "$@" >"$scratch/said" 2>&1 </dev/null
    got=$?
    if [ "$got" -eq "$status" ] && { [ -z "$text" ] || contains "$text"; } && ! { [ -n "$absent" ] && contains "$absent"; }; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name: expected status $status, \"$text\", not \"$absent\"; got status $got and:"
        head -c 1500 "$scratch/said" | sed 's/^/    /'
    fi
}
contains() { # TEXT: in what was said; it may have several lines
    said=$(cat "$scratch/said")
    case $said in *"$1"*) ;; *) return 1 ;; esac
}
nothing_ran() { [ ! -e "$scratch/ran" ]; }

# ---- What a chapter is linked from --------------------------------------------------------------------------------------

first=chapters/01-linear-regression/linear_regression.c
sound=chapters/14-lstm/lstm.c
needs() { sh common/tools/needs.sh "$@"; }
expect "a chapter needs what it includes" 0 "$first:common/matrix/gemm.c" "common/models/" needs $first
expect "and what that includes" 0 "$sound:common/matrix/gemm.c" "" needs $sound
apart() { # asked for together, programs need what they need when asked for one by one
    { needs $sound; needs $first; } | LC_ALL=C sort >"$scratch/one by one"
    needs $sound $first | cmp - "$scratch/one by one"
}
expect "each program has an answer of its own" 0 "" "" apart

# ---- The copy -----------------------------------------------------------------------------------------------------------

course="$scratch/a course: it's \$5 #1"
tree=build/gcc-native-release
mkdir -p "$scratch/bin" "$course/build" "$course/datasets" "$course/tests" "$scratch/class of Ö'Hara"
mkdir "$course/chapters" "$course/common" "$course/tests/unit" "$course/tests/exercises" "$course/tests/grader"
cp Makefile README.md "$course/"
cp -r chapters/Makefile chapters/01-* chapters/02-* "$course/chapters/"
cp -r common/Makefile common/tools "$course/common/"
for room in base matrix learning learning/ops files lesson lesson/plot models; do
    mkdir "$course/common/$room"
    for file in common/$room/*.c; do cp "$file" "$course/common/$room/" && break; done
done
cp common/lesson/exercise.h "$course/common/lesson/"
cp -r tests/Makefile tests/bits.c tests/tools "$course/tests/"
cp tests/unit/suite.c tests/unit/test_base.c "$course/tests/unit/"
cp tests/exercises/*0[12].* tests/exercises/*.sh tests/exercises/*.awk tests/exercises/exercise_[gs]*.c "$course/tests/exercises/"
cp -r tests/exercises/wrong "$course/tests/exercises/"
cp tests/grader/*0[12].c tests/grader/[a-g]*.* tests/grader/[i-z]*.* tests/grader/hidden.c "$course/tests/grader/"
printf 'exit 0\n' >"$course/datasets/fetch.sh"
cp datasets/Makefile "$course/datasets/"
touch "$course/datasets/recipes" "$course/build/setup.done"
mkdir -p "$scratch/model" && touch "$scratch/model/model.safetensors" "$scratch/model/config.json"
cat >"$scratch/program" <<END
#!/bin/sh
echo "begin \${0##*/}"
for argument; do printf '[%s]\n' "\$argument"; done
touch "$scratch/ran"
case \$0 in */chapters/*) sleep 0.05 ;; esac
echo "end \${0##*/}"
END
cat >"$scratch/bin/gcc" <<END
#!/bin/sh
# a compiler that takes every option and makes every file
out="" dependencies="" source=""
[ -z "\${BROKEN_COMPILER-}" ] || { while [ "\$1" != -o ]; do shift; done; echo half >"\$2"; exit 1; }
while [ \$# -gt 0 ]; do
    case \$1 in -o) out=\$2; shift ;; -MF) dependencies=\$2; shift ;; *.c) source=\$1 ;; esac
    shift
done
[ -z "\$dependencies" ] || echo "\${dependencies%.*-d}: \$source" >"\$dependencies"
case \$out in "" | /dev/null) ;; *) cp "$scratch/program" "\$out" ;; esac
END
cp "$scratch/bin/gcc" "$scratch/bin/ld"
printf '#!/bin/sh\nfor last; do :; done\ntouch "$last"\n' >"$scratch/bin/objcopy"
chmod +x "$scratch/bin/"* "$scratch/program"
ln -s gcc "$scratch/bin/clang"
printf '#!/bin/sh\nexec "$@"\n' >"$scratch/bin/ccache" && chmod +x "$scratch/bin/ccache"
export PATH="$scratch/bin:$PATH"
cd "$course" || exit 2

# ---- Before anything is built -------------------------------------------------------------------------------------------
# Every make waits for what the Makefile asks: once the compiler, once the library.

mkdir "$scratch/count"
for tool in gcc find; do
    printf '#!/bin/sh\necho "${0##*/} $*" >>"%s"\nexec "%s" "$@"\n' "$scratch/asked" "$(command -v $tool)" >"$scratch/count/$tool"
done
chmod +x "$scratch/count/"*
asks_once() { # COMMAND…; newer makes ask only for what they build
    rm -f "$scratch/asked"
    PATH="$scratch/count:$PATH" "$@" || return 1
    compiler=$(grep -c '^gcc' "$scratch/asked") library=$(grep -c '^find common' "$scratch/asked")
    echo "the compiler $compiler times, the library $library times"
    [ "$compiler" -eq 1 ] && [ "$library" -le 1 ]
}
expect "a make asks once" 0 "" "" asks_once make help

# ---- Building, running, in order ----------------------------------------------------------------------------------------

expect "help works wherever the course is" 0 "chapterN" "" make help
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo >"common/base/more$n.c"; done
expect "a long wait is announced" 0 "compiling 22 files, once" "" make chapter1
rm common/base/more* build/*/common/base/more*
expect "and only once" 0 "begin linear_regression${line_end}end linear_regression" "compiling" make chapter1

in_order() { # what was said has no program that begins before the last one has ended
    awk '$1 == "begin" && open != "" { bad = 1 } $1 == "begin" { open = $2; all++ } $1 == "end" { open = "" }
        END { exit bad || all < 2 }' "$scratch/order"
}
expect "make -j2 chapters" 0 "begin linear_regression${line_end}end linear_regression" "" make -s -j2 chapters
expect "runs them one after the other" 0 "" "" in_order
expect "MAKEFLAGS=-j" 0 "begin" "" env MAKEFLAGS=-j make -s chapters
expect "runs them one after the other, too" 0 "" "" in_order
expect "make -j chapter2 chapter1" 0 "end logistic_regression${line_end}begin linear_regression" "" make -s -j chapter2 chapter1
for flags in k B "-j3 --output-sync"; do
    expect "MAKEFLAGS=$flags" 0 "begin linear_regression${line_end}end linear_regression" "" env MAKEFLAGS="$flags" make chapter1
done
rm -f "$scratch/ran"
expect "make -n runs nothing" 0 "run.sh" "begin" make -n chapter1 chapters sample chat weave verify1 book test bits grade1 hint1 progress \
    grade-class grade-one handout DIR=x OUT="$scratch/handed-out" FILE=x MODEL_20="$scratch/model" MODEL="$scratch/model"
expect "MAKEFLAGS=n runs nothing" 0 "" "begin" env MAKEFLAGS=n make chapters
expect "nothing has run" 0 "" "" nothing_ran

# Two makes at once, and a compiler that fails half-way.
cp -r "$course" "$scratch/twice"
rm -rf "$scratch/twice/build/gcc-native-release"
both() (
    cd "$scratch/twice" || exit
    make -s chapter1 >one 2>&1 &
    make -s chapter1 && wait $! && cat one && find build -name '*.[0-9]*'
)
expect "two makes at once" 0 "end linear_regression${line_end}begin linear_regression${line_end}end linear_regression" "build/" both
mkdir broken && touch broken/setup.done
expect "a compiler that fails is heard" 2 "Error" "" env BROKEN_COMPILER=1 make chapter1 BUILD=broken
expect "and leaves nothing" 0 "" ".o" find broken -name '*.o*'
rm -rf broken

# ---- The compiler and its options ---------------------------------------------------------------------------------------

for compiler in "ccache gcc -m64" "$scratch/bin/gcc" "'$scratch/bin/gcc'" ""; do
    expect "CC=$compiler in the environment" 0 " -fopenmp " "***" env CC="$compiler" make -n chapter1 BUILD=other
done
expect "help with a compiler of two words" 0 "chapterN" "" make help CC="nice gcc"
expect "the grader has the compiler alone" 0 "[--compiler]${line_end}[gcc]" "" make -s grade-one FILE=x CC="nice gcc"
expect "ARCH may have options" 0 "-march=x86-64-v3 -mtune=generic" "" make -n chapter1 ARCH="x86-64-v3 -mtune=generic"
expect "a family of processors is none" 2 "ARCH=x86_64 (from the environment)" "" env ARCH=x86_64 make chapter1
expect "no shell in ARCH" 2 "ARCH=native; x" "" make chapter1 ARCH="native; x"
expect "an unknown MODE" 2 "there are release and asan" "" make chapter1 MODE=fast
expect "help all the same" 0 "chapterN" "" make help MODE=fast BUILD="a b" ARCH=arm64
for folder in "/tmp/a b" 'a;$b' "a'b" "a:b" "a#b" . // -x --; do
    expect "BUILD=$folder is refused" 2 "BUILD=$folder: make needs a folder" "" make chapter1 BUILD="$folder"
done
expect "BUILD=./bäu/ is a folder" 0 " bäu/gcc-native-release/" "" make -n chapter1 BUILD=./bäu/
expect "an empty setting is none" 0 "build/gcc-native-release/" "" make -n chapter1 BUILD= ARCH= MODE= CC=
fast=fast
for option in "-O$fast" "-O2 '-ffp-contract=$fast'"; do
    expect "CFLAGS=$option is refused" 2 "every number would be another" "" make chapter1 CFLAGS="$option"
done
for name in CPPFLAGS LDFLAGS CC; do
    expect "$name in the environment, too" 2 "every number would be another" "" env $name="gcc -f$fast-math" make chapter1
done
lacking() { # every compiler's line has what the course needs, and the user's after it
    make -n test-programs grader-programs CFLAGS=-O1 CPPFLAGS=-DMINE LDFLAGS=-L/mine LDLIBS=-lmine BUILD=other >"$scratch/lines"
    grep -e ' -c ' "$scratch/lines" | grep -v -e '-std=c11 .*-ffp-contract=off .*-O1 ' && return 1
    grep -e ' -c ' "$scratch/lines" | grep -v -e '-Icommon .*-DMINE ' && return 1
    grep -e 'gcc .*libcommon.a' "$scratch/lines" | grep -v -e '-fopenmp .*-L/mine .*-lm .*-lmine ' && return 1
    [ "$(grep -c -e ' -c ' "$scratch/lines")" -gt 20 ]
}
expect "the user's options are added to the course's" 0 "" "" lacking
expect "other options, other object files" 0 "build/gcc-native-release-" "" make -n chapter1 CFLAGS=-O2
expect "also in the environment" 0 "build/gcc-native-release-" "" env CPPFLAGS=-DX make -n chapter1

# ---- Settings are data --------------------------------------------------------------------------------------------------

for text in '$5' '--I do not know,' 'a "b" '"'c'" '`touch pwned`' '$(shell touch pwned)' '$(touch pwned); touch pwned' '海上 %# \n * \' \
    'two  blanks ' "two${line_end}lines${tab}tab"; do
    expect "PROMPT=$text" 0 "[--]${line_end}[$text]${line_end}end" "" make -s sample MODEL_20="$scratch/model" PROMPT="$text"
done
expect "PROMPT in the environment" 0 "[--]${line_end}[\$5 \`x\`]${line_end}end" "" env PROMPT='$5 `x`' make -s sample MODEL_20="$scratch/model"
expect "without PROMPT there is none" 0 "[$scratch/model]${line_end}end" "" make -s sample MODEL_20="$scratch/model"
expect "sample's settings" 0 "[--temperature]${line_end}[0;x]${line_end}[--top-k]${line_end}[\$k]${line_end}[--top-p]${line_end}[a b]" "" \
    make -s sample MODEL_20="$scratch/model" TEMPERATURE='0;x' TOP_K='$k' TOP_P='a b'
expect "sample's help needs no model" 0 "[--help]" "no model" make -s sample ARGS=--help
expect "chat's settings" 0 "[--model]${line_end}[$scratch/a b]${line_end}[--system]${line_end}[\`x\`; \$y]${line_end}[--tokens]${line_end}[5;]${line_end}[--]${line_end}[--海]${line_end}end" "" \
    make -s chat MODEL="$scratch/a b" SYSTEM='`x`; $y' TOKENS='5;' PROMPT='--海'
expect "the model of chapter 29" 0 "[--model]${line_end}[$scratch/model]${line_end}end" "" make -s chat MODEL_29="$scratch/model"
expect "chapter 29 makes it" 2 "There is no model yet" "begin chat" make -s chat
expect "chat's help needs no model" 0 "[--help]" "no model" make -s chat ARGS=--help
expect "SEED is the chapter's" 0 "[--seed]${line_end}[2; x]" "" make -s chapter1 SEED='2; x'
expect "ARGS are words" 0 "[--figures]${line_end}[a b]${line_end}[it's]${line_end}[\$(touch pwned)]${line_end}[;]${line_end}[*]${line_end}[]${line_end}end" "" \
    make -s chapter1 ARGS='--figures "a b" it\'"'"'s "$(touch pwned)"'" ; * ''"
expect "a quotation mark that is not closed" 2 "is not closed" "" make -s chapter1 ARGS="it's"
for folder in "Homework 1" "Übung \"2\", it's" '`touch pwned`$(touch pwned)' 'a;$(shell touch pwned)' -rf "two${line_end}lines"; do
    expect "grade-class DIR=$folder" 0 "[--out]${line_end}[$folder]${line_end}[--]${line_end}[$folder]${line_end}end" "" \
        make -s grade-class DIR="$folder" OUT="$folder" CHAPTER=1
done
for text in 'x;touch pwned' '`touch pwned`' '$(shell touch pwned)' '$$(touch pwned)' '$(touch pwned)' "it's \"5\"" '| touch pwned' \
    '&& touch pwned' "x${line_end}touch pwned" "x'${line_end}touch pwned #" -rf --help '*' '~' '#5 %' '\033[31m' '$(MAKE)' '$@'; do
    expect "grade-one FILE=$text" 0 "[--one]${line_end}[--]${line_end}[$text]${line_end}end" "" make -s grade-one FILE="$text"
    expect "FILE=$text in the environment" 0 "[--]${line_end}[$text]${line_end}end" "" env FILE="$text" make -s grade-one
    expect "DIR, OUT, SEED and JOBS=$text" 0 "[--seed]${line_end}[$text]${line_end}[--jobs]${line_end}[$text]${line_end}[--out]${line_end}[$text]${line_end}[--]${line_end}[$text]${line_end}end" "" \
        make -s grade-class DIR="$text" OUT="$text" SEED="$text" JOBS="$text"
    expect "all of them in the environment" 0 "[--seed]${line_end}[$text]${line_end}[--jobs]${line_end}[$text]${line_end}[--out]${line_end}[$text]${line_end}[--]${line_end}[$text]${line_end}end" "" \
        env DIR="$text" OUT="$text" SEED="$text" JOBS="$text" make -s grade-class
    expect "CHAPTER=$text" 2 "CHAPTER=$text: there are graders" "begin" make -s grade-class DIR=x CHAPTER="$text"
done
expect "grade-one FILE" 0 "[--one]${line_end}[--]${line_end}[-a \$b.c]${line_end}end" "" make -s grade-one FILE='-a $b.c'
expect "grade-class wants DIR" 2 "Say DIR=folder" "begin" make -s grade-class
expect "a chapter without a grader" 2 "CHAPTER=3: there are graders for the chapters 1 2" "begin" make -s grade-class DIR=x CHAPTER=3
for chapter in "1 2" '%$(shell touch pwned)' 1.5; do
    expect "CHAPTER=$chapter is none" 2 "CHAPTER=$chapter: there are graders" "begin" make -s grade-class DIR=x CHAPTER="$chapter"
done
for chapter in 02 02-logistic-regression; do
    expect "CHAPTER=$chapter" 0 "begin grade-02" "" make -s grade-class DIR=x CHAPTER=$chapter
done
for task in 2 02 1.2 1.02 " 2" "TASK 1.2" task2; do
    expect "TASK=$task is the second" 0 "TASK 1.2, hint 3 of 3" "" make -s hint1 TASK="$task" LEVEL=03
done
for task in '$(shell touch pwned)`touch pwned`' "\"; touch pwned; \"${line_end}--help" 1.5e3; do
    expect "TASK=$task is none" 2 "There is no TASK" "" make -s hint1 TASK="$task"
    expect "LEVEL=$task is none" 2 "has no hint" "" make -s hint1 TASK=1 LEVEL="$task"
done
for name in DATA FULL V WERROR OPENMP SCRIPTS COURSE_BUILD; do
    expect "$name in the environment is no code" 0 "" "" env $name='$(shell touch pwned)`touch pwned`' make -n chapter1 data test
done
expect "NAME is no code" 2 'NAME=`touch pwned`$(touch pwned)": there are' "" make bench NAME='`touch pwned`$(touch pwned)"'
expect "PEERS is no code" 0 "BENCH_PEERS='\`touch pwned\`'" "" make -n bench PEERS='`touch pwned`'
expect "no setting was run" 0 "" pwned ls "$course" "$scratch"

# ---- The environment ----------------------------------------------------------------------------------------------------

mkdir -p "$scratch/t m p"
printf 'echo intruder\nexit 7\n' >"$scratch/intruder"
odd_environment() { # COMMAND…: with what other people have in theirs
    env CDPATH=.:/ ENV="$scratch/intruder" BASH_ENV="$scratch/intruder" GREP_OPTIONS=-v POSIXLY_CORRECT=1 MAKELEVEL=3 SHELL=/bin/false \
        LC_ALL=tr_TR.UTF-8 IFS=e NAME=DESKTOP QUIET=echo TREE=/ TMPDIR="$1" make -s "$2" "$3"
}
for folder in "$scratch/t m p" /nowhere; do
    expect "an odd environment, TMPDIR=$folder" 0 "TASK 1.1, hint 1 of 3" intruder odd_environment "$folder" chapter1 hint1
done
expect "SHELL typed" 0 "end linear_regression" "" make -s chapter1 SHELL=/bin/false
expect "FULL=0 is off" 0 "" "FULL=1" make -n test-grader FULL=0
expect "make -C" 0 "end linear_regression" "" make -s -C "$course" chapter1
expect "make -f from elsewhere says where" 2 "Type: make -C " "" sh -c 'cd / && make -f "$1/Makefile" chapter1' sh "$scratch/twice"

# ---- Mistakes -----------------------------------------------------------------------------------------------------------

mistake() { # "what is typed" "what is said": nothing runs, and the exit status is 2
    expect "make $1" 2 "$2" "begin" make $1
}
rm -f "$scratch/ran"
expect "make -n chapter 1" 2 "Did you mean: make chapter1" "" make -n chapter 1
for typed in "chapter 1" chapter01 Chapter1 chapter-1 chaper1 "Chapter 01" 1 ch1 linear_regression chapters/01-linear-regression/ \
    "CHAPTER 1" chap1 "chap 1" c1 chapter1. chapter1/ chapter1.c chapter1.5 chapter1a "chapter[1]" 1. 第1章 linear "chapters 1"; do
    expect "make $typed" 2 "Did you mean: make chapter1$line_end" "begin" make $typed
done
mistake grade "Type make gradeN, where N is one of 1 2"
mistake "grade 1" "Did you mean: make grade1"
mistake grdae1 "Did you mean: make grade1"
mistake hint "Type make hintN"
mistake "hint 2 TASK=2" "Did you mean: make hint2"
mistake "hint1 2" "Did you mean: make hint1 TASK=2"
mistake "hint 1 TASK 2" "Did you mean: TASK=2"
mistake "chapter1 seed 5" "Did you mean: SEED=5"
mistake "test 1" "Did you mean: make grade1"
mistake exercise1 "Did you mean: make grade1"
mistake "grade1 2" "Did you mean: make grade2"
mistake "weave 1" "Did you mean: make weave1"
mistake "grade CHAPTER=2" "Did you mean: make grade2"
mistake gradeN "Type make gradeN, where N is one of 1 2"
mistake chapters/01-linear-regression/exercise.c "Did you mean: make grade1"
mistake chapter0 "There is no chapter 0 yet."
mistake Test "Did you mean: make test$line_end"
mistake "data mnist" "Did you mean: make data DATA=mnist"
mistake "sample Once" "Did you mean: make sample PROMPT=Once"
mistake benchmarks "Did you mean: make bench"
mistake unit "make unit-NAME"
mistake init "make setup"
mistake told 'There is no "told"'
expect "make ?" 2 "make help lists" "Which chapter" make '?'
mistake chapter3 "There is no chapter 3 yet."
mistake grade3 "Chapter 3 has no exercises yet."
mistake tests "make test"
mistake common "make help lists"
mistake install "make setup"
mistake run "make chapter1"
mistake clean "rm -r build"
mistake progres "Did you mean: make progress"
mistake grade_class "Did you mean: make grade-class"
mistake "sampel PROMPT=x" "Did you mean: make sample"
mistake "chat Bonjour" "Did you mean: make chat PROMPT=Bonjour"
mistake "talk" "make chat"
mistake xyzzy "make help lists"
mistake "chapter1 xyzzy" "There is no \"xyzzy\""
mistake 'a$b' "There is no \"a\$b\""
mistake "chapter1 SEDE=2" "There is no setting SEDE. Did you mean: SEED=…"
mistake "grade1 task=2" "Did you mean: TASK=…"
mistake "sample TEMPRATURE=1" "Did you mean: TEMPERATURE=…"
mistake "grade-class DIRS=x" "Did you mean: DIR=…"
expect "several goals, as one" 2 'There is no "a;b"' "" make 'a;b' 'c d' '`touch pwned`'
expect "nothing has run" 0 "" "" nothing_ran
expect "what programs heed is no mistake" 0 "end linear" "setting" make -s chapter1 OMP_NUM_THREADS=1 TERM=dumb NO_COLOR=1 LC_NUMERIC=C

# ---- In a folder below --------------------------------------------------------------------------------------------------

cd chapters/01-linear-regression || exit 2
expect "make in a chapter runs it" 0 "begin linear_regression${line_end}end linear_regression" "" make -s
expect "make -n there runs nothing" 0 "run.sh" "begin" make -n
expect "make hint there" 0 "TASK 1.2, hint 2 of 3" "" make hint TASK=2 LEVEL=2
expect "another chapter from there" 0 "begin logistic_regression" "" make -s chapter2
expect "a mistake there" 2 "Did you mean: make chapter2" "" make "chapter 2"
expect "a folder that is seen from there" 0 "[$course/chapters/01-linear-regression/a \$b]" "" make -s grade-one FILE='a $b'
expect "a setting there" 0 "[\$5 \$(shell touch pwned)]" "" make -s sample MODEL_20="$scratch/model" PROMPT='$5 $(shell touch pwned)'
for folder in .. ../../common ../../datasets ../../tests; do expect "make help in $folder" 0 "chapterN" "" make -C $folder; done
expect "each chapter has a Makefile" 0 "" chapters sh -c 'for c in ../*/; do [ -f "${c}Makefile" ] || echo "chapters: $c"; done'
cd "$course" || exit 2

# ---- Help ---------------------------------------------------------------------------------------------------------------

for script in common/tools/*.sh tests/exercises/course.sh; do
    expect "$script --help" 0 "${script##*/}" "" sh $script --help
done
expect "a handout has no teacher's commands" 0 "gradeN" "grade-class" sh -c 'rm -r tests/grader && make help'
expect "nor what else is not handed out" 0 "gradeN" "uzz" make help
for target in grade-class fuzz fuzz-csv test-fresh test-make; do
    expect "make $target there says where it is" 2 "your teacher has it" "" make $target DIR=x
done

[ -z "${SUITE_RESULT-}" ] || echo "$passed passed, $failed failed" >"$SUITE_RESULT"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
