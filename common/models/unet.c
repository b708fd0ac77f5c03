// unet.c: a U-Net that is told a time and a condition. See unet.h.
#include "models/unet.h"
#include "base/check.h"
#include "base/mathf.h"
#include "learning/ops/loss.h"

// ---- Making one -------------------------------------------------------------------------------------------

static UnetConfig complete(Place place, UnetConfig c)
{
    if (!c.channels) c.channels = 1;
    if (!c.features) c.features = 24;
    if (!c.groups) c.groups = 8;
    if (!c.waves) c.waves = 64;
    if (!c.told) c.told = 128;
    check_at(place, c.side > 0 && c.side % 2 == 0, "name an even side, which is halved once",
             "unet_new: images of %d × %d pixels", c.side, c.side);
    check_at(place, c.channels > 0 && c.features > 0 && c.groups > 0 && c.features % c.groups == 0,
             "the groups share the features equally", "unet_new: %d channels, %d features in %d groups",
             c.channels, c.features, c.groups);
    check_at(place, c.waves > 0 && c.waves % 2 == 0 && c.told > 0 && c.conditions >= 0,
             "waves are pairs of a sine and a cosine", "unet_new: %d waves, told %d features, %d conditions",
             c.waves, c.told, c.conditions);
    return c;
}

static Initialiser or_zero(const Rng *rng, Initialiser initialiser) { return rng ? initialiser : INIT_ZERO; }

static UnetBlock block_new_for(Place place, Parameters *set, const char *name, UnetConfig c, int inputs,
                               int outputs, Rng *rng)
{
    const Window three = window_square(3, 1, 1), one = window_square(1, 1, 0);
    UnetBlock b = {.norm1 =
                       group_norm_new_at(place, set, layer_name(set, name, "norm1", -1), inputs, c.groups)};
    b.conv1 = conv_new_at(place, set, layer_name(set, name, "conv1", -1), inputs, outputs, three, rng,
                          or_zero(rng, INIT_HE), true);
    b.shift = linear_new_at(place, set, layer_name(set, name, "shift", -1), c.told, outputs, rng,
                            or_zero(rng, INIT_LECUN), true);
    b.norm2 = group_norm_new_at(place, set, layer_name(set, name, "norm2", -1), outputs, c.groups);
    b.conv2 = conv_new_at(place, set, layer_name(set, name, "conv2", -1), outputs, outputs, three, rng,
                          INIT_ZERO, true);
    if (inputs != outputs)
        b.shortcut = conv_new_at(place, set, layer_name(set, name, "shortcut", -1), inputs, outputs, one, rng,
                                 or_zero(rng, INIT_LECUN), true);
    return b;
}

Unet unet_new_at(Place place, Parameters *set, UnetConfig config, Rng *rng)
{
    const UnetConfig c = complete(place, config);
    const int f = c.features;
    Unet u = {.config = c};
    u.time = linear_new_at(place, set, "time", c.waves, c.told, rng, or_zero(rng, INIT_LECUN), true);
    if (c.conditions)
        u.condition = linear_new_at(place, set, "condition", c.conditions, c.told, rng,
                                    or_zero(rng, INIT_LECUN), false);
    u.first = conv_new_at(place, set, "first", c.channels, f, window_square(3, 1, 1), rng,
                          or_zero(rng, INIT_LECUN), true);
    u.high = block_new_for(place, set, "high", c, f, f, rng);
    u.down = conv_new_at(place, set, "down", f, 2 * f, window_square(4, 2, 1), rng, or_zero(rng, INIT_LECUN),
                         true);
    u.low1 = block_new_for(place, set, "low1", c, 2 * f, 2 * f, rng);
    u.low2 = block_new_for(place, set, "low2", c, 2 * f, 2 * f, rng);
    u.up = conv_transposed_new_at(place, set, "up", 2 * f, f, window_square(2, 2, 0), rng);
    u.back = block_new_for(place, set, "back", c, 2 * f, f, rng);
    u.norm = group_norm_new_at(place, set, "norm", f, c.groups);
    u.last = conv_new_at(place, set, "last", f, c.channels, window_square(3, 1, 1), rng, INIT_ZERO, true);
    return u;
}

// ---- On a tape --------------------------------------------------------------------------------------------

void time_waves(Matrix waves, const int *times)
{
    const int half = waves.cols / 2;
    const float step = -9.21034037f / (float)half; // −ln 10000
    for (int i = 0; i < waves.rows; i++)
        for (int k = 0; k < half; k++) {
            const float angle = (float)times[i] * exp32(step * (float)k);
            AT(waves, i, k) = sin32(angle);
            AT(waves, i, half + k) = cos32(angle);
        }
}

// What all blocks are told: (n × told)
static Tensor *tell(Place place, const Unet *u, Tape *tape, const int *times, int count, Matrix conditions)
{
    Matrix waves = matrix_uninitialised_at(place, tape_arena(tape), count, u->config.waves);
    time_waves(waves, times);
    Tensor *s = linear_at(place, &u->time, tape_input(tape, waves));
    if (u->config.conditions) {
        check_at(place, conditions.rows == count && conditions.cols == u->config.conditions,
                 "a row for each image; zeros for none",
                 "unet_forward: %d images, conditions (%d × %d), and %d are expected for each", count,
                 conditions.rows, conditions.cols, u->config.conditions);
        s = linear_add_at(place, &u->condition, s, tape_input(tape, conditions));
    }
    return silu_at(place, s);
}

static Map through_block(Place place, const UnetBlock *b, Map x, Tensor *told)
{
    Tensor *shift = linear_at(place, &b->shift, told);
    Map y = map_each_at(map_group_normalise_at(place, &b->norm1, x), silu);
    y = map_group_normalise_at(place, &b->norm2, map_conv_at(place, &b->conv1, y));
    y = map_each_at(map_add_to_pictures_at(place, y, shift), silu);
    y = map_conv_at(place, &b->conv2, y);
    return map_add_at(place, b->shortcut.weight ? map_conv_at(place, &b->shortcut, x) : x, y);
}

Tensor *unet_forward_at(Place place, const Unet *u, Tape *tape, Matrix pixels, const int *times,
                        Matrix conditions)
{
    const UnetConfig *c = &u->config;
    const size_t each = (size_t)c->side * (size_t)c->side * (size_t)c->channels;
    check_at(place, pixels.rows > 0 && matrix_size(pixels) % each == 0,
             "rows are pixels, columns channels; or a row for each image",
             "unet_forward: images (%d × %d), each of %d × %d pixels with %d channels", pixels.rows,
             pixels.cols, c->side, c->side, c->channels);
    const Grid grid = {(int)(matrix_size(pixels) / each), c->side, c->side};
    Tensor *told = tell(place, u, tape, times, grid.count, conditions);
    Map x = map_input_at(place, tape, matrix_reshape_at(place, pixels, grid_rows(grid), c->channels), grid);
    Map high = through_block(place, &u->high, map_conv_at(place, &u->first, x), told);
    Map low = through_block(place, &u->low1, map_conv_at(place, &u->down, high), told);
    low = through_block(place, &u->low2, low, told);
    Map back = map_concat_at(place, high, map_conv_transposed_at(place, &u->up, low));
    back = through_block(place, &u->back, back, told);
    back = map_each_at(map_group_normalise_at(place, &u->norm, back), silu);
    return map_conv_at(place, &u->last, back).features;
}

// ---- Training ---------------------------------------------------------------------------------------------

UnetLearner unet_learner_new_at(Place place, Arena *arena, const Unet *unet, Parameters *set)
{
    UnetLearner l = {.set = set, .parts[0] = *unet};
    for (int p = 0; p < UNET_PARTS; p++) {
        l.tapes[p] = tape_new();
        if (p == 0) continue;
        l.sets[p] = parameters_new(arena);
        l.parts[p] = unet_new_at(place, &l.sets[p], unet->config, NULL);
        parameters_share_at(place, &l.sets[p], set);
    }
    return l;
}

void unet_learner_free(UnetLearner *learner)
{
    for (int p = 0; p < UNET_PARTS; p++) tape_free(learner->tapes[p]);
}

static double learn_part(Place place, const Unet *unet, Tape *tape, Matrix x_t, const int *times,
                         Matrix conditions, Matrix v, int of_images)
{
    tape_reset(tape);
    Tensor *said = unet_forward_at(place, unet, tape, x_t, times, conditions);
    Tensor *loss = mean_squared_error(said, matrix_reshape(v, said->value.rows, said->value.cols));
    loss = tensor_scale(loss, (float)x_t.rows / (float)of_images);
    backward_at(place, loss);
    return (double)loss->value.data[0];
}

double unet_learn_at(Place place, UnetLearner *learner, Matrix x_t, const int *times, Matrix conditions,
                     Matrix v)
{
    const int numbers =
        learner->parts[0].config.side * learner->parts[0].config.side * learner->parts[0].config.channels;
    check_at(place, same_shape(x_t, v) && x_t.cols == numbers, "a row for each image, and what to say of it",
             "unet_learn: x_t (%d × %d), v (%d × %d), images of %d numbers", x_t.rows, x_t.cols, v.rows,
             v.cols, numbers);
    check_at(place, x_t.rows >= UNET_PARTS, "each part needs an image", "unet_learn: %d images in %d parts",
             x_t.rows, UNET_PARTS);
    double losses[UNET_PARTS], sum = 0.0;
#pragma omp parallel for schedule(static, 1)
    for (int p = 0; p < UNET_PARTS; p++) {
        const int first = (int)((long)x_t.rows * p / UNET_PARTS),
                  count = (int)((long)x_t.rows * (p + 1) / UNET_PARTS) - first;
        const Matrix told = conditions.data ? matrix_rows(conditions, first, count) : conditions;
        losses[p] = learn_part(place, &learner->parts[p], learner->tapes[p], matrix_rows(x_t, first, count),
                               times + first, told, matrix_rows(v, first, count), x_t.rows);
    }
    for (int p = 0; p < UNET_PARTS; p++) {
        sum += losses[p];
        if (p > 0) parameters_gather_at(place, learner->set, &learner->sets[p]);
    }
    return sum;
}

// ---- Drawing ----------------------------------------------------------------------------------------------

// v ← what the network says of these images
static void say(const Unet *unet, Arena *pass, Matrix v, Matrix x, const int *times, Matrix conditions)
{
    Tensor *said = unet_forward(unet, tape_inference(pass), x, times, conditions);
    copy(v, matrix_reshape(said->value, v.rows, v.cols));
    arena_reset(pass);
}

enum { AT_ONCE = 20 };

// A piece of the images: with and without what is told, whichever guidance wants
static void predict_piece(const UnetPredictor *p, Matrix v, Matrix x, int time, Matrix conditions)
{
    const int wide = p->unet->config.conditions;
    const bool with = p->guidance != 0.0f && wide, without = p->guidance != 1.0f || !wide;
    int times[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) times[i] = time;
    Arena *arena = arena_new(), *pass = arena_new();
    if (with) say(p->unet, pass, v, x, times, conditions);
    if (without) {
        const Matrix v_none = with ? matrix_uninitialised(arena, x.rows, x.cols) : v;
        say(p->unet, pass, v_none, x, times, wide ? matrix_new(arena, x.rows, wide) : (Matrix){0});
        if (with) diffusion_guide(v, v_none, p->guidance);
    }
    arena_free(pass);
    arena_free(arena);
}

void unet_predict(void *predictor, Matrix v, Matrix x, int time)
{
    UnetPredictor *p = predictor;
    const int wide = p->unet->config.conditions, pieces = (x.rows + AT_ONCE - 1) / AT_ONCE;
#pragma omp parallel for schedule(dynamic, 1) if (pieces > 1)
    for (int piece = 0; piece < pieces; piece++) {
        const int first = piece * AT_ONCE, count = int_min(AT_ONCE, x.rows - first);
        const Matrix told =
            wide && p->conditions.data ? matrix_rows(p->conditions, first, count) : (Matrix){0};
        predict_piece(p, matrix_rows(v, first, count), matrix_rows(x, first, count), time, told);
    }
    const bool both = p->guidance != 0.0f && p->guidance != 1.0f && wide;
    p->passes += (both ? 2L : 1L) * x.rows;
}

double unet_work(const UnetConfig *config)
{
    const UnetConfig c = complete(HERE, *config);
    const double f = c.features, high = (double)c.side * c.side, low = high / 4.0;
    const double ends = 2.0 * 9.0 * c.channels * f;                                        // first, last
    const double same = 2.0 * 9.0 * f * f, back = 9.0 * (2.0 + 1.0) * f * f + 2.0 * f * f; // blocks
    const double down = 16.0 * f * 2.0 * f, up = 4.0 * 2.0 * f * f, lower = 4.0 * 9.0 * 4.0 * f * f;
    return high * (ends + same + back) + low * (down + up + lower);
}
