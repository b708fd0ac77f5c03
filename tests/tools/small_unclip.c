// small_unclip: writes the three networks of models/unclip.h with random weights into a folder, for test_draw.sh.
#include "models/unclip.h"

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 0);
    Unclip unclip = unclip_new(arena, &rng);
    // Layers that begin as zeros say nothing: noise for those, too.
    Parameters *sets[] = {&unclip.prior_set, &unclip.decoder_set};
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < sets[s]->count; i++) {
            Matrix value = sets[s]->items[i]->value;
            for (size_t k = 0; k < matrix_size(value); k++) value.data[k] += rng_between(&rng, -0.1f, 0.1f);
        }
    unclip_save(argv[1], &unclip);
    arena_free(arena);
    return 0;
}
