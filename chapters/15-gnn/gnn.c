/*
# Graph networks

A karate club splits in two after a quarrel. You know the leaders of both sides and who spends evenings with
whom. Can you guess where the other 32 go? Of a member you know nothing but friends: no age, no face, no
number that a layer could read. All there is are the edges of a **graph** (图): **nodes** (节点), and pairs of
them that are joined.

Convolution mixes a pixel with its neighbours on a grid (chapter 10), recurrence a moment with the past
(chapters 13 and 14). Here the data itself says who is whose neighbour. In this chapter we

- average over neighbours, with a pencil, in plain loops, and as one sparse product;
- split the club with two labels;
- see that numbering the nodes in another order changes nothing, to the last bit;
- find out in what sense a convolution is a graph network on a grid, and in what sense it is not;
- classify the 1022 words of a thesaurus, and ask what in a **graph convolutional network** (图卷积网络, GCN)
  does the work: an uncomfortable answer;
- average until nothing is left, at a rate that one eigenvalue predicts, and ask whether this is why deep
  graph networks fail.

You need the tape (chapter 7), initialisation and residual connections (chapter 9), convolution (chapter 10).
*/

#include "base/mathf.h"
#include "files/csv.h"
#include "files/thesaurus.h"
#include "learning/ops/graph.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/symmetric.h"
#include "models/nn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
## Three people

Ann knows Bob, and Bob knows Cem. Rows are positions, columns are features: one row for each person. The
simplest layer that mixes them gives everyone the average of the neighbours, oneself included. With the
**adjacency matrix** (邻接矩阵) $A$, which has a 1 where two nodes are joined, and the **degrees** (度)
$d_i = 1 + \sum_j A_{ij}$, there are three ways:

- the sum, $(A + I) x$: numbers grow with every layer, most where many meet;
- the mean, $D^{-1} (A + I) x$: each row of weights adds up to one;
- in between, $S x$ with $S = D^{-1/2} (A + I) D^{-1/2}$, so $S_{ij} = 1 / \sqrt{d_i d_j}$ for neighbours.

The third, of Kipf and Welling (2017), is symmetric. Its eigenvalues are real and lie between $-1$ and $1$, so
it makes no signal longer; and it is its own transpose, which will save us work on the way back. What does
it leave as it is? The vector $\sqrt{d_i}$: with $d = (2, 3, 2)$, the first row gives
$\sqrt2 / 2 + \sqrt3 / \sqrt6 = 2/\sqrt2 = \sqrt2$. Keep it in mind: everything will end there.
*/

typedef struct {
    int nodes, edges;
    const int *a, *b; // [edges] edge e joins a[e] and b[e]; each once, none from a node to itself
} Graph;

// d_i (nodes × 1), the node itself counted
static Matrix degrees(Arena *arena, Graph g)
{
    Matrix d = matrix_new(arena, g.nodes, 1);
    fill(d, 1.0f);
    for (int e = 0; e < g.edges; e++) {
        d.data[g.a[e]] += 1.0f;
        d.data[g.b[e]] += 1.0f;
    }
    return d;
}

// out (N × C) = S · x: every edge carries two messages
static void pass_messages(Matrix out, Graph g, Matrix d, Matrix x)
{
    for (int i = 0; i < g.nodes; i++)
        for (int c = 0; c < x.cols; c++) AT(out, i, c) = AT(x, i, c) / d.data[i];
    for (int e = 0; e < g.edges; e++) {
        int a = g.a[e], b = g.b[e];
        float weight = 1.0f / sqrtf(d.data[a] * d.data[b]);
        for (int c = 0; c < x.cols; c++) {
            AT(out, a, c) += weight * AT(x, b, c);
            AT(out, b, c) += weight * AT(x, a, c);
        }
    }
}

// S as the library holds it: only what is not 0, row by row
static Sparse propagation(Arena *arena, Graph g)
{
    int count = g.nodes + 2 * g.edges, k = 0;
    int *row = arena_alloc(arena, (size_t)count, sizeof *row);
    int *column = arena_alloc(arena, (size_t)count, sizeof *column);
    float *value = arena_alloc(arena, (size_t)count, sizeof *value);
    Matrix d = degrees(arena, g);
    for (int i = 0; i < g.nodes; i++, k++) row[k] = column[k] = i, value[k] = 1.0f / d.data[i];
    for (int e = 0; e < g.edges; e++, k += 2) {
        row[k] = column[k + 1] = g.a[e], row[k + 1] = column[k] = g.b[e];
        value[k] = value[k + 1] = 1.0f / sqrtf(d.data[g.a[e]] * d.data[g.b[e]]);
    }
    return sparse_new(arena, g.nodes, g.nodes, count, row, column, value);
}

static void three_people(Lesson *lesson)
{
    section(lesson, "Three people");
    Arena *arena = lesson_arena(lesson);
    const int a[] = {0, 1}, b[] = {1, 2};
    Graph g = {3, 2, a, b};
    Sparse s = propagation(arena, g);
    matrix_print(stdout, "S", sparse_to_matrix(arena, s), 4);
    Matrix x = matrix_new(arena, 3, 2), d = degrees(arena, g), out = matrix_new(arena, 3, 2);
    AT(x, 0, 0) = 6.0f; // Ann alone has something to say
    for (int i = 0; i < 3; i++) AT(x, i, 1) = sqrtf(d.data[i]);
    matrix_print(stdout, "\nx: something of Ann's, and √d", x, 4);
    pass_messages(out, g, d, x);
    matrix_print(stdout, "\nS · x", out, 4);
    Matrix twice = matrix_new(arena, 3, 2), left = matrix_new(arena, 3, 1), root = matrix_new(arena, 3, 1);
    pass_messages(twice, g, d, out);
    matrix_print(stdout, "\nS · S · x", twice, 4);
    printf("\n");
    copy_columns(left, 0, out, 1, 1), copy_columns(root, 0, x, 1, 1);
    claim(lesson, AT(out, 2, 0) == 0.0f && fabsf(AT(twice, 2, 0) - 1.0f) < 1e-6f,
          "after one step Cem has heard nothing of Ann's 6, after two he has 6 / (√6 · √6) = 1");
    claim(lesson, largest_difference(left, root) < 1e-6f, "S leaves the vector √d as it is");
}

/*
One layer reaches the neighbours, two layers their neighbours. A layer with weights does with each row what
every linear layer does, then mixes the rows:

$$H = \mathrm{relu}(S\, X W_1 + b_1), \qquad Z = S\, H W_2 + b_2 .$$

Backwards, line by line from below. $S$ is a constant and its own transpose, so a gradient is passed on along
the same edges as a signal: with $d_U = S\, d_Z$, the rest is a linear layer, $d_{W_2} = H^\top d_U$ and
$d_H = d_U W_2^\top$.

## In plain loops

Do the loops over edges, and this gradient, agree with the library? Its `sparse_product` goes row by row
through what is not zero in $S$, and records itself on the tape.
*/

static Matrix normals(Arena *arena, Rng *rng, int rows, int cols)
{
    Matrix m = matrix_new(arena, rows, cols);
    fill_normal(m, rng, 0.0f, 1.0f);
    return m;
}

// So many different edges between random nodes
static Graph random_graph(Arena *arena, Rng *rng, int nodes, int edges)
{
    int *a = arena_alloc(arena, (size_t)edges, sizeof *a), *b = arena_alloc(arena, (size_t)edges, sizeof *b);
    bool *joined = arena_zeros(arena, (size_t)(nodes * nodes), sizeof *joined);
    for (int e = 0; e < edges;) {
        int i = (int)rng_below(rng, (uint32_t)nodes), j = (int)rng_below(rng, (uint32_t)nodes);
        if (i >= j || joined[i * nodes + j]) continue;
        joined[i * nodes + j] = true;
        a[e] = i, b[e++] = j;
    }
    return (Graph){nodes, edges, a, b};
}

// Two layers without biases, by hand: z, and the gradients of both weights from d_z
static void two_layers(Arena *arena, Graph g, Matrix x, Matrix w1, Matrix w2, Matrix z, Matrix d_z,
                       Matrix d_w1, Matrix d_w2)
{
    Matrix d = degrees(arena, g), mixed = matrix_new(arena, x.rows, x.cols);
    Matrix h = matrix_new(arena, x.rows, w1.cols), u = matrix_new(arena, x.rows, w2.cols);
    pass_messages(mixed, g, d, x); // (S X) W = S (X W)
    matmul(h, mixed, w1);
    relu_forward(h, h);
    matmul(u, h, w2);
    pass_messages(z, g, d, u);

    // z = S u: d_u = S d_z. u = h w2: d_w2 = hᵀ d_u, d_h = d_u w2ᵀ. h = relu(S x w1): d_w1 = (S x)ᵀ d_h where h > 0.
    Matrix d_u = matrix_new(arena, u.rows, u.cols), d_h = matrix_new(arena, h.rows, h.cols);
    pass_messages(d_u, g, d, d_z);
    matmul_tn(d_w2, h, d_u);
    matmul_nt(d_h, d_u, w2);
    for (size_t i = 0; i < matrix_size(h); i++)
        if (h.data[i] == 0.0f) d_h.data[i] = 0.0f;
    matmul_tn(d_w1, mixed, d_h);
}

static void compare_with_library(Lesson *lesson)
{
    section(lesson, "In plain loops");
    static const int nodes[] = {2, 9, 40, 150}, edges[] = {1, 12, 80, 900};
    float values = 0.0f, gradients = 0.0f;
    printf("nodes   edges   S · x     z         gradients\n");
    for (int n = 0; n < 4; n++) {
        Arena *arena = lesson_arena(lesson);
        Rng rng = lesson_rng(lesson, 10 + (uint64_t)n);
        Graph g = random_graph(arena, &rng, nodes[n], edges[n]);
        Matrix x = normals(arena, &rng, g.nodes, 5), w1 = normals(arena, &rng, 5, 7),
               w2 = normals(arena, &rng, 7, 3);
        Matrix d_z = normals(arena, &rng, g.nodes, 3), z = matrix_new(arena, g.nodes, 3);
        Matrix d_w1 = matrix_new(arena, 5, 7), d_w2 = matrix_new(arena, 7, 3);
        two_layers(arena, g, x, w1, w2, z, d_z, d_w1, d_w2);
        SparseOperator s = sparse_operator(arena, propagation(arena, g));
        Matrix once = matrix_new(arena, g.nodes, 5), library = matrix_new(arena, g.nodes, 5);
        pass_messages(once, g, degrees(arena, g), x);
        sparse_matmul(library, s.forward, x);

        Tape *tape = tape_new();
        Tensor *first = tape_variable(tape, w1), *second = tape_variable(tape, w2);
        Tensor *h = relu(sparse_product(&s, product(tape_input(tape, x), first)));
        Tensor *out = sparse_product(&s, product(h, second));
        backward_from(out, d_z);
        float apart = largest_difference(once, library), deep = largest_difference(out->value, z);
        float d_apart = fmaxf(largest_difference(first->gradient, d_w1) / largest(d_w1),
                              largest_difference(second->gradient, d_w2) / largest(d_w2));
        printf("%5d%8d   %-10s%-10s%s\n", g.nodes, g.edges, apart < 1e-5f ? "agree" : "differ",
               deep < 1e-4f ? "agree" : "differ", d_apart < 1e-4f ? "agree" : "differ");
        values = fmaxf(values, fmaxf(apart, 0.1f * deep)), gradients = fmaxf(gradients, d_apart);
        tape_free(tape);
    }
    printf("\n");
    claim(lesson, values < 1e-5f, "loops and library agree on the values");
    claim(lesson, gradients < 1e-4f, "and on the gradients of both weights, to 1e-4 of the largest");
}

/*
## A club falls apart

Wayne Zachary watched a karate club for two years. Who met outside the lessons is written in
`datasets/karate.csv`: 34 members, of whom number 1 is the instructor and number 34 heads the club. When the
two fell out, every member went with one of them. We know that, too, and tell the network of two members
only: 1 and 34.

What goes in? Nobody has features. Then each node gets a number of its own, a row of zeros with a single 1:
$X = I$, and $X W_1 = W_1$. So each node begins with 16 random numbers that are trained. Only two rows have a
label, and the loss is the cross-entropy of these two. The other 32 receive a gradient all the same, along the
edges.
*/

enum { CLUB = 34, HIDDEN = 16 };

static Graph load_club(Arena *arena, int **side)
{
    Csv table = csv_read(arena, "datasets/karate.csv");
    check(table.rows == CLUB, "is it the course's own? git checkout datasets/karate.csv",
          "%s has %d rows, expected %d", table.path, table.rows, CLUB);
    Matrix met = csv_numbers(arena, table, "m1", "m34");
    char **names;
    int count;
    *side = csv_classes(arena, table, "side", &names, &count);
    int *a = arena_alloc(arena, CLUB * CLUB, sizeof *a), *b = arena_alloc(arena, CLUB * CLUB, sizeof *b);
    Graph g = {CLUB, 0, a, b};
    for (int i = 0; i < CLUB; i++)
        for (int j = i + 1; j < CLUB; j++) // one entry, 23 and 34, stands on one side of the diagonal only
            if (AT(met, i, j) > 0.0f || AT(met, j, i) > 0.0f) a[g.edges] = i, b[g.edges++] = j;
    return g;
}

// What is known of a graph while training: S, features or none (each node for itself), a label or −1 for each node
typedef struct {
    const SparseOperator *s, *features; // features NULL: identity
    int nodes, classes;
    const int *labels;
} Task;

enum { MOST_LAYERS = 16 };

typedef enum { PLAIN, SKIPS, NORMED } Form;

typedef struct {
    bool graph;         // false: the same network without edges, an MLP
    int layers, hops;   // hops: how often S is applied in each layer; 0 counts as 1
    int hidden, epochs; // 0: 32, 200
    float rate, decay, dropout;
    Form form;
    float gain; // of the weights, times Glorot's deviation; 0: 1
} Settings;

typedef struct {
    Parameters set;
    Tensor *weight[MOST_LAYERS], *bias[MOST_LAYERS];
    BatchNorm norm[MOST_LAYERS];
    Settings how;
} Net;

static Net net_new(Arena *arena, const Task *task, Settings how, Rng *rng)
{
    Net net = {.set = parameters_new(arena), .how = how};
    if (!net.how.hidden) net.how.hidden = 32;
    if (!net.how.epochs) net.how.epochs = 200;
    if (!net.how.hops) net.how.hops = 1;
    for (int l = 0; l < how.layers; l++) {
        int in = l ? net.how.hidden : task->features ? task->features->forward.cols : task->nodes;
        int out = l == how.layers - 1 ? task->classes : net.how.hidden;
        const char *name = layer_name(&net.set, "net", "layer", l);
        net.weight[l] = parameters_add(&net.set, layer_name(&net.set, name, "weight", -1), in, out);
        net.bias[l] = parameters_add(&net.set, layer_name(&net.set, name, "bias", -1), 1, out);
        if (how.form == NORMED && l < how.layers - 1)
            net.norm[l] = batch_norm_new(&net.set, layer_name(&net.set, name, "norm", -1), out);
        fill_normal(net.weight[l]->value, rng, 0.0f,
                    (how.gain > 0.0f ? how.gain : 1.0f) * glorot_deviation(in, out));
    }
    return net;
}

/*
One function runs all networks of this chapter: with edges or without, with one hop in each layer or several,
plain or with a skip around each hidden layer, $H \leftarrow H + \mathrm{relu}(S H W + b)$.
*/

// hidden, unless NULL, receives what enters the last layer
static Tensor *net_scores(Net *net, Tape *tape, const Task *task, Rng *rng, bool training, Tensor **hidden)
{
    const Settings *how = &net->how;
    Tensor *h = NULL;
    for (int l = 0; l < how->layers; l++) {
        Tensor *before = h;
        if (l > 0) {
            h = dropout(h, how->dropout, rng, training);
            h = product(h, net->weight[l]);
        } else {
            h = tape_parameter(tape, net->weight[0]);
            if (task->features) h = sparse_product(task->features, h);
        }
        for (int k = 0; k < how->hops && how->graph; k++) h = sparse_product(task->s, h);
        h = tensor_add(h, net->bias[l]);
        if (l == how->layers - 1) continue;
        if (how->form == NORMED) h = batch_normalise(&net->norm[l], h, true);
        h = relu(h);
        if (how->form == SKIPS && l > 0) h = tensor_add(before, h);
        if (hidden) *hidden = h;
    }
    return h;
}

// Trains a new network on the labels of task; scores (nodes × classes), hidden as above or with data NULL
static void train(Lesson *lesson, Matrix scores, Matrix hidden, const Task *task, Settings how,
                  uint64_t start)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, start);
    Net net = net_new(arena, task, how, &rng);
    Optimiser adam = adam_new(arena, &net.set, 0.9f, 0.999f, 1e-8f, how.decay);
    optimiser_decay(&adam, "bias", 0.0f);
    Tape *tape = tape_new();
    for (int epoch = 0; epoch < net.how.epochs; epoch++) {
        tape_reset(tape);
        Tensor *loss = cross_entropy(net_scores(&net, tape, task, &rng, true, NULL), task->labels);
        backward(loss);
        optimiser_step(&adam, how.rate);
    }
    tape_reset(tape);
    tape_record(tape, false);
    Tensor *last = NULL;
    copy(scores, net_scores(&net, tape, task, &rng, false, &last)->value);
    if (hidden.data) copy(hidden, last->value);
    tape_free(tape);
    arena_free(arena);
}

/*
Who else could guess? Two opponents know the two labels and the edges, and learn nothing:

- the nearest: whichever of the two leaders is fewer steps away;
- **label propagation** (标签传播): start with a 1 in the column of the known label, zeros elsewhere, and repeat
  $F \leftarrow \alpha S F + (1 - \alpha) Y$, where $Y$ holds the known labels (Zhou and others 2004).
*/

// scores (N × K) after so many steps; labels −1: not known
static void propagate_labels(Arena *arena, Matrix scores, Sparse s, const int *labels, float alpha, int steps)
{
    ArenaMark mark = arena_mark(arena);
    Matrix known = matrix_new(arena, scores.rows, scores.cols),
           next = matrix_new(arena, scores.rows, scores.cols);
    for (int i = 0; i < known.rows; i++)
        if (labels[i] >= 0) AT(known, i, labels[i]) = 1.0f;
    copy(scores, known);
    for (int k = 0; k < steps; k++) {
        sparse_matmul(next, s, scores);
        scale(next, alpha);
        add_scaled(next, 1.0f - alpha, known);
        copy(scores, next);
    }
    arena_rewind(arena, mark);
}

// scores (N × K): minus the number of steps to the nearest node with that label
static void nearest_label(Matrix scores, Graph g, const int *labels)
{
    fill(scores, (float)-g.nodes);
    for (int i = 0; i < g.nodes; i++)
        if (labels[i] >= 0) AT(scores, i, labels[i]) = 0.0f;
    for (int k = 0; k < g.nodes; k++)
        for (int e = 0; e < g.edges; e++)
            for (int c = 0; c < scores.cols; c++) {
                float *a = &AT(scores, g.a[e], c), *b = &AT(scores, g.b[e], c);
                *a = fmaxf(*a, *b - 1.0f), *b = fmaxf(*b, *a - 1.0f);
            }
}

static int count_wrong(Matrix scores, const int *side)
{
    int wrong = 0;
    for (int i = 0; i < scores.rows; i++) wrong += (AT(scores, i, 1) > AT(scores, i, 0)) != side[i];
    return wrong;
}

static int count_ties(Matrix scores)
{
    int ties = 0;
    for (int i = 0; i < scores.rows; i++) ties += AT(scores, i, 0) == AT(scores, i, 1);
    return ties;
}

// A pencil that never leaves the paper: over every edge, there and back; path needs 2 · edges + 1 places
static void walk_edges(int *path, int *points, Graph g, bool *drawn, int node)
{
    path[(*points)++] = node;
    for (int e = 0; e < g.edges; e++) {
        if (drawn[e] || (g.a[e] != node && g.b[e] != node)) continue;
        drawn[e] = true;
        walk_edges(path, points, g, drawn, g.a[e] == node ? g.b[e] : g.a[e]);
        path[(*points)++] = node;
    }
}

// Places for the nodes: from the second and third eigenvector of S on, all push each other away (1/distance) and edges pull
// (distance²), by less and less (Fruchterman and Reingold 1991)
static void lay_out(Arena *arena, Graph g, Sparse s, float *x, float *y)
{
    double values[3];
    Matrix vectors = matrix_new(arena, 3, g.nodes), force = matrix_new(arena, g.nodes, 2);
    symmetric_largest(values, vectors, sparse_to_matrix(arena, s), 3);
    for (int i = 0; i < g.nodes; i++) { // who has the same friends has the same place there, but for a little
        x[i] = 5.0f * AT(vectors, 1, i) + 0.02f * (float)(i * 7 % 5);
        y[i] = 5.0f * AT(vectors, 2, i) + 0.02f * (float)(i * 3 % 7);
    }
    for (int step = 0; step < 500; step++) {
        fill(force, 0.0f);
        for (int i = 0; i < g.nodes; i++)
            for (int j = 0; j < g.nodes; j++) {
                float dx = x[i] - x[j], dy = y[i] - y[j], push = 0.1f / (dx * dx + dy * dy + 1e-3f);
                AT(force, i, 0) += push * dx, AT(force, i, 1) += push * dy;
            }
        for (int e = 0; e < g.edges; e++) {
            int a = g.a[e], b = g.b[e];
            float dx = x[b] - x[a], dy = y[b] - y[a], pull = sqrtf(dx * dx + dy * dy);
            AT(force, a, 0) += pull * dx, AT(force, a, 1) += pull * dy;
            AT(force, b, 0) -= pull * dx, AT(force, b, 1) -= pull * dy;
        }
        for (int i = 0; i < g.nodes; i++) {
            float size = (float)norm(matrix_rows(force, i, 1)), most = 0.1f * (1.0f - (float)step / 500.0f);
            float factor = size > most ? most / size : 1.0f;
            x[i] += factor * AT(force, i, 0), y[i] += factor * AT(force, i, 1);
        }
    }
}

static void draw_club(Lesson *lesson, Graph g, Sparse s, Matrix scores, const int *side)
{
    float x[CLUB], y[CLUB], line_x[400], line_y[400], px[2][CLUB], py[2][CLUB], wx[CLUB], wy[CLUB];
    int count[2] = {0}, wrong = 0, points = 0, path[400];
    lay_out(lesson_arena(lesson), g, s, x, y);
    for (int i = 0; i < CLUB; i++) {
        int guess = AT(scores, i, 1) > AT(scores, i, 0), n = count[guess]++;
        px[guess][n] = x[i], py[guess][n] = y[i];
        if (guess != side[i]) wx[wrong] = x[i], wy[wrong++] = y[i];
    }
    bool drawn[200] = {false};
    walk_edges(path, &points, g, drawn, 0);
    for (int n = 0; n < points; n++) line_x[n] = x[path[n]], line_y[n] = y[path[n]];
    Plot *plot = plot_begin(lesson, "karate.svg", "Who goes with whom: 34 members, 2 labels");
    plot_axes(plot, "across (places mean nothing but who is near whom)", "up");
    plot_line(plot, "met outside the lessons", line_x, line_y, points);
    plot_points(plot, "predicted: with the instructor", px[0], py[0], count[0]);
    plot_points(plot, "predicted: with the head of the club", px[1], py[1], count[1]);
    if (wrong) plot_crosses(plot, "wrong", wx, wy, wrong);
    plot_text(plot, (double)x[0], (double)y[0] + 0.08, "1");
    plot_text(plot, (double)x[CLUB - 1], (double)y[CLUB - 1] + 0.08, "34");
    plot_end(plot, "Two labels, 1 and 34, colour the whole club. The places come from the edges alone.");
}

static void split_club(Lesson *lesson)
{
    section(lesson, "A club falls apart");
    Arena *arena = lesson_arena(lesson);
    int *side, labels[CLUB];
    Graph g = load_club(arena, &side);
    SparseOperator s = sparse_operator(arena, propagation(arena, g));
    for (int i = 0; i < CLUB; i++) labels[i] = i == 0 || i == CLUB - 1 ? side[i] : LABEL_IGNORED;
    Task task = {&s, NULL, CLUB, 2, labels};
    Matrix scores = matrix_new(arena, CLUB, 2), kept = matrix_new(arena, CLUB, 2), none = {0};
    printf("%d members, %d edges, 2 labels: how many of the other 32 go elsewhere than predicted?\n\n", CLUB,
           g.edges);
    int most_with = 0, least_without = CLUB;
    for (int graph = 1; graph >= 0; graph--) {
        printf("%-36s", graph ? "GCN, five starts" : "the same network without edges");
        for (uint64_t start = 0; start < 5; start++) {
            train(lesson, scores, none, &task,
                  (Settings){.graph = graph, .layers = 2, .hidden = HIDDEN, .rate = 0.01f}, 20 + start);
            int wrong = count_wrong(scores, side);
            printf("%4d", wrong);
            if (graph && start == 0) copy(kept, scores);
            if (graph)
                most_with = int_max(most_with, wrong);
            else
                least_without = int_min(least_without, wrong);
        }
        printf("\n");
    }
    nearest_label(scores, g, labels);
    int ties = count_ties(scores), tied_wrong = 0;
    for (int i = 0; i < CLUB; i++) tied_wrong += AT(scores, i, 0) == AT(scores, i, 1) && side[i];
    printf("%-36s%4d, and %d undecided\n", "the nearest of the two", count_wrong(scores, side) - tied_wrong,
           ties);
    printf("%-36s", "label propagation, α .5, .8, .9, .99");
    static const float alphas[] = {0.5f, 0.8f, 0.9f, 0.99f};
    int fewest = CLUB;
    for (int n = 0; n < 4; n++) {
        propagate_labels(arena, scores, s.forward, labels, alphas[n], 100);
        int wrong = count_wrong(scores, side);
        printf("%4d", wrong);
        fewest = int_min(fewest, wrong);
    }
    printf("\n\n");
    claim(lesson, most_with <= 2, "with two labels the GCN is wrong about at most 2 of 32, from every start");
    claim(lesson, least_without >= 6, "without edges it guesses: at least 6 of 32 wrong, from every start");
    claim(lesson, fewest <= 2,
          "label propagation, which has no weights at all, does it with at most 2 wrong, too");
    draw_club(lesson, g, s.forward, kept, side);
}

/*
The GCN errs about one or two members. Zachary's own prediction erred about one: number 9, who went with the
instructor although most friends stood on the other side (three weeks later there was an examination for the
black belt, and the instructor held it). But look at the last line. Nothing is learned there; a 1 at each of
two nodes is averaged over edges. It does as well. That neighbours stand together is enough. Hold that
thought until the thesaurus.

The places in the figure come from the edges alone: they pull, and all nodes push each other away.

## In any order

Who is number 5 does not matter. If we number the nodes in another order, the same numbers must come out, in
the new order: with a **permutation** (置换) $P$ of rows, $S$ becomes $P S P^\top$, and

$$f(P S P^\top,\, P X) = P f(S, X) .$$

The layer is **permutation equivariant** (置换等变). To the last bit? A sum of floats depends on its order, and
the neighbours of a node now come in another order. So it holds to rounding only, unless we choose a sum
that does not care: we round each message to a multiple of $2^{-40}$ and add integers.
*/

// S · x with sums that do not depend on the order of the edges; |x| < 2²⁰
static void pass_in_any_order(Arena *arena, Matrix out, Graph g, Matrix d, Matrix x)
{
    const double unit = 0x1p40;
    size_t size = matrix_size(x);
    int64_t *total = arena_alloc(arena, size, sizeof *total);
    for (size_t i = 0; i < size; i++)
        total[i] = (int64_t)(unit * (double)(x.data[i] / d.data[i / (size_t)x.cols]));
    for (int e = 0; e < g.edges; e++) {
        float weight = 1.0f / sqrtf(d.data[g.a[e]] * d.data[g.b[e]]);
        for (int c = 0; c < x.cols; c++) {
            total[g.a[e] * x.cols + c] += (int64_t)(unit * (double)(weight * AT(x, g.b[e], c)));
            total[g.b[e] * x.cols + c] += (int64_t)(unit * (double)(weight * AT(x, g.a[e], c)));
        }
    }
    for (size_t i = 0; i < size; i++) out.data[i] = (float)((double)total[i] / unit);
}

// Node order[i] becomes number i; the edges are listed in another order, too
static Graph renumber(Arena *arena, Graph g, const int *order, Rng *rng)
{
    int *number = arena_alloc(arena, (size_t)g.nodes, sizeof *number);
    int *edge = arena_alloc(arena, (size_t)g.edges, sizeof *edge);
    int *a = arena_alloc(arena, (size_t)g.edges, sizeof *a),
        *b = arena_alloc(arena, (size_t)g.edges, sizeof *b);
    for (int i = 0; i < g.nodes; i++) number[order[i]] = i;
    rng_permutation(rng, edge, g.edges);
    for (int e = 0; e < g.edges; e++) a[e] = number[g.a[edge[e]]], b[e] = number[g.b[edge[e]]];
    return (Graph){g.nodes, g.edges, a, b};
}

// relu(S X W1), then S H W2, with exact sums or with those of floats
static Matrix two_exact_layers(Arena *arena, Graph g, Matrix x, Matrix w1, Matrix w2, bool exact)
{
    Matrix d = degrees(arena, g), u = matrix_new(arena, x.rows, w1.cols),
           h = matrix_new(arena, x.rows, w1.cols);
    Matrix v = matrix_new(arena, x.rows, w2.cols), z = matrix_new(arena, x.rows, w2.cols);
    matmul(u, x, w1);
    if (exact)
        pass_in_any_order(arena, h, g, d, u);
    else
        pass_messages(h, g, d, u);
    relu_forward(h, h);
    matmul(v, h, w2);
    if (exact)
        pass_in_any_order(arena, z, g, d, v);
    else
        pass_messages(z, g, d, v);
    return z;
}

static int count_different(Matrix a, Matrix b)
{
    int count = 0;
    for (size_t i = 0; i < matrix_size(a); i++) count += a.data[i] != b.data[i];
    return count;
}

static void any_order(Lesson *lesson)
{
    section(lesson, "In any order");
    enum { NODES = 200, EDGES = 1500, WIDTH = 8, OUT = 4 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 30);
    Graph g = random_graph(arena, &rng, NODES, EDGES);
    int order[NODES];
    rng_permutation(&rng, order, NODES);
    Graph other = renumber(arena, g, order, &rng);
    Matrix x = normals(arena, &rng, NODES, WIDTH), w1 = normals(arena, &rng, WIDTH, WIDTH),
           w2 = normals(arena, &rng, WIDTH, OUT), moved = matrix_new(arena, NODES, WIDTH);
    Matrix expected = matrix_new(arena, NODES, OUT), got[3];
    gather_rows(moved, x, order);
    float apart[3];
    int differ[3];
    for (int n = 0; n < 3; n++) { // exact sums; sums of floats; the features renumbered, the edges not
        gather_rows(expected, two_exact_layers(arena, g, x, w1, w2, n == 0), order);
        got[n] = two_exact_layers(arena, n == 2 ? g : other, moved, w1, w2, n == 0);
        apart[n] = largest_difference(got[n], expected), differ[n] = count_different(got[n], expected);
    }
    printf("%d nodes and their edges in another order, two layers, %d numbers\n", NODES, NODES * OUT);
    printf("sums of integers: %d differ\nsums of floats: %d differ, by %.0e at most\n", differ[0], differ[1],
           (double)apart[1]);
    printf("features renumbered, edges not: %d differ, by %.1f\n\n", differ[2], (double)apart[2]);
    claim(lesson, differ[0] == 0, "added as integers, the answers move with the nodes, to the last bit");
    claim(lesson, apart[1] < 1e-5f, "added as floats, they do to 1e-5");
    claim(lesson, apart[2] > 0.1f,
          "it is the edges that carry the answer: leave them where they were, and it is another");
}

/*
Attention without positions is equivariant in the same way (chapter 16). And this is a strong restriction.
Two nodes that the graph cannot tell apart get the same answer, whatever the weights. We meet that next.

## A grid is a graph

"A convolution is a graph network on a grid." Take the pixels of an image as nodes and join those that
touch, also at a corner. A 3 × 3 convolution lets each pixel hear itself and eight neighbours, and so does a
GCN. Is it the same?

The convolution has nine matrices of weights, one for each direction. Let $A_t$ be the matrix that
fetches for each pixel the one in direction $t$: a row has one 1, or none at the border. Then

$$\mathrm{conv}(X) = \sum_{t=1}^{9} A_t\, X\, W_t .$$

The GCN has one: $S X W$. So a convolution is a graph network with nine kinds of edges. Each kind has a
propagation matrix and weights of its own, as Schlichtkrull and others (2018) do it for graphs with
relations such as *is born in* and *works at*. Let us see whether the nine together give chapter 10's layer.
*/

enum { SIDE = 28, TAPS = 9 };

// A_t: for each pixel of a side × side image, the pixel at (dy, dx) from it
static Sparse direction(Arena *arena, int side, int dy, int dx)
{
    int count = 0, *row = arena_alloc(arena, (size_t)(side * side), sizeof *row);
    int *column = arena_alloc(arena, (size_t)(side * side), sizeof *column);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            if (y + dy < 0 || y + dy >= side || x + dx < 0 || x + dx >= side) continue;
            row[count] = y * side + x, column[count++] = (y + dy) * side + x + dx;
        }
    return sparse_new(arena, side * side, side * side, count, row, column, NULL);
}

// out = Σ_t A_t x W_t; w (9·C × O) has W_t below W_(t−1), as chapter 10 has it
static void nine_directions(Arena *arena, Matrix out, Matrix x, Matrix w, int side)
{
    Matrix heard = matrix_new(arena, x.rows, x.cols), all = matrix_new(arena, x.rows, TAPS * x.cols);
    for (int t = 0; t < TAPS; t++) {
        sparse_matmul(heard, direction(arena, side, t / 3 - 1, t % 3 - 1), x);
        copy_columns(all, t * x.cols, heard, 0, x.cols);
    }
    matmul(out, all, w); // [A_1 x, …, A_9 x] · W: one sum over directions and channels
}

// Every pixel joined with those that touch it
static Graph grid_graph(Arena *arena, int side)
{
    int most = 4 * side * side;
    int *a = arena_alloc(arena, (size_t)most, sizeof *a), *b = arena_alloc(arena, (size_t)most, sizeof *b);
    Graph g = {side * side, 0, a, b};
    static const int dy[] = {0, 1, 1, 1}, dx[] = {1, -1, 0, 1};
    for (int i = 0; i < side * side; i++)
        for (int n = 0; n < 4; n++) {
            int y = i / side + dy[n], x = i % side + dx[n];
            if (y < side && x >= 0 && x < side) a[g.edges] = i, b[g.edges++] = y * side + x;
        }
    return g;
}

/*
And what can a single matrix do? Take one channel. $S X w$ is the same blur whatever the image is, times one
number $w$. Is it a matter of training? Let us ask for a kernel that finds vertical edges, right minus left
(Sobel's), and seek the best $w$ by least squares. In the interior of an image the weights of $S$ are
$\frac19$ in all nine directions; the kernel is negative on one side and positive on the other; their
product is 0, and so is the best $w$.

Nor do more layers help, or activations, or any training. A mirror image of the grid is the same grid:
mirroring is a permutation of the nodes that leaves all edges where they were. So, by equivariance, whatever
a network of $S$ says about the mirrored image is the mirror image of what it says about the image: it
cannot tell left from right.
*/

static const float sobel[TAPS] = {-1, 0, 1, -2, 0, 2, -1, 0, 1};

// A white disc of that radius, with soft edge
static Matrix disc(Arena *arena, int side, float radius)
{
    Matrix x = matrix_new(arena, side * side, 1);
    for (int i = 0; i < side * side; i++) {
        float dy = (float)(i / side) - 0.5f * (float)(side - 1),
              dx = (float)(i % side) - 0.5f * (float)(side - 1);
        x.data[i] = fmaxf(0.0f, fminf(1.0f, radius - sqrtf(dy * dy + dx * dx)));
    }
    return x;
}

static void draw_edges(Lesson *lesson, Matrix x, Matrix edges, Matrix blurred)
{
    Matrix images = matrix_new(lesson_arena(lesson), 3, SIDE * SIDE);
    const Matrix shown[3] = {x, edges, blurred};
    static const float scales[3] = {1.0f, 0.25f, 1.0f};
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < SIDE * SIDE; i++)
            AT(images, n, i) = n == 1 ? 0.5f + 0.5f * scales[n] * shown[n].data[i] : shown[n].data[i];
    Plot *plot = plot_begin(lesson, "edges.png", "Nine matrices find edges, one matrix blurs");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, 3, 0.0f, 1.0f}, images,
                (const char *[]){"image", "convolution: right − left", "GCN: S · x"});
    plot_end(plot, "Left: a disc. Middle: grey is 0, left edges white, right edges black. "
                   "Right: what one shared matrix can do, up to a factor.");
}

static void grid_is_a_graph(Lesson *lesson)
{
    section(lesson, "A grid is a graph");
    enum { IN = 3, OUT = 8 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 40);
    Grid grid = {1, SIDE, SIDE};
    Matrix x = normals(arena, &rng, SIDE * SIDE, IN), w = normals(arena, &rng, TAPS * IN, OUT), none = {0};
    Matrix nine = matrix_new(arena, x.rows, OUT), conv = matrix_new(arena, x.rows, OUT);
    nine_directions(arena, nine, x, w, SIDE);
    conv2d_forward(arena, conv, x, w, none, grid, window_square(3, 1, 1));
    int differ = count_different(nine, conv);
    printf("3 × 3 convolution of %d channels into %d against nine propagation matrices: %d of %zu numbers "
           "differ\n",
           IN, OUT, differ, matrix_size(conv));

    Graph g = grid_graph(arena, SIDE);
    Sparse s = propagation(arena, g);
    Matrix image = disc(arena, SIDE, 9.0f), edges = matrix_new(arena, x.rows, 1),
           blurred = matrix_new(arena, x.rows, 1), kernel = matrix_from(arena, TAPS, 1, sobel);
    conv2d_forward(arena, edges, image, kernel, none, grid, window_square(3, 1, 1));
    sparse_matmul(blurred, s, image);
    int middle = SIDE / 2 * SIDE + SIDE / 2;
    double with = 0.0, square = 0.0, of_kernel = 0.0; // ⟨s, kernel⟩, ⟨s, s⟩, ⟨kernel, kernel⟩ at one pixel
    for (int k = s.start[middle], t = 0; k < s.start[middle + 1]; k++, t++) {
        with += (double)s.value[k] * (double)sobel[t], square += (double)s.value[k] * (double)s.value[k];
        of_kernel += (double)sobel[t] * (double)sobel[t];
    }
    double best = with / square, left_over = sqrt(1.0 - with * with / (square * of_kernel));
    printf("the best w for the edge kernel: %.4f, with an error of %.0f %%\n", best, 100.0 * left_over);

    Matrix w1 = normals(arena, &rng, IN, OUT), w2 = normals(arena, &rng, OUT, OUT);
    int mirror[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) mirror[i] = i / SIDE * SIDE + SIDE - 1 - i % SIDE;
    Matrix mirrored = matrix_new(arena, x.rows, IN), expected = matrix_new(arena, x.rows, OUT);
    gather_rows(mirrored, x, mirror);
    gather_rows(expected, two_exact_layers(arena, g, x, w1, w2, true), mirror);
    int gcn = count_different(two_exact_layers(arena, g, mirrored, w1, w2, true), expected);
    gather_rows(expected, conv, mirror);
    conv2d_forward(arena, conv, mirrored, w, none, grid, window_square(3, 1, 1));
    int convolution = count_different(conv, expected);
    printf(
        "the image mirrored: %d numbers of a GCN of two layers are not mirrored, %d of the convolution\n\n",
        gcn, convolution);
    claim(lesson, differ == 0,
          "a 3 × 3 convolution is a sum over nine propagation matrices, to the last bit");
    claim(lesson, fabs(best) < 1e-6, "of an edge kernel one shared matrix can take nothing: the best w is 0");
    claim(lesson, gcn == 0,
          "a GCN on the grid cannot tell left from right: it mirrors with the image, to the last bit");
    claim(lesson, convolution > 1000, "a convolution can");
    draw_edges(lesson, image, edges, blurred);
}

/*
## A thesaurus

Roget's thesaurus (edition of 1879) sorts all ideas into categories, from 1 *existence* to 1022 *temple*,
and under each it points at others. Donald Knuth made a graph of it. The categories belong to six classes:
abstract relations, space, matter, intellect, volition, affections. We are told the classes of 120
categories, 20 of each, and predict the others. 30 of each class are the **validation set** (验证集): on them
every model's settings are chosen. The rest are the test.

As features a category has its head word, and of that the **n-grams** (n 元组) of letters: 1 to 3 letters in a
row, the ends of the word marked. *un-* and *-ness* say something about a word, but can they say much about
its class?
*/

typedef struct {
    Thesaurus roget;
    Graph graph;
    SparseOperator s, features;
} Words;

enum { LABELS_EACH = 20, VALIDATION_EACH = 30, MOST_NODES = 2000, CLASSES = THESAURUS_CLASSES };

// Both directions of a link, and twice the same, are one edge
static Graph word_graph(Arena *arena, const Thesaurus *t)
{
    check(t->count <= MOST_NODES, NULL, "%d categories, expected at most %d", t->count, MOST_NODES);
    bool *joined = arena_zeros(arena, (size_t)(t->count * t->count), sizeof *joined);
    int *a = arena_alloc(arena, (size_t)t->links, sizeof *a),
        *b = arena_alloc(arena, (size_t)t->links, sizeof *b);
    Graph g = {t->count, 0, a, b};
    for (int n = 0; n < t->links; n++) {
        int i = int_min(t->from[n], t->to[n]), j = int_max(t->from[n], t->to[n]);
        if (i == j || joined[i * t->count + j]) continue;
        joined[i * t->count + j] = true;
        a[g.edges] = i, b[g.edges++] = j;
    }
    return g;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

// (categories × n-grams): 1 where the marked word has this n-gram of up to `longest` letters, each row of length 1.
// N-grams that fewer than 4 places have are left out.
static Sparse letter_ngrams(Arena *arena, const Thesaurus *t, int longest)
{
    int count = 0, kinds = 0, k = 0, most = 0;
    for (int i = 0; i < t->count; i++) most += longest * ((int)t->names[i].size + 2);
    char **grams = arena_alloc(arena, (size_t)most, sizeof *grams),
         **sorted = arena_alloc(arena, (size_t)most, sizeof *sorted);
    int *row = arena_alloc(arena, (size_t)most, sizeof *row),
        *column = arena_alloc(arena, (size_t)most, sizeof *column);
    for (int i = 0; i < t->count; i++) {
        int length = (int)t->names[i].size + 2;
        char *word = arena_alloc(arena, (size_t)length + 1, 1);
        snprintf(word, (size_t)length + 1, "^%.*s$", length - 2, t->names[i].bytes);
        for (int n = 1; n <= longest; n++)
            for (int first = 0; first + n <= length; first++) {
                grams[count] = arena_zeros(arena, (size_t)n + 1, 1), row[count] = i;
                memcpy(grams[count++], word + first, (size_t)n);
            }
    }
    memcpy(sorted, grams, (size_t)count * sizeof *grams);
    qsort(sorted, (size_t)count, sizeof *sorted, by_text);
    for (int from = 0, to; from < count; from = to) {
        for (to = from; to < count && strcmp(sorted[from], sorted[to]) == 0;) to++;
        if (to - from >= 4) sorted[kinds++] = sorted[from];
    }
    for (int n = 0; n < count; n++) {
        char **found = bsearch(&grams[n], sorted, (size_t)kinds, sizeof *sorted, by_text);
        if (found) row[k] = row[n], column[k++] = (int)(found - sorted);
    }
    Sparse counts = sparse_new(arena, t->count, kinds, k, row, column, NULL);
    float *value = arena_alloc(arena, (size_t)counts.count, sizeof *value);
    for (int i = 0; i < counts.rows; i++)
        for (int n = counts.start[i]; n < counts.start[i + 1]; n++)
            value[n] = 1.0f / sqrtf((float)(counts.start[i + 1] - counts.start[i]));
    counts.value = value;
    return counts;
}

static void read_words(Lesson *lesson, Words *words)
{
    section(lesson, "A thesaurus");
    Arena *arena = lesson_arena(lesson);
    words->roget = thesaurus_load(arena);
    words->graph = word_graph(arena, &words->roget);
    words->s = sparse_operator(arena, propagation(arena, words->graph));
    const Graph g = words->graph;
    int same = 0, counts[CLASSES] = {0};
    for (int e = 0; e < g.edges; e++) same += words->roget.classes[g.a[e]] == words->roget.classes[g.b[e]];
    double by_chance = 0.0;
    for (int i = 0; i < g.nodes; i++) counts[words->roget.classes[i]]++;
    for (int c = 0; c < CLASSES; c++)
        by_chance += (double)counts[c] * counts[c] / ((double)g.nodes * g.nodes);
    printf("%d categories, %d edges. Of the edges %.1f %% join categories of one class; random pairs would "
           "be %.1f %%.\n\n",
           g.nodes, g.edges, 100.0 * same / g.edges, 100.0 * by_chance);
}

typedef struct {
    int training[MOST_NODES], validation[MOST_NODES], test[MOST_NODES]; // a label, or LABEL_IGNORED
} Split;

static void draw_split(Lesson *lesson, Split *split, const Thesaurus *t, int number)
{
    Rng rng = lesson_rng(lesson, 50 + (uint64_t)number);
    int order[MOST_NODES], seen[CLASSES] = {0};
    rng_permutation(&rng, order, t->count);
    for (int k = 0; k < t->count; k++) {
        int i = order[k], class = t->classes[i], before = seen[class]++;
        split->training[i] = split->validation[i] = split->test[i] = LABEL_IGNORED;
        if (before < LABELS_EACH)
            split->training[i] = class;
        else if (before < LABELS_EACH + VALIDATION_EACH)
            split->validation[i] = class;
        else
            split->test[i] = class;
    }
}

/*
## Who needs a network?

Everybody is tuned on the same validation sets, and tried on four splits.

- without edges: the nearest neighbours by n-grams (their number tuned), logistic regression, an MLP;
- without features and without weights: label propagation (its α and number of steps tuned);
- the GCN, with n-grams, and with the identity;
- the GCN with its activation taken out, so that $\mathrm{relu}(S X W_1) W_2 \dots$ becomes $S^k X W$:
  logistic regression on averaged features. Wu and others (2019) call it **SGC**, simplifying graph
  convolution ($k$ tuned).

MLP, GCN, logistic regression and SGC choose from the same learning rates and weight decays, those with a
hidden layer also dropout; a GCN chooses between two layers, three, and two of three hops each. With the
identity as features, a network without edges *cannot* do better than chance: what it learns of a node is no
part of any other. So that comparison would prove nothing, and our claim is about n-grams.
*/

typedef struct {
    const char *name;
    bool features;
    Settings variants[4]; // what is varied beside rate, decay and dropout; layers 0 ends them
} Arm;

typedef struct {
    double validation, test, least, most; // means over splits; least and most of test
    Settings how;
} Score;

enum { TUNING_SPLITS = 2, SPLITS = 4 };

// Trains on splits first … last − 1 and adds up
static void try_settings(Lesson *lesson, Score *score, const Words *words, bool features, int first, int last)
{
    Split *split = arena_alloc(lesson_arena(lesson), 1, sizeof *split);
    Matrix scores = matrix_new(lesson_arena(lesson), words->graph.nodes, CLASSES), none = {0};
    for (int n = first; n < last; n++) {
        draw_split(lesson, split, &words->roget, n);
        Task task = {&words->s, features ? &words->features : NULL, words->graph.nodes, CLASSES,
                     split->training};
        train(lesson, scores, none, &task, score->how, 60 + (uint64_t)n);
        double test = 100.0 * accuracy(scores, split->test);
        score->validation += 100.0 * accuracy(scores, split->validation), score->test += test;
        score->least = fmin(score->least, test), score->most = fmax(score->most, test);
    }
}

static Score tune(Lesson *lesson, const Words *words, const Arm *arm)
{
    static const struct {
        float rate, decay;
    } pairs[3] = {{0.01f, 0.0f}, {0.05f, 0.0f}, {0.01f, 1e-3f}};
    Score best = {.validation = -1.0};
    for (const Settings *v = arm->variants; v->layers; v++)
        for (int pair = 0; pair < 3; pair++)
            for (int drop = 0; drop < (v->layers > 1 ? 2 : 1); drop++) {
                ArenaMark mark = arena_mark(lesson_arena(lesson));
                Score score = {.least = 100.0, .how = *v};
                score.how.rate = pairs[pair].rate, score.how.decay = pairs[pair].decay;
                score.how.dropout = drop ? 0.5f : 0.0f;
                try_settings(lesson, &score, words, arm->features, 0, TUNING_SPLITS);
                if (score.validation > best.validation) best = score;
                arena_rewind(lesson_arena(lesson), mark);
            }
    ArenaMark mark = arena_mark(lesson_arena(lesson));
    try_settings(lesson, &best, words, arm->features, TUNING_SPLITS, SPLITS);
    arena_rewind(lesson_arena(lesson), mark);
    best.validation /= SPLITS, best.test /= SPLITS;
    return best;
}

/*
Two opponents need code of their own: label propagation over its grid, and the nearest neighbours, whose
votes are weighted by the cosine of the n-grams.
*/

typedef void (*Voter)(Arena *arena, Matrix scores, const Words *words, const int *labels, int setting);

enum { STEP_CHOICES = 6, ALPHA_CHOICES = 5, VOTER_CHOICES = 30 };
static const int step_choices[STEP_CHOICES] = {1, 2, 3, 5, 10, 50};
static const float alpha_choices[ALPHA_CHOICES] = {0.5f, 0.8f, 0.9f, 0.95f, 0.99f};

static void vote_by_propagation(Arena *arena, Matrix scores, const Words *words, const int *labels,
                                int setting)
{
    propagate_labels(arena, scores, words->s.forward, labels, alpha_choices[setting / STEP_CHOICES],
                     step_choices[setting % STEP_CHOICES]);
}

static void vote_by_neighbours(Arena *arena, Matrix scores, const Words *words, const int *labels,
                               int setting)
{
    ArenaMark mark = arena_mark(arena);
    Matrix x = sparse_to_matrix(arena, words->features.forward), cosine = matrix_new(arena, x.rows, x.rows);
    matmul_nt(cosine, x, x);
    fill(scores, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float *row = matrix_row(cosine, i);
        for (int j = 0; j < x.rows; j++)
            if (labels[j] < 0) row[j] = -1.0f;
        for (int k = 0; k <= setting; k++) {
            int nearest = 0;
            for (int j = 1; j < x.rows; j++)
                if (row[j] > row[nearest]) nearest = j;
            AT(scores, i, labels[nearest]) += row[nearest] + 1e-3f;
            row[nearest] = -1.0f;
        }
    }
    arena_rewind(arena, mark);
}

static Score tune_voter(Lesson *lesson, const Words *words, Voter vote, int *best_setting)
{
    Score best = {.validation = -1.0};
    Arena *arena = lesson_arena(lesson);
    for (int setting = 0; setting < VOTER_CHOICES; setting++) {
        if (vote == vote_by_neighbours && (setting & (setting + 1)) != 0) continue; // 1, 2, 4, 8, 16
        ArenaMark mark = arena_mark(arena);
        Matrix scores = matrix_new(arena, words->graph.nodes, CLASSES);
        Split *split = arena_alloc(arena, 1, sizeof *split);
        Score score = {.least = 100.0};
        for (int n = 0; n < SPLITS; n++) {
            draw_split(lesson, split, &words->roget, n);
            vote(arena, scores, words, split->training, setting);
            double test = 100.0 * accuracy(scores, split->test);
            if (n < TUNING_SPLITS) score.validation += 100.0 * accuracy(scores, split->validation);
            score.test += test / SPLITS;
            score.least = fmin(score.least, test), score.most = fmax(score.most, test);
        }
        if (score.validation > best.validation) best = score, *best_setting = setting;
        arena_rewind(arena, mark);
    }
    return best;
}

static void print_arm(const char *name, const char *features, Score s, const char *chosen)
{
    printf("%-24s%-10s%8.1f   %4.1f to %4.1f   %s\n", name, features, s.test, s.least, s.most, chosen);
}

static void print_tuned(const Arm *arm, Score s)
{
    char chosen[120];
    int used = snprintf(chosen, sizeof chosen, "rate %g, decay %g", (double)s.how.rate, (double)s.how.decay);
    if (s.how.layers > 1)
        used += snprintf(chosen + used, sizeof chosen - (size_t)used, ", dropout %g, layers %d",
                         (double)s.how.dropout, s.how.layers);
    if (s.how.graph)
        snprintf(chosen + used, sizeof chosen - (size_t)used, ", hops in each %d", int_max(1, s.how.hops));
    print_arm(arm->name, arm->features ? "n-grams" : "identity", s, chosen);
}

enum { NEIGHBOURS, LOGISTIC, MLP, PROPAGATION, GCN, GCN_IDENTITY, SGC, SGC_IDENTITY, ARMS };

static void draw_opponents(Lesson *lesson, const Score scores[ARMS])
{
    static const char *const names[ARMS] = {"nearest\nwords", "logistic",     "MLP",
                                            "labels\nspread", "GCN\nn-grams", "GCN\nidentity",
                                            "SGC\nn-grams",   "SGC\nidentity"};
    float values[ARMS];
    for (int n = 0; n < ARMS; n++) values[n] = (float)scores[n].test;
    Plot *plot =
        plot_begin(lesson, "opponents.svg", "Six classes, 20 labels of each: right on the test, in %");
    plot_axes(plot, "", "right (%)");
    plot_bars(plot, names, values, ARMS);
    plot_range_y(plot, 0.0, 80.0);
    plot_horizontal(plot, "chance", 100.0 / CLASSES);
    plot_end(plot, "Left three: without edges. The fourth has neither features nor weights.");
}

// Which length of n-grams logistic regression does best with; words keeps those of up to three letters
static void try_lengths(Lesson *lesson, Words *words)
{
    Arena *arena = lesson_arena(lesson);
    printf("logistic regression, n-grams of up to so many letters\n");
    for (int n = 1; n <= 5; n++) {
        ArenaMark mark = arena_mark(arena);
        words->features = sparse_operator(arena, letter_ngrams(arena, &words->roget, n));
        Score score = {.how = {.layers = 1, .rate = 0.05f}};
        try_settings(lesson, &score, words, true, 0, SPLITS);
        printf("    %d: %5d n-grams, %.1f %% of the validation set\n", n, words->features.forward.cols,
               score.validation / SPLITS);
        arena_rewind(arena, mark);
    }
    words->features = sparse_operator(arena, letter_ngrams(arena, &words->roget, 3));
}

static void classify_words(Lesson *lesson, Words *words)
{
    section(lesson, "Who needs a network?");
    try_lengths(lesson, words);
    static const Settings one_layer = {.layers = 1};
    const Settings gcn[3] = {
        {.graph = true, .layers = 2}, {.graph = true, .layers = 3}, {.graph = true, .layers = 2, .hops = 3}};
    const Settings sgc[3] = {{.graph = true, .layers = 1, .hops = 2},
                             {.graph = true, .layers = 1, .hops = 4},
                             {.graph = true, .layers = 1, .hops = 8}};
    const Arm arms[ARMS] = {
        [LOGISTIC] = {"logistic regression", true, {one_layer}},
        [MLP] = {"MLP", true, {{.layers = 2}, {.layers = 3}}},
        [GCN] = {"GCN", true, {gcn[0], gcn[1], gcn[2]}},
        [GCN_IDENTITY] = {"GCN", false, {gcn[0], gcn[1], gcn[2]}},
        [SGC] = {"SGC", true, {sgc[0], sgc[1], sgc[2]}},
        [SGC_IDENTITY] = {"SGC", false, {sgc[0], sgc[1], sgc[2]}},
    };
    Score scores[ARMS];
    int setting = 0;
    char chosen[80];
    printf("\n%-24s%-10s%8s   over splits     chosen\n", "", "features", "test, %");
    for (int n = 0; n < ARMS; n++) {
        if (n == NEIGHBOURS) {
            scores[n] = tune_voter(lesson, words, vote_by_neighbours, &setting);
            snprintf(chosen, sizeof chosen, "neighbours %d", setting + 1);
            print_arm("nearest neighbours", "n-grams", scores[n], chosen);
        } else if (n == PROPAGATION) {
            scores[n] = tune_voter(lesson, words, vote_by_propagation, &setting);
            snprintf(chosen, sizeof chosen, "α %g, steps %d", (double)alpha_choices[setting / STEP_CHOICES],
                     step_choices[setting % STEP_CHOICES]);
            print_arm("label propagation", "none", scores[n], chosen);
        } else {
            scores[n] = tune(lesson, words, &arms[n]);
            print_tuned(&arms[n], scores[n]);
        }
        lesson_progress(lesson, "opponents", n + 1, ARMS, NAN);
    }
    printf("\n");
    double blind = fmax(scores[MLP].test, fmax(scores[LOGISTIC].test, scores[NEIGHBOURS].test));
    claim(lesson, scores[GCN].test >= scores[MLP].test + 30.0,
          "edges give the network at least 30 points more than the same network without them");
    claim(lesson, blind <= 35.0, "from the letters alone nobody here gets beyond 35 %%");
    claim(lesson, scores[PROPAGATION].test >= scores[GCN].test - 5.0,
          "label propagation, without features and weights, keeps up with the GCN, to 5 points");
    claim(lesson,
          fmax(scores[SGC].test, scores[SGC_IDENTITY].test) >=
              fmax(scores[GCN].test, scores[GCN_IDENTITY].test) - 5.0,
          "so does the GCN without its activation, at its best against the GCN at its best");
    draw_opponents(lesson, scores);
}

/*
(Five points are three standard deviations of an accuracy near 70 % on 722 nodes: what fewer than that separate,
four splits cannot tell.)

What edges are worth: about fifty points. What the network is worth, beyond the edges: next to nothing.
Label propagation and the two linear models are as good as the GCN, and letters add nothing that could be
seen: the GCN with the identity, which knows of a node only who it is, does as well as with n-grams.

So "graph networks beat networks without edges" is true and says little. The question is whether they beat
the averages that come for free, and here they do not. Where features say much about the class, as the words
of a paper do, and labels are many, learned weights have more to work with. Who shows a table with graph
networks should show the fourth line too.

## Averaging until nothing is left

If one average helps and three help more, why not sixty? Because $S^k$ forgets. Every signal is a mixture of
eigenvectors of $S$; in each step a component is multiplied by its eigenvalue. On a connected graph the
largest is 1 and belongs to $\sqrt{d}$; all others are smaller in size. With $\lambda$ for the second
largest size,

$$\lVert S^k x - \text{its part along } \sqrt d \rVert \le \lambda^k\, \lVert x \rVert .$$

In the end every row is the same vector times $\sqrt{d_i}$, and what distinguished a node is gone:
**over-smoothing** (过度平滑; Li, Han and Wu 2018). We propagate random features, without weights, on the
largest connected part of the thesaurus, the **giant component** (最大连通分量), and measure what lies outside the
direction $\sqrt d$.
*/

// component[i] ← the smallest number of a node that i can reach
static void components(int *component, Graph g)
{
    for (int i = 0; i < g.nodes; i++) component[i] = i;
    for (bool changed = true; changed;) {
        changed = false;
        for (int e = 0; e < g.edges; e++) {
            int least = int_min(component[g.a[e]], component[g.b[e]]);
            changed |= component[g.a[e]] != least || component[g.b[e]] != least;
            component[g.a[e]] = component[g.b[e]] = least;
        }
    }
}

// The part of g with that component's number
static Graph part_of(Arena *arena, Graph g, const int *component, int wanted)
{
    int *number = arena_alloc(arena, (size_t)g.nodes, sizeof *number);
    int *a = arena_alloc(arena, (size_t)g.edges, sizeof *a),
        *b = arena_alloc(arena, (size_t)g.edges, sizeof *b);
    Graph part = {0, 0, a, b};
    for (int i = 0; i < g.nodes; i++)
        if (component[i] == wanted) number[i] = part.nodes++;
    for (int e = 0; e < g.edges; e++)
        if (component[g.a[e]] == wanted) a[part.edges] = number[g.a[e]], b[part.edges++] = number[g.b[e]];
    return part;
}

// Takes out of x (N × C), for each component, its part along √d; component NULL: there is one
static void remove_smooth(Arena *arena, Matrix x, Matrix d, const int *component)
{
    ArenaMark mark = arena_mark(arena);
    Matrix along = matrix_new(arena, x.rows, x.cols), square = matrix_new(arena, x.rows, 1);
    for (int i = 0; i < x.rows; i++) {
        int k = component ? component[i] : 0;
        square.data[k] += d.data[i];
        for (int c = 0; c < x.cols; c++) AT(along, k, c) += sqrtf(d.data[i]) * AT(x, i, c);
    }
    for (int i = 0; i < x.rows; i++) {
        int k = component ? component[i] : 0;
        for (int c = 0; c < x.cols; c++) AT(x, i, c) -= sqrtf(d.data[i]) * AT(along, k, c) / square.data[k];
    }
    arena_rewind(arena, mark);
}

// What is left of x without its smooth part: its norm
static double rough_part(Arena *arena, Matrix x, Matrix d, const int *component)
{
    ArenaMark mark = arena_mark(arena);
    Matrix rest = matrix_copy(arena, x);
    remove_smooth(arena, rest, d, component);
    double size = norm(rest);
    arena_rewind(arena, mark);
    return size;
}

/*
The second eigenvalue we find by **power iteration** (幂迭代): apply $S$ again and again to a vector from which
the part along $\sqrt d$ is taken out each time. What remains longest is the eigenvector that we look for,
and the factor by which it shrinks is the size of its eigenvalue.
*/

static double second_eigenvalue(Arena *arena, Sparse s, Matrix d, Rng *rng)
{
    Matrix v = normals(arena, rng, s.rows, 1), next = matrix_new(arena, s.rows, 1);
    double factor = 0.0;
    for (int k = 0; k < 3000; k++) {
        remove_smooth(arena, v, d, NULL);
        scale(v, 1.0f / (float)norm(v));
        sparse_matmul(next, s, v);
        factor = norm(next);
        copy(v, next);
    }
    return factor;
}

// The mean cosine between two rows of x, each divided by its length
static double mean_cosine(Arena *arena, Matrix x)
{
    ArenaMark mark = arena_mark(arena);
    Matrix unit = matrix_copy(arena, x), total = matrix_new(arena, 1, x.cols);
    int rows = 0;
    for (int i = 0; i < x.rows; i++) {
        double length = norm(matrix_rows(x, i, 1));
        if (length > 0.0) scale(matrix_rows(unit, i, 1), 1.0f / (float)length), rows++;
    }
    column_sums(total, unit);
    double cosine = (sum_of_squares(total) - rows) / ((double)rows * (rows - 1));
    arena_rewind(arena, mark);
    return cosine;
}

enum { HOPS = 64 };

static void draw_smoothing(Lesson *lesson, double lambda, float left[3][HOPS + 1])
{
    float predicted[HOPS + 1] = {1.0f};
    for (int k = 1; k <= HOPS; k++) predicted[k] = (float)lambda * predicted[k - 1];
    Plot *plot = plot_begin(lesson, "smoothing.svg", "What averaging leaves of a random signal");
    plot_axes(plot, "steps k", "length of the part outside the smooth direction (start: 1)");
    plot_log(plot, "y");
    plot_line(plot, "giant component", NULL, left[0], HOPS + 1);
    plot_line(plot, "whole graph, outside √d", NULL, left[1], HOPS + 1);
    plot_line(plot, "whole graph, outside √d of each component", NULL, left[2], HOPS + 1);
    plot_dashed(plot, "λ to the power k", NULL, predicted, HOPS + 1);
    plot_end(
        plot,
        "On a connected graph the second eigenvalue sets the pace. On the whole graph a part stays: every "
        "component keeps its own.");
}

static void smooth_away(Lesson *lesson, const Words *words)
{
    section(lesson, "Averaging until nothing is left");
    enum { WIDTH = 32 };
    Arena *arena = lesson_arena(lesson);
    Graph whole = words->graph;
    int component[MOST_NODES], sizes[MOST_NODES] = {0}, giant = 0, parts = 0;
    components(component, whole);
    for (int i = 0; i < whole.nodes; i++) sizes[component[i]]++;
    for (int i = 0; i < whole.nodes; i++) giant = sizes[i] > sizes[giant] ? i : giant, parts += sizes[i] > 0;
    Graph g = part_of(arena, whole, component, giant);
    printf("%d components; the giant one has %d of %d nodes\n", parts, g.nodes, whole.nodes);

    Rng rng = lesson_rng(lesson, 80);
    Matrix d = degrees(arena, g), d_whole = degrees(arena, whole);
    Sparse s = propagation(arena, g);
    double lambda = second_eigenvalue(arena, s, d, &rng);
    printf("second eigenvalue of S there: %.4f\n\n    k   left outside √d   of the length   mean cosine of "
           "two rows\n",
           lambda);
    Matrix x = normals(arena, &rng, g.nodes, WIDTH), y = normals(arena, &rng, whole.nodes, WIDTH);
    Matrix next = matrix_new(arena, g.nodes, WIDTH), y_next = matrix_new(arena, whole.nodes, WIDTH);
    float left[3][HOPS + 1];
    double cosine[HOPS + 1], fraction[HOPS + 1], start[3] = {0}, fastest = 0.0;
    for (int k = 0; k <= HOPS; k++) {
        const double now[3] = {rough_part(arena, x, d, NULL), rough_part(arena, y, d_whole, NULL),
                               rough_part(arena, y, d_whole, component)};
        for (int n = 0; n < 3; n++) {
            if (k == 0) start[n] = now[n];
            left[n][k] = (float)(now[n] / start[n]);
        }
        if (k > 0) fastest = fmax(fastest, (double)left[0][k] / (double)left[0][k - 1]);
        fraction[k] = now[0] / norm(x), cosine[k] = mean_cosine(arena, x);
        if ((k & (k - 1)) == 0)
            printf("%5d%18.5f%16.3f%26.3f\n", k, (double)left[0][k], fraction[k], cosine[k]);
        sparse_matmul(next, s, x), copy(x, next);
        sparse_matmul(y_next, words->s.forward, y), copy(y, y_next);
    }
    double sixteen = (double)left[0][HOPS] / (double)left[0][HOPS - 16],
           rate = sqrt(sqrt(sqrt(sqrt(sixteen))));
    printf("\nthe last 16 steps: a factor of %.4f each, %.4f of λ. On the whole graph %.3f stays outside √d, "
           "and %.4f outside\n"
           "the √d of each component\n\n",
           rate, rate / lambda, (double)left[1][HOPS], (double)left[2][HOPS]);
    claim(lesson, fastest <= 1.0001 * lambda,
          "no step leaves more than the fraction λ of what lies outside √d");
    claim(lesson, rate >= 0.98 * lambda,
          "the last sixteen steps leave λ each, to 2 %%: the second eigenvalue is the rate");
    claim(lesson, cosine[2] <= 0.05 && cosine[HOPS] >= 0.99,
          "two rows have a mean cosine of at most 0.05 after 2 steps, of at least 0.99 after 64");
    claim(
        lesson, left[1][HOPS] >= 10.0f * left[2][HOPS],
        "on the whole graph it does not collapse: each component keeps its own √d, the rest goes as before");
    draw_smoothing(lesson, lambda, left);
}

/*
So on a graph in pieces "the features of all nodes become the same" is false: each piece keeps a vector of
its own, and even a node without neighbours keeps all it had.

## Sixteen layers

A GCN of 16 layers averages 16 times. "Deep GCNs fail because of over-smoothing", says every introduction.
Let us first see whether they fail, then take the explanation apart. Each network is trained for 200 epochs,
at its best of two rates (the one that learns most of its labels, of equals the one that knows more of the
validation set), from two starts, with the identity as features.

The explanation has two rivals. Chapter 9's: signals and gradients vanish through sixteen matrices and
activations, whatever lies between. And the two together. So we need controls:

- sixteen layers *without edges*: all of chapter 9's trouble, no averaging;
- two layers with *eight hops each*: sixteen averagings, and only two matrices;
- weights at which a signal keeps its size through relu (He's deviation, $\sqrt2$ times Glorot's here);
- **skips** (残差连接), and **batch normalisation** (批归一化), which takes out of each column its mean: that is,
  what all rows have in common.
*/

enum { DEEP_STARTS = 2, DEEP_RATES = 2 };

typedef struct {
    double training, validation, test;
    double cosine; // between the rows that enter the last layer, before training
    float rate;
} Depth;

static double cosine_before(Lesson *lesson, const Task *task, Settings how)
{
    Settings untrained = how;
    untrained.epochs = 0;
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 90);
    Net net = net_new(arena, task, untrained, &rng);
    Tape *tape = tape_new();
    Tensor *last = NULL;
    net_scores(&net, tape, task, &rng, false, &last);
    double cosine = mean_cosine(arena, last->value);
    tape_free(tape);
    arena_free(arena);
    return cosine;
}

static Depth try_depth(Lesson *lesson, const Words *words, Settings how)
{
    static const float rates[DEEP_RATES] = {0.003f, 0.01f};
    Arena *arena = lesson_arena(lesson);
    Depth best = {.training = -1.0};
    ArenaMark mark = arena_mark(arena);
    Split *split = arena_alloc(arena, 1, sizeof *split);
    Task task = {&words->s, NULL, words->graph.nodes, CLASSES, split->training};
    Matrix scores = matrix_new(arena, words->graph.nodes, CLASSES), none = {0};
    for (int r = 0; r < DEEP_RATES; r++) {
        Depth depth = {.rate = rates[r]};
        how.rate = rates[r];
        for (int n = 0; n < DEEP_STARTS; n++) {
            draw_split(lesson, split, &words->roget, n);
            train(lesson, scores, none, &task, how, 90 + (uint64_t)n);
            depth.training += 100.0 * accuracy(scores, split->training) / DEEP_STARTS;
            depth.validation += 100.0 * accuracy(scores, split->validation) / DEEP_STARTS;
            depth.test += 100.0 * accuracy(scores, split->test) / DEEP_STARTS;
        }
        bool equal = depth.training == best.training;
        if (depth.training > best.training || (equal && depth.validation > best.validation)) best = depth;
    }
    best.cosine = cosine_before(lesson, &task, how);
    arena_rewind(arena, mark);
    return best;
}

enum { SHALLOW, DEEP, DEEP_HE, NO_EDGES, HOPS_ONLY, DEEP_SKIPS, DEEP_NORMED, DEPTH_ROWS, DEPTHS = 4 };

static void draw_depths(Lesson *lesson, float plain[DEPTHS], float skips[DEPTHS], float normed[DEPTHS])
{
    static const float layers[DEPTHS] = {2, 4, 8, 16};
    Plot *plot = plot_begin(lesson, "depth.svg", "What 200 epochs make of a deep GCN");
    plot_axes(plot, "layers", "right on the test (%)");
    plot_range_y(plot, 0.0, 80.0);
    plot_line_points(plot, "plain", layers, plain, DEPTHS);
    plot_line_points(plot, "with skips", layers, skips, DEPTHS);
    plot_line_points(plot, "with batch normalisation", layers, normed, DEPTHS);
    plot_horizontal(plot, "chance", 100.0 / CLASSES);
    plot_end(plot, "Depth brings nothing here. Plain networks lose by it; with skips or normalisation they "
                   "lose little.");
}

static void sixteen_layers(Lesson *lesson, const Words *words)
{
    section(lesson, "Sixteen layers");
    static const struct {
        const char *name;
        Settings how;
    } rows[DEPTH_ROWS] = {
        [SHALLOW] = {"2 layers", {.graph = true, .layers = 2}},
        [DEEP] = {"16 layers", {.graph = true, .layers = 16}},
        [DEEP_HE] = {"16 layers, √2 times the weights", {.graph = true, .layers = 16, .gain = 1.41421356f}},
        [NO_EDGES] = {"16 layers without edges", {.layers = 16}},
        [HOPS_ONLY] = {"2 layers of 8 hops", {.graph = true, .layers = 2, .hops = 8}},
        [DEEP_SKIPS] = {"16 layers with skips", {.graph = true, .layers = 16, .form = SKIPS}},
        [DEEP_NORMED] = {"16 layers, normalised", {.graph = true, .layers = 16, .form = NORMED}}};
    Depth found[DEPTH_ROWS];
    printf("%36stest   training   rate    mean cosine of two rows at the start\n", "");
    for (int n = 0; n < DEPTH_ROWS; n++) {
        found[n] = try_depth(lesson, words, rows[n].how);
        printf("%-32s%6.1f %%%8.1f %%   %-6g%14.3f\n", rows[n].name, found[n].test, found[n].training,
               (double)found[n].rate, found[n].cosine);
        lesson_progress(lesson, "depths", n + 1, DEPTH_ROWS, NAN);
    }
    printf("\n");
    float curves[3][DEPTHS];
    for (int form = PLAIN; form <= NORMED; form++)
        for (int n = 0; n < DEPTHS; n++) {
            const int known = n == 3                    ? (int[]){DEEP, DEEP_SKIPS, DEEP_NORMED}[form]
                              : n == 0 && form == PLAIN ? SHALLOW
                                                        : -1;
            curves[form][n] =
                known >= 0 ? (float)found[known].test
                           : (float)try_depth(lesson, words,
                                              (Settings){.graph = true, .layers = 2 << n, .form = (Form)form})
                                 .test;
        }
    double plain = fmax(found[DEEP].training, found[DEEP_HE].training);
    claim(lesson, plain <= 90.0 && found[DEEP_SKIPS].training >= 99.0,
          "in 200 epochs plain networks of 16 layers do not learn their 120 labels, at most 90 %%; with "
          "skips they do, at least 99 %%");
    claim(
        lesson, found[NO_EDGES].training > plain,
        "without edges sixteen plain layers learn more of them than with edges: it is not the weights alone");
    claim(lesson, found[HOPS_ONLY].test >= found[SHALLOW].test - 3.0,
          "two layers of eight hops are as good as two layers, to 3 points: nor the averaging alone");
    claim(lesson, found[DEEP_NORMED].training >= 99.0,
          "taking out the mean of each column is enough, without a skip");
    claim(lesson, found[DEEP_SKIPS].cosine >= 0.98 && found[DEEP].cosine >= 0.98,
          "with skips two rows begin as alike as in the plain network, with a mean cosine of at least 0.98");
    draw_depths(lesson, curves[0], curves[1], curves[2]);
}

/*
So a part of the popular sentence holds: a plain GCN of 16 layers learns badly. But look at the controls.
Without edges, sixteen layers learn their labels (and predict nothing, of course; of other starts, a few labels are
missing at times): it is not the weights alone, as in chapter 9, and larger weights help little. Two layers of
eight hops average as often and are as good as anything in this chapter: it is not the averaging alone, and nothing
that is needed has been lost after sixteen steps. It takes the two in turn.

Often the cosine between rows is shown as the reason: in the plain network 0.99, so all nodes look the same.
But with skips the rows begin at 0.99, too, and everything is learned. How alike rows are says little about
what can be learned from their differences. What skips and normalisation have in common is that differences
between rows reach the end, and gradients the beginning, without being averaged sixteen times against a
common part that grows. That is our guess; what we have shown is which combinations learn.

Nor is "fails" the word. In five times as many epochs, measured apart at a rate of 0.003, the plain network
learns 94 % and 93 % of its labels from two starts and gets 63 % and 59 % of the test: it is slow. And depth
wins nothing here, with skips or without.

## Messages

The general form is **message passing** (消息传递; Gilmer and others 2017). Along each edge goes a message that
a function makes of both ends (and of the edge, if it has features); each node adds up what arrives, and a
second function makes of the sum and the old row the new row:

$$m_i = \sum_{j \sim i} \phi(h_i, h_j, e_{ij}), \qquad h_i' = \psi(h_i, m_i) .$$

The sum may be a mean or a maximum: it must not care about the order. The family is large, and you have met
most of it:

| layer | message from $j$ to $i$ | who is joined |
|---|---|---|
| GCN | $h_j W / \sqrt{d_i d_j}$ | given |
| convolution | $h_j W_t$, one matrix for each direction $t$ | neighbours on a grid |
| label propagation | $\alpha F_j / \sqrt{d_i d_j}$, nothing learned | given |
| graph attention (GAT) | $h_j W$, weighted by a softmax over the neighbours | given |
| attention (chapter 16) | $v_j$, weighted by a softmax over all | everybody |
| recurrence (chapters 13, 14) | the state | each moment with the one before |

Rows are positions, and the graph says which rows may mix. Molecules, roads, meshes, citations, programs:
whatever can be drawn with dots and lines goes through the same two functions.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "15-gnn", "Graph networks");
    Words words;
    three_people(lesson);
    compare_with_library(lesson);
    split_club(lesson);
    any_order(lesson);
    grid_is_a_graph(lesson);
    read_words(lesson, &words);
    classify_words(lesson, &words);
    smooth_away(lesson, &words);
    sixteen_layers(lesson, &words);
    return lesson_end(lesson);
}

/*
## What to take along

- A graph layer averages each row with its neighbours' and multiplies by weights. $S = D^{-1/2} (A + I)
  D^{-1/2}$ is symmetric, so gradients travel along the same edges.
- Nodes have no order: renumber them, and the answers move along. To the last bit only if the sums do not
  depend on their order.
- A convolution is a sum of nine propagation matrices with nine matrices of weights. With one shared matrix
  a grid can only be blurred, and left is the same as right.
- On the thesaurus edges are worth fifty points. The network on top of them is worth nothing that could be
  measured: label propagation does as well. Show this opponent.
- Repeated averaging forgets all but one vector for each component, at the rate of the second eigenvalue.
- Sixteen plain layers learn badly, but neither the averaging alone nor the weights alone is to blame; skips
  or normalisation cure it.

## Check yourself

**1.** A star: one node in the middle, four around it. What are the entries of $S$, and which vector does it
leave as it is?

<details><summary>Answer</summary>

Degrees with oneself: 5 in the middle, 2 at the tips. $S$ has $\frac15$ and $\frac12$ on the diagonal and
$1/\sqrt{10}$ between the middle and a tip. $(\sqrt5, \sqrt2, \sqrt2, \sqrt2, \sqrt2)$: for the middle,
$\sqrt5/5 + 4 \sqrt2/\sqrt{10} = 5/\sqrt5 = \sqrt5$.

</details>

**2.** With 2 layers of 3 hops, how far away can a node be whose features change the answer at another?

<details><summary>Answer</summary>

Six edges. Activations and weights work row by row and carry nothing further.

</details>

**3.** Why does the network without edges have exactly chance accuracy in expectation when $X = I$, however
long it is trained?

<details><summary>Answer</summary>

Row $i$ of $W_1$ is used by node $i$ only. A test node's row receives no gradient, so it is still the random
row that it was at the start; the answer is some function of noise that knows nothing of the node.

</details>

**4.** $\lambda = 0.9367$. After how many steps is a tenth of the slowest component left? And on a graph
with $\lambda = 0.5$?

<details><summary>Answer</summary>

$\ln 0.1 / \ln 0.9367 = 35$ steps; $\ln 0.1 / \ln 0.5 = 3.3$. The better a graph is connected, the sooner
everything is the same.

</details>

**5.** Two nodes have different neighbours, but the same number of them, and all nodes have the same one
feature. Can a GCN tell them apart?

<details><summary>Answer</summary>

Only through what lies further away: if their neighbours' degrees differ, yes, from the first layer on. In a
graph where all nodes have the same degree, never: all rows begin equal and stay equal.

</details>

## Sources

- W. Zachary, *An information flow model for conflict and fission in small groups*, 1977: the club.
- D. Knuth, *The Stanford GraphBase*, 1993: Roget's thesaurus as a graph.
- D. Zhou and others, *Learning with local and global consistency*, 2004: label propagation.
- J. Gilmer and others, *Neural message passing for quantum chemistry*, 2017: the general form.
- T. Kipf, M. Welling, *Semi-supervised classification with graph convolutional networks*, 2017: $S$, the
  GCN, the club with few labels.
- Q. Li, Z. Han, X.-M. Wu, *Deeper insights into graph convolutional networks for semi-supervised learning*,
  2018: over-smoothing.
- M. Schlichtkrull and others, *Modeling relational data with graph convolutional networks*, 2018: one
  matrix for each kind of edge.
- F. Wu and others, *Simplifying graph convolutional networks*, 2019: $S^k X W$.
- Q. Huang and others, *Combining label propagation and simple models out-performs graph neural networks*,
  2021: that the simple opponents are strong.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade15` tells how far you are,
`make hint15` helps.

- **TASK 15.1** the mean over neighbours of a weighted graph.
- **TASK 15.2** labels that spread while the known ones stay as they are.
- **TASK 15.3** message passing with a maximum, and
- **TASK 15.4** its way back.
- **TASK 15.5** attention over a graph: a softmax over the neighbours.

And without a computer, or with five minutes at one:

**1.** In the club, tell the network of members 2 and 33 in the place of 1 and 34. What do you expect, and
what comes?

<details><summary>Answer</summary>

Both are close to their leaders and have many friends, so much stays the same. Edit `i == 0 || i == CLUB -
1` and count: whoever is labelled, a label travels along edges.

</details>

**2.** Train SGC with one hop only. Why must it be worse than with two?

<details><summary>Answer</summary>

With the identity and one hop, a test node hears something trained only where a labelled node is its
neighbour or shares one: $S W$ trains the rows of $W$ for the neighbours of the 120 labelled nodes. Two hops
reach nearly everybody.

</details>

**3.** Rub out a third of the edges at random. Who loses more, the GCN or label propagation?

<details><summary>Answer</summary>

Both live from the same edges; neither has another source, since letters say little. Expect them to lose
alike, and measure it: this is five lines in `word_graph`.

</details>

**4.** In the loops, leave out the 1 for the node itself ($A$ in the place of $A + I$). What happens to
Ann's row after one step and after two?

<details><summary>Answer</summary>

Her own number is gone after one step (she hears Bob only) and comes back after two. On a path, where every
edge joins an odd and an even node, signals swap sides in each step: the smallest eigenvalue is $-1$, and
nothing converges. The self-loop prevents that.

</details>

**5.** Which of the networks in the table of messages can learn to count a node's neighbours?

<details><summary>Answer</summary>

One whose messages are added without dividing: a sum of ones is the number of neighbours. A softmax or a
mean over neighbours gives 1 whatever their number; the GCN's weights give a mixture of degrees from which
it can be guessed.

</details>
*/
