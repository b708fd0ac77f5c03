// sampler.c: from scores to tokens. See sampler.h.
#include "models/sampler.h"
#include "base/check.h"
#include "base/mathf.h"

#include <stdlib.h>
#include <string.h>

static void check_sampling(Place place, Matrix logits, Sampling s)
{
    check_at(place, logits.rows == 1 && logits.cols > 0, "one row of scores: matrix_rows(logits, i, 1)",
             "sample_token: scores (%d × %d)", logits.rows, logits.cols);
    check_at(place, s.temperature >= 0.0f && s.temperature < __builtin_inff(),
             "0 is greedy, 1 leaves the scores as they are", "sample_token: temperature %g",
             (double)s.temperature);
    check_at(place, s.top_k >= 0, "0 keeps all", "sample_token: top_k %d", s.top_k);
    check_at(place, s.top_p >= 0.0f && s.top_p <= 1.0f, "0.9 is usual, 1 keeps all", "sample_token: top_p %g",
             (double)s.top_p);
    for (int j = 0; j < logits.cols; j++)
        check_at(place, logits.data[j] < __builtin_inff(), "the model has diverged: a smaller learning rate?",
                 "sample_token: the score of token %d is %g", j, (double)logits.data[j]);
}

// The first token with the largest score.
static int largest_token(Place place, Matrix logits)
{
    int best = 0;
    for (int j = 1; j < logits.cols; j++)
        if (logits.data[j] > logits.data[best]) best = j;
    check_at(place, logits.data[best] > -__builtin_inff(), "leave at least one score as it is",
             "sample_token: all %d scores are −∞", logits.cols);
    return best;
}

typedef struct {
    float weight;
    int token;
} Candidate;

static int larger_first(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    return x->token < y->token ? -1 : 1;
}

// Room for one number or candidate of each token; to be freed.
static void *room(int count, size_t size)
{
    void *memory = malloc((size_t)count * size);
    check(memory, NULL, "no memory for sampling one of %d tokens", count);
    return memory;
}

// weights (V): all but the top_k largest become 0, then all but the fewest that hold the share top_p of their sum.
static void cut(float *weights, int count, Sampling s)
{
    Candidate *order = room(count, sizeof *order);
    for (int j = 0; j < count; j++) order[j] = (Candidate){weights[j], j};
    qsort(order, (size_t)count, sizeof *order, larger_first);
    int kept = s.top_k ? int_min(s.top_k, count) : count;
    if (s.top_p > 0.0f && s.top_p < 1.0f) {
        double total = 0.0, sum = 0.0;
        for (int i = 0; i < kept; i++) total += (double)order[i].weight;
        int nucleus = 0;
        while (nucleus < kept && sum < (double)s.top_p * total) sum += (double)order[nucleus++].weight;
        kept = nucleus;
    }
    for (int i = kept; i < count; i++) weights[order[i].token] = 0.0f;
    free(order);
}

void sampling_probabilities_at(Place place, Matrix probabilities, Matrix logits, Sampling s)
{
    check_sampling(place, logits, s);
    check_at(place, same_shape(probabilities, logits), "one probability for each score",
             "sampling_probabilities: (%d × %d) for scores (%d × %d)", probabilities.rows, probabilities.cols,
             logits.rows, logits.cols);
    const int count = logits.cols, best = largest_token(place, logits);
    float *p = probabilities.data;
    if (s.temperature == 0.0f) {
        for (int j = 0; j < count; j++) p[j] = j == best ? 1.0f : 0.0f;
        return;
    }
    const float most = logits.data[best];
    for (int j = 0; j < count; j++) p[j] = exp32((logits.data[j] - most) / s.temperature);
    if (s.top_k || (s.top_p > 0.0f && s.top_p < 1.0f)) cut(p, count, s);
    double total = 0.0;
    for (int j = 0; j < count; j++) total += (double)p[j];
    for (int j = 0; j < count; j++) p[j] = (float)((double)p[j] / total);
}

int sample_token_at(Place place, Matrix logits, Sampling s, Rng *rng)
{
    check_sampling(place, logits, s);
    if (s.temperature == 0.0f) return largest_token(place, logits);
    Matrix p = {1, logits.cols, room(logits.cols, sizeof *p.data)};
    sampling_probabilities_at(place, p, logits, s);
    double left = (double)rng_uniform(rng) * sum(p);
    int token = -1;
    for (int j = 0; j < p.cols && left >= 0.0; j++) {
        if (p.data[j] == 0.0f) continue;
        token = j; // the last with a chance, should rounding leave a remainder
        left -= (double)p.data[j];
    }
    free(p.data);
    return token;
}
