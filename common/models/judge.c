// judge.c: see judge.h.
#include "models/judge.h"
#include "learning/ops/loss.h"
#include "learning/optim.h"

#include <math.h>

enum { BATCH = 128, MANY = 500 }; // images in a step, and in a pass without gradients

static const Grid GRID = {1, JUDGE_SIDE, JUDGE_SIDE};

Judge judge_new(Parameters *set, Rng *rng)
{
    Judge judge;
    judge.first = conv_new(set, "judge.first", 1, 16, window_square(3, 1, 1), rng, INIT_HE);
    judge.second = conv_new(set, "judge.second", 16, 32, window_square(3, 1, 1), rng, INIT_HE);
    judge.hidden = linear_new(set, "judge.hidden", 3 * 3 * 32, JUDGE_FEATURES, rng, INIT_HE);
    judge.head = linear_new(set, "judge.head", JUDGE_FEATURES, JUDGE_CLASSES, rng, INIT_LECUN);
    return judge;
}

Tensor *judge_features(const Judge *judge, Tape *tape, Matrix images)
{
    Grid grid = GRID;
    grid.count = images.rows;
    const Window half = window_square(2, 2, 0);
    check_at(HERE, images.cols == JUDGE_PIXELS, "give 14 × 14 pixels as a row for each image",
             "judge: images (%d × %d)", images.rows, images.cols);
    Tensor *h = conv_relu(&judge->first, tape_input(tape, matrix_reshape(images, grid_rows(grid), 1)), grid);
    h = max_pool(h, grid, half);
    grid = window_grid(HERE, grid, half);
    h = max_pool(conv_relu(&judge->second, h, grid), grid, half);
    return linear_relu(&judge->hidden, tensor_reshape(h, images.rows, 3 * 3 * 32));
}

Tensor *judge_logits(const Judge *judge, Tape *tape, Matrix images)
{
    return linear(&judge->head, judge_features(judge, tape, images));
}

void judge_train(const Judge *judge, Parameters *set, Matrix images, const int *labels, int epochs, Rng *rng,
                 JudgeProgress progress, void *context)
{
    Arena *arena = arena_new();
    Tape *tape = tape_new();
    Optimiser adam = adam_new(arena, set, 0.9f, 0.999f, 1e-8f, 0.0f);
    int *order = arena_alloc(arena, (size_t)images.rows, sizeof *order), batch_labels[BATCH];
    Matrix batch = matrix_uninitialised(arena, BATCH, JUDGE_PIXELS);
    const long each = (images.rows + BATCH - 1) / BATCH, total = each * epochs;
    for (long step = 0; step < total; step++) {
        if (step % each == 0) rng_permutation(rng, order, images.rows);
        const int first = (int)(step % each) * BATCH, count = int_min(BATCH, images.rows - first);
        gather_rows(matrix_rows(batch, 0, count), images, order + first);
        for (int i = 0; i < count; i++) batch_labels[i] = labels[order[first + i]];
        tape_reset(tape);
        Tensor *loss = cross_entropy(judge_logits(judge, tape, matrix_rows(batch, 0, count)), batch_labels);
        backward(loss);
        optimiser_step(&adam, cosine_schedule(2e-3f, step, 0, total));
        if (progress) progress(context, step + 1, total, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}

// What the judge sees: features (n × 128) and classes [n], either of which may be absent.
static void look(const Judge *judge, Matrix images, Matrix features, int *classes)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int first = 0; first < images.rows; first += MANY) {
        const int count = int_min(MANY, images.rows - first);
        tape_reset(tape);
        Tensor *seen = judge_features(judge, tape, matrix_rows(images, first, count));
        if (features.data) copy(matrix_rows(features, first, count), seen->value);
        if (classes) row_argmax(classes + first, linear(&judge->head, seen)->value);
    }
    tape_free(tape);
}

void judge_classes(const Judge *judge, Matrix images, int *classes)
{
    look(judge, images, (Matrix){0}, classes);
}

// For each class how many images it has, and √(mean over pixels of their variance), with a divisor of n − 1; NaN below two.
static void deviations(double *deviation, int *count, Matrix images, const int *labels)
{
    static const int LEAST = 2;
    for (int k = 0; k < JUDGE_CLASSES; k++) {
        double sum[JUDGE_PIXELS] = {0}, squares = 0.0;
        count[k] = 0;
        for (int i = 0; i < images.rows; i++) {
            if (labels[i] != k) continue;
            count[k]++;
            for (int j = 0; j < JUDGE_PIXELS; j++) sum[j] += (double)AT(images, i, j);
        }
        for (int i = 0; i < images.rows; i++)
            for (int j = 0; j < JUDGE_PIXELS && labels[i] == k; j++) {
                const double from_mean = (double)AT(images, i, j) - sum[j] / count[k];
                squares += from_mean * from_mean;
            }
        deviation[k] = count[k] < LEAST ? (double)NAN : sqrt(squares / JUDGE_PIXELS / (count[k] - 1));
    }
}

static void need_classes(Place place, const char *name, Matrix images, const int *labels)
{
    check_at(place, images.cols == JUDGE_PIXELS && images.rows >= 2,
             "give 14 × 14 pixels as a row for each image", "%s: images (%d × %d)", name, images.rows,
             images.cols);
    for (int i = 0; i < images.rows; i++)
        check_at(place, labels[i] >= 0 && labels[i] < JUDGE_CLASSES, "classes are 0 to 9",
                 "%s: image %d has class %d", name, i, labels[i]);
}

JudgeReference judge_reference_at(Place place, Arena *arena, const Judge *judge, Matrix images,
                                  const int *labels)
{
    need_classes(place, "judge_reference", images, labels);
    JudgeReference reference;
    int count[JUDGE_CLASSES];
    deviations(reference.deviation, count, images, labels);
    for (int k = 0; k < JUDGE_CLASSES; k++)
        check_at(place, reference.deviation[k] > 0.0, "give several different images of each class",
                 "judge_reference: class %d has %d images, with a deviation of %g", k, count[k],
                 reference.deviation[k]);
    Arena *scratch = arena_new();
    Matrix features = matrix_uninitialised(scratch, images.rows, JUDGE_FEATURES);
    int *classes = arena_alloc(scratch, (size_t)images.rows, sizeof *classes), right = 0;
    look(judge, images, features, classes);
    for (int i = 0; i < images.rows; i++) right += classes[i] == labels[i];
    reference.agreement = (double)right / images.rows;
    reference.features = gaussian_fit_at(place, arena, features);
    arena_free(scratch);
    return reference;
}

// The mean of those that are numbers; NaN when none is.
static double mean_of_numbers(const double *numbers, int count)
{
    double sum = 0.0;
    int found = 0;
    for (int k = 0; k < count; k++)
        if (!isnan(numbers[k])) sum += numbers[k], found++;
    return found ? sum / found : (double)NAN;
}

JudgeReport judge_report_at(Place place, const Judge *judge, JudgeReference reference, Matrix images,
                            const int *wanted)
{
    need_classes(place, "judge_report", images, wanted);
    JudgeReport report;
    int count[JUDGE_CLASSES], right[JUDGE_CLASSES] = {0}, all_right = 0;
    deviations(report.variety_of, count, images, wanted);
    for (int k = 0; k < JUDGE_CLASSES; k++) report.variety_of[k] /= reference.deviation[k];
    report.variety = mean_of_numbers(report.variety_of, JUDGE_CLASSES);

    Arena *scratch = arena_new();
    Matrix features = matrix_uninitialised(scratch, images.rows, JUDGE_FEATURES);
    int *classes = arena_alloc(scratch, (size_t)images.rows, sizeof *classes);
    look(judge, images, features, classes);
    for (int i = 0; i < images.rows; i++)
        if (classes[i] == wanted[i]) right[wanted[i]]++, all_right++;
    for (int k = 0; k < JUDGE_CLASSES; k++)
        report.agreement_of[k] = count[k] ? (double)right[k] / count[k] : (double)NAN;
    report.agreement = (double)all_right / images.rows;
    report.distance =
        frechet_distance_at(place, reference.features, gaussian_fit_at(place, scratch, features));
    arena_free(scratch);
    return report;
}

// ---- What a generator is compared with --------------------------------------------------------------------

void judge_nearest_at(Place place, Matrix images, Matrix training, int *nearest, double *distance)
{
    enum { PART = 5000 };
    check_at(place, images.cols == training.cols && training.rows > 0, "images of one size",
             "judge_nearest: images (%d × %d) and (%d × %d)", images.rows, images.cols, training.rows,
             training.cols);
    Arena *scratch = arena_new();
    Matrix products = matrix_uninitialised(scratch, images.rows, int_min(PART, training.rows));
    for (int i = 0; i < images.rows; i++) nearest[i] = 0, distance[i] = INFINITY;
    for (int first = 0; first < training.rows; first += PART) {
        const Matrix part = matrix_rows(training, first, int_min(PART, training.rows - first));
        const Matrix of_part = {images.rows, part.rows, products.data};
        matmul_nt(of_part, images, part);
        for (int j = 0; j < part.rows; j++) {
            const double square = sum_of_squares(matrix_rows(part, j, 1));
            for (int i = 0; i < images.rows; i++) {
                const double apart = square - 2.0 * (double)AT(of_part, i, j);
                if (apart < distance[i]) distance[i] = apart, nearest[i] = first + j;
            }
        }
    }
    for (int i = 0; i < images.rows; i++)
        distance[i] = sqrt(fmax(0.0, distance[i] + sum_of_squares(matrix_rows(images, i, 1))));
    arena_free(scratch);
}

void judge_gaussian_at(Place place, Matrix images, Matrix real, Rng *rng)
{
    check_at(place, images.cols == real.cols && real.rows > 0, "images of one size",
             "judge_gaussian: images (%d × %d) after real ones (%d × %d)", images.rows, images.cols,
             real.rows, real.cols);
    Arena *scratch = arena_new();
    Matrix centred = matrix_copy(scratch, real), mean = matrix_new(scratch, 1, real.cols),
           weights = matrix_uninitialised(scratch, images.rows, real.rows);
    column_means(mean, real);
    subtract_row(centred, mean);
    fill_normal(weights, rng, 0.0f, 1.0f / sqrtf((float)real.rows));
    matmul(images, weights, centred);
    add_row(images, mean);
    for (size_t k = 0; k < matrix_size(images); k++)
        images.data[k] = fminf(1.0f, fmaxf(0.0f, images.data[k]));
    arena_free(scratch);
}
