/*
# Transformer

A translator hears a sentence in one language and says it in another. The words do not come one for one, nor in the
same order, nor are there equally many; and what has been said restricts what can be said next. The **Transformer**
(变换器) of Vaswani and others (2017) was made for this, and it is built from parts that we have: the attention of
chapter 16, the residual connections and norms of chapter 9, two layers of chapter 6. An **encoder** (编码器) reads
the whole sentence, a **decoder** (解码器) writes the translation token by token and looks back at what was read.

We translate something small that is hard enough to get wrong: *four thousand and six* is 四千零六, and *the third of
May nineteen eighty-four* is 一九八四年五月三日. In this chapter we

- write down the rules of both languages, so that there are examples without end and no doubt about an answer;
- write both blocks in plain loops, with their three masks, and compare them with the library's;
- train a translator in a few seconds, ask it about numbers that it has never seen, and look at where it looks;
- take its positions away: numbers fail, dates do not, and we work out beforehand how far each can get;
- find out why it cannot read numbers longer than those it has seen (the first two explanations are wrong);
- search for better answers with a beam, soften the labels, and take the attention away, and see what each is worth.

You need chapter 16 and everything that it needs. With `FULL=1` it translates the Bible into Spanish, in some
minutes.
*/

#include "base/mathf.h"
#include "files/corpora.h"
#include "learning/bleu.h"
#include "learning/ops/likelihood.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/beam.h"
#include "models/block.h"
#include "models/nn.h"
#include "models/tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
## Two ways to say a number

English counts in thousands, Chinese in ten thousands. 23,000,000 is *twenty three | million*, and 2300|0000, 两千三百万:
the digits are grouped anew, so no word has a translation of its own. A million is 百万, a hundred ten-thousands; a
billion is 十亿. English first. Its only trap is *and*: behind *hundred*, and before a last group below one hundred.
*/

enum {
    ONE,
    TWENTY = 19,
    HUNDRED = 27,
    THOUSAND,
    MILLION,
    BILLION,
    AND,
    OH,
    THE,
    OF,
    FIRST,
    TWENTIETH = 54,
    THIRTIETH,
    JANUARY,
    WORDS = 68
};
static const char *const words[WORDS] = {
    "one",       "two",       "three",       "four",       "five",       "six",        "seven",
    "eight",     "nine",      "ten",         "eleven",     "twelve",     "thirteen",   "fourteen",
    "fifteen",   "sixteen",   "seventeen",   "eighteen",   "nineteen",   "twenty",     "thirty",
    "forty",     "fifty",     "sixty",       "seventy",    "eighty",     "ninety",     "hundred",
    "thousand",  "million",   "billion",     "and",        "oh",         "the",        "of",
    "first",     "second",    "third",       "fourth",     "fifth",      "sixth",      "seventh",
    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",    "thirteenth", "fourteenth",
    "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth",  "thirtieth",
    "January",   "February",  "March",       "April",      "May",        "June",       "July",
    "August",    "September", "October",     "November",   "December"};

enum { MOST_TOKENS = 64 };
typedef struct {
    int count, ids[MOST_TOKENS];
} Sentence;

static void put(Sentence *s, int id) { s->ids[s->count++] = id; }

// 1 … 99
static void put_small(Sentence *s, int n)
{
    if (n >= 20) put(s, TWENTY + n / 10 - 2), n %= 10;
    if (n) put(s, ONE + n - 1);
}

// 1 … 999
static void put_hundreds(Sentence *s, int n)
{
    if (n >= 100) put(s, ONE + n / 100 - 1), put(s, HUNDRED);
    if (n >= 100 && n % 100) put(s, AND);
    put_small(s, n % 100);
}

// 1 … 10¹² − 1
static void english_number(Sentence *s, int64_t n)
{
    static const int64_t sizes[] = {1000000000, 1000000, 1000};
    s->count = 0;
    for (int i = 0; i < 3; i++) {
        if (n >= sizes[i]) put_hundreds(s, (int)(n / sizes[i])), put(s, BILLION - i);
        n %= sizes[i];
    }
    if (s->count && n && n < 100) put(s, AND);
    if (n) put_hundreds(s, (int)n);
}

/*
Chinese has three rules that English has not.

- **零**. A gap of zeros inside of a number is spoken, as one 零 however long it is: 4006 is 四千零六, 40,506 is
  四万零五百零六. Zeros at the end of a group of four are silent: 4600 is 四千六百, 1,005,000 is 一百万五千. A group
  that begins with zeros, or a whole group of zeros with something behind it, is a gap: 一亿零五.
- **十** at the very beginning stands alone: 12 is 十二 and 120,000 is 十二万; inside it has its 一: 112 is 一百一十二.
- **两**. Two of something is 两, the digit two is 二. Here usage varies (三万二千 and 三万两千 are both heard, 二百
  and 两百 too). We fix one rule: at the beginning of a number, directly before 千, 万 or 亿, it is 两; everywhere
  else it is 二. So 2000 is 两千, 20,000 两万, 22,222 两万二千二百二十二, 200 二百.
*/

enum { ZERO, TEN = 10, QIAN = 12, WAN, YI, LIANG, CIRCLE, YEAR, MONTH, DAY, END, START, CHARACTERS };
static const char *const characters[CHARACTERS] = {"零", "一", "二", "三", "四", "五", "六", "七",
                                                   "八", "九", "十", "百", "千", "万", "亿", "两",
                                                   "〇", "年", "月", "日", "∎",  "▷"};

// A group of four digits, 1 … 9999; first: nothing stands before it
static void put_group(Sentence *s, int n, bool first)
{
    bool written = false, gap = false;
    for (int i = 0, size = 1000; i < 4; i++, size /= 10) {
        const int digit = n / size % 10, name = QIAN - i; // 千 百 十
        if (!digit) {
            gap = written;
            continue;
        }
        if (gap) put(s, ZERO);
        if (name != TEN || digit != 1 || !first || written) put(s, digit);
        if (name >= TEN) put(s, name);
        written = true, gap = false;
    }
}

static void chinese_number(Sentence *s, int64_t n)
{
    bool gap = false;
    s->count = 0;
    int64_t size = 100000000;
    for (int name = YI; name >= QIAN; name--, size /= 10000) { // 亿 万 and units
        const int group = (int)(n / size % 10000);
        if (group && s->count && (gap || group < 1000)) put(s, ZERO);
        if (group) put_group(s, group, s->count == 0);
        if (group && name > QIAN) put(s, name);
        gap = !group;
    }
    if (s->count > 1 && s->ids[0] == 2 && s->ids[1] >= QIAN && s->ids[1] <= YI) s->ids[0] = LIANG;
}

/*
Dates are simpler, and of another kind: *the twenty first of December two thousand and six* is 二〇〇六年十二月二十一日.
The year is spelt digit by digit, with a round 〇, and comes first; the day comes last. English reads years in pairs,
with *oh* (*nineteen oh five*), *hundred*, and *two thousand and six* after the year 2000.
*/

typedef struct {
    int year, month, day;
} Date;

static void english_date(Sentence *s, Date d)
{
    s->count = 0;
    put(s, THE);
    if (d.day > 20 && d.day != 30) put(s, TWENTY + d.day / 10 - 2);
    put(s, d.day < 20        ? FIRST + d.day - 1
           : d.day % 10 == 0 ? TWENTIETH + d.day / 10 - 2
                             : FIRST + d.day % 10 - 1);
    put(s, OF), put(s, JANUARY + d.month - 1);
    const int century = d.year / 100, rest = d.year % 100;
    if (century == 20 && rest < 10) {
        put_small(s, 2), put(s, THOUSAND);
        if (rest) put(s, AND), put_small(s, rest);
        return;
    }
    put_small(s, century);
    if (rest == 0) put(s, HUNDRED);
    if (rest > 0 && rest < 10) put(s, OH);
    put_small(s, rest);
}

static void put_below_hundred(Sentence *s, int n, int name)
{
    if (n >= 20) put(s, n / 10);
    if (n >= 10) put(s, TEN);
    if (n % 10) put(s, n % 10);
    put(s, name);
}

static void chinese_date(Sentence *s, Date d)
{
    s->count = 0;
    for (int size = 1000; size; size /= 10) put(s, d.year / size % 10 ? d.year / size % 10 : CIRCLE);
    put(s, YEAR);
    put_below_hundred(s, d.month, MONTH);
    put_below_hundred(s, d.day, DAY);
}

/*
Are the rules right? Two checks that do not use them. A list of numerals was written by hand. And a reader of
Chinese numerals, who knows nothing of 零 and 两 but that they are silent and mean two, must understand every number:
he adds up digit times name, and multiplies what he has by 万 or 亿 when he meets one.
*/

static int64_t read_numeral(const Sentence *s)
{
    int64_t whole = 0, group = 0, digit = 0;
    for (int i = 0; i < s->count; i++) {
        const int c = s->ids[i];
        if (c == YI || c == WAN) {
            whole += (group + digit) * (c == YI ? 100000000 : 10000);
            group = digit = 0;
        } else if (c >= TEN && c <= QIAN) {
            if (!digit) digit = 1; // 十 alone
            group += digit * (c == TEN ? 10 : c == QIAN ? 1000 : 100);
            digit = 0;
        } else
            digit = c == LIANG ? 2 : c;
    }
    return whole + group + digit;
}

typedef struct {
    Sentence source, target;
} Pair;

static Pair number_pair(int64_t n)
{
    Pair p = {.source = {.count = 0}};
    english_number(&p.source, n);
    chinese_number(&p.target, n);
    return p;
}

static Pair date_pair(Date d)
{
    Pair p = {.source = {.count = 0}};
    english_date(&p.source, d);
    chinese_date(&p.target, d);
    return p;
}

enum { TEXT_SIZE = 1024 };

static const char *spell(char text[TEXT_SIZE], const Sentence *s, const char *const *names,
                         const char *between)
{
    size_t size = 0;
    text[0] = 0;
    for (int i = 0; i < s->count; i++)
        size += (size_t)snprintf(text + size, TEXT_SIZE - size, "%s%s", i ? between : "", names[s->ids[i]]);
    return text;
}

static void print_pair(const Pair *p)
{
    char english[TEXT_SIZE], chinese[TEXT_SIZE];
    printf("    %s → %s\n", spell(english, &p->source, words, " "),
           spell(chinese, &p->target, characters, ""));
}

static void two_ways(Lesson *lesson)
{
    section(lesson, "Two ways to say a number");
    static const struct {
        int64_t n;
        const char *numeral;
    } known[] = {{10, "十"},
                 {12, "十二"},
                 {20, "二十"},
                 {110, "一百一十"},
                 {112, "一百一十二"},
                 {200, "二百"},
                 {2002, "两千零二"},
                 {4006, "四千零六"},
                 {4600, "四千六百"},
                 {20000, "两万"},
                 {22222, "两万二千二百二十二"},
                 {40506, "四万零五百零六"},
                 {100000, "十万"},
                 {120000, "十二万"},
                 {200000, "二十万"},
                 {1005000, "一百万五千"},
                 {10010010, "一千零一万零一十"},
                 {20000000, "两千万"},
                 {100000005, "一亿零五"},
                 {100120000, "一亿零一十二万"},
                 {220000000, "两亿二千万"},
                 {1000000000, "十亿"},
                 {305000000000, "三千零五十亿"}};
    enum { KNOWN = sizeof known / sizeof *known, RANDOM = 100000 };
    int right = 0, understood = 0;
    char text[TEXT_SIZE];
    for (int i = 0; i < KNOWN; i++) {
        const Pair p = number_pair(known[i].n);
        right += strcmp(spell(text, &p.target, characters, ""), known[i].numeral) == 0;
        if (i % 3 == 1) print_pair(&p);
    }
    const Date dates[] = {{1984, 5, 3}, {1905, 10, 30}, {2006, 12, 21}};
    for (int i = 0; i < 3; i++) {
        const Pair p = date_pair(dates[i]);
        print_pair(&p);
    }
    Rng rng = lesson_rng(lesson, 1);
    for (int i = 0; i < RANDOM; i++) {
        int64_t n = 1;
        for (int digits = (int)rng_below(&rng, 12); digits; digits--)
            n = 10 * n + rng_below(&rng, 10) * rng_below(&rng, 2);
        const Pair p = number_pair(n);
        understood += read_numeral(&p.target) == n;
    }
    printf("\n");
    claim(lesson, right == KNOWN, "all numerals of the list are as written by hand");
    claim(lesson, understood == RANDOM, "a reader understands 100,000 random numbers, up to twelve digits");
}

/*
### Seen and unseen

Every tenth number and every tenth date, chosen by a hash of its digits, is **held out**: no training example is
ever one of them, and all tests are. (Numbers below 100 are all trained with: they are the dictionary.) We train
with numbers of one to eight digits, each length as often as the others, in half of them each digit is made 0 with
probability one half, so that 零 is met; three examples in ten are dates from the years 1100 to 2099. There are 10⁸
numbers, and a training run sees 27,000 of them.
*/

typedef enum { TRAINED, HELD_OUT } Part;

static bool is_held_out(uint64_t key) { return (key * 0x9E3779B97F4A7C15u >> 32) % 10 == 0; }

static int64_t draw_number(int digits, bool zeros, Part part, Rng *rng)
{
    for (;;) {
        int64_t n = 1 + rng_below(rng, 9);
        for (int i = 1; i < digits; i++) {
            const int digit = (int)rng_below(rng, 10);
            n = 10 * n + (zeros && rng_below(rng, 2) ? 0 : digit);
        }
        if (digits < 3 || is_held_out((uint64_t)n) == (part == HELD_OUT)) return n;
    }
}

// With exactly this many digits that are not 0, the first of them included
static int64_t draw_with_nonzero(int digits, int nonzero, Part part, Rng *rng)
{
    for (;;) {
        int64_t n = 1 + rng_below(rng, 9);
        for (int i = 1, left = nonzero - 1; i < digits; i++) {
            const bool here = (int)rng_below(rng, (uint32_t)(digits - i)) < left;
            n = 10 * n + (here ? 1 + rng_below(rng, 9) : 0);
            left -= here;
        }
        if (is_held_out((uint64_t)n) == (part == HELD_OUT)) return n;
    }
}

static int days_of(int year, int month)
{
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 ? 28 + leap : 30 + (month + (month > 7)) % 2;
}

enum { FIRST_YEAR = 1100, LAST_YEAR = 2099 };

static Date draw_date(Part part, Rng *rng)
{
    for (;;) {
        Date d = {.year = FIRST_YEAR + (int)rng_below(rng, LAST_YEAR - FIRST_YEAR + 1)};
        d.month = 1 + (int)rng_below(rng, 12);
        d.day = 1 + (int)rng_below(rng, (uint32_t)days_of(d.year, d.month));
        if (is_held_out((uint64_t)(d.year * 372 + d.month * 31 + d.day)) == (part == HELD_OUT)) return d;
    }
}

enum { MOST_DIGITS = 8, LONGEST = 12 };

static Pair draw_pair(Rng *rng, const void *context)
{
    (void)context;
    if (rng_below(rng, 10) < 3) return date_pair(draw_date(TRAINED, rng));
    const int digits = 1 + (int)rng_below(rng, MOST_DIGITS);
    const bool zeros = rng_below(rng, 2);
    return number_pair(draw_number(digits, zeros, TRAINED, rng));
}

/*
## Two blocks in plain loops

Rows are positions, columns are features. An encoder block is what chapter 16 promised: attention, by which rows
hear of each other, then a small network for each row alone; both add to what was there (chapter 9), and each sees a
normalised copy:

$$x \leftarrow x + \mathrm{Attention}(\mathrm{norm}(x)), \qquad
  x \leftarrow x + W_2\,\mathrm{gelu}(W_1\,\mathrm{norm}(x)).$$

A decoder block has a third part between the two. It is **cross-attention** (交叉注意力): queries from what has been
written, keys and values from the **memory** (记忆), the encoder's last rows. Three attentions, three masks:

| | queries | keys | query $i$ sees key $j$ if |
|---|---|---|---|
| encoder | source | source | $j$ is no padding |
| decoder | written | written | $j \le i$ (chapter 16: or it would copy the answer) |
| cross | written | source | $j$ is no padding |

Sentences of a batch have different lengths, and a matrix has not: the shorter are filled up with **padding** (填充),
which nobody may look at.
*/

static Matrix plain_linear(Arena *arena, Matrix x, const Linear *layer)
{
    const Matrix w = layer->weight->value, b = layer->bias->value;
    Matrix y = matrix_new(arena, x.rows, w.cols);
    for (int i = 0; i < y.rows; i++)
        for (int j = 0; j < y.cols; j++) {
            AT(y, i, j) = b.data[j];
            for (int c = 0; c < x.cols; c++) AT(y, i, j) += AT(x, i, c) * AT(w, c, j);
        }
    return y;
}

static Matrix plain_norm(Arena *arena, Matrix x, const Norm *norm)
{
    Matrix y = matrix_new(arena, x.rows, x.cols);
    for (int i = 0; i < x.rows; i++) {
        float average = 0.0f, variance = 0.0f;
        for (int c = 0; c < x.cols; c++) average += AT(x, i, c) / (float)x.cols;
        for (int c = 0; c < x.cols; c++) variance += powf(AT(x, i, c) - average, 2.0f) / (float)x.cols;
        for (int c = 0; c < x.cols; c++)
            AT(y, i, c) =
                (AT(x, i, c) - average) / sqrtf(variance + norm->epsilon) * norm->gain->value.data[c] +
                norm->bias->value.data[c];
    }
    return y;
}

// Chapter 16, all heads of one sequence; count keys are no padding
static Matrix plain_attention(Arena *arena, Matrix q, Matrix k, Matrix v, int heads, bool causal, int count)
{
    Matrix out = matrix_new(arena, q.rows, q.cols), p = matrix_new(arena, 1, k.rows);
    const int width = q.cols / heads;
    for (int head = 0; head < q.cols; head += width)
        for (int i = 0; i < q.rows; i++) {
            const int seen = causal && i + 1 < count ? i + 1 : count;
            float total = 0.0f;
            for (int j = 0; j < seen; j++) {
                float score = 0.0f;
                for (int c = head; c < head + width; c++) score += AT(q, i, c) * AT(k, j, c);
                p.data[j] = exp32(score / sqrtf((float)width));
                total += p.data[j];
            }
            for (int j = 0; j < seen; j++)
                for (int c = head; c < head + width; c++) AT(out, i, c) += p.data[j] / total * AT(v, j, c);
        }
    return out;
}

static Matrix columns_of(Arena *arena, Matrix m, int first, int count)
{
    Matrix part = matrix_new(arena, m.rows, count);
    copy_columns(part, 0, m, first, count);
    return part;
}

// One sequence. x (T × C) is read and overwritten; memory (S × C), or without data: an encoder block.
static void plain_block(Arena *arena, const Block *block, Matrix x, int count, Matrix memory,
                        int memory_count)
{
    const int width = x.cols, heads = block->config.heads;
    const Matrix qkv = plain_linear(arena, plain_norm(arena, x, &block->norm1), &block->qkv);
    Matrix found =
        plain_attention(arena, columns_of(arena, qkv, 0, width), columns_of(arena, qkv, width, width),
                        columns_of(arena, qkv, 2 * width, width), heads, memory.data != NULL, count);
    add(x, x, plain_linear(arena, found, &block->out));
    if (memory.data) {
        const Matrix q = plain_linear(arena, plain_norm(arena, x, &block->norm_cross), &block->cross_query);
        const Matrix kv = plain_linear(arena, memory, &block->cross_memory);
        found = plain_attention(arena, q, columns_of(arena, kv, 0, width),
                                columns_of(arena, kv, width, width), heads, false, memory_count);
        add(x, x, plain_linear(arena, found, &block->cross_out));
    }
    Matrix hidden = plain_linear(arena, plain_norm(arena, x, &block->norm2), &block->up);
    for (size_t i = 0; i < matrix_size(hidden); i++) hidden.data[i] = gelu32(hidden.data[i]);
    add(x, x, plain_linear(arena, hidden, &block->down));
}

/*
The library has one block for both, `models/block.h`; cross-attention and the masks are settings. We give three
sentences of one, four and six words to both, with padding up to six, and let a decoder write five tokens for each.
*/

static void two_blocks(Lesson *lesson)
{
    section(lesson, "Two blocks in plain loops");
    enum { BATCH = 3, SOURCE = 6, TARGET = 5, WIDTH = 12 };
    static const int counts[BATCH] = {1, 4, 6};
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 2);
    Parameters set = parameters_new(arena);
    BlockConfig config = {.width = WIDTH, .heads = 3};
    const Block encoder = block_new(&set, "encoder", config, &rng);
    config.cross = true;
    const Block decoder = block_new(&set, "decoder", config, &rng);
    for (int i = 0; i < set.count; i++) { // no gain stays 1 and no bias 0
        Matrix noise = matrix_new(arena, set.items[i]->value.rows, set.items[i]->value.cols);
        fill_normal(noise, &rng, 0.0f, 0.1f);
        add(set.items[i]->value, set.items[i]->value, noise);
    }
    Matrix source = matrix_new(arena, BATCH * SOURCE, WIDTH),
           written = matrix_new(arena, BATCH * TARGET, WIDTH);
    fill_normal(source, &rng, 0.0f, 1.0f);
    fill_normal(written, &rng, 0.0f, 1.0f);

    Tape *tape = tape_new();
    AttentionShape self = self_attention_shape(BATCH, SOURCE, 0, false);
    self.key_counts = counts;
    Tensor *memory = block_forward(&encoder, tape_input(tape, source), .self = self);
    const AttentionShape cross = {.batch = BATCH, .queries = TARGET, .keys = SOURCE, .key_counts = counts};
    Tensor *out = block_forward(&decoder, tape_input(tape, written), .memory = memory, .cross = cross,
                                .self = self_attention_shape(BATCH, TARGET, 0, true));
    Matrix before = matrix_copy(arena, out->value);
    float apart[2] = {0.0f, 0.0f};
    for (int b = 0; b < BATCH; b++) {
        Matrix x = matrix_copy(arena, matrix_rows(source, b * SOURCE, SOURCE));
        plain_block(arena, &encoder, x, counts[b], (Matrix){0}, 0);
        apart[0] = fmaxf(apart[0], largest_difference(x, matrix_rows(memory->value, b * SOURCE, SOURCE)));
        Matrix y = matrix_copy(arena, matrix_rows(written, b * TARGET, TARGET));
        plain_block(arena, &decoder, y, TARGET, x, counts[b]);
        apart[1] = fmaxf(apart[1], largest_difference(y, matrix_rows(before, b * TARGET, TARGET)));
    }
    // Something else in the padding
    for (int b = 0; b < BATCH; b++)
        for (int row = counts[b]; row < SOURCE; row++) fill(matrix_rows(source, b * SOURCE + row, 1), 99.0f);
    memory = block_forward(&encoder, tape_input(tape, source), .self = self);
    out = block_forward(&decoder, tape_input(tape, written), .memory = memory, .cross = cross,
                        .self = self_attention_shape(BATCH, TARGET, 0, true));
    const float leaked = largest_difference(out->value, before);
    // Another last token
    fill(matrix_rows(written, TARGET - 1, 1), -1.0f);
    out = block_forward(&decoder, tape_input(tape, written), .memory = memory, .cross = cross,
                        .self = self_attention_shape(BATCH, TARGET, 0, true));
    const float peeped =
        largest_difference(matrix_rows(out->value, 0, TARGET - 1), matrix_rows(before, 0, TARGET - 1));
    printf("largest difference: encoder block %s, decoder block %s\n\n",
           apart[0] <= 1e-5f ? "≤ 1e-5" : "large", apart[1] <= 1e-5f ? "≤ 1e-5" : "large");
    claim(lesson, apart[0] <= 1e-5f && apart[1] <= 1e-5f, "loops and library agree on both blocks, to 1e-5");
    claim(lesson, leaked == 0.0f, "what stands in the padding changes nothing, to the last bit");
    claim(lesson, peeped == 0.0f, "and a token changes nothing that was written before it");
    tape_free(tape);
}

/*
## The translator

Tokens become rows by a table for each language. A row must also say where it stands; chapter 16 learned a vector
for each place and promised that they can be computed: **sinusoidal positions** (正弦位置编码) are

$$p_{t,\,2j} = \sin\!\big(t / 10000^{2j/C}\big), \qquad p_{t,\,2j+1} = \cos\!\big(t / 10000^{2j/C}\big),$$

a clock with $C/2$ hands, the fastest of which turns once in 6.3 places and the slowest once in 63,000. A step of
$k$ places rotates every hand by an angle that depends on $k$ alone. Other ways will serve as controls: no
positions; in the encoder only; and **rotary** ones, which rotate queries and keys instead (chapter 20).

The encoder's rows go through a norm and are the memory. The decoder begins with the token ▷, and its row $t$ must
say token $t$ of the translation, the last of which is ∎. When we train, the whole translation is given at once,
moved by one place, and the causal mask sees to it that each row knows only what stands before: **teacher forcing**
(教师强制).
*/

typedef enum { SINUSOIDAL, ENCODER_ONLY, NO_POSITIONS, ROTARY } Positions;

typedef struct {
    int source_tokens, target_tokens, start, end;
    int width, heads, hidden, blocks; // blocks of each kind
    int limit;                        // the most tokens of a translation
    Positions positions;
    bool recurrent; // two recurrent networks without attention, as a comparison
} Config;

static const Config small = {.source_tokens = WORDS,
                             .target_tokens = CHARACTERS,
                             .start = START,
                             .end = END,
                             .width = 64,
                             .heads = 4,
                             .hidden = 128,
                             .blocks = 1,
                             .limit = 32};

enum { MOST_BLOCKS = 3 };
typedef struct {
    Config config;
    Parameters set;
    Embedding source, target;
    Matrix positions; // (MOST_TOKENS × C)
    Block encoder[MOST_BLOCKS], decoder[MOST_BLOCKS];
    Norm read, written;
    Linear out;
    Gru reader, writer;
} Translator;

static Translator *translator_new(Arena *arena, Config c, Rng *rng)
{
    Translator *t = arena_zeros(arena, 1, sizeof *t);
    t->config = c;
    t->set = parameters_new(arena);
    t->source = embedding_new(&t->set, "source", c.source_tokens, c.width, rng, 0.5f);
    t->target = embedding_new(&t->set, "target", c.target_tokens, c.width, rng, 0.5f);
    t->out = linear_new(&t->set, "out", c.width, c.target_tokens, rng, INIT_LECUN);
    if (c.recurrent) {
        t->reader = gru_new(&t->set, "reader", c.width, c.width, rng);
        t->writer = gru_new(&t->set, "writer", 2 * c.width, c.width, rng);
        return t;
    }
    t->positions = matrix_new(arena, MOST_TOKENS, c.width);
    if (c.positions == SINUSOIDAL || c.positions == ENCODER_ONLY) sinusoidal_positions(t->positions);
    BlockConfig block = {.width = c.width,
                         .heads = c.heads,
                         .hidden = c.hidden,
                         .rotary = c.positions == ROTARY,
                         .shrink = 1.0f / sqrtf(2.0f * (float)c.blocks)};
    for (int i = 0; i < c.blocks; i++)
        t->encoder[i] = block_new(&t->set, layer_name(&t->set, "encoder", "", i), block, rng);
    block.cross = true;
    for (int i = 0; i < c.blocks; i++)
        t->decoder[i] = block_new(&t->set, layer_name(&t->set, "decoder", "", i), block, rng);
    t->read = norm_new(&t->set, "read", NORM_LAYER, c.width, 0.0f);
    t->written = norm_new(&t->set, "written", NORM_LAYER, c.width, 0.0f);
    return t;
}

// Pairs side by side, filled up with padding
typedef struct {
    int size, source_time, target_time;
    int *source, *source_counts; // [size · source_time], [size]
    int *written;                // [size · target_time]: the start token, then the translation
    int counted, *rows, *labels; // [counted]: the rows that are no padding, and what each must say
} Batch;

static Batch batch_of(Arena *arena, const Pair *pairs, int size, const Config *c)
{
    Batch b = {.size = size, .target_time = 1};
    for (int i = 0; i < size; i++) {
        b.source_time = int_max(b.source_time, pairs[i].source.count);
        b.target_time = int_max(b.target_time, pairs[i].target.count + 1);
    }
    const size_t target_rows = (size_t)(size * b.target_time);
    b.source = arena_zeros(arena, (size_t)(size * b.source_time), sizeof(int));
    b.source_counts = arena_zeros(arena, (size_t)size, sizeof(int));
    b.written = arena_zeros(arena, target_rows, sizeof(int));
    b.rows = arena_zeros(arena, target_rows, sizeof(int));
    b.labels = arena_zeros(arena, target_rows, sizeof(int));
    for (int i = 0; i < size; i++) {
        const Sentence *source = &pairs[i].source, *target = &pairs[i].target;
        memcpy(b.source + i * b.source_time, source->ids, (size_t)source->count * sizeof(int));
        b.source_counts[i] = source->count;
        for (int t = 0; t <= target->count; t++) {
            b.written[i * b.target_time + t] = t ? target->ids[t - 1] : c->start;
            b.rows[b.counted] = i * b.target_time + t;
            b.labels[b.counted++] = t < target->count ? target->ids[t] : c->end;
        }
    }
    return b;
}

static AttentionShape cross_shape(const Batch *b)
{
    return (AttentionShape){
        .batch = b->size, .queries = b->target_time, .keys = b->source_time, .key_counts = b->source_counts};
}

// → the memory (B·S × C)
static Tensor *encode(const Translator *t, Tape *tape, const Batch *b)
{
    Tensor *x = embed(tape, &t->source, b->source, b->size * b->source_time);
    x = add_positions(x, tape_input(tape, t->positions), b->source_time);
    AttentionShape self = self_attention_shape(b->size, b->source_time, 0, false);
    self.key_counts = b->source_counts;
    for (int i = 0; i < t->config.blocks; i++) x = block_forward(&t->encoder[i], x, .self = self);
    return norm_normalise(&t->read, x);
}

static Tensor *embed_written(const Translator *t, Tape *tape, const int *tokens, int count, int first,
                             int time)
{
    Tensor *x = embed(tape, &t->target, tokens, count);
    if (t->config.positions == ENCODER_ONLY) return x;
    return add_positions(x, tape_input(tape, matrix_rows(t->positions, first, MOST_TOKENS - first)), time);
}

// → (B·T × C)
static Tensor *decode(const Translator *t, Tensor *memory, const Batch *b)
{
    Tensor *x = embed_written(t, memory->tape, b->written, b->size * b->target_time, 0, b->target_time);
    for (int i = 0; i < t->config.blocks; i++)
        x = block_forward(&t->decoder[i], x, .self = self_attention_shape(b->size, b->target_time, 0, true),
                          .memory = memory, .cross = cross_shape(b));
    return norm_normalise(&t->written, x);
}

static Tensor *recurrent_states(const Translator *t, Tape *tape, const Batch *b);

// Scores of the next token for every row that is no padding (counted × V)
static Tensor *next_scores(const Translator *t, Tape *tape, const Batch *b)
{
    Tensor *x = t->config.recurrent ? recurrent_states(t, tape, b) : decode(t, encode(t, tape, b), b);
    return linear(&t->out, embedding(tape, x, b->rows, b->counted));
}

/*
### Writing

When it translates, the decoder has only its own words: it writes one token, reads it, writes the next. The keys and
values of what stands there already do not change, so they are kept, in a **cache** (缓存); each step then costs one
row. Which token to take? The most likely one is **greedy decoding** (贪心解码). It may regret it: a token that looked
good can lead to where nothing good follows. **Beam search** (束搜索) keeps the $w$ most likely beginnings, continues
each by every token, keeps the best $w$ of these, and so on; what ends with ∎ is set aside. It is a library
function, `models/beam.h`, which is given a step to call and asks for whole batches at once; a width of 1 is greedy
decoding. What we have to write is the step. When beginnings are dropped and doubled, their caches must follow.
*/

typedef struct {
    const Translator *t;
    const Batch *batch;
    Matrix memory; // (B·S × C)
    Matrix keys[2][MOST_BLOCKS],
        values[2][MOST_BLOCKS]; // (rows · capacity × C): of this step and of the one before
    int capacity, *lengths;     // of the caches; [rows]
    Arena *arena;
    Tape *tape; // of one step
} Writer;

// The blocks of `size` rows of m that stand at these numbers, one below the other
static void gather_blocks(Matrix out, Matrix m, const int *numbers, int count, int size, int used)
{
    for (int i = 0; i < count; i++)
        copy(matrix_rows(out, i * size, used), matrix_rows(m, numbers[i] * size, used));
}

static Tensor *write_one(Writer *w, const BeamState *s)
{
    Tape *tape = w->tape;
    const Translator *t = w->t;
    const int width = t->config.width, time = w->batch->source_time, now = s->length % 2;
    int *last = arena_alloc(w->arena, (size_t)s->count, sizeof *last);
    int *source_counts = arena_alloc(w->arena, (size_t)s->count, sizeof *source_counts);
    for (int i = 0; i < s->count; i++) {
        last[i] = s->length ? s->tokens[(i + 1) * s->length - 1] : t->config.start;
        source_counts[i] = w->batch->source_counts[s->sequences[i]];
        w->lengths[i] = s->length;
    }
    Matrix memory = matrix_uninitialised(w->arena, s->count * time, width);
    gather_blocks(memory, w->memory, s->sequences, s->count, time, time);
    Tensor *m = tape_input(tape, memory), *x = embed_written(t, tape, last, s->count, s->length, 1);
    for (int i = 0; i < t->config.blocks; i++) {
        const int rows = s->count * w->capacity;
        const AttentionCache cache = {matrix_rows(w->keys[now][i], 0, rows),
                                      matrix_rows(w->values[now][i], 0, rows), w->capacity, w->lengths};
        if (s->length) {
            gather_blocks(cache.keys, w->keys[!now][i], s->parents, s->count, w->capacity, s->length);
            gather_blocks(cache.values, w->values[!now][i], s->parents, s->count, w->capacity, s->length);
        }
        x = block_forward(
            &t->decoder[i], x, .self = {.batch = s->count, .queries = 1}, .cache = &cache, .memory = m,
            .cross = {.batch = s->count, .queries = 1, .keys = time, .key_counts = source_counts});
    }
    return norm_normalise(&t->written, x);
}

static Tensor *recurrent_one(Writer *w, const BeamState *s);

static void write_step(void *context, Matrix log_probabilities, const BeamState *s)
{
    Writer *w = context;
    ArenaMark mark = arena_mark(w->arena);
    tape_reset(w->tape);
    Tensor *x = w->t->config.recurrent ? recurrent_one(w, s) : write_one(w, s);
    copy(log_probabilities, linear(&w->t->out, x)->value);
    Matrix total = matrix_new(w->arena, s->count, 1);
    log_sum_exp(total, log_probabilities);
    scale(total, -1.0f);
    add_column(log_probabilities, total);
    arena_rewind(w->arena, mark);
}

static Matrix recurrent_memory(const Translator *t, Tape *tape, const Batch *b);

// At most CHUNK pairs, whose caches fit in a few megabytes
static BeamResult *translate_chunk(const Translator *t, Arena *arena, const Pair *pairs, int count,
                                   BeamSettings settings)
{
    const Batch b = batch_of(arena, pairs, count, &t->config);
    Writer w = {.t = t, .batch = &b, .capacity = settings.limit, .arena = arena_new(), .tape = tape_new()};
    tape_record(w.tape, false);
    const Matrix read = t->config.recurrent ? recurrent_memory(t, w.tape, &b) : encode(t, w.tape, &b)->value;
    w.memory = matrix_copy(w.arena, read);
    const int rows = count * settings.width, caches = int_max(t->config.blocks, 1);
    w.lengths = arena_zeros(w.arena, (size_t)rows, sizeof *w.lengths);
    for (int i = 0; i < 2 * caches; i++) {
        w.keys[i % 2][i / 2] = matrix_uninitialised(w.arena, rows * settings.limit, t->config.width);
        w.values[i % 2][i / 2] = matrix_uninitialised(w.arena, rows * settings.limit, t->config.width);
    }
    settings.end = t->config.end;
    BeamResult *results = beam_search(arena, count, t->config.target_tokens, settings, write_step, &w);
    tape_free(w.tape);
    arena_free(w.arena);
    return results;
}

static BeamResult *translate(const Translator *t, Arena *arena, const Pair *pairs, int count,
                             BeamSettings settings)
{
    enum { CHUNK = 100 };
    BeamResult *results = arena_alloc(arena, (size_t)count, sizeof *results);
    for (int first = 0; first < count; first += CHUNK) {
        const int some = int_min(CHUNK, count - first);
        const BeamResult *part = translate_chunk(t, arena, pairs + first, some, settings);
        memcpy(results + first, part, (size_t)some * sizeof *part);
    }
    return results;
}

// The best answer, without its end token
static Sentence best_answer(const BeamResult *result)
{
    Sentence s = {.count = 0};
    if (!result->count) return s;
    const Hypothesis *h = &result->hypotheses[0];
    for (int i = 0; i < h->length - h->finished; i++) put(&s, h->tokens[i]);
    return s;
}

static bool same_sentence(const Sentence *a, const Sentence *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, (size_t)a->count * sizeof *a->ids) == 0;
}

// The fraction of pairs that are translated right to the last token; answers [count] may be NULL
static double exact_match(const Translator *t, const Pair *pairs, int count, int width, Sentence *answers)
{
    Arena *arena = arena_new();
    const BeamResult *results =
        translate(t, arena, pairs, count, (BeamSettings){.width = width, .limit = t->config.limit});
    int right = 0;
    for (int i = 0; i < count; i++) {
        const Sentence answer = best_answer(&results[i]);
        right += same_sentence(&answer, &pairs[i].target);
        if (answers) answers[i] = answer;
    }
    arena_free(arena);
    return (double)right / count;
}

/*
### Training

Cross-entropy at every token, Adam (chapter 5) with its rate rising for 50 steps and falling on a cosine, gradients
clipped at 1. Padding is work for nothing, so four batches are drawn at once and sorted by length: a batch then
holds sentences of nearly one length.
*/

typedef struct {
    const char *name;
    Config config;
    int steps, batch;
    float rate, smoothing; // of the labels
    int start;             // which random start and examples
    Pair (*draw)(Rng *, const void *context);
    const void *context;
} Run;

enum { CURVE = 6, TESTS = 600 };
typedef struct {
    int points;
    float steps[CURVE], numbers[CURVE], dates[CURVE]; // exact match in %
} Curve;

// Held-out examples: numbers of 3 to 8 digits, and dates
typedef struct {
    Pair numbers[TESTS], dates[TESTS];
} Tests;

static int by_length(const void *a, const void *b)
{
    const Pair *x = a, *y = b;
    const int difference = x->source.count + x->target.count - y->source.count - y->target.count;
    return difference ? difference : memcmp(x, y, sizeof *x);
}

// Label smoothing: the target gets 1 − ε of the probability, and ε is shared by all tokens
static Tensor *loss_of(Tensor *scores, const int *labels, float smoothing)
{
    if (smoothing == 0.0f) return cross_entropy(scores, labels);
    Matrix targets = matrix_new(tape_arena(scores->tape), scores->value.rows, scores->value.cols);
    fill(targets, smoothing / (float)targets.cols);
    for (int i = 0; i < targets.rows; i++) AT(targets, i, labels[i]) += 1.0f - smoothing;
    return soft_cross_entropy(scores, targets);
}

static Translator *train(Lesson *lesson, const Run *run, const Tests *tests, Curve *curve)
{
    enum { BATCHES = 4 };
    const uint64_t stream = 100 + 10 * (uint64_t)run->start;
    Rng start = lesson_rng(lesson, stream), rng = lesson_rng(lesson, stream + 1);
    Arena *arena = lesson_arena(lesson);
    Translator *t = translator_new(arena, run->config, &start);
    Optimiser adam = adam_new(arena, &t->set, 0.9f, 0.98f, 1e-9f, 0.0f);
    Pair *pairs = arena_alloc(arena, (size_t)(run->batch * BATCHES), sizeof *pairs);
    memset(pairs, 0, (size_t)(run->batch * BATCHES) * sizeof *pairs);
    Tape *tape = tape_new();
    if (curve) curve->points = 0;
    for (int step = 0; step < run->steps; step++) {
        if (step % BATCHES == 0) {
            for (int i = 0; i < run->batch * BATCHES; i++) pairs[i] = run->draw(&rng, run->context);
            qsort(pairs, (size_t)(run->batch * BATCHES), sizeof *pairs, by_length);
        }
        tape_reset(tape);
        const Batch b =
            batch_of(tape_arena(tape), pairs + step % BATCHES * run->batch, run->batch, &run->config);
        Tensor *loss = loss_of(next_scores(t, tape, &b), b.labels, run->smoothing);
        backward(loss);
        clip_gradients(&t->set, 1.0f);
        optimiser_step(&adam, cosine_schedule(run->rate, step, 50, run->steps));
        lesson_progress(lesson, run->name, step + 1, run->steps, (double)loss->value.data[0]);
        if (!curve || (step + 1) % (run->steps / CURVE)) continue;
        const int at = curve->points++;
        curve->steps[at] = (float)(step + 1);
        curve->numbers[at] = 100.0f * (float)exact_match(t, tests->numbers, TESTS, 1, NULL);
        curve->dates[at] = 100.0f * (float)exact_match(t, tests->dates, TESTS, 1, NULL);
    }
    tape_free(tape);
    return t;
}

static void draw_tests(Tests *tests, Rng *rng)
{
    for (int i = 0; i < TESTS; i++) {
        tests->numbers[i] = number_pair(draw_number(3 + i % (MOST_DIGITS - 2), i / 6 % 2, HELD_OUT, rng));
        tests->dates[i] = date_pair(draw_date(HELD_OUT, rng));
    }
}

static Run run_of(const char *name, Config config)
{
    return (Run){name, config, 600, 64, 6e-3f, 0.0f, 0, draw_pair, NULL};
}

static void show_answers(const Pair *pairs, const Sentence *answers, int count, int most)
{
    char english[TEXT_SIZE], answer[TEXT_SIZE], right[TEXT_SIZE];
    for (int i = 0; i < count && most; i++) {
        if (same_sentence(&answers[i], &pairs[i].target)) continue;
        printf("    %s\n        %s, right is %s\n", spell(english, &pairs[i].source, words, " "),
               spell(answer, &answers[i], characters, ""), spell(right, &pairs[i].target, characters, ""));
        most--;
    }
}

static const Translator *train_translator(Lesson *lesson, const Tests *tests, Curve *curve)
{
    section(lesson, "Training");
    const Run run = run_of("translator", small);
    const Translator *t = train(lesson, &run, tests, curve);
    Sentence answers[TESTS];
    printf("%zu parameters, %d steps of %d pairs\n\nexact match of held-out examples, in %%\n",
           parameters_size(&t->set), run.steps, run.batch);
    printf("%8s%10s%8s\n", "steps", "numbers", "dates");
    for (int i = 0; i < curve->points; i++)
        printf("%8.0f%10.1f%8.1f\n", (double)curve->steps[i], (double)curve->numbers[i],
               (double)curve->dates[i]);
    const double numbers = exact_match(t, tests->numbers, TESTS, 1, answers);
    printf("\nsome that are wrong:\n");
    show_answers(tests->numbers, answers, TESTS, 3);
    printf("\n");
    claim(lesson, numbers >= 0.97,
          "at least 97 %% of unseen numbers are translated right to the last character");
    claim(lesson, curve->dates[curve->points - 1] >= 97.0f, "and at least 97 %% of unseen dates");
    return t;
}

/*
After 600 steps nearly everything is right, though not one of these numbers was ever trained with. A table of all
training pairs, however fast it is searched, would have none of them right: no two numbers have one numeral.

## Where it looks

At each character that it writes, each head of the decoder's cross-attention spreads a weight of 1 over the English
words. A date is a good test, because its parts change places: the day is read first and written last.
*/

// Weights of the decoder's last cross-attention, (heads · T × S), for one pair
static Matrix cross_weights(const Translator *t, Arena *arena, const Pair *pair)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    const Batch b = batch_of(arena, pair, 1, &t->config);
    Matrix weights = matrix_new(arena, t->config.heads * b.target_time, b.source_time);
    Tensor *memory = encode(t, tape, &b);
    Tensor *x = embed_written(t, tape, b.written, b.target_time, 0, b.target_time);
    block_cross_weights(&t->decoder[0], x, weights, .self = self_attention_shape(1, b.target_time, 0, true),
                        .memory = memory, .cross = cross_shape(&b));
    tape_free(tape);
    return weights;
}

static int find_token(const Sentence *s, int from, int low, int high)
{
    for (int i = from; i < s->count; i++)
        if (s->ids[i] >= low && s->ids[i] <= high) return i;
    return -1;
}

// Of the head that has most, the mean weight on the month's name when the month is written, on the last word of
// the day when the day is begun, and then on the month's name
static void measure_alignment(const Translator *t, const Tests *tests, double *month, double *day,
                              double *elsewhere)
{
    enum { DATES = 200, HEADS = 4 };
    double sums[HEADS][3] = {{0}};
    Arena *arena = arena_new();
    for (int n = 0; n < DATES; n++) {
        const Pair *p = &tests->dates[n];
        const Matrix weights = cross_weights(t, arena, p);
        const int time = p->target.count + 1;
        const int month_word = find_token(&p->source, 0, JANUARY, JANUARY + 11);
        const int day_word = find_token(&p->source, 0, FIRST, THIRTIETH);
        const int month_row = find_token(&p->target, 0, YEAR, YEAR) + 1;
        const int day_row = find_token(&p->target, 0, MONTH, MONTH) + 1;
        for (int head = 0; head < HEADS; head++) {
            sums[head][0] += (double)AT(weights, head * time + month_row, month_word) / DATES;
            sums[head][1] += (double)AT(weights, head * time + day_row, day_word) / DATES;
            sums[head][2] += (double)AT(weights, head * time + day_row, month_word) / DATES;
        }
        arena_reset(arena);
    }
    arena_free(arena);
    *month = *day = *elsewhere = 0.0;
    for (int head = 0; head < HEADS; head++) {
        *month = fmax(*month, sums[head][0]);
        *day = fmax(*day, sums[head][1]);
        *elsewhere = fmax(*elsewhere, sums[head][2]);
    }
}

static void draw_alignment(Lesson *lesson, const Translator *t, const Pair *pair, const char *file,
                           const char *title)
{
    Arena *arena = lesson_arena(lesson);
    const Matrix weights = cross_weights(t, arena, pair);
    const int time = pair->target.count + 1, heads = t->config.heads;
    const char *rows[MOST_TOKENS], *columns[MOST_TOKENS];
    Matrix mean_weights = matrix_new(arena, time, weights.cols);
    for (int i = 0; i < time; i++) {
        rows[i] = characters[i < pair->target.count ? pair->target.ids[i] : END];
        for (int j = 0; j < weights.cols; j++)
            for (int head = 0; head < heads; head++)
                AT(mean_weights, i, j) += AT(weights, head * time + i, j) / (float)heads;
    }
    for (int j = 0; j < weights.cols; j++) columns[j] = words[pair->source.ids[j]];
    Plot *plot = plot_begin(lesson, file, title);
    plot_axes(plot, "read", "written, from top to bottom");
    plot_size(plot, 960, 760);
    plot_cells(plot, mean_weights, rows, columns, 2);
    plot_end(plot, "Cross-attention, the mean of four heads: each row is one character that is written.");
}

static void where_it_looks(Lesson *lesson, const Translator *t, const Tests *tests)
{
    section(lesson, "Where it looks");
    double month, day, elsewhere;
    measure_alignment(t, tests, &month, &day, &elsewhere);
    printf("mean weight over 200 dates, of the head that has most\n");
    printf("    writing the month: on its name                  %.2f\n", month);
    printf("    beginning the day: on the day's last word       %.2f\n", day);
    printf("                       on the month's name          %.2f\n\n", elsewhere);
    claim(lesson, month >= 0.5,
          "when the month is written, a head has at least half of its weight on the month's name");
    claim(lesson, day >= 0.5 && elsewhere < day,
          "and when the day is, on the day's word, which was read long before");
    const Pair date = date_pair((Date){1984, 5, 23}), number = number_pair(40506070);
    draw_alignment(lesson, t, &date, "date.svg", "From English to Chinese: a date");
    draw_alignment(lesson, t, &number, "number.svg", "From English to Chinese: a number");
}

/*
Nobody told the translator which word belongs to which character; it found that out because it helped to predict. A
heat map shows where the information is fetched, not everything that is done with it: by then every row of the
memory has heard all others.

## Without positions

Attention sees a bag (chapter 16). So without positions a translator should fail, should it not? Let us first work
out what a bag of words can know. *Two hundred and three* and *three hundred and two* are one bag; whoever sees only
the bag must guess, and of $k$ equally likely texts with one bag he finds one. So the best possible exact match on a
set of equally likely texts is

$$\frac{\text{number of different bags}}{\text{number of texts}}.$$

We count the bags of all 365,242 dates and of all numbers of three to six digits. Then we train without any
positions, and, as a control, with positions in the encoder only: the decoder's causal mask lets row $t$ see $t$
rows, so it may know by itself how far it is.
*/

static int by_bits(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// The same for all orders of its words
static uint64_t bag_of(const Sentence *s)
{
    uint64_t sum = 0;
    for (int i = 0; i < s->count; i++) {
        Rng rng = rng_new(17, (uint64_t)s->ids[i]);
        const uint64_t high = rng_next(&rng);
        sum += high << 32 | rng_next(&rng);
    }
    return sum;
}

static double bags_per_text(uint64_t *bags, int count)
{
    int different = count > 0;
    qsort(bags, (size_t)count, sizeof *bags, by_bits);
    for (int i = 1; i < count; i++) different += bags[i] != bags[i - 1];
    return (double)different / count;
}

static double date_ceiling(uint64_t *bags)
{
    int count = 0;
    for (int year = FIRST_YEAR; year <= LAST_YEAR; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= days_of(year, month); day++) {
                Sentence s;
                english_date(&s, (Date){year, month, day});
                bags[count++] = bag_of(&s);
            }
    return bags_per_text(bags, count);
}

static double number_ceiling(uint64_t *bags, int digits)
{
    int count = 0, first = 1;
    for (int i = 1; i < digits; i++) first *= 10;
    for (int n = first; n < 10 * first; n++) {
        Sentence s;
        english_number(&s, n);
        bags[count++] = bag_of(&s);
    }
    return bags_per_text(bags, count);
}

enum { KINDS = 5, MODELS = 3 }; // numbers of 3, 4, 5, 6 digits, dates; positions, in the encoder only, none
typedef struct {
    double ceiling[KINDS], exact[MODELS][KINDS];
} Bags;

static const char *const kinds[KINDS] = {"3 digits", "4 digits", "5 digits", "6 digits", "dates"};

static void draw_bags(Lesson *lesson, const Curve *with, const Curve *without)
{
    Plot *plot = plot_begin(lesson, "steps.svg", "Exact match of held-out examples");
    plot_axes(plot, "step", "exact match (%)");
    plot_range_y(plot, 0, 102);
    plot_line_points(plot, "dates", with->steps, with->dates, with->points);
    plot_line_points(plot, "numbers of 3 to 8 digits", with->steps, with->numbers, with->points);
    plot_line_points(plot, "dates, no positions", without->steps, without->dates, without->points);
    plot_line_points(plot, "numbers, no positions", without->steps, without->numbers, without->points);
    plot_legend(plot, "outside");
    plot_end(plot, "Without positions most numbers cannot be known, and most dates can.");
}

// Exact match, and how many answers stay the same, when the words of each source are shuffled
static double shuffled(const Translator *t, const Pair *pairs, const Sentence *answers, double *same,
                       Rng *rng)
{
    Pair *mixed = malloc(TESTS * sizeof *mixed);
    Sentence others[TESTS];
    for (int i = 0; i < TESTS; i++) {
        mixed[i] = pairs[i];
        rng_shuffle(rng, mixed[i].source.ids, mixed[i].source.count);
    }
    const double exact = exact_match(t, mixed, TESTS, 1, others);
    *same = 0.0;
    for (int i = 0; i < TESTS; i++) *same += (double)same_sentence(&others[i], &answers[i]) / TESTS;
    free(mixed);
    return exact;
}

static Bags measure_bags(Lesson *lesson, const Translator *const models[MODELS], const Tests *tests)
{
    Bags b;
    Arena *arena = arena_new();
    uint64_t *bags = arena_alloc(arena, 1000000, sizeof *bags);
    Pair *pairs = arena_alloc(arena, TESTS, sizeof *pairs);
    Rng rng = lesson_rng(lesson, 4);
    for (int kind = 0; kind < KINDS; kind++) {
        b.ceiling[kind] = kind < 4 ? number_ceiling(bags, 3 + kind) : date_ceiling(bags);
        for (int i = 0; i < TESTS; i++)
            pairs[i] = kind < 4 ? number_pair(draw_number(3 + kind, false, HELD_OUT, &rng)) : tests->dates[i];
        for (int m = 0; m < MODELS; m++) b.exact[m][kind] = exact_match(models[m], pairs, TESTS, 1, NULL);
    }
    arena_free(arena);
    return b;
}

static void without_positions(Lesson *lesson, const Translator *t, const Tests *tests, const Curve *with)
{
    section(lesson, "Without positions");
    Config config = small;
    Curve none, encoder_only;
    config.positions = ENCODER_ONLY;
    const Run half = run_of("encoder only", config);
    config.positions = NO_POSITIONS;
    const Run nothing = run_of("no positions", config);
    const Translator *second = train(lesson, &half, tests, &encoder_only);
    const Translator *third = train(lesson, &nothing, tests, &none);
    const Translator *models[MODELS] = {t, second, third};
    const Bags b = measure_bags(lesson, models, tests);
    printf("exact match in %%; numbers with all digits drawn alike\n\n%-24s", "");
    for (int k = 0; k < KINDS; k++) printf("%10s", kinds[k]);
    static const char *const names[MODELS] = {"positions", "in the encoder only", "none"};
    for (int m = 0; m < MODELS; m++) {
        printf("\n%-24s", names[m]);
        for (int k = 0; k < KINDS; k++) printf("%10.1f", 100.0 * b.exact[m][k]);
    }
    printf("\n%-24s", "a bag can know");
    double above = -1.0;
    for (int k = 0; k < KINDS; k++) {
        printf("%10.1f", 100.0 * b.ceiling[k]);
        above = fmax(above, b.exact[2][k] - b.ceiling[k]);
    }
    Rng rng = lesson_rng(lesson, 5);
    Sentence answers[TESTS];
    double same[2];
    exact_match(t, tests->dates, TESTS, 1, answers);
    const double mixed = shuffled(t, tests->dates, answers, &same[0], &rng);
    const double dates = exact_match(third, tests->dates, TESTS, 1, answers);
    const double mixed_bag = shuffled(third, tests->dates, answers, &same[1], &rng);
    printf("\n\ndates with their words shuffled: exact %.1f %% with positions, %.1f %% without (%.1f %% in "
           "order)\n\n",
           100.0 * mixed, 100.0 * mixed_bag, 100.0 * dates);
    const double numbers = (double)none.numbers[none.points - 1];
    claim(lesson, numbers <= 40.0,
          "without positions at most 40 %% of the numbers of 3 to 8 digits are right");
    claim(lesson, dates >= 0.85, "and at least 85 %% of the dates");
    claim(lesson, above <= 0.06,
          "nowhere more than a bag of words can know (by 6 points: 3 deviations of 600 examples)");
    claim(lesson, same[1] >= 0.99 && mixed <= 0.5,
          "shuffled words change less than 1 %% of its answers, and spoil half of those of the one with "
          "positions");
    claim(lesson, encoder_only.numbers[encoder_only.points - 1] >= 90.0f,
          "positions in the encoder alone suffice for 90 %% of the numbers: the decoder has the causal mask");
    draw_bags(lesson, with, &none);
}

/*
The bag explains both results. Three digits in the right places are worth little to a bag, and the model without
positions gets from a bag about what is in it. A date names its parts: months, ordinals and the words of a year are
different words, whatever their order. What even dates lose are years like *nineteen eighteen* and *eighteen
nineteen*. Shuffled words leave the answers as they are, as they must (the encoder is then equivariant, and the
cross-attention sums over the rows of the memory); where one changes, two sums were rounded differently.

And the decoder? It writes in order although it has no positions either. The control says why: with positions in the
encoder alone the numbers are right again. Under the causal mask row 1 sees one row, row 2 two, and a network that
sees how many there are can count.

## Longer numbers

Trained with up to eight digits, what does it make of nine, ten, twelve? Nothing: *one billion* has no translation,
for neither *billion* nor 亿 was ever seen. That is a dull reason. So we let a second translator see both, in numbers
of 9 to 12 digits of which at most three are not 0, such as *three hundred and five billion* and *two billion and
seven*: three examples in ten. Now all words are known, and all characters. And a third has rotary
positions, since positions that were never trained are what long texts are usually said to fail by.
*/

static Pair draw_longer(Rng *rng, const void *context)
{
    const bool longer = rng_below(rng, 10) < 3;
    if (!longer) return draw_pair(rng, context);
    const int digits = MOST_DIGITS + 1 + (int)rng_below(rng, LONGEST - MOST_DIGITS);
    const int nonzero = 1 + (int)rng_below(rng, 3);
    return number_pair(draw_with_nonzero(digits, nonzero, TRAINED, rng));
}

enum { NONZERO = 8, LONG_TESTS = 300, ARMS = 3 };

static void draw_digits(Lesson *lesson, const Translator *const models[ARMS])
{
    enum { FROM = 3, SIZES = LONGEST - FROM + 1 };
    float digits[SIZES], exact[ARMS][SIZES];
    Pair *pairs = malloc(LONG_TESTS * sizeof *pairs);
    Rng rng = lesson_rng(lesson, 7);
    for (int n = 0; n < SIZES; n++) {
        digits[n] = (float)(FROM + n);
        for (int i = 0; i < LONG_TESTS; i++)
            pairs[i] = number_pair(draw_number(FROM + n, false, HELD_OUT, &rng));
        for (int m = 0; m < ARMS; m++)
            exact[m][n] = 100.0f * (float)exact_match(models[m], pairs, LONG_TESTS, 1, NULL);
    }
    Plot *plot = plot_begin(lesson, "digits.svg", "Exact match of held-out numbers, all digits drawn alike");
    plot_axes(plot, "digits", "exact match (%)");
    plot_range_y(plot, -2, 102);
    plot_line_points(plot, "trained with 1 to 8 digits", digits, exact[0], SIZES);
    plot_line_points(plot, "and with round numbers of 9 to 12", digits, exact[1], SIZES);
    plot_line_points(plot, "the same, rotary positions", digits, exact[2], SIZES);
    plot_vertical(plot, NULL, 8.5);
    plot_legend(plot, "bottom left");
    plot_end(plot, "The line is where training with full numbers ends.");
    free(pairs);
}

static void longer_numbers(Lesson *lesson, const Translator *t)
{
    section(lesson, "Longer numbers");
    Config config = small;
    Run run = run_of("longer", config);
    run.draw = draw_longer;
    const Translator *clock = train(lesson, &run, NULL, NULL);
    run.config.positions = ROTARY;
    const Translator *rotary = train(lesson, &run, NULL, NULL);
    const Translator *models[ARMS] = {t, clock, rotary};
    Pair *all = malloc(NONZERO * LONG_TESTS * sizeof *all);
    Sentence answers[LONG_TESTS];
    double exact[ARMS][NONZERO + 1] = {{0}}, mean_words[NONZERO + 1] = {0};
    Rng rng = lesson_rng(lesson, 6);
    printf("numbers of 9 to 12 digits: exact match in %%\n\n%8s%8s%18s%18s%10s\n", "not 0", "words",
           "up to 8 digits", "with round ones", "rotary");
    for (int k = 1; k <= NONZERO; k++) {
        Pair *pairs = all + (k - 1) * LONG_TESTS;
        for (int i = 0; i < LONG_TESTS; i++) {
            pairs[i] =
                number_pair(draw_with_nonzero(MOST_DIGITS + 1 + i % 4, k, k > 1 ? HELD_OUT : TRAINED, &rng));
            mean_words[k] += (double)pairs[i].source.count / LONG_TESTS;
        }
        for (int m = 0; m < ARMS; m++) exact[m][k] = exact_match(models[m], pairs, LONG_TESTS, 1, NULL);
        printf("%8d%8.1f%18.1f%18.1f%10.1f\n", k, mean_words[k], 100.0 * exact[0][k], 100.0 * exact[1][k],
               100.0 * exact[2][k]);
    }
    const Pair *five = all + 4 * LONG_TESTS;
    exact_match(clock, five, LONG_TESTS, 1, answers);
    printf("\nfive digits that are not 0, with round ones in training:\n");
    show_answers(five, answers, LONG_TESTS, 3);
    free(all);
    printf("\n");
    claim(lesson, exact[0][3] <= 0.01 && exact[0][5] <= 0.01, "who has never seen 亿 never writes it");
    claim(lesson, exact[1][2] >= 0.85 && exact[1][3] >= 0.85,
          "with round numbers in training, unseen ones with two or three digits are right, 85 %%");
    claim(lesson, mean_words[6] < 16 && exact[1][6] <= 0.5 && exact[2][6] <= 0.5,
          "with six digits that are not 0 most are wrong, rotary or not, although their texts are no longer "
          "than known ones");
    draw_digits(lesson, models);
}

/*
The first reason, words that were never seen, is real, and when it is taken away the second, positions, is not what
is left: a text of twelve words is an ordinary length for this model, but twelve words that say *eleven digits, six
of them not 0* are wrong, with clocks and with rotations. Look at the errors: parts are read correctly and put
together as an eight-digit number would be. Nothing in the training asked for full groups beside 亿, and what was
learned is not the rule but the cases.

## Softer labels

Vaswani and others trained with **label smoothing** (标签平滑): the target is not all of the probability on the right
token, but $1 - \varepsilon$ of it, and $\varepsilon = 0.1$ shared by all $K$ tokens, so that no score needs to grow
without end. The best that a model can then do is to give the right token $1 - \varepsilon + \varepsilon / K$, here
0.905. Does it translate better? Same steps, same rate, same examples, three starts.
*/

enum { STARTS = 3 };

// The probability that a translator gives to the right next token, mean over all tokens
static double mean_probability(const Translator *t, const Pair *pairs, int count)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    const Batch b = batch_of(tape_arena(tape), pairs, count, &t->config);
    const Matrix scores = next_scores(t, tape, &b)->value;
    Matrix p = matrix_new(tape_arena(tape), scores.rows, scores.cols);
    softmax_rows(p, scores);
    double total = 0.0;
    for (int i = 0; i < p.rows; i++) total += (double)AT(p, i, b.labels[i]) / p.rows;
    tape_free(tape);
    return total;
}

// first receives one that was trained with hard labels
static void softer_labels(Lesson *lesson, const Tests *tests, const Translator **first)
{
    section(lesson, "Softer labels");
    double mean_exact[2] = {0, 0}, sure[2] = {0, 0};
    printf("exact match of numbers in %% after 300 steps, three starts\n");
    for (int soft = 0; soft < 2; soft++) {
        printf("    %-22s", soft ? "ε = 0.1" : "hard labels");
        for (int start = 0; start < STARTS; start++) {
            Run run = run_of(soft ? "soft labels" : "hard labels", small);
            run.steps = 300, run.start = 10 + start, run.smoothing = soft ? 0.1f : 0.0f;
            const Translator *t = train(lesson, &run, NULL, NULL);
            if (!soft && !start) *first = t;
            const double exact = exact_match(t, tests->numbers, TESTS, 1, NULL);
            printf("%7.1f", 100.0 * exact);
            mean_exact[soft] += exact / STARTS;
            sure[soft] += mean_probability(t, tests->numbers, TESTS) / STARTS;
        }
        printf("   mean %.1f; the right token gets %.3f\n", 100.0 * mean_exact[soft], sure[soft]);
    }
    printf("\n");
    claim(lesson, fabs(sure[1] - 0.9) <= 0.04 && sure[0] >= 0.95,
          "smoothing makes it less sure, as it should: the right token gets 0.90, to 0.04");
    claim(lesson, fabs(mean_exact[1] - mean_exact[0]) <= 0.03,
          "and changes the mean exact match by less than 3 points");
}

/*
It does what its formula says and does not help, so we leave it out. (Measured apart, one start each: at a rate of
0.003 hard labels reach 90.7 %, soft ones 91.2 %; at 0.01 it is 94.2 % and 96.2 %.) There is nothing here that could
be learned by heart: hardly an example comes twice, and each text has one right translation.

## Greedy or beam?

A made-up language shows what greedy decoding can miss. The first token is A with probability 0.6 and B with 0.4.
After A three ends are about equally likely, 0.35, 0.33 and 0.32; after B one has 0.9.
*/

static void two_roads(void *context, Matrix log_probabilities, const BeamState *s)
{
    (void)context;
    for (int i = 0; i < s->count; i++) {
        static const float first[4] = {0, 0.6f, 0.4f, 0}, after_a[4] = {0.35f, 0.33f, 0.32f, 0},
                           after_b[4] = {0.9f, 0.05f, 0.05f, 0};
        const float *p = s->length == 0 ? first : s->tokens[i * s->length] == 1 ? after_a : after_b;
        for (int j = 0; j < 4; j++) AT(log_probabilities, i, j) = p[j] > 0.0f ? log32(p[j]) : -INFINITY;
    }
}

// Whether the whole decoder, without a cache, would have chosen each token that was written with one
static int differing_tokens(const Translator *t, const Pair *pairs, const Sentence *answers, int count)
{
    Arena *arena = arena_new();
    Pair *given = arena_alloc(arena, (size_t)count, sizeof *given);
    for (int i = 0; i < count; i++) given[i] = (Pair){pairs[i].source, answers[i]};
    Tape *tape = tape_new();
    tape_record(tape, false);
    const Batch b = batch_of(arena, given, count, &t->config);
    const Matrix scores = next_scores(t, tape, &b)->value;
    int *best = arena_alloc(arena, (size_t)scores.rows, sizeof *best), differing = 0;
    row_argmax(best, scores);
    for (int i = 0; i < b.counted; i++) differing += best[i] != b.labels[i];
    tape_free(tape);
    arena_free(arena);
    return differing;
}

enum { WIDTHS = 4 };
static const int widths[WIDTHS] = {1, 2, 4, 8};

// How often a beam of this width finds a likelier and a less likely answer than greedy decoding does
static void compare_with_greedy(const Translator *t, const Pair *pairs, int width, double *likelier,
                                double *less)
{
    Arena *arena = arena_new();
    const BeamResult *one =
        translate(t, arena, pairs, TESTS, (BeamSettings){.width = 1, .limit = t->config.limit});
    const BeamResult *many =
        translate(t, arena, pairs, TESTS, (BeamSettings){.width = width, .limit = t->config.limit});
    *likelier = *less = 0.0;
    for (int i = 0; i < TESTS; i++) {
        const double difference =
            many[i].hypotheses[0].log_probability - one[i].hypotheses[0].log_probability;
        *likelier += difference > 1e-4 ? 1.0 / TESTS : 0.0;
        *less += difference < -1e-4 ? 1.0 / TESTS : 0.0;
    }
    arena_free(arena);
}

static void greedy_or_beam(Lesson *lesson, const Translator *t, const Translator *early, const Tests *tests)
{
    section(lesson, "Greedy or beam?");
    double found[2];
    for (int i = 0; i < 2; i++) {
        const BeamSettings settings = {.width = 1 + i, .limit = 2, .end = -1};
        found[i] =
            beam_search(lesson_arena(lesson), 1, 4, settings, two_roads, NULL)->hypotheses[0].log_probability;
        printf("a beam of %d finds a text of probability %.2f\n", 1 + i, (double)exp32((float)found[i]));
    }
    Sentence answers[TESTS];
    exact_match(t, tests->numbers, TESTS, 1, answers);
    const int differing = differing_tokens(t, tests->numbers, answers, TESTS);
    double exact[2][WIDTHS], likelier[2] = {0}, less[2] = {0};
    printf("\nnumbers, exact match in %%\n%-26s", "width of the beam");
    for (int n = 0; n < WIDTHS; n++) printf("%8d", widths[n]);
    for (int m = 0; m < 2; m++) {
        const Translator *model = m ? early : t;
        printf("\n%-26s", m ? "after 300 steps" : "after 600 steps");
        for (int n = 0; n < WIDTHS; n++) {
            exact[m][n] = exact_match(model, tests->numbers, TESTS, widths[n], NULL);
            printf("%8.1f", 100.0 * exact[m][n]);
        }
        compare_with_greedy(model, tests->numbers, widths[WIDTHS - 1], &likelier[m], &less[m]);
    }
    printf("\n\nanswers that a beam of 8 finds likelier than greedy: %.1f %% after 600 steps, %.1f %% after "
           "300\n\n",
           100.0 * likelier[0], 100.0 * likelier[1]);
    claim(lesson, fabs(found[0] - log(0.6 * 0.35)) < 1e-5 && fabs(found[1] - log(0.4 * 0.9)) < 1e-5,
          "greedy takes A and ends at 0.21, a beam of two finds B and 0.36");
    claim(lesson, differing == 0, "with a cache or without, every token of 600 answers is the same");
    claim(lesson, less[0] <= 0.01 && less[1] <= 0.01,
          "a beam of 8 hardly ever ends with a less likely answer than greedy");
    claim(lesson, fabs(exact[0][3] - exact[0][0]) <= 0.02,
          "and for the trained translator it changes less than 2 points");
}

/*
The beam finds likelier answers where there are any. The trained translator is sure of nearly every token, and
nothing is left to find; the half-trained one gains a point. Beams pay where many continuations are about equally
good, as in sentences of people.

## Without attention

In 2014, at first, a recurrent network read the sentence and another one wrote the translation from its last state:
everything that was said had to pass through one row (Cho and others 2014; Sutskever, Vinyals and Le 2014). We give
this **encoder–decoder without attention** two GRUs of 80 units, which has a few more parameters than ours, the same
examples and steps, and two rates. The state is given to the writer at every step.
*/

// The reader's last state of each sentence (B × C)
static Tensor *last_states(const Translator *t, Tape *tape, const Batch *b)
{
    const Sequences shape = {b->size, b->source_time};
    Tensor *h =
        gru_states(&t->reader, embed(tape, &t->source, b->source, b->size * b->source_time), shape, NULL);
    int *rows = arena_alloc(tape_arena(tape), (size_t)b->size, sizeof *rows);
    for (int i = 0; i < b->size; i++) rows[i] = i * b->source_time + b->source_counts[i] - 1;
    return embedding(tape, h, rows, b->size);
}

static Tensor *recurrent_states(const Translator *t, Tape *tape, const Batch *b)
{
    const int count = b->size * b->target_time;
    int *rows = arena_alloc(tape_arena(tape), (size_t)count, sizeof *rows);
    for (int i = 0; i < count; i++) rows[i] = i / b->target_time;
    Tensor *read = embedding(tape, last_states(t, tape, b), rows, count);
    Tensor *x = concat_columns(embed(tape, &t->target, b->written, count), read);
    return gru_states(&t->writer, x, ((Sequences){b->size, b->target_time}), NULL);
}

static Matrix recurrent_memory(const Translator *t, Tape *tape, const Batch *b)
{
    return last_states(t, tape, b)->value;
}

// One step of the writer; its states are kept where the other translator keeps keys
static Tensor *recurrent_one(Writer *w, const BeamState *s)
{
    Tape *tape = w->tape;
    const Translator *t = w->t;
    const int width = t->config.width;
    int *last = arena_alloc(w->arena, (size_t)s->count, sizeof *last);
    for (int i = 0; i < s->count; i++)
        last[i] = s->length ? s->tokens[(i + 1) * s->length - 1] : t->config.start;
    Matrix memory = matrix_new(w->arena, s->count, width), state = matrix_new(w->arena, s->count, width);
    gather_rows(memory, w->memory, s->sequences);
    if (s->length) gather_rows(state, matrix_rows(w->keys[0][0], 0, w->batch->size), s->parents);
    RecurrentState before = {.hidden = state};
    Tensor *x = concat_columns(embed(tape, &t->target, last, s->count), tape_input(tape, memory));
    Tensor *h = gru_states(&t->writer, x, ((Sequences){s->count, 1}), &before);
    copy(matrix_rows(w->keys[0][0], 0, s->count), h->value);
    return h;
}

static void without_attention(Lesson *lesson, const Translator *t, const Tests *tests)
{
    section(lesson, "Without attention");
    static const float rates[] = {1.2e-2f, 2.4e-2f};
    const double ours = exact_match(t, tests->numbers, TESTS, 1, NULL);
    double best = 0.0;
    printf("%-22s%12s%8s%10s%8s\n", "", "parameters", "rate", "numbers", "dates");
    printf("%-22s%12zu%8.3f%10.1f%8.1f\n", "Transformer", parameters_size(&t->set), 0.006, 100.0 * ours,
           100.0 * exact_match(t, tests->dates, TESTS, 1, NULL));
    for (int n = 0; n < 2; n++) {
        Config config = small;
        config.recurrent = true, config.width = 80;
        Run run = run_of("two GRUs", config);
        run.rate = rates[n];
        const Translator *gru = train(lesson, &run, NULL, NULL);
        const double numbers = exact_match(gru, tests->numbers, TESTS, 1, NULL);
        printf("%-22s%12zu%8.3f%10.1f%8.1f\n", "two GRUs", parameters_size(&gru->set), (double)run.rate,
               100.0 * numbers, 100.0 * exact_match(gru, tests->dates, TESTS, 1, NULL));
        best = fmax(best, numbers);
    }
    printf("\n");
    claim(lesson, ours >= best + 0.1,
          "at equal steps the Transformer is at least 10 points ahead of the GRUs at their best rate");
}

/*
Both read the words in order; the difference is the way by which the decoder hears of them. Dates, which are short,
come through one row of 80 numbers almost whole, and numbers do not. (At rates of 0.003 and 0.006, measured apart,
the GRUs reached 50.0 % and 69.8 % of the numbers.) It is a statement about equal steps: who trains the GRUs longer
gets further.

## Verses

With `FULL=1` the same program translates sentences of people: the King James Bible and Reina-Valera's of 1909,
verse by verse. Tokens are the 2000 pieces of a byte-pair encoding (chapter 18) of both languages; verses of more
than 62 pieces are left out, and every fiftieth of the others is held out. The translator has two blocks of each
kind, 128 wide.

How good is a translation? Two people do not write the same sentence. **BLEU** (Papineni and others 2002) counts how
many of the words, pairs, triples and fours of words that were written stand in the reference as well, takes the
geometric mean of the four fractions, and charges for brevity; `learning/bleu.h` tells the details, and its tests
compare it with NLTK's.

The opponents. A **dictionary**, word by word, learnt from the same verses by the classical method, **IBM model 1**
(Brown and others 1993): each Spanish word was caused by one word of its verse, by which we do not know; so every
word of the verse gets the fraction of the cause that its present probability gives it, the fractions are counted,
the probabilities made anew from the counts, and this is repeated (the expectation and maximisation of chapter 4).
And a **memory**, the training verse that shares most with the one asked for.
*/

enum { MOST_WORDS = 128, PIECES = 2000, EVERY = 50, ASKED = 300 };

typedef struct {
    int count, ids[MOST_WORDS]; // hashes of the words
} WordList;

static WordList words_of_text(Text text)
{
    WordList list = {.count = 0};
    uint32_t hash = 0;
    for (size_t i = 0; i <= text.size && list.count < MOST_WORDS; i++) {
        const unsigned char c = i < text.size ? (unsigned char)text.bytes[i] : ' ';
        const bool letter = c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
        if (letter) hash = (hash ? hash ^ c : 2166136261u ^ c) * 16777619u;
        if (!letter && hash) list.ids[list.count++] = (int)(hash >> 1), hash = 0;
        if (!letter && c > ' ' && list.count < MOST_WORDS) list.ids[list.count++] = c;
    }
    return list;
}

typedef struct {
    int count;
    Pair *pieces;
    WordList *english, *spanish;
} VerseSet;

static Pair draw_verse(Rng *rng, const void *context)
{
    const VerseSet *v = context;
    return v->pieces[rng_below(rng, (uint32_t)v->count)];
}

static Sentence pieces_of(Arena *arena, Tokenizer *tokenizer, Text text)
{
    Sentence s = {.count = MOST_TOKENS};
    const Tokens tokens = tokenizer_encode(arena, tokenizer, text.bytes, text.size);
    if (tokens.count > MOST_TOKENS - 2) return s;
    s.count = (int)tokens.count;
    memcpy(s.ids, tokens.ids, tokens.count * sizeof *tokens.ids);
    return s;
}

static void split_verses(Arena *arena, Tokenizer *tokenizer, Bible bible, VerseSet sets[2])
{
    const size_t all = (size_t)bible.english.count;
    for (int held = 0; held < 2; held++)
        sets[held] =
            (VerseSet){0, arena_zeros(arena, all, sizeof(Pair)), arena_zeros(arena, all, sizeof(WordList)),
                       arena_zeros(arena, all, sizeof(WordList))};
    Arena *scratch = arena_new();
    for (int i = 0, kept = 0; i < bible.english.count; i++) {
        const Text english = bible.english.verses[i], spanish = bible.spanish.verses[i];
        const Pair p = {pieces_of(scratch, tokenizer, english), pieces_of(scratch, tokenizer, spanish)};
        if (p.source.count == MOST_TOKENS || p.target.count == MOST_TOKENS) continue;
        VerseSet *set = &sets[kept++ % EVERY == 0];
        set->pieces[set->count] = p;
        set->english[set->count] = words_of_text(english);
        set->spanish[set->count++] = words_of_text(spanish);
    }
    arena_free(scratch);
}

// p(spanish | english) for pairs of words that met, in an open hash table
enum { SLOTS = 1 << 23 };
typedef struct {
    uint64_t key; // 0: free
    float p, count;
} Slot;

static Slot *slot_of(Slot *slots, int english, int spanish)
{
    const uint64_t key = ((uint64_t)(uint32_t)english << 32 | (uint32_t)spanish) + 1;
    for (uint64_t at = key * 0x9E3779B97F4A7C15u >> 41;; at = (at + 1) % SLOTS)
        if (!slots[at].key || slots[at].key == key) {
            if (!slots[at].key) slots[at] = (Slot){key, 1.0f, 0.0f};
            return &slots[at];
        }
}

static Slot *learn_dictionary(Lesson *lesson, const VerseSet *v)
{
    enum { ROUNDS = 6 };
    Slot *slots = arena_zeros(lesson_arena(lesson), SLOTS, sizeof *slots), *total = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < v->count; i++)
            for (int f = 0; f < v->spanish[i].count; f++) {
                float sum = 0.0f;
                for (int e = 0; e < v->english[i].count; e++)
                    sum += slot_of(slots, v->english[i].ids[e], v->spanish[i].ids[f])->p;
                for (int e = 0; e < v->english[i].count; e++) {
                    Slot *s = slot_of(slots, v->english[i].ids[e], v->spanish[i].ids[f]);
                    s->count += s->p / sum;
                    slot_of(slots, v->english[i].ids[e], -1)->count += s->p / sum;
                }
            }
        for (int n = 0; n < SLOTS; n++)
            if (slots[n].key && (int)(uint32_t)(slots[n].key - 1) != -1) {
                total = slot_of(slots, (int)((slots[n].key - 1) >> 32), -1);
                slots[n].p = slots[n].count / total->count;
            }
        for (int n = 0; n < SLOTS; n++) slots[n].count = 0.0f;
        lesson_progress(lesson, "dictionary", round + 1, ROUNDS, NAN);
    }
    return slots;
}

// The likeliest Spanish word for each English one of the verses that are asked
static void look_up(const Slot *slots, const WordList *english, WordList *spanish)
{
    typedef struct {
        int english, spanish;
        float p;
    } Best;
    enum { TABLE = 1 << 16 };
    static Best best[TABLE];
    static bool filled = false;
    for (int n = 0; n < SLOTS && !filled; n++) {
        const int e = (int)((slots[n].key - 1) >> 32), f = (int)(uint32_t)(slots[n].key - 1);
        if (!slots[n].key || f == -1) continue;
        uint32_t at = (uint32_t)e * 2654435761u >> 16;
        while (best[at].p > 0.0f && best[at].english != e) at = (at + 1) % TABLE;
        if (slots[n].p > best[at].p) best[at] = (Best){e, f, slots[n].p};
    }
    filled = true;
    spanish->count = 0;
    for (int i = 0; i < english->count; i++) {
        uint32_t at = (uint32_t)english->ids[i] * 2654435761u >> 16;
        while (best[at].p > 0.0f && best[at].english != english->ids[i]) at = (at + 1) % TABLE;
        if (best[at].p > 0.0f) spanish->ids[spanish->count++] = best[at].spanish;
    }
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

// 2 · (words in common) / (words of both), as bags
static double likeness(WordList a, WordList b)
{
    int common = 0;
    qsort(a.ids, (size_t)a.count, sizeof *a.ids, by_number);
    qsort(b.ids, (size_t)b.count, sizeof *b.ids, by_number);
    for (int i = 0, j = 0; i < a.count && j < b.count;) {
        common += a.ids[i] == b.ids[j];
        const int x = a.ids[i], y = b.ids[j];
        i += x <= y, j += y <= x;
    }
    return 2.0 * common / (a.count + b.count);
}

static void count_bleu(Bleu *bleu, const WordList *written, const WordList *reference)
{
    bleu_count(bleu, (BleuText){written->ids, written->count},
               (&(BleuText){reference->ids, reference->count}), 1);
}

static Bleu bleu_of_translator(const Translator *t, const Tokenizer *tokenizer, const VerseSet *v, int width,
                               float penalty, int show)
{
    enum { CHUNK = 50 };
    Bleu bleu = {0};
    for (int first = 0; first + CHUNK <= ASKED; first += CHUNK) {
        Arena *arena = arena_new();
        const BeamSettings settings = {.width = width, .limit = t->config.limit, .length_penalty = penalty};
        const BeamResult *results = translate(t, arena, v->pieces + first, CHUNK, settings);
        for (int i = 0; i < CHUNK; i++) {
            const Sentence s = best_answer(&results[i]);
            const char *text = tokenizer_decode(arena, tokenizer, s.ids, (size_t)s.count, NULL);
            const WordList written = words_of_text(text_of(text));
            count_bleu(&bleu, &written, &v->spanish[first + i]);
            if (first + i >= show) continue;
            const Pair *p = &v->pieces[first + i];
            printf("    %s\n    → %s\n    (%s)\n",
                   tokenizer_decode(arena, tokenizer, p->source.ids, (size_t)p->source.count, NULL), text,
                   tokenizer_decode(arena, tokenizer, p->target.ids, (size_t)p->target.count, NULL));
        }
        arena_free(arena);
    }
    return bleu;
}

static void print_bleu(const char *name, const Bleu *b)
{
    printf("%-34s%8.1f%10.1f%8.1f%8.1f%8.1f%10.2f\n", name, 100.0 * bleu_score(b),
           100.0 * bleu_precision(b, 1), 100.0 * bleu_precision(b, 2), 100.0 * bleu_precision(b, 3),
           100.0 * bleu_precision(b, 4), bleu_brevity(b));
}

static void verses(Lesson *lesson)
{
    section(lesson, "Verses");
    if (!lesson_full(lesson)) {
        printf("(FULL=1 trains a translator of verses here.)\n");
        return;
    }
    Arena *arena = lesson_arena(lesson);
    const Bible bible = bible_load(arena);
    Text english = verses_text(arena, bible.english), spanish = verses_text(arena, bible.spanish);
    char *both = arena_alloc(arena, english.size + spanish.size, 1);
    memcpy(both, english.bytes, english.size), memcpy(both + english.size, spanish.bytes, spanish.size);
    Tokenizer *tokenizer = tokenizer_train(both, english.size + spanish.size, PIECES, NULL);
    VerseSet sets[2];
    split_verses(arena, tokenizer, bible, sets);
    printf("%d verses to train with, %d held out, of which %d are asked\n\n", sets[0].count, sets[1].count,
           (int)ASKED);

    const Config config = {.source_tokens = PIECES,
                           .target_tokens = PIECES + 2,
                           .start = PIECES,
                           .end = PIECES + 1,
                           .width = 128,
                           .heads = 4,
                           .hidden = 512,
                           .blocks = 2,
                           .limit = MOST_TOKENS - 1};
    const Run run = {"verses", config, 2500, 48, 2e-3f, 0.1f, 50, draw_verse, &sets[0]};
    const Translator *t = train(lesson, &run, NULL, NULL);
    const Slot *slots = learn_dictionary(lesson, &sets[0]);
    Bleu dictionary = {0}, memory = {0};
    for (int i = 0; i < ASKED; i++) {
        WordList written;
        look_up(slots, &sets[1].english[i], &written);
        count_bleu(&dictionary, &written, &sets[1].spanish[i]);
        int nearest = 0;
        double best = -1.0;
        for (int n = 0; n < sets[0].count; n++) {
            const double like = likeness(sets[0].english[n], sets[1].english[i]);
            if (like > best) best = like, nearest = n;
        }
        count_bleu(&memory, &sets[0].spanish[nearest], &sets[1].spanish[i]);
    }
    const Bleu greedy = bleu_of_translator(t, tokenizer, &sets[1], 1, 0.0f, 4);
    const Bleu beam = bleu_of_translator(t, tokenizer, &sets[1], 5, 0.0f, 0);
    const Bleu penalised = bleu_of_translator(t, tokenizer, &sets[1], 5, 0.6f, 0);
    printf("\n%-34s%8s%10s%8s%8s%8s%10s\n", "", "BLEU", "words", "pairs", "triples", "fours", "brevity");
    print_bleu("nearest training verse", &memory);
    print_bleu("dictionary, word by word", &dictionary);
    print_bleu("Transformer, greedy", &greedy);
    print_bleu("Transformer, beam of 5", &beam);
    print_bleu("beam of 5, length penalty 0.6", &penalised);
    printf("\n");
    claim(lesson, bleu_score(&penalised) > bleu_score(&dictionary),
          "the Transformer has a higher BLEU than the dictionary");
    tokenizer_free(tokenizer);
}

/*
`make chapter17 FULL=1` takes these 26,634 verses 2500 times 48, four and a half times each (nine minutes of
processor time, 1.6 GB of memory). On 300 held-out verses:

| | BLEU | words | pairs | triples | fours | brevity |
|---|---|---|---|---|---|---|
| nearest training verse | 18.0 | 45.6 | 21.1 | 13.1 | 9.3 | 0.97 |
| dictionary, word by word | 15.0 | 53.1 | 21.7 | 9.6 | 4.6 | 1.00 |
| Transformer, greedy | 20.8 | 52.2 | 26.7 | 15.2 | 8.9 | 1.00 |
| Transformer, beam of 5 | 22.8 | 57.4 | 30.9 | 18.4 | 11.5 | 0.92 |
| beam of 5, length penalty 0.6 | 23.2 | 57.2 | 30.9 | 18.5 | 11.6 | 0.93 |

Greedily, the Transformer has no more right words than the dictionary; what it has is their order, the longer runs.
The memory is a serious opponent: the Bible repeats itself, and who copies the verse that is most alike has more
fours right than the greedy translator. And here the beam is worth two points. It writes less, and that is charged
for (brevity 0.92); the length penalty gives half a point of it back. *And Seth lived an hundred and five years, and
begat Enos* becomes *Y vivió Sesocientos y cinco años, y engendró á Ennón*: the sentence is right, the names are
made up. Thirty thousand verses are few. BLEU says nothing of such things, so read some translations whenever you
read a BLEU.

## The lesson, from end to end
*/

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "17-transformer", "Transformer");
    Tests *tests = arena_zeros(lesson_arena(lesson), 1, sizeof *tests);
    Rng rng = lesson_rng(lesson, 3);
    Curve curve;
    two_ways(lesson);
    two_blocks(lesson);
    draw_tests(tests, &rng);
    const Translator *t = train_translator(lesson, tests, &curve);
    where_it_looks(lesson, t, tests);
    without_positions(lesson, t, tests, &curve);
    longer_numbers(lesson, t);
    const Translator *early = NULL;
    softer_labels(lesson, tests, &early);
    greedy_or_beam(lesson, t, early, tests);
    without_attention(lesson, t, tests);
    verses(lesson);
    return lesson_end(lesson);
}

/*
## What to take along

- An encoder reads, a decoder writes and looks back. Both are attention and a small network for each row, on
  residual connections; the decoder has cross-attention between the two.
- Three masks: padding in the encoder, the future in the decoder, padding again in cross-attention.
- Teacher forcing trains all places of a text at once; writing goes token by token, with a cache.
- What a bag of words can know limits a translator without positions, and it can be counted: a few numbers, nearly
  all dates. The decoder needs no positions, since the causal mask lets it count.
- A model that is right on 99 % of unseen numbers has not learned the rule. Outside of what it was trained with
  it fails, and neither unknown words nor positions were the whole reason.
- A beam finds likelier answers. Whether they are better is another question; here, hardly. Smoothed labels did not
  help.

## Check yourself

**1.** Why does the decoder need a mask when it is trained, and none when it writes?

<details><summary>Answer</summary>

When it is trained the whole translation lies before it, so each row could read the next token instead of predicting
it. When it writes there is nothing yet behind the last row. With a cache the mask has nothing left to hide.

</details>

**2.** The padding of a source sentence is masked in cross-attention. Must it be masked in the encoder too?

<details><summary>Answer</summary>

Yes. Rows of words would otherwise take a part of their values from rows of padding, and the same sentence would be
read differently in a batch with a longer one. (The rows of the padding may hold anything: nobody looks at them.)

</details>

**3.** How many multiply-adds does cross-attention add to a decoder block of width $C$, for $T$ rows and a memory of
$S$?

<details><summary>Answer</summary>

Queries and output $2TC^2$, keys and values of the memory $2SC^2$, scores and means $2TSC$. The keys and values of
the memory do not change while it writes and could be kept.

</details>

**4.** A beam of width 3 returns *A B ∎* with log probability −2 and *A B C D ∎* with −2.4. Which is better under
the length penalty of Wu and others (2016), which divides by $((5 + \text{length})/6)^\alpha$, with $\alpha = 1$?

<details><summary>Answer</summary>

They have 3 and 5 tokens, ∎ counted. The divisors are $8/6$ and $10/6$, so the scores are $-1.5$ and $-1.44$: the
longer one.

</details>

**5.** Two texts have one bag of words. What does a translator without positions say to them?

<details><summary>Answer</summary>

The same, up to rounding. Its encoder gives each word the same row in both texts, and the cross-attention sums over
the rows without asking where they stand.

</details>

## Sources

- Vaswani and others, *Attention Is All You Need*, 2017: encoder, decoder, sinusoidal positions (section 3.5), label
  smoothing (5.4). Its norms stand behind the sums; ours before the parts, as Radford and others 2019 have them.
- Bahdanau, Cho and Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*, 2014: looking
  back, the heat map.
- Cho and others, *Learning Phrase Representations using RNN Encoder–Decoder*, 2014; Sutskever, Vinyals and Le,
  *Sequence to Sequence Learning with Neural Networks*, 2014: the comparison without attention, and its beam.
- Szegedy and others, *Rethinking the Inception Architecture*, 2016, section 7: label smoothing.
- Wu and others, *Google's Neural Machine Translation System*, 2016, eq. 14: the length penalty.
- Papineni and others, *BLEU: a Method for Automatic Evaluation of Machine Translation*, 2002.
- Brown and others, *The Mathematics of Statistical Machine Translation*, 1993: IBM model 1.

## Exercises

The tasks are in `exercise.h`; write your answers in `exercise.c`, then `make grade17`.

- **17.1** the loss with smoothed labels, with padding.
- **17.2** a step of the sinusoidal clock, without knowing the time.
- **17.3** cross-attention with padding anywhere, and with nothing to see.
- **17.4** one step of a beam search, ties and impossible tokens included.
- **17.5** BLEU of one sentence.

**With pencil and paper.** *a)* Write 20,030,400 and 1,000,200,030 in Chinese. *b)* Which other date has the bag of
*the twenty first of May nineteen thirty*? *c)* The decoder has no positions but a causal mask. How can row 7 know
that it is row 7?

<details><summary>Answers</summary>

*a)* 两千零三万零四百, 十亿零二十万零三十. *b)* *The thirty first of May nineteen twenty*: 1930-05-21 and 1920-05-31 have the same
words. *c)* It sees seven rows, of which the first is always ▷. A head whose scores are all equal gives ▷ the weight
1/7, and ▷ is found nowhere else, so its share in the mean tells the number.

</details>
*/
