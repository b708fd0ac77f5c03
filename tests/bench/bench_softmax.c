// Softmax regression, 784–10, SGD, one epoch of Fashion-MNIST. Target: 3.5 times the speed of PyTorch, equal
// accuracy.
#include "fashion.h"

int main(void)
{
    Arena *arena = arena_new();
    ImageSet data = fashion_mnist_load(arena);
    static const int sizes[] = {784, 10};
    FashionModel model = fashion_mlp("softmax", sizes, 2, 1, OPTIMISER_SGD, 0.1f, &data);
    bench_begin("softmax", FASHION_PEERS, FASHION_PEER_COUNT);
    bench_row((BenchRow){.name = "softmax",
                         .metric = "samples_per_s",
                         .block = fashion_epoch,
                         .context = &model,
                         .request = "epoch softmax"},
              2);
    bench_row((BenchRow){.name = "softmax",
                         .metric = "test_accuracy",
                         .kept = "1 epoch",
                         .block = fashion_accuracy,
                         .context = &model,
                         .request = "accuracy softmax"},
              1);
    int status = bench_end();
    arena_free(arena);
    return status;
}
