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

void product_with_itself(Matrix y, Matrix d_x, Matrix d_y, Matrix x)
{
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.rows; j++) {
            double sum = 0.0;
            for (int l = 0; l < x.cols; l++) sum += (double)AT(x, i, l) * (double)AT(x, j, l);
            AT(y, i, j) = (float)sum;
        }
    for (int i = 0; i < x.rows; i++)
        for (int l = 0; l < x.cols; l++) {
            double sum = 0.0;
            for (int j = 0; j < x.rows; j++) sum += ((double)AT(d_y, i, j) + (double)AT(d_y, j, i)) * (double)AT(x, j, l);
            AT(d_x, i, l) += (float)sum;
        }
}
