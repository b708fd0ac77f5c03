// idx.h: pictures and labels in the IDX format, the one of MNIST and Fashion-MNIST, plain or compressed with gzip.
//
//     ImageSet fashion = fashion_mnist_load(arena);
//     Matrix x = image_matrix(arena, fashion.train, 0.0f, 1.0f);    // (60000 × 784), each number from 0 to 1
//     printf("%s\n", fashion.names[fashion.train_labels[0]]);       // ankle boot
//
// An IDX file is four bytes (0, 0, type, dimensions), each dimension as four bytes with the highest first, and then the
// numbers; pictures have three dimensions (count, height, width), labels one, and the type of both is 0x08, bytes.
// LeCun, Cortes and Burges described it with MNIST (1998); Fashion-MNIST: Xiao, Rasul, Vollgraf (2017).
//
// A file is untrusted input: the header is compared with the length of the file before memory is
// asked for, and a file that is too short, too long, of another kind, or beyond the limits below stops the program with
// its name, what was found and what was expected. Missing data names the make target that brings it. A compressed file may
// have several members, one behind the other, and zero bytes at its end, as gzip allows (RFC 1952); nothing else may follow.
#pragma once
#include "base/arena.h"
#include "matrix/matrix.h"

enum {
    IDX_MAX_SIDE = 1 << 14,  // height and width of a picture
    IDX_MAX_COUNT = 1 << 26, // pictures or labels
    IDX_MAX_BYTES = 1 << 30, // of all pictures together
};

typedef struct {
    int count, height, width;
    uint8_t *bytes; // [count · height · width], picture after picture, row after row; 0 to 255
} Images;

#define idx_images(arena, path) idx_images_at(HERE, arena, path)
Images idx_images_at(Place place, Arena *arena, const char *path);

// The labels, each from 0 to classes − 1; *count receives how many.
#define idx_labels(arena, path, classes, count) idx_labels_at(HERE, arena, path, classes, count)
int *idx_labels_at(Place place, Arena *arena, const char *path, int classes, int *count);

static inline int image_size(Images images) { return images.height * images.width; }
static inline uint8_t *image_bytes(Images images, int i)
{
    return images.bytes + (size_t)i * (size_t)image_size(images);
}

// The pictures first … first + count − 1, a view.
#define image_range(images, first, count) image_range_at(HERE, images, first, count)
Images image_range_at(Place place, Images images, int first, int count);

// ---- As numbers --------------------------------------------------------------------------------------------------------
// A byte b becomes (b / 255 − mean) / deviation: mean 0 and deviation 1 scale to 0 … 1; the values of image_statistics
// standardise. One picture is one row, N = images.count.

// → (N × height · width)
#define image_matrix(arena, images, mean, deviation) image_matrix_at(HERE, arena, images, mean, deviation)
Matrix image_matrix_at(Place place, Arena *arena, Images images, float mean, float deviation);

// The same for some of the pictures, for a batch: row i of out (B × height · width) is picture indices[i].
#define image_gather(out, images, indices, mean, deviation)                                                  \
    image_gather_at(HERE, out, images, indices, mean, deviation)
void image_gather_at(Place place, Matrix out, Images images, const int *indices, float mean, float deviation);

// Mean and standard deviation (1/N) of all numbers b / 255. The sums are exact.
#define image_statistics(images, ...) image_statistics_at(HERE, images, __VA_ARGS__) /* mean, deviation */
void image_statistics_at(Place place, Images images, float *mean, float *deviation);

// ---- Two sets that many chapters use --------------------------------------------------------------------------------------

typedef struct {
    Images train, test;
    int *train_labels, *test_labels;
    const char *const *names; // [10] of the classes
} ImageSet;

// Clothes, 60000 + 10000 pictures of 28 × 28, from datasets/cache/fashion-mnist; and digits, from datasets/cache/mnist.
#define fashion_mnist_load(arena) fashion_mnist_load_at(HERE, arena, "datasets/cache/fashion-mnist")
#define mnist_load(arena)         mnist_load_at(HERE, arena, "datasets/cache/mnist")
ImageSet fashion_mnist_load_at(Place place, Arena *arena, const char *folder);
ImageSet mnist_load_at(Place place, Arena *arena, const char *folder);
