// sampler.h: from the scores of the next token to the token.
//
//     int next = sample_token(logits, (Sampling){.temperature = 0.8f, .top_k = 40}, &rng);
//
// The scores are divided by the temperature: below 1 the likely tokens become likelier, above 1 all come nearer to each
// other; 0 takes the largest score. Then the top_k largest are kept (Fan, Lewis and Dauphin 2018, section 5.4), then
// of these the fewest whose probabilities sum to at least top_p (the nucleus: Holtzman et al. 2020, section 3.1). Of
// equal scores the first token counts as the larger, so exactly top_k are kept and the same call gives the same token.
// However small top_p is, one token is kept. A member that is left out cuts nothing; who reads a top_p from a person or a
// file and means the one likeliest token by 0, as other libraries do, sets top_k = 1 then, as common/tools/sample.c does.
//
// A score of −∞ is never drawn. A NaN or +∞ comes from a model that has diverged: the program stops and says which.
#pragma once
#include "matrix/matrix.h"

typedef struct {
    float temperature; // 0: the largest score
    int top_k;         // 0: all
    float top_p;       // left out (0) or 1: all
} Sampling;

// logits (1 × V) → a token, 0 … V − 1. Draws one number from rng, none at temperature 0 (rng may then be NULL).
#define sample_token(logits, ...) sample_token_at(HERE, logits, __VA_ARGS__) // sampling, rng
int sample_token_at(Place place, Matrix logits, Sampling sampling, Rng *rng);

// The probabilities (1 × V) that sample_token draws with; they may stand in the place of the logits.
#define sampling_probabilities(probabilities, logits, ...) /* sampling */                                    \
    sampling_probabilities_at(HERE, probabilities, logits, __VA_ARGS__)
void sampling_probabilities_at(Place place, Matrix probabilities, Matrix logits, Sampling sampling);
