// balance: shows how a policy of chapter 30 balances a pole, or swings a pendulum up, in the terminal.
//
//     balance --model FOLDER --world pendulum
//     balance --model FOLDER --world pole --policy random --seed 7
//
// On a terminal it moves at the speed of the world, drawn with the dots of Braille characters. Elsewhere it prints a table, a line
// for every tenth step. The same seed shows the same episode.
#include "base/check.h"
#include "base/cores.h"
#include "base/mathf.h"
#include "files/folder.h"
#include "models/actor_critic.h"
#include "models/worlds.h"
#include "tools/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "balance --model FOLDER [--world pole] [--policy trained] [--episodes 1] [--seed 1] [--speed 1]\n"
    "  --world W     pole: push a cart so that its pole stands; pendulum: swing it up with a weak motor\n"
    "  --policy P    trained: what chapter 30 has left; random: any action at any time\n"
    "  --episodes N  how many, 1 to 1000\n"
    "  --seed S      the same seed begins in the same state\n"
    "  --speed X     2 is twice as fast as the world, 0.1 to 100";

typedef struct {
    const char *model;
    const World *world;
    bool random;
    int episodes;
    uint64_t seed;
    double speed;
} Options;

static void set_option(void *options, const char *name, const char *value)
{
    Options *o = options;
    if (strcmp(name, "--model") == 0) {
        o->model = value;
    } else if (strcmp(name, "--world") == 0) {
        o->world = strcmp(value, world_pole.name) == 0       ? &world_pole
                   : strcmp(value, world_pendulum.name) == 0 ? &world_pendulum
                                                             : NULL;
        check(o->world, usage, "--world is '%s', expected pole or pendulum", value);
    } else if (strcmp(name, "--policy") == 0) {
        o->random = strcmp(value, "random") == 0;
        check(o->random || strcmp(value, "trained") == 0, usage,
              "--policy is '%s', expected trained or random", value);
    } else if (strcmp(name, "--episodes") == 0) {
        o->episodes = (int)whole_argument(usage, name, value, 1, 1000);
    } else if (strcmp(name, "--seed") == 0) {
        o->seed = whole_argument(usage, name, value, 0, UINT64_MAX);
    } else if (strcmp(name, "--speed") == 0) {
        o->speed = number_argument(usage, name, value, 0.1, 100.0);
    } else {
        die(usage, "unknown option %s", name);
    }
}

// ---- Drawing -----------------------------------------------------------------------------------------------------------------

enum { COLUMNS = 60, LINES = 13, WIDE = 2 * COLUMNS, HIGH = 4 * LINES }; // characters, and dots

// The dots of a Braille character, by row and column, are these bits of U+2800 + bits (The Unicode Standard, chapter 21).
static const uint8_t dot_bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

typedef struct {
    uint8_t dots[LINES][COLUMNS];
} Canvas;

static void set_dot(Canvas *canvas, float x, float y)
{
    const int column = (int)(x + 0.5f), row = (int)(y + 0.5f);
    if (x < 0.0f || y < 0.0f || column >= WIDE || row >= HIGH) return;
    canvas->dots[row / 4][column / 2] |= dot_bits[row % 4][column % 2];
}

static void set_line(Canvas *canvas, float x0, float y0, float x1, float y1)
{
    enum { DOTS = 4 * HIGH };
    for (int i = 0; i <= DOTS; i++) {
        const float t = (float)i / DOTS;
        set_dot(canvas, x0 + t * (x1 - x0), y0 + t * (y1 - y0));
    }
}

// A rod of so many dots from (x, y), at an angle from upright, three dots thick
static void set_rod(Canvas *canvas, float x, float y, float length, float angle)
{
    const float along_x = sin32(angle), along_y = -cos32(angle);
    for (int side = -1; side <= 1; side++) {
        const float dx = 0.7f * (float)side * along_y, dy = -0.7f * (float)side * along_x;
        set_line(canvas, x + dx, y + dy, x + dx + length * along_x, y + dy + length * along_y);
    }
}

static void draw_pole(Canvas *canvas, const float *state)
{
    const float metre = WIDE / 5.0f, x = 0.5f * WIDE + metre * state[0], ground = HIGH - 3.0f;
    set_line(canvas, 0.5f * WIDE - 2.4f * metre, ground, 0.5f * WIDE + 2.4f * metre, ground);
    for (int end = -1; end <= 1; end += 2) {
        const float post = 0.5f * WIDE + (float)end * 2.4f * metre;
        set_line(canvas, post, ground, post, ground - 6.0f);
    }
    for (int row = 2; row <= 7; row++)
        set_line(canvas, x - 6.0f, ground - (float)row, x + 6.0f, ground - (float)row);
    set_rod(canvas, x, ground - 7.0f, HIGH - 14.0f, state[2]);
}

static void draw_pendulum(Canvas *canvas, const float *state)
{
    const float x = 0.5f * WIDE, y = 0.5f * HIGH, length = 0.5f * HIGH - 4.0f;
    set_rod(canvas, x, y, length, state[0]);
    const float bob_x = x + length * sin32(state[0]), bob_y = y - length * cos32(state[0]);
    for (int row = -3; row <= 3; row++)
        for (int column = -3; column <= 3; column++)
            if (row * row + column * column <= 10) set_dot(canvas, bob_x + (float)column, bob_y + (float)row);
}

// What stands under the drawing, and in the table
static void print_state(const World *world, const float *state, int step, int action, double total)
{
    if (world == &world_pole)
        printf("%6.2f s  cart %+5.2f m  pole %+6.1f°  push %s  steps %.0f",
               (double)(world->seconds * (float)step), (double)state[0], (double)(state[2] * 57.29578f),
               action ? "right" : "left ", total);
    else
        printf("%6.2f s  angle %+6.1f°  speed %+5.2f rad/s  torque %+2.0f N m  cost %.1f",
               (double)(world->seconds * (float)step), (double)(state[0] * 57.29578f), (double)state[1],
               (double)pendulum_torque(action), 0.0 - total);
}

static void show(const World *world, const float *state, int step, int action, double total, double speed)
{
    Canvas canvas;
    memset(&canvas, 0, sizeof canvas);
    if (world == &world_pole)
        draw_pole(&canvas, state);
    else
        draw_pendulum(&canvas, state);
    if (step > 0) printf("\033[%dA", LINES + 1);
    for (int line = 0; line < LINES; line++) {
        for (int column = 0; column < COLUMNS; column++) {
            const uint8_t bits = canvas.dots[line][column];
            printf("%c%c%c", 0xe2, 0xa0 | bits >> 6, 0x80 | (bits & 0x3f)); // U+2800 + bits as UTF-8
        }
        printf("\n");
    }
    print_state(world, state, step, action, total);
    printf("\033[K\n");
    fflush(stdout);
    const double seconds = (double)world->seconds / speed;
    const struct timespec pause = {(time_t)seconds, (long)(1e9 * (seconds - (double)(long)seconds))};
    nanosleep(&pause, NULL);
}

// ---- Playing -----------------------------------------------------------------------------------------------------------------

static int choose(const World *world, const ActorCritic *agent, Arena *scratch, const float *state, Rng *rng)
{
    if (!agent) return (int)rng_below(rng, (uint32_t)world->actions);
    const ArenaMark mark = arena_mark(scratch);
    const Matrix seen = matrix_new(scratch, 1, world->observations);
    world->observe(seen.data, state);
    int action;
    row_argmax(&action, actor_critic_policy(agent, tape_input(tape_inference(scratch), seen))->value);
    arena_rewind(scratch, mark);
    return action;
}

static void play_episode(const Options *o, const ActorCritic *agent, Arena *scratch, Rng *rng)
{
    const bool terminal = isatty(STDOUT_FILENO);
    const World *world = o->world;
    float state[WORLD_STATES], reward;
    double total = 0.0;
    bool ended = false;
    int step = 0;
    world->start(state, rng);
    for (; step < world->limit && !ended; step++) {
        const int action = choose(world, agent, scratch, state, rng);
        if (terminal)
            show(world, state, step, action, total, o->speed);
        else if (step % 10 == 0)
            print_state(world, state, step, action, total), printf("\n");
        ended = world->step(state, action, &reward);
        total += (double)reward;
    }
    const double seconds = (double)(world->seconds * (float)step);
    if (world == &world_pole)
        printf(ended ? "It fell, or left the track, after %.2f s.\n" : "It stands after %.2f s.\n", seconds);
    else
        printf("Cost %.1f in %.2f s; at the end %.1f° from upright.\n", -total, seconds,
               (double)(fabsf(state[0]) * 57.29578f));
}

int main(int argc, char **argv)
{
    Options o = {.world = &world_pole, .episodes = 1, .seed = 1, .speed = 1.0};
    const char *text = read_arguments(argc, argv, usage, "texts", set_option, &o);
    check(!text, usage, "what shall '%s' be? There are only options", text);
    check(o.model || o.random, usage, "whose policy? --model FOLDER is missing");
    cores_begin();
    Arena *arena = arena_new(), *scratch = arena_new();
    ActorCritic agent;
    if (!o.random) {
        char name[32], path[FOLDER_MOST_PATH];
        struct stat there;
        snprintf(name, sizeof name, "%s.safetensors", o.world->name);
        folder_path_at(HERE, path, o.model, name);
        check(stat(path, &there) == 0, "type `make chapter30`, which trains one in about a minute",
              "%s: there is no trained policy", path);
        agent = actor_critic_open(arena, path, o.world->observations, o.world->actions);
    }
    const Rng rng = rng_new(o.seed, 0);
    for (int i = 0; i < o.episodes; i++) {
        Rng own = rng_stream(&rng, (uint64_t)i);
        play_episode(&o, o.random ? NULL : &agent, scratch, &own);
    }
    arena_free(scratch);
    arena_free(arena);
    return EXIT_SUCCESS;
}
