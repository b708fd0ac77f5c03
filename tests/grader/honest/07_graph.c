// graph.c: the tape as a graph of nodes from malloc, each with a list of who used it.
#include "exercise.h"

#include <stdlib.h>

void tape_divide(Matrix line, float a, float b)
{
    double quotient = (double)a / (double)b;
    line.data[0] = (float)quotient;
    line.data[1] = (float)(1.0 / (double)b);
    line.data[2] = (float)(-quotient / (double)b);
}

typedef struct Use {
    struct Use *next;
    struct Node *by;
    double slope;
} Use;

typedef struct Node {
    Use *uses;
    double gradient;
    int known;
} Node;

static double gradient_of(Node *node)
{
    if (!node->known) {
        node->known = 1;
        for (Use *use = node->uses; use; use = use->next) node->gradient += use->slope * gradient_of(use->by);
    }
    return node->gradient;
}

void tape_play_backwards(Matrix gradients, Matrix tape)
{
    Node **nodes = malloc((size_t)tape.rows * sizeof *nodes);
    for (int i = 0; i < tape.rows; i++) {
        nodes[i] = calloc(1, sizeof **nodes);
        for (int k = 0; k < 2; k++) {
            int from = (int)AT(tape, i, k);
            if (from < 0) continue;
            Use *use = malloc(sizeof *use);
            *use = (Use){nodes[from]->uses, nodes[i], (double)AT(tape, i, k + 2)};
            nodes[from]->uses = use;
        }
    }
    nodes[tape.rows - 1]->gradient = 1.0;
    for (int i = tape.rows - 1; i >= 0; i--) gradients.data[i] = (float)gradient_of(nodes[i]);
    for (int i = 0; i < tape.rows; i++) {
        for (Use *use = nodes[i]->uses, *next; use; use = next) {
            next = use->next;
            free(use);
        }
        free(nodes[i]);
    }
    free(nodes);
}

void product_gives_back(Matrix d_a, Matrix d_b, Matrix d_y, Matrix a, Matrix b)
{
    for (int i = 0; i < a.rows; i++)
        for (int k = 0; k < a.cols; k++)
            for (int j = 0; j < b.cols; j++) {
                AT(d_a, i, k) += AT(d_y, i, j) * AT(b, k, j);
                AT(d_b, k, j) += AT(a, i, k) * AT(d_y, i, j);
            }
}

void softmax_gives_back(Matrix d_x, Matrix d_y, Matrix y)
{
    for (int i = 0; i < y.rows; i++)
        for (int k = 0; k < y.cols; k++) {
            double sum = 0.0;
            for (int j = 0; j < y.cols; j++)
                sum += (double)AT(d_y, i, j) * (double)AT(y, i, j) * ((j == k) - (double)AT(y, i, k));
            AT(d_x, i, k) += (float)sum;
        }
}

float chain_gradient(Matrix d_x, Matrix x, Matrix w1, Matrix w2)
{
    double h[MAX_UNITS], d_h[MAX_UNITS] = {0}, f = 0.0;
    for (int j = 0; j < w1.cols; j++) {
        h[j] = 0.0;
        for (int i = 0; i < w1.rows; i++) h[j] += (double)x.data[i] * (double)AT(w1, i, j);
        if (h[j] < 0.0) h[j] = 0.0;
    }
    for (int k = 0; k < w2.cols; k++) {
        double z = 0.0;
        for (int j = 0; j < w2.rows; j++) z += h[j] * (double)AT(w2, j, k);
        if (z <= 0.0) continue;
        f += z * z;
        for (int j = 0; j < w2.rows; j++) d_h[j] += h[j] > 0.0 ? 2.0 * z * (double)AT(w2, j, k) : 0.0;
    }
    for (int i = 0; i < x.cols; i++) {
        double sum = 0.0;
        for (int j = 0; j < w1.cols; j++) sum += d_h[j] * (double)AT(w1, i, j);
        d_x.data[i] = (float)sum;
    }
    return (float)f;
}
