// Trees and support vector machines against scikit-learn on tables of datasets/: the numbers of tests/reference/classical.txt.
#include "reference.h"
#include "files/csv.h"
#include "models/svm.h"
#include "models/tree.h"

typedef struct {
    const char *name, *first, *last, *class,
        *positive; // columns first … last, the class, and the one that is +1
} Table;

static const Table tables[] = {
    {"wine", "alcohol", "proline", "cultivar", "class_0"},
    {"iris", "sepal_length", "petal_width", "species", "versicolor"},
    {"breast-cancer", "mean_radius", "worst_fractal_dimension", "class", "malignant"},
    {"ionosphere", "V1", "V34", "Class", "bad"},
    {"house-votes-84", "handicapped_infants", "export_administration_act_south_africa", "party",
     "republican"},
};
enum { TABLES = sizeof tables / sizeof *tables };

typedef struct {
    Matrix x, standardised;
    int *labels, classes;
    float *y;
} Data;

// Yes is 1, no is 0, and a vote that was not given one half.
static Matrix votes(Arena *arena, Csv table)
{
    Matrix x = matrix_new(arena, table.rows, table.cols - 1);
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++) {
            const char *cell = csv_cell(table, i, j + 1);
            AT(x, i, j) = *cell == 'y' ? 1.0f : *cell == 'n' ? 0.0f : 0.5f;
        }
    return x;
}

static Data load(Arena *arena, const Table *t)
{
    char path[64], **names;
    snprintf(path, sizeof path, "datasets/%s.csv", t->name);
    const Csv table = csv_read(arena, path);
    Data d;
    d.x = strcmp(t->class, "party") == 0 ? votes(arena, table) : csv_numbers(arena, table, t->first, t->last);
    d.labels = csv_classes(arena, table, t->class, &names, &d.classes);
    d.y = arena_alloc(arena, (size_t)d.x.rows, sizeof *d.y);
    for (int i = 0; i < d.x.rows; i++) d.y[i] = strcmp(names[d.labels[i]], t->positive) ? -1.0f : 1.0f;
    d.standardised = matrix_copy(arena, d.x);
    Matrix centre = matrix_new(arena, 1, d.x.cols), deviation = matrix_new(arena, 1, d.x.cols);
    column_means(centre, d.x);
    column_variances(deviation, d.x);
    for (int j = 0; j < d.x.cols; j++)
        deviation.data[j] = deviation.data[j] > 0.0f ? sqrtf(deviation.data[j]) : 1.0f;
    subtract_row(d.standardised, centre);
    divide_row(d.standardised, deviation);
    return d;
}

static Matrix expected(const Reference *r, const Table *t, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", t->name, what);
    return given(r, name);
}

static bool has_a_bin_for_each_value(const TreeTable *table)
{
    for (int j = 0; j < table->cols; j++)
        for (int bin = 0; bin < table->bin_counts[j]; bin++)
            if (table->lowest[j * TREE_BINS + bin] != table->highest[j * TREE_BINS + bin]) return false;
    return true;
}

START_TEST(trees)
{
    Reference r = reference_open("classical");
    int exact = 0;
    for (int t = 0; t < TABLES; t++) {
        const Data d = load(r.arena, &tables[t]);
        const Matrix nodes = expected(&r, &tables[t], "tree");
        const TreeTable table = tree_table_new(r.arena, d.x);
        const Tree *tree = tree_fit(r.arena, &table, d.labels, d.classes, (TreeOptions){0}, NULL, 0, NULL);
        const int numbers[] = {0, tree->nodes[0].left, tree->nodes[0].right};
        const bool all = has_a_bin_for_each_value(&table);
        exact += all;
        // Of more values than bins, a bin holds at most a 256th of the rows, and a few more that are equal.
        const int near = all ? 0 : 2 * (1 + d.x.rows / TREE_BINS);
        for (int n = 0; n < 3; n++) {
            const TreeNode *node = &tree->nodes[numbers[n]];
            const float *e = matrix_row(nodes, n);
            if (e[0] != -1.0f && (all || n == 0))
                ck_assert_msg(node->feature == (e[0] == -2.0f ? -1 : (int)e[0]),
                              "%s, node %d: feature %d, not %g", tables[t].name, n, node->feature,
                              (double)e[0]);
            if (e[0] >= 0.0f && all)
                ck_assert_float_eq_tol(node->threshold, e[1], 2e-6f * fabsf(e[1]) + 1e-6f);
            if (e[2] != -1.0f)
                ck_assert_msg(abs(node->rows - (int)e[2]) <= near, "%s, node %d: %d rows, not %g",
                              tables[t].name, n, node->rows, (double)e[2]);
            if (e[3] != -1.0f && all) ck_assert_double_eq_tol(node->gini, (double)e[3], 1e-7);
        }
    }
    ck_assert_int_ge(exact, 3);
    reference_close(&r);
}
END_TEST

// Both stop within the same tolerance of the same optimum.
START_TEST(support_vector_machines)
{
    Reference r = reference_open("classical");
    for (int t = 0; t < 2 * TABLES; t++) {
        const Table *table = &tables[t / 2];
        const Data d = load(r.arena, table);
        const float gamma = t % 2 ? 1.0f / (float)d.x.cols : 0.0f;
        const float *e = expected(&r, table, gamma > 0.0f ? "rbf" : "linear").data;
        const Matrix decisions = expected(&r, table, gamma > 0.0f ? "rbf.decisions" : "linear.decisions");
        const Svm svm = svm_fit(r.arena, d.standardised, d.y,
                                (SvmOptions){.c = 1.0f, .gamma = gamma, .tolerance = 1e-6f});
        ck_assert_msg(fabs(svm.dual - (double)e[0]) <= 1e-5 * (double)e[0], "%s: dual %.8g, not %.8g",
                      table->name, svm.dual, (double)e[0]);
        // A weight may be 0, or be at the bound, but for rounding.
        ck_assert_msg(abs(svm.vectors.rows - (int)e[1]) <= 1 && abs(svm.at_bound - (int)e[2]) <= 1,
                      "%s: %d support vectors, %d at the bound; not %g, %g", table->name, svm.vectors.rows,
                      svm.at_bound, (double)e[1], (double)e[2]);
        ck_assert_float_eq_tol(svm.bias, e[3], 1e-3f);
        Matrix scores = matrix_new(r.arena, 10, 1);
        svm_decisions(scores, &svm, matrix_rows(d.standardised, 0, 10));
        for (int i = 0; i < 10; i++)
            ck_assert_msg(fabsf(scores.data[i] - decisions.data[i]) <= 1e-3f * (1 + fabsf(decisions.data[i])),
                          "%s, row %d: score %.7g, not %.7g", table->name, i, (double)scores.data[i],
                          (double)decisions.data[i]);
    }
    reference_close(&r);
}
END_TEST

START_TEST(votes_between_classes)
{
    Reference r = reference_open("classical");
    for (int t = 0; t < TABLES; t++) {
        const Data d = load(r.arena, &tables[t]);
        const Matrix e = expected(&r, &tables[t], "classes");
        const SvmClasses svm =
            svm_fit_classes(r.arena, d.standardised, d.labels, d.classes,
                            ((SvmOptions){.c = 1.0f, .gamma = 1.0f / (float)d.x.cols, .tolerance = 1e-6f}));
        int *predicted = arena_alloc(r.arena, (size_t)d.x.rows, sizeof *predicted), other = 0;
        svm_predict(predicted, &svm, d.standardised);
        for (int i = 0; i < d.x.rows; i++) other += predicted[i] != (int)e.data[i];
        ck_assert_msg(other == 0, "%s: %d of %d rows have another class", tables[t].name, other, d.x.rows);
        if (d.classes < 3) continue;
        const float *supports = expected(&r, &tables[t], "supports").data;
        ck_assert_int_le(abs(svm.vectors.rows - (int)supports[0]), 1);
    }
    reference_close(&r);
}
END_TEST

SUITE("reference_classical", trees, support_vector_machines, votes_between_classes)
