// unet.h: a small U-Net that is told a time and a condition: the denoiser of a diffusion model (Ho, Jain and Abbeel 2020,
// "Denoising Diffusion Probabilistic Models", appendix B; Ronneberger et al. 2015 for its shape).
//
//     UnetConfig config = {.side = 14, .channels = 1, .features = 24, .conditions = 10};
//     Unet unet = unet_new(&parameters, config, &rng);
//     Tensor *v = unet_forward(&unet, tape, pixels, times, labels);     // one output for each input number
//
//     high = block(conv(x))                      side × side, features F
//     low  = block(block(conv, stride 2, high))  side/2 × side/2, features 2 F
//     out  = conv(silu(norm(block([high, conv transposed, stride 2, low]))))
//
// A block (He et al. 2015, with the order of Ho et al.): y = conv(silu(norm(x))) + shift, out = x + conv(silu(norm(y))), where x
// passes a 1 × 1 convolution when the number of channels changes. The shift, a number for each channel of each image, is what
// the block is told about time and condition: linear(s) with s = silu(linear(waves(t)) + linear(condition)). Norms are group
// norms, so images of a batch do not see each other. The last convolution of each block and that of the network begin as zeros:
// at first a block passes on what it gets, and the network says 0.
//
// A condition is a row of numbers, such as the vector of a text; a class is a row with one 1; none is a row of zeros.
//
// Shapes: n images, side · side pixels, `channels` numbers each: pixels (n·side·side × channels), or (n × side·side·channels),
// the same memory.
//
// Used for: chapter 26. For a U-Net without a time see chapter 12 and map.h.
#pragma once
#include "models/diffusion.h"
#include "models/map.h"

// What is 0 takes the default that stands beside it.
typedef struct {
    int side, channels; // of the images; side is even; channels: 1
    int features;       // F, and 2 F at half the side: 24
    int groups;         // of the norms, which divide F: 8
    int waves;          // numbers that tell the time, half sines and half cosines: 64
    int told;           // features of what blocks are told: 128
    int conditions;     // numbers of a condition; 0: none
} UnetConfig;

typedef struct {
    GroupNorm norm1, norm2;
    Conv conv1, conv2, shortcut; // shortcut.weight NULL: x itself
    Linear shift;
} UnetBlock;

typedef struct {
    UnetConfig config; // complete
    Linear time, condition;
    Conv first, down, last;
    ConvTransposed up;
    UnetBlock high, low1, low2, back;
    GroupNorm norm;
} Unet;

// rng NULL: the weights stay zeros, to be read from a file.
#define unet_new(set, config, rng) unet_new_at(HERE, set, config, rng)
Unet unet_new_at(Place place, Parameters *set, UnetConfig config, Rng *rng);

// times [n], each at least 0; conditions (n × config.conditions), or with data NULL when there are none. The result has one row
// for each pixel.
#define unet_forward(unet, tape, pixels, times, conditions)                                                  \
    unet_forward_at(HERE, unet, tape, pixels, times, conditions)
Tensor *unet_forward_at(Place place, const Unet *unet, Tape *tape, Matrix pixels, const int *times,
                        Matrix conditions);

// Training. The layers of a small network are too little work to be shared out one by one, so a batch is cut into parts that
// pass through the whole network side by side, and their gradients are added in the order of the parts: the same bits for any
// number of threads, and nearly those of one pass with the whole batch (a sum of floats hangs on its order).
enum { UNET_PARTS = 4 };
typedef struct {
    Parameters *set;             // of the first part, which is the network itself
    Parameters sets[UNET_PARTS]; // of the others
    Unet parts[UNET_PARTS];
    Tape *tapes[UNET_PARTS];
} UnetLearner;

// set holds the parameters of unet and nothing else; both live as long as the learner.
#define unet_learner_new(arena, unet, set) unet_learner_new_at(HERE, arena, unet, set)
UnetLearner unet_learner_new_at(Place place, Arena *arena, const Unet *unet, Parameters *set);
void unet_learner_free(UnetLearner *learner);

// The mean squared error of what the network says of a batch: x_t, v (n × side·side·channels), times and conditions as above.
// Its gradient is added to those of the set, for optimiser_step.
#define unet_learn(learner, x_t, times, conditions, v) unet_learn_at(HERE, learner, x_t, times, conditions, v)
double unet_learn_at(Place place, UnetLearner *learner, Matrix x_t, const int *times, Matrix conditions,
                     Matrix v);

// What the network says while images are drawn, for diffusion_draw: x and v (n × side·side·channels). Guidance 1 is the
// condition as it is and 0 none, a pass through the network each; any other guidance takes both (diffusion_guide). Images
// pass in pieces that stay in the cache, side by side, with the same bits.
typedef struct {
    const Unet *unet;
    Matrix conditions; // (n × config.conditions), or with data NULL
    float guidance;
    long passes; // of single images, counted
} UnetPredictor;
void unet_predict(void *predictor, Matrix v, Matrix x, int time);

// Multiply-adds of the convolutions for one image, forwards: nearly all of the work. A training step takes three times that.
double unet_work(const UnetConfig *config);

// waves (n × C), C even: sin(t w_k) in column k and cos(t w_k) in column C/2 + k, with w_k = 10000^(−2k/C).
void time_waves(Matrix waves, const int *times);
