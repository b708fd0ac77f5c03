// Reference answers to the exercises of chapter 20. Look when you have tried.
#include "exercise.h"

#include <math.h>

// The most likely token that is not taken yet; of equals the first.
static int most_likely(Matrix p, const bool *taken)
{
    int best = -1;
    for (int i = 0; i < p.cols; i++)
        if (!taken[i] && (best < 0 || p.data[i] > p.data[best])) best = i;
    return best;
}

// What is not taken becomes 0, the rest sums to 1.
static void keep_taken(Matrix p, const bool *taken)
{
    double total = 0.0;
    for (int i = 0; i < p.cols; i++) total += taken[i] ? (double)p.data[i] : 0.0;
    for (int i = 0; i < p.cols; i++) p.data[i] = taken[i] ? (float)((double)p.data[i] / total) : 0.0f;
}

// TASK 20.1: the logarithm of the probability, never the probability itself, which may be 0 as a number of the machine
float bits_per_character(Matrix logits, Matrix labels, int characters)
{
    double nats = 0.0;
    for (int t = 0; t < logits.rows; t++) {
        int label = (int)labels.data[t];
        if (label < 0) continue;
        Matrix row = matrix_rows(logits, t, 1);
        double total = 0.0, most = (double)largest(row);
        for (int v = 0; v < row.cols; v++) total += exp((double)row.data[v] - most);
        nats += most + log(total) - (double)row.data[label];
    }
    return (float)(nats / log(2.0) / characters);
}

// TASK 20.2
void keep_top_k(Matrix p, int k)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    for (int n = 0; n < k; n++) taken[most_likely(p, taken)] = true;
    keep_taken(p, taken);
    arena_free(arena);
}

// TASK 20.3: the token that reaches top_p belongs to it
void keep_nucleus(Matrix p, float top_p)
{
    Arena *arena = arena_new();
    bool *taken = arena_zeros(arena, (size_t)p.cols, sizeof *taken);
    double total = 0.0;
    for (int n = 0; n < p.cols && total < (double)top_p; n++) {
        int next = most_likely(p, taken);
        taken[next] = true;
        total += (double)p.data[next];
    }
    keep_taken(p, taken);
    arena_free(arena);
}

// TASK 20.4
int draw(Matrix p, float uniform)
{
    double total = 0.0;
    int possible = 0;
    for (int i = 0; i < p.cols; i++) {
        total += (double)p.data[i];
        if (p.data[i] > 0.0f) possible = i;
        if (total > (double)uniform) return i;
    }
    return possible;
}

// Each row divided by the root of the mean of its squares.
static void normalise(Matrix y, Matrix x)
{
    for (int t = 0; t < x.rows; t++) {
        double square = 0.0;
        for (int j = 0; j < x.cols; j++) square += (double)AT(x, t, j) * (double)AT(x, t, j) / x.cols;
        for (int j = 0; j < x.cols; j++) AT(y, t, j) = (float)((double)AT(x, t, j) / sqrt(square + 1e-5));
    }
}

// One head at position t: the columns from `first` on are its queries, keys lie C further, values 2C.
static void attend(Matrix heard, Matrix qkv, int t, int first, int width)
{
    int c = heard.cols;
    double score[MAX_TIME], most = -INFINITY, total = 0.0;
    for (int s = 0; s <= t; s++) {
        score[s] = 0.0;
        for (int j = first; j < first + width; j++)
            score[s] += (double)AT(qkv, t, j) * (double)AT(qkv, s, c + j) / sqrt(width);
        most = fmax(most, score[s]);
    }
    for (int s = 0; s <= t; s++) total += score[s] = exp(score[s] - most);
    for (int j = first; j < first + width; j++) {
        double sum = 0.0;
        for (int s = 0; s <= t; s++) sum += score[s] / total * (double)AT(qkv, s, 2 * c + j);
        AT(heard, t, j) = (float)sum;
    }
}

// TASK 20.5
void decoder_block(Matrix x, Matrix qkv, Matrix out, Matrix up, Matrix down, int heads)
{
    Arena *arena = arena_new();
    int t = x.rows, c = x.cols, width = c / heads;
    Matrix normal = matrix_new(arena, t, c), mixed = matrix_new(arena, t, 3 * c),
           heard = matrix_new(arena, t, c);
    Matrix hidden = matrix_new(arena, t, up.cols);
    normalise(normal, x);
    matmul(mixed, normal, qkv);
    for (int i = 0; i < t; i++)
        for (int h = 0; h < heads; h++) attend(heard, mixed, i, h * width, width);
    matmul_add(x, heard, out);
    normalise(normal, x);
    matmul(hidden, normal, up);
    for (size_t i = 0; i < matrix_size(hidden); i++) hidden.data[i] = fmaxf(0.0f, hidden.data[i]);
    matmul_add(x, hidden, down);
    arena_free(arena);
}
