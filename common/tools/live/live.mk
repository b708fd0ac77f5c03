# live.mk: the modules of the pages that compute in the browser: the C of the course, compiled to WebAssembly. live.sh calls it with
# OUT, the folder for what is made, and CLANG, the compiler.
#
# Debian's clang compiles for WebAssembly; it needs three more packages: lld (the linker), wasi-libc (a C library) and
# libclang-rt-NN-dev-wasm32 (what the compiler calls), 8 MB together, in Debian 12 and 13. Emscripten (800 MB, with Node.js and
# Python) would bring the same compiler and much that these pages do not need.
#
# The bits are those of every other processor: nothing is contracted, and what the library asks to be fused is fused exactly,
# by fused.h. There is one thread, and vectors are of four floats (simd128). The headers of the machine that compiles are not
# looked at: its libraries are not there in the browser.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

HERE    := common/tools/live
CHAPTER := $(wildcard chapters/01-*/linear_regression.c)
COMPILE := $(CLANG) --target=wasm32-wasi -nostdlibinc -isystem $(HERE)/system -isystem /usr/include/wasm32-wasi -std=c11 -O3 -msimd128 \
	-ffp-contract=off -fno-math-errno -fno-trapping-math -D_GNU_SOURCE -include $(HERE)/fused.h '-D__builtin_fmaf=fused_exactly' \
	-Icommon -I. '-DCHAPTER="$(CHAPTER)"' -Wall -Wextra -Wno-unknown-pragmas -Wno-unused-function -Wno-unused-variable \
	-Wno-pass-failed $(if $(filter-out 0 no,$(WERROR)),-Werror)
LINK    := $(CLANG) --target=wasm32-wasi -Wl,--strip-all

# The files that are needed; of what else is missing, the linker says the names.
rooms    = $(foreach n,$2,common/$1/$n.c)
MATRIX  := $(call rooms,base,arena base cores mathf rng) $(call rooms,matrix,gemm matrix) $(HERE)/lesson.c
DESCENT := $(MATRIX) $(call rooms,files,csv text_file) $(HERE)/descent.c
GPT     := $(MATRIX) $(call rooms,matrix,attention columns) $(call rooms,learning,parameters tensor) \
	$(call rooms,learning/ops,activation attention linear norm position shape) \
	$(call rooms,models,block gpt nn sampler tokenizer tokenizer_added) $(call rooms,tools,sample) $(HERE)/model_read.c $(HERE)/words.c

all: $(OUT)/descent.wasm $(OUT)/gpt.wasm

$(OUT)/descent.wasm: $(DESCENT:%.c=$(OUT)/%.o)
	@$(LINK) -mexec-model=reactor $^ -o $@
$(OUT)/gpt.wasm: $(GPT:%.c=$(OUT)/%.o)
	@$(LINK) $^ -o $@
$(OUT)/%.o: %.c $(HERE)/fused.h $(HERE)/live.mk
	@mkdir -p $(@D)
	@$(COMPILE) -MMD -MP -c $< -o $@

-include $(patsubst %.c,$(OUT)/%.d,$(sort $(DESCENT) $(GPT)))
