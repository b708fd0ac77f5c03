/*
# Trees and margins

So far every model was a weighted sum, and was learned by walking down the gradient of a loss. This chapter has two
models that are learned otherwise, and where the data is a table, they are still the first thing to try:

- a **decision tree** (决策树) asks one question after another, and finds its questions by *trying all of them*: no loss
  is differentiated, nothing descends;
- a **support vector machine** (支持向量机) is a weighted sum again, with a loss that has one lowest point only, and with a
  trick that bends its straight boundary.

This course holds that descent makes progress and that randomness gets out of bad places. Here are two methods that
have no bad places to get out of: the tree takes the best question at hand and never reconsiders, the machine has a
single valley. And yet randomness will save the tree. What for, if not to get out? We shall see trees that fall over
when a few rows are taken from them, and a law that says how much is gained by growing a hundred different ones.

You need [chapter 2](../02-logistic-regression/README.md): classes, labels, standardising, held-out rows.
*/

#include "base/mathf.h"
#include "files/csv.h"
#include "learning/lbfgs.h"
#include "learning/logistic.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/svm.h"
#include "models/tree.h"

#include <math.h>
#include <stdlib.h>

/*
## Five tables

One table proves nothing about methods, so we take five. **Wine**: thirteen measurements, three cultivars. **Breast
cancer**: the tumours of chapter 2. **Votes**: how the members of the American House of Representatives of 1984 voted
on sixteen questions; were they Democrats or Republicans? **Ionosphere**: radar echoes, good or bad (Sigillito and
others 1989). **Moons**: two half circles that reach into each other, made here, with normal noise of deviation 0.25.
*/

enum { MOST_CLASSES = 3 };

// n rows of d measurements, and the class of each row
typedef struct {
    const char *name;
    Matrix x; // (n × d)
    int *labels, classes;
    char **class_names, **columns;
} Table;

static Table read_table(Arena *arena, const char *path, const char *name, const char *first, const char *last,
                        const char *class)
{
    const Csv csv = csv_read(arena, path);
    Table table = {.name = name, .x = csv_numbers(arena, csv, first, last)};
    table.columns = csv.names + csv_column(csv, first);
    table.labels = csv_classes(arena, csv, class, &table.class_names, &table.classes);
    return table;
}

// Yes is 1, no is −1, and 0 stands for a vote that was not cast.
static Table read_votes(Arena *arena)
{
    const Csv csv = csv_read(arena, "datasets/house-votes-84.csv");
    Table table = {.name = "votes", .x = matrix_new(arena, csv.rows, csv.cols - 1), .columns = csv.names + 1};
    table.labels = csv_classes(arena, csv, "party", &table.class_names, &table.classes);
    for (int i = 0; i < csv.rows; i++)
        for (int j = 1; j < csv.cols; j++) {
            const char vote = csv_cell(csv, i, j)[0];
            AT(table.x, i, j - 1) = vote == 'y' ? 1.0f : vote == 'n' ? -1.0f : 0.0f;
        }
    return table;
}

static Table make_moons(Arena *arena, int rows, float noise, Rng *rng)
{
    static char *names[] = {"upper", "lower"}, *columns[] = {"x1", "x2"};
    Table table = {.name = "moons", .classes = 2, .class_names = names, .columns = columns};
    table.x = matrix_new(arena, rows, 2);
    table.labels = arena_alloc(arena, (size_t)rows, sizeof(int));
    fill_normal(table.x, rng, 0.0f, noise);
    for (int i = 0; i < rows; i++) {
        const float angle = rng_between(rng, 0.0f, 3.14159265f);
        const bool lower = i % 2;
        table.labels[i] = lower;
        AT(table.x, i, 0) += lower ? 1.0f - cos32(angle) : cos32(angle);
        AT(table.x, i, 1) += lower ? 0.5f - sin32(angle) : sin32(angle);
    }
    return table;
}

enum { WINE, BREAST, VOTES, IONOSPHERE, MOONS, TABLES };

static void five_tables(Lesson *lesson, Table *tables)
{
    section(lesson, "Five tables");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1);
    tables[WINE] = read_table(arena, "datasets/wine.csv", "wine", "alcohol", "proline", "cultivar");
    tables[BREAST] = read_table(arena, "datasets/breast-cancer.csv", "breast cancer", "mean_radius",
                                "worst_fractal_dimension", "class");
    tables[VOTES] = read_votes(arena);
    tables[IONOSPHERE] = read_table(arena, "datasets/ionosphere.csv", "ionosphere", "V1", "V34", "Class");
    tables[MOONS] = make_moons(arena, 400, 0.25f, &rng);
    printf("%-16s%8s%10s%10s%22s\n", "", "rows", "columns", "classes", "in the largest class");
    for (int t = 0; t < TABLES; t++) {
        const Table table = tables[t];
        int counts[MOST_CLASSES] = {0}, most = 0;
        for (int i = 0; i < table.x.rows; i++) counts[table.labels[i]]++;
        for (int k = 0; k < table.classes; k++) most = counts[k] > most ? counts[k] : most;
        printf("%-16s%8d%10d%10d%20.1f %%\n", table.name, table.x.rows, table.x.cols, table.classes,
               100.0 * most / table.x.rows);
    }
}

/*
## One question

A question is a column and a threshold: *is $x_j \le t$?* It sends some rows to the left and the others to the right.
It is a good question if either side is then nearly of one class. How mixed a set of rows is, is measured by its
**Gini impurity** (基尼不纯度; Breiman and others 1984): draw two rows, the first put back before the second is drawn; how
probable is it that their classes differ?

$$\text{gini} = 1 - \sum_k p_k^2, \qquad p_k = \frac{n_k}{n} .$$

It is 0 for a pure set, and $\frac12$ for two classes of the same size. Among all questions we want the one with the
lowest mean impurity of the two sides, each weighted by its rows. With $l_k$ rows of class $k$ on the left and $r_k$
on the right, that is the question with the largest

$$\text{score} = \frac{\sum_k l_k^2}{l} + \frac{\sum_k r_k^2}{r} .$$

How many questions are there? Two thresholds between the same two neighbouring values part the rows alike. So a column
of $n$ different values has $n - 1$ questions, and if it is *sorted*, one walk along it scores them all: at each step
one row changes sides. The threshold goes halfway between the neighbours.
*/

// One side's part of the score: Σ counts² / rows
static double side(const int *counts, int rows, int classes)
{
    double squares = 0.0;
    for (int k = 0; k < classes; k++) squares += (double)counts[k] * counts[k];
    return squares / rows;
}

static double gini(const int *counts, int rows, int classes)
{
    return 1.0 - side(counts, rows, classes) / rows;
}

typedef struct {
    float value;
    int label;
} Pair;

typedef struct {
    int feature; // −1: none
    float threshold;
    double score;
} Question;

// sorted [n]: one column with its labels, values rising. A question that is better than *best takes its place.
static void walk_along(Question *best, const Pair *sorted, int n, int classes, int feature)
{
    int left[MOST_CLASSES] = {0}, right[MOST_CLASSES] = {0};
    for (int i = 0; i < n; i++) right[sorted[i].label]++;
    for (int i = 0; i + 1 < n; i++) {
        left[sorted[i].label]++, right[sorted[i].label]--;
        const float here = sorted[i].value, next = sorted[i + 1].value;
        if (here == next) continue; // no threshold parts them
        const double score = side(left, i + 1, classes) + side(right, n - i - 1, classes);
        if (score > best->score) *best = (Question){feature, tree_threshold(here, next), score};
    }
}

static int by_value(const void *a, const void *b)
{
    const float left = ((const Pair *)a)->value, right = ((const Pair *)b)->value;
    return (left > right) - (left < right);
}

// The best question about rows [n] of a table; room [n] is for us to use
static Question best_question(Matrix x, const int *labels, int classes, const int *rows, int n, Pair *room)
{
    Question best = {.feature = -1, .score = -1.0};
    for (int j = 0; j < x.cols; j++) {
        for (int i = 0; i < n; i++) room[i] = (Pair){AT(x, rows[i], j), labels[rows[i]]};
        qsort(room, (size_t)n, sizeof *room, by_value);
        walk_along(&best, room, n, classes, j);
    }
    return best;
}

static int *all_rows(Arena *arena, int n)
{
    int *rows = arena_alloc(arena, (size_t)n, sizeof *rows);
    for (int i = 0; i < n; i++) rows[i] = i;
    return rows;
}

static void one_question(Lesson *lesson, const Table *tables)
{
    section(lesson, "One question");
    Arena *arena = lesson_arena(lesson);
    printf("%-16s%-32s%16s\n", "", "the best question", "gini");
    for (int t = 0; t < TABLES; t++) {
        const Table table = tables[t];
        const int n = table.x.rows;
        Pair *room = arena_alloc(arena, (size_t)n, sizeof *room);
        const Question q = best_question(table.x, table.labels, table.classes, all_rows(arena, n), n, room);
        int counts[MOST_CLASSES] = {0};
        for (int i = 0; i < n; i++) counts[table.labels[i]]++;
        printf("%-16s%-22s ≤ %-8.4g%6.3f to %.3f\n", table.name, table.columns[q.feature],
               (double)q.threshold, gini(counts, n, table.classes), 1.0 - q.score / n);
    }
}

/*
On the votes one question, about a freeze of the fees of physicians, does most of the work. That of the radar echoes
leaves more than half of the impurity.

## A tree

After the first question there are two smaller sets of rows, and each of them has a best question of its own. So it
goes on, until a set is pure, or nothing is left that could part it. A set without a question is a **leaf** (叶), and
answers with the class that most of its rows have. This is CART, *classification and regression trees*, of Breiman,
Friedman, Olshen and Stone (1984).

The search is **greedy** (贪心): the best question now, without looking ahead, and never taken back. The best *tree* is
another matter; to find it is NP-complete (Hyafil and Rivest 1976).

The nodes are those of `models/tree.h`, so that all that follows works with our trees and with the library's.
*/

typedef struct {
    Matrix x;
    const int *labels;
    int classes;
    Pair *room;
} Seen;

// Makes a node of rows [n], whose order changes, and all nodes below it; returns its number.
static int grow(Tree *tree, const Seen *seen, int *rows, int n)
{
    const int me = tree->count++;
    int counts[MOST_CLASSES] = {0}, label = 0, left = 0;
    for (int i = 0; i < n; i++) counts[seen->labels[rows[i]]]++;
    for (int k = 1; k < seen->classes; k++) label = counts[k] > counts[label] ? k : label;
    TreeNode node = {.feature = -1, .label = label, .rows = n, .gini = gini(counts, n, seen->classes)};
    if (counts[label] < n) {
        const Question q = best_question(seen->x, seen->labels, seen->classes, rows, n, seen->room);
        node.feature = q.feature, node.threshold = q.threshold;
    }
    if (node.feature >= 0) {
        for (int i = 0; i < n; i++) {
            const int row = rows[i];
            if (AT(seen->x, row, node.feature) > node.threshold) continue;
            rows[i] = rows[left];
            rows[left++] = row;
        }
        node.left = grow(tree, seen, rows, left);
        node.right = grow(tree, seen, rows + left, n - left);
    }
    tree->nodes[me] = node;
    return me;
}

static Tree sorted_tree(Arena *arena, Matrix x, const int *labels, int classes)
{
    const size_t n = (size_t)x.rows;
    const Seen seen = {x, labels, classes, arena_alloc(arena, n, sizeof(Pair))};
    Tree tree = {.nodes = arena_alloc(arena, 2 * n, sizeof(TreeNode))};
    grow(&tree, &seen, all_rows(arena, x.rows), x.rows);
    return tree;
}

static bool is_leaf(const TreeNode *node) { return node->feature < 0; }

// What the tree calls a row, after at most so many questions
static int answer(const Tree *tree, const float *row, int questions)
{
    const TreeNode *node = tree->nodes;
    for (; !is_leaf(node) && questions > 0; questions--)
        node = tree->nodes + (row[node->feature] <= node->threshold ? node->left : node->right);
    return node->label;
}

/*
## Without sorting

Sorting each column again at each node takes most of the time. The library sorts nothing. Once, before the first tree,
it replaces each number by the number of its **bin** (箱): a byte. A node then needs, for each column, only a
**histogram** (直方图) of its rows, how many of each class are in each of the 256 bins; one pass over the rows makes it,
and one walk along its bins scores all questions. LightGBM and XGBoost work so.

Where a column has at most 256 different values, each value has a bin of its own, and
nothing is lost: the tree must be the same. Where it has more, some neighbours share a bin, and questions between
these are no longer asked. Does that cost anything? We compare the two on rows held out: **cross-validation** (交叉验证)
cuts a table into ten parts, holds out one after the other, learns from the other nine, and adds up the mistakes on
the ten; and because the cut is random, we do it with five.
*/

static Tree library_tree(Arena *arena, Matrix x, const int *labels, int classes)
{
    const TreeTable table = tree_table_new(arena, x);
    return *tree_fit(arena, &table, labels, classes, (TreeOptions){0}, NULL, 0, NULL);
}

// Whether the trees below node i of a and node j of b have the same questions, rows and answers
static bool same_tree(const Tree *a, int i, const Tree *b, int j)
{
    const TreeNode *p = &a->nodes[i], *q = &b->nodes[j];
    if (p->feature != q->feature || p->label != q->label || p->rows != q->rows) return false;
    if (is_leaf(p)) return true;
    return p->threshold == q->threshold && same_tree(a, p->left, b, q->left) &&
           same_tree(a, p->right, b, q->right);
}

// The same table in 256 equal steps between the smallest and the largest value of each column
static Matrix as_bytes(Arena *arena, Matrix x)
{
    Matrix bytes = matrix_new(arena, x.rows, x.cols), column = matrix_new(arena, x.rows, 1);
    for (int j = 0; j < x.cols; j++) {
        copy_columns(column, 0, x, j, 1);
        const float low = smallest(column), range = largest(column) - low;
        for (int i = 0; i < x.rows; i++)
            AT(bytes, i, j) = range > 0.0f ? floorf((AT(x, i, j) - low) / range * 255.0f + 0.5f) : 0.0f;
    }
    return bytes;
}

// Rows to learn from, and rows held out
typedef struct {
    Matrix x, unseen;
    int *labels, *truth, classes;
} Fold;

// Of order [n] every parts-th place, from part on, is held out.
static Fold make_fold(Arena *arena, Matrix x, const int *labels, int classes, const int *order, int parts,
                      int part)
{
    const int held = (x.rows - part + parts - 1) / parts;
    Fold f = {.x = matrix_new(arena, x.rows - held, x.cols), .unseen = matrix_new(arena, held, x.cols)};
    f.labels = arena_alloc(arena, (size_t)(x.rows - held), sizeof(int));
    f.truth = arena_alloc(arena, (size_t)held, sizeof(int));
    f.classes = classes;
    for (int i = 0, in = 0, out = 0; i < x.rows; i++) {
        const bool hold = i % parts == part;
        const int to = hold ? out++ : in++;
        copy(matrix_rows(hold ? f.unseen : f.x, to, 1), matrix_rows(x, order[i], 1));
        (hold ? f.truth : f.labels)[to] = labels[order[i]];
    }
    return f;
}

enum { PARTS = 10, SEEDS = 5, RUNS = SEEDS * PARTS };

// Part run % PARTS of cut run / PARTS
static Fold fold_of(Lesson *lesson, Arena *arena, Table table, int run)
{
    int *order = arena_alloc(arena, (size_t)table.x.rows, sizeof *order);
    Rng rng = lesson_rng(lesson, 100 + (uint64_t)(run / PARTS));
    rng_permutation(&rng, order, table.x.rows);
    return make_fold(arena, table.x, table.labels, table.classes, order, PARTS, run % PARTS);
}

typedef Tree Grow(Arena *arena, Matrix x, const int *labels, int classes);

// Percent of the rows held out that are called wrongly
static double mistakes(Lesson *lesson, Table table, Grow *method)
{
    int wrong = 0;
    for (int run = 0; run < RUNS; run++) {
        Arena *arena = arena_new();
        const Fold f = fold_of(lesson, arena, table, run);
        const Tree tree = method(arena, f.x, f.labels, f.classes);
        for (int i = 0; i < f.unseen.rows; i++)
            wrong += answer(&tree, matrix_row(f.unseen, i), f.x.rows) != f.truth[i];
        arena_free(arena);
    }
    return 100.0 * wrong / (SEEDS * table.x.rows);
}

static bool trees_agree(Arena *arena, Matrix x, Table table)
{
    const Tree ours = sorted_tree(arena, x, table.labels, table.classes);
    const Tree theirs = library_tree(arena, x, table.labels, table.classes);
    return ours.count == theirs.count && same_tree(&ours, 0, &theirs, 0);
}

static void without_sorting(Lesson *lesson, const Table *tables)
{
    section(lesson, "Without sorting");
    Arena *arena = lesson_arena(lesson);
    bool same[TABLES];
    int same_bytes = 0;
    double most_apart = 0.0;
    printf("%-16s%16s%12s%26s\n", "", "most values", "same tree", "mistakes: sorted, bins");
    for (int t = 0; t < TABLES; t++) {
        const Table table = tables[t];
        const TreeTable bins = tree_table_new(arena, table.x);
        int most = 0;
        for (int j = 0; j < table.x.cols; j++) most = bins.bin_counts[j] > most ? bins.bin_counts[j] : most;
        const double ours = mistakes(lesson, table, sorted_tree),
                     theirs = mistakes(lesson, table, library_tree);
        same[t] = trees_agree(arena, table.x, table);
        same_bytes += trees_agree(arena, as_bytes(arena, table.x), table);
        most_apart = fmax(most_apart, fabs(ours - theirs));
        printf("%-16s%12s%4d%12s%16.1f %%%7.1f %%\n", table.name, most < TREE_BINS ? "" : "over", most,
               same[t] ? "yes" : "no", ours, theirs);
    }
    printf("\n");
    claim(lesson, same[WINE] && same[VOTES],
          "wine and votes have few enough values: both trees are the same, node for node");
    claim(lesson, same_bytes == TABLES, "and so on all five tables, once each column is rounded to a byte");
    claim(lesson, most_apart <= 1.0,
          "where values share a bin, mistakes change by at most one row in a hundred");
}

/*
Thresholds that are not asked cost nothing that could be measured. From here on the library grows our trees.

## A tree that knows everything

A tree that grows until all its leaves are pure makes no mistake on the rows that it has seen, as long as no two of
them are equal and of different classes. What is that worth? We stop it after so many questions in a row, and count
the mistakes on both kinds of rows. (A greedy tree of depth four *is* the first four levels of the full tree, so one
tree gives the whole curve.) Beside the tumours as they are, a second tree learns from labels of which every fifth,
drawn at random, has been swapped. The rows held out keep their true ones.
*/

enum { DEEPEST = 16 };

typedef struct {
    float seen[DEEPEST + 1], unseen[DEEPEST + 1]; // percent wrong after so many questions
} DepthCurve;

static DepthCurve mistakes_by_depth(Lesson *lesson, Table table, float swapped)
{
    DepthCurve curve = {{0}, {0}};
    Rng rng = lesson_rng(lesson, 2);
    for (int run = 0; run < RUNS; run++) {
        Arena *arena = arena_new();
        const Fold f = fold_of(lesson, arena, table, run);
        for (int i = 0; i < f.x.rows; i++)
            if (rng_uniform(&rng) < swapped) f.labels[i] = 1 - f.labels[i];
        const Tree tree = library_tree(arena, f.x, f.labels, f.classes);
        for (int d = 0; d <= DEEPEST; d++) {
            for (int i = 0; i < f.x.rows; i++)
                curve.seen[d] += answer(&tree, matrix_row(f.x, i), d) != f.labels[i];
            for (int i = 0; i < f.unseen.rows; i++)
                curve.unseen[d] += answer(&tree, matrix_row(f.unseen, i), d) != f.truth[i];
        }
        arena_free(arena);
    }
    for (int d = 0; d <= DEEPEST; d++) {
        curve.seen[d] *= 100.0f / (float)(table.x.rows * SEEDS * (PARTS - 1));
        curve.unseen[d] *= 100.0f / (float)(table.x.rows * SEEDS);
    }
    return curve;
}

static void print_depths(const char *what, const float *percent)
{
    printf("%-28s", what);
    for (int d = 0; d <= DEEPEST; d += 2) printf("%7.1f", (double)percent[d]);
    printf("\n");
}

static void draw_depths(Lesson *lesson, const DepthCurve *plain, const DepthCurve *swapped)
{
    Plot *plot = plot_begin(lesson, "depth.svg", "Mistakes by the number of questions");
    plot_axes(plot, "questions in a row, at most", "rows called wrongly (%)");
    plot_line_points(plot, "a fifth swapped, held out", NULL, swapped->unseen, DEEPEST + 1);
    plot_dashed(plot, "a fifth swapped, seen", NULL, swapped->seen, DEEPEST + 1);
    plot_line_points(plot, "as they are, held out", NULL, plain->unseen, DEEPEST + 1);
    plot_dashed(plot, "as they are, seen", NULL, plain->seen, DEEPEST + 1);
    plot_end(plot, "Breast cancer. On rows seen, more questions always help; on rows held out, most of them "
                   "are wasted, and with wrong labels they do harm.");
}

static void knows_everything(Lesson *lesson, Table tumours)
{
    section(lesson, "A tree that knows everything");
    const DepthCurve plain = mistakes_by_depth(lesson, tumours, 0.0f);
    const DepthCurve swapped = mistakes_by_depth(lesson, tumours, 0.2f);
    printf("%-28s", "questions");
    for (int d = 0; d <= DEEPEST; d += 2) printf("%7d", d);
    printf("\n");
    print_depths("as they are, seen %", plain.seen);
    print_depths("as they are, held out %", plain.unseen);
    print_depths("a fifth swapped, seen %", swapped.seen);
    print_depths("a fifth swapped, held out %", swapped.unseen);
    float best = swapped.unseen[0];
    for (int d = 1; d <= DEEPEST; d++) best = fminf(best, swapped.unseen[d]);
    printf("\n");
    draw_depths(lesson, &plain, &swapped);
    claim(lesson, plain.seen[DEEPEST] == 0.0f, "a full tree knows every row that it has seen");
    claim(lesson, swapped.seen[DEEPEST] < 2.0f, "it learns the false labels as well");
    claim(lesson, swapped.unseen[DEEPEST] > 2.0f * best,
          "and makes more than twice the mistakes of a tree that was stopped in time");
}

/*
With a fifth swapped, each further question explains a few more of the labels seen, down to the last. But about a swap
there is nothing to be learned, so it is *rows* that the tree learns by heart. Look at the dashed curves, which are
all that can be seen while learning: neither tells where to stop.

## Cutting back

How to stop in time? Not by refusing questions that help little: the next one may help much, as in the pattern of XOR,
where no first question helps at all. Breiman's answer is to grow the whole tree, and to cut it back. Let each leaf
cost $\alpha$:

$$R_\alpha(T) = \sum_{\text{leaves}} \frac{\text{rows}}{n}\, \text{gini} + \alpha \cdot (\text{number of leaves}).$$

Below node $t$ stands a branch with $b$ leaves. Made a leaf, it would have $b - 1$ leaves fewer, and more impurity. It
should go as soon as $\alpha$ exceeds

$$g(t) = \frac{R(t) - R(\text{branch})}{b - 1},$$

the price at which the branch buys purity. So: find the branch with the lowest $g$, the **weakest link** (最弱环节), cut
it off, note its $\alpha$, and look again, until only the root is left. This is **cost-complexity pruning** (代价复杂度剪枝).
It does not look greedy for nothing: it *is* greedy. But this time there is a theorem that for each $\alpha$ what
remains is the cheapest of all the trees that can be cut out of the full one. The cheapest can be computed directly,
from the leaves up: each node takes the better of stopping here and of the best that its two children can do. The two
must agree.
*/

typedef struct {
    int leaves;
    double impurity; // Σ rows · gini over the leaves, divided by all rows
} Branch;

static double impurity_of(const Tree *tree, int i)
{
    return tree->nodes[i].rows * tree->nodes[i].gini / tree->nodes[0].rows;
}

// What stands below node i, where dies [count] tells what has been cut; *weakest is the branch with the lowest price, *price
static Branch weigh(const Tree *tree, int i, const double *dies, int *weakest, double *price)
{
    const TreeNode *node = &tree->nodes[i];
    if (is_leaf(node) || dies[i] < INFINITY) return (Branch){1, impurity_of(tree, i)};
    const Branch left = weigh(tree, node->left, dies, weakest, price);
    const Branch right = weigh(tree, node->right, dies, weakest, price);
    const Branch both = {left.leaves + right.leaves, left.impurity + right.impurity};
    const double link = (impurity_of(tree, i) - both.impurity) / (both.leaves - 1);
    if (link < *price) *price = link, *weakest = i;
    return both;
}

// dies [count]: the α from which on node i is a leaf
static double *prune(Arena *arena, const Tree *tree)
{
    double *dies = arena_alloc(arena, (size_t)tree->count, sizeof *dies), alpha = 0.0;
    for (int i = 0; i < tree->count; i++) dies[i] = INFINITY;
    for (;;) {
        int weakest = -1;
        double price = INFINITY;
        weigh(tree, 0, dies, &weakest, &price);
        if (weakest < 0) return dies;
        alpha = fmax(alpha, price); // prices only rise, but for rounding
        dies[weakest] = alpha;
    }
}

static Branch pruned(const Tree *tree, int i, const double *dies, double alpha)
{
    const TreeNode *node = &tree->nodes[i];
    if (is_leaf(node) || dies[i] <= alpha) return (Branch){1, impurity_of(tree, i)};
    const Branch left = pruned(tree, node->left, dies, alpha), right = pruned(tree, node->right, dies, alpha);
    return (Branch){left.leaves + right.leaves, left.impurity + right.impurity};
}

static int pruned_answer(const Tree *tree, const double *dies, double alpha, const float *row)
{
    int i = 0;
    while (!is_leaf(&tree->nodes[i]) && dies[i] > alpha) {
        const TreeNode *node = &tree->nodes[i];
        i = row[node->feature] <= node->threshold ? node->left : node->right;
    }
    return tree->nodes[i].label;
}

// The lowest cost of all trees that can be cut out of what stands below node i
static double cheapest(const Tree *tree, int i, double alpha)
{
    const TreeNode *node = &tree->nodes[i];
    const double stop = impurity_of(tree, i) + alpha;
    if (is_leaf(node)) return stop;
    return fmin(stop, cheapest(tree, node->left, alpha) + cheapest(tree, node->right, alpha));
}

/*
Which $\alpha$? Cross-validate the rows at hand, here in five parts, and take the one with the fewest mistakes; if
several have, the largest, which has the smallest tree. Between two neighbouring $\alpha$ of the path nothing changes,
so one candidate for each gap is enough.

Now, a count $w$ of $n$ rows has a standard error of about $\sqrt{w (1 - w/n)}$, so the lowest count should not be
trusted to the row. If a tree is to be *read*, Breiman advises to take the smallest whose count is within one standard
error of the lowest.
*/

enum { INNER = 5, MOST_ALPHAS = 200 };

typedef struct {
    int count;
    double alpha[MOST_ALPHAS];
    int wrong[MOST_ALPHAS]; // of the rows held out, in all parts
} Path;

static int rising(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

// 0, and the middle of each gap between two at which the tree becomes smaller
static Path path_of(Arena *arena, const Tree *tree, const double *dies)
{
    Path path = {.count = 1};
    double *sorted = arena_alloc(arena, (size_t)tree->count + 1, sizeof *sorted);
    memcpy(sorted, dies, (size_t)tree->count * sizeof *sorted);
    sorted[tree->count] = INFINITY;
    qsort(sorted, (size_t)tree->count, sizeof *sorted, rising);
    for (int i = 0; sorted[i] < INFINITY && path.count < MOST_ALPHAS; i++) {
        const double next = sorted[i + 1] < INFINITY ? sorted[i + 1] : 2.0 * sorted[i];
        if (next > sorted[i]) path.alpha[path.count++] = sqrt(sorted[i] * next);
    }
    return path;
}

static void cross_validate_path(Arena *arena, Path *path, Matrix x, const int *labels, int classes, Rng *rng)
{
    int *order = arena_alloc(arena, (size_t)x.rows, sizeof *order);
    rng_permutation(rng, order, x.rows);
    for (int part = 0; part < INNER; part++) {
        const Fold f = make_fold(arena, x, labels, classes, order, INNER, part);
        const Tree tree = library_tree(arena, f.x, f.labels, classes);
        const double *dies = prune(arena, &tree);
        for (int a = 0; a < path->count; a++)
            for (int i = 0; i < f.unseen.rows; i++)
                path->wrong[a] +=
                    pruned_answer(&tree, dies, path->alpha[a], matrix_row(f.unseen, i)) != f.truth[i];
    }
}

// The smallest tree within so many standard errors of the fewest mistakes
static int chosen(const Path *path, int rows, double errors)
{
    int fewest = rows, best = 0;
    for (int a = 0; a < path->count; a++) fewest = path->wrong[a] < fewest ? path->wrong[a] : fewest;
    const double room = errors * sqrt(fewest * (1.0 - (double)fewest / rows));
    for (int a = 0; a < path->count; a++)
        if (path->wrong[a] <= fewest + room) best = a;
    return best;
}

// "worst", and below it "concave points", of worst_concave_points
static void in_words(char *words, size_t size, const char *column)
{
    snprintf(words, size, "%s", column);
    for (char *c = words, *first = strchr(words, '_'); *c; c++)
        if (*c == '_') *c = c == first ? '\n' : ' ';
}

typedef struct {
    float x, y;
} Spot;

// Draws what stands below node i, leaves side by side from *next on, and returns where the node is.
static Spot draw_branch(Plot *plot, const Tree *tree, const double *dies, double alpha, Table table, int i,
                        int depth, int *next)
{
    const TreeNode *node = &tree->nodes[i];
    char words[128], column[64];
    Spot here = {0.0f, (float)-depth};
    if (is_leaf(node) || dies[i] <= alpha) {
        here.x = (float)(*next)++;
        snprintf(words, sizeof words, "%s\n%d of %d", table.class_names[node->label],
                 tree->class_counts[i * tree->classes + node->label], node->rows);
        plot_text(plot, (double)here.x - 0.3, (double)here.y - 0.3, words);
    } else {
        const Spot left = draw_branch(plot, tree, dies, alpha, table, node->left, depth + 1, next);
        const Spot right = draw_branch(plot, tree, dies, alpha, table, node->right, depth + 1, next);
        here.x = 0.5f * (left.x + right.x);
        plot_line(plot, NULL, (float[]){left.x, left.x, right.x, right.x},
                  (float[]){left.y, here.y, here.y, right.y}, 4);
        in_words(column, sizeof column, table.columns[node->feature]);
        snprintf(words, sizeof words, "%s\n≤ %.4g ?", column, (double)node->threshold);
        plot_text(plot, (double)here.x + 0.08, (double)here.y + 0.62, words);
    }
    plot_points(plot, NULL, &here.x, &here.y, 1);
    return here;
}

static void draw_tree(Lesson *lesson, const Tree *tree, const double *dies, double alpha, Table table)
{
    Plot *plot = plot_begin(lesson, "tree.svg", "What is left of the tree after cutting back");
    plot_axes(plot, "yes to the left, no to the right", "");
    plot_diagram(plot);
    plot_legend(plot, "none");
    int leaves = 0;
    draw_branch(plot, tree, dies, alpha, table, 0, 0, &leaves);
    plot_range_x(plot, -0.6, leaves + 0.8);
    plot_range_y(plot, -4.8, 0.8);
    plot_x_ticks(plot, (double[]){-9.0}, (const char *[]){""}, 1); // none
    plot_end(plot, "Breast cancer. Below each leaf: its answer, and how many of the rows that arrive are of "
                   "this class.");
}

static void cut_back(Lesson *lesson, const Table *tables)
{
    section(lesson, "Cutting back");
    Arena *arena = lesson_arena(lesson);
    double worst = 0.0;
    for (int t = 0; t < TABLES; t++) {
        const Table table = tables[t];
        const Tree tree = library_tree(arena, table.x, table.labels, table.classes);
        const double *dies = prune(arena, &tree);
        Path path = path_of(arena, &tree, dies);
        for (int a = 0; a < path.count; a++) {
            const Branch left = pruned(&tree, 0, dies, path.alpha[a]);
            worst = fmax(
                worst, fabs(left.impurity + path.alpha[a] * left.leaves - cheapest(&tree, 0, path.alpha[a])));
        }
        if (t != BREAST) continue;
        Rng rng = lesson_rng(lesson, 3);
        cross_validate_path(arena, &path, table.x, table.labels, table.classes, &rng);
        const int fewest = chosen(&path, table.x.rows, 0.0), drawn = chosen(&path, table.x.rows, 1.0);
        printf("%-13s%10s%12s%12s\n", table.name, "leaves", "impurity", "mistakes");
        for (int a = 0; a < path.count; a++) {
            const Branch left = pruned(&tree, 0, dies, path.alpha[a]);
            printf("α = %-9.5f%10d%12.4f%10.1f %%%s\n", path.alpha[a], left.leaves, left.impurity,
                   100.0 * path.wrong[a] / table.x.rows,
                   a == fewest  ? "  fewest"
                   : a == drawn ? "  drawn"
                                : "");
        }
        draw_tree(lesson, &tree, dies, path.alpha[drawn], table);
    }
    printf("\n");
    claim(lesson, worst <= 1e-12,
          "for each α, cutting the weakest links leaves the cheapest of all trees, on all five tables");
}

/*
The tree with the fewest mistakes has 13 leaves; it makes four mistakes fewer than the one with 7, of 569. That is
noise, and the smaller one can be read.

## Trees that fall over

A tree can be read aloud. Can it be believed? Leave out one row of twenty, drawn at random, and grow the tree again;
do this 200 times. A model that has found something in the data should hardly notice. We look only at the top of the
tree: is the first question still about the same column as with all rows? Are the first three?
*/

enum { TRIES = 200 };

static bool same_columns(const Tree *a, int i, const Tree *b, int j, int depth)
{
    const TreeNode *p = &a->nodes[i], *q = &b->nodes[j];
    if (p->feature != q->feature) return false;
    return is_leaf(p) || depth == 1 ||
           (same_columns(a, p->left, b, q->left, depth - 1) &&
            same_columns(a, p->right, b, q->right, depth - 1));
}

typedef struct {
    int first, three; // trees whose first question, first three questions are about the same columns
} Kept;

static Kept keep_questions(Lesson *lesson, Table table)
{
    const TreeOptions top = {.max_depth = 2};
    const int n = table.x.rows;
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 4);
    Kept kept = {0, 0};
    int *order = arena_alloc(arena, (size_t)n, sizeof *order);
    const TreeTable bins = tree_table_new(arena, table.x);
    const Tree *all = tree_fit(arena, &bins, table.labels, table.classes, top, NULL, 0, NULL);
    for (int try = 0; try < TRIES; try++) {
        rng_permutation(&rng, order, n);
        const Tree *tree = tree_fit(arena, &bins, table.labels, table.classes, top, order, n - n / 20, NULL);
        kept.first += same_columns(tree, 0, all, 0, 1);
        kept.three += same_columns(tree, 0, all, 0, 2);
    }
    arena_free(arena);
    printf("%-28s%18d%24d\n", table.name, kept.first, kept.three);
    return kept;
}

// The same tumours, measured neither by their perimeter nor by their area
static Table without_twins(Arena *arena, Table tumours)
{
    Table fewer = tumours;
    int count = 0;
    fewer.name = "without perimeters, areas";
    fewer.x = matrix_new(arena, tumours.x.rows, tumours.x.cols - 6); // mean, error and worst of each
    for (int j = 0; j < tumours.x.cols; j++) {
        if (strstr(tumours.columns[j], "perimeter") || strstr(tumours.columns[j], "area")) continue;
        copy_columns(fewer.x, count++, tumours.x, j, 1);
    }
    return fewer;
}

static void fall_over(Lesson *lesson, const Table *tables)
{
    section(lesson, "Trees that fall over");
    Kept kept[TABLES];
    printf("of %d trees, as many ask about the same columns as the tree of all rows\n\n", TRIES);
    printf("%-28s%18s%24s\n", "", "first question", "first three questions");
    for (int t = 0; t < TABLES; t++) kept[t] = keep_questions(lesson, tables[t]);
    const Kept fewer = keep_questions(lesson, without_twins(lesson_arena(lesson), tables[BREAST]));
    printf("\n");
    claim(lesson, kept[BREAST].first < TRIES / 2,
          "on breast cancer, most of the trees begin with another question");
    claim(lesson, fewer.first >= 2 * TRIES / 3,
          "without perimeters and areas, two thirds begin with the same");
    claim(lesson,
          kept[VOTES].first >= 0.95 * TRIES && kept[IONOSPHERE].first >= 0.95 * TRIES &&
              kept[MOONS].first >= 0.95 * TRIES,
          "on votes, ionosphere and moons the first question stays");
}

/*
Why the tumours? Radius, perimeter and area of a nucleus say nearly the same, so several questions are about equally
good, and a few rows decide between them. That is an explanation, and wants a control: without the perimeters and
areas there is one question of this kind left, and most of the trees keep it. A greedy search has to choose between
equals by a hair, and everything below depends on the choice. So do not read a tree as if its first column were the
cause.
*/

/*
## A forest

What is unstable can be averaged. A **random forest** (随机森林; Breiman 2001) grows a hundred full trees and lets them
vote. They must differ, and there are two ways to make them: each tree gets its own **bag** (自助样本), $n$ rows drawn
with replacement from the $n$ there are; and at each node only a few columns, drawn anew, may be asked about, as many
as the root of their number.

A bag leaves out $(1 - 1/n)^n \approx e^{-1} = 37\,\%$ of the rows. So each row has some 37 trees that have never seen
it, and their vote is an honest test: the **out-of-bag error** (袋外误差), for which no row must be held out.
*/

enum { TREES = 100 };

// The class with the most votes; of several, the first
static int most_votes(const float *votes, int classes)
{
    int most = 0;
    for (int k = 1; k < classes; k++) most = votes[k] > votes[most] ? k : most;
    return most;
}

static int root_of(int columns) { return (int)sqrtf((float)columns); }

// votes (m × K) for the m rows of unseen; out_of_bag (n × K) for the rows of x, from the trees that have not seen them
static void grow_forest(Arena *arena, Matrix votes, Matrix out_of_bag, Matrix unseen, Table table, Rng *rng)
{
    const int n = table.x.rows;
    const TreeTable bins = tree_table_new(arena, table.x);
    const TreeOptions options = {.features = root_of(table.x.cols)};
    int *rows = arena_alloc(arena, (size_t)n, sizeof *rows);
    bool *bagged = arena_alloc(arena, (size_t)n, sizeof *bagged);
    fill(votes, 0.0f);
    fill(out_of_bag, 0.0f);
    for (int t = 0; t < TREES; t++) {
        const ArenaMark mark = arena_mark(arena);
        memset(bagged, 0, (size_t)n * sizeof *bagged);
        for (int i = 0; i < n; i++) bagged[rows[i] = (int)rng_below(rng, (uint32_t)n)] = true;
        const Tree *tree = tree_fit(arena, &bins, table.labels, table.classes, options, rows, n, rng);
        for (int i = 0; i < unseen.rows; i++) AT(votes, i, answer(tree, matrix_row(unseen, i), n))++;
        for (int i = 0; i < n; i++)
            if (!bagged[i]) AT(out_of_bag, i, answer(tree, matrix_row(table.x, i), n))++;
        arena_rewind(arena, mark);
    }
}

/*
## Why averaging helps

Take a row that is held out, and let $v$ be 1 if a tree calls it rightly, else 0. Over all the training sets that we
might have drawn, $v$ has some variance $\sigma^2$. The trees of one forest share a training set, so they are alike:
two of them have a correlation $\rho$. The mean of $B$ such trees then has the variance

$$V(B) = \rho\,\sigma^2 + \frac{1 - \rho}{B}\,\sigma^2 .$$

The second term dies with more trees. The first remains, and is what bags and random columns are for: they make the
single tree worse, and the trees less alike.

To see this, we draw thirty training sets from two thirds of the radar echoes, each a random half of them, grow a
hundred trees on each, and look at the other third of the echoes. From the last fifty trees of each set we estimate
$\sigma^2$ and $\rho$, and predict; with the first fifty we measure. There are two controls: a hundred trees from the
same rows, without any randomness; and bags again, but of trees that may ask one question only.
*/

enum { DRAWS = 30, HALF = TREES / 2, SIZES = 6 };
static const int sizes[SIZES] = {1, 2, 5, 10, 20, HALF};

typedef struct {
    const char *name;
    bool bags, few_columns;
    int depth;                                          // 0: full
    double one, together;                               // σ², ρ σ²
    float measured[SIZES], law[SIZES], mistakes[SIZES]; // V(B) twice; percent wrong
} Kind;

// right [(draw · TREES + tree) · m + row]: whether the tree calls the row of unseen rightly
static void grow_all(bool *right, const Kind *kind, Fold f, Rng *rng)
{
    const int m = f.unseen.rows, pool = f.x.rows, half = pool / 2;
    const TreeOptions options = {.max_depth = kind->depth,
                                 .features = kind->few_columns ? root_of(f.x.cols) : 0};
    Arena *arena = arena_new();
    const TreeTable bins = tree_table_new(arena, f.x);
    int *drawn = arena_alloc(arena, (size_t)pool, sizeof *drawn),
        *rows = arena_alloc(arena, (size_t)half, sizeof *rows);
    for (int t = 0; t < DRAWS * TREES; t++) {
        const ArenaMark mark = arena_mark(arena);
        if (t % TREES == 0) rng_permutation(rng, drawn, pool);
        for (int i = 0; i < half; i++) rows[i] = drawn[kind->bags ? (int)rng_below(rng, (uint32_t)half) : i];
        const Tree *tree = tree_fit(arena, &bins, f.labels, f.classes, options, rows, half, rng);
        for (int i = 0; i < m; i++)
            right[t * m + i] = answer(tree, matrix_row(f.unseen, i), pool) == f.truth[i];
        arena_rewind(arena, mark);
    }
    arena_free(arena);
}

// The fraction of count trees of a draw, from one on, that call a row rightly
static double fraction_right(const bool *right, int m, int draw, int row, int from, int count)
{
    int total = 0;
    for (int t = from; t < from + count; t++) total += right[(draw * TREES + t) * m + row];
    return (double)total / count;
}

static void estimate(Kind *kind, const bool *right, int m)
{
    double total = 0.0, within = 0.0; // within a draw, trees differ by (1 − ρ) σ²
    for (int i = 0; i < m; i++) {
        double mean = 0.0;
        for (int d = 0; d < DRAWS; d++) {
            const double p = fraction_right(right, m, d, i, HALF, HALF);
            mean += p / DRAWS;
            within += p * (1.0 - p) * HALF / (HALF - 1) / (DRAWS * m);
        }
        total += mean * (1.0 - mean) / m;
    }
    kind->one = total, kind->together = total - within;
}

// V(B) from as many groups of B as the first fifty trees make
static void measure(Kind *kind, const bool *right, int m)
{
    for (int s = 0; s < SIZES; s++) {
        const int groups = HALF / sizes[s];
        double variance = 0.0, wrong = 0.0;
        for (int i = 0; i < groups * m; i++) {
            double mean = 0.0, square = 0.0;
            for (int d = 0; d < DRAWS; d++) {
                const double p = fraction_right(right, m, d, i / groups, i % groups * sizes[s], sizes[s]);
                mean += p / DRAWS, square += p * p / DRAWS;
                wrong += p < 0.5 ? 1.0 : p == 0.5 ? 0.5 : 0.0; // of half a vote: a coin
            }
            variance += square - mean * mean;
        }
        kind->measured[s] = (float)(variance / (groups * m));
        kind->law[s] = (float)(kind->together + (kind->one - kind->together) / sizes[s]);
        kind->mistakes[s] = (float)(100.0 * wrong / (DRAWS * groups * m));
    }
}

enum { SAME_ROWS, BAGS, FEW_COLUMNS, STUMPS, KINDS };

static void draw_variance(Lesson *lesson, const Kind *kinds)
{
    float trees[SIZES];
    for (int s = 0; s < SIZES; s++) trees[s] = (float)sizes[s];
    Plot *plot = plot_begin(lesson, "variance.svg", "How much a vote depends on the rows that were drawn");
    plot_axes(plot, "trees", "variance of the vote");
    plot_log(plot, "xy");
    for (int k = 0; k < KINDS; k++) {
        float low[SIZES], high[SIZES]; // a band as thin as a line, in the colour of its points
        for (int s = 0; s < SIZES; s++) low[s] = 0.985f * kinds[k].law[s], high[s] = 1.015f * kinds[k].law[s];
        plot_band(plot, NULL, trees, low, high, SIZES);
        plot_points(plot, kinds[k].name, trees, kinds[k].measured, SIZES);
    }
    plot_end(plot, "Ionosphere. Points: measured. Lines: the law, from other trees. What is alike in all "
                   "trees remains.");
}

static void check_averaging(Lesson *lesson, const Kind *kinds)
{
    const int last = SIZES - 1;
    bool follows = true;
    for (int k = SAME_ROWS; k <= FEW_COLUMNS; k++)
        for (int s = 0; s < SIZES; s++)
            follows = follows && fabsf(kinds[k].measured[s] / kinds[k].law[s] - 1.0f) <= 0.15f;
    const Kind *few = &kinds[FEW_COLUMNS], *bags = &kinds[BAGS], *stumps = &kinds[STUMPS];
    claim(lesson, follows, "the variance of 1 to 50 full trees follows the law, within 15 %%");
    claim(lesson, few->together / few->one < 0.5 * bags->together / bags->one && few->one > bags->one,
          "with few columns the single tree varies more, and the trees are less than half as alike");
    claim(lesson,
          few->mistakes[0] > kinds[SAME_ROWS].mistakes[0] &&
              few->mistakes[last] < 0.8f * kinds[SAME_ROWS].mistakes[0],
          "a tree of the forest is worse than a tree of all rows, and fifty of them are better by a fifth");
    claim(lesson,
          stumps->measured[last] < 0.33f * stumps->measured[0] &&
              stumps->mistakes[last] > 0.75f * stumps->mistakes[0],
          "with one question the variance falls to a third, too, but three quarters of the mistakes stay");
}

static void why_averaging(Lesson *lesson, Table table)
{
    section(lesson, "Why averaging helps");
    Kind kinds[KINDS] = {{.name = "the same rows"},
                         {.name = "bags", .bags = true},
                         {.name = "bags, few columns", .bags = true, .few_columns = true},
                         {.name = "bags, one question", .bags = true, .depth = 1}};
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 5);
    int *order = arena_alloc(arena, (size_t)table.x.rows, sizeof *order);
    rng_permutation(&rng, order, table.x.rows);
    const Fold f = make_fold(arena, table.x, table.labels, table.classes, order, 3, 0);
    const int m = f.unseen.rows;
    bool *right = arena_alloc(arena, (size_t)(DRAWS * TREES * m), sizeof *right);
    const int last = SIZES - 1;
    printf("%-20s%10s%9s%12s%26s%18s\n", "", "σ²", "ρ", "V of one", "V of 50 (by the law)",
           "mistakes: 1, 50");
    for (int k = 0; k < KINDS; k++) {
        Kind *kind = &kinds[k];
        grow_all(right, kind, f, &rng);
        estimate(kind, right, m);
        measure(kind, right, m);
        printf("%-20s%8.3f%8.3f%12.3f%16.4f (%.4f)%10.1f %%%5.1f %%\n", kind->name, kind->one,
               kind->together / kind->one, (double)kind->measured[0], (double)kind->measured[last],
               (double)kind->law[last], (double)kind->mistakes[0], (double)kind->mistakes[last]);
    }
    printf("\n");
    draw_variance(lesson, kinds);
    check_averaging(lesson, kinds);
    arena_free(arena);
}

/*
The law holds, and with it most of the story of a forest is told. One tree of it is *worse* than a tree of all rows,
because it has seen a bag and may not ask what it likes. But what makes it worse differs from tree to tree, and is
gone in the mean. So this is what randomness is good for here: not to get out of a bad place, but to be wrong
independently. And it has limits. Trees of one question vary as well, and their variance dies in the same way, yet
their mistakes stay: most of them are not variance but **bias** (偏差), and no vote among a hundred trees that cannot
ask a second question will make up for it.

## The widest margin

Now to margins, and to a weighted sum $f(x) = w \cdot x + b$ whose sign is the answer; classes are $y = \pm 1$. If
some line parts the two classes, many do. Which one is best? The one that keeps the largest distance from the nearest
rows. The distance of a row is $y f(x) / \lVert w \rVert$; as the length of $w$ is ours to choose, let the nearest
rows have $y f(x) = 1$. Then there is an empty street between $f = -1$ and $f = 1$, the **margin** (间隔), $2 / \lVert w
\rVert$ wide, and the widest margin has the shortest $w$ (Vapnik and Lerner 1963).

Real classes overlap. So a row may lie inside the margin or beyond it, and pays for it (Cortes and Vapnik 1995):

$$P(w, b) = \tfrac12 \lVert w \rVert^2 + C \sum_i \max(0,\ 1 - y_i f(x_i)) .$$

The second term is the **hinge loss** (合页损失), the first is chapter 1's ridge by another name. $P$ is convex, but has a
kink where $y f = 1$; there is no gradient at the kink, and any slope between those of the two sides will do: a
**subgradient** (次梯度). At a kink descent with a constant rate jumps to and fro for ever, so the rate has to fall.
Because of the first term $P$ curves upwards by at least 1 in every direction of $w$, and $\eta_t = 1/(t + 100)$ is
slow enough to come to rest and fast enough to arrive (Shalev-Shwartz and others 2007 do the same with one row at a
time, and call it Pegasos).
*/

// 1 for the rows of a class, −1 for all others
static float *signs_of(Arena *arena, const int *labels, int n, int class)
{
    float *y = arena_alloc(arena, (size_t)n, sizeof *y);
    for (int i = 0; i < n; i++) y[i] = labels[i] == class ? 1.0f : -1.0f;
    return y;
}

// Each column of x and unseen: minus the mean of x's, divided by its deviation; a constant column becomes 0.
static void standardise(Arena *arena, Matrix x, Matrix unseen)
{
    Matrix centre = matrix_new(arena, 1, x.cols), deviation = matrix_new(arena, 1, x.cols);
    column_means(centre, x);
    column_variances(deviation, x);
    for (int j = 0; j < x.cols; j++)
        deviation.data[j] = deviation.data[j] > 0.0f ? sqrtf(deviation.data[j]) : 1.0f;
    const Matrix both[] = {x, unseen};
    for (int k = 0; k < 2; k++) {
        subtract_row(both[k], centre);
        divide_row(both[k], deviation);
    }
}

enum { MOST_COLUMNS = 40 };

typedef struct {
    double w[MOST_COLUMNS], b;
} Line;

static double score_of(const Line *line, Matrix x, int i)
{
    double score = line->b;
    for (int j = 0; j < x.cols; j++) score += line->w[j] * (double)AT(x, i, j);
    return score;
}

static double primal(const Line *line, Matrix x, const float *y, double c)
{
    double ridge = 0.0, hinge = 0.0;
    for (int j = 0; j < x.cols; j++) ridge += 0.5 * line->w[j] * line->w[j];
    for (int i = 0; i < x.rows; i++) hinge += fmax(0.0, 1.0 - (double)y[i] * score_of(line, x, i));
    return ridge + c * hinge;
}

static void subgradient_step(Line *line, Matrix x, const float *y, double c, double rate)
{
    Line slope = *line; // the slope of ½ ‖w‖² is w
    slope.b = 0.0;
    for (int i = 0; i < x.rows; i++) {
        if ((double)y[i] * score_of(line, x, i) >= 1.0) continue; // its hinge is flat
        for (int j = 0; j < x.cols; j++) slope.w[j] -= c * (double)y[i] * (double)AT(x, i, j);
        slope.b -= c * (double)y[i];
    }
    for (int j = 0; j < x.cols; j++) line->w[j] -= rate * slope.w[j];
    line->b -= rate * slope.b;
}

/*
## From above and from below

When has descent arrived? $P$ falls, and does not say how far there is to go. For this problem a second one tells, the
**dual** (对偶). Give each row a weight $\alpha_i$ between 0 and $C$, with $\sum_i \alpha_i y_i = 0$. The hinge is
nowhere below a line through its kink that is at most as steep, $C \max(0, 1 - m) \ge \alpha (1 - m)$, so

$$P(w, b) \ge \tfrac12 \lVert w \rVert^2 + \sum_i \alpha_i (1 - y_i (w \cdot x_i + b)) .$$

The $b$ drops out, and the right side is lowest at $w = \sum_i \alpha_i y_i x_i$. What is left is a number below
*every* value of $P$:

$$D(\alpha) = \sum_i \alpha_i - \tfrac12 \sum_{i,j} \alpha_i \alpha_j\, y_i y_j\, x_i \cdot x_j \ \le\ P(w, b) .$$

Push $D$ up and $P$ down: what they differ by, the **duality gap** (对偶间隙), is the most that can still be missing. For
convex problems like this one the two meet.

How to push $D$ up? Its variables are bound together by $\sum \alpha_i y_i = 0$, so at least two must move, and two
are enough: **sequential minimal optimisation**, SMO (序列最小优化; Platt 1998). Raise $\alpha_i y_i$ and lower
$\alpha_j y_j$ by the same $\delta$. Along this line $D$ is a parabola. With
$g_k = y_k \sum_m \alpha_m y_m K_{km} - 1$, where $K_{km} = x_k \cdot x_m$, its top is at

$$\delta = \frac{(-y_i g_i) - (-y_j g_j)}{K_{ii} + K_{jj} - 2 K_{ij}} ,$$

or before, where one of the two comes to a wall, 0 or $C$. The pair to take is the one that wants it most: the largest
$-y g$ of all that can go up, and the smallest of all that can go down. When these two differ by less than a
tolerance, there is nothing left to do. $K$ is computed once and kept.
*/

// K_ij of row i of a and row j of b: their product, or, with gamma > 0, exp(−gamma · their squared distance)
static Matrix kernel_of(Arena *arena, Matrix a, Matrix b, float gamma)
{
    Matrix k = matrix_new(arena, a.rows, b.rows);
    matmul_nt(k, a, b);
    if (gamma == 0.0f) return k;
    float *squares = arena_alloc(arena, (size_t)b.rows, sizeof *squares);
    for (int j = 0; j < b.rows; j++) squares[j] = (float)sum_of_squares(matrix_rows(b, j, 1));
    for (int i = 0; i < a.rows; i++) {
        const float own = (float)sum_of_squares(matrix_rows(a, i, 1));
        for (int j = 0; j < b.rows; j++)
            AT(k, i, j) = exp32(-gamma * fmaxf(own + squares[j] - 2.0f * AT(k, i, j), 0.0f));
    }
    return k;
}

typedef struct {
    double *alpha; // [n]
    double bias, dual;
    int steps;
} Machine;

typedef struct {
    int up, down;
    double highest, lowest; // their −y g
} Worst;

static Worst worst_pair(const double *alpha, const double *g, const float *y, int n, double c)
{
    Worst w = {-1, -1, -INFINITY, INFINITY};
    for (int i = 0; i < n; i++) {
        const double wish = -(double)y[i] * g[i];
        const bool can_rise = alpha[i]<c, can_fall = alpha[i]> 0.0;
        if ((y[i] > 0.0f ? can_rise : can_fall) && wish > w.highest) w.highest = wish, w.up = i;
        if ((y[i] > 0.0f ? can_fall : can_rise) && wish < w.lowest) w.lowest = wish, w.down = i;
    }
    return w;
}

enum { MOST_STEPS = 1000000 };

// The weights of n rows from their kernel k (n × n), with y [n] = ±1
static Machine smo(Arena *arena, Matrix k, const float *y, double c, double tolerance)
{
    const int n = k.rows;
    Machine m = {.alpha = arena_zeros(arena, (size_t)n, sizeof(double))};
    double *g = arena_alloc(arena, (size_t)n, sizeof *g);
    for (int i = 0; i < n; i++) g[i] = -1.0;
    for (; m.steps < MOST_STEPS; m.steps++) {
        const Worst pair = worst_pair(m.alpha, g, y, n, c);
        const int i = pair.up, j = pair.down;
        m.bias = 0.5 * (pair.highest + pair.lowest);
        if (pair.highest - pair.lowest < tolerance) break;
        const float *row_i = matrix_row(k, i), *row_j = matrix_row(k, j);
        const double curvature = (double)row_i[i] + (double)row_j[j] - 2.0 * (double)row_i[j];
        double delta = (pair.highest - pair.lowest) / fmax(curvature, 1e-12);
        delta = fmin(delta, y[i] > 0.0f ? c - m.alpha[i] : m.alpha[i]);
        delta = fmin(delta, y[j] > 0.0f ? m.alpha[j] : c - m.alpha[j]);
        m.alpha[i] += (double)y[i] * delta;
        m.alpha[j] -= (double)y[j] * delta;
        for (int r = 0; r < n; r++) g[r] += delta * (double)y[r] * ((double)row_i[r] - (double)row_j[r]);
    }
    for (int i = 0; i < n; i++) m.dual += 0.5 * m.alpha[i] * (1.0 - g[i]);
    return m;
}

// Scores of m rows, whose kernel with the n rows seen is cross (m × n)
static void decide(Matrix scores, const Machine *machine, const float *y, Matrix cross)
{
    for (int i = 0; i < cross.rows; i++) {
        double score = machine->bias;
        for (int j = 0; j < cross.cols; j++)
            score += machine->alpha[j] * (double)y[j] * (double)AT(cross, i, j);
        scores.data[i] = (float)score;
    }
}

static int support_count(const Machine *machine, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += machine->alpha[i] > 0.0;
    return count;
}

// w = Σ αᵢ yᵢ xᵢ
static Line line_of(const Machine *machine, Matrix x, const float *y)
{
    Line line = {{0}, machine->bias};
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++) line.w[j] += machine->alpha[i] * (double)y[i] * (double)AT(x, i, j);
    return line;
}

static void above_and_below(Lesson *lesson, Table table)
{
    section(lesson, "From above and from below");
    Arena *arena = lesson_arena(lesson);
    const Matrix x = matrix_copy(arena, table.x);
    const float *y = signs_of(arena, table.labels, x.rows, 1);
    standardise(arena, x, matrix_new(arena, 0, x.cols));
    const Machine machine = smo(arena, kernel_of(arena, x, x, 0.0f), y, 1.0, 1e-6);
    Line line = {{0}, 0.0};
    double lowest = INFINITY;
    printf("%s, C = 1\n\nsteps      P, by the subgradient     above D\n", table.name);
    for (int t = 1, next = 10; t <= 10000; t++) {
        subgradient_step(&line, x, y, 1.0, 1.0 / (t + 100));
        lowest = fmin(lowest, primal(&line, x, y, 1.0));
        if (t != next) continue;
        next *= 10;
        printf("%5d%26.4f%11.3f %%\n", t, lowest, 100.0 * (lowest / machine.dual - 1.0));
    }
    const Line of_dual = line_of(&machine, x, y);
    const double own = primal(&of_dual, x, y, 1.0);
    printf("\nD after %d steps of SMO: %.4f, with %d support vectors; P of its own w: %.4f\n\n",
           machine.steps, machine.dual, support_count(&machine, x.rows), own);
    claim(lesson, lowest >= machine.dual, "no step of the subgradient falls below D");
    claim(lesson, lowest <= 1.01 * machine.dual, "and its best comes within 1 %% of it");
    claim(lesson, own >= machine.dual && own <= (1.0 + 1e-5) * machine.dual,
          "the weighted sum that SMO finds has P = D, to a hundred-thousandth");
}

/*
## Those who carry the margin

Rows with $\alpha = 0$ have no part in $w = \sum \alpha_i y_i x_i$. The others are the **support vectors** (支持向量):
those on the edges of the margin, those inside it, and those on the wrong side. If that is so, we may throw all other
rows away, learn again, and nothing must change. The control throws away a tenth of the support vectors, drawn at
random. We look at the scores of all rows, which are of the size of 1.

The library's machine chooses its pairs in a better way: not the pair that wants it most, but the one that gains most
(Fan, Chen and Lin 2005). It must find the same $D$.
*/

// The largest change of a score when the machine learns from the rows [count] alone
static float moved_by(Arena *arena, Matrix x, const float *y, float gamma, Matrix scores, const int *rows,
                      int count)
{
    Matrix kept = matrix_new(arena, count, x.cols), again = matrix_new(arena, x.rows, 1);
    float *signs = arena_alloc(arena, (size_t)count, sizeof *signs);
    gather_rows(kept, x, rows);
    for (int i = 0; i < count; i++) signs[i] = y[rows[i]];
    const Machine machine = smo(arena, kernel_of(arena, kept, kept, gamma), signs, 1.0, 1e-7);
    decide(again, &machine, signs, kernel_of(arena, x, kept, gamma));
    return largest_difference(again, scores);
}

typedef struct {
    double disagree;  // of the two D, relative
    float same, less; // scores move: without the other rows, without a tenth of the support vectors
} Carried;

static Carried who_carries(Table table, float gamma, Rng *rng)
{
    Arena *arena = arena_new();
    const Matrix x = matrix_copy(arena, table.x), scores = matrix_new(arena, x.rows, 1);
    const int n = x.rows;
    const float *y = signs_of(arena, table.labels, n, 1);
    standardise(arena, x, matrix_new(arena, 0, x.cols));
    const Matrix k = kernel_of(arena, x, x, gamma);
    const Machine machine = smo(arena, k, y, 1.0, 1e-7);
    const Svm library = svm_fit(arena, x, y, (SvmOptions){.c = 1.0f, .gamma = gamma});
    decide(scores, &machine, y, k);
    int *supports = arena_alloc(arena, (size_t)n, sizeof *supports), count = 0;
    for (int i = 0; i < n; i++)
        if (machine.alpha[i] > 0.0) supports[count++] = i;
    Carried c = {.disagree = fabs(machine.dual / library.dual - 1.0)};
    c.same = moved_by(arena, x, y, gamma, scores, supports, count);
    rng_shuffle(rng, supports, count);
    c.less = moved_by(arena, x, y, gamma, scores, supports, count - count / 10);
    printf("%-16s%-8s%8d%10.3f%10.3f%10d%8ld%12.0e%10.2f\n", table.name, gamma > 0.0f ? "RBF" : "linear",
           count, machine.dual, library.dual, machine.steps, library.iterations, (double)c.same,
           (double)c.less);
    arena_free(arena);
    return c;
}

// The x₂ of a place at x₁ where the line's score is so much
static float height_at(const Line *line, float x, double score)
{
    return (float)((score - line->b - line->w[0] * (double)x) / line->w[1]);
}

static void draw_rows(Plot *plot, const char *name, Matrix x, const float *y, float sign, const double *alpha)
{
    float across[200], up[200];
    int count = 0;
    for (int i = 0; i < x.rows; i++)
        if (alpha ? alpha[i] > 0.0 : y[i] == sign) across[count] = AT(x, i, 0), up[count++] = AT(x, i, 1);
    if (alpha) {
        plot_crosses(plot, name, across, up, count);
    } else {
        plot_points(plot, name, across, up, count);
    }
}

// The first two cultivars of wine, by two of their measurements
static void draw_margin(Lesson *lesson, Table wine)
{
    enum { ALCOHOL = 0, COLOUR = 9 }; // columns
    const float END = 4.0f;
    Arena *arena = arena_new();
    int *rows = arena_alloc(arena, (size_t)wine.x.rows, sizeof *rows),
        *labels = arena_alloc(arena, (size_t)wine.x.rows, sizeof *labels), n = 0;
    for (int i = 0; i < wine.x.rows; i++)
        if (wine.labels[i] < 2) labels[n] = wine.labels[i], rows[n++] = i;
    Matrix all = matrix_new(arena, n, wine.x.cols), x = matrix_new(arena, n, 2);
    gather_rows(all, wine.x, rows);
    copy_columns(x, 0, all, ALCOHOL, 1);
    copy_columns(x, 1, all, COLOUR, 1);
    standardise(arena, x, matrix_new(arena, 0, 2));
    const float *y = signs_of(arena, labels, n, 0);
    const Machine machine = smo(arena, kernel_of(arena, x, x, 0.0f), y, 1.0, 1e-6);
    const Line line = line_of(&machine, x, y);
    Plot *plot = plot_begin(lesson, "margin.svg", "The margin between two kinds of wine");
    plot_axes(plot, "alcohol, in deviations from the mean", "colour intensity, in deviations from the mean");
    plot_range_x(plot, -2.8, 2.8);
    plot_range_y(plot, -2.2, 3.0);
    draw_rows(plot, "support vectors", x, y, 0.0f, machine.alpha);
    draw_rows(plot, "one cultivar", x, y, 1.0f, NULL);
    draw_rows(plot, "another", x, y, -1.0f, NULL);
    const float middle[2] = {-END, END},
                ends[4] = {-END, END, END, -END}; // from one edge to the other, outside of the picture
    const float level[2] = {height_at(&line, -END, 0.0), height_at(&line, END, 0.0)};
    const float edges[4] = {height_at(&line, -END, 1.0), height_at(&line, END, 1.0),
                            height_at(&line, END, -1.0), height_at(&line, -END, -1.0)};
    plot_line(plot, "f = 0", middle, level, 2);
    plot_dashed(plot, "f = ±1", ends, edges, 4);
    plot_end(plot, "C = 1. All rows on the edges of the margin, inside it or on the wrong side are support "
                   "vectors. Without all the other rows, the margin would be where it is.");
    arena_free(arena);
}

static void who_carries_it(Lesson *lesson, const Table *tables)
{
    section(lesson, "Those who carry the margin");
    double disagree = 0.0;
    float same = 0.0f, less = INFINITY;
    Rng rng = lesson_rng(lesson, 6);
    printf("%-16s%-8s%8s%20s%18s%22s\n", "", "kernel", "support", "D: ours, library", "steps",
           "scores move by");
    for (int t = BREAST; t <= MOONS; t++)
        for (int rbf = 0; rbf < 2; rbf++) {
            const Carried c = who_carries(tables[t], rbf ? 1.0f / (float)tables[t].x.cols : 0.0f, &rng);
            disagree = fmax(disagree, c.disagree);
            same = fmaxf(same, c.same), less = fminf(less, c.less);
        }
    printf("\n");
    draw_margin(lesson, tables[WINE]);
    claim(lesson, disagree <= 1e-3,
          "both machines find the same D, to a thousandth, on four tables with two kernels");
    claim(lesson, same <= 1e-5f,
          "learned from the support vectors alone, no score moves by more than 0.00001");
    claim(lesson, less >= 1e-2f, "without a tenth of the support vectors, some score moves by at least 0.01");
}

/*
The scores move by what our tolerance leaves open, and not more. The last column is the control. Note the steps, too:
on the ionosphere our rule zigzags for 57,680 of them where the library's needs 4,310.

## A bent line

SMO has seen the rows only through the products $x_i \cdot x_j$. So we may put another function in their place, as
long as it is a product in *some* space: a **kernel** (核函数; Aizerman and others 1964, Boser, Guyon and Vapnik 1992).
The best known is the Gaussian, or RBF,

$$K(u, v) = e^{-\gamma \lVert u - v \rVert^2},$$

a product in a space of infinitely many dimensions, in which the machine's boundary is as flat as ever. Down here it
is the line where a weighted sum of hills, one on each support vector, changes its sign. $\gamma$ says how narrow the
hills are.

Two numbers must now be chosen, $C$ and $\gamma$, and both arms must be tuned alike. Cross-validation of the rows at
hand in three parts chooses $C$ among 0.01, 0.1, 1 and 10 for either; for the RBF also $\gamma$ among $\frac14$, 1, 4
and 16, divided by the number of columns. This takes thousands of machines, so from here on the library's do the work,
which are faster. With more than two classes they make a machine for each pair of classes, and let these vote.
*/

enum { MAJORITY, NEAREST, FULL_TREE, PRUNED_TREE, FOREST, LINEAR, BENT, LOGISTIC, METHODS };
static const char *const method_names[METHODS] = {
    "majority", "nearest neighbours", "full tree",   "pruned tree",
    "forest",   "linear machine",     "RBF machine", "logistic regression"};

typedef struct {
    int method;
    float c, gamma;
} Choice;

// called [rows held out]
static void fit_and_answer(Arena *arena, int *called, Fold f, Choice choice)
{
    const ArenaMark mark = arena_mark(arena);
    if (choice.method == LOGISTIC) { // the mean of the losses, so that the ridge is divided by C n
        const float decay = 1.0f / (choice.c * (float)f.x.rows);
        LogisticProblem problem = logistic_problem(arena, f.x, f.labels, f.classes, decay);
        Matrix w = matrix_new(arena, f.x.cols + 1, f.classes);
        lbfgs_minimise(arena, w, logistic_objective, &problem, (LbfgsOptions){.iterations = 50});
        logistic_predict(called, w, f.unseen);
    } else {
        const SvmOptions options = {.c = choice.c, .gamma = choice.gamma};
        const SvmClasses machines = svm_fit_classes(arena, f.x, f.labels, f.classes, options);
        svm_predict(called, &machines, f.unseen);
    }
    arena_rewind(arena, mark);
}

static int count_wrong(const int *called, Fold f)
{
    int wrong = 0;
    for (int i = 0; i < f.unseen.rows; i++) wrong += called[i] != f.truth[i];
    return wrong;
}

enum { CS = 4, GAMMAS = 4, THIRDS = 3 };

static Choice tune(Arena *arena, Fold f, int method, Rng *rng)
{
    const float cs[CS] = {0.01f, 0.1f, 1.0f, 10.0f}, times[GAMMAS] = {0.25f, 1.0f, 4.0f, 16.0f};
    int *order = arena_alloc(arena, (size_t)f.x.rows, sizeof *order);
    int *called = arena_alloc(arena, (size_t)f.x.rows, sizeof *called);
    rng_permutation(rng, order, f.x.rows);
    Fold thirds[THIRDS];
    for (int third = 0; third < THIRDS; third++)
        thirds[third] = make_fold(arena, f.x, f.labels, f.classes, order, THIRDS, third);
    Choice best = {method, 0.0f, 0.0f};
    for (int g = 0, fewest = f.x.rows + 1; g < (method == BENT ? GAMMAS : 1); g++)
        for (int c = 0; c < CS; c++) {
            const Choice choice = {method, cs[c], method == BENT ? times[g] / (float)f.x.cols : 0.0f};
            int wrong = 0;
            for (int third = 0; third < THIRDS; third++) {
                fit_and_answer(arena, called, thirds[third], choice);
                wrong += count_wrong(called, thirds[third]);
            }
            if (wrong < fewest) fewest = wrong, best = choice;
        }
    return best;
}

/*
One more opponent, the oldest of all: the **nearest neighbours** (最近邻; Fix and Hodges 1951). It learns nothing. It
looks for the $k$ rows that are nearest, and lets them vote; $k$ is chosen among 1, 3, 5, 9, 15 and 25 by leaving out
each row of those at hand.
*/

enum { MOST_NEAR = 25, KS = 6 };
static const int ks[KS] = {1, 3, 5, 9, 15, MOST_NEAR};

// called [KS]: what the k nearest rows of f.x say of a row, for each k. Row number `without` is none of them (−1: all may be).
static void ask_neighbours(int *called, Fold f, const float *row, int without)
{
    float near[MOST_NEAR], votes[MOST_CLASSES] = {0};
    int labels[MOST_NEAR], count = 0;
    for (int i = 0; i < f.x.rows; i++) {
        const float *other = matrix_row(f.x, i);
        float distance = 0.0f;
        for (int j = 0; j < f.x.cols; j++) distance += (row[j] - other[j]) * (row[j] - other[j]);
        if (i == without || (count == MOST_NEAR && distance >= near[count - 1])) continue;
        int at = count < MOST_NEAR ? count++ : count - 1;
        for (; at > 0 && near[at - 1] > distance; at--) near[at] = near[at - 1], labels[at] = labels[at - 1];
        near[at] = distance, labels[at] = f.labels[i];
    }
    for (int i = 0, k = 0; i < count; i++) {
        votes[labels[i]]++;
        if (i + 1 == ks[k]) called[k++] = most_votes(votes, f.classes);
    }
}

static int best_k(Fold f)
{
    int wrong[KS] = {0}, called[KS] = {0}, best = 0;
    for (int i = 0; i < f.x.rows; i++) {
        ask_neighbours(called, f, matrix_row(f.x, i), i);
        for (int k = 0; k < KS; k++) wrong[k] += called[k] != f.labels[i];
    }
    for (int k = 1; k < KS; k++)
        if (wrong[k] < wrong[best]) best = k;
    return best;
}

/*
All of them in one place: each learns from the rows of a fold and answers for those held out. What they choose
($\alpha$, $k$, $C$, $\gamma$), they choose from the rows at hand; a forest chooses nothing.
*/

// called [METHODS · rows held out], method after method. The columns of f are standardised on the way.
static void ask_everybody(Arena *arena, int *called, Fold f, Rng *rng)
{
    const int m = f.unseen.rows, n = f.x.rows;
    const Tree tree = library_tree(arena, f.x, f.labels, f.classes);
    const double *dies = prune(arena, &tree);
    Path path = path_of(arena, &tree, dies);
    cross_validate_path(arena, &path, f.x, f.labels, f.classes, rng);
    const double alpha = path.alpha[chosen(&path, n, 0.0)];
    const Table seen = {.x = f.x, .labels = f.labels, .classes = f.classes};
    Matrix votes = matrix_new(arena, m, f.classes), out_of_bag = matrix_new(arena, n, f.classes);
    grow_forest(arena, votes, out_of_bag, f.unseen, seen, rng);
    for (int i = 0; i < m; i++) {
        const float *row = matrix_row(f.unseen, i);
        called[MAJORITY * m + i] = tree.nodes[0].label;
        called[FULL_TREE * m + i] = answer(&tree, row, n);
        called[PRUNED_TREE * m + i] = pruned_answer(&tree, dies, alpha, row);
        called[FOREST * m + i] = most_votes(matrix_row(votes, i), f.classes);
    }
    standardise(arena, f.x, f.unseen);
    const int k = best_k(f);
    for (int i = 0; i < m; i++) {
        int each[KS] = {0};
        ask_neighbours(each, f, matrix_row(f.unseen, i), -1);
        called[NEAREST * m + i] = each[k];
    }
    for (int method = LINEAR; method < METHODS; method++) {
        const Choice choice = tune(arena, f, method, rng);
        fit_and_answer(arena, called + method * m, f, choice);
    }
}

/*
What do they make of the two moons? Each learns from all 400 rows, and then answers for every place of the picture.
*/

enum { WIDE = 150, HIGH = 120, PLACES = WIDE * HIGH, PANELS = 6 };

// The row of the table that stands at a place of the picture, and back
static void place_to_row(float *row, int place)
{
    row[0] = -2.0f + 5.0f * ((float)(place % WIDE) + 0.5f) / WIDE;
    row[1] = 2.0f - 4.0f * ((float)(place / WIDE) + 0.5f) / HIGH - 0.25f;
}

static void paint(float *picture, int across, int down, const float *colour)
{
    if (across < 0 || across >= WIDE || down < 0 || down >= HIGH) return;
    for (int c = 0; c < 3; c++) picture[3 * (down * WIDE + across) + c] = colour[c];
}

static void draw_boundaries(Lesson *lesson, Table moons)
{
    static const float light[2][3] = {{0.99f, 0.89f, 0.78f}, {0.80f, 0.90f, 0.97f}},
                       dark[2][3] = {{0.80f, 0.35f, 0.0f}, {0.0f, 0.35f, 0.65f}};
    const int order[PANELS] = {FULL_TREE, PRUNED_TREE, FOREST, NEAREST, LINEAR, BENT};
    const char *captions[PANELS];
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 7);
    const Matrix places = matrix_new(arena, PLACES, 2), pictures = matrix_new(arena, PANELS, 3 * PLACES);
    for (int i = 0; i < PLACES; i++) place_to_row(matrix_row(places, i), i);
    const Fold f = {.x = matrix_copy(arena, moons.x), .unseen = places, .labels = moons.labels, .classes = 2};
    int *called = arena_alloc(arena, (size_t)(METHODS * PLACES), sizeof *called);
    ask_everybody(arena, called, f, &rng);
    for (int p = 0; p < PANELS; p++) {
        float *picture = matrix_row(pictures, p);
        captions[p] = method_names[order[p]];
        for (int i = 0; i < PLACES; i++)
            paint(picture, i % WIDE, i / WIDE, light[called[order[p] * PLACES + i]]);
        for (int i = 0; i < moons.x.rows; i++) {
            const int across = (int)((AT(moons.x, i, 0) + 2.0f) / 5.0f * WIDE),
                      down = (int)((1.75f - AT(moons.x, i, 1)) / 4.0f * HIGH);
            for (int d = 0; d < 4; d++) paint(picture, across + d % 2, down + d / 2, dark[moons.labels[i]]);
        }
    }
    Plot *plot = plot_begin(lesson, "boundaries.png", "Two moons, six ways to part them");
    plot_images(plot, (PlotImages){HIGH, WIDE, 3, 3, 0.0f, 1.0f}, pictures, captions);
    plot_end(
        plot,
        "Trees cut along the axes, and the forest smooths their corners. The line does what a line can.");
    arena_free(arena);
}

static void a_bent_line(Lesson *lesson, Table moons)
{
    section(lesson, "A bent line");
    draw_boundaries(lesson, moons);
}

/*
The full tree has put up a strip of its own for single rows of the other kind; cutting back took the strips away. All
of them agree where the rows are many. Far from all rows nobody knows anything, and each says so in its own way.

## Who wins?

Ten parts, five cuts, eight methods, five tables. The eighth is the logistic regression of chapter 2, softmax for
three classes, with the same ridge and the same four $C$ as the linear machine: the two differ in their loss alone.
*/

typedef struct {
    double right[METHODS][SEEDS], mean[METHODS]; // percent of the rows held out
    double out_of_bag;                           // of five forests on all rows
} Result;

static void count_runs(Lesson *lesson, Table table, int (*wrong)[METHODS])
{
#pragma omp parallel for schedule(dynamic)
    for (int run = 0; run < RUNS; run++) {
        Arena *arena = arena_new();
        Rng rng = lesson_rng(lesson, 1000 + (uint64_t)run);
        const Fold f = fold_of(lesson, arena, table, run);
        int *called = arena_alloc(arena, (size_t)(METHODS * f.unseen.rows), sizeof *called);
        ask_everybody(arena, called, f, &rng);
        for (int m = 0; m < METHODS; m++) wrong[run][m] = count_wrong(called + m * f.unseen.rows, f);
        arena_free(arena);
    }
}

static double out_of_bag_right(Lesson *lesson, Table table)
{
    int right = 0;
    for (int s = 0; s < SEEDS; s++) {
        Arena *arena = arena_new();
        Rng rng = lesson_rng(lesson, 50 + (uint64_t)s);
        Matrix none = matrix_new(arena, 0, table.x.cols), votes = matrix_new(arena, 0, table.classes),
               out_of_bag = matrix_new(arena, table.x.rows, table.classes);
        grow_forest(arena, votes, out_of_bag, none, table, &rng);
        for (int i = 0; i < table.x.rows; i++)
            right += most_votes(matrix_row(out_of_bag, i), table.classes) == table.labels[i];
        arena_free(arena);
    }
    return 100.0 * right / (SEEDS * table.x.rows);
}

static Result compare(Lesson *lesson, Table table)
{
    Result result = {.out_of_bag = out_of_bag_right(lesson, table)};
    int wrong[RUNS][METHODS];
    count_runs(lesson, table, wrong);
    for (int m = 0; m < METHODS; m++)
        for (int s = 0; s < SEEDS; s++) {
            int total = 0;
            for (int part = 0; part < PARTS; part++) total += wrong[s * PARTS + part][m];
            result.right[m][s] = 100.0 - 100.0 * total / table.x.rows;
            result.mean[m] += result.right[m][s] / SEEDS;
        }
    return result;
}

static void draw_accuracy(Lesson *lesson, const Table *tables, const Result *results)
{
    double positions[TABLES];
    const char *names[TABLES];
    for (int t = 0; t < TABLES; t++) positions[t] = t, names[t] = tables[t].name;
    Plot *plot = plot_begin(lesson, "accuracy.svg", "Right answers for rows held out");
    plot_axes(plot, "", "right (%)");
    plot_x_ticks(plot, positions, names, TABLES);
    plot_range_x(plot, -0.5, TABLES - 0.5);
    plot_legend(plot, "outside");
    for (int m = NEAREST; m < METHODS; m++) {
        float x[TABLES * SEEDS], y[TABLES * SEEDS];
        for (int t = 0; t < TABLES; t++)
            for (int s = 0; s < SEEDS; s++) {
                x[t * SEEDS + s] = (float)t + 0.12f * (float)(m - NEAREST) - 0.36f;
                y[t * SEEDS + s] = (float)results[t].right[m][s];
            }
        plot_points(plot, method_names[m], x, y, TABLES * SEEDS);
    }
    plot_end(plot, "One point for each way to cut a table into ten parts.");
}

static double gain(const Result *results, int table, int hero, int other)
{
    return results[table].mean[hero] - results[table].mean[other];
}

static void check_who_wins(Lesson *lesson, const Result *results, const Table *tables)
{
    double least = 100.0;
    bool near = true;
    for (int t = 0; t < TABLES; t++) {
        const double wrong = 1.0 - results[t].mean[FOREST] / 100.0,
                     error = 100.0 * sqrt(wrong * (1.0 - wrong) / tables[t].x.rows),
                     better = gain(results, t, FOREST, FULL_TREE);
        least = better < least ? better : least;
        near = near && fabs(results[t].out_of_bag - results[t].mean[FOREST]) <= error;
    }
    claim(lesson, least >= 0.5, "the forest beats the full tree on every table, by at least half a point");
    claim(lesson,
          gain(results, VOTES, FOREST, PRUNED_TREE) <= 2.0 &&
              gain(results, MOONS, FOREST, PRUNED_TREE) <= 2.0,
          "it is no 2 points better than the pruned tree on votes and moons");
    claim(lesson,
          gain(results, WINE, FOREST, PRUNED_TREE) >= 2.0 &&
              gain(results, BREAST, FOREST, PRUNED_TREE) >= 2.0 &&
              gain(results, IONOSPHERE, FOREST, PRUNED_TREE) >= 2.0,
          "and at least 2 points better on the other three");
    claim(lesson, near,
          "the out-of-bag error is that of the cross-validation, within a standard error, on all five");
    claim(lesson, gain(results, IONOSPHERE, BENT, LINEAR) >= 3.0 && gain(results, MOONS, BENT, LINEAR) >= 3.0,
          "the RBF machine is at least 3 points better than the line on ionosphere and moons");
    claim(lesson,
          fabs(gain(results, VOTES, BENT, LINEAR)) <= 1.5 &&
              fabs(gain(results, BREAST, BENT, LINEAR)) <= 1.5 &&
              fabs(gain(results, WINE, BENT, LINEAR)) <= 1.5,
          "and within 1.5 points of it on the other three");
}

static void who_wins(Lesson *lesson, const Table *tables)
{
    section(lesson, "Who wins?");
    Result results[TABLES];
    for (int t = 0; t < TABLES; t++) results[t] = compare(lesson, tables[t]);
    printf("right %%, mean of five%4s", "");
    for (int t = 0; t < TABLES; t++) printf("%15s", tables[t].name);
    printf("\n");
    for (int m = 0; m < METHODS; m++) {
        printf("%-24s", method_names[m]);
        for (int t = 0; t < TABLES; t++) printf("%15.1f", results[t].mean[m]);
        printf("\n");
    }
    printf("%-24s", "forest, out of bag");
    for (int t = 0; t < TABLES; t++) printf("%15.1f", results[t].out_of_bag);
    printf("\n\n");
    draw_accuracy(lesson, tables, results);
    check_who_wins(lesson, results, tables);
}

/*
Read the table by columns, for there is no winner by rows. Which loss draws a line hardly matters: logistic regression
and the linear machine are within about a point of each other everywhere. Where a straight line parts the classes, as
in wine, breast cancer and votes, the bent one gains nothing that stands out from the noise of the cuts. Where it does
not, one may bend it or grow a forest, about as well. On the votes the pruned tree is as good as everything else, and
in four of five folds it is a single question (we counted). The forest needs no tuning and is nowhere bad, which is
why so many begin with it. And on the moons nobody beats the nearest neighbours, which learn nothing: two columns,
four hundred rows, and distances that mean something.

Is the bent line better only because it has two numbers to tune, and the line one? With $C = 1$ and $\gamma = 1/d$ for
both, nothing tuned, we measured differences of 2.7 points on wine, 0.3 on breast cancer, −0.5 on the votes, 5.5 on
the ionosphere and 6.9 on the moons: the same two tables stand out, and on wine the line wants its tuning.

That the moons' majority is right in less than half of the cases is no mistake: where the two classes are equally
many, holding out more rows of one makes the *other* the majority of those at hand. Every baseline has its surprises.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "03-trees-and-margins", "Trees and margins");
    Table tables[TABLES];
    five_tables(lesson, tables);
    one_question(lesson, tables);
    without_sorting(lesson, tables);
    knows_everything(lesson, tables[BREAST]);
    cut_back(lesson, tables);
    fall_over(lesson, tables);
    why_averaging(lesson, tables[IONOSPHERE]);
    above_and_below(lesson, tables[BREAST]);
    who_carries_it(lesson, tables);
    a_bent_line(lesson, tables[MOONS]);
    who_wins(lesson, tables);
    return lesson_end(lesson);
}

/*
## What to take along

- A tree is found by trying all questions; in a sorted column, or in a histogram, one walk scores them all. No
  gradient is asked for.
- A full tree knows every row that it has seen, false labels too. It is grown whole and then cut back, and for each
  price of a leaf the weakest links leave the cheapest tree.
- Greedy choices are unstable. Averaging removes what differs from tree to tree, $\frac{1-\rho}{B}\sigma^2$, and not
  what they have in common.
- Randomness does not help the forest out of a bad place. It makes its trees differ, so that there is something to
  average; each becomes worse, and together they are better.
- Averaging does not teach a tree to ask a second question: it cures variance, not bias.
- A margin is a convex problem. Descent comes from above, the dual from below, and the gap between them tells how far
  there is to go.
- Only the support vectors matter; with a kernel in the place of the product, the line bends.
- Bending pays where a line is not enough, and costs nothing where it is. Neither can be known before it is measured.

## Check yourself

**1.** A node has 40 rows of one class and 10 of another. What is its Gini impurity? A question sends 30 rows of the
first class to the left, and all others to the right. What is the mean impurity then?

<details><summary>Answer</summary>

$1 - 0.8^2 - 0.2^2 = 0.32$. Left 30 rows of one class, impurity 0; right 10 and 10, impurity 0.5. The mean, weighted
by rows, is $(30 \cdot 0 + 20 \cdot 0.5) / 50 = 0.2$.

</details>

**2.** All values of a column are replaced by their logarithms. What changes in the full tree, and what in the RBF
machine?

<details><summary>Answer</summary>

In the tree, nothing but the thresholds: its questions depend on the order of the values only, so the same rows go
left. (A row not seen can change sides if it lies between two neighbours, for the middle of the logarithms is not the
logarithm of the middle.) The machine works with distances: other kernel, other support vectors, other answers. That
is also why the machine wants standardised columns, and the tree does not care.

</details>

**3.** Thirty trees have $\sigma^2 = 0.1$ and $\rho = 0.02$, thirty others $\sigma^2 = 0.08$ and $\rho = 0.1$. Which
would you rather ask if you may ask one tree, and which if you may ask thirty?

<details><summary>Answer</summary>

One: the second, 0.08 against 0.1. Thirty: $0.002 + 0.098/30 = 0.0053$ against $0.008 + 0.072/30 = 0.0104$, so the
first. These are about the numbers of the page with few columns and with all; Figure 3.3 shows where the two cross, at
about five trees.

</details>

**4.** You see $P = 31.0$ after some descent, and $D = 30.8$ after some SMO. What do you know about the lowest $P$
there is?

<details><summary>Answer</summary>

It lies between 30.8 and 31.0, whatever the two programs did and however badly: every $P$ is above the lowest, every
$D$ below. So the descent can gain at most 0.2 more, 0.6 %. Without $D$ one could only watch $P$ become slower and
hope.

</details>

**5.** A table of 435 rows is learned with 106 support vectors. Somebody deletes 100 of the other rows by mistake.
What happens to the machine? And what to a full tree?

<details><summary>Answer</summary>

To the machine nothing: on the page no score moved by more than 0.00001 without *all* of the others (as long as the
columns are standardised as before; new means and deviations would move everything a little). The tree's counts change
at every node from the root on. It may ask other questions; on breast cancer, without a twentieth of the rows, most
trees began with another one.

</details>

## Sources

- L. Breiman, J. Friedman, R. Olshen, C. Stone, *Classification and Regression Trees*, 1984: Gini impurity, weakest
  links, the rule of one standard error.
- L. Hyafil, R. Rivest, *Constructing optimal binary decision trees is NP-complete*, 1976.
- L. Breiman, *Bagging predictors*, 1996; *Random forests*, 2001: bags, few columns, the out-of-bag error, strength
  and correlation.
- V. Vapnik, A. Lerner, *Pattern recognition using generalized portrait method*, 1963: the widest margin.
- M. Aizerman, E. Braverman, L. Rozonoer 1964; B. Boser, I. Guyon, V. Vapnik, *A training algorithm for optimal margin
  classifiers*, 1992: kernels.
- C. Cortes, V. Vapnik, *Support-vector networks*, 1995: rows that may lie inside the margin.
- J. Platt, *Fast training of support vector machines using sequential minimal optimization*, 1998; R.-E. Fan, P.-H.
  Chen, C.-J. Lin, *Working set selection using second order information for training support vector machines*, 2005.
- S. Shalev-Shwartz, Y. Singer, N. Srebro, *Pegasos: primal estimated sub-gradient solver for SVM*, 2007.
- E. Fix, J. Hodges, *Discriminatory analysis, nonparametric discrimination*, 1951: nearest neighbours.
- V. Sigillito, S. Wing, L. Hutton, K. Baker, *Classification of radar returns from the ionosphere using neural
  networks*, 1989: the echoes.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade3` tells how far you are,
`make hint3` helps.

- **TASK 3.1** how good the best threshold of a column is, by entropy, which other programs use in the place of Gini's
  impurity.
- **TASK 3.2** at which price a branch should go.
- **TASK 3.3** the out-of-bag error of a forest, from its trees' answers and bags.
- **TASK 3.4** the squared hinge, whose kink is gone, and its gradient.
- **TASK 3.5** one step of SMO for two rows.

And without a computer, or with five minutes at one:

**1.** Four rows: $(0, 0)$ and $(1, 1)$ of one class, $(0, 1)$ and $(1, 0)$ of the other. What does each first
question gain? Which tree does the program grow?

<details><summary>Answer</summary>

Nothing: each side has one row of either class, impurity 0.5 as before. A program that stops where nothing is gained
stops here, with two mistakes. Ours asks all the same, since a question need not improve anything; below it, one
question a side is enough, and the tree with four leaves is right everywhere. That is the reason for cutting back
instead of stopping early.

</details>

**2.** How many rows of $n = 4$ does a bag leave out, on average? And of $n = 1000$?

<details><summary>Answer</summary>

A row is missed by one draw with probability $1 - 1/n$, by $n$ draws with $(1 - 1/n)^n$. For 4 that is
$0.75^4 = 0.316$, so 1.27 rows; for 1000 it is 0.3677, about 368 rows, and the limit is $e^{-1} = 0.3679$.

</details>

**3.** A forest has 100 trees, each right with probability 0.6 on a row, independently of each other. How often is the
majority right? Why is no real forest so good?

<details><summary>Answer</summary>

The number of right votes has mean 60 and deviation $\sqrt{100 \cdot 0.6 \cdot 0.4} = 4.9$; more than half is missed
only two deviations below, so the majority is right in about 97.5 % of the cases. Real trees have learned from the
same table: where one is wrong, many are. That is $\rho$.

</details>

**4.** What happens to the machine when $C$ becomes very large? And when it becomes very small?

<details><summary>Answer</summary>

Very large: every row inside the margin costs more than any length of $w$, so the margin becomes narrow until it is
empty, if that is possible at all. Very small: $w$ becomes 0, the margin is wider than the table, and all that
is left is $b$. Then $\alpha_i = C$ for all rows of the rarer class, which makes $w$ nearly $C$ times a difference of
sums: the direction from one class's mean to the other's, chapter 2's baseline, if the classes are equally many.

</details>

**5.** An RBF machine has $\gamma = 10^6$ and $C = 10$. What does it say of rows that it has seen, and of others?

<details><summary>Answer</summary>

Each hill is so narrow that no row stands on another's: $K$ is the identity. Every row seen gets its own label, and
every other place gets $b$, the same answer everywhere. It has learned the table by heart, like a full tree, but
without a guess for anything else.

</details>
*/
