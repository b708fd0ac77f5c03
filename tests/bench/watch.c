// watch.c: see watch.h.
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learning/ops/attention.h"
#include "timing.h"

enum { MOST_OPERATIONS = 64, SHOWN = 12 };

// The clock is read at each event: what passes until the next belongs to the operation of the last. A NULL operation is what
// lies between a backward and the next forward: the optimiser, and the making of a batch.
typedef struct {
    const char *operation;
    double forward, backward;
} Share;

static struct {
    double operations, started, ended;
    Share shares[MOST_OPERATIONS];
    int count;
    double *running; // the seconds of some share; NULL: no clock runs
    double since;
} seen;

// ---- Operations -------------------------------------------------------------------------------------------

static bool is(const Tensor *node, const char *operation) { return strcmp(node->operation, operation) == 0; }

static int wanted(const Tensor *input) { return input && input->wants_gradient; }

// Multiply-adds of one product for all of the rows, and how many more such the backward makes.
static double product_of(const Tensor *node, int *gradients)
{
    const Tensor *const *in = (const Tensor *const *)node->inputs;
    const double size = (double)node->value.rows * node->value.cols;
    *gradients = wanted(in[0]) + wanted(in[1]);
    if (strncmp(node->operation, "affine", 6) == 0 || strncmp(node->operation, "conv2d", 6) == 0)
        return size * in[1]->value.rows; // y = x · w, of each row
    if (is(node, "product") || is(node, "product_transposed")) return size * in[0]->value.cols;
    if (is(node, "product_tn")) return size * in[0]->value.rows;
    if (is(node, "tied_cross_entropy"))
        return (double)in[0]->value.rows * in[0]->value.cols * in[1]->value.rows;
    return 0.0;
}

// x · w and h · u of every step; backwards, the gradient always goes on to the state before.
static double recurrent_of(const Tensor *node, TapeEvent event)
{
    const Tensor *x = node->inputs[0], *w = node->inputs[1], *u = node->inputs[2];
    const double rows = x->value.rows, of_x = rows * w->value.rows * w->value.cols,
                 of_h = rows * u->value.rows * u->value.cols;
    if (event == TAPE_FORWARD) return of_x + of_h;
    return of_x * (wanted(x) + wanted(w)) + of_h * (1 + wanted(u));
}

// Two products of the forward and four of the backward. The node has its shape only after the forward, so all are counted here.
static double attention_of(const Tensor *node, const AttentionShape *shape)
{
    double keys = 0.0;
    for (int b = 0; b < shape->batch; b++)
        for (int i = 0; i < shape->queries; i++) keys += attention_visible_keys(shape, b, i);
    return (2 + 4) * keys * node->value.cols;
}

static double multiply_adds(const Tensor *node, TapeEvent event)
{
    if (is(node, "rnn") || is(node, "lstm") || is(node, "gru")) return recurrent_of(node, event);
    const AttentionShape *shape = event == TAPE_BACKWARD ? attention_shape_of(node) : NULL;
    if (shape) return attention_of(node, shape);
    int gradients;
    const double product = product_of(node, &gradients);
    return event == TAPE_FORWARD ? product : gradients * product;
}

// ---- Time -------------------------------------------------------------------------------------------------

static bool profiling(void)
{
    const char *text = getenv("BENCH_PROFILE");
    return text && *text && strcmp(text, "0") != 0;
}

static Share *share_of(const char *operation)
{
    for (int i = 0; i < seen.count; i++)
        if (seen.shares[i].operation == operation) return &seen.shares[i];
    if (seen.count == MOST_OPERATIONS) return &seen.shares[MOST_OPERATIONS - 1];
    seen.shares[seen.count].operation = operation;
    return &seen.shares[seen.count++];
}

static void see(void *context, const Tensor *node, TapeEvent event)
{
    (void)context;
    const double now = seconds_now();
    if (seen.running) *seen.running += now - seen.since;
    if (event == TAPE_FORWARD && seen.started == 0.0) seen.started = now;
    if (event == TAPE_END) seen.ended = now;
    if (event != TAPE_END) seen.operations += 2.0 * multiply_adds(node, event);
    Share *share = share_of(event == TAPE_END ? NULL : node->operation);
    seen.running = event == TAPE_BACKWARD ? &share->backward : &share->forward;
    seen.since = seconds_now();
}

void watch_tape(Tape *tape) { tape_watch(tape, see, NULL); }

Watched watch_take(void)
{
    Watched taken = {seen.operations, seen.ended - seen.started};
    if (seen.started == 0.0 || seen.ended <= seen.started) taken = (Watched){0.0, 0.0};
    seen.operations = seen.started = seen.ended = 0.0;
    seen.running = NULL;
    return taken;
}

static double seconds_of(const Share *s) { return s->forward + s->backward; }

static int by_seconds(const void *a, const void *b)
{
    const double x = seconds_of(a), y = seconds_of(b);
    return (x < y) - (x > y);
}

void watch_print(const char *title)
{
    double total = 0.0, rest = 0.0;
    for (int i = 0; i < seen.count; i++) total += seconds_of(&seen.shares[i]);
    if (title && profiling() && total > 0.0) {
        qsort(seen.shares, (size_t)seen.count, sizeof *seen.shares, by_seconds);
        fprintf(stderr, "\n%s: where the time goes, %% of a step\n%-28s %8s %8s %8s\n", title, "operation",
                "forward", "backward", "both");
        for (int i = 0; i < seen.count; i++) {
            const Share *s = &seen.shares[i];
            if (i >= SHOWN) {
                rest += seconds_of(s);
                continue;
            }
            fprintf(stderr, "%-28s %8.1f %8.1f %8.1f\n",
                    s->operation ? s->operation : "optimiser, next batch", 100.0 * s->forward / total,
                    100.0 * s->backward / total, 100.0 * seconds_of(s) / total);
        }
        if (rest > 0.0) fprintf(stderr, "%-28s %8s %8s %8.1f\n", "all others", "", "", 100.0 * rest / total);
    }
    memset(seen.shares, 0, sizeof seen.shares);
    seen.count = 0;
}
