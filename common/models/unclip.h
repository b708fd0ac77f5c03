// unclip.h: from words to an image in three networks, the order of DALL·E 2 (Ramesh et al. 2022, "Hierarchical Text-Conditional
// Image Generation with CLIP Latents"), for the small world of files/garments.h: two words, a colour and an item.
//
//     Unclip unclip = unclip_open(arena, "build/models/26-diffusion");
//     int words[UNCLIP_WORDS];
//     const char *problem = unclip_words(words, "a purple sneaker");
//     Matrix images = unclip_draw(arena, &unclip, words, 1, (UnclipDrawing){.guidance = 2.0f, .steps = 20}, &rng);
//
//     text → its vector                  CLIP's network for texts (models/clip.h)
//     its vector → an image's vector     the prior: a diffusion model over vectors
//     an image's vector → the image      the decoder: a diffusion model over images (models/unet.h)
//
// Vectors of CLIP have length 1; prior and decoder see them times √48, so that their numbers have a mean square of 1, as noise
// has. Images are (n × 14·14·3), −1 black and 1 full, red, green and blue of each pixel side by side.
//
// Files of a folder: clip.safetensors, prior.safetensors, decoder.safetensors.
//
// Used for: chapter 26, and common/tools/draw.c.
#pragma once
#include "files/garments.h"
#include "models/clip.h"
#include "models/unet.h"

enum {
    UNCLIP_WORDS = 2, // of a text: colour, then 8 + item
    UNCLIP_VOCABULARY = GARMENT_COLOURS + GARMENT_ITEMS,
    UNCLIP_FEATURES = 48,
    UNCLIP_NUMBERS = GARMENT_PIXELS * 3,
    UNCLIP_TIMES = 200,     // of both diffusions
    UNCLIP_PRIOR_STEPS = 20 // DDIM
};

ClipConfig unclip_clip_config(void);
UnetConfig unclip_decoder_config(void);

// The prior's denoiser: a residual network on vectors that is told time and text, predicting v (models/diffusion.h).
// h = in(z) + time(waves(t)) + text(c), then h += down(silu(up(norm(h)))) three times, then out(norm(h)); out begins as zeros.
enum { PRIOR_WIDTH = 192, PRIOR_HIDDEN = 384, PRIOR_BLOCKS = 3, PRIOR_WAVES = 64 };
typedef struct {
    Linear in, time, text, out;
    LayerNorm norm[PRIOR_BLOCKS], last;
    Linear up[PRIOR_BLOCKS], down[PRIOR_BLOCKS];
} Prior;

// rng NULL: the weights stay zeros, to be read from a file.
Prior prior_new(Parameters *set, Rng *rng);

// z, texts (n × 48), times [n] → v (n × 48)
Tensor *prior_forward(const Prior *prior, Tape *tape, Matrix z, const int *times, Matrix texts);

typedef struct {
    Parameters clip_set, prior_set, decoder_set;
    Clip clip;
    Prior prior;
    Unet decoder;
    DiffusionSchedule schedule;
} Unclip;

// With random weights; rng NULL: with zeros.
Unclip unclip_new(Arena *arena, Rng *rng);

// From and to a folder. A folder without the three files stops the program.
Unclip unclip_open(Arena *arena, const char *folder);
void unclip_save(const char *folder, const Unclip *unclip); // makes the folder

// A text such as "a purple sneaker": one colour and one item in either order, in upper or lower case, with or without a, an,
// the, "-" in the words, or an s behind the item. NULL, or what is wrong with it, in static storage, with the words there are.
const char *unclip_words(int words[UNCLIP_WORDS], const char *text);

// words [count · 2] → vectors times √48: of the texts, and what the prior makes of them (count × 48). The prior draws its
// noise from rng; what comes out is brought to the length of vectors again.
Matrix unclip_texts(Arena *arena, const Unclip *unclip, const int *words, int count);
Matrix unclip_image_vectors(Arena *arena, const Unclip *unclip, Matrix texts, Rng *rng);

// images (n × 588), −1 to 1 → their vectors times √48 (n × 48)
Matrix unclip_look(Arena *arena, const Unclip *unclip, Matrix images);

typedef struct {
    float guidance; // of the decoder
    int steps;      // DDIM, at most UNCLIP_TIMES; 0: all
} UnclipDrawing;

// vectors (n × 48) → images (n × 588). Image i begins with noise that depends on rng and i alone; rng moves on.
Matrix unclip_decode(Arena *arena, const Unclip *unclip, Matrix vectors, UnclipDrawing how, Rng *rng);

// All of it: words [count · 2] → images (count × 588).
Matrix unclip_draw(Arena *arena, const Unclip *unclip, const int *words, int count, UnclipDrawing how,
                   Rng *rng);
