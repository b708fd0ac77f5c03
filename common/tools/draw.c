// draw: draws a garment from words with the networks that chapter 26 has trained, in the terminal and as a PNG.
//
//     draw --model FOLDER "a purple sneaker"
//     draw --model FOLDER --guidance 3 --steps 50 --seed 7 --out sneaker.png "a purple sneaker"
//
// The words are a colour and an item, in either order, upper or lower case, with or without a, an, the, and an s behind the item;
// others are refused, with a list of those there are. The image has 14 × 14 pixels. Where standard output is a terminal, it is
// shown there in 24-bit colour, two pixels in the height of a character; elsewhere as characters, the denser the brighter.
// The PNG shows it enlarged. The same words, seed, guidance and steps write the same bytes on every machine.
#include "base/check.h"
#include "base/cores.h"
#include "files/image.h"
#include "models/unclip.h"
#include "tools/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "draw --model FOLDER [--guidance 2] [--steps 20] [--seed 1] [--out drawing.png] [--] PROMPT\n"
    "  --guidance G  how hard the drawing is pushed towards the words: 1 not at all, 4 hard\n"
    "  --steps N     how many times the decoder is asked, 1 to 200\n"
    "  --seed S      the same seed draws the same image\n"
    "  --out FILE    the PNG that is written\n"
    "  PROMPT        a colour and an item, such as \"a purple sneaker\"";

typedef struct {
    const char *model, *prompt, *out;
    UnclipDrawing how;
    uint64_t seed;
} Options;

static void set_option(void *options, const char *name, const char *value)
{
    Options *o = options;
    if (strcmp(name, "--model") == 0) {
        o->model = value;
    } else if (strcmp(name, "--guidance") == 0) {
        o->how.guidance = (float)number_argument(usage, name, value, 0.0, 100.0);
    } else if (strcmp(name, "--steps") == 0) {
        o->how.steps = (int)whole_argument(usage, name, value, 1, UNCLIP_TIMES);
    } else if (strcmp(name, "--seed") == 0) {
        o->seed = whole_argument(usage, name, value, 0, UINT64_MAX);
    } else if (strcmp(name, "--out") == 0) {
        check(*value, usage, "--out has an empty name");
        o->out = value;
    } else {
        die(usage, "unknown option %s", name);
    }
}

static Options read_options(int argc, char **argv)
{
    Options o = {.out = "drawing.png", .how = {.guidance = 2.0f, .steps = 20}, .seed = 1};
    o.prompt = read_arguments(argc, argv, usage, "prompts", set_option, &o);
    check(o.prompt, usage, "what shall be drawn? The prompt is missing");
    check(o.model, usage, "with which networks? --model FOLDER is missing");
    return o;
}

static Unclip open_model(Arena *arena, const char *folder)
{
    char path[4096];
    struct stat there;
    snprintf(path, sizeof path, "%s/decoder.safetensors", folder);
    check(stat(path, &there) == 0, "type `make chapter26`, which trains one in about a minute",
          "%s: there is no trained model", folder);
    return unclip_open(arena, folder);
}

// ---- Showing it -------------------------------------------------------------------------------------------

static const uint8_t *pixel(Image image, int row, int column)
{
    return image.rgb + 3 * (row * image.width + column);
}

// Two rows of pixels in one of characters: the upper is the colour of ▀, the lower that of the ground.
static void show_in_colour(Image image)
{
    for (int row = 0; row + 1 < image.height; row += 2) {
        for (int column = 0; column < image.width; column++) {
            const uint8_t *upper = pixel(image, row, column), *lower = pixel(image, row + 1, column);
            printf("\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm▀", upper[0], upper[1], upper[2], lower[0],
                   lower[1], lower[2]);
        }
        printf("\033[0m\n");
    }
}

static void show_in_characters(Image image)
{
    static const char dense[] = " .:-=+*#%@";
    for (int row = 0; row < image.height; row++) {
        for (int column = 0; column < image.width; column++) {
            const uint8_t *rgb = pixel(image, row, column);
            const int most = int_max(rgb[0], int_max(rgb[1], rgb[2]));
            const char shade = dense[most * (int)(sizeof dense - 2) / 255];
            putchar(shade), putchar(shade);
        }
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    enum { ENLARGED = 24 * GARMENT_SIDE };
    Options options = read_options(argc, argv);
    cores_begin();
    int words[UNCLIP_WORDS];
    const char *problem = unclip_words(words, options.prompt);
    check(!problem, "a colour and an item, such as \"a purple sneaker\"", "%s", problem);
    Arena *arena = arena_new();
    Unclip unclip = open_model(arena, options.model);
    Rng rng = rng_new(options.seed, 0);
    Matrix drawn = unclip_draw(arena, &unclip, words, 1, options.how, &rng);
    add_scalar(drawn, 1.0f), scale(drawn, 0.5f);
    Image image =
        image_from_pixels(arena, matrix_reshape(drawn, GARMENT_PIXELS, 3), GARMENT_SIDE, GARMENT_SIDE);
    if (isatty(STDOUT_FILENO)) {
        show_in_colour(image);
    } else {
        show_in_characters(image);
    }
    image_write(options.out, image_resize(arena, image, ENLARGED, ENLARGED));
    printf("a %s %s, guidance %g, %d steps, seed %llu: %s\n", garment_colours[words[0]],
           garment_items[words[1] - GARMENT_COLOURS], (double)options.how.guidance, options.how.steps,
           (unsigned long long)options.seed, options.out);
    arena_free(arena);
    return EXIT_SUCCESS;
}
