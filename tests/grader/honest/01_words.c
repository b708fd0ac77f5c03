// words.c: identifiers and comments in other languages, trigraphs in a comment, 回归.
#include "exercise.h"

// Ошибка примера, 误差, خطأ, σφάλμα: the error of one example. What??! A trigraph in a comment is nothing. 🙂
static double 误差(Matrix x, Matrix w, Matrix y, int i)
{
    double σ = -(double)y.data[i];
    for (int j = 0; j < x.cols; j++) σ += (double)AT(x, i, j) * (double)w.data[j];
    return σ;
}

/* 损失函数 ??- ??' "quotes' that do not end, and #include "nothing.h" */
float regression_loss(Matrix x, Matrix w, Matrix y)
{
    const char *größe = "каждый пример, 每个样本\n";
    double Σ = größe[0] == '\0' ? 1.0 : 0.0;
    for (int i = 0; i < x.rows; i++) Σ += 误差(x, w, y, i) * 误差(x, w, y, i);
    return (float)(Σ / (2.0 * x.rows));
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y) <%
    for (int j = 0; j < x.cols; j++) ??<
        double été = 0.0;
        for (int i = 0; i < x.rows; i++) été += (double)AT(x, i, j) * 误差(x, w, y, i);
        gradient.data<:j:> = (float)(été / x.rows);
    ??>
%>

void regression_descend(Matrix w, Matrix x, Matrix y, float rate, int steps)
{
    float values[MAX_FEATURES];
    Matrix slope = {w.rows, 1, values};
    while (steps-- > 0) {
        regression_gradient(slope, x, w, y);
        for (int j = 0; j < w.rows; j++) w.data[j] -= rate * values[j];
    }
}

void regression_ridge(Matrix w, Matrix x, Matrix y, float ridge)
{
    int d = x.cols;
    double a[MAX_FEATURES][MAX_FEATURES + 1] = {{0}};
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < d; j++)
            for (int k = 0; k <= d; k++)
                a[j][k] += (double)AT(x, i, j) * (double)(k < d ? AT(x, i, k) : y.data[i]) / x.rows;
    for (int j = 0; j < d; j++) a[j][j] += (double)ridge;
    for (int p = 0; p < d; p++) // Gauss and Jordan
        for (int j = 0; j < d; j++) {
            if (j == p) continue;
            double factor = a[j][p] / a[p][p];
            for (int k = p; k <= d; k++) a[j][k] -= factor * a[p][k];
        }
    for (int j = 0; j < d; j++) w.data[j] = (float)(a[j][d] / a[j][j]);
}
