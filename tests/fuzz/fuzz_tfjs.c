// fuzz_tfjs.c: weights of TensorFlow.js: the manifest, and two files that it may name, a and b. What opens is read as matrices
// and computed again from the bytes.
#include "files/tfjs.h"
#include "fuzz.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

static FuzzPart parts[3];

static void check_tensor(Arena *arena, const TfjsFile *file, const TfjsTensor *tensor)
{
    fuzz_require(tfjs_find(file, tensor->name) == tensor, "tensor %s is not found", tensor->name);
    size_t elements = 1;
    for (int i = 0; i < tensor->rank; i++)
        fuzz_require(!__builtin_mul_overflow(elements, tensor->shape[i], &elements), "tensor %s overflows",
                     tensor->name);
    fuzz_require(elements == tensor->elements && tensor->bytes == elements * (tensor->quantised ? 1 : 4) &&
                     tensor->bytes <= parts[1].size + parts[2].size,
                 "tensor %s of %zu numbers has %zu bytes", tensor->name, elements, tensor->bytes);
    size_t rows = 1, cols = 1; // cut behind the first dimension
    for (int i = 0; i < tensor->rank; i++) *(i ? &cols : &rows) *= tensor->shape[i];
    if (rows > 1 << 20 || cols > 1 << 20) return;
    const Matrix m = tfjs_matrix(arena, file, tensor->name, (int)rows, (int)cols);
    for (size_t i = 0; i < elements; i++) {
        if (!tensor->quantised) continue;
        const double exact = tensor->data[i] * tensor->scale + tensor->minimum;
        fuzz_require(isfinite(m.data[i]) && fabs(exact - (double)m.data[i]) <= 1e-6 * fabs(exact) + 1e-40,
                     "tensor %s: byte %d is %g", tensor->name, tensor->data[i], (double)m.data[i]);
    }
    if (!tensor->quantised && elements)
        fuzz_require(memcmp(m.data, tensor->data, tensor->bytes) == 0, "tensor %s was changed", tensor->name);
}

static void open_model(void *path)
{
    Arena *arena = arena_new();
    const TfjsFile file = tfjs_open(arena, path);
    for (int i = 0; i < file.count; i++) check_tensor(arena, &file, &file.tensors[i]);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    fuzz_parts(bytes, size, parts, 3);
    mkdir(fuzz_path("tfjs"), 0700);
    const char *path = fuzz_file("tfjs/manifest.json", parts[0].bytes, parts[0].size);
    fuzz_file("tfjs/a", parts[1].bytes, parts[1].size);
    fuzz_file("tfjs/b", parts[2].bytes, parts[2].size);
    fuzz_try(open_model, (void *)path);
}
