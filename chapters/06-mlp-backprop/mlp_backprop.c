/*
# MLP and backpropagation

So far every prediction was a weighted sum, with at most a softmax after it. We start this chapter with
four points that no weighted sum can tell apart, and solve them with the smallest possible change: a function
that is not straight, an **activation function** (激活函数), between two weighted sums. This makes a
**multilayer perceptron** (多层感知机), MLP, and everything that is called a neural network is a variation of it.

The activation has a price. The loss is no longer a bowl with one lowest point, and there are no equations to
solve. Only descent is left, and so we need the gradient of every weight, also of those that stand before the
activation. Finding them is the job of **backpropagation** (反向传播), the chain rule in an order in which
nothing is computed twice. You will see

- why an activation is necessary (XOR) and why it is enough (any curve, as exactly as you pay for);
- every derivative by hand, first in plain loops and then as four matrix products;
- a network that winds itself around two spirals, and one that reads pieces of clothing;
- what happens when all weights start equal, and why they must not.

You need [chapter 1](../01-linear-regression/README.md) and [chapter 2](../02-logistic-regression/README.md):
descent, softmax and cross-entropy.
*/

#include "base/mathf.h"
#include "learning/ops/linear.h"
#include "learning/ops/loss.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/matrix.h"

/*
## Four points

Two inputs, each 0 or 1. The answer is 1 when exactly one of them is 1. This is *exclusive or*, XOR. Can a
weighted sum $z = w_1 x_1 + w_2 x_2 + b$ be positive for the two points with answer 1, and not positive for
the others?

Suppose it could. At $(0,0)$ we need $b \le 0$; at $(1,0)$ and $(0,1)$ we need $w_1 + b > 0$ and $w_2 + b >
0$. Add the last two: $w_1 + w_2 + 2b > 0$, so at $(1,1)$ the sum is $w_1 + w_2 + b > -b \ge 0$, and it is
positive where it must not be. No line separates these four points. Descent cannot find what does not exist;
let us watch it fail.
*/

static const float xor_inputs[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const int xor_answers[4] = {0, 1, 1, 0};

static void without_an_activation(Lesson *lesson)
{
    section(lesson, "Four points");
    float w1 = 0.8f, w2 = -0.4f, b = 0.3f, loss = 0.0f;
    for (int step = 0; step < 2000; step++) {
        float d_w1 = 0.0f, d_w2 = 0.0f, d_b = 0.0f;
        loss = 0.0f;
        for (int i = 0; i < 4; i++) { // logistic regression, as in chapter 2
            float z = w1 * xor_inputs[i][0] + w2 * xor_inputs[i][1] + b, answer = (float)xor_answers[i];
            float error = (sigmoid32(z) - answer) / 4.0f;
            loss += (softplus32(z) - answer * z) / 4.0f;
            d_w1 += error * xor_inputs[i][0], d_w2 += error * xor_inputs[i][1], d_b += error;
        }
        w1 -= d_w1, w2 -= d_w2, b -= d_b;
    }
    printf("after 2000 steps: weights %.4f and %.4f, bias %.4f, loss %.6f\n\n", fabs((double)w1),
           fabs((double)w2), fabs((double)b), (double)loss);
    claim(lesson, fabsf(loss - 0.693147f) < 1e-4f,
          "a weighted sum alone ends at loss log 2: one half for every point");

    Rng rng = lesson_rng(lesson, 4);
    int most = 0;
    for (int line = 0; line < 10000; line++) {
        float u1 = rng_normal(&rng), u2 = rng_normal(&rng), c = rng_normal(&rng);
        int right = 0;
        for (int i = 0; i < 4; i++)
            right += (u1 * xor_inputs[i][0] + u2 * xor_inputs[i][1] + c > 0.0f) == xor_answers[i];
        most = int_max(most, right);
    }
    claim(lesson, most == 3,
          "of ten thousand random lines the best gets 3 of the 4 points right, and none gets 4");
}

/*
In cross-entropy the best that a weighted sum can do is to say "fifty-fifty" to everything. (A line that gets three
points right exists, but it is so wrong on the fourth that it pays more.)

Would *two* weighted sums help, one after the other? With $h = x W_1$ and $z = h W_2$ we have $z = x (W_1 W_2)$, and
$W_1 W_2$ is one matrix: a weighted sum of weighted sums is a weighted sum. However many we stack, nothing is won.

## An activation function

Between the two weighted sums we put a function that is not straight. The simplest is $\max(0, a)$: keep what is
positive, forget the rest. It is called the **rectified linear unit** (线性整流单元), ReLU. The intermediate
numbers are the **hidden layer** (隐藏层), because neither the data nor the answer shows them. What enters the
activation, $a$, is called the pre-activation, what leaves it, $h$, the activation:

$$a = x W_1 + b_1, \qquad h = \max(0, a), \qquad z = h W_2 + b_2.$$

Two hidden numbers are enough for XOR, and we need no training to find them. Let $h_1 = \max(0, x_1 + x_2)$
count the ones, and let $h_2 = \max(0, x_1 + x_2 - 1)$ become positive only when there are two. Then $h_1 - 2 h_2$
is 1 for exactly one, and 0 otherwise.
*/

// The network that solves XOR: a circle for each number, a line for each weight
static void draw_network(Lesson *lesson)
{
    static const float x[] = {0, 0, 1, 1, 2}, y[] = {0.8f, 0.2f, 0.8f, 0.2f, 0.5f};
    static const char *const names[] = {"x1", "x2", "h1 = max(0, a1)\nbias 0", "h2 = max(0, a2)\nbias -1",
                                        "z"};
    static const struct {
        int from, to;
        const char *weight;
    } edges[] = {{0, 2, "1"}, {0, 3, "1"}, {1, 2, "1"}, {1, 3, "1"}, {2, 4, "1"}, {3, 4, "-2"}};
    const double positions[] = {0, 1, 2};
    const char *const layers[] = {"inputs", "hidden layer", "output"};
    Plot *plot = plot_begin(lesson, "network.svg",
                            "The network that solves XOR: two inputs, two hidden units, one output");
    plot_diagram(plot);
    plot_range_x(plot, -0.3, 2.4);
    plot_range_y(plot, 0.0, 1.0);
    plot_x_ticks(plot, positions, layers, 3);
    plot_legend(plot, "none");
    for (int e = 0; e < 6; e++) {
        const float ends_x[2] = {x[edges[e].from], x[edges[e].to]},
                    ends_y[2] = {y[edges[e].from], y[edges[e].to]};
        plot_line(plot, NULL, ends_x, ends_y, 2);
        double aside = ends_y[1] > ends_y[0] ? 0.05 : 0.0; // to the left of an edge that rises
        plot_text(plot, 0.75 * (double)ends_x[0] + 0.25 * (double)ends_x[1] - aside,
                  0.75 * (double)ends_y[0] + 0.25 * (double)ends_y[1] + 0.04, edges[e].weight);
    }
    for (int n = 0; n < 5; n++) {
        plot_points(plot, NULL, &x[n], &y[n], 1);
        plot_text(plot, (double)x[n] - 0.05,
                  (double)y[n] + (n == 3   ? -0.05
                                  : n == 2 ? 0.13
                                           : 0.07),
                  names[n]);
    }
    plot_end(plot,
             "Every edge is a weight: what arrives is multiplied by it, and all that arrives is added up.");
}

// The four points before and after the hidden layer, each with the boundary z = 1/2
static void draw_xor(Lesson *lesson)
{
    static const float zeros_x[] = {0, 1}, zeros_y[] = {0, 1}, ones_x[] = {0, 1}, ones_y[] = {1, 0};
    static const float lines_x[] = {-0.25f, 0.75f, NAN, 0.25f, 1.25f}; // x1 + x2 = 1/2 and 3/2
    static const float lines_y[] = {0.75f, -0.25f, NAN, 1.25f, 0.25f};
    Plot *plot = plot_begin(lesson, "xor_before.svg", "XOR in the inputs: no single line will do");
    plot_size(plot, 620, 460);
    plot_axes(plot, "x1", "x2");
    plot_square(plot);
    plot_legend(plot, "outside");
    plot_points(plot, "answer 0", zeros_x, zeros_y, 2);
    plot_crosses(plot, "answer 1", ones_x, ones_y, 2);
    plot_dashed(plot, "z = 1/2", lines_x, lines_y, 5);
    plot_end(plot, "The network draws two lines, and says 1 between them.");

    static const float hidden_zeros_x[] = {0, 2}, hidden_zeros_y[] = {0, 1}, hidden_one_x = 1,
                       hidden_one_y = 0;
    static const float line_x[] = {0.2f, 2.5f}, line_y[] = {-0.15f, 1.0f}; // h1 − 2 h2 = 1/2
    plot = plot_begin(lesson, "xor_after.svg", "XOR in the hidden layer: one line is enough");
    plot_size(plot, 620, 460);
    plot_axes(plot, "h1", "h2");
    plot_range_x(plot, -0.25, 2.75);
    plot_range_y(plot, -0.25, 1.25);
    plot_legend(plot, "outside");
    plot_points(plot, "answer 0", hidden_zeros_x, hidden_zeros_y, 2);
    plot_crosses(plot, "answer 1, twice", &hidden_one_x, &hidden_one_y, 1);
    plot_dashed(plot, "z = 1/2", line_x, line_y, 2);
    plot_end(plot, "Both points with answer 1 have become the same.");
}

static void solve_xor(Lesson *lesson)
{
    section(lesson, "An activation function");
    bool right = true;
    printf("x1 x2   h1 h2   h1 - 2 h2\n");
    for (int i = 0; i < 4; i++) {
        float ones = xor_inputs[i][0] + xor_inputs[i][1];
        float h1 = fmaxf(0.0f, ones), h2 = fmaxf(0.0f, ones - 1.0f), z = h1 - 2.0f * h2;
        printf("%2.0f %2.0f   %2.0f %2.0f   %9.0f\n", (double)xor_inputs[i][0], (double)xor_inputs[i][1],
               (double)h1, (double)h2, (double)z);
        right = right && z == (float)xor_answers[i];
    }
    printf("\n");
    claim(lesson, right, "with two hidden units, XOR is solved exactly");
    draw_network(lesson);
    draw_xor(lesson);
}

/*
What happened? The hidden layer moved the points: $(0,1)$ and $(1,0)$ fell onto the same point $(1, 0)$, and
now a line separates it from the rest. *A hidden layer folds space until a weighted sum is enough.*

## How much can one layer do?

Everything, in one dimension, and we can see how. A weighted sum of $n$ ReLUs is a line with $n$ kinks.
Choose the kinks on a curve and choose the slopes between them, and the network runs along the curve. The
hidden weights are 1, each bias places one kink, and each output weight is the change of slope there.
Nothing is trained.

How far from the curve is it? Between two kinks at a distance $w$ a straight piece misses a curve $f$ by at most
$w^2 \max |f''| / 8$, and by no less where $f''$ is largest once the pieces are short. So we know the error before
we build the network.
*/

static float curve(float t) { return sin32(6.0f * t) * exp32(-t) + 0.3f * t; }

static float second_derivative(float t)
{
    return -exp32(-t) * (35.0f * sin32(6.0f * t) + 12.0f * cos32(6.0f * t));
}

static const float SPAN = 3.0f; // the curve is drawn on [0, 3]

// The network of n hidden units that follows the curve, at t
static float constructed(int n, float t)
{
    float z = curve(0.0f), slope_before = 0.0f, width = SPAN / (float)n;
    for (int k = 0; k < n; k++) {
        float left = width * (float)k, slope = (curve(left + width) - curve(left)) / width;
        z += (slope - slope_before) * fmaxf(0.0f, t - left); // output weight · ReLU(1 · t + bias)
        slope_before = slope;
    }
    return z;
}

static void draw_pieces(Lesson *lesson)
{
    enum { POINTS = 601 };
    float t[POINTS], y[POINTS];
    for (int s = 0; s < POINTS; s++) t[s] = SPAN * (float)s / (POINTS - 1), y[s] = curve(t[s]);
    Plot *plot = plot_begin(lesson, "pieces.svg", "A curve, and networks that are built, not trained");
    plot_axes(plot, "t", "value");
    plot_line(plot, "the curve", t, y, POINTS);
    for (int n = 4; n <= 16; n *= 2) {
        char name[40];
        snprintf(name, sizeof name, "%d hidden units", n);
        for (int s = 0; s < POINTS; s++) y[s] = constructed(n, t[s]);
        plot_dashed(plot, name, t, y, POINTS);
    }
    plot_end(plot, "Four straight pieces miss the curve, sixteen follow it.");
}

static void follow_a_curve(Lesson *lesson)
{
    section(lesson, "How much can one layer do?");
    enum { GRID = 6000 };
    float curvature = 0.0f; // max |f''|
    for (int s = 0; s <= GRID; s++)
        curvature = fmaxf(curvature, fabsf(second_derivative(SPAN * (float)s / GRID)));
    double last = 0.0; // measured over expected
    printf("hidden units   largest error   expected, at most\n");
    for (int n = 4; n <= 256; n *= 2) {
        float worst = 0.0f, width = SPAN / (float)n;
        for (int s = 0; s <= GRID; s++) {
            float t = SPAN * (float)s / GRID;
            worst = fmaxf(worst, fabsf(constructed(n, t) - curve(t)));
        }
        printf("%12d %15.5f %19.5f\n", n, (double)worst, (double)(width * width * curvature / 8.0f));
        last = (double)(worst / (width * width * curvature / 8.0f));
    }
    printf("\n");
    claim(lesson, fabs(last - 1.0) <= 0.05, "with 256 units the error is that of the theory, to 5 %%");
    draw_pieces(lesson);
}

/*
This is the **universal approximation theorem** (万能逼近定理; Cybenko 1989) in its smallest form: with enough hidden
units the error becomes as small as you like. Note what it does *not* say. It says that good weights exist,
not that descent finds them, and in many dimensions "enough" can be astronomically many.

## Backpropagation

Now we want to find weights from examples. The network has $D$ inputs, $H$ hidden units and $K$ classes. For
one example with label $c$ the way forward is

$$a = x W_1 + b_1, \qquad h = \max(0, a), \qquad z = h W_2 + b_2, \qquad p = \mathrm{softmax}(z), \qquad L = -\log p_c .$$

The way back asks, from the last line to the first: *if this number rises a little, how does the loss
change?* We write $d_z$ for $\partial L / \partial z$, and so on.

1. **Output.** From chapter 2: $d_z = p - \text{one-hot}(c)$. Prediction minus truth.
2. **Output weights.** $z_k = \sum_j h_j W_{2,jk} + b_{2,k}$, so $d_{W_2, jk} = h_j\, d_{z,k}$ and $d_{b_2}
   = d_z$. Input times error, as in chapter 1.
3. **Hidden units.** Raising $h_j$ moves every $z_k$, each by $W_{2,jk}$: $d_{h,j} = \sum_k W_{2,jk}\,
   d_{z,k}$. The error flows back through the same weights through which the signal came.
4. **The activation.** Where $a_j > 0$ it has slope 1, elsewhere 0: $d_{a,j} = d_{h,j}$ if $a_j > 0$, else 0. A
   unit that was silent is not to blame.
5. **Hidden weights.** Input times error once more: $d_{W_1, ij} = x_i\, d_{a,j}$, and $d_{b_1} = d_a$.

That is all. Step 3 is the only new one, and it is what gives backpropagation its name. Each step needs only
the result of the one before, so the whole gradient costs no more than twice as much as the way forward, however
many weights there are: two products, for the weights and for what entered, for each product of the way forward.
The first layer needs only one of the two, since nobody asks how the loss changes with the data. In a network with
784 inputs, 128 hidden units and 10 classes the first layer is nearly everything: the way forward has $784 \cdot
128 + 128 \cdot 10$ multiplications for an example, the way back $784 \cdot 128 + 2 \cdot 128 \cdot 10$, 1.01 times
as many.
*/

// D inputs, H hidden units, K classes. The same shape holds the weights, their gradients and their velocities.
typedef struct {
    Matrix w1, b1, w2, b2; // (D × H), (1 × H), (H × K), (1 × K)
} Network;

static Network network_new(Arena *arena, int inputs, int hidden, int classes)
{
    return (Network){matrix_new(arena, inputs, hidden), matrix_new(arena, 1, hidden),
                     matrix_new(arena, hidden, classes), matrix_new(arena, 1, classes)};
}

enum { LAYERS = 4, MAX_HIDDEN = 256, MAX_CLASSES = 10 };

static Matrix part(Network n, int k) { return (const Matrix[LAYERS]){n.w1, n.b1, n.w2, n.b2}[k]; }

/*
First in plain loops, one example at a time, close to the formulas. It will be the judge of the fast
version.
*/

// x (N × D) → the mean loss over N examples; the gradients are added to d
static double backpropagate_in_loops(Network d, Network n, Matrix x, const int *labels)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float a[MAX_HIDDEN], h[MAX_HIDDEN], z[MAX_CLASSES] = {0}, top = -INFINITY, normaliser = 0.0f;
        for (int j = 0; j < n.w1.cols; j++) {
            a[j] = n.b1.data[j];
            for (int k = 0; k < n.w1.rows; k++) a[j] += AT(x, i, k) * AT(n.w1, k, j);
            h[j] = fmaxf(0.0f, a[j]);
        }
        for (int k = 0; k < n.w2.cols; k++) {
            z[k] = n.b2.data[k];
            for (int j = 0; j < n.w2.rows; j++) z[k] += h[j] * AT(n.w2, j, k);
            top = fmaxf(top, z[k]);
        }
        for (int k = 0; k < n.w2.cols; k++) normaliser += exp32(z[k] - top);
        total += (double)(log32(normaliser) + top - z[labels[i]]);

        float d_h[MAX_HIDDEN] = {0};
        for (int k = 0; k < n.w2.cols; k++) {
            float p = exp32(z[k] - top) / normaliser,
                  d_z = (p - (k == labels[i] ? 1.0f : 0.0f)) / (float)x.rows; // 1
            d.b2.data[k] += d_z;
            for (int j = 0; j < n.w2.rows; j++) {
                AT(d.w2, j, k) += h[j] * d_z;   // 2
                d_h[j] += AT(n.w2, j, k) * d_z; // 3
            }
        }
        for (int j = 0; j < n.w1.cols; j++) {
            float d_a = a[j] > 0.0f ? d_h[j] : 0.0f; // 4
            d.b1.data[j] += d_a;
            for (int k = 0; k < n.w1.rows; k++) AT(d.w1, k, j) += AT(x, i, k) * d_a; // 5
        }
    }
    return total / x.rows;
}

/*
For a whole minibatch every sum over examples, inputs or units becomes a matrix product. With one example in
each row of $X$, $A$, $H$ and $Z$, the five steps read

$$D_Z = \tfrac1N (P - Y), \quad D_{W_2} = H^\top D_Z, \quad D_H = D_Z W_2^\top, \quad D_A = D_H \odot [A > 0], \quad D_{W_1} = X^\top D_A .$$

A rule of thumb: the gradient of a matrix has the shape of the matrix, and when all sizes differ there is only one
way to multiply what we have so that the shapes fit. (With square matrices several fit, and the shapes prove
nothing. Test code with sizes that differ.)
*/

// What one minibatch needs beside the weights: rows are examples.
typedef struct {
    Matrix h, p, d_h, losses; // (N × H), (N × K), (N × H), (N × 1)
} Workspace;

static Workspace workspace_new(Arena *arena, int examples, Network n)
{
    int hidden = n.w1.cols, classes = n.w2.cols;
    return (Workspace){matrix_new(arena, examples, hidden), matrix_new(arena, examples, classes),
                       matrix_new(arena, examples, hidden), matrix_new(arena, examples, 1)};
}

static Workspace first_rows(Workspace s, int count)
{
    return (Workspace){matrix_rows(s.h, 0, count), matrix_rows(s.p, 0, count), matrix_rows(s.d_h, 0, count),
                       matrix_rows(s.losses, 0, count)};
}

// x (N × D) → scores (N × K), left in s.p
static void forward(Workspace s, Network n, Matrix x)
{
    affine_relu_forward(s.h, x, n.w1, n.b1); // max(0, x·w1 + b1)
    affine_forward(s.p, s.h, n.w2, n.b2);    // h·w2 + b2
}

// x (N × D) → the mean loss; d is overwritten with the gradients
static double backpropagate(Network d, Workspace s, Network n, Matrix x, const int *labels)
{
    forward(s, n, x);
    float loss = cross_entropy_forward(s.p, s.losses, s.p, labels); // scores become probabilities
    for (int i = 0; i < x.rows; i++) AT(s.p, i, labels[i]) -= 1.0f;
    scale(s.p, 1.0f / (float)x.rows); // 1: d_z

    matmul_tn(d.w2, s.h, s.p); // 2
    column_sums(d.b2, s.p);
    matmul_nt(s.d_h, s.p, n.w2); // 3
    for (size_t i = 0; i < matrix_size(s.h); i++)
        if (s.h.data[i] <= 0.0f) s.d_h.data[i] = 0.0f; // 4
    matmul_tn(d.w1, x, s.d_h);                         // 5
    column_sums(d.b1, s.d_h);
    return (double)loss;
}

/*
One check remains, the one that does not trust our algebra at all: move each weight a little and watch the
loss. A ReLU has a kink, and at a kink there is no derivative; so we draw random networks until no hidden
unit is too close to its own.

And where do weights start? At random, with a deviation of $\sqrt{2 / \text{inputs}}$, so that signals neither
grow nor fade on their way through a ReLU layer. [Chapter 9](../09-resnet/README.md) shows why this number,
and what happens with others.
*/

static void draw_weights(Network n, Rng *rng)
{
    fill_normal(n.w1, rng, 0.0f, sqrtf(2.0f / (float)n.w1.rows));
    fill_normal(n.w2, rng, 0.0f, sqrtf(1.0f / (float)n.w2.rows));
    fill(n.b1, 0.0f);
    fill(n.b2, 0.0f);
}

// The smallest |a| of any hidden unit on any example
static float distance_to_a_kink(Arena *arena, Network n, Matrix x)
{
    ArenaMark mark = arena_mark(arena);
    Matrix a = matrix_new(arena, x.rows, n.w1.cols);
    affine_forward(a, x, n.w1, n.b1);
    for (size_t i = 0; i < matrix_size(a); i++) a.data[i] = fabsf(a.data[i]);
    float least = smallest(a);
    arena_rewind(arena, mark);
    return least;
}

static void check_gradients(Lesson *lesson)
{
    section(lesson, "Backpropagation");
    enum { EXAMPLES = 5, INPUTS = 4, HIDDEN = 6, CLASSES = 3 };
    static const char *const names[LAYERS] = {"hidden weights", "hidden biases", "output weights",
                                              "output biases"};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    Network n = network_new(arena, INPUTS, HIDDEN, CLASSES), d = network_new(arena, INPUTS, HIDDEN, CLASSES);
    Network slow = network_new(arena, INPUTS, HIDDEN, CLASSES),
            unused = network_new(arena, INPUTS, HIDDEN, CLASSES);
    Workspace s = workspace_new(arena, EXAMPLES, n);
    Matrix x = matrix_new(arena, EXAMPLES, INPUTS);
    const int labels[EXAMPLES] = {0, 1, 2, 1, 0};
    do {
        fill_normal(x, &rng, 0.0f, 1.0f);
        draw_weights(n, &rng);
    } while (distance_to_a_kink(arena, n, x) < 0.02f);

    backpropagate(d, s, n, x, labels);
    backpropagate_in_loops(slow, n, x, labels);
    double worst = 0.0, apart = 0.0;
    const float move = 0.002f;
    for (int k = 0; k < LAYERS; k++) {
        Matrix weights = part(n, k);
        double worst_here = 0.0;
        for (size_t i = 0; i < matrix_size(weights); i++) {
            float kept = weights.data[i];
            weights.data[i] = kept + move;
            double above = backpropagate_in_loops(unused, n, x, labels);
            weights.data[i] = kept - move;
            double below = backpropagate_in_loops(unused, n, x, labels);
            weights.data[i] = kept;
            worst_here =
                fmax(worst_here, fabs((above - below) / (2.0 * (double)move) - (double)part(d, k).data[i]));
        }
        printf("%-15s %3zu numbers, largest gradient %.4f, off by at most %.5f\n", names[k],
               matrix_size(weights), (double)largest(part(d, k)), worst_here);
        worst = fmax(worst, worst_here);
        apart = fmax(apart, (double)largest_difference(part(d, k), part(slow, k)));
    }
    printf("\n");
    claim(lesson, worst <= 1e-3, "every gradient matches what moving the weight does to the loss, to 0.001");
    claim(lesson, apart <= 1e-6, "four products and the plain loops give the same gradients to 1e-6");
}

/*
## Two spirals

Now the network may learn. Two spirals wind around each other; which one does a point belong to? The
training is the one of chapter 2: shuffle, take minibatches, step against the gradient. We add **momentum**
(动量): a velocity that remembers the last steps, $v \leftarrow 0.9\, v + g$, and moves the weights. Steps
that agree add up, steps that disagree cancel.
*/

typedef struct {
    Matrix x;    // (N × D)
    int *labels; // [N]
} Examples;

typedef struct {
    int epochs, batch;
    float rate;    // falls to zero along half a cosine
    bool constant; // it does not fall
} Plan;

// Called after each epoch with the number of epochs done and the mean loss over the epoch.
typedef void (*EpochReport)(void *context, int epoch, double loss);

static void train(Lesson *lesson, Network n, Examples e, Plan plan, Rng *rng, EpochReport report,
                  void *context)
{
    Arena *arena = lesson_arena(lesson);
    ArenaMark mark = arena_mark(arena);
    int inputs = n.w1.rows, steps = (e.x.rows + plan.batch - 1) / plan.batch;
    Network d = network_new(arena, inputs, n.w1.cols, n.w2.cols),
            velocity = network_new(arena, inputs, n.w1.cols, n.w2.cols);
    Workspace space = workspace_new(arena, plan.batch, n);
    Matrix batch = matrix_new(arena, plan.batch, inputs);
    int *order = arena_alloc(arena, (size_t)e.x.rows, sizeof *order),
        *labels = arena_alloc(arena, (size_t)plan.batch, sizeof *labels);
    for (int epoch = 0; epoch < plan.epochs; epoch++) {
        double total = 0.0;
        rng_permutation(rng, order, e.x.rows);
        for (int step = 0; step < steps; step++) {
            int first = step * plan.batch, count = int_min(plan.batch, e.x.rows - first);
            Matrix x = matrix_rows(batch, 0, count);
            gather_rows(x, e.x, order + first);
            for (int i = 0; i < count; i++) labels[i] = e.labels[order[first + i]];
            double loss = backpropagate(d, first_rows(space, count), n, x, labels);
            total += loss * count;

            float done = ((float)epoch * (float)steps + (float)step) / ((float)plan.epochs * (float)steps);
            float rate = plan.constant ? plan.rate : plan.rate * 0.5f * (1.0f + cos32(3.14159265f * done));
            for (int k = 0; k < LAYERS; k++) {
                scale(part(velocity, k), 0.9f);
                add_scaled(part(velocity, k), 1.0f, part(d, k));
                add_scaled(part(n, k), -rate, part(velocity, k));
            }
            lesson_progress(lesson, "training", (long)epoch * steps + step + 1, (long)plan.epochs * steps,
                            loss);
        }
        if (report) report(context, epoch + 1, total / e.x.rows);
    }
    arena_rewind(arena, mark);
}

// Fraction of the examples whose highest score is at the right class
static double accuracy_of(Arena *arena, Network n, Examples e)
{
    ArenaMark mark = arena_mark(arena);
    Workspace s = workspace_new(arena, e.x.rows, n);
    forward(s, n, e.x);
    double right = accuracy(s.p, e.labels);
    arena_rewind(arena, mark);
    return right;
}

static Examples two_spirals(Arena *arena, int each, Rng *rng)
{
    Examples e = {matrix_new(arena, 2 * each, 2), arena_alloc(arena, 2 * (size_t)each, sizeof(int))};
    for (int i = 0; i < 2 * each; i++) {
        float along = 0.1f + 0.9f * rng_uniform(rng), angle = 9.0f * along + (i % 2 ? 3.14159265f : 0.0f);
        AT(e.x, i, 0) = 2.0f * along * cos32(angle) + 0.05f * rng_normal(rng);
        AT(e.x, i, 1) = 2.0f * along * sin32(angle) + 0.05f * rng_normal(rng);
        e.labels[i] = i % 2;
    }
    return e;
}

static void draw_regions(Lesson *lesson, Network n, Examples e)
{
    enum { GRID = 160 };
    Arena *arena = lesson_arena(lesson);
    const PlotWindow window = {-2.3, 2.3, -2.3, 2.3};
    Matrix places = matrix_new(arena, GRID * GRID, 2), map = matrix_new(arena, GRID, GRID);
    for (int i = 0; i < GRID * GRID; i++) {
        AT(places, i, 0) = (float)(window.x_low + (window.x_high - window.x_low) * (i % GRID) / (GRID - 1));
        AT(places, i, 1) = (float)(window.y_low + (window.y_high - window.y_low) * (i / GRID) / (GRID - 1));
    }
    Workspace s = workspace_new(arena, GRID * GRID, n);
    forward(s, n, places);
    softmax_rows(s.p, s.p);
    for (int i = 0; i < GRID * GRID; i++) map.data[i] = AT(s.p, i, 1) - AT(s.p, i, 0);

    Plot *plot = plot_begin(lesson, "spirals.png",
                            "Two spirals: the probability of the second, less that of the first");
    plot_axes(plot, "x", "y");
    plot_square(plot);
    plot_legend(plot, "outside");
    plot_heatmap(plot, window, map);
    for (int label = 0; label < 2; label++) {
        Matrix points = matrix_new(arena, 2, e.x.rows / 2);
        for (int i = 0, k = 0; i < e.x.rows; i++)
            if (e.labels[i] == label) AT(points, 0, k) = AT(e.x, i, 0), AT(points, 1, k++) = AT(e.x, i, 1);
        plot_points(plot, label ? "second spiral" : "first spiral", matrix_row(points, 0),
                    matrix_row(points, 1), points.cols);
    }
    plot_end(
        plot,
        "64 hidden units. Where the ground is orange the network says second spiral, where it is blue first. "
        "Each boundary is made of straight pieces, with a kink wherever it crosses the line of a unit.");
}

/*
Two networks try it. One starts from random weights. The other is the same in all but one respect: every
weight starts at the same value, 0.1. It seems a harmless choice. Beside them we train a network of a single hidden
unit.
*/

static void untangle(Lesson *lesson)
{
    section(lesson, "Two spirals");
    enum { HIDDEN = 64 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Examples known = two_spirals(arena, 400, &rng), fresh = two_spirals(arena, 400, &rng);
    const Plan plan = {.epochs = 300, .batch = 50, .rate = 0.1f};

    Network n = network_new(arena, 2, HIDDEN, 2), same = network_new(arena, 2, HIDDEN, 2);
    Network one = network_new(arena, 2, 1, 2);
    draw_weights(n, &rng);
    draw_weights(one, &rng);
    for (int k = 0; k < LAYERS; k++) fill(part(same, k), 0.1f);
    train(lesson, n, known, plan, &rng, NULL, NULL);
    train(lesson, same, known, plan, &rng, NULL, NULL);
    train(lesson, one, known, plan, &rng, NULL, NULL);
    double good = accuracy_of(arena, n, fresh), bad = accuracy_of(arena, same, fresh);
    double alone = accuracy_of(arena, one, fresh);
    printf("random start: %5.1f %% of new points right\n", 100.0 * good);
    printf("equal start:  %5.1f %% of new points right\n", 100.0 * bad);
    printf("one unit:     %5.1f %% of new points right\n", 100.0 * alone);

    bool alike = true;
    for (int i = 0; i < 2; i++)
        for (int j = 1; j < HIDDEN; j++) alike = alike && AT(same.w1, i, j) == AT(same.w1, i, 0);
    printf("\n");
    claim(lesson, good >= 0.99,
          "from a random start the spirals are untangled: at most 1 %% of new points are wrong");
    claim(lesson, fabs(bad - alone) <= 0.05,
          "from equal weights, 64 hidden units are as good as a single one (within 5 points)");
    claim(lesson, alike, "after training, all 64 units that started equal are still equal, to the last bit");
    draw_regions(lesson, n, known);
}

/*
The arms lie .7 apart and the points scatter by .05 around them, seven deviations on each side of the
boundary: a good network has no excuse for a single error. And equal weights? Equal units receive equal
gradients, so they take equal steps and stay equal for ever: sixty-four units that do the work of one. Nothing
in the arithmetic can tell them apart. *Randomness at the start is not decoration; it breaks the symmetry*,
and any amount of it will do. Biases may all start at zero, because the weights before them already differ.

## Pieces of clothing

Finally the images of chapter 2: 60 000 training images of clothes, 28 × 28 grey pixels, ten kinds. We put 128
hidden units between the pixels and the scores. The pixels are standardised, all with the same mean and deviation.
Two things stand beside it: softmax regression, a weighted sum of pixels for each class, as in chapter 2; and the
same network with a learning rate that does not fall.
*/

typedef struct {
    Lesson *lesson;
    Network network;
    Examples test;
    float epochs[32], losses[32], wrong[32]; // by epoch
    int count;
} Diary;

static void write_diary(void *context, int epoch, double loss)
{
    Diary *diary = context;
    double right = accuracy_of(lesson_arena(diary->lesson), diary->network, diary->test);
    printf("%5d %13.4f %14.2f %%\n", epoch, loss, 100.0 * right);
    diary->epochs[diary->count] = (float)epoch;
    diary->losses[diary->count] = (float)loss;
    diary->wrong[diary->count++] = (float)(100.0 * (1.0 - right));
}

// For the eighteen units that have moved most: what training has added to the weights of each, as an image
static void draw_what_was_learned(Lesson *lesson, Matrix started, Matrix w1)
{
    enum { SHOWN = 18 };
    Arena *arena = lesson_arena(lesson);
    Matrix moved = matrix_copy(arena, w1), by_unit = matrix_new(arena, w1.cols, w1.rows),
           shown = matrix_new(arena, SHOWN, w1.rows);
    subtract(moved, moved, started);
    transpose(by_unit, moved);
    for (int k = 0; k < SHOWN; k++) {
        int most = 0;
        for (int j = 1; j < by_unit.rows; j++)
            if (norm(matrix_rows(by_unit, j, 1)) > norm(matrix_rows(by_unit, most, 1))) most = j;
        copy(matrix_rows(shown, k, 1), matrix_rows(by_unit, most, 1));
        fill(matrix_rows(by_unit, most, 1), 0.0f); // do not choose it again
    }
    Plot *plot = plot_begin(lesson, "hidden.png", "What eighteen hidden units have learned to look for");
    plot_images(plot, (PlotImages){28, 28, 1, 6, -0.15f, 0.15f}, shown, NULL);
    plot_end(
        plot,
        "What training has added to the weights of a unit, drawn as an image, from black (-0.15) over grey "
        "(0) "
        "to white (0.15): bright pixels excite it, dark ones calm it. Outlines, sleeves, soles, and much "
        "that no one would have thought of.");
}

// Softmax regression: the wrong of the test, in %, after as many epochs
static float without_hidden_layer(Lesson *lesson, Examples e, Examples test, Plan plan, Rng *rng)
{
    Arena *arena = lesson_arena(lesson);
    int inputs = e.x.cols, steps = e.x.rows / plan.batch,
        *order = arena_alloc(arena, (size_t)e.x.rows, sizeof(int));
    Matrix w = matrix_new(arena, inputs, 10), b = matrix_new(arena, 1, 10),
           d_w = matrix_new(arena, inputs, 10);
    Matrix d_b = matrix_new(arena, 1, 10), x = matrix_new(arena, plan.batch, inputs);
    Matrix p = matrix_new(arena, plan.batch, 10), losses = matrix_new(arena, plan.batch, 1);
    for (int step = 0; step < plan.epochs * steps; step++) {
        if (step % steps == 0) rng_permutation(rng, order, e.x.rows);
        const int *chosen = order + step % steps * plan.batch;
        int labels[256];
        gather_rows(x, e.x, chosen);
        for (int i = 0; i < plan.batch; i++) labels[i] = e.labels[chosen[i]];
        affine_forward(p, x, w, b);
        cross_entropy_forward(p, losses, p, labels);
        for (int i = 0; i < plan.batch; i++) AT(p, i, labels[i]) -= 1.0f;
        scale(p, 1.0f / (float)plan.batch);
        matmul_tn(d_w, x, p);
        column_sums(d_b, p);
        float rate =
            plan.rate * 0.5f * (1.0f + cos32(3.14159265f * (float)step / (float)(plan.epochs * steps)));
        add_scaled(w, -rate, d_w), add_scaled(b, -rate, d_b);
    }
    Matrix scores = matrix_new(arena, test.x.rows, 10);
    affine_forward(scores, test.x, w, b);
    return (float)(100.0 * (1.0 - accuracy(scores, test.labels)));
}

static void draw_errors(Lesson *lesson, const Diary *falling, const Diary *constant, float softmax)
{
    const double all[] = {1, 2, 3, 4, 5, 10, 15, 20};
    const char *const names[] = {"1", "2", "3", "4", "5", "10", "15", "20"};
    Plot *plot = plot_begin(lesson, "clothes.svg", "128 hidden units learn ten kinds of clothes");
    plot_axes(plot, "epoch", "wrong on the test set (%)");
    plot_x_ticks(plot, all, names, lesson_full(lesson) ? 8 : 5);
    plot_range_y(plot, 0.0, 18.0);
    plot_line_points(plot, "falling rate", falling->epochs, falling->wrong, falling->count);
    plot_line_points(plot, "constant rate", constant->epochs, constant->wrong, constant->count);
    plot_horizontal(plot, "softmax regression", (double)softmax);
    plot_legend(plot, "outside");
    plot_end(
        plot,
        "With a constant rate the steps stay too long to settle. (At a third of this rate, constant too, "
        "we measured 12.45 % after five epochs: better, and still behind.)");
}

static void read_clothes(Lesson *lesson)
{
    section(lesson, "Pieces of clothing");
    enum { HIDDEN = 128 };
    Arena *arena = lesson_arena(lesson);
    ImageSet clothes = fashion_mnist_load(arena);
    float mean_pixel, deviation;
    image_statistics(clothes.train, &mean_pixel, &deviation);
    Examples training = {image_matrix(arena, clothes.train, mean_pixel, deviation), clothes.train_labels};
    Examples test = {image_matrix(arena, clothes.test, mean_pixel, deviation), clothes.test_labels};

    Plan plan = {.epochs = lesson_full(lesson) ? 20 : 5, .batch = 64, .rate = 0.03f};
    Diary diaries[2] = {{.lesson = lesson, .test = test}, {.lesson = lesson, .test = test}};
    Matrix started = matrix_new(arena, training.x.cols, HIDDEN);
    for (int k = 0; k < 2; k++) {
        Rng rng = lesson_rng(lesson, 3);
        plan.constant = k == 1;
        diaries[k].network = network_new(arena, training.x.cols, HIDDEN, 10);
        draw_weights(diaries[k].network, &rng);
        copy(started, diaries[k].network.w1);
        printf("%s rate\nepoch   training loss   test accuracy\n", k ? "constant" : "falling");
        train(lesson, diaries[k].network, training, plan, &rng, write_diary, &diaries[k]);
        printf("\n");
    }
    plan.rate =
        0.1f; // of 0.001, 0.003, 0.01, 0.03, 0.05 and 0.1 the one that is best on the test set: a favour
    Rng rng = lesson_rng(lesson, 3);
    float softmax = without_hidden_layer(lesson, training, test, plan, &rng);
    float wrong = diaries[0].wrong[diaries[0].count - 1],
          wrong_constant = diaries[1].wrong[diaries[1].count - 1];
    printf(
        "wrong on the test set: softmax regression %.2f %%, network %.2f %%, at a constant rate %.2f %%\n\n",
        (double)softmax, (double)wrong, (double)wrong_constant);
    claim(lesson, wrong <= 12.0f, "one hidden layer of 128 reads at least 88 %% of the clothes");
    claim(lesson, wrong < softmax, "softmax regression, at its best rate, makes more errors");
    claim(lesson, wrong < wrong_constant, "and so does the same network at a constant rate");
    draw_errors(lesson, &diaries[0], &diaries[1], softmax);
    draw_what_was_learned(lesson, started, diaries[0].network.w1);
}

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "06-mlp-backprop", "MLP and backpropagation");
    without_an_activation(lesson);
    solve_xor(lesson);
    follow_a_curve(lesson);
    check_gradients(lesson);
    untangle(lesson);
    read_clothes(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- A weighted sum draws one straight boundary, and a weighted sum of weighted sums too. With an activation function
  between them they can draw any, if the layer is wide enough.
- Backpropagation is the chain rule from the last line to the first: the error flows back through the
  weights through which the signal came, and each weight receives input times error.
- With minibatches, every step of it is a matrix product.
- Weights must start different from each other. Biases need not.
- That good weights exist is a theorem. That descent finds them is an experience.

Deriving five steps for two layers was pleasant enough. For fifty layers, or for a network with loops and
branches, we would rather not. [Chapter 7](../07-autograd/README.md) writes a program that does it.

## Check yourself

**1.** Between the pixels and the ten scores stand 100 hidden units, and by mistake no activation. What can this
network do that softmax regression cannot? And with 5 hidden units?

<details><summary>Answer</summary>

Nothing: $W_1 W_2$ is one matrix of 784 × 10, and with 100 hidden units it can be any such matrix. With 5 it cannot
even do that, for the ten scores are then made of only five numbers (a matrix of rank 5). The number of weights
says little about what a network can do.

</details>

**2.** A network with 64 constructed units misses the curve by 0.0083. How many units does an error of 0.0001 take?

<details><summary>Answer</summary>

The error is proportional to the square of the width of a piece. It has to fall by a factor of 83, so the pieces
have to be $\sqrt{83} = 9.1$ times as narrow: 584 units. In the table each doubling of the units divides the error
by 4, once the pieces are short.

</details>

**3.** For one example a hidden unit is silent: its $a$ is −0.3. Which of the weights that touch it receive a
gradient from this example?

<details><summary>Answer</summary>

None. The weights behind it get input times error, and their input $h$ is 0. Those in front of it get the error
times the slope of the activation, and the slope is 0. For this example the unit might as well not be there.

</details>

**4.** All weights start at 0.1, but the biases of the hidden units start at random. Are the units still equal in
the end?

<details><summary>Answer</summary>

No. Their $a$ differ from the first example on, and so different units are silent for different points and get
different gradients. One random number for each unit is enough to break the symmetry: on the spirals we measured
99.6 %, 100 % and 94.9 % with three seeds, where equal units reach 62.3 %.

</details>

**5.** A network has layers 100 → 100 → 100 → 10. How many multiplications does one example take forwards, and how
many backwards?

<details><summary>Answer</summary>

Forwards $10\,000 + 10\,000 + 1\,000 = 21\,000$. Backwards every layer but the first takes twice as many, for its
weights and for what entered it: $10\,000 + 20\,000 + 2\,000 = 32\,000$, 1.52 times as many. For the clothes it was
1.01 times, because nearly all of the work is in the first layer.

</details>

## Sources

- F. Rosenblatt, *The perceptron*, 1958; M. Minsky, S. Papert, *Perceptrons*, 1969: what one layer cannot do.
- D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, 1986.
- G. Cybenko, *Approximation by superpositions of a sigmoidal function*, 1989; K. Hornik, *Approximation
  capabilities of multilayer feedforward networks*, 1991: one hidden layer is enough.
- V. Nair, G. E. Hinton, *Rectified linear units improve restricted Boltzmann machines*, 2010.
- K. J. Lang, M. J. Witbrock, *Learning to tell two spirals apart*, 1988.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade6` tells how far you are, `make
hint6` helps.

- **TASK 6.1** the hidden layer: a weighted sum and its activation.
- **TASK 6.2** the gradient at the output, with a softmax that survives large scores.
- **TASK 6.3** the error, carried back through the output weights and the activation.
- **TASK 6.4** the gradients of all four parts of a network.
- **TASK 6.5** training on all examples at once, to be measured: it must solve XOR.

And without a computer, or with five minutes at one:

**1.** Give the network of the spirals *no* activation: two weighted sums in a row. How many points does it get
right?

<details><summary>Answer</summary>

It is a single weighted sum, a straight line through the picture. Trained until nothing changes it gets 63.9 %,
61.5 % and 59.8 % of new points right with three seeds: as many as the network of a single unit. A line cannot do
much, but the ends of the arms lie on different sides of it.

</details>

**2.** Start the hidden weights at random but the output weights all at 0. Does it learn? Follow the five steps for
the first update.

<details><summary>Answer</summary>

It learns. In the first update $d_h = W_2 d_z = 0$, so the hidden weights stay; but the output weights get $h\,
d_z$, and the $h$ of the units differ. From the second update on $W_2$ is not 0, and everything moves. On the
spirals we measured 100 % with three seeds. It is the hidden weights that must differ.

</details>

**3.** A unit whose $a$ is negative for every example gets no gradient. Can it ever wake up again? What would a
slope of 0.01 instead of 0 change?

<details><summary>Answer</summary>

By its own gradient it cannot: this is exactly 0, whatever the loss. Momentum may still carry it on for some steps,
and in a deeper network the layers before it may change what it sees. With a slope of 0.01 (the *leaky* ReLU) the
gradient is a hundredth of what it would be, small but not 0, and the unit creeps back if the loss asks for it.

</details>

**4.** Draw the regions with 3, 8 and 64 hidden units and count the straight pieces.

<details><summary>Answer</summary>

$H$ lines cut the plane into at most $1 + H + H(H-1)/2$ parts: 7, 37 and 2,081. On the square of the figure we
counted 5 or 6, 32 or 33 and 1,064 to 1,303, with three seeds each, and the boundary runs through 4, about 21 and
130 to 165 of them: each is a straight piece. With 3 units the network gets some 70 % of new points right, with 8
between 81 and 98 %, with 64 all of them.

</details>

**5.** Count the multiplications of the way forward and of the way back for 2 inputs, 64 hidden units and 2
classes. Why is the ratio another than for the clothes?

<details><summary>Answer</summary>

Forwards $2 \cdot 64 + 64 \cdot 2 = 256$, backwards $128 + 2 \cdot 128 = 384$, 1.5 times as many. The first layer,
which needs only one product on the way back, is half of the work here; for the clothes it is nearly all of it, and
so the ratio is close to 1.

</details>
*/
