// fuzz_idx.c: images and labels in the IDX format, plain and compressed. An input that begins with Z is compressed here:
// changed bytes of a gzip file seldom come past its checksum.
#include "fuzz.h"
#include "files/idx.h"

#include <stdlib.h>

static void images(void *context)
{
    Arena *arena = arena_new();
    Images images = idx_images(arena, context);
    float mean, deviation;
    image_statistics(images, &mean, &deviation);
    if ((size_t)images.count * (size_t)image_size(images) <= 1 << 16) {
        image_matrix(arena, images, 0.0f, 1.0f);
        Images last = image_range(images, images.count - 1, 1);
        Matrix one = matrix_new(arena, 1, image_size(images));
        image_gather(one, last, (int[]){0}, mean, 1.0f);
    }
    arena_free(arena);
}

static void labels(void *context)
{
    Arena *arena = arena_new();
    int count, *labels = idx_labels(arena, context, 10, &count);
    for (int i = 0; i < count; i++)
        fuzz_require(labels[i] >= 0 && labels[i] < 10, "label %d is %d", i, labels[i]);
    arena_free(arena);
}

void fuzz_input(const uint8_t *bytes, size_t size)
{
    bool packed = size && bytes[0] == 'Z';
    FuzzPart file = {bytes, size};
    if (packed) file = fuzz_packed((FuzzPart){bytes + 1, size - 1}, true);
    const char *path = fuzz_file("idx", file.bytes, file.size);
    if (packed) free((void *)file.bytes);
    fuzz_try(images, (void *)path);
    fuzz_try(labels, (void *)path);
}
