/*
# Autograd

In [chapter 6](../06-mlp-backprop/README.md) we worked out five lines of derivatives for a network of two
layers. We could do the same for fifty layers, for loops, for networks that share weights; and each time we
would make a sign error somewhere and search for it for a day.

But look at how we did it. Every step of the way forward was a simple operation, and for each of them we
knew its own derivative. All the rest was bookkeeping: which operation came from which, and in what order to
go back. Bookkeeping is what computers are for. A program that writes down what it computes, and then plays
the list backwards, finds every derivative by itself. This is **automatic differentiation** (自动微分; Wengert 1964,
backwards Linnainmaa 1970), autograd for short, and the list is called the **tape** (计算带).

In this chapter we build it twice. First for single numbers, in forty lines, where nothing can hide. Then
for matrices, where it is fast, and where it becomes the tool of all the chapters that follow. You will see

- why the order of writing is the only order that is needed to play backwards;
- what happens to a number that is used twice, the one place where almost everybody goes wrong;
- that the tape finds the gradients of chapter 6, and takes the same steps with them;
- what it costs, two ways to break it, and what PyTorch calls all this.

It is neither of two things it is often taken for. It does not juggle formulas, as algebra programs do, and
it does not move weights a little and look, as our checks do. It multiplies numbers that it has just
computed.
*/

#include "base/mathf.h"
#include "learning/ops/activation.h"
#include "learning/ops/linear.h"
#include "learning/ops/loss.h"
#include "learning/optim.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"

/*
## A number that remembers

Take $f = a \cdot b + a$. A computer does it in two steps, $p = a \cdot b$ and then $f = p + a$. If we write
down for each step its result, where its inputs came from, and *how steeply the result changes with each
input*, we have all we need. For $p = a \cdot b$ the slopes are $b$ and $a$: numbers that are at hand at
this very moment. For a sum they are 1 and 1.

So a line on the tape is this:
*/

typedef struct {
    float value, gradient;
    int input[2];   // the lines that this one was made from; −1: none
    float slope[2]; // how the value changes with each of them
} Line;

enum { TAPE_LINES = 4096 };

typedef struct {
    Line lines[TAPE_LINES];
    int count;
} NumberTape;

static int write_line(NumberTape *t, float value, int a, float slope_a, int b, float slope_b)
{
    check(t->count < TAPE_LINES, "raise TAPE_LINES", "the tape is full: %d lines", t->count);
    t->lines[t->count] = (Line){value, 0.0f, {a, b}, {slope_a, slope_b}};
    return t->count++;
}

/*
An operation computes its result and writes one line. A number on the tape is known by the number of its
line.
*/

static float value_of(const NumberTape *t, int a) { return t->lines[a].value; }

static int number(NumberTape *t, float value) { return write_line(t, value, -1, 0.0f, -1, 0.0f); }

static int plus(NumberTape *t, int a, int b)
{
    return write_line(t, value_of(t, a) + value_of(t, b), a, 1.0f, b, 1.0f);
}

static int times(NumberTape *t, int a, int b)
{
    return write_line(t, value_of(t, a) * value_of(t, b), a, value_of(t, b), b, value_of(t, a));
}

static int rectified(NumberTape *t, int a)
{
    float x = value_of(t, a);
    return write_line(t, x > 0.0f ? x : 0.0f, a, x > 0.0f ? 1.0f : 0.0f, -1, 0.0f);
}

static int exponential_of(NumberTape *t, int a)
{
    float y = exp32(value_of(t, a));
    return write_line(t, y, a, y, -1, 0.0f);
}

static int logarithm(NumberTape *t, int a)
{
    return write_line(t, log32(value_of(t, a)), a, 1.0f / value_of(t, a), -1, 0.0f);
}

static int sine_of(NumberTape *t, int a)
{
    return write_line(t, sin32(value_of(t, a)), a, cos32(value_of(t, a)), -1, 0.0f);
}

/*
Now backwards. The last line changes with itself at rate 1. Every other line asks those that used it: *how
much do you matter to the end, and how much do I matter to you?* It multiplies the two, and adds up over all
who used it:

$$\frac{\partial f}{\partial a} = \sum_{\text{lines } i \text{ made from } a} \frac{\partial f}{\partial v_i} \cdot \frac{\partial v_i}{\partial a}.$$

This is the chain rule with several paths. When may a line be asked? When everybody who used it is done. And
here the tape helps itself: *a line can only be made from lines that were there before it*. So everybody who
used line $i$ stands after line $i$, and going backwards through the list we never come to a line too early.
*/

static void play_backwards(NumberTape *t, int last)
{
    t->lines[last].gradient = 1.0f;
    for (int i = last; i >= 0; i--)
        for (int k = 0; k < 2; k++)
            if (t->lines[i].input[k] >= 0)
                t->lines[t->lines[i].input[k]].gradient += t->lines[i].gradient * t->lines[i].slope[k];
}

/*
The whole engine is that loop of three lines. Let us look at it with $a = 3$, $b = 4$. Note that $a$ is used
twice: once in the product, and once in the sum. The two ways in which it matters are added; hence `+=`
above, and not `=`.

(Nobody has to sort these lines, for none can be made from one that is not there yet.)
*/

static NumberTape tape_of_numbers; // too large for the stack

// The tape as a graph: each line of the tape one step to the right, with an edge from each line that it was made from
static void draw_graph(Lesson *lesson, const NumberTape *t, const char *const *names)
{
    static const float heights[] = {0.8f, 0.2f, 0.4f, 0.8f};
    static const double right[] = {-0.1, -0.1, 0.08, -0.1},
                        above[] = {0.14, -0.06, -0.01, 0.14}; // of the words
    const double positions[] = {0, 1, 2, 3};
    const char *const numbers[] = {"0", "1", "2", "3"};
    Plot *plot =
        plot_begin(lesson, "graph.svg", "a * b + a, and how steeply it changes with each of its parts");
    plot_axes(plot, "line of the tape", "");
    plot_diagram(plot);
    plot_range_x(plot, -0.3, 3.6);
    plot_range_y(plot, 0.0, 1.0);
    plot_x_ticks(plot, positions, numbers, 4);
    plot_legend(plot, "none");
    char words[80];
    for (int i = 0; i < t->count; i++)
        for (int k = 0; k < 2 && t->lines[i].input[k] >= 0; k++) {
            int from = t->lines[i].input[k];
            const float x[2] = {(float)from, (float)i}, y[2] = {heights[from], heights[i]};
            plot_line(plot, NULL, x, y, 2);
            snprintf(words, sizeof words, "slope %g", (double)t->lines[i].slope[k]);
            plot_text(plot, 0.4 * (double)x[0] + 0.6 * (double)x[1] - (y[1] > y[0] ? 0.42 : -0.02),
                      0.4 * (double)y[0] + 0.6 * (double)y[1] + 0.04, words);
        }
    for (int i = 0; i < t->count; i++) {
        float x = (float)i;
        plot_points(plot, NULL, &x, &heights[i], 1);
        snprintf(words, sizeof words, "%s = %g\ngradient %g", names[i], (double)t->lines[i].value,
                 (double)t->lines[i].gradient);
        plot_text(plot, (double)x + right[i], (double)heights[i] + above[i], words);
    }
    plot_end(
        plot,
        "Every edge goes to the right. A gradient is the sum over the edges that leave a line: the slope on "
        "the edge times the gradient where it ends. For a that is 4 · 1 + 1 · 1.");
}

static void follow_one_formula(Lesson *lesson)
{
    section(lesson, "A number that remembers");
    NumberTape *t = &tape_of_numbers;
    int a = number(t, 3.0f), b = number(t, 4.0f), f = plus(t, times(t, a, b), a);
    play_backwards(t, f);
    const char *const names[] = {"a", "b", "a * b", "a * b + a"};
    printf("line  what         value   made from   gradient\n");
    for (int i = 0; i < t->count; i++) {
        const Line *line = &t->lines[i];
        printf("%4d  %-10s %7.1f", i, names[i], (double)line->value);
        printf(line->input[0] < 0 ? "   nothing  " : "   %d and %d  ", line->input[0], line->input[1]);
        printf("%10.1f\n", (double)line->gradient);
    }
    printf("\n");
    claim(lesson, t->lines[a].gradient == 5.0f, "a is used twice, and its gradient is the sum: b + 1 = 5");
    claim(lesson, t->lines[b].gradient == 3.0f, "the gradient of b is a = 3");
    draw_graph(lesson, t, names);
}

/*
## Any formula

The tape has no idea what a formula is for. Here is one that nobody would like to differentiate: start with
$u = x$, and twice replace $u$ by $\sin(u + x u)$. We compute it at many places $x$, with its derivative,
and compare with moving $x$ a little.
*/

static float nested(float x, float *derivative)
{
    NumberTape *t = &tape_of_numbers;
    t->count = 0;
    int start = number(t, x), u = start;
    for (int round = 0; round < 2; round++) u = sine_of(t, plus(t, u, times(t, start, u)));
    play_backwards(t, u);
    *derivative = t->lines[start].gradient;
    return value_of(t, u);
}

static void any_formula(Lesson *lesson)
{
    section(lesson, "Any formula");
    enum { PLACES = 401 };
    float x[PLACES], y[PLACES], slope[PLACES], worst = 0.0f, steepest = 0.0f;
    const float h = 0x1p-9f;
    for (int i = 0; i < PLACES; i++) {
        float unused;
        x[i] = 2.5f * (float)i / (PLACES - 1);
        y[i] = nested(x[i], &slope[i]);
        float numeric = (nested(x[i] + h, &unused) - nested(x[i] - h, &unused)) / (2.0f * h);
        worst = fmaxf(worst, fabsf(numeric - slope[i]));
        steepest = fmaxf(steepest, fabsf(slope[i]));
    }
    printf("steepest slope %.3f, largest difference from moving x %.4f\n\n", (double)steepest, (double)worst);
    claim(lesson, worst <= 0.001f * steepest,
          "the derivative from the tape agrees with moving x, to a thousandth of the steepest slope");

    Plot *plot = plot_begin(lesson, "nested.svg", "Two nested sines, and the derivative that the tape found");
    plot_axes(plot, "x", "value");
    plot_line(plot, "function", x, y, PLACES);
    plot_line(plot, "derivative", x, slope, PLACES);
    plot_horizontal(plot, NULL, 0.0);
    plot_legend(plot, "bottom left");
    plot_end(
        plot,
        "Where the function turns, the derivative crosses zero; where the function is steep, it is large.");
}

/*
What is left is the error of *moving*, not of the tape: a step of $h = 2^{-9}$ is not infinitely small, and
leaves out $h^2/6$ times the third derivative. The tape's derivatives are exact up to rounding.

## A network of single numbers

Now chapter 6's network: a hidden layer with ReLU, an output layer, softmax and cross-entropy. Written
with our operations, the way forward is all there is to write. There is no way back in this code.
*/

enum { EXAMPLES = 5, INPUTS = 4, HIDDEN = 6, CLASSES = 3 };

// D inputs, H hidden units, K classes
typedef struct {
    Matrix w1, b1, w2, b2; // (D × H), (1 × H), (H × K), (1 × K)
} Network;

enum { PARTS = 4 };
static Matrix part(Network n, int k) { return (const Matrix[PARTS]){n.w1, n.b1, n.w2, n.b2}[k]; }

static Network network_new(Arena *arena, int inputs, int hidden, int classes)
{
    return (Network){matrix_new(arena, inputs, hidden), matrix_new(arena, 1, hidden),
                     matrix_new(arena, hidden, classes), matrix_new(arena, 1, classes)};
}

// Σ_k from_k · w_kj + b_j on the tape; w and b begin at the given lines, from at `from`
static int weighted_sum(NumberTape *t, int from, int count, int w, int b, int units, int j)
{
    int total = b + j;
    for (int k = 0; k < count; k++) total = plus(t, total, times(t, from + k, w + k * units + j));
    return total;
}

// Writes the mean loss of the network on x, and returns its line; first[k] receives the first line of each part.
static int loss_on_numbers(NumberTape *t, int first[PARTS], Network n, Matrix x, const int *labels)
{
    t->count = 0;
    for (int k = 0; k < PARTS; k++) {
        first[k] = t->count;
        for (size_t i = 0; i < matrix_size(part(n, k)); i++) number(t, part(n, k).data[i]);
    }
    int total = number(t, 0.0f), minus_one = number(t, -1.0f), weight = number(t, 1.0f / (float)x.rows);
    for (int i = 0; i < x.rows; i++) {
        int input = t->count, sums[HIDDEN], scores[CLASSES];
        for (int k = 0; k < INPUTS; k++) number(t, AT(x, i, k));
        for (int j = 0; j < HIDDEN; j++)
            sums[j] = weighted_sum(t, input, INPUTS, first[0], first[1], HIDDEN, j);
        int hidden = t->count;
        for (int j = 0; j < HIDDEN; j++) rectified(t, sums[j]);
        for (int k = 0; k < CLASSES; k++)
            scores[k] = weighted_sum(t, hidden, HIDDEN, first[2], first[3], CLASSES, k);
        int normaliser = exponential_of(t, scores[0]);
        for (int k = 1; k < CLASSES; k++) normaliser = plus(t, normaliser, exponential_of(t, scores[k]));
        int loss = plus(t, logarithm(t, normaliser), times(t, minus_one, scores[labels[i]])); // −log softmax
        total = plus(t, total, times(t, weight, loss));
    }
    return total;
}

/*
And this is what we compare it with: chapter 6's derivatives by hand, in four matrix products.
*/

// What the way by hand needs beside the weights: hidden units, probabilities, their gradients, the loss of each row
typedef struct {
    Matrix h, p, d_h, losses; // (N × H), (N × K), (N × H), (N × 1)
} Workspace;

static Workspace workspace_new(Arena *arena, int examples, Network n)
{
    int hidden = n.w1.cols, classes = n.w2.cols;
    return (Workspace){matrix_new(arena, examples, hidden), matrix_new(arena, examples, classes),
                       matrix_new(arena, examples, hidden), matrix_new(arena, examples, 1)};
}

// x (N × D) → the mean loss; d is overwritten with the gradients
static float by_hand(Network d, Workspace s, Network n, Matrix x, const int *labels)
{
    affine_relu_forward(s.h, x, n.w1, n.b1);
    affine_forward(s.p, s.h, n.w2, n.b2);
    float loss = cross_entropy_forward(s.p, s.losses, s.p, labels);
    for (int i = 0; i < x.rows; i++) AT(s.p, i, labels[i]) -= 1.0f;
    scale(s.p, 1.0f / (float)x.rows);
    matmul_tn(d.w2, s.h, s.p);
    column_sums(d.b2, s.p);
    matmul_nt(s.d_h, s.p, n.w2);
    for (size_t i = 0; i < matrix_size(s.h); i++)
        if (s.h.data[i] <= 0.0f) s.d_h.data[i] = 0.0f;
    matmul_tn(d.w1, x, s.d_h);
    column_sums(d.b1, s.d_h);
    return loss;
}

static void draw_weights(Network n, Rng *rng)
{
    fill_normal(n.w1, rng, 0.0f, sqrtf(2.0f / (float)n.w1.rows));
    fill_normal(n.w2, rng, 0.0f, sqrtf(1.0f / (float)n.w2.rows));
}

static void network_of_numbers(Lesson *lesson)
{
    section(lesson, "A network of single numbers");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    Network n = network_new(arena, INPUTS, HIDDEN, CLASSES), d = network_new(arena, INPUTS, HIDDEN, CLASSES);
    Matrix x = matrix_new(arena, EXAMPLES, INPUTS);
    const int labels[EXAMPLES] = {0, 1, 2, 1, 0};
    fill_normal(x, &rng, 0.0f, 1.0f);
    draw_weights(n, &rng);

    NumberTape *t = &tape_of_numbers;
    int first[PARTS], loss = loss_on_numbers(t, first, n, x, labels);
    play_backwards(t, loss);
    float expected = by_hand(d, workspace_new(arena, EXAMPLES, n), n, x, labels), worst = 0.0f;
    for (int k = 0; k < PARTS; k++)
        for (size_t i = 0; i < matrix_size(part(d, k)); i++)
            worst = fmaxf(worst, fabsf(t->lines[first[k] + (int)i].gradient - part(d, k).data[i]));
    printf("%d weights, %d examples: %d lines on the tape\n", first[3] + CLASSES, EXAMPLES, t->count);
    printf("loss %.6f on the tape, %.6f by hand\n\n", (double)value_of(t, loss), (double)expected);
    claim(lesson, worst <= 1e-6f, "the tape of numbers finds the gradients by hand, to 1e-6");
}

/*
It works, and it is hopeless. A tiny network on five examples takes hundreds of lines. The network of
chapter 6, on one minibatch of 64 images, would take thirteen million lines of 24 bytes each, and playing
them is a march through 300 megabytes of memory in which almost all the work is bookkeeping.

## Coarser: whole matrices

The cure is to write less often. A line of the tape may hold any operation whose derivative we know, and we
know that of a whole matrix product. For $Y = X W$ and a gradient $D_Y$ that arrives from above, chapter 6
found $D_X = D_Y W^\top$ and $D_W = X^\top D_Y$. One line, millions of multiplications.

A slope that is a single number can be stored. The slope of a matrix with respect to a matrix cannot, it
would be enormous; but it never needs to be written out. We store *what to do* with an arriving gradient: a
function.
*/

typedef struct Node Node;
struct Node {
    Matrix value, gradient;
    Node *a, *b;               // what it was made from
    void (*give_back)(Node *); // takes gradient, adds to those of a and b
    const int *labels;
};

enum { TAPE_NODES = 16 };

typedef struct {
    Node nodes[TAPE_NODES];
    int count;
    Arena *arena;
} MatrixTape;

static Node *write_node(MatrixTape *t, Matrix value, Node *a, Node *b, void (*give_back)(Node *))
{
    check(t->count < TAPE_NODES, "raise TAPE_NODES", "the tape is full: %d nodes", t->count);
    Node *node = &t->nodes[t->count++];
    *node = (Node){value, matrix_new(t->arena, value.rows, value.cols), a, b, give_back, NULL};
    return node;
}

/*
Each operation is a pair: the way forward, and below it the way it gives back. Compare each pair with the
rules of chapter 6; there is nothing new here except that they no longer know each other.
*/

static void give_back_product(Node *y)
{
    matmul_nt_add(y->a->gradient, y->gradient, y->b->value); // y = a·b
    matmul_tn_add(y->b->gradient, y->a->value, y->gradient);
}
static Node *product_of(MatrixTape *t, Node *a, Node *b)
{
    Matrix y = matrix_new(t->arena, a->value.rows, b->value.cols);
    matmul(y, a->value, b->value);
    return write_node(t, y, a, b, give_back_product);
}

static void give_back_bias(Node *y) // y = a + 1·b: every row of a receives the same row b
{
    Matrix sums = y->b->gradient;
    add(y->a->gradient, y->a->gradient, y->gradient);
    for (int i = 0; i < y->gradient.rows; i++) add(sums, sums, matrix_rows(y->gradient, i, 1));
}
static Node *add_bias(MatrixTape *t, Node *a, Node *b)
{
    Matrix y = matrix_copy(t->arena, a->value);
    add_row(y, b->value);
    return write_node(t, y, a, b, give_back_bias);
}

static void give_back_rectify(Node *y) // y = max(0, a)
{
    for (size_t i = 0; i < matrix_size(y->value); i++)
        if (y->value.data[i] > 0.0f) y->a->gradient.data[i] += y->gradient.data[i];
}
static Node *rectify(MatrixTape *t, Node *a)
{
    Matrix y = matrix_copy(t->arena, a->value);
    for (size_t i = 0; i < matrix_size(y); i++) y.data[i] = fmaxf(0.0f, y.data[i]);
    return write_node(t, y, a, NULL, give_back_rectify);
}

static void give_back_loss(Node *y) // y = mean of −log softmax(a)_label: (p − one-hot) / N
{
    Matrix p = matrix_view(y->a->value.rows, y->a->value.cols, y->b->value.data);
    for (int i = 0; i < p.rows; i++)
        for (int k = 0; k < p.cols; k++)
            AT(y->a->gradient, i, k) +=
                y->gradient.data[0] * (AT(p, i, k) - (k == y->labels[i] ? 1.0f : 0.0f)) / (float)p.rows;
}
static Node *softmax_loss(MatrixTape *t, Node *a, const int *labels)
{
    Matrix p = matrix_new(t->arena, a->value.rows, a->value.cols), rows = matrix_new(t->arena, p.rows, 1);
    Matrix loss = matrix_new(t->arena, 1, 1);
    loss.data[0] = cross_entropy_forward(p, rows, a->value, labels);
    Node *kept = write_node(t, p, NULL, NULL, NULL), *y = write_node(t, loss, a, kept, give_back_loss);
    y->labels = labels;
    return y;
}

static void play_nodes_backwards(MatrixTape *t)
{
    t->nodes[t->count - 1].gradient.data[0] = 1.0f;
    for (int i = t->count - 1; i >= 0; i--)
        if (t->nodes[i].give_back) t->nodes[i].give_back(&t->nodes[i]);
}

/*
## The library's tape

The tape in `common/learning/tensor.h` is this one, grown up: it checks shapes, skips gradients that nobody
wants (those of the images), clears nothing that will be overwritten, and asks for no memory once it is
warm. Its way of use is the same, and shorter, because an operation finds its tape through its inputs.

Three gradients for one network: by hand, with our sixty lines, and with the library.
*/

// The same weights as parameters of the library's tape
static void parameters_from(Parameters *set, Network n)
{
    static const char *const names[PARTS] = {"hidden.weight", "hidden.bias", "output.weight", "output.bias"};
    for (int k = 0; k < PARTS; k++)
        copy(parameters_add(set, names[k], part(n, k).rows, part(n, k).cols)->value, part(n, k));
}

static Tensor *scores_on_tape(Tape *tape, const Parameters *p, Matrix x)
{
    Tensor *hidden = affine_relu(tape_input(tape, x), p->items[0], p->items[1]);
    return affine(hidden, p->items[2], p->items[3]);
}

static void three_ways(Lesson *lesson)
{
    section(lesson, "The library's tape");
    enum { BATCH = 64, WIDE = 784, UNITS = 128, KINDS = 10 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Network n = network_new(arena, WIDE, UNITS, KINDS), d = network_new(arena, WIDE, UNITS, KINDS);
    Matrix x = matrix_new(arena, BATCH, WIDE);
    int labels[BATCH];
    fill_normal(x, &rng, 0.0f, 1.0f);
    draw_weights(n, &rng);
    for (int i = 0; i < BATCH; i++) labels[i] = (int)rng_below(&rng, KINDS);
    by_hand(d, workspace_new(arena, BATCH, n), n, x, labels);

    MatrixTape ours = {.arena = arena};
    Node *leaves[PARTS], *input = write_node(&ours, x, NULL, NULL, NULL);
    for (int k = 0; k < PARTS; k++) leaves[k] = write_node(&ours, part(n, k), NULL, NULL, NULL);
    Node *hidden = rectify(&ours, add_bias(&ours, product_of(&ours, input, leaves[0]), leaves[1]));
    softmax_loss(&ours, add_bias(&ours, product_of(&ours, hidden, leaves[2]), leaves[3]), labels);
    play_nodes_backwards(&ours);

    Parameters parameters = parameters_new(arena);
    parameters_from(&parameters, n);
    Tape *tape = tape_new();
    backward(cross_entropy(scores_on_tape(tape, &parameters, x), labels));

    float ours_apart = 0.0f, library_apart = 0.0f;
    for (int k = 0; k < PARTS; k++) {
        ours_apart = fmaxf(ours_apart, largest_difference(leaves[k]->gradient, part(d, k)));
        library_apart = fmaxf(library_apart, largest_difference(parameters.items[k]->gradient, part(d, k)));
    }
    float lines =
        2.0f * BATCH * (WIDE * UNITS + UNITS * KINDS); // a product and a sum for each weight and example
    printf("one minibatch of 64 images\n");
    printf("  single numbers:    more than %.0f lines\n", (double)lines);
    printf("  our matrix tape:   %d nodes, gradients within %.1e of those by hand\n", ours.count,
           (double)ours_apart);
    printf("  the library's:     %d nodes, gradients within %.1e of those by hand\n\n", tape_length(tape),
           (double)library_apart);
    claim(lesson, ours_apart <= 1e-6f, "sixty lines of tape find the gradients by hand, to 1e-6");
    claim(lesson, library_apart <= 1e-6f, "the library's tape finds them too");
    tape_free(tape);
}

/*
## The same matrix twice

None of these networks uses a matrix twice; a tape that *sets* gradients instead of adding to them would have passed
unnoticed. So take one square matrix $W$ for both layers of a network. What should its gradient be? Pretend that the
layers have matrices of their own which happen to be equal: then each has a gradient of its own, and moving both at
once changes the loss by the sum.
*/

enum { TIED = 8 }; // units of each layer, and classes

// The loss of a network of two layers without biases, on our tape, backwards
static void two_layers(MatrixTape *t, Node *x, Node *w1, Node *w2, const int *labels)
{
    softmax_loss(t, product_of(t, rectify(t, product_of(t, x, w1)), w2), labels);
    play_nodes_backwards(t);
}

static void the_same_matrix_twice(Lesson *lesson)
{
    section(lesson, "The same matrix twice");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 4);
    Matrix w = matrix_new(arena, TIED, TIED), x = matrix_new(arena, EXAMPLES, TIED);
    const int labels[EXAMPLES] = {0, 3, 5, 1, 7};
    fill_normal(w, &rng, 0.0f, 0.5f);
    fill_normal(x, &rng, 0.0f, 1.0f);

    MatrixTape apart = {.arena = arena}, tied = {.arena = arena};
    Node *w1 = write_node(&apart, w, NULL, NULL, NULL), *w2 = write_node(&apart, w, NULL, NULL, NULL);
    two_layers(&apart, write_node(&apart, x, NULL, NULL, NULL), w1, w2, labels);
    Node *both = write_node(&tied, w, NULL, NULL, NULL);
    two_layers(&tied, write_node(&tied, x, NULL, NULL, NULL), both, both, labels);

    Parameters set = parameters_new(arena);
    Tensor *parameter = parameters_add(&set, "both", TIED, TIED);
    copy(parameter->value, w);
    Tape *tape = tape_new();
    Tensor *hidden = relu(product(tape_input(tape, x), parameter));
    backward(cross_entropy(product(hidden, parameter), labels));

    Matrix sum = matrix_new(arena, TIED, TIED);
    add(sum, w1->gradient, w2->gradient);
    double sizes[] = {norm(w1->gradient), norm(w2->gradient), norm(both->gradient)};
    printf("size of the gradient: first layer %.3f, second layer %.3f, one matrix for both %.3f\n\n",
           sizes[0], sizes[1], sizes[2]);
    claim(lesson, largest_difference(both->gradient, sum) <= 1e-6f && sizes[0] > 1e-3 && sizes[1] > 1e-3,
          "on our tape the gradient of a matrix that is used twice is the sum of two, to 1e-6");
    claim(lesson, largest_difference(parameter->gradient, sum) <= 1e-6f, "and on the library's tape");
    tape_free(tape);
}

/*
## Chapter 6 again, without its derivatives

Let the tape train the network. At the same time, and from the same start, the gradients by hand train
another one. If the tape is right, they do not just end up similar: they take the same steps.
*/

typedef struct {
    Matrix x;
    int *labels;
} Examples;

enum { BATCH = 64 };

static void minibatch(Matrix x, int *labels, Examples e, const int *order)
{
    gather_rows(x, e.x, order);
    for (int i = 0; i < x.rows; i++) labels[i] = e.labels[order[i]];
}

static double accuracy_on(Tape *tape, const Parameters *p, Examples e)
{
    tape_reset(tape);
    tape_record(tape, false);
    double right = accuracy(scores_on_tape(tape, p, e.x)->value, e.labels);
    tape_record(tape, true);
    tape_reset(tape);
    return right;
}

enum { SIDE_BY_SIDE = 200 };

static void draw_difference(Lesson *lesson, const float *apart)
{
    Plot *plot = plot_begin(lesson, "side_by_side.svg", "The same network, trained twice");
    plot_axes(plot, "step", "largest difference between two weights");
    plot_log(plot, "y");
    plot_line(plot, "by hand against the tape", NULL, apart, SIDE_BY_SIDE);
    plot_horizontal(plot, "half a unit in the last digit of 1", 0x1p-24);
    plot_end(
        plot,
        "Both add the same numbers in another order. The difference is one of rounding, and grows slowly.");
}

// One step of descent with momentum from the gradients d
static void step_by_hand(Network n, Network velocity, Network d, float rate)
{
    for (int k = 0; k < PARTS; k++) {
        scale(part(velocity, k), 0.9f);
        add_scaled(part(velocity, k), 1.0f, part(d, k));
        add_scaled(part(n, k), -rate, part(velocity, k));
    }
}

static void chapter_six_again(Lesson *lesson)
{
    section(lesson, "Chapter 6 again, without its derivatives");
    Arena *arena = lesson_arena(lesson);
    ImageSet clothes = fashion_mnist_load(arena);
    float average, deviation;
    image_statistics(clothes.train, &average, &deviation);
    Examples training = {image_matrix(arena, clothes.train, average, deviation), clothes.train_labels};
    Examples test = {image_matrix(arena, clothes.test, average, deviation), clothes.test_labels};

    Rng rng = lesson_rng(lesson, 3);
    Network n = network_new(arena, training.x.cols, 128, 10),
            d = network_new(arena, training.x.cols, 128, 10);
    Network velocity = network_new(arena, training.x.cols, 128, 10);
    draw_weights(n, &rng);
    Parameters parameters = parameters_new(arena);
    parameters_from(&parameters, n);
    Optimiser optimiser = momentum_new(arena, &parameters, 0.9f, 0.0f);
    Workspace space = workspace_new(arena, BATCH, n);
    Matrix x = matrix_new(arena, BATCH, training.x.cols);
    int labels[BATCH], *order = arena_alloc(arena, (size_t)training.x.rows, sizeof(int));
    Tape *tape = tape_new();

    int epochs = lesson_full(lesson) ? 20 : 5, per_epoch = training.x.rows / BATCH,
        steps = epochs * per_epoch;
    float apart[SIDE_BY_SIDE] = {0};
    for (int step = 0; step < steps; step++) {
        if (step % per_epoch == 0) rng_permutation(&rng, order, training.x.rows);
        minibatch(x, labels, training, order + step % per_epoch * BATCH);
        float rate = cosine_schedule(0.03f, step, 0, steps);

        tape_reset(tape);
        Tensor *loss = cross_entropy(scores_on_tape(tape, &parameters, x), labels);
        backward(loss);
        optimiser_step(&optimiser, rate);

        if (step < SIDE_BY_SIDE) {
            by_hand(d, space, n, x, labels);
            step_by_hand(n, velocity, d, rate);
            for (int k = 0; k < PARTS; k++)
                apart[step] = fmaxf(apart[step], largest_difference(part(n, k), parameters.items[k]->value));
        }
        lesson_progress(lesson, "training on the tape", step + 1, steps, (double)loss->value.data[0]);
    }
    double right = accuracy_on(tape, &parameters, test);
    printf("after %d steps side by side: weights at most %.1e apart\n", SIDE_BY_SIDE,
           (double)apart[SIDE_BY_SIDE - 1]);
    printf("after %d epochs on the tape: %.2f %% of the test images right\n\n", epochs, 100.0 * right);
    draw_difference(lesson, apart);
    claim(lesson, apart[SIDE_BY_SIDE - 1] <= 1e-4f,
          "two hundred steps by hand and on the tape lead to the same weights");
    claim(lesson, right >= 0.88,
          "trained on the tape, the network reads at least 88 %% of the clothes, as in chapter 6");
    tape_free(tape);
}

/*
## Two ways to break it

The tape does what it is told, and two mistakes are so easy that everybody makes them once.

*Forgetting to clear.* Gradients are added to what is there; that is what makes a number that is used twice
come out right. So they must be cleared before the next step, or each step moves along the sum of all
gradients since the beginning.

*Changing what the tape remembers.* The way back of a product needs the values of the way forward. Whoever
overwrites one of them in between gets a gradient, without any complaint, and it is wrong.
*/

static void break_it(Lesson *lesson)
{
    section(lesson, "Two ways to break it");
    Arena *arena = lesson_arena(lesson);
    Tape *tape = tape_new();
    Parameters set = parameters_new(arena);
    Tensor *w = parameters_add(&set, "w", 1, 1);
    Matrix x = matrix_from(arena, 1, 1, (const float[]){3.0f}), zero = matrix_new(arena, 1, 1);

    float farthest[2] = {0.0f, 0.0f};
    for (int kind = 0; kind < 2; kind++) { // minimise (3 w)² from w = 1: the gradient is 18 w
        w->value.data[0] = 1.0f;
        clear_gradients(&set);
        for (int step = 0; step < 40; step++) {
            tape_reset(tape);
            if (kind == 0) clear_gradients(&set);
            backward(mean_squared_error(product(tape_input(tape, x), w), zero));
            w->value.data[0] -= 0.02f * w->gradient.data[0];
            if (step >= 30) farthest[kind] = fmaxf(farthest[kind], fabsf(w->value.data[0]));
        }
    }
    printf("farthest from 0 in the last ten of forty steps\n");
    printf("  cleared before each step: %.4f\n", (double)farthest[0]);
    printf("  never cleared:            %.4f\n", (double)farthest[1]);

    float found[2]; // the input left alone, and overwritten
    for (int kind = 0; kind < 2; kind++) {
        tape_reset(tape);
        clear_gradients(&set);
        w->value.data[0] = 1.0f;
        Tensor *y = product(tape_input(tape, x), w), *loss = mean_squared_error(y, zero);
        if (kind == 1) x.data[0] = 100.0f; // "the input is no longer needed"
        backward(loss);
        found[kind] = w->gradient.data[0];
    }
    printf("gradient of (3 w)^2 at w = 1\n");
    printf("  as it should be:                            %4.0f\n", (double)found[0]);
    printf("  input overwritten between the two ways:     %4.0f\n\n", (double)found[1]);
    claim(lesson, farthest[0] < 0.001f, "cleared, descent settles at 0");
    claim(lesson, farthest[1] > 0.5f, "never cleared, it swings for ever");
    claim(lesson, found[0] == 18.0f && found[1] != 18.0f,
          "overwriting a remembered value spoils the gradient in silence");
    tape_free(tape);
}

/*
The first is not just an error. A gradient that is kept *on purpose* for several minibatches is the gradient
of one large minibatch that would not have fitted into memory. And the swinging weight is a sum of gradients
that pushes a weight: a momentum that never fades.

## What does it cost?

The way back costs about two products for each product of the way forward, whether we or the tape write it
down. (Not for the first layer: nobody asks for the gradient of the images, and there it costs one.) What the tape
adds is a handful of nodes for each step. We time both ways, and say it on standard error, since times
differ from run to run. On our machine the tape took between 0.1 % less and 0.3 % more than the way by hand: nothing
that we can measure, for a node stands for millions of multiplications.

The memory is real: a network that is trained needs room for every intermediate value until the way back, a
network that is only used does not. That is why `tape_record(tape, false)` exists.
*/

// The shortest of many times, for one minibatch of random images
static void time_both(Lesson *lesson)
{
    enum { TIMES = 200, WIDE = 784, UNITS = 128, KINDS = 10 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 5);
    Network n = network_new(arena, WIDE, UNITS, KINDS), d = network_new(arena, WIDE, UNITS, KINDS);
    Matrix x = matrix_new(arena, BATCH, WIDE);
    const int labels[BATCH] = {0};
    fill_normal(x, &rng, 0.0f, 1.0f);
    draw_weights(n, &rng);
    Parameters parameters = parameters_new(arena);
    parameters_from(&parameters, n);
    Workspace space = workspace_new(arena, BATCH, n);
    Tape *tape = tape_new();
    double by_tape = INFINITY, hand = INFINITY;
    for (int k = 0; k < TIMES; k++) {
        double start = seconds_now();
        by_hand(d, space, n, x, labels);
        double middle = seconds_now();
        tape_reset(tape);
        clear_gradients(&parameters);
        backward(cross_entropy(scores_on_tape(tape, &parameters, x), labels));
        hand = fmin(hand, middle - start), by_tape = fmin(by_tape, seconds_now() - middle);
    }
    fprintf(stderr, "one gradient takes %.0f µs by hand and %.0f µs on the tape: %+.1f %%\n", 1e6 * hand,
            1e6 * by_tape, 100.0 * (by_tape / hand - 1.0));
    tape_free(tape);
}

/*
## What others call it

| here | PyTorch |
|---|---|
| the tape, made while the program runs | the dynamic graph, `grad_fn` |
| `backward(loss)` | `loss.backward()` |
| a parameter; an input of the tape | `requires_grad=True`; `False` |
| `w->gradient` | `w.grad` |
| `tensor_keep_gradient(hidden)`, for a node in between | `hidden.retain_grad()` |
| `clear_gradients` (`optimiser_step` does it) | `optimizer.zero_grad()` |
| `tape_record(tape, false)` | `with torch.no_grad():` |
| `tape_reset` | the graph is freed after `backward()`, unless `retain_graph=True` |
| a function that gives back | `torch.autograd.Function`, its `backward` |
| overwriting what the tape remembers | "modified by an inplace operation": PyTorch counts versions and stops |

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "07-autograd", "Autograd");
    follow_one_formula(lesson);
    any_formula(lesson);
    network_of_numbers(lesson);
    three_ways(lesson);
    the_same_matrix_twice(lesson);
    chapter_six_again(lesson);
    break_it(lesson);
    time_both(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- Write down each operation as it runs, and play the list backwards: that is all of automatic
  differentiation.
- A line can only be made from earlier lines, so the list is already in a good order.
- What is used twice receives the sum of two gradients. Therefore gradients are added, and therefore they
  must be cleared.
- A line may be as coarse as we like, if we know its derivative. Coarse lines make the tape free.

From here on nobody derives by hand. The next question is what to build with it:
[chapter 9](../09-resnet/README.md) stacks layers until it breaks.

## Check yourself

**1.** Write the tape of $f = a \cdot a + a$ for $a = 3$. How many lines has it, and what does `play_backwards` add
to the gradient of $a$?

<details><summary>Answer</summary>

Three lines: $a = 3$, $p = a \cdot a = 9$ and $f = p + a = 12$. The sum adds 1 to the gradient of $a$ and gives $p$
the gradient 1; the product then adds 3 twice, once for each of its two inputs, which are the same line. Together
7, and $2a + 1$ is 7.

</details>

**2.** A layer of 1,000 × 1,000 weights sees a minibatch of 32 examples. How much memory does it take on the tape
of single numbers, and how much on the tape of matrices?

<details><summary>Answer</summary>

A product and a sum for each weight and example: 64 million lines of 24 bytes, 1.5 gigabytes. On the tape of
matrices it is one node, with a value and a gradient of 32 × 1,000 floats: a quarter of a megabyte.

</details>

**3.** Somebody clears the gradients only before every second step. Along what does each step go? When would that
be right?

<details><summary>Answer</summary>

The first of a pair goes along $g_1$, the second along $g_1 + g_2$: the first minibatch counts twice. It is right
if the weights move only once for each pair, along $(g_1 + g_2)/2$: then two minibatches have been one of twice the
size.

</details>

**4.** A matrix is used in two layers. If the layers had their own, the gradients would have the sizes 1.589 and
2.159. Between which bounds is the size of the gradient of the one matrix, and what does it mean that it is 2.893?

<details><summary>Answer</summary>

Gradients are added as vectors, so it lies between $2.159 - 1.589 = 0.570$ and $2.159 + 1.589 = 3.748$. If the two
were perpendicular it would be $\sqrt{1.589^2 + 2.159^2} = 2.681$. It is a little more, so the two layers want
slightly similar things: the cosine between their gradients is 0.17.

</details>

**5.** Why does nobody have to sort the tape before playing it backwards? And what would break if an operation
could overwrite the value of an earlier line?

<details><summary>Answer</summary>

A line can only be made from lines that exist, so everybody who used a line stands behind it, and going backwards
we meet all of them first. The order would still be right if a value were overwritten, but the slopes that are
computed from it would not: the last section but one finds a gradient of 600 instead of 18, and no complaint.

</details>

## Sources

- R. E. Wengert, *A simple automatic derivative evaluation program*, 1964: a list of operations, forwards.
- S. Linnainmaa, *The representation of the cumulative rounding error of an algorithm*, 1970: backwards.
- D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, 1986.
- A. G. Baydin and others, *Automatic differentiation in machine learning: a survey*, 2018.
- A. Paszke and others, *Automatic differentiation in PyTorch*, 2017.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade7` tells how far you are, `make
hint7` helps.

- **TASK 7.1** one line of the tape: the value of a quotient, and its two slopes.
- **TASK 7.2** play a tape backwards.
- **TASK 7.3** what a product of matrices gives back to its two factors.
- **TASK 7.4** what softmax gives back, for any gradient that arrives.
- **TASK 7.5** a new operation for the tape of matrices, $x x^\top$, both ways: its one input is used twice. It is
  measured against the reference.

And without a computer, or with five minutes at one:

**1.** Write `+=` in `play_backwards` as `=`. Which of this chapter's claims fail, and which do not? And with
`matmul_nt` in the place of `matmul_nt_add` in `give_back_product`?

<details><summary>Answer</summary>

We tried it. With `=` three claims fail: the gradient of $a$ is 4 instead of 5, the nested sines have wrong slopes,
and so has the network of single numbers, where each weight is used once for each example. The claim on $b$ holds,
for $b$ is used once. With `matmul_nt` *no* claim fails: what stands on the left of a product is the input or a
hidden layer, and each is used once in our networks. With `matmul_tn` in the line below it, the claim on the matrix
that is used twice fails. A network with a shortcut (chapter 9) would have found the first one, too.

</details>

**2.** Give the tape of numbers the larger of two numbers. What are its two slopes, and what would you do if the
numbers are equal?

<details><summary>Answer</summary>

1 towards the larger one and 0 towards the other: only the winner moves the result. If both are equal there is no
derivative, and any two slopes from 0 to 1 that add up to 1 are defensible: 1 and 0, or ½ and ½. What is not
defensible is 1 and 1, which counts the gradient twice. Pooling in chapter 10 gives everything to the first of
equals.

</details>

**3.** One could also go *forwards*: carry with every number its derivative with respect to one input. What does
that cost for a million weights? For which kind of function would it be the better way?

<details><summary>Answer</summary>

One pass gives the derivative with respect to one input, so a million weights take a million passes, where the way
back takes one. But a pass backwards belongs to one *output*. For a function of few inputs and many outputs, such
as the path of a rocket by its two angles, forwards is the better way. It also needs no tape: nothing has to be
remembered.

</details>

**4.** The tape remembers the hidden layer. How could one do without, at the price of computing something twice?

<details><summary>Answer</summary>

Forget it after the way forward, and compute it again from the input when the way back needs it. In a deep network
one keeps every tenth layer, say, and computes the nine between two kept ones again when their turn comes: a tenth
of the memory, and one more pass forwards, so about a third more work. This is called checkpointing of activations.

</details>
*/
