// live_bits FILE: what chapter 1's page in the browser must show and compute, from the same descent.c on this machine: a script
// with sentences and digests of numbers. test_live.js compares.
#include "tools/live/descent.c"

static FILE *script;

// FNV-1a over the bytes of floats
static uint32_t digest(const float *numbers, int count)
{
    uint32_t hash = 2166136261u;
    const unsigned char *bytes = (const unsigned char *)numbers;
    for (size_t i = 0; i < (size_t)count * sizeof *numbers; i++) hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

int main(int argc, char **argv)
{
    check(argc == 2, "live_bits FILE", "live_bits takes one file");
    script = fopen(argv[1], "w");
    check(script, "may you write there?", "%s cannot be written", argv[1]);
    live_begin();
    fprintf(script, "window.expected = { map: %u, limits: [%.17g, %.17g],\nways: [\n",
            digest(live_map(-1.4, 1.4, -1.4, 1.0), GRID_SIDE * GRID_SIDE), (double)live_limit(2),
            (double)live_limit(10));
    const int settings[][3] = {{5, 24, 0},    {45, 24, 0},  {90, 24, 0},  {99, 200, 0}, {101, 200, 0},
                               {130, 200, 0}, {45, 50, 64}, {30, 77, 16}, {20, 200, 4}, {5, 200, 1}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const int *s = settings[i], count = s[1] + 1;
        const char *said = live_descend(s[0] / 100.0, s[1], s[2], 7, -0.9, -0.5);
        fprintf(script, "{ percent: %d, steps: %d, people: %d, said: \"%s\", digests: [%u, %u, %u] },\n",
                s[0], s[1], s[2], said, digest(live_way(0), count), digest(live_way(1), count),
                digest(live_losses(), count));
    }
    fprintf(script, "], rates: [\n");
    const double rates[] = {0.003, 0.03, 0.3, 0.48, 0.49, 0.52};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const char *said = live_rate(rates[i]);
        fprintf(script, "{ rate: %g, said: \"%s\", digest: %u },\n", rates[i], said,
                digest(live_losses(), 201));
    }
    fprintf(script, "] }\n");
    return fclose(script) == 0 ? 0 : 1;
}
