// windows.c: a byte order mark, tabs, and lines that end as Windows ends them.
#include "exercise.h"

float regression_loss(Matrix x, Matrix w, Matrix y)
{
	double total = 0.0;
	for (int i = 0; i < x.rows; i++) {
		double error = -(double)y.data[i];
		for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
		total += error * error;
	}
	return (float)(total / 2.0 / x.rows);
}

void regression_gradient(Matrix gradient, Matrix x, Matrix w, Matrix y)
{
	double sums[MAX_FEATURES] = {0};
	for (int i = 0; i < x.rows; i++) {
		double error = -(double)y.data[i];
		for (int j = 0; j < x.cols; j++) error += (double)AT(x, i, j) * (double)w.data[j];
		for (int j = 0; j < x.cols; j++) sums[j] += error * (double)AT(x, i, j);
	}
	for (int j = 0; j < x.cols; j++) gradient.data[j] = (float)(sums[j] / x.rows);
}

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

#define LAST_LINE_WITHOUT_END \
	1