/*
# Convolution and pooling

The network of [chapter 6](../06-mlp-backprop/README.md) takes an image as 784 numbers in a row. It does not know
that pixel 100 stands beside pixel 101 and above pixel 128. Shuffle the pixels of all images in one and the same
way, and it learns as well as before; we will try. Everybody else would be lost.

This chapter builds a layer that knows what a neighbour is: the **convolution** (卷积). It looks at the
image through a small window, multiplies what it sees with a few weights, and slides on, with *the same*
weights everywhere. You will see

- convolution forwards and backwards in plain loops, and why it is a matrix product in two ways;
- **pooling** (池化), which keeps the strongest answer of a neighbourhood;
- a network of 7 434 parameters that reads clothes as well as one of 101 770;
- what a shift by a few pixels does to both, and how much of the usual explanation is true.

Throughout this course, *rows are positions and columns are features*. All layers so far mixed columns. Here is
the first one that mixes rows: a position with its neighbours on a grid.

You need [chapter 6](../06-mlp-backprop/README.md) and [chapter 7](../07-autograd/README.md).
*/

#include "base/mathf.h"
#include "learning/ops/conv.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/nn.h"

/*
## An edge, by hand

Where does a boot end and the background begin? Where a pixel is much brighter or darker than its neighbour.
Take a window of 3 × 3 pixels, multiply the column on its left by −1, −2, −1 and that on its right by 1, 2, 1,
and add up: on an even ground the sum is zero, on an upright edge it is large. (These nine numbers are Irwin
Sobel's, 1968.) Then slide the window on by a pixel, and do the same.
*/

enum { SIDE = 28, PIXELS = SIDE * SIDE, SEEN = SIDE - 2 };

static const float upright_edge[3][3] = {{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}};

// What the window answers when its upper left corner stands on (i, j)
static float answer(Matrix image, int i, int j)
{
    float sum = 0.0f;
    for (int di = 0; di < 3; di++)
        for (int dj = 0; dj < 3; dj++) sum += upright_edge[di][dj] * AT(image, i + di, j + dj);
    return sum;
}

// The image three times: as it is, with the window drawn in at three places, and what the window answers everywhere
static void draw_window(Lesson *lesson, Matrix image, Matrix answers, const int places[3][2])
{
    Arena *arena = lesson_arena(lesson);
    Matrix drawn = matrix_new(arena, 3, PIXELS);
    float most = fmaxf(largest(answers), -smallest(answers));
    fill(drawn, 0.5f);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            AT(drawn, 0, i * SIDE + j) = AT(drawn, 1, i * SIDE + j) = AT(image, i, j) / 255.0f;
            if (i < SEEN && j < SEEN) // the middle of the window is one further
                AT(drawn, 2, (i + 1) * SIDE + j + 1) = 0.5f + 0.5f * AT(answers, i, j) / most;
        }
    for (int k = 0; k < 3; k++)
        for (int along = -1; along < 4; along++) { // a frame around the 3 × 3 pixels
            int i = places[k][0], j = places[k][1];
            AT(drawn, 1, (i - 1) * SIDE + j + along) = AT(drawn, 1, (i + 3) * SIDE + j + along) = 1.0f;
            AT(drawn, 1, (i + along) * SIDE + j - 1) = AT(drawn, 1, (i + along) * SIDE + j + 3) = 1.0f;
        }
    Plot *plot = plot_begin(lesson, "edges.png", "A window for upright edges slides over a boot");
    plot_size(plot, 1080, 460);
    const char *const captions[] = {"a boot", "the window at three places", "what it answers"};
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, 3, 0.0f, 1.0f}, drawn, captions);
    plot_end(plot,
             "On the right, grey is zero, white an edge from dark to bright, black one from bright to dark.");
}

static void find_edges(Lesson *lesson, Matrix image)
{
    section(lesson, "An edge, by hand");
    static const int places[3][2] = {{2, 3}, {10, 13}, {12, 24}};
    Arena *arena = lesson_arena(lesson);
    Matrix answers = matrix_new(arena, SEEN, SEEN), brighter = matrix_copy(arena, image);
    for (size_t k = 0; k < matrix_size(image); k++) brighter.data[k] += 50.0f;
    int zero = 0;
    float change = 0.0f; // the largest, when the whole image becomes brighter
    for (int i = 0; i < SEEN; i++)
        for (int j = 0; j < SEEN; j++) {
            AT(answers, i, j) = answer(image, i, j);
            zero += AT(answers, i, j) == 0.0f;
            change = fmaxf(change, fabsf(answer(brighter, i, j) - AT(answers, i, j)));
        }
    for (int k = 0; k < 3; k++) {
        int i = places[k][0], j = places[k][1];
        printf("line %2d, column %2d:", i, j);
        for (int line = 0; line < 3; line++)
            printf("   %3.0f %3.0f %3.0f", (double)AT(image, i + line, j), (double)AT(image, i + line, j + 1),
                   (double)AT(image, i + line, j + 2));
        printf("   answer %5.0f\n", (double)AT(answers, i, j));
    }
    printf("\n%d of %d answers are zero\n\n", zero, SEEN * SEEN);
    claim(lesson, change <= 0.01f, "the window does not notice when the whole image becomes brighter");
    claim(lesson,
          AT(answers, places[1][0], places[1][1]) > 0.0f && AT(answers, places[2][0], places[2][1]) < 0.0f,
          "it answers above zero on the left edge of the boot, and below zero on the right one");
    draw_window(lesson, image, answers, places);
}

/*
Nine numbers, and we have a finder of upright edges; transpose the table of nine, and it finds level ones. Nobody
will write such numbers down for sleeves and heels. A convolutional network *learns* them.

## A window that slides

An image of $H \times W$ pixels with $C$ features each (one for grey, three for colour, more inside a
network) is a matrix with a row for each pixel. The **window** (窗口) is $k$ pixels high and wide; its weights
are also called the **kernel** (卷积核). For output feature $o$ at pixel $p$ it computes a weighted sum of
everything in the window:

$$y_{p,o} = b_o + \sum_{t \,\in\, \text{window}} \; \sum_{c} x_{p+t,\,c} \; w_{t,c,o}.$$

The $k^2$ offsets $t$ in the window are its **taps**. Two more words: the **stride** (步幅) says how many
pixels the window moves at a time, and **padding** (填充) puts zeros around the image, so that the window
can stand on its edge. The only work is to find the row of $x$ that lies under a tap. The output has
$\lfloor (H + 2\,\text{padding} - k) / \text{stride} \rfloor + 1$ rows of pixels.

(Signal processing flips the window, both ways, before it slides, and calls what we do *correlation*. The weights
are learned, so it makes no difference here, and the field says convolution.)
*/

// The row of x that lies under a tap of the window when it computes row p of the output; −1: beyond the edge
static int row_under(int p, int tap, Grid in, Grid out, Window window)
{
    int image = p / (out.height * out.width), top = p / out.width % out.height, left = p % out.width;
    int i = top * window.stride + tap / window.width - window.padding;
    int j = left * window.stride + tap % window.width - window.padding;
    bool inside = i >= 0 && i < in.height && j >= 0 && j < in.width;
    return inside ? (image * in.height + i) * in.width + j : -1;
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

/*
## It is a matrix product

A convolution is linear in the image, so there must be a matrix that does the same. To see it, we ask our
loops: we show them images with a single white pixel, one for each place, and write down what comes out.
Image $i$ gives row $i$ of the matrix. We take images of 5 × 5 pixels and a window of 3 × 3 whose
weights are the digits 1 to 9.
*/

static void draw_matrix(Lesson *lesson, Matrix dense)
{
    Matrix drawn = matrix_new(lesson_arena(lesson), dense.cols, dense.rows);
    transpose(drawn, dense);
    Plot *plot = plot_begin(lesson, "matrix.svg", "A convolution, written as a matrix");
    plot_axes(plot, "pixel of the image (5 × 5, row after row)", "pixel of the output (3 × 3)");
    plot_size(plot, 1080, 520);
    plot_cells(plot, drawn, NULL, NULL, 0);
    plot_end(plot,
             "A window of 3 × 3 with the weights 1 to 9. Each line is the window in another place: zeros "
             "where it does not look, and the same nine numbers everywhere.");
}

static void show_the_matrix(Lesson *lesson)
{
    section(lesson, "It is a matrix product");
    enum { SMALL = 25, OUTPUTS = 9, TAPS = 9 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 20);
    Trial basis = trial_new(arena, &rng, (Grid){SMALL, 5, 5}, window_square(3, 1, 0), 1, 1);
    fill(basis.x, 0.0f), fill(basis.b, 0.0f);
    for (int i = 0; i < SMALL; i++) AT(matrix_reshape(basis.x, SMALL, SMALL), i, i) = 1.0f;
    for (int tap = 0; tap < TAPS; tap++) basis.w.data[tap] = (float)(tap + 1);
    convolve_in_loops(basis.y, basis.x, basis.w, basis.b, basis.in, basis.out, basis.window);
    Matrix dense = matrix_reshape(basis.y, SMALL, OUTPUTS);

    int times[TAPS + 1] = {0};
    for (size_t i = 0; i < matrix_size(dense); i++) times[(int)dense.data[i]]++;
    bool shared = true;
    for (int tap = 1; tap <= TAPS; tap++) shared = shared && times[tap] == OUTPUTS;
    printf("%d numbers, of which %d are zero; every weight stands there %d times\n\n", SMALL * OUTPUTS,
           times[0], times[1]);

    // One random image through the loops and through the matrix, with the same nine weights, forwards and back
    Trial t = trial_new(arena, &rng, (Grid){1, 5, 5}, window_square(3, 1, 0), 1, 1);
    copy(t.w, basis.w), fill(t.b, 0.0f);
    convolve_in_loops(t.y, t.x, t.w, t.b, t.in, t.out, t.window);
    convolve_back_in_loops(t.d_x, t.d_w, t.d_b, t.d_y, t.x, t.w, t.in, t.out, t.window);
    Matrix x = matrix_reshape(t.x, 1, SMALL), d_y = matrix_reshape(t.d_y, 1, OUTPUTS);
    Matrix y = matrix_new(arena, 1, OUTPUTS), d_x = matrix_new(arena, 1, SMALL);
    Matrix d_dense = matrix_new(arena, SMALL, OUTPUTS), d_w = matrix_new(arena, TAPS, 1);
    matmul(y, x, dense);
    matmul_nt(d_x, d_y, dense);
    matmul_tn(d_dense, x, d_y);
    for (size_t i = 0; i < matrix_size(dense); i++)
        if (dense.data[i] > 0.0f) d_w.data[(int)dense.data[i] - 1] += d_dense.data[i];
    claim(lesson, shared && times[0] == SMALL * OUTPUTS - TAPS * OUTPUTS,
          "the matrix has 9 different weights, each 9 times, and nothing else");
    claim(lesson,
          largest_difference(y, matrix_reshape(t.y, 1, OUTPUTS)) <= 1e-4f &&
              largest_difference(d_x, matrix_reshape(t.d_x, 1, SMALL)) <= 1e-4f,
          "the image times the matrix is the convolution, and the way back is its transpose");
    claim(lesson, largest_difference(d_w, t.d_w) <= 1e-4f,
          "the gradient of a shared weight is the sum of the gradients of its copies");

    draw_matrix(lesson, dense);
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

The copy is called **im2col**. Numbers are copied up to $k^2$ times (appendix B does without), and in exchange all
the work is one large product, the fastest thing that a computer can do. The way back: $D_W = \mathrm{patches}(X)^\top D_Y$
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

// The largest differences of one trial: loops against patches, and loops against the library, forwards and backwards
static void compare(Arena *arena, const Trial *t, double *by_patches, double *by_library)
{
    Matrix patches = matrix_new(arena, t->y.rows, t->w.rows),
           d_patches = matrix_new(arena, t->y.rows, t->w.rows);
    Matrix y = matrix_new(arena, t->y.rows, t->y.cols), d_w = matrix_new(arena, t->w.rows, t->w.cols);
    Matrix d_x = matrix_new(arena, t->x.rows, t->x.cols);
    patches_in_loops(patches, t->x, t->in, t->out, t->window);
    matmul(y, patches, t->w);
    add_row(y, t->b);
    matmul_tn(d_w, patches, t->d_y);
    matmul_nt(d_patches, t->d_y, t->w);
    patches_to_grid(d_x, d_patches, t->in, t->window);
    *by_patches = fmax(*by_patches, (double)largest_difference(y, t->y));
    *by_patches = fmax(*by_patches, (double)largest_difference(d_w, t->d_w));
    *by_patches = fmax(*by_patches, (double)largest_difference(d_x, t->d_x));

    Tape *tape = tape_new();
    Tensor *x = tape_variable(tape, t->x), *w = tape_variable(tape, t->w), *b = tape_variable(tape, t->b);
    Tensor *fast = conv2d(x, w, b, t->in, t->window);
    backward_from(fast, t->d_y);
    *by_library = fmax(*by_library, (double)largest_difference(fast->value, t->y));
    *by_library = fmax(*by_library, (double)largest_difference(x->gradient, t->d_x));
    *by_library = fmax(*by_library, (double)largest_difference(w->gradient, t->d_w));
    *by_library = fmax(*by_library, (double)largest_difference(b->gradient, t->d_b));
    tape_free(tape);
}

static void check_convolution(Lesson *lesson)
{
    section(lesson, "Windows as rows");
    static const struct {
        Grid in;
        Window window;
        int channels, outputs;
    } sizes[] = {{{2, 7, 5}, {3, 3, 1, 0, 1}, 1, 4},
                 {{1, 6, 9}, {5, 5, 1, 2, 1}, 3, 2},
                 {{3, 11, 8}, {3, 2, 2, 1, 1}, 5, 7},
                 {{2, 4, 3}, {1, 1, 1, 0, 1}, 6, 5}};
    double by_patches = 0.0, by_library = 0.0;
    printf("images          window   stride  padding   out\n");
    for (int s = 0; s < 4; s++) {
        Rng rng = lesson_rng(lesson, 10 + (uint64_t)s);
        Trial t = trial_new(lesson_arena(lesson), &rng, sizes[s].in, sizes[s].window, sizes[s].channels,
                            sizes[s].outputs);
        convolve_in_loops(t.y, t.x, t.w, t.b, t.in, t.out, t.window);
        convolve_back_in_loops(t.d_x, t.d_w, t.d_b, t.d_y, t.x, t.w, t.in, t.out, t.window);
        compare(lesson_arena(lesson), &t, &by_patches, &by_library);
        printf("%d × %2d × %d × %d   %d × %d %8d %8d   %d × %d × %d × %d\n", t.in.count, t.in.height,
               t.in.width, t.x.cols, t.window.height, t.window.width, t.window.stride, t.window.padding,
               t.out.count, t.out.height, t.out.width, t.y.cols);
    }
    printf("\n");
    claim(lesson, by_patches <= 1e-4,
          "patches times weights is the convolution of the loops, forwards and backwards, to 1e-4");
    claim(lesson, by_library <= 1e-4,
          "and so is the library's: four convolutions and all their gradients, to 1e-4");
}

/*
The last line of the table is a window of one pixel: it mixes no rows at all, and *is* the linear layer of
chapter 6, applied to each pixel.

## Where a shift goes

The same weights everywhere have a consequence. Move the image one pixel down and two to the right: every
window finds, one down and two to the right, exactly what it saw before. So the output moves along:
$\mathrm{conv}(\mathrm{shift}(x)) = \mathrm{shift}(\mathrm{conv}(x))$. This is **equivariance** (等变性),
and it is often confused with **invariance** (不变性), where the output would *stay*. A convolution is not
invariant at all.

Nor is it quite equivariant: at the edge the window sees padding, and padding does not move. We take a boot,
eight random windows of 5 × 5 with a padding of 2, and look.
*/

// images (N × 784) → out, each moved down and right by so many pixels; what comes in is black
static void shift_images(Matrix out, Matrix images, int down, int right)
{
    for (int n = 0; n < out.rows; n++)
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                int from_i = i - down, from_j = j - right;
                bool inside = from_i >= 0 && from_i < SIDE && from_j >= 0 && from_j < SIDE;
                AT(out, n, i * SIDE + j) = inside ? AT(images, n, from_i * SIDE + from_j) : 0.0f;
            }
}

// Whether a window that reaches so far around pixel p sees the same in two images: among our windows, only background
static bool sees_the_same(Matrix one, Matrix other, int p, int reach)
{
    for (int i = p / SIDE - reach; i <= p / SIDE + reach; i++)
        for (int j = p % SIDE - reach; j <= p % SIDE + reach; j++)
            if (i >= 0 && i < SIDE && j >= 0 && j < SIDE &&
                one.data[i * SIDE + j] != other.data[i * SIDE + j])
                return false;
    return true;
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
    shift_images(matrix_reshape(t.x, 1, PIXELS), boot, DOWN, RIGHT);
    convolve_in_loops(moved_y, t.x, t.w, t.b, t.in, t.out, t.window);

    double inside = 0.0, edge = 0.0; // the largest differences
    int stayed = 0, without_reason = 0;
    for (int p = 0; p < PIXELS; p++)
        for (int o = 0; o < t.y.cols; o++) {
            int i = p / SIDE, j = p % SIDE;
            stayed += AT(moved_y, p, o) == AT(t.y, p, o);
            without_reason += AT(moved_y, p, o) == AT(t.y, p, o) && !sees_the_same(boot, t.x, p, REACH);
            if (i < DOWN || j < RIGHT) continue;
            double along = fabs((double)(AT(moved_y, p, o) - AT(t.y, p - DOWN * SIDE - RIGHT, o)));
            bool interior = i >= DOWN + REACH && i < SIDE - REACH && j >= RIGHT + REACH && j < SIDE - REACH;
            if (interior) inside = fmax(inside, along);
            if (!interior) edge = fmax(edge, along);
        }
    printf("largest difference between the maps of a boot and of the boot moved by (1, 2)\n");
    printf("moved along, interior  %8.4f\nmoved along, edge      %8.4f\n", inside, edge);
    printf("%d of %d numbers of the map are the same as before, %d of them though their window sees "
           "something else\n\n",
           stayed, PIXELS * t.y.cols, without_reason);
    claim(lesson, inside == 0.0, "away from the edge a convolution moves with the image, to the last bit");
    claim(lesson, edge > 0.0, "at the edge it does not");
    claim(lesson, without_reason == 0 && stayed < PIXELS * t.y.cols,
          "and it stays as it was only where the window sees the same as before");
}

/*
## Pooling

The label of an image should not change when the boot moves. Somewhere on the way from moving maps to an
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

static void pool_moved_noise(Lesson *lesson, Rng *rng)
{
    Arena *arena = lesson_arena(lesson);
    enum { HIGH = 300, WIDE = 300, STEPS = 3 };
    Matrix noise = matrix_new(arena, HIGH, WIDE + STEPS), x = matrix_new(arena, HIGH * WIDE, 1);
    Grid in = {1, HIGH, WIDE}, out = window_grid(HERE, in, halve);
    Matrix y[STEPS];
    int *chosen = arena_alloc(arena, (size_t)grid_rows(out), sizeof *chosen);
    fill_normal(noise, rng, 0.0f, 1.0f);
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

    pool_moved_noise(lesson, &rng);
}

/*
One third, of one pixel. Real images are smoother than noise, and more stays; but whoever says that
pooling makes a network invariant to shifts should say how little. We come back to that.

## A small network

Now we stack: convolution, pooling, convolution, pooling, and a linear layer that reads what is left. It is
the plan of LeNet, by Yann LeCun and others, from 1989. The maps become smaller and more numerous: *where*
is traded for *what*.

Beside it stands the network of chapter 6 with 128 hidden units, and two more for questions that we will have.
One has no pooling; its windows move by two pixels instead. The other pools by the mean of the four pixels
instead of the largest. Both have as many parameters as the first, to the last one.
*/

enum { CLASSES = 10, HIDDEN = 128, MAPS_1 = 8, MAPS_2 = 16, WINDOW = 5, LAST = 5 * 5 * MAPS_2, STAGES = 4 };

typedef enum { PERCEPTRON, POOLED, STRIDED, AVERAGED } Kind;

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
        if (n->kind == POOLED) h = max_pool(h, grid, halve);
        if (n->kind == AVERAGED) h = average_pool(h, grid, halve);
        if (n->kind != STRIDED) grid = window_grid(HERE, grid, halve);
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
    int work = 0;
    printf("layer                                 numbers out   parameters   multiply-adds\n");
    for (int l = 0; l < LAYERS; l++) {
        int weights = layers[l].inputs * layers[l].outputs;
        work += layers[l].positions * weights;
        printf("%-38s%11d%13d%16d\n", layers[l].name, layers[l].positions * layers[l].outputs,
               weights + layers[l].outputs, layers[l].positions * weights);
        if (l < LAYERS - 1 && layers[l + 1].kind == layers[l].kind) continue;
        Rng rng = lesson_rng(lesson, 60);
        Network n = network_new(lesson_arena(lesson), layers[l].kind, &rng);
        printf("%-49s%13zu%16d\n\n", "together", parameters_size(&n.parameters), work);
        work = 0;
    }
}

/*
Thirteen times fewer parameters, and almost five times the work: sharing saves memory, not work. Each weight
works at hundreds of pixels.

How much of the image has one number seen? The part that can change it is its **receptive field** (感受野). A
window of 5 sees 5 pixels in each direction. A pooling of 2 adds one, 6, and from here on neighbours are 2 pixels
apart: a second window of 5 adds $4 \cdot 2$, 14, and the second pooling $1 \cdot 2$, **16**. We can ask the network:
change each pixel by itself and see whether the number in the middle of the last map moves. So that nothing
hides a change, all weights are made positive, and the pooling takes the mean.
*/

static void look_how_far(Lesson *lesson)
{
    section(lesson, "The receptive field");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 61);
    Network n = network_new(arena, AVERAGED, &rng);
    for (int l = 0; l < 2; l++)
        for (size_t k = 0; k < matrix_size(n.convs[l].weight->value); k++)
            n.convs[l].weight->value.data[k] = 0.1f;
    Matrix images = matrix_new(arena, 1 + PIXELS, PIXELS); // black, and each with one white pixel
    for (int p = 0; p < PIXELS; p++) AT(images, 1 + p, p) = 1.0f;
    Tape *tape = tape_new();
    tape_record(tape, false);
    Tensor *maps[STAGES];
    scores(&n, tape, images, maps);
    enum { PLACES = 25, MIDDLE = 12 }; // of the last map, 5 × 5
    int low = SIDE, high = -1, changing = 0;
    for (int p = 0; p < PIXELS; p++) {
        if (AT(maps[3]->value, (1 + p) * PLACES + MIDDLE, 0) == AT(maps[3]->value, MIDDLE, 0)) continue;
        low = int_min(low, p % SIDE), high = int_max(high, p % SIDE), changing++;
    }
    tape_free(tape);
    printf("columns %d to %d, %d pixels in all\n\n", low, high, changing);
    claim(lesson, high - low + 1 == 16 && changing == 16 * 16,
          "16 × 16 pixels, and no others, can change a number after the second pooling");
}

/*
## Clothes

The training is that of [chapter 9](../09-resnet/README.md): Adam, a short warm-up, a cosine; minibatches of 64.
Three epochs for the convolutions, and five for the perceptron, which needs more of them and is cheap. One thing
is different. The pixels are divided by their deviation as always, but their mean is *not* subtracted: black must
stay the zero that padding puts around an image. Otherwise the windows at the edge see a frame.
*/

typedef struct {
    Matrix x; // (N × 784)
    const int *labels;
} Examples;

static double fraction_right(const Network *n, Tape *tape, Examples e)
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
    run->right = fraction_right(&run->network, tape, test);
    printf("%-32s loss %.3f at the end, %5.2f %% of the test right\n", run->name, last, 100.0 * run->right);
    tape_free(tape);
}

// Trained on images in the middle, one for each kind, and then on shuffled ones
enum { CENTRED = AVERAGED + 1, SHUFFLED_PERCEPTRON = CENTRED, SHUFFLED_CONVOLUTION, RUNS };

static void learn_clothes(Lesson *lesson, Run *runs, Examples training, Examples test)
{
    section(lesson, "Clothes");
    for (int r = 0; r < CENTRED; r++) train(lesson, &runs[r], training, test);
    printf("\n");
    claim(lesson, runs[POOLED].right >= (lesson_full(lesson) ? 0.90 : 0.885),
          "the convolutional network gets at least %s %% right", lesson_full(lesson) ? "90" : "88.5");
    claim(lesson, runs[POOLED].right >= runs[PERCEPTRON].right - 0.01,
          "with 7434 parameters it is within a point of the perceptron with 101770, or better");
}

/*
About the same accuracy, with 13 times fewer parameters. The one with strides does about as many multiply-adds
as the perceptron, and is about as good; pooling by the mean costs a point. With four times the epochs (`make
chapter10 FULL=1`) we measured 89.6 % for the perceptron, 90.2 % with max pooling and 89.6 % with strides.

## What it looks at

The eight windows of the first layer are images of 5 × 5 that we can look at, and below each stands what
it makes of a boot, on its way up through the layers.
*/

// One feature of a map (side·side × C), drawn as 28 × 28 with low as 0 and high as 1
static void draw_map(float *image, Matrix map, int side, int feature, float low, float high)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            image[i * SIDE + j] =
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
    Matrix images = matrix_new(arena, SHOWN, PIXELS), windows = n->convs[0].weight->value;
    const char *captions[SHOWN] = {NULL};
    fill(images, 1.0f); // an empty place is white
    for (int r = 0; r < ROWS; r++) {
        captions[r * COLUMNS + 1] = names[r];
        for (int feature = 0; feature < MAPS_1; feature++) {
            float *image = matrix_row(images, r * COLUMNS + 1 + feature), most = 1e-6f;
            Matrix map = r ? maps[r - 1]->value : windows;
            for (int p = 0; p < map.rows; p++) most = fmaxf(most, fabsf(AT(map, p, feature)));
            draw_map(image, map, r ? sides[r - 1] : WINDOW, feature, r ? 0.0f : -most, most);
        }
    }
    captions[COLUMNS] = "the image";
    draw_map(matrix_row(images, COLUMNS), matrix_reshape(boot, PIXELS, 1), SIDE, 0, 0.0f, largest(boot));
    tape_free(tape);
    Plot *plot = plot_begin(lesson, "maps.png", "One boot on its way through the layers");
    plot_size(plot, 1200, 800);
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, COLUMNS, 0.0f, 1.0f}, images, captions);
    plot_end(
        plot,
        "On top the windows (grey is zero), below them eight features after each layer, each from black (0) "
        "to white (its largest number). The last two layers have sixteen; eight are shown.");
}

/*
"The first layer learns to see edges." Some of ours did. The second window is light above and dark below: it
answers where something bright lies on black, along the sole. The eighth is light on the left and dark on
the right, and answers to the back of the heel; the sixth is dark on top and finds the upper outline. The
others are harder to read than the images in books suggest. Going down, the maps become coarse and sparse;
after the last layer each of their pixels stands for a part of the boot, and 400 numbers are all that the
linear layer reads.

## A step to the side

All images of the test stand neatly in the middle, as those of the training do. Now we move the first 5000
of them by a few pixels, up, down, left and right, and let the trained networks look again. A person would
hardly notice a shift by two pixels.
*/

enum { FURTHEST = 4, MOVED = 5000 };

// The fraction right of the test moved by distance pixels, mean over the four directions
static double fraction_right_moved(const Network *n, Tape *tape, Examples test, Matrix space, int distance)
{
    static const int ways[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    double right = 0.0;
    for (int way = 0; way < 4; way++) {
        shift_images(space, test.x, ways[way][0] * distance, ways[way][1] * distance);
        right += fraction_right(n, tape, (Examples){space, test.labels}) / 4.0;
    }
    return right;
}

// lost receives the points that a shift by 2 pixels costs each network
static void step_aside(Lesson *lesson, const Run *runs, Examples test, float lost[CENTRED])
{
    section(lesson, "A step to the side");
    Arena *arena = lesson_arena(lesson);
    Examples some = {matrix_rows(test.x, 0, MOVED), test.labels};
    Matrix space = matrix_new(arena, MOVED, PIXELS);
    Tape *tape = tape_new();
    float right[CENTRED][FURTHEST + 1], steps[FURTHEST + 1];
    double whole[FURTHEST + 1];
    const char *whole_names[FURTHEST + 1] = {"0", "1", "2", "3", "4"};
    printf("%% right when moved by              0      1      2      3      4 pixels\n");
    for (int r = 0; r < CENTRED; r++) {
        printf("%-30s", runs[r].name);
        for (int d = 0; d <= FURTHEST; d++) {
            right[r][d] = 100.0f * (float)fraction_right_moved(&runs[r].network, tape, some, space, d);
            steps[d] = (float)d, whole[d] = d;
            printf("%7.1f", (double)right[r][d]);
        }
        printf("\n");
        lost[r] = right[r][0] - right[r][2];
    }
    tape_free(tape);
    printf("\n");
    claim(lesson, lost[POOLED] < 0.5f * lost[PERCEPTRON],
          "a shift by 2 pixels costs the convolutional network less than half of what "
          "it costs the perceptron");
    claim(lesson, right[POOLED][0] - right[POOLED][4] > lost[PERCEPTRON],
          "but a shift by 4 pixels costs it more than one by 2 costs the perceptron");

    Plot *plot = plot_begin(lesson, "shift.svg", "What a step to the side costs");
    plot_axes(plot, "test images moved by (pixels)", "test images right (%)");
    plot_range_y(plot, 0.0, 100.0);
    plot_x_ticks(plot, whole, whole_names, FURTHEST + 1);
    plot_legend(plot, "outside");
    for (int r = 0; r < CENTRED; r++) plot_line_points(plot, runs[r].name, steps, right[r], FURTHEST + 1);
    plot_horizontal(plot, "a guess", 10.0);
    plot_end(plot, "Trained on images in the middle, tested beside it; mean over four directions.");
}

/*
The convolutional network gives way later, and then it gives way too. Why? The convolutions answer to a
moved boot with moved maps, but the linear layer at the end reads the 5 × 5 pixels of the last map with
weights of its own for each, and these are four pixels of the image apart. Moved by four pixels, everything
stands where another weight expects it.

## Is it the pooling?

"Convolutional networks do not mind shifts, because of max pooling." The first half of the sentence is true for
a pixel and false for four. For the second half, look at the other lines of the table: one network has as many
weights and no pooling, the other pools by the mean. And we can look inside: move the images by one pixel and
ask in each layer how much the numbers change, $\lVert h(\mathrm{shift}(x)) - h(x) \rVert / \lVert h(x) \rVert$.
*/

static void look_at_the_change(Lesson *lesson, const Run *runs, Matrix x, const float lost[CENTRED])
{
    section(lesson, "Is it the pooling?");
    Arena *arena = lesson_arena(lesson);
    Matrix moved = matrix_new(arena, x.rows, PIXELS);
    shift_images(moved, x, 0, 1);
    Tape *tape = tape_new();
    tape_record(tape, false);
    Tensor *before[STAGES], *after[STAGES];
    double change[STAGES];
    scores(&runs[POOLED].network, tape, x, before);
    scores(&runs[POOLED].network, tape, moved, after);
    printf("after                             conv 1   pool 1   conv 2   pool 2\n");
    printf("change by a shift of one pixel ");
    for (int s = 0; s < STAGES; s++) {
        Matrix difference = matrix_copy(arena, after[s]->value);
        add_scaled(difference, -1.0f, before[s]->value);
        change[s] = norm(difference) / norm(before[s]->value);
        printf("%9.2f", change[s]);
    }
    tape_free(tape);
    printf("\n\npoints lost by a shift of two: perceptron %.1f, with stride %.1f, pooling by the mean %.1f, "
           "by the "
           "maximum %.1f\n\n",
           (double)lost[PERCEPTRON], (double)lost[STRIDED], (double)lost[AVERAGED], (double)lost[POOLED]);
    claim(lesson, change[1] < change[0] && change[3] < change[2], "each pooling lessens the change");
    claim(lesson, lost[PERCEPTRON] > lost[STRIDED] && lost[STRIDED] > fmaxf(lost[POOLED], lost[AVERAGED]),
          "shared weights alone make a shift cheaper, and pooling of either kind makes it cheaper again");
}

/*
So the second half of the sentence is half true. Shared weights bring a part of it, pooling another part,
although a pooling takes only a quarter off the change; and that it is the *maximum* has little to do with it,
the mean does nearly as well. What remains is left to the layers above, which have learned from images that were never
all in quite the same place.

## Without neighbours

The network believes in neighbours. Let us take them away: we draw one random order of the 784 pixels and
shuffle every image, of training and test, into that order. No information is lost, and the order is the
same for all.
*/

static Matrix shuffle_pixels(Arena *arena, Matrix x, const int *order)
{
    Matrix out = matrix_uninitialised(arena, x.rows, x.cols);
    for (int n = 0; n < x.rows; n++)
        for (int i = 0; i < x.cols; i++) AT(out, n, i) = AT(x, n, order[i]);
    return out;
}

static void take_neighbours_away(Lesson *lesson, Run *runs, Examples training, Examples test)
{
    section(lesson, "Without neighbours");
    enum { SHOWN = 6 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 70);
    int order[PIXELS];
    rng_permutation(&rng, order, PIXELS);
    Examples shuffled = {shuffle_pixels(arena, training.x, order), training.labels};
    Examples shuffled_test = {shuffle_pixels(arena, test.x, order), test.labels};
    Matrix images = matrix_new(arena, 2 * SHOWN, PIXELS);
    copy(matrix_rows(images, 0, SHOWN), matrix_rows(test.x, 0, SHOWN));
    copy(matrix_rows(images, SHOWN, SHOWN), matrix_rows(shuffled_test.x, 0, SHOWN));
    Plot *plot =
        plot_begin(lesson, "shuffled.png", "Six images, and the same with their pixels in another order");
    plot_images(plot, (PlotImages){SIDE, SIDE, 1, SHOWN, 0.0f, largest(images)}, images, NULL);
    plot_end(plot, "All images are shuffled into the same order. Which of the lower ones are trousers?");

    for (int r = CENTRED; r < RUNS; r++) train(lesson, &runs[r], shuffled, shuffled_test);
    double perceptron = runs[PERCEPTRON].right - runs[SHUFFLED_PERCEPTRON].right;
    double convolution = runs[POOLED].right - runs[SHUFFLED_CONVOLUTION].right;
    printf("lost by shuffling: perceptron %.2f points, convolutions %.2f\n\n", 100.0 * perceptron,
           100.0 * convolution);
    claim(lesson, fabs(perceptron) <= 0.01,
          "the perceptron does not care about the order of the pixels (within a point)");
    claim(lesson, convolution > 0.01, "the convolutional network does: it loses more than that");
    claim(lesson, runs[SHUFFLED_PERCEPTRON].right > runs[SHUFFLED_CONVOLUTION].right,
          "without neighbours the perceptron is the better one");
}

/*
For the perceptron nothing has happened: its first layer has a weight for each pixel, wherever it is, and
would find the same network again. (The small difference is that of another random start: the same numbers
meet other pixels.) The convolutional network loses, and falls behind. But look how little it loses: 5 × 5
pixels from anywhere are still 25 pixels, the maps still cover the whole image, and the linear layer at the
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

    Matrix boot = image_matrix(arena, image_range(clothes.test, 0, 1), 0.0f, 1.0f / 255.0f); // 0 to 255
    find_edges(lesson, matrix_reshape(boot, SIDE, SIDE));
    show_the_matrix(lesson);
    check_convolution(lesson);
    follow_a_shift(lesson, matrix_rows(test.x, 0, 1));
    check_pooling(lesson);
    count_costs(lesson);
    look_how_far(lesson);

    static Run runs[RUNS] = {
        [PERCEPTRON] = {.name = "perceptron", .kind = PERCEPTRON, .epochs = 5, .rate = 2e-3f},
        [POOLED] = {.name = "convolution and max pooling", .kind = POOLED, .epochs = 3, .rate = 3e-3f},
        [STRIDED] = {.name = "convolution with stride 2", .kind = STRIDED, .epochs = 3, .rate = 3e-3f},
        [AVERAGED] = {.name = "convolution and mean pooling", .kind = AVERAGED, .epochs = 3, .rate = 3e-3f},
        [SHUFFLED_PERCEPTRON] = {.name = "perceptron, shuffled",
                                 .kind = PERCEPTRON,
                                 .epochs = 5,
                                 .rate = 2e-3f},
        [SHUFFLED_CONVOLUTION] = {
            .name = "convolution, shuffled", .kind = POOLED, .epochs = 3, .rate = 3e-3f}};
    learn_clothes(lesson, runs, training, test);
    look_inside(lesson, &runs[POOLED].network, matrix_rows(test.x, 0, 1));
    float lost[CENTRED];
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
- It moves when the image moves, exactly, away from the edge. It does not stand still. Pooling, by the maximum
  or the mean, forgets a pixel or so of where something was, no more.
- What one number has seen, its receptive field, grows with every window and doubles its growth with every
  pooling.
- A convolutional network believes that neighbours belong together. Where that is true, few weights are
  enough; where it is false, it is the wrong network.

[Chapter 11](../11-alexnet-to-resnet/README.md) stacks many more of these layers. In chapter 13 the grid has one
dimension, time, and the window comes out of a differential equation; in chapter 15 the neighbours are those of a
graph.

## Check yourself

**1.** A convolution has windows of 3 × 3, 16 features in, 32 out, and a padding of 1. How many parameters has it,
and how many multiply-adds does it take for an image of 28 × 28? What changes if the images are twice as high and
twice as wide?

<details><summary>Answer</summary>

$3 \cdot 3 \cdot 16 \cdot 32 + 32 = 4\,640$ parameters and $4\,608 \cdot 784 = 3.6$ million multiply-adds. With the
larger images the parameters stay and the work is four times as much: the same weights are used at four times as
many pixels.

</details>

**2.** How many places has a window of 5 × 5 with stride 2 and padding 2 on an image of 28 × 28? And of 27 × 27?

<details><summary>Answer</summary>

$\lfloor (28 + 4 - 5)/2 \rfloor + 1 = 14$ in each direction, and $\lfloor (27 + 4 - 5)/2 \rfloor + 1 = 14$ again.
In the first case the last line of the padding is never seen: rounding down throws it away without a word.

</details>

**3.** Max pooling with windows of 3 × 3 that touch each other, on pure noise. Which part of the pooled numbers
stays when the noise moves by one pixel? By two? By three?

<details><summary>Answer</summary>

The old and the new window have 6 pixels in common, and 12 in all. The number stays when the largest of the 12 is
one of the 6: one half. After two pixels they have 3 of 15 in common, one fifth. After three nothing is left, but
now every window sees what its neighbour saw: the pooled map has moved by one. The rule of the page gave 2 of 6 for
windows of 2 × 2, and 33.5 % were measured.

</details>

**4.** A third convolution of 5 × 5 and a third pooling are put on top of our network (suppose the map were large
enough). How large is the receptive field then?

<details><summary>Answer</summary>

After the second pooling it is 16, and neighbours are 4 pixels apart. The window adds $4 \cdot 4$, 32, and the
pooling $1 \cdot 4$, 36: more than the whole image. Each pooling doubles what the next window adds.

</details>

**5.** The pixels of all images are shuffled in the same way. Which of the two networks loses what, and why does
the loser not lose everything?

<details><summary>Answer</summary>

The perceptron loses nothing (it gained 0.4 points, which is chance): it never knew which pixels are neighbours.
The convolutional network lost 2.9 points. Its windows still see 25 pixels each, all pixels are seen by some
window, and the linear layer at the end has weights of its own for every place; what it cannot use any more is that
one pattern occurs in many places.

</details>

## Sources

- I. Sobel, G. Feldman, *A 3 × 3 isotropic gradient operator for image processing*, a talk at Stanford, 1968: the
  nine numbers.
- K. Fukushima, *Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition
  unaffected by shift in position*, 1980: windows that slide, and pooling.
- Y. LeCun and others, *Backpropagation applied to handwritten zip code recognition*, 1989: trained end to end;
  *Gradient-based learning applied to document recognition*, 1998: LeNet-5, with pooling by the mean.
- A. Azulay, Y. Weiss, *Why do deep convolutional networks generalize so poorly to small image transformations?*,
  2019: how little of a shift they forgive.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST*, 2017.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade10` tells how far you are, `make
hint10` helps.

- **TASK 10.1** at how many places a window stands.
- **TASK 10.2** what it sees there, as rows.
- **TASK 10.3** convolution.
- **TASK 10.4** its derivatives: of the weights, and of the image.
- **TASK 10.5** the gradient of max pooling, where windows may overlap.

And without a computer, or with five minutes at one:

**1.** How large is the receptive field of a number after the second convolution of the network with strides? Which
of its pixels can change a number after *max* pooling, and which cannot at the moment?

<details><summary>Answer</summary>

The first window sees 5 pixels; its neighbours are 2 apart, so the second adds $4 \cdot 2$: 13. After max pooling
only the winners count at the moment: a small change of a pixel outside their windows does nothing, until it is
large enough to make another number the winner. The receptive field is what *can* change a number; what does change
it is less.

</details>

**2.** The gradient of the image is a convolution of `d_y` too. With which window, which padding, and why is the
window flipped?

<details><summary>Answer</summary>

With the same weights, flipped both ways, with inputs and outputs exchanged, and (for stride 1) a padding of $k -
1$ less the padding of the way forward. Pixel $q$ was seen through tap $t$ by the output at $p = q - t$, so its
gradient gathers $d_y$ from $q - t$: what was to the right of the window's corner on the way forward is to the left
of the pixel on the way back.

</details>

**3.** Train the perceptron on images that are moved by up to two pixels in each minibatch. What happens to its
curve? What has it had to learn that the convolution was given?

<details><summary>Answer</summary>

We moved each image by −2 to 2 pixels in both directions, for five epochs. In the middle it gets 85.9 % of the
5,000 images right (88.0 before), moved by two pixels 84.2 % (65.9 before), by four 59.5 % (39.2). With 20 epochs
the three become 86.8, 86.0 and 63.0. It has to learn each pattern anew in every place, with weights of its own
there, and pays for it in the middle.

</details>

**4.** A perceptron with 600 hidden units does as many multiply-adds as our network. Is it as good? And how many
parameters does it have?

<details><summary>Answer</summary>

$784 \cdot 600 + 600 \cdot 10 = 476\,400$ multiply-adds (the convolutions: 480,800), and 477,010 parameters, 64
times as many. In five epochs we measured 88.7 %, at a rate of 0.002 and at half of it, against 88.9 %: as good in
the middle. Moved by two pixels it gets 67 %, the convolutions 80 %.

</details>

**5.** Replace the last linear layer by `global_average_pool` and a smaller one. What happens to the accuracy, and
what to the accuracy at 4 pixels?

<details><summary>Answer</summary>

The linear layer then reads 16 means instead of 400 numbers, and no longer knows where anything is. We measured
83.3 % in the middle after three epochs (at a rate of 0.01; 79.1 % at 0.003) and 62.2 % at four pixels; after
twelve epochs 86.8 and 70.8 %, where our network has 88.9 and 50.6 %. Where a thing is was worth something;
forgetting it makes the network learn more slowly, and a shift cheaper.

</details>

**6.** Which nine numbers find level edges? Which find single bright pixels?

<details><summary>Answer</summary>

The same table transposed, −1 −2 −1 above, zeros, 1 2 1 below. And 8 in the middle with −1 all around: the sum is
zero on even ground, 8 times the brightness on a single bright pixel, and only 3 times beside a straight edge.

</details>
*/
