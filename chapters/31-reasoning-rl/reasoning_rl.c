/*
# Reward and reasoning

Until now somebody always knew the answer: each example came with its label. But for many questions it is easier to
*check* an answer than to write one. A proof, a program that must pass its tests, a sum: whoever can check can say
"right" or "wrong" to whatever a model has tried, and needs no labels any more. How does a model learn from a single
word?

Two ways are in use. Keep what was right, and train on it: **rejection sampling** (拒绝采样). Or make what was right
likelier and what was wrong less likely: **policy gradient** (策略梯度), in the form called GRPO. We do both with a
GPT so small that each experiment takes seconds, on a task where every answer can be checked. Then we reward the wrong
thing, on purpose, and watch.

You need the decoder of chapter 20.
*/

#include "base/mathf.h"
#include "learning/ops/likelihood.h"
#include "learning/ops/shape.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/gpt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
## A task that can be checked

`57+68=125$`: two numbers below a hundred, their sum with three digits, and an end. A token is a character. There are
10 000 such problems. A thousand are for testing: no model is ever trained on them or on their mirrors (68+57), and
none is a prompt for sampling. Three hundred others have labels. For the rest we have a checker, and nothing else.
*/

enum { PLUS = 10, EQUALS, END, DOT, VOCABULARY }; // and the digits 0 … 9
enum {
    PROMPT = 6, // tokens, up to the =
    ANSWER = 4, // with the end
    THOUGHT = 4,
    MOST = PROMPT + THOUGHT + ANSWER,
    NUMBERS = 100,
    PROBLEMS = NUMBERS * NUMBERS, // problem p is p / 100 + p % 100
    TEST = 1000,
    LABELLED = 300,
};

typedef struct {
    int test[TEST], labelled[LABELLED], fresh[PROBLEMS], fresh_count;
} Problems;

static int sum_of(int problem) { return problem / NUMBERS + problem % NUMBERS; }
static int mirror_of(int problem) { return problem % NUMBERS * NUMBERS + problem / NUMBERS; }

static Problems *split_problems(Arena *arena, Rng *rng)
{
    Problems *p = arena_zeros(arena, 1, sizeof *p);
    int order[PROBLEMS], labelled = 0;
    bool tested[PROBLEMS] = {false};
    rng_permutation(rng, order, PROBLEMS);
    for (int i = 0; i < TEST; i++) {
        p->test[i] = order[i];
        tested[order[i]] = tested[mirror_of(order[i])] = true;
    }
    for (int i = TEST; i < PROBLEMS; i++) {
        if (tested[order[i]]) continue;
        if (labelled < LABELLED)
            p->labelled[labelled++] = order[i];
        else
            p->fresh[p->fresh_count++] = order[i];
    }
    return p;
}

// Problems outside of the test that are in it, as they are or mirrored
static int count_leaks(const Problems *p)
{
    bool tested[PROBLEMS] = {false};
    int count = 0;
    for (int i = 0; i < TEST; i++) tested[p->test[i]] = tested[mirror_of(p->test[i])] = true;
    for (int i = 0; i < LABELLED; i++) count += tested[p->labelled[i]];
    for (int i = 0; i < p->fresh_count; i++) count += tested[p->fresh[i]];
    return count;
}

static void write_prompt(int *ids, int problem)
{
    const int a = problem / NUMBERS, b = problem % NUMBERS;
    const int prompt[PROMPT] = {a / 10, a % 10, PLUS, b / 10, b % 10, EQUALS};
    memcpy(ids, prompt, sizeof prompt);
}

// ids [ANSWER]
static void write_answer(int *ids, int sum)
{
    const int answer[ANSWER] = {sum / 100, sum / 10 % 10, sum % 10, END};
    memcpy(ids, answer, sizeof answer);
}

// The number that an answer says, −1 when it is none
static int read_answer(const int *ids)
{
    if (ids[0] >= PLUS || ids[1] >= PLUS || ids[2] >= PLUS || ids[3] != END) return -1;
    return 100 * ids[0] + 10 * ids[1] + ids[2];
}

/*
The **policy** (策略) is what reinforcement learning calls a model that acts. Ours is the decoder of chapter 20 with
two blocks of width 64, learned positions, one table for both ends, and the small start of GPT-2, deviation 0.02.
(With the larger start of chapter 20, a network of three layers had 400 labelled problems by heart after 500 steps,
and 9 % of the test problems right. Measured apart.)

What it costs is counted in positions: one forward through the network is 1, and a backward 2, since it does two
products for each of the forward's.
*/

enum { BLOCK = 512 }; // sequences that are sampled side by side

typedef struct {
    Parameters parameters;
    Gpt gpt;
    Optimiser adam;
    GptCache *cache;
    int thought; // tokens between the = and the answer
    double work; // positions
} Policy;

static int length_of(const Policy *p) { return PROMPT + p->thought + ANSWER; }

static Policy *policy_new(Arena *arena, int thought, Rng *rng)
{
    Policy *p = arena_zeros(arena, 1, sizeof *p);
    p->parameters = parameters_new(arena);
    p->gpt = gpt_new(&p->parameters,
                     ((GptConfig){.vocabulary = VOCABULARY,
                                  .context = MOST,
                                  .layers = 2,
                                  .heads = 4,
                                  .width = 64,
                                  .tied = true,
                                  .embedding_deviation = 0.02f,
                                  .deviation = 0.02f}),
                     rng);
    p->thought = thought;
    p->cache = gpt_cache_new(arena, &p->gpt, BLOCK, length_of(p));
    p->adam = adamw_new(arena, &p->parameters, 0.9f, 0.99f, 1e-8f, 0.1f);
    return p;
}

// The same weights, a new optimiser, nothing spent yet
static Policy *policy_copy(Arena *arena, const Policy *of, float weight_decay)
{
    Policy *p = policy_new(arena, of->thought, NULL);
    parameters_copy(&p->parameters, &of->parameters);
    p->adam = adamw_new(arena, &p->parameters, 0.9f, 0.99f, 1e-8f, weight_decay);
    return p;
}

/*
To answer, it reads the prompt and draws token by token, 512 problems at once; with temperature 0 it takes the
likeliest token, which is **greedy decoding** (贪心解码), with temperature 1 it draws as its probabilities say.
*/

// `each` answers to each problem, one after the other. rows [count · each · length]
static void write_rows(Policy *p, const int *problems, int count, int each, float temperature, int *rows,
                       Rng *rng)
{
    const int length = length_of(p), all = count * each;
    int fed[BLOCK * PROMPT];
    for (int first = 0; first < all; first += BLOCK) {
        const int here = int_min(BLOCK, all - first); // the rest of the cache repeats the last
        for (int b = 0; b < BLOCK; b++) {
            write_prompt(fed + b * PROMPT, problems[(first + int_min(b, here - 1)) / each]);
            if (b < here) memcpy(rows + (first + b) * length, fed + b * PROMPT, PROMPT * sizeof *fed);
        }
        gpt_cache_clear(p->cache);
        for (int t = PROMPT; t < length; t++) {
            const Matrix logits = gpt_step(&p->gpt, p->cache, fed, t == PROMPT ? PROMPT : 1);
            for (int b = 0; b < here; b++)
                fed[b] = rows[(first + b) * length + t] =
                    sample_token(matrix_rows(logits, b, 1), (Sampling){.temperature = temperature}, rng);
            for (int b = here; b < BLOCK; b++) fed[b] = fed[here - 1];
        }
    }
}

static bool is_right(const Policy *p, const int *row, int problem)
{
    return read_answer(row + PROMPT + p->thought) == sum_of(problem);
}

// The fraction of the test problems whose answer is right
static double test_accuracy(Policy *p, const Problems *problems, float temperature, Rng *rng)
{
    static int rows[TEST * MOST];
    int right = 0;
    write_rows(p, problems->test, TEST, 1, temperature, rows, rng);
    for (int i = 0; i < TEST; i++) right += is_right(p, rows + i * length_of(p), problems->test[i]);
    return (double)right / TEST;
}

/*
A learning step takes rows, each with a weight, and lowers the cross entropy of the answers' tokens, weighted:

$$-\frac1n \sum_{i} w_i \sum_{t \in \text{answer}} \log \pi(y_{i,t} \mid y_{i,<t}) .$$

The prompt's own tokens are no one's doing and are ignored. With all weights 1 this is **supervised fine-tuning**
(监督微调, SFT). Everything else in this chapter is a choice of rows and of weights.
*/

// weights NULL: all 1
static double learn(Policy *p, Tape *tape, const int *rows, const float *weights, int count, float rate)
{
    const int length = length_of(p), time = length - 1;
    tape_reset(tape);
    Arena *arena = tape_arena(tape);
    int *ids = arena_alloc(arena, (size_t)(count * time), sizeof *ids),
        *labels = arena_alloc(arena, (size_t)(count * time), sizeof *labels);
    float *row_weights = arena_alloc(arena, (size_t)(count * time), sizeof *row_weights);
    for (int i = 0; i < count * time; i++) {
        const int *token = rows + i / time * length + i % time;
        ids[i] = token[0];
        labels[i] = i % time < PROMPT - 1 ? LABEL_IGNORED : token[1];
        row_weights[i] = weights ? weights[i / time] : 1.0f;
    }
    Tensor *loss = cross_entropy_weighted(gpt_logits(&p->gpt, tape, ids, count, time), labels, row_weights);
    backward(loss);
    clip_gradients(&p->parameters, 1.0f);
    optimiser_step(&p->adam, rate);
    p->work += 3.0 * count * time;
    return (double)loss->value.data[0];
}

/*
We train on the three hundred in batches of 64, with the rate 0.004 on half a cosine, and look at the test problems
every 50 steps.
*/

enum { BATCH = 64, POOL = 8192, LOOKS = 64, SFT_STEPS = 500, EARLY = 150, MORE = 200 };
static const float RATE = 4e-3f;

typedef struct {
    int *rows, count; // answers that are trained on
} Pool;

typedef struct {
    float work[LOOKS], accuracy[LOOKS]; // thousands of positions; greedy, test
    int count;
} Curve;

static Pool pool_new(Arena *arena) { return (Pool){arena_alloc(arena, POOL * MOST, sizeof(int)), 0}; }

static void pool_add(Pool *pool, const int *row, int length)
{
    check(pool->count < POOL, "make POOL larger", "a pool of %d rows is full", POOL);
    memcpy(pool->rows + pool->count++ * length, row, (size_t)length * sizeof *row);
}

// Adds problems with their true answers
static void pool_label(Pool *pool, const int *problems, int count)
{
    for (int i = 0; i < count; i++) {
        int row[PROMPT + ANSWER];
        write_prompt(row, problems[i]);
        write_answer(row + PROMPT, sum_of(problems[i]));
        pool_add(pool, row, PROMPT + ANSWER);
    }
}

static void look(Curve *curve, Policy *p, const Problems *problems)
{
    check(curve->count < LOOKS, "look less often", "%d looks", LOOKS);
    curve->work[curve->count] = (float)(p->work / 1000.0);
    curve->accuracy[curve->count++] = (float)test_accuracy(p, problems, 0.0f, NULL);
}

typedef struct {
    const char *name;
    int first, steps, planned; // steps first … steps − 1 of a schedule
    float rate;
} Run;

// curve may be NULL
static void fine_tune(Lesson *lesson, Policy *p, const Pool *pool, Run run, Rng *rng, Curve *curve,
                      const Problems *problems)
{
    const int length = length_of(p);
    int order[POOL], at = pool->count, batch[BATCH * MOST];
    Tape *tape = tape_new();
    for (int step = run.first; step < run.steps; step++) {
        for (int b = 0; b < BATCH; b++) {
            if (at == pool->count) rng_permutation(rng, order, pool->count), at = 0;
            memcpy(batch + b * length, pool->rows + order[at++] * length, (size_t)length * sizeof *batch);
        }
        const double loss =
            learn(p, tape, batch, NULL, BATCH, cosine_schedule(run.rate, step, 10, run.planned));
        if (curve && (step + 1) % 50 == 0) look(curve, p, problems);
        lesson_progress(lesson, run.name, step + 1 - run.first, run.steps - run.first, loss);
    }
    tape_free(tape);
}

typedef struct {
    Problems *problems;
    Pool labelled;
    Policy *sft, *early;                                        // after all steps, and after EARLY of them
    double accuracy, early_accuracy, control[2], rft, rft_work; // control: by rate
    Curve sft_curve, control_curves[2], rft_curves[2], grpo_curve;
} Course;

static void train_first(Lesson *lesson, Course *c)
{
    section(lesson, "A task that can be checked");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 1), weights = lesson_rng(lesson, 2), order = lesson_rng(lesson, 3),
        draws = lesson_rng(lesson, 4);
    c->problems = split_problems(arena, &rng);
    c->labelled = pool_new(arena);
    pool_label(&c->labelled, c->problems->labelled, LABELLED);
    const int leaks = count_leaks(c->problems);
    c->sft = policy_new(arena, 0, &weights);
    fine_tune(lesson, c->sft, &c->labelled, (Run){"SFT", 0, EARLY, SFT_STEPS, RATE}, &order, &c->sft_curve,
              c->problems);
    c->early = policy_copy(arena, c->sft, 0.1f);
    fine_tune(lesson, c->sft, &c->labelled, (Run){"SFT", EARLY, SFT_STEPS, SFT_STEPS, RATE}, &order,
              &c->sft_curve, c->problems);
    const Curve *curve = &c->sft_curve;
    printf("%zu parameters; %d problems to test, %d with labels, %d with a checker only\n\n",
           parameters_size(&c->sft->parameters), TEST, LABELLED, c->problems->fresh_count);
    printf("step      ");
    for (int i = 0; i < curve->count; i++) printf("%6d", 50 * (i + 1));
    printf("\naccuracy  ");
    for (int i = 0; i < curve->count; i++) printf("%6.3f", (double)curve->accuracy[i]);
    c->accuracy = (double)curve->accuracy[curve->count - 1];
    c->early_accuracy = (double)curve->accuracy[EARLY / 50 - 1];
    printf("\n\nwith temperature 1 it is right in %.3f\n\n",
           test_accuracy(c->sft, c->problems, 1.0f, &draws));
    claim(lesson, leaks == 0, "no test problem and no mirror of one is among the others");
    claim(lesson, fabs(c->accuracy - (double)curve->accuracy[curve->count - 3]) <= 0.05,
          "SFT has levelled off: its last 100 steps move the accuracy by at most 5 points");
}

/*
A thousand test problems know an accuracy to ± 3 points. The curve is a jump, and then a shelf. Are three hundred
labels used up?

## Keep what was right

**Rejection sampling fine-tuning** (拒绝采样微调, RFT; Yuan and others 2023; STaR, Zelikman and others 2022, is its
elder brother) needs no new idea at all. Draw four answers to each of 800 fresh problems, throw away what the checker
rejects, put the rest beside the labelled data, train on; then once more with the better model and 800 others. An
answer that was drawn twice to the same problem is kept once.
*/

enum { SAMPLES = 4, ROUNDS = 2, PROMPTS = 800 };

// Which of the answers to one problem are kept: right, and not there already
static void keep_right(const Policy *p, const int *rows, int each, int problem, Pool *pool)
{
    const int length = length_of(p);
    for (int i = 0; i < each; i++) {
        bool kept = is_right(p, rows + i * length, problem);
        for (int j = 0; j < i && kept; j++)
            kept = memcmp(rows + j * length, rows + i * length, (size_t)length * sizeof *rows) != 0;
        if (kept) pool_add(pool, rows + i * length, length);
    }
}

// From a policy: sample, keep, train; returns it changed
static void rejection_sampling(Lesson *lesson, Course *c, Policy *p, Pool *pool, float rate, Rng *rng,
                               Curve *curve)
{
    static int rows[PROMPTS * SAMPLES * MOST];
    for (int round = 0; round < ROUNDS; round++) {
        const int *problems = c->problems->fresh + round * PROMPTS;
        write_rows(p, problems, PROMPTS, SAMPLES, 1.0f, rows, rng);
        p->work += PROMPTS * SAMPLES * (length_of(p) - 1);
        for (int i = 0; i < PROMPTS; i++)
            keep_right(p, rows + i * SAMPLES * length_of(p), SAMPLES, problems[i], pool);
        fine_tune(lesson, p, pool, (Run){"RFT", 0, MORE / ROUNDS, MORE / ROUNDS, rate}, rng, curve,
                  c->problems);
    }
}

/*
So it is done, and the accuracy rises. But it would be wrong to stop here. The model has also been *trained longer*.
What would the same 200 further steps have brought on the three hundred labels alone? That **control** (对照) is
missing in most accounts. And how much would a teacher have brought who writes the true sum under each of the 1600
problems? The three arms have the same number of steps and the same schedule, the first two at two rates: that of SFT,
and one four times as high.
*/

enum { RATES = 2 };
static const float rates[RATES] = {4e-3f, 1.6e-2f};

static Policy *go_on(Lesson *lesson, const Course *c, const Policy *from, const Pool *pool, float rate,
                     Curve *curve)
{
    Policy *p = policy_copy(lesson_arena(lesson), from, 0.1f);
    Rng rng = lesson_rng(lesson, 5);
    fine_tune(lesson, p, pool, (Run){"further steps", 0, MORE, MORE, rate}, &rng, curve, c->problems);
    return p;
}

static Pool labelled_again(Lesson *lesson, const Course *c)
{
    Pool pool = pool_new(lesson_arena(lesson));
    memcpy(pool.rows, c->labelled.rows, sizeof(int) * LABELLED * (PROMPT + ANSWER));
    pool.count = LABELLED;
    return pool;
}

static double sample_and_go_on(Lesson *lesson, Course *c, float rate, Curve *curve, int *kept)
{
    Policy *p = policy_copy(lesson_arena(lesson), c->sft, 0.1f);
    Rng rng = lesson_rng(lesson, 6);
    Pool pool = labelled_again(lesson, c);
    rejection_sampling(lesson, c, p, &pool, rate, &rng, curve);
    *kept = pool.count - LABELLED;
    c->rft_work = p->work;
    return test_accuracy(p, c->problems, 0.0f, NULL);
}

static void keep_what_was_right(Lesson *lesson, Course *c)
{
    section(lesson, "Keep what was right");
    double control[RATES], rft[RATES];
    int kept[RATES];
    Pool all = labelled_again(lesson, c);
    pool_label(&all, c->problems->fresh, ROUNDS * PROMPTS);
    for (int r = 0; r < RATES; r++) {
        Policy *further = go_on(lesson, c, c->sft, &c->labelled, rates[r], &c->control_curves[r]);
        control[r] = test_accuracy(further, c->problems, 0.0f, NULL);
        rft[r] = sample_and_go_on(lesson, c, rates[r], &c->rft_curves[r], &kept[r]);
    }
    Policy *taught = go_on(lesson, c, c->sft, &all, rates[0], NULL);
    const double labels = test_accuracy(taught, c->problems, 0.0f, NULL);
    Policy *early = go_on(lesson, c, c->early, &c->labelled, rates[0], NULL);
    const double early_control = test_accuracy(early, c->problems, 0.0f, NULL);
    printf("accuracy after 200 further steps, by rate    %.3f    %.3f\n", (double)rates[0], (double)rates[1]);
    printf("same labels (the control)                %9.3f%9.3f\n", control[0], control[1]);
    printf("kept samples                             %9.3f%9.3f\n", rft[0], rft[1]);
    printf("1600 more labels                         %9.3f\n", labels);
    printf("same labels, from step %d               %9.3f\n\n", EARLY, early_control);
    printf("SFT was at %.3f, and at step %d at %.3f; kept %d of %d samples\n\n", c->accuracy, EARLY,
           c->early_accuracy, kept[0], ROUNDS * PROMPTS * SAMPLES);
    c->control[0] = control[0], c->control[1] = control[1];
    const double best_control = fmax(control[0], control[1]);
    c->rft = fmax(rft[0], rft[1]);
    claim(lesson, c->rft - c->accuracy >= 0.10, "rejection sampling adds at least 10 points to SFT");
    claim(lesson, c->rft - best_control >= 0.08,
          "and at least 8 to as many further steps of SFT, each with the better rate");
    claim(lesson, early_control - c->early_accuracy >= 0.10,
          "where SFT had not levelled off, further steps alone add at least 10");
    claim(lesson, control[1] - c->accuracy >= 0.05,
          "and where it had, the same labels add 5 when the rate is raised");
    claim(lesson, c->rft - c->accuracy >= 0.5 * (labels - c->accuracy),
          "a checker is worth at least half of what the true labels are");
}

/*
Read the first column first. Further steps on the same labels bring 7 points, and the kept samples 39: the model
learns from answers that it has written itself. So rejection sampling works, and it is nearly worth a teacher. The
model writes 1300 right answers of its own, and these do nearly as much as 1600 true ones. What it cannot do is to
teach what the model never writes: a problem without a right sample adds nothing.

Now the controls. From step 150, where SFT had not levelled off, 200 further steps on the *same labels* bring 19
points. Who stops there, samples, and reports a rise to .98 (so it came out, measured apart) has sold 19 points of
plain training as the merit of a reward.

And the second column. SFT lay still at 0.59, and a rate four times as high makes 0.82 of the same 300 labels. So the
shelf was no ceiling: the labels were not used up, they were known by heart, with a training loss near 0, and the rate
had come to 0 as well. (Why a large rate finds more we did not measure. Training at that rate from the beginning
fails: 0.06, measured apart.) A control must be tuned as hard as the method. Both arms here have the better of two
rates (the true labels, at one rate, are nearly perfect already). With four rates, .002, .004, .008 and .016, two
seeds and a slightly other schedule, the control came to .577 .612 .737 .830 and .707 .734 .824 .784, rejection
sampling to .873 .885 .917 .926 and .930 .954 .924 .954: best against best, 10 and 13 points are left of the 27 and 22
that the column of .004 shows.

## Which way is up?

Rejection sampling forgets what was wrong. Let us use that, too. The aim is the expected reward,
$J = \sum_y \pi(y)\, r(y)$. Its slope is a sum over *all* answers, and we can only draw some. The trick of the
logarithm's derivative, $\nabla \pi = \pi\, \nabla \log \pi$, turns the sum back into an expectation (Williams 1992):

$$\nabla J = \sum_y r(y) \, \nabla \pi(y) = \mathbb{E}_{y \sim \pi} \bigl[ r(y) \, \nabla \log \pi(y) \bigr].$$

In words: draw answers, push each one's log probability up by its reward. That is the **policy gradient** (策略梯度).
Nothing has to be differentiated but the policy; the reward may be a program, or a person.

It is noisy. If all rewards are 0.9 or 1, every answer is pushed up, and which of them more is lost in the noise. But
any number $b$ that does not look at the answer may be taken off, because
$\mathbb{E}[\nabla \log \pi] = \nabla \sum_y \pi(y) = 0$. Draw a *group* of $G$ answers to the same prompt and take
off the group's mean: what is left,

$$A_i = r_i - \frac1G \sum_j r_j ,$$

is the **advantage** (优势): was this answer better than the others to the same prompt? It is the idea of **GRPO**
(Shao and others 2024).
*/

// The advantages of one group
static void plain_advantages(float *advantages, const float *rewards, int count)
{
    float mean = 0.0f;
    for (int i = 0; i < count; i++) mean += rewards[i] / (float)count;
    for (int i = 0; i < count; i++) advantages[i] = rewards[i] - mean;
}

/*
The mean contains the answer itself, so the number that is taken off *does* look at it a little. What does that do to
the expectation? We need not guess. A policy with five answers, of which one is right, has $5^4 = 625$ groups of four;
their probabilities are known, and so the mean of an estimate and its variance are plain sums. With logits $z$ and
softmax $\pi$,

$$\frac{\partial \log \pi_y}{\partial z_k} = [k = y] - \pi_k .$$
*/

enum { OUTCOMES = 5, GROUP = 4, GROUPS = 625 };

typedef struct {
    double mean[OUTCOMES], variance; // of an estimate of ∂J/∂z; the variance is summed over z
} Estimate;

// The estimate from one group
static void group_gradient(double *gradient, const float *pi, const int *answers, const float *weights)
{
    for (int k = 0; k < OUTCOMES; k++) gradient[k] = 0.0;
    for (int i = 0; i < GROUP; i++)
        for (int k = 0; k < OUTCOMES; k++)
            gradient[k] += (double)weights[i] * ((k == answers[i]) - (double)pi[k]) / GROUP;
}

// Over all groups. The reward is 1 + bonus for answer 0, else bonus
static Estimate over_all_groups(const float *pi, float bonus, bool baseline)
{
    Estimate e = {.variance = 0.0};
    double square = 0.0;
    for (int g = 0; g < GROUPS; g++) {
        int answers[GROUP], rest = g;
        float rewards[GROUP], weights[GROUP];
        double probability = 1.0, gradient[OUTCOMES];
        for (int i = 0; i < GROUP; i++, rest /= OUTCOMES) {
            answers[i] = rest % OUTCOMES;
            weights[i] = rewards[i] = (answers[i] == 0) + bonus;
            probability *= (double)pi[answers[i]];
        }
        if (baseline) plain_advantages(weights, rewards, GROUP);
        group_gradient(gradient, pi, answers, weights);
        for (int k = 0; k < OUTCOMES; k++) {
            e.mean[k] += probability * gradient[k];
            square += probability * gradient[k] * gradient[k];
        }
    }
    e.variance = square;
    for (int k = 0; k < OUTCOMES; k++) e.variance -= e.mean[k] * e.mean[k];
    return e;
}

// How far the mean of an estimate is from factor · ∂J/∂z, J = π₀
static double distance_from_exact(Estimate e, const float *pi, double factor)
{
    double most = 0.0;
    for (int k = 0; k < OUTCOMES; k++) {
        const double exact = (double)pi[0] * ((k == 0) - (double)pi[k]);
        most = fmax(most, fabs(e.mean[k] - factor * exact));
    }
    return most;
}

static void enumerate_groups(Lesson *lesson)
{
    section(lesson, "Which way is up?");
    enum { ROWS = 4 };
    static const float rights[ROWS] = {0.1f, 0.5f, 0.9f, 0.5f}, bonuses[ROWS] = {0.0f, 0.0f, 0.0f, 3.0f};
    const double factor = 1.0 - 1.0 / GROUP;
    double apart = 0.0, ratio[ROWS];
    printf("right   rewards   variance, no baseline   group mean   ratio\n");
    for (int r = 0; r < ROWS; r++) {
        float pi[OUTCOMES] = {rights[r]};
        for (int k = 1; k < OUTCOMES; k++) pi[k] = (1.0f - rights[r]) * (float)k / 10.0f;
        const Estimate without = over_all_groups(pi, bonuses[r], false),
                       with = over_all_groups(pi, bonuses[r], true);
        const double variance =
            with.variance / (factor * factor); // of the estimate that has the right length
        ratio[r] = without.variance / variance;
        apart = fmax(apart, distance_from_exact(without, pi, 1.0));
        apart = fmax(apart, distance_from_exact(with, pi, factor));
        printf("%5.1f%8.0f, %.0f%20.4f%15.4f%8.1f\n", (double)rights[r], (double)bonuses[r],
               (double)bonuses[r] + 1.0, without.variance, variance, ratio[r]);
    }
    printf("\n");
    claim(lesson, apart <= 1e-6,
          "over all 625 groups the mean estimate is ∇J, and with the group's mean (1 − 1/G) ∇J");
    claim(lesson, ratio[3] >= 10.0,
          "without a baseline, 3 more for every answer costs ten times the variance");
    claim(lesson, ratio[0] <= 1.0 && ratio[1] <= 1.0 && ratio[2] <= 1.0,
          "with rewards of 0 and 1 the baseline does not make the variance smaller here");
}

/*
The first claim says what the answer's own share in the mean does: the estimate becomes shorter by the factor
$1 - 1/G$ and keeps its direction. For an optimiser that divides by the size of gradients that is nothing.

"The baseline reduces the variance", one reads everywhere. Here it does so in the last row only, where all rewards are
raised by 3: then every answer is pushed up, and by how much more is lost in noise. With rewards of 0 and 1 *no*
baseline is the better one: what is wrong has the weight 0, and a right answer that is likely already has a small
gradient of its own. What the baseline really brings is that it does not matter where the zero of the rewards lies.

And look at what remains without it, with rewards of 0 and 1: the right samples have the weight 1, the others 0. That
is rejection sampling! It *is* a policy gradient, whose samples are used for many steps and not for one.

In the network an answer is several tokens, $\log \pi(y) = \sum_t \log \pi(y_t \mid y_{<t})$, and all of them get the
advantage of the answer. So the loss whose gradient is $-\nabla J$ is the weighted cross entropy from above, with
$w_i = A_i$. By hand, for one step of the logits:
*/

// d_logits (N × V): the gradient of −1/n Σ w log softmax(logits)_label over the n rows that count
static void plain_policy_gradient(Matrix d_logits, Matrix logits, const int *labels, const float *weights)
{
    int counted = 0;
    for (int i = 0; i < logits.rows; i++) counted += labels[i] != LABEL_IGNORED;
    for (int i = 0; i < logits.rows; i++) {
        float most = -INFINITY, total = 0.0f;
        for (int v = 0; v < logits.cols; v++) most = fmaxf(most, AT(logits, i, v));
        for (int v = 0; v < logits.cols; v++) total += exp32(AT(logits, i, v) - most);
        for (int v = 0; v < logits.cols; v++) {
            const float p = exp32(AT(logits, i, v) - most) / total;
            AT(d_logits, i, v) = labels[i] == LABEL_IGNORED
                                     ? 0.0f
                                     : weights[i] * (p - (float)(v == labels[i])) / (float)counted;
        }
    }
}

static void compare_gradients(Lesson *lesson)
{
    section(lesson, "By hand, and on the tape");
    enum { ROWS = 12 };
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 8);
    Matrix logits = matrix_new(arena, ROWS, VOCABULARY), by_hand = matrix_new(arena, ROWS, VOCABULARY);
    fill_normal(logits, &rng, 0.0f, 3.0f);
    int labels[ROWS];
    float weights[ROWS];
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % 3 ? (int)rng_below(&rng, VOCABULARY) : LABEL_IGNORED;
        weights[i] = rng_between(&rng, -1.0f, 1.0f);
    }
    plain_policy_gradient(by_hand, logits, labels, weights);
    Tape *tape = tape_new();
    Tensor *x = tape_variable(tape, logits);
    backward(cross_entropy_weighted(x, labels, weights));
    const float apart = largest_difference(by_hand, x->gradient);
    printf("largest difference of %d × %d gradients  %.0e\n\n", ROWS, VOCABULARY, (double)apart);
    claim(lesson, apart <= 1e-7f, "the policy gradient by hand is the tape's");
    tape_free(tape);
    arena_free(arena);
}

/*
## GRPO

A step: 128 fresh prompts, eight answers each at temperature 1, rewards, advantages, one step of AdamW along the
weighted cross entropy. Then all samples are thrown away, for the policy that drew them is gone. Since each sample is
used once, we need none of what else the name GRPO stands for: the ratio $\pi/\pi_{\text{old}}$ is 1 and clipping it
does nothing, and nothing holds the policy near its start. The rate climbs for five steps to 0.0006 and falls in a
straight line to 0.
*/

enum { GROUP_SIZE = 8, MOST_SAMPLES = 1024, MOST_STEPS = 70 };

typedef double (*Reward)(const Policy *p, const int *row, int problem);

typedef struct RewardModel RewardModel;

typedef struct {
    const char *name;
    int groups, steps;
    float rate;
    bool constant; // the rate stays as it is
    bool divide;   // advantages are divided by the group's deviation
    bool bare;     // no baseline
    int each;      // answers to a prompt, 0: GROUP_SIZE
    Reward reward;
    const RewardModel *judge; // in the place of reward, or NULL
} Grpo;

typedef struct {
    float reward[MOST_STEPS], right[MOST_STEPS]; // means over the samples of a step
} Trace;

static double reward_right(const Policy *p, const int *row, int problem) { return is_right(p, row, problem); }

static void judge_rows(const RewardModel *judge, const int *rows, int count, float *scores);
static double judge_prefers(const RewardModel *judge, const int *prompts, int each, const float *scores,
                            int count);

static float grpo_rate(const Grpo *how, int step)
{
    enum { WARM_UP = 5 };
    if (step < WARM_UP) return how->rate * (float)(step + 1) / WARM_UP;
    return how->constant ? how->rate : how->rate * (float)(how->steps - step) / (float)(how->steps - WARM_UP);
}

static void divide_by_deviation(float *advantages, int count)
{
    float square = 0.0f;
    for (int i = 0; i < count; i++) square += advantages[i] * advantages[i] / (float)count;
    for (int i = 0; i < count; i++) advantages[i] /= sqrtf(square) + 1e-4f;
}

static void grpo(Lesson *lesson, Policy *p, const Problems *problems, Grpo how, uint64_t stream, Trace *trace,
                 Curve *curve)
{
    static int rows[MOST_SAMPLES * MOST];
    static float rewards[MOST_SAMPLES], advantages[MOST_SAMPLES];
    const int each = how.each ? how.each : GROUP_SIZE, all = how.groups * each, length = length_of(p);
    Rng rng = lesson_rng(lesson, stream);
    Tape *tape = tape_new();
    for (int step = 0; step < how.steps; step++) {
        const int first = step * how.groups % (problems->fresh_count - how.groups),
                  *prompts = problems->fresh + first;
        double reward = 0.0, right = 0.0;
        write_rows(p, prompts, how.groups, each, 1.0f, rows, &rng);
        p->work += (double)all * (length - 1);
        if (how.judge) judge_rows(how.judge, rows, all, rewards);
        for (int i = 0; i < all; i++) {
            const int problem = prompts[i / each];
            if (!how.judge) rewards[i] = (float)how.reward(p, rows + i * length, problem);
            reward += (double)rewards[i] / all;
            right += is_right(p, rows + i * length, problem) / (double)all;
        }
        memcpy(advantages, rewards, (size_t)all * sizeof *advantages);
        for (int g = 0; g < all && !how.bare; g += each) {
            plain_advantages(advantages + g, rewards + g, each);
            if (how.divide) divide_by_deviation(advantages + g, each);
        }
        learn(p, tape, rows, advantages, all, grpo_rate(&how, step));
        if (how.judge) reward = judge_prefers(how.judge, prompts, each, rewards, all);
        if (trace) trace->reward[step] = (float)reward, trace->right[step] = (float)right;
        if (curve && (step + 1) % 10 == 0) look(curve, p, problems);
        lesson_progress(lesson, how.name, step + 1, how.steps, -reward);
    }
    tape_free(tape);
}

static void draw_curves(Lesson *lesson, const Course *c)
{
    const Curve *curves[] = {&c->control_curves[0], &c->control_curves[1], &c->rft_curves[0], &c->grpo_curve};
    static const char *const names[] = {"further SFT, rate 0.004", "further SFT, rate 0.016",
                                        "rejection sampling", "GRPO"};
    const float start = c->sft_curve.work[c->sft_curve.count - 1];
    Plot *plot = plot_begin(lesson, "curves.svg", "Three ways to go on");
    plot_axes(plot, "positions computed (thousands)", "test accuracy, greedy");
    plot_range_y(plot, 0.0, 1.0);
    plot_line(plot, "SFT on 300 labels", c->sft_curve.work, c->sft_curve.accuracy, c->sft_curve.count);
    for (int k = 0; k < 4; k++) {
        float x[LOOKS + 1] = {start}, y[LOOKS + 1] = {(float)c->accuracy};
        for (int i = 0; i < curves[k]->count; i++)
            x[i + 1] = start + curves[k]->work[i], y[i + 1] = curves[k]->accuracy[i];
        plot_line_points(plot, names[k], x, y, curves[k]->count + 1);
    }
    plot_end(plot, "The same start, three ways to go on. A backward counts as two forwards.");
}

static void try_grpo(Lesson *lesson, Course *c)
{
    section(lesson, "GRPO");
    Arena *arena = lesson_arena(lesson);
    Policy *p = policy_copy(arena, c->sft, 0.0f), *fast = policy_copy(arena, c->sft, 0.0f);
    static Trace trace, broken;
    const int steps = lesson_full(lesson) ? 70 : 50;
    grpo(lesson, p, c->problems,
         (Grpo){.name = "GRPO", .groups = 128, .steps = steps, .rate = 6e-4f, .reward = reward_right}, 9,
         &trace, &c->grpo_curve);
    grpo(lesson, fast, c->problems,
         (Grpo){.name = "GRPO, high rate",
                .groups = 64,
                .steps = 20,
                .rate = 3e-3f,
                .constant = true,
                .reward = reward_right},
         10, &broken, NULL);
    const double accuracy = test_accuracy(p, c->problems, 0.0f, NULL),
                 collapsed = test_accuracy(fast, c->problems, 0.0f, NULL);
    printf("                             accuracy   positions, millions\n");
    printf("SFT                          %8.3f%22.2f\n", c->accuracy, c->sft->work / 1e6);
    for (int r = 0; r < RATES; r++)
        printf("+ further SFT, rate %.3f    %8.3f%22.2f\n", (double)rates[r], c->control[r],
               (double)c->control_curves[r].work[c->control_curves[r].count - 1] / 1e3);
    printf("+ rejection sampling         %8.3f%22.2f\n", c->rft, c->rft_work / 1e6);
    printf("+ GRPO                       %8.3f%22.2f\n", accuracy, p->work / 1e6);
    printf("+ GRPO, constant rate 0.003  %8.3f%22.2f\n\n", collapsed, fast->work / 1e6);
    claim(lesson, accuracy - c->accuracy >= 0.10, "GRPO adds at least 10 points to SFT");
    claim(lesson, accuracy - c->control[0] >= 0.10,
          "and at least 10 to further steps of SFT at their own rate");
    claim(lesson, accuracy <= c->rft + 0.03 && p->work >= 3.0 * c->rft_work,
          "it is not better than rejection sampling, and costs at least three times as much");
    claim(lesson, collapsed <= 0.1, "with a constant high rate it collapses: accuracy at most 0.1");
    draw_curves(lesson, c);
}

/*
Which of its parts matter? One change at a time, from half as many groups; eleven trainings, so with `FULL=1` only.
*/

static void one_change_at_a_time(Lesson *lesson, const Course *c)
{
    section(lesson, "One change at a time");
    if (!lesson_full(lesson)) {
        printf("eleven trainings: with FULL=1 only\n\n");
        return;
    }
    static const Grpo ways[] = {
        {.name = "as above, half the groups", .groups = 64, .steps = 50, .rate = 6e-4f},
        {.name = "rate 0.0003", .groups = 64, .steps = 50, .rate = 3e-4f},
        {.name = "rate 0.001", .groups = 64, .steps = 50, .rate = 1e-3f},
        {.name = "rate 0.003", .groups = 64, .steps = 50, .rate = 3e-3f},
        {.name = "constant rate", .groups = 64, .steps = 50, .rate = 6e-4f, .constant = true},
        {.name = "constant rate 0.001", .groups = 64, .steps = 50, .rate = 1e-3f, .constant = true},
        {.name = "divided by deviation", .groups = 64, .steps = 50, .rate = 6e-4f, .divide = true},
        {.name = "no baseline", .groups = 64, .steps = 50, .rate = 6e-4f, .bare = true},
        {.name = "256 prompts, groups of 2", .groups = 256, .steps = 50, .rate = 6e-4f, .each = 2},
        {.name = "16 prompts, groups of 32", .groups = 16, .steps = 50, .rate = 6e-4f, .each = 32},
        {.name = "128 groups", .groups = 128, .steps = 50, .rate = 6e-4f}};
    printf("%-28s%-10saccuracy\n", "", "");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        Grpo how = ways[i];
        how.reward = reward_right;
        Policy *p = policy_copy(lesson_arena(lesson), c->sft, 0.0f);
        grpo(lesson, p, c->problems, how, 16, NULL, NULL);
        printf("%-38s%8.3f\n", how.name, test_accuracy(p, c->problems, 0.0f, NULL));
    }
    printf("\n");
}

/*
GRPO rises by 24 points, from three hundred labels and a checker. Against further steps at SFT's own rate that is 18
points more. Against the control with the *tuned* rate it is one point, which is nothing (with the seeds 2 and 3 it is
−1 and 2). And rejection sampling is ahead of both, with less than a quarter of GRPO's computing: it reads each kept
answer several times, where GRPO uses each sample for one step and throws it away. "Reinforcement learning beats
fine-tuning" is a sentence that this experiment does not bear out, and it had the better case here, a checker that is
never wrong.

The rate decides. At a constant 0.003 the same method destroys the policy within twenty steps: once hardly anything is
right, hardly any group has a reward, nothing pulls back, and what is left pushes at random.

And the parts of the recipe? Fifty steps of 512 samples each, from the same SFT, one seed (± 3 points):

| change | accuracy |
|---|---|
| none: 64 prompts, groups of 8, rate .0006 falling to 0 | .800 |
| rate .0003; .001; .003 | .744; .776; .590 |
| constant rate .0006; .001 | .796; .720 |
| advantages divided by the group's deviation | .820 |
| no baseline | .813 |
| 256 prompts, groups of 2 | .824 |
| 16 prompts, groups of 32 | .674 |
| 128 prompts, groups of 8: twice the samples | .843 |

The rate matters most, and how many *different* prompts a step has. Dividing by the deviation, over which papers
quarrel, does nothing that this test could see, and neither does the baseline, as our five answers let us expect. A
constant rate is as good as a falling one where it is small, and worse where it is not. Not tried: several steps for a
batch with a clipped ratio, a KL penalty.

## The wrong reward

A reward is a program, and it means what it says. Suppose we are careless and reward any answer that is *at least* the
sum. Or we look at the last digit only, because it is the easiest to check. Both are 1 for every right answer: an
honest policy would get full marks.
*/

static double reward_at_least(const Policy *p, const int *row, int problem)
{
    return read_answer(row + PROMPT + p->thought) >= sum_of(problem);
}

static double reward_last_digit(const Policy *p, const int *row, int problem)
{
    const int answer = read_answer(row + PROMPT + p->thought);
    return answer >= 0 && answer % 10 == sum_of(problem) % 10;
}

static double mean_of_five(const float *values)
{
    double mean = 0.0;
    for (int i = 0; i < 5; i++) mean += (double)values[i] / 5.0;
    return mean;
}

static void show_answers(Policy *p, const Problems *problems)
{
    enum { SHOWN = 4 };
    int rows[SHOWN * MOST];
    write_rows(p, problems->test, SHOWN, 1, 0.0f, rows, NULL);
    for (int i = 0; i < SHOWN; i++) {
        printf("   ");
        for (int t = 0; t < length_of(p); t++) putchar("0123456789+=$."[rows[i * length_of(p) + t]]);
    }
    printf("\n");
}

static void draw_parting(Lesson *lesson, const char *file, const char *title, const char *reward_name,
                         const Trace *trace, int steps, const char *caption)
{
    Plot *plot = plot_begin(lesson, file, title);
    plot_axes(plot, "step", "mean of the step's samples");
    float x[MOST_STEPS];
    for (int i = 0; i < steps; i++) x[i] = (float)(i + 1);
    plot_range_y(plot, 0.0, 1.0);
    plot_line(plot, reward_name, x, trace->reward, steps);
    plot_line(plot, "right answers", x, trace->right, steps);
    plot_end(plot, caption);
}

static void reward_the_wrong_thing(Lesson *lesson, Course *c)
{
    section(lesson, "The wrong reward");
    enum { KINDS = 2, LARGE_STEPS = 15, DIGIT_STEPS = 40 };
    static const Grpo how[KINDS] = {{.name = "answer ≥ sum",
                                     .groups = 64,
                                     .steps = LARGE_STEPS,
                                     .rate = 6e-4f,
                                     .reward = reward_at_least},
                                    {.name = "last digit right",
                                     .groups = 64,
                                     .steps = DIGIT_STEPS,
                                     .rate = 6e-4f,
                                     .reward = reward_last_digit}};
    static Trace traces[KINDS];
    double accuracy[KINDS], last[KINDS];
    printf("                   steps   reward, first 5   last 5   accuracy (SFT %.3f)\n", c->accuracy);
    for (int k = 0; k < KINDS; k++) {
        Policy *p = policy_copy(lesson_arena(lesson), c->sft, 0.0f);
        grpo(lesson, p, c->problems, how[k], 11 + (uint64_t)k, &traces[k], NULL);
        accuracy[k] = test_accuracy(p, c->problems, 0.0f, NULL);
        last[k] = mean_of_five(traces[k].reward + how[k].steps - 5);
        printf("%-*s%7d%18.3f%9.3f%11.3f", k ? 17 : 19, how[k].name, how[k].steps,
               mean_of_five(traces[k].reward), last[k], accuracy[k]);
        show_answers(p, c->problems);
    }
    printf("\n");
    claim(lesson, last[0] >= 0.95 && accuracy[0] <= 0.05,
          "\"answer ≥ sum\" is hacked: reward at least 0.95, accuracy at most 0.05");
    claim(lesson,
          last[1] - mean_of_five(traces[1].right + DIGIT_STEPS - 5) >=
              mean_of_five(traces[1].reward) - mean_of_five(traces[1].right) + 0.10,
          "with \"last digit right\", reward and accuracy part by 10 points or more");
    draw_parting(lesson, "large.svg", "Rewarded: an answer that is large enough", "answer ≥ sum (the reward)",
                 &traces[0], LARGE_STEPS,
                 "After eight steps hardly a right answer is left, and the reward is nearly full.");
    draw_parting(lesson, "digit.svg", "Rewarded: the last digit", "last digit right (the reward)", &traces[1],
                 DIGIT_STEPS, "The reward rises, and what it was meant to stand for does not.");
}

/*
Nobody has told the policy to cheat. It goes where the reward is, and a large number is easier to write than the right
one. This is **reward hacking** (奖励作弊): after eight steps the reward says that all is well, and nothing is right
any more. Who looks at the reward only cannot see it.

The last digit is a milder case. Its reward rises, since the policy does learn last digits, and the right answers do
not: nothing pulls the other digits away, but nothing holds them either. How far they drift depends on the draws: with
other seeds (`make chapter31 SEED=2`, 3) the accuracy went from .525 to .549 and from .709 to .379.

## A reward that was learned

Mostly there is no program that checks. Is this summary good, is that answer kind? Then people compare two answers,
and a network learns to agree with them: a **reward model** (奖励模型), as in InstructGPT (Ouyang and others 2022). It
gives each answer a score $s$, and the model of Bradley and Terry (1952) says how likely the better one is to be
preferred,

$$P(y_1 \succ y_2) = \sigma(s_1 - s_2), \qquad \text{loss} = -\log \sigma(s_{\text{better}} - s_{\text{worse}}) .$$

Our "people" are the checker: of a right and a wrong sample to the same problem they prefer the right one, always. The
network is the SFT policy with a linear layer on the state at the end of the answer. It is tested on pairs of problems
that it was not trained on. Then it takes the checker's place in GRPO.
*/

struct RewardModel {
    Parameters parameters;
    Gpt gpt;
    Linear head;
};

enum { PAIRS = 4096, JUDGE_BATCH = 32, JUDGE_STEPS = 400, JUDGED = 3200, JUDGED_TEST = 1200 };

typedef struct {
    int *right, *wrong, count; // rows
} Pairs;

static RewardModel *judge_new(Arena *arena, const Policy *from, Rng *rng)
{
    RewardModel *m = arena_zeros(arena, 1, sizeof *m);
    m->parameters = parameters_new(arena);
    m->gpt = gpt_new(&m->parameters, from->gpt.config, NULL);
    parameters_copy(&m->parameters, &from->parameters);
    m->head = linear_new(&m->parameters, "score", from->gpt.config.width, 1, rng, INIT_LECUN);
    return m;
}

// rows (count · (PROMPT + ANSWER)) → scores (count × 1), from the state at the end
static Tensor *judge_scores(const RewardModel *m, Tape *tape, const int *rows, int count)
{
    enum { LENGTH = PROMPT + ANSWER };
    Tensor *states = gpt_states(&m->gpt, tape, rows, count, LENGTH);
    int *ends = arena_alloc(tape_arena(tape), (size_t)count, sizeof *ends);
    for (int i = 0; i < count; i++) ends[i] = i * LENGTH + LENGTH - 1;
    return linear(&m->head, embedding(tape, states, ends, count));
}

static void judge_rows(const RewardModel *judge, const int *rows, int count, float *scores)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    memcpy(scores, judge_scores(judge, tape, rows, count)->value.data, (size_t)count * sizeof *scores);
    tape_free(tape);
}

// How probably the model prefers the answers, whose scores are given, to the true ones: a mean of σ(s − s_true)
static double judge_prefers(const RewardModel *judge, const int *prompts, int each, const float *scores,
                            int count)
{
    enum { LENGTH = PROMPT + ANSWER };
    static int rows[MOST_SAMPLES * LENGTH];
    static float truths[MOST_SAMPLES];
    double mean = 0.0;
    for (int i = 0; i < count / each; i++) {
        write_prompt(rows + i * LENGTH, prompts[i]);
        write_answer(rows + i * LENGTH + PROMPT, sum_of(prompts[i]));
    }
    judge_rows(judge, rows, count / each, truths);
    for (int i = 0; i < count; i++) mean += (double)sigmoid32(scores[i] - truths[i / each]) / count;
    return mean;
}

// A right and a wrong answer to each problem that has both
static Pairs make_pairs(Lesson *lesson, Policy *p, const int *problems, int count, Rng *rng)
{
    const int length = length_of(p);
    Arena *arena = lesson_arena(lesson);
    Pairs pairs = {arena_alloc(arena, PAIRS * MOST, sizeof(int)),
                   arena_alloc(arena, PAIRS * MOST, sizeof(int)), 0};
    int *rows = arena_alloc(arena, (size_t)(count * SAMPLES * length), sizeof *rows);
    write_rows(p, problems, count, SAMPLES, 1.0f, rows, rng);
    for (int i = 0; i < count; i++) {
        const int *right = NULL, *wrong = NULL;
        for (int k = 0; k < SAMPLES; k++) {
            const int *row = rows + (i * SAMPLES + k) * length;
            if (is_right(p, row, problems[i]))
                right = row;
            else
                wrong = row;
        }
        if (!right || !wrong) continue;
        memcpy(pairs.right + pairs.count * length, right, (size_t)length * sizeof *right);
        memcpy(pairs.wrong + pairs.count++ * length, wrong, (size_t)length * sizeof *wrong);
    }
    return pairs;
}

static void train_judge(Lesson *lesson, RewardModel *m, const Pairs *pairs, Rng *rng)
{
    enum { LENGTH = PROMPT + ANSWER };
    Arena *arena = arena_new();
    Optimiser adam = adamw_new(arena, &m->parameters, 0.9f, 0.99f, 1e-8f, 0.1f);
    int order[PAIRS], rows[2 * JUDGE_BATCH * LENGTH], at = pairs->count;
    Matrix ones = matrix_new(arena, JUDGE_BATCH, 1);
    fill(ones, 1.0f);
    Tape *tape = tape_new();
    for (int step = 0; step < JUDGE_STEPS; step++) {
        for (int b = 0; b < JUDGE_BATCH; b++) {
            if (at == pairs->count) rng_permutation(rng, order, pairs->count), at = 0;
            memcpy(rows + b * LENGTH, pairs->right + order[at] * LENGTH, LENGTH * sizeof *rows);
            memcpy(rows + (JUDGE_BATCH + b) * LENGTH, pairs->wrong + order[at++] * LENGTH,
                   LENGTH * sizeof *rows);
        }
        tape_reset(tape);
        Tensor *scores = judge_scores(m, tape, rows, 2 * JUDGE_BATCH);
        Tensor *right = slice_rows(scores, 0, JUDGE_BATCH),
               *wrong = slice_rows(scores, JUDGE_BATCH, JUDGE_BATCH);
        Tensor *loss = binary_cross_entropy(tensor_subtract(right, wrong), ones);
        backward(loss);
        clip_gradients(&m->parameters, 1.0f);
        optimiser_step(&adam, cosine_schedule(1e-3f, step, 20, JUDGE_STEPS));
        lesson_progress(lesson, "reward model", step + 1, JUDGE_STEPS, (double)loss->value.data[0]);
    }
    tape_free(tape);
    arena_free(arena);
}

// The fraction of pairs whose right answer has the higher score
static double pairs_right(const RewardModel *m, const Pairs *pairs)
{
    static float right[PAIRS], wrong[PAIRS];
    int count = 0;
    judge_rows(m, pairs->right, pairs->count, right);
    judge_rows(m, pairs->wrong, pairs->count, wrong);
    for (int i = 0; i < pairs->count; i++) count += right[i] > wrong[i];
    return (double)count / pairs->count;
}

static void learn_the_reward(Lesson *lesson, Course *c)
{
    section(lesson, "A reward that was learned");
    enum { STEPS = 30 };
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 13);
    const int *problems = c->problems->fresh + c->problems->fresh_count - JUDGED - JUDGED_TEST;
    const Pairs train = make_pairs(lesson, c->sft, problems, JUDGED, &rng),
                test = make_pairs(lesson, c->sft, problems + JUDGED, JUDGED_TEST, &rng);
    RewardModel *judge = judge_new(arena, c->sft, &rng);
    train_judge(lesson, judge, &train, &rng);
    const double seen = pairs_right(judge, &train), unseen = pairs_right(judge, &test);
    printf("pairs right: %.3f of %d that it was trained on, %.3f of %d others\n\n", seen, train.count, unseen,
           test.count);
    static Trace trace;
    Policy *p = policy_copy(arena, c->sft, 0.0f);
    grpo(lesson, p, c->problems,
         (Grpo){.name = "GRPO against it", .groups = 64, .steps = STEPS, .rate = 6e-4f, .judge = judge}, 14,
         &trace, NULL);
    const double accuracy = test_accuracy(p, c->problems, 0.0f, NULL);
    printf("step                             1     10     20     30\npreferred to the true answer");
    for (int i = 0; i <= STEPS; i += 10) printf("%7.3f", (double)trace.reward[i ? i - 1 : 0]);
    printf("\nright                       ");
    for (int i = 0; i <= STEPS; i += 10) printf("%7.3f", (double)trace.right[i ? i - 1 : 0]);
    printf("\n\naccuracy %.3f, and it was %.3f\n", accuracy, c->accuracy);
    show_answers(p, c->problems);
    printf("\n");
    claim(lesson, unseen >= 0.58, "the reward model is right in at least 58%% of pairs of new problems");
    const double before = mean_of_five(trace.reward), after = mean_of_five(trace.reward + STEPS - 5);
    claim(lesson, after >= 0.5 && after >= before + 0.05 && accuracy <= c->accuracy - 0.30,
          "pushed against it, the policy is preferred to the truth, and its accuracy falls by 30 points or "
          "more");
    draw_parting(lesson, "judge.svg", "Rewarded: what a reward model likes", "preferred to the true answer",
                 &trace, STEPS, "Right answers disappear, and the model prefers what is written instead.");
}

/*
Right more often than a coin, and far from perfect: in two of three new pairs. The first line of the table asks it
whether it prefers the policy's answers or the *true* ones. At the start half of them are true themselves; at the end
one in twenty is, and it prefers them all the same. It is not fooled about a few answers: it has been led to where it
knows nothing. "When a measure becomes a target, it ceases to be a good measure": **Goodhart's law** (古德哈特定律).
In practice one stops early, and adds a penalty for leaving the start,
$-\beta \, \mathrm{KL}(\pi \,\|\, \pi_{\text{SFT}})$ (TASK 31.5); what that cannot do is to make the score right.

## Writing before answering

So far the model had to know the first digit of the sum before it had written anything: it must see the carry through
both columns at once. A person writes the columns down. Let the model do so, too: `57+68=1512125$` says that the units
make 15 and the tens, with the carry, 12; then comes the answer. Such a **chain of thought** (思维链) makes the text
longer, and each token that is written is another pass through the network. Is it the steps that help, or only the
additional passes? The control writes four dots in their place, `57+68=....125$`.

Three models, the same 300 problems and the same 500 steps; only the answer counts.
*/

enum { NO_THOUGHT, DOTS, COLUMNS, WAYS };

// What stands between the = and the answer
static void write_thought(int *ids, int problem, int way)
{
    const int units = problem / NUMBERS % 10 + problem % 10, tens = (sum_of(problem) - units % 10) / 10;
    const int columns[THOUGHT] = {units / 10, units % 10, tens / 10, tens % 10};
    for (int t = 0; t < THOUGHT; t++) ids[t] = way == COLUMNS ? columns[t] : DOT;
}

static double train_to_think(Lesson *lesson, const Course *c, int way, Rng *rng)
{
    Policy *p = policy_new(lesson_arena(lesson), THOUGHT, rng);
    Pool pool = pool_new(lesson_arena(lesson));
    for (int i = 0; i < LABELLED; i++) {
        int row[MOST];
        write_prompt(row, c->problems->labelled[i]);
        write_thought(row + PROMPT, c->problems->labelled[i], way);
        write_answer(row + PROMPT + THOUGHT, sum_of(c->problems->labelled[i]));
        pool_add(&pool, row, MOST);
    }
    fine_tune(lesson, p, &pool, (Run){"with a thought", 0, SFT_STEPS, SFT_STEPS, RATE}, rng, NULL,
              c->problems);
    const double accuracy = test_accuracy(p, c->problems, 0.0f, NULL);
    printf("%-18s%9.3f", way == DOTS ? "four dots first" : "columns first", accuracy);
    show_answers(p, c->problems);
    return accuracy;
}

static void think_first(Lesson *lesson, Course *c)
{
    section(lesson, "Writing before answering");
    double accuracy[WAYS] = {c->accuracy};
    printf("what is written    accuracy\n%-18s%9.3f", "the answer", c->accuracy);
    show_answers(c->sft, c->problems);
    for (int way = DOTS; way < WAYS; way++) {
        Rng rng = lesson_rng(lesson, 15);
        accuracy[way] = train_to_think(lesson, c, way, &rng);
    }
    printf("\n");
    claim(lesson, accuracy[COLUMNS] - accuracy[DOTS] >= 0.10,
          "with the same labels, writing the columns first is at least 10 points better than writing dots");
}

/*
Writing the columns down turns .59 into .97, with the same 300 labels: nearly as much as rejection sampling, for four
tokens more in each answer. The steps can be learned one by one, and the carry need not be known before it is written.

Dots are another matter. They *can* help: four more passes are four more passes. Here they hurt. With the seeds 2 and
3 they turned .525 into .800 and .709 into .227, and the columns gave .932 and .945. Whether the network finds a use
for its dots within 500 steps is luck (longer was not tried); what stands in the columns is told to it by the labels.
So "more tokens, more computation" explains a part of what a chain of thought does on one seed of three, and on the
two others nothing.

## What the large ones do

DeepSeek-R1 (2025, arXiv 2501.12948) is the recipe that made all this known. Set beside ours, step by step:

- **The task.** Mathematics with an answer that a rule can compare, programs that tests can run. Two rule-based
  rewards: is the answer right, and is the thinking written between its marks. No learned reward for reasoning: the
  authors say that a neural one may be hacked in training at this scale, and has to be trained again and again. You
  have seen it.
- **The start.** R1-Zero begins with a base model of 671 billion parameters and no SFT at all. It can do some
  problems, so some groups have a reward. Ours begins with 300 labels, for the same reason.
- **GRPO** with the parts that we left out: advantages divided by the group's deviation, several steps for a batch of
  samples with the ratio $\rho = \pi / \pi_{\text{old}}$ clipped,
  $\min(\rho A, \mathrm{clip}(\rho, 1 - \epsilon, 1 + \epsilon) A)$, and a KL penalty that holds the policy near a
  reference.
- **What came of it.** On a competition (AIME 2024) R1-Zero rose from 15.6 % to 71.0 %, and its chains of thought grew
  longer by themselves. In ours the form of the thought is fixed by the labels; reward only chose among answers.
- **R1 itself** mends what R1-Zero writes, which was hard to read and mixed languages: first some thousands of long,
  readable chains for SFT (the "cold start"), then reinforcement learning, then *rejection sampling*: some 600 000
  kept reasoning samples and 200 000 others, on which the base model is trained anew; at last reinforcement learning
  once more, with learned reward models for what no rule can check.
- **Distillation.** Small models that were trained on those 800 000 samples became better than a small model with
  reinforcement learning of its own. That is our first table again: samples that are kept, and trained on.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "31-reasoning-rl", "Reward and reasoning");
    static Course course;
    train_first(lesson, &course);
    keep_what_was_right(lesson, &course);
    enumerate_groups(lesson);
    compare_gradients(lesson);
    try_grpo(lesson, &course);
    one_change_at_a_time(lesson, &course);
    reward_the_wrong_thing(lesson, &course);
    learn_the_reward(lesson, &course);
    think_first(lesson, &course);
    return lesson_end(lesson);
}

/*
## What to take along

- Where answers can be checked, labels are not needed: sample, keep what is right, train.
- Train the control: as many further steps on what you had, and tune its rate. A curve that lies still may rise again.
- The policy gradient pushes each sample's log probability by its reward; the advantage takes off the group's mean.
  With rewards 0 and 1 and no baseline it is rejection sampling.
- A reward is taken at its word. Watch what it stands for, on problems that it does not see.
- A learned reward is good where it was trained, and a policy that is pushed against it leaves that place.
- Steps that are written down are worth more than steps that must be made in one's head.

## Check yourself

**1.** A group of four has the rewards 1, 0, 0, 1. What are the advantages? And for 1, 1, 1, 1?

<details><summary>Answer</summary>

+½, −½, −½, +½. With equal rewards all advantages are 0: the group teaches nothing. So prompts that are always or
never answered right cost computing and bring nothing.

</details>

**2.** Why does the reward need no derivative?

<details><summary>Answer</summary>

It is a number that multiplies $\nabla \log \pi(y)$. The parameters change how probable an answer is, and not what it
is worth.

</details>

**3.** Someone reports that rejection sampling has raised a model from 45 % to 97 %. What do you ask?

<details><summary>Answer</summary>

What as many further steps on the old data would have brought, with a learning rate that was searched as well. Here
that was 64 % at the old rate.

</details>

**4.** A policy is right in 1 % of the problems. How often does a group of eight contain a right answer, and what does
that mean for GRPO?

<details><summary>Answer</summary>

$1 - 0.99^8 = 7.7\,\%$. Of 128 prompts ten say anything. From 0 % there is no way up at all: no reward, no gradient. A
policy must be able to do a thing sometimes before reward can make it do it often.

</details>

**5.** The reward rises and the accuracy falls. Is the optimiser broken?

<details><summary>Answer</summary>

No, it works: it has found what the reward rewards. The reward is broken.

</details>

## Further reading

- R. J. Williams, *Simple statistical gradient-following algorithms for connectionist reinforcement learning*, 1992:
  REINFORCE.
- E. Zelikman and others, *STaR: bootstrapping reasoning with reasoning*, 2022; Z. Yuan and others, *Scaling
  relationship on learning mathematical reasoning with large language models*, 2023: rejection sampling fine-tuning.
- J. Schulman and others, *Proximal policy optimization algorithms*, 2017: the clipped ratio. J. Schulman,
  *Approximating KL divergence*, 2020: the penalty of TASK 31.5.
- Z. Shao and others, *DeepSeekMath*, 2024: GRPO. DeepSeek-AI, *DeepSeek-R1*, 2025 (arXiv 2501.12948).
- Z. Liu and others, *Understanding R1-Zero-like training: a critical perspective*, 2025: why not to divide by the
  deviation.
- R. A. Bradley, M. E. Terry, *Rank analysis of incomplete block designs*, 1952; L. Ouyang and others, *Training
  language models to follow instructions with human feedback*, 2022; L. Gao and others, *Scaling laws for reward model
  overoptimization*, 2023.
- J. Wei and others, *Chain-of-thought prompting elicits reasoning in large language models*, 2022; M. Nye and others,
  *Show your work: scratchpads for intermediate computation with language models*, 2021.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade31` tells how far you are,
`make hint31` helps.

- **TASK 31.1** the advantages of a group.
- **TASK 31.2** the policy gradient of the logits.
- **TASK 31.3** rejection sampling: which samples are kept.
- **TASK 31.4** the loss of a pair, and its gradient.
- **TASK 31.5** the loss of GRPO, with the penalty for leaving a reference policy, and its gradient.

And without a computer, or with five minutes at one:

**1.** Two answers have the scores 2 and 0. With which probability is the first preferred? What if 100 is added to
both scores?

<details><summary>Answer</summary>

$\sigma(2) = 0.88$. Nothing changes: only differences count. So a reward model's score has no zero, and it is good
that GRPO takes a mean off.

</details>

**2.** Advantages are divided by the group's deviation. Which groups of eight become more important: with 4 right
answers, or with 1?

<details><summary>Answer</summary>

With $k$ right of $G$, the sum of the sizes $|A_i|$ is $2k(1 - k/G)$: 4 for $k = 4$, 1.75 for $k = 1$. The deviation
is $\sqrt{k/G\,(1 - k/G)}$, 0.5 and 0.33. Divided, they count 8 and 5.3: the ratio falls from 2.3 to 1.5. Prompts that
are nearly always or hardly ever answered right gain.

</details>

**3.** In the clipped objective $\min(\rho A, \mathrm{clip}(\rho, 1 - \epsilon, 1 + \epsilon) A)$, where is the
gradient 0? Where is it never?

<details><summary>Answer</summary>

For $A > 0$ where $\rho > 1 + \epsilon$, for $A < 0$ where $\rho < 1 - \epsilon$: a step that has gone far enough in
the wanted direction is not pushed further. A ratio that has gone in the *wrong* direction is always pulled back. At
$\rho = 1$, the first step after sampling, nothing is clipped.

</details>

**4.** Rejection sampling draws four answers to each prompt and keeps equal ones once. Why does it matter here that
they are kept once, and when would it not?

<details><summary>Answer</summary>

A sum has one right answer, so an easy prompt would be kept four times and a hard one once: the pool would lean to
what the model can do already. With long chains of thought no two samples are equal, and each teaches another way.

</details>

**5.** What would the policy learn from the reward "1 for a right answer, and 0.1 more for each digit of a longer
answer"?

<details><summary>Answer</summary>

To be long. As soon as eleven digits more are worth more than being right, being right is not worth the trouble.
Rewards for length, politeness or form must be bounded, so that they never outweigh what is meant.

</details>
*/
