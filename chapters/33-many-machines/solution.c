// Reference answers to the exercises of chapter 33. Look when you have tried.
#include "exercise.h"

#include <math.h>

static int degree(Matrix edges, int i)
{
    int count = 0;
    for (int j = 0; j < edges.cols; j++) count += j != i && AT(edges, i, j) != 0.0f;
    return count;
}

// TASK 33.1
void metropolis_weights(Matrix weights, Matrix edges)
{
    for (int i = 0; i < edges.rows; i++) {
        float rest = 1.0f;
        for (int j = 0; j < edges.cols; j++) {
            bool joined = i != j && AT(edges, i, j) != 0.0f;
            int most = int_max(degree(edges, i), degree(edges, j));
            AT(weights, i, j) = joined ? 1.0f / (float)(1 + most) : 0.0f;
            rest -= AT(weights, i, j);
        }
        AT(weights, i, i) = rest;
    }
}

// TASK 33.2: b_i cancels, ∇f_i(x_new) − ∇f_i(x) = H_i (x_new − x)
void tracking_step(Matrix x_new, Matrix y_new, Matrix x, Matrix y, Matrix weights, Matrix hessians,
                   float rate)
{
    int d = x.cols;
    matmul(x_new, weights, x);
    matmul(y_new, weights, y);
    for (int i = 0; i < x.rows; i++) {
        for (int c = 0; c < d; c++) AT(x_new, i, c) -= rate * AT(y, i, c);
        for (int c = 0; c < d; c++)
            for (int k = 0; k < d; k++)
                AT(y_new, i, c) += AT(hessians, i * d + c, k) * (AT(x_new, i, k) - AT(x, i, k));
    }
}

// TASK 33.3: in each round the piece's number is one less; what one receives is what its neighbour sends
void ring_round(Matrix plan, int round)
{
    int p = plan.rows;
    for (int r = 0; r < p; r++) {
        AT(plan, r, 0) = (float)((r - round + 2 * p) % p);
        AT(plan, r, 1) = (float)((r - 1 - round + 2 * p) % p);
        AT(plan, r, 2) = round < p - 1 ? 1.0f : 0.0f;
    }
}

// Of a column, so many rows from `first` on
static float sum_rows(Matrix parts, int column, int first, int count)
{
    if (count == 1) return AT(parts, first, column);
    int half = 1;
    while (2 * half < count) half *= 2;
    return sum_rows(parts, column, first, half) + sum_rows(parts, column, first + half, count - half);
}

// TASK 33.4
void tree_sum(Matrix total, Matrix parts)
{
    for (int c = 0; c < parts.cols; c++) total.data[c] = sum_rows(parts, c, 0, parts.rows);
}

// TASK 33.5: both ways half, a quarter, … are (p − 1) / p of the bytes, twice
float all_reduce_times(Matrix times, int processes, float bytes, float latency, float bandwidth)
{
    float p = (float)processes, levels = 0.0f;
    for (int size = processes; size > 1; size /= 2) levels += 1.0f;
    float once = 2.0f * (p - 1.0f) / p, around = 2.0f * (p - 1.0f), up_and_down = 2.0f * levels;
    times.data[0] = up_and_down * (latency + bytes / bandwidth);
    times.data[1] = around * latency + once * bytes / bandwidth;
    times.data[2] = up_and_down * latency + once * bytes / bandwidth;
    if (processes == 1) return 0.0f;
    return (around - up_and_down) * latency * bandwidth / (up_and_down - once);
}
