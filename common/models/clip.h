// clip.h: two networks that meet: one makes a vector of an image, the other of its caption, and training pulls the two vectors
// of a pair together and pushes all other pairs of a batch apart (Radford et al. 2021, "Learning Transferable Visual Models From
// Natural Language Supervision").
//
//     ClipConfig config = {.side = 14, .convolutions = {24, 48}, .hidden = 128, .words = 2, .vocabulary = 18,
//                          .text_features = 32, .text_hidden = 128, .features = 48};
//     Clip clip = clip_new(&parameters, config, &rng);
//     Tensor *images = clip_images(&clip, tape, pixels);          // (B × 48), rows of length 1
//     Tensor *texts = clip_texts(&clip, tape, words, B);          // (B × 48)
//     backward(contrastive_loss(images, texts, clip.log_scale, captions));
//
// Images: convolutions with stride 2 and ReLU, the first with a window of 4 × 4 and the others of 3 × 3, until the image is
// small; a hidden layer with ReLU; a linear layer to `features`. Texts are `words` numbers each, below `vocabulary`: their
// embeddings side by side go through a hidden layer with ReLU (blocks = 0), or, with positions added, through blocks
// (models/block.h) in which all see all, and their mean to the linear layer. Rows are divided by their lengths, so that a
// product of two of them is the cosine of their angle.
//
// Parameters by name: image.convi.…, image.hidden.…, image.out.weight, text.word.weight, text.position, text.blocki.…,
// text.norm.…, text.hidden.…, text.out.weight, log_scale (1 × 1).
//
// Used for: chapters 24 and 26.
#pragma once
#include "models/block.h"
#include "models/map.h"

enum { CLIP_MAX_CONVOLUTIONS = 4 };

typedef struct {
    int side;                                // of the images, side · side pixels
    int channels;                            // 0: 3
    int convolutions[CLIP_MAX_CONVOLUTIONS]; // features of each; a 0 ends them; at least one
    int hidden;                              // of the image's network
    int words, vocabulary;                   // of a text
    int text_features;                       // of a word's embedding
    int text_hidden;   // blocks = 0: its hidden layer. Else of the blocks; 0: 4 · text_features
    int blocks, heads; // 0 blocks: embeddings side by side
    int features;      // that both networks give
    float scale;       // the first scale of the loss, 1/τ; 0: 1/0.07
} ClipConfig;

typedef struct {
    ClipConfig config; // complete
    Conv convolution[CLIP_MAX_CONVOLUTIONS];
    int convolution_count;
    Linear image_hidden, image_out;
    Embedding word;
    Tensor *positions; // (words × text_features); NULL without blocks
    Block *blocks;
    Norm norm;
    Linear text_hidden, text_out;
    Tensor *log_scale; // (1 × 1), the logarithm of 1/τ
} Clip;

#define clip_new(set, config, rng) clip_new_at(HERE, set, config, rng)
Clip clip_new_at(Place place, Parameters *set, ClipConfig config, Rng *rng);

// pixels (n·side·side × channels), or a row for each image → (n × features), rows of length 1.
#define clip_images(clip, tape, pixels) clip_images_at(HERE, clip, tape, pixels)
Tensor *clip_images_at(Place place, const Clip *clip, Tape *tape, Matrix pixels);

// words [count · config.words] → (count × features), rows of length 1.
#define clip_texts(clip, tape, words, count) clip_texts_at(HERE, clip, tape, words, count)
Tensor *clip_texts_at(Place place, const Clip *clip, Tape *tape, const int *words, int count);

// InfoNCE in both directions (van den Oord et al. 2018, eq. 4; symmetric as in CLIP), with s = min(e^log_scale, 100):
//
//     logits = s · images · textsᵀ        loss = ½ (CE(logits, pairs) + CE(logitsᵀ, pairs))
//
// Row i of the images belongs to row i of the texts. Where captions [B] gives two rows the same number, their captions are the
// same, and each is as right for the other: the targets of a row are then divided equally among them. NULL: all differ.
#define contrastive_loss(images, texts, log_scale, captions)                                                 \
    contrastive_loss_at(HERE, images, texts, log_scale, captions)
Tensor *contrastive_loss_at(Place place, Tensor *images, Tensor *texts, Tensor *log_scale,
                            const int *captions);
