// small_agent: writes untrained policies for both worlds of models/worlds.h into a folder, for test_balance.sh.
#include "files/folder.h"
#include "models/actor_critic.h"
#include "models/checkpoint.h"
#include "models/worlds.h"

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    Arena *arena = arena_new();
    Rng rng = rng_new(3, 0);
    const World *const worlds[] = {&world_pole, &world_pendulum};
    const char *const files[] = {"pole.safetensors", "pendulum.safetensors"};
    folder_make_at(HERE, argv[1]);
    for (int i = 0; i < 2; i++) {
        char path[FOLDER_MOST_PATH];
        ActorCritic agent = actor_critic_new(arena, worlds[i]->observations, 8, worlds[i]->actions, &rng);
        folder_path_at(HERE, path, argv[1], files[i]);
        parameters_save(path, &agent.parameters, NULL, 0);
    }
    arena_free(arena);
    return 0;
}
