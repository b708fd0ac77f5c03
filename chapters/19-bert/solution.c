// Reference answers to the exercises of chapter 19. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 19.1: the label is the word that was there, whatever is seen in its place
int hide_words(Matrix seen, Matrix labels, Matrix ids, Matrix draws, float rate, int first, int vocabulary)
{
    int chosen = 0;
    for (int t = 0; t < ids.cols; t++) {
        float id = AT(ids, 0, t), how = AT(draws, t, 1);
        AT(seen, 0, t) = id;
        AT(labels, 0, t) = -1.0f;
        if (id < (float)first || AT(draws, t, 0) >= rate) continue;
        AT(labels, 0, t) = id;
        chosen++;
        if (how < 0.8f)
            AT(seen, 0, t) = 1.0f;
        else if (how < 0.9f)
            AT(seen, 0, t) = (float)first + floorf(AT(draws, t, 2) * (float)(vocabulary - first));
    }
    return chosen;
}

// TASK 19.2: the gradient of a row that counts is (p − 1 at the label) / how many count
float hidden_loss(Matrix d_logits, Matrix logits, Matrix labels)
{
    int counted = 0;
    double loss = 0.0;
    for (int i = 0; i < logits.rows; i++) counted += AT(labels, i, 0) >= 0.0f;
    for (int i = 0; i < logits.rows; i++) {
        int label = (int)AT(labels, i, 0);
        double most = -INFINITY, sum = 0.0;
        for (int v = 0; v < logits.cols; v++) most = fmax(most, (double)AT(logits, i, v));
        for (int v = 0; v < logits.cols; v++) sum += exp((double)AT(logits, i, v) - most);
        for (int v = 0; v < logits.cols; v++) {
            double p = exp((double)AT(logits, i, v) - most) / sum;
            AT(d_logits, i, v) = label < 0 ? 0.0f : (float)((p - (v == label)) / counted);
        }
        if (label >= 0) loss += (most + log(sum) - (double)AT(logits, i, label)) / counted;
    }
    return (float)loss;
}

// TASK 19.3: length − 1 positions count, from the second on
void mean_of_words(Matrix out, Matrix states, Matrix lengths)
{
    int time = states.rows / out.rows;
    for (int b = 0; b < out.rows; b++) {
        int length = (int)AT(lengths, b, 0);
        for (int c = 0; c < out.cols; c++) {
            float sum = 0.0f;
            for (int t = 1; t < length; t++) sum += AT(states, b * time + t, c);
            AT(out, b, c) = length > 1 ? sum / (float)(length - 1) : 0.0f;
        }
    }
}

// TASK 19.4: a class counts as much as any other, however rare it is
float mean_f1(Matrix truth, Matrix called, int classes)
{
    float total = 0.0f;
    int occurring = 0;
    for (int k = 0; k < classes; k++) {
        int right = 0, all = 0;
        for (int i = 0; i < truth.rows; i++) {
            int is = (int)AT(truth, i, 0) == k, said = (int)AT(called, i, 0) == k;
            right += is && said;
            all += is + said;
        }
        if (all == 0) continue;
        total += 2.0f * (float)right / (float)all;
        occurring++;
    }
    return total / (float)occurring;
}

// Whether a name begins at word t
static int begins(Matrix tags, int t)
{
    int tag = (int)AT(tags, 0, t), before = t > 0 ? (int)AT(tags, 0, t - 1) : 0;
    if (tag == 0) return 0;
    return tag % 2 == 1 || (before != tag && before != tag - 1);
}

// The word behind the name that begins at t
static int end_of(Matrix tags, int t)
{
    int type = ((int)AT(tags, 0, t) + 1) / 2, end = t + 1;
    while (end < tags.cols && (int)AT(tags, 0, end) == 2 * type) end++;
    return end;
}

// TASK 19.5: both names must begin, and end, at the same word
float span_f1(Matrix truth, Matrix called)
{
    int right = 0, all = 0;
    for (int t = 0; t < truth.cols; t++) {
        int is = begins(truth, t), said = begins(called, t);
        all += is + said;
        if (is && said && ((int)AT(truth, 0, t) + 1) / 2 == ((int)AT(called, 0, t) + 1) / 2)
            right += end_of(truth, t) == end_of(called, t);
    }
    return all > 0 ? 2.0f * (float)right / (float)all : 0.0f;
}
