/*
# Many machines: descent and consensus

One machine is too small: for the data, or for the time that we have. Give a part of the data to each of sixteen. None
sees more than its own rows, each can talk with a few neighbours, and all shall find *one* answer, the one that a
single machine with all rows would have found. How fast can they agree, and what does it cost?

Two worlds answer this. In the first there is no centre: machines talk with their neighbours on a graph, and the
**spectrum** (谱) of the graph says how fast they agree. In the second, where large networks are trained, all machines
add up their gradients in every step, and everything depends on *how* the sum travels. We do both, the second one with
chapter 20's GPT in processes that really send messages.

You need gradient descent (chapter 1), eigenvalues (chapters 4 and 13) and the GPT of chapter 20.
*/

#include "base/mathf.h"
#include "files/corpora.h"
#include "files/csv.h"
#include "files/folder.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "lesson/processes.h"
#include "matrix/symmetric.h"
#include "models/checkpoint.h"
#include "models/gpt.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<mpi.h>)
#include <mpi.h>
#define WITH_MPI
#endif

/*
## Sixteen machines and a graph

Two machines that share an edge can talk. Five graphs on sixteen machines: a ring; a star, where all talk with machine
0 only; a **torus** (环面), which is four rows and four columns closed to rings; a random one with each edge there with
probability 0.3; and the complete graph, where everybody talks with everybody.
*/

enum { MACHINES = 16, ROWS = 27, COLUMNS = 10 }; // rows of a machine; columns of the data

typedef struct {
    const char *name;
    bool edge[MACHINES][MACHINES];
} Graph;

enum { RING, STAR, TORUS, RANDOM, COMPLETE, GRAPHS };

static void join(Graph *g, int i, int j) { g->edge[i][j] = g->edge[j][i] = i != j; }

static void make_graphs(Graph *graphs, Rng *rng)
{
    static const char *const names[GRAPHS] = {"ring", "star", "torus", "random", "complete"};
    for (int k = 0; k < GRAPHS; k++) graphs[k].name = names[k];
    for (int i = 0; i < MACHINES; i++) {
        join(&graphs[RING], i, (i + 1) % MACHINES);
        join(&graphs[RANDOM], i, (i + 1) % MACHINES); // so that it is connected
        join(&graphs[STAR], 0, i);
        join(&graphs[TORUS], i, i / 4 * 4 + (i + 1) % 4);
        join(&graphs[TORUS], i, (i + 4) % MACHINES);
        for (int j = 0; j < i; j++) {
            join(&graphs[COMPLETE], i, j);
            if (rng_uniform(rng) < 0.3f) join(&graphs[RANDOM], i, j);
        }
    }
}

static int degree(const Graph *g, int i)
{
    int count = 0;
    for (int j = 0; j < MACHINES; j++) count += g->edge[i][j];
    return count;
}

/*
In a round, each machine replaces its number by a weighted mean of its own and its neighbours', $x \leftarrow Wx$.
That all end at the *mean* of the numbers with which they began, the rows of $W$ must sum to 1 (whoever agrees
stays) and its columns too (the sum is kept). The **Metropolis weights** (Metropolis 权重) have both, and need to know
no more than the neighbours' degrees:

$$W_{ij} = \frac{1}{1 + \max(d_i, d_j)} \text{ on an edge}, \qquad W_{ii} = 1 - \sum_{j \ne i} W_{ij} .$$
*/

typedef double Weights[MACHINES][MACHINES];

static void metropolis(Weights w, const Graph *g)
{
    memset(w, 0, sizeof(Weights));
    for (int i = 0; i < MACHINES; i++) {
        w[i][i] = 1.0;
        for (int j = 0; j < MACHINES; j++) {
            if (!g->edge[i][j]) continue;
            w[i][j] = 1.0 / (1 + int_max(degree(g, i), degree(g, j)));
            w[i][i] -= w[i][j];
        }
    }
}

typedef double Vectors[MACHINES][COLUMNS]; // one row a machine

// out = W · in; out is other memory
static void mix(Vectors out, Weights w, Vectors in)
{
    for (int i = 0; i < MACHINES; i++)
        for (int c = 0; c < COLUMNS; c++) {
            out[i][c] = 0.0;
            for (int j = 0; j < MACHINES; j++) out[i][c] += w[i][j] * in[j][c];
        }
}

// How far the machines are from their mean: √Σ ‖x_i − x̄‖²
static double disagreement(Vectors x)
{
    double square = 0.0;
    for (int c = 0; c < COLUMNS; c++) {
        double average = 0.0;
        for (int i = 0; i < MACHINES; i++) average += x[i][c] / MACHINES;
        for (int i = 0; i < MACHINES; i++) square += (x[i][c] - average) * (x[i][c] - average);
    }
    return sqrt(square);
}

/*
How fast? $W$ is symmetric, so it has an orthonormal basis of eigenvectors. One of them is $(1, \dots, 1)$ with the
eigenvalue 1: agreement, which stays. Everything else shrinks in each round by the size of its eigenvalue, and what
shrinks most slowly is seen at the end. So the disagreement falls like $\sigma_2^{\,t}$, where $\sigma_2$, the
**second singular value** (第二奇异值), is the second largest size of an eigenvalue. For the ring
$\sigma_2 = \frac13 (1 + 2 \cos \frac{2\pi}{16}) = 0.9493$, and with $n$ machines instead of 16 it is
$1 - O(1/n^2)$: twice as many need four times as many rounds.

The prediction is one number for each graph. We let every graph run and measure how much of the disagreement a round
leaves, after 200 rounds and on average over 200 more.
*/

enum { ROUNDS = 240, FIRST = 20 }; // in the figure; from where its slopes are drawn

// The eigenvalue of the second largest size
static double second_value(Arena *arena, Weights w)
{
    double values[MACHINES], *vectors = arena_alloc(arena, MACHINES * MACHINES, sizeof *vectors);
    symmetric_largest_of_doubles(values, vectors, &w[0][0], MACHINES, MACHINES);
    return fmax(values[1], -values[MACHINES - 1]);
}

static void fill_normals(Vectors x, Rng *rng)
{
    for (int i = 0; i < MACHINES; i++)
        for (int c = 0; c < COLUMNS; c++) x[i][c] = (double)rng_normal(rng);
}

// x ← Wx; returns how much of the disagreement is left. What is left is made 1, so that it never drowns in rounding.
static double shrink(Weights w, Vectors x)
{
    Vectors next;
    mix(next, w, x);
    const double left = disagreement(next), before = disagreement(x);
    for (int c = 0; c < COLUMNS; c++) {
        double average = 0.0;
        for (int i = 0; i < MACHINES; i++) average += next[i][c] / MACHINES;
        for (int i = 0; i < MACHINES; i++) x[i][c] = (next[i][c] - average) / left;
    }
    return left / before;
}

static void draw_consensus(Lesson *lesson, float errors[GRAPHS][ROUNDS], float predicted[GRAPHS][ROUNDS],
                           const Graph *graphs)
{
    Plot *plot = plot_begin(lesson, "consensus.svg", "Sixteen machines agree on their mean");
    plot_axes(plot, "round", "disagreement, of that at the start");
    plot_log(plot, "y");
    plot_range_y(plot, 1e-7, 1.5);
    for (int k = 0; k < COMPLETE; k++) plot_line(plot, graphs[k].name, NULL, errors[k], ROUNDS);
    static float rounds[ROUNDS];
    for (int t = 0; t < ROUNDS; t++) rounds[t] = (float)t;
    for (int k = 0; k < COMPLETE; k++) {
        int count = FIRST;
        while (count < ROUNDS && predicted[k][count] > 1e-8f) count++;
        plot_dashed(plot, k ? NULL : "predicted slope", rounds + FIRST, predicted[k] + FIRST, count - FIRST);
    }
    plot_end(plot,
             "Each graph's slope is its second singular value (dashed). The complete graph is done after one "
             "round.");
}

static void reach_consensus(Lesson *lesson, Graph *graphs)
{
    section(lesson, "Sixteen machines and a graph");
    Rng rng = lesson_rng(lesson, 1);
    static float errors[GRAPHS][ROUNDS], predicted[GRAPHS][ROUNDS];
    double furthest = 0.0, at_once = 0.0;
    make_graphs(graphs, &rng);
    printf("graph      edges  second value  contraction  rounds to 1e-6  predicted\n");
    for (int k = 0; k < GRAPHS; k++) {
        Weights w;
        Vectors x;
        int edges = 0, rounds = 0;
        double contraction = 0.0, left = 1.0;
        metropolis(w, &graphs[k]);
        const double second = second_value(lesson_arena(lesson), w);
        for (int i = 0; i < MACHINES; i++) edges += degree(&graphs[k], i);
        fill_normals(x, &rng);
        for (int t = 0; t < 400; t++) {
            const double ratio = shrink(w, x);
            if (t == 0) at_once = ratio;
            if (t >= 200) contraction += ratio / 200;
            left *= ratio;
            if (left > 1e-6) rounds = t + 1;
            if (t < ROUNDS) errors[k][t] = (float)fmax(left, 1e-30);
            if (k == COMPLETE) break;
        }
        // The slope through the point where round FIRST has brought it
        for (int t = 0; t < ROUNDS; t++)
            predicted[k][t] = t <= FIRST ? errors[k][FIRST] : predicted[k][t - 1] * (float)second;
        printf("%-9s  %5d  %12.4f  %11.4f  %14d", graphs[k].name, edges / 2, second, contraction, rounds + 1);
        if (k == COMPLETE)
            printf("\n\n");
        else
            printf("  %9.0f\n", -13.815511 / (double)log32((float)second));
        if (k < COMPLETE) furthest = fmax(furthest, fabs(contraction / second - 1.0));
    }
    claim(lesson, furthest <= 0.003,
          "on each incomplete graph a round leaves the second singular value of the disagreement, to %.1f %%",
          0.3);
    claim(lesson, at_once <= 1e-12, "on the complete graph all agree after one round");
    draw_consensus(lesson, errors, predicted, graphs);
}

/*
The ring needs nine times as many rounds as the torus, with half its edges. The star has as many edges as the ring,
but one machine carries all of them: in a round, the hub receives 15 messages.

## Every machine has its own rows

Now the numbers are the weights of a model. Diabetes again (chapter 1): ten columns, standardised, 432 patients, 27
for each machine. Machine $i$ knows the loss on its own rows only,

$$f_i(w) = \frac1{2 \cdot 27} \lVert X_i w - y_i \rVert^2 + \frac{0.1}{2} \lVert w \rVert^2 ,$$

and we want the $w^\star$ that makes the mean of all $f_i$ smallest. The obvious thing is to do both at once: take a
mean with the neighbours, and a step down one's own slope. This is **decentralised gradient descent** (去中心化梯度下降;
Nedić and Ozdaglar 2009),

$$x_i \leftarrow \sum_j W_{ij} x_j - \alpha \nabla f_i(x_i) .$$

A gradient of a square needs only $H_i = X_i^\top X_i / 27 + 0.1$ and $b_i = X_i^\top y_i / 27$, which each machine
computes once.
*/

typedef struct {
    double x[MACHINES][ROWS][COLUMNS], y[MACHINES][ROWS];
    double h[MACHINES][COLUMNS][COLUMNS], b[MACHINES][COLUMNS];
    double steepest; // the largest eigenvalue of any H_i
} Rows;

// A column (or the answers) with mean 0 and variance 1
static void standardise(double *values, int count, int stride)
{
    double average = 0.0, variance = 0.0;
    for (int r = 0; r < count; r++) average += values[r * stride] / count;
    for (int r = 0; r < count; r++) {
        values[r * stride] -= average;
        variance += values[r * stride] * values[r * stride] / count;
    }
    for (int r = 0; r < count; r++) values[r * stride] /= sqrt(variance);
}

static double largest_value(Arena *arena, double h[COLUMNS][COLUMNS])
{
    double value, *vector = arena_alloc(arena, COLUMNS, sizeof *vector);
    symmetric_largest_of_doubles(&value, vector, &h[0][0], COLUMNS, 1);
    return value;
}

// order: which patient comes when; machine i has the patients 27 i … 27 i + 26
static Rows *deal(Arena *arena, const int *order)
{
    Rows *rows = arena_zeros(arena, 1, sizeof *rows);
    Csv table = csv_read(arena, "datasets/diabetes.csv");
    Matrix x = csv_numbers(arena, table, "age", "s6"),
           y = csv_numbers(arena, table, "progression", "progression");
    for (int r = 0; r < MACHINES * ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) rows->x[r / ROWS][r % ROWS][c] = (double)AT(x, order[r], c);
        rows->y[r / ROWS][r % ROWS] = (double)y.data[order[r]];
    }
    for (int c = 0; c < COLUMNS; c++) standardise(&rows->x[0][0][c], MACHINES * ROWS, COLUMNS);
    standardise(&rows->y[0][0], MACHINES * ROWS, 1);
    for (int i = 0; i < MACHINES; i++) {
        for (int c = 0; c < COLUMNS; c++) {
            for (int r = 0; r < ROWS; r++) {
                rows->b[i][c] += rows->x[i][r][c] * rows->y[i][r] / ROWS;
                for (int d = 0; d < COLUMNS; d++)
                    rows->h[i][c][d] += rows->x[i][r][c] * rows->x[i][r][d] / ROWS;
            }
            rows->h[i][c][c] += 0.1;
        }
        rows->steepest = fmax(rows->steepest, largest_value(arena, rows->h[i]));
    }
    return rows;
}

// Patients by chance; or the healthiest to machine 0 and the most ill to the last
static Rows *deal_rows(Lesson *lesson, bool sorted)
{
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Csv table = csv_read(arena, "datasets/diabetes.csv");
    Matrix y = csv_numbers(arena, table, "progression", "progression");
    int *order = arena_alloc(arena, (size_t)table.rows, sizeof *order);
    rng_permutation(&rng, order, table.rows); // the last ten are left out
    for (int a = 1; a < MACHINES * ROWS && sorted; a++)
        for (int b = a; b > 0 && y.data[order[b]] < y.data[order[b - 1]]; b--) {
            const int kept = order[b];
            order[b] = order[b - 1], order[b - 1] = kept;
        }
    return deal(arena, order);
}

// gradient (D) = ∇f_i(x)
static void local_gradient(double *gradient, Rows *rows, int i, const double *x)
{
    for (int c = 0; c < COLUMNS; c++) {
        gradient[c] = -rows->b[i][c];
        for (int d = 0; d < COLUMNS; d++) gradient[c] += rows->h[i][c][d] * x[d];
    }
}

/*
First the answer that all shall find: one machine with all rows, or all but one, goes down the mean of the gradients
until nothing moves any more. How far the others are off is the distance of the *worst* machine from it, relative to
its length.
*/

enum { NOBODY = -1 };

// Descent of one machine that has the rows of all machines but `without`. Returns the step at which it is within 1e-6.
static int central(double *best, Rows *rows, int without)
{
    const int count = MACHINES - (without != NOBODY);
    static double path[4000][COLUMNS];
    memset(best, 0, COLUMNS * sizeof *best);
    for (int t = 0; t < 4000; t++) {
        double step[COLUMNS] = {0.0};
        for (int i = 0; i < MACHINES; i++) {
            double gradient[COLUMNS];
            local_gradient(gradient, rows, i, best);
            for (int c = 0; c < COLUMNS && i != without; c++) step[c] += gradient[c] / count;
        }
        memcpy(path[t], best, sizeof path[t]);
        for (int c = 0; c < COLUMNS; c++) best[c] -= 0.5 / rows->steepest * step[c];
    }
    for (int t = 0; t < 4000; t++) {
        double square = 0.0, length = 0.0;
        for (int c = 0; c < COLUMNS; c++) {
            square += (path[t][c] - best[c]) * (path[t][c] - best[c]);
            length += best[c] * best[c];
        }
        if (sqrt(square / length) <= 1e-6) return t;
    }
    return 4000;
}

// The distance of the worst machine, but not of `without`
static double worst(Vectors x, const double *best, int without)
{
    double most = 0.0, length = 0.0;
    for (int c = 0; c < COLUMNS; c++) length += best[c] * best[c];
    for (int i = 0; i < MACHINES; i++) {
        double square = 0.0;
        for (int c = 0; c < COLUMNS && i != without; c++) square += (x[i][c] - best[c]) * (x[i][c] - best[c]);
        most = fmax(most, sqrt(square / length));
    }
    return most;
}

enum { STEPS = 40000, SHOWN = 4000, RATES = 5 };

// Decentralised descent; errors [SHOWN] or NULL. Returns the worst machine's error at the end.
static double descend(Rows *rows, Weights w, double rate, const double *best, float *errors)
{
    Vectors x = {{0.0}}, next;
    for (int t = 0; t < STEPS; t++) {
        if (errors && t < SHOWN) errors[t] = (float)worst(x, best, NOBODY);
        mix(next, w, x);
        for (int i = 0; i < MACHINES; i++) {
            double gradient[COLUMNS];
            local_gradient(gradient, rows, i, x[i]);
            for (int c = 0; c < COLUMNS; c++) next[i][c] -= rate * gradient[c];
        }
        memcpy(x, next, sizeof x);
    }
    return worst(x, best, NOBODY);
}

static void keep_a_floor(Lesson *lesson, Graph *graphs, Rows *rows, float *errors)
{
    section(lesson, "Every machine has its own rows");
    double best[COLUMNS], lowest = 1.0, smallest_gain = 9.0, largest_gain = 0.0;
    const int steps = central(best, rows, NOBODY);
    printf("one machine with all rows: within 1e-6 after %d steps\n\n", steps);
    printf("the worst of sixteen after %d steps, rate times the largest slope:\n", STEPS);
    printf("graph           0.4      0.2      0.1     0.05    0.025\n");
    for (int k = 0; k < GRAPHS; k++) {
        Weights w;
        double before = 0.0, rate = 0.4 / rows->steepest;
        metropolis(w, &graphs[k]);
        printf("%-11s", graphs[k].name);
        for (int r = 0; r < RATES; r++, rate /= 2) {
            const double floor = descend(rows, w, rate, best, k == RING && r == 2 ? errors : NULL);
            printf("  %7.4f", floor);
            if (k == COMPLETE) lowest = fmin(lowest, floor);
            if (r > 0) smallest_gain = fmin(smallest_gain, before / floor);
            if (r > 0) largest_gain = fmax(largest_gain, before / floor);
            before = floor;
        }
        printf("\n");
    }
    printf("\n");
    claim(lesson, lowest >= 1e-3,
          "with a constant step it stays at least %.1f %% off, on the complete graph and at each rate", 0.1);
    claim(lesson, smallest_gain >= 1.2 && largest_gain <= 2.05,
          "half the rate divides that floor by 1.2 to 2.05 on each graph");
}

/*
It never arrives, however long we wait, and not even where all talk with all. Why? Suppose all were at $w^\star$. The
mean with the neighbours changes nothing, and then each takes its *own* step, $-\alpha \nabla f_i(w^\star)$. Only the
sum of these is 0; one by one they are not, and the machines walk apart. What holds them is a balance between pulling
together and walking apart, and its distance is proportional to $\alpha$: half the rate, half the floor, and twice the
time. A rate that falls with time gets there, slowly.

## Gradient tracking

What is wrong is that a machine walks down its own slope, when it should walk down the mean one. The mean gradient is
a number on which the machines could agree! But it moves while they agree on it. **Gradient tracking** (梯度跟踪; Di
Lorenzo and Scutari 2016; Qu and Li 2018) lets each carry a $y_i$, its guess of the mean gradient, which is averaged
with the neighbours' and corrected by what its own gradient has changed:

$$x_i \leftarrow \sum_j W_{ij} x_j - \alpha y_i, \qquad
  y_i \leftarrow \sum_j W_{ij} y_j + \nabla f_i(x_i^{\text{new}}) - \nabla f_i(x_i^{\text{old}}) .$$

It begins with $y_i = \nabla f_i(x_i)$. Because the columns of $W$ sum to 1, $\sum y_i = \sum \nabla f_i(x_i)$ in
every step: nothing of the sum is lost on its way. And at $w^\star$ all $y_i$ are 0, so there all stays.
*/

typedef struct {
    Vectors x, y, gradient;
} Tracked;

static void start_tracking(Tracked *s, Rows *rows)
{
    for (int i = 0; i < MACHINES; i++) local_gradient(s->gradient[i], rows, i, s->x[i]);
    memcpy(s->y, s->gradient, sizeof s->y);
}

static void track(Tracked *s, Rows *rows, Weights w, double rate)
{
    Vectors x, y;
    mix(x, w, s->x);
    mix(y, w, s->y);
    for (int i = 0; i < MACHINES; i++) {
        double gradient[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) s->x[i][c] = x[i][c] - rate * s->y[i][c];
        local_gradient(gradient, rows, i, s->x[i]);
        for (int c = 0; c < COLUMNS; c++) s->y[i][c] = y[i][c] + gradient[c] - s->gradient[i][c];
        memcpy(s->gradient[i], gradient, sizeof gradient);
    }
}

// Steps until the worst machine is within 1e-6: SHOWN when it is not by then. errors [SHOWN] or NULL
static int steps_of_tracking(Rows *rows, Weights w, double rate, const double *best, float *errors)
{
    static Tracked s;
    int steps = SHOWN;
    memset(&s, 0, sizeof s);
    start_tracking(&s, rows);
    for (int t = 0; t < SHOWN; t++) {
        const double error = worst(s.x, best, NOBODY);
        if (errors) errors[t] = (float)error;
        if (error <= 1e-6 && steps == SHOWN) steps = t;
        if (!(error < 1e6)) return -1; // it flies away
        track(&s, rows, w, rate);
    }
    return steps;
}

static void draw_floor(Lesson *lesson, const float *descent, const float *tracking)
{
    Plot *plot = plot_begin(lesson, "floor.svg", "Sixteen machines on a ring");
    plot_axes(plot, "step", "error of the worst machine, relative");
    plot_log(plot, "y");
    plot_range_y(plot, 1e-9, 3.0);
    plot_line(plot, "descent and consensus, rate 0.1", NULL, descent, SHOWN);
    plot_line(plot, "gradient tracking, rate 0.25", NULL, tracking, SHOWN);
    plot_end(plot,
             "With a constant step, descent and consensus stop at a floor. Gradient tracking has none.");
}

static void track_the_gradient(Lesson *lesson, Graph *graphs, Rows *rows, const float *descent)
{
    section(lesson, "Gradient tracking");
    static float errors[SHOWN];
    double best[COLUMNS];
    int most = 0, torus = 0, lazy = 0;
    central(best, rows, NOBODY);
    printf("steps until the worst machine is within 1e-6, rate 0.25\n\ngraph           W  (1 + W)/2\n");
    for (int k = 0; k < GRAPHS; k++) {
        Weights w;
        metropolis(w, &graphs[k]);
        const int steps = steps_of_tracking(rows, w, 0.25 / rows->steepest, best, k == RING ? errors : NULL);
        for (int i = 0; i < MACHINES; i++)
            for (int j = 0; j < MACHINES; j++) w[i][j] = ((i == j) + w[i][j]) / 2;
        const int slower = steps_of_tracking(rows, w, 0.25 / rows->steepest, best, NULL);
        if (k == TORUS) torus = steps, lazy = slower;
        if (k != TORUS) most = int_max(most, steps < 0 ? SHOWN : steps);
        printf("%-9s  ", graphs[k].name);
        printf(steps < 0 ? "  flies" : "%6d", steps);
        printf("  %9d\n", slower);
    }
    printf("\n");
    claim(lesson, most < SHOWN,
          "gradient tracking is within 1e-6 of the central answer before %d steps on ring, star, random and "
          "complete graph",
          SHOWN);
    claim(lesson, torus == -1 && lazy > 0 && lazy < SHOWN,
          "on the torus it flies away with W, and arrives with (1 + W)/2");
    draw_floor(lesson, descent, errors);
}

/*
Why does the torus fly? If all losses had the same curvature $h$, a disagreement along an eigenvector of $W$ with the
eigenvalue $\lambda$ would follow a recursion of two numbers, its $x$ and its $y$, which is stable while
$\alpha h < \frac12 (1 + \lambda)^2$. Four by four machines have two colours, like a chess board, and the disagreement
between the colours has $\lambda = -0.6$: it changes its sign in every round, and $\alpha h$ must stay below 0.08. The
**lazy** (惰性) matrix $\frac12 (1 + W)$ makes that 0.2, and the bound 0.72.

On all other graphs it needs about the same number of steps, and here the graph does not matter at all: what is slow
is the descent. One machine needs half of it, since it goes at twice the rate.

## Talking less

So far the machines talk after every step. Why not every sixteenth? Between the means each takes steps of its own;
this is **local SGD** (本地 SGD; McMahan and others 2017 call it federated averaging). Each step now uses 8 rows by
chance out of a machine's 27, at the rate 0.02, and after every $H$ steps all take the mean of all.

Does it matter whose rows they are? We deal the patients in two ways: by chance, so that the machines' data are alike;
and sorted by their illness, so that machine 0 has the healthiest and machine 15 the most ill. What is measured is how
far the loss of the mean machine stays above the best possible, over the last 500 of 2000 steps and twenty runs.
*/

enum { LOCAL_STEPS = 2000, LAST = 500, DRAWN = 8, RUNS = 20, PERIODS = 3 };

// Half (w − best)ᵀ H (w − best), with the mean H: how far its loss is above the best
static double excess(Rows *rows, const double *w, const double *best)
{
    double total = 0.0;
    for (int i = 0; i < MACHINES; i++)
        for (int c = 0; c < COLUMNS; c++)
            for (int d = 0; d < COLUMNS; d++)
                total += (w[c] - best[c]) * rows->h[i][c][d] * (w[d] - best[d]) / (2 * MACHINES);
    return total;
}

static void mean_vector(double *out, Vectors x)
{
    memset(out, 0, COLUMNS * sizeof *out);
    for (int i = 0; i < MACHINES; i++)
        for (int c = 0; c < COLUMNS; c++) out[c] += x[i][c] / MACHINES;
}

// w ← w − 0.02 · gradient, on some of the machine's rows
static void local_step(Rows *rows, int i, double *w, Rng *rng)
{
    double gradient[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) gradient[c] = 0.1 * w[c];
    for (int k = 0; k < DRAWN; k++) {
        const int r = (int)rng_below(rng, ROWS);
        double error = -rows->y[i][r];
        for (int c = 0; c < COLUMNS; c++) error += rows->x[i][r][c] * w[c];
        for (int c = 0; c < COLUMNS; c++) gradient[c] += error * rows->x[i][r][c] / DRAWN;
    }
    for (int c = 0; c < COLUMNS; c++) w[c] -= 0.02 * gradient[c];
}

static double run_locally(Rows *rows, int period, const double *best, Rng *rng)
{
    Vectors x = {{0.0}};
    double total = 0.0, average[COLUMNS];
    for (int t = 0; t < LOCAL_STEPS; t++) {
        for (int i = 0; i < MACHINES; i++) local_step(rows, i, x[i], rng);
        mean_vector(average, x);
        if (t >= LOCAL_STEPS - LAST) total += excess(rows, average, best) / LAST;
        for (int i = 0; i < MACHINES && (t + 1) % period == 0; i++) memcpy(x[i], average, sizeof average);
    }
    return total;
}

static void talk_less(Lesson *lesson)
{
    section(lesson, "Talking less");
    static const int periods[PERIODS] = {1, 16, 250};
    double loss[2][PERIODS] = {{0.0}};
    printf("rows      ");
    for (int k = 0; k < PERIODS; k++) printf("     H = %3d", periods[k]);
    for (int sorted = 0; sorted < 2; sorted++) {
        Rows *rows = deal_rows(lesson, sorted);
        double best[COLUMNS];
        central(best, rows, NOBODY);
        printf(sorted ? "\nsorted    " : "\nby chance ");
        for (int k = 0; k < PERIODS; k++) {
            for (int run = 0; run < RUNS; run++) {
                Rng rng = lesson_rng(lesson, 100 + (uint64_t)run);
                loss[sorted][k] += run_locally(rows, periods[k], best, &rng) / RUNS;
            }
            printf("  %10.6f", loss[sorted][k]);
        }
    }
    printf("\n\n");
    claim(lesson, loss[0][1] <= 1.3 * loss[0][0],
          "with rows by chance, talking every 16 steps costs at most a factor of %.1f", 1.3);
    claim(lesson, loss[1][1] >= 5.0 * loss[1][0], "with sorted rows it costs a factor of at least %d", 5);
}

/*
With data that are alike, a sixteenth of the messages is nearly free: with five seeds it cost 5 to 24 % of an excess
that is small already. With data that are not, each machine walks to its own answer between two means, and the mean of
their answers is not the answer of the mean. Those who measured local steps on shuffled data and those who measured
them on their customers' telephones were both right.

## A machine is lost

Machine 5 of the ring dies after 1000 steps. Its neighbours notice, take it off their lists, and compute new weights:
nobody else has to know. The others go on, and the best that they can reach is the answer to *their* rows. But one
thing must not be forgotten. The dead machine has taken its $y_5$ along, so the sum of the $y_i$ is no longer the sum
of the gradients, and nothing in the recursion will ever repair it: tracking must begin again with $y_i = \nabla f_i$.
And on the star, the hub dies.
*/

// Tracking until one is lost, and then as long again and more; returns the worst survivor's error
static double lose(Rows *rows, Graph g, int lost, bool again, const double *best)
{
    static Tracked s;
    Weights w;
    memset(&s, 0, sizeof s);
    start_tracking(&s, rows);
    for (int t = 0; t < 20000; t++) {
        if (t == 1000) {
            for (int i = 0; i < MACHINES; i++) g.edge[i][lost] = g.edge[lost][i] = false;
            if (again) start_tracking(&s, rows);
        }
        metropolis(w, &g);
        track(&s, rows, w, 0.25 / rows->steepest);
    }
    return worst(s.x, best, lost);
}

static void lose_a_machine(Lesson *lesson, Graph *graphs, Rows *rows)
{
    section(lesson, "A machine is lost");
    double all[COLUMNS], ring[COLUMNS], leaves[COLUMNS];
    central(all, rows, NOBODY);
    central(ring, rows, 5);
    central(leaves, rows, 0);
    const double survived = lose(rows, graphs[RING], 5, true, ring),
                 forgotten = lose(rows, graphs[RING], 5, false, ring),
                 split = lose(rows, graphs[STAR], 0, true, leaves);
    printf("the worst survivor's distance from the answer to the survivors' rows\n\n");
    printf("ring, machine 5 lost, tracking begun again  %9.2g\n", survived < 1e-9 ? 0.0 : survived);
    printf("ring, machine 5 lost, tracking gone on      %9.2g\n", forgotten);
    printf("star, the hub lost                          %9.2g\n\n", split);
    printf("on all rows, the loss of the ring's survivors is %.5f above the best\n\n",
           excess(rows, ring, all));
    claim(lesson, survived <= 1e-6, "the ring's survivors reach the answer to their rows to 1e-6");
    claim(lesson, forgotten >= 1e-3, "if tracking does not begin again, they stay at least %.1f %% off", 0.1);
    claim(lesson, split >= 0.05, "without its hub a star never agrees: somebody stays %d %% off or more", 5);
}

/*
One neighbour on the ring is enough to stay connected, though it is a line now, whose second value is 0.985 instead of
0.949. On the star everybody was one failure away from being alone. A centre is fast and simple, and it is the
one machine that must not die.

## How a sum travels

Large networks are trained in the other way: in every step all machines add up their gradients, $n$ bytes each, and
all receive the sum. That is an **all-reduce** (全归约). A message of $m$ bytes takes

$$\alpha + m / \beta ,$$

a **latency** (延迟) $\alpha$ for being a message at all and its length over the **bandwidth** (带宽) $\beta$. On a
usual network of 10 Gbit/s, $\alpha$ = 20 µs and $\beta$ = 1 GB/s. Who sends what to whom is decided here, in
**rounds** in which each machine sends at most one message and receives at most one. We write three ways down as
functions: given a rank and a round, where to, where from, which numbers, and are they to be added or to be copied?

**Tree.** In round 0 every second machine sends all it has to its neighbour, who adds it up; in round 1 every
fourth to the one two places before; when one has everything, the same backwards. $2 \log_2 p$ rounds of $n$ bytes.

**Ring.** The numbers are cut into $p$ pieces. In each round, each machine sends one piece to the next one and
receives another from the one before. In $p - 1$ rounds of adding, each piece travels once around and collects; in
$p - 1$ rounds of copying the finished pieces travel around. $2(p - 1)$ rounds of only $n / p$ bytes (Patarasuk and
Yuan 2009).

**Halving.** Neighbours exchange halves: one sends the upper half and keeps the lower, the other the reverse. Then
the same with the half that is left and the machine two places away, then four. Each ends with a finished $n/p$, and
the same backwards collects all (Rabenseifner 2004).
*/

typedef struct {
    int to, from;                              // NOBODY: nothing is sent, nothing received
    long first, count, from_first, from_count; // the numbers that are sent, and those that are received
    bool adds;                                 // or copies
} Hop;

typedef struct {
    const char *name;
    int (*rounds)(int size);
    Hop (*hop)(int rank, int size, long n, int round);
} Collective;

static int levels(int size) { return size > 1 ? 1 + levels(size / 2) : 0; } // log2
static int two_each_level(int size) { return 2 * levels(size); }
static int twice_around(int size) { return 2 * (size - 1); }

static Hop tree_hop(int rank, int size, long n, int round)
{
    const bool adds = round < levels(size);
    const int apart = 1 << (adds ? round : two_each_level(size) - 1 - round);
    Hop hop = {NOBODY, NOBODY, 0, n, 0, n, adds};
    if (rank % (2 * apart) == 0) *(adds ? &hop.from : &hop.to) = rank + apart;
    if (rank % (2 * apart) == apart) *(adds ? &hop.to : &hop.from) = rank - apart;
    return hop;
}

static Hop ring_hop(int rank, int size, long n, int round)
{
    const bool adds = round < size - 1;
    const int sent = (rank + (adds ? 0 : 1) - round % (size - 1) + size) % size,
              got = (sent - 1 + size) % size;
    return (Hop){(rank + 1) % size,
                 (rank - 1 + size) % size,
                 n * sent / size,
                 n * (sent + 1) / size - n * sent / size,
                 n * got / size,
                 n * (got + 1) / size - n * got / size,
                 adds};
}

// What a machine still holds after some levels of halving
static void held(int rank, int level, long n, long *first, long *count)
{
    *first = 0, *count = n;
    for (int l = 0; l < level; l++) {
        const long lower = *count / 2;
        *first += rank >> l & 1 ? lower : 0;
        *count = rank >> l & 1 ? *count - lower : lower;
    }
}

static Hop halving_hop(int rank, int size, long n, int round)
{
    const bool adds = round < levels(size);
    const int level = adds ? round : two_each_level(size) - 1 - round, other = rank ^ 1 << level;
    Hop hop = {.to = other, .from = other, .adds = adds};
    held(adds ? other : rank, level + 1, n, &hop.first, &hop.count);
    held(adds ? rank : other, level + 1, n, &hop.from_first, &hop.from_count);
    return hop;
}

enum { TREE, RING_OF_ALL, HALVING, COLLECTIVES };
static const Collective collectives[COLLECTIVES] = {{"tree", two_each_level, tree_hop},
                                                    {"ring", twice_around, ring_hop},
                                                    {"halving", two_each_level, halving_hop}};

/*
By counting, for $p$ machines:

$$T_{\text{tree}} = 2 \log_2 p \, (\alpha + n/\beta), \quad
  T_{\text{ring}} = 2 (p - 1) \alpha + 2 \tfrac{p - 1}p \, n/\beta, \quad
  T_{\text{halving}} = 2 \log_2 p \, \alpha + 2 \tfrac{p - 1}p \, n/\beta .$$

Tree and ring cross where their difference is 0; for 16 machines at 72 kB. To see whether that is so, we do not use
the formulas: we simulate the messages. Each machine has a clock, a message arrives when it has been sent and
travelled, and who needs it waits. The numbers travel too, so that a wrong schedule gives a wrong sum.
*/

typedef struct {
    double alpha, beta; // seconds; bytes in a second
} Link;

static const Link usual = {20e-6, 1e9};

static double message_time(Link link, long count) { return link.alpha + 4.0 * (double)count / link.beta; }

// What has arrived is added or copied. data and inbox: n numbers, and those that were received
static void take(Hop hop, float *data, const float *inbox)
{
    for (long i = 0; i < hop.from_count && hop.adds; i++) data[hop.from_first + i] += inbox[i];
    if (!hop.adds) memcpy(data + hop.from_first, inbox, (size_t)hop.from_count * sizeof *data);
}

// clock [size]: when each machine begins, and then when it is done. data (size × n), or none. Returns when all are done.
static double simulate(const Collective *c, Link link, double *clock, int size, long n, Matrix data)
{
    Arena *arena = arena_new();
    double *next = arena_alloc(arena, (size_t)size, sizeof *next), last = 0.0;
    Matrix sent = data.data ? matrix_copy(arena, data) : data;
    for (int round = 0; round < c->rounds(size); round++) {
        for (int rank = 0; rank < size; rank++) {
            const Hop hop = c->hop(rank, size, n, round);
            next[rank] = clock[rank] + (hop.to == NOBODY ? 0.0 : message_time(link, hop.count));
            if (hop.from == NOBODY) continue;
            next[rank] = fmax(next[rank], clock[hop.from] + message_time(link, hop.from_count));
            if (data.data) take(hop, matrix_row(data, rank), matrix_row(sent, hop.from) + hop.from_first);
        }
        memcpy(clock, next, (size_t)size * sizeof *clock);
        if (data.data) copy(sent, data);
    }
    for (int rank = 0; rank < size; rank++) last = fmax(last, clock[rank]);
    arena_free(arena);
    return last;
}

static double time_of(int way, Link link, int size, long n)
{
    double clock[1024] = {0.0};
    return simulate(&collectives[way], link, clock, size, n, (Matrix){0});
}

static double law(int way, Link link, int size, long n)
{
    const double bytes = 4.0 * (double)n / link.beta, all = 2.0 * levels(size),
                 once = 2.0 * (size - 1) / size;
    if (way == TREE) return all * (link.alpha + bytes);
    return (way == RING_OF_ALL ? 2.0 * (size - 1) : all) * link.alpha + once * bytes;
}

// Sums of random numbers by each way, among 2 to 16 machines: the largest error, relative
static double try_sums(Arena *arena, Rng *rng)
{
    double largest_error = 0.0;
    for (int size = 2; size <= 16; size *= 2)
        for (int way = 0; way < COLLECTIVES; way++) {
            double clock[16] = {0.0};
            Matrix data = matrix_new(arena, size, 1003), exact = matrix_new(arena, 1, 1003);
            fill_normal(data, rng, 0.0f, 1.0f);
            for (int c = 0; c < data.cols; c++) {
                double total = 0.0;
                for (int r = 0; r < size; r++) total += (double)AT(data, r, c);
                exact.data[c] = (float)total;
            }
            simulate(&collectives[way], usual, clock, size, data.cols, data);
            for (int r = 0; r < size; r++)
                largest_error = fmax(largest_error,
                                     (double)largest_difference(matrix_rows(data, r, 1), exact) / sqrt(size));
        }
    return largest_error;
}

static void draw_all_reduce(Lesson *lesson)
{
    enum { SIZES = 25 };
    float x[SIZES], told[COLLECTIVES][SIZES], all_x[COLLECTIVES * SIZES], simulated[COLLECTIVES * SIZES];
    for (int i = 0; i < SIZES; i++) {
        const long n = lround(250.0 * (double)exp32((float)i * 0.4796f)); // 1 kB to 100 MB
        x[i] = (float)n * 4e-3f;
        for (int way = 0; way < COLLECTIVES; way++) {
            all_x[way * SIZES + i] = x[i];
            simulated[way * SIZES + i] = 1000.0f * (float)time_of(way, usual, MACHINES, n);
            told[way][i] = 1000.0f * (float)law(way, usual, MACHINES, n);
        }
    }
    Plot *plot = plot_begin(lesson, "all-reduce.svg", "Sixteen machines add up what they have");
    plot_axes(plot, "kilobytes on each machine", "milliseconds");
    plot_log(plot, "xy");
    for (int way = 0; way < COLLECTIVES; way++) plot_line(plot, collectives[way].name, x, told[way], SIZES);
    plot_points(plot, "simulated", all_x, simulated, COLLECTIVES * SIZES);
    plot_end(plot,
             "Few bytes: the tree's few messages win. Many: the ring's short ones. Lines are the law, points "
             "the simulated messages.");
}

static void send_sums(Lesson *lesson)
{
    section(lesson, "How a sum travels");
    Rng rng = lesson_rng(lesson, 20);
    static const long sizes[] = {250, 18000, 2500000};
    printf("16 machines     1 kB    72 kB    10 MB   (ms)\n");
    for (int way = 0; way < COLLECTIVES; way++) {
        printf("%-12s", collectives[way].name);
        for (int i = 0; i < 3; i++) printf("  %7.2f", 1000.0 * time_of(way, usual, MACHINES, sizes[i]));
        printf("\n");
    }
    long few = 1, many = 2500000; // the tree is faster with few, the ring with many
    while (many - few > 1) {
        const long n = (few + many) / 2;
        *(time_of(TREE, usual, MACHINES, n) < time_of(RING_OF_ALL, usual, MACHINES, n) ? &few : &many) = n;
    }
    const double crossing = 4.0 * (double)many, told = 20e-6 * 1e9 * (30.0 - 8.0) / (8.0 - 30.0 / 16.0);
    const double error = try_sums(lesson_arena(lesson), &rng);
    printf("\nring and tree cross at %.1f kB; by the law at %.1f kB\n\n", crossing / 1000.0, told / 1000.0);
    claim(lesson, error <= 1e-5, "all three give every machine the sum, among 2, 4, 8 and 16");
    claim(lesson, fabs(crossing / told - 1.0) <= 0.01, "ring and tree cross where the law says, to %d %%", 1);
    draw_all_reduce(lesson);
}

/*
Halving has the tree's few rounds and the ring's few bytes. Why does anybody use rings? Because in this model every
pair of machines has a wire of its own. In a real hall, partners that are $p/2$ apart share the wires in the middle
with all others, while on a ring each wire carries exactly one message.

## The order of a sum

Now the GPT: chapter 20's decoder with two blocks of width 64, on characters of the King James Bible. A batch has 32
windows of 64 characters. The gradient of a mean is the mean of gradients, so $k$ processes can take a $k$-th of the
batch each, and after an all-reduce all have the gradient of the whole batch. All take the same step, and stay
equal without ever sending a weight. This is **data parallelism** (数据并行).

Is it the *same* training as with one process? In real numbers, yes. In floats, $(a + b) + c$ is not $a + (b + c)$:
the last bits depend on the order, and training goes on from them. When a run with 4 processes then differs from one
with 2, nobody can say whether that is rounding or a bug. So we want the same bits for every $k$. Where is the order
decided?

- Inside a process: windows are summed in *its* batch. We cut the batch in 8 parts, whatever $k$ is, and
  compute each part's gradient alone.
- Between processes: on a ring, piece $c$ begins its way at rank $c$ and collects in the order $c, c + 1, c + 2,
  \dots$: every piece has another order, and another $k$ has others.

The remedy is one fixed binary tree, $((1 + 2) + (3 + 4)) + ((5 + 6) + (7 + 8))$. A process that has a half, a
quarter or an eighth of the parts owns a *subtree*, adds that up alone, and halving with the distances 1, 2, 4 adds
the subtrees in just this order. (It does not matter who adds what to what: $a + b = b + a$ holds in floats.)
*/

enum { TIME = 64, PARTS = 8, WINDOWS = 4, BATCH = PARTS * WINDOWS, LEVELS = 3 };

typedef struct {
    Parameters parameters;
    Gpt gpt;
    Optimiser adam;
    Tape *tape;
    int *ids, *order, windows;
    long size;                  // numbers in the block of all gradients; the loss goes behind them
    float *sum, *aside[LEVELS]; // [size + 1]
    int *first_use;             // [parameters]
} Model;

static Model *model_new(Arena *arena, uint64_t seed)
{
    Model *m = arena_zeros(arena, 1, sizeof *m);
    Rng rng = rng_new(seed, 0);
    size_t count;
    const Text text = verses_text(arena, bible_load(arena).english);
    const Alphabet alphabet = alphabet_of(arena, text);
    m->ids = alphabet_encode(arena, alphabet, text, &count);
    m->windows = (int)((count - 1) / TIME);
    m->order = arena_alloc(arena, (size_t)m->windows, sizeof *m->order);
    rng_permutation(&rng, m->order, m->windows);
    m->parameters = parameters_new(arena);
    m->gpt = gpt_new(&m->parameters,
                     ((GptConfig){.vocabulary = alphabet.size,
                                  .context = TIME,
                                  .layers = 2,
                                  .heads = 4,
                                  .width = 64,
                                  .positions = GPT_ROTARY,
                                  .rotary_base = 100.0f,
                                  .embedding_deviation = 0.3f}),
                     &rng);
    parameters_seal(&m->parameters); // all gradients side by side: a step is one all-reduce
    m->adam = adamw_new(arena, &m->parameters, 0.9f, 0.99f, 1e-8f, 0.1f);
    m->tape = tape_new();
    m->size = (long)matrix_size(parameters_gradients(&m->parameters));
    m->sum = arena_zeros(arena, (size_t)m->size + 1, sizeof *m->sum);
    for (int l = 0; l < LEVELS; l++) m->aside[l] = arena_zeros(arena, (size_t)m->size + 1, sizeof *m->sum);
    m->first_use = arena_alloc(arena, (size_t)m->parameters.count, sizeof *m->first_use);
    return m;
}

// The loss of one part of a step's batch, on the tape
static Tensor *part_loss(Model *m, long step, int part)
{
    int ids[WINDOWS * TIME], labels[WINDOWS * TIME];
    for (int b = 0; b < WINDOWS; b++) {
        const long window = (step * BATCH + part * WINDOWS + b) % m->windows;
        const int *from = m->ids + (long)TIME * m->order[window];
        memcpy(ids + b * TIME, from, TIME * sizeof *ids);
        memcpy(labels + b * TIME, from + 1, TIME * sizeof *labels);
    }
    tape_reset(m->tape);
    clear_gradients(&m->parameters);
    return gpt_loss(&m->gpt, m->tape, ids, labels, WINDOWS, TIME);
}

// Its gradient, and behind that the loss. out [size + 1]
static void part_gradient(Model *m, long step, int part, float *out)
{
    Tensor *loss = part_loss(m, step, part);
    backward(loss);
    memcpy(out, parameters_gradients(&m->parameters).data, (size_t)m->size * sizeof *out);
    out[m->size] = loss->value.data[0];
}

// The sum of some parts in the order of the tree; count is a power of two
static void sum_parts(Model *m, long step, int first, int count, float *out)
{
    if (count == 1) {
        part_gradient(m, step, first, out);
        return;
    }
    float *left = m->aside[levels(count) - 1];
    sum_parts(m, step, first, count / 2, left);
    sum_parts(m, step, first + count / 2, count / 2, out);
    for (long i = 0; i <= m->size; i++) out[i] += left[i];
}

// What size processes get on a simulated network, each with its parts in the tree's order, or one after the other. (1 × n)
static Matrix sum_among(Arena *arena, Model *m, int size, int way, bool in_tree)
{
    const int own = PARTS / size, n = (int)m->size + 1;
    double clock[PARTS] = {0.0};
    Matrix data = matrix_new(arena, size, n), part = matrix_new(arena, 1, n);
    for (int rank = 0; rank < size; rank++) {
        Matrix row = matrix_rows(data, rank, 1);
        if (in_tree) sum_parts(m, 0, rank * own, own, row.data);
        for (int p = 0; p < own && !in_tree; p++) {
            part_gradient(m, 0, rank * own + p, part.data);
            add(row, row, part);
        }
    }
    simulate(&collectives[way], usual, clock, size, n, data);
    return matrix_rows(data, 0, 1);
}

static int count_different(Matrix a, Matrix b)
{
    int count = 0;
    for (int i = 0; i < a.cols; i++) count += a.data[i] != b.data[i];
    return count;
}

static void compare_orders(Lesson *lesson, uint64_t seed)
{
    section(lesson, "The order of a sum");
    Arena *arena = arena_new();
    Model *m = model_new(arena, seed);
    const Matrix ring = sum_among(arena, m, 1, RING_OF_ALL, false),
                 tree = sum_among(arena, m, 1, HALVING, true);
    int fewest = ring.cols, most = 0;
    printf("%zu parameters; how many of their gradients differ from those of one process\n\n",
           parameters_size(&m->parameters));
    printf("processes                   2        4        8\nring, parts in a row ");
    for (int size = 2; size <= PARTS; size *= 2) {
        const int different = count_different(sum_among(arena, m, size, RING_OF_ALL, false), ring);
        printf(" %8d", different);
        fewest = int_min(fewest, different);
    }
    printf("\nhalving, in a tree   ");
    for (int size = 2; size <= PARTS; size *= 2) {
        const int different = count_different(sum_among(arena, m, size, HALVING, true), tree);
        printf(" %8d", different);
        most = int_max(most, different);
    }
    printf("\n\n");
    claim(lesson, fewest >= ring.cols / 10,
          "on a ring, at least a tenth of the gradients depend on how many sum");
    claim(lesson, most == 0, "in the fixed tree not one bit does, among 1, 2, 4 and 8");
    tape_free(m->tape);
    arena_free(arena);
}

/*
The fixed order costs nothing in bytes, and something else: the number of processes must be a power of two, here at
most 8, and parts are computed one by one where a larger batch would be faster.

## When is a gradient final?

The backward begins at the loss, so the gradients of the last layer are ready long before those of the first. Why
should they wait? A bucket of them can travel while the earlier layers still compute: the all-reduce is **overlapped**
(重叠) with the backward. (Common data-parallel libraries do this; Li and others 2020.) But a gradient that is sent
too early is a wrong one, and nobody would notice but by training a little worse. So when is it final?

A parameter that is used twice receives a sum, and so does an embedding that is **tied** (共享权重): it is the first
layer's table and the last layer's too. The tape knows. The backward takes its nodes in the reverse of the order in
which they were made, and each adds to the gradients of its own inputs. So the gradient of a parameter is final when
the node that used it *first* has taken its step, and not before.
*/

// first_use [set->count]: for each parameter, the number of the node that used it first. Who was not used is final at once.
static void find_first_uses(int *first_use, const Tape *tape, const Parameters *set)
{
    for (int p = 0; p < set->count; p++) first_use[p] = tape_length(tape);
    for (int n = tape_length(tape) - 1; n >= 0; n--)
        for (int i = 0; i < tape_node(tape, n)->input_count; i++)
            for (int p = 0; p < set->count; p++)
                if (tape_node(tape, n)->inputs[i] == set->items[p]) first_use[p] = n;
}

/*
`tape_watch` calls a function of ours before each step of the backward, with the node whose turn it is, and once at the
end. Nodes behind this one are done, so a parameter is final when `first_use[p] >= to_come`:
*/

// How many nodes have their step still to come, from this one down; before: what it was at the last event
static int still_to_come(const Tape *tape, const Tensor *node, TapeEvent event, int before)
{
    if (event == TAPE_END) return 0;
    while (tape_node(tape, before - 1) != node) before--;
    return before;
}

/*
Is that so? We look at all gradients before each step, note which node has changed which of them last, and compare.
Twice: our GPT has a table of its own for its output, and the other one is tied.
*/

typedef struct {
    const Tape *tape;
    const Parameters *set;
    int to_come, *changed; // [set->count] the node that changed it last
    float *before;         // [all] the gradients at the last event
} Observer;

static void observe(void *context, const Tensor *node, TapeEvent event)
{
    Observer *o = context;
    const float *block = o->set->block_gradient.data;
    for (int p = 0; p < o->set->count; p++) {
        const Matrix gradient = o->set->items[p]->gradient;
        const float *before = o->before + (gradient.data - block);
        if (memcmp(before, gradient.data, matrix_size(gradient) * sizeof *before) != 0)
            o->changed[p] = o->to_come - 1; // whose turn it was at the last event
    }
    memcpy(o->before, block, matrix_size(o->set->block_gradient) * sizeof *block);
    o->to_come = still_to_come(o->tape, node, event, o->to_come);
}

// How many parameters become final at another node than the tape tells
static int watch_a_backward(Arena *arena, const Model *m, bool tied)
{
    Rng rng = rng_new(1, 1);
    Parameters set = parameters_new(arena);
    GptConfig config = m->gpt.config;
    config.tied = tied;
    const Gpt gpt = gpt_new(&set, config, &rng);
    parameters_seal(&set);
    tape_reset(m->tape);
    Tensor *loss = gpt_loss(&gpt, m->tape, m->ids, m->ids + 1, WINDOWS, TIME);
    const int length = tape_length(m->tape);
    int *first_use = arena_alloc(arena, (size_t)set.count, sizeof *first_use), wrong = 0;
    find_first_uses(first_use, m->tape, &set);
    Observer o = {m->tape, &set, length, arena_zeros(arena, (size_t)set.count, sizeof *o.changed),
                  matrix_copy(arena, set.block_gradient).data};
    tape_watch(m->tape, observe, &o);
    backward(loss);
    tape_watch(m->tape, NULL, NULL);
    printf("%-20s  %5d", tied ? "tied" : "a table for output", length);
    for (int quarter = 1; quarter <= 4; quarter++) {
        size_t final = 0;
        for (int p = 0; p < set.count; p++)
            if (first_use[p] >= length - length * quarter / 4) final += matrix_size(set.items[p]->value);
        printf("  %3.0f %%", 100.0 * (double) final / (double)parameters_size(&set));
    }
    printf("\n");
    for (int p = 0; p < set.count; p++) wrong += first_use[p] != o.changed[p];
    return wrong;
}

static void watch_backwards(Lesson *lesson, uint64_t seed)
{
    section(lesson, "When is a gradient final?");
    Arena *arena = arena_new();
    Model *m = model_new(arena, seed);
    printf("gradients that are final after so much of the backward\n\n");
    printf("output                nodes    1/4    1/2    3/4    all\n");
    const int own = watch_a_backward(arena, m, false), tied = watch_a_backward(arena, m, true);
    printf("\n");
    claim(lesson, own == 0,
          "each parameter of the GPT changes last in the step of the node that used it first");
    claim(lesson, tied == 0, "and so does each of a GPT whose output is tied");
    tape_free(m->tape);
    arena_free(arena);
}

/*
## Processes that send messages

Now for real. **MPI** (消息传递接口) starts one program $k$ times; each copy knows its rank, and they can send each other
bytes. That is all we ask of it: the schedules are ours, the same functions that the simulation used. `make
chapter33` starts two processes on this machine, and then four; a file with the names of machines, one a line, makes
it a cluster: `make chapter33 HOSTS=file PROCESSES=8` (the course's folder must be at the same path on all of them).

A sum on its way knows in which round it is. It goes on when what it waits for has come; meanwhile others can be on
their way too, each with a tag of its own, and the program can do something else. MPI moves long messages only while
somebody asks it, so ask often: at each node of the backward.
*/

typedef struct {
    int rank, size;
    float *inbox;         // as long as what is summed
    long step, killed_at; // of this step, and of the one in which the last process dies
    long bucket;          // how many numbers are sent together, at least
    unsigned slower; // microseconds to sleep at each node of the last backward, in place of a larger model
    long messages, early;     // so far: messages sent; numbers on their way before the end of the backward
    double patience, sent;    // seconds to wait at most; bytes sent so far
    double heard;             // when something has come
    double seconds, backward; // so far: in all-reduces; in backwards that could hide them
} World;

#ifndef WITH_MPI
typedef int MPI_Request;
#endif

typedef struct {
    const Collective *way;
    int round, tag;
    float *data, *inbox; // [n]
    long n;
    Hop hop;
    MPI_Request requests[2];
} Sum;

#ifdef WITH_MPI
// Sends and receives what the sum's round asks for, without waiting
static void post(World *w, Sum *s)
{
    const Hop hop = s->hop = s->way->hop(w->rank, w->size, s->n, s->round);
    s->requests[0] = s->requests[1] = MPI_REQUEST_NULL;
    if (hop.from != NOBODY)
        MPI_Irecv(s->inbox, (int)hop.from_count, MPI_FLOAT, hop.from, s->tag, MPI_COMM_WORLD,
                  &s->requests[0]);
    if (hop.to == NOBODY) return;
    MPI_Isend(s->data + hop.first, (int)hop.count, MPI_FLOAT, hop.to, s->tag, MPI_COMM_WORLD,
              &s->requests[1]);
    w->sent += 4.0 * (double)hop.count;
    w->messages++;
}

static bool has_come(Sum *s)
{
    int done;
    MPI_Testall(2, s->requests, &done, MPI_STATUSES_IGNORE);
    return done;
}

static void give_up(const World *w, const Sum *s)
{
    printf("gave up: process %d has waited %.0f s for process %d in step %ld\n", w->rank, w->patience,
           s->hop.from != NOBODY ? s->hop.from : s->hop.to, w->step);
    fflush(stdout);
    MPI_Abort(MPI_COMM_WORLD, 3);
}
#else
static void post(World *w, Sum *s)
{
    die("sudo apt-get install libopenmpi-dev openmpi-bin", "there is no MPI for process %d, tag %d", w->rank,
        s->tag);
}
static bool has_come(Sum *s) { return s->way; }
static void give_up(const World *w, const Sum *s) { (void)w, (void)s; }
#endif

static Sum begin(World *w, const Collective *way, float *data, float *inbox, long n, int tag)
{
    Sum s = {.way = way, .data = data, .inbox = inbox, .n = n, .tag = tag};
    if (way->rounds(w->size) > 0) post(w, &s);
    return s;
}

// Goes on as far as that is possible without waiting. True when the sum is there.
static bool advance(World *w, Sum *s)
{
    const int rounds = s->way->rounds(w->size);
    while (s->round < rounds && has_come(s)) {
        if (s->hop.from != NOBODY) take(s->hop, s->data, s->inbox);
        w->heard = seconds_now();
        if (++s->round < rounds) post(w, s);
    }
    return s->round == rounds;
}

/*
A process that waits for another must not wait for ever. If nothing has come for some seconds, it says for whom it has
waited, and ends the whole run.
*/

static void finish(World *w, Sum *sums, int count)
{
    w->heard = seconds_now();
    for (;;) {
        int missing = count;
        for (int i = count - 1; i >= 0; i--)
            if (!advance(w, &sums[i])) missing = i;
        if (missing == count) return;
        const double waited = seconds_now() - w->heard;
        if (waited < 1e-3) sched_yield();
        if (waited >= 1e-3) usleep(50); // there may be fewer cores than processes
        if (waited >= w->patience) give_up(w, &sums[missing]);
    }
}

/*
A step: the own parts, the all-reduce of all gradients and of the loss behind them, a step of AdamW. With one process
there are no rounds, and nothing is sent.

What can travel while the backward computes? A process's sum is complete only with its *last* part. So all others are
summed first, in their subtrees; then the last part's backward is watched. The parameters were sealed in the order of
the layers, so what is final is the *end* of the block of gradients, and it grows towards its beginning. When it has
grown by a bucket, the other subtrees are added, in the order of the tree, and the bucket is sent. Each number is still
added to the same numbers in the same order, whatever the buckets are: their size changes no bit. And when a bucket is
as large as everything, it is sent at the end: this is the step without overlapping.
*/

enum { BUCKET = 16384, MOST_BUCKETS = 64 };

typedef struct {
    Model *m;
    World *w;
    int parts;   // that the process has
    int to_come; // of the tape's nodes
    int final;   // this parameter and all behind it
    long sent;   // this number and all behind it
    Sum sums[MOST_BUCKETS];
    int count;
} Step;

static long offset_of(const Model *m, int parameter)
{
    if (parameter == m->parameters.count) return m->size;
    return m->parameters.items[parameter]->gradient.data - m->parameters.block_gradient.data;
}

// From number `first` to the last that was not sent yet
static void send_bucket(Step *s, long first)
{
    Model *m = s->m;
    World *w = s->w;
    const long end = s->sent, count = end - first;
    const size_t gradients = (size_t)(end > m->size ? m->size - first : count);
    memcpy(m->sum + first, m->parameters.block_gradient.data + first, gradients * sizeof *m->sum);
    for (int l = 0; l < levels(s->parts); l++)
        for (long i = first; i < end; i++) m->sum[i] += m->aside[l][i];
    check(s->count < MOST_BUCKETS, "send larger ones", "more than %d buckets", MOST_BUCKETS);
    s->sums[s->count] = begin(w, &collectives[HALVING], m->sum + first, w->inbox + first, count, s->count);
    s->count++;
    s->sent = first;
    if (w->step == w->killed_at && w->rank == w->size - 1) raise(SIGKILL);
}

static void send_what_is_final(void *context, const Tensor *node, TapeEvent event)
{
    Step *s = context;
    Model *m = s->m;
    const double begun = seconds_now();
    s->to_come = still_to_come(m->tape, node, event, s->to_come);
    for (; s->final > 0 && m->first_use[s->final - 1] >= s->to_come; s->final--)
        tensor_gradient(m->parameters.items[s->final - 1]); // cleared where nothing was written
    const long first = offset_of(m, s->final), ready = s->sent - first;
    if (ready >= s->w->bucket || (event == TAPE_END && ready > 0)) {
        if (event != TAPE_END) s->w->early += ready;
        send_bucket(s, first);
    }
    for (int i = 0; i < s->count; i++) advance(s->w, &s->sums[i]);
    s->w->seconds += seconds_now() - begun;
    if (s->w->slower > 0) usleep(s->w->slower);
}

static double take_step(Model *m, World *w, long step)
{
    const int own = PARTS / w->size, end = (w->rank + 1) * own;
    w->step = step;
    for (int l = levels(own) - 1; l >= 0; l--) sum_parts(m, step, end - (2 << l), 1 << l, m->aside[l]);
    Tensor *loss = part_loss(m, step, end - 1);
    m->sum[m->size] = loss->value.data[0];
    find_first_uses(m->first_use, m->tape, &m->parameters);
    Step s = {m, w, own, tape_length(m->tape), m->parameters.count, m->size + 1, .count = 0};
    const double begun = seconds_now(), before = w->seconds;
    tape_watch(m->tape, send_what_is_final, &s);
    backward(loss);
    tape_watch(m->tape, NULL, NULL);
    const double done = seconds_now();
    w->backward += done - begun - (w->seconds - before);
    finish(w, s.sums, s.count);
    w->seconds += seconds_now() - done;
    Matrix gradients = parameters_gradients(&m->parameters);
    for (long i = 0; i < m->size; i++) gradients.data[i] = m->sum[i] / PARTS;
    clip_gradients(&m->parameters, 1.0f);
    optimiser_step(&m->adam, 3e-3f);
    return (double)m->sum[m->size] / PARTS;
}

// One number that says whether two sets of weights are the same, bit for bit (FNV-1a)
static uint64_t fingerprint(const Model *m)
{
    uint64_t print = 14695981039346656037u;
    const unsigned char *bytes = (const unsigned char *)m->parameters.block.data;
    for (size_t i = 0; i < 4 * (size_t)m->size; i++) print = (print ^ bytes[i]) * 1099511628211u;
    return print;
}

/*
Process 0 writes a **checkpoint** (检查点) every 10 steps: the weights, Adam's moments, the number of the step. The
file takes the place of the older one only when it is whole, so whoever dies, one of the two is there. Who finds a
checkpoint at the beginning goes on from it. So that we see what happens, a run can be told to kill its last process
in the middle of a step, with the signal that no program can catch.
*/

enum { TRAINING = 40, EVERY = 10, KILLED_AT = 27, NEVER = -1 };
static const long at_the_end = LONG_MAX; // a bucket for everything: without overlapping

typedef struct {
    uint64_t seed;
    long steps;
    const char *checkpoint;
} Job;

typedef struct {
    double first_loss, loss, sent, messages,
        early; // of process 0 in a step: bytes, messages, numbers sent early
    uint64_t print;
    int equal; // processes whose weights have the same fingerprint
    double step_seconds, all_reduce_seconds, backward_seconds, alone_seconds, mpi_seconds, alpha, beta;
    double apart; // from MPI's own all-reduce, relative to the largest number
} Outcome;

static Outcome train(Model *m, World *w, Job job)
{
    Outcome result = {.equal = 1};
    long step = 0;
    if (access(job.checkpoint, R_OK) == 0) step = checkpoint_load(job.checkpoint, &m->adam, NULL, 0);
    const long begun = step;
    const double start = seconds_now();
    for (; step < job.steps; step++) {
        result.loss = take_step(m, w, step);
        if (step == begun) result.first_loss = result.loss;
        if (w->rank != 0 || (step + 1) % EVERY != 0) continue;
        checkpoint_save(job.checkpoint, &m->adam, NULL, 0, step + 1);
        if (w->size > 1) printf("checkpoint: step %ld\n", step + 1), fflush(stdout);
    }
    const double steps = (double)(job.steps - begun);
    result.step_seconds = (seconds_now() - start) / steps;
    result.all_reduce_seconds = w->seconds / steps;
    result.backward_seconds = w->backward / steps;
    result.sent = w->sent / steps;
    result.messages = (double)w->messages / steps;
    result.early = (double)w->early / steps;
    result.print = fingerprint(m);
    return result;
}

/*
Afterwards the processes compare their fingerprints, measure the link between two of them, and let MPI's own
all-reduce add up the same numbers. Process 0 alone speaks; who has started them reads its last line.
*/

#ifdef WITH_MPI
static const char result_line[] = "result %la %la %la %llx %d %la %la %la %la %la %la %la %la %la %la\n";

// One sum, and nothing else meanwhile
static void all_reduce(World *w, const Collective *way, float *data, long n)
{
    const double begun = seconds_now();
    Sum sum = begin(w, way, data, w->inbox, n, 0);
    finish(w, &sum, 1);
    w->seconds += seconds_now() - begun;
}

static int once_each(int size) { return size > 1 ? 2 : 0; }
static Hop there_and_back_hop(int rank, int size, long n, int round)
{
    const int other = rank ^ 1;
    if (rank > 1 || size < 2) return (Hop){.to = NOBODY, .from = NOBODY};
    return round == rank ? (Hop){.to = other, .from = NOBODY, .count = n}
                         : (Hop){.to = NOBODY, .from = other, .from_count = n};
}
static const Collective ping = {"there and back", once_each, there_and_back_hop};

// Seconds of a message of so many floats, there and back again
static double there_and_back(World *w, long count, int times, float *data)
{
    w->seconds = 0.0;
    for (int t = 0; t < times; t++) all_reduce(w, &ping, data, count);
    return w->seconds / (2 * times);
}

static void measure_link(Model *m, World *w, Outcome *result)
{
    enum { TIMES = 50, SOME = 10 };
    const double one = there_and_back(w, 1, 20 * TIMES, m->sum),
                 all = there_and_back(w, m->size, TIMES, m->sum);
    result->alpha = one;
    result->beta = 4.0 * (double)m->size / (all - one);
    w->seconds = 0.0;
    for (int t = 0; t < TIMES; t++) all_reduce(w, &collectives[HALVING], m->aside[0], m->size + 1);
    result->alone_seconds = w->seconds / TIMES;
    const double begun = seconds_now();
    for (int t = 0; t < SOME; t++)
        MPI_Allreduce(m->sum, m->aside[0], (int)m->size, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    result->mpi_seconds = (seconds_now() - begun) / SOME;
}

static void compare_with_mpi(Model *m, World *w, Outcome *result)
{
    const Matrix ours = matrix_view(1, (int)m->size, m->sum),
                 theirs = matrix_view(1, (int)m->size, m->aside[0]);
    sum_parts(m, 0, w->rank * (PARTS / w->size), PARTS / w->size, m->sum);
    MPI_Allreduce(m->sum, m->aside[0], (int)m->size, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    all_reduce(w, &collectives[HALVING], m->sum, m->size);
    result->apart = (double)largest_difference(ours, theirs) / (double)fmaxf(largest(ours), -smallest(ours));
    for (int rank = 1; rank < w->size; rank++) {
        uint64_t print = result->print;
        if (w->rank == rank) MPI_Send(&print, 1, MPI_UINT64_T, 0, 1, MPI_COMM_WORLD);
        if (w->rank != 0) continue;
        MPI_Recv(&print, 1, MPI_UINT64_T, rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        result->equal += print == result->print;
    }
}

// One of the processes: --worker SEED STEPS KILLED_AT PATIENCE CHECKPOINT BUCKET [SLOWER]
static int work(int argc, char **argv)
{
    World w = {.size = 1};
    check(argc == 8 || argc == 9, "only the chapter itself starts workers", "%d words for a worker", argc);
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &w.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &w.size);
    const Job job = {strtoull(argv[2], NULL, 10), atol(argv[3]), argv[6]};
    w.killed_at = atol(argv[4]);
    w.patience = atof(argv[5]);
    w.bucket = atol(argv[7]);
    w.slower = argc == 9 ? (unsigned)atol(argv[8]) : 0;
    Arena *arena = arena_new();
    Model *m = model_new(arena, job.seed);
    w.inbox = arena_alloc(arena, (size_t)m->size + 1, sizeof *w.inbox);
    Outcome r = train(m, &w, job);
    compare_with_mpi(m, &w, &r);
    if (w.size > 1) measure_link(m, &w, &r);
    if (w.rank == 0)
        printf(result_line, r.first_loss, r.loss, r.sent, (unsigned long long)r.print, r.equal, r.messages,
               r.early, r.step_seconds, r.all_reduce_seconds, r.backward_seconds, r.alone_seconds,
               r.mpi_seconds, r.alpha, r.beta, r.apart);
    MPI_Finalize();
    tape_free(m->tape);
    arena_free(arena);
    return 0;
}
#endif

/*
The first process is this one: no messages, no MPI, as many threads as there are cores. The others have one thread
each.
*/

typedef struct {
    const char *program, *hosts;
    int processes;        // 2, or PROCESSES
    uint64_t seed, print; // print: of the weights that one process has trained
    char log[4096], checkpoint[4096];
} Cluster;

static Cluster cluster_of(const char *program, const char *hosts, const char *processes, uint64_t seed)
{
    const char *build = getenv("COURSE_BUILD");
    Cluster c = {.program = program, .hosts = hosts && *hosts ? hosts : NULL, .processes = 2, .seed = seed};
    char folder[3000];
    if (processes && *processes) c.processes = atoi(processes);
    check(c.processes >= 1 && c.processes <= PARTS && PARTS % c.processes == 0,
          "a batch has 8 parts, and the tree needs a power of two", "PROCESSES=%s: there can be 1, 2, 4 or 8",
          processes);
    check(!c.hosts || access(c.hosts, R_OK) == 0, "give it a file with the name of a machine on each line",
          "HOSTS=%s cannot be read", c.hosts);
    snprintf(folder, sizeof folder, "%s/models/33-many-machines", build && *build ? build : "build");
    folder_make_at(HERE, folder);
    snprintf(c.log, sizeof c.log, "%s/worker.log", folder);
    snprintf(c.checkpoint, sizeof c.checkpoint, "%s/checkpoint.safetensors", folder);
    return c;
}

#ifdef WITH_MPI
static bool find_result(const char *log, Outcome *r)
{
    FILE *file = fopen(log, "r");
    char line[1024];
    unsigned long long print = 0;
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = sscanf(line, result_line, &r->first_loss, &r->loss, &r->sent, &print, &r->equal, &r->messages,
                       &r->early, &r->step_seconds, &r->all_reduce_seconds, &r->backward_seconds,
                       &r->alone_seconds, &r->mpi_seconds, &r->alpha, &r->beta, &r->apart) == 15;
    r->print = print;
    if (file) fclose(file);
    return found;
}

// Where the checkpoint stands, 0 when there is none. That it can be read says that it is whole.
static long checkpoint_step(const Cluster *c)
{
    if (access(c->checkpoint, R_OK) != 0) return 0;
    Arena *arena = arena_new();
    Model *m = model_new(arena, c->seed);
    const long step = checkpoint_load(c->checkpoint, &m->adam, NULL, 0);
    tape_free(m->tape);
    arena_free(arena);
    return step;
}

// Trains in so many processes, from the checkpoint if there is one. False when one was killed, as it was to be.
static bool train_among(const Cluster *c, int count, long bucket, long killed_at, Outcome *result)
{
    char seed[32], steps[32], killed[32], least[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->seed);
    snprintf(steps, sizeof steps, "%d", TRAINING);
    snprintf(killed, sizeof killed, "%ld", killed_at);
    snprintf(least, sizeof least, "%ld", bucket);
    char *const arguments[] = {(char *)(uintptr_t)c->program,
                               (char[]){"--worker"},
                               seed,
                               steps,
                               killed,
                               (char[]){"60"},
                               (char *)(uintptr_t)c->checkpoint,
                               least,
                               NULL};
    const Child child = processes_run(arguments, (Processes){count, c->hosts, c->log, 600.0});
    int by = 0;
    check(child.end != CHILD_MISSING, "sudo apt-get install libopenmpi-dev openmpi-bin",
          "there is no mpirun");
    if (child.end == CHILD_ENDED && child.detail == 0 && find_result(c->log, result)) return true;
    const int lost = processes_lost(c->log, &by);
    if (killed_at != NEVER && lost >= 0) {
        printf("process %d of %d has died of signal %d; the checkpoint stands at step %ld of %d\n", lost,
               count, by, checkpoint_step(c), TRAINING);
        return false;
    }
    if (lost >= 0)
        die("see what it said; the checkpoint is whole",
            "process %d of %d has died of signal %d; its words are in %s, and %s stands at step %ld", lost,
            count, by, c->log, c->checkpoint, checkpoint_step(c));
    die("see what they said; the checkpoint, if there is one, is whole",
        "%d processes did not come to an end; their words are in %s, and %s stands at step %ld", count,
        c->log, c->checkpoint, checkpoint_step(c));
}

// Times are this machine's, and go to standard error
static void tell_times(const Outcome *r, int count, double alone, long bytes)
{
    const Link link = {r->alpha, r->beta};
    const double told = 1e6 * law(HALVING, link, count, bytes / 4);
    fprintf(stderr,
            "%d processes: %.1f ms a step, %.2f times as fast as one; alpha %.1f us, beta %.1f GB/s\n", count,
            1000.0 * r->step_seconds, alone / r->step_seconds, 1e6 * r->alpha, 1e-9 * r->beta);
    fprintf(stderr,
            "    an all-reduce: %.0f us by the law, alone %.0f, MPI's own %.0f; in training, with waiting, "
            "%.0f\n",
            told, 1e6 * r->alone_seconds, 1e6 * r->mpi_seconds, 1e6 * r->all_reduce_seconds);
}

static void tell_overlap(const Outcome *plain, const Outcome *r)
{
    fprintf(stderr,
            "    overlapped: %.1f ms a step, %.2f times as fast; messages, with waiting, %.0f us; the last "
            "backward %.1f ms\n",
            1000.0 * r->step_seconds, plain->step_seconds / r->step_seconds, 1e6 * r->all_reduce_seconds,
            1000.0 * r->backward_seconds);
    fprintf(stderr, "    could be hidden: at most %.1f %% of a step\n",
            100.0 * fmin(r->alone_seconds, r->backward_seconds) / plain->step_seconds);
}
#endif

// Returns how many bytes the gradients and the loss are
static long train_alone(const Cluster *c, Outcome *result)
{
    Arena *arena = arena_new();
    World w = {.size = 1, .bucket = at_the_end, .killed_at = NEVER};
    Model *m = model_new(arena, c->seed);
    w.inbox = m->sum; // nothing comes
    unlink(c->checkpoint);
    *result = train(m, &w, (Job){c->seed, TRAINING, c->checkpoint});
    const long bytes = 4 * (m->size + 1);
    tape_free(m->tape);
    arena_free(arena);
    return bytes;
}

static void print_outcome(int count, const Outcome *r, const char *how, long bytes)
{
    char name[64];
    snprintf(name, sizeof name, "%d process%s%s", count, count == 1 ? "" : "es", how);
    printf("%-23s %7.4f  %6.4f    %016llx  %12.0f  %8.0f", name, r->first_loss, r->loss,
           (unsigned long long)r->print, r->sent, r->messages);
    if (count == 1)
        printf("\n");
    else
        printf("  %3.0f %%\n", 400.0 * r->early / (double)bytes);
}

static void train_in_processes(Lesson *lesson, Cluster *c)
{
    section(lesson, "Processes that send messages");
    Outcome alone, r;
    const long bytes = train_alone(c, &alone);
    c->print = alone.print;
    printf("%d steps            loss: first    last  weights at the end  bytes a step  messages  early\n",
           TRAINING);
    print_outcome(1, &alone, "", bytes);
#ifdef WITH_MPI
    bool same = true, as_told = true;
    double apart = 0.0, least_early = 1.0;
    for (int count = c->processes; count <= int_min(2 * c->processes, PARTS); count *= 2) {
        Outcome plain = alone;
        for (int overlapped = 0; overlapped < 2; overlapped++) {
            unlink(c->checkpoint);
            train_among(c, count, overlapped ? BUCKET : at_the_end, NEVER, &r);
            print_outcome(count, &r, overlapped ? ", in buckets" : "", bytes);
            same = same && r.print == alone.print && r.equal == count;
            as_told = as_told && fabs(r.sent - 2.0 * (count - 1) / count * (double)bytes) <=
                                     8.0 * MOST_BUCKETS * levels(count);
            apart = fmax(apart, r.apart);
            if (overlapped && count > 1) least_early = fmin(least_early, 4.0 * r.early / (double)bytes);
            if (overlapped && count > 1) tell_overlap(&plain, &r);
            if (!overlapped && count > 1) tell_times(&r, count, alone.step_seconds, bytes);
            plain = r;
        }
    }
    printf("\n");
    claim(lesson, same,
          "one process, %d and %d end with the same weights, bit for bit, and each of them with these",
          c->processes, int_min(2 * c->processes, PARTS));
    claim(lesson, as_told, "a process sends 2 (k − 1) / k times the bytes of the gradients in each step");
    claim(lesson, least_early >= 0.9,
          "in buckets, at least %d %% of them are on their way before the backward ends", 90);
    claim(lesson, apart <= 1e-6, "our all-reduce and MPI's differ by at most 1e-6");
    claim(lesson, alone.loss <= alone.first_loss - 1.0, "and the loss has fallen by at least %d", 1);
#else
    (void)lesson, (void)r, (void)bytes;
    printf("\nMore than one process needs MPI, which is not here. To have it: sudo apt-get install "
           "libopenmpi-dev "
           "openmpi-bin\n");
#endif
}

/*
In buckets seven times as many messages carry the same bytes, and nearly all of them leave before the backward ends; what
is late is the table of the characters, which is final only when nothing is left to compute.

What did the messages cost? This differs between machines, so it goes to standard error: the link's $\alpha$ and
$\beta$, measured by sending one number and all numbers there and back again; what the law makes of them for one
all-reduce; how long all-reduces took alone, and how long in training, with the waiting for the slower process; and what
overlapping has saved.

How much *could* it save? A part computes $f$ forward and about $2f$ backward. Each of $k$ processes has $8/k$ parts,
and only the last backward hides anything. With $T$ for the messages a step takes $24 f / k + T$, and at most
$\min(T, 2f)$ of that is hidden. Most is saved where $T = 2f$: a fraction of $k / (12 + k)$, a seventh with two processes,
a quarter with four, and two fifths with eight, which have one part each. A faster network leaves less to hide, a slower
one hides no more and takes longer.

Does it? We have measured three cases, two processes on two cores that also had other work, with and without overlapping in
turns:

- Within one machine, a step takes some 10 ms and the messages about 1 ms, as much as the last backward. And yet nothing
  is saved that could be told from the differences between runs: these messages are copies which the *processors* make,
  and a processor that copies does not compute. There is no one else to whom the work could be left.
- Over a wire of 100 Mbit/s (two network namespaces of one machine) the messages take about 50 ms, and there is still
  1 ms to hide them behind: at most 2 % of the step. We could not see it.
- Over the same wire, with a backward of 95 ms: a larger model, imitated by sleeping 4 ms at each node. In buckets 4 to
  11 ms of those 50 ms were left, and a step took some 125 ms instead of 165: eight in a second instead of six. In one run
  of eight nothing was hidden; we do not know why.

So it pays where the backward is about as long as the messages and somebody else carries them, a network card or a slow
wire. For our little GPT on one machine it does not. `make test-mpi` tries all this, with a wire that is slow, one
that is cut, and a process that dies with a bucket on its way.

## A process is killed

A process that is lost ends the run: the sum of a step lacks its part, and nobody can go on without it. mpirun
notices, and ends the others. We start two, tell the last one to die in step 27, in the middle of the backward when its
first bucket is on the way, and see what is left. Then twice as many go on from there, without overlapping.
*/

static void kill_a_process(Lesson *lesson, const Cluster *c)
{
#ifdef WITH_MPI
    section(lesson, "A process is killed");
    Outcome r;
    unlink(c->checkpoint);
    const bool ended = train_among(c, c->processes, BUCKET, KILLED_AT, &r);
    const long step = checkpoint_step(c);
    const int more = int_min(2 * c->processes, PARTS);
    printf("and %d processes go on from there\n\n", more);
    train_among(c, more, at_the_end, NEVER, &r);
    claim(lesson, !ended && step == KILLED_AT / EVERY * EVERY,
          "the run ends, and the last checkpoint is whole");
    claim(lesson, r.print == c->print,
          "those who go on end with the weights of the run that was never disturbed");
    unlink(c->checkpoint);
#else
    (void)lesson, (void)c;
#endif
}

/*
Two processes, or four, or two of which one dies and four that inherit: every time the same sixteen digits. A run that
died at night is no lost run, and whoever sees something odd with 8 processes can look at it with one.

## The same law with 8, 64 and 1024 machines

On paper, with numbers, since we have no such hall. GPT-2's smallest, 124 million parameters, is 0.5 GB of
gradients. A link gives 10 GB/s at 20 µs, and each machine computes for one second: a third forward, two thirds
backward.

One piece is sent when the backward has ended, 20 are overlapped with it. With 20 pieces there are 20 times as many
messages, and each waits here until the one before has been sent.
*/

enum { PIECES = 20, GRADIENTS = 124439808 };
static const Link fast = {20e-6, 10e9};

// Seconds until the last machine has all sums: each piece is sent when it is there and the one before has been sent
static double step_time(int way, int size, int pieces)
{
    const double one = time_of(way, fast, size, GRADIENTS / pieces);
    double sent = 0.0;
    for (int p = 0; p < pieces; p++) {
        const double there = 1.0 / 3.0 + 2.0 / 3.0 * (p + 1) / pieces;
        sent = fmax(sent, there) + one;
    }
    return sent;
}

/*
And nobody is equally fast every time. Let each machine need $1 + X$ seconds with $X$ exponential of mean 0.2. All
wait for the slowest, and the largest of $p$ such numbers has the mean $0.2 \, (1 + \frac12 + \dots + \frac1p) = 0.2
\, H_p$.
*/

static double harmonic(int p) { return p ? harmonic(p - 1) + 1.0 / p : 0.0; }

// The mean over many steps of when a small all-reduce is done, if all begin late by chance
static double straggling(int size, Rng *rng)
{
    enum { TIMES = 3000 };
    double total = 0.0;
    for (int t = 0; t < TIMES; t++) {
        double clock[1024];
        for (int i = 0; i < size; i++) clock[i] = 1.0 - 0.2 * (double)log32(1.0f - rng_uniform(rng));
        total += simulate(&collectives[HALVING], (Link){0.0, 1e12}, clock, size, size, (Matrix){0}) / TIMES;
    }
    return total;
}

static void draw_scaling(Lesson *lesson)
{
    enum { SIZES = 10 };
    float x[SIZES], y[4][SIZES];
    for (int i = 0; i < SIZES; i++) {
        const int size = 2 << i;
        x[i] = (float)size;
        y[0][i] = (float)(1.0 / step_time(TREE, size, 1));
        y[1][i] = (float)(1.0 / step_time(RING_OF_ALL, size, 1));
        y[2][i] = (float)(1.0 / step_time(RING_OF_ALL, size, PIECES));
        y[3][i] = (float)(1.2 / (1.0 + 0.2 * harmonic(size))); // they compute for 1.2 s on average
    }
    static const char *const names[] = {"tree", "ring", "ring in 20 pieces, overlapped",
                                        "no message, but stragglers"};
    Plot *plot = plot_begin(lesson, "scaling.svg", "How much of a machine is left in a crowd");
    plot_axes(plot, "machines", "computing, as a part of the step");
    plot_log(plot, "x");
    plot_range_y(plot, 0.0, 1.05);
    for (int k = 0; k < 4; k++) plot_line_points(plot, names[k], x, y[k], SIZES);
    plot_end(
        plot,
        "0.5 GB of gradients, 10 GB/s, 20 µs, one second of computing: sending is not the largest loss.");
}

static void scale_up(Lesson *lesson)
{
    section(lesson, "The same law with 8, 64 and 1024 machines");
    enum { CASES = 3 };
    static const int sizes[CASES] = {8, 64, 1024};
    double time[COLLECTIVES][2][CASES], wrong = 0.0, astray = 0.0;
    Rng rng = lesson_rng(lesson, 40);
    printf("seconds of a step            8       64     1024\n");
    for (int way = 0; way < COLLECTIVES; way++)
        for (int cut = 0; cut < 2; cut++) {
            printf("%-8s %-12s", collectives[way].name, cut ? "in 20 pieces" : "in one piece");
            for (int k = 0; k < CASES; k++) {
                time[way][cut][k] = step_time(way, sizes[k], cut ? PIECES : 1);
                printf("  %7.3f", time[way][cut][k]);
                if (!cut)
                    wrong = fmax(wrong,
                                 fabs((time[way][0][k] - 1.0) / law(way, fast, sizes[k], GRADIENTS) - 1.0));
            }
            printf("\n");
        }
    printf("stragglers           ");
    for (int k = 0; k < CASES; k++) {
        const double late = straggling(sizes[k], &rng);
        printf("  %7.3f", late);
        astray = fmax(astray, fabs(late / (1.0 + 0.2 * harmonic(sizes[k])) - 1.0));
    }
    printf("\n\n");
    claim(lesson, wrong <= 0.01, "simulated messages and the law agree to %d %%, at 8, 64 and 1024 machines",
          1);
    claim(lesson,
          time[RING_OF_ALL][1][0] < time[RING_OF_ALL][0][0] &&
              time[RING_OF_ALL][1][2] > time[RING_OF_ALL][0][2],
          "on a ring 20 overlapped pieces are faster than one at 8 machines, and slower at 1024");
    claim(lesson, astray <= 0.02, "waiting for the slowest takes 1 + 0.2 H_p, to %d %%", 2);
    draw_scaling(lesson);
}

/*
Cut in pieces the messages hide behind the backward, as long as the pieces are not too short: at 1024 machines a ring
has 2046 rounds, and twenty times as many cost 0.8 s for latency alone. "Overlapping is faster" is true at 8 machines,
and false at 1024. But the last row is the surprise. Machines
that need 1.2 s on average wait for one that needs 2.5: at 1024 they compute for less than half of the time, with a
network that costs nothing.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
#ifdef WITH_MPI
    if (argc > 1 && strcmp(argv[1], "--worker") == 0) return work(argc, argv);
#endif
    const char *hosts = getenv("HOSTS"), *processes = getenv("PROCESSES");
    const LessonOption options[] = {
        {"--hosts", "FILE", "the machines, one on a line, for mpirun (or HOSTS=FILE)", &hosts},
        {"--processes", "K", "how many processes train together: 1, 2, 4 or 8 (or PROCESSES=K)", &processes}};
    Lesson *lesson =
        lesson_begin_with(argc, argv, "33-many-machines", "Many machines: descent and consensus", options, 2);
    Rng draws = lesson_rng(lesson, 30);
    Cluster cluster = cluster_of(argv[0], hosts, processes, rng_next(&draws));
    static Graph graphs[GRAPHS];
    static float descent[SHOWN];
    reach_consensus(lesson, graphs);
    Rows *rows = deal_rows(lesson, false);
    keep_a_floor(lesson, graphs, rows, descent);
    track_the_gradient(lesson, graphs, rows, descent);
    talk_less(lesson);
    lose_a_machine(lesson, graphs, rows);
    send_sums(lesson);
    compare_orders(lesson, cluster.seed);
    watch_backwards(lesson, cluster.seed);
    train_in_processes(lesson, &cluster);
    kill_a_process(lesson, &cluster);
    scale_up(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- Neighbours who average agree at the rate of the graph's second singular value. It can be computed before anybody
  talks.
- Descent and consensus with a constant step has a floor, since each goes down its own slope. Gradient tracking agrees
  on the slope too, and has none.
- Talking rarely is nearly free if the data are alike, and dear if they are not.
- A sum costs $\alpha$ for each round and $1/\beta$ for each byte: trees for few bytes, rings or halving for many.
- Fix the order of the sum, and one process or eight give the same bits. Fix it in a tree, and it costs no bytes.
- All wait for the slowest. With many machines that can cost more than all messages.

## Check yourself

**1.** A ring of 32 instead of 16 machines: how many rounds more?

<details><summary>Answer</summary>

Four times as many. $\sigma_2 = \frac13 (1 + 2 \cos \frac{2\pi}{32}) = 0.9872$, and $\ln 0.9493 / \ln 0.9872 = 4.0$.

</details>

**2.** Why does descent with consensus keep its floor on the complete graph, where all agree in every round?

<details><summary>Answer</summary>

They agree, and then each takes a step of its own, down the slope of its own rows. At the common optimum these are not
0; only their sum is. The machines are seen after that step, and the more they differ the larger $\alpha$ is.

</details>

**3.** Which of the properties of $W$ would be lost if each machine took the plain mean of itself and its neighbours
on a star?

<details><summary>Answer</summary>

The rows still sum to 1, the columns do not: the hub's number has the weight ½ in each of 15 leaves and a leaf's
only $1/16$ in the hub. All would agree, but on a mean in which the hub counts for more. And gradient tracking would
lose parts of the sum.

</details>

**4.** A gradient of 4 kB on 64 machines with 20 µs and 1 GB/s. Tree or ring?

<details><summary>Answer</summary>

The tree: 12 rounds of 24 µs are 0.29 ms; the ring has 126 rounds of 20 µs, 2.5 ms.

</details>

**5.** Someone trains with 8 processes and gets other weights than with 4, from the same seed. Must there be a bug?

<details><summary>Answer</summary>

No. The batch is cut at other places and the sums have another order, so the last bits differ, and training carries
that on. Whether there is also a bug cannot be seen: this is the reason to fix the order.

</details>

## Sources

- A. Nedić, A. Ozdaglar, *Distributed subgradient methods for multi-agent optimization*, 2009: descent with consensus.
- L. Xiao, S. Boyd, S. Lall, *A scheme for robust distributed sensor fusion based on average consensus*, 2005: the
  Metropolis weights.
- P. Di Lorenzo, G. Scutari, *NEXT: in-network nonconvex optimization*, 2016; G. Qu, N. Li, *Harnessing smoothness to
  accelerate distributed optimization*, 2018: gradient tracking.
- H. B. McMahan and others, *Communication-efficient learning of deep networks from decentralized data*, 2017: local
  steps.
- R. Thakur, R. Rabenseifner, W. Gropp, *Optimization of collective communication operations in MPICH*, 2005: tree and
  ring with their costs. R. Rabenseifner, *Optimization of collective reduction operations*, 2004: halving. P.
  Patarasuk, X. Yuan, *Bandwidth optimal all-reduce algorithms for clusters of workstations*, 2009: the ring.
- S. Li and others, *PyTorch Distributed: experiences on accelerating data parallel training*, 2020: pieces that
  overlap with the backward.
- The Message Passing Interface Forum, *MPI: a message-passing interface standard*.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade33` tells how far you are,
`make hint33` helps.

- **TASK 33.1** the Metropolis weights of a graph.
- **TASK 33.2** a step of gradient tracking.
- **TASK 33.3** who sends what on a ring.
- **TASK 33.4** a sum in the order of the tree.
- **TASK 33.5** how long an all-reduce takes, and where ring and tree cross.

And without a computer, or with five minutes at one:

**1.** With `PROCESSES=4`, kill one of the processes by hand while the chapter trains. What does it say, and what
stands on the disk?

<details><summary>Answer</summary>

It names the process, the signal, the file with its words and the step of the checkpoint, and ends with exit status 1.
The file `build/models/33-many-machines/checkpoint.safetensors` holds the last multiple of ten steps, whole.

</details>

**2.** A network has 100 million parameters, a step computes 0.2 s, the link has 1 GB/s. What fraction of the time
do many machines compute, without overlapping and with it?

<details><summary>Answer</summary>

0.4 GB go twice: 0.8 s. Without overlapping $0.2 / 1.0 = 20\,\%$. Overlapped, at most the backward's 0.13 s are
hidden: $0.2 / 0.87 = 23\,\%$. Where sending takes longer than computing, hiding does not help: larger batches do,
or fewer bytes.

</details>

**3.** Gradients are sent with 16 bits instead of 32. Which part of the time becomes half?

<details><summary>Answer</summary>

That of the bytes, $2 \frac{p - 1}p n / \beta$. The latency of the rounds stays, and the waiting for the slowest too.

</details>

**4.** How would you make the fixed tree work for three processes and 9 parts?

<details><summary>Answer</summary>

With a tree of three branches, $(1 + 2 + 3) + (4 + 5 + 6) + (7 + 8 + 9)$, each in this order. It then works for 1, 3
and 9, and no longer for 2 and 4. What must be fixed is one order that all numbers of processes can share.

</details>
*/
