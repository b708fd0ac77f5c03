// Reference answers to the exercises of chapter 31. Look when you have tried.
#include "exercise.h"
#include "base/mathf.h"

#include <math.h>

// TASK 31.1: counted from the first reward, equal rewards are all 0, and so is their mean
void group_advantages(Matrix advantages, Matrix rewards, int scaled, float epsilon)
{
    for (int p = 0; p < rewards.rows; p++) {
        float first = AT(rewards, p, 0), average = 0.0f, square = 0.0f;
        for (int s = 0; s < rewards.cols; s++) average += (AT(rewards, p, s) - first) / (float)rewards.cols;
        for (int s = 0; s < rewards.cols; s++) {
            float difference = AT(rewards, p, s) - first - average;
            AT(advantages, p, s) = difference;
            square += difference * difference / (float)rewards.cols;
        }
        if (scaled == 0 || square == 0.0f) continue;
        for (int s = 0; s < rewards.cols; s++) AT(advantages, p, s) /= sqrtf(square) + epsilon;
    }
}

// The softmax of a row; returns the logarithm of the probability of a token.
static float probabilities(Matrix out, Matrix logits, int token)
{
    float most = largest(logits), total = 0.0f;
    for (int v = 0; v < logits.cols; v++) total += out.data[v] = exp32(logits.data[v] - most);
    for (int v = 0; v < logits.cols; v++) out.data[v] /= total;
    return logits.data[token] - most - log32(total);
}

// TASK 31.2: of each row p, 1 less at the token, times advantage / N
float policy_gradient(Matrix d_logits, Matrix logits, Matrix tokens, Matrix mask, Matrix advantages)
{
    float count = (float)sum(mask), loss = 0.0f;
    fill(d_logits, 0.0f);
    for (int t = 0; t < logits.rows; t++) {
        if (mask.data[t] == 0.0f) continue;
        int token = (int)tokens.data[t];
        float weight = advantages.data[t] / count;
        Matrix row = matrix_rows(d_logits, t, 1);
        loss -= weight * probabilities(row, matrix_rows(logits, t, 1), token);
        row.data[token] -= 1.0f;
        scale(row, weight);
    }
    return loss;
}

static bool same_answer(Matrix answers, Matrix lengths, int i, int j)
{
    if (lengths.data[i] != lengths.data[j]) return false;
    for (int t = 0; t < (int)lengths.data[i]; t++)
        if (AT(answers, i, t) != AT(answers, j, t)) return false;
    return true;
}

// TASK 31.3: row i / samples * samples is the first of the same prompt
int keep_right(Matrix kept, Matrix answers, Matrix lengths, Matrix right, int samples)
{
    int count = 0;
    fill(kept, -1.0f);
    for (int i = 0; i < answers.rows; i++) {
        bool stays = right.data[i] != 0.0f;
        for (int j = i / samples * samples; j < i; j++)
            if (right.data[j] != 0.0f && same_answer(answers, lengths, i, j)) stays = false;
        if (stays) kept.data[count++] = (float)i;
    }
    return count;
}

// TASK 31.4: −log σ(t) = log(1 + e⁻ᵗ), whose derivative is −σ(−t); base/mathf.h has both without an overflow
float pair_loss(Matrix d_rewards, Matrix rewards, Matrix pairs)
{
    float loss = 0.0f, count = (float)pairs.rows;
    fill(d_rewards, 0.0f);
    for (int i = 0; i < pairs.rows; i++) {
        int preferred = (int)AT(pairs, i, 0), other = (int)AT(pairs, i, 1);
        float missing = rewards.data[other] - rewards.data[preferred];
        loss += softplus32(missing) / count;
        d_rewards.data[preferred] -= sigmoid32(missing) / count;
        d_rewards.data[other] += sigmoid32(missing) / count;
    }
    return loss;
}

// TASK 31.5: the derivative of k with respect to now is 1 − exp(δ), which is −slope
float grpo_loss(Matrix d_now, Matrix now, Matrix reference, Matrix mask, Matrix advantages, float beta)
{
    float loss = 0.0f;
    fill(d_now, 0.0f);
    for (int i = 0; i < now.rows; i++) {
        float share = (float)now.rows * (float)sum(matrix_rows(mask, i, 1)), advantage = advantages.data[i];
        for (int t = 0; t < now.cols; t++) {
            if (AT(mask, i, t) == 0.0f) continue;
            float delta = AT(reference, i, t) - AT(now, i, t), slope = expm1_32(delta);
            loss -= (advantage * AT(now, i, t) - beta * (slope - delta)) / share;
            AT(d_now, i, t) = -(advantage + beta * slope) / share;
        }
    }
    return loss;
}
