// Exercises of chapter 26, Diffusion: what each task takes and gives back. Do not edit: write in exercise.c.
//
// n examples of D numbers, a row each. "Remaining" is ā, the part of the variance of the data that is left: 1 for the data
// themselves, near 0 for noise. sqrtf is in <math.h>, cos32 in base/mathf.h. Outputs are overwritten, whatever they held, and
// are never the memory of an input.
#pragma once
#include "lesson/exercise.h"
#include "matrix/matrix.h"

// TASK 26.1  The cosine schedule. With T = remaining.cols − 1 and f(t) = cos²(π/2 · (t/T · end + offset) / (1 + offset)), what
// remains at time t is f(t) / f(0). remaining (1 × T + 1), T ≥ 1; 0 < end < 1, 0 < offset < 1.
void cosine_schedule_of(/* out */ Matrix remaining, float end, float offset);

// TASK 26.2  From data to noise in one step, and what the network is asked for. Row i has its own time: remaining(i, 0) is ā.
// x_t = √ā x_0 + √(1 − ā) noise, v = √ā noise − √(1 − ā) x_0
// x_t, v, x_0, noise (n × D), remaining (n × 1)
void noised_and_target(/* out */ Matrix x_t, /* out */ Matrix v, Matrix x_0, Matrix noise, Matrix remaining);

// TASK 26.3  And back: the data and the noise that a network means when it sees x_t and says v.
// x_0, noise, x_t, v (n × D), remaining (n × 1)
void taken_apart(/* out */ Matrix x_0, /* out */ Matrix noise, Matrix x_t, Matrix v, Matrix remaining);

// TASK 26.4  One step of DDIM: from a time where `now` remains to an earlier one where `then` remains, now < then ≤ 1. The
// network sees x and says v (n × D); what it thinks the noise to be stays in the image, as much of it as belongs there.
void jump_back(/* out */ Matrix earlier, Matrix x, Matrix v, float now, float then);

// TASK 26.5  One step of DDPM with guidance. The network said v_told with the condition and v_none without. Guidance 1 is
// v_told, 0 is v_none, and any other goes on along the same line. From the guided v the data are guessed, each number is cut to
// −1 … 1, and then, with α = now / then and β = 1 − α,
//   mean = √then β / (1 − now) x_0 + √α (1 − then) / (1 − now) x,   variance = (1 − then) / (1 − now) β.
// Add √variance · fresh. earlier, x, v_told, v_none, fresh (n × D), now < then ≤ 1.
void guided_step_back(/* out */ Matrix earlier, Matrix x, Matrix v_told, Matrix v_none, Matrix fresh,
                      float guidance, float now, float then);
