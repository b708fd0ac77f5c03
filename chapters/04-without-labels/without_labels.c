/*
# Learning without labels

In chapters [1](../01-linear-regression/README.md) and [2](../02-logistic-regression/README.md) each example came with
its answer. Most data comes without. What can be learned from the inputs alone? **Unsupervised learning** (无监督学习)
looks for their shape: which examples belong together, along which directions they vary, which properties go together,
and what does not belong to the rest.

That is function approximation all the same; only the function to be approximated is the plainest there is, *give back
what you were given*, and the difficulty is that the answer has to pass through a narrow place. A number from 1 to 10
for each image: **k-means** (k 均值). Ten numbers instead of sixty-four: **principal components** (主成分). And the
course's other sentence, *descent makes progress, randomness gets out of bad places*, has its smallest example here,
without any gradient:

- k-means goes downhill in every half step, settles in one of many valleys, and starts again;
- principal components have no bad valley, and how fast they are found can be told in advance;
- **association rules** (关联规则) need no search by chance: a good bound makes exhaustive search possible;
- and for **anomaly detection** (异常检测), what one measures matters more than how one decides.

Several sentences that are repeated everywhere do not survive the measurement. Labels appear only where we look
whether a model found something that people have a name for.
*/

#include "base/mathf.h"
#include "files/csv.h"
#include "files/text_file.h"
#include "learning/roc.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/isolation_forest.h"
#include "models/kmeans.h"
#include "models/pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 64, CLASSES = 10, SEEDS = 5 };

/*
Our examples for the first half of the chapter are 1797 handwritten digits (Alpaydin and Kaynak 1998), $8 \times 8$
pixels each, every pixel a whole number from 0 to 16. To us an image is a row of 64 numbers.
*/

typedef struct {
    Matrix x;    // N × 64
    int *labels; // [N], for afterwards
} Digits;

// Lines of 64 pixels and the class, between commas
static Digits read_digits(Arena *arena)
{
    const char *path = "datasets/cache/digits/digits.csv", *remedy = "run `make data DATA=digits`";
    FileBytes file = text_file_read(arena, path, 1 << 20, remedy);
    int count = 0;
    for (size_t i = 0; i < file.size; i++) count += file.bytes[i] == '\n';
    Digits digits = {matrix_new(arena, count, PIXELS), arena_alloc(arena, (size_t)count, sizeof(int))};
    char *at = file.bytes;
    for (int i = 0; i < count; i++)
        for (int j = 0; j <= PIXELS; j++) {
            char *end = at;
            const long value = strtol(at, &end, 10), most = j < PIXELS ? 16 : CLASSES - 1;
            const bool ends_well = end > at && *end == (j < PIXELS ? ',' : '\n');
            check(ends_well && value >= 0 && value <= most, remedy, "%s: line %d is no digit", path, i + 1);
            if (j < PIXELS)
                AT(digits.x, i, j) = (float)value;
            else
                digits.labels[i] = (int)value;
            at = end + 1;
        }
    return digits;
}

static Digits some_digits(Arena *arena, Digits from, const int *order, int count)
{
    Digits some = {matrix_new(arena, count, PIXELS), arena_alloc(arena, (size_t)count, sizeof(int))};
    gather_rows(some.x, from.x, order);
    for (int i = 0; i < count; i++) some.labels[i] = from.labels[order[i]];
    return some;
}

/*
## Centres that look for their place

Ten images shall stand for all 1797. Call them **centres** (中心), and rebuild each digit by the centre $m_c$ that is
nearest to it. What that costs is the sum of squared distances,

$$J = \sum_i \lVert x_i - m_{c(i)} \rVert^2 .$$

There are two kinds of unknowns: which centre each example has, $c(i)$, and where the centres are. To find both at
once is hard. But if one of them is known, the other is easy, and that is the whole method (Lloyd 1957):

1. *Assign*: each example takes the nearest centre.
2. *Move*: each centre goes to the mean of its examples.
*/

// ‖a − b‖² of two rows
static double squared_distance(const float *a, const float *b, int d)
{
    double total = 0.0;
    for (int j = 0; j < d; j++) {
        const double apart = (double)a[j] - (double)b[j];
        total += apart * apart;
    }
    return total;
}

// centres (k × d), x (N × d) → labels [N]. Returns the cost.
static double assign(int *labels, Matrix centres, Matrix x)
{
    double cost = 0.0;
    for (int i = 0; i < x.rows; i++) {
        double nearest = INFINITY;
        for (int c = 0; c < centres.rows; c++) {
            const double away = squared_distance(matrix_row(x, i), matrix_row(centres, c), x.cols);
            if (away < nearest) nearest = away, labels[i] = c;
        }
        cost += nearest;
    }
    return cost;
}

// A centre that nobody has stays where it is.
static void move(Matrix centres, const int *labels, Matrix x)
{
    for (int c = 0; c < centres.rows; c++) {
        double sums[PIXELS] = {0};
        int count = 0;
        for (int i = 0; i < x.rows; i++) {
            if (labels[i] != c) continue;
            for (int j = 0; j < x.cols; j++) sums[j] += (double)AT(x, i, j);
            count++;
        }
        for (int j = 0; j < x.cols && count; j++) AT(centres, c, j) = (float)(sums[j] / count);
    }
}

/*
Why must this go downhill? *Assign* chooses, for each example on its own, the smallest of ten terms of the sum: no
other assignment costs less with these centres. And the mean is the place with the smallest sum of squared distances:
no other centres cost less with this assignment. So neither half step can raise $J$. It is descent, with steps that
need no learning rate because each goes to the very bottom, in one half of the unknowns at a time. And it ends: there
are finitely many assignments, and none comes back once the cost has fallen.

Rounding does not spoil it. A centre that is a last digit beside the mean costs more only by the square of that digit,
because the mean is the bottom of a bowl. We can claim the sentence almost as it stands in the mathematics: no half
step raises a cost of a million by more than a millionth of 1. And we let the library's fast version start at the same
places.
*/

enum { K = 10, STARTS = 20, HALVES = 200 };

static double cost_of(const int *labels, Matrix centres, Matrix x)
{
    double cost = 0.0;
    for (int i = 0; i < x.rows; i++)
        cost += squared_distance(matrix_row(x, i), matrix_row(centres, labels[i]), x.cols);
    return cost;
}

// From the given centres until nothing changes: halves[…] receives the cost after each half step. Returns how many.
static int lloyd(double *halves, int *labels, Matrix centres, Matrix x)
{
    int h = 0;
    do {
        halves[h++] = assign(labels, centres, x);
        move(centres, labels, x);
        halves[h++] = cost_of(labels, centres, x);
    } while (h < HALVES && (h < 4 || halves[h - 2] < halves[h - 4]));
    return h;
}

// k different examples
static void start_anywhere(Matrix centres, Matrix x, Rng *rng)
{
    Arena *arena = arena_new();
    int *order = arena_alloc(arena, (size_t)x.rows, sizeof *order);
    rng_permutation(rng, order, x.rows);
    gather_rows(centres, x, order);
    arena_free(arena);
}

static void draw_descents(Lesson *lesson, float costs[STARTS][HALVES], const int *counts)
{
    Plot *plot = plot_begin(lesson, "descents.svg", "Twenty starts, and where they end");
    plot_axes(plot, "step", "cost, in millions");
    plot_range_y(plot, 1.15, 1.4);
    plot_range_x(plot, 0.0, 30.0);
    plot_legend(plot, "none");
    for (int s = 0; s < STARTS; s++) plot_line(plot, NULL, NULL, costs[s], counts[s]);
    plot_end(plot, "No line ever rises. They settle at different heights, and none leaves where it settled.");
}

static void never_up(Lesson *lesson, Digits digits)
{
    section(lesson, "Centres that look for their place");
    Arena *arena = lesson_arena(lesson);
    Matrix centres = matrix_new(arena, K, PIXELS);
    static float costs[STARTS][HALVES];
    double halves[HALVES], rise = -INFINITY, apart = 0.0;
    int counts[STARTS], *labels = arena_alloc(arena, (size_t)digits.x.rows, sizeof *labels), different = 0;
    printf("cost of %d centres, after each of %d starts has settled\n\n", K, STARTS);
    for (int s = 0; s < STARTS; s++) {
        Rng rng = lesson_rng(lesson, (uint64_t)s);
        start_anywhere(centres, digits.x, &rng);
        Kmeans theirs = kmeans_from(arena, centres, digits.x, HALVES / 2);
        const int count = lloyd(halves, labels, centres, digits.x);
        for (int h = 1; h < count; h++) rise = fmax(rise, halves[h] - halves[h - 1]);
        for (int i = 0; i < digits.x.rows; i++) different += labels[i] != theirs.labels[i];
        apart = fmax(apart, fabs(theirs.cost / halves[count - 1] - 1.0));
        counts[s] = count / 2;
        for (int t = 0; t < counts[s]; t++) costs[s][t] = (float)(1e-6 * halves[2 * t]);
        printf("%10.0f%s", halves[count - 1], s % 5 == 4 ? "\n" : "");
    }
    printf("\n");
    claim(lesson, rise <= 1e-6,
          "the cost never rises, neither when examples are assigned nor when centres move");
    claim(lesson, different == 0 && apart <= 1e-6,
          "the library, from the same starts, ends with the same labels and the same cost");
    draw_descents(lesson, costs, counts);
}

/*
## Where it starts

Each of these runs went downhill to the end and could not have done better in its next half step. Still they end in
different places: valleys of a function of 640 numbers, as in [chapter 5](../05-descent-and-randomness/README.md). The
remedy is the one from there, randomness: start often, keep the best.

Can one start better? **k-means++** (Arthur and Vassilvitskii 2007) takes any example as the first centre, and each
further one with a probability in proportion to $D^2$, the squared distance from the nearest centre so far. Far places
are likely, crowded ones are not taken twice. The expected cost is then at most $8 (\ln k + 2)$ times the smallest
possible, before the first step.
*/

static void start_apart(Matrix centres, Matrix x, Rng *rng)
{
    Arena *arena = arena_new();
    double *away = arena_alloc(arena, (size_t)x.rows, sizeof *away); // D²
    for (int i = 0; i < x.rows; i++) away[i] = 1.0;
    for (int c = 0; c < centres.rows; c++) {
        double total = 0.0;
        for (int i = 0; i < x.rows; i++) total += away[i];
        double ticket = (double)rng_uniform(rng) * total;
        int chosen = 0;
        while (chosen < x.rows - 1 && (ticket -= away[chosen]) >= 0.0) chosen++;
        copy(matrix_rows(centres, c, 1), matrix_rows(x, chosen, 1));
        for (int i = 0; i < x.rows; i++) {
            const double now = squared_distance(matrix_row(x, i), matrix_row(x, chosen), x.cols);
            if (c == 0 || now < away[i]) away[i] = now;
        }
    }
    arena_free(arena);
}

/*
We try both starts on two tables: the digits, and 25 heaps of 20 points on a checkerboard, each a fifteenth as wide as
the way to the next. The best answer for the heaps is known, one centre each.
*/

enum { SIDE = 5, HEAPS = SIDE * SIDE };

// points (N × 2) around centres (25 × 2)
static void make_heaps(Matrix points, Matrix centres, Rng *rng)
{
    for (int h = 0; h < HEAPS; h++) {
        AT(centres, h, 0) = 15.0f * (float)(h % SIDE);
        AT(centres, h, 1) = 15.0f * (float)(h / SIDE);
    }
    fill_normal(points, rng, 0.0f, 1.0f);
    for (int i = 0; i < points.rows; i++)
        for (int j = 0; j < 2; j++) AT(points, i, j) += AT(centres, i % HEAPS, j);
}

/*
Twenty times we go on to the end from either start. Five seeds, so two hundred runs on the digits.
*/

typedef void (*Start)(Matrix centres, Matrix x, Rng *rng);

typedef struct {
    double best, mean, worst;
} Ends;

static Ends where_it_ends(Arena *arena, Start start, Matrix x, int k, Rng *rng)
{
    ArenaMark mark = arena_mark(arena);
    Matrix centres = matrix_new(arena, k, x.cols);
    Ends ends = {.best = INFINITY};
    for (int s = 0; s < STARTS; s++) {
        start(centres, x, rng);
        const double cost = kmeans_from(arena, centres, x, HALVES / 2).cost;
        ends.best = fmin(ends.best, cost);
        ends.worst = fmax(ends.worst, cost);
        ends.mean += cost / STARTS;
    }
    arena_rewind(arena, mark);
    return ends;
}

/*
The heaps go into the table as multiples of what the right answer costs.
*/

static void many_starts(Lesson *lesson, Digits digits)
{
    section(lesson, "Where it starts");
    Arena *arena = lesson_arena(lesson);
    Matrix heaps = matrix_new(arena, HEAPS * 20, 2), truth = matrix_new(arena, HEAPS, 2);
    const Start starts[2] = {start_anywhere, start_apart};
    double least_spread = INFINITY, worst_best = 0.0, lowest = INFINITY, means[2] = {0.0, 0.0};
    double lost_anywhere = INFINITY, lost_apart = 0.0;
    printf("cost: best, mean, worst of %d starts; of the heaps, as multiples of the right answer's\n\n",
           STARTS);
    printf("%-6s%-12s%30s%28s\n", "seed", "start", "digits", "heaps");
    for (int seed = 0; seed < SEEDS; seed++)
        for (int p = 0; p < 2; p++) {
            Rng rng = lesson_rng(lesson, 100 + (uint64_t)seed);
            make_heaps(heaps, truth, &rng);
            const double right = kmeans_from(arena, truth, heaps, HALVES / 2).cost;
            const Ends d = where_it_ends(arena, starts[p], digits.x, K, &rng);
            const Ends h = where_it_ends(arena, starts[p], heaps, HEAPS, &rng);
            printf("%-6d%-12s%10.0f%10.0f%10.0f%12.2f%8.2f%8.2f\n", seed + 1, p ? "k-means++" : "anywhere",
                   d.best, d.mean, d.worst, h.best / right, h.mean / right, h.worst / right);
            least_spread = fmin(least_spread, d.worst / d.best);
            worst_best = fmax(worst_best, d.best);
            lowest = fmin(lowest, d.best);
            means[p] += d.mean / SEEDS;
            if (p)
                lost_apart = fmax(lost_apart, h.best / right);
            else
                lost_anywhere = fmin(lost_anywhere, h.best / right);
        }
    printf("\n");
    claim(lesson, least_spread >= 1.03,
          "there are bad places: the worst of twenty runs costs at least 3 %% more than the best");
    claim(lesson, worst_best <= 1.005 * lowest,
          "the best of any twenty is within 0.5 %% of the best of all two hundred");
    claim(lesson, fabs(means[1] / means[0] - 1.0) <= 0.01,
          "on the digits, k-means++ ends within 1 %% of where the plain start ends");
    claim(lesson, lost_anywhere >= 1.5 && lost_apart <= 1.001,
          "on the heaps, the best of twenty is right with k-means++, and costs half as much again without");
}

/*
So the usual advice is half right. Where there are many separate heaps, a plain start puts two centres into one heap
and none into another, and no step downhill mends that; k-means++ was made for this case, and there it decides. On the
digits it is worth about half a percent, much less than the difference between one run and the next. What helps there
is to start twenty times.

## What the clusters mean

Only now do we look at labels. Half of the digits, drawn at random, teach; the others are asked. The cluster of an
example is that of the nearest centre, and a cluster is named after the digit that most of its training examples are.
Whoever always says the same digit is right in one of ten cases. There are two better things to compare with: the
*class means* of chapter 2, which are what *move* makes when it is given the true labels, and the single nearest of
all 898 training examples.
*/

enum { KINDS = 3, MOST_ASKED = 50 };

// The fraction of examples whose nearest centre bears the right name
static double accuracy(Arena *arena, Matrix centres, const int *names, Digits test)
{
    int *labels = arena_alloc(arena, (size_t)test.x.rows, sizeof *labels), right = 0;
    kmeans_assign(arena, labels, centres, test.x);
    for (int i = 0; i < test.x.rows; i++) right += names[labels[i]] == test.labels[i];
    return (double)right / test.x.rows;
}

static void name_by_majority(int *names, int k, const int *labels, Digits train)
{
    for (int c = 0; c < k; c++) {
        int votes[CLASSES] = {0}, most = 0;
        for (int i = 0; i < train.x.rows; i++)
            if (labels[i] == c) votes[train.labels[i]]++;
        for (int digit = 1; digit < CLASSES; digit++)
            if (votes[digit] > votes[most]) most = digit;
        names[c] = most;
    }
}

/*
A second use needs fewer labels still. If a cluster holds one kind of digit, a single label names all of it: that of
its most typical example, the one nearest to the centre.
*/

static Kmeans best_of_starts(Arena *arena, Matrix x, int k, int starts, Rng *rng)
{
    Kmeans best = kmeans_fit(arena, x, k, HALVES / 2, rng);
    for (int s = 1; s < starts; s++) {
        const Kmeans next = kmeans_fit(arena, x, k, HALVES / 2, rng);
        if (next.cost < best.cost) best = next;
    }
    return best;
}

// For each centre, the number of the example that is nearest to it
static void most_typical(int *nearest, Matrix centres, Matrix x)
{
    for (int c = 0; c < centres.rows; c++) {
        double least = INFINITY;
        for (int i = 0; i < x.rows; i++) {
            const double away = squared_distance(matrix_row(x, i), matrix_row(centres, c), x.cols);
            if (away < least) least = away, nearest[c] = i;
        }
    }
}

/*
Two controls get as many labels: random examples, and random ones with as many of each digit.
*/

// The first examples of train, as many of each digit
static void some_of_each(int *chosen, Digits train, int each)
{
    int counts[CLASSES] = {0}, count = 0;
    for (int i = 0; i < train.x.rows && count < each * CLASSES; i++)
        if (counts[train.labels[i]] < each) counts[train.labels[i]]++, chosen[count++] = i;
}

// Accuracies with as many labels as there are clusters: the nearest labelled example of random ones, of as many of each digit,
// of the typical ones; and clusters named after their typical example
typedef struct {
    double random, each, typical, spread;
} Asked;

static Asked ask(Arena *arena, Kmeans found, Digits train, Digits test)
{
    const int k = found.centres.rows;
    int first[MOST_ASKED], each[MOST_ASKED], typical[MOST_ASKED];
    for (int c = 0; c < k; c++) first[c] = c; // train is in random order
    some_of_each(each, train, k / CLASSES);
    most_typical(typical, found.centres, train.x);
    const Digits a = some_digits(arena, train, first, k), b = some_digits(arena, train, each, k),
                 c = some_digits(arena, train, typical, k);
    return (Asked){accuracy(arena, a.x, a.labels, test), accuracy(arena, b.x, b.labels, test),
                   accuracy(arena, c.x, c.labels, test), accuracy(arena, found.centres, c.labels, test)};
}

static void draw_centres(Lesson *lesson, Kmeans found, const int *names)
{
    static char captions[K][24];
    const char *lines[K];
    for (int c = 0; c < K; c++) {
        snprintf(captions[c], sizeof captions[c], "mostly %d", names[c]);
        lines[c] = captions[c];
    }
    Plot *plot = plot_begin(lesson, "centres.png", "Ten centres, and what most of their digits are");
    plot_images(
        plot, (PlotImages){.height = 8, .width = 8, .channels = 1, .columns = 5, .low = 0.0f, .high = 16.0f},
        found.centres, lines);
    plot_end(plot, "Found without labels; the names were added afterwards.");
}

static const int labels_asked[KINDS] = {10, 20, 50};

typedef struct {
    double clusters, means,
        nearest; // accuracies: clusters named by majority, class means, the nearest example
    Asked asked[KINDS];
} Meaning;

// On a random half; draw: the centres
static Meaning meaning_of(Lesson *lesson, Digits digits, Rng *rng, bool draw)
{
    Arena *arena = arena_new();
    const int n = digits.x.rows, half = n / 2, digit_names[CLASSES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int *order = arena_alloc(arena, (size_t)n, sizeof *order), names[K];
    rng_permutation(rng, order, n);
    const Digits train = some_digits(arena, digits, order, half),
                 test = some_digits(arena, digits, order + half, n - half);
    Matrix centres = matrix_new(arena, CLASSES, PIXELS);
    move(centres, train.labels, train.x);
    Meaning m = {.means = accuracy(arena, centres, digit_names, test),
                 .nearest = accuracy(arena, train.x, train.labels, test)};
    for (int a = 0; a < KINDS; a++) {
        const Kmeans found = best_of_starts(arena, train.x, labels_asked[a], 5, rng);
        m.asked[a] = ask(arena, found, train, test);
        if (a > 0) continue;
        name_by_majority(names, K, found.labels, train);
        m.clusters = accuracy(arena, found.centres, names, test);
        if (draw) draw_centres(lesson, found, names);
    }
    arena_free(arena);
    return m;
}

static void print_asked(const Meaning *m)
{
    printf("%-21s%12s%18s%12s%22s\n", "labels asked (means)", "random", "of each digit", "typical",
           "clusters so named");
    for (int a = 0; a < KINDS; a++) {
        Asked mean = {0};
        for (int s = 0; s < SEEDS; s++) {
            mean.random += 100.0 * m[s].asked[a].random / SEEDS;
            mean.each += 100.0 * m[s].asked[a].each / SEEDS;
            mean.typical += 100.0 * m[s].asked[a].typical / SEEDS;
            mean.spread += 100.0 * m[s].asked[a].spread / SEEDS;
        }
        printf("%-21d%11.1f%%%17.1f%%%11.1f%%%21.1f%%\n", labels_asked[a], mean.random, mean.each,
               mean.typical, mean.spread);
    }
    printf("\n");
}

static void what_they_mean(Lesson *lesson, Digits digits)
{
    section(lesson, "What the clusters mean");
    Meaning m[SEEDS];
    bool below = true, gain = true;
    printf("right of the 899 others, in five splits\n\n%-8s%22s%22s%22s\n", "split", "ten clusters",
           "ten class means", "nearest of 898");
    for (int s = 0; s < SEEDS; s++) {
        Rng rng = lesson_rng(lesson, 200 + (uint64_t)s);
        m[s] = meaning_of(lesson, digits, &rng, false);
        printf("%-8d%21.1f%%%21.1f%%%21.1f%%\n", s + 1, 100.0 * m[s].clusters, 100.0 * m[s].means,
               100.0 * m[s].nearest);
        below = below && m[s].clusters <= m[s].means - 0.03;
        gain = gain && m[s].asked[1].typical >= m[s].asked[1].random + 0.1;
    }
    printf("\n");
    print_asked(m);
    claim(lesson, below,
          "clusters are not classes: in each split they lose 3 points or more to the class means");
    claim(lesson, gain,
          "twenty labels of typical examples are worth ten points more than twenty of random ones, in each "
          "split");
    Rng rng = lesson_rng(lesson, 200);
    meaning_of(lesson, digits, &rng, true);
}

/*
Are clusters classes? No. Ten of them are right in fewer than eight of ten cases. Look at the figure, of the first
split: there are two centres for the 7 and none for the 3. One centre has 79 nines and 76 threes, another 49 eights
and 48 ones. A cluster is what lies together in 64 pixels, and nobody told the pixels what we mean by a 3. Who uses
the labels to *move* gets the class means, and loses one digit in ten; who keeps all examples, one in seventy.

The second table is about the case that matters in practice, plenty of images and few labels, because labels cost
money. With twenty clusters, we ask for the label of one image in each, the one nearest to the centre. These twenty
labels are worth as much as the class means of all 898. The gain does not come from giving the label to the whole
cluster (compare the last two columns), nor only from missing no digit (the second column has two of each, which
nobody can choose without knowing the labels). It comes from *whom one asks*.

## The directions in which digits vary

A centre says one thing about an image, which of ten it is like. Let it be $k$ numbers instead. We shift the digits
such that their mean is 0 and ask for a direction, a unit vector $v$, along which they vary most: the largest $\frac1N
\sum_i (x_i \cdot v)^2 = v^\top C v$ with the **covariance matrix** (协方差矩阵) $C = \frac1N \sum_i x_i x_i^\top$. This is
the **first principal component** (第一主成分; Pearson 1901, Hotelling 1933). The second is the same among the directions
perpendicular to it, and so on. They are the eigenvectors of $C$: $C v = \lambda v$, and $\lambda$ is the variance
along $v$.

How to find the one with the largest $\lambda$? Multiply any vector by $C$, again and again: **power iteration**
(幂迭代). Written in the eigenvectors, $v = \sum_m a_m v_m$, a step multiplies each $a_m$ by its $\lambda_m$; the largest
wins, and what is left of the others shrinks against it by $\lambda_2 / \lambda_1$ a step. When it is found we take it
out of the matrix, $C \leftarrow C - \lambda v v^\top$, and begin again: **deflation** (收缩).
*/

typedef struct {
    double at[PIXELS][PIXELS];
} Square;

// x (N × 64), mean (1 × 64)
static void covariance(Square *c, Matrix mean, Matrix x)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < x.rows; i++) {
        double centred[PIXELS];
        for (int j = 0; j < PIXELS; j++) centred[j] = (double)AT(x, i, j) - (double)mean.data[j];
        for (int j = 0; j < PIXELS; j++)
            for (int k = 0; k < PIXELS; k++) c->at[j][k] += centred[j] * centred[k];
    }
    for (int j = 0; j < PIXELS; j++)
        for (int k = 0; k < PIXELS; k++) c->at[j][k] /= x.rows;
}

// v ← C v / ‖C v‖. Returns ‖C v‖, which becomes λ.
static double power_step(double *v, const Square *c)
{
    double w[PIXELS] = {0}, squares = 0.0;
    for (int j = 0; j < PIXELS; j++) {
        for (int k = 0; k < PIXELS; k++) w[j] += c->at[j][k] * v[k];
        squares += w[j] * w[j];
    }
    for (int j = 0; j < PIXELS; j++) v[j] = w[j] / sqrt(squares);
    return sqrt(squares);
}

static void deflate(Square *c, double value, const double *v)
{
    for (int j = 0; j < PIXELS; j++)
        for (int k = 0; k < PIXELS; k++) c->at[j][k] -= value * v[j] * v[k];
}

static double distance(const double *a, const double *b)
{
    double total = 0.0;
    for (int j = 0; j < PIXELS; j++) total += (a[j] - b[j]) * (a[j] - b[j]);
    return sqrt(total);
}

/*
One component after another, each from a random start, until a step no longer moves it:
*/

typedef struct {
    int count;
    double values[PIXELS], v[PIXELS][PIXELS]; // variances; components in rows
} Directions;

static void find_directions(Directions *found, int count, Square c, Rng *rng)
{
    found->count = count;
    for (int m = 0; m < count; m++) {
        double *v = found->v[m], before[PIXELS];
        for (int j = 0; j < PIXELS; j++) v[j] = (double)rng_normal(rng);
        int t = 0;
        do {
            memcpy(before, v, sizeof before);
            found->values[m] = power_step(v, &c);
        } while (++t < 20000 && distance(v, before) > 1e-10);
        deflate(&c, found->values[m], v);
    }
}

/*
The rate is a prediction, so we test it. From a random start we measure how far the vector is from where it ends,
between the steps at which $10^{-7}$ and $10^{-11}$ are passed, for six components, whose ratios are far from alike.
(Before that the third component still has a say.) The library finds the same directions in another way, all at once
(Householder and QL). Two sets of $k$ directions span the same space when the squares of all inner products between
them add up to $k$.
*/

enum { RATED = 6, MANY = 41 };

// By what the distance from the end shrinks in a step, on the way from 1e-7 to 1e-11
static double measured_factor(const Square *c, const double *start, const double *end)
{
    double v[PIXELS], from = 0.0, now = 1.0;
    int steps = 0;
    memcpy(v, start, sizeof v);
    for (int t = 0; t < 20000 && now > 1e-11; t++) {
        power_step(v, c);
        now = distance(v, end);
        if (now > 1e-7) continue;
        if (from == 0.0)
            from = now;
        else
            steps++;
    }
    return (double)exp32(log32((float)(now / from)) / (float)steps);
}

static bool rates_hold(Square c, const Directions *found, Rng *rng)
{
    bool hold = true;
    printf("component   variance   next / this   factor measured\n");
    for (int m = 0; m < RATED; m++) {
        double start[PIXELS], end[PIXELS];
        for (int j = 0; j < PIXELS; j++) start[j] = (double)rng_normal(rng);
        memcpy(end, start, sizeof end);
        for (int t = 0; t < 2000; t++) power_step(end, &c);
        const double predicted = found->values[m + 1] / found->values[m],
                     factor = measured_factor(&c, start, end);
        printf("%9d%11.2f%14.4f%18.4f\n", m + 1, found->values[m], predicted, factor);
        hold = hold && fabs(factor - predicted) <= 0.01 * (1.0 - predicted);
        deflate(&c, found->values[m], found->v[m]);
    }
    return hold;
}

/*
The library's directions may have other signs, so we compare the spaces, and the variances one by one. And we start
our own search twenty times, as with k-means.

(Many programs take the **singular value decomposition** (奇异值分解) of the centred digits, $X = U \Sigma V^\top$,
instead. It is the same: $C = \frac1N X^\top X = V \frac{\Sigma^2}{N} V^\top$, so the rows of $V^\top$ are the
components and $\sigma_m^2 / N$ their variances.)
*/

static double shared_directions(const Directions *ours, Matrix theirs)
{
    double total = 0.0;
    for (int m = 0; m < ours->count; m++)
        for (int l = 0; l < theirs.rows; l++) {
            double product = 0.0;
            for (int j = 0; j < PIXELS; j++) product += ours->v[m][j] * (double)AT(theirs, l, j);
            total += product * product;
        }
    return total;
}

static void draw_map(Lesson *lesson, Digits digits)
{
    enum { SHOWN = 6 };
    const int shown[SHOWN] = {0, 1, 3, 4, 6, 7};
    Arena *arena = arena_new();
    const Pca pca = pca_fit(arena, digits.x, 2);
    Matrix scores = matrix_new(arena, digits.x.rows, 2), across = matrix_new(arena, 1, digits.x.rows),
           up = matrix_new(arena, 1, digits.x.rows);
    pca_project(scores, &pca, digits.x);
    Plot *plot = plot_begin(lesson, "map.svg", "Six kinds of digits, each in two numbers");
    plot_axes(plot, "first component", "second component");
    plot_legend(plot, "outside");
    for (int s = 0; s < SHOWN; s++) {
        int count = 0;
        char name[2] = {(char)('0' + shown[s]), 0};
        for (int i = 0; i < digits.x.rows; i++) {
            if (digits.labels[i] != shown[s]) continue;
            across.data[count] = AT(scores, i, 0), up.data[count++] = AT(scores, i, 1);
        }
        plot_points(plot, name, across.data, up.data, count);
    }
    plot_end(plot, "Nobody told the components which digit is which; the colours were added afterwards.");
    arena_free(arena);
}

static void which_directions(Lesson *lesson, Digits digits, Directions *found)
{
    section(lesson, "The directions in which digits vary");
    Arena *arena = lesson_arena(lesson);
    static Square c;
    static Directions again;
    Matrix mean = matrix_new(arena, 1, PIXELS);
    column_means(mean, digits.x);
    covariance(&c, mean, digits.x);
    Rng rng = lesson_rng(lesson, 300);
    find_directions(found, MANY, c, &rng);
    const bool rates = rates_hold(c, found, &rng);
    const Pca theirs = pca_fit(arena, digits.x, MANY);
    const double shared = shared_directions(found, theirs.components);
    double sums[STARTS] = {0}, low = INFINITY, high = 0.0;
    bool alike = true;
    for (int m = 0; m < MANY; m++)
        alike = alike && fabs(found->values[m] - (double)theirs.variances.data[m]) <= 1e-5 * found->values[0];
    for (int s = 0; s < STARTS; s++) {
        find_directions(&again, 10, c, &rng);
        for (int m = 0; m < 10; m++) sums[s] += again.values[m];
        low = fmin(low, sums[s]), high = fmax(high, sums[s]);
    }
    printf("\nvariance along the first ten: %.6f to %.6f from %d starts\n\n", low, high, STARTS);
    claim(lesson, rates,
          "power iteration converges at the predicted rate, within 1 %% of what is missing to 1");
    claim(lesson, alike && fabs(shared - MANY) <= 1e-4,
          "the library finds the same %d directions and variances", MANY);
    claim(lesson, high - low <= 1e-9 * high, "all twenty starts end with the same variance");
    draw_map(lesson, digits);
}

/*
In the map, the kinds of digits have their places, though nobody asked for that, and they overlap.

Twenty random starts, one end. The problem is not convex (with $v$ also $-v$ is an answer, and $0$ between them is
none), but all other places where descent could stop are saddles (Baldi and Hornik 1989), and from a saddle any push
leads away (chapter 5). So k-means and principal components are both descent on the cost of rebuilding, one among many
valleys and one without.

## The best ten numbers

Keep the projections on $k$ components and rebuild, $\hat x = \bar x + \sum_m ((x - \bar x) \cdot v_m)\, v_m$. What is
lost is the variance along all other directions, and no other $k$ numbers that are linear in $x$, with no other linear
way back, lose less (Eckart and Young 1936). A theorem deserves opponents that try:

- $k$ random directions, the best of 100 draws;
- $k$ *pixels*, chosen one after the other such that the rest can be told from them best by least squares.
*/

enum { DRAWS = 100 };

static double trace(const Square *c)
{
    double total = 0.0;
    for (int j = 0; j < PIXELS; j++) total += c->at[j][j];
    return total;
}

// The fraction of the variance in c that is lost outside of the first k directions: 1 − Σ v·Cv / Σ C_jj
static double lost(const Square *c, const Directions *d, int k)
{
    double kept = 0.0;
    for (int m = 0; m < k; m++)
        for (int j = 0; j < PIXELS; j++)
            for (int l = 0; l < PIXELS; l++) kept += d->v[m][j] * c->at[j][l] * d->v[m][l];
    return 1.0 - kept / trace(c);
}

static void random_directions(Directions *d, int count, Rng *rng)
{
    d->count = count;
    for (int m = 0; m < count; m++) {
        double *v = d->v[m], squares = 0.0;
        for (int j = 0; j < PIXELS; j++) v[j] = (double)rng_normal(rng);
        for (int o = 0; o < m; o++) { // perpendicular to those before
            double along = 0.0;
            for (int j = 0; j < PIXELS; j++) along += v[j] * d->v[o][j];
            for (int j = 0; j < PIXELS; j++) v[j] -= along * d->v[o][j];
        }
        for (int j = 0; j < PIXELS; j++) squares += v[j] * v[j];
        for (int j = 0; j < PIXELS; j++) v[j] /= sqrt(squares);
    }
}

/*
The pixels are deflation as well, with directions limited to the columns of $C$. To tell all others from the pixel $p$
explains the variance $\sum_j C_{jp}^2 / C_{pp}$, so we take the pixel with the largest, remove what it explains, $C
\leftarrow C - C_{\cdot p} C_{p \cdot} / C_{pp}$, and begin again.
*/

// left[k]: the fraction that is lost when all is told from the best k pixels
static void choose_pixels(double *left, Square c, int count)
{
    const double all = trace(&c);
    left[0] = 1.0;
    for (int k = 1; k <= count; k++) {
        int best = 0;
        double most = 0.0, column[PIXELS];
        for (int p = 0; p < PIXELS; p++) {
            double gain = 0.0;
            for (int j = 0; j < PIXELS; j++) gain += c.at[j][p] * c.at[j][p];
            if (c.at[p][p] > 1e-6 && gain / c.at[p][p] > most) most = gain / c.at[p][p], best = p;
        }
        const double variance = c.at[best][best];
        for (int j = 0; j < PIXELS; j++) column[j] = c.at[j][best];
        for (int j = 0; j < PIXELS; j++)
            for (int l = 0; l < PIXELS; l++) c.at[j][l] -= column[j] * column[l] / variance;
        left[k] = trace(&c) / all;
    }
}

// The same loss by rebuilding every image, with the library
static double loss_of_rebuilding(Arena *arena, Matrix x, int k)
{
    const Pca pca = pca_fit(arena, x, k);
    Matrix scores = matrix_new(arena, x.rows, k), rebuilt = matrix_new(arena, x.rows, x.cols);
    pca_project(scores, &pca, x);
    pca_rebuild(rebuilt, &pca, scores);
    subtract(rebuilt, rebuilt, x);
    return sum_of_squares(rebuilt) / (x.rows * pca.total_variance);
}

static void draw_variance(Lesson *lesson, const double *pca, const double *pixels, const double *random)
{
    float lines[3][MANY + 1];
    for (int k = 0; k <= MANY; k++) {
        lines[0][k] = (float)(100.0 * (1.0 - pca[k]));
        lines[1][k] = (float)(100.0 * (1.0 - pixels[k]));
        lines[2][k] = (float)(100.0 * (1.0 - random[k]));
    }
    Plot *plot = plot_begin(lesson, "variance.svg", "How much of a digit k numbers tell");
    plot_axes(plot, "k", "explained variance, %");
    plot_range_y(plot, 0.0, 100.0);
    plot_line(plot, "principal components", NULL, lines[0], MANY + 1);
    plot_dashed(plot, "chosen pixels", NULL, lines[1], MANY + 1);
    plot_line(plot, "random directions, best of 100", NULL, lines[2], MANY + 1);
    plot_end(plot, "Ten components tell 74 %, twenty-one 90 %, forty-one 99 %.");
}

static void draw_rebuilt(Lesson *lesson, Digits digits)
{
    enum { SHOWN = 5, STAGES = 7 };
    const int numbers[STAGES] = {1, 2, 5, 10, 21, MANY, PIXELS};
    const char *const names[STAGES] = {"1", "2", "5", "10", "21", "41", "original"};
    const char *captions[SHOWN * STAGES] = {NULL};
    Arena *arena = arena_new();
    Pca pca = pca_fit(arena, digits.x, PIXELS);
    Matrix some = matrix_rows(digits.x, 0, SHOWN), scores = matrix_new(arena, SHOWN, PIXELS);
    Matrix rebuilt = matrix_new(arena, SHOWN, PIXELS), images = matrix_new(arena, SHOWN * STAGES, PIXELS);
    pca_project(scores, &pca, some);
    for (int s = 0; s < STAGES; s++) {
        captions[(SHOWN - 1) * STAGES + s] = names[s];
        Matrix first = matrix_new(arena, SHOWN, numbers[s]);
        copy_columns(first, 0, scores, 0, numbers[s]);
        pca_rebuild(rebuilt, &pca, first);
        for (int i = 0; i < SHOWN; i++)
            copy(matrix_rows(images, i * STAGES + s, 1), matrix_rows(rebuilt, i, 1));
    }
    Plot *plot = plot_begin(lesson, "rebuilt.png", "The first five digits, rebuilt from k components");
    plot_images(
        plot,
        (PlotImages){.height = 8, .width = 8, .channels = 1, .columns = STAGES, .low = 0.0f, .high = 16.0f},
        images, captions);
    plot_end(plot, "With ten numbers most can be read; with forty-one they are almost the originals.");
    arena_free(arena);
}

/*
Components are fitted, so they may be fitted too well. Those of the first half of the digits are also tried on the
second half.
*/

// What the second half of x loses with components of the first half, and with its own
static void lost_by_halves(Arena *arena, double *others, double *own, Matrix x)
{
    static Square c;
    static Directions first, second;
    const int rows = x.rows / 2;
    Matrix halves[2] = {matrix_rows(x, 0, rows), matrix_rows(x, rows, x.rows - rows)},
           mean = matrix_new(arena, 1, PIXELS);
    Rng rng = rng_new(4, 0);
    column_means(mean, halves[0]);
    covariance(&c, mean, halves[0]);
    find_directions(&first, MANY, c, &rng);
    covariance(&c, mean, halves[1]);
    for (int k = 0; k <= MANY; k++) others[k] = lost(&c, &first, k);
    column_means(mean, halves[1]);
    covariance(&c, mean, halves[1]);
    find_directions(&second, MANY, c, &rng);
    for (int k = 0; k <= MANY; k++) own[k] = lost(&c, &second, k);
}

/*
Now all of them in one table.
*/

static void best_numbers(Lesson *lesson, Digits digits, const Directions *found)
{
    section(lesson, "The best ten numbers");
    static Square c;
    static Directions other;
    static double pca[MANY + 1], pixels[MANY + 1], random[MANY + 1], others[MANY + 1], own[MANY + 1];
    Matrix mean = matrix_new(lesson_arena(lesson), 1, PIXELS);
    column_means(mean, digits.x);
    covariance(&c, mean, digits.x);
    choose_pixels(pixels, c, MANY);
    lost_by_halves(lesson_arena(lesson), others, own, digits.x);
    for (int k = 0; k <= MANY; k++) pca[k] = lost(&c, found, k), random[k] = 1.0;
    for (int draw = 0; draw < DRAWS; draw++) {
        Rng rng = lesson_rng(lesson, 400 + (uint64_t)draw);
        random_directions(&other, MANY, &rng);
        for (int k = 1; k <= MANY; k++) random[k] = fmin(random[k], lost(&c, &other, k));
    }
    const int shown[] = {1, 2, 5, 10, 21, MANY};
    bool best = true;
    printf("fraction of the variance that is lost\n\n%4s%12s%16s%18s%30s\n%4s%46s%18s%12s\n", "k",
           "components", "chosen pixels", "random, of 100", "on the second half, of", "", "",
           "the first half", "itself");
    for (int i = 0; i < 6; i++) {
        const int k = shown[i];
        printf("%4d%12.4f%16.4f%18.4f%18.4f%12.4f\n", k, pca[k], pixels[k], random[k], others[k], own[k]);
    }
    for (int k = 1; k <= MANY; k++) best = best && pca[k] <= pixels[k] && pca[k] <= random[k];
    const double rebuilt = loss_of_rebuilding(lesson_arena(lesson), digits.x, 10);
    printf("\nrebuilt image by image from 10 components: %.4f\n\n", rebuilt);
    claim(lesson, best, "for each k to %d, components lose less than chosen pixels and than 100 random draws",
          MANY);
    claim(lesson, fabs(rebuilt - pca[10]) <= 1e-5,
          "what rebuilding loses is the variance of the other components");
    claim(lesson,
          fabs(pca[10] - 0.262) <= 1e-3 && fabs(pca[21] - 0.097) <= 1e-3 && fabs(pca[MANY] - 0.010) <= 1e-3,
          "10, 21 and 41 components tell 73.8, 90.3 and 99.0 %%");
    draw_variance(lesson, pca, pixels, random);
    draw_rebuilt(lesson, digits);
}

/*
Compare the pixels with the random directions before praising the components. Ten random directions win a fifth of the
variance, ten chosen pixels three fifths, ten components three quarters: most of what is won over chance can be had by
looking at a few pixels, because neighbours tell each other. That is the structure [chapter 10](../10-cnn/README.md)
builds on.

The last two columns warn. With ten components of the other half of the digits, the second half loses .293 of its
variance, with its own .254; with forty-one the difference is more than a quarter. Part of what fitted components know
is about the digits they were fitted to. The theorem is about the data at hand.

## What goes together

The third question is about things that are there or not: votes, properties, goods in a basket. In 1984 the 435
members of the House of Representatives voted on 16 questions. Each member is a basket of **items** (项), such as
"physician fee freeze: n" or "democrat". A set of items has a **support** (支持度), the fraction of baskets that hold all
of it. Which sets have a support of 30 % or more?

There are $3^{17} = 129\,140\,163$ sets to be looked at (yes, no or not mentioned, 16 times, and the party).
**Apriori** (Agrawal and Srikant 1994) looks at very few of them, because of one sentence: *a set is at most as
frequent as its parts*. So it grows sets by one item at a time. Two frequent sets that differ in their last items only
are joined; the candidate is dropped unless *all* of its parts were frequent; what remains is counted.
*/

enum { TABLES = 2, MOST_ITEMS = 40, WORDS = 7, MOST_SETS = 4096 };

typedef struct {
    int baskets, items, columns;
    int column[MOST_ITEMS]; // of the table: its values exclude each other
    char name[MOST_ITEMS][64];
    uint64_t has[MOST_ITEMS][WORDS]; // bit b: basket b has the item
} Baskets;

// A column becomes an item for each of its values, but for missing ones and the one that means "not there".
static void add_items(Baskets *b, Csv table, int column, const char *not_there)
{
    const int first = b->items;
    for (int r = 0; r < table.rows; r++) {
        char name[64];
        const char *value = csv_cell(table, r, column);
        if (!*value || strcmp(value, not_there) == 0) continue;
        snprintf(name, sizeof name, "%s: %s", table.names[column], value);
        int i = first;
        while (i < b->items && strcmp(b->name[i], name) != 0) i++;
        check(i < MOST_ITEMS && table.rows <= 64 * WORDS, NULL, "%s is too large a table", table.path);
        if (i == b->items) {
            snprintf(b->name[i], sizeof b->name[i], "%s", name);
            b->column[i] = b->columns;
            b->items++;
        }
        b->has[i][r / 64] |= (uint64_t)1 << r % 64;
    }
    b->columns++;
    b->baskets = table.rows;
}

/*
A set of items is a word of 64 bits, and so is, for each item, every block of 64 baskets. To count a set is to combine
words by "and", and to count bits.
*/

// In how many baskets all items of a set are; a set is a word with a bit for each item, at least one
static int support(const Baskets *b, uint64_t set)
{
    int count = 0;
    for (int w = 0; w < WORDS; w++) {
        uint64_t all = ~(uint64_t)0;
        for (int i = 0; i < b->items; i++)
            if (set >> i & 1) all &= b->has[i][w];
        count += __builtin_popcountll(all);
    }
    return count;
}

typedef struct {
    uint64_t items;
    int support;
} Set;

typedef struct {
    int count, joined, counted;
    Set sets[MOST_SETS];
} Frequent;

static bool holds_set(const Set *sets, int count, uint64_t items)
{
    for (int i = 0; i < count; i++)
        if (sets[i].items == items) return true;
    return false;
}

static void keep_if_frequent(Frequent *f, const Baskets *b, uint64_t items, int least)
{
    const Set set = {items, support(b, items)};
    f->counted++;
    if (set.support < least) return;
    check(f->count < MOST_SETS, NULL, "more than %d frequent sets", MOST_SETS);
    f->sets[f->count++] = set;
}

/*
Now the algorithm. Sets grow in the order of their items, so each candidate is made once: from the two parts that lack
its last item and its last but one.
*/

static uint64_t without_last(uint64_t set) { return set & ~((uint64_t)1 << (63 - __builtin_clzll(set))); }

static bool all_parts_frequent(uint64_t items, const Set *smaller, int count)
{
    for (uint64_t rest = items; rest; rest &= rest - 1) // rest & −rest: its lowest item
        if (!holds_set(smaller, count, items & ~(rest & -rest))) return false;
    return true;
}

static void apriori(Frequent *f, const Baskets *b, int least)
{
    f->count = f->joined = f->counted = 0;
    for (int i = 0; i < b->items; i++) keep_if_frequent(f, b, (uint64_t)1 << i, least);
    for (int from = 0, to = f->count; from < to; from = to, to = f->count)
        for (int i = from; i < to; i++)
            for (int j = i + 1; j < to; j++) {
                const uint64_t a = f->sets[i].items, c = f->sets[j].items;
                if (without_last(a) != without_last(c)) continue;
                f->joined++;
                if (all_parts_frequent(a | c, f->sets + from, to - from))
                    keep_if_frequent(f, b, a | c, least);
            }
}

/*
Brute force has no idea: it goes through every choice of one value or none from each column. We give it one thing,
that it never counts a set from the beginning but goes on from the baskets that hold the set so far; so it can be
asked for all 129 million.
*/

static void every_set(Frequent *f, const Baskets *b, int item, uint64_t items, const uint64_t *baskets,
                      int least)
{
    if (item == b->items) return;
    int next = item;
    while (next < b->items && b->column[next] == b->column[item]) next++;
    every_set(f, b, next, items, baskets, least);
    for (int i = item; i < next; i++) {
        uint64_t both[WORDS];
        Set set = {items | (uint64_t)1 << i, 0};
        for (int w = 0; w < WORDS; w++) {
            both[w] = baskets[w] & b->has[i][w];
            set.support += __builtin_popcountll(both[w]);
        }
        f->counted++;
        if (set.support >= least && f->count < MOST_SETS) f->sets[f->count++] = set;
        every_set(f, b, next, set.items, both, least);
    }
}

/*
Then the two lists are compared, set by set and count by count.
*/

static bool same_sets(const Frequent *a, const Frequent *b)
{
    bool same = a->count == b->count;
    for (int i = 0; i < a->count && same; i++) {
        same = false;
        for (int j = 0; j < b->count && !same; j++)
            same = a->sets[i].items == b->sets[j].items && a->sets[i].support == b->sets[j].support;
    }
    return same;
}

static int least_baskets(const Baskets *b, int percent) { return (b->baskets * percent + 99) / 100; }

static void what_goes_together(Lesson *lesson, const Baskets *tables, const char *const *names)
{
    section(lesson, "What goes together");
    static Frequent found, all;
    const int levels[] = {50, 40, 30};
    bool same = true, few = true;
    printf("%-8s%10s%10s%10s%10s%14s\n", "table", "support", "joined", "counted", "frequent", "brute force");
    for (int t = 0; t < TABLES; t++)
        for (int l = 0; l < 3; l++) {
            uint64_t everybody[WORDS];
            memset(everybody, 255, sizeof everybody);
            apriori(&found, &tables[t], least_baskets(&tables[t], levels[l]));
            printf("%-8s%8d %%%10d%10d%10d", names[t], levels[l], found.joined, found.counted, found.count);
            if (l == 2) {
                all.count = all.counted = 0;
                every_set(&all, &tables[t], 0, 0, everybody, least_baskets(&tables[t], levels[l]));
                printf("%14d", all.counted);
                same = same && same_sets(&found, &all);
                few = few && found.counted <= all.counted / 1000 && found.counted < found.joined;
            }
            printf("\n");
        }
    printf("\n");
    claim(lesson, same, "Apriori's sets, and how often they are, are exactly those of brute force");
    claim(lesson, few, "it counts fewer than a thousandth of the sets, and not all that it has joined");
}

/*
At 30 % Apriori counts 1662 candidates where brute force has 129 million sets, and it misses none. No randomness is
needed here, because there are no bad places: a bound that is safe lets whole regions be left out unseen. It knows
nothing else; at the second size it even counts "yes and no to the same question".

## Rules, and what chance would make of them

A frequent set becomes **rules** (规则): from its other items, one of them follows. The **confidence** (置信度) of $A
\Rightarrow c$ is the fraction of $A$'s baskets that hold $c$ too. It is easily high when $c$ is common anyway; the
**lift** (提升度) divides by how common $c$ is. And since we try thousands of rules, some will look good by chance. How
many? Shuffle each column on its own: each item is as frequent as before, and whatever went together does so only by
chance.
*/

typedef struct {
    uint64_t given, then;
    double confidence, lift;
} Rule;

typedef struct {
    int rules, good;  // good: confidence ≥ 0.9 and lift ≥ 1.5
    Rule best, worst; // the highest lift; the lowest, among rules of confidence ≥ 0.7
} Rules;

static Rules look_at_rules(const Frequent *f, const Baskets *b)
{
    Rules r = {.worst.lift = INFINITY};
    for (int s = 0; s < f->count; s++)
        for (uint64_t rest = f->sets[s].items; rest; rest &= rest - 1) {
            Rule rule = {.then = rest & -rest, .given = f->sets[s].items & ~(rest & -rest)};
            if (!rule.given) continue;
            rule.confidence = (double)f->sets[s].support / support(b, rule.given);
            rule.lift = rule.confidence * b->baskets / support(b, rule.then);
            r.rules++;
            r.good += rule.confidence >= 0.9 && rule.lift >= 1.5;
            if (rule.lift > r.best.lift) r.best = rule;
            if (rule.confidence >= 0.7 && rule.lift < r.worst.lift) r.worst = rule;
        }
    return r;
}

static Baskets shuffled(const Baskets *b, Rng *rng)
{
    Baskets other = *b;
    int order[64 * WORDS];
    memset(other.has, 0, sizeof other.has);
    for (int i = 0; i < b->items; i++) {
        if (i == 0 || b->column[i] != b->column[i - 1]) rng_permutation(rng, order, b->baskets);
        for (int r = 0; r < b->baskets; r++)
            if (b->has[i][r / 64] >> r % 64 & 1) other.has[i][order[r] / 64] |= (uint64_t)1 << order[r] % 64;
    }
    return other;
}

static void print_rule(const Baskets *b, Rule rule)
{
    const char *between = "";
    for (int i = 0; i < b->items; i++) {
        if (!(rule.given >> i & 1)) continue;
        printf("%s%s", between, b->name[i]);
        between = ", ";
    }
    printf("\n    ⇒ %s (confidence %.2f, lift %.2f)\n", b->name[__builtin_ctzll(rule.then)], rule.confidence,
           rule.lift);
}

static void what_chance_makes(Lesson *lesson, const Baskets *tables, const char *const *names)
{
    section(lesson, "Rules, and what chance would make of them");
    static Frequent found;
    int least_good = 1 << 30, most_by_chance = 0;
    Rules rules[TABLES];
    printf("support 30 %% or more: %19s%10s%24s%14s\n", "sets", "rules", "confident and lifted",
           "highest lift");
    for (int t = 0; t < TABLES; t++)
        for (int seed = -1; seed < SEEDS; seed++) {
            Rng rng = lesson_rng(lesson, 600 + (uint64_t)(seed + 1));
            const Baskets b = seed < 0 ? tables[t] : shuffled(&tables[t], &rng);
            apriori(&found, &b, least_baskets(&b, 30));
            const Rules r = look_at_rules(&found, &b);
            printf("%-8s%-20s%13d%10d%24d%14.2f\n", names[t], seed < 0 ? "as it is" : "shuffled", found.count,
                   r.rules, r.good, r.best.lift);
            if (seed < 0)
                rules[t] = r, least_good = int_min(least_good, r.good);
            else
                most_by_chance = int_max(most_by_chance, r.good);
        }
    printf("\nthe highest lifts\n");
    for (int t = 0; t < TABLES; t++) print_rule(&tables[t], rules[t].best);
    printf("\nconfident, and wrong-headed\n");
    print_rule(&tables[1], rules[1].worst);
    printf("\n");
    claim(lesson, least_good >= 100 && most_by_chance == 0,
          "each table has a hundred rules of confidence 0.9 and lift 1.5, the shuffled ones have none");
    claim(lesson, rules[1].worst.confidence >= 0.7 && rules[1].worst.lift < 1.0,
          "a rule can be right in 70 %% and still make its answer less likely");
}

static void read_baskets(Arena *arena, Baskets *votes, Baskets *zoo)
{
    const Csv house = csv_read(arena, "datasets/house-votes-84.csv"),
              animals = csv_read(arena, "datasets/zoo.csv");
    for (int c = 0; c < house.cols; c++) add_items(votes, house, c, "");
    const int legs = csv_column(animals, "legs"); // 0 legs are something to be told
    for (int c = csv_column(animals, "hair"); c < animals.cols; c++)
        add_items(zoo, animals, c, c == legs ? "" : "0");
}

/*
A hundred sets of votes would be frequent if nobody had looked at anybody; the other nine hundred are there because
votes hang together. A lift above 1.25 has not come out of any shuffled table, and our rules have up to 2.5. So the
shuffled table is to rules what the majority answer is to a classifier: the baseline without which a number means
nothing.

And read the last rule again. Seven of ten animals that lay eggs have a backbone, so the rule is "right in 71 %". But
of all animals 82 % have one: knowing about the eggs makes a backbone *less* likely. Confidence without lift says
nothing.

## What does not belong

Four small sensors, **motes** (传感器节点), measured humidity and temperature every five seconds for six hours. At two of
them something was done to the air, which became warm and wet as in steam, and the readings of that time were marked:
149 of 18 914. In a second table, of motes further apart, it is 158 of 18 760 (Suthaharan and others 2010). Who would
find the marked ones without having seen a mark?

A detector gives each reading a score, and its judge is the area under the ROC curve of [chapter
2](../02-logistic-regression/README.md#where-to-draw-the-line): the probability that a marked reading scores higher
than one that is not. Two detectors are in every textbook. The **Gaussian** takes the mean and the covariance of all
readings, and scores by the distance in units of the cloud's own width, $(x - \bar x)^\top C^{-1} (x - \bar x)$: the
**Mahalanobis distance** (马氏距离). It believes that the cloud is an ellipse.
*/

enum { COLUMNS = 2 };

typedef struct {
    int count, marked;
    Matrix x;            // N × 2: relative humidity in %, temperature in °C
    int *mote, *reading; // [N]: readings of a mote follow each other
    bool *odd;           // [N]: marked as an anomaly
} Readings;

static Readings read_sensors(Arena *arena, const char *path)
{
    const Csv table = csv_read(arena, path);
    const size_t n = (size_t)table.rows;
    Readings r = {.count = table.rows, .x = csv_numbers(arena, table, "humidity", "temperature")};
    r.mote = arena_alloc(arena, n, sizeof *r.mote), r.reading = arena_alloc(arena, n, sizeof *r.reading);
    r.odd = arena_alloc(arena, n, sizeof *r.odd);
    const int mote = csv_column(table, "mote_id"), reading = csv_column(table, "reading"),
              label = csv_column(table, "label");
    for (int i = 0; i < r.count; i++) {
        r.mote[i] = atoi(csv_cell(table, i, mote)), r.reading[i] = atoi(csv_cell(table, i, reading));
        r.odd[i] = csv_cell(table, i, label)[0] == '1';
        r.marked += r.odd[i];
    }
    return r;
}

// x (N × 2) → scores [N]
static void gaussian_scores(float *scores, Matrix x)
{
    double mean[2] = {0}, hh = 0.0, ht = 0.0, tt = 0.0; // sums of products
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < 2; j++) mean[j] += (double)AT(x, i, j) / x.rows;
    for (int i = 0; i < x.rows; i++) {
        const double h = (double)AT(x, i, 0) - mean[0], t = (double)AT(x, i, 1) - mean[1];
        hh += h * h, ht += h * t, tt += t * t;
    }
    for (int i = 0; i < x.rows; i++) {
        const double h = (double)AT(x, i, 0) - mean[0], t = (double)AT(x, i, 1) - mean[1];
        scores[i] = (float)(x.rows * (tt * h * h - 2.0 * ht * h * t + hh * t * t) / (hh * tt - ht * ht));
    }
}

// The same with a mean and a covariance for each mote
static void gaussian_scores_by_mote(float *scores, const Readings *r)
{
    for (int first = 0, next = 0; first < r->count; first = next) {
        while (next < r->count && r->mote[next] == r->mote[first]) next++;
        gaussian_scores(scores + first, matrix_rows(r->x, first, next - first));
    }
}

/*
The **isolation forest** (孤立森林; Liu, Ting and Zhou 2008) believes nothing of that kind. It takes 256 readings, cuts
them in two at a random value of a random column, then each part again, until every reading is alone. What lies apart
is alone soon; what lies in the crowd takes many cuts. The score is $2^{-h / c}$ with the mean depth $h$ over a
hundred such trees, and $c$ the depth that is usual among 256.
*/

enum { TREES = 100, SAMPLE = 256, DEEPEST = 8 };

typedef struct {
    int column, left, right; // column −1: a leaf
    float threshold, depth;
} Cut;

typedef struct {
    int count;
    Cut cuts[2 * SAMPLE];
} Tree;

// Cuts rows[0 … count−1] of x. Returns the number of its node.
static int isolate(Tree *tree, Matrix x, int *rows, int count, int depth, Rng *rng)
{
    const int me = tree->count++, column = (int)rng_below(rng, (uint32_t)x.cols);
    float low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++) {
        low = fminf(low, AT(x, rows[i], column));
        high = fmaxf(high, AT(x, rows[i], column));
    }
    tree->cuts[me] = (Cut){.column = -1, .depth = (float)(depth + isolation_usual_length(count))};
    if (depth == DEEPEST || !(low < high)) return me; // alone, or alike in this column
    const float threshold = rng_between(rng, low, high);
    int left = 0;
    for (int i = 0; i < count; i++)
        if (AT(x, rows[i], column) <= threshold) {
            const int swap = rows[i];
            rows[i] = rows[left], rows[left++] = swap;
        }
    const int lower = isolate(tree, x, rows, left, depth + 1, rng);
    const int upper = isolate(tree, x, rows + left, count - left, depth + 1, rng);
    tree->cuts[me] = (Cut){.column = column, .left = lower, .right = upper, .threshold = threshold};
    return me;
}

/*
A reading falls through each tree to a leaf. Where several readings are still together at depth 8, the depth that they
would usually still have had is added.
*/

static void forest_scores(float *scores, Matrix x, Rng *rng)
{
    Arena *arena = arena_new();
    int *rows = arena_alloc(arena, (size_t)x.rows, sizeof *rows);
    double *depth = arena_zeros(arena, (size_t)x.rows, sizeof *depth);
    Tree *tree = arena_alloc(arena, 1, sizeof *tree);
    for (int t = 0; t < TREES; t++) {
        rng_permutation(rng, rows, x.rows);
        tree->count = 0;
        isolate(tree, x, rows, SAMPLE, 0, rng);
        for (int i = 0; i < x.rows; i++) {
            const Cut *at = tree->cuts;
            while (at->column >= 0)
                at = tree->cuts + (AT(x, i, at->column) <= at->threshold ? at->left : at->right);
            depth[i] += (double)at->depth / TREES;
        }
    }
    for (int i = 0; i < x.rows; i++)
        scores[i] = exp32((float)(-0.6931471805599453 * depth[i] / isolation_usual_length(SAMPLE)));
    arena_free(arena);
}

/*
Beside the area we print the **precision** (精确率) among as many highest scores as there are marked readings: of 149
alarms, how many were right?
*/

typedef struct {
    double area, precision;
} Judgement;

static int by_falling_number(const void *a, const void *b)
{
    const float left = *(const float *)a, right = *(const float *)b;
    return (left < right) - (left > right);
}

// The score of the last of `alarms` readings that are reported
static float alarm_level(const float *scores, int count, int alarms)
{
    Arena *arena = arena_new();
    float *sorted = arena_alloc(arena, (size_t)count, sizeof *sorted);
    memcpy(sorted, scores, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_falling_number);
    const float level = sorted[alarms - 1];
    arena_free(arena);
    return level;
}

static Judgement judge(const float *scores, const Readings *r)
{
    const float level = alarm_level(scores, r->count, r->marked);
    int alarms = 0, right = 0;
    for (int i = 0; i < r->count; i++)
        if (scores[i] >= level) alarms++, right += r->odd[i];
    return (Judgement){roc_area(scores, r->odd, r->count), (double)right / alarms};
}

static void library_forest_scores(Lesson *lesson, float *scores, Matrix x, int seed)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 700 + (uint64_t)seed);
    const IsolationForest forest = isolation_forest_fit(arena, x, TREES, SAMPLE, &rng);
    isolation_forest_scores(scores, &forest, x);
    arena_free(arena);
}

// The lowest and the highest of five forests
typedef struct {
    Judgement low, high;
} Range;

static Range judge_forests(Lesson *lesson, Matrix x, const Readings *r)
{
    Range range = {{INFINITY, INFINITY}, {0.0, 0.0}};
    Arena *arena = arena_new();
    float *scores = arena_alloc(arena, (size_t)r->count, sizeof *scores);
    for (int seed = 0; seed < SEEDS; seed++) {
        library_forest_scores(lesson, scores, x, seed);
        const Judgement j = judge(scores, r);
        range.low.area = fmin(range.low.area, j.area), range.high.area = fmax(range.high.area, j.area);
        range.low.precision = fmin(range.low.precision, j.precision);
        range.high.precision = fmax(range.high.precision, j.precision);
    }
    arena_free(arena);
    return range;
}

/*
Three checks on the way: the library's area against its meaning, pair by pair; our forest against the library's; and
humidity itself as a score.
*/

static double area_by_pairs(const float *scores, const Readings *r)
{
    double wins = 0.0;
    for (int i = 0; i < r->count; i++)
        for (int j = 0; j < r->count && r->odd[i]; j++)
            if (!r->odd[j]) wins += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
    return wins / r->marked / (r->count - r->marked);
}

// The mean difference of the scores of our forest and the library's
static double forests_apart(Lesson *lesson, const Readings *r)
{
    Arena *arena = arena_new();
    float *ours = arena_alloc(arena, (size_t)r->count, sizeof *ours),
          *theirs = arena_alloc(arena, (size_t)r->count, sizeof *theirs);
    Rng rng = lesson_rng(lesson, 800);
    forest_scores(ours, r->x, &rng);
    library_forest_scores(lesson, theirs, r->x, 0);
    double total = 0.0;
    for (int i = 0; i < r->count; i++) total += fabs((double)ours[i] - (double)theirs[i]) / r->count;
    arena_free(arena);
    return total;
}

static const char *const table_names[TABLES] = {"near", "far"};

static void print_range(double low, double high) { printf("%9.3f to %.3f", low, high); }

static void what_does_not_belong(Lesson *lesson, const Readings *tables)
{
    section(lesson, "What does not belong");
    double gaussian = 0.0, forest_near = 0.0, pairs = 0.0, apart = 0.0, humidity = 1.0;
    printf("%-7s%-24s%18s%24s\n", "motes", "detector", "area under ROC", "precision of alarms");
    for (int t = 0; t < TABLES; t++) {
        const Readings *r = &tables[t];
        float *scores = arena_alloc(lesson_arena(lesson), (size_t)r->count, sizeof *scores);
        gaussian_scores(scores, r->x);
        const Judgement g = judge(scores, r);
        const Range f = judge_forests(lesson, r->x, r);
        pairs = fmax(pairs, fabs(g.area - area_by_pairs(scores, r)));
        for (int i = 0; i < r->count; i++) scores[i] = AT(r->x, i, 0);
        const Judgement h = judge(scores, r);
        printf("%-7s%-24s%18.3f%24.3f\n%-7s%-24s", table_names[t], "Gaussian", g.area, g.precision,
               table_names[t], "forest, five seeds");
        print_range(f.low.area, f.high.area);
        print_range(f.low.precision, f.high.precision);
        printf("\n%-7s%-24s%18.3f%24.3f\n", table_names[t], "humidity, as it is", h.area, h.precision);
        gaussian_scores_by_mote(scores, r);
        const Judgement m = judge(scores, r);
        printf("%-7s%-24s%18.3f%24.3f\n", table_names[t], "a Gaussian for each mote", m.area, m.precision);
        gaussian = fmax(gaussian, g.area), humidity = fmin(humidity, h.area - g.area);
        if (t == 0) forest_near = f.high.area;
        apart = fmax(apart, forests_apart(lesson, r));
    }
    printf("\nour forest's scores and the library's: %.4f apart in the mean\n\n", apart);
    claim(
        lesson, gaussian < 0.95 && forest_near < 0.95,
        "on the columns as they are, the Gaussian stays below 0.95, and so does the forest among near motes");
    claim(lesson, humidity > 0.0,
          "humidity as it is, without any detector, beats the Gaussian on both tables");
    claim(lesson, pairs <= 1e-9, "the library's area is the fraction of pairs in the right order");
    claim(lesson, apart <= 0.02, "ours and the library's forest give the same scores, but for chance");
}

/*
On the columns as they are, neither detector reaches 0.95, with one exception, the forest among far motes with some
seeds. And there is an insult: *humidity itself*, with no detector at all, does better than the Gaussian on both
tables, and among near motes better than both. (To pick that column we needed the marks, of course. But a detector
that loses to one of its inputs has not understood the data.) What helps is a Gaussian for each mote, 0.963 and 0.920.
It is told what is usual at *this* place, and that is already half of the next idea.

## Subtract what is usual

Humid is not strange in itself. Some motes stand indoors and some outdoors, and the air drifts over the hours; in one
cloud of all readings the steam hides behind the weather. Strange is a reading that differs from what *this* mote said
*just before*. So we subtract from each column the median of the mote's last 50 readings (only past ones; a detector
at work has no others), and give the same two detectors the difference. Three other ideas of "usual" are the controls:
the one reading before, the mean of the last 50, and the mean of all before.
*/

enum { LONGEST = 200, ALL_BEFORE = 1 << 20 };

typedef struct {
    const char *name;
    int window; // 0: the column as it is
    bool median;
} Feature;

enum { AS_IT_IS, JUST_BEFORE, MEAN, MEDIAN, MEAN_OF_ALL, FEATURES };

static const Feature features[FEATURES] = {{"the columns as they are", 0, false},
                                           {"minus the reading before", 1, false},
                                           {"minus the mean of 50", 50, false},
                                           {"minus the median of 50", 50, true},
                                           {"minus the mean of all before", ALL_BEFORE, false}};

static float median_of(const float *values, int count)
{
    float sorted[LONGEST];
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_falling_number);
    return 0.5f * (sorted[(count - 1) / 2] + sorted[count / 2]);
}

// Of the `window` readings before i (all, where the mote has fewer; its own at the very first)
static float median_before(const Readings *r, int i, int column, int window)
{
    float past[LONGEST];
    int count = 0;
    for (int k = i - 1; k >= 0 && r->mote[k] == r->mote[i] && count < window; k--)
        past[count++] = AT(r->x, k, column);
    return count ? median_of(past, count) : AT(r->x, i, column);
}

static float mean_before(const Readings *r, int i, int column, int window)
{
    double total = 0.0;
    int count = 0;
    for (int k = i - 1; k >= 0 && r->mote[k] == r->mote[i] && count < window; k--, count++)
        total += (double)AT(r->x, k, column);
    return count ? (float)(total / count) : AT(r->x, i, column);
}

static Matrix unusual(Arena *arena, const Readings *r, Feature feature)
{
    Matrix x = matrix_copy(arena, r->x);
    for (int i = 0; i < r->count && feature.window; i++)
        for (int j = 0; j < COLUMNS; j++)
            AT(x, i, j) -= (feature.median ? median_before : mean_before)(r, i, j, feature.window);
    return x;
}

enum { FIRST_DRAWN = 2250, LAST_DRAWN = 2600, DRAWN = LAST_DRAWN - FIRST_DRAWN + 1 };

static void draw_series(Lesson *lesson, const Readings *r)
{
    float when[DRAWN], humidity[DRAWN], usual[DRAWN], marked_when[DRAWN], marked[DRAWN];
    int count = 0, odd = 0;
    for (int i = 0; i < r->count; i++) {
        if (r->mote[i] != 1 || r->reading[i] < FIRST_DRAWN || r->reading[i] > LAST_DRAWN) continue;
        when[count] = (float)r->reading[i], humidity[count] = AT(r->x, i, 0);
        usual[count++] = median_before(r, i, 0, 50);
        if (r->odd[i]) marked_when[odd] = (float)r->reading[i], marked[odd++] = AT(r->x, i, 0);
    }
    Plot *plot = plot_begin(lesson, "series.svg", "What was marked at mote 1");
    plot_axes(plot, "reading, one each 5 s", "relative humidity, %");
    plot_line(plot, "humidity", when, humidity, count);
    plot_points(plot, "marked as anomaly", marked_when, marked, odd);
    plot_dashed(plot, "median of the 50 readings before", when, usual, count);
    plot_end(plot, "The median follows the steam after half of its window, and takes as long to forget it.");
}

static void draw_roc(Lesson *lesson, const Readings *r)
{
    Arena *arena = arena_new();
    const size_t n = (size_t)r->count + 1;
    float *scores = arena_alloc(arena, n, sizeof *scores), *right = arena_alloc(arena, n, sizeof *right),
          *up = arena_alloc(arena, n, sizeof *up);
    const char *names[2][2] = {{"Gaussian, as it is", "forest, as it is"},
                               {"Gaussian, minus median", "forest, minus median"}};
    Plot *plot = plot_begin(lesson, "roc.svg", "Two detectors, before and after the median is subtracted");
    plot_axes(plot, "fraction of usual readings that raise an alarm", "fraction of marked readings that do");
    plot_log(plot, "x");
    plot_range_x(plot, 1e-4, 1.0);
    plot_range_y(plot, 0.0, 1.0);
    plot_legend(plot, "bottom right");
    for (int f = 0; f < 2; f++)
        for (int forest = 0; forest < 2; forest++) {
            Matrix x = unusual(arena, r, features[f == 0 ? 0 : MEDIAN]);
            if (forest)
                library_forest_scores(lesson, scores, x, 0);
            else
                gaussian_scores(scores, x);
            const RocCurve curve = roc_curve(arena, scores, r->odd, r->count);
            int points = 0;
            for (int i = 0; i < curve.count; i++) {
                if (curve.points[i].false_positive_rate < 1e-4) continue;
                right[points] = (float)curve.points[i].false_positive_rate;
                up[points++] = (float)curve.points[i].true_positive_rate;
            }
            if (f == 0)
                plot_dashed(plot, names[f][forest], right, up, points);
            else
                plot_line(plot, names[f][forest], right, up, points);
        }
    plot_end(plot, "Motes near each other; the false alarms on a logarithmic axis, where they matter.");
    arena_free(arena);
}

static void subtract_what_is_usual(Lesson *lesson, const Readings *tables)
{
    section(lesson, "Subtract what is usual");
    double least = 1.0, detectors = 0.0, median_ahead = -1.0, before = 1.0;
    printf("%-40s%20s%28s\n%-7s%-33s%10s%12s%16s%16s\n", "", "Gaussian", "forest, five seeds", "motes",
           "feature", "area", "precision", "area", "precision");
    for (int t = 0; t < TABLES; t++) {
        double gaussian[FEATURES];
        for (int f = 0; f < FEATURES; f++) {
            Arena *arena = arena_new();
            const Readings *r = &tables[t];
            float *scores = arena_alloc(arena, (size_t)r->count, sizeof *scores);
            Matrix x = unusual(arena, r, features[f]);
            gaussian_scores(scores, x);
            const Judgement g = judge(scores, r);
            const Range forest = judge_forests(lesson, x, r);
            gaussian[f] = g.area;
            printf("%-7s%-33s%10.4f%12.3f", table_names[t], features[f].name, g.area, g.precision);
            printf("    %.4f–%.4f     %.3f–%.3f\n", forest.low.area, forest.high.area, forest.low.precision,
                   forest.high.precision);
            if (f == JUST_BEFORE) before = fmin(before, fmin(g.area, forest.low.area));
            if (f == MEDIAN) least = fmin(least, fmin(g.area, forest.low.area));
            if (f == MEDIAN) detectors = fmax(detectors, fabs(g.area - forest.low.area));
            arena_free(arena);
        }
        median_ahead = fmax(median_ahead, gaussian[MEDIAN] - gaussian[MEAN]);
    }
    printf("\n");
    claim(lesson, least >= 0.97,
          "minus the running median, both detectors reach 0.97 on both tables, the forest with each seed");
    claim(lesson, detectors <= 0.01, "and then it matters by less than 0.01 which detector it is");
    claim(lesson, median_ahead <= 0.002,
          "the median is not what does it: the mean of the same 50 readings is as good");
    claim(lesson, before >= 0.97, "nor is the 50: the single reading before is enough for 0.97");
    draw_roc(lesson, &tables[0]);
    draw_series(lesson, &tables[0]);
}

/*
The recipe is "subtract the running median". The controls say that it is less special than it sounds: the mean of the
same readings is as good, and so nearly is the single one before. Only the mean of *all* before is not, with the
Gaussian. *Just before* is what counts. Nor does the detector count any more: as they are, the columns leave the
Gaussian and the forest up to ten points apart; with a good feature, a formula of one line and a hundred random trees
agree to two or three thousandths. *What one measures matters more than how one decides.* It is why the next part of
the course is about networks, which learn what to measure.

## What the area hides

An area of 0.997 sounds like the end of the story. But fewer than one reading in a hundred is marked, and the area
counts the usual ones by the thousand. If one in a hundred of them scores above all marked ones, that costs a
hundredth of area, and is 188 false alarms for 149 true ones. The precision tells. We try the windows once more, by
both measures.

And how many things have we detected? Not 149. Readings of one cloud of steam are no independent examples. So we count
*events*, marked readings in a row, and ask where the false alarms are. A guess comes from the figure: when the steam
is gone, the median still remembers it. Such an **echo** (回声) follows an event within the 50 readings of the window,
and has the wrong sign: the air is *drier* than the median expects.
*/

enum { WINDOWS = 7 };
static const int windows[WINDOWS] = {2, 5, 10, 25, 50, 100, 200};

static void judge_windows(Judgement judgements[WINDOWS][TABLES], const Readings *tables)
{
    printf("%-8s%24s%24s\n%-8s%12s%12s%12s%12s\n", "", "near", "far", "median", "area", "precision", "area",
           "precision");
    for (int w = 0; w < WINDOWS; w++) {
        printf("of %-5d", windows[w]);
        for (int t = 0; t < TABLES; t++) {
            Arena *arena = arena_new();
            float *scores = arena_alloc(arena, (size_t)tables[t].count, sizeof *scores);
            gaussian_scores(scores, unusual(arena, &tables[t], (Feature){NULL, windows[w], true}));
            judgements[w][t] = judge(scores, &tables[t]);
            printf("%12.4f%12.3f", judgements[w][t].area, judgements[w][t].precision);
            arena_free(arena);
        }
        printf("\n");
    }
}

/*
And the events. We let the Gaussian raise as many alarms as there are marked readings, and sort the false ones.
*/

typedef struct {
    int events, found, false_alarms, echoes; // events: marked readings in a row
} Events;

// Alarms: the readings with at least this score. Echoes: false alarms at most 50 readings after an event at the same mote,
// and less humid than the feature x expects
static Events count_events(const float *scores, float level, const Readings *r, Matrix x)
{
    Events e = {0};
    int since = 51; // readings since the last marked one
    bool found = false;
    for (int i = 0; i < r->count; i++) {
        const bool starts = r->odd[i] && (i == 0 || !r->odd[i - 1]), alarm = scores[i] >= level;
        if (i > 0 && r->mote[i] != r->mote[i - 1]) since = 51;
        if (starts) e.events++, found = false;
        since = r->odd[i] ? 0 : since + 1;
        if (alarm && r->odd[i] && !found) e.found++, found = true;
        if (alarm && !r->odd[i]) e.false_alarms++, e.echoes += since <= 50 && AT(x, i, 0) < 0.0f;
    }
    return e;
}

/*
One more number, for whoever cannot bear many false alarms: how many marked readings are found when one usual reading
in two thousand may be reported?
*/

// The fraction of marked readings that is found when one usual reading in 2000 may raise an alarm
static double found_when_strict(Arena *arena, const float *scores, const Readings *r)
{
    const RocCurve curve = roc_curve(arena, scores, r->odd, r->count);
    double found = 0.0;
    for (int i = 0; i < curve.count; i++)
        if (curve.points[i].false_positive_rate <= 5e-4) found = curve.points[i].true_positive_rate;
    return found;
}

static void what_the_area_hides(Lesson *lesson, const Readings *tables)
{
    section(lesson, "What the area hides");
    Judgement judgements[WINDOWS][TABLES];
    judge_windows(judgements, tables);
    int best_area = 0, best_precision = 0, found = 0, events = 0, false_alarms = 0, echoes = 0;
    double strict[TABLES][2];
    for (int w = 1; w < WINDOWS; w++) {
        if (judgements[w][1].area > judgements[best_area][1].area) best_area = w;
        if (judgements[w][1].precision > judgements[best_precision][1].precision) best_precision = w;
    }
    printf("\nthe Gaussian, minus the median of 50:\n");
    for (int t = 0; t < TABLES; t++) {
        Arena *arena = arena_new();
        const Readings *r = &tables[t];
        float *scores = arena_alloc(arena, (size_t)r->count, sizeof *scores);
        gaussian_scores(scores, r->x);
        strict[t][0] = found_when_strict(arena, scores, r);
        Matrix x = unusual(arena, r, features[MEDIAN]);
        gaussian_scores(scores, x);
        strict[t][1] = found_when_strict(arena, scores, r);
        const Events e = count_events(scores, alarm_level(scores, r->count, r->marked), r, x);
        printf("%-5s%3d of %d events found; %d false alarms, %d of them echoes\n", table_names[t], e.found,
               e.events, e.false_alarms, e.echoes);
        found += e.found, events += e.events, false_alarms += e.false_alarms, echoes += e.echoes;
        arena_free(arena);
    }
    printf("\nmarked readings found at one false alarm in 2000 usual readings:\n");
    for (int t = 0; t < TABLES; t++)
        printf("%-5s%7.3f as it is,%7.3f minus the median\n", table_names[t], strict[t][0], strict[t][1]);
    printf("\n");
    claim(lesson, judgements[best_area][1].precision < judgements[best_precision][1].precision,
          "among far motes the window with the largest area is not the one with the most precise alarms");
    claim(lesson, events == 4 && found == 4,
          "behind all marked readings are four events, and each raises an alarm");
    claim(lesson, echoes >= 0.9 * false_alarms, "nine of ten false alarms are echoes of an event");
    claim(lesson, strict[0][0] > strict[0][1],
          "among near motes, with few false alarms allowed, the columns as they are find more than the "
          "better feature");
}

/*
Four events in two tables, all four found, and all 45 false alarms are echoes: the detector alarms because of what we
subtract. (Many marked readings after the peak, where the curve in the figure lies below the median, are found by the
same echo; the area counts these as successes.)

The curves of the other figure cross. Whoever can afford one false alarm in two thousand readings finds more among
near motes with the columns as they are, although their area is a tenth smaller. A little above one in a thousand the
better feature jumps ahead, and among far motes it is ahead at this rate, too. *The larger area* answers a question
that hardly anybody has: what if every rate of false alarms mattered alike?

## Not remembering the steam

If the echo is the fault, we know what to mend, and it is the feature once more. A reading whose humidity is more than
so many percent from the median does not enter the window, unless a hundred in a row have been so. (Then the air has
changed for good, and the detector has to give in.)
*/

enum { PATIENCE = 100, REMEMBERED = 50, CAUTIONS = 3 };

// The median of 50, of readings that were not more than `most` from it
static Matrix unusual_to_the_wary(Arena *arena, const Readings *r, float most)
{
    Matrix x = matrix_copy(arena, r->x);
    float kept[COLUMNS][REMEMBERED];
    int count = 0, in_a_row = 0;
    for (int i = 0; i < r->count; i++) {
        if (i > 0 && r->mote[i] != r->mote[i - 1]) count = in_a_row = 0;
        for (int j = 0; j < COLUMNS; j++)
            AT(x, i, j) -= count ? median_of(kept[j], int_min(count, REMEMBERED)) : AT(r->x, i, j);
        in_a_row = fabsf(AT(x, i, 0)) > most ? in_a_row + 1 : 0;
        if (in_a_row > 0 && in_a_row <= PATIENCE) continue;
        for (int j = 0; j < COLUMNS; j++) kept[j][count % REMEMBERED] = AT(r->x, i, j);
        count++;
    }
    return x;
}

static void not_remembering(Lesson *lesson, const Readings *tables)
{
    section(lesson, "Not remembering the steam");
    const float most[1 + CAUTIONS] = {INFINITY, 2.0f, 4.0f, 8.0f};
    int echoes = 0;
    bool ahead = true;
    printf("%-7s%-22s%10s%12s%16s%10s%20s\n", "motes", "remembered up to", "area", "precision",
           "false alarms", "echoes", "found at 1 in 2000");
    for (int t = 0; t < TABLES; t++) {
        double before = 0.0;
        for (int m = 0; m <= CAUTIONS; m++) {
            Arena *arena = arena_new();
            const Readings *r = &tables[t];
            float *scores = arena_alloc(arena, (size_t)r->count, sizeof *scores);
            Matrix x = unusual_to_the_wary(arena, r, most[m]);
            gaussian_scores(scores, x);
            const Judgement j = judge(scores, r);
            const Events e = count_events(scores, alarm_level(scores, r->count, r->marked), r, x);
            const double found = found_when_strict(arena, scores, r);
            printf("%-7s", table_names[t]);
            if (m == 0)
                printf("%-22s", "everything");
            else
                printf("%4.0f %% of humidity     ", (double)most[m]);
            printf("%10.4f%12.3f%16d%10d%20.3f\n", j.area, j.precision, e.false_alarms, e.echoes, found);
            if (m == 0)
                before = found;
            else
                echoes += e.echoes, ahead = ahead && found > before;
            arena_free(arena);
        }
    }
    printf("\n");
    claim(lesson, echoes == 0,
          "a median that does not remember the steam has no echo, with each of three limits");
    claim(lesson, ahead, "and at one false alarm in 2000 it finds more, on both tables");
}

/*
That was the cause: no echo is left, whichever limit we take. At one false alarm in two thousand the mended feature
finds a third more among far motes, and among near ones more than half as much again. And the area? Among near motes
it *falls*. Nobody who looks at the area alone would have mended anything.

Among near motes the alarms are more precise than before with one of the limits only. We listed the twelve false ones
that are left with it: all are of one moment, near reading 3270, when at both motes that stand outdoors the humidity
falls from 51 to 46 % within two minutes. The detector is right that this is unusual. Nobody had marked it, because
nobody had made it. *False* is a word about the marks.

(The limit of 8 % looks best with the marks in hand. With four events, no difference in the third digit means
anything, and not every one in the second.)

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "04-without-labels", "Learning without labels");
    static Directions found;
    static Baskets tables[TABLES];
    Arena *arena = lesson_arena(lesson);
    const char *const names[TABLES] = {"votes", "zoo"};
    Digits digits = read_digits(arena);
    never_up(lesson, digits);
    many_starts(lesson, digits);
    what_they_mean(lesson, digits);
    which_directions(lesson, digits, &found);
    best_numbers(lesson, digits, &found);
    read_baskets(arena, &tables[0], &tables[1]);
    what_goes_together(lesson, tables, names);
    what_chance_makes(lesson, tables, names);
    const Readings readings[TABLES] = {read_sensors(arena, "datasets/cache/sensors/single-hop.csv"),
                                       read_sensors(arena, "datasets/cache/sensors/multi-hop.csv")};
    what_does_not_belong(lesson, readings);
    subtract_what_is_usual(lesson, readings);
    what_the_area_hides(lesson, readings);
    not_remembering(lesson, readings);
    return lesson_end(lesson);
}

/*
## What to take along

- Without labels, the function to be approximated is the identity, through a narrow place: a number from 1 to k, or k
  numbers.
- Assign, move: each half step is the best possible with the other half fixed. So the cost never rises, without any
  learning rate, and where it ends depends on the start.
- Start often and keep the best. k-means++ decides where there are separate heaps, and is worth half a percent on the
  digits.
- Clusters are not classes. But they know whom to ask: twenty labels of typical examples are worth as much as 898 used
  for class means.
- Principal components have no bad valley, and power iteration comes nearer by $\lambda_2 / \lambda_1$ in each step.
- No linear code of $k$ numbers rebuilds better. Well-chosen pixels come nearer than you would think.
- A safe bound beats search: Apriori counts 1662 sets in the place of 129 million.
- Shuffle the columns: whatever survives is chance. And look at the lift.
- The feature matters more than the detector, and the area under a curve hides what the alarms are, and how many.

## Check yourself

**1.** A centre moves to the *median* of its examples, coordinate by coordinate, and not to the mean. Can the cost $J$
rise?

<details><summary>Answer</summary>

Yes. The mean is the lowest place of the sum of *squared* distances, so any other place costs more, and after an
assignment that changed nothing the move from mean to median raises $J$. With sums of absolute differences in the
place of squares, the median would be right, and the same argument would hold for these. Each half step has to
minimise the same cost.

</details>

**2.** Two runs of k-means on the digits end at 1,165,183 and 1,247,835. You take ten more steps with the second. What
do you get?

<details><summary>Answer</summary>

1,247,835. It has settled: every example has its nearest centre and every centre is the mean of its examples, so
nothing moves any more. Descent does not leave a valley. A new start might; the best of any twenty was within 0.5 % of
the best ever seen.

</details>

**3.** $\lambda_1 = 178.9$ and $\lambda_2 = 163.6$. About how many steps of power iteration give another digit of the
first component? And if $\lambda_2$ were equal to $\lambda_1$?

<details><summary>Answer</summary>

Each step multiplies the error by $163.6 / 178.9 = 0.9146$, so a digit takes $\ln 10 / -\ln 0.9146 \approx 26$ steps.
With equal eigenvalues the factor is 1: the iteration ends in some direction of the plane that both span, another one
for each start. All of them have the same variance, so nothing is lost.

</details>

**4.** Would 100,000 draws of ten random directions find something as good as ten components?

<details><summary>Answer</summary>

No. The average draw loses $1 - 10/64 = 84$ % of the variance, the best of 100 still 81 %, components 26 %. The spread
between draws is a few percent; more draws creep along its edge. Where a formula or descent knows the way, chance is
no opponent; it is needed where there are many valleys.

</details>

**5.** A detector has an area of 0.99, and one reading in ten thousand is an anomaly. Can most of its alarms be false?

<details><summary>Answer</summary>

Yes. Suppose every anomaly scores above all usual readings but one in a hundred. The area is 0.99, and to find the
anomaly you get a hundred false alarms with it. The area does not change when the usual readings become ten times as
many; the precision does.

</details>

## Sources

- S. Lloyd, *Least squares quantization in PCM*, a Bell Laboratories note of 1957, printed 1982: assign and move.
- D. Arthur and S. Vassilvitskii, *k-means++: the advantages of careful seeding*, 2007: the start, and its bound.
- E. Alpaydin and C. Kaynak, *Cascading classifiers*, 1998: the digits.
- K. Pearson 1901, H. Hotelling 1933: principal components; C. Eckart and G. Young, *The approximation of one matrix
  by another of lower rank*, 1936.
- P. Baldi and K. Hornik, *Neural networks and principal component analysis*, 1989: no bad valley, only saddles.
- R. Agrawal and R. Srikant, *Fast algorithms for mining association rules*, 1994: Apriori.
- J. Schlimmer, *Concept acquisition through representational adjustment*, 1987: the votes; R. Forsyth 1990: the zoo.
- P. C. Mahalanobis, *On the generalised distance in statistics*, 1936.
- F. T. Liu, K. M. Ting, Z.-H. Zhou, *Isolation forest*, 2008.
- S. Suthaharan and others, *Labelled data collection for anomaly detection in wireless sensor networks*, 2010.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade4` tells how far you are, `make hint4`
helps.

- **TASK 4.1** k-means on a stream: each example moves its centre, and is forgotten.
- **TASK 4.2** the probabilities with which k-means++ takes its next centre.
- **TASK 4.3** a step of power iteration that stays clear of the components already found.
- **TASK 4.4** does a candidate of Apriori survive?
- **TASK 4.5** a running median that looks only back.

And without a computer, or with five minutes at one:

**1.** k-means with $k = N$ costs 0. Why not choose $k$ by the lowest cost?

<details><summary>Answer</summary>

Because the cost falls with every further centre: a new one can be put on any example and costs nothing. It measures
how well the examples are rebuilt and not whether the centres mean anything. One looks for the $k$ from which on it
falls slowly, holds examples out, or asks what the centres are for: in our table fifty clusters named by fifty labels
are right in 93 %, ten in 77 %.

</details>

**2.** You measure one pixel in units of a thousandth, so that its values are a thousand times larger. What happens to
the first component, and to k-means?

<details><summary>Answer</summary>

Its variance is then a million times larger, so the first component is that pixel alone, and k-means splits the
examples by it alone. Both minimise squared distances, in whatever units one gives them. Where units differ,
standardise first.

</details>

**3.** A set of 20 items is frequent. How many frequent sets does Apriori go through before it finds it?

<details><summary>Answer</summary>

All of its parts, $2^{20} - 2$, more than a million: each is frequent as well, and the set cannot be joined before
they have been found. Apriori's bound leaves out what is rare, and does nothing against long sets. Methods that grow a
set in depth have been made for that.

</details>

**4.** Motes 1 and 4 of the near table had 117 and 32 marked readings. How many independent things has a detector
found that finds 149 of 149?

<details><summary>Answer</summary>

Two. The readings of one event follow from each other; had the mote measured twice as often, there would be 298 marks
and no more knowledge. Whoever wants to know how well a detector does at the next event has two examples, four with
the other table. That is why we trust a difference of a tenth here, and none of a hundredth.

</details>
*/
