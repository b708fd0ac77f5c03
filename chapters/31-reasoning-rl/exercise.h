// Exercises of chapter 31, Reward and reasoning: what each task takes and gives back. Do not edit: write in
// exercise.c.
//
// P prompts, S samples (answers) of each, T tokens, V the size of the vocabulary. Whole numbers stand in matrices of
// float. What is only written (out) is overwritten, whatever it held, and is never the memory of an input.
// base/mathf.h has exp32, log32, and with all digits where x is small log1p32, log(1 + x), and expm1_32, eˣ − 1.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 31.1  How much better is an answer than the others to the same prompt? advantages (P × S) receives each
// reward minus the mean of its row; where `scaled` is 1, and not 0, this is divided by σ + epsilon. σ is the standard
// deviation of the row: the root of the mean square of those differences, a mean over all S. A row of equal rewards
// gives zeros, exactly: rounding must not leave anything, nor a division by 0 make it NaN.
// rewards (P × S), as large as ±100; S ≥ 1; epsilon ≥ 0
void group_advantages(/* out */ Matrix advantages, Matrix rewards, int scaled, float epsilon);

// TASK 31.2  The loss of the policy gradient,
//   L = −1/N · Σ_t advantage(t) · log p(t, token(t)),   p the softmax of each row of logits,
// over the N positions where mask is 1: row t gives the probabilities of token t, and token t belongs to an answer.
// d_logits (T × V) receives the gradient of L with respect to the logits. The other rows, with mask 0, are prompts
// and padding: their gradient is 0, and nothing that stands in them may matter, nor in their tokens and advantages,
// be it NaN or no token at all. N may be 0: then all is 0. Returns L.
// logits (T × V), as large as ±10 000 where mask is 1; tokens, mask, advantages (1 × T)
float policy_gradient(/* out */ Matrix d_logits, Matrix logits, Matrix tokens, Matrix mask,
                      Matrix advantages);

// TASK 31.3  Rejection sampling keeps the right answers, each once. Row i of answers holds an answer to prompt
// ⌊i / samples⌋: its first lengths(i) tokens; what stands behind them is rubbish. An answer stays if right(i) is 1 and
// no earlier answer that stays is the same answer to the same prompt: as long, and with the same tokens.
// kept (1 × n) receives the rows that stay, in ascending order, and then −1 to its end. Returns how many stay.
// answers (n × L), lengths and right (1 × n); n is a multiple of samples; each length 0 … L
int keep_right(/* out */ Matrix kept, Matrix answers, Matrix lengths, Matrix right, int samples);

// TASK 31.4  The loss of a reward model, by Bradley and Terry. Row i of pairs (m × 2) says that people preferred
// answer pairs(i, 0) to answer pairs(i, 1). The loss is the mean over the pairs of
//   −log σ(reward of the preferred − reward of the other),   σ(t) = 1 / (1 + e⁻ᵗ).
// d_rewards (1 × n) receives its gradient with respect to the rewards. An answer may be in many pairs, or in none.
// Rewards may differ by 10 000. Of a single pair, loss and gradient are right to five digits also where they are as
// small as 10⁻³⁰. Returns the loss. rewards (1 × n), m ≥ 1
float pair_loss(/* out */ Matrix d_rewards, Matrix rewards, Matrix pairs);

// TASK 31.5  The loss of GRPO for the G answers to one prompt, with the penalty for leaving a reference policy:
//   L = −1/G · Σ_i 1/n(i) · Σ_t [A(i) · now(i, t) − beta · k(i, t)],
//   k(i, t) = exp(δ) − δ − 1,   δ = reference(i, t) − now(i, t)
// Σ_t goes over the n(i) positions of row i where mask is 1: there stand the tokens of answer i, elsewhere prompt and
// padding. now and reference are the logarithms of a token's probability in the policy that learns and in the frozen
// one; A(i) is the advantage of answer i. k is never negative, and on average the Kullback–Leibler divergence of the
// two. PPO's ratio is missing: the answers are fresh, so it is 1, where ratio · A has the same gradient as A · now.
// d_now (G × T) receives the gradient of L with respect to now. It is 0 where mask is 0, and nothing that stands there
// in now and reference may matter, be it NaN. An answer without a token, n(i) = 0, adds 0, and still counts in G.
// Where A(i) is 0, the gradient is right to four digits, also where |δ| is as small as 10⁻⁶. Returns L.
// now, reference, mask (G × T), advantages (1 × G), G and T ≥ 1; where mask is 1, now and reference are −10 000 … 0
// and δ is at most 80; advantages as large as ±100; 0 ≤ beta ≤ 1
float grpo_loss(/* out */ Matrix d_now, Matrix now, Matrix reference, Matrix mask, Matrix advantages,
                float beta);
