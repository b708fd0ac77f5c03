/*
# A tiny GPT

A game. I read you the beginning of a sentence and you guess how it goes on; then I read one word more, and
you guess again. To play it well you need spelling, then grammar, then what the text is about, and in the
end everything that the text is about. A network that plays it is a **language model** (语言模型), and the
question of this chapter is how far that one game carries.

It was asked three times, in three papers, with the same network made larger each time:

- **GPT-1** (2018): does guessing help with something else? Play first, then train a little on the other
  task.
- **GPT-2** (2019): is the other training needed at all? Perhaps the game *is* the task.
- **GPT-3** (2020): can the task be explained *inside* the text, by a few examples?

We build the network in plain loops, train one with nearly a million parameters on the King James Bible in
less than a minute, let it write, and ask it the three questions.

You need attention (chapter 16), the road of residual layers (chapter 9) and the tokenizer (chapter 18).
*/

#include "base/mathf.h"
#include "learning/optim.h"
#include "files/corpora.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/gpt_file.h"
#include "models/ngram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
## The game and its score

A text is a row of tokens $w_1 \dots w_T$. The model gives, for each position, probabilities of what comes
next, and its **loss** (损失) is the mean of $-\ln P(w_{t+1} \mid w_1 \dots w_t)$: the cross entropy of
chapter 2, with the token that really follows as the label. No one needs to write labels; the text is its
own.

A loss per token cannot be compared between tokenizers: longer pieces are harder to guess, and there are
fewer of them. So we divide what the whole text costs by its characters and count in powers of two,

$$\text{bits per character} = \frac{\text{loss}}{\ln 2} \cdot \frac{\text{tokens}}{\text{characters}},$$

the **bits per character** (每字符比特数). It is also the size of the file if the model were used to compress it.

Our text is the King James Bible, 31 084 verses, one a line. Blocks of 40 verses go together, and every 20th
block is put aside to be guessed at the end, the **validation set** (验证集). The tokenizer learns its 1024
pieces from the rest only.
*/

enum {
    PIECES = 1024,
    BLOCK = 40,     // verses
    PUT_ASIDE = 20, // every 20th block
    MOST_ORDER = 6, // of the n-grams
    TIME = 64,      // T: tokens that the model sees at once
    BATCH = 16,     // B: sequences in a step
};

typedef struct {
    Text text;
    Tokens tokens;
    double tokens_per_character;
} Part;

typedef struct {
    Part train, held_out;
    Verses held_out_verses;
    Tokenizer *tokenizer;
    Alphabet alphabet;
    Ngram *counts;                // of the characters of train
    double ngram[MOST_ORDER + 1]; // bits per character of held_out, by order
} Book;

static Verses choose_verses(Arena *arena, Verses all, bool aside)
{
    Verses chosen = {0, arena_alloc(arena, (size_t)all.count, sizeof *chosen.verses)};
    for (int v = 0; v < all.count; v++)
        if ((v / BLOCK % PUT_ASIDE == PUT_ASIDE - 1) == aside) chosen.verses[chosen.count++] = all.verses[v];
    return chosen;
}

static Part part_of(Arena *arena, Tokenizer *tokenizer, Text text)
{
    Tokens tokens = tokenizer_encode(arena, tokenizer, text.bytes, text.size);
    return (Part){text, tokens, (double)tokens.count / (double)text_characters(text)};
}

static double bits_per_character(Part part, double loss)
{
    return loss / 0.69314718056 * part.tokens_per_character;
}

/*
Before any network, the honest opponent: counting. An **n-gram** (n 元语法) model asks how often each character
followed the last $n - 1$. Where it has not seen them, it asks for fewer, by the rule of Witten and Bell
(`common/models/ngram.h`).
*/

static Book open_book(Lesson *lesson)
{
    section(lesson, "The game and its score");
    Arena *arena = lesson_arena(lesson);
    Verses all = bible_load(arena).english;
    Verses training = choose_verses(arena, all, false);
    Book book = {.held_out_verses = choose_verses(arena, all, true)};
    Text train = verses_text(arena, training), held_out = verses_text(arena, book.held_out_verses);
    book.tokenizer = tokenizer_train(train.bytes, train.size, PIECES, NULL);
    book.train = part_of(arena, book.tokenizer, train);
    book.held_out = part_of(arena, book.tokenizer, held_out);
    printf("          verses  characters    tokens  tokens per character\n");
    printf("training  %6d  %10zu  %8zu  %20.3f\n", training.count, text_characters(train),
           book.train.tokens.count, book.train.tokens_per_character);
    printf("put aside %6d  %10zu  %8zu  %20.3f\n\n", book.held_out_verses.count, text_characters(held_out),
           book.held_out.tokens.count, book.held_out.tokens_per_character);

    book.alphabet = alphabet_of(arena, verses_text(arena, all));
    size_t length, held_length;
    int *ids = alphabet_encode(arena, book.alphabet, train, &length);
    int *held_ids = alphabet_encode(arena, book.alphabet, held_out, &held_length);
    book.counts = ngram_new(arena, ids, length, book.alphabet.size, MOST_ORDER);
    printf("n-gram            ");
    for (int n = 1; n <= MOST_ORDER; n++) printf("%8d", n);
    printf("\nbits per character");
    for (int n = 1; n <= MOST_ORDER; n++) {
        book.ngram[n] = ngram_bits(book.counts, n, held_ids, 0, held_length);
        printf("%8.3f", book.ngram[n]);
    }
    printf("\n\n");
    return book;
}

/*
A character costs 4.36 bits when one knows only which letters are common, and 1.66 when one has counted all
groups of five in four million. That is the mark to beat. Six are better still; the sixth column stays in
sight.

## The decoder, in plain loops

The network is a **decoder** (解码器): a stack of blocks on a residual road $x$, one row for each position.

$$x \leftarrow x + \mathrm{out}(\mathrm{attention}(\mathrm{qkv}(\mathrm{norm}_1(x)))), \qquad
  x \leftarrow x + \mathrm{down}(\mathrm{gelu}(\mathrm{up}(\mathrm{norm}_2(x)))).$$

Two things are added in each block. The first is the only place where rows are mixed: causal attention, each
position fetching from its past. The second treats every row alone: a network with one hidden layer, four
times as wide. At the bottom, $x$ is a row of a table for each token; on top stands one more norm, and the
product with another table gives a score for each token of the vocabulary, the **logits**.

Attention alone sees a bag of rows (chapter 16), so queries and keys are *turned*: in each head the pair of
columns $(x_j, x_{j + D/2})$ of position $t$ is rotated by the angle $t \cdot 10000^{-2j/D}$. The product of
a query turned by $t$ and a key turned by $s$ depends on $t - s$ only: **rotary positions** (旋转位置编码, Su and
others 2021).

Here is all of it for one sequence. Letters: T positions, C = width, h heads of width D = C/h, V tokens.
*/

// y = (x − mean) / deviation ⊙ gain + bias, each row (T × C)
static void plain_norm(Matrix y, Matrix x, Norm norm)
{
    for (int t = 0; t < x.rows; t++) {
        float mean_x = 0.0f, square = 0.0f;
        for (int c = 0; c < x.cols; c++) mean_x += AT(x, t, c) / (float)x.cols;
        for (int c = 0; c < x.cols; c++) square += (AT(x, t, c) - mean_x) * (AT(x, t, c) - mean_x);
        float deviation = sqrtf(square / (float)x.cols + 1e-5f);
        for (int c = 0; c < x.cols; c++)
            AT(y, t, c) =
                (AT(x, t, c) - mean_x) / deviation * AT(norm.gain->value, 0, c) + AT(norm.bias->value, 0, c);
    }
}

// y (T × out) = x (T × in) · weight (in × out) + bias
static void plain_linear(Matrix y, Matrix x, Linear layer)
{
    for (int t = 0; t < x.rows; t++)
        for (int o = 0; o < y.cols; o++) {
            float total = AT(layer.bias->value, 0, o);
            for (int i = 0; i < x.cols; i++) total += AT(x, t, i) * AT(layer.weight->value, i, o);
            AT(y, t, o) = total;
        }
}

// Turns the D columns from `first` on of each row (T × 3C)
static void plain_rotary(Matrix qkv, int first, int width)
{
    for (int t = 0; t < qkv.rows; t++)
        for (int j = 0; j < width / 2; j++) {
            float angle = (float)t * exp32(-2.0f * (float)j / (float)width * log32(10000.0f));
            float *a = &AT(qkv, t, first + j), *b = &AT(qkv, t, first + j + width / 2), old = *a;
            *a = old * cos32(angle) - *b * sin32(angle);
            *b = old * sin32(angle) + *b * cos32(angle);
        }
}

// Query t looks at the keys 0 … t. out (T × C), qkv (T × 3C): all queries, all keys, all values
static void plain_attention(Matrix out, Matrix qkv, int heads)
{
    int c = out.cols, width = c / heads;
    for (int h = 0; h < heads; h++)
        for (int t = 0; t < out.rows; t++) {
            float p[TIME], most = -INFINITY, total = 0.0f;
            for (int s = 0; s <= t; s++) {
                p[s] = 0.0f;
                for (int j = h * width; j < (h + 1) * width; j++)
                    p[s] += AT(qkv, t, j) * AT(qkv, s, c + j) / sqrtf((float)width);
                most = fmaxf(most, p[s]);
            }
            for (int s = 0; s <= t; s++) p[s] = exp32(p[s] - most), total += p[s];
            for (int j = h * width; j < (h + 1) * width; j++) {
                AT(out, t, j) = 0.0f;
                for (int s = 0; s <= t; s++) AT(out, t, j) += p[s] / total * AT(qkv, s, 2 * c + j);
            }
        }
}

static void plain_block(Arena *arena, Matrix x, const Block *block, int heads)
{
    int width = x.cols / heads;
    Matrix normal = matrix_new(arena, x.rows, x.cols), qkv = matrix_new(arena, x.rows, 3 * x.cols);
    Matrix mixed = matrix_new(arena, x.rows, x.cols), added = matrix_new(arena, x.rows, x.cols);
    Matrix hidden = matrix_new(arena, x.rows, 4 * x.cols);
    plain_norm(normal, x, block->norm1);
    plain_linear(qkv, normal, block->qkv);
    for (int h = 0; h < 2 * heads; h++) plain_rotary(qkv, h * width, width); // queries and keys, not values
    plain_attention(mixed, qkv, heads);
    plain_linear(added, mixed, block->out);
    add(x, x, added);

    plain_norm(normal, x, block->norm2);
    plain_linear(hidden, normal, block->up);
    for (size_t i = 0; i < matrix_size(hidden); i++) hidden.data[i] = gelu32(hidden.data[i]);
    plain_linear(added, hidden, block->down);
    add(x, x, added);
}

// ids [T] → logits (T × V)
static Matrix plain_logits(Arena *arena, const Gpt *gpt, const int *ids, int time)
{
    Matrix x = matrix_new(arena, time, gpt->config.width);
    Matrix logits = matrix_new(arena, time, gpt->config.vocabulary);
    for (int t = 0; t < time; t++)
        copy(matrix_rows(x, t, 1), matrix_rows(gpt->token.table->value, ids[t], 1));
    for (int l = 0; l < gpt->config.layers; l++) plain_block(arena, x, &gpt->blocks[l], gpt->config.heads);
    plain_norm(x, x, gpt->norm);
    for (int t = 0; t < time; t++)
        for (int v = 0; v < logits.cols; v++)
            for (int c = 0; c < x.cols; c++) AT(logits, t, v) += AT(x, t, c) * AT(gpt->output->value, v, c);
    return logits;
}

/*
That is a GPT. The library's (`common/models/gpt.h`) is the same with batches, gradients and a cache. Let us
build one and compare. Everything is random still, so its loss should be near that of a fair guess among
1024.
*/

static const GptConfig tiny = {.vocabulary = PIECES,
                               .context = TIME,
                               .layers = 2,
                               .heads = 5,
                               .width = 160,
                               .positions = GPT_ROTARY,
                               .embedding_deviation = 0.3f};

typedef struct {
    Parameters parameters;
    bool recurrent;
    Gpt gpt;
    Embedding embedding; // of the recurrent opponent, like the two that follow
    Lstm lstm;
    Linear output;
} Model;

static Model *gpt_model(Lesson *lesson, GptConfig config, uint64_t stream)
{
    Model *model = arena_zeros(lesson_arena(lesson), 1, sizeof *model);
    Rng rng = lesson_rng(lesson, stream);
    model->parameters = parameters_new(lesson_arena(lesson));
    model->gpt = gpt_new(&model->parameters, config, &rng);
    return model;
}

static void compare_with_library(Lesson *lesson, const Book *book)
{
    section(lesson, "The decoder, in plain loops");
    Arena *arena = arena_new();
    Model *model = gpt_model(lesson, tiny, 1);
    Tape *tape = tape_new();
    const int *ids = book->held_out.tokens.ids;
    Tensor *library = gpt_logits(&model->gpt, tape, ids, 1, TIME);
    float apart = largest_difference(library->value, plain_logits(arena, &model->gpt, ids, TIME));
    float loss = cross_entropy(library, ids + 1)->value.data[0];
    printf("parameters: %zu, in %d matrices\n", parameters_size(&model->parameters), model->parameters.count);
    printf("loss of the untrained model: %.2f; of a fair guess, ln %d: %.2f\n\n", (double)loss, PIECES,
           (double)log32(PIECES));
    claim(lesson, apart <= 1e-4f, "loops and library agree on all %d × %d logits to 1e-4", TIME, PIECES);
    tape_free(tape);
    arena_free(arena);
}

/*
## Training

A step takes 16 windows of 64 tokens and 64 labels each, the same tokens one place further. All 1024 guesses
of a step are made and corrected at once, because the mask hides the future from each: this is what
attention has over recurrence, where guess 64 waits for guess 63.

The windows are taken in a shuffled order, so that until all have been seen, after 1260 steps, each loss is
measured on text that is new. Which windows a step takes depends on its number only; that will be useful.

The steps are AdamW's, with a rate that climbs for 5 % of the time and then follows half a cosine down to 0,
and gradients cut to length 1.
*/

typedef struct {
    Tokens text;
    int *order, windows;
} Reader;

static Reader reader_new(Lesson *lesson, Tokens text, uint64_t stream)
{
    Reader reader = {.text = text, .windows = (int)((text.count - 1) / TIME)};
    Rng rng = lesson_rng(lesson, stream);
    reader.order = arena_alloc(lesson_arena(lesson), (size_t)reader.windows, sizeof *reader.order);
    rng_permutation(&rng, reader.order, reader.windows);
    return reader;
}

// The windows of a step: ids and labels [BATCH · TIME]
static void read_batch(const Reader *reader, long step, int *ids, int *labels)
{
    for (int b = 0; b < BATCH; b++) {
        const int *from = reader->text.ids + TIME * reader->order[(step * BATCH + b) % reader->windows];
        memcpy(ids + b * TIME, from, TIME * sizeof *ids);
        memcpy(labels + b * TIME, from + 1, TIME * sizeof *labels);
    }
}

static Tensor *model_loss(const Model *model, Tape *tape, const int *ids, const int *labels)
{
    if (!model->recurrent) return gpt_loss(&model->gpt, tape, ids, labels, BATCH, TIME);
    Tensor *x = embed(tape, &model->embedding, ids, BATCH * TIME);
    Tensor *states = lstm_states(&model->lstm, x, ((Sequences){BATCH, TIME}), NULL);
    return cross_entropy(linear(&model->output, states), labels);
}

typedef struct {
    const char *name;
    long first, steps, planned; // runs the steps first … steps − 1 of a schedule of planned ones
    float rate;
    float *losses; // [steps] or NULL
} Run;

static Optimiser optimiser_for(Lesson *lesson, Model *model)
{
    return adamw_new(lesson_arena(lesson), &model->parameters, 0.9f, 0.99f, 1e-8f, 0.1f);
}

static void train(Lesson *lesson, Model *model, Optimiser *optimiser, const Reader *reader, Run run)
{
    int ids[BATCH * TIME], labels[BATCH * TIME];
    Tape *tape = tape_new();
    double start = seconds_now();
    for (long step = run.first; step < run.steps; step++) {
        tape_reset(tape);
        read_batch(reader, step, ids, labels);
        Tensor *loss = model_loss(model, tape, ids, labels);
        backward(loss);
        clip_gradients(&model->parameters, 1.0f);
        optimiser_step(optimiser, cosine_schedule(run.rate, step, run.planned / 20, run.planned));
        if (run.losses) run.losses[step] = loss->value.data[0];
        lesson_progress(lesson, run.name, step + 1 - run.first, run.steps - run.first,
                        (double)loss->value.data[0]);
    }
    lesson_wipe_progress(lesson);
    fprintf(stderr, "%s: %ld steps, %.1f s\n", run.name, run.steps - run.first, seconds_now() - start);
    tape_free(tape);
}

/*
At the end comes the text that was put aside. Each window hands on its second half only, so that every guess
has 32 tokens before it at least; the n-grams, too, always have their past.
*/

// Nats per token, over a text in windows that overlap by half
static double held_out_loss(const Model *model, Tokens text)
{
    enum { NEW = TIME / 2 };
    int ids[BATCH * TIME], labels[BATCH * TIME], batches = (int)(text.count - 1 - NEW) / (BATCH * NEW);
    double total = 0.0;
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int n = 0; n < batches; n++) {
        tape_reset(tape);
        for (int i = 0; i < BATCH * TIME; i++) {
            int at = (n * BATCH + i / TIME) * NEW + i % TIME;
            ids[i] = text.ids[at];
            labels[i] = i % TIME < TIME - NEW ? LABEL_IGNORED : text.ids[at + 1];
        }
        total += (double)model_loss(model, tape, ids, labels)->value.data[0];
    }
    tape_free(tape);
    return total / batches;
}

/*
Beside our model run two others on the same windows.

One is the same network with the start of GPT-2: one table for both ends (**weight tying**, 权重共享), small
random numbers of deviation 0.02 everywhere, a learned row for each position. We stop it after 200 steps.
The other is an LSTM (chapter 14) with as many parameters, on the same tokens. Each of the two, GPT and LSTM,
has got the best of the learning rates that we tried.
*/

static Model *lstm_model(Lesson *lesson, int width, int hidden, uint64_t stream)
{
    Model *model = arena_zeros(lesson_arena(lesson), 1, sizeof *model);
    Rng rng = lesson_rng(lesson, stream);
    model->recurrent = true;
    model->parameters = parameters_new(lesson_arena(lesson));
    model->embedding = embedding_new(&model->parameters, "embedding", PIECES, width, &rng, 0.3f);
    model->lstm = lstm_new(&model->parameters, "lstm", width, hidden, &rng, 1.0f);
    model->output = linear_new(&model->parameters, "output", hidden, PIECES, &rng, INIT_LECUN);
    return model;
}

enum { STEPS = 488, FULL_STEPS = 4880, PLATEAU_STEPS = 200, SMOOTH = 8 };

// A line of the figure: bits per character, each point the mean of SMOOTH steps
static void draw_losses(Plot *plot, const char *name, const float *losses, long steps, Part part)
{
    float x[FULL_STEPS / SMOOTH], y[FULL_STEPS / SMOOTH];
    int points = (int)(steps / SMOOTH);
    for (int i = 0; i < points; i++) {
        double total = 0.0;
        for (int k = 0; k < SMOOTH; k++) total += (double)losses[i * SMOOTH + k];
        x[i] = (float)((i + 0.5) * SMOOTH * BATCH * TIME / 1000.0);
        y[i] = (float)bits_per_character(part, total / SMOOTH);
    }
    plot_line(plot, name, x, y, points);
}

static void draw_training(Lesson *lesson, const Book *book, float *const *losses, const long *steps)
{
    static const char *const names[] = {"GPT", "LSTM of the same size", "GPT with the start of GPT-2"};
    Plot *plot = plot_begin(lesson, "loss.png", "The game on text not seen before");
    plot_axes(plot, "tokens seen (thousands)", "bits per character");
    plot_range_y(plot, 1.4, 3.4);
    for (int i = 0; i < 3; i++) draw_losses(plot, names[i], losses[i], steps[i], book->train);
    plot_horizontal(plot, "4-gram", book->ngram[4]);
    plot_horizontal(plot, "5-gram", book->ngram[5]);
    plot_end(plot, lesson_full(lesson)
                       ? "The LSTM is ahead at first, the GPT in the end."
                       : "From 100 thousand tokens on the LSTM is ahead; the start of GPT-2 is far behind.");
}

static Model *train_three(Lesson *lesson, const Book *book)
{
    section(lesson, "Training");
    bool patient = lesson_full(lesson);
    long full = patient ? FULL_STEPS : STEPS, steps[3] = {full, full, patient ? FULL_STEPS : PLATEAU_STEPS};
    GptConfig gpt2 = tiny;
    gpt2.positions = GPT_LEARNED, gpt2.tied = true, gpt2.embedding_deviation = gpt2.deviation = 0.02f;
    Model *models[3] = {gpt_model(lesson, tiny, 3), lstm_model(lesson, 128, 298, 4),
                        gpt_model(lesson, gpt2, 5)};
    static const char *const names[] = {"GPT", "LSTM", "GPT-2's start"};
    static const float rates[] = {6e-3f, 2e-2f, 3e-3f};
    Reader reader = reader_new(lesson, book->train.tokens, 2);
    float *losses[3];
    double bits[3];
    printf("model          parameters  tokens seen  nats per token  bits per character\n");
    for (int i = 0; i < 3; i++) {
        Optimiser optimiser = optimiser_for(lesson, models[i]);
        losses[i] = arena_alloc(lesson_arena(lesson), (size_t)steps[i], sizeof *losses[i]);
        train(lesson, models[i], &optimiser, &reader,
              (Run){names[i], 0, steps[i], full, rates[i], losses[i]});
        double loss = held_out_loss(models[i], book->held_out.tokens);
        bits[i] = bits_per_character(book->held_out, loss);
        printf("%-13s  %10zu  %11ld  %14.3f  %18.3f\n", names[i], parameters_size(&models[i]->parameters),
               steps[i] * BATCH * TIME, loss, bits[i]);
    }
    printf("5-gram, by counting %59.3f\n\n", book->ngram[5]);
    claim(lesson, bits[0] <= 1.70, "the GPT needs at most 1.70 bits per character");
    claim(lesson, bits[0] < book->ngram[5], "less than the 5-gram that has counted all of the training text");
    if (patient)
        claim(lesson, bits[0] < bits[1], "after ten times the tokens, less than the LSTM of its size");
    draw_training(lesson, book, losses, steps);
    return models[0];
}

/*
The game is won against counting: after half a million tokens, less than half of the text, the network needs
less than the 5-gram that has counted all of it. (The 6-gram, at 1.547, is still ahead.) How it starts
matters: the same network with the start of GPT-2 (and half the rate, 0.003) needs twice as many tokens to
come near the 4-gram. GPT-2 had the patience, with forty gigabytes of text; we have half a minute.

And the LSTM? "Attention has replaced recurrence because it is better" is what one reads. Here, with the
same size, the same tokens and windows of 64, **the LSTM needs fewer bits**. We nearly wrote the opposite.
With a rate of 0.01 the LSTM ends at 1.610, and the GPT looks like the winner; only with 0.02, a rate
that makes the GPT worse (1.627), does the LSTM come down to what you see. Nothing that we tried helped the
GPT: a rate of 0.012 gives 1.584, one layer of width 208 gives 1.583, RMS norm with SwiGLU 1.586, and four
layers of width 128 were worse than two of 160. Those figures come from a text that still had a stray mark in
27 verses; from it the GPT above came to 1.570. So much does a change mean that should mean nothing: figures
that lie within 0.01 of one another are equal here. Who compares two networks must tune both.

And patience turns the order round. `make chapter20 FULL=1` gives each of the three ten times the tokens (4880
steps; 13 minutes on one core of a busy machine, of which 570 s of computing): the GPT comes to **1.205**, the
LSTM to 1.236 (1.253 with the rate 0.01), and GPT-2's start, at 1.269, is no longer far off. So the sentence is
false in a hurry and true with patience, and who quotes it should say how long was trained.

It fits what was found at a larger scale: early in a window an LSTM is as good, and what it cannot do is to
use the tokens further back, where a Transformer goes on improving (Kaplan and others 2020, section 3.2.1).
Sixty-four tokens are all early. What attention has for certain is that its 64 positions are computed at
once.

The model is put on the disk for `make sample`, with its configuration in the notes of the file.
*/

// Where `make sample` looks for it
static const char *model_folder(void)
{
    static char folder[4096];
    const char *build = getenv("COURSE_BUILD");
    snprintf(folder, sizeof folder, "%s/models/20-tiny-gpt", build && *build ? build : "build");
    return folder;
}

/*
## Letting it write

To write, draw a token from the probabilities, put it behind the text, and ask again. What to draw from is a
choice, and there are three common ones, which can be combined:

- the **temperature** (温度) $\tau$ divides the logits before softmax: below 1 the likely becomes likelier, at
  0 only the likeliest is left, above 1 all come nearer to each other;
- **top-k** keeps the $k$ most likely tokens;
- **top-p** keeps the **nucleus** (核采样): the fewest tokens, likeliest first, that have at least the share
  $p$.
*/

// p (V): softmax of logits / temperature
static void plain_soften(float *p, const float *logits, int count, float temperature)
{
    float most = -INFINITY, total = 0.0f;
    for (int v = 0; v < count; v++) most = fmaxf(most, logits[v]);
    for (int v = 0; v < count; v++) p[v] = exp32((logits[v] - most) / temperature), total += p[v];
    for (int v = 0; v < count; v++) p[v] /= total;
}

// Keeps the likeliest tokens, the first among equals, until there are top_k or they have the share top_p;
// what is kept sums to one again.
static void plain_cut(float *p, int count, int top_k, float top_p)
{
    bool kept[PIECES] = {false};
    float share = 0.0f;
    for (int n = 0; n < top_k && share < top_p; n++) {
        int best = -1;
        for (int v = 0; v < count; v++)
            if (!kept[v] && (best < 0 || p[v] > p[best])) best = v;
        kept[best] = true;
        share += p[best];
    }
    for (int v = 0; v < count; v++) p[v] = kept[v] ? p[v] / share : 0.0f;
}

// The token at which the sum of the probabilities passes a uniform number
static int plain_draw(const float *p, int count, double uniform)
{
    int token = 0;
    for (int v = 0; v < count; v++) {
        if (p[v] == 0.0f) continue;
        token = v;
        uniform -= (double)p[v];
        if (uniform < 0.0) break;
    }
    return token;
}

/*
First what one prompt leaves to choose from, then texts by each rule.
*/

enum { SAMPLE = 56, PROMPTS = 12 };

typedef struct {
    const char *name;
    Sampling how;
} Setting;

static const Setting settings[] = {
    {"temperature 0", {0.0f, 0, 0.0f}}, {"temperature 0.7", {0.7f, 0, 0.0f}},
    {"temperature 1", {1.0f, 0, 0.0f}}, {"temperature 1.5", {1.5f, 0, 0.0f}},
    {"top-k 20", {1.0f, 20, 0.0f}},     {"top-p 0.8", {1.0f, 0, 0.8f}},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

// In lines of at most 96 characters; a new verse begins a new line
static void print_text(Arena *arena, const Tokenizer *tokenizer, const int *ids, int count)
{
    Text text = {.bytes = tokenizer_decode(arena, tokenizer, ids, (size_t)count, &text.size)};
    int column = 0;
    printf("    ");
    for (size_t at = 0; at < text.size;) {
        size_t from = at;
        uint32_t character = text_next(text, &at);
        if (character == '\n' || (character == ' ' && column > 84)) {
            if (at < text.size) printf("\n    ");
            column = 0;
        } else {
            if (character == UTF8_REPLACEMENT || character < ' ')
                printf("�");
            else
                printf("%.*s", (int)(at - from), text.bytes + from);
            column++;
        }
    }
    printf("\n");
}

static Tokens prompt_of(Lesson *lesson, Tokenizer *tokenizer, const char *text)
{
    return tokenizer_encode(lesson_arena(lesson), tokenizer, text, strlen(text));
}

// How many tokens the loops draw that the library does not; apart receives how far the probabilities differ
static int compare_sampling(Lesson *lesson, Matrix logits, float *apart)
{
    enum { DRAWS = 100 };
    Arena *arena = lesson_arena(lesson);
    Matrix plain = matrix_new(arena, 1, PIECES), library = matrix_new(arena, 1, PIECES);
    int differ = 0;
    *apart = 0.0f;
    printf("                 tokens left  the likeliest has\n");
    for (int i = 1; i < SETTINGS; i++) {
        Sampling how = settings[i].how;
        plain_soften(plain.data, logits.data, PIECES, how.temperature);
        if (how.top_k || how.top_p > 0.0f)
            plain_cut(plain.data, PIECES, how.top_k ? how.top_k : PIECES,
                      how.top_p > 0.0f ? how.top_p : 2.0f);
        sampling_probabilities(library, logits, how);
        *apart = fmaxf(*apart, largest_difference(plain, library));
        Rng one = lesson_rng(lesson, 5), other = one;
        for (int n = 0; n < DRAWS; n++)
            differ += plain_draw(plain.data, PIECES, (double)rng_uniform(&one)) !=
                      sample_token(logits, how, &other);
        int left = 0;
        for (int v = 0; v < PIECES; v++) left += plain.data[v] > 0.0f;
        printf("%-16s %11d  %17.3f\n", settings[i].name, left, (double)largest(plain));
    }
    printf("\n");
    return differ;
}

// The share of runs of four tokens that stood before in the same text
static double repeated(const int *ids, int count)
{
    int again = 0;
    for (int i = 1; i + 4 <= count; i++)
        for (int j = 0; j < i; j++)
            if (memcmp(ids + i, ids + j, 4 * sizeof *ids) == 0) {
                again++;
                break;
            }
    return (double)again / (count - 4);
}

static void let_it_write(Lesson *lesson, const Model *model, const Book *book)
{
    section(lesson, "Letting it write");
    Arena *arena = lesson_arena(lesson);
    GptCache *cache = gpt_cache_new(arena, &model->gpt, 1, TIME);
    Tokens prompt = prompt_of(lesson, book->tokenizer, "And the king said");
    printf("And the king said …\n\n");
    float apart;
    int differ =
        compare_sampling(lesson, gpt_step(&model->gpt, cache, prompt.ids, (int)prompt.count), &apart);
    double again[SETTINGS];
    for (int i = 0; i < SETTINGS; i++) {
        Rng rng = lesson_rng(lesson, 6);
        int ids[TIME];
        again[i] = 0.0;
        for (int n = 0; n < PROMPTS; n++) { // the first is shown; the others begin as verses put aside do
            Text verse = book->held_out_verses.verses[n * 100];
            Text opening = text_part(verse, 0, verse.size < 20 ? verse.size : 20);
            Tokens start =
                n == 0 ? prompt : tokenizer_encode(arena, book->tokenizer, opening.bytes, opening.size);
            memcpy(ids, start.ids, start.count * sizeof *ids);
            int count =
                gpt_sample(&model->gpt, cache, ids, (int)start.count, TIME, -1, settings[i].how, &rng);
            again[i] += repeated(ids, count) / PROMPTS;
            if (n > 0) continue;
            printf("%s\n", settings[i].name);
            print_text(arena, book->tokenizer, ids, int_min(count, SAMPLE));
        }
    }
    printf("\nruns of four tokens that stood in the same text before\n");
    for (int i = 0; i < SETTINGS; i++) printf("%-16s %5.1f %%\n", settings[i].name, 100.0 * again[i]);
    double book_again = 0.0;
    for (int n = 0; n < 100; n++) book_again += repeated(book->held_out.tokens.ids + n * 600, TIME) / 100;
    printf("%-16s %5.1f %%\n\n", "the book", 100.0 * book_again);
    claim(lesson, apart <= 1e-5f && differ == 0,
          "loops and library agree on all probabilities to 1e-5, and draw the same tokens");
    claim(
        lesson, again[0] >= 2.0 * book_again && again[0] > again[2],
        "at temperature 0 the model repeats itself more than at 1, and at least twice as often as the book");
}

/*
Read the settings from the top. At temperature 0 the model takes the likeliest token each time, and soon it
turns in a circle: nearly two thirds of its runs of four tokens have stood there before, in the book one in
sixty. Each step is the best guess, and the text as a whole is one that nobody would write. "The most likely
text" is not "a likely text": it has been said of large models (Holtzman and others 2020), and a tiny one
shows it as well.

At 1 we draw as the model believes, and see what it believes: the names and the words are its own. Each of a
thousand tokens is nearly impossible, but together they get their turn, and after one odd token the text is
in a place where the model has never been. Top-k and top-p cut that tail off and leave the rest as it is;
top-p leaves few tokens where the model is sure (here two), and many where it is not. What none of them can
repair is that the model does not know what it wants to say.

## GPT-2's question: without any training

A model that has only played the game is asked something else. That is **zero-shot** (零样本). GPT-2, among
other things, was given stories with a word missing and ten words to choose from. We take the verses that
were put aside, cut each in the middle, and lay four second halves before the model: the true one, and those
of three other verses. It has never been trained to choose. But it can say how likely each is behind the
first half, and we take the end with the smallest loss per token. Chance finds 25 %. And how good is the
opponent that counts?
*/

enum { QUESTIONS = 300, ENDS = 4 };

typedef struct {
    Text first, second;
} Halves;

// Cut at the blank that is nearest behind the middle
static Halves cut_verse(Text verse)
{
    size_t middle = verse.size / 2;
    while (middle < verse.size && verse.bytes[middle] != ' ') middle++;
    return (Halves){text_part(verse, 0, middle), text_part(verse, middle, verse.size - middle)};
}

static double end_loss(Tape *tape, const Model *model, Tokenizer *tokenizer, Text first, Text second)
{
    int labels[TIME], count = 0;
    tape_reset(tape);
    Tokens a = tokenizer_encode(tape_arena(tape), tokenizer, first.bytes, first.size);
    Tokens b = tokenizer_encode(tape_arena(tape), tokenizer, second.bytes, second.size);
    int ids[TIME + 1];
    for (size_t i = 0; i < a.count && count <= TIME; i++) ids[count++] = a.ids[i];
    for (size_t i = 0; i < b.count && count <= TIME; i++) ids[count++] = b.ids[i];
    for (int i = 0; i + 1 < count; i++) labels[i] = i + 1 < (int)a.count ? LABEL_IGNORED : ids[i + 1];
    return (double)gpt_loss(&model->gpt, tape, ids, labels, 1, count - 1)->value.data[0];
}

static double end_bits(Arena *arena, const Book *book, Text first, Text second)
{
    ArenaMark mark = arena_mark(arena);
    char *bytes = arena_alloc(arena, first.size + second.size, 1);
    memcpy(bytes, first.bytes, first.size);
    memcpy(bytes + first.size, second.bytes, second.size);
    size_t length;
    Text whole = {bytes, first.size + second.size};
    int *ids = alphabet_encode(arena, book->alphabet, whole, &length);
    double bits = ngram_bits(book->counts, 5, ids, text_characters(first), length);
    arena_rewind(arena, mark);
    return bits;
}

static int smallest_of(const double *values)
{
    int best = 0;
    for (int i = 1; i < ENDS; i++)
        if (values[i] < values[best]) best = i;
    return best;
}

// All verses whose pieces fit into the model's 64 tokens whatever end they get
static int verses_to_ask(Verses verses, Halves *halves)
{
    int count = 0;
    for (int v = 0; v < verses.count && count < QUESTIONS; v++)
        if (verses.verses[v].size >= 60 && verses.verses[v].size <= 130)
            halves[count++] = cut_verse(verses.verses[v]);
    return count;
}

static void zero_shot(Lesson *lesson, const Model *model, const Book *book)
{
    section(lesson, "GPT-2's question: without any training");
    Halves halves[QUESTIONS];
    int count = verses_to_ask(book->held_out_verses, halves), right = 0, counted_right = 0;
    Rng rng = lesson_rng(lesson, 7);
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int q = 0; q < count; q++) {
        double loss[ENDS], bits[ENDS];
        for (int e = 0; e < ENDS; e++) { // the true end is number 0, which neither of the two can know
            int other = e == 0 ? q : (q + 1 + (int)rng_below(&rng, (uint32_t)count - 1)) % count;
            loss[e] = end_loss(tape, model, book->tokenizer, halves[q].first, halves[other].second);
            bits[e] = end_bits(lesson_arena(lesson), book, halves[q].first, halves[other].second);
        }
        right += smallest_of(loss) == 0, counted_right += smallest_of(bits) == 0;
    }
    tape_free(tape);
    double share = (double)right / count, counted = (double)counted_right / count;
    printf("%d verses, the true end among %d\n", count, ENDS);
    printf("chance  %5.1f %%\n5-gram  %5.1f %%\nGPT     %5.1f %%\n\n", 100.0 / ENDS, 100.0 * counted,
           100.0 * share);
    double deviation = sqrt(0.25 * 0.75 / count);
    claim(lesson, share >= 0.25 + 4.0 * deviation,
          "the GPT is above chance by more than four standard deviations");
    claim(lesson, share > counted, "and above the 5-gram");
}

/*
The model has never seen a question. What it knows about the ends of verses it knows from the game: who was
spoken of, whether *he* or *they*, which book this is. The model that counts sees four characters back, so
the joint between the halves is all it can judge, and it is hardly better than chance. This is the honest
reading of zero-shot: whatever makes the text more likely, helps.

It is far from 100 %, and you would not get 100 % either: some verses go on with "And he said" in more than
one way. But the better it plays the game, the more it knows without being asked: after `FULL=1` it finds 55.3 %
of the ends.

## GPT-1's question: first play, then train

Now the task is another author: Jane Austen. There are only 100 000 tokens of hers to train with, a hundred
steps. One arm begins with fresh random numbers, the other with the model that has read the Bible:
**pretraining** (预训练), then **fine-tuning** (微调). What is read afterwards is a part of Austen that neither
has seen; and the Bible again.
*/

enum { TUNING = 100 }; // steps

static void copy_parameters(Model *to, const Model *from)
{
    for (int i = 0; i < to->parameters.count; i++)
        copy(to->parameters.items[i]->value, from->parameters.items[i]->value);
}

static void first_play(Lesson *lesson, const Model *model, const Book *book)
{
    section(lesson, "GPT-1's question: first play, then train");
    Text novels = austen_load(lesson_arena(lesson));
    Tokens all = tokenizer_encode(lesson_arena(lesson), book->tokenizer, novels.bytes, novels.size / 4);
    Tokens small = {all.ids, TUNING * BATCH * TIME + 1};
    Tokens held_out = {all.ids + all.count - 40000, 40000}; // far behind what is trained with
    Reader reader = reader_new(lesson, small, 8);
    Model *scratch = gpt_model(lesson, tiny, 9), *tuned = gpt_model(lesson, tiny, 9);
    copy_parameters(tuned, model);
    double before = held_out_loss(tuned, held_out),
           bible_before = held_out_loss(tuned, book->held_out.tokens);
    Optimiser first = optimiser_for(lesson, scratch), second = optimiser_for(lesson, tuned);
    train(lesson, scratch, &first, &reader, (Run){"from scratch", 0, TUNING, TUNING, 3e-3f, NULL});
    train(lesson, tuned, &second, &reader, (Run){"fine-tuning", 0, TUNING, TUNING, 2e-3f, NULL});
    double from_scratch = held_out_loss(scratch, held_out), after = held_out_loss(tuned, held_out);
    double bible_after = held_out_loss(tuned, book->held_out.tokens);
    printf("nats per token                    Austen   the Bible\n");
    printf("has read the Bible only         %8.3f    %8.3f\n", before, bible_before);
    printf("and then %d steps of Austen    %8.3f    %8.3f\n", TUNING, after, bible_after);
    printf("%d steps of Austen only        %8.3f\n\n", TUNING, from_scratch);
    claim(lesson, from_scratch - after >= 0.2,
          "pretrained and fine-tuned is at least 0.2 nat better than from scratch with the same steps");
    claim(lesson, bible_after > bible_before, "and it has forgotten some of the Bible");
}

/*
The head start is worth half a nat per token, and it was not obvious: before the first step the model of the
Bible is worse on Austen (5.38) than a hundred steps of Austen alone make it (4.28). What was carried over
is not the style. It is spelling, common words, what an *and* is good for.

The price stands in the last column. After a hundred steps the model has lost one nat on the Bible: this is
called **catastrophic forgetting** (灾难性遗忘). Nobody asked it to remember. Chapter 29 comes back to it.

## GPT-3's question: by examples

Can a task be explained inside the text? GPT-3 was given a few pairs, *sea otter → loutre de mer*, and then
*cheese →*, and went on in the right way, without one weight being changed: **few-shot** (少样本), also called
**in-context learning** (上下文学习).

Our model is too small to pick that up from a book. But the skill itself can be trained and looked at. Each
sequence has a secret of its own: four letters are paired with four numbers, in one of $4! = 24$ ways that
is drawn anew. The sequence shows eight such pairs,

    c 2 a 4 c 2 b 1 …

and the model must guess each number. It cannot have learned the answer, because the next sequence has
another secret. What it can learn is to look. Before the first example nothing is known, and one guess in
four is right; a letter that has been seen is certain; one that has not leaves the numbers that are not
taken.
*/

enum { LETTERS = 4, PAIRS = 8, SHOWN = 2 * PAIRS, GAMES = 128, FEW_STEPS = 400, TESTED = 16 };

// Some games: ids and labels [GAMES · SHOWN]; letters are 0 … 3, numbers 4 … 7.
static void draw_games(Rng *rng, int *ids, int *labels)
{
    for (int g = 0; g < GAMES; g++) {
        int secret[LETTERS];
        rng_permutation(rng, secret, LETTERS);
        for (int p = 0; p < PAIRS; p++, ids += 2, labels += 2) {
            ids[0] = (int)rng_below(rng, LETTERS);
            ids[1] = labels[0] = LETTERS + secret[ids[0]];
            labels[1] = LABEL_IGNORED; // the next letter is anyone's guess
        }
    }
}

// The chance of the best guess for pair p: 1 when its letter was seen, else one of the numbers not taken
static float best_guess(const int *game, int p)
{
    bool seen[LETTERS] = {false};
    int different = 0;
    for (int q = 0; q < p; q++) {
        different += !seen[game[2 * q]];
        seen[game[2 * q]] = true;
    }
    return seen[game[2 * p]] ? 1.0f : 1.0f / (float)(LETTERS - different);
}

static int likeliest(const float *scores, int count)
{
    int best = 0;
    for (int v = 1; v < count; v++)
        if (scores[v] > scores[best]) best = v;
    return best;
}

// right and possible [PAIRS]: the shares of right guesses by how many examples stood before
static void test_games(const Model *model, Rng *rng, float *right, float *possible)
{
    int ids[GAMES * SHOWN], labels[GAMES * SHOWN];
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int p = 0; p < PAIRS; p++) right[p] = possible[p] = 0.0f;
    for (int n = 0; n < TESTED; n++) {
        tape_reset(tape);
        draw_games(rng, ids, labels);
        Matrix logits = gpt_logits(&model->gpt, tape, ids, GAMES, SHOWN)->value;
        for (int i = 0; i < GAMES * PAIRS; i++) {
            bool hit = likeliest(matrix_row(logits, 2 * i), 2 * LETTERS) == labels[2 * i];
            right[i % PAIRS] += (float)hit / (GAMES * TESTED);
            possible[i % PAIRS] += best_guess(ids + i / PAIRS * SHOWN, i % PAIRS) / (GAMES * TESTED);
        }
    }
    tape_free(tape);
}

static Model *train_games(Lesson *lesson, const char *name, GptPositions positions, Rng *rng)
{
    int ids[GAMES * SHOWN], labels[GAMES * SHOWN];
    GptConfig config = {.vocabulary = 2 * LETTERS,
                        .context = SHOWN,
                        .layers = 2,
                        .heads = 2,
                        .width = 64,
                        .positions = positions,
                        .embedding_deviation = 0.5f};
    Model *model = gpt_model(lesson, config, 10);
    Optimiser optimiser = adamw_new(lesson_arena(lesson), &model->parameters, 0.9f, 0.99f, 1e-8f, 0.0f);
    Tape *tape = tape_new();
    double start = seconds_now();
    for (long step = 0; step < FEW_STEPS; step++) {
        tape_reset(tape);
        draw_games(rng, ids, labels);
        Tensor *loss = gpt_loss(&model->gpt, tape, ids, labels, GAMES, SHOWN);
        backward(loss);
        clip_gradients(&model->parameters, 1.0f);
        optimiser_step(&optimiser, cosine_schedule(3e-3f, step, FEW_STEPS / 20, FEW_STEPS));
        lesson_progress(lesson, name, step + 1, FEW_STEPS, (double)loss->value.data[0]);
    }
    lesson_wipe_progress(lesson);
    fprintf(stderr, "games, %s: %d steps, %.1f s\n", name, FEW_STEPS, seconds_now() - start);
    tape_free(tape);
    return model;
}

static void print_shares(const char *name, const float *shares)
{
    printf("%-18s", name);
    for (int p = 0; p < PAIRS; p++) printf("%7.3f", (double)shares[p]);
    printf("\n");
}

static Model *by_examples(Lesson *lesson)
{
    section(lesson, "GPT-3's question: by examples");
    Rng rng = lesson_rng(lesson, 11);
    Model *rotary = train_games(lesson, "rotary positions", GPT_ROTARY, &rng);
    Model *learned = train_games(lesson, "learned positions", GPT_LEARNED, &rng);
    float x[PAIRS], right[PAIRS], other[PAIRS], possible[PAIRS], late = 0.0f;
    test_games(learned, &rng, other, possible);
    test_games(rotary, &rng, right, possible);
    printf("examples before   ");
    for (int p = 0; p < PAIRS; p++) printf("%7d", p), x[p] = (float)p;
    printf("\n");
    print_shares("rotary positions", right), print_shares("learned positions", other);
    print_shares("the best one can", possible);
    printf("\n");
    for (int p = 4; p < PAIRS; p++) late += right[p] / (PAIRS - 4);
    claim(lesson, late - right[0] >= 0.25f,
          "after four examples and more the model is right at least 25 points more often than after none");
    Plot *plot = plot_begin(lesson, "few-shot.png", "A new secret in each sequence");
    plot_axes(plot, "examples before the question", "share of right answers");
    plot_range_y(plot, 0.0, 1.05);
    plot_legend(plot, "bottom right");
    plot_line_points(plot, "rotary positions", x, right, PAIRS);
    plot_line_points(plot, "learned positions", x, other, PAIRS);
    plot_dashed(plot, "the best one can", x, possible, PAIRS);
    plot_horizontal(plot, "chance", 1.0 / LETTERS);
    plot_end(plot, "No weight changes from left to right: what is learned lies in the text before.");
    return rotary;
}

/*
With rotary positions the model follows the best possible curve within three points, from no example to
seven: it finds its letter when it is there, and otherwise guesses among the numbers that are free. There is
no room left for anything better. It has not learned 24 secrets, it has learned to read.

The second line is the same network with a learned row for each position, and as many steps. It has learned
half of the trick and stands on a plateau. The games are about *which stands behind which*, a distance of
one, and a rotation gives every pair of neighbours the same angle from the start; a table must learn it for
each of the sixteen places. (The other way round happens as well: where a column has a meaning of its own,
as in sums written below each other, chapter 31 will find a table better.)

So is few-shot learning a matter of size? That is GPT-3's story: the larger the model, the more it gains
from examples. Here a model of a hundred thousand parameters does it perfectly, because its text is made of
nothing else. What size buys is the breadth: picking up such a skill by the way, from text that only
sometimes has use for it.

## What the heads look at

How does one answer *c* when *c 2* stood further left? Two heads in a row can do it: in the first layer each
position fetches what stands just before it (a **previous-token head**, 前词头), so that *2* knows that it
follows a *c*; in the second, *c* looks for a position that says so, and takes its *2*: an **induction
head** (归纳头, Olsson and others 2022). They found such heads in all models of two and more layers that they
looked at. Do we have them?

The previous-token score of a head is the mean weight that a position gives to the one before. The induction
score is the mean weight on what followed the last time: for the model of the Bible on 32 random tokens that
are repeated once, for the model of the games on the numbers behind earlier occurrences of the same letter.
*/

typedef struct {
    float previous, induction;
} HeadScore;

// weights (T × T) of one head; wanted[i · T + j] tells which j would be induction for position i
static HeadScore score_head(Matrix weights, const bool *wanted)
{
    HeadScore score = {0.0f, 0.0f};
    int asked = 0, t = weights.rows;
    for (int i = 1; i < t; i++) {
        score.previous += AT(weights, i, i - 1) / (float)(t - 1);
        bool any = false;
        for (int j = 0; j < i; j++) {
            any |= wanted[i * t + j];
            if (wanted[i * t + j]) score.induction += AT(weights, i, j);
        }
        asked += any;
    }
    score.induction /= (float)int_max(asked, 1);
    return score;
}

// For each position, those behind earlier occurrences of the same token; games ask behind letters only
static void mark_followers(bool *wanted, const int *ids, int time, int asked_below)
{
    for (int i = 0; i < time; i++)
        for (int j = 0; j < time; j++)
            wanted[i * time + j] = j >= 1 && j < i && ids[j - 1] == ids[i] && ids[i] < asked_below;
}

typedef struct {
    int layer, head;
    HeadScore score;
} Head;

// Prints the mean scores of all heads over some sequences (ids [count · time]); hands out the best of each
static void score_heads(Lesson *lesson, const Model *model, const int *ids, int count, int time,
                        int asked_below, Head *previous, Head *induction)
{
    const GptConfig *c = &model->gpt.config;
    bool wanted[TIME * TIME];
    *previous = *induction = (Head){0, 0, {-1.0f, -1.0f}};
    printf("layer  head  previous token  induction\n");
    for (int l = 0; l < c->layers; l++)
        for (int h = 0; h < c->heads; h++) {
            Head head = {l, h, {0.0f, 0.0f}};
            for (int n = 0; n < count; n++) {
                ArenaMark mark = arena_mark(lesson_arena(lesson));
                Matrix w = gpt_attention_weights(lesson_arena(lesson), &model->gpt, ids + n * time, time, l);
                mark_followers(wanted, ids + n * time, time, asked_below);
                HeadScore score = score_head(matrix_rows(w, h * time, time), wanted);
                head.score.previous += score.previous / (float)count;
                head.score.induction += score.induction / (float)count;
                arena_rewind(lesson_arena(lesson), mark);
            }
            printf("%5d  %4d  %14.3f  %9.3f\n", l, h, (double)head.score.previous,
                   (double)head.score.induction);
            if (head.score.previous > previous->score.previous) *previous = head;
            if (head.score.induction > induction->score.induction) *induction = head;
        }
    printf("\n");
}

static void draw_head(Lesson *lesson, const Model *model, const Book *book, Head head)
{
    enum { ROWS = 20 };
    Arena *arena = lesson_arena(lesson);
    Text verse = book->held_out_verses.verses[0];
    Tokens tokens = tokenizer_encode(arena, book->tokenizer, verse.bytes, verse.size);
    int rows = int_min(ROWS, (int)tokens.count);
    Matrix all = gpt_attention_weights(arena, &model->gpt, tokens.ids, rows, head.layer);
    const char *names[ROWS];
    for (int i = 0; i < rows; i++) {
        TokenizerPiece piece = tokenizer_piece(book->tokenizer, tokens.ids[i]);
        bool blank = piece.bytes[0] == ' ';
        char *name = arena_alloc(arena, piece.size + 3, 1);
        snprintf(name, piece.size + 3, "%s%.*s", blank ? "·" : "", (int)piece.size - blank,
                 piece.bytes + blank);
        names[i] = name;
    }
    Plot *plot = plot_begin(lesson, "head.png", "The head that looks back one token");
    plot_size(plot, 900, 800);
    plot_axes(plot, "token that is looked at", "token that looks");
    plot_cells(plot, matrix_rows(all, head.head * rows, rows), names, names, -1);
    plot_end(plot, "Each row is a position of a verse put aside, each column one that it may look at.");
}

static void draw_game_head(Lesson *lesson, const Model *games, const int *game, Head head)
{
    static const char *const signs[] = {"a", "b", "c", "d", "1", "2", "3", "4"};
    const char *names[SHOWN];
    for (int i = 0; i < SHOWN; i++) names[i] = signs[game[i]];
    Matrix all = gpt_attention_weights(lesson_arena(lesson), &games->gpt, game, SHOWN, head.layer);
    Plot *plot =
        plot_begin(lesson, "induction.png", "The head of the games that scores highest at induction");
    plot_size(plot, 900, 800);
    plot_axes(plot, "token that is looked at", "token that looks");
    plot_cells(plot, matrix_rows(all, head.head * SHOWN, SHOWN), names, names, -1);
    plot_end(plot, "One game. Rows with a letter ask; look where they look.");
}

static void what_heads_see(Lesson *lesson, const Model *model, const Book *book, const Model *games)
{
    section(lesson, "What the heads look at");
    enum { TEXTS = 8 };
    int texts[TEXTS * TIME], ids[GAMES * SHOWN], labels[GAMES * SHOWN];
    Rng rng = lesson_rng(lesson, 12);
    for (int i = 0; i < TEXTS * TIME; i++)
        texts[i] = i % TIME < TIME / 2 ? 256 + (int)rng_below(&rng, PIECES - 256) : texts[i - TIME / 2];
    Head previous, induction;
    printf("the model of the Bible, on random tokens that are repeated (an even look: 0.02)\n");
    score_heads(lesson, model, texts, TEXTS, TIME, PIECES, &previous, &induction);
    draw_head(lesson, model, book, previous);
    draw_games(&rng, ids, labels);
    printf("\nthe model of the games\n");
    score_heads(lesson, games, ids, GAMES, SHOWN, LETTERS, &previous, &induction);
    draw_game_head(lesson, games, ids, induction);
}

/*
In the model of the Bible one head gives six tenths of its weight to the token before: who writes words in
pieces must know the last one. In the picture you see it walk along below the diagonal. But of induction
there is no trace: no head puts noticeably more weight on what followed the last time than an even look
would, and the heads of the second layer put less. "All models have induction heads" is not true of this
one: half a million tokens, in windows of 64, were not enough to need them.

The games ask for nothing else, and there one head of the second layer puts half of its weight on numbers
that stood behind the same letter. In the picture, *b* finds its *2* and *c* its *1*; but *d* looks at the
first *d*, which cannot know what came behind it. Its *3* must come by way of other heads, for the answers
are as good as they can be. The clean pair of heads of the story is *one* way to do it. A network takes any.

## Stopping and going on

Training a larger model takes months, and machines fail. A **checkpoint** (检查点) holds everything that the
next step depends on: parameters, both moments of AdamW, the number of the step, which here is also the
place in the text. If one thing were forgotten, training would go on, and nearly as well, and no one would
notice. So we notice.
*/

static bool same_parameters(const Model *a, const Model *b)
{
    for (int i = 0; i < a->parameters.count; i++) {
        Matrix x = a->parameters.items[i]->value, y = b->parameters.items[i]->value;
        if (memcmp(x.data, y.data, matrix_size(x) * sizeof(float)) != 0) return false;
    }
    return true;
}

static void stop_and_go_on(Lesson *lesson, const Book *book)
{
    section(lesson, "Stopping and going on");
    enum { STOP = 6, END = 12 };
    GptConfig small = tiny;
    small.heads = 2, small.width = 64;
    char path[5000];
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", model_folder());
    Reader reader = reader_new(lesson, book->train.tokens, 13);
    Model *one = gpt_model(lesson, small, 14), *other = gpt_model(lesson, small, 15);
    Model *forgetful = gpt_model(lesson, small, 16);
    Optimiser optimiser = optimiser_for(lesson, one), loaded = optimiser_for(lesson, other);
    train(lesson, one, &optimiser, &reader, (Run){"until the stop", 0, STOP, END, 3e-3f, NULL});
    checkpoint_save(path, &optimiser, NULL, 0, STOP);
    copy_parameters(forgetful, one);
    train(lesson, one, &optimiser, &reader, (Run){"on", STOP, END, END, 3e-3f, NULL});

    long step = checkpoint_load(path, &loaded, NULL, 0);
    train(lesson, other, &loaded, &reader, (Run){"on, from the file", step, END, END, 3e-3f, NULL});
    Optimiser fresh = optimiser_for(lesson, forgetful);
    train(lesson, forgetful, &fresh, &reader, (Run){"on, without moments", STOP, END, END, 3e-3f, NULL});
    claim(lesson, step == STOP && same_parameters(one, other),
          "with the file of step %d, another model goes on to the same bits in all parameters", STOP);
    claim(lesson, !same_parameters(one, forgetful), "with the parameters alone it does not");
}

/*
## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "20-tiny-gpt", "A tiny GPT");
    Book book = open_book(lesson);
    compare_with_library(lesson, &book);
    Model *model = train_three(lesson, &book);
    gpt_save(model_folder(), &model->gpt, &model->parameters, book.tokenizer);
    let_it_write(lesson, model, &book);
    zero_shot(lesson, model, &book);
    first_play(lesson, model, &book);
    Model *games = by_examples(lesson);
    what_heads_see(lesson, model, &book, games);
    stop_and_go_on(lesson, &book);
    return lesson_end(lesson);
}

/*
## What to take along

- One game, guess the next token, and a score that can be compared with anything: bits per character.
  Compare it with counting before you are proud.
- A decoder is a residual road, and each block adds twice: once from the past, once from the row itself.
- How a network starts matters. So does the learning rate, and the opponent's too: tuned alike, an LSTM of
  the same size is ahead of our GPT after half a million tokens, and behind it after five million.
- The likeliest token at each step does not make a likely text. Temperature, top-k and top-p choose what to
  draw from.
- Zero-shot: ask which text is more likely. Fine-tuning: begin where another text ended, and forget some of
  it. Few-shot: the task stands in the text, and no weight moves.
- Look for the head in the picture, and measure before you say that it is there.
- A checkpoint holds everything that the next step depends on. Test it by bits.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade20` tells how far you are,
`make hint20` helps.

- **TASK 20.1** the probabilities of the next token at a temperature.
- **TASK 20.2** keep the $k$ most likely tokens.
- **TASK 20.3** keep the nucleus.
- **TASK 20.4** draw a token from probabilities with a uniform number that is given.
- **TASK 20.5** one block of a decoder, with RMS norm.

`make sample` lets the model that you have trained write. And without a computer, or with five minutes at
one:

1. What if the vocabulary had 256 pieces, the bytes, or 8192? What happens to the loss per token, to the
   bits per character, to what 64 tokens can see?
2. What if the mask were forgotten? What loss does training reach, and what does the model write?
3. What does top-p with $p = 0.8$ keep when the likeliest token has 0.9? What does top-k with $k = 20$ keep?
4. In the games, what would the best curve be with eight letters? With a secret that may use a number twice?
5. Take the loss of the sum of all tokens, not per token, to choose among the four ends. Which ends win?
6. Train on poems (`make data DATA=poems`) with the same program. Which of the numbers of this chapter can
   be compared with yours?
7. Leave the moments out of the checkpoint. By how much is the loss worse, ten and a hundred steps later?
*/
