/*
# Reinforcement learning

A child learns to ride a bicycle without a single labelled example. Nobody says "at this angle turn the handlebar by
four degrees". It tries, and falls, and what it gets is one number now and then: still up, or not. **Reinforcement
learning** (强化学习) is learning from such numbers. An **agent** (智能体) acts, a world answers with a **reward** (奖励), and
the sum of the rewards is to become large.

Two things make this harder than all that came before. The agent finds out only about what it has tried, so now and
then it must try what does not look best. And when a reward comes, it does not say which of the many actions before it
earned it. We take them one at a time: first ten levers, where nothing has a future, then a maze, then a pole on a
cart and a pendulum.

In the end we let in an opponent that is seldom invited: search that never looks at a gradient.

You need the tape of chapter 7. Chapter 31 does the same with a language model as the agent.
*/

#include "base/mathf.h"
#include "base/utf8.h"
#include "files/folder.h"
#include "learning/ops/activation.h"
#include "learning/ops/elementwise.h"
#include "learning/ops/likelihood.h"
#include "learning/ops/shape.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/actor_critic.h"
#include "models/checkpoint.h"
#include "models/sampler.h"
#include "models/worlds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
## Ten levers

The **multi-armed bandit** (多臂老虎机) is the smallest world: ten levers, each pays its own mean plus noise, and you have
2000 pulls. The means are drawn from a normal distribution, and so is the noise. What a strategy loses against
somebody who knows the best lever is its **regret** (遗憾), the sum of the gaps between the best mean and those of the
levers that were pulled.

Pull what looks best, and you may miss a better one for ever: that is **exploitation** (利用). Pull anything, and you
pay for what you know already: **exploration** (探索). Three ways to mix them:

- **ε-greedy**: with probability $\varepsilon$ any lever, otherwise the one with the best mean so far. $\varepsilon$
  may fall like $c/t$.
- **Upper confidence bound** (置信上界, UCB; Auer and others 2002): the one with the largest
  $\bar r_a + c\sqrt{\ln t / n_a}$. A lever that was pulled rarely gets the benefit of the doubt.
- **Thompson sampling** (汤普森采样, 1933): draw for each lever a mean that fits what was seen of it, pull the largest.

Each strategy plays the same thousand problems, and pulls each lever once to begin with.
*/

enum { ARMS = 10, PULLS = 2000, PROBLEMS = 1000 };

typedef enum { GREEDY, GREEDY_FALLING, UCB, THOMPSON } Rule;

typedef struct {
    const char *name;
    Rule rule;
    float value; // ε, c of ε = c / t, or c of UCB
} Strategy;

// sums and counts [ARMS] of what came before pull t (from 0)
static int choose_arm(const Strategy *s, const float *sums, const int *counts, int t, Rng *rng)
{
    if (t < ARMS) return t;
    float score[ARMS], normals[ARMS];
    const float epsilon = s->rule == GREEDY_FALLING ? s->value / (float)t : s->value, log_t = log32((float)t);
    if (s->rule <= GREEDY_FALLING && rng_uniform(rng) < epsilon) return (int)rng_below(rng, ARMS);
    if (s->rule == THOMPSON) rng_normals(rng, normals, ARMS);
    for (int a = 0; a < ARMS; a++) {
        const float n = (float)counts[a];
        score[a] = sums[a] / n;
        if (s->rule == UCB) score[a] += s->value * sqrtf(log_t / n);
        // before the first pull a mean is N(0, 1); after n with noise N(0, 1) it is N(sum / (n + 1), 1 / (n + 1))
        if (s->rule == THOMPSON) score[a] = sums[a] / (n + 1.0f) + normals[a] / sqrtf(n + 1.0f);
    }
    int best = 0;
    for (int a = 1; a < ARMS; a++)
        if (score[a] > score[best]) best = a;
    return best;
}

// regret [PULLS] += the regret of one problem up to each pull
static void play_problem(const Strategy *s, float *regret, Rng *rng)
{
    float means[ARMS], sums[ARMS] = {0}, lost = 0.0f;
    int counts[ARMS] = {0};
    rng_normals(rng, means, ARMS);
    const float best = largest(matrix_view(1, ARMS, means));
    for (int t = 0; t < PULLS; t++) {
        const int arm = choose_arm(s, sums, counts, t, rng);
        sums[arm] += means[arm] + rng_normal(rng);
        counts[arm]++;
        regret[t] += lost += best - means[arm];
    }
}

// mean [PULLS]: the mean regret of all problems up to each pull. Problems are dealt to twenty sums, whatever the threads.
static double mean_regret(const Strategy *s, float *mean, const Rng *rng)
{
    enum { SUMS = 20 };
    static float sums[SUMS][PULLS];
    memset(sums, 0, sizeof sums);
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < SUMS; i++)
        for (int p = i; p < PROBLEMS; p += SUMS) {
            Rng own = rng_stream(rng, (uint64_t)p);
            play_problem(s, sums[i], &own);
        }
    column_means(matrix_view(1, PULLS, mean), matrix_view(SUMS, PULLS, sums[0]));
    scale(matrix_view(1, PULLS, mean), (float)SUMS / PROBLEMS);
    return (double)mean[PULLS - 1];
}

enum { STRATEGIES = 16, NEVER = 0, TENTH = 3, UCB_ONE = 12, THOMPSON_AT = 15 };
static const Strategy strategies[STRATEGIES] = {
    {"ε = 0", GREEDY, 0.0f},
    {"ε = 0.01", GREEDY, 0.01f},
    {"ε = 0.03", GREEDY, 0.03f},
    {"ε = 0.1", GREEDY, 0.1f},
    {"ε = 0.3", GREEDY, 0.3f},
    {"ε = 3/t", GREEDY_FALLING, 3.0f},
    {"ε = 5/t", GREEDY_FALLING, 5.0f},
    {"ε = 10/t", GREEDY_FALLING, 10.0f},
    {"ε = 30/t", GREEDY_FALLING, 30.0f},
    {"ε = 100/t", GREEDY_FALLING, 100.0f},
    {"UCB, c = 0.5", UCB, 0.5f},
    {"UCB, c = 0.7", UCB, 0.7f},
    {"UCB, c = 1", UCB, 1.0f},
    {"UCB, c = 1.4", UCB, 1.4f},
    {"UCB, c = 2", UCB, 2.0f},
    {"Thompson", THOMPSON, 0.0f},
};

static void plot_regret(Lesson *lesson, float curves[STRATEGIES][PULLS])
{
    static const int shown[] = {3, 0, 2, 6, 15, 12, 11};
    Plot *plot = plot_begin(lesson, "regret.svg", "What exploring costs");
    plot_axes(plot, "pulls", "regret, mean of 1000 problems");
    for (int i = 0; i < 7; i++) plot_line(plot, strategies[shown[i]].name, NULL, curves[shown[i]], PULLS);
    plot_end(
        plot,
        "A constant ε pays for ever, and so does never exploring. UCB and Thompson sampling stop paying.");
}

// In so many columns; ε is two bytes
static void print_name(const char *name, int columns)
{
    printf("%s%*s", name, columns - utf8_columns(name), "");
}

static void pull_levers(Lesson *lesson)
{
    section(lesson, "Ten levers");
    static float curves[STRATEGIES][PULLS];
    const Rng rng = lesson_rng(lesson, 1);
    double regret[STRATEGIES], best_greedy = INFINITY;
    printf("%-14s  regret after 1000  after 2000  ratio\n", "");
    for (int s = 0; s < STRATEGIES; s++) {
        lesson_progress(lesson, "levers", s, STRATEGIES, NAN);
        regret[s] = mean_regret(&strategies[s], curves[s], &rng);
        const double half = (double)curves[s][PULLS / 2 - 1];
        print_name(strategies[s].name, 14);
        printf("  %17.1f  %10.1f  %5.2f\n", half, regret[s], regret[s] / half);
        if (strategies[s].rule <= GREEDY_FALLING) best_greedy = fmin(best_greedy, regret[s]);
    }
    lesson_progress(lesson, "levers", STRATEGIES, STRATEGIES, NAN);
    printf("\n");
    plot_regret(lesson, curves);
    const double tenth = regret[TENTH] / (double)curves[TENTH][PULLS / 2 - 1],
                 thompson = regret[THOMPSON_AT] / (double)curves[THOMPSON_AT][PULLS / 2 - 1];
    claim(
        lesson, tenth >= 1.6 && thompson <= 1.25,
        "after 2000 pulls the regret of ε = 0.1 is %.2f times what it was after 1000, that of Thompson %.2f",
        tenth, thompson);
    claim(lesson, fmax(regret[UCB_ONE], regret[THOMPSON_AT]) <= 0.35 * regret[TENTH],
          "UCB with c = 1 and Thompson sampling have at most 0.35 of the regret of ε = 0.1 (%.2f and %.2f)",
          regret[UCB_ONE] / regret[TENTH], regret[THOMPSON_AT] / regret[TENTH]);
    claim(lesson, best_greedy >= 1.5 * fmax(regret[UCB_ONE], regret[THOMPSON_AT]),
          "and the best of the ten ε is %.1f times as dear as the dearer of the two",
          best_greedy / fmax(regret[UCB_ONE], regret[THOMPSON_AT]));
    claim(lesson, regret[NEVER] < regret[TENTH],
          "over 2000 pulls, never exploring (%.0f) beats ε = 0.1 (%.0f), the value most often seen",
          regret[NEVER], regret[TENTH]);
}

/*
The last line deserves a second look. After one pull of each lever, never exploring again loses less than exploring
one time in ten. Both curves are straight at the end, each for its own reason: whoever was unlucky with the best lever
and never looks again pays for ever, and whoever explores one time in ten pays a tenth for ever. And to compare with
$\varepsilon = 0.1$ alone would have been unfair: an $\varepsilon$ that falls has less than half of its regret.

## A maze

Now actions have a future. The agent stands in one of 41 cells, walks up, right, down or left, pays 1 for each step,
and the game ends at the goal. Such a world, in which what happens next depends on the cell and the action and on
nothing before, is a **Markov decision process** (马尔可夫决策过程). Later costs count less, by $\gamma = 0.95$ a step. The
**value** (价值) $V(s)$ of a cell is what the best way from there costs, and it obeys **Bellman's equation** (贝尔曼方程):

$$V(s) = \max_a \; \mathbb{E}\left[ r + \gamma V(s') \right] .$$

The value of a cell is the reward of the best step plus the value of where it leads. Read it as an assignment, repeat
it for all cells, and the error shrinks by $\gamma$ each time. That is **value iteration** (价值迭代), and it needs to
know the world: the floor may be slippery, and then a step goes aside in two of ten cases, which the expectation
weighs.
*/

enum { SIDE = 8, CELLS = 42, MOVES = 4, RUNS = 10 };
static const char *const plan[SIDE] = {
    "......#.", ".####...", "....#.#.", ".##.#.#.", "..#...#.", "#.####..", ".......#", ".#.#.#.G",
};
static const float GAMMA = 0.95f;

typedef struct {
    int next[CELLS][MOVES]; // up, right, down, left; into a wall or out of the maze: stays
    int cell[SIDE][SIDE];   // −1: wall
    int goal;
    float slip; // the probability of going aside
} Maze;

static Maze maze_new(float slip)
{
    Maze m = {.slip = slip};
    int count = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            m.cell[i][j] = plan[i][j] == '#' ? -1 : count++;
            if (plan[i][j] == 'G') m.goal = m.cell[i][j];
        }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            for (int a = 0; a < MOVES && m.cell[i][j] >= 0; a++) {
                const int row = i + (a == 2) - (a == 0), col = j + (a == 1) - (a == 3);
                const bool free = row >= 0 && row < SIDE && col >= 0 && col < SIDE && m.cell[row][col] >= 0;
                m.next[m.cell[i][j]][a] = m.cell[free ? row : i][free ? col : j];
            }
    return m;
}

// E[r + γ V(s')] of an action, with values [CELLS]
static float action_value(const Maze *m, const float *values, int cell, int action)
{
    const float ahead = values[m->next[cell][action]], left = values[m->next[cell][(action + 3) % MOVES]],
                right = values[m->next[cell][(action + 1) % MOVES]];
    return -1.0f + GAMMA * ((1.0f - m->slip) * ahead + 0.5f * m->slip * (left + right));
}

static int best_of(const float q[MOVES])
{
    int best = 0;
    for (int a = 1; a < MOVES; a++)
        if (q[a] > q[best]) best = a;
    return best;
}

// One assignment in all cells at once; of the action that policy [CELLS] says, or of the best when it is NULL. Returns the
// largest change.
static float sweep(const Maze *m, float *values, const int *policy)
{
    float next[CELLS], change = 0.0f;
    for (int s = 0; s < CELLS; s++) {
        float q[MOVES];
        for (int a = 0; a < MOVES; a++) q[a] = action_value(m, values, s, a);
        next[s] = s == m->goal ? 0.0f : q[policy ? policy[s] : best_of(q)];
        change = fmaxf(change, fabsf(next[s] - values[s]));
    }
    memcpy(values, next, sizeof next);
    return change;
}

/*
Who does not know the world can still walk through it. **Q-learning** (Q 学习; Watkins 1989) keeps a number $Q(s, a)$
for each action in each cell, and after every step moves it towards what the step has shown:

$$Q(s,a) \leftarrow Q(s,a) + \alpha \left( r + \gamma \max_{a'} Q(s',a') - Q(s,a) \right) .$$

No expectation: the world draws it for us, and the small step $\alpha$ averages.
*/

typedef struct {
    int steps;
    float explore, rate, last_rate, start; // ε; α from … to; what Q begins with
} Learning;

static void q_learn(const Maze *m, float q[CELLS][MOVES], Learning how, Rng *rng)
{
    int s = m->goal;
    for (int i = 0; i < CELLS * MOVES; i++) q[i / MOVES][i % MOVES] = how.start;
    for (int step = 0; step < how.steps; step++) {
        while (s == m->goal) s = (int)rng_below(rng, CELLS); // a new episode begins anywhere
        const int a = rng_uniform(rng) < how.explore ? (int)rng_below(rng, MOVES) : best_of(q[s]);
        const float luck = rng_uniform(rng);
        const int aside = luck < 0.5f * m->slip ? 3
                          : luck < m->slip      ? 1
                                                : 0,
                  to = m->next[s][(a + aside) % MOVES];
        const float alpha = how.rate + (how.last_rate - how.rate) * (float)step / (float)how.steps;
        const float ahead = to == m->goal ? 0.0f : q[to][best_of(q[to])];
        q[s][a] += alpha * (-1.0f + GAMMA * ahead - q[s][a]);
        s = to;
    }
}

/*
How good is what it learnt? Not by comparing actions: where two ways are equally long, either is right. We take the
best actions of Q as a policy, compute what *that* policy is worth in each cell, and look at the cell that loses most.
*/

typedef struct {
    float loss; // the most that a cell loses
    int other;  // cells in which the action is another than value iteration's
} Comparison;

static Comparison compare_policies(const Maze *m, const float *best, float q[CELLS][MOVES])
{
    Comparison c = {0};
    int policy[CELLS];
    float values[CELLS] = {0};
    for (int s = 0; s < CELLS; s++) {
        float truth[MOVES];
        for (int a = 0; a < MOVES; a++) truth[a] = action_value(m, best, s, a);
        policy[s] = best_of(q[s]);
        c.other += s != m->goal && policy[s] != best_of(truth);
    }
    for (int i = 0; i < 1000; i++) sweep(m, values, policy);
    for (int s = 0; s < CELLS; s++) c.loss = fmaxf(c.loss, best[s] - values[s]);
    return c;
}

// Prints the runs; returns how many lose at most `bound` in every cell, and how many cells have another action
static int try_q_learning(Lesson *lesson, const char *name, const Maze *m, const float *best, Learning how,
                          float bound, int *other)
{
    int good = 0;
    *other = 0;
    print_name(name, 26);
    for (int run = 0; run < RUNS; run++) {
        float q[CELLS][MOVES];
        Rng rng = lesson_rng(lesson, (uint64_t)(100 + run));
        q_learn(m, q, how, &rng);
        const Comparison c = compare_policies(m, best, q);
        printf(" %6.3f", (double)c.loss);
        good += c.loss <= bound;
        *other += c.other;
    }
    printf("\n");
    return good;
}

static void plot_values(Lesson *lesson, const Maze *m, const float *best)
{
    static const char *const arrows[MOVES] = {"↑", "→", "↓", "←"};
    Plot *plot = plot_begin(lesson, "maze.png", "What each cell is worth on a slippery floor");
    Matrix values = matrix_new(lesson_arena(lesson), SIDE, SIDE);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            AT(values, SIDE - 1 - i, j) = m->cell[i][j] < 0 ? NAN : best[m->cell[i][j]];
    plot_heatmap(plot, (PlotWindow){1, SIDE, 1, SIDE}, values);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            float q[MOVES];
            for (int a = 0; a < MOVES && m->cell[i][j] >= 0; a++)
                q[a] = action_value(m, best, m->cell[i][j], a);
            if (m->cell[i][j] >= 0 && m->cell[i][j] != m->goal) // texts grow away from the nearer edge
                plot_text(plot, j < 6 ? j + 0.85 : j + 1.15, SIDE - i, arrows[best_of(q)]);
        }
    plot_size(plot, 760, 620);
    plot_end(plot, "Values by value iteration, with the best action of each cell. White cells are walls, the "
                   "darkest is the goal.");
}

static void walk_the_maze(Lesson *lesson)
{
    section(lesson, "A maze");
    float best[2][CELLS] = {{0}}, worst_ratio = 0.0f;
    const Maze dry = maze_new(0.0f), wet = maze_new(0.2f);
    int sweeps = 0, other[5], good[5];
    for (int i = 0; i < 2; i++)
        for (float before = 0.0f, change = 1.0f; change > 1e-5f; before = change) {
            change = sweep(i ? &wet : &dry, best[i], NULL);
            if (before > 0.0f && change > 1e-3f) worst_ratio = fmaxf(worst_ratio, change / before);
            sweeps += i;
        }
    printf("value iteration, slippery: %d sweeps; the upper left corner is worth %.2f, on a dry "
           "floor %.2f\n\n",
           sweeps, (double)best[1][0], (double)best[0][0]);
    printf("Q-learning: the most that a cell loses, of ten runs\n");
    good[0] = try_q_learning(lesson, "dry, ε = 0.1", &dry, best[0], (Learning){10000, 0.1f, 1, 1, 0}, 1e-3f,
                             &other[0]);
    good[1] = try_q_learning(lesson, "dry, never exploring", &dry, best[0], (Learning){10000, 0, 1, 1, 0},
                             1e-3f, &other[1]);
    good[2] = try_q_learning(lesson, "the same, Q from −20", &dry, best[0], (Learning){10000, 0, 1, 1, -20},
                             1e-3f, &other[2]);
    good[3] = try_q_learning(lesson, "slippery, α 0.5 to 0.01", &wet, best[1],
                             (Learning){100000, 0.5f, 0.5f, 0.01f, 0}, 0.15f, &other[3]);
    good[4] = try_q_learning(lesson, "slippery, α = 0.5", &wet, best[1],
                             (Learning){100000, 0.5f, 0.5f, 0.5f, 0}, 0.15f, &other[4]);
    printf("\n");
    plot_values(lesson, &wet, best[1]);
    claim(lesson, worst_ratio <= GAMMA + 1e-4f,
          "each sweep of value iteration shrinks the largest change by γ or more (%.4f)",
          (double)worst_ratio);
    claim(lesson, good[0] == RUNS,
          "on a dry floor Q-learning finds a shortest way from every cell, in %d of %d runs", good[0], RUNS);
    claim(lesson, good[1] == RUNS && good[2] < RUNS,
          "so it does without exploring when Q begins at 0, more than anything is worth: %d runs; from −20, "
          "less than anything, %d",
          good[1], good[2]);
    claim(lesson, good[3] == RUNS && good[4] < RUNS,
          "on a slippery one no cell loses more than 0.15 in %d runs of %d, with a constant α in %d", good[3],
          RUNS, good[4]);
    claim(lesson, other[3] > 0,
          "though in %d of the %d cells of these runs the action is another than value iteration's", other[3],
          RUNS * (CELLS - 1));
}

/*
**Optimism** (乐观初始化) explores by itself: an action that has not been tried still has its 0, every action that was
tried has something below, so the greedy agent goes on to the untried. Started below everything, it takes the first
way that it finds and never another. The control says that it was the start, and nothing else.

And the two policies do differ: in a few cells two actions are worth nearly the same. A comparison of actions would
have called the agent wrong there.

## A pole on a cart

A table with a row for each cell ends where the state is a real number. A pole stands on a cart, upright, nearly. Ten
newtons to the left, or ten to the right, fifty times a second: it must not tilt by more than 12° nor leave the track.
An episode has at most 500 steps, and each is worth 1. (Barto, Sutton and Anderson 1983; the equations are in
`common/models/worlds.c`.)

The **policy** (策略) $\pi(a \mid s)$ is a network with one hidden layer: from four numbers to the probabilities of two
actions. How does one ascend a reward through a world that has no derivative? The probabilities have one:

$$\nabla \, \mathbb{E}[R] = \mathbb{E}\Big[ \sum_t \nabla \log \pi(a_t \mid s_t) \, A_t \Big] .$$

Make what was done likelier, in proportion to what came of it: the **policy gradient** (策略梯度), in this form
**REINFORCE** (Williams 1992). Each $A_t$ may be the return of the whole episode. Since an action has no influence on
what was before, the **return to go** (剩余回报) $G_t = r_t + \gamma r_{t+1} + \dots$ will do. And any $b(s_t)$ that does
not depend on the action can be subtracted, a **baseline** (基线): it does not change the mean of the gradient, since
$\mathbb{E}[\nabla \log \pi] = 0$. What it changes is the noise.

What happened is kept as rows, one a step.
*/

typedef struct {
    int count;
    Matrix seen; // (capacity × observations)
    int *actions;
    float *rewards;
    bool *last; // of an episode
} Experience;

typedef struct {
    Arena *arena, *scratch;
    Tape *tape;
    ActorCritic nets;
    Optimiser adam;
} Agent;

static Agent *agent_new(const World *world, int hidden, Rng *rng)
{
    Arena *arena = arena_new();
    Agent *a = arena_zeros(arena, 1, sizeof *a);
    a->arena = arena;
    a->scratch = arena_new();
    a->tape = tape_new();
    a->nets = actor_critic_new(arena, world->observations, hidden, world->actions, rng);
    a->adam = adam_new(arena, &a->nets.parameters, 0.9f, 0.999f, 1e-8f, 0.0f);
    return a;
}

static void agent_free(Agent *a)
{
    tape_free(a->tape);
    arena_free(a->scratch);
    arena_free(a->arena);
}

static Experience experience_new(Arena *arena, const World *world, int capacity)
{
    const size_t n = (size_t)capacity;
    return (Experience){.seen = matrix_new(arena, capacity, world->observations),
                        .actions = arena_alloc(arena, n, sizeof(int)),
                        .rewards = arena_alloc(arena, n, sizeof(float)),
                        .last = arena_alloc(arena, n, sizeof(bool))};
}

// Without recording, in the scratch arena: logits (N × actions) and values (N × 1)
static Matrix logits_of(Agent *a, Matrix seen)
{
    return actor_critic_policy(&a->nets, tape_input(tape_inference(a->scratch), seen))->value;
}
static Matrix values_of(Agent *a, Matrix seen)
{
    return actor_critic_value(&a->nets, tape_input(tape_inference(a->scratch), seen))->value;
}

static int draw_action(Matrix logits, int row, Rng *rng)
{
    return sample_token(matrix_rows(logits, row, 1), (Sampling){.temperature = 1.0f}, rng);
}

// Row `to` becomes row `from`
static void experience_move(Experience *e, int to, int from)
{
    memmove(matrix_row(e->seen, to), matrix_row(e->seen, from), (size_t)e->seen.cols * sizeof(float));
    e->actions[to] = e->actions[from];
    e->rewards[to] = e->rewards[from];
    e->last[to] = e->last[from];
}

// Plays episodes side by side and returns their mean return. Into e, unless NULL, goes one after the other; it has room for
// episodes × limit rows.
static double play(const World *world, Agent *a, int episodes, Experience *e, Rng *rng)
{
    const ArenaMark mark = arena_mark(a->scratch);
    float(*states)[WORLD_STATES] = arena_alloc(a->scratch, (size_t)episodes, sizeof *states);
    int *alive = arena_alloc(a->scratch, (size_t)episodes, sizeof *alive),
        *length = arena_zeros(a->scratch, (size_t)episodes, sizeof *length), left = episodes;
    const Matrix seen = matrix_new(a->scratch, episodes, world->observations);
    double total = 0.0;
    for (int i = 0; i < episodes; i++) world->start(states[i], rng), alive[i] = i;
    while (left > 0) {
        const ArenaMark step = arena_mark(a->scratch);
        for (int i = 0; i < left; i++) world->observe(matrix_row(seen, i), states[alive[i]]);
        const Matrix logits = logits_of(a, matrix_rows(seen, 0, left));
        int still = 0;
        for (int i = 0; i < left; i++) {
            const int n = alive[i], action = draw_action(logits, i, rng),
                      row = n * world->limit + length[n]++;
            float reward;
            const bool ended = world->step(states[n], action, &reward),
                       last = ended || length[n] == world->limit;
            if (e) {
                memcpy(matrix_row(e->seen, row), matrix_row(seen, i), (size_t)seen.cols * sizeof(float));
                e->actions[row] = action;
                e->rewards[row] = reward;
                e->last[row] = last;
            }
            total += (double)reward;
            if (!last) alive[still++] = n;
        }
        left = still;
        arena_rewind(a->scratch, step);
    }
    if (e) e->count = 0;
    for (int n = 0; n < episodes && e; n++) // close the gaps
        for (int t = 0; t < length[n]; t++) experience_move(e, e->count++, n * world->limit + t);
    arena_rewind(a->scratch, mark);
    return total / episodes;
}

/*
One step of REINFORCE plays eight episodes. The baseline is nothing, or the mean return to go of the batch, or a
second network $V(s)$, fitted to the returns after each step: the **critic** (评论家), where the policy is the **actor**
(演员). Values are in units of 20, so that the network's numbers are of size 1.
*/

typedef enum { NO_BASELINE, MEAN_BASELINE, VALUE_BASELINE } Baseline;
enum { BATCH = 8, LIMIT = 500 };
static const float UNIT = 20.0f;

// to_go [count]
static void returns_to_go(float *to_go, const Experience *e, float gamma)
{
    for (int t = e->count - 1; t >= 0; t--)
        to_go[t] = e->rewards[t] + (e->last[t] ? 0.0f : gamma * to_go[t + 1]);
}

// The critic, fitted to what was seen by some steps of Adam
static void fit_values(Agent *a, const Experience *e, const float *to_go, int steps, float rate)
{
    for (int i = 0; i < steps; i++) {
        tape_reset(a->tape);
        const Matrix target = matrix_from(tape_arena(a->tape), e->count, 1, to_go);
        scale(target, 1.0f / UNIT);
        backward(mean_squared_error(
            actor_critic_value(&a->nets, tape_input(a->tape, matrix_rows(e->seen, 0, e->count))), target));
        optimiser_step(&a->adam, rate);
    }
}

// Leaves in the gradients −Σ weight · ∇ log π
static void policy_gradient(Agent *a, const Experience *e, const float *weights)
{
    tape_reset(a->tape);
    Tensor *logits = actor_critic_policy(&a->nets, tape_input(a->tape, matrix_rows(e->seen, 0, e->count)));
    backward(tensor_scale(cross_entropy_weighted(logits, e->actions, weights), (float)e->count));
}

static void reinforce_update(const World *world, Agent *a, Experience *e, Baseline baseline, float rate,
                             Rng *rng)
{
    const ArenaMark mark = arena_mark(a->scratch);
    play(world, a, BATCH, e, rng);
    float *to_go = arena_alloc(a->scratch, (size_t)e->count, sizeof *to_go),
          *weights = arena_alloc(a->scratch, (size_t)e->count, sizeof *weights);
    returns_to_go(to_go, e, 0.99f);
    const float level = (float)mean(matrix_view(e->count, 1, to_go));
    const Matrix values = values_of(a, matrix_rows(e->seen, 0, e->count)); // fitted to earlier episodes
    for (int t = 0; t < e->count; t++)
        weights[t] = (to_go[t] - (baseline == MEAN_BASELINE    ? level
                                  : baseline == VALUE_BASELINE ? UNIT * values.data[t]
                                                               : 0.0f)) /
                     (100.0f * BATCH);
    policy_gradient(a, e, weights);
    optimiser_step(&a->adam, rate);
    if (baseline == VALUE_BASELINE) fit_values(a, e, to_go, 5, rate);
    arena_rewind(a->scratch, mark);
}

/*
When is the pole balanced? Not when the last episodes of training look good: these are old news, and a good streak
ends many a run too early. Every few updates the policy plays 20 *fresh* episodes; if their mean is 450 or more, a
hundred others must confirm it. We count episodes and steps up to there, and give up after 800 episodes.
*/

enum { LOOK = 20 };

typedef struct {
    long steps, episodes; // in which the policy learnt
    bool solved;
    double score; // the mean of the last fresh episodes
} Outcome;

// Whether the policy reaches the goal
static bool examine(const World *world, Agent *a, double goal, Outcome *o, Rng *rng)
{
    o->score = play(world, a, LOOK, NULL, rng);
    if (o->score >= goal) o->score = play(world, a, 100, NULL, rng);
    return o->solved = o->score >= goal;
}

typedef struct {
    Baseline baseline;
    float rate;
} Reinforce;

static void reinforce(const World *world, Reinforce how, double goal, Outcome *o, Rng rng)
{
    Agent *a = agent_new(world, 32, &rng);
    Experience e = experience_new(a->arena, world, BATCH * world->limit);
    Rng fresh = rng_stream(&rng, 1);
    while (o->episodes < 800) {
        reinforce_update(world, a, &e, how.baseline, how.rate, &rng);
        o->steps += e.count;
        o->episodes += BATCH;
        if (o->episodes % (5 * BATCH) == 0 && examine(world, a, goal, o, &fresh)) break;
    }
    agent_free(a);
}

/*
## Search without a gradient

Before anybody praises a gradient, a look at those who have none. The simplest policy is linear: push to the right if
$w \cdot s > 0$, four numbers. **Random search** (随机搜索) draws them from $[-1, 1]$, plays one episode, and draws again
until an episode lasts to the end (and fresh ones confirm it). The **cross-entropy method** (交叉熵方法, CEM; Rubinstein
1999) learns from its failures: draw 20 candidates around a mean, keep the best four, and take *their* mean and
deviation for the next draw.
*/

typedef struct {
    int hidden; // 0: linear
    float deviation,
        extra; // of the first draw; what is added to later ones, falling to 0 at half of the steps
} Cem;

enum { CROWD = 20, ELITE = 4, HIDDEN = 16, MOST = HIDDEN * (WORLD_STATES + 2) + 1 };

// weights: w [observations]; or for each hidden unit its inputs' and a bias, then the outer ones and a bias
static int weigh(const World *world, const float *weights, int hidden, const float *seen)
{
    const int n = world->observations;
    float u = 0.0f;
    for (int i = 0; i < n && !hidden; i++) u += weights[i] * seen[i];
    for (int h = 0; h < hidden; h++, weights += n + 2) {
        float z = weights[n];
        for (int i = 0; i < n; i++) z += weights[i] * seen[i];
        u += weights[n + 1] * tanh32(z);
    }
    if (hidden) u += weights[0];
    return int_min(world->actions - 1,
                   (int)(sigmoid32(u) * (float)world->actions)); // the actions are in order
}

// The mean return of some episodes; steps, unless NULL, counts
static double play_weights(const World *world, const float *weights, int hidden, int episodes, long *steps,
                           Rng *rng)
{
    double total = 0.0;
    for (int i = 0; i < episodes; i++) {
        float state[WORLD_STATES], seen[WORLD_STATES], reward;
        bool ended = false;
        world->start(state, rng);
        for (int t = 0; t < world->limit && !ended; t++) {
            world->observe(seen, state);
            ended = world->step(state, weigh(world, weights, hidden, seen), &reward);
            total += (double)reward;
            if (steps) ++*steps;
        }
    }
    return total / episodes;
}

static bool examine_weights(const World *world, const float *weights, int hidden, double goal, Outcome *o,
                            Rng *rng)
{
    o->score = play_weights(world, weights, hidden, LOOK, NULL, rng);
    if (o->score >= goal) o->score = play_weights(world, weights, hidden, 100, NULL, rng);
    return o->solved = o->score >= goal;
}

static void random_search(const World *world, double goal, Outcome *o, Rng rng)
{
    float w[WORLD_STATES];
    Rng fresh = rng_stream(&rng, 1);
    for (o->episodes = 1; o->episodes <= 2000; o->episodes++) {
        for (int i = 0; i < world->observations; i++) w[i] = rng_between(&rng, -1.0f, 1.0f);
        if (play_weights(world, w, 0, 1, &o->steps, &rng) >= goal &&
            examine_weights(world, w, 0, goal, o, &fresh))
            break;
    }
}

/*
All candidates of a draw begin in the same state, drawn anew for each draw. Otherwise luck with the start decides who
is kept: tried apart with starts of each one's own, the method failed in most runs of a world that we come to below.
*/

static void cross_entropy_method(const World *world, Cem how, double goal, Outcome *o, Rng rng)
{
    enum { STEPS = 1600000 };
    const int size = how.hidden ? how.hidden * (world->observations + 2) + 1 : world->observations;
    float crowd[CROWD][MOST], score[CROWD], centre[MOST] = {0}, deviation[MOST];
    Rng fresh = rng_stream(&rng, 1);
    for (int i = 0; i < size; i++) deviation[i] = how.deviation;
    for (int draw = 0; o->steps < STEPS; draw++) {
        const Rng same = rng_stream(&rng, (uint64_t)draw);
        for (int c = 0; c < CROWD; c++) {
            for (int i = 0; i < size; i++) crowd[c][i] = centre[i] + deviation[i] * rng_normal(&rng);
            Rng start = same;
            score[c] = (float)play_weights(world, crowd[c], how.hidden, 1, &o->steps, &start);
        }
        o->episodes += CROWD;
        int elite[ELITE];
        for (int k = 0; k < ELITE; k++) {
            elite[k] = 0;
            for (int c = 1; c < CROWD; c++)
                if (score[c] > score[elite[k]]) elite[k] = c;
            score[elite[k]] = -INFINITY;
        }
        const float extra = how.extra * fmaxf(0.0f, 1.0f - 2.0f * (float)o->steps / STEPS);
        for (int i = 0; i < size; i++) {
            float sum = 0.0f, squares = 0.0f;
            for (int k = 0; k < ELITE; k++) sum += crowd[elite[k]][i];
            centre[i] = sum / ELITE;
            for (int k = 0; k < ELITE; k++)
                squares += (crowd[elite[k]][i] - centre[i]) * (crowd[elite[k]][i] - centre[i]);
            deviation[i] = sqrtf(squares / ELITE + extra * extra);
        }
        if (examine_weights(world, centre, how.hidden, goal, o, &fresh)) break;
    }
}

/*
## Steps that can be taken again

REINFORCE plays, takes one small step, and throws all that it has seen away. Could one take several steps from the
same experience? After the first one the policy is another, and what was drawn was drawn by the old one. The ratio
$\rho = \pi(a \mid s) / \pi_\text{old}(a \mid s)$ corrects it, as long as the two are near each other. **Proximal
policy optimisation** (近端策略优化, PPO; Schulman and others 2017) takes away the reason to go far: what it raises is

$$\mathbb{E}\big[ \min\left( \rho A, \; \mathrm{clamp}(\rho, 1 - c, 1 + c) \, A \right) \big],$$

whose gradient is 0 where $\rho$ has already gone far enough in the right direction.

It uses the critic for more than a baseline, too. The return to go waits for the end of the episode, and carries the
noise of all that happens until then. But $r_t + \gamma V(s_{t+1}) - V(s_t) = \delta_t$, the **temporal difference**
(时序差分), says after one step whether things went better than expected. It is quiet, and wrong as far as $V$ is.
**Generalised advantage estimation** (广义优势估计, GAE; Schulman and others 2015) lies between:
$A_t = \delta_t + \gamma\lambda A_{t+1}$. With $\lambda = 1$ it is the return to go minus the baseline, with
$\lambda = 0$ the difference alone.
*/

typedef struct {
    int count, worlds, steps;        // rows: world w, time t is row w · steps + t
    Experience now, next;            // what was seen before and after the step; last: ended or cut
    float *old, *advantage, *target; // [count]
    bool *ended;                     // by the world itself
} Rollout;

typedef struct {
    int worlds, steps, epochs, minibatch;
    long total;
    float rate, gamma, lambda, clip, unit, reward_unit; // clip 0: none; unit of the values
} Ppo;

static Rollout rollout_new(Arena *arena, const World *world, Ppo how)
{
    const int n = how.worlds * how.steps;
    return (Rollout){.count = n,
                     .worlds = how.worlds,
                     .steps = how.steps,
                     .now = experience_new(arena, world, n),
                     .next = experience_new(arena, world, n),
                     .old = arena_alloc(arena, (size_t)n, sizeof(float)),
                     .advantage = arena_alloc(arena, (size_t)n, sizeof(float)),
                     .target = arena_alloc(arena, (size_t)n, sizeof(float)),
                     .ended = arena_alloc(arena, (size_t)n, sizeof(bool))};
}

static void advantages(Agent *a, Rollout *r, Ppo how)
{
    const ArenaMark mark = arena_mark(a->scratch);
    const Matrix v = values_of(a, r->now.seen), v_next = values_of(a, r->next.seen);
    for (int w = 0; w < r->worlds; w++)
        for (int t = r->steps - 1; t >= 0; t--) {
            const int row = w * r->steps + t;
            const float after = r->ended[row] ? 0.0f : how.gamma * how.unit * v_next.data[row];
            const float delta = r->now.rewards[row] + after - how.unit * v.data[row];
            const bool chained = t + 1 < r->steps && !r->now.last[row];
            r->advantage[row] = delta + (chained ? how.gamma * how.lambda * r->advantage[row + 1] : 0.0f);
            r->target[row] = r->advantage[row] / how.unit + v.data[row];
        }
    arena_rewind(a->scratch, mark);
}

/*
Look at the two ends of an episode. Where the pole falls, nothing comes after: $V(s_{t+1})$ counts as 0. Where the
episode was *cut* because its 500 steps are over, the pole stands, and what would have come is worth $V(s_{t+1})$.

The worlds run side by side and go on where the last rollout stopped.
*/

typedef struct {
    float (*states)[WORLD_STATES];
    int *ages;
} Worlds;

static void roll_out(const World *world, Agent *a, Worlds *worlds, Rollout *r, float reward_unit, Rng *rng)
{
    for (int t = 0; t < r->steps; t++) {
        const ArenaMark mark = arena_mark(a->scratch);
        const Matrix seen = matrix_new(a->scratch, r->worlds, world->observations);
        const Matrix p = matrix_new(a->scratch, r->worlds, world->actions);
        for (int w = 0; w < r->worlds; w++) world->observe(matrix_row(seen, w), worlds->states[w]);
        const Matrix logits = logits_of(a, seen);
        softmax_rows(p, logits);
        for (int w = 0; w < r->worlds; w++) {
            const int row = w * r->steps + t, action = draw_action(logits, w, rng);
            memcpy(matrix_row(r->now.seen, row), matrix_row(seen, w), (size_t)seen.cols * sizeof(float));
            r->now.actions[row] = action;
            r->old[row] = log32(AT(p, w, action));
            r->ended[row] = world->step(worlds->states[w], action, &r->now.rewards[row]);
            r->now.rewards[row] *= reward_unit;
            world->observe(matrix_row(r->next.seen, row), worlds->states[w]);
            r->now.last[row] = r->ended[row] || ++worlds->ages[w] == world->limit;
            if (r->now.last[row]) world->start(worlds->states[w], rng), worlds->ages[w] = 0;
        }
        arena_rewind(a->scratch, mark);
    }
}

// One step of Adam from the rows that pick [count] names; advantages are brought to mean 0 and deviation 1 among them
static void ppo_step(Agent *a, const Rollout *r, const int *pick, int count, float clip, float rate)
{
    tape_reset(a->tape);
    Arena *arena = tape_arena(a->tape);
    const Matrix x = matrix_new(arena, count, r->now.seen.cols), gain = matrix_new(arena, count, 1),
                 before = matrix_new(arena, count, 1), target = matrix_new(arena, count, 1);
    int *actions = arena_alloc(arena, (size_t)count, sizeof *actions);
    gather_rows(x, r->now.seen, pick);
    gather_rows(gain, matrix_view(r->count, 1, r->advantage), pick);
    gather_rows(before, matrix_view(r->count, 1, r->old), pick);
    gather_rows(target, matrix_view(r->count, 1, r->target), pick);
    for (int i = 0; i < count; i++) actions[i] = r->now.actions[pick[i]];
    add_scalar(gain, -(float)mean(gain));
    scale(gain, 1.0f / (float)(sqrt(sum_of_squares(gain) / count) + 1e-8));

    Tensor *seen = tape_input(a->tape, x), *advantage = tape_input(a->tape, gain);
    Tensor *now = row_log_probabilities(actor_critic_policy(&a->nets, seen), actions);
    Tensor *ratio = exponential(tensor_subtract(now, tape_input(a->tape, before)));
    Tensor *raised = tensor_multiply(ratio, advantage);
    if (clip > 0.0f) {
        Tensor *near = tensor_multiply(tensor_clamp(ratio, 1.0f - clip, 1.0f + clip), advantage);
        raised = tensor_minimum(raised, near);
    }
    Tensor *error = mean_squared_error(actor_critic_value(&a->nets, seen), target);
    backward(tensor_subtract(error, mean_all(raised)));
    clip_gradients(&a->nets.parameters, 0.5f);
    optimiser_step(&a->adam, rate);
}

// kept, unless NULL, receives the agent, which the caller frees
static void ppo(const World *world, Ppo how, double goal, Outcome *o, Rng rng, Agent **kept)
{
    Agent *a = agent_new(world, 64, &rng);
    Rollout r = rollout_new(a->arena, world, how);
    Worlds worlds = {arena_zeros(a->arena, (size_t)how.worlds, sizeof *worlds.states),
                     arena_zeros(a->arena, (size_t)how.worlds, sizeof *worlds.ages)};
    int *order = arena_alloc(a->arena, (size_t)r.count, sizeof *order);
    Rng fresh = rng_stream(&rng, 1);
    for (int w = 0; w < how.worlds; w++) world->start(worlds.states[w], &rng);
    for (int update = 1; o->steps < how.total; update++) {
        const float rate = how.rate * (1.0f - (float)o->steps / (float)how.total);
        roll_out(world, a, &worlds, &r, how.reward_unit, &rng);
        o->steps += r.count;
        advantages(a, &r, how);
        for (int epoch = 0; epoch < how.epochs; epoch++) {
            rng_permutation(&rng, order, r.count);
            for (int first = 0; first + how.minibatch <= r.count; first += how.minibatch)
                ppo_step(a, &r, order + first, how.minibatch, how.clip, rate);
        }
        if (update % 4 == 0 && examine(world, a, goal, o, &fresh) && !kept) break;
    }
    if (kept)
        *kept = a;
    else
        agent_free(a);
}

/*
## Ten seeds each

One run proves nothing here: seeds differ by factors. Each method runs ten times, random search fifty. REINFORCE gets
three learning rates for each baseline.
*/

typedef enum { RANDOM, CEM, REINFORCE, PPO } Method;

typedef struct {
    const char *name;
    Method method;
    const World *world;
    double goal;
    int seeds;
    Cem cem;
    Reinforce reinforce;
    Ppo ppo;
} Arm;

enum { SEEDS = 10, MANY = 50 };

typedef struct {
    Outcome outcomes[MANY];
    int solved;
    double steps, episodes; // medians; infinite when fewer than half are solved
} Trial;

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// What each run needed, from the fastest to the slowest; the unsolved, which never get there, last. sorted [seeds]
static void sort_runs(double *sorted, const Trial *t, int seeds, bool steps)
{
    for (int s = 0; s < seeds; s++)
        sorted[s] = !t->outcomes[s].solved ? INFINITY
                                           : (double)(steps ? t->outcomes[s].steps : t->outcomes[s].episodes);
    qsort(sorted, (size_t)seeds, sizeof *sorted, by_size);
}

static double median_of(const Trial *t, int seeds, bool steps)
{
    double sorted[MANY];
    sort_runs(sorted, t, seeds, steps);
    return sorted[(seeds - 1) / 2];
}

// Seeds side by side on the threads, each with numbers of its own
static Trial *try_arm(Lesson *lesson, const Arm *arm)
{
    Trial *t = arena_zeros(lesson_arena(lesson), 1, sizeof *t);
    const Rng rng = lesson_rng(lesson, 20);
    int done = 0;
#pragma omp parallel for schedule(dynamic)
    for (int s = 0; s < arm->seeds; s++) {
        const Rng own = rng_stream(&rng, (uint64_t)s);
        Outcome *o = &t->outcomes[s];
        switch (arm->method) {
        case RANDOM:
            random_search(arm->world, arm->goal, o, own);
            break;
        case CEM:
            cross_entropy_method(arm->world, arm->cem, arm->goal, o, own);
            break;
        case REINFORCE:
            reinforce(arm->world, arm->reinforce, arm->goal, o, own);
            break;
        case PPO:
            ppo(arm->world, arm->ppo, arm->goal, o, own, NULL);
            break;
        }
#pragma omp critical
        lesson_progress(lesson, arm->name, ++done, arm->seeds, NAN);
    }
    for (int s = 0; s < arm->seeds; s++) t->solved += t->outcomes[s].solved;
    t->steps = median_of(t, arm->seeds, true);
    t->episodes = median_of(t, arm->seeds, false);
    return t;
}

static void print_arm(const Arm *arm, const Trial *t)
{
    double least = INFINITY, most = 0.0;
    for (int s = 0; s < arm->seeds; s++) {
        if (!t->outcomes[s].solved) continue;
        least = fmin(least, (double)t->outcomes[s].steps);
        most = fmax(most, (double)t->outcomes[s].steps);
    }
    print_name(arm->name, 32);
    printf(" %3d of %2d", t->solved, arm->seeds);
    if (isfinite(t->steps))
        printf("  %12.0f", t->steps);
    else
        printf("  %12s", "-");
    if (t->solved) printf("   %7.0f to %.0f", least, most);
    printf("\n");
}

/*
The table tells how many of ten runs balance the pole within 800 episodes, and the median of the episodes they need,
where a run that fails counts as infinitely long.
*/

enum { RATES = 3, BASELINES = 3 };
static const float rates[RATES] = {0.01f, 0.02f, 0.05f};
static const char *const baseline_names[BASELINES] = {"none", "the batch's mean", "V(s)"};

typedef struct {
    Trial *reinforce[BASELINES][RATES];
    int best[BASELINES], solved[BASELINES]; // the rate of the least median; runs in all
    Trial *random, *cem, *ppo, *unclipped, *td;
} Pole;

static void balance_a_pole(Lesson *lesson, Pole *pole)
{
    section(lesson, "Ten seeds each");
    printf("%-20s", "baseline, rate");
    for (int r = 0; r < RATES; r++) printf("  %13.2f", (double)rates[r]);
    printf("  in all\n");
    for (int b = 0; b < BASELINES; b++) {
        printf("%-20s", baseline_names[b]);
        for (int r = 0; r < RATES; r++) {
            Trial *t = pole->reinforce[b][r] =
                try_arm(lesson, &(Arm){"REINFORCE", REINFORCE, &world_pole, 450, SEEDS,
                                       .reinforce = {(Baseline)b, rates[r]}});
            printf("  %2d runs, %4.0f", t->solved, t->episodes);
            pole->solved[b] += t->solved;
            if (t->episodes < pole->reinforce[b][pole->best[b]]->episodes) pole->best[b] = r;
        }
        printf("  %6d\n", pole->solved[b]);
    }
    printf("\n");
    const Trial *none = pole->reinforce[NO_BASELINE][pole->best[NO_BASELINE]],
                *value = pole->reinforce[VALUE_BASELINE][1];
    claim(lesson, value->solved == SEEDS,
          "with V(s) as baseline and a rate of 0.02 REINFORCE balances the pole in %d runs of %d",
          value->solved, SEEDS);
    claim(lesson, pole->solved[NO_BASELINE] < pole->solved[VALUE_BASELINE],
          "over the three rates, without a baseline %d runs of 30 do, with it %d", pole->solved[NO_BASELINE],
          pole->solved[VALUE_BASELINE]);
    claim(lesson, none->solved < SEEDS || none->episodes > value->episodes,
          "at the rate at which it is fastest, REINFORCE without a baseline is slower or does not always "
          "succeed: %d runs, %.0f episodes",
          none->solved, none->episodes);
}

/*
"Without a baseline it does not work" would be wrong: at the smallest rate all ten runs arrive, only late. What a
baseline buys is about half of the episodes, and rates at which others fail. Is that the noise?

## What a baseline takes away

We stop the training at four ages of a policy, and take the gradient of single episodes, two hundred of them, in four
ways: with the whole return as weight, with the return to go, minus its mean, minus a critic. Mean and critic are
fitted to two hundred *other* episodes. Then the variance of the gradient, summed over all weights.
*/

enum { AGES = 4, ESTIMATORS = 4, EPISODES = 200 };

// How much the gradient of one episode varies, by estimator
static void gradient_variances(const World *world, Agent *a, double *variance, Rng *rng)
{
    Arena *arena = arena_new();
    Experience many = experience_new(arena, world, EPISODES * world->limit),
               one = experience_new(arena, world, world->limit);
    float *to_go = arena_alloc(arena, (size_t)(EPISODES * world->limit), sizeof *to_go);
    play(world, a, EPISODES, &many, rng);
    returns_to_go(to_go, &many, 0.99f);
    const float level = (float)mean(matrix_view(many.count, 1, to_go));
    fit_values(a, &many, to_go, 200, 0.01f);
    const int size = (int)parameters_size(&a->nets.parameters);
    double *sums = arena_zeros(arena, (size_t)(ESTIMATORS * size), sizeof *sums),
           *squares = arena_zeros(arena, (size_t)(ESTIMATORS * size), sizeof *squares);
    float *weights = arena_alloc(arena, (size_t)world->limit, sizeof *weights);
    for (int i = 0; i < EPISODES; i++) {
        const ArenaMark mark = arena_mark(a->scratch);
        play(world, a, 1, &one, rng);
        returns_to_go(to_go, &one, 0.99f);
        const Matrix values = values_of(a, matrix_rows(one.seen, 0, one.count));
        for (int k = 0; k < ESTIMATORS; k++) {
            for (int t = 0; t < one.count; t++)
                weights[t] = k == 0   ? to_go[0]
                             : k == 1 ? to_go[t]
                             : k == 2 ? to_go[t] - level
                                      : to_go[t] - UNIT * values.data[t];
            clear_gradients(&a->nets.parameters);
            policy_gradient(a, &one, weights);
            int at = k * size;
            for (int p = 0; p < a->nets.parameters.count; p++) {
                const Tensor *tensor = a->nets.parameters.items[p];
                for (size_t j = 0; j < matrix_size(tensor->value) && tensor->has_gradient; j++, at++) {
                    const double g = (double)tensor->gradient.data[j];
                    sums[at] += g;
                    squares[at] += g * g;
                }
            }
        }
        arena_rewind(a->scratch, mark);
    }
    clear_gradients(&a->nets.parameters);
    for (int k = 0; k < ESTIMATORS; k++) {
        variance[k] = 0.0;
        for (int at = k * size; at < (k + 1) * size; at++)
            variance[k] += squares[at] / EPISODES - (sums[at] / EPISODES) * (sums[at] / EPISODES);
    }
    arena_free(arena);
}

static void compare_variances(Lesson *lesson)
{
    section(lesson, "What a baseline takes away");
    static const double ages[AGES] = {0.0, 60.0, 150.0, 300.0}; // mean returns at which we stop
    Rng rng = lesson_rng(lesson, 30), fresh = rng_stream(&rng, 1);
    const World *world = &world_pole;
    Agent *a = agent_new(world, 32, &rng);
    Experience e = experience_new(a->arena, world, BATCH * world->limit);
    double least_go = INFINITY, least_mean = INFINITY, least_value = INFINITY;
    printf("mean return  whole return  to go  minus mean  minus V(s)\n");
    for (int age = 0; age < AGES; age++) {
        double score = play(world, a, 40, NULL, &fresh), variance[ESTIMATORS];
        for (; score < ages[age]; score = play(world, a, 40, NULL, &fresh))
            reinforce_update(world, a, &e, VALUE_BASELINE, 0.01f, &rng);
        gradient_variances(world, a, variance, &fresh);
        lesson_progress(lesson, "variance", age + 1, AGES, NAN);
        printf("%11.0f  %12.2f  %5.2f  %10.2f  %10.2f\n", score, variance[0] / variance[3],
               variance[1] / variance[3], variance[2] / variance[3], 1.0);
        least_go = fmin(least_go, variance[0] / variance[1]);
        least_mean = fmin(least_mean, variance[1] / variance[2]);
        least_value = fmin(least_value, variance[1] / variance[3]);
    }
    printf("(the last column is the unit)\n\n");
    agent_free(a);
    claim(lesson, least_go >= 1.5,
          "at every age the return to go has at most 2/3 of the whole return's variance (1/%.1f)", least_go);
    claim(lesson, least_value >= 2.0, "and a critic divides what is left by 2 at least (by %.1f)",
          least_value);
    claim(lesson, least_mean < least_value, "the mean by less (%.1f)", least_mean);
}

/*
## Blind and seeing

Now all of them at the pole, counted in steps of the world. REINFORCE is shown at its best rate.
*/

static const Ppo pole_ppo = {.worlds = 8,
                             .steps = 128,
                             .epochs = 10,
                             .minibatch = 256,
                             .total = 60000,
                             .rate = 5e-3f,
                             .gamma = 0.99f,
                             .lambda = 0.95f,
                             .clip = 0.2f,
                             .unit = 20.0f,
                             .reward_unit = 1.0f};

// How many of the runs are solved by which step
static void plot_solved(Plot *plot, const char *label, const Trial *t, int seeds, double first, double last)
{
    float x[2 * MANY + 3], y[2 * MANY + 3];
    double sorted[MANY];
    int n = 0;
    sort_runs(sorted, t, seeds, true);
    x[n] = (float)first, y[n++] = 0.0f;
    for (int s = 0; s < t->solved; s++) {
        x[n] = (float)sorted[s], y[n++] = 100.0f * (float)s / (float)seeds;
        x[n] = (float)sorted[s], y[n++] = 100.0f * (float)(s + 1) / (float)seeds;
    }
    x[n] = (float)last, y[n++] = 100.0f * (float)t->solved / (float)seeds;
    plot_line(plot, label, x, y, n);
}

static void print_head(void) { printf("%-32s    solved  median steps  fastest to slowest\n", ""); }

static void plot_pole(Lesson *lesson, const Pole *pole)
{
    Plot *plot = plot_begin(lesson, "pole.svg", "Who balances the pole, after how many steps");
    plot_axes(plot, "steps of the world", "runs that balance it (%)");
    plot_log(plot, "x");
    plot_range_y(plot, 0, 105);
    plot_solved(plot, "random search", pole->random, MANY, 400, 2e5);
    plot_solved(plot, "CEM", pole->cem, SEEDS, 400, 2e5);
    plot_solved(plot, "PPO", pole->ppo, SEEDS, 400, 2e5);
    plot_solved(plot, "REINFORCE, V(s)", pole->reinforce[2][pole->best[2]], SEEDS, 400, 2e5);
    plot_solved(plot, "REINFORCE, no baseline", pole->reinforce[0][pole->best[0]], SEEDS, 400, 2e5);
    plot_end(plot, "Four numbers drawn blindly are the first to balance the pole.");
}

static void compare_on_the_pole(Lesson *lesson, Pole *pole)
{
    section(lesson, "Blind and seeing");
    Ppo unclipped = pole_ppo, td = pole_ppo;
    unclipped.clip = 0.0f;
    td.lambda = 0.0f;
    const Arm arms[] = {
        {.name = "random search", .method = RANDOM, .world = &world_pole, .goal = 450, .seeds = MANY},
        {"cross-entropy method, linear", CEM, &world_pole, 450, SEEDS, .cem = {0, 1.0f, 0.5f}},
        {"PPO", PPO, &world_pole, 450, SEEDS, .ppo = pole_ppo},
        {"PPO without the clip", PPO, &world_pole, 450, SEEDS, .ppo = unclipped},
        {"PPO, λ = 0", PPO, &world_pole, 450, SEEDS, .ppo = td},
        {.name = "REINFORCE, V(s)", .seeds = SEEDS},
        {.name = "REINFORCE, no baseline", .seeds = SEEDS},
    };
    Trial **const trials[] = {&pole->random, &pole->cem, &pole->ppo, &pole->unclipped, &pole->td};
    const Trial *value = pole->reinforce[VALUE_BASELINE][pole->best[VALUE_BASELINE]],
                *none = pole->reinforce[NO_BASELINE][pole->best[NO_BASELINE]];
    print_head();
    for (int i = 0; i < 5; i++) print_arm(&arms[i], *trials[i] = try_arm(lesson, &arms[i]));
    print_arm(&arms[5], value);
    print_arm(&arms[6], none);
    printf("\n");
    plot_pole(lesson, pole);
    claim(lesson, pole->random->solved == MANY && pole->random->steps < fmin(pole->ppo->steps, value->steps),
          "random search balances the pole in %d runs of %d, in fewer steps than any gradient",
          pole->random->solved, MANY);
    claim(lesson, pole->ppo->solved == SEEDS && pole->ppo->steps < value->steps,
          "PPO balances it in %d of %d, in fewer steps than REINFORCE", pole->ppo->solved, SEEDS);
    claim(lesson, pole->unclipped->solved >= SEEDS - 2, "without the clip in %d: here it hardly matters",
          pole->unclipped->solved);
    claim(lesson, pole->td->solved < SEEDS,
          "with λ = 0, a critic that is never checked against a whole return, in %d", pole->td->solved);
}

/*
The pole, on which so many introductions train a network, asks for four numbers, and one draw in a few dozen has them.
A method that finds these with gradients has shown nothing yet.

## A pendulum that must be swung up

A rod hangs from a motor too weak to lift it: it holds the rod up to 24° from hanging. One must swing it, back and
forth, each time a little higher, and stop it at the top. What the torque should be is not a weighted sum of position
and speed: pushing away from the top is right as long as the energy is too small. An episode has 200 steps, and costs
the square of the angle and a little for speed and torque. We call it solved at a mean of 200 or less.

The cross-entropy method gets its chance twice: linear, and with a network of 16 hidden units, 81 numbers. Its first
deviation (1, 3, 8), what is added to it later (0.5, 1, 1.5, 3), candidates (20, 35, 50, 100, 200), episodes for each
(1, 2, 4) and hidden units (4, 8, 16) were searched apart, and so were PPO's rate (0.003, 0.006, 0.01) and number of
worlds; what stands here is the best of each.
*/

static const Ppo pendulum_ppo = {.worlds = 8,
                                 .steps = 100,
                                 .epochs = 10,
                                 .minibatch = 200,
                                 .total = 160000,
                                 .rate = 6e-3f,
                                 .gamma = 0.95f,
                                 .lambda = 0.95f,
                                 .clip = 0.2f,
                                 .unit = 1.0f,
                                 .reward_unit = 0.1f};

static void plot_pendulum(Lesson *lesson, const Trial *ppo_trial, const Trial *cem, const Trial *unclipped,
                          const Trial *linear)
{
    Plot *plot = plot_begin(lesson, "pendulum.svg", "Who swings the pendulum up, after how many steps");
    plot_axes(plot, "steps of the world", "runs that swing it up (%)");
    plot_log(plot, "x");
    plot_range_x(plot, 2e4, 2e6);
    plot_range_y(plot, -2, 105);
    plot_solved(plot, "CEM, linear", linear, SEEDS, 2e4, 1.6e6);
    plot_solved(plot, "CEM, 16 hidden units", cem, SEEDS, 2e4, 1.6e6);
    plot_solved(plot, "PPO without the clip", unclipped, SEEDS, 2e4, 1.6e5);
    plot_solved(plot, "PPO", ppo_trial, SEEDS, 2e4, 1.6e5);
    plot_end(plot, "Each line ends where the method had used up its steps.");
}

static void swing_a_pendulum(Lesson *lesson)
{
    section(lesson, "A pendulum that must be swung up");
    Ppo unclipped = pendulum_ppo, td = pendulum_ppo;
    unclipped.clip = 0.0f;
    td.lambda = 0.0f;
    const Arm arms[] = {
        {"cross-entropy method, linear", CEM, &world_pendulum, -200, SEEDS, .cem = {0, 3.0f, 1.5f}},
        {"cross-entropy method, network", CEM, &world_pendulum, -200, SEEDS, .cem = {HIDDEN, 3.0f, 1.5f}},
        {"PPO", PPO, &world_pendulum, -200, SEEDS, .ppo = pendulum_ppo},
        {"PPO without the clip", PPO, &world_pendulum, -200, SEEDS, .ppo = unclipped},
        {"PPO, λ = 0", PPO, &world_pendulum, -200, SEEDS, .ppo = td},
    };
    Trial *trials[5];
    print_head();
    for (int i = 0; i < 5; i++) print_arm(&arms[i], trials[i] = try_arm(lesson, &arms[i]));
    printf("\n");
    plot_pendulum(lesson, trials[2], trials[1], trials[3], trials[0]);
    claim(lesson, trials[0]->solved == 0, "no linear policy swings it up: %d of %d", trials[0]->solved,
          SEEDS);
    claim(lesson, trials[2]->solved == SEEDS, "PPO does, in %d of %d", trials[2]->solved, SEEDS);
    claim(lesson, trials[1]->solved >= SEEDS / 2,
          "and so does blind search for the weights of a network, in %d", trials[1]->solved);
    claim(lesson, trials[2]->steps <= 0.5 * trials[1]->steps,
          "where PPO needs one step, it needs at least two: %.1f", trials[1]->steps / trials[2]->steps);
    claim(lesson, trials[3]->solved < trials[2]->solved, "here the clip is needed: without it %d",
          trials[3]->solved);
}

/*
"Blind search balances the pole, but only a gradient learns a function": that is what we meant to write here, and an
untuned search agreed with us, with no run of six. Tuned as carefully as PPO, blind search finds its 81 numbers. It
needs several times as many steps. It needs less *time*, since a step costs it some dozens of multiplications, and PPO
ten passes through two networks and back. Where a step takes a robot a twentieth of a second, steps are what counts.
Where the world is a short loop in C, they are not. Nor do more weights stop it: measured apart, with six seeds, it
finds 16 hidden units in five runs, 64 in five, and 256, 1281 numbers, in five.

And two settings that pass for details have changed sides. The clip, of no weight at the pole, decides here.
$\lambda = 0$, not to be relied on at the pole, is as good as any here. A short horizon ($\gamma = 0.95$) and a reward
that says something at every step may be why; we have not tested that.

## What it looks like
*/

enum { FRAMES = 12 };

// Plays one episode with the likeliest actions (agent NULL: any). states [limit × WORLD_STATES]. Returns its steps
static int record(const World *world, Agent *a, float *states, Rng *rng)
{
    float state[WORLD_STATES], seen[WORLD_STATES], reward;
    int t = 0;
    world->start(state, rng);
    for (bool ended = false; t < world->limit && !ended; t++) {
        memcpy(states + t * WORLD_STATES, state, sizeof state);
        world->observe(seen, state);
        int action = (int)rng_below(rng, (uint32_t)world->actions);
        if (a) {
            const ArenaMark mark = arena_mark(a->scratch);
            row_argmax(&action, logits_of(a, matrix_view(1, world->observations, seen)));
            arena_rewind(a->scratch, mark);
        }
        ended = world->step(state, action, &reward);
    }
    return t;
}

// A rod from (x, y) at an angle from upright, with what it stands on
static void draw_rod(Plot *plot, double x, double y, double length, double angle, bool cart)
{
    const float rod_x[] = {(float)x, (float)x + (float)length * sin32((float)angle)},
                rod_y[] = {(float)y, (float)y + (float)length * cos32((float)angle)};
    const float box_x[] = {(float)x - .25f, (float)x + .25f, (float)x + .25f, (float)x - .25f,
                           (float)x - .25f},
                box_y[] = {(float)y - .2f, (float)y - .2f, (float)y, (float)y, (float)y - .2f};
    if (cart) plot_line(plot, NULL, box_x, box_y, 5);
    plot_line(plot, NULL, rod_x, rod_y, 2);
    plot_points(plot, NULL, cart ? rod_x : rod_x + 1, cart ? rod_y : rod_y + 1, 1);
}

static void plot_film(Lesson *lesson, float *const films[3], const int *lengths)
{
    static const char *const names[3] = {"at random: the pole falls", "PPO's pole", "PPO's pendulum"};
    static const double every[3] = {2, 40, 8};
    Plot *plot = plot_begin(lesson, "film.svg", "Three film strips");
    plot_diagram(plot);
    plot_size(plot, 1200, 560);
    plot_square(plot);
    for (int row = 0; row < 3; row++) {
        const double y = -3.2 * row;
        const double seconds = every[row] * (double)(row == 2 ? world_pendulum : world_pole).seconds;
        char words[100];
        snprintf(words, sizeof words, "%s, a frame every %.2f s", names[row], seconds);
        plot_text(plot, 0.0, y + 1.75, words);
        for (int frame = 0; frame < FRAMES; frame++) {
            const int t = frame * (int)every[row];
            if (t >= lengths[row]) break;
            const float *state = films[row] + t * WORLD_STATES;
            if (row < 2)
                draw_rod(plot, 2.4 * frame + 0.3 * (double)state[0], y - 0.3, 1.3, (double)state[2], true);
            else
                draw_rod(plot, 2.4 * frame, y + 0.3, 1.0, (double)state[0], false);
        }
    }
    plot_x_ticks(plot, (double[]){-9.0}, (const char *[]){""}, 1); // none
    plot_end(
        plot,
        "Time runs to the right. The pole falls in less than half a second; the pendulum swings away first.");
}

static void watch(Lesson *lesson)
{
    section(lesson, "What it looks like");
    const World *const worlds[2] = {&world_pole, &world_pendulum};
    const Ppo how[2] = {pole_ppo, pendulum_ppo};
    const double goals[2] = {450, -200};
    Agent *agents[2];
    Outcome outcomes[2] = {{0}};
    const Rng rng = lesson_rng(lesson, 40);
#pragma omp parallel for
    for (int i = 0; i < 2; i++)
        ppo(worlds[i], how[i], goals[i], &outcomes[i], rng_stream(&rng, (uint64_t)i), &agents[i]);

    static float films[3][LIMIT * WORLD_STATES];
    int lengths[3], full = 0, upright = 0;
    Rng starts = rng_stream(&rng, 9);
    for (int i = 0; i < 100; i++) {
        full += record(&world_pole, agents[0], films[1], &starts) == world_pole.limit;
        const int steps = record(&world_pendulum, agents[1], films[2], &starts);
        bool up = true; // for the last second
        for (int t = steps - 20; t < steps; t++) up = up && fabsf(films[2][t * WORLD_STATES]) < 0.3f;
        upright += up;
    }
    lengths[0] = record(&world_pole, NULL, films[0], &starts);
    lengths[1] = record(&world_pole, agents[0], films[1], &starts);
    do lengths[2] = record(&world_pendulum, agents[1], films[2], &starts); // one that begins hanging
    while (fabsf(films[2][0]) < 2.6f);
    plot_film(lesson, (float *[]){films[0], films[1], films[2]}, lengths);
    claim(lesson, full == 100, "from 100 new starts the pole stands for ten seconds in %d", full);
    claim(lesson, upright == 100, "from 100 new starts the pendulum stands upright in its last second in %d",
          upright);

    const char *build = getenv("COURSE_BUILD");
    char folder[FOLDER_MOST_PATH], file[FOLDER_MOST_PATH];
    folder_path_at(HERE, folder, build && *build ? build : "build", "models/30-reinforcement-learning");
    folder_make_at(HERE, folder);
    for (int i = 0; i < 2; i++) {
        folder_path_at(HERE, file, folder, i ? "pendulum.safetensors" : "pole.safetensors");
        parameters_save(file, &agents[i]->nets.parameters, NULL, 0);
        agent_free(agents[i]);
    }
}

/*
`make balance WORLD=pendulum` shows the policy in your terminal, as it moves; `WORLD=pole POLICY=random` shows why a
policy is needed.

## What to take along

- Exploring must stop, but not at once: a bonus for what was tried rarely, or a draw from what is still possible, does
  both.
- Value iteration needs to know the world. Q-learning lets the world draw the samples, and needs a step that falls.
- Compare values, not actions.
- The policy gradient makes what was done likelier, in proportion to what came of it. A baseline leaves its mean and
  takes its noise: fewer episodes, larger rates.
- Test on fresh episodes, and over seeds: they differ by factors.
- Before a gradient is praised, draw the weights blindly; and tune that as well.

## Check yourself

**1.** Why may the baseline depend on the state, but not on the action?

<details><summary>Answer</summary>

$\sum_a \pi(a|s) \nabla \log \pi(a|s) \, b(s) = b(s) \nabla \sum_a \pi(a|s) = b(s) \nabla 1 = 0$. With $b(s, a)$ the
number cannot be taken out of the sum.

</details>

**2.** All rewards of the pole are 1. What would REINFORCE without a baseline do after an episode of ten steps, and
after one of 500?

<details><summary>Answer</summary>

Make all actions of both likelier, those of the long one more. It is only by comparison that short episodes get less
likely: the probabilities of a state sum to 1. With a baseline the short episode pushes its actions down at once.

</details>

**3.** An episode is cut at its limit. What goes wrong when the critic is told that nothing comes after?

<details><summary>Answer</summary>

The same state, upright in the middle of the track, is worth 0 when the clock says 500 and much at any other time; and
the policy does not see the clock. The critic learns a mean that is right at no time. In a trial of ours the pole was
still balanced in ten runs of ten, and about as fast: it was too easy a world to show it.

</details>

**4.** Why does Q-learning need no probabilities of the world?

<details><summary>Answer</summary>

Its target $r + \gamma \max Q(s', \cdot)$ is one sample of the expectation, and small steps towards samples end at
their mean. With a constant $\alpha$ they do not end: Q goes on trembling, and where two actions are close, the wrong
one looks best.

</details>

**5.** Somebody shows that a new method balances the pole in 20 000 steps. What do you ask?

<details><summary>Answer</summary>

What random search needs: about 3000.

</details>

## Further reading

- R. S. Sutton, A. G. Barto, *Reinforcement learning: an introduction*, 2nd edition 2018: all of this, and its
  history.
- P. Auer and others, *Finite-time analysis of the multiarmed bandit problem*, 2002: UCB. W. R. Thompson, *On the
  likelihood that one unknown probability exceeds another in view of the evidence of two samples*, 1933.
- C. J. C. H. Watkins, P. Dayan, *Q-learning*, 1992.
- R. J. Williams, *Simple statistical gradient-following algorithms for connectionist reinforcement learning*, 1992:
  REINFORCE.
- A. G. Barto, R. S. Sutton, C. W. Anderson, *Neuronlike adaptive elements that can solve difficult learning control
  problems*, 1983: the pole.
- J. Schulman and others, *High-dimensional continuous control using generalized advantage estimation*, 2015, and
  *Proximal policy optimization algorithms*, 2017.
- R. Y. Rubinstein, *The cross-entropy method for combinatorial and continuous optimization*, 1999. H. Mania and
  others, *Simple random search provides a competitive approach to reinforcement learning*, 2018.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade30` tells how far you are,
`make hint30` helps.

- **TASK 30.1** the lever of the largest upper confidence bound.
- **TASK 30.2** one sweep of value iteration.
- **TASK 30.3** one update of Q-learning.
- **TASK 30.4** generalised advantages over several episodes.
- **TASK 30.5** the clipped loss, and its gradient.

And without a computer, or with five minutes at one:

**1.** Two levers pay 1 and 0, without noise. What is the regret of ε-greedy after $t$ pulls, and of UCB with $c = 1$,
roughly?

<details><summary>Answer</summary>

ε-greedy pulls the bad one in half of its explorations: $\varepsilon t / 2$, a straight line. UCB pulls it when
$\sqrt{\ln t / n}$ exceeds about 1, so $n \approx \ln t$: after 2000 pulls 8, where $\varepsilon = 0.1$ has 100.

</details>

**2.** With $\gamma = 0.95$, what is a cell worth from which no way leads to the goal? How far away must a goal be to
look nearly as bad?

<details><summary>Answer</summary>

$-1/(1 - \gamma) = -20$. At a distance $d$ it is $-20 (1 - 0.95^d)$: after 45 steps nine tenths of that. A discount
makes far things look alike.

</details>

**3.** How often must the sweep be repeated until the error is a hundredth?

<details><summary>Answer</summary>

$0.95^k = 0.01$ gives $k = 90$, at most. It is less here: on the dry floor the values are exact as soon as the longest
of the shortest ways, 16 steps, has been walked.

</details>

**4.** In GAE, what is $A_t$ when the critic is exact and neither the world nor the policy after this step is random?

<details><summary>Answer</summary>

All later $\delta$ are 0, so $A_t = \delta_t$ for any $\lambda$: how much better this action is than what the policy
does on the average.

</details>

**5.** `ARGS="--seed 2"`: which of the numbers of this chapter would you expect to change most?

<details><summary>Answer</summary>

The slowest run of each method: an extreme of ten. Medians move less, and the regrets, means of a thousand problems,
hardly.

</details>
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "30-reinforcement-learning", "Reinforcement learning");
    static Pole pole;
    pull_levers(lesson);
    walk_the_maze(lesson);
    balance_a_pole(lesson, &pole);
    compare_variances(lesson);
    compare_on_the_pole(lesson, &pole);
    swing_a_pendulum(lesson);
    watch(lesson);
    return lesson_end(lesson);
}
