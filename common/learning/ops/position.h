// position.h: what tells attention where a position is. Row b · T + t of a batch of sequences is position t of sequence b.
#pragma once
#include "learning/tensor.h"

// Rotary (Su et al. 2021): within each head of width D, the pair (x_j, x_{j + D/2}) of position t is rotated by the angle
// t · base^(−2j/D): the half-split form of Llama, Qwen and GPT-NeoX. time positions in each sequence, the first of them
// number `first`. backward rotates the other way.
//
// A model that was trained on short texts reads longer ones when its angles are made smaller. Linear (Chen et al. 2023): all
// of them by factor. By wavelength, as Llama 3.1 does: pairs that turn once within trained / high positions stay, those that
// need more than trained / low are divided by factor, and between the two the division sets in gradually.
typedef enum { ROTARY_PLAIN, ROTARY_LINEAR, ROTARY_BY_WAVELENGTH } RotaryScalingKind;
typedef struct {
    RotaryScalingKind kind;
    float factor;    // ≥ 1
    float low, high; // low < high; by wavelength only, as trained
    int trained;     // positions of a text in training
} RotaryScaling;

typedef struct {
    int time, heads, first;
    float base;        // 0: 10000
    int width;         // of a head: the columns behind the heads stay as they are; 0: all columns are heads
    const int *firsts; // the number of each sequence's first position; NULL: `first` for all
    RotaryScaling scaling;
} RotaryShape;
void rotary_forward(Matrix y, Matrix x, RotaryShape shape); // y may be x
void rotary_check_scaling(Place place, const char *name,
                          RotaryScaling scaling); // stops the program in this name
void rotary_backward(Matrix d_x, Matrix d_y, RotaryShape shape);

// Sines and cosines of geometric wavelengths (Vaswani et al. 2017, section 3.5): table (T × C), column 2j sine, 2j + 1
// cosine of t / 10000^(2j/C).
void sinusoidal_positions(Matrix table);

// ---- Taped -------------------------------------------------------------------------------------------------------
#define rotary(x, shape)              rotary_at(HERE, x, shape)
#define add_positions(x, table, time) add_positions_at(HERE, x, table, time)
Tensor *rotary_at(Place place, Tensor *x, RotaryShape shape);
Tensor *add_positions_at(Place place, Tensor *x, Tensor *table,
                         int time); // row b·T + t gets row t of the table
