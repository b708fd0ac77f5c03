/*
# Convolution and pooling

The network of chapter 6 takes a picture as 784 numbers in a row. It does not know that pixel 100 stands
beside pixel 101 and above pixel 128. Shuffle the pixels of all pictures in one and the same way, and it
learns as well as before; we will try. Everybody else would be lost.

This chapter builds a layer that knows what a neighbour is: the **convolution** (卷积). It looks at the
picture through a small window, multiplies what it sees with a few weights, and slides on, with *the same*
weights everywhere. You will see

- convolution forwards and backwards in plain loops, and why it is a matrix product in two ways;
- **pooling** (池化), which keeps the strongest answer of a neighbourhood;
- a network of 7 434 parameters that reads clothes as well as one of 101 770;
- what a shift by a few pixels does to both, and how much of the usual explanation is true.

In the picture that holds this course together, *rows are positions and columns are features*. All layers so
far mixed columns. Here is the first one that mixes rows: a position with its neighbours on a grid.

You need chapters 6 and 7.
*/

#include "base/mathf.h"
#include "learning/ops/conv.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/nn.h"

/*
## A window that slides

A picture of $H \times W$ pixels with $C$ features each (one for grey, three for colour, more inside a
network) is a matrix with a row for each pixel. The **window** (窗口) is $k$ pixels high and wide. For
output feature $o$ at pixel $p$ it computes a weighted sum of everything in the window:

$$y_{p,o} = b_o + \sum_{t \,\in\, \text{window}} \; \sum_{c} x_{p+t,\,c} \; w_{t,c,o}.$$

The $k^2$ places $t$ of the window are its **taps**. Two more words: the **stride** (步幅) says how many
pixels the window moves at a time, and **padding** (填充) puts zeros around the picture, so that the window
can stand on its edge. The only work is to find the row of $x$ that lies under a tap.

(Signal processing turns the window around before it slides and calls what we do *correlation*. The weights
are learned, so it makes no difference here, and the field says convolution.)
*/

// The row of x that lies under a tap of the window when it computes row p of the output; −1: beyond the edge
static int row_under(int p, int tap, Grid in, Grid out, Window window)
{
    int picture = p / (out.height * out.width), top = p / out.width % out.height, left = p % out.width;
    int i = top * window.stride + tap / window.width - window.padding;
    int j = left * window.stride + tap % window.width - window.padding;
    bool inside = i >= 0 && i < in.height && j >= 0 && j < in.width;
    return inside ? (picture * in.height + i) * in.width + j : -1;
}

// x (n·H·W × C), w (k·k·C × O), b (1 × O) → y (n·H'·W' × O)
static void convolve_in_loops(Matrix y, Matrix x, Matrix w, Matrix b, Grid in, Grid out, Window window)
{
    for (int p = 0; p < y.rows; p++)
        for (int o = 0; o < y.cols; o++) {
            AT(y, p, o) = AT(b, 0, o);
            for (int tap = 0; tap < window.height * window.width; tap++) {
                int row = row_under(p, tap, in, out, window);
                if (row < 0) continue;
                for (int c = 0; c < x.cols; c++) AT(y, p, o) += AT(x, row, c) * AT(w, tap * x.cols + c, o);
            }
        }
}

/*
Backwards, the rule of chapter 7 is all that we need: each product that was added to $y$ hands its gradient
to both factors. So the loops stay as they are. Note what happens to a weight: it was used at every pixel,
and its gradient is the sum over every pixel. **Weight sharing** (权值共享) forwards is a sum backwards.
*/

// d_y (n·H'·W' × O) → d_x, d_w, d_b, which are added to
static void convolve_back_in_loops(Matrix d_x, Matrix d_w, Matrix d_b, Matrix d_y, Matrix x, Matrix w,
                                   Grid in, Grid out, Window window)
{
    for (int p = 0; p < d_y.rows; p++)
        for (int o = 0; o < d_y.cols; o++) {
            AT(d_b, 0, o) += AT(d_y, p, o);
            for (int tap = 0; tap < window.height * window.width; tap++) {
                int row = row_under(p, tap, in, out, window);
                if (row < 0) continue;
                for (int c = 0; c < x.cols; c++) {
                    AT(d_w, tap * x.cols + c, o) += AT(x, row, c) * AT(d_y, p, o);
                    AT(d_x, row, c) += AT(w, tap * x.cols + c, o) * AT(d_y, p, o);
                }
            }
        }
}

// Everything that one convolution needs, with random numbers
typedef struct {
    Grid in, out;
    Window window;
    Matrix x, w, b, y, d_y, d_x, d_w, d_b;
} Trial;

static Trial trial_new(Arena *arena, Rng *rng, Grid in, Window window, int channels, int outputs)
{
    Trial t = {.in = in, .out = window_grid(HERE, in, window), .window = window};
    int taps = window.height * window.width;
    t.x = matrix_new(arena, grid_rows(in), channels), t.d_x = matrix_new(arena, grid_rows(in), channels);
    t.w = matrix_new(arena, taps * channels, outputs), t.d_w = matrix_new(arena, taps * channels, outputs);
    t.b = matrix_new(arena, 1, outputs), t.d_b = matrix_new(arena, 1, outputs);
    t.y = matrix_new(arena, grid_rows(t.out), outputs), t.d_y = matrix_new(arena, grid_rows(t.out), outputs);
    fill_normal(t.x, rng, 0.0f, 1.0f), fill_normal(t.w, rng, 0.0f, 1.0f);
    fill_normal(t.b, rng, 0.0f, 1.0f), fill_normal(t.d_y, rng, 0.0f, 1.0f);
    return t;
}

static void check_convolution(Lesson *lesson)
{
    section(lesson, "A window that slides");
    static const struct {
        Grid in;
        Window window;
        int channels, outputs;
    } sizes[] = {{{2, 7, 5}, {3, 3, 1, 0, 1}, 1, 4},
                 {{1, 6, 9}, {5, 5, 1, 2, 1}, 3, 2},
                 {{3, 11, 8}, {3, 2, 2, 1, 1}, 5, 7},
                 {{2, 4, 3}, {1, 1, 1, 0, 1}, 6, 5}};
    Arena *arena = lesson_arena(lesson);
    double apart = 0.0, d_apart = 0.0;
    printf("pictures        window   stride  padding   out\n");
    for (int s = 0; s < 4; s++) {
        Rng rng = lesson_rng(lesson, 10 + (uint64_t)s);
        Trial t = trial_new(arena, &rng, sizes[s].in, sizes[s].window, sizes[s].channels, sizes[s].outputs);
        convolve_in_loops(t.y, t.x, t.w, t.b, t.in, t.out, t.window);
        convolve_back_in_loops(t.d_x, t.d_w, t.d_b, t.d_y, t.x, t.w, t.in, t.out, t.window);
        Tape *tape = tape_new();
        Tensor *x = tape_variable(tape, t.x), *w = tape_variable(tape, t.w), *b = tape_variable(tape, t.b);
        Tensor *y = conv2d(x, w, b, t.in, t.window);
        backward_from(y, t.d_y);
        apart = fmax(apart, (double)largest_difference(y->value, t.y));
        d_apart = fmax(d_apart, (double)largest_difference(x->gradient, t.d_x));
        d_apart = fmax(d_apart, (double)largest_difference(w->gradient, t.d_w));
        d_apart = fmax(d_apart, (double)largest_difference(b->gradient, t.d_b));
        tape_free(tape);
        printf("%d × %2d × %d × %d   %d × %d %8d %8d   %d × %d × %d × %d\n", t.in.count, t.in.height,
               t.in.width, t.x.cols, t.window.height, t.window.width, t.window.stride, t.window.padding,
               t.out.count, t.out.height, t.out.width, t.y.cols);
    }
    printf("\n");
    claim(lesson, apart <= 1e-4 && d_apart <= 1e-4,
          "plain loops and the library agree on four convolutions and all their gradients to 1e-4");
}

/*
The output has $\lfloor (H + 2\,\text{padding} - k) / \text{stride} \rfloor + 1$ rows of pixels. The last
line of the table is a window of one pixel: it mixes no rows at all, and *is* the linear layer of chapter 6,
applied to each pixel.

## It is a matrix product

A convolution is linear in the picture, so there must be a matrix that does the same. To see it, we ask our
loops: we show them pictures with a single white pixel, one for each place, and write down what comes out.
Picture $i$ gives row $i$ of the matrix. We take pictures of 5 × 5 pixels and a window of 3 × 3 whose
weights are the digits 1 to 9.
*/

static void show_the_matrix(Lesson *lesson)
{
    section(lesson, "It is a matrix product");
    enum { PIXELS = 25, OUTPUTS = 9, TAPS = 9 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 20);
    Trial basis = trial_new(arena, &rng, (Grid){PIXELS, 5, 5}, window_square(3, 1, 0), 1, 1);
    fill(basis.x, 0.0f), fill(basis.b, 0.0f);
    for (int i = 0; i < PIXELS; i++) AT(matrix_reshape(basis.x, PIXELS, PIXELS), i, i) = 1.0f;
    for (int tap = 0; tap < TAPS; tap++) basis.w.data[tap] = (float)(tap + 1);
    convolve_in_loops(basis.y, basis.x, basis.w, basis.b, basis.in, basis.out, basis.window);
    Matrix dense = matrix_reshape(basis.y, PIXELS, OUTPUTS);

    int times[TAPS + 1] = {0};
    for (size_t i = 0; i < matrix_size(dense); i++) times[(int)dense.data[i]]++;
    bool shared = true;
    for (int tap = 1; tap <= TAPS; tap++) shared = shared && times[tap] == OUTPUTS;
    printf("%d numbers, of which %d are zero; every weight stands there %d times\n\n", PIXELS * OUTPUTS,
           times[0], times[1]);

    // One random picture through the loops and through the matrix, with the same nine weights, forwards and back
    Trial t = trial_new(arena, &rng, (Grid){1, 5, 5}, window_square(3, 1, 0), 1, 1);
    copy(t.w, basis.w), fill(t.b, 0.0f);
    convolve_in_loops(t.y, t.x, t.w, t.b, t.in, t.out, t.window);
    convolve_back_in_loops(t.d_x, t.d_w, t.d_b, t.d_y, t.x, t.w, t.in, t.out, t.window);
    Matrix x = matrix_reshape(t.x, 1, PIXELS), d_y = matrix_reshape(t.d_y, 1, OUTPUTS);
    Matrix y = matrix_new(arena, 1, OUTPUTS), d_x = matrix_new(arena, 1, PIXELS);
    Matrix d_dense = matrix_new(arena, PIXELS, OUTPUTS), d_w = matrix_new(arena, TAPS, 1);
    matmul(y, x, dense);
    matmul_nt(d_x, d_y, dense);
    matmul_tn(d_dense, x, d_y);
    for (size_t i = 0; i < matrix_size(dense); i++)
        if (dense.data[i] > 0.0f) d_w.data[(int)dense.data[i] - 1] += d_dense.data[i];
    claim(lesson, shared && times[0] == PIXELS * OUTPUTS - TAPS * OUTPUTS,
          "the matrix has 9 different weights, each 9 times, and nothing else");
    claim(lesson,
          largest_difference(y, matrix_reshape(t.y, 1, OUTPUTS)) <= 1e-4f &&
              largest_difference(d_x, matrix_reshape(t.d_x, 1, PIXELS)) <= 1e-4f,
          "the picture times the matrix is the convolution, and the way back is its transpose");
    claim(lesson, largest_difference(d_w, t.d_w) <= 1e-4f,
          "the gradient of a shared weight is the sum of the gradients of its copies");

    Matrix drawn = matrix_new(arena, OUTPUTS, PIXELS);
    transpose(drawn, dense);
    Plot *plot = plot_begin(lesson, "matrix.png", "A convolution, written as a matrix");
    plot_axes(plot, "pixel of the picture (5 × 5, row after row)", "pixel of the output (3 × 3)");
    plot_size(plot, 1080, 520);
    plot_cells(plot, drawn, NULL, NULL, 0);
    plot_end(plot,
             "A window of 3 × 3 with the weights 1 to 9. Each line is the window in another place: zeros "
             "where it does not look, and the same nine numbers everywhere.");
}

/*
So a convolution is a linear layer with two restrictions: a weight between pixels that are not neighbours is
zero, and weights that stand in the same place of the window are equal. For 28 × 28 pixels the matrix has
614 656 numbers; a window of 5 × 5 has 25. What did we give up? Every linear function that treats a sleeve
on the left differently from a sleeve on the right.

## Windows as rows

Nobody computes with the large matrix. There is another product hidden here, a useful one. Copy what the
window sees at each pixel into a row of its own: $k^2 C$ numbers, its **patch** (图块). With a matrix of
patches the whole layer is the linear layer that we know,

$$Y = \mathrm{patches}(X)\, W + b .$$

The copy is called **im2col**. Numbers are copied up to $k^2$ times, and in exchange all the work is one
large product, the fastest thing that a computer can do. The way back: $D_W = \mathrm{patches}(X)^\top D_Y$
and $D_Y W^\top$ are products again, and the gradient of each patch is *added* to the pixels that it was
copied from (`patches_to_grid` in the library, and TASK 10.4 for you).
*/

static void patches_in_loops(Matrix patches, Matrix x, Grid in, Grid out, Window window)
{
    for (int p = 0; p < patches.rows; p++)
        for (int tap = 0; tap < window.height * window.width; tap++) {
            int row = row_under(p, tap, in, out, window);
            for (int c = 0; c < x.cols; c++)
                AT(patches, p, tap * x.cols + c) = row < 0 ? 0.0f : AT(x, row, c);
        }
}

static void check_patches(Lesson *lesson)
{
    section(lesson, "Windows as rows");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 30);
    Trial t = trial_new(arena, &rng, (Grid){2, 9, 7}, (Window){3, 4, 2, 1, 1}, 3, 5);
    Matrix patches = matrix_new(arena, t.y.rows, t.w.rows), d_patches = matrix_new(arena, t.y.rows, t.w.rows);
    Matrix fast = matrix_new(arena, t.y.rows, t.w.rows), y = matrix_new(arena, t.y.rows, t.y.cols);
    Matrix d_x = matrix_new(arena, t.x.rows, t.x.cols), d_w = matrix_new(arena, t.w.rows, t.w.cols);
    convolve_in_loops(t.y, t.x, t.w, t.b, t.in, t.out, t.window);
    convolve_back_in_loops(t.d_x, t.d_w, t.d_b, t.d_y, t.x, t.w, t.in, t.out, t.window);

    patches_in_loops(patches, t.x, t.in, t.out, t.window);
    matmul(y, patches, t.w);
    add_row(y, t.b);
    matmul_tn(d_w, patches, t.d_y);
    matmul_nt(d_patches, t.d_y, t.w);
    patches_to_grid(d_x, d_patches, t.in, t.window);
    grid_to_patches(fast, t.x, t.in, t.window);
    printf("%d × %d numbers became %d × %d\n\n", t.x.rows, t.x.cols, patches.rows, patches.cols);
    claim(lesson, largest_difference(fast, patches) == 0.0f, "our patches are those of the library, exactly");
    claim(lesson,
          largest_difference(y, t.y) <= 1e-4f && largest_difference(d_w, t.d_w) <= 1e-4f &&
              largest_difference(d_x, t.d_x) <= 1e-4f,
          "patches times weights is the convolution, forwards and backwards");
}

/*
## Where a shift goes

The same weights everywhere have a consequence. Move the picture one pixel down and two to the right: every
window finds, one down and two to the right, exactly what it saw before. So the output moves along:
$\mathrm{conv}(\mathrm{shift}(x)) = \mathrm{shift}(\mathrm{conv}(x))$. This is **equivariance** (等变性),
and it is often confused with **invariance** (不变性), where the output would *stay*. A convolution is not
invariant at all.

Nor is it quite equivariant: at the edge the window sees padding, and padding does not move. We take a boot,
eight random windows of 5 × 5 with a padding of 2, and look.
*/

enum { SIDE = 28, PIXELS = SIDE * SIDE };

// pictures (N × 784) → out, each moved down and right by so many pixels; what comes in is black
static void shift_pictures(Matrix out, Matrix pictures, int down, int right)
{
    for (int n = 0; n < out.rows; n++)
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                int from_i = i - down, from_j = j - right;
                bool inside = from_i >= 0 && from_i < SIDE && from_j >= 0 && from_j < SIDE;
                AT(out, n, i * SIDE + j) = inside ? AT(pictures, n, from_i * SIDE + from_j) : 0.0f;
            }
}

static void follow_a_shift(Lesson *lesson, Matrix boot)
{
    section(lesson, "Where a shift goes");
    enum { DOWN = 1, RIGHT = 2, REACH = 2 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 40);
    Trial t = trial_new(arena, &rng, (Grid){1, SIDE, SIDE}, window_square(5, 1, REACH), 1, 8);
    Matrix moved_y = matrix_new(arena, t.y.rows, t.y.cols);
    copy(t.x, matrix_reshape(boot, PIXELS, 1));
    convolve_in_loops(t.y, t.x, t.w, t.b, t.in, t.out, t.window);
    shift_pictures(matrix_reshape(t.x, 1, PIXELS), boot, DOWN, RIGHT);
    convolve_in_loops(moved_y, t.x, t.w, t.b, t.in, t.out, t.window);

    double inside = 0.0, edge = 0.0, stayed = 0.0; // the largest difference
    for (int i = DOWN; i < SIDE; i++)
        for (int j = RIGHT; j < SIDE; j++)
            for (int o = 0; o < t.y.cols; o++) {
                float now = AT(moved_y, i * SIDE + j, o);
                double along = fabs((double)(now - AT(t.y, (i - DOWN) * SIDE + j - RIGHT, o)));
                bool interior =
                    i >= DOWN + REACH && i < SIDE - REACH && j >= RIGHT + REACH && j < SIDE - REACH;
                if (interior) inside = fmax(inside, along);
                if (!interior) edge = fmax(edge, along);
                stayed = fmax(stayed, fabs((double)(now - AT(t.y, i * SIDE + j, o))));
            }
    printf("largest difference between the maps of a boot and of the boot moved by (1, 2)\n");
    printf("moved along, interior  %8.4f\nmoved along, edge      %8.4f\nnot moved              %8.4f\n\n",
           inside, edge, stayed);
    claim(lesson, inside == 0.0, "away from the edge a convolution moves with the picture, to the last bit");
    claim(lesson, edge > 0.01 && stayed > 1.0, "at the edge it does not, and nowhere does it stay as it was");
}

/*
## Pooling

The label of a picture should not change when the boot moves. Somewhere on the way from moving maps to an
answer that stays, the place must be forgotten. **Max pooling** (最大池化) forgets a little of it: of each
square of 2 × 2 pixels it keeps the largest number, whichever pixel it came from. The map shrinks to a
quarter, and the layers above see twice as far.

Backwards, only the winner moves the output, so the winner receives the whole gradient.
*/

static const Window halve = {.height = 2, .width = 2, .stride = 2};

// x (n·H·W × C) → y (n·H'·W' × C); chosen receives the row of x that each number came from, the first of equals
static void pool_in_loops(Matrix y, int *chosen, Matrix x, Grid in, Grid out, Window window)
{
    for (int p = 0; p < y.rows; p++)
        for (int c = 0; c < y.cols; c++) {
            int best = -1;
            for (int tap = 0; tap < window.height * window.width; tap++) {
                int row = row_under(p, tap, in, out, window);
                if (row >= 0 && (best < 0 || AT(x, row, c) > AT(x, best, c))) best = row;
            }
            AT(y, p, c) = AT(x, best, c);
            chosen[p * y.cols + c] = best;
        }
}

static void pool_back_in_loops(Matrix d_x, Matrix d_y, const int *chosen)
{
    for (int p = 0; p < d_y.rows; p++)
        for (int c = 0; c < d_y.cols; c++) AT(d_x, chosen[p * d_y.cols + c], c) += AT(d_y, p, c);
}

/*
How much does it forget? Take pure noise, pool it, move it by one pixel to the right and pool again. The old
window and the new one have two of their four pixels in common. The largest number stays the same when the
largest of all six pixels is one of those two: in 2 cases of 6. After a step of two pixels the windows have
nothing in common. So the theory gives one third after one step, and nothing after two.
*/

static void check_pooling(Lesson *lesson)
{
    section(lesson, "Pooling");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 50);
    float apart = 0.0f;
    for (int padding = 0; padding < 2; padding++) { // windows that touch, and windows that overlap
        Window window = padding ? window_square(3, 2, 1) : halve;
        Grid in = {3, 9, 7}, out = window_grid(HERE, in, window);
        Matrix x = matrix_new(arena, grid_rows(in), 5), d_x = matrix_new(arena, grid_rows(in), 5);
        Matrix y = matrix_new(arena, grid_rows(out), 5), d_y = matrix_new(arena, grid_rows(out), 5);
        int *chosen = arena_alloc(arena, matrix_size(y), sizeof *chosen);
        fill_normal(x, &rng, 0.0f, 1.0f), fill_normal(d_y, &rng, 0.0f, 1.0f);
        for (size_t i = 0; i < matrix_size(x); i++)
            x.data[i] = floorf(2.0f * x.data[i]); // so that some are equal
        pool_in_loops(y, chosen, x, in, out, window);
        pool_back_in_loops(d_x, d_y, chosen);
        Tape *tape = tape_new();
        Tensor *variable = tape_variable(tape, x), *fast = max_pool(variable, in, window);
        backward_from(fast, d_y);
        apart = fmaxf(apart, largest_difference(fast->value, y));
        apart = fmaxf(apart, largest_difference(variable->gradient, d_x));
        tape_free(tape);
    }
    claim(lesson, apart <= 1e-6f,
          "loops and library pool alike, forwards and backwards, also where numbers are equal");

    enum { HIGH = 300, WIDE = 300, STEPS = 3 };
    Matrix noise = matrix_new(arena, HIGH, WIDE + STEPS), x = matrix_new(arena, HIGH * WIDE, 1);
    Grid in = {1, HIGH, WIDE}, out = window_grid(HERE, in, halve);
    Matrix y[STEPS];
    int *chosen = arena_alloc(arena, (size_t)grid_rows(out), sizeof *chosen);
    fill_normal(noise, &rng, 0.0f, 1.0f);
    double same[STEPS];
    for (int step = 0; step < STEPS; step++) {
        copy_columns(matrix_reshape(x, HIGH, WIDE), 0, noise, STEPS - step, WIDE);
        y[step] = matrix_new(arena, grid_rows(out), 1);
        pool_in_loops(y[step], chosen, x, in, out, halve);
        int equal = 0;
        for (int p = 0; p < y[step].rows; p++) equal += y[step].data[p] == y[0].data[p];
        same[step] = (double)equal / y[step].rows;
        printf("%snoise moved by %d: %5.1f %% of the pooled numbers are the same\n", step ? "" : "\n", step,
               100.0 * same[step]);
    }
    printf("\n");
    claim(lesson, fabs(same[1] - 1.0 / 3.0) <= 0.02, "after a step of one pixel a third of them stays");
    claim(lesson, same[2] <= 0.001, "after a step of two pixels nothing does");
}

/*
One third, of one pixel. Real pictures are smoother than noise, and more stays; but whoever says that
pooling makes a network invariant to shifts should say how little. We come back to that.

## A small network

Now we stack: convolution, pooling, convolution, pooling, and a linear layer that reads what is left. It is
the plan of LeNet, by Yann LeCun and others, from 1989. The maps become smaller and more numerous: *where*
is traded for *what*.

Beside it stands the network of chapter 6 with 128 hidden units, and a third one for a question that we will
have: it has no pooling, its windows move by two pixels instead. The parameters are the same, to the last
one.
*/

enum { CLASSES = 10, HIDDEN = 128, MAPS_1 = 8, MAPS_2 = 16, WINDOW = 5, LAST = 5 * 5 * MAPS_2, STAGES = 4 };

typedef enum { PERCEPTRON, POOLED, STRIDED } Kind;

typedef struct {
    Kind kind;
    Parameters parameters;
    Conv convs[2];
    Linear hidden, last; // hidden: of the perceptron
} Network;

static Network network_new(Arena *arena, Kind kind, Rng *rng)
{
    Network n = {.kind = kind, .parameters = parameters_new(arena)};
    int stride = kind == STRIDED ? 2 : 1;
    if (kind == PERCEPTRON) {
        n.hidden = linear_new(&n.parameters, "hidden", PIXELS, HIDDEN, rng, INIT_HE);
    } else {
        Window first = window_square(WINDOW, stride, 2), second = window_square(WINDOW, stride, 0);
        n.convs[0] = conv_new(&n.parameters, "conv1", 1, MAPS_1, first, rng, INIT_FAN_IN_UNIFORM);
        n.convs[1] = conv_new(&n.parameters, "conv2", MAPS_1, MAPS_2, second, rng, INIT_FAN_IN_UNIFORM);
    }
    n.last = linear_new(&n.parameters, "last", kind == PERCEPTRON ? HIDDEN : LAST, CLASSES, rng, INIT_LECUN);
    return n;
}

// x (N × 784) → scores (N × 10); maps, when given, receives what leaves each convolution and each pooling
static Tensor *scores(const Network *n, Tape *tape, Matrix x, Tensor **maps)
{
    if (n->kind == PERCEPTRON) return linear(&n->last, linear_relu(&n->hidden, tape_input(tape, x)));
    Grid grid = {x.rows, SIDE, SIDE};
    Tensor *h = tape_input(tape, matrix_reshape(x, x.rows * PIXELS, 1));
    for (int l = 0; l < 2; l++) {
        h = conv_relu(&n->convs[l], h, grid);
        grid = window_grid(HERE, grid, n->convs[l].window);
        if (maps) maps[2 * l] = h;
        if (n->kind == POOLED) h = max_pool(h, grid, halve), grid = window_grid(HERE, grid, halve);
        if (maps) maps[2 * l + 1] = h;
    }
    return linear(&n->last, tensor_reshape(h, x.rows, LAST)); // the flattening moves no number
}

/*
What do they cost? A linear layer from $n$ to $m$ numbers has $nm$ weights and does as many multiply-adds. A
convolution has $k^2 C \cdot O$ weights and uses each of them at every pixel of its output.
*/

static void count_costs(Lesson *lesson)
{
    section(lesson, "A small network");
    static const struct {
        Kind kind;
        const char *name;
        int positions, inputs, outputs; // a linear layer has one position
    } layers[] = {{PERCEPTRON, "linear 784 to 128", 1, PIXELS, HIDDEN},
                  {PERCEPTRON, "linear 128 to 10", 1, HIDDEN, CLASSES},
                  {POOLED, "convolution 5 × 5, 1 to 8", 28 * 28, 25, MAPS_1},
                  {POOLED, "convolution 5 × 5, 8 to 16", 10 * 10, 25 * MAPS_1, MAPS_2},
                  {POOLED, "linear 400 to 10", 1, LAST, CLASSES},
                  {STRIDED, "convolution 5 × 5, 1 to 8, stride 2", 14 * 14, 25, MAPS_1},
                  {STRIDED, "convolution 5 × 5, 8 to 16, stride 2", 5 * 5, 25 * MAPS_1, MAPS_2},
                  {STRIDED, "linear 400 to 10", 1, LAST, CLASSES}};
    enum { LAYERS = sizeof layers / sizeof *layers };
    int parameters[3] = {0}, work[3] = {0};
    bool counted = true;
    printf("layer                                 numbers out   parameters   multiply-adds\n");
    for (int l = 0; l < LAYERS; l++) {
        Kind kind = layers[l].kind;
        int weights = layers[l].inputs * layers[l].outputs, out = layers[l].positions * layers[l].outputs;
        parameters[kind] += weights + layers[l].outputs, work[kind] += layers[l].positions * weights;
        printf("%-38s%11d%13d%16d\n", layers[l].name, out, weights + layers[l].outputs,
               layers[l].positions * weights);
        if (l < LAYERS - 1 && layers[l + 1].kind == kind) continue;
        printf("%-49s%13d%16d\n\n", "together", parameters[kind], work[kind]);
        Rng rng = lesson_rng(lesson, 60);
        Network n = network_new(lesson_arena(lesson), kind, &rng);
        counted = counted && (int)parameters_size(&n.parameters) == parameters[kind];
    }
    claim(lesson, counted, "the networks that we build have as many parameters as we counted");
    claim(lesson, parameters[PERCEPTRON] >= 13 * parameters[POOLED] && work[POOLED] >= 4 * work[PERCEPTRON],
          "with convolutions: 13 times fewer parameters than the perceptron, and 4 times the work");
}

/*
Sharing saves memory, not work. Each weight works at hundreds of pixels.

## Clothes

The training is that of chapter 9: Adam, a short warm-up, a cosine; minibatches of 64. Three epochs for the
convolutions, and five for the perceptron, which needs more of them and is cheap. One thing is different.
The pixels are divided by their deviation as always, but their mean is *not* subtracted: black must stay the
zero that padding puts around a picture. Otherwise the windows at the edge see a frame.
*/

typedef struct {
    Matrix x; // (N × 784)
    const int *labels;
} Examples;

static double share_right(const Network *n, Tape *tape, Examples e)
{
    enum { CHUNK = 500 };
    double right = 0.0;
    tape_record(tape, false);
    for (int first = 0; first < e.x.rows; first += CHUNK) {
        tape_reset(tape);
        int count = int_min(CHUNK, e.x.rows - first);
        right +=
            count * accuracy(scores(n, tape, matrix_rows(e.x, first, count), NULL)->value, e.labels + first);
    }
    tape_record(tape, true);
    tape_reset(tape);
    return right / e.x.rows;
}

enum { BATCH = 64, WARM_UP = 50, LAST_STEPS = 100 };

typedef struct {
    const char *name;
    Kind kind;
    int epochs; // four times as many in a full run
    float rate;
    Network network;
    double right; // of the test
} Run;

static int epochs_of(const Lesson *lesson, const Run *run)
{
    return lesson_full(lesson) ? 4 * run->epochs : run->epochs;
}

static void train(Lesson *lesson, Run *run, Examples training, Examples test)
{
    Arena *arena = lesson_arena(lesson);
    Rng start = lesson_rng(lesson, 3), rng = lesson_rng(lesson, 2);
    run->network = network_new(arena, run->kind, &start);
    Optimiser adam = adam_new(arena, &run->network.parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    int per_epoch = training.x.rows / BATCH, steps = epochs_of(lesson, run) * per_epoch;
    int labels[BATCH], *order = arena_alloc(arena, (size_t)training.x.rows, sizeof(int));
    Matrix x = matrix_new(arena, BATCH, PIXELS);
    Tape *tape = tape_new();
    double last = 0.0; // the mean loss of the last steps
    for (int step = 0; step < steps; step++) {
        if (step % per_epoch == 0) rng_permutation(&rng, order, training.x.rows);
        const int *chosen = order + step % per_epoch * BATCH;
        gather_rows(x, training.x, chosen);
        for (int i = 0; i < BATCH; i++) labels[i] = training.labels[chosen[i]];
        tape_reset(tape);
        Tensor *loss = cross_entropy(scores(&run->network, tape, x, NULL), labels);
        backward(loss);
        optimiser_step(&adam, cosine_schedule(run->rate, step, WARM_UP, steps));
        if (step >= steps - LAST_STEPS) last += (double)loss->value.data[0] / LAST_STEPS;
        lesson_progress(lesson, run->name, step + 1, steps, (double)loss->value.data[0]);
    }
    run->right = share_right(&run->network, tape, test);
    printf("%-32s loss %.3f at the end, %5.2f %% of the test right\n", run->name, last, 100.0 * run->right);
    tape_free(tape);
}

static void learn_clothes(Lesson *lesson, Run runs[3], Examples training, Examples test)
{
    section(lesson, "Clothes");
    for (int r = 0; r < 3; r++) train(lesson, &runs[r], training, test);
    printf("\n");
    claim(lesson, runs[1].right >= (lesson_full(lesson) ? 0.90 : 0.885),
          "the convolutional network gets at least %s %% right", lesson_full(lesson) ? "90" : "88.5");
    claim(lesson, runs[1].right >= runs[0].right - 0.01,
          "with 7434 parameters it is within a point of the perceptron with 101770, or better");
}

/*
About the same accuracy, with 13 times fewer parameters. They are not free: the convolutional network does
almost five times as many multiply-adds. The one with strides does about as many as the perceptron, and is
about as good. With four times the epochs (`make chapter10 FULL=1`, 70 seconds on one core) we measured 89.6 %
for the perceptron, 90.2 % with pooling and 89.6 % with strides.

## What it looks at

The eight windows of the first layer are pictures of 5 × 5 that we can look at, and below each stands what
it makes of a boot, on its way up through the layers.
*/

// One feature of a map (side·side × C), drawn as 28 × 28 with low as 0 and high as 1
static void draw_map(float *picture, Matrix map, int side, int feature, float low, float high)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            picture[i * SIDE + j] =
                (AT(map, i * side / SIDE * side + j * side / SIDE, feature) - low) / (high - low);
}

static void look_inside(Lesson *lesson, const Network *n, Matrix boot)
{
    section(lesson, "What it looks at");
    enum { ROWS = 1 + STAGES, COLUMNS = 1 + MAPS_1, SHOWN = ROWS * COLUMNS };
    static const int sides[STAGES] = {28, 14, 10, 5};
    static const char *const names[ROWS] = {"window: 5 × 5", "conv 1: 28 × 28", "pooled: 14 × 14",
                                            "conv 2: 10 × 10", "pooled: 5 × 5"};
    Arena *arena = lesson_arena(lesson);
    Tape *tape = tape_new();
    tape_record(tape, false);
    Tensor *maps[STAGES];
    scores(n, tape, boot, maps);
    Matrix pictures = matrix_new(arena, SHOWN, PIXELS), windows = n->convs[0].weight->value;
    const char *captions[SHOWN] = {NULL};
    fill(pictures, 1.0f); // an empty place is white
    for (int r = 0; r < ROWS; r++) {
        captions[r * COLUMNS + 1] = names[r];
        for (int feature = 0; feature < MAPS_1; feature++) {
            float *picture = matrix_row(pictures, r * COLUMNS + 1 + feature), most = 1e-6f;
            Matrix map = r ? maps[r - 1]->value : windows;
            for (int p = 0; p < map.rows; p++) most = fmaxf(most, fabsf(AT(map, p, feature)));
            draw_map(picture, map, r ? sides[r - 1] : WINDOW, feature, r ? 0.0f : -most, most);
        }
    }
    captions[COLUMNS] = "the picture";
    draw_map(matrix_row(pictures, COLUMNS), matrix_reshape(boot, PIXELS, 1), SIDE, 0, 0.0f, largest(boot));
    tape_free(tape);
    Plot *plot = plot_begin(lesson, "maps.png", "One boot on its way through the layers");
    plot_size(plot, 1200, 800);
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, COLUMNS, 0.0f, 1.0f}, pictures, captions);
    plot_end(
        plot,
        "On top the windows (grey is zero), below them eight features after each layer, each from black (0) "
        "to white (its largest number). The last two layers have sixteen; eight are shown.");
}

/*
"The first layer learns to see edges." Some of ours did. The second window is light above and dark below: it
answers where something bright lies on black, along the sole. The eighth is light on the left and dark on
the right, and answers to the back of the heel; the sixth is dark on top and finds the upper outline. The
others are harder to read than the pictures in books suggest. Going down, the maps become coarse and sparse;
after the last layer each of their pixels stands for a part of the boot, and 400 numbers are all that the
linear layer reads.

## A step to the side

All pictures of the test stand neatly in the middle, as those of the training do. Now we move the first 5000
of them by a few pixels, up, down, left and right, and let the trained networks look again. A person would
hardly notice a shift by two pixels.
*/

enum { FURTHEST = 4, MOVED = 5000 };

// The share right of the test moved by distance pixels, mean over the four directions
static double share_right_moved(const Network *n, Tape *tape, Examples test, Matrix space, int distance)
{
    static const int ways[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    double right = 0.0;
    for (int way = 0; way < 4; way++) {
        shift_pictures(space, test.x, ways[way][0] * distance, ways[way][1] * distance);
        right += share_right(n, tape, (Examples){space, test.labels}) / 4.0;
    }
    return right;
}

// lost receives the points that a shift by 2 pixels costs each network
static void step_aside(Lesson *lesson, const Run runs[3], Examples test, float lost[3])
{
    section(lesson, "A step to the side");
    Arena *arena = lesson_arena(lesson);
    Examples some = {matrix_rows(test.x, 0, MOVED), test.labels};
    Matrix space = matrix_new(arena, MOVED, PIXELS);
    Tape *tape = tape_new();
    float right[3][FURTHEST + 1], steps[FURTHEST + 1];
    printf("%% right when moved by              0      1      2      3      4 pixels\n");
    for (int r = 0; r < 3; r++) {
        printf("%-30s", runs[r].name);
        for (int d = 0; d <= FURTHEST; d++) {
            right[r][d] = 100.0f * (float)share_right_moved(&runs[r].network, tape, some, space, d);
            steps[d] = (float)d;
            printf("%7.1f", (double)right[r][d]);
        }
        printf("\n");
    }
    tape_free(tape);
    printf("\n");
    for (int r = 0; r < 3; r++) lost[r] = right[r][0] - right[r][2];
    claim(lesson, lost[1] < 0.5f * lost[0],
          "a shift by 2 pixels costs the convolutional network less than half of what "
          "it costs the perceptron");
    claim(lesson, right[1][2] >= right[0][2] + 10.0f, "moved by 2 pixels, it is at least 10 points better");
    claim(lesson, right[0][0] - right[0][4] >= 25.0f && right[1][0] - right[1][4] >= 25.0f,
          "moved by 4 pixels, both lose at least 25 points");

    Plot *plot = plot_begin(lesson, "shift.png", "What a step to the side costs");
    plot_axes(plot, "test pictures moved by (pixels)", "test pictures right (%)");
    plot_range_y(plot, 0.0, 100.0);
    for (int r = 0; r < 3; r++) plot_line_points(plot, runs[r].name, steps, right[r], FURTHEST + 1);
    plot_horizontal(plot, "a guess", 10.0);
    plot_end(plot, "Trained on pictures in the middle, tested beside it; mean over four directions.");
}

/*
The convolutional network gives way later, and then it gives way too. Why? The convolutions answer to a
moved boot with moved maps, but the linear layer at the end reads the 5 × 5 places of the last map with
weights of its own for each, and these places are four pixels of the picture apart. Moved by four pixels,
everything stands where another weight expects it.

## Is it the pooling?

"Convolutional networks do not mind shifts, because of pooling." The first half of the sentence is true for
a pixel and false for four. For the second half, look at the third line of the table: the same weights, no
pooling. And we can look inside: move the pictures by one pixel and ask in each layer how much the numbers
change, $\lVert h(\mathrm{shift}(x)) - h(x) \rVert / \lVert h(x) \rVert$.
*/

static void look_at_the_change(Lesson *lesson, const Run runs[3], Matrix x, const float lost[3])
{
    section(lesson, "Is it the pooling?");
    Arena *arena = lesson_arena(lesson);
    Matrix moved = matrix_new(arena, x.rows, PIXELS);
    shift_pictures(moved, x, 0, 1);
    Tape *tape = tape_new();
    tape_record(tape, false);
    Tensor *before[STAGES], *after[STAGES];
    double change[STAGES];
    scores(&runs[1].network, tape, x, before);
    scores(&runs[1].network, tape, moved, after);
    printf("after                             conv 1   pool 1   conv 2   pool 2\n");
    printf("change by a shift of one pixel ");
    for (int s = 0; s < STAGES; s++) {
        Matrix difference = matrix_copy(arena, after[s]->value);
        add_scaled(difference, -1.0f, before[s]->value);
        change[s] = norm(difference) / norm(before[s]->value);
        printf("%9.2f", change[s]);
    }
    tape_free(tape);
    printf("\n\npoints lost by a shift of two: perceptron %.1f, with stride %.1f, with pooling %.1f\n\n",
           (double)lost[0], (double)lost[2], (double)lost[1]);
    claim(lesson, change[1] < change[0] && change[1] >= 0.5 * change[0],
          "the first pooling lessens the change, but at least half of it remains");
    claim(lesson, lost[0] > lost[2] && lost[2] > lost[1],
          "shared weights alone make a shift cheaper, and pooling makes it cheaper again");
}

/*
So the second half of the sentence is half true. Of the points by which the two networks differ, shared
weights bring a third to a half, depending on the seed, and pooling the rest, although a pooling takes only a
quarter off the change. What remains is left to the layers above, which have learned from pictures that were
never all in quite the same place.

## Without neighbours

The network believes in neighbours. Let us take them away: we draw one random order of the 784 pixels and
shuffle every picture, of training and test, into that order. No information is lost, and the order is the
same for all.
*/

static Matrix shuffle_pixels(Arena *arena, Matrix x, const int *order)
{
    Matrix out = matrix_uninitialised(arena, x.rows, x.cols);
    for (int n = 0; n < x.rows; n++)
        for (int i = 0; i < x.cols; i++) AT(out, n, i) = AT(x, n, order[i]);
    return out;
}

static void take_neighbours_away(Lesson *lesson, Run runs[5], Examples training, Examples test)
{
    section(lesson, "Without neighbours");
    enum { SHOWN = 6 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 70);
    int order[PIXELS];
    rng_permutation(&rng, order, PIXELS);
    Examples shuffled = {shuffle_pixels(arena, training.x, order), training.labels};
    Examples shuffled_test = {shuffle_pixels(arena, test.x, order), test.labels};
    Matrix pictures = matrix_new(arena, 2 * SHOWN, PIXELS);
    copy(matrix_rows(pictures, 0, SHOWN), matrix_rows(test.x, 0, SHOWN));
    copy(matrix_rows(pictures, SHOWN, SHOWN), matrix_rows(shuffled_test.x, 0, SHOWN));
    Plot *plot =
        plot_begin(lesson, "shuffled.png", "Six pictures, and the same with their pixels in another order");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, SHOWN, 0.0f, largest(pictures)}, pictures, NULL);
    plot_end(plot, "All pictures are shuffled into the same order. Which of the lower ones are trousers?");

    for (int r = 3; r < 5; r++) train(lesson, &runs[r], shuffled, shuffled_test);
    double lost[2] = {runs[0].right - runs[3].right, runs[1].right - runs[4].right};
    printf("lost by shuffling: perceptron %.2f points, convolutions %.2f\n\n", 100.0 * lost[0],
           100.0 * lost[1]);
    claim(lesson, fabs(lost[0]) <= 0.01,
          "the perceptron does not care about the order of the pixels (within a point)");
    claim(lesson, lost[1] >= 0.02, "the convolutional network loses at least 2 points");
    claim(lesson, runs[3].right > runs[4].right, "without neighbours the perceptron is the better one");
}

/*
For the perceptron nothing has happened: its first layer has a weight for each pixel, wherever it is, and
would find the same network again. (The small difference is that of another random start: the same numbers
meet other pixels.) The convolutional network loses, and falls behind. But look how little it loses: 5 × 5
pixels from anywhere are still 25 pixels, the maps still cover the whole picture, and the linear layer at the
end can read them. A belief that is false is a handicap here, not a catastrophe.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "10-cnn", "Convolution and pooling");
    Arena *arena = lesson_arena(lesson);
    ImageSet clothes = fashion_mnist_load(arena);
    float mean_pixel, deviation;
    image_statistics(clothes.train, &mean_pixel, &deviation);
    Examples training = {image_matrix(arena, clothes.train, 0.0f, deviation), clothes.train_labels};
    Examples test = {image_matrix(arena, clothes.test, 0.0f, deviation), clothes.test_labels};

    check_convolution(lesson);
    show_the_matrix(lesson);
    check_patches(lesson);
    follow_a_shift(lesson, matrix_rows(test.x, 0, 1));
    check_pooling(lesson);
    count_costs(lesson);

    static Run runs[5] = {{.name = "perceptron", .kind = PERCEPTRON, .epochs = 5, .rate = 2e-3f},
                          {.name = "convolution and pooling", .kind = POOLED, .epochs = 3, .rate = 3e-3f},
                          {.name = "convolution with stride 2", .kind = STRIDED, .epochs = 3, .rate = 3e-3f},
                          {.name = "perceptron, shuffled", .kind = PERCEPTRON, .epochs = 5, .rate = 2e-3f},
                          {.name = "convolution, shuffled", .kind = POOLED, .epochs = 3, .rate = 3e-3f}};
    learn_clothes(lesson, runs, training, test);
    look_inside(lesson, &runs[1].network, matrix_rows(test.x, 0, 1));
    float lost[3];
    step_aside(lesson, runs, test, lost);
    look_at_the_change(lesson, runs, matrix_rows(test.x, 0, 1000), lost);
    take_neighbours_away(lesson, runs, training, test);
    return lesson_end(lesson);
}

/*
## What to take along

- A convolution mixes each row of the data, each pixel, with its neighbours on the grid, and uses the same
  weights everywhere. It is a linear layer with most weights zero and the rest shared; a shared weight's
  gradient is a sum.
- With patches as rows it is one matrix product.
- It moves when the picture moves, exactly, away from the edge. It does not stand still. Pooling forgets a
  pixel or so of the place, no more.
- A convolutional network believes that neighbours belong together. Where that is true, few weights are
  enough; where it is false, it is the wrong network.

The next chapter stacks many more of these layers. In chapter 13 the grid has one dimension, time, and the
window comes out of a differential equation; in chapter 15 the neighbours are those of a graph.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade10` tells how far you are,
`make hint10` helps.

- **TASK 10.1** at how many places a window stands.
- **TASK 10.2** what it sees there, as rows.
- **TASK 10.3** convolution.
- **TASK 10.4** its derivatives: of the weights, and of the picture.
- **TASK 10.5** the gradient of max pooling, where windows may overlap.

And without a computer, or with five minutes at one:

1. How large is the part of the picture that one number after the second pooling has seen? Which pixels can
   change it?
2. The gradient of the picture is a convolution of `d_y` too. With which window, which padding, and why is
   the window turned around?
3. Train the perceptron on pictures that are moved by up to two pixels in each minibatch. What happens to
   its curve? What has it had to learn that the convolution was given?
4. A perceptron with 600 hidden units does as many multiply-adds as our network. Is it as good? And how many
   parameters does it have?
5. Replace max pooling by `average_pool`, and then the last linear layer by `global_average_pool` and a
   smaller one. What happens to the accuracy, and what to the accuracy at 4 pixels?
*/
