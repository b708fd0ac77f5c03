#include "files/idx.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parallel.h"

#if defined(__has_include) && !defined(IDX_WITHOUT_ZLIB)
#if __has_include(<zlib.h>)
#include <zlib.h>
#define IDX_ZLIB 1
#endif
#endif

enum { TYPE_BYTES = 0x08, IMAGE_DIMENSIONS = 3, LABEL_DIMENSIONS = 1 };

// Deflate's longest match, 258 bytes, takes two bits at least: no compressed byte can stand for more than 1032.
enum { DEFLATE_MOST = 1032 };

static const char *const BRING_AGAIN =
    "if the file came by `make data`, `sh datasets/fetch.sh --verify SET` brings it again";

// ---- A file, plain or compressed -----------------------------------------------------------------------------------------

typedef struct {
    Place place;
    const char *path;
    int descriptor;
    uint64_t length; // of the file as it lies on the disk
    bool compressed;
#ifdef IDX_ZLIB
    z_stream stream;
    bool between; // behind a member, before whatever comes next
    bool padded;  // zeros have been met there
    uint8_t buffer[1 << 14];
#endif
} Source;

static void source_open(Source *source, Place place, const char *path)
{
    memset(source, 0, sizeof *source);
    source->place = place;
    source->path = path;
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    source->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->descriptor < 0 && errno == ENOENT)
        die_at(place, "type `make data` in the course's top folder, or `make data DATA=SET` for one set",
               "%s is missing", path);
    check_at(place, source->descriptor >= 0, "make it readable", "%s cannot be opened: %s", path,
             strerror(errno));

    struct stat status;
    check_at(place, fstat(source->descriptor, &status) == 0 && S_ISREG(status.st_mode),
             "give the name of a file", "%s is not a file", path);
    source->length = (uint64_t)status.st_size;

    unsigned char start[2] = {0};
    check_at(place, pread(source->descriptor, start, 2, 0) >= 0, "is the disk in order?",
             "%s cannot be read: %s", path, strerror(errno));
    source->compressed = start[0] == 0x1f && start[1] == 0x8b;
#ifdef IDX_ZLIB
    enum { GZIP = 16 + MAX_WBITS }; // gzip's header and checksum around the compressed bytes
    check_at(place, !source->compressed || inflateInit2(&source->stream, GZIP) == Z_OK, "free some memory",
             "%s: not enough memory to read it", path);
#else
    check_at(place, !source->compressed,
             "install zlib1g-dev (`make setup` does), `touch common/files/idx.c`, and try again",
             "%s is compressed, and this program was built without zlib", path);
#endif
}

static size_t read_plain(Source *source, uint8_t *bytes, size_t count)
{
    ssize_t got;
    do got = read(source->descriptor, bytes, count);
    while (got < 0 && errno == EINTR);
    check_at(source->place, got >= 0, "is the disk in order?", "%s cannot be read: %s", source->path,
             strerror(errno));
    return (size_t)got;
}

#ifdef IDX_ZLIB
static bool refill(Source *source)
{
    if (source->stream.avail_in) return true;
    source->stream.next_in = source->buffer;
    source->stream.avail_in = (uInt)read_plain(source, source->buffer, sizeof source->buffer);
    return source->stream.avail_in > 0;
}

// Behind a member: zeros to the end of the file, or another member. False at the end.
static bool next_member(Source *source)
{
    for (; refill(source); source->stream.next_in++, source->stream.avail_in--) {
        if (*source->stream.next_in == 0) {
            source->padded = true;
            continue;
        }
        check_at(source->place, *source->stream.next_in == 0x1f && !source->padded, BRING_AGAIN,
                 "%s goes on after its compressed data, with the byte 0x%02x, which is no part of it",
                 source->path, *source->stream.next_in);
        source->between = false;
        inflateReset(&source->stream);
        return true;
    }
    return false;
}

static size_t read_compressed(Source *source, uint8_t *bytes, size_t count)
{
    z_stream *stream = &source->stream;
    stream->next_out = bytes;
    stream->avail_out = (uInt)count;
    while (stream->avail_out == count && (source->between ? next_member(source) : refill(source))) {
        int state = inflate(stream, Z_NO_FLUSH);
        source->between = state == Z_STREAM_END;
        check_at(source->place, state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR, BRING_AGAIN,
                 "%s is damaged: what it contains or its checksum is not right (%s)", source->path,
                 stream->msg ? stream->msg : "no memory");
    }
    return count - stream->avail_out;
}
#endif

// Reads count bytes; returns how many there were before the file, or what can be unpacked of it, ended.
static size_t source_read(Source *source, uint8_t *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        size_t chunk = count - done < 1 << 24 ? count - done : 1 << 24;
#ifdef IDX_ZLIB
        size_t got = source->compressed ? read_compressed(source, bytes + done, chunk)
                                        : read_plain(source, bytes + done, chunk);
#else
        size_t got = read_plain(source, bytes + done, chunk);
#endif
        if (got == 0) break;
        done += got;
    }
    return done;
}

// After the last number: nothing may follow, and the checksum of a compressed file must be right.
static void source_close(Source *source)
{
    uint8_t one;
    size_t more = source_read(source, &one, 1);
    check_at(source->place, more == 0, BRING_AGAIN,
             "%s goes on after the last number that its header promises", source->path);
#ifdef IDX_ZLIB
    check_at(source->place, !source->compressed || source->between, BRING_AGAIN,
             "%s ends too soon, without its checksum", source->path);
    if (source->compressed) inflateEnd(&source->stream);
#endif
    close(source->descriptor);
}

// ---- The header --------------------------------------------------------------------------------------------------------

// The four bytes at p as a number, the highest first.
static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static const char *kind_name(int dimensions)
{
    return dimensions == IMAGE_DIMENSIONS ? "pictures" : "labels";
}

static void check_magic(const Source *source, const uint8_t magic[4], int dimensions)
{
    Place place = source->place;
    check_at(place, magic[0] == 0 && magic[1] == 0, "name a file in the IDX format",
             "%s is no IDX file: it begins with the bytes %02x %02x instead of 00 00", source->path, magic[0],
             magic[1]);
    check_at(place, magic[2] == TYPE_BYTES, "convert it to bytes",
             "%s holds numbers of the IDX type 0x%02x; only bytes, 0x08, are read", source->path, magic[2]);
    if (magic[3] != dimensions && (magic[3] == IMAGE_DIMENSIONS || magic[3] == LABEL_DIMENSIONS))
        die_at(place, "is this the other file of the pair?", "%s holds %s, and %s are wanted", source->path,
               kind_name(magic[3]), kind_name(dimensions));
    check_at(place, magic[3] == dimensions, "name a file of the wanted kind",
             "%s has %d dimensions; %s have %d", source->path, magic[3], kind_name(dimensions), dimensions);
}

// Reads the header into sizes[dimensions] and returns the product, the number of bytes that must follow.
static size_t read_header(Source *source, int dimensions, int sizes[])
{
    static const char *const names[] = {"count", "height", "width"};
    static const uint32_t limits[] = {IDX_MAX_COUNT, IDX_MAX_SIDE, IDX_MAX_SIDE};
    uint8_t header[4 + 4 * IMAGE_DIMENSIONS];
    size_t length = 4 + 4 * (size_t)dimensions, got = source_read(source, header, length);
    if (got >= 4) check_magic(source, header, dimensions);
    check_at(source->place, got == length, BRING_AGAIN, "%s ends inside its header, after %zu of %zu bytes",
             source->path, got, length);

    uint64_t product = 1; // at most 2²⁶ · 2¹⁴ · 2¹⁴
    for (int i = 0; i < dimensions; i++) {
        uint32_t size = big_endian(header + 4 + 4 * i);
        check_at(source->place, size >= 1 && size <= limits[i], BRING_AGAIN,
                 "%s: its header says that the %s is %u; from 1 to %u is possible", source->path, names[i],
                 size, limits[i]);
        sizes[i] = (int)size;
        product *= size;
    }
    check_at(source->place, product <= IDX_MAX_BYTES, BRING_AGAIN,
             "%s: its header promises %llu bytes of %s; at most %d are read", source->path,
             (unsigned long long)product, kind_name(dimensions), IDX_MAX_BYTES);

    // Compared before memory is asked for, so a few bytes of lies cost nothing.
    uint64_t most = source->compressed ? source->length * DEFLATE_MOST : source->length - length;
    check_at(source->place, product <= most, BRING_AGAIN,
             "%s is too short: its header promises %llu bytes of %s, and there can be at most %llu",
             source->path, (unsigned long long)product, kind_name(dimensions), (unsigned long long)most);
    return (size_t)product;
}

static uint8_t *read_all(Place place, Arena *arena, const char *path, int dimensions, int sizes[])
{
    Source source;
    source_open(&source, place, path);
    size_t size = read_header(&source, dimensions, sizes);
    uint8_t *bytes = arena_alloc_at(place, arena, size, 1);
    size_t got = source_read(&source, bytes, size);
    check_at(place, got == size, BRING_AGAIN, "%s is too short: it ends after %zu of %zu bytes of %s", path,
             got, size, kind_name(dimensions));
    source_close(&source);
    return bytes;
}

Images idx_images_at(Place place, Arena *arena, const char *path)
{
    int sizes[IMAGE_DIMENSIONS];
    uint8_t *bytes = read_all(place, arena, path, IMAGE_DIMENSIONS, sizes);
    return (Images){.count = sizes[0], .height = sizes[1], .width = sizes[2], .bytes = bytes};
}

int *idx_labels_at(Place place, Arena *arena, const char *path, int classes, int *count)
{
    Arena *scratch = arena_new();
    const uint8_t *bytes = read_all(place, scratch, path, LABEL_DIMENSIONS, count);
    int *labels = arena_alloc_at(place, arena, (size_t)*count, sizeof *labels);
    for (int i = 0; i < *count; i++) {
        check_at(place, bytes[i] < classes, BRING_AGAIN,
                 "%s: label %d is %d; with %d classes it is at most %d", path, i, bytes[i], classes,
                 classes - 1);
        labels[i] = bytes[i];
    }
    arena_free(scratch);
    return labels;
}

// ---- As numbers --------------------------------------------------------------------------------------------------------

Images image_range_at(Place place, Images images, int first, int count)
{
    check_at(place, first >= 0 && count >= 0 && first <= images.count - count,
             "first and count must lie inside the set", "image_range: %d pictures from number %d on, of %d",
             count, first, images.count);
    return (Images){count, images.height, images.width, image_bytes(images, first)};
}

// row (D) = (bytes (D) / 255 − mean) / deviation
static void bytes_to_row(float *restrict row, const uint8_t *restrict bytes, int count, float mean,
                         float deviation)
{
    for (int j = 0; j < count; j++) row[j] = ((float)bytes[j] / 255.0f - mean) / deviation;
}

static void check_deviation(Place place, float mean, float deviation)
{
    check_at(place, isfinite(mean) && isfinite(deviation) && deviation > 0.0f,
             "mean 0 and deviation 1 scale to 0 … 1", "pictures as numbers: mean %g, deviation %g",
             (double)mean, (double)deviation);
}

Matrix image_matrix_at(Place place, Arena *arena, Images images, float mean, float deviation)
{
    check_deviation(place, mean, deviation);
    int size = image_size(images);
    Matrix out = matrix_uninitialised_at(place, arena, images.count, size);
    PARALLEL_FOR(parallel_worth(matrix_size(out)), i, images.count,
                 bytes_to_row(matrix_row(out, i), image_bytes(images, i), size, mean, deviation));
    return out;
}

void image_gather_at(Place place, Matrix out, Images images, const int *indices, float mean, float deviation)
{
    check_deviation(place, mean, deviation);
    int size = image_size(images);
    check_at(place, out.cols == size, "one picture is one row: the columns are height · width",
             "image_gather: a matrix of (%d × %d) for pictures of %d × %d", out.rows, out.cols, images.height,
             images.width);
    for (int i = 0; i < out.rows; i++)
        check_at(place, indices[i] >= 0 && indices[i] < images.count, "indices count from 0",
                 "image_gather: index %d is %d, and there are %d pictures", i, indices[i], images.count);
    // Pictures in random order come from far away in memory: the ones ahead are asked for while one is converted.
    enum { AHEAD = 3, CACHE_LINE = 64 };
    PARALLEL_FOR(parallel_worth(matrix_size(out)), i, out.rows, {
        const uint8_t *ahead = image_bytes(images, indices[int_min(i + AHEAD, out.rows - 1)]);
        for (int j = 0; j < size; j += CACHE_LINE) __builtin_prefetch(ahead + j);
        bytes_to_row(matrix_row(out, i), image_bytes(images, indices[i]), size, mean, deviation);
    });
}

void image_statistics_at(Place place, Images images, float *mean, float *deviation)
{
    // Whole numbers: at most 2³⁰ bytes, so the sums stay below 2³⁰ · 255² < 2⁴⁶ and are exact in any order.
    uint64_t sum = 0, squares = 0;
    size_t count = (size_t)images.count * (size_t)image_size(images);
    check_at(place, count > 0, "a mean needs at least one picture",
             "image_statistics: %d pictures of %d × %d", images.count, images.height, images.width);
    for (size_t i = 0; i < count; i++) {
        uint32_t byte = images.bytes[i];
        sum += byte;
        squares += byte * byte;
    }
    // The squared distances from the byte next to the mean are exact as well: of nearly equal bytes, Σ b²/n − (Σ b/n)² would
    // leave no digits.
    const int64_t n = (int64_t)count, centre = ((int64_t)sum + n / 2) / n, off = (int64_t)sum - n * centre;
    const int64_t spread = (int64_t)squares - 2 * centre * (int64_t)sum + n * centre * centre;
    const double rest = (double)off / (double)n, variance = (double)spread / (double)n - rest * rest;
    *mean = (float)((double)sum / (double)count / 255.0);
    *deviation = (float)(sqrt(variance > 0.0 ? variance : 0.0) / 255.0);
}

// ---- Two sets that many chapters use -------------------------------------------------------------------------------------

enum { CLASSES = 10 };

// One half of a set: folder/name-images-idx3-ubyte and folder/name-labels-idx1-ubyte, both with the ending.
static Images load_half(Place place, Arena *arena, const char *folder, const char *name, const char *ending,
                        int **labels)
{
    char path[4096];
    int count;
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte%s", folder, name, ending);
    Images images = idx_images_at(place, arena, path);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte%s", folder, name, ending);
    *labels = idx_labels_at(place, arena, path, CLASSES, &count);
    check_at(place, count == images.count, BRING_AGAIN, "%s has %d labels for %d pictures", path, count,
             images.count);
    return images;
}

static ImageSet load_set(Place place, Arena *arena, const char *folder, const char *ending,
                         const char *const *names, const char *hint)
{
    check_at(place, access(folder, F_OK) == 0, hint, "%s is missing", folder);
    ImageSet set = {.names = names};
    set.train = load_half(place, arena, folder, "train", ending, &set.train_labels);
    set.test = load_half(place, arena, folder, "t10k", ending, &set.test_labels);
    check_at(place, set.train.height == set.test.height && set.train.width == set.test.width, BRING_AGAIN,
             "%s: pictures to train with are %d × %d, those to test with %d × %d", folder, set.train.height,
             set.train.width, set.test.height, set.test.width);
    return set;
}

ImageSet fashion_mnist_load_at(Place place, Arena *arena, const char *folder)
{
    static const char *const names[CLASSES] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                               "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
    return load_set(place, arena, folder, ".gz", names,
                    "type `make data DATA=fashion-mnist` in the course's top folder");
}

ImageSet mnist_load_at(Place place, Arena *arena, const char *folder)
{
    static const char *const names[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    return load_set(place, arena, folder, "", names,
                    "type `make data DATA=mnist` in the course's top folder");
}
