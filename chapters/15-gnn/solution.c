// Reference answers to the exercises of chapter 15. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 15.1: the divisor is what the node hears in all, not how many it hears
void neighbour_mean(Matrix out, Matrix w, Matrix x)
{
    for (int i = 0; i < w.rows; i++) {
        float total = 0.0f;
        for (int j = 0; j < w.cols; j++) total += AT(w, i, j);
        for (int c = 0; c < x.cols; c++) {
            float heard = 0.0f;
            for (int j = 0; j < w.cols; j++) heard += AT(w, i, j) * AT(x, j, c);
            AT(out, i, c) = total > 0.0f ? heard / total : AT(x, i, c);
        }
    }
}

// TASK 15.2: every node hears the step before, so the new rows need a place of their own
void spread_labels(Matrix f, Matrix w, Matrix known, int steps)
{
    Arena *arena = arena_new();
    Matrix next = matrix_new(arena, f.rows, f.cols), sums = matrix_new(arena, f.rows, 1);
    row_sums(sums, known);
    copy(f, known);
    for (int k = 0; k < steps; k++) {
        neighbour_mean(next, w, f);
        for (int i = 0; i < f.rows; i++)
            for (int c = 0; c < f.cols; c++)
                AT(f, i, c) = sums.data[i] > 0.0f ? AT(known, i, c) : AT(next, i, c);
    }
    arena_free(arena);
}

// TASK 15.3: the first that is heard begins, so that negative numbers can win
void neighbour_maximum(Matrix out, Matrix source, Matrix w, Matrix x)
{
    for (int i = 0; i < w.rows; i++)
        for (int c = 0; c < x.cols; c++) {
            int from = -1;
            for (int j = 0; j < w.cols; j++)
                if (AT(w, i, j) > 0.0f && (from < 0 || AT(x, j, c) > AT(x, from, c))) from = j;
            AT(source, i, c) = (float)from;
            AT(out, i, c) = from < 0 ? 0.0f : AT(x, from, c);
        }
}

// TASK 15.4: whoever was the largest for several nodes receives from all of them
void neighbour_maximum_gradient(Matrix d_x, Matrix d_out, Matrix source)
{
    fill(d_x, 0.0f);
    for (int i = 0; i < d_out.rows; i++)
        for (int c = 0; c < d_out.cols; c++)
            if (AT(source, i, c) >= 0.0f) AT(d_x, (int)AT(source, i, c), c) += AT(d_out, i, c);
}

// TASK 15.5: who is not heard is left out of the maximum and of the sum
void graph_attention(Matrix out, Matrix w, Matrix s, Matrix v)
{
    fill(out, 0.0f);
    for (int i = 0; i < w.rows; i++) {
        float most = -INFINITY, total = 0.0f;
        for (int j = 0; j < w.cols; j++)
            if (AT(w, i, j) > 0.0f) most = fmaxf(most, AT(s, i, j));
        for (int j = 0; j < w.cols; j++) total += AT(w, i, j) > 0.0f ? expf(AT(s, i, j) - most) : 0.0f;
        for (int j = 0; j < w.cols; j++)
            if (AT(w, i, j) > 0.0f)
                for (int c = 0; c < v.cols; c++)
                    AT(out, i, c) += expf(AT(s, i, j) - most) / total * AT(v, j, c);
    }
}
