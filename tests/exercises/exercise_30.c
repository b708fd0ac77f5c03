// The exercises of chapter 30, Reinforcement learning: what each task is tested for, and its points.
// What the answers are compared with is computed here, in double and in the plainest way.
#include <math.h>

#include "exercise.h"
#include "exercise_suite.h"
#include "expect.h"

static Rng rng_of(int task, int round) { return rng_new(300 + (uint64_t)task, (uint64_t)round); }

// ---- TASK 30.1: the upper confidence bound ----------------------------------------------------------------

static void expect_arm(Matrix sums, Matrix counts, int step, float c, int expected)
{
    GIVEN(IN("sums", sums), IN("counts", counts), NUMBER("step", step), NUMBER("c", (double)c));
    expect_number("ucb_choose(sums, counts, step, c)", ucb_choose(sums, counts, step, c), expected, 0.0);
    EXPECT_UNCHANGED();
}

// The arm of the largest bound; lead is how far it is above all others.
static int true_arm(Matrix sums, Matrix counts, int step, float c, double *lead)
{
    int best = 0;
    double highest = -INFINITY, second = -INFINITY;
    for (int k = 0; k < counts.cols; k++) {
        double count = (double)counts.data[k];
        double bound = (double)sums.data[k] / count + (double)c * sqrt(log((double)step) / count);
        second = fmax(second, fmin(bound, highest));
        if (bound > highest) highest = bound, best = k;
    }
    *lead = highest - second;
    return best;
}

START_TEST(the_arm_that_might_be_the_best)
{
    // ln 6 = 1.79: the bounds are 1.34 c and 0.5 + 0.67 c
    float sums[] = {0, 2}, counts[] = {1, 4};
    Matrix s = matrix_view(1, 2, sums), n = matrix_view(1, 2, counts);
    expect_arm(s, n, 6, 0.0f, 1);
    expect_arm(s, n, 6, 0.5f, 1);
    expect_arm(s, n, 6, 0.7f, 1);
    expect_arm(s, n, 6, 0.8f, 0);
    expect_arm(s, n, 6, 2.0f, 0);
}
END_TEST

START_TEST(who_was_never_pulled_comes_first)
{
    float sums[] = {900, 0, -3, 0, 7}, counts[] = {9, 0, 3, 0, 7};
    Matrix s = matrix_view(1, 5, sums), n = matrix_view(1, 5, counts);
    expect_arm(s, n, 20, 1.0f, 1);
    expect_arm(s, n, 20, 0.0f, 1);
    counts[1] = 4;
    expect_arm(s, n, 24, 1.0f, 3);
    fill(s, 0.0f), fill(n, 0.0f);
    expect_arm(s, n, 1, 1.0f, 0);
    counts[0] = 1, sums[0] = -50;
    expect_arm(s, n, 2, 1.0f, 1);
}
END_TEST

START_TEST(of_equal_arms_the_first)
{
    float sums[] = {-6, 3, 3, -6, 3}, counts[] = {6, 6, 6, 6, 6};
    Matrix s = matrix_view(1, 5, sums), n = matrix_view(1, 5, counts);
    expect_arm(s, n, 31, 1.0f, 1);
    expect_arm(s, n, 31, 0.0f, 1);
    fill(s, -4.0f);
    expect_arm(s, n, 31, 1.0f, 0);
}
END_TEST

START_TEST(all_of_them_lose)
{
    float sums[] = {-200, -60, -75}, counts[] = {4, 2, 3};
    expect_arm(matrix_view(1, 3, sums), matrix_view(1, 3, counts), 10, 1.0f, 2);
}
END_TEST

START_TEST(a_single_arm)
{
    float sums[] = {-2000}, counts[] = {0};
    Matrix s = matrix_view(1, 1, sums), n = matrix_view(1, 1, counts);
    expect_arm(s, n, 1, 1.0f, 0);
    counts[0] = 1;
    expect_arm(s, n, 2, 0.0f, 0);
}
END_TEST

START_TEST(bandits_after_any_number_of_pulls)
{
    static const int sizes[][2] = {{2, 3}, {5, 10}, {10, 200}, {3, 300000}, {200, 50}}; // arms, pulls of each
    int arms_that_differ = 0;
    for (int k = 0; k < 25; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(1, k);
        int arms = sizes[k % 5][0], step = 1, expected, greedy;
        float c = 0.5f + 1.5f * rng_uniform(&rng);
        Matrix sums = matrix_new(arena, 1, arms), counts = matrix_new(arena, 1, arms);
        double lead;
        do { // until rounding cannot decide which arm it is
            step = 1;
            for (int i = 0; i < arms; i++) {
                int count = 1 + (int)rng_below(&rng, (uint32_t)sizes[k % 5][1]);
                counts.data[i] = (float)count;
                sums.data[i] = (float)count * (0.3f * rng_normal(&rng) - 0.2f);
                step += count;
            }
            greedy = true_arm(sums, counts, step, 0.0f, &lead);
            expected = true_arm(sums, counts, step, c, &lead);
        } while (lead < 1e-4);
        arms_that_differ += greedy != expected;
        expect_arm(sums, counts, step, c, expected);
        arena_free(arena);
    }
    ck_assert_int_ge(arms_that_differ, 5);
}
END_TEST

// ---- TASK 30.2: value iteration ---------------------------------------------------------------------------

typedef struct {
    Matrix values, rewards, transitions;
} World;

static double call_sweep(Matrix next_values, World z, float gamma)
{
    GIVEN(OUT("next_values", next_values), IN("values", z.values), IN("rewards", z.rewards),
          IN("transitions", z.transitions), NUMBER("gamma", (double)gamma));
    return (double)value_sweep(next_values, z.values, z.rewards, z.transitions, gamma);
}

static void expect_sweep(World z, float gamma, double room)
{
    Arena *arena = arena_new();
    int states = z.rewards.rows, actions = z.rewards.cols;
    Matrix next_values = rubbish(arena, 1, states);
    double *expected = doubles(arena, (size_t)states), change = 0.0;
    for (int s = 0; s < states; s++) {
        expected[s] = -INFINITY;
        for (int a = 0; a < actions; a++) {
            double worth = (double)AT(z.rewards, s, a);
            for (int next = 0; next < states; next++)
                worth += (double)gamma * (double)AT(z.transitions, s * actions + a, next) *
                         (double)z.values.data[next];
            expected[s] = fmax(expected[s], worth);
        }
        change = fmax(change, fabs(expected[s] - (double)z.values.data[s]));
    }
    double got = call_sweep(next_values, z, gamma);
    expect_within("next_values", next_values, expected, room);
    expect_number("value_sweep(…)", got, change, room);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Rows of probabilities; about one in three misses some, with which the episode ends.
static World random_world(Arena *arena, Rng *rng, int states, int actions)
{
    World z = {random_normal(arena, rng, 1, states), random_normal(arena, rng, states, actions),
               matrix_new(arena, states * actions, states)};
    for (int i = 0; i < z.transitions.rows; i++) {
        float total = 0.0f;
        for (int next = 0; next < states; next++) {
            AT(z.transitions, i, next) = rng_uniform(rng);
            total += AT(z.transitions, i, next);
        }
        if (rng_below(rng, 3) == 0) total *= 2.0f;
        for (int next = 0; next < states; next++) AT(z.transitions, i, next) /= total;
    }
    return z;
}

START_TEST(a_corridor_by_hand)
{
    // States 0 – 1 – 2; action 0 goes left and 1 right, each step costs 1, right of state 2 is the exit.
    float values[] = {-4, -2, -8}, rewards[] = {-1, -1, -1, -1, -1, -1}, got[] = {9, 9, 9};
    float transitions[] = {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0};
    World z = {matrix_view(1, 3, values), matrix_view(3, 2, rewards), matrix_view(6, 3, transitions)};
    Matrix next_values = matrix_view(1, 3, got);
    double change = call_sweep(next_values, z, 0.5f);
    expect_within("next_values", next_values, ((double[]){-2, -3, -1}), 1e-6);
    expect_number("value_sweep(…)", change, 7, 1e-6);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(where_the_wind_blows)
{
    // From state 0, action 0 arrives with ¾ and action 1 for sure, and pays less.
    float values[] = {1, 10}, rewards[] = {2, 1, 0, -100}, got[] = {9, 9};
    float transitions[] = {0.25f, 0.75f, 0, 1, 0, 1, 1, 0};
    World z = {matrix_view(1, 2, values), matrix_view(2, 2, rewards), matrix_view(4, 2, transitions)};
    Matrix next_values = matrix_view(1, 2, got);
    double change = call_sweep(next_values, z, 1.0f);
    expect_within("next_values", next_values, ((double[]){11, 10}), 1e-5);
    expect_number("value_sweep(…)", change, 10, 1e-5);
    change = call_sweep(next_values, z, 0.25f); // action 0: 2 + 7.75 / 4, action 1: 1 + 10 / 4
    expect_within("next_values", next_values, ((double[]){3.9375, 2.5}), 1e-5);
    expect_number("value_sweep(…)", change, 7.5, 1e-5);
    EXPECT_UNCHANGED();
}
END_TEST

START_TEST(who_does_not_look_ahead_takes_the_reward)
{
    Arena *arena = arena_new();
    Rng rng = rng_of(2, 100);
    expect_sweep(random_world(arena, &rng, 6, 3), 0.0f, 1e-6);
    arena_free(arena);
}
END_TEST

START_TEST(after_the_end_nothing_is_earned)
{
    // Every action ends the episode: the values before do not matter, but the change is measured from them.
    float values[] = {50, -70, 0}, rewards[] = {1, 2, -5, -4, 0, -1}, got[] = {9, 9, 9};
    Arena *arena = arena_new();
    World z = {matrix_view(1, 3, values), matrix_view(3, 2, rewards), matrix_new(arena, 6, 3)};
    Matrix next_values = matrix_view(1, 3, got);
    double change = call_sweep(next_values, z, 1.0f);
    expect_within("next_values", next_values, ((double[]){2, -4, 0}), 1e-6);
    expect_number("value_sweep(…)", change, 66, 1e-6);
    EXPECT_UNCHANGED();
    arena_free(arena);
}
END_TEST

START_TEST(what_is_right_no_longer_changes)
{
    // 10 = 1 + 0.9 · 10
    float values[] = {10}, rewards[] = {1}, transitions[] = {1};
    World z = {matrix_view(1, 1, values), matrix_view(1, 1, rewards), matrix_view(1, 1, transitions)};
    expect_sweep(z, 0.9f, 1e-5);
    values[0] = 20; // down to 19
    expect_sweep(z, 0.9f, 1e-5);
    values[0] = -20; // up to −17
    expect_sweep(z, 0.9f, 1e-5);
}
END_TEST

START_TEST(worlds_of_any_size)
{
    static const int sizes[][2] = {{1, 4}, {5, 1}, {7, 3}, {2, 5}, {40, 4}};
    for (int k = 0; k < 10; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(2, k);
        World z = random_world(arena, &rng, sizes[k % 5][0], sizes[k % 5][1]);
        expect_sweep(z, k < 5 ? 0.95f : 1.0f, 1e-5);
        add_scalar(z.values, -30.0f);
        add_scalar(z.rewards, -20.0f);
        expect_sweep(z, 0.8f, 1e-4);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 30.3: Q-learning --------------------------------------------------------------------------------

typedef struct {
    int state, action;
    float reward;
    int next, terminal;
} Step;

// One element of q changes, to expected; all others stay as they are.
static void expect_update(Matrix q, Step z, float alpha, float gamma, double expected)
{
    Arena *arena = arena_new();
    Matrix before = matrix_copy(arena, q);
    GIVEN(OUT("q", q), NUMBER("state", z.state), NUMBER("action", z.action),
          NUMBER("reward", (double)z.reward), NUMBER("next", z.next), NUMBER("terminal", z.terminal),
          NUMBER("alpha", (double)alpha), NUMBER("gamma", (double)gamma));
    q_learn(q, z.state, z.action, z.reward, z.next, z.terminal, alpha, gamma);
    for (int s = 0; s < q.rows; s++)
        for (int a = 0; a < q.cols; a++) {
            bool learnt = s == z.state && a == z.action;
            double got = (double)AT(q, s, a), was = (double)AT(before, s, a);
            double right = learnt ? expected : was;
            if (isnan(right) && isnan(got)) continue;
            if (!(fabs(got - right) <= (learnt ? 1e-5 * fmax(1.0, fabs(right)) : 0.0)))
                EXPECT_RIGHT(wrong_because("AT(q, %d, %d): got %.7g, expected %.7g%s", s, a, got, right,
                                           learnt ? "" : " still"));
        }
    arena_free(arena);
}

START_TEST(one_step_by_hand)
{
    float values[] = {1, 2, 3, 6, 4, 5};
    Matrix q = matrix_view(3, 2, values);
    expect_update(q, (Step){0, 1, -1, 1, 0}, 0.5f, 0.5f, 2);      // target −1 + 6 / 2
    expect_update(q, (Step){0, 0, 10, 2, 0}, 0.25f, 1.0f, 4.5);   // target 15
    expect_update(q, (Step){2, 1, -20, 0, 0}, 0.5f, 1.0f, -5.25); // target −20 + 4.5
}
END_TEST

START_TEST(an_episode_ends)
{
    float values[] = {1, 2, NAN, NAN, 4, 5};
    Matrix q = matrix_view(3, 2, values);
    expect_update(q, (Step){0, 1, 10, 1, 1}, 0.5f, 0.5f, 6);
    expect_update(q, (Step){2, 0, -3, 0, 1}, 0.5f, 1.0f, 0.5);
    expect_update(q, (Step){0, 0, 0, 0, 1}, 0.5f, 1.0f, 0.5);
    expect_update(q, (Step){0, 0, 2, -1, 1}, 0.5f, 1.0f, 1.25);
    expect_update(q, (Step){2, 1, 1, 1000000000, 1}, 1.0f, 1.0f, 1);
}
END_TEST

START_TEST(back_to_the_same_state)
{
    float values[] = {3, 8, -2, -1};
    Matrix q = matrix_view(2, 2, values);
    expect_update(q, (Step){0, 1, 1, 0, 0}, 0.5f, 0.5f, 6.5);  // the maximum is the element that changes
    expect_update(q, (Step){0, 0, 1, 0, 0}, 0.5f, 1.0f, 5.25); // and here it is another
    expect_update(q, (Step){1, 0, 0, 1, 0}, 1.0f, 1.0f, -1);
}
END_TEST

START_TEST(the_best_of_bad_actions)
{
    float values[] = {0, 0, 0, -9, -4, -6};
    Matrix q = matrix_view(2, 3, values);
    expect_update(q, (Step){0, 2, -1, 1, 0}, 0.5f, 0.5f, -1.5);
}
END_TEST

START_TEST(nothing_learnt_and_nothing_kept)
{
    float values[] = {7, -7, 5, -30};
    Matrix q = matrix_view(2, 2, values);
    expect_update(q, (Step){0, 0, 100, 1, 0}, 0.0f, 0.9f, 7);
    expect_update(q, (Step){0, 0, 100, 1, 0}, 1.0f, 0.0f, 100);
    expect_update(q, (Step){1, 1, 1, 0, 0}, 1.0f, 1.0f, 101);
}
END_TEST

START_TEST(tables_of_any_size)
{
    static const int sizes[][2] = {{1, 1}, {2, 5}, {9, 1}, {41, 4}};
    for (int k = 0; k < 40; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(3, k);
        Matrix q = random_normal(arena, &rng, sizes[k % 4][0], sizes[k % 4][1]);
        Step z = {(int)rng_below(&rng, (uint32_t)q.rows), (int)rng_below(&rng, (uint32_t)q.cols),
                  rng_normal(&rng), (int)rng_below(&rng, (uint32_t)q.rows), rng_below(&rng, 3) == 0};
        float alpha = rng_uniform(&rng), gamma = rng_uniform(&rng);
        double most = -INFINITY, was = (double)AT(q, z.state, z.action);
        for (int a = 0; a < q.cols; a++) most = fmax(most, (double)AT(q, z.next, a));
        double target = (double)z.reward + (z.terminal ? 0.0 : (double)gamma * most);
        expect_update(q, z, alpha, gamma, was + (double)alpha * (target - was));
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 30.4: generalised advantage estimation ----------------------------------------------------------

typedef struct {
    Matrix rewards, values, next_values, terminated, ended;
} Steps;

static void call_advantages(Matrix advantages, Matrix targets, Steps z, float gamma, float lambda)
{
    GIVEN(OUT("advantages", advantages), OUT("targets", targets), IN("rewards", z.rewards),
          IN("values", z.values), IN("next_values", z.next_values), IN("terminated", z.terminated),
          IN("ended", z.ended), NUMBER("gamma", (double)gamma), NUMBER("lambda", (double)lambda));
    generalised_advantages(advantages, targets, z.rewards, z.values, z.next_values, z.terminated, z.ended,
                           gamma, lambda);
}

// By the definition: for each step the sum of (gamma · lambda)^k δ(t + k) as far as its episode goes.
static void expect_advantages(Steps z, float gamma, float lambda, double room)
{
    Arena *arena = arena_new();
    int steps = z.rewards.cols;
    Matrix advantages = rubbish(arena, 1, steps), targets = rubbish(arena, 1, steps);
    double *expected = doubles(arena, (size_t)steps), *expected_targets = doubles(arena, (size_t)steps);
    for (int t = 0; t < steps; t++) {
        double weight = 1.0;
        expected[t] = 0.0;
        for (int k = t; k < steps; k++) {
            double after = z.terminated.data[k] > 0.0f ? 0.0 : (double)z.next_values.data[k];
            expected[t] +=
                weight * ((double)z.rewards.data[k] + (double)gamma * after - (double)z.values.data[k]);
            if (z.ended.data[k] > 0.0f) break;
            weight *= (double)gamma * (double)lambda;
        }
        expected_targets[t] = expected[t] + (double)z.values.data[t];
    }
    call_advantages(advantages, targets, z, gamma, lambda);
    expect_within("advantages", advantages, expected, room);
    expect_within("targets", targets, expected_targets, room);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Of one stretch of two steps, gamma = lambda = ½
static void expect_two(const float *marks, const double *advantages)
{
    float rewards[] = {1, 2}, values[] = {4, 6}, next_values[] = {8, 10}, got[2] = {9, 9},
          targets[2] = {9, 9};
    float terminated[] = {marks[0], marks[1]}, ended[] = {marks[2], marks[3]};
    Steps z = {matrix_view(1, 2, rewards), matrix_view(1, 2, values), matrix_view(1, 2, next_values),
               matrix_view(1, 2, terminated), matrix_view(1, 2, ended)};
    Matrix a = matrix_view(1, 2, got), b = matrix_view(1, 2, targets);
    call_advantages(a, b, z, 0.5f, 0.5f);
    expect_within("advantages", a, advantages, 1e-6);
    expect_within("targets", b, ((double[]){advantages[0] + 4, advantages[1] + 6}), 1e-6);
    EXPECT_UNCHANGED();
}

// Here next_values(t) is not values(t + 1), as with a critic that has learnt in between.
START_TEST(an_episode_that_goes_on)
{
    // δ = 1 + 4 − 4 and 2 + 5 − 6, and a quarter of the second
    expect_two((float[]){0, 0, 0, 0}, (double[]){1.25, 1});
}
END_TEST

START_TEST(an_episode_that_terminates)
{
    expect_two((float[]){0, 1, 0, 1}, (double[]){0, -4});
    expect_two((float[]){1, 0, 1, 0}, (double[]){-3, 1});
    expect_two((float[]){1, 1, 1, 1}, (double[]){-3, -4});
}
END_TEST

START_TEST(an_episode_that_is_cut)
{
    expect_two((float[]){0, 0, 0, 1}, (double[]){1.25, 1});
    expect_two((float[]){0, 0, 1, 0}, (double[]){1, 1});
    expect_two((float[]){0, 1, 1, 1}, (double[]){1, -4});
}
END_TEST

static Steps random_steps(Arena *arena, Rng *rng, int steps, int ends_of_ten)
{
    Steps z = {random_normal(arena, rng, 1, steps), random_normal(arena, rng, 1, steps),
               random_normal(arena, rng, 1, steps), matrix_new(arena, 1, steps), matrix_new(arena, 1, steps)};
    for (int t = 0; t < steps; t++) {
        z.ended.data[t] = (int)rng_below(rng, 10) < ends_of_ten ? 1.0f : 0.0f;
        z.terminated.data[t] = z.ended.data[t] * (float)rng_below(rng, 2);
        if (z.ended.data[t] < 0.5f && t + 1 < steps) z.next_values.data[t] = z.values.data[t + 1];
    }
    return z;
}

START_TEST(after_the_end_of_the_world_there_is_no_number)
{
    for (int round = 0; round < 4; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, 100 + round);
        Steps z = random_steps(arena, &rng, 20, 4);
        if (round == 3) fill(z.terminated, 1.0f), fill(z.ended, 1.0f);
        for (int t = 0; t < 20; t++)
            if (z.terminated.data[t] > 0.0f) z.next_values.data[t] = t % 2 ? NAN : INFINITY;
        expect_advantages(z, 0.99f, 0.95f, 1e-4);
        arena_free(arena);
    }
}
END_TEST

START_TEST(gamma_and_lambda_at_their_ends)
{
    for (int round = 0; round < 4; round++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, 200 + round);
        Steps z = random_steps(arena, &rng, 30, 1 + round);
        expect_advantages(z, 0.0f, 1.0f, 1e-5); // only the reward
        expect_advantages(z, 1.0f, 0.0f, 1e-5); // one step, then the critic
        expect_advantages(z, 1.0f, 1.0f, 1e-4); // to the end of the episode
        arena_free(arena);
    }
}
END_TEST

START_TEST(stretches_of_any_length)
{
    static const int sizes[] = {1, 2, 5, 64, 500};
    for (int k = 0; k < 15; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(4, k);
        Steps z = random_steps(arena, &rng, sizes[k % 5], k / 5);
        expect_advantages(z, 0.99f, 0.95f, 1e-4);
        expect_advantages(z, 0.8f, 0.5f, 1e-5);
        arena_free(arena);
    }
}
END_TEST

// ---- TASK 30.5: PPO ---------------------------------------------------------------------------------------

typedef struct {
    Matrix d_log_new, log_new, log_old, advantages;
} Policy;

static double call_loss(Policy z, float clip)
{
    GIVEN(OUT("d_log_new", z.d_log_new), IN("log_new", z.log_new), IN("log_old", z.log_old),
          IN("advantages", z.advantages), NUMBER("clip", (double)clip));
    return (double)ppo_loss(z.d_log_new, z.log_new, z.log_old, z.advantages, clip);
}

static void expect_loss(Policy z, float clip, double tolerance)
{
    Arena *arena = arena_new();
    int n = z.log_new.cols;
    double *expected = doubles(arena, (size_t)n), loss = 0.0, sizes = 0.0;
    for (int i = 0; i < n; i++) {
        double ratio = exp((double)z.log_new.data[i] - (double)z.log_old.data[i]);
        double advantage = (double)z.advantages.data[i];
        double clipped = fmax(1.0 - (double)clip, fmin(1.0 + (double)clip, ratio)) * advantage;
        double least = fmin(ratio * advantage, clipped);
        expected[i] = clipped < ratio * advantage ? 0.0 : -ratio * advantage / n;
        loss -= least / n;
        sizes += fabs(least) / n;
    }
    double got = call_loss(z, clip);
    expect_number("ppo_loss(…)", got, loss, tolerance * sizes);
    expect_close("d_log_new", z.d_log_new, expected, tolerance);
    EXPECT_UNCHANGED();
    arena_free(arena);
}

// Of one action whose ratio is given, with clip = ¼
static void expect_action(double ratio, float advantage, double loss, double gradient)
{
    float log_new[] = {(float)log(ratio) - 1}, log_old[] = {-1}, advantages[] = {advantage}, d[] = {9};
    Policy z = {matrix_view(1, 1, d), matrix_view(1, 1, log_new), matrix_view(1, 1, log_old),
                matrix_view(1, 1, advantages)};
    double got = call_loss(z, 0.25f);
    expect_number("ppo_loss(…)", got, loss, 1e-5);
    expect_within("d_log_new", z.d_log_new, &gradient, 1e-5);
    EXPECT_UNCHANGED();
}

START_TEST(close_to_the_old_policy)
{
    expect_action(1.0, 2, -2, -2);
    expect_action(1.0, -2, 2, 2);
    expect_action(1.2, 5, -6, -6);
    expect_action(0.8, -5, 4, 4);
    expect_action(0.8, 5, -4, -4);
    expect_action(1.2, -5, 6, 6);
}
END_TEST

START_TEST(far_enough_is_far_enough)
{
    expect_action(1.5, 4, -5, 0);
    expect_action(8.0, 4, -5, 0);
    expect_action(0.5, -4, 3, 0);
    expect_action(0.01, -4, 3, 0);
}
END_TEST

START_TEST(the_wrong_way_is_never_clipped)
{
    expect_action(0.5, 4, -2, -2);
    expect_action(1.5, -4, 6, 6);
    expect_action(8.0, -4, 32, 32);
}
END_TEST

START_TEST(no_better_and_no_worse_than_expected)
{
    expect_action(1.0, 0, 0, 0);
    expect_action(3.0, 0, 0, 0);
    expect_action(0.1, 0, 0, 0);
}
END_TEST

START_TEST(probabilities_that_are_no_floats)
{
    // Both probabilities are 0 as floats; their ratio is not.
    float log_new[] = {-200, -199.9f, -10000, -10000, -120, -120}, log_old[] = {-200, -200, 0, 0, -200, -121};
    float advantages[] = {1, 1, 1, -1, 1, -1}, d[6];
    Policy z = {matrix_view(1, 6, d), matrix_view(1, 6, log_new), matrix_view(1, 6, log_old),
                matrix_view(1, 6, advantages)};
    fill(z.d_log_new, NAN);
    expect_loss(z, 0.2f, 1e-4);
}
END_TEST

START_TEST(the_mean_over_any_number_of_actions)
{
    static const int sizes[] = {1, 2, 9, 256};
    for (int k = 0; k < 12; k++) {
        Arena *arena = arena_new();
        Rng rng = rng_of(5, k);
        int n = sizes[k % 4];
        float clip = 0.05f + 0.15f * (float)(k / 4);
        Policy z = {rubbish(arena, 1, n), matrix_new(arena, 1, n), random_normal(arena, &rng, 1, n),
                    random_normal(arena, &rng, 1, n)};
        for (int i = 0; i < n; i++) {
            double ratio;
            do { // until rounding cannot decide whether it is clipped
                z.log_new.data[i] = z.log_old.data[i] + 0.3f * rng_normal(&rng);
                ratio = exp((double)z.log_new.data[i] - (double)z.log_old.data[i]);
            } while (fabs(fabs(ratio - 1.0) - (double)clip) < 1e-3);
        }
        expect_loss(z, clip, 1e-5);
        arena_free(arena);
    }
}
END_TEST

// clang-format off
EXERCISE("30-reinforcement-learning",
         {"30.1", 4, the_arm_that_might_be_the_best},
         {"30.1", 4, who_was_never_pulled_comes_first},
         {"30.1", 3, of_equal_arms_the_first},
         {"30.1", 2, all_of_them_lose},
         {"30.1", 1, a_single_arm},
         {"30.1", 4, bandits_after_any_number_of_pulls},
         {"30.2", 4, a_corridor_by_hand},
         {"30.2", 4, where_the_wind_blows},
         {"30.2", 2, who_does_not_look_ahead_takes_the_reward},
         {"30.2", 3, after_the_end_nothing_is_earned},
         {"30.2", 2, what_is_right_no_longer_changes},
         {"30.2", 5, worlds_of_any_size},
         {"30.3", 4, one_step_by_hand},
         {"30.3", 4, an_episode_ends},
         {"30.3", 2, back_to_the_same_state},
         {"30.3", 2, the_best_of_bad_actions},
         {"30.3", 1, nothing_learnt_and_nothing_kept},
         {"30.3", 3, tables_of_any_size},
         {"30.4", 3, an_episode_that_goes_on},
         {"30.4", 4, an_episode_that_terminates},
         {"30.4", 5, an_episode_that_is_cut},
         {"30.4", 4, after_the_end_of_the_world_there_is_no_number},
         {"30.4", 3, gamma_and_lambda_at_their_ends},
         {"30.4", 5, stretches_of_any_length},
         {"30.5", 3, close_to_the_old_policy},
         {"30.5", 5, far_enough_is_far_enough},
         {"30.5", 5, the_wrong_way_is_never_clipped},
         {"30.5", 1, no_better_and_no_worse_than_expected},
         {"30.5", 3, probabilities_that_are_no_floats},
         {"30.5", 5, the_mean_over_any_number_of_actions})
