/*
# Logistic and softmax regression

A needle has taken a few cells from a tumour. Under the microscope somebody measured their nuclei: how large
they are, how rough, how uneven. Is the tumour benign or malignant? The answer is not a number such as those
of [chapter 1](../01-linear-regression/README.md). It is one of two names, and a wrong name is not "off by a
little".

In this chapter the weighted sum of chapter 1 learns to answer with names. It does so by saying how sure it
is:

- how any number becomes a **probability** (概率), and what a wrong probability should cost;
- why the gradient is again *input times error*, and why there is only one valley to fall into;
- how a yes-or-no answer is judged: confusion matrix, ROC curve, and the baselines it has to beat;
- how the weights run away when the examples are too easy, what holds them, and what that has to do with
  probabilities that one can rely on;
- how two names become ten, why the textbook formula breaks in a computer, and what ten images of weights
  show.

The page has two parts. Part one has two classes, and the measurements of 569 tumours; part two has ten classes,
and 70 000 small images of clothes. You can stop between them and come back.
*/

#include "base/mathf.h"
#include "learning/ops/loss.h"
#include "files/csv.h"
#include "files/idx.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "matrix/matrix.h"

#include <stdlib.h>

enum { MEASUREMENTS = 30, FEATURES = 31 }; // one more for the constant

/*
## The tumours

The table is the Wisconsin diagnostic breast cancer data of Street, Wolberg and Mangasarian (1993): 30
measurements of each tumour, and what it turned out to be. We call **malignant** 1 and **benign** 0. Such an
answer is a **class** (类别), and its number or name in the table a **label** (标签).

Half of the tumours, drawn at random, are held out as the validation set. As in chapter 1 the measurements are
standardised by the means and deviations of the training half. This time we want a constant term: with all
measurements at their average, the answer need not be "undecided". We get it for free by adding a 31st
feature, which is 1 for everyone. Its weight is the constant, and nothing else in our code has to know.
*/

// n examples: features x (n × d), the last of them always 1, and y (n × 1) of 0 and 1
typedef struct {
    Matrix x, y;
} Examples;

typedef struct {
    Examples training, validation;
} Split;

static Examples pick(Arena *arena, Examples from, const int *order, int count)
{
    Examples some = {matrix_new(arena, count, from.x.cols), matrix_new(arena, count, 1)};
    gather_rows(some.x, from.x, order);
    gather_rows(some.y, from.y, order);
    return some;
}

// The tumours order[0 … training−1] teach, the last half of the order validates.
static Split prepare(Arena *arena, Examples tumours, const int *order, int training)
{
    int half = tumours.x.rows / 2;
    Split split = {pick(arena, tumours, order, training),
                   pick(arena, tumours, order + tumours.x.rows - half, half)};
    Matrix centre = matrix_new(arena, 1, FEATURES), deviation = matrix_new(arena, 1, FEATURES);
    column_means(centre, split.training.x);
    column_variances(deviation, split.training.x);
    for (int j = 0; j < MEASUREMENTS; j++) deviation.data[j] = sqrtf(deviation.data[j]);
    centre.data[MEASUREMENTS] = 0.0f; // the constant stays as it is
    deviation.data[MEASUREMENTS] = 1.0f;
    Matrix both[] = {split.training.x, split.validation.x};
    for (int k = 0; k < 2; k++) {
        subtract_row(both[k], centre);
        divide_row(both[k], deviation);
    }
    return split;
}

static Examples look_at_the_tumours(Lesson *lesson, Csv table)
{
    section(lesson, "The tumours");
    Arena *arena = lesson_arena(lesson);
    Matrix numbers = csv_numbers(arena, table, "mean_radius", "worst_fractal_dimension");
    int diagnosis = csv_column(table, "class"), malignant = 0;
    Examples tumours = {matrix_new(arena, table.rows, FEATURES), matrix_new(arena, table.rows, 1)};
    fill(tumours.x, 1.0f);
    copy_columns(tumours.x, 0, numbers, 0, MEASUREMENTS);
    for (int i = 0; i < table.rows; i++) {
        bool bad = csv_cell(table, i, diagnosis)[0] == 'm';
        tumours.y.data[i] = bad ? 1.0f : 0.0f;
        malignant += bad;
    }
    printf("%d tumours, %d measurements each: %d malignant, %d benign\n", table.rows, MEASUREMENTS, malignant,
           table.rows - malignant);
    return tumours;
}

/*
## From a score to a probability

The weighted sum $z = \sum_j x_j w_j$ can be any number. We call it the **score** (得分; in a network,
**logit**). A large score should mean "malignant, surely", a very negative one "benign, surely", and 0 "cannot
say". So we map the numbers into the interval from 0 to 1 with the **sigmoid function** (S 型函数), and have
**logistic regression** (逻辑回归; Cox 1958):

$$\sigma(z) = \frac{1}{1 + e^{-z}}.$$

Where does it come from? Gamblers do not speak of probabilities but of odds: *three to one* is the probability
¾ against ¼. Every bit of evidence multiplies the odds, so on a logarithmic scale evidence *adds up*, and
adding up is what a weighted sum does. If the score is the logarithm of the odds, $z = \log \frac{p}{1-p}$,
then solving for $p$ gives exactly $\sigma(z)$. A score of 1 more multiplies the odds by $e \approx 2.7$,
wherever we start.
*/

static float to_probability(float score) { return 1.0f / (1.0f + exp32(-score)); }

/*
## What a wrong probability costs

Suppose the model says "malignant with probability $p$" and the tumour is malignant. What should that cost?
Nothing if $p = 1$; something if $p = \frac12$; and if it said $p = 0$, it swore to a falsehood. The
**cross-entropy** (交叉熵) is the logarithm of the probability that was given to what really happened, with a
minus sign:

$$\ell = -\log p \;\text{ if } y = 1, \qquad \ell = -\log(1 - p) \;\text{ if } y = 0.$$

You may read it as *surprise*. Averaged over the examples it is our loss. Minimising it is the same as
choosing the weights under which the labels that we saw are most probable, **maximum likelihood** (最大似然). To
be undecided about everything costs $\log 2 = 0.693$, and that is the bar.

Computed as it stands, it breaks: for a score of −100 the probability rounds to 0, and its logarithm is
$-\infty$. But put the sigmoid into it and simplify:

$$\ell = \log(1 + e^{z}) - y z, \qquad \log(1 + e^{z}) = \max(z, 0) + \log(1 + e^{-|z|}).$$

On the right nothing can overflow, because the exponent is never positive. Nor need a small cost get lost: for
$y = 1$ and a score of 20 the difference of two numbers near 20 leaves no digit of $2 \cdot 10^{-9}$, but
$\log(1 + e^{z}) - z$ is $\log(1 + e^{-z})$, the same function at $-z$. And $1 + e^{-20}$ would be rounded to
1, so we call `log1p32`, which takes the small number and adds the 1 itself.
*/

// log(1 + eᶻ)
static float soft_plus(float z) { return fmaxf(z, 0.0f) + log1p32(exp32(-fabsf(z))); }

// x (n × d), w (d × 1), y (n × 1) → the loss, and the probabilities p (n × 1)
static double loss_in_loops(Matrix p, Matrix x, Matrix w, Matrix y)
{
    double total = 0.0;
    for (int i = 0; i < x.rows; i++) {
        float score = 0.0f;
        for (int j = 0; j < x.cols; j++) score += AT(x, i, j) * w.data[j];
        total += (double)soft_plus(y.data[i] > 0.5f ? -score : score);
        p.data[i] = to_probability(score);
    }
    return total / x.rows;
}

// The same with the matrix library
static double loss_of(Matrix p, Matrix x, Matrix w, Matrix y)
{
    matmul(p, x, w);
    double loss = (double)binary_cross_entropy_forward(p, y);
    for (int i = 0; i < p.rows; i++) p.data[i] = to_probability(p.data[i]);
    return loss;
}

static void weigh_surprises(Lesson *lesson, Examples training)
{
    section(lesson, "What a wrong probability costs");
    printf("score   probability   cost if malignant   squared error\n");
    for (int score = 4; score >= -16; score -= 4) {
        float p = to_probability((float)score), miss = 1.0f - p;
        printf("%5d %13.6f %19.4f %15.4f\n", score, (double)p, (double)soft_plus((float)-score),
               (double)(miss * miss));
    }
    Arena *arena = lesson_arena(lesson);
    int n = training.x.rows;
    Matrix w = matrix_new(arena, FEATURES, 1), slow = matrix_new(arena, n, 1), fast = matrix_new(arena, n, 1);
    printf("\nall weights 0:       loss %.4f\n", loss_of(fast, training.x, w, training.y));
    Rng rng = lesson_rng(lesson, 2);
    fill_normal(w, &rng, 0.0f, 1.0f);
    double in_loops = loss_in_loops(slow, training.x, w, training.y);
    printf("weights at random:   loss %.4f\n\n", in_loops);
    claim(lesson,
          fabs(loss_of(fast, training.x, w, training.y) - in_loops) <= 1e-5 * in_loops &&
              largest_difference(slow, fast) <= 1e-5f,
          "plain loops and the library agree on the loss and on every probability");
}

/*
Why not keep the squared error of chapter 1? Compare the last two columns. The surer a false answer, the more
the cross-entropy charges, four more for each four steps of the score. The squared error stops at 1: between a
score of −8 and one of −16 it sees no difference, so its slope there is nearly 0, and descent has no reason to
correct the worst mistakes.

## The gradient, by hand

We need the slope of $\ell = \log(1 + e^z) - yz$ in the score. The derivative of $\log(1+e^z)$ is $e^z / (1 +
e^z)$, and that is the sigmoid again. So

$$\frac{\partial \ell}{\partial z} = \sigma(z) - y = p - y, \qquad \nabla L = \frac1n X^\top (p - y).$$

In words: *the gradient of a weight is the average of input times error*, the sentence of chapter 1, with the
error now being a difference of probabilities. Only the prediction has changed from $Xw$ to $\sigma(Xw)$.

We add ridge from the start, for a reason that comes later in this chapter: $\frac\lambda2 \lVert w \rVert^2$
on the loss, and so $\lambda w$ on the gradient.
*/

// p, x (n × d), y (n × 1) → gradient (d × 1); p is overwritten by the errors
static void loss_gradient(Matrix gradient, Matrix p, Matrix x, Matrix y)
{
    subtract(p, p, y);
    matmul_tn(gradient, x, p);
    scale(gradient, 1.0f / (float)x.rows);
}

static void check_gradient(Lesson *lesson, Examples training)
{
    section(lesson, "The gradient, by hand");
    Arena *arena = lesson_arena(lesson);
    Matrix w = matrix_new(arena, FEATURES, 1), gradient = matrix_new(arena, FEATURES, 1);
    Matrix p = matrix_new(arena, training.x.rows, 1);
    Rng rng = lesson_rng(lesson, 3);
    fill_normal(w, &rng, 0.0f, 0.3f);
    loss_of(p, training.x, w, training.y);
    loss_gradient(gradient, p, training.x, training.y);

    const float h = 0x1p-6f;
    double worst = 0.0, most = 0.0;
    for (int j = 0; j < FEATURES; j++) {
        float kept = w.data[j];
        w.data[j] = kept + h;
        double above = loss_in_loops(p, training.x, w, training.y);
        w.data[j] = kept - h;
        double below = loss_in_loops(p, training.x, w, training.y);
        w.data[j] = kept;
        double numeric = (above - below) / (2.0 * (double)h);
        worst = fmax(worst, fabs((double)gradient.data[j] - numeric));
        most = fmax(most, fabs(numeric));
    }
    printf("31 weights: the largest slope is %.4f\n\n", most);
    claim(lesson, worst <= 1e-3 * most,
          "X^T (p - y) / n matches finite differences to a thousandth of the largest slope");
}

/*
## One valley

In chapter 1 the loss was a bowl, so it did not matter where we began. Is it still? The curvature now is
$\frac1n X^\top S X + \lambda I$, where $S$ holds $p(1-p)$ for each example. These numbers are never negative,
so the loss curves upwards in every direction, everywhere: it is **convex** (凸), and has no second valley to
get lost in. The ridge makes the curvature at least $\lambda$, so there is exactly one lowest point.

We can even say in advance how fast descent forgets where it came from. $p(1-p)$ is at most ¼. The eigenvalues
of $\frac1n X^\top X$ add up to its diagonal, which is 1 for each of our 31 columns. So the curvature lies
between $\lambda$ and $31/4 + \lambda$, and for a step $\eta$ below $2 / (31/4 + 2\lambda) = 0.257$ the
mathematics of convex functions guarantees: two runs, wherever they start, come closer with every step, at
least by the factor $1 - \eta\lambda$.

We take $\eta = 0.25$, $\lambda = 0.01$, and two wild random starts: weights of deviation 3, so that the
distance between them is about $3 \sqrt{2 \cdot 31} = 24$, and below 10 not once in a million times.
*/

static const float RATE = 0.25f, RIDGE = 0.01f;

// Takes steps of gradient descent from w. Returns the loss before the last step, ridge included.
static double descend(Arena *arena, Matrix w, Examples e, float ridge, int steps)
{
    ArenaMark mark = arena_mark(arena);
    Matrix p = matrix_new(arena, e.x.rows, 1), gradient = matrix_new(arena, w.rows, 1);
    double loss = 0.0;
    for (int step = 0; step < steps; step++) {
        loss = loss_of(p, e.x, w, e.y) + 0.5 * (double)ridge * sum_of_squares(w);
        loss_gradient(gradient, p, e.x, e.y);
        add_scaled(gradient, ridge, w);
        add_scaled(w, -RATE, gradient);
    }
    arena_rewind(arena, mark);
    return loss;
}

static void draw_two_starts(Lesson *lesson, const float *steps, const float *apart, const float *most,
                            int count)
{
    Plot *plot = plot_begin(lesson, "two_starts.svg", "Two random starts, one end");
    plot_axes(plot, "step of gradient descent", "distance between the weights");
    plot_log(plot, "y");
    plot_line(plot, "measured", steps, apart, count);
    plot_dashed(plot, "guaranteed", steps, most, count);
    plot_end(plot, "The runs approach each other a little faster than guaranteed, until the last digits of a "
                   "float stop them.");
}

static Matrix start_twice(Lesson *lesson, Examples training)
{
    section(lesson, "One valley");
    enum { ROUNDS = 80, STEPS = 100 };
    Arena *arena = lesson_arena(lesson);
    Matrix w[2], between = matrix_new(arena, FEATURES, 1);
    Rng rng = lesson_rng(lesson, 4);
    for (int run = 0; run < 2; run++) {
        w[run] = matrix_new(arena, FEATURES, 1);
        fill_normal(w[run], &rng, 0.0f, 3.0f);
    }
    subtract(between, w[0], w[1]);
    float steps[ROUNDS + 1] = {0}, apart[ROUNDS + 1], most[ROUNDS + 1];
    apart[0] = most[0] = (float)norm(between);
    double factor = 1.0, loss[2] = {0.0, 0.0};
    // A step rounds each weight, all below 1 in the end, by 2⁻²⁵ at most, and forgets a fraction ηλ of the past.
    const double rounding = 2.0 * sqrt(FEATURES) * 0x1p-25 / ((double)RATE * (double)RIDGE);
    bool kept = true;
    printf("steps     loss of run 1   loss of run 2   weights apart by   at most\n");
    for (int round = 1; round <= ROUNDS; round++) {
        for (int run = 0; run < 2; run++) loss[run] = descend(arena, w[run], training, RIDGE, STEPS);
        for (int step = 0; step < STEPS; step++) factor *= 1.0 - (double)RATE * (double)RIDGE;
        subtract(between, w[0], w[1]);
        steps[round] = (float)(round * STEPS);
        apart[round] = (float)norm(between);
        most[round] = (float)(factor * (double)apart[0]);
        kept = kept && (double)apart[round] <= factor * (double)apart[0] + rounding;
        if (round == 1 || round == 4 || round == 20 || round == ROUNDS)
            printf("%5d %17.7f %15.7f %18.7f %9.2g\n", round * STEPS, loss[0], loss[1], (double)apart[round],
                   (double)most[round]);
    }
    draw_two_starts(lesson, steps, apart, most, ROUNDS + 1);
    printf("\n");
    claim(lesson, apart[0] >= 10.0f, "the two starts are more than 10 apart");
    claim(lesson, kept, "two runs are never further apart than convexity and rounding allow");
    claim(lesson, fabs(loss[0] - loss[1]) <= 1e-6, "both end at the same loss, to 1e-6");
    claim(lesson, (double)apart[ROUNDS] <= 1e-3 * norm(w[0]),
          "and with the same weights, to 1e-3 of their length");
    return w[0];
}

/*
Below $10^{-4}$ the distance stops shrinking. That is not the mathematics but the arithmetic: the pull of the
valley has become smaller than the last digit of the weights, so a step no longer changes them. We allowed for
it in the claim, with the bound in the code. In the loss it shows only after the seventh digit.

## How good is it?

"Ninety-six percent right" means nothing by itself. Whoever calls every tumour benign is right more than six
times out of ten. So we put honest **baselines** (基线) beside the model. One is that *majority* answer. The
other is the *nearest mean*: average the tumours of each class, and ask which average $m_k$ is closer. Since

$$\lVert x - m_k \rVert^2 = \lVert x \rVert^2 - 2 x^\top m_k + \lVert m_k \rVert^2$$

and the first term is the same for all classes, the closest mean is the one with the largest $x^\top m_k -
\frac12 \lVert m_k \rVert^2$: a weighted sum again, and a constant. Only nobody has learned these weights.

A model makes two kinds of mistakes, and they are not equally bad: a malignant tumour that is missed, and a
benign one that causes alarm. The **confusion matrix** (混淆矩阵) counts all four cases. Everything that follows
needs only scores: say "malignant" where the score is above a threshold.
*/

// counts[truth][called]: scores, y (n × 1); called malignant, 1, where the score is above the threshold
static void confuse(int counts[2][2], Matrix scores, Matrix y, float threshold)
{
    memset(counts, 0, 4 * sizeof counts[0][0]);
    for (int i = 0; i < y.rows; i++) counts[y.data[i] > 0.5f][scores.data[i] > threshold]++;
}

// x (n × d), its last column 1, labels [n] → weights (d × K): score k tells how close the mean of class k is
static Matrix nearest_mean_weights(Arena *arena, Matrix x, const int *labels, int classes)
{
    Matrix w = matrix_new(arena, x.cols, classes), counts = matrix_new(arena, 1, classes);
    for (int i = 0; i < x.rows; i++) {
        counts.data[labels[i]]++;
        for (int j = 0; j < x.cols; j++) AT(w, j, labels[i]) += AT(x, i, j);
    }
    divide_row(w, counts);
    for (int k = 0; k < classes; k++) {
        double squares = 0.0;
        for (int j = 0; j < x.cols - 1; j++) squares += (double)AT(w, j, k) * (double)AT(w, j, k);
        AT(w, x.cols - 1, k) = (float)(-0.5 * squares);
    }
    return w;
}

/*
## Where to draw the line

Must the threshold be 0? A doctor who fears a miss more than an alarm will lower it. Each threshold gives
another pair of rates: the fraction of malignant tumours that raise the alarm, and the fraction of benign ones
that do. Walk the threshold from the top to the bottom and draw a step for each tumour, up for a malignant one,
right for a benign one. This is the **ROC curve** (受试者工作特征曲线), named after the operators of radar receivers. A
coin draws the diagonal; perfect scores go straight up, then right.

The **area under the curve**, AUC (曲线下面积), judges the scores without any threshold. It has a second meaning:
take one malignant and one benign tumour at random; the AUC is the probability that the malignant one has the
higher score (Hanley and McNeil 1982). We compute it both ways.
*/

typedef struct {
    float score;
    bool positive;
} Scored;

static int by_falling_score(const void *a, const void *b)
{
    float left = ((const Scored *)a)->score, right = ((const Scored *)b)->score;
    return (left < right) - (left > right);
}

// scores, y (n × 1) → the area; the curve has *corners corners at right[…] and up[…], at most n + 1
static double roc_curve(Arena *arena, Matrix scores, Matrix y, float *right, float *up, int *corners)
{
    int n = y.rows, positives = 0, count = 1;
    Scored *sorted = arena_alloc(arena, (size_t)n, sizeof *sorted);
    for (int i = 0; i < n; i++) {
        sorted[i] = (Scored){scores.data[i], y.data[i] > 0.5f};
        positives += sorted[i].positive;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, by_falling_score);
    double area = 0.0, height = 0.0, width = 0.0;
    right[0] = up[0] = 0.0f;
    for (int i = 0; i < n;) { // equal scores move together: one slanted step
        double rise = 0.0, run = 0.0;
        for (float score = sorted[i].score; i < n && sorted[i].score == score; i++) {
            rise += sorted[i].positive;
            run += !sorted[i].positive;
        }
        area += run * (height + rise / 2.0);
        height += rise, width += run;
        right[count] = (float)(width / (n - positives));
        up[count++] = (float)(height / positives);
    }
    *corners = count;
    return area / ((double)positives * (n - positives));
}

static double auc_by_pairs(Matrix scores, Matrix y)
{
    double won = 0.0, pairs = 0.0;
    for (int i = 0; i < y.rows; i++) {
        for (int j = 0; j < y.rows; j++) {
            if (y.data[i] < 0.5f || y.data[j] > 0.5f) continue;
            pairs += 1.0;
            won += scores.data[i] > scores.data[j];
            won += 0.5 * (scores.data[i] == scores.data[j]);
        }
    }
    return won / pairs;
}

enum { MODELS = 3 };
static const char *const model_names[MODELS] = {"majority", "nearest mean", "logistic regression"};

// The weights of the two baselines (FEATURES × 1 each)
static void make_baselines(Arena *arena, Matrix majority, Matrix nearest, Examples training)
{
    fill(majority, 0.0f);
    majority.data[MEASUREMENTS] = -1.0f; // benign, always
    int *labels = arena_alloc(arena, (size_t)training.x.rows, sizeof *labels);
    for (int i = 0; i < training.x.rows; i++) labels[i] = (int)training.y.data[i];
    Matrix means = nearest_mean_weights(arena, training.x, labels, 2);
    for (int j = 0; j < FEATURES; j++) nearest.data[j] = AT(means, j, 1) - AT(means, j, 0);
}

// Prints what happens with the alarm at other probabilities, and marks them on the curve.
static void move_the_alarm(Plot *plot, Matrix scores, Matrix y)
{
    printf("\nlogistic regression, with the alarm at\nprobability   misses   false alarms\n");
    enum { ALARMS = 5 };
    const float alarms[ALARMS] = {0.05f, 0.2f, 0.5f, 0.8f, 0.95f};
    float false_alarms[ALARMS], found[ALARMS];
    for (int k = 0; k < ALARMS; k++) {
        int counts[2][2];
        confuse(counts, scores, y, log32(alarms[k] / (1.0f - alarms[k])));
        printf("%11.2f %8d %14d\n", (double)alarms[k], counts[1][0], counts[0][1]);
        false_alarms[k] = (float)counts[0][1] / (float)(counts[0][0] + counts[0][1]);
        found[k] = (float)counts[1][1] / (float)(counts[1][0] + counts[1][1]);
        char label[16];
        snprintf(label, sizeof label, "%.2g", (double)alarms[k]);
        bool no_alarm = counts[0][1] == 0; // there the curve runs up: to its left is room, else above it
        plot_text(plot, (double)false_alarms[k] - (no_alarm ? 0.035 : 0.005),
                  (double)found[k] + (no_alarm ? 0.0 : 0.012), label);
    }
    plot_crosses(plot, "alarm at a probability of …", false_alarms, found, ALARMS);
    printf("\n");
}

static void judge(Lesson *lesson, Split split, Matrix w)
{
    section(lesson, "Where to draw the line");
    Arena *arena = lesson_arena(lesson);
    Examples unseen = split.validation;
    int n = unseen.x.rows, corners = 0, wrong[MODELS], counts[2][2];
    Matrix models[MODELS] = {matrix_new(arena, FEATURES, 1), matrix_new(arena, FEATURES, 1), w};
    make_baselines(arena, models[0], models[1], split.training);

    Plot *plot = plot_begin(lesson, "roc.svg", "Malignant tumours found, against false alarms");
    plot_axes(plot, "fraction of benign tumours that raise an alarm", "fraction of malignant ones that do");
    plot_range_x(plot, -0.04, 0.3);
    plot_range_y(plot, 0.7, 1.02);
    plot_legend(plot, "bottom right");
    Matrix scores = matrix_new(arena, n, 1), curve = matrix_new(arena, 2, n + 1);
    float *right = matrix_row(curve, 0), *up = matrix_row(curve, 1);
    double areas[MODELS], difference = 0.0;
    printf("%d tumours not seen   right     misses   false alarms   AUC\n", n);
    for (int k = 0; k < MODELS; k++) {
        matmul(scores, unseen.x, models[k]);
        confuse(counts, scores, unseen.y, 0.0f);
        wrong[k] = counts[1][0] + counts[0][1];
        areas[k] = roc_curve(arena, scores, unseen.y, right, up, &corners);
        difference = fmax(difference, fabs(areas[k] - auc_by_pairs(scores, unseen.y)));
        printf("%-22s %5.1f %% %8d %14d   %.4f\n", model_names[k], 100.0 * (n - wrong[k]) / n, counts[1][0],
               counts[0][1], areas[k]);
        if (k == 1) plot_line(plot, model_names[k], right, up, corners);
        if (k == 2) plot_dashed(plot, model_names[k], right, up, corners); // partly on the other
    }
    move_the_alarm(plot, scores, unseen.y);
    plot_end(plot,
             "The upper left corner of the whole square; a coin's diagonal lies outside. From 0.8 to 0.5 the "
             "alarm finds two tumours more for 5 false alarms; from 0.5 to 0.05, none for another 39.");
    claim(lesson, difference <= 1e-12,
          "the area under the curve is the fraction of pairs in the right order");
    claim(lesson, wrong[2] < wrong[0] && wrong[2] < wrong[1],
          "logistic regression makes fewer mistakes than both baselines");
    claim(lesson, areas[2] > areas[0] && areas[2] > areas[1], "and its AUC is above theirs");
}

/*
The nearest mean is no bad doctor: most of the knowledge is in two averages. Say so when you report the rest.

The small table is where a model meets its use. To miss fewer tumours we pay in false alarms. No mathematics
tells which row to choose: that depends on what a miss costs and what an alarm costs.

## When the weights run away

Why the ridge? We leave it out, on purpose, and learn from 100 tumours only: a hundred examples and thirty-one
weights. If there is a weighted sum that gets all hundred right, then twice those weights get them right as
well, with all probabilities closer to 0 and 1, so their loss is lower. And four times, and eight times. The
loss is still convex, but its lowest point lies at infinity: a valley that slopes down for ever. How fast does
descent go after it? Far out, what is left of the loss of an example is about $e^{-m}$ for a margin $m$ that
grows in proportion to the weights, and so does the slope. Something that moves at the speed $e^{-m}$ has come
to $m \approx \log t$ after $t$ steps: *each doubling of the number of steps adds the same length again*
(Soudry and others, 2018).
*/

// How many examples were given a probability below limit for the class that is true
static int given_less(Matrix p, Matrix y, float limit)
{
    int count = 0;
    for (int i = 0; i < p.rows; i++) count += (y.data[i] > 0.5f ? p.data[i] : 1.0f - p.data[i]) < limit;
    return count;
}

enum { STOPS = 14 };
static const int stops[STOPS] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000};

// At each stop: the length of the weights, and the losses
typedef struct {
    float length[STOPS], seen[STOPS], unseen[STOPS];
} Curves;

// Trains w (FEATURES × 1) from 0 and prints how it goes. p receives the probabilities of the training set.
static Curves follow(Arena *arena, Matrix w, Matrix p, Split split, float ridge)
{
    Curves curves;
    Matrix q = matrix_new(arena, split.validation.x.rows, 1);
    printf("steps   length of the weights   training loss   validation loss\n");
    for (int k = 0, taken = 0; k < STOPS; taken = stops[k++]) {
        descend(arena, w, split.training, ridge, stops[k] - taken);
        curves.length[k] = (float)norm(w);
        curves.seen[k] = (float)loss_of(p, split.training.x, w, split.training.y);
        curves.unseen[k] = (float)loss_of(q, split.validation.x, w, split.validation.y);
        if (k % 3 == 1)
            printf("%5d %23.2f %15.4f %17.4f\n", stops[k], (double)curves.length[k], (double)curves.seen[k],
                   (double)curves.unseen[k]);
    }
    printf("wrong: %d of the 100; %d of %d unseen, %d of these with a certainty above 99 %%\n\n",
           given_less(p, split.training.y, 0.5f), given_less(q, split.validation.y, 0.5f), q.rows,
           given_less(q, split.validation.y, 0.01f));
    return curves;
}

static void draw_run_away(Lesson *lesson, const Curves *without, const Curves *with)
{
    float steps[STOPS];
    for (int k = 0; k < STOPS; k++) steps[k] = (float)stops[k];
    Plot *plot = plot_begin(lesson, "run_away.svg", "Learning from 100 tumours, with a ridge and without");
    plot_axes(plot, "step of gradient descent", "loss");
    plot_log(plot, "xy");
    plot_legend(plot, "bottom left");
    plot_line(plot, "without ridge, validation", steps, without->unseen, STOPS);
    plot_line(plot, "with ridge, validation", steps, with->unseen, STOPS);
    plot_dashed(plot, "without ridge, training", steps, without->seen, STOPS);
    plot_dashed(plot, "with ridge, training", steps, with->seen, STOPS);
    plot_end(plot,
             "Without a ridge the training loss falls for ever, and the validation loss turns and climbs.");
}

static void run_away(Lesson *lesson, Split split)
{
    section(lesson, "When the weights run away");
    Arena *arena = lesson_arena(lesson);
    Matrix p = matrix_new(arena, split.training.x.rows, 1), w = matrix_new(arena, FEATURES, 1);
    printf("ridge 0.01\n");
    Curves with = follow(arena, w, p, split, RIDGE);
    fill(w, 0.0f);
    printf("no ridge\n");
    Curves without = follow(arena, w, p, split, 0.0f);
    draw_run_away(lesson, &without, &with);

    const int last = STOPS - 1; // 5000, 10000, 20000 steps are the last three stops
    double once = (double)(without.length[last - 1] - without.length[last - 2]),
           again = (double)(without.length[last] - without.length[last - 1]);
    printf("\nwithout ridge, from 5000 to 10000 steps the weights grow by %.3f, to 20000 by %.3f\n\n", once,
           again);
    int errors = given_less(p, split.training.y, 0.5f);
    scale(w, 2.0f);
    double doubled = loss_of(p, split.training.x, w, split.training.y);
    claim(lesson, errors == 0 && doubled < (double)without.seen[last],
          "without ridge, doubling the weights of a faultless model lowers its training loss");
    claim(lesson, fabs(again / once - 1.0) <= 0.25,
          "the last two doublings of the steps add the same length, to a quarter");
    claim(lesson, with.length[last] < 1.001f * with.length[last - 3], "with ridge the weights stand still");
    claim(lesson, without.unseen[last] > without.unseen[6] && without.unseen[last] > with.unseen[last],
          "the validation loss ends above what it was at step 100, and above that with ridge");
}

/*
What does it do to the unseen tumours? Compare the two lines that count the mistakes. Far worse than the
number of wrong names is how they are wrong. From examples that it can explain perfectly the model learns that
it is never mistaken, and then it is mistaken with great certainty.

## Can one rely on the probabilities?

"The sigmoid gives the probability of the class", one reads. That can be checked: of all the tumours that were
called malignant with a probability near 0.8, eight of ten should be. A model of which this is true at all
probabilities is **calibrated** (校准), and the plot of what happened against what was said is its **reliability
diagram** (可靠性图; Murphy and Winkler 1977). One validation set has too few doubtful cases, so we draw ten
training sets of 100 tumours, and judge each model on a half of the tumours that it has not seen.
*/

enum { GROUPS = 6 };
static const float group_ends[GROUPS] = {0.01f, 0.1f, 0.5f, 0.9f, 0.99f, 2.0f};

// Predictions in groups of similar probability: how many, their mean probability, and how many were malignant
typedef struct {
    double count[GROUPS], said[GROUPS], happened[GROUPS];
    int sure, wrong; // with a certainty above 99 %; and of these, how many are wrong
    double expected; // and how many should be, by the model's own probabilities
} Reliability;

static Reliability ask_ten_models(Lesson *lesson, Examples tumours, float ridge)
{
    enum { DRAWS = 10, STEPS = 5000, TRAINING = 100 };
    Arena *arena = lesson_arena(lesson);
    Reliability r = {0};
    int *order = arena_alloc(arena, (size_t)tumours.x.rows, sizeof *order);
    Rng rng = lesson_rng(lesson, 7);
    for (int draw = 0; draw < DRAWS; draw++) {
        rng_permutation(&rng, order, tumours.x.rows);
        Split split = prepare(arena, tumours, order, TRAINING);
        Matrix w = matrix_new(arena, FEATURES, 1), p = matrix_new(arena, split.validation.x.rows, 1);
        descend(arena, w, split.training, ridge, STEPS);
        loss_of(p, split.validation.x, w, split.validation.y);
        for (int i = 0; i < p.rows; i++) {
            int group = 0;
            while (p.data[i] >= group_ends[group]) group++;
            r.count[group]++;
            r.said[group] += (double)p.data[i];
            r.happened[group] += (double)split.validation.y.data[i];
        }
        r.wrong += given_less(p, split.validation.y, 0.01f);
    }
    const int last = GROUPS - 1;
    r.sure = (int)(r.count[0] + r.count[last]);
    r.expected = r.said[0] + (r.count[last] - r.said[last]);
    for (int k = 0; k < GROUPS; k++) {
        r.said[k] /= r.count[k];
        r.happened[k] /= r.count[k];
    }
    return r;
}

static void check_reliability(Lesson *lesson, Examples tumours)
{
    section(lesson, "Can one rely on the probabilities?");
    Plot *plot = plot_begin(lesson, "reliability.svg", "What happened, against what was said");
    plot_axes(plot, "mean probability that was said", "fraction that was malignant");
    plot_square(plot);
    plot_legend(plot, "top left");
    const float ends[] = {0.0f, 1.0f};
    plot_dashed(plot, "calibrated", ends, ends, 2);
    const char *const names[] = {"no ridge", "ridge 0.01"};
    const float ridges[] = {0.0f, RIDGE};
    double excess[2]; // in standard errors
    for (int run = 0; run < 2; run++) {
        Reliability r = ask_ten_models(lesson, tumours, ridges[run]);
        float said[GROUPS], happened[GROUPS];
        printf("%s\n   said   happened   of how many\n", names[run]);
        for (int k = 0; k < GROUPS; k++) {
            said[k] = (float)r.said[k], happened[k] = (float)r.happened[k];
            printf("%7.4f %10.4f %13.0f\n", r.said[k], r.happened[k], r.count[k]);
        }
        printf("more than 99 %% certain: %d times; wrong %d times, by its own account %.1f\n\n", r.sure,
               r.wrong, r.expected);
        excess[run] = (r.wrong - r.expected) / sqrt(r.expected);
        plot_line_points(plot, names[run], said, happened, GROUPS);
    }
    plot_end(plot,
             "Without a ridge the doubtful cases are decided too boldly; with one, a little too timidly.");
    printf("\n");
    claim(lesson, excess[0] > 4.0,
          "without ridge, the certain answers are wrong more often than they say, by four standard errors");
    claim(lesson, fabs(excess[1]) <= 4.0, "with ridge, the difference is within four standard errors");
}

/*
Read the lines of the model without ridge. Of what it calls 96 % malignant, only three quarters are; and where
it is more than 99 % certain, it is wrong more often than its certainty allows. It is **overconfident**
(过度自信). So the popular sentence needs a condition: the sigmoid gives a probability to rely on only if
something has kept the weights in check. The ridge does, and so does stopping early. This ridge errs a little
on the other side: weights that are held too short keep the probabilities too near to one half. Nothing
guarantees calibration; it has to be measured.

## Part two: ten classes

So far a score has answered one question with yes or no. Now there are ten names to choose from, and the features
are the pixels of an image. Nearly everything stays: a score, a probability made of it, surprise as the loss, input
times error as the gradient. What is new is a formula that breaks in a computer, training in minibatches, and weights
that are images themselves, so that we can look at what has been learned.

## Ten answers

We give each class its own column of weights, and so its own score: $Z = XW$ with $W$ of
size $d \times 10$. The score of a class is only meaningful against the others. The **softmax function**
(softmax 函数) turns a row of scores into probabilities that add up to 1:

$$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}.$$

In words: *each class gets a part in proportion to the exponential of its score* (Bridle 1990 gave it its
name). It is the sigmoid's big sister: for two classes, dividing by $e^{z_1}$ shows $p_1 = 1 / (1 + e^{-(z_1 -
z_0)})$.

In a `float` this formula has a trap. The largest float is about $3.4 \cdot 10^{38} = e^{88.7}$. A score of 89
is nothing special, but its exponential does not exist. The way out: adding the same number to all scores
changes nothing, because it cancels in the fraction. So subtract the largest score first. Then the largest
exponential is $e^0 = 1$, the sum is at least 1, and neither can break.
*/

enum { CLASSES = 10 };

static void softmax_as_in_the_textbook(float *p, const float *z, int classes)
{
    float total = 0.0f;
    for (int k = 0; k < classes; k++) total += p[k] = exp32(z[k]);
    for (int k = 0; k < classes; k++) p[k] /= total;
}

static void stable_softmax(float *p, const float *z, int classes)
{
    float most = z[0], total = 0.0f;
    for (int k = 1; k < classes; k++) most = fmaxf(most, z[k]);
    for (int k = 0; k < classes; k++) total += p[k] = exp32(z[k] - most);
    for (int k = 0; k < classes; k++) p[k] /= total;
}

static void print_row(const char *name, const float *p, int count)
{
    printf("%-10s", name);
    for (int k = 0; k < count; k++) {
        if (isfinite(p[k]))
            printf(" %8.5f", (double)p[k]);
        else
            printf(" %8s", "none");
    }
}

static void overflow(Lesson *lesson)
{
    section(lesson, "Ten answers");
    enum { THREE = 3, HEIGHTS = 7 };
    const float heights[HEIGHTS] = {0.0f, 50.0f, 86.0f, 88.0f, 1000.0f, -100.0f, -1000.0f};
    float naive[HEIGHTS][THREE], stable[HEIGHTS][THREE];
    bool same = true;
    printf("scores               as in the textbook                  largest score subtracted\n");
    for (int i = 0; i < HEIGHTS; i++) {
        const float z[THREE] = {heights[i], heights[i] + 1.0f, heights[i] + 2.0f};
        softmax_as_in_the_textbook(naive[i], z, THREE);
        stable_softmax(stable[i], z, THREE);
        same = same && memcmp(stable[i], stable[0], sizeof stable[0]) == 0;
        printf("%5.0f %5.0f %5.0f ", (double)z[0], (double)z[1], (double)z[2]);
        print_row("", naive[i], THREE);
        print_row("", stable[i], THREE);
        printf("\n");
    }
    printf("\n");
    claim(lesson, isfinite(naive[2][2]) && !isfinite(naive[3][2]),
          "the textbook's softmax overflows between scores of 88 and 90");
    claim(lesson, isnan(naive[6][0]), "far below zero it divides nothing by nothing");
    claim(lesson, same, "the stable one gives the same bits at every height");

    const float two[2] = {0.75f, -1.5f};
    float p[2], far[2] = {0.0f, 200.0f}, of_far[2];
    stable_softmax(p, two, 2);
    stable_softmax(of_far, far, 2);
    Matrix logits = matrix_view(1, 2, far), lost = matrix_new(lesson_arena(lesson), 1, 1);
    log_sum_exp(lost, logits);
    claim(lesson, fabsf(p[0] - to_probability(two[0] - two[1])) <= 1e-6f,
          "for two classes it is the sigmoid of the difference");
    claim(lesson, isinf(log32(of_far[0])) && lost.data[0] - far[0] == 200.0f,
          "even then -log p may be infinite; the loss taken from the scores is 200, as it should be");
}

/*
Look at the row of −100. Nothing overflows there, no warning is given, and the third digit is wrong: the
exponentials have sunk so low that a float keeps only a few bits of them. An error that stops the program is
the kinder one.

And a stable softmax is still not enough for the loss. For scores of 0 and 200, the smaller probability is
$e^{-200}$, which is 0 in a float, and $-\log 0$ is infinite. So, as with the sigmoid, we put the softmax into
the logarithm before computing:

$$\ell = -\log p_y = \log \sum_j e^{z_j} - z_y = m + \log \sum_j e^{z_j - m} - z_y, \qquad m = \max_j z_j.$$

## The same gradient again

What is the slope of this loss in each score? The derivative of $\log \sum_j e^{z_j}$ in $z_k$ is $e^{z_k} /
\sum_j e^{z_j}$, which is $p_k$. The derivative of $-z_y$ is $-1$ for the right class and 0 for the others.
Write $Y$ for the table with a 1 at the right class in each row and 0 elsewhere, the **one-hot** (独热) labels.
Then

$$\nabla L = \frac1n X^\top (P - Y).$$

*Input times error*, for the third time. The errors of a row add up to 0: what the classes receive too much
of, the right one lacks. Here are loss and gradient in plain loops.
*/

// x (n × d), w (d × K), labels [n] → the loss, and its gradient (d × K)
static double softmax_loss_in_loops(Matrix gradient, Matrix x, Matrix w, const int *labels)
{
    double total = 0.0;
    fill(gradient, 0.0f);
    for (int i = 0; i < x.rows; i++) {
        float z[CLASSES] = {0}, p[CLASSES], most = -INFINITY, sum_of_powers = 0.0f;
        for (int j = 0; j < x.cols; j++)
            for (int k = 0; k < CLASSES; k++) z[k] += AT(x, i, j) * AT(w, j, k);
        for (int k = 0; k < CLASSES; k++) most = fmaxf(most, z[k]);
        for (int k = 0; k < CLASSES; k++) sum_of_powers += exp32(z[k] - most);
        total += (double)(most + log32(sum_of_powers) - z[labels[i]]);

        stable_softmax(p, z, CLASSES);
        p[labels[i]] -= 1.0f; // now the errors
        for (int j = 0; j < x.cols; j++)
            for (int k = 0; k < CLASSES; k++) AT(gradient, j, k) += AT(x, i, j) * p[k] / (float)x.rows;
    }
    return total / x.rows;
}

/*
The fast version makes the scores of many examples in one product, and the gradient in another. Between the
two stands `cross_entropy_forward` from `common/`, which turns scores into probabilities and losses in one
pass.
*/

// errors (n × K) receives (p − y) / n; row_losses (n × 1) each example's loss
static double softmax_loss(Matrix gradient, Matrix errors, Matrix row_losses, Matrix x, Matrix w,
                           const int *labels)
{
    matmul(errors, x, w);
    double loss = (double)cross_entropy_forward(errors, row_losses, errors, labels);
    for (int i = 0; i < x.rows; i++) AT(errors, i, labels[i]) -= 1.0f;
    scale(errors, 1.0f / (float)x.rows);
    matmul_tn(gradient, x, errors);
    return loss;
}

/*
## Ten kinds of clothes

Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017) holds 70 000 images of 28 × 28 grey pixels, ten kinds of
clothes in equal numbers, 60 000 to learn from and 10 000 to test with. An image becomes a row: its 784
pixels are the features, and once more a 785th is always 1. We take the mean grey from every pixel; the scale
is the same for all of them, so there is no need to divide.
*/

enum { PIXELS = 784, INPUTS = 785 };

// Images as rows x (n × INPUTS), and labels [n] from 0 to 9
typedef struct {
    Matrix x;
    const int *labels;
} ImageRows;

static ImageRows as_rows(Arena *arena, Images images, const int *labels, float grey)
{
    Matrix x = matrix_uninitialised(arena, images.count, INPUTS);
    for (int i = 0; i < images.count; i++) {
        const uint8_t *bytes = image_bytes(images, i);
        for (int j = 0; j < PIXELS; j++) AT(x, i, j) = (float)bytes[j] / 255.0f - grey;
        AT(x, i, PIXELS) = 1.0f;
    }
    return (ImageRows){x, labels};
}

static void check_softmax(Lesson *lesson, ImageRows training)
{
    section(lesson, "Ten kinds of clothes");
    enum { FEW = 256, TRIED = 40 };
    Arena *arena = lesson_arena(lesson);
    Matrix x = matrix_rows(training.x, 0, FEW), w = matrix_new(arena, INPUTS, CLASSES);
    Matrix slow = matrix_new(arena, INPUTS, CLASSES), fast = matrix_new(arena, INPUTS, CLASSES);
    Matrix errors = matrix_new(arena, FEW, CLASSES), row_losses = matrix_new(arena, FEW, 1);
    Rng rng = lesson_rng(lesson, 5);
    fill_normal(w, &rng, 0.0f, 0.1f);
    double in_loops = softmax_loss_in_loops(slow, x, w, training.labels);
    double in_products = softmax_loss(fast, errors, row_losses, x, w, training.labels);
    double largest_slope = fmax((double)largest(slow), -(double)smallest(slow)), worst = 0.0;
    printf("256 images, random weights: loss %.5f, largest slope %.4f\n\n", in_loops, largest_slope);

    const float h = 0x1p-6f;
    for (int t = 0; t < TRIED; t++) {
        size_t at = rng_below(&rng, INPUTS * CLASSES);
        float kept = w.data[at];
        w.data[at] = kept + h;
        double above = softmax_loss(fast, errors, row_losses, x, w, training.labels);
        w.data[at] = kept - h;
        double below = softmax_loss(fast, errors, row_losses, x, w, training.labels);
        w.data[at] = kept;
        worst = fmax(worst, fabs((above - below) / (2.0 * (double)h) - (double)slow.data[at]));
    }
    softmax_loss(fast, errors, row_losses, x, w, training.labels);
    claim(lesson,
          fabs(in_products - in_loops) <= 1e-5 * in_loops &&
              (double)largest_difference(slow, fast) <= 1e-4 * largest_slope,
          "plain loops and the library agree on the loss and on all 7850 slopes");
    claim(lesson, worst <= 1e-3 * largest_slope, "40 slopes, drawn at random, match finite differences");
}

/*
The gradient at zero weights is worth a look before we follow it. All probabilities are $\frac1{10}$ then, and
the classes are equally large, so column $k$ of $-\frac1n X^\top (P - Y)$ comes out as $\frac1{10}$ of *the
mean image of class $k$ minus the mean of all images*. After one step, the weights of each class are a
**template** (模板), a faint photograph of its average member. The baseline of the nearest mean is made of such
templates.

You will often read that softmax regression *learns a template of each class*. Is that so after more than one
step? We shall watch the cosine between each class's weights and its template: 1 when they point the same way,
0 when they have nothing to do with each other.

First a function that judges any weights. All weights 0 give it a tie, which the first class wins: with ten
equal classes that is the baseline of the majority.
*/

typedef struct {
    double loss, accuracy;
    Matrix confusion; // row: true class, column: predicted; counts
    Matrix p;         // (n × CLASSES)
} Verdict;

static Verdict evaluate(Arena *arena, Matrix w, ImageRows rows)
{
    int n = rows.x.rows, right = 0;
    Verdict verdict = {.confusion = matrix_new(arena, CLASSES, CLASSES), .p = matrix_new(arena, n, CLASSES)};
    Matrix row_losses = matrix_new(arena, n, 1);
    int *predicted = arena_alloc(arena, (size_t)n, sizeof *predicted);
    matmul(verdict.p, rows.x, w);
    verdict.loss = (double)cross_entropy_forward(verdict.p, row_losses, verdict.p, rows.labels);
    row_argmax(predicted, verdict.p);
    for (int i = 0; i < n; i++) {
        AT(verdict.confusion, rows.labels[i], predicted[i]) += 1.0f;
        right += predicted[i] == rows.labels[i];
    }
    verdict.accuracy = 100.0 * right / n;
    return verdict;
}

/*
## Training

There are 60 000 images, so we take minibatches, 64 images at a time, as in chapter 1. The learning rate falls
in a straight line to 0. We look at the test images after each epoch, but choose nothing by them. There is no
ridge here: ten epochs are few, and stopping early serves the same purpose.
*/

// The columns of w without their constants, each as a row (CLASSES × PIXELS)
static Matrix weights_as_images(Arena *arena, Matrix w)
{
    Matrix rows = matrix_new(arena, CLASSES, PIXELS);
    transpose(rows, matrix_rows(w, 0, PIXELS));
    return rows;
}

// cosines[k] between the weights of class k and its template; returns their mean
static double compare_with_templates(Arena *arena, float *cosines, Matrix w, Matrix templates)
{
    Matrix rows = weights_as_images(arena, w);
    double total = 0.0;
    for (int k = 0; k < CLASSES; k++) {
        Matrix a = matrix_rows(rows, k, 1), b = matrix_rows(templates, k, 1);
        total += cosines[k] = (float)(dot(a, b) / (norm(a) * norm(b)));
    }
    return total / CLASSES;
}

// One epoch of minibatches, the rate falling in a straight line to 0 at the end of training. Returns the mean loss.
static double train_epoch(Lesson *lesson, Arena *arena, Matrix w, ImageRows rows, int epoch, int epochs,
                          Rng *rng)
{
    enum { BATCH = 64 };
    const float rate = 0.4f;
    ArenaMark mark = arena_mark(arena);
    int n = rows.x.rows, *order = arena_alloc(arena, (size_t)n, sizeof *order), labels[BATCH];
    Matrix batch = matrix_new(arena, BATCH, INPUTS), gradient = matrix_new(arena, INPUTS, CLASSES);
    Matrix errors = matrix_new(arena, BATCH, CLASSES), row_losses = matrix_new(arena, BATCH, 1);
    rng_permutation(rng, order, n);
    double total = 0.0;
    for (int first = 0; first < n; first += BATCH) {
        int count = int_min(BATCH, n - first);
        Matrix x = matrix_rows(batch, 0, count);
        gather_rows(x, rows.x, order + first);
        for (int i = 0; i < count; i++) labels[i] = rows.labels[order[first + i]];
        double loss = softmax_loss(gradient, matrix_rows(errors, 0, count), matrix_rows(row_losses, 0, count),
                                   x, w, labels);
        float done = ((float)epoch + (float)first / (float)n) / (float)epochs;
        add_scaled(w, -rate * (1.0f - done), gradient);
        total += loss * count;
        lesson_progress(lesson, "training", (long)epoch * n + first + count, (long)epochs * n, loss);
    }
    arena_rewind(arena, mark);
    return total / n;
}

// The first step of descent from zero. cosines[k]: of the weights of class k then with its template
static void take_one_step(Arena *arena, ImageRows training, ImageRows test, Matrix templates, float *cosines)
{
    int n = training.x.rows;
    Matrix w = matrix_new(arena, INPUTS, CLASSES), gradient = matrix_new(arena, INPUTS, CLASSES);
    Matrix errors = matrix_new(arena, n, CLASSES), row_losses = matrix_new(arena, n, 1);
    double loss = softmax_loss(gradient, errors, row_losses, training.x, w, training.labels);
    add_scaled(w, -RATE, gradient);
    Verdict verdict = evaluate(arena, w, test);
    printf("one step %15.4f %11.4f %10.2f %% %16.4f\n", loss, verdict.loss, verdict.accuracy,
           compare_with_templates(arena, cosines, w, templates));
}

static Matrix train(Lesson *lesson, ImageRows training, ImageRows test, double baseline, Matrix templates)
{
    section(lesson, "Training");
    Arena *arena = lesson_arena(lesson);
    int epochs = lesson_full(lesson) ? 40 : 10;
    Matrix w = matrix_new(arena, INPUTS, CLASSES);
    printf("always the first class: %.2f %% right; nearest mean image: %.2f %%\n\n",
           evaluate(arena, w, test).accuracy, baseline);
    printf("epoch      training loss   test loss   test right   mean cosine with the templates\n");
    float first[CLASSES], cosines[CLASSES];
    take_one_step(arena, training, test, templates, first);

    Verdict verdict = {0};
    Rng rng = lesson_rng(lesson, 6);
    for (int epoch = 0; epoch < epochs; epoch++) {
        ArenaMark mark = arena_mark(arena);
        double loss = train_epoch(lesson, arena, w, training, epoch, epochs, &rng);
        verdict = evaluate(arena, w, test);
        double cosine = compare_with_templates(arena, cosines, w, templates);
        printf("%5d %18.4f %11.4f %10.2f %% %16.4f\n", epoch + 1, loss, verdict.loss, verdict.accuracy,
               cosine);
        arena_rewind(arena, mark);
    }
    printf("\n");
    float least = 1.0f, most = 0.0f;
    for (int k = 0; k < CLASSES; k++) least = fminf(least, first[k]), most = fmaxf(most, cosines[k]);
    claim(lesson, verdict.accuracy >= 84.0, "at least 84 %% of the test images get the right name");
    // Each of the two fractions of n images has a standard error of at most sqrt(1/4n).
    claim(lesson, verdict.accuracy >= baseline + 4.0 * 100.0 * sqrt(0.5 / test.x.rows),
          "that is above the nearest mean image by more than four standard errors");
    claim(lesson, least >= 0.999f, "after one step from zero, the weights of each class are its template");
    claim(lesson, most < 0.7071f,
          "at the end each class's weights have turned from it by more than 45 degrees");
    return w;
}

/*
So the popular sentence is true of the first step, and from then on it becomes less true as the model gets
better. An angle of more than 45° means that less than half of a class's (squared) weights lie along its
template. What are they doing instead?

## What the weights look like
*/

static void draw_weights(Lesson *lesson, Matrix w, Matrix templates, const char *const *names)
{
    section(lesson, "What the weights look like");
    enum { SIDE = 5 }; // images side by side
    Arena *arena = lesson_arena(lesson);
    Matrix both = matrix_new(arena, 2 * CLASSES, PIXELS), rows = weights_as_images(arena, w);
    const char *captions[2 * CLASSES] = {0};
    for (int k = 0; k < CLASSES; k++) {
        int at = k / SIDE * 2 * SIDE + k % SIDE; // five templates, and their weights in the row below
        Matrix kinds[2] = {matrix_rows(templates, k, 1), matrix_rows(rows, k, 1)};
        for (int kind = 0; kind < 2; kind++) { // each relative to its own largest weight: grey is zero
            Matrix out = matrix_rows(both, at + kind * SIDE, 1);
            copy(out, kinds[kind]);
            scale(out, 1.0f / fmaxf(largest(out), -smallest(out)));
        }
        captions[at] = names[k];
    }
    Plot *plot = plot_begin(lesson, "weights.png", "Templates, and what was learned");
    plot_images(plot, (PlotImages){28, 28, 1, SIDE, -0.7f, 0.7f}, both, captions);
    plot_end(plot,
             "With a name: the template of a class, its mean minus the mean of all. Below it: the learned "
             "weights. White counts for the class, black against it, grey not at all.");
}

/*
The templates show clothes. In the weights you must guess. Of the trousers little is left but the dark gap
between the legs; elsewhere there are thin edges and single pixels, black next to white. Where a coat and a
pullover look the same, a weight cannot help, however typical the pixel is of both; what helps is the line at
which they differ. The weights of a class describe *what sets it apart from the others*, not what it looks
like.

## What it confuses

Ten classes have a confusion matrix of ten rows. Each row is a true class, and says where its images went, in
percent.
*/

static void draw_mistakes(Lesson *lesson, Verdict verdict, const int *labels, Images images,
                          const char *const *names)
{
    enum { SHOWN = 12 };
    Arena *arena = lesson_arena(lesson);
    Matrix shown = matrix_new(arena, SHOWN, PIXELS);
    const char *captions[SHOWN];
    bool *taken = arena_zeros(arena, (size_t)images.count, sizeof *taken);
    for (int s = 0; s < SHOWN; s++) { // the surest of the mistakes that remain
        int worst = 0, called = 0;
        float surest = 0.0f;
        for (int i = 0; i < images.count; i++)
            for (int k = 0; k < CLASSES; k++)
                if (k != labels[i] && !taken[i] && AT(verdict.p, i, k) > surest)
                    surest = AT(verdict.p, i, k), worst = i, called = k;
        taken[worst] = true;
        image_gather(matrix_rows(shown, s, 1), images, &worst, 0.0f, 1.0f);
        char caption[64];
        snprintf(caption, sizeof caption, "%s, said %s", names[labels[worst]], names[called]);
        captions[s] = arena_string(arena, caption);
    }
    Plot *plot = plot_begin(lesson, "mistakes.png", "Twelve mistakes that it was surest of");
    plot_images(plot, (PlotImages){28, 28, 1, 4, 0.0f, 1.0f}, shown, captions);
    plot_end(plot,
             "Some of these would puzzle us too; others show how little a weighted sum of pixels sees.");
}

static void look_at_mistakes(Lesson *lesson, Matrix w, ImageRows training, ImageRows test, Images images,
                             const char *const *names)
{
    section(lesson, "What it confuses");
    enum { SHIRT = 6 };
    Arena *arena = lesson_arena(lesson);
    Verdict verdict = evaluate(arena, w, test);
    Matrix percent = matrix_copy(arena, verdict.confusion), totals = matrix_new(arena, CLASSES, 1);
    row_sums(totals, percent);
    int hardest = 0;
    for (int k = 0; k < CLASSES; k++) {
        scale(matrix_rows(percent, k, 1), 100.0f / totals.data[k]);
        if (AT(percent, k, k) < AT(percent, hardest, hardest)) hardest = k;
    }
    printf("right: %.2f %% of the test images, %.2f %% of the training images\n", verdict.accuracy,
           evaluate(arena, w, training).accuracy);
    printf("hardest: %s, %.1f %% right\n", names[hardest], (double)AT(percent, hardest, hardest));
    Plot *plot = plot_begin(lesson, "confusion.svg", "What the test images were called, in percent");
    plot_axes(plot, "called", "truth");
    plot_cells(plot, percent, names, names, 0);
    plot_end(plot, "Each row is a true class. Shoes are taken for other shoes, and a shirt for whatever else "
                   "covers the upper body.");

    draw_mistakes(lesson, verdict, test.labels, images, names);
    printf("\n");
    claim(lesson, hardest == SHIRT, "shirts are the hardest");
}

/*
On the images that it has learned from it is only two or three points better than on new ones: more images, or
a ridge, could hardly help by more. Nor is it a lack of training: `make chapter2 FULL=1` trains four times as
long (a few seconds more), and ends with 87.65 % of the training images and 84.48 % of the test images. This
is about as good as a weighted sum of pixels gets. A white pixel counts for a class or against it, once for
all, whatever is beside it; such a model cannot ask "is there a sleeve?", because a sleeve is a pattern of
many pixels, somewhere. For that, [chapter 6](../06-mlp-backprop/README.md) puts an activation function
between two weighted sums.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "02-logistic-regression", "Logistic and softmax regression");
    Arena *arena = lesson_arena(lesson);

    Csv table = csv_read(arena, "datasets/breast-cancer.csv");
    Examples tumours = look_at_the_tumours(lesson, table);
    int n = tumours.x.rows, *order = arena_alloc(arena, (size_t)n, sizeof *order);
    Rng rng = lesson_rng(lesson, 1);
    rng_permutation(&rng, order, n);
    Split split = prepare(arena, tumours, order, n - n / 2);
    weigh_surprises(lesson, split.training);
    check_gradient(lesson, split.training);
    Matrix best = start_twice(lesson, split.training);
    judge(lesson, split, best);
    run_away(lesson, prepare(arena, tumours, order, 100));
    check_reliability(lesson, tumours);
    overflow(lesson);

    ImageSet fashion = fashion_mnist_load(arena);
    float grey, deviation;
    image_statistics(fashion.train, &grey, &deviation);
    ImageRows training = as_rows(arena, fashion.train, fashion.train_labels, grey);
    ImageRows test = as_rows(arena, fashion.test, fashion.test_labels, grey);
    check_softmax(lesson, training);

    Matrix nearest = nearest_mean_weights(arena, training.x, training.labels, CLASSES);
    Matrix templates = weights_as_images(arena, nearest), average = matrix_new(arena, 1, PIXELS);
    column_means(average, templates);
    subtract_row(templates, average);
    Matrix w = train(lesson, training, test, evaluate(arena, nearest, test).accuracy, templates);
    draw_weights(lesson, w, templates, fashion.names);
    look_at_mistakes(lesson, w, training, test, fashion.test, fashion.names);
    return lesson_end(lesson);
}

/*
## What to take along

- A score is the logarithm of odds; sigmoid and softmax turn scores into probabilities, cross-entropy charges
  for surprise.
- The gradient is the average of input times error, $\frac1n X^\top (P - Y)$, whatever the number of classes.
- The loss is convex: one valley. But with separable examples its floor slopes down for ever, and something
  has to hold the weights, or the probabilities become too bold. A reliability diagram shows it.
- Take the largest score out before the exponential, and compute the loss from scores, not from probabilities.
- Judge by the confusion matrix, by the ROC curve, and beside honest baselines.
- The weights of a class show what sets it apart, not what it looks like.

A weighted sum draws a straight boundary, and there are four points that no straight boundary can tell apart.
With them begins [chapter 6](../06-mlp-backprop/README.md).

## Check yourself

**1.** A tumour has the score 2. Another one is the same but for one measurement, which raises the score by 1. What
are the two probabilities, and what are the two odds?

<details><summary>Answer</summary>

$\sigma(2) = 0.881$ and $\sigma(3) = 0.953$; the odds are $e^2 = 7.4$ and $e^3 = 20.1$. The difference of the
probabilities is 0.07 here and would be 0.23 between scores of 0 and 1, but the odds are multiplied by 2.7 in both
cases. That is why evidence is added up on the scale of the scores.

</details>

**2.** A test set has 950 benign tumours and 50 malignant ones. A model is right in 96 % of the cases. How many
malignant tumours may it have missed?

<details><summary>Answer</summary>

Forty: whoever calls everything benign has 95 %, and ten tumours found make 96 %. Without a false alarm, that is
what the number allows at worst; with some, it could be fewer. A single percentage hides which mistakes were made,
so ask for the confusion matrix and for the majority's baseline, which is 65.8 % for the tumours of this page.

</details>

**3.** One model gives a malignant tumour the probability 0.1, another one 0.001. By how much more does
cross-entropy charge the second? And the squared error?

<details><summary>Answer</summary>

$-\log 0.1 = 2.3$ and $-\log 0.001 = 6.9$: three times as much, and every further factor of 100 costs 4.6 more. The
squared errors are 0.81 and 0.998. To the squared error both are simply wrong, and its slope in the score, which
has the factor $p(1-p)$, is nearly gone for the second.

</details>

**4.** Without a ridge, the training loss on 100 tumours is still falling after 20,000 steps. Should we go on?

<details><summary>Answer</summary>

No. It falls because the weights grow, by about 2 for each doubling of the steps, and all 100 tumours have long
been called by their right names. The validation loss was 0.077 after 200 steps and is 0.163 now. The number of
unseen tumours called wrongly is the same as with a ridge, 7 of 284, but three of the seven are now called so with
a certainty above 99 %.

</details>

**5.** The scores of three classes are 1000, 1001 and 1002. What are the probabilities, and what is the loss if the
first class is true?

<details><summary>Answer</summary>

Those of the scores 0, 1 and 2: 0.090, 0.245 and 0.665, for a number that is added to all scores cancels. The loss
is $-\log 0.090 = 2.408$, computed as $1002 + \log(e^{-2} + e^{-1} + 1) - 1000$. The textbook's formula finds no
number at all, since $e^{1000}$ does not exist in a float.

</details>

## Sources

- D. R. Cox, *The regression analysis of binary sequences*, 1958: logistic regression.
- A. H. Murphy, R. L. Winkler, *Reliability of subjective probability forecasts of precipitation and temperature*,
  1977.
- J. A. Hanley, B. J. McNeil, *The meaning and use of the area under a receiver operating characteristic (ROC)
  curve*, 1982: the AUC as a fraction of pairs.
- J. S. Bridle, *Probabilistic interpretation of feedforward classification network outputs*, 1990: the name of
  softmax.
- W. N. Street, W. H. Wolberg, O. L. Mangasarian, *Nuclear feature extraction for breast tumor diagnosis*, 1993:
  the tumours.
- D. Soudry and others, *The implicit bias of gradient descent on separable data*, 2018: weights that grow like a
  logarithm.
- H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST: a novel image dataset for benchmarking machine learning
  algorithms*, 2017.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade2` tells how far you are, `make
hint2` helps.

- **TASK 2.1** the cross-entropy of yes-or-no answers, for scores of any size.
- **TASK 2.2** its gradient.
- **TASK 2.3** the softmax of each row, for scores of any size.
- **TASK 2.4** the gradient of softmax regression.
- **TASK 2.5** the area under the ROC curve, with equal scores treated fairly: it is measured on 200 000 scores,
  where going through all pairs would take too long.

And without a computer, or with five minutes at one:

**1.** Add 5 to all weights of one pixel, in all ten classes. What happens to the probabilities? Is the lowest
point of the softmax loss unique without a ridge?

<details><summary>Answer</summary>

All ten scores of an image rise by the same amount, five times the pixel, and the probabilities stay. So the loss
is flat in this direction, and in 785 such directions, one for each input: there is no single lowest point. A ridge
chooses the point at which the ten weights of every input add up to 0. Descent from 0 stays there by itself,
because the ten errors of an image add up to 0.

</details>

**2.** All tumours of the training half turn out benign. Where do the weights go, with ridge and without?

<details><summary>Answer</summary>

Every tumour gets the same probability $p$ at first, so the gradient of a measurement is $p$ times its mean, which
is 0 after standardising: the 30 weights never move, and only the constant does. With the ridge it comes to rest
where $0.01 w = -\sigma(w)$, at $w = -3.36$ (a probability of 3 %). Without, it goes down for ever, like the
logarithm of the number of steps: we measured −5.5 after 1,000 steps, −7.8 after 10,000 and −8.5 after 19,000.

</details>

**3.** Forget to divide the bytes by 255. Which learning rate would you need? What would the textbook's softmax say
after the first step?

<details><summary>Answer</summary>

Inputs that are 255 times as large make the curvature $255^2 = 65\,025$ times as large, and the rate has to be
smaller by that factor: $6 \cdot 10^{-6}$ instead of 0.4. With 0.4 the scores are far above 88.7 after one step,
their exponentials overflow, and the textbook's formula divides infinity by infinity. The stable softmax gives
probabilities of 0 and 1, and the training jumps about without getting anywhere.

</details>

**4.** A model has an AUC of 0.3. How do you turn it into a good one?

<details><summary>Answer</summary>

Change the sign of its scores. Every pair that was in the wrong order is then in the right one, and the AUC is 0.7.
A model that is worse than a coin knows something, and has it the wrong way round: look for a label or a sign that
has been swapped.

</details>

**5.** Mark a tenth of the training labels wrongly, on purpose. Which suffers more, the names or the probabilities?
Do the weights still run away?

<details><summary>Answer</summary>

We measured ten splits into halves. With the ridge, 2.1 % of the unseen tumours are called wrongly when the labels
are right, and 5.0 % when a tenth of them is false; the loss goes from 0.089 to 0.217. In proportion both become
2.4 times as large. But now no weighted sum gets all of the training half right, so there is a lowest point even
without a ridge: the weights are shorter (8.0 after 20,000 steps instead of 13.9), and the loss is *lower* than
with right labels (0.241 instead of 0.253). Errors in the data keep it from being too sure.

</details>
*/
