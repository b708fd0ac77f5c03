# live.mk: the modules of the pages that compute in the browser, from the same C as everything else, compiled to WebAssembly.
# Called by live.sh with OUT, the folder for what is made, and CLANG, the compiler.
#
# Debian's clang compiles for WebAssembly; it needs three more packages: lld (the linker), wasi-libc (a small C library) and
# libclang-rt-NN-dev-wasm32 (what the compiler calls), 8 MB together, which Debian 12 and 13 have. Emscripten would bring the
# same compiler with Node.js, Python and its own libraries, a hundred times as much, for services that two pages do not need.
#
# The bits are those of every other processor: nothing is contracted, and what the library asks to be fused is fused exactly,
# by fused.h. There is one thread, and vectors are of four floats (simd128).

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

HERE  := common/tools/live
FLAGS := --target=wasm32-wasi -nostdlibinc -isystem $(HERE)/system -isystem $(SYSROOT)/include/wasm32-wasi -std=c11 -O3 -msimd128 \
	-ffp-contract=off -fno-math-errno -fno-trapping-math -D_GNU_SOURCE -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_MMAN \
	-include $(HERE)/fused.h '-D__builtin_fmaf=fused_exactly' -Icommon -Wall -Wextra -Wno-unknown-pragmas -Wno-unused-function \
	-Wno-unused-variable -Wno-pass-failed $(WARNINGS)

LIBRARY_SOURCES := $(wildcard common/base/*.c common/matrix/*.c common/learning/*.c common/learning/ops/*.c) \
	$(patsubst %,common/files/%.c,csv text_file) $(patsubst %,common/models/%.c,block gpt nn sampler tokenizer tokenizer_added)
LIBRARY_SOURCES := $(filter-out common/base/replace.c,$(LIBRARY_SOURCES))
LIBRARY := $(LIBRARY_SOURCES:%.c=$(OUT)/%.o) $(OUT)/$(HERE)/lesson.o

CHAPTER_1 := $(wildcard chapters/01-*/*_*.c)
