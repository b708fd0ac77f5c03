// Reference answers to the exercises of chapter 17. Look when you have tried.
#include "exercise.h"

#include <math.h>

// TASK 17.1: −Σ t_j log p_j = log Σ e^s − Σ t_j s_j, since the t_j sum to 1
float smoothed_loss(Matrix logits, Matrix labels, float epsilon)
{
    double loss = 0.0;
    int counted = 0;
    for (int i = 0; i < logits.rows; i++) {
        if (labels.data[i] < 0.0f) continue;
        double most = -INFINITY, total = 0.0, mean_score = 0.0;
        for (int j = 0; j < logits.cols; j++) most = fmax(most, (double)AT(logits, i, j));
        for (int j = 0; j < logits.cols; j++) {
            total += exp((double)AT(logits, i, j) - most);
            mean_score += (double)AT(logits, i, j) / logits.cols;
        }
        double own = (double)AT(logits, i, (int)labels.data[i]);
        loss += most + log(total) - (1.0 - (double)epsilon) * own - (double)epsilon * mean_score;
        counted++;
    }
    return (float)(loss / counted);
}

// TASK 17.2: each pair is a hand of a clock, rotated by step times its angle
void step_position(Matrix later, Matrix now, int step)
{
    for (int c = 0; c < now.cols; c += 2) {
        double angle = step / pow(10000.0, (double)c / now.cols);
        double sine = (double)now.data[c], cosine = (double)now.data[c + 1];
        later.data[c] = (float)(sine * cos(angle) + cosine * sin(angle));
        later.data[c + 1] = (float)(cosine * cos(angle) - sine * sin(angle));
    }
}

// TASK 17.3: what is padding is left out of the maximum, of the sum and of the mean
void padded_attention(Matrix out, Matrix q, Matrix k, Matrix v, Matrix mask)
{
    for (int i = 0; i < q.rows; i++) {
        float p[MOST] = {0}, most = -INFINITY, total = 0.0f;
        for (int j = 0; j < k.rows; j++) {
            for (int c = 0; c < q.cols; c++) p[j] += AT(q, i, c) * AT(k, j, c) / sqrtf((float)q.cols);
            if (mask.data[j] > 0.0f) most = fmaxf(most, p[j]);
        }
        for (int j = 0; j < k.rows; j++) {
            p[j] = mask.data[j] > 0.0f ? expf(p[j] - most) : 0.0f;
            total += p[j];
        }
        for (int c = 0; c < v.cols; c++) {
            float sum = 0.0f;
            for (int j = 0; j < k.rows; j++)
                if (p[j] > 0.0f) sum += p[j] * AT(v, j, c);
            AT(out, i, c) = total > 0.0f ? sum / total : 0.0f;
        }
    }
}

// TASK 17.4: take the likeliest that is not taken yet; a strict comparison leaves equals in their order
int beam_step(Matrix picked, Matrix totals, Matrix steps, int width)
{
    int count = 0;
    fill(picked, -1.0f);
    for (int i = 0; i < width; i++) {
        float best = -INFINITY;
        for (int h = 0; h < steps.rows; h++)
            for (int token = 0; token < steps.cols; token++) {
                float sum = totals.data[h] + AT(steps, h, token);
                bool taken = false;
                for (int n = 0; n < i; n++)
                    if (AT(picked, n, 0) == (float)h && AT(picked, n, 1) == (float)token) taken = true;
                if (taken || !(sum > best)) continue;
                best = sum;
                AT(picked, i, 0) = (float)h;
                AT(picked, i, 1) = (float)token;
            }
        if (best > -INFINITY) count++;
    }
    return count;
}

// How often the n tokens at `gram` stand among the first count tokens of a text
static int times_in(const float *text, int count, const float *gram, int n)
{
    int times = 0;
    for (int i = 0; i + n <= count; i++) {
        bool same = true;
        for (int t = 0; t < n; t++)
            if (text[i + t] != gram[t]) same = false;
        if (same) times++;
    }
    return times;
}

// TASK 17.5: an n-gram matches as long as the candidate has had fewer of it than the reference has
float bleu(Matrix candidate, Matrix reference, int order)
{
    double product = 1.0;
    for (int n = 1; n <= order; n++) {
        int matches = 0, all = candidate.cols - n + 1;
        for (int i = 0; i < all; i++) {
            int before = times_in(candidate.data, i + n - 1, candidate.data + i, n);
            if (before < times_in(reference.data, reference.cols, candidate.data + i, n)) matches++;
        }
        if (matches == 0) return 0.0f;
        product *= (double)matches / all;
    }
    double shortness = (double)reference.cols / candidate.cols;
    double brevity = shortness > 1.0 ? exp(1.0 - shortness) : 1.0;
    return (float)(brevity * pow(product, 1.0 / order));
}
