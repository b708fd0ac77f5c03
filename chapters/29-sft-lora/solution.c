// Reference answers to the exercises of chapter 29. Look when you have tried.
#include "exercise.h"

#include <stdint.h>

// TASK 29.1: who wrote the token of the position itself does not matter
int answer_labels(Matrix labels, Matrix ids, Matrix writer)
{
    int count = 0;
    for (int t = 0; t < ids.cols; t++) {
        bool counts = t + 1 < ids.cols && (int)writer.data[t + 1] == ASSISTANT;
        labels.data[t] = counts ? ids.data[t + 1] : (float)LABEL_IGNORED;
        if (counts) count++;
    }
    return count;
}

// TASK 29.2: r · (I + O) multiplications a row beside the I · O of x·W
void lora_forward(Matrix y, Matrix low, Matrix x, Matrix w, Matrix bias, Matrix a, Matrix b, float s)
{
    for (int t = 0; t < x.rows; t++) {
        for (int k = 0; k < a.cols; k++) {
            float sum = 0.0f;
            for (int i = 0; i < x.cols; i++) sum += AT(x, t, i) * AT(a, i, k);
            AT(low, t, k) = sum;
        }
        for (int o = 0; o < w.cols; o++) {
            float frozen = bias.data[o], learnt = 0.0f;
            for (int i = 0; i < x.cols; i++) frozen += AT(x, t, i) * AT(w, i, o);
            for (int k = 0; k < b.rows; k++) learnt += AT(low, t, k) * AT(b, k, o);
            AT(y, t, o) = frozen + s * learnt;
        }
    }
}

// TASK 29.3: what comes back to low goes on to A and to x
void lora_backward(Matrix d_x, Matrix d_a, Matrix d_b, Matrix d_y, Matrix x, Matrix low, Matrix w, Matrix a,
                   Matrix b, float s)
{
    for (int t = 0; t < x.rows; t++) {
        float d_low[MOST_RANK] = {0};
        for (int k = 0; k < b.rows; k++)
            for (int o = 0; o < b.cols; o++) {
                d_low[k] += s * AT(d_y, t, o) * AT(b, k, o);
                AT(d_b, k, o) += s * AT(low, t, k) * AT(d_y, t, o);
            }
        for (int i = 0; i < x.cols; i++) {
            float sum = 0.0f;
            for (int o = 0; o < w.cols; o++) sum += AT(d_y, t, o) * AT(w, i, o);
            for (int k = 0; k < a.cols; k++) sum += d_low[k] * AT(a, i, k);
            AT(d_x, t, i) = sum;
            for (int k = 0; k < a.cols; k++) AT(d_a, i, k) += AT(x, t, i) * d_low[k];
        }
    }
}

// TASK 29.4
void lora_merge(Matrix w, Matrix a, Matrix b, float s)
{
    for (int i = 0; i < w.rows; i++)
        for (int o = 0; o < w.cols; o++) {
            float sum = 0.0f;
            for (int k = 0; k < b.rows; k++) sum += AT(a, i, k) * AT(b, k, o);
            AT(w, i, o) += s * sum;
        }
}

// TASK 29.5: from the end on, and wherever an exchange begins, all behind it would do
int messages_to_keep(Matrix kept, Matrix tokens, Matrix roles, int context, int room)
{
    int n = tokens.cols, first = n;
    int64_t total = 0, stays = -1;
    for (int i = 0; i < n; i++)
        if ((int)roles.data[i] == SYSTEM) total += (int64_t)tokens.data[i];
    for (int i = n - 1; i >= 0 && (int)roles.data[i] != SYSTEM; i--) {
        total += (int64_t)tokens.data[i];
        if (total + room > context) break;
        if ((int)roles.data[i] == USER) first = i, stays = total;
    }
    for (int i = 0; i < n; i++)
        kept.data[i] = first < n && ((int)roles.data[i] == SYSTEM || i >= first) ? 1.0f : 0.0f;
    return (int)stays;
}
