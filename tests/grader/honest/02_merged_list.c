// merged_list.c: the scores in a list with a malloc for each, sorted by merging.
#include "exercise.h"

#include <math.h>
#include <stdlib.h>

static double score_of(Matrix x, Matrix w, int i, int k)
{
    double score = 0.0;
    for (int j = 0; j < x.cols; j++) score += (double)AT(x, i, j) * (double)AT(w, j, k);
    return score;
}

float logistic_loss(Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double z = score_of(x, w, i, 0);
        total += fmax(z, 0.0) - z * (double)y.data[i] + log1p(exp(-fabs(z)));
    }
    return (float)(total / x.rows);
}

void logistic_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
    for (int j = 0; j < x.cols; j++) {
        double sum = 0.0;
        for (int i = 0; i < x.rows; i++)
            sum += (double)AT(x, i, j) * (1.0 / (1.0 + exp(-score_of(x, w, i, 0))) - (double)y.data[i]);
        gradient.data[j] = (float)(sum / x.rows);
    }
}

void softmax_of_rows(Matrix p, Matrix z)
{
    for (int i = 0; i < z.rows; i++) {
        double most = -INFINITY, total = 0.0;
        for (int k = 0; k < z.cols; k++) most = fmax(most, (double)AT(z, i, k));
        for (int k = 0; k < z.cols; k++) total += exp((double)AT(z, i, k) - most);
        for (int k = 0; k < z.cols; k++) AT(p, i, k) = (float)(exp((double)AT(z, i, k) - most) / total);
    }
}

void softmax_gradient(Matrix gradient, Matrix x, Matrix w, Matrix labels)
{
    float scores[MAX_CLASSES], shares[MAX_CLASSES];
    for (size_t e = 0; e < matrix_size(gradient); e++) gradient.data[e] = 0.0f;
    for (int i = 0; i < x.rows; i++) {
        for (int k = 0; k < w.cols; k++) scores[k] = (float)score_of(x, w, i, k);
        softmax_of_rows(matrix_view(1, w.cols, shares), matrix_view(1, w.cols, scores));
        shares[(int)labels.data[i]] -= 1.0f;
        for (int j = 0; j < x.cols; j++)
            for (int k = 0; k < w.cols; k++)
                AT(gradient, j, k) += AT(x, i, j) * shares[k] / (float)x.rows;
    }
}

typedef struct Item {
    struct Item *next;
    float score, label;
} Item;

static Item *merge(Item *a, Item *b)
{
    Item *first = NULL, **last = &first;
    while (a && b) {
        Item **smaller = a->score <= b->score ? &a : &b;
        *last = *smaller;
        last = &(*smaller)->next;
        *smaller = (*smaller)->next;
    }
    *last = a ? a : b;
    return first;
}

static Item *sorted(Item *list, int count)
{
    if (count < 2) return list;
    Item *middle = list;
    for (int i = 1; i < count / 2; i++) middle = middle->next;
    Item *second = middle->next;
    middle->next = NULL;
    return merge(sorted(list, count / 2), sorted(second, count - count / 2));
}

float area_under_curve(Matrix scores, Matrix y)
{
    Item *list = NULL;
    for (int i = 0; i < y.rows; i++) {
        Item *item = malloc(sizeof *item);
        *item = (Item){list, scores.data[i], y.data[i]};
        list = item;
    }
    list = sorted(list, y.rows);
    double below = 0.0, won = 0.0, ones = 0.0;
    while (list) {
        double same_ones = 0.0, same_zeros = 0.0;
        float score = list->score;
        while (list && list->score == score) {
            Item *item = list;
            *(item->label > 0.5f ? &same_ones : &same_zeros) += 1.0;
            list = item->next;
            free(item);
        }
        won += same_ones * (below + same_zeros / 2.0);
        below += same_zeros;
        ones += same_ones;
    }
    return (float)(won / (below * ones));
}
