// tree_of_scores.c: a search tree with a malloc for each of 200,000 scores.
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

typedef struct Node {
    struct Node *left, *right;
    float score;
    int zeros, ones; // of the examples with this score
} Node;

static void insert(Node **at, float score, int label)
{
    while (*at && (*at)->score != score) at = score < (*at)->score ? &(*at)->left : &(*at)->right;
    if (!*at) {
        *at = calloc(1, sizeof **at);
        (*at)->score = score;
    }
    ++*(label ? &(*at)->ones : &(*at)->zeros);
}

// In order of the scores; a node is given back when it has been counted.
static void count(Node *node, double *below, double *won, double *ones)
{
    if (!node) return;
    count(node->left, below, won, ones);
    *won += node->ones * (*below + 0.5 * node->zeros);
    *below += node->zeros;
    *ones += node->ones;
    count(node->right, below, won, ones);
    free(node);
}

float area_under_curve(Matrix scores, Matrix y)
{
    Node *root = NULL;
    double zeros = 0.0, won = 0.0, ones = 0.0;
    for (int i = 0; i < y.rows; i++) insert(&root, scores.data[i], y.data[i] > 0.5f);
    count(root, &zeros, &won, &ones);
    return (float)(won / (zeros * ones));
}
