// unclip.c: see unclip.h.
#include "models/unclip.h"
#include "base/check.h"
#include "models/checkpoint.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const float VECTOR_LENGTH = 6.92820323f; // √48

ClipConfig unclip_clip_config(void)
{
    return (ClipConfig){.side = GARMENT_SIDE,
                        .convolutions = {24, 48},
                        .hidden = 128,
                        .words = UNCLIP_WORDS,
                        .vocabulary = UNCLIP_VOCABULARY,
                        .text_features = 32,
                        .text_hidden = 128,
                        .features = UNCLIP_FEATURES};
}

UnetConfig unclip_decoder_config(void)
{
    return (UnetConfig){
        .side = GARMENT_SIDE, .channels = 3, .features = 16, .groups = 4, .conditions = UNCLIP_FEATURES};
}

// ---- The prior --------------------------------------------------------------------------------------------

Prior prior_new(Parameters *set, Rng *rng)
{
    const Initialiser usual = rng ? INIT_LECUN : INIT_ZERO;
    Prior p = {.in = linear_new(set, "in", UNCLIP_FEATURES, PRIOR_WIDTH, rng, usual)};
    p.time = linear_new(set, "time", PRIOR_WAVES, PRIOR_WIDTH, rng, usual);
    p.text = linear_new(set, "text", UNCLIP_FEATURES, PRIOR_WIDTH, rng, usual);
    for (int l = 0; l < PRIOR_BLOCKS; l++) {
        p.norm[l] = layer_norm_new(set, layer_name(set, "block", "norm", l), PRIOR_WIDTH);
        p.up[l] = linear_new(set, layer_name(set, "block", "up", l), PRIOR_WIDTH, PRIOR_HIDDEN, rng, usual);
        p.down[l] =
            linear_new(set, layer_name(set, "block", "down", l), PRIOR_HIDDEN, PRIOR_WIDTH, rng, INIT_ZERO);
    }
    p.last = layer_norm_new(set, "last", PRIOR_WIDTH);
    p.out = linear_new(set, "out", PRIOR_WIDTH, UNCLIP_FEATURES, rng, INIT_ZERO);
    return p;
}

Tensor *prior_forward(const Prior *p, Tape *tape, Matrix z, const int *times, Matrix texts)
{
    Matrix waves = matrix_uninitialised(tape_arena(tape), z.rows, PRIOR_WAVES);
    time_waves(waves, times);
    Tensor *h = linear(&p->in, tape_input(tape, z));
    h = linear_add(&p->time, h, tape_input(tape, waves));
    h = linear_add(&p->text, h, tape_input(tape, texts));
    for (int l = 0; l < PRIOR_BLOCKS; l++) {
        Tensor *up = silu(linear(&p->up[l], layer_normalise(&p->norm[l], h)));
        h = linear_add(&p->down[l], h, up);
    }
    return linear(&p->out, layer_normalise(&p->last, h));
}

// ---- Making, reading and writing one ----------------------------------------------------------------------

Unclip unclip_new(Arena *arena, Rng *rng)
{
    Unclip u = {.clip_set = parameters_new(arena),
                .prior_set = parameters_new(arena),
                .decoder_set = parameters_new(arena)};
    u.clip = clip_new(&u.clip_set, unclip_clip_config(), rng);
    u.prior = prior_new(&u.prior_set, rng);
    u.decoder = unet_new(&u.decoder_set, unclip_decoder_config(), rng);
    u.schedule = diffusion_schedule_new(arena, UNCLIP_TIMES);
    return u;
}

enum { LONGEST_PATH = 4096 };

static const char *path_of(char path[LONGEST_PATH], const char *folder, const char *name)
{
    const int length = snprintf(path, LONGEST_PATH, "%s/%s.safetensors", folder, name);
    check(length < LONGEST_PATH, "choose a shorter one", "%s: a path of %d characters", folder, length);
    return path;
}

Unclip unclip_open(Arena *arena, const char *folder)
{
    char path[LONGEST_PATH];
    Unclip u = unclip_new(arena, NULL);
    parameters_load(path_of(path, folder, "clip"), &u.clip_set);
    parameters_load(path_of(path, folder, "prior"), &u.prior_set);
    parameters_load(path_of(path, folder, "decoder"), &u.decoder_set);
    return u;
}

void unclip_save(const char *folder, const Unclip *u)
{
    char path[LONGEST_PATH];
    path_of(path, folder, "clip");
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777); // one that is there stays; one that cannot be made is told below
        *slash = '/';
    }
    parameters_save(path_of(path, folder, "clip"), &u->clip_set, NULL, 0);
    parameters_save(path_of(path, folder, "prior"), &u->prior_set, NULL, 0);
    parameters_save(path_of(path, folder, "decoder"), &u->decoder_set, NULL, 0);
}

// ---- Words ------------------------------------------------------------------------------------------------

// Letters alone, in lower case: "T-Shirts" → "tshirts". Returns how many.
static size_t plain(char *out, size_t room, const char *word, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)word[i];
        if (c == '-') continue;
        if (count + 1 < room) out[count++] = (char)tolower(c);
    }
    out[count] = '\0';
    return count;
}

static bool is_word(const char *said, const char *known, bool plural)
{
    char name[32], with_s[34];
    plain(name, sizeof name, known, strlen(known));
    snprintf(with_s, sizeof with_s, "%ss", name);
    return strcmp(said, name) == 0 || (plural && strcmp(said, with_s) == 0);
}

static int find_word(const char *said)
{
    for (int c = 0; c < GARMENT_COLOURS; c++)
        if (is_word(said, garment_colours[c], false)) return c;
    for (int i = 0; i < GARMENT_ITEMS; i++)
        if (is_word(said, garment_items[i], true)) return GARMENT_COLOURS + i;
    return -1;
}

static char told[1024];

// "nothing is said of …: colours are red, …; items are T-shirt, …"
static const char *wrong(const char *what, const char *word)
{
    size_t at = (size_t)snprintf(told, sizeof told, "%s%.40s; colours: ", what, word);
    for (int c = 0; c < GARMENT_COLOURS; c++)
        at += (size_t)snprintf(told + at, sizeof told - at, "%s%s", c ? ", " : "", garment_colours[c]);
    at += (size_t)snprintf(told + at, sizeof told - at, "; items: ");
    for (int i = 0; i < GARMENT_ITEMS; i++)
        at += (size_t)snprintf(told + at, sizeof told - at, "%s%s", i ? ", " : "", garment_items[i]);
    return told;
}

const char *unclip_words(int words[UNCLIP_WORDS], const char *text)
{
    static const char blanks[] = " \t\n\r\v\f.,!?\"'";
    words[0] = words[1] = -1;
    for (const char *at = text + strspn(text, blanks); *at; at += strspn(at, blanks)) {
        const size_t length = strcspn(at, blanks);
        char said[48];
        plain(said, sizeof said, at, length);
        at += length;
        if (strcmp(said, "a") == 0 || strcmp(said, "an") == 0 || strcmp(said, "the") == 0) continue;
        const int found = find_word(said);
        if (found < 0) {
            for (char *c = said; *c; c++) // what is no printable ASCII must not reach a terminal
                if (*c < ' ' || *c > '~') *c = '?';
            return wrong("unknown word: ", said);
        }
        int *place = &words[found >= GARMENT_COLOURS];
        if (*place >= 0) return wrong(found < GARMENT_COLOURS ? "two colours" : "two items", "");
        *place = found;
    }
    if (words[0] < 0) return wrong("a colour is missing", "");
    if (words[1] < 0) return wrong("an item is missing", "");
    return NULL;
}

// ---- Vectors and images -----------------------------------------------------------------------------------

// Each row to the length √48
static void lengthen(Matrix vectors)
{
    for (int i = 0; i < vectors.rows; i++) {
        Matrix row = matrix_rows(vectors, i, 1);
        const double length = norm(row);
        if (length > 0.0) scale(row, (float)((double)VECTOR_LENGTH / length));
    }
}

Matrix unclip_texts(Arena *arena, const Unclip *u, const int *words, int count)
{
    Matrix vectors = matrix_uninitialised(arena, count, UNCLIP_FEATURES);
    Arena *scratch = arena_new();
    copy(vectors, clip_texts(&u->clip, tape_inference(scratch), words, count)->value);
    arena_free(scratch);
    scale(vectors, VECTOR_LENGTH);
    return vectors;
}

Matrix unclip_look(Arena *arena, const Unclip *u, Matrix images)
{
    enum { AT_ONCE = 250 };
    Matrix vectors = matrix_uninitialised(arena, images.rows, UNCLIP_FEATURES);
    Arena *scratch = arena_new(), *pass = arena_new();
    Matrix seen = matrix_new(scratch, int_min(AT_ONCE, images.rows), images.cols);
    for (int first = 0; first < images.rows; first += AT_ONCE) {
        const Matrix some = matrix_rows(images, first, int_min(AT_ONCE, images.rows - first));
        const Matrix light = matrix_rows(seen, 0, some.rows); // CLIP sees 0 to 1
        for (size_t i = 0; i < matrix_size(some); i++) light.data[i] = 0.5f * (some.data[i] + 1.0f);
        copy(matrix_rows(vectors, first, some.rows),
             clip_images(&u->clip, tape_inference(pass), light)->value);
        arena_reset(pass);
    }
    arena_free(pass), arena_free(scratch);
    scale(vectors, VECTOR_LENGTH);
    return vectors;
}

typedef struct {
    const Prior *prior;
    Matrix texts;
} PriorPredictor;

static void predict_vectors(void *context, Matrix v, Matrix z, int time)
{
    const PriorPredictor *p = context;
    Arena *arena = arena_new(), *pass = arena_new();
    int *times = arena_alloc(arena, (size_t)z.rows, sizeof *times);
    for (int i = 0; i < z.rows; i++) times[i] = time;
    copy(v, prior_forward(p->prior, tape_inference(pass), z, times, p->texts)->value);
    arena_free(pass), arena_free(arena);
}

// Row i from stream i: an image does not depend on how many are drawn with it.
static void fill_rows(Matrix x, Rng *rng)
{
    for (int i = 0; i < x.rows; i++) {
        Rng own = rng_stream(rng, (uint64_t)i);
        fill_normal(matrix_rows(x, i, 1), &own, 0.0f, 1.0f);
    }
    rng_next(rng);
}

Matrix unclip_image_vectors(Arena *arena, const Unclip *u, Matrix texts, Rng *rng)
{
    Matrix z = matrix_uninitialised(arena, texts.rows, UNCLIP_FEATURES);
    fill_rows(z, rng);
    PriorPredictor predictor = {&u->prior, texts};
    const DiffusionPath path = {.steps = UNCLIP_PRIOR_STEPS};
    diffusion_draw(z, &u->schedule, path, predict_vectors, &predictor, NULL);
    lengthen(z);
    return z;
}

Matrix unclip_decode(Arena *arena, const Unclip *u, Matrix vectors, UnclipDrawing how, Rng *rng)
{
    Matrix x = matrix_uninitialised(arena, vectors.rows, UNCLIP_NUMBERS);
    fill_rows(x, rng);
    UnetPredictor predictor = {.unet = &u->decoder, .conditions = vectors, .guidance = how.guidance};
    const DiffusionPath path = {.steps = how.steps, .limit = 1.0f};
    diffusion_draw(x, &u->schedule, path, unet_predict, &predictor, NULL);
    return x;
}

Matrix unclip_draw(Arena *arena, const Unclip *u, const int *words, int count, UnclipDrawing how, Rng *rng)
{
    Matrix texts = unclip_texts(arena, u, words, count);
    Matrix vectors = unclip_image_vectors(arena, u, texts, rng);
    return unclip_decode(arena, u, vectors, how, rng);
}
