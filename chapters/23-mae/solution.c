// Reference answers to the exercises of chapter 23. Look when you have tried.
#include "exercise.h"

// TASK 23.1: the rank of a patch is the number of those that come before it
void least_noise(Matrix seen, Matrix noise)
{
    for (int b = 0; b < noise.rows; b++)
        for (int p = 0; p < noise.cols; p++) {
            int rank = 0;
            for (int q = 0; q < noise.cols; q++)
                rank += AT(noise, b, q) < AT(noise, b, p) || (AT(noise, b, q) == AT(noise, b, p) && q < p);
            if (rank < seen.cols) AT(seen, b, rank) = (float)p;
        }
}

// TASK 23.2
void way_back(Matrix source, Matrix seen)
{
    fill(source, (float)(seen.rows * seen.cols));
    for (int b = 0; b < seen.rows; b++)
        for (int k = 0; k < seen.cols; k++) AT(source, b, (int)AT(seen, b, k)) = (float)(b * seen.cols + k);
}

// TASK 23.3: a row that was copied often receives the sum
void table_gradient(Matrix d_table, Matrix d_input, Matrix source)
{
    fill(d_table, 0.0f);
    for (int i = 0; i < d_input.rows; i++) {
        int row = (int)source.data[i];
        for (int c = 0; c < d_input.cols; c++) AT(d_table, row, c) += AT(d_input, i, c);
    }
}

// TASK 23.4
float loss_of_masked(Matrix d_prediction, Matrix prediction, Matrix target, Matrix source, int tokens)
{
    int masked = 0;
    double sum_of_errors = 0.0;
    for (int i = 0; i < prediction.rows; i++) masked += (int)source.data[i] == tokens;
    fill(d_prediction, 0.0f);
    if (masked == 0) return 0.0f;
    float numbers = (float)masked * (float)prediction.cols;
    for (int i = 0; i < prediction.rows; i++) {
        if ((int)source.data[i] != tokens) continue;
        for (int c = 0; c < prediction.cols; c++) {
            float error = AT(prediction, i, c) - AT(target, i, c);
            sum_of_errors += (double)error * (double)error;
            AT(d_prediction, i, c) = 2.0f * error / numbers;
        }
    }
    return (float)(sum_of_errors / (double)numbers);
}

// TASK 23.5
float cost_of_seeing_all(int patches, int visible, int width, int hidden)
{
    float each = 4.0f * (float)width * (float)width + 2.0f * (float)width * (float)hidden;
    float all = (float)patches * (each + 2.0f * (float)patches * (float)width);
    float some = (float)visible * (each + 2.0f * (float)visible * (float)width);
    return all / some;
}
