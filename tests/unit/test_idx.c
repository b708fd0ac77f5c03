// IDX files: good ones are read exactly, hostile ones stop the program with a message and without taking memory.
#include "files/idx.h"
#include "suite.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { HEIGHT = 3, WIDTH = 5, COUNT = 7, SIZE = HEIGHT * WIDTH, MOST = 1 << 12 };

typedef struct {
    uint8_t bytes[MOST];
    size_t length;
} Blob;

static void put(Blob *blob, uint8_t byte)
{
    ck_assert_uint_lt(blob->length, MOST);
    blob->bytes[blob->length++] = byte;
}

static void put_size(Blob *blob, uint32_t size)
{
    for (int shift = 24; shift >= 0; shift -= 8) put(blob, (uint8_t)(size >> shift));
}

static uint8_t pixel(size_t i) { return (uint8_t)(i * 37 + 11); }

static Blob images_header(uint32_t count, uint32_t height, uint32_t width)
{
    Blob blob = {.bytes = {0, 0, 8, 3}, .length = 4};
    put_size(&blob, count);
    put_size(&blob, height);
    put_size(&blob, width);
    return blob;
}

static Blob good_images(void)
{
    Blob blob = images_header(COUNT, HEIGHT, WIDTH);
    for (size_t i = 0; i < COUNT * SIZE; i++) put(&blob, pixel(i));
    return blob;
}

static Blob good_labels(void)
{
    Blob blob = {.bytes = {0, 0, 8, 1}, .length = 4};
    put_size(&blob, COUNT);
    for (int i = 0; i < COUNT; i++) put(&blob, (uint8_t)(9 - i));
    return blob;
}

static Blob compressed(Blob plain)
{
    const char *path = scratch_path("compressed");
    gzFile file = gzopen(path, "wb");
    ck_assert(file && gzwrite(file, plain.bytes, (unsigned)plain.length) == (int)plain.length);
    ck_assert_int_eq(gzclose(file), Z_OK);
    Blob blob = {.length = 0};
    FILE *again = fopen(path, "rb");
    blob.length = fread(blob.bytes, 1, MOST, again);
    fclose(again);
    return blob;
}

static const char *write_blob(Blob blob) { return scratch_file("file", blob.bytes, blob.length); }

static void expect_good_images(Images images)
{
    ck_assert_int_eq(images.count, COUNT);
    ck_assert_int_eq(images.height, HEIGHT);
    ck_assert_int_eq(images.width, WIDTH);
    for (size_t i = 0; i < COUNT * SIZE; i++) ck_assert_uint_eq(images.bytes[i], pixel(i));
}

START_TEST(pictures_are_read_plain_and_compressed)
{
    Arena *arena = arena_new();
    expect_good_images(idx_images(arena, write_blob(good_images())));
    expect_good_images(idx_images(arena, write_blob(compressed(good_images()))));
    arena_free(arena);
}
END_TEST

START_TEST(labels_are_read_plain_and_compressed)
{
    Arena *arena = arena_new();
    Blob blobs[] = {good_labels(), compressed(good_labels())};
    for (int k = 0; k < 2; k++) {
        int count = -1;
        const int *labels = idx_labels(arena, write_blob(blobs[k]), 10, &count);
        ck_assert_int_eq(count, COUNT);
        for (int i = 0; i < COUNT; i++) ck_assert_int_eq(labels[i], 9 - i);
    }
    arena_free(arena);
}
END_TEST

// ---- Hostile files -------------------------------------------------------------------------------------------------------

// Reads with room for 8 MiB only, so a reader that trusts a header dies with another message.
static void read_images(void *path)
{
    Arena *arena = arena_new_limited(8 << 20);
    Images images = idx_images(arena, path);
    unsigned total = 0; // touch every byte: they are ours
    for (size_t i = 0; i < (size_t)images.count * (size_t)image_size(images); i++) total += images.bytes[i];
    printf("%u\n", total);
    arena_free(arena);
}

static void read_labels(void *path)
{
    Arena *arena = arena_new_limited(8 << 20);
    int count = 0;
    const int *labels = idx_labels(arena, path, 10, &count);
    int total = 0;
    for (int i = 0; i < count; i++) total += labels[i];
    printf("%d\n", total);
    arena_free(arena);
}

#define expect_refusal(reader, blob, text) expect_death(reader, (void *)(uintptr_t)write_blob(blob), text)

START_TEST(a_file_of_another_kind_is_refused)
{
    Blob blob = good_images();
    blob.bytes[0] = 'P';
    expect_refusal(read_images, blob, "is no IDX file: it begins with the bytes 50 00 instead of 00 00");
    blob = good_images();
    blob.bytes[1] = 1;
    expect_refusal(read_images, blob, "is no IDX file");
    blob = good_images();
    blob.bytes[2] = 0x0d;
    expect_refusal(read_images, blob, "IDX type 0x0d; only bytes, 0x08, are read");
    blob = good_images();
    blob.bytes[3] = 2;
    expect_refusal(read_images, blob, "has 2 dimensions; pictures have 3");
    blob.bytes[3] = 0;
    expect_refusal(read_labels, blob, "has 0 dimensions; labels have 1");
    expect_refusal(read_images, good_labels(), "holds labels, and pictures are wanted");
    expect_refusal(read_labels, good_images(), "holds pictures, and labels are wanted");
}
END_TEST

START_TEST(sizes_of_nothing_and_of_too_much_are_refused)
{
    expect_refusal(read_images, images_header(0, 28, 28), "the count is 0; from 1 to 67108864");
    expect_refusal(read_images, images_header(1, 0, 28), "the height is 0; from 1 to 16384");
    expect_refusal(read_images, images_header(1, 28, 0), "the width is 0; from 1 to 16384");
    expect_refusal(read_images, images_header(0x80000000u, 28, 28), "the count is 2147483648;");
    expect_refusal(read_images, images_header(1, 0xffffffffu, 28), "the height is 4294967295;");
    expect_refusal(read_images, images_header(1, 28, 0x80000001u), "the width is 2147483649;");
    expect_refusal(read_images, images_header(1 << 26, 1 << 14, 1 << 14), "promises 18014398509481984 bytes");
    expect_refusal(read_images, images_header((1 << 10) + 1, 1 << 10, 1 << 10),
                   "at most 1073741824 are read");
    // 65536 · 65536 is 0 in 32 bits.
    expect_refusal(read_images, images_header(65536, 256, 256), "promises 4294967296 bytes");
}
END_TEST

START_TEST(a_header_that_promises_more_than_there_is_takes_no_memory)
{
    expect_refusal(read_images, images_header(1 << 10, 1 << 10, 1 << 10),
                   "is too short: its header promises");
    expect_refusal(read_images, compressed(images_header(1 << 10, 1 << 10, 1 << 10)),
                   "is too short: its header");
    Blob blob = {.bytes = {0, 0, 8, 1}, .length = 4};
    put_size(&blob, 1 << 26);
    put(&blob, 1);
    expect_refusal(read_labels, blob, "promises 67108864 bytes of labels, and there can be at most 1");
}
END_TEST

START_TEST(every_shorter_file_is_refused)
{
    for (size_t length = 0; length < 16 + COUNT * SIZE; length++) {
        Blob blob = good_images();
        blob.length = length;
        expect_refusal(read_images, blob, length < 16 ? "inside its header" : "is too short");
    }
    Blob whole = compressed(good_images());
    for (size_t length = 0; length < whole.length; length++) {
        Blob blob = whole;
        blob.length = length;
        expect_refusal(read_images, blob, "error: ");
    }
    whole.length -= 1;
    expect_refusal(read_images, whole, "ends too soon, without its checksum");
    whole.length /= 2;
    expect_refusal(read_images, whole, "is too short: it ends after");
}
END_TEST

START_TEST(bytes_after_the_last_number_are_refused)
{
    Blob blob = good_images();
    put(&blob, 0);
    expect_refusal(read_images, blob, "goes on after the last number");
    expect_refusal(read_images, compressed(blob), "goes on after the last number");
    blob = good_labels();
    put(&blob, 0);
    expect_refusal(read_labels, blob, "goes on after the last number");
}
END_TEST

static Blob join(Blob first, Blob second)
{
    for (size_t i = 0; i < second.length; i++) put(&first, second.bytes[i]);
    return first;
}

static Blob bytes_of(const char *bytes, size_t length)
{
    Blob blob = {.length = 0};
    for (size_t i = 0; i < length; i++) put(&blob, (uint8_t)bytes[i]);
    return blob;
}

// The first count bytes of a blob, and the others.
static Blob part(Blob blob, size_t first, size_t count)
{
    return bytes_of((const char *)blob.bytes + first, count);
}

START_TEST(what_follows_compressed_data_is_padding_another_member_or_refused)
{
    Arena *arena = arena_new();
    const Blob good = compressed(good_images()), plain = good_images();
    Blob zeros = {.length = 1000};
    // gzip allows zeros behind the data, and data in several members, even empty ones.
    expect_good_images(idx_images(arena, write_blob(join(good, bytes_of("\0", 1)))));
    expect_good_images(idx_images(arena, write_blob(join(good, zeros))));
    const Blob empty = compressed(bytes_of("", 0));
    for (size_t cut = 0; cut <= plain.length; cut += 5) {
        Blob two = join(compressed(part(plain, 0, cut)), compressed(part(plain, cut, plain.length - cut)));
        expect_good_images(idx_images(arena, write_blob(two)));
        expect_good_images(idx_images(arena, write_blob(join(join(empty, two), join(empty, zeros)))));
    }
    static const struct {
        const char *bytes;
        size_t length;
        const char *message;
    } rubbish[] = {
        {"trailing garbage\n", 17, "goes on after its compressed data, with the byte 0x74"},
        {"x", 1, "goes on after its compressed data, with the byte 0x78"},
        {"\0\0x", 3, "goes on after its compressed data, with the byte 0x78"},
        {"\0\x1f\x8b\x08", 4, "goes on after its compressed data, with the byte 0x1f"},
        {"\x1f", 1, "ends too soon, without its checksum"},
        {"\x1f\x8b\x08", 3, "ends too soon, without its checksum"},
        {"\x1f\x8c", 2, "is damaged"},
    };
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        Blob blob = join(good, bytes_of(rubbish[i].bytes, rubbish[i].length));
        expect_death(read_images, (void *)(uintptr_t)write_blob(blob), rubbish[i].message);
    }
    expect_death(read_images, (void *)(uintptr_t)write_blob(join(good, good)),
                 "goes on after the last number that its header promises");
    arena_free(arena);
}
END_TEST

START_TEST(a_small_file_that_unpacks_to_much_is_refused_without_unpacking_it)
{
    // A gigabyte of zeros would be 1 MB of file; 256 MB show the same, sooner.
    const char *path = scratch_path("bomb");
    gzFile file = gzopen(path, "wb1");
    Blob start = good_images();
    gzwrite(file, start.bytes, (unsigned)start.length);
    static const uint8_t zeros[1 << 16];
    for (int i = 0; i < 1 << 12; i++) gzwrite(file, zeros, sizeof zeros);
    ck_assert_int_eq(gzclose(file), Z_OK);
    expect_death(read_images, (void *)(uintptr_t)path, "goes on after the last number");
}
END_TEST

START_TEST(a_wrong_checksum_is_noticed)
{
    Blob blob = compressed(good_images());
    blob.bytes[blob.length - 5] ^= 1; // the last byte of the checksum; four bytes of length follow
    expect_refusal(read_images, blob, "is damaged: what it contains or its checksum");
    blob = compressed(good_images());
    blob.bytes[blob.length - 1] ^= 1;
    expect_refusal(read_images, blob, "is damaged");
}
END_TEST

START_TEST(a_label_outside_the_classes_is_named)
{
    Blob blob = good_labels();
    blob.bytes[8 + 4] = 10;
    expect_refusal(read_labels, blob, "label 4 is 10; with 10 classes it is at most 9");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    expect_death(read_images, "/", "/ is not a file");
    const char *pipe = scratch_path("pipe");
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    expect_death(read_images, (void *)(uintptr_t)pipe, "is not a file");
    expect_death(read_images, "/dev/zero", "is not a file");
}
END_TEST

START_TEST(a_missing_file_names_the_target_that_brings_it)
{
    expect_death(read_images, "no/such-file", "no/such-file is missing\n hint: type `make data`");
}
END_TEST

START_TEST(no_mutation_crashes_the_reader)
{
    Blob originals[] = {good_images(), compressed(good_images()), good_labels(), compressed(good_labels())};
    Rng rng = rng_new(1, 0);
    int refused = 0, rounds = 400;
    for (int round = 0; round < rounds; round++) {
        Blob blob = originals[round % 4];
        int changes = 1 + (int)rng_below(&rng, 6);
        for (int k = 0; k < changes; k++) {
            size_t at = rng_below(&rng, (uint32_t)blob.length);
            uint8_t byte = (uint8_t)rng_below(&rng, 256);
            switch (rng_below(&rng, 4)) {
            case 0:
                blob.bytes[at] = byte;
                break;
            case 1:
                blob.bytes[rng_below(&rng, (uint32_t)(blob.length < 20 ? blob.length : 20))] ^= byte;
                break;
            case 2:
                blob.length = at + 1;
                break;
            default:
                memmove(blob.bytes + at + 1, blob.bytes + at, blob.length - at);
                blob.bytes[at] = byte;
                blob.length++;
            }
        }
        int status;
        const char *message = stderr_of(round % 4 < 2 ? read_images : read_labels,
                                        (void *)(uintptr_t)write_blob(blob), &status);
        ck_assert_msg(status == 0 || status == 1, "round %d: exit status %d: %s", round, status, message);
        ck_assert_msg((status == 1) == (strncmp(message, "error: ", 7) == 0), "round %d: status %d: %s",
                      round, status, message);
        refused += status;
    }
    ck_assert_int_gt(refused, rounds / 4);
    ck_assert_int_lt(refused, rounds); // some changes are only other pictures
}
END_TEST

// ---- As numbers --------------------------------------------------------------------------------------------------------

static Images few_images(Arena *arena) { return idx_images(arena, write_blob(good_images())); }

START_TEST(bytes_become_numbers_from_0_to_1)
{
    Arena *arena = arena_new();
    Images images = few_images(arena);
    images.bytes[0] = 0;
    images.bytes[1] = 255;
    Matrix x = image_matrix(arena, images, 0.0f, 1.0f);
    ck_assert_int_eq(x.rows, COUNT);
    ck_assert_int_eq(x.cols, SIZE);
    ck_assert_float_eq(AT(x, 0, 0), 0.0f);
    ck_assert_float_eq(AT(x, 0, 1), 1.0f);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < SIZE; j++)
            ck_assert_float_eq(AT(x, i, j), (float)images.bytes[i * SIZE + j] / 255.0f);
    arena_free(arena);
}
END_TEST

START_TEST(standardised_numbers_have_mean_0_and_deviation_1)
{
    Arena *arena = arena_new();
    Images images = few_images(arena);
    float average, deviation;
    image_statistics(images, &average, &deviation);
    Matrix x = image_matrix(arena, images, average, deviation);
    double total = 0, squares = 0;
    for (size_t i = 0; i < matrix_size(x); i++) {
        total += (double)x.data[i];
        squares += (double)x.data[i] * (double)x.data[i];
    }
    ck_assert_double_eq_tol(total / (double)matrix_size(x), 0.0, 1e-6);
    ck_assert_double_eq_tol(squares / (double)matrix_size(x), 1.0, 1e-6);
    arena_free(arena);
}
END_TEST

START_TEST(statistics_of_a_known_picture)
{
    uint8_t bytes[] = {0, 0, 255, 255};
    float average, deviation;
    image_statistics((Images){1, 2, 2, bytes}, &average, &deviation);
    ck_assert_float_eq(average, 0.5f);
    ck_assert_float_eq(deviation, 0.5f);
    memset(bytes, 51, sizeof bytes);
    image_statistics((Images){1, 2, 2, bytes}, &average, &deviation);
    ck_assert_float_eq(average, 0.2f);
    ck_assert_float_eq(deviation, 0.0f);
}
END_TEST

START_TEST(a_batch_takes_the_pictures_it_names)
{
    Arena *arena = arena_new();
    Images images = few_images(arena);
    Matrix all = image_matrix(arena, images, 0.3f, 0.7f), batch = matrix_new(arena, 3, SIZE);
    const int indices[] = {6, 0, 6};
    image_gather(batch, images, indices, 0.3f, 0.7f);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < SIZE; j++) ck_assert_float_eq(AT(batch, i, j), AT(all, indices[i], j));
    Images tail = image_range(images, 5, 2);
    ck_assert_int_eq(tail.count, 2);
    ck_assert_ptr_eq(tail.bytes, images.bytes + 5 * SIZE);
    arena_free(arena);
}
END_TEST

static void gather_beyond(void *context)
{
    Arena *arena = arena_new();
    const int indices[] = {0, COUNT};
    image_gather(matrix_new(arena, 2, SIZE), *(Images *)context, indices, 0.0f, 1.0f);
}
static void gather_narrow(void *context)
{
    Arena *arena = arena_new();
    const int indices[] = {0, 1};
    image_gather(matrix_new(arena, 2, SIZE - 1), *(Images *)context, indices, 0.0f, 1.0f);
}
static void range_beyond(void *context) { image_range(*(Images *)context, COUNT - 1, 2); }
static void no_deviation(void *context) { image_matrix(arena_new(), *(Images *)context, 0.5f, 0.0f); }

START_TEST(wrong_requests_stop_with_the_numbers)
{
    Arena *arena = arena_new();
    Images images = few_images(arena);
    expect_death(gather_beyond, &images, "index 1 is 7, and there are 7 pictures");
    expect_death(gather_narrow, &images, "a matrix of (2 × 14) for pictures of 3 × 5");
    expect_death(range_beyond, &images, "2 pictures from number 6 on, of 7");
    expect_death(no_deviation, &images, "mean 0.5, deviation 0");
    arena_free(arena);
}
END_TEST

// ---- Sets --------------------------------------------------------------------------------------------------------------

// Writes a set of four files into the scratch folder and returns it.
static const char *write_set(Blob train_labels, Blob test_images)
{
    Blob images = good_images(), labels = good_labels();
    scratch_file("train-images-idx3-ubyte", images.bytes, images.length);
    scratch_file("train-labels-idx1-ubyte", train_labels.bytes, train_labels.length);
    scratch_file("t10k-images-idx3-ubyte", test_images.bytes, test_images.length);
    scratch_file("t10k-labels-idx1-ubyte", labels.bytes, labels.length);
    return scratch_path("");
}

static void load_mnist(void *folder) { mnist_load_at(HERE, arena_new(), folder); }
static void load_fashion(void *folder) { fashion_mnist_load_at(HERE, arena_new(), folder); }

START_TEST(a_set_has_pictures_labels_and_names)
{
    Arena *arena = arena_new();
    ImageSet set = mnist_load_at(HERE, arena, write_set(good_labels(), good_images()));
    expect_good_images(set.train);
    expect_good_images(set.test);
    ck_assert_int_eq(set.train_labels[0], 9);
    ck_assert_int_eq(set.test_labels[COUNT - 1], 9 - (COUNT - 1));
    ck_assert_str_eq(set.names[set.train_labels[0]], "9");
    arena_free(arena);
}
END_TEST

START_TEST(a_set_that_does_not_fit_together_is_refused)
{
    Blob labels = good_labels();
    labels.bytes[7] = COUNT - 1;
    labels.length--;
    expect_death(load_mnist, (void *)(uintptr_t)write_set(labels, good_images()),
                 "has 6 labels for 7 pictures");
    Blob images = good_images();
    images.bytes[11] = WIDTH;
    images.bytes[15] = HEIGHT;
    expect_death(load_mnist, (void *)(uintptr_t)write_set(good_labels(), images),
                 "are 3 × 5, those to test with 5 × 3");
}
END_TEST

START_TEST(a_missing_set_names_its_own_target)
{
    expect_death(load_fashion, "no/such-folder",
                 "no/such-folder is missing\n hint: type `make data DATA=fashion-mnist`");
    expect_death(load_mnist, "no/such-folder",
                 "no/such-folder is missing\n hint: type `make data DATA=mnist`");
    expect_death(load_fashion, (void *)(uintptr_t)scratch_path(""),
                 "train-images-idx3-ubyte.gz is missing\n hint: type `make data`");
}
END_TEST

START_TEST(fashion_mnist_is_what_its_authors_describe)
{
    if (access("datasets/cache/fashion-mnist/.done", F_OK) != 0) return; // not fetched here
    Arena *arena = arena_new();
    ImageSet set = fashion_mnist_load(arena);
    ck_assert_int_eq(set.train.count, 60000);
    ck_assert_int_eq(set.test.count, 10000);
    ck_assert_int_eq(image_size(set.train), 28 * 28);
    int of_class[10] = {0};
    for (int i = 0; i < set.train.count; i++) of_class[set.train_labels[i]]++;
    for (int k = 0; k < 10; k++) ck_assert_int_eq(of_class[k], 6000);
    ck_assert_str_eq(set.names[set.train_labels[0]], "ankle boot");
    float average, deviation;
    image_statistics(set.train, &average, &deviation);
    ck_assert_float_eq_tol(average, 0.2860f, 5e-5f); // the values everybody standardises with
    ck_assert_float_eq_tol(deviation, 0.3530f, 5e-5f);
    arena_free(arena);
}
END_TEST

static void statistics_of_nothing(void *context)
{
    float average, deviation;
    image_statistics(*(Images *)context, &average, &deviation);
}

START_TEST(statistics_of_nearly_equal_and_of_no_pictures)
{
    enum { MANY = 10000 };
    static uint8_t bytes[MANY * 16 * 16];
    memset(bytes, 251, sizeof bytes);
    bytes[777] = 250;
    const double n = sizeof bytes, expected = sqrt((n - 1) / (n * n)) / 255;
    float average, deviation;
    image_statistics((Images){MANY, 16, 16, bytes}, &average, &deviation);
    ck_assert_double_eq_tol((double)deviation / expected, 1.0, 1e-6);
    Images none = {0, 16, 16, bytes};
    expect_death(statistics_of_nothing, &none, "image_statistics: 0 pictures of 16 × 16");
}
END_TEST

SUITE("idx", pictures_are_read_plain_and_compressed, labels_are_read_plain_and_compressed,
      a_file_of_another_kind_is_refused, sizes_of_nothing_and_of_too_much_are_refused,
      a_header_that_promises_more_than_there_is_takes_no_memory, every_shorter_file_is_refused,
      bytes_after_the_last_number_are_refused,
      what_follows_compressed_data_is_padding_another_member_or_refused,
      a_small_file_that_unpacks_to_much_is_refused_without_unpacking_it, a_wrong_checksum_is_noticed,
      a_label_outside_the_classes_is_named, what_is_no_file_is_refused,
      a_missing_file_names_the_target_that_brings_it, no_mutation_crashes_the_reader,
      bytes_become_numbers_from_0_to_1, standardised_numbers_have_mean_0_and_deviation_1,
      statistics_of_a_known_picture, a_batch_takes_the_pictures_it_names,
      wrong_requests_stop_with_the_numbers, a_set_has_pictures_labels_and_names,
      a_set_that_does_not_fit_together_is_refused, a_missing_set_names_its_own_target,
      fashion_mnist_is_what_its_authors_describe, statistics_of_nearly_equal_and_of_no_pictures)
