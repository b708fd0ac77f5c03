/*
# Linear regression

A doctor measures ten things about a patient today. How ill will the patient be in a year? Nobody knows a
formula for this, but there are records of 442 people for whom both are known: the ten measurements, and the
state of their diabetes one year later. In this chapter we let a computer find the formula in the records.

The formula will be the simplest there is: multiply each measurement by a number, and add up. Everything
else in this course grows out of how those numbers are found, so we look at it from all sides:

- what a **model** (模型), a **loss** (损失) and a **gradient** (梯度) are, and how **gradient descent**
  (梯度下降) uses them;
- how large a step may be and how fast it leads down, both predicted *before* we take it;
- how the answer can be written down in one line, and why we will hardly ever be so lucky again;
- why looking at a few examples at a time is faster, and what it costs;
- how we know whether any of it works on people the computer has not seen, and what happens when it does
  not.

You need a little C and the mathematics of school. A *matrix* is a table of numbers; that is all you have to
know about it.

This page is a program. The prose stands in its comments, and below each piece of code you see what that
piece printed. Type `make chapter1` to run it: your numbers will be these numbers, to the last digit.
*/

#include "base/mathf.h"
#include "files/csv.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/eigen.h"
#include "matrix/matrix.h"

enum { FEATURES = 10, MAX_COLUMNS = 16 };

/*
## The data

The table was published with a paper on regression by Efron, Hastie, Johnstone and Tibshirani (*Least Angle
Regression*, 2004). Each row is a person. Ten columns are **features** (特征): age, sex, body mass index,
blood pressure, and six measurements of the blood serum called s1 … s6. The eleventh is the **target**
(目标): a score of how far the disease has come one year later, from 25 to 346.

Throughout this course *rows are positions, columns are features*. Here a position is a person; later it
will be a pixel, a moment, a word. We write $X$ for the table of features ($n \times d$: $n$ people, $d$
features) and $y$ for the column of targets ($n \times 1$).
*/

// n examples: features x (n × d) and targets y (n × 1)
typedef struct {
    Matrix x, y;
} Examples;

static const char *const feature_names[FEATURES] = {"age", "sex", "bmi", "bp", "s1",
                                                    "s2",  "s3",  "s4",  "s5", "s6"};

static Examples look_at_the_data(Lesson *lesson)
{
    section(lesson, "The data");
    Arena *arena = lesson_arena(lesson);
    Csv table = csv_read(arena, "datasets/diabetes.csv");
    Examples people = {csv_numbers(arena, table, "age", "s6"),
                       csv_numbers(arena, table, "progression", "progression")};

    printf("%d people, %d features\n\n", people.x.rows, people.x.cols);
    printf("             smallest     mean  largest\n");
    for (int j = 0; j < table.cols; j++) {
        Matrix column = csv_numbers(arena, table, table.names[j], table.names[j]);
        printf("%-12s %8.1f %8.1f %8.1f\n", table.names[j], (double)smallest(column), mean(column),
               (double)largest(column));
    }
    return people;
}

/*
The columns live on different scales: blood pressure is near 95, s4 near 4. A number that must be multiplied
by a large feature has to be small, and one that goes with a small feature large; we will see that this
alone can make learning hopelessly slow. So we measure every feature in its own units: subtract its mean,
and divide by its **standard deviation** (标准差), the typical distance from the mean. This is
**standardisation** (标准化). Afterwards every column has mean 0 and deviation 1, and a weight says: *if
this feature is one typical step higher, the target moves by so much*.

We treat the target in the same way. Then the formula needs no constant term: an average person has an
average target.

One rule matters more than it seems. Some people are held out to test the formula later, and the means and
deviations come from the others only. Whoever computes them from everybody has already peeked.
*/

// The mean and the deviation of each column (1 × d)
typedef struct {
    Matrix mean, deviation;
} Scale;

static Scale measure(Arena *arena, Matrix m)
{
    Scale scale = {matrix_new(arena, 1, m.cols), matrix_new(arena, 1, m.cols)};
    column_means(scale.mean, m);
    column_variances(scale.deviation, m);
    for (int j = 0; j < m.cols; j++) scale.deviation.data[j] = sqrtf(scale.deviation.data[j]);
    return scale;
}

static void standardise(Matrix m, Scale scale)
{
    subtract_row(m, scale.mean);
    divide_row(m, scale.deviation);
}

/*
The people who teach the formula are the **training set** (训练集), the others the **validation set**
(验证集). Who goes where is decided by shuffling: records are often sorted by something, and a formula that
has only seen the young should not be tested on the old.
*/

typedef struct {
    Examples training, validation;
    Scale features, target; // to turn standardised numbers back into measurements and scores
} Split;

// The people order[first … last−1] validate; all others train.
static Split split(Arena *arena, Examples people, const int *order, int first, int last)
{
    int n = people.x.rows, held_out = last - first;
    int *training = arena_alloc(arena, (size_t)(n - held_out), sizeof *training);
    for (int i = 0, k = 0; i < n; i++)
        if (i < first || i >= last) training[k++] = order[i];

    Split split = {
        .training = {matrix_new(arena, n - held_out, FEATURES), matrix_new(arena, n - held_out, 1)},
        .validation = {matrix_new(arena, held_out, FEATURES), matrix_new(arena, held_out, 1)}};
    gather_rows(split.training.x, people.x, training);
    gather_rows(split.training.y, people.y, training);
    gather_rows(split.validation.x, people.x, order + first);
    gather_rows(split.validation.y, people.y, order + first);

    split.features = measure(arena, split.training.x);
    split.target = measure(arena, split.training.y);
    standardise(split.training.x, split.features);
    standardise(split.validation.x, split.features);
    standardise(split.training.y, split.target);
    standardise(split.validation.y, split.target);
    return split;
}

/*
Two mistakes here would spoil every result below, and no later number would look wrong: a person who stands in
both sets, and a scale that was measured on everybody. No two people in the table have the same ten
measurements, so we can look for the first; the second would leave the training set with a mean that is not 0.
*/

// How many validation people have the features of a training person
static int people_in_both(Split split)
{
    int both = 0;
    for (int i = 0; i < split.validation.x.rows; i++)
        for (int j = 0; j < split.training.x.rows; j++)
            both += largest_difference(matrix_rows(split.validation.x, i, 1),
                                       matrix_rows(split.training.x, j, 1)) == 0.0f;
    return both;
}

// How far a column's mean is from 0, or its deviation from 1, at most
static double off_scale(Arena *arena, Matrix m)
{
    Scale scale = measure(arena, m);
    double worst = 0.0;
    for (int j = 0; j < m.cols; j++) {
        double off[] = {fabs((double)scale.mean.data[j]), fabs((double)scale.deviation.data[j] - 1.0)};
        for (int k = 0; k < 2; k++) worst = off[k] > worst ? off[k] : worst;
    }
    return worst;
}

static Split hold_people_out(Lesson *lesson, Examples people)
{
    section(lesson, "Holding people out");
    int n = people.x.rows, held_out = n / 5;
    int *order = arena_alloc(lesson_arena(lesson), (size_t)n, sizeof *order);
    Rng rng = lesson_rng(lesson, 1);
    rng_permutation(&rng, order, n);

    Split people_split = split(lesson_arena(lesson), people, order, 0, held_out);
    printf("%d people to learn from, %d held out\n\n", people_split.training.x.rows, held_out);
    matrix_print(stdout, "three people to learn from, standardised",
                 matrix_rows(people_split.training.x, 0, 3), 2);
    printf("\n");
    claim(lesson, people_in_both(people_split) == 0, "nobody is in both sets");
    claim(lesson, off_scale(lesson_arena(lesson), people_split.training.x) <= 1e-5,
          "the scale is that of the training set alone: its means are 0, its deviations 1");
    return people_split;
}

/*
## A guess, and how wrong it is

Our **model** is a weighted sum. With a column $w$ of ten **weights** (权重), one for each feature, the
prediction for person $i$ is $\hat y_i = \sum_j x_{ij} w_j$, and for all people at once

$$\hat y = X w.$$

Which weights are good? We need one number that says how wrong they are, the **loss**. We take the
differences between prediction and truth, the errors $e = Xw - y$, square them so that too high is as bad as
too low, and average:

$$L(w) = \frac{1}{2n} \lVert Xw - y \rVert^2 = \frac{1}{2n} \sum_i \Big( \sum_j x_{ij} w_j - y_i \Big)^2.$$

The half is there to make the derivative prettier. But why squares, and not the fourth power or the plain
size of the error? Suppose that the truth is a weighted sum plus noise, $y_i = \sum_j x_{ij} w_j +
\varepsilon_i$, and that the noise of each person is **normally distributed** (正态分布) with deviation
$\sigma$. Then the probability of seeing exactly these targets is a product of factors
$e^{-e_i^2 / 2\sigma^2}$, one for each person. Its logarithm is $-\sum_i e_i^2 / 2\sigma^2$ and a constant: the
weights that make the records most probable are those with the least sum of squares. (Legendre proposed
least squares in 1805, and Gauss gave this reason in 1809.) Other noise asks for another loss, and in [chapter
2](../02-logistic-regression/README.md) the same question, *what makes the records most probable?*, leads
to the loss of nearly all networks. Here it is in plain loops.
*/

// x (n × d), w (d × 1), y (n × 1) → the loss, and the errors (n × 1)
static double loss_in_loops(Matrix errors, Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float prediction = 0.0f;
        for (int j = 0; j < x.cols; j++) prediction += AT(x, i, j) * w.data[j];
        errors.data[i] = prediction - y.data[i];
        total += (double)errors.data[i] * (double)errors.data[i];
    }
    return total / (2.0 * x.rows);
}

/*
And here it is with the matrix library, which does the same work faster (appendix A tells how). Every chapter of
this course does this: first the plain loops, then the fast version, then a comparison of the two.
*/

static double loss_of(Matrix errors, Matrix x, Matrix w, Matrix y)
{
    matmul(errors, x, w);
    subtract(errors, errors, y);
    return sum_of_squares(errors) / (2.0 * x.rows);
}

static void compare_losses(Lesson *lesson, Examples training)
{
    section(lesson, "A guess, and how wrong it is");
    Arena *arena = lesson_arena(lesson);
    Matrix slow = matrix_new(arena, training.x.rows, 1), fast = matrix_new(arena, training.x.rows, 1);
    Matrix w = matrix_new(arena, FEATURES, 1);

    printf("all weights 0:       loss %.6f\n", loss_of(fast, training.x, w, training.y));
    Rng rng = lesson_rng(lesson, 2);
    fill_normal(w, &rng, 0.0f, 1.0f);
    double in_loops = loss_in_loops(slow, training.x, w, training.y);
    printf("weights at random:   loss %.6f\n\n", in_loops);
    claim(lesson,
          fabs(loss_of(fast, training.x, w, training.y) - in_loops) <= 1e-5 * in_loops &&
              largest_difference(slow, fast) <= 1e-4f,
          "plain loops and the matrix library agree on the loss and on every error");
}

/*
Weights of 0 predict the average for everybody. Their loss is exactly one half, because we made the variance
of the target one. That is the bar: a model that is worth anything has a loss below 0.5. Random weights are
far above it.

## The gradient, by hand

How do we get from bad weights to better ones? We ask of each weight: if I raise it a little, does the loss
rise or fall, and how fast? The answers, one for each weight, form the **gradient**. Take the loss apart
with the chain rule. Raising $w_j$ by a little raises the prediction for person $i$ by $x_{ij}$ times as
much, and a raised prediction adds $e_i / n$ to the loss. Sum over the people:

$$\frac{\partial L}{\partial w_j} = \frac1n \sum_i x_{ij}\, e_i, \qquad\text{in one line}\qquad \nabla L = \frac1n X^\top (Xw - y).$$

In words: *the gradient of a weight is the average of input times error*. When a feature tends to be high
where the prediction is too high, its weight is too large. This sentence will come back in every chapter, up
to the language models.
*/

// x (n × d), errors (n × 1) → gradient (d × 1)
static void loss_gradient(Matrix gradient, Matrix x, Matrix errors)
{
    matmul_tn(gradient, x, errors);
    scale(gradient, 1.0f / (float)x.rows);
}

/*
A derivative worked out by hand is wrong until it is checked. The check needs no cleverness: move one weight
up by $h$, then down by $h$, and see how much the loss changes, $\big(L(w_j + h) - L(w_j - h)\big) / 2h$.
For a sum of squares this is not even an approximation: the difference is exact, up to rounding.
*/

static void check_gradient(Lesson *lesson, Examples training)
{
    section(lesson, "The gradient, by hand");
    Arena *arena = lesson_arena(lesson);
    Matrix w = matrix_new(arena, FEATURES, 1), gradient = matrix_new(arena, FEATURES, 1);
    Matrix errors = matrix_new(arena, training.x.rows, 1);
    Rng rng = lesson_rng(lesson, 3);
    fill_normal(w, &rng, 0.0f, 1.0f);
    loss_of(errors, training.x, w, training.y);
    loss_gradient(gradient, training.x, errors);

    const float h = 0.125f; // a power of two: adding it to a weight loses almost nothing
    double worst = 0.0;
    printf("weight   by the formula   by moving it\n");
    for (int j = 0; j < FEATURES; j++) {
        float kept = w.data[j];
        w.data[j] = kept + h;
        double above = loss_of(errors, training.x, w, training.y);
        w.data[j] = kept - h;
        double below = loss_of(errors, training.x, w, training.y);
        w.data[j] = kept;
        double numeric = (above - below) / (2.0 * (double)h), analytic = (double)gradient.data[j];
        printf("%-6s %16.5f %14.5f\n", feature_names[j], analytic, numeric);
        worst = fmax(worst, fabs(analytic - numeric) / fmax(1.0, fabs(numeric)));
    }
    printf("\n");
    claim(lesson, worst <= 1e-4, "the gradient by hand matches finite differences to 1e-4 in every weight");
}

/*
## Downhill

The gradient points where the loss rises fastest. So we take a small step the other way, look again, and
repeat:

$$w \leftarrow w - \eta\, \nabla L(w).$$

This is **gradient descent** (Cauchy 1847), and $\eta$ (eta) is the **learning rate** (学习率). It is not the
length of a step: that is $\eta \lVert \nabla L \rVert$, and it shrinks by itself as the slope flattens. The
rate is the one number that we must choose ourselves. Let us try five of them, each for 200 steps, all
starting from zero.
*/

// Takes steps of gradient descent from w. history, when given, receives steps + 1 losses: at the start, and
// after each step.
static void descend(Arena *arena, Matrix w, Examples e, float rate, int steps, float *history)
{
    ArenaMark mark = arena_mark(arena);
    Matrix errors = matrix_new(arena, e.x.rows, 1), gradient = matrix_new(arena, w.rows, 1);
    for (int step = 0; step < steps; step++) {
        double loss = loss_of(errors, e.x, w, e.y);
        if (history) history[step] = (float)loss;
        loss_gradient(gradient, e.x, errors);
        add_scaled(w, -rate, gradient);
    }
    if (history) history[steps] = (float)loss_of(errors, e.x, w, e.y);
    arena_rewind(arena, mark);
}

static void try_learning_rates(Lesson *lesson, Examples training)
{
    section(lesson, "Downhill");
    enum { STEPS = 200, RATES = 5 };
    const float rates[RATES] = {0.003f, 0.03f, 0.3f, 0.48f, 0.52f};
    float history[RATES][STEPS + 1], step_numbers[STEPS];
    for (int s = 0; s < STEPS; s++) step_numbers[s] = (float)(s + 1);
    Plot *plot = plot_begin(lesson, "learning_rates.svg", "Loss by step, for five learning rates");
    plot_axes(plot, "step of gradient descent", "training loss");
    plot_log(plot, "xy");
    plot_range_y(plot, 0.2, 2.0);
    for (int r = 0; r < RATES; r++) {
        Matrix w = matrix_new(lesson_arena(lesson), FEATURES, 1);
        descend(lesson_arena(lesson), w, training, rates[r], STEPS, history[r]);
        printf("learning rate %.3f: loss %.4f after 10 steps, %.4g after %d\n", (double)rates[r],
               (double)history[r][10], (double)history[r][STEPS], STEPS);
        char label[32];
        snprintf(label, sizeof label, "η = %.3g", (double)rates[r]);
        plot_line(plot, label, step_numbers, history[r] + 1, STEPS);
    }
    plot_end(plot, "Small steps are slow. Larger ones are faster, up to a point; a little beyond it, "
                   "everything is lost.");
}

/*
From 0.003 to 0.3 a larger rate is simply a faster one. At 0.48 it is slower again, and between 0.48 and 0.52
something snaps: the loss no longer falls, it grows without end. Where exactly is the border, and could we
have known?

## How large may a step be?

Near its lowest point $w^*$ the loss is a bowl, and here it *is* a bowl everywhere: $L$ is a quadratic
function. The curvature of the bowl is the matrix of its second derivatives, $H = \frac1n X^\top X$, and the
gradient is $H (w - w^*)$. Put that into the update rule and watch the distance to the lowest point:

$$w - w^* \;\leftarrow\; w - \eta H (w - w^*) - w^* = (I - \eta H)(w - w^*).$$

A symmetric matrix such as $H$ has directions that it merely stretches, its **eigenvectors** (特征向量),
each by its own factor, the **eigenvalue** (特征值) $\lambda$. Along such a direction every step multiplies
the distance by $1 - \eta\lambda$. The distance shrinks if that factor lies between $-1$ and $1$, so for
*every* direction we need $\eta\lambda < 2$. The steepest direction decides:

$$\eta < \frac{2}{\lambda_{\max}}.$$

The largest eigenvalue is easy to find. Start with any vector and multiply it with $H$ again and again: the
direction that is stretched most wins. This is **power iteration** (幂迭代).
*/

// x (n × d) → the largest eigenvalue of xᵀx / n, and its direction (d × 1), of length 1
static float largest_curvature(Arena *arena, Matrix direction, Matrix x)
{
    ArenaMark mark = arena_mark(arena);
    Matrix stretched = matrix_new(arena, x.cols, 1), along = matrix_new(arena, x.rows, 1);
    fill(direction, 1.0f);
    double eigenvalue = 0.0;
    for (int round = 0; round < 200; round++) {
        scale(direction, (float)(1.0 / norm(direction)));
        matmul(along, x, direction);
        loss_gradient(stretched, x, along); // xᵀ (x v) / n is the gradient's own formula
        eigenvalue = dot(direction, stretched);
        copy(direction, stretched);
    }
    scale(direction, (float)(1.0 / norm(direction)));
    arena_rewind(arena, mark);
    return (float)eigenvalue;
}

/*
The same formula says more than where the border is. In the steepest direction the distance, and with it the
gradient, must change by the factor $\lvert 1 - \eta \lambda_{\max} \rvert$ in every step: 0.96 if the rate is
2 % below the limit, 1.04 if it is 2 % above. And below the limit every direction shrinks, so the loss must
fall in each single step. We measure the slope in the steepest direction after 20 steps and after 120.
*/

// The slope of the loss in a direction (d × 1) of length 1
static double slope(Arena *arena, Examples e, Matrix w, Matrix direction)
{
    ArenaMark mark = arena_mark(arena);
    Matrix errors = matrix_new(arena, e.x.rows, 1), gradient = matrix_new(arena, w.rows, 1);
    loss_of(errors, e.x, w, e.y);
    loss_gradient(gradient, e.x, errors);
    double result = dot(gradient, direction);
    arena_rewind(arena, mark);
    return result;
}

static float predict_the_limit(Lesson *lesson, Examples training)
{
    section(lesson, "How large may a step be?");
    enum { STEPS = 400, FROM = 20, TO = 120 };
    Arena *arena = lesson_arena(lesson);
    Matrix steepest = matrix_new(arena, FEATURES, 1);
    float curvature = largest_curvature(arena, steepest, training.x), limit = 2.0f / curvature;
    printf("largest eigenvalue %.4f: the largest rate should be 2 / %.4f = %.4f\n\n", (double)curvature,
           (double)curvature, (double)limit);

    float history[2][STEPS + 1];
    const float fractions[2] = {0.98f, 1.02f};
    double worst = 0.0;
    for (int k = 0; k < 2; k++) {
        float rate = fractions[k] * limit;
        Matrix w = matrix_new(arena, FEATURES, 1);
        descend(arena, w, training, rate, FROM, NULL);
        double before = slope(arena, training, w, steepest);
        descend(arena, w, training, rate, TO - FROM, NULL);
        double growth = slope(arena, training, w, steepest) / before;
        double measured = (double)exp32(log32((float)fabs(growth)) / (TO - FROM)),
               predicted = fabs(1.0 - 2.0 * (double)fractions[k]);
        worst = fmax(worst, fabs(measured - predicted));

        fill(w, 0.0f);
        descend(arena, w, training, rate, STEPS, history[k]);
        printf("%3.0f %% of that: loss %.4g after %d steps; factor in a step %.5f, predicted %.5f\n",
               100.0 * (double)fractions[k], (double)history[k][STEPS], STEPS, measured, predicted);
    }
    printf("\n");
    bool falls = true; // but for rounding
    for (int step = 0; step < STEPS; step++)
        falls = falls && history[0][step + 1] <= history[0][step] + 1e-6f;
    claim(lesson, falls, "2 %% below the limit, the loss falls in every step");
    claim(lesson, history[1][STEPS] > history[1][0], "2 %% above the limit, it ends above where it began");
    claim(lesson, worst <= 5e-4, "both shrink and grow in the steepest direction by the predicted factor");
    return limit;
}

/*
It is worth seeing this with our own eyes. Ten weights do not fit on paper, but two do. We keep only the
features s1 and s2, two kinds of cholesterol that rise and fall together, and draw the loss as a map: each
line joins weights of equal loss.
*/

// The loss of two weights on a grid
static Matrix map_the_loss(Arena *arena, Examples two, PlotWindow window)
{
    enum { GRID = 81 };
    Matrix errors = matrix_new(arena, two.x.rows, 1), w = matrix_new(arena, 2, 1),
           map = matrix_new(arena, GRID, GRID);
    for (int i = 0; i < GRID; i++) {
        for (int j = 0; j < GRID; j++) {
            w.data[0] = (float)(window.x_low + (window.x_high - window.x_low) * j / (GRID - 1));
            w.data[1] = (float)(window.y_low + (window.y_high - window.y_low) * i / (GRID - 1));
            AT(map, i, j) = (float)loss_of(errors, two.x, w, two.y);
        }
    }
    return map;
}

static void draw_the_bowl(Lesson *lesson, Examples training)
{
    section(lesson, "The bowl, seen from above");
    enum { STEPS = 24, RATES = 3 };
    Arena *arena = lesson_arena(lesson);
    Examples two = {matrix_new(arena, training.x.rows, 2), training.y};
    copy_columns(two.x, 0, training.x, 4, 2); // s1 and s2
    Matrix errors = matrix_new(arena, training.x.rows, 1), w = matrix_new(arena, 2, 1);

    const PlotWindow window = {-1.4, 1.4, -1.4, 1.0};
    Plot *plot = plot_begin(lesson, "bowl.svg", "The loss of two weights, and three ways down");
    plot_axes(plot, "weight of s1", "weight of s2");
    plot_square(plot);
    plot_legend(plot, "outside");
    const float levels[] = {0.48f, 0.5f, 0.55f, 0.65f, 0.8f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f};
    plot_contour(plot, window, map_the_loss(arena, two, window), levels, 10);

    float limit = 2.0f / largest_curvature(arena, matrix_new(arena, 2, 1), two.x);
    const float fractions[RATES] = {0.05f, 0.45f, 0.9f};
    for (int r = 0; r < RATES; r++) {
        float path[2][STEPS + 1] = {{-0.9f}, {-0.5f}};
        w.data[0] = path[0][0], w.data[1] = path[1][0];
        for (int s = 1; s <= STEPS; s++) {
            descend(arena, w, two, fractions[r] * limit, 1, NULL);
            path[0][s] = w.data[0], path[1][s] = w.data[1];
        }
        char label[48];
        snprintf(label, sizeof label, "%.0f %% of the limit", 100.0 * (double)fractions[r]);
        plot_line_points(plot, label, path[0], path[1], STEPS + 1);
        printf("%2.0f %% of the limit: after %d steps the loss is %.5f\n", 100.0 * (double)fractions[r],
               STEPS, loss_of(errors, two.x, w, two.y));
    }
    descend(arena, w, two, 0.9f * limit, 10000, NULL);
    printf("after 10000 more:                    %.5f\n", loss_of(errors, two.x, w, two.y));
    plot_crosses(plot, "the lowest point", &w.data[0], &w.data[1], 1);
    plot_end(plot, "A small step creeps, a middling one falls into the valley and then crawls along it, a "
                   "large one leaps from wall to wall.");
}

/*
Because s1 and s2 rise and fall together, the bowl is a long valley. Across it the slope is steep and limits
the step; along it there is hardly any slope left. A step that is safe for the walls is too small for the
floor. This is the whole trouble with gradient descent, and half of the tricks in later chapters (momentum,
Adam, normalisation) are ways around it.

How long is the valley? The flattest direction has the smallest eigenvalue, and there a step multiplies the
distance by $1 - \eta\lambda_{\min}$. With a rate near the limit that is about $1 - 2/\kappa$, where $\kappa =
\lambda_{\max} / \lambda_{\min}$ is the **condition number** (条件数) of the bowl: descent needs $\kappa / 2$
steps to come closer by the factor $e$, and the map's ellipses are $\sqrt\kappa$ times as long as they are
wide. A round bowl has $\kappa = 1$. Let us count for the ten features as we use them, for features with their
mean taken away but in their own units, and for the table as it came.
*/

// x (n × d) → the condition number of xᵀx / n, and its smallest eigenvalue
static double condition_number(Arena *arena, double *flattest, Matrix x)
{
    ArenaMark mark = arena_mark(arena);
    Matrix curvature = matrix_new(arena, x.cols, x.cols);
    matmul_tn(curvature, x, x);
    scale(curvature, 1.0f / (float)x.rows);
    Complex values[MAX_COLUMNS];
    eigenvalues(values, curvature);
    *flattest = values[x.cols - 1].re;
    arena_rewind(arena, mark);
    return values[0].re / *flattest;
}

// The factor by which a step of descent shrinks the gradient late, when only the flattest direction is left
static double late_factor(Arena *arena, Examples training, float rate)
{
    enum { FROM = 500, TO = 1000 };
    Matrix errors = matrix_new(arena, training.x.rows, 1), w = matrix_new(arena, FEATURES, 1),
           gradient = matrix_new(arena, FEATURES, 1);
    double sizes[2];
    for (int k = 0; k < 2; k++) {
        descend(arena, w, training, rate, k == 0 ? FROM : TO - FROM, NULL);
        loss_of(errors, training.x, w, training.y);
        loss_gradient(gradient, training.x, errors);
        sizes[k] = norm(gradient);
    }
    return (double)exp32(log32((float)(sizes[1] / sizes[0])) / (TO - FROM));
}

static void measure_the_valley(Lesson *lesson, Split split, float limit)
{
    section(lesson, "How long is the valley?");
    Arena *arena = lesson_arena(lesson);
    const char *const names[] = {"standardised", "centred", "raw"};
    double condition[3], flattest[3];
    Matrix x = matrix_new(arena, split.training.x.rows, FEATURES);
    copy(x, split.training.x);
    printf("features        condition number   length over width of the valley   steps for a factor e\n");
    for (int k = 0; k < 3; k++) {
        if (k == 1) multiply_row(x, split.features.deviation);
        if (k == 2) add_row(x, split.features.mean);
        condition[k] = condition_number(arena, &flattest[k], x);
        printf("%-15s %16.0f %32.0f %22.0f\n", names[k], condition[k], sqrt(condition[k]),
               condition[k] / 2.0);
    }
    float rate = 0.9f * limit;
    double measured = 1.0 - late_factor(arena, split.training, rate), predicted = (double)rate * flattest[0];
    printf("\nstandardised, at 90 %% of the limit: a step takes away %.4f %% of what is left, predicted %.4f "
           "%%\n\n",
           100.0 * measured, 100.0 * predicted);
    claim(lesson, condition[2] >= 100.0 * condition[0],
          "without standardising, descent would need at least a hundred times as many steps");
    claim(lesson, fabs(measured / predicted - 1.0) <= 0.02,
          "late, descent is as slow as the smallest eigenvalue says");
}

/*
That is why we standardised: nothing but a change of units and of the zero takes most of the length away. What
is left is in the data: s1 and s2 really do say nearly the same. (The raw table's eigenvalues are so far apart
that of its smallest, computed from numbers with seven digits, only the first digit is certain.)

## The answer in one line

For this one model we can do without descending. At the bottom of the bowl the gradient is zero,

$$\frac1n X^\top (Xw - y) = 0 \qquad\Longleftrightarrow\qquad X^\top X\, w = X^\top y,$$

and these are $d$ linear equations for $d$ weights, the **normal equations** (正规方程). The matrix on the
left is symmetric and positive, so it has a square root of a kind: a lower triangle $T$ with $T T^\top =
X^\top X$, found by **Cholesky's method** (楚列斯基分解, published in 1924). Then we solve twice with a triangle,
which needs no more than substitution.

We allow one addition that we will need at the end of the chapter: a number $\lambda$ added to the diagonal.
With $\lambda = 0$ these are the normal equations. Sums like these lose digits, so this small system is
solved in `double`.
*/

// x (n × d), y (n × 1) → w (d × 1) with (xᵀx / n + ridge · I) w = xᵀy / n
static void solve_normal_equations(Matrix w, Matrix x, Matrix y, double ridge)
{
    int d = x.cols;
    double t[MAX_COLUMNS][MAX_COLUMNS], solution[MAX_COLUMNS];
    check(d <= MAX_COLUMNS, "raise MAX_COLUMNS", "%d columns, at most %d", d, MAX_COLUMNS);
    for (int j = 0; j < d; j++) {
        for (int k = 0; k <= j; k++) {
            double total = 0.0;
            for (int i = 0; i < x.rows; i++) total += (double)AT(x, i, j) * (double)AT(x, i, k);
            t[j][k] = total / x.rows + (j == k ? ridge : 0.0);
        }
        solution[j] = 0.0;
        for (int i = 0; i < x.rows; i++) solution[j] += (double)AT(x, i, j) * (double)y.data[i] / x.rows;
    }
    for (int j = 0; j < d; j++) { // Cholesky, in place: row j of the triangle from the rows above it
        for (int k = 0; k <= j; k++) {
            double rest = t[j][k];
            for (int l = 0; l < k; l++) rest -= t[j][l] * t[k][l];
            check(j != k || rest > 0.0, "raise the ridge, or drop a column",
                  "column %d is a combination of the others", j);
            t[j][k] = j == k ? sqrt(rest) : rest / t[k][k];
        }
    }
    for (int j = 0; j < d; j++) { // T z = Xᵀy, from the top
        for (int k = 0; k < j; k++) solution[j] -= t[j][k] * solution[k];
        solution[j] /= t[j][j];
    }
    for (int j = d - 1; j >= 0; j--) { // Tᵀ w = z, from the bottom
        for (int k = j + 1; k < d; k++) solution[j] -= t[k][j] * solution[k];
        solution[j] /= t[j][j];
        w.data[j] = (float)solution[j];
    }
}

static Matrix solve_in_one_line(Lesson *lesson, Examples training, float limit)
{
    section(lesson, "The answer in one line");
    Arena *arena = lesson_arena(lesson);
    Matrix best = matrix_new(arena, FEATURES, 1), w = matrix_new(arena, FEATURES, 1),
           distance = matrix_new(arena, FEATURES, 1);
    Matrix errors = matrix_new(arena, training.x.rows, 1);
    solve_normal_equations(best, training.x, training.y, 0.0);
    printf("normal equations:  loss %.7f\n\n", loss_of(errors, training.x, best, training.y));

    double apart = 1.0;
    for (int steps = 1, taken = 0; steps <= 10000; steps *= 10) {
        descend(arena, w, training, 0.9f * limit, steps - taken, NULL);
        taken = steps;
        subtract(distance, w, best);
        apart = norm(distance) / norm(best);
        printf("%5d %-5s of descent: loss %.7f, weights apart by %.6f\n", steps,
               steps == 1 ? "step" : "steps", loss_of(errors, training.x, w, training.y), apart);
    }
    printf("\n");
    claim(lesson, apart <= 1e-4, "gradient descent reaches the closed form to 1e-4 of its length");
    return best;
}

/*
Look at the two columns. After 100 steps the loss is nearly as good as it gets, while the weights are still
far from the solution: in the flattest direction, where the loss hardly notices, 0.4 % of a distance is all
that a step takes away. Often the floor of the valley does not matter, and stopping early is fine.

Why descend at all, if one line does it? Because the line exists only for this model. Put a function that is
not straight into the formula, as we will in [chapter 6](../06-mlp-backprop/README.md), and there are no
linear equations to solve. And the line needs $X^\top X$, whose size is the square of the number of weights:
for a small language model with $10^8$ weights these are $10^{16}$ numbers, more than any computer has room
for.

## A few examples at a time

Each step of descent looks at all 354 people to average input times error. But an average can be estimated
from a sample. **Stochastic gradient descent** (随机梯度下降; Robbins and Monro 1951), SGD, takes a few examples,
a **minibatch** (小批量), and steps at once. The estimate is noisy, but there are many more steps for the same
work. One pass through all the examples is an **epoch** (轮).
*/

// One epoch: visits the examples in random order, batch at a time.
static void sgd_epoch(Arena *arena, Matrix w, Examples e, float rate, int batch, Rng *rng)
{
    ArenaMark mark = arena_mark(arena);
    int n = e.x.rows;
    int *order = arena_alloc(arena, (size_t)n, sizeof *order);
    rng_permutation(rng, order, n);
    Examples few = {matrix_new(arena, batch, e.x.cols), matrix_new(arena, batch, 1)};
    for (int first = 0; first < n; first += batch) {
        int count = int_min(batch, n - first);
        Examples now = {matrix_rows(few.x, 0, count), matrix_rows(few.y, 0, count)};
        gather_rows(now.x, e.x, order + first);
        gather_rows(now.y, e.y, order + first);
        descend(arena, w, now, rate, 1, NULL);
    }
    arena_rewind(arena, mark);
}

/*
To be fair to the full steps, we also ask for the best that *one* of them can do. In the direction of the
gradient $g$ the loss is a parabola, and its lowest point is at the rate $\lVert g \rVert^2 / (g^\top H g)$,
with $g^\top H g = \frac1n \lVert X g \rVert^2$.
*/

// The loss after the best single step from weights of 0
static double best_single_step(Arena *arena, Examples e)
{
    Matrix errors = matrix_new(arena, e.x.rows, 1), along = matrix_new(arena, e.x.rows, 1);
    Matrix w = matrix_new(arena, e.x.cols, 1), gradient = matrix_new(arena, e.x.cols, 1);
    loss_of(errors, e.x, w, e.y);
    loss_gradient(gradient, e.x, errors);
    matmul(along, e.x, gradient);
    double rate = sum_of_squares(gradient) / (sum_of_squares(along) / e.x.rows);
    add_scaled(w, (float)-rate, gradient);
    return loss_of(errors, e.x, w, e.y);
}

enum { RUNNERS = 3, EPOCHS = 60, BATCH = 16, LATE = 20 };
static const char *const runners[RUNNERS] = {"all at once", "16 at a time", "16 at a time, rate falling"};

static void draw_race(Lesson *lesson, float above[RUNNERS][EPOCHS + 1])
{
    Plot *plot = plot_begin(lesson, "sgd.svg", "The same work, spent in different ways");
    plot_axes(plot, "epochs (passes over the training set)", "loss above the lowest possible");
    plot_log(plot, "y");
    for (int k = 0; k < RUNNERS; k++) plot_line(plot, runners[k], NULL, above[k], EPOCHS + 1);
    plot_end(plot, "Minibatches are far ahead after one epoch; at a fixed rate they then jitter at a "
                   "distance from the bottom.");
}

static void race(Lesson *lesson, Examples training, Matrix best, float limit)
{
    section(lesson, "A few examples at a time");
    Arena *arena = lesson_arena(lesson);
    Matrix errors = matrix_new(arena, training.x.rows, 1);
    double lowest = loss_of(errors, training.x, best, training.y), late[RUNNERS] = {0.0};
    float above[RUNNERS][EPOCHS + 1]; // loss above the lowest possible
    for (int k = 0; k < RUNNERS; k++) {
        Matrix w = matrix_new(arena, FEATURES, 1);
        Rng rng = lesson_rng(lesson, 4);
        for (int epoch = 0; epoch <= EPOCHS; epoch++) {
            above[k][epoch] = (float)(loss_of(errors, training.x, w, training.y) - lowest);
            if (epoch > EPOCHS - LATE) late[k] += (double)above[k][epoch] / LATE;
            float rate = k == 2 ? 0.1f * limit / (1.0f + 0.2f * (float)epoch) : 0.1f * limit;
            if (k == 0) descend(arena, w, training, 0.9f * limit, 1, NULL);
            if (k != 0) sgd_epoch(arena, w, training, rate, BATCH, &rng);
        }
        printf("%-27s %.5f above the lowest loss after 1 epoch, %.5f after 5, %.5f in the last %d\n",
               runners[k], (double)above[k][1], (double)above[k][5], late[k], LATE);
    }
    draw_race(lesson, above);
    double single = best_single_step(arena, training) - lowest;
    printf("\nthe best single step of all: %.5f\n\n", single);
    claim(lesson, (double)above[1][1] < single,
          "after one epoch, minibatches are below what the best of all full steps reaches");
    claim(lesson, late[2] < 0.5 * late[1],
          "a falling learning rate halves, at least, the distance at which the noise holds them");
}

/*
Each minibatch gives a slightly wrong direction. At the start all of them point downhill, and twenty-three
wrong steps beat one right step. Near the bottom they point anywhere, and the weights jitter. The jitter is
as large as the steps, so letting the learning rate fall calms it. The full steps, meanwhile, come down more
slowly but without any noise, and after some fifteen epochs they are ahead again. With 354 people one can
wait for that. With 60 000 images, or all the text on the internet, one cannot finish even the first few
epochs, and the left edge of the picture is all that counts. So nearly every network in this course is
trained in this way: minibatches, and a rate that falls.

## Does it work on people it has not seen?

A loss on the training set says how well we fitted what we knew. What we want to know is the error on new
people. The usual measure is $R^2$ (决定系数): the fraction of the target's variation that the prediction
explains,

$$R^2 = 1 - \frac{\sum_i (\hat y_i - y_i)^2}{\sum_i (\bar y - y_i)^2},$$

1 for a perfect prediction, 0 for one that says the average to everybody, negative for something worse than
that.

We have held 88 people out. But 88 is few: other people might give another number. So we do it five times.
The data is cut into five parts, each part is the validation set once, and in the end everybody has been
predicted by a formula that had not seen them. This is **cross-validation** (交叉验证; Stone 1974).
*/

enum { FOLDS = 5 };

// Fits the training people and predicts the others: truth, prediction and the training people's average, in points
// (held out × 1 each).
static void predict_the_held_out(Arena *arena, Split split, Matrix truth, Matrix predicted, Matrix average)
{
    Matrix w = matrix_new(arena, FEATURES, 1);
    solve_normal_equations(w, split.training.x, split.training.y, 0.0);
    copy(truth, split.validation.y);
    matmul(predicted, split.validation.x, w);
    fill(average, 0.0f); // standardised by the training set, its average is 0
    const Matrix all[] = {truth, predicted, average};
    for (int k = 0; k < 3; k++) {
        multiply_row(all[k], split.target.deviation);
        add_row(all[k], split.target.mean);
    }
}

static double r_squared(Matrix truth, Matrix predicted, Matrix average)
{
    double errors = 0.0, variation = 0.0;
    for (int i = 0; i < truth.rows; i++) {
        double error = (double)predicted.data[i] - (double)truth.data[i],
               distance = (double)average.data[i] - (double)truth.data[i];
        errors += error * error;
        variation += distance * distance;
    }
    return 1.0 - errors / variation;
}

static void draw_predictions(Lesson *lesson, Matrix truth, Matrix predicted)
{
    Plot *plot =
        plot_begin(lesson, "predicted.svg", "Each person predicted by a formula that had not seen them");
    plot_axes(plot, "true score one year later", "predicted score");
    plot_square(plot);
    const float ends[] = {20.0f, 350.0f};
    plot_dashed(plot, "a perfect prediction", ends, ends, 2);
    plot_points(plot, "a person", truth.data, predicted.data, truth.rows);
    plot_legend(plot, "top left");
    plot_end(
        plot,
        "The cloud follows the diagonal, widely: the very ill are predicted too low, the healthy too high.");
}

static void cross_validate(Lesson *lesson, Examples people)
{
    section(lesson, "Does it work on people it has not seen?");
    Arena *arena = lesson_arena(lesson);
    int n = people.x.rows, both = 0;
    int *order = arena_alloc(arena, (size_t)n, sizeof *order);
    Rng rng = lesson_rng(lesson, 5);
    rng_permutation(&rng, order, n);

    Matrix truth = matrix_new(arena, n, 1), predicted = matrix_new(arena, n, 1),
           average = matrix_new(arena, n, 1);
    for (int fold = 0; fold < FOLDS; fold++) {
        int first = n * fold / FOLDS, count = n * (fold + 1) / FOLDS - first;
        Split parts = split(arena, people, order, first, first + count);
        both += people_in_both(parts);
        Matrix t = matrix_rows(truth, first, count), p = matrix_rows(predicted, first, count),
               a = matrix_rows(average, first, count);
        predict_the_held_out(arena, parts, t, p, a);
        printf("part %d: R2 = %.3f\n", fold + 1, r_squared(t, p, a));
    }
    double r2 = r_squared(truth, predicted, average);
    Matrix errors = matrix_new(arena, n, 1);
    subtract(errors, predicted, truth);
    printf("all:    R2 = %.3f; the typical error is %.1f points on a scale from 25 to 346\n\n", r2,
           sqrt(sum_of_squares(errors) / n));
    claim(lesson, both == 0, "nobody is predicted by a formula that has seen them");
    claim(lesson, r2 >= 0.45,
          "on people it has not seen, the formula explains at least 45 %% of the variation");
    draw_predictions(lesson, truth, predicted);
}

/*
About half of the variation is explained, and the part-to-part differences show how little a single split
would have told us. The picture also shows a habit of all least-squares predictions: they are timid, pulled
towards the average.

## What a weight means

It is tempting to read the weights as an explanation: "s1 has the largest weight, so s1 matters most." But how
sure is a weight? Theory has an answer. Predict feature $j$ from the *other* features; what is left over has
the mean square $r_j$. If the others say nothing about it, $r_j = 1$; if they say it all, $r_j = 0$. Only
what is left over can teach us $w_j$, and with errors of variance $\sigma^2$ its **standard error** (标准误差) is

$$s_j = \sqrt{\frac{\sigma^2}{n\, r_j}}.$$

To see whether this is true we need other people, and have none. So we draw 354 of our 354 with repetition,
again and again, and fit each time: the **bootstrap** (自助法; Efron 1979).
*/

// r (1 × d): the mean square of what is left over of each column of x (n × d) when the other columns predict it
static void left_over(Arena *arena, Matrix r, Matrix x)
{
    ArenaMark mark = arena_mark(arena);
    int d = x.cols;
    Matrix others = matrix_new(arena, x.rows, d - 1), column = matrix_new(arena, x.rows, 1),
           w = matrix_new(arena, d - 1, 1), errors = matrix_new(arena, x.rows, 1);
    for (int j = 0; j < d; j++) {
        copy_columns(column, 0, x, j, 1);
        copy_columns(others, 0, x, 0, j);
        copy_columns(others, j, x, j + 1, d - 1 - j);
        solve_normal_equations(w, others, column, 0.0);
        r.data[j] = (float)(2.0 * loss_of(errors, others, w, column));
    }
    arena_rewind(arena, mark);
}

// deviation (1 × d): of each weight, over as many draws of n of the n examples
static void bootstrap(Arena *arena, Matrix deviation, Examples e, int draws, Rng *rng)
{
    int n = e.x.rows;
    int *drawn = arena_alloc(arena, (size_t)n, sizeof *drawn);
    Examples sample = {matrix_new(arena, n, e.x.cols), matrix_new(arena, n, 1)};
    Matrix weights = matrix_new(arena, draws, e.x.cols);
    for (int draw = 0; draw < draws; draw++) {
        for (int i = 0; i < n; i++) drawn[i] = (int)rng_below(rng, (uint32_t)n);
        gather_rows(sample.x, e.x, drawn);
        gather_rows(sample.y, e.y, drawn);
        solve_normal_equations(matrix_view(e.x.cols, 1, matrix_row(weights, draw)), sample.x, sample.y, 0.0);
    }
    copy(deviation, measure(arena, weights).deviation);
}

static void doubt_the_weights(Lesson *lesson, Examples training, Matrix best)
{
    section(lesson, "What a weight means");
    Arena *arena = lesson_arena(lesson);
    int n = training.x.rows;
    Matrix r = matrix_new(arena, 1, FEATURES), measured = matrix_new(arena, 1, FEATURES),
           errors = matrix_new(arena, n, 1);
    double variance = 2.0 * loss_of(errors, training.x, best, training.y) * n / (n - FEATURES - 1);
    left_over(arena, r, training.x);
    Rng rng = lesson_rng(lesson, 7);
    bootstrap(arena, measured, training, 1000, &rng);
    double worst = 0.0;
    printf("        weight   left over   standard error   over 1000 draws\n");
    for (int j = 0; j < FEATURES; j++) {
        double predicted = sqrt(variance / (n * (double)r.data[j])), drawn = (double)measured.data[j];
        printf("%-6s %7.3f %11.3f %16.3f %17.3f\n", feature_names[j], (double)best.data[j], (double)r.data[j],
               predicted, drawn);
        worst = fmax(worst, fabs(drawn / predicted - 1.0));
    }
    printf("\n");
    claim(lesson, worst <= 0.25, "each weight wavers as theory says, to a quarter");
}

/*
What is left over of s1 is less than two hundredths: the other features, above all s2, have nearly said it
already. So its weight, the second largest, is at the same time the least certain: the formula can take from s1
and give to s2 at almost no cost. It is the flat floor of the valley again. The weight of body mass index
is smaller and some six times as sure. *A weight is a part of a prediction, not a cause, and when features
are related, not even a stable part.*

## When the formula is too clever

What if we give the formula more freedom? We take a toy in which we know the truth: points on the curve
$\sin \pi x$, with noise. Instead of ten measurements, the features are now the powers of a single number,
$1, x, x^2, \dots, x^p$. The model is still a weighted sum, so nothing in our code changes, but it can draw
a curve; the larger $p$, the wilder.
*/

enum { DEGREES = 15, TOY_TRAINING = 16, TOY_VALIDATION = 200, TOY_TEST = 1000 };
static const float NOISE = 0.3f;

// x (n × 1) → its powers 1, x, x², …, x^degree (n × degree + 1)
static Matrix powers(Arena *arena, Matrix x, int degree)
{
    Matrix out = matrix_new(arena, x.rows, degree + 1);
    for (int i = 0; i < x.rows; i++) {
        float power = 1.0f;
        for (int j = 0; j <= degree; j++) {
            AT(out, i, j) = power;
            power *= x.data[i];
        }
    }
    return out;
}

// Points on sin πx with noise of deviation NOISE, x spread over [−1, 1]: one in each of n equal intervals.
static Examples noisy_curve(Arena *arena, int n, Rng *rng)
{
    Examples toy = {matrix_new(arena, n, 1), matrix_new(arena, n, 1)};
    for (int i = 0; i < n; i++) {
        toy.x.data[i] = -1.0f + 2.0f * ((float)i + rng_uniform(rng)) / (float)n;
        toy.y.data[i] = sin32(3.14159265f * toy.x.data[i]) + NOISE * rng_normal(rng);
    }
    return toy;
}

// The typical error (root of the mean square) of a polynomial on points.
static double typical_error(Arena *arena, Examples toy, Matrix w)
{
    ArenaMark mark = arena_mark(arena);
    Matrix errors = matrix_new(arena, toy.x.rows, 1);
    double loss = loss_of(errors, powers(arena, toy.x, w.rows - 1), w, toy.y);
    arena_rewind(arena, mark);
    return sqrt(2.0 * loss);
}

static void overfit(Lesson *lesson, Examples training, Examples validation)
{
    section(lesson, "When the formula is too clever");
    Arena *arena = lesson_arena(lesson);
    float degrees[DEGREES], seen[DEGREES], unseen[DEGREES];
    printf("degree   error on the 16 points   on 200 new ones\n");
    for (int p = 0; p < DEGREES; p++) {
        Matrix w = matrix_new(arena, p + 1, 1);
        solve_normal_equations(w, powers(arena, training.x, p), training.y, 0.0);
        degrees[p] = (float)p;
        seen[p] = (float)typical_error(arena, training, w);
        unseen[p] = (float)typical_error(arena, validation, w);
        printf("%6d %24.3f %17.3f\n", p, (double)seen[p], (double)unseen[p]);
    }
    Plot *plot = plot_begin(lesson, "overfitting.svg",
                            "More freedom: the known points are fitted better, the new ones worse");
    plot_axes(plot, "degree of the polynomial", "typical error");
    plot_log(plot, "y");
    plot_line_points(plot, "on the 16 training points", degrees, seen, DEGREES);
    plot_line_points(plot, "on 200 new points", degrees, unseen, DEGREES);
    plot_horizontal(plot, "the noise", (double)NOISE);
    plot_legend(plot, "top left");
    plot_end(plot, "The training error only falls. The error on new points falls, then rises.");

    printf("\n");
    claim(lesson, unseen[DEGREES - 1] >= 2.0f * unseen[3],
          "on new points, degree 14 is at least twice as wrong as degree 3");
}

/*
This is **overfitting** (过拟合): the formula learns the noise by heart. The training error cannot show it;
it looks better and better. It has no choice: whatever degree 3 can draw, degree 4 can draw, too.

How much of the noise is learned can be predicted. Suppose that the polynomial can follow the true curve, and
noise of variance $\sigma^2$ is all that is left. Least squares with $p + 1$ weights then removes the noise in
$p + 1$ of the $n$ directions that the $n$ targets can move in, and keeps it in the others. So on the points
that it was fitted to, the expected square of the error is not $\sigma^2$ but

$$\sigma^2 \Big(1 - \frac{p+1}{n}\Big), \qquad\text{and for new noise on the same } x \qquad \sigma^2 \Big(1 + \frac{p+1}{n}\Big):$$

what was taken away from the one is added to the other. We draw 4000 training sets and average.
*/

// The mean squares of the errors of a polynomial on points that it was fitted to, and on new noise at the same x
static void average_errors(Arena *arena, int degree, int draws, double errors[2], Rng *rng)
{
    errors[0] = errors[1] = 0.0;
    for (int draw = 0; draw < draws; draw++) {
        ArenaMark mark = arena_mark(arena);
        Examples toy = noisy_curve(arena, TOY_TRAINING, rng);
        Matrix w = matrix_new(arena, degree + 1, 1);
        solve_normal_equations(w, powers(arena, toy.x, degree), toy.y, 0.0);
        double seen = typical_error(arena, toy, w);
        for (int i = 0; i < TOY_TRAINING; i++)
            toy.y.data[i] = sin32(3.14159265f * toy.x.data[i]) + NOISE * rng_normal(rng);
        double renewed = typical_error(arena, toy, w);
        errors[0] += seen * seen / draws;
        errors[1] += renewed * renewed / draws;
        arena_rewind(arena, mark);
    }
}

static void predict_overfitting(Lesson *lesson)
{
    section(lesson, "How much noise is learned");
    const int degrees[] = {5, 7, 9, 11};
    Rng rng = lesson_rng(lesson, 8);
    double worst = 0.0;
    printf("          on the 16 points      on new noise there\n");
    printf("degree   measured  predicted    measured  predicted\n");
    for (int k = 0; k < 4; k++) {
        double errors[2], part = (degrees[k] + 1.0) / TOY_TRAINING, noise = (double)NOISE * (double)NOISE;
        average_errors(lesson_arena(lesson), degrees[k], 4000, errors, &rng);
        printf("%6d %10.4f %10.4f %11.4f %10.4f\n", degrees[k], errors[0], noise * (1.0 - part), errors[1],
               noise * (1.0 + part));
        worst = fmax(worst, fabs(errors[0] / (noise * (1.0 - part)) - 1.0));
        worst = fmax(worst, fabs(errors[1] / (noise * (1.0 + part)) - 1.0));
    }
    printf("\n");
    claim(lesson, worst <= 0.05, "both squared errors are those of theory, to 5 %%");
}

/*
(The 5 % are four standard errors of an average over 4000 draws at degree 11, where the noise keeps four
directions.) Between the points things are worse still: there the polynomial does what it likes.

The cure follows from the disease. To pass through every noisy point, the polynomial needs enormous weights,
positive and negative, which cancel almost everywhere. So we make large weights expensive. **Ridge
regression** (岭回归; Hoerl and Kennard 1970) adds their squares to the loss,

$$L_\lambda(w) = L(w) + \frac{\lambda}{2} \lVert w \rVert^2,$$

and in the normal equations that is the $\lambda$ on the diagonal that we put there. In a network it is
called **weight decay** (权重衰减).

How large should $\lambda$ be? The training set cannot tell: it always prefers 0. We choose the $\lambda$ with
the smallest error on the 200 points, which thereby become a validation set in the full sense of the word. But
the smallest of eight numbers is small partly by luck, so what we report is measured on 1000 points that had
no part in the choice, a **test set** (测试集). In the same way we choose among the degrees without ridge.
*/

// The polynomial without ridge whose degree does best on the validation set
static Matrix best_degree(Arena *arena, Examples training, Examples validation)
{
    Matrix best = {0};
    double lowest = HUGE_VAL;
    for (int p = 0; p < DEGREES; p++) {
        Matrix w = matrix_new(arena, p + 1, 1);
        solve_normal_equations(w, powers(arena, training.x, p), training.y, 0.0);
        double error = typical_error(arena, validation, w);
        if (error < lowest) {
            lowest = error;
            best = w;
        }
    }
    return best;
}

static void draw_ridge(Lesson *lesson, Examples training, Matrix none, Matrix chosen, double ridge)
{
    enum { FINE = 201 };
    Arena *arena = lesson_arena(lesson);
    Plot *plot = plot_begin(lesson, "ridge.svg", "Degree 14, with and without the price on large weights");
    plot_axes(plot, "x", "y");
    plot_range_y(plot, -2.2, 2.2);
    Matrix grid = matrix_new(arena, FINE, 1), curve = matrix_new(arena, FINE, 1),
           truth = matrix_new(arena, FINE, 1);
    for (int i = 0; i < FINE; i++) {
        grid.data[i] = -1.0f + 2.0f * (float)i / (FINE - 1);
        truth.data[i] = sin32(3.14159265f * grid.data[i]);
    }
    plot_dashed(plot, "the truth", grid.data, truth.data, FINE);
    matmul(curve, powers(arena, grid, DEGREES - 1), none);
    plot_line(plot, "no ridge", grid.data, curve.data, FINE);
    matmul(curve, powers(arena, grid, DEGREES - 1), chosen);
    char label[32];
    snprintf(label, sizeof label, "λ = %g", ridge);
    plot_line(plot, label, grid.data, curve.data, FINE);
    plot_points(plot, "training points", training.x.data, training.y.data, training.x.rows);
    plot_end(plot, "Without a price the curve swings from point to point; with one it stays near the truth.");
}

static void cure_with_ridge(Lesson *lesson, Examples training, Examples validation, Examples test)
{
    section(lesson, "The cure");
    enum { RIDGES = 8 };
    Arena *arena = lesson_arena(lesson);
    const double ridges[RIDGES] = {0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0};
    double unseen[RIDGES], tested[RIDGES], lengths[RIDGES];
    Matrix fits[RIDGES];
    int chosen = 0;
    printf(
        "polynomials of degree 14\nlambda   length of the weights   on the 16 points   validation   test\n");
    for (int r = 0; r < RIDGES; r++) {
        fits[r] = matrix_new(arena, DEGREES, 1);
        solve_normal_equations(fits[r], powers(arena, training.x, DEGREES - 1), training.y, ridges[r]);
        unseen[r] = typical_error(arena, validation, fits[r]);
        tested[r] = typical_error(arena, test, fits[r]);
        lengths[r] = norm(fits[r]);
        printf("%6g %23.1f %18.3f %12.3f %6.3f\n", ridges[r], lengths[r],
               typical_error(arena, training, fits[r]), unseen[r], tested[r]);
        if (unseen[r] < unseen[chosen]) chosen = r;
    }
    Matrix plain = best_degree(arena, training, validation);
    double of_plain = typical_error(arena, test, plain);
    printf("\nchosen on the validation set: lambda = %g, test error %.3f\n", ridges[chosen], tested[chosen]);
    printf("without ridge, the degree chosen there: %d, test error %.3f\n\n", plain.rows - 1, of_plain);
    draw_ridge(lesson, training, fits[0], fits[chosen], ridges[chosen]);

    claim(lesson, tested[chosen] <= 0.5 * tested[0],
          "the chosen ridge at least halves degree 14's test error");
    claim(lesson, lengths[chosen] < 0.1 * lengths[0], "and it shrinks the weights to less than a tenth");
    claim(lesson, tested[RIDGES - 1] >= 1.2 * tested[chosen], "too much of it is harmful again");
}

/*
Read the table from top to bottom. The training error rises all the way, as it must: each further row cares
less about the points. The error on new points falls steeply, has a wide floor, and rises again towards the
error of the formula that says 0 to everything. No ridge repairs what the points do not show: at the right
edge of the figure the curve follows its last point, which the noise has pulled down, and there is none beyond
to hold it.

And is ridge better than simply taking a lower degree? Compare the last two lines: here it is not. It saves us
from choosing the degree, and has to have its $\lambda$ chosen instead. In a network, where no single number is
as telling as the degree, it is often the only one of the two that can be had.
*/

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "01-linear-regression", "Linear regression");

    Examples people = look_at_the_data(lesson);
    Split people_split = hold_people_out(lesson, people);
    Examples training = people_split.training;
    compare_losses(lesson, training);
    check_gradient(lesson, training);
    try_learning_rates(lesson, training);
    float limit = predict_the_limit(lesson, training);
    draw_the_bowl(lesson, training);
    measure_the_valley(lesson, people_split, limit);
    Matrix best = solve_in_one_line(lesson, training, limit);
    race(lesson, training, best, limit);
    cross_validate(lesson, people);
    doubt_the_weights(lesson, training, best);

    Rng rng = lesson_rng(lesson, 6);
    Examples toy = noisy_curve(lesson_arena(lesson), TOY_TRAINING, &rng);
    Examples new_points = noisy_curve(lesson_arena(lesson), TOY_VALIDATION, &rng);
    Examples test = noisy_curve(lesson_arena(lesson), TOY_TEST, &rng);
    overfit(lesson, toy, new_points);
    predict_overfitting(lesson);
    cure_with_ridge(lesson, toy, new_points, test);
    return lesson_end(lesson);
}

/*
## What to take along

- A model makes predictions, a loss says how wrong they are, the gradient says which way is down: here it is
  the average of input times error.
- Least squares are the most probable weights when the noise is normally distributed.
- Descent converges if the rate is below $2/\lambda_{\max}$, and needs a number of steps in proportion to the
  condition number.
- Minibatches trade exactness for many more steps; a falling rate quiets their noise.
- Only unseen data tells whether something has been learned. More freedom always fits the known data better.
  What is chosen on the validation set is reported on a test set.

This linear layer never leaves us: a neural network is a stack of them, with an activation function in between.
But before that, [chapter 2](../02-logistic-regression/README.md) asks the formula for something other than a
number: *which of ten things is in this image?*

## Check yourself

**1.** The curvatures of a bowl lie between 0.1 and 10. Which learning rates converge? And how many steps does
descent need, at 90 % of the largest of them, to come closer by the factor $e$ in the flattest direction?

<details><summary>Answer</summary>

All below $2 / 10 = 0.2$. At $\eta = 0.18$ a step multiplies the distance in the flattest direction by $1 - 0.18
\cdot 0.1 = 0.982$, so $1 / 0.018 \approx 56$ steps. The condition number is 100, and $\kappa / 2 = 50$ is what the
rule says for a rate at the very limit. The section on the valley counts in the same way for the ten features: 249
steps.

</details>

**2.** Somebody leaves the targets as they are, with a variance of 100, and reports a training loss of 30. Is that
good?

<details><summary>Answer</summary>

Weights of 0, with the mean taken away, would have half of the variance, 50. So the model explains $R^2 = 1 - 30/50
= 0.4$ of the variation in its training set, a little less than the formula of this page explains on people it
has not seen. A loss by itself says nothing; beside that of the simplest answer it says it all.

</details>

**3.** At 2 % above the limit, the loss first falls for some steps and then grows. Why does it fall at all?

<details><summary>Answer</summary>

Only the steepest direction grows, by 1.04 in each step, and all others shrink: at first they gain more than the
one loses. After 400 steps the one has grown by $1.04^{400} = 6.5 \cdot 10^6$, and its part of the loss by the
square of that, $4 \cdot 10^{13}$. The page shows a loss of $6.7 \cdot 10^{12}$, so this part began at 0.16. Near
the limit it takes long to see that a rate is too large.

</details>

**4.** A polynomial with 8 weights is fitted to 16 points, and it can follow the true curve. The noise has the
variance 0.09. What mean square of the errors do you expect on these points, and on new noise at the same places?

<details><summary>Answer</summary>

$0.09 \cdot (1 - 8/16) = 0.045$ and $0.09 \cdot (1 + 8/16) = 0.135$: half of the noise has been learned, and on new
points it is paid for a second time. The table shows 0.0453 and 0.1344 for degree 7, which has 8 weights.

</details>

**5.** By mistake every person stands in the table twice. What happens to the loss, to the normal equations, to an
epoch of SGD, to the standard errors, and to the cross-validation?

<details><summary>Answer</summary>

The loss is an average and stays; so do the gradient and the solution. An epoch has twice as many steps. The
formula for the standard errors believes in twice as many people and gives numbers that are too small by $\sqrt2$.
And most people now stand in the training set and in the validation set at once, so the cross-validation promises
too much: this is why `people_in_both` counts.

</details>

## Sources

- A.-M. Legendre, *Nouvelles méthodes pour la détermination des orbites des comètes*, 1805: least squares; C. F.
  Gauss, *Theoria motus corporum coelestium*, 1809: normal noise as their reason.
- A. Cauchy, *Méthode générale pour la résolution des systèmes d'équations simultanées*, 1847: descent along the
  gradient.
- Cholesky's method was published after his death by E. Benoit, *Note sur une méthode de résolution des équations
  normales*, 1924.
- H. Robbins, S. Monro, *A stochastic approximation method*, 1951: noisy steps, and a rate that falls.
- A. E. Hoerl, R. W. Kennard, *Ridge regression: biased estimation for nonorthogonal problems*, 1970.
- M. Stone, *Cross-validatory choice and assessment of statistical predictions*, 1974.
- B. Efron, *Bootstrap methods: another look at the jackknife*, 1979.
- B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, *Least angle regression*, 2004: the table of 442 people.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade1` tells how far you are, `make
hint1` helps.

- **TASK 1.1** the loss of a weighted sum.
- **TASK 1.2** its gradient.
- **TASK 1.3** gradient descent for a given number of steps.
- **TASK 1.4** the ridge solution by descent: you choose the rate and the number of steps from the table at hand,
  by what this page says about the steepest and the flattest direction. It is measured against the reference.

And without a computer, or with five minutes at one:

**1.** What happens to the weights if blood pressure is given in kilopascals instead? What to the predictions?

<details><summary>Answer</summary>

A kilopascal is 7.5 millimetres of mercury, so all numbers of the column are divided by 7.5, and so are its mean
and its deviation. After standardising the column is what it was: the same weights, the same predictions. Without
standardising the weight would become 7.5 times as large, and the predictions would still be the same; but the bowl
would have another shape, and a ridge would charge that weight 56 times as much.

</details>

**2.** In which direction does SGD jitter most: across the valley, or along it? Guess, then measure it.

<details><summary>Answer</summary>

The gradient's noise is largest across the valley, but the pull back to the bottom is larger there in the same
proportion. If each minibatch is drawn from all people anew, theory gives the deviation $\sqrt{\eta \sigma^2 / 2b}$
in *every* direction: 0.027 for $b = 16$, our rate of 0.048 and errors of variance 0.49. We measured 0.026 across
and 0.026 along. `sgd_epoch` does not draw anew: it visits everybody once in an epoch, so the errors of its
minibatches nearly cancel at the end, and along the valley, where the memory of a step lasts for a hundred epochs,
there is hardly any jitter left. With 352 people, whom 16 divides, we measured 0.020 across and 0.002 along. (With
354, each epoch ends with a step for two people, and that one step makes it 0.046 and 0.015.)

</details>

**3.** Copy s1 into an eleventh column. What do the normal equations say? What does descent do, and why does it not
mind?

<details><summary>Answer</summary>

The matrix has no inverse: one unit more for s1 and one less for its copy changes nothing, and the program ends
with "column 10 is a combination of the others". Descent from 0 gives both the same gradient, so they stay equal
and share the weight. We measured −0.1753 for each instead of −0.3506 for one, all other weights as before, and the
same loss. In the direction in which the bowl is flat the gradient is 0, and descent stays where it began.

</details>

**4.** Set `BATCH` to 1, then to 354. Which learning rate does each of them need?

<details><summary>Answer</summary>

Of rates in steps of 1.6, with five seeds each, the best after five epochs were 0.002 for one person at a time,
0.02 for 16, and 0.36 for all 354, the last one below the limit of 0.48. They end about equally high above the
lowest loss: 0.0017, 0.0031 and 0.0027. A single person's gradient is so noisy that its steps must be small; there
are 354 of them in an epoch.

</details>

**5.** Compute the means and deviations from all 442 people before the split. Does $R^2$ change? When would it
matter more?

<details><summary>Answer</summary>

Hardly: the typical error goes from 55.33 to 55.26 points. A mean of 354 people and one of 442 are nearly the same,
and least squares forgives a change of units. It matters when what is computed from everybody has been *chosen* by
the targets (the ten best of a thousand features, say), or when there are few people. The rule costs nothing, so we
keep it always.

</details>
*/
