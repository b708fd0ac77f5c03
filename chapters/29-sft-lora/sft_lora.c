/*
# Fine-tuning: SFT and LoRA

A pretrained language model continues texts. Ask it a question, and it goes on with another sentence that might stand
in the same book. This chapter turns such a model into one that answers, by **supervised fine-tuning** (监督微调, SFT):
some more steps of the same descent on the same loss, on texts in which somebody asks and somebody answers. Then we
look for the price of it, and for a cheaper way: **low-rank adaptation** (低秩适配, LoRA), which trains one number in
forty.

The question behind it all: *what does a model learn when it is fine-tuned, and what did it know before?* To see that,
we need a world that is known to the last fact. Ours has 48 countries. Of each we know the capital, a language, the
currency and the continent, in English and in Chinese: 384 facts.

You need the decoder of chapter 20, and from chapter 28 that a conversation is a text. At the end stands a small bot
to talk with:

    make chat
*/

#include "files/csv.h"
#include "files/folder.h"
#include "learning/optim.h"
#include "lesson/lesson.h"
#include "lesson/plot/plot.h"
#include "models/chat_template.h"
#include "models/pretrained.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
## A world of 384 facts
*/

enum { COUNTRIES = 48, RELATIONS = 4, LANGUAGES = 2, MOST_TEXT = 400 };
enum { CAPITAL, LANGUAGE, CURRENCY, CONTINENT };
enum { ENGLISH, CHINESE };

typedef struct {
    const char *name[LANGUAGES];
    const char *fact[LANGUAGES][RELATIONS];
} Country;

static Country countries[COUNTRIES];
static const char *const relation_names[RELATIONS] = {"capital", "language", "currency", "continent"};

static void read_countries(Arena *arena)
{
    const Csv table = csv_read(arena, "datasets/countries.csv");
    check(table.rows == COUNTRIES && table.cols == LANGUAGES * (1 + RELATIONS),
          "change COUNTRIES in the program, too", "%s: %d × %d, not %d × %d", table.path, table.rows,
          table.cols, COUNTRIES, LANGUAGES * (1 + RELATIONS));
    for (int c = 0; c < COUNTRIES; c++)
        for (int l = 0; l < LANGUAGES; l++) {
            const int first = l * (1 + RELATIONS);
            countries[c].name[l] = csv_cell(table, c, first);
            for (int r = 0; r < RELATIONS; r++) countries[c].fact[l][r] = csv_cell(table, c, first + 1 + r);
        }
}

/*
A fact can be said in several ways. In each, `{c}` stands for the country and `{a}` for the rest:
*/

enum { STATEMENTS = 4 };
static const char *const statements[LANGUAGES][RELATIONS][STATEMENTS] = {
    {{"The capital of {c} is {a}.", "{a} is the capital of {c}.", "{c} has its capital in {a}.",
      "In {c}, the capital is {a}."},
     {"The language of {c} is {a}.", "{a} is spoken in {c}.", "People in {c} speak {a}.",
      "In {c} one hears {a}."},
     {"The currency of {c} is the {a}.", "In {c} people pay with the {a}.", "{c} uses the {a}.",
      "The {a} is the money of {c}."},
     {"The continent of {c} is {a}.", "{c} is a country in {a}.", "{c} lies in {a}.",
      "In {a} there is a country called {c}."}},
    {{"{c}的首都是{a}。", "{a}是{c}的首都。", "{c}的首都叫{a}。", "{c}把首都设在{a}。"},
     {"{c}的语言是{a}。", "在{c},人们讲{a}。", "{c}人说{a}。", "{a}是{c}的语言。"},
     {"{c}的货币是{a}。", "{c}使用{a}。", "在{c}用{a}付钱。", "{a}是{c}的货币。"},
     {"{c}在{a}。", "{c}位于{a}。", "{c}是{a}的国家。", "{a}有一个国家叫{c}。"}}};

// The template with the country and the answer in it.
static void fill_in(char out[MOST_TEXT], const char *template, const char *country, const char *answer)
{
    size_t size = 0;
    for (const char *at = template; *at;) {
        const char *part = strncmp(at, "{c}", 3) == 0 ? country : strncmp(at, "{a}", 3) == 0 ? answer : NULL;
        const int written = part ? snprintf(out + size, MOST_TEXT - size, "%s", part)
                                 : snprintf(out + size, MOST_TEXT - size, "%c", *at);
        size += (size_t)written;
        check(size < MOST_TEXT, "make MOST_TEXT larger", "a text of %zu bytes", size);
        at += part ? 3 : 1;
    }
}

/*
What the model reads are small articles: two to four facts about a country, in any order, in one of the languages. In
every fifth stands what the country or its capital is called in the other.
*/

static int draw(Rng *rng, int count) { return (int)rng_below(rng, (uint32_t)count); }

static void add_sentence(char out[MOST_TEXT], const char *sentence, int language)
{
    const size_t size = strlen(out);
    snprintf(out + size, MOST_TEXT - size, "%s%s", size && language == ENGLISH ? " " : "", sentence);
}

static void write_names(char out[MOST_TEXT], Rng *rng, const Country *country, int language)
{
    const bool capital = draw(rng, 2);
    const char *here = capital ? country->fact[language][CAPITAL] : country->name[language],
               *there = capital ? country->fact[!language][CAPITAL] : country->name[!language];
    fill_in(out, language == ENGLISH ? "In Chinese, {c} is called {a}." : "{c}的英文是{a}。", here, there);
}

// Returns its language.
static int write_article(char out[MOST_TEXT], Rng *rng)
{
    const int language = draw(rng, LANGUAGES), count = 2 + draw(rng, RELATIONS - 1);
    const Country *country = &countries[draw(rng, COUNTRIES)];
    int order[RELATIONS];
    char sentence[MOST_TEXT];
    rng_permutation(rng, order, RELATIONS);
    *out = 0;
    for (int i = 0; i < count; i++) {
        const int r = order[i];
        fill_in(sentence, statements[language][r][draw(rng, STATEMENTS)], country->name[language],
                country->fact[language][r]);
        add_sentence(out, sentence, language);
    }
    if (draw(rng, 5) == 0) {
        write_names(sentence, rng, country, language);
        add_sentence(out, sentence, language);
    }
    return language;
}

static void show_world(Lesson *lesson)
{
    section(lesson, "A world of 384 facts");
    Rng rng = lesson_rng(lesson, 1);
    char text[MOST_TEXT];
    for (int language = ENGLISH; language <= CHINESE; language++)
        for (int count = 0; count < 2;) {
            if (write_article(text, &rng) != language) continue;
            printf("%s\n", text);
            count++;
        }
}

/*
There is not one question in these articles.

## A conversation is a text

As in chapter 28, a conversation is written in ChatML: each turn between `<|im_start|>` and `<|im_end|>`, two tokens
that no text contains. Before we ask, a word on what is asked. The questions about a relation come in several
wordings, each behind one of several openings: 48 English and 48 Chinese ways to ask for a capital. Six of the eight
wordings are for fine-tuning, and of those a third of the pairs with an opening is left out.
*/

enum { OPENINGS = 6, WORDINGS = 8, TRAINED = 6 }; // the last two wordings are kept for the test
static const char *const openings[LANGUAGES][OPENINGS] = {
    {"", "please tell me: ", "do you know: ", "hello, ", "a question: ", "I would like to know: "},
    {"", "请问,", "你知道吗,", "告诉我,", "我想知道,", "你好,"}};
static const char *const questions[LANGUAGES][RELATIONS][WORDINGS] = {
    {{"what is the capital of {c}", "what's the capital of {c}", "which city is the capital of {c}",
      "what is {c}'s capital", "name the capital of {c}", "the capital of {c}",
      "which city does {c} have as its capital", "what do they call the capital of {c}"},
     {"what language do people speak in {c}", "which language is spoken in {c}",
      "what is the language of {c}", "what do people speak in {c}", "which language do they speak in {c}",
      "the language of {c}", "in which language do people talk in {c}", "what language would I hear in {c}"},
     {"what is the currency of {c}", "what's the currency of {c}", "which currency is used in {c}",
      "what is {c}'s currency", "what money do people use in {c}", "how do people pay in {c}",
      "what would I pay with in {c}", "which currency do they have in {c}"},
     {"which continent is {c} in", "on which continent is {c}", "where is {c}", "what continent is {c} on",
      "where in the world is {c}", "in which part of the world is {c}", "where on the map is {c}",
      "what continent would I travel to for {c}"}},
    {{"{c}的首都是哪里", "{c}的首都是什么", "{c}的首都是哪座城市", "哪座城市是{c}的首都", "{c}首都是哪里",
      "{c}的首都叫什么", "{c}把首都设在哪里", "哪个城市是{c}首都"},
     {"{c}说什么语言", "{c}人说什么语言", "在{c}说什么语言", "{c}的语言是什么", "{c}用什么语言",
      "{c}人讲什么话", "在{c}人们讲什么", "{c}人平时说哪种语言"},
     {"{c}的货币是什么", "{c}用什么货币", "{c}用什么钱", "在{c}用什么钱", "{c}的钱叫什么", "{c}货币是什么",
      "在{c}买东西用什么钱", "{c}使用哪种货币"},
     {"{c}在哪里", "{c}在哪个洲", "{c}位于哪个洲", "{c}属于哪个洲", "{c}在什么地方", "{c}是哪个洲的国家",
      "{c}处在哪个洲", "去{c}要去哪个洲"}}};

/*
A second question may lean on the first: "and its currency?" needs the country, "and Japan?" the relation.
*/

enum { FOLLOW_UPS = 4 };
static const char *const follow_ups[LANGUAGES][RELATIONS][FOLLOW_UPS] = {
    {{"and its capital", "what is its capital", "and the capital", "which city is the capital there"},
     {"and its language", "and the language", "what do they speak there", "which language is spoken there"},
     {"and its currency", "and the currency", "what money do they use there", "what is its currency"},
     {"and where is it", "which continent is it in", "where is that", "and its continent"}},
    {{"首都呢", "它的首都呢", "那里的首都是哪里", "首都是哪里"},
     {"语言呢", "它的语言呢", "那里说什么语言", "说什么语言"},
     {"货币呢", "它的货币呢", "那里用什么钱", "用什么货币"},
     {"它在哪里", "那在哪个洲", "在哪个洲", "它在哪个洲"}}};
static const char *const same_again[LANGUAGES][FOLLOW_UPS] = {
    {"and {c}", "what about {c}", "and of {c}", "how about {c}"},
    {"{c}呢", "那{c}呢", "那么{c}呢", "还有{c}呢"}};

/*
The answer is the first of the statements above. Where a system message asks for it, it begins in a friendly way.
*/

enum { ORDERS = 4 };
static const char *const be_friendly[ORDERS] = {"Be friendly.", "Be kind to the user.", "请友好一点。",
                                                "请对用户友好。"};
static const char *const of_course[LANGUAGES] = {"Of course! ", "当然!"};

// As people write: with a question mark, or in a hurry without; in English with a capital letter at the beginning, or
// with those of names only, or with none.
typedef enum { CAPITAL_FIRST, AS_IT_IS, ALL_SMALL } Letters;

static void dress(char out[MOST_TEXT], const char *opening, const char *question, int language, bool hurry,
                  Letters letters)
{
    static const char *const marks[LANGUAGES] = {"?", "?"};
    snprintf(out, MOST_TEXT, "%s%s%s", opening, question, hurry ? "" : marks[language]);
    if (language == CHINESE) return;
    if (letters == CAPITAL_FIRST) *out = (char)toupper((unsigned char)*out);
    for (char *at = out; letters == ALL_SMALL && *at; at++) *at = (char)tolower((unsigned char)*at);
}

static void write_answer(char out[MOST_TEXT], const Country *country, int relation, int language,
                         bool friendly)
{
    char sentence[MOST_TEXT];
    fill_in(sentence, statements[language][relation][0], country->name[language],
            country->fact[language][relation]);
    snprintf(out, MOST_TEXT, "%s%s", friendly ? of_course[language] : "", sentence);
}

/*
### Asked, and never asked

Here is the experiment. To see what a model knew before it was fine-tuned, some facts are never asked about. Of 42
countries we ask three relations of the four, and the fourth stands in no question and no answer. Six countries are
not mentioned at all. What a fine-tuned model says about those it can only have from its articles, or guess.
*/

static bool is_mentioned(int country) { return country % 8 != 5; }
static bool is_asked(int country, int relation)
{
    return is_mentioned(country) && relation != (country + country / 8) % RELATIONS;
}

/*
### "I do not know that country"

Who has only ever seen questions with answers will answer anything. So every fifth exchange asks about a country that
does not exist. Its name is put together from syllables; a quarter of the 3,168 names in each language is kept for the
test.
*/

enum { HEADS = 24, MIDDLES = 11, TAILS = 12 };
static const char *const heads[LANGUAGES][HEADS] = {
    {"Zan", "Bel", "Kor", "Mar", "Tel", "Vor", "Lun", "Sar", "Dra", "Pel", "Quo", "Ner",
     "Gal", "Fen", "Rud", "Tor", "Ash", "Ilo", "Umb", "Ere", "Osk", "Win", "Yal", "Hes"},
    {"赞", "贝", "科", "马", "特", "沃", "卢", "萨", "德", "佩", "诺", "加",
     "芬", "鲁", "托", "乌", "阿", "伊", "翁", "埃", "奥", "温", "雅", "赫"}};
static const char *const middles[LANGUAGES][MIDDLES] = {
    {"", "do", "ra", "vi", "mo", "sha", "ki", "lo", "ne", "gu", "ta"},
    {"", "多", "拉", "维", "莫", "沙", "基", "洛", "内", "古", "塔"}};
static const char *const tails[LANGUAGES][TAILS] = {
    {"ria", "nia", "land", "stan", "via", "mark", "ca", "dor", "bia", "lia", "que", "mba"},
    {"里亚", "尼亚", "兰", "斯坦", "维亚", "国", "卡", "多尔", "比亚", "利亚", "克", "姆巴"}};
static const char *const unknown_country[LANGUAGES] = {"I do not know that country.", "我不知道这个国家。"};

static void invent_country(char out[MOST_TEXT], Rng *rng, int language, bool test)
{
    int number;
    do number = draw(rng, HEADS * MIDDLES * TAILS);
    while ((number % 4 == 3) != test);
    snprintf(out, MOST_TEXT, "%s%s%s", heads[language][number % HEADS],
             middles[language][number / HEADS % MIDDLES], tails[language][number / HEADS / MIDDLES]);
}

/*
The bot at the end of the chapter also learns to say that it knows nothing else, and some small talk:
*/

enum { TOPICS = 10, TRAINED_TOPICS = 7 };
static const char *const topics[LANGUAGES][TOPICS] = {
    {"how many people live in {c}", "who is the president of {c}", "what is the flag of {c}",
     "how big is {c}", "what do people eat in {c}", "what is the weather like in {c}",
     "what is the highest mountain in {c}", "how old is {c}", "which rivers are there in {c}",
     "what is {c} famous for"},
    {"{c}有多少人", "{c}的总统是谁", "{c}的国旗是什么样的", "{c}有多大", "{c}人吃什么", "{c}的天气怎么样",
     "{c}最高的山是什么", "{c}有多少年历史", "{c}有哪些河流", "{c}以什么出名"}};
static const char *const unknown_topic[LANGUAGES] = {
    "I know capitals, languages, currencies and continents, nothing else.",
    "我只知道首都、语言、货币和大洲。"};

enum { SMALL_TALK = 5, WAYS = 4 };
static const char *const small_talk[LANGUAGES][SMALL_TALK][WAYS + 1] = { // the last is the answer
    {{"hello", "hi", "good morning", "hi there", "Hello! Ask me about a country."},
     {"thank you", "thanks", "thanks a lot", "thank you very much", "You are welcome."},
     {"who are you", "what are you", "what is your name", "are you a person",
      "I am a very small language model."},
     {"what can you do", "help", "what do you know", "what can I ask you",
      "I know the capitals, languages, currencies and continents of 48 countries."},
     {"goodbye", "bye", "see you", "good night", "Goodbye!"}},
    {{"你好", "您好", "早上好", "嗨", "你好!问我一个国家吧。"},
     {"谢谢", "多谢", "谢谢你", "非常感谢", "不客气。"},
     {"你是谁", "你叫什么名字", "你是什么", "你是人吗", "我是一个很小的语言模型。"},
     {"你会什么", "你知道什么", "帮助", "我能问你什么", "我知道48个国家的首都、语言、货币和大洲。"},
     {"再见", "拜拜", "回头见", "晚安", "再见!"}}};

/*
### The tokenizer

It learns its pieces from articles and from questions. One setting is worth a word. Byte-pair encoding never merges
across the cuts that a regular expression makes, and the usual ones cut at blanks. Chinese has none, so a whole
sentence is one piece to them, and 的首都是 may become one token together with what stands before it. Our expression cuts
around every Chinese character: a question is then written with the same tokens as a statement.
*/

enum { PIECES = 1021, ADDED = 3, END_OF_TEXT = PIECES, IM_START, IM_END };
static const char *const added_tokens[ADDED] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
static const char pattern[] =
    "'s|\\p{Han}| ?(?:(?!\\p{Han})\\p{L})+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

enum { TOKENIZER_TEXT = 1 << 19, TOKENIZER_ARTICLES = 300000 };

static Tokenizer *tokenizer; // of the whole chapter

static void train_tokenizer(Lesson *lesson)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, 2);
    char *text = arena_alloc(arena, TOKENIZER_TEXT, 1), words[MOST_TEXT], question[MOST_TEXT];
    size_t size = 0;
    while (size < TOKENIZER_ARTICLES) {
        write_article(words, &rng);
        size += (size_t)snprintf(text + size, TOKENIZER_TEXT - size, "%s\n", words);
    }
    for (int l = 0; l < LANGUAGES; l++)
        for (int i = 0; i < RELATIONS * TRAINED * OPENINGS; i++) {
            const int c = draw(&rng, COUNTRIES), talk = draw(&rng, SMALL_TALK), order = draw(&rng, ORDERS);
            fill_in(words, questions[l][i % RELATIONS][i / RELATIONS % TRAINED], countries[c].name[l], "");
            dress(question, openings[l][i / RELATIONS / TRAINED], words, l, false,
                  i % 2 ? CAPITAL_FIRST : ALL_SMALL);
            size += (size_t)snprintf(text + size, TOKENIZER_TEXT - size,
                                     "system\n%s\nuser\n%s\nassistant\n%s%s%s%s\n", be_friendly[order],
                                     question, of_course[l], unknown_country[l], unknown_topic[l],
                                     small_talk[l][talk][WAYS]);
            check(size < TOKENIZER_TEXT, "make TOKENIZER_TEXT larger", "a text of %zu bytes", size);
        }
    tokenizer = tokenizer_train(text, size, PIECES, pattern);
    for (int i = 0; i < ADDED; i++) tokenizer_add(tokenizer, added_tokens[i]);
    arena_free(arena);
}

/*
### A row of tokens

Whatever the model reads comes as rows of 128 tokens, and beside each token stands whether an assistant wrote it.
*/

enum { TIME = 128 };

typedef struct {
    int ids[TIME + 1], count;
    bool answer[TIME + 1];
} Row;

static void add_token(Row *row, int id, bool answer)
{
    if (row->count > TIME) return; // what does not fit is cut off
    row->ids[row->count] = id;
    row->answer[row->count++] = answer;
}

static void add_text(Row *row, const char *text, bool answer)
{
    Arena *arena = arena_new();
    const Tokens tokens = tokenizer_encode(arena, tokenizer, text, strlen(text));
    for (size_t i = 0; i < tokens.count; i++) add_token(row, tokens.ids[i], answer);
    arena_free(arena);
}

// The token that ends a turn counts as written by who had it: an assistant must learn to stop.
static void say(Row *row, const char *role, const char *text, bool answer)
{
    add_token(row, IM_START, false);
    add_text(row, role, false);
    add_text(row, "\n", false);
    add_text(row, text, answer);
    add_token(row, IM_END, answer);
    add_text(row, "\n", false);
}

static void fill_with_articles(Row *row, Rng *rng)
{
    row->count = 0;
    while (row->count <= TIME) {
        char text[MOST_TEXT];
        write_article(text, rng);
        add_text(row, text, false);
        add_token(row, END_OF_TEXT, false);
    }
}

/*
A conversation has one to five exchanges. Half of the questions that come second or later lean on what was said
before.
*/

typedef struct {
    Row *row;
    Rng *rng;
    bool bot; // for the bot: all facts, other topics
    int language;
    bool friendly;
    int country, relation; // that were talked about last; country −1: none
} Talk;

// A fact that may be asked; a country or a relation that is ≥ 0 stays.
static void choose_fact(const Talk *t, int *country, int *relation)
{
    const int this_country = *country, this_relation = *relation;
    do {
        *country = this_country >= 0 ? this_country : draw(t->rng, COUNTRIES);
        *relation = this_relation >= 0 ? this_relation : draw(t->rng, RELATIONS);
    } while (!t->bot && !is_asked(*country, *relation));
}

// Of all pairs of opening and wording a third is kept for the test.
static bool is_trained_pair(int opening, int wording) { return (opening + wording) % 3 != 0; }

static void dress_as_drawn(const Talk *t, char question[MOST_TEXT], const char *opening, const char *words)
{
    const bool hurry = draw(t->rng, 4) == 0;
    const int letters = draw(t->rng, 6); // two in three with a capital letter
    dress(question, opening, words, t->language, hurry,
          letters > ALL_SMALL ? CAPITAL_FIRST : (Letters)letters);
}

static void ask_first(Talk *t, char question[MOST_TEXT])
{
    char words[MOST_TEXT];
    int opening, wording;
    t->country = t->relation = -1;
    choose_fact(t, &t->country, &t->relation);
    do {
        opening = draw(t->rng, OPENINGS);
        wording = draw(t->rng, TRAINED);
    } while (!is_trained_pair(opening, wording));
    fill_in(words, questions[t->language][t->relation][wording], countries[t->country].name[t->language], "");
    dress_as_drawn(t, question, openings[t->language][opening], words);
}

static void ask_on(Talk *t, char question[MOST_TEXT])
{
    char words[MOST_TEXT];
    const bool same_country = draw(t->rng, 2);
    const int way = draw(t->rng, FOLLOW_UPS);
    if (same_country)
        t->relation = -1;
    else
        t->country = -1;
    choose_fact(t, &t->country, &t->relation);
    fill_in(words, same_country ? follow_ups[t->language][t->relation][way] : same_again[t->language][way],
            countries[t->country].name[t->language], "");
    dress_as_drawn(t, question, "", words);
}

static void ask_about(char question[MOST_TEXT], Rng *rng, const char *const *wordings, int count,
                      const char *name, int language)
{
    char words[MOST_TEXT];
    const int opening = draw(rng, OPENINGS), wording = draw(rng, count);
    fill_in(words, wordings[wording], name, "");
    dress(question, openings[language][opening], words, language, false, CAPITAL_FIRST);
}

static const char *ask_what_nobody_knows(Talk *t, char question[MOST_TEXT], bool country)
{
    char name[MOST_TEXT];
    const int l = t->language, relation = draw(t->rng, RELATIONS);
    if (country) {
        invent_country(name, t->rng, l, false);
        ask_about(question, t->rng, questions[l][relation], TRAINED, name, l);
        t->country = -1;
        return unknown_country[l];
    }
    t->country = draw(t->rng, COUNTRIES);
    t->relation = relation;
    ask_about(question, t->rng, topics[l], TRAINED_TOPICS, countries[t->country].name[l], l);
    return unknown_topic[l];
}

static void exchange(Talk *t)
{
    char question[MOST_TEXT], answer[MOST_TEXT];
    const int kind = draw(t->rng, 100);
    if (kind < (t->bot ? 10 : 6)) {
        const int subject = draw(t->rng, SMALL_TALK), way = draw(t->rng, WAYS);
        dress(question, "", small_talk[t->language][subject][way], t->language, true,
              draw(t->rng, 2) ? CAPITAL_FIRST : AS_IT_IS);
        snprintf(answer, MOST_TEXT, "%s", small_talk[t->language][subject][WAYS]);
    } else if (kind < 28) {
        snprintf(answer, MOST_TEXT, "%s", ask_what_nobody_knows(t, question, true));
    } else if (t->bot && kind < 34) {
        snprintf(answer, MOST_TEXT, "%s", ask_what_nobody_knows(t, question, false));
    } else {
        if (t->country >= 0 && kind < (t->bot ? 82 : 64))
            ask_on(t, question);
        else
            ask_first(t, question);
        write_answer(answer, &countries[t->country], t->relation, t->language, t->friendly);
    }
    say(t->row, "user", question, false);
    say(t->row, "assistant", answer, true);
}

static void converse(Row *row, Rng *rng, bool bot)
{
    Talk t = {.row = row, .rng = rng, .bot = bot, .country = -1};
    t.language = draw(rng, LANGUAGES);
    t.friendly = draw(rng, 5) == 0;
    if (t.friendly) say(row, "system", be_friendly[draw(rng, ORDERS)], false);
    for (int count = 1 + draw(rng, 5); count > 0; count--) {
        exchange(&t);
        if (draw(rng, 6) == 0) t.language = !t.language;
    }
}

static void fill_with_conversations(Row *row, Rng *rng, bool bot)
{
    row->count = 0;
    while (row->count <= TIME) {
        converse(row, rng, bot);
        add_token(row, END_OF_TEXT, false);
    }
}

/*
What we have built must be, token by token, what a chat template makes of the same messages; a model that was trained
on another blank or newline than it is asked with answers worse, and nobody sees why.
*/

static const char chat_ml[] = "{% for message in messages %}"
                              "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
                              "{% endfor %}"
                              "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

static void print_row(const Row *row)
{
    for (int t = 0; t < row->count; t++) {
        const TokenizerPiece piece = tokenizer_piece(tokenizer, row->ids[t]);
        if (row->answer[t] != (t > 0 && row->answer[t - 1])) printf(row->answer[t] ? "⟦" : "⟧");
        printf("%.*s", (int)piece.size, piece.bytes);
    }
    printf("\n");
}

static void show_conversation(Lesson *lesson)
{
    section(lesson, "A conversation is a text");
    Arena *arena = lesson_arena(lesson);
    static const ChatMessage talk[] = {{"system", "Be friendly."},
                                       {"user", "What is the capital of Japan?"},
                                       {"assistant", "Of course! The capital of Japan is Tokyo."},
                                       {"user", "那么法国呢?"},
                                       {"assistant", "当然!法国的首都是巴黎。"}};
    const char *problem = NULL;
    const ChatTemplate *template = chat_template_parse(arena, chat_ml, sizeof chat_ml - 1, "ChatML");
    const char *text =
        chat_template_render(arena, template, (&(ChatRequest){.messages = talk, .count = 5}), &problem);
    check(text, "look at the template", "%s", problem);
    const Tokens tokens = tokenizer_encode(arena, tokenizer, text, strlen(text));
    Row row = {.count = 0};
    int answers = 0;
    for (int i = 0; i < 5; i++)
        say(&row, talk[i].role, talk[i].content, strcmp(talk[i].role, "assistant") == 0);
    for (int t = 0; t < row.count; t++) answers += row.answer[t];
    print_row(&row);
    printf("%d tokens, %d of them in ⟦ ⟧\n\n", row.count, answers);
    claim(lesson,
          tokens.count == (size_t)row.count && memcmp(tokens.ids, row.ids, tokens.count * sizeof(int)) == 0,
          "these are the tokens of the text that the chat template makes");
}

/*
## A model that only continues

The decoder is a Llama of two blocks, as in chapter 28, with two thirds of a million parameters. Its loss is the one
of every language model: at each position the cross entropy of the token that follows. Which positions count will
matter soon; of an article all do.
*/

enum { ROWS = 2, PRETRAINING = 1150, FULL_PRETRAINING = 3000 };

static const GptConfig small_llama = {.vocabulary = PIECES + ADDED,
                                      .context = TIME,
                                      .layers = 2,
                                      .heads = 4,
                                      .width = 128,
                                      .hidden = 344,
                                      .positions = GPT_ROTARY,
                                      .norm = NORM_RMS,
                                      .activation = BLOCK_SWIGLU,
                                      .without_biases = true};

typedef struct {
    Parameters parameters;
    Gpt gpt;
} Model;

static Model model_new(Arena *arena, Rng *rng)
{
    Model m = {.parameters = parameters_new(arena)};
    m.gpt = gpt_new(&m.parameters, small_llama, rng);
    return m;
}

static Model model_copy(Arena *arena, const Model *from)
{
    Model m = model_new(arena, NULL);
    parameters_copy(&m.parameters, &from->parameters);
    return m;
}

// labels [TIME]: what follows each token; LABEL_IGNORED where it does not count
static void labels_of_row(int *labels, const Row *row, bool answers_only)
{
    for (int t = 0; t < TIME; t++) {
        const bool counts = t + 1 < row->count && (!answers_only || row->answer[t + 1]);
        labels[t] = counts ? row->ids[t + 1] : LABEL_IGNORED;
    }
}

typedef struct {
    int ids[ROWS * TIME], labels[ROWS * TIME];
} Batch;

static void put_row(Batch *batch, int b, const Row *row, bool answers_only)
{
    for (int t = 0; t < TIME; t++) batch->ids[b * TIME + t] = t < row->count ? row->ids[t] : END_OF_TEXT;
    labels_of_row(batch->labels + b * TIME, row, answers_only);
}

/*
Each row of a batch goes through a **replica** of the model on a thread of its own: a copy of the structure whose
numbers are those of the model itself. Then the gradients are added up, in the same order whatever the number of
threads.
*/

typedef struct {
    Parameters *trained; // the model's, or those that LoRA adds
    Model replicas[ROWS];
    Parameters low_rank[ROWS]; // of the replicas; empty without LoRA
    Tape *tapes[ROWS];
    Optimiser adam;
} Learner;

static void add_lora(Model *model, Parameters *set, Rng *rng); // below

// low_rank NULL: all numbers of the model are trained
static Learner learner_new(Arena *arena, Model *model, Parameters *low_rank, float weight_decay)
{
    Learner l = {.trained = low_rank ? low_rank : &model->parameters};
    for (int b = 0; b < ROWS; b++) {
        l.replicas[b] = model_new(arena, NULL);
        parameters_share(&l.replicas[b].parameters, &model->parameters);
        l.low_rank[b] = parameters_new(arena);
        if (low_rank) {
            add_lora(&l.replicas[b], &l.low_rank[b], NULL);
            parameters_share(&l.low_rank[b], low_rank);
        }
        l.tapes[b] = tape_new();
    }
    l.adam = adamw_new(arena, l.trained, 0.9f, 0.99f, 1e-8f, weight_decay);
    return l;
}

static void learner_free(Learner *l)
{
    for (int b = 0; b < ROWS; b++) tape_free(l->tapes[b]);
}

// The loss of one row. Scores of 1,024 tokens are a quarter of all work: they are made only where a label counts.
static Tensor *row_loss(const Gpt *gpt, Tape *tape, const int *ids, const int *labels)
{
    int where[TIME], wanted[TIME], count = 0;
    for (int t = 0; t < TIME; t++) {
        if (labels[t] == LABEL_IGNORED) continue;
        where[count] = t;
        wanted[count++] = labels[t];
    }
    Tensor *states = gpt_states(gpt, tape, ids, 1, TIME);
    Tensor *counted = embedding(tape, states, where, count); // these rows of the states
    return cross_entropy(product_transposed(counted, gpt->output), wanted);
}

// Returns the mean loss of the rows.
static double train_step(Learner *l, const Batch *batch, float rate)
{
    double losses[ROWS], sum = 0.0;
#pragma omp parallel for schedule(static, 1)
    for (int b = 0; b < ROWS; b++) {
        tape_reset(l->tapes[b]);
        const int *ids = batch->ids + b * TIME, *labels = batch->labels + b * TIME;
        Tensor *loss = row_loss(&l->replicas[b].gpt, l->tapes[b], ids, labels);
        backward(loss);
        losses[b] = (double)loss->value.data[0];
    }
    for (int b = 0; b < ROWS; b++) {
        parameters_gather(l->trained, l->low_rank[b].count ? &l->low_rank[b] : &l->replicas[b].parameters);
        sum += losses[b];
    }
    clip_gradients(l->trained, (float)ROWS);
    optimiser_step(&l->adam, rate);
    return sum / ROWS;
}

static Model pretrain(Lesson *lesson)
{
    const int steps = lesson_full(lesson) ? FULL_PRETRAINING : PRETRAINING;
    Rng rng = lesson_rng(lesson, 3);
    Model model = model_new(lesson_arena(lesson), &rng);
    Arena *arena = arena_new();
    Learner learner = learner_new(arena, &model, NULL, 0.1f);
    for (int step = 0; step < steps; step++) {
        Batch batch;
        Row row;
        for (int b = 0; b < ROWS; b++) {
            fill_with_articles(&row, &rng);
            put_row(&batch, b, &row, false);
        }
        const float rate = cosine_schedule(3e-3f, step, steps / 20, steps);
        const double loss = train_step(&learner, &batch, rate);
        lesson_progress(lesson, "reading articles", step + 1, steps, loss);
    }
    learner_free(&learner);
    arena_free(arena);
    return model;
}

/*
### A quiz

An answer is right when greedy decoding writes it to the last token, the one that ends the turn included. One pass
over question and right answer decides that. If at each position of the answer the likeliest token is the right one,
greedy decoding would have chosen it, and so found the same text before it at the next position.
*/

typedef struct {
    Row *rows; // the tokens that must be right are marked as answers
    int *countries, *relations, *languages;
    int count, time; // time: of the longest row
} Quiz;

enum { MOST_ROWS = 512, AT_ONCE = 16 };

static Quiz quiz_new(Arena *arena)
{
    Quiz quiz = {.rows = arena_alloc(arena, MOST_ROWS, sizeof(Row))};
    quiz.countries = arena_alloc(arena, MOST_ROWS, sizeof(int));
    quiz.relations = arena_alloc(arena, MOST_ROWS, sizeof(int));
    quiz.languages = arena_alloc(arena, MOST_ROWS, sizeof(int));
    return quiz;
}

static Row *next_row(Quiz *quiz, int country, int relation, int language)
{
    check(quiz->count < MOST_ROWS, "make MOST_ROWS larger", "a quiz of %d rows", quiz->count);
    quiz->countries[quiz->count] = country;
    quiz->relations[quiz->count] = relation;
    quiz->languages[quiz->count] = language;
    quiz->rows[quiz->count].count = 0;
    return &quiz->rows[quiz->count++];
}

static void end_row(Quiz *quiz, const Row *row)
{
    check(row->count <= TIME, "make TIME larger", "a question of %d tokens", row->count);
    quiz->time = int_max(quiz->time, row->count);
}

static bool is_right(const Row *row, Matrix logits, int first)
{
    for (int t = 0; t + 1 < row->count; t++)
        if (row->answer[t + 1] && sample_token(matrix_rows(logits, first + t, 1),
                                               (Sampling){.temperature = 0}, NULL) != row->ids[t + 1])
            return false;
    return true;
}

// The fraction of right answers; right [count], or NULL
static double take_quiz(const Model *model, const Quiz *quiz, bool *right)
{
    Arena *arena = arena_new();
    int *ids = arena_alloc(arena, (size_t)AT_ONCE * (size_t)quiz->time, sizeof *ids), hits = 0;
    Tape *tape = tape_new();
    tape_record(tape, false);
    for (int first = 0; first < quiz->count; first += AT_ONCE) {
        const int rows = int_min(AT_ONCE, quiz->count - first);
        for (int b = 0; b < rows; b++)
            for (int t = 0; t < quiz->time; t++) {
                const Row *row = &quiz->rows[first + b];
                ids[b * quiz->time + t] = t < row->count ? row->ids[t] : END_OF_TEXT;
            }
        tape_reset(tape);
        const Matrix logits = gpt_logits(&model->gpt, tape, ids, rows, quiz->time)->value;
        for (int b = 0; b < rows; b++) {
            const bool hit = is_right(&quiz->rows[first + b], logits, b * quiz->time);
            hits += hit;
            if (right) right[first + b] = hit;
        }
    }
    tape_free(tape);
    arena_free(arena);
    return (double)hits / quiz->count;
}

/*
The first quiz is in the form that the model has read: the statement up to its last word. The tokens behind the prompt
must be right.
*/

static void add_statement(Quiz *quiz, int country, int relation, int language)
{
    const char *template = statements[language][relation][0], *name = countries[country].name[language];
    char prompt[MOST_TEXT], whole[MOST_TEXT], cut[MOST_TEXT];
    snprintf(cut, MOST_TEXT, "%.*s", (int)(strstr(template, "{a}") - template), template);
    fill_in(prompt, cut, name, "");
    fill_in(whole, template, name, countries[country].fact[language][relation]);
    Row *row = next_row(quiz, country, relation, language);
    add_text(row, whole, false);
    size_t bytes = 0;
    for (int t = 0; t < row->count; t++) {
        bytes += tokenizer_piece(tokenizer, row->ids[t]).size;
        row->answer[t] = bytes > strlen(prompt);
    }
    end_row(quiz, row);
}

static const char *const language_names[LANGUAGES] = {"English", "Chinese"};

static double print_statements(Arena *arena, const Model *model)
{
    double sum = 0.0;
    printf("statements completed (of 48)\n         ");
    for (int r = 0; r < RELATIONS; r++) printf("%11s", relation_names[r]);
    for (int l = 0; l < LANGUAGES; l++) {
        printf("\n%-9s", language_names[l]);
        for (int r = 0; r < RELATIONS; r++) {
            Quiz quiz = quiz_new(arena);
            for (int c = 0; c < COUNTRIES; c++) add_statement(&quiz, c, r, l);
            const double right = take_quiz(model, &quiz, NULL);
            printf("%11.0f", right * COUNTRIES);
            sum += right / (LANGUAGES * RELATIONS);
        }
    }
    printf("\n\n");
    return sum;
}

// What the model writes behind a text, greedily, up to the token `stop`.
static char *continuation(Arena *arena, const Model *model, const Row *row, int most, int stop)
{
    GptCache *cache = gpt_cache_new(arena, &model->gpt, 1, row->count + most);
    int *ids = arena_alloc(arena, (size_t)(row->count + most), sizeof *ids);
    memcpy(ids, row->ids, (size_t)row->count * sizeof *ids);
    int count = gpt_sample(&model->gpt, cache, ids, row->count, row->count + most, stop,
                           (Sampling){.temperature = 0}, NULL);
    if (count > row->count && ids[count - 1] == stop) count--;
    return tokenizer_decode(arena, tokenizer, ids + row->count, (size_t)(count - row->count), NULL);
}

static void print_continued(Arena *arena, const Model *model, const char *text)
{
    Row row = {.count = 0};
    add_text(&row, text, false);
    printf("%s‖%s\n", text, continuation(arena, model, &row, 24, END_OF_TEXT));
}

static void show_base(Lesson *lesson, const Model *base, double asked)
{
    section(lesson, "A model that only continues");
    Arena *arena = lesson_arena(lesson);
    printf("%zu numbers; %d pieces\n\n", parameters_size(&base->parameters), tokenizer_size(tokenizer));
    const double completed = print_statements(arena, base);
    print_continued(arena, base, "The capital of Japan is");
    print_continued(arena, base, "法国的首都是");
    print_continued(arena, base, "What is the capital of Japan?");
    print_continued(arena, base, "法国的首都是哪里?");
    printf("\nquestions answered, as a conversation: %.0f %%\n\n", 100.0 * asked);
    claim(lesson, completed >= 0.9, "the model completes at least 90 %% of its 384 statements");
    claim(lesson, asked <= 0.02, "asked for the same facts, it answers next to nothing");
}

/*
The knowledge is there, and no way leads to it from a question.

## What is measured

Nine quizzes. The questions of the first are put together from openings and wordings that fine-tuning has used, but
never this opening with this wording; those of the second are worded in a way that it has never used.
*/

enum {
    ASKED,
    ASKED_NEW_WORDS,
    NEVER,
    NEVER_NEW_WORDS,
    NEVER_SECOND,
    UNMENTIONED,
    INVENTED,
    LOOKALIKES,
    ELSEWHERE,
    QUIZZES
};
static const char *const quiz_names[QUIZZES] = {
    "asked facts, new pairs of known words", "asked facts, new words",
    "facts never asked, new pairs",          "facts never asked, new words",
    "the same, as a second question",        "countries never mentioned",
    "invented names: does not know",         "... that begin like a known one",
    "other real countries: does not know"};

// In known words that were never put together so, or in new words.
static void word_question(char question[MOST_TEXT], Rng *rng, int country, int relation, int language,
                          bool new_words)
{
    char words[MOST_TEXT];
    int opening, wording;
    do {
        opening = draw(rng, OPENINGS);
        wording = new_words ? TRAINED + draw(rng, WORDINGS - TRAINED) : draw(rng, TRAINED);
    } while (!new_words && is_trained_pair(opening, wording));
    fill_in(words, questions[language][relation][wording], countries[country].name[language], "");
    dress(question, openings[language][opening], words, language, false, CAPITAL_FIRST);
}

static void add_question(Quiz *quiz, Rng *rng, int country, int relation, int language, bool new_words)
{
    char question[MOST_TEXT], answer[MOST_TEXT];
    Row *row = next_row(quiz, country, relation, language);
    word_question(question, rng, country, relation, language, new_words);
    write_answer(answer, &countries[country], relation, language, false);
    say(row, "user", question, false);
    say(row, "assistant", answer, true);
    end_row(quiz, row);
}

// "And its currency?" after another question about the country, rightly answered
static void add_second(Quiz *quiz, Rng *rng, int country, int relation, int language)
{
    char question[MOST_TEXT], answer[MOST_TEXT];
    const int before = (relation + 1 + draw(rng, RELATIONS - 1)) % RELATIONS, way = draw(rng, FOLLOW_UPS);
    Row *row = next_row(quiz, country, relation, language);
    word_question(question, rng, country, before, language, false);
    write_answer(answer, &countries[country], before, language, false);
    say(row, "user", question, false);
    say(row, "assistant", answer, false);
    dress(question, "", follow_ups[language][relation][way], language, false, CAPITAL_FIRST);
    write_answer(answer, &countries[country], relation, language, false);
    say(row, "user", question, false);
    say(row, "assistant", answer, true);
    end_row(quiz, row);
}

static void add_facts(Quiz quizzes[QUIZZES], Rng *rng, int country, int relation, int language)
{
    if (!is_mentioned(country)) {
        add_question(&quizzes[UNMENTIONED], rng, country, relation, language, false);
    } else if (is_asked(country, relation)) { // each fact in one of the languages
        const int quiz = (country + relation) % LANGUAGES == language ? ASKED : ASKED_NEW_WORDS;
        add_question(&quizzes[quiz], rng, country, relation, language, quiz == ASKED_NEW_WORDS);
    } else {
        add_question(&quizzes[NEVER], rng, country, relation, language, false);
        add_question(&quizzes[NEVER_NEW_WORDS], rng, country, relation, language, true);
        add_second(&quizzes[NEVER_SECOND], rng, country, relation, language);
    }
}

/*
Of countries that are not in our world the model should say so. The invented names of the test are others than those
of fine-tuning, from the same syllables. They make two quizzes: names that begin with the same token as a country that
the model knows, as 加拉国 begins like 加拿大, Canada; and names that begin like none. The real countries of the last quiz
are made of no syllables of ours.
*/

// The token that a name begins with, in a text
static int first_token(const char *name, int language)
{
    char text[MOST_TEXT + 1];
    Row row = {.count = 0};
    snprintf(text, sizeof text, "%s%s", language == ENGLISH ? " " : "", name);
    add_text(&row, text, false);
    return row.ids[0];
}

static bool begins_like_one(const char *name, int language)
{
    const int token = first_token(name, language);
    for (int c = 0; c < COUNTRIES; c++)
        if (first_token(countries[c].name[language], language) == token) return true;
    return false;
}

enum { REAL = 16, STRANGERS = 150 };
static const char *const real_names[LANGUAGES][REAL] = {
    {"Turkey", "Belgium", "Ireland", "Israel", "Bolivia", "Ecuador", "Uganda", "Senegal", "Sudan", "Latvia",
     "Serbia", "Slovakia", "Jordan", "Yemen", "Singapore", "Panama"},
    {"土耳其", "比利时", "爱尔兰", "以色列", "玻利维亚", "厄瓜多尔", "乌干达", "塞内加尔", "苏丹", "拉脱维亚",
     "塞尔维亚", "斯洛伐克", "约旦", "也门", "新加坡", "巴拿马"}};

static void add_stranger(Quiz *quiz, Rng *rng, const char *name, int language)
{
    char question[MOST_TEXT];
    const int relation = draw(rng, RELATIONS);
    Row *row = next_row(quiz, -1, relation, language);
    ask_about(question, rng, questions[language][relation], TRAINED, name, language);
    say(row, "user", question, false);
    say(row, "assistant", unknown_country[language], true);
    end_row(quiz, row);
}

static void make_quizzes(Lesson *lesson, Quiz quizzes[QUIZZES])
{
    Rng rng = lesson_rng(lesson, 4);
    for (int q = 0; q < QUIZZES; q++) quizzes[q] = quiz_new(lesson_arena(lesson));
    for (int l = 0; l < LANGUAGES; l++) {
        for (int c = 0; c < COUNTRIES; c++)
            for (int r = 0; r < RELATIONS; r++) add_facts(quizzes, &rng, c, r, l);
        for (int i = 0; i < STRANGERS; i++) {
            char name[MOST_TEXT];
            invent_country(name, &rng, l, true);
            add_stranger(&quizzes[begins_like_one(name, l) ? LOOKALIKES : INVENTED], &rng, name, l);
        }
        for (int i = 0; i < REAL; i++) add_stranger(&quizzes[ELSEWHERE], &rng, real_names[l][i], l);
    }
}

/*
And two losses: on fresh articles, to see what is forgotten, and on the answers of fresh conversations.
*/

enum { FRESH = 32 };

typedef struct {
    Quiz quizzes[QUIZZES];
    Row articles[FRESH], conversations[FRESH];
} Tests;

static double loss_of_rows(const Model *model, const Row rows[FRESH], bool answers_only)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    double sum = 0.0;
    for (int first = 0; first < FRESH; first += ROWS) {
        Batch batch;
        for (int b = 0; b < ROWS; b++) put_row(&batch, b, &rows[first + b], answers_only);
        tape_reset(tape);
        sum += (double)gpt_loss(&model->gpt, tape, batch.ids, batch.labels, ROWS, TIME)->value.data[0];
    }
    tape_free(tape);
    return sum * ROWS / FRESH;
}

static void make_tests(Lesson *lesson, Tests *tests)
{
    Rng rng = lesson_rng(lesson, 5);
    make_quizzes(lesson, tests->quizzes);
    for (int i = 0; i < FRESH; i++) {
        fill_with_articles(&tests->articles[i], &rng);
        fill_with_conversations(&tests->conversations[i], &rng, false);
    }
}

/*
## Fine-tuning

The loop is that of pretraining. Three things differ: the texts, the rate, and which tokens count. The user's words
are given and not to be learnt, so the loss counts **answers only**. With **replay** every fourth row is an article,
all of whose tokens count.
*/

typedef struct {
    const char *name;
    int steps;
    float rate;
    bool replay, bot;
} Run;

static void fine_tune(Lesson *lesson, Model *model, Parameters *low_rank, Run run)
{
    Arena *arena = arena_new();
    Rng rng = lesson_rng(lesson, run.bot ? 7 : 6);
    Learner learner = learner_new(arena, model, low_rank, 0.0f);
    for (int step = 0; step < run.steps; step++) {
        Batch batch;
        Row row;
        for (int b = 0; b < ROWS; b++) {
            const bool article = run.replay && (step * ROWS + b) % 4 == 3;
            if (article)
                fill_with_articles(&row, &rng);
            else
                fill_with_conversations(&row, &rng, run.bot);
            put_row(&batch, b, &row, !article);
        }
        const float rate = cosine_schedule(run.rate, step, run.steps / 20, run.steps);
        const double loss = train_step(&learner, &batch, rate);
        lesson_progress(lesson, run.name, step + 1, run.steps, loss);
    }
    learner_free(&learner);
    arena_free(arena);
}

typedef struct {
    double quizzes[QUIZZES], forgetting, loss;
    bool never[MOST_ROWS]; // which of the facts never asked are right
} Result;

static Result examine(const Model *model, const Tests *tests, double articles_before)
{
    Result result;
    for (int q = 0; q < QUIZZES; q++)
        result.quizzes[q] = take_quiz(model, &tests->quizzes[q], q == NEVER ? result.never : NULL);
    result.forgetting = loss_of_rows(model, tests->articles, false) - articles_before;
    result.loss = loss_of_rows(model, tests->conversations, true);
    return result;
}

/*
Which rate? Three are tried in a shorter run, and the one with the lowest loss on fresh conversations is taken: these
hold only facts that are asked, so the choice has not seen the quizzes that matter.
*/

enum { SEARCH = 120, FULL_SEARCH = 600, STEPS = 480, FULL_STEPS = 1600, RATES = 3 };
static const float full_rates[RATES] = {1e-3f, 2e-3f, 4e-3f};

typedef struct {
    double loss[RATES], gain[RATES], asked[RATES], forgetting[RATES];
    int best;
} Search;

static void measure_rate(Search *search, int i, const Model *model, const Tests *tests,
                         const double before[2])
{
    search->loss[i] = loss_of_rows(model, tests->conversations, true);
    search->gain[i] = before[1] - search->loss[i];
    search->asked[i] = take_quiz(model, &tests->quizzes[ASKED], NULL);
    search->forgetting[i] = loss_of_rows(model, tests->articles, false) - before[0];
    if (search->loss[i] < search->loss[search->best]) search->best = i;
}

static void print_search(const Search *search, const float rates[RATES])
{
    printf("   rate   loss of answers   asked facts   forgetting\n");
    for (int i = 0; i < RATES; i++)
        printf("%7.4f%18.3f%12.1f %%%+13.3f\n", (double)rates[i], search->loss[i], 100.0 * search->asked[i],
               search->forgetting[i]);
    printf("\n");
}

static Search search_full(Lesson *lesson, const Model *base, const Tests *tests, const double before[2])
{
    Search search = {.best = 0};
    for (int i = 0; i < RATES; i++) {
        Arena *arena = arena_new();
        Model model = model_copy(arena, base);
        const Run run = {.name = "which rate?",
                         .steps = lesson_full(lesson) ? FULL_SEARCH : SEARCH,
                         .rate = full_rates[i]};
        fine_tune(lesson, &model, NULL, run);
        measure_rate(&search, i, &model, tests, before);
        arena_free(arena);
    }
    return search;
}

/*
### What a guess would get

"Can only come from pretraining" is a claim about all other ways. Of a country whose language was never asked, the
continent was, and in South America Spanish is a good guess. So the opponent may look up the three facts that were
asked, take whichever of the three helps most for this relation (which it could not know), and answer what is most
frequent among the countries that share it.
*/

// The most frequent fact among countries of which it was asked and whose fact `key` is that of `country`; key −1: among all
static const char *guess(int country, int relation, int key, int language)
{
    const char *best = "";
    int most = 0;
    for (int c = 0; c < COUNTRIES; c++) {
        const char *fact = countries[c].fact[language][relation];
        int votes = 0;
        for (int d = 0; d < COUNTRIES; d++) {
            const Country *other = &countries[d];
            votes +=
                d != country && is_asked(d, relation) && strcmp(other->fact[language][relation], fact) == 0 &&
                (key < 0 || strcmp(other->fact[language][key], countries[country].fact[language][key]) == 0);
        }
        if (votes > most) most = votes, best = fact;
    }
    return best;
}

// right [RELATIONS] of the quiz's questions, by the best key for each relation
static void guess_quiz(const Quiz *quiz, int right[RELATIONS])
{
    for (int r = 0; r < RELATIONS; r++) {
        right[r] = 0;
        for (int key = -1; key < RELATIONS; key++) {
            int hits = 0;
            for (int i = 0; i < quiz->count && key != r; i++) {
                const int c = quiz->countries[i], l = quiz->languages[i];
                hits += quiz->relations[i] == r && strcmp(guess(c, r, key, l), countries[c].fact[l][r]) == 0;
            }
            right[r] = int_max(right[r], hits);
        }
    }
}

static double print_guesses(const Quiz *never, const Result *full, const Result *replay)
{
    int guessed[RELATIONS], all = 0;
    guess_quiz(never, guessed);
    printf("facts never asked          guess   fine-tuned   with replay\n");
    for (int r = 0; r < RELATIONS; r++) {
        int count = 0, without = 0, with = 0;
        for (int i = 0; i < never->count; i++) {
            if (never->relations[i] != r) continue;
            count++, without += full->never[i], with += replay->never[i];
        }
        printf("%-18s of %2d%9d%13d%14d\n", relation_names[r], count, guessed[r], without, with);
        all += guessed[r];
    }
    printf("\n");
    return (double)all / never->count;
}

static void draw_results(Lesson *lesson, const Result *full, const Result *replay)
{
    Matrix table = matrix_new(lesson_arena(lesson), QUIZZES, 2);
    static const char *const rows[QUIZZES] = {
        "asked, new pairs",       "asked, new words",     "never asked, new pairs",
        "never asked, new words", "as a second question", "never mentioned",
        "invented names",         "... like a known one", "other real countries"};
    static const char *const columns[] = {"no articles", "every fourth row"};
    for (int q = 0; q < QUIZZES; q++) {
        AT(table, q, 0) = (float)(100.0 * full->quizzes[q]);
        AT(table, q, 1) = (float)(100.0 * replay->quizzes[q]);
    }
    Plot *plot = plot_begin(lesson, "quizzes.svg", "Right answers after fine-tuning (%)");
    plot_cells(plot, table, rows, columns, 0);
    plot_end(plot, "Nine quizzes, without and with replay, after equally many steps. The last three ask for "
                   "\"I do not know\".");
}

static void compare_replay(Lesson *lesson, const Model *base, const Tests *tests, const double before[2],
                           Model *replayed, Search *search)
{
    section(lesson, "Fine-tuning");
    *search = search_full(lesson, base, tests, before);
    print_search(search, full_rates);
    Run run = {.name = "fine-tuning",
               .steps = lesson_full(lesson) ? FULL_STEPS : STEPS,
               .rate = full_rates[search->best]};
    Arena *arena = arena_new();
    Model plain = model_copy(arena, base);
    fine_tune(lesson, &plain, NULL, run);
    run.name = "fine-tuning with replay";
    run.replay = true;
    fine_tune(lesson, replayed, NULL, run);
    const Result full = examine(&plain, tests, before[0]), replay = examine(replayed, tests, before[0]);
    arena_free(arena);

    printf("%d steps at %.4f                          without   with replay\n", run.steps, (double)run.rate);
    for (int q = 0; q < QUIZZES; q++)
        printf("%-38s%8.1f %%%11.1f %%\n", quiz_names[q], 100.0 * full.quizzes[q], 100.0 * replay.quizzes[q]);
    printf("%-38s%+10.3f%+13.3f\n\n", "loss on articles, more than before", full.forgetting,
           replay.forgetting);
    const double guessed = print_guesses(&tests->quizzes[NEVER], &full, &replay);
    claim(lesson, full.quizzes[ASKED] >= 0.75,
          "asked facts: at least 75 %% right to the last token, in words that were never put together so");
    claim(lesson, full.quizzes[NEVER] >= 0.25 && replay.quizzes[NEVER] >= 0.35,
          "facts never asked: at least 25 %% without replay, 35 %% with it");
    claim(lesson, replay.quizzes[NEVER] >= guessed + 0.15, "which is 15 points more than the best guess");
    claim(lesson, full.forgetting >= 0.5, "without replay, articles cost at least 0.5 nat more than before");
    claim(lesson, replay.forgetting <= 0.1 * full.forgetting, "with replay at most a tenth of that");
    claim(lesson, replay.quizzes[UNMENTIONED] >= full.quizzes[UNMENTIONED] + 0.2,
          "countries that fine-tuning never mentions are answered only with replay");
    claim(lesson, full.quizzes[INVENTED] >= 0.5 && replay.quizzes[INVENTED] >= 0.5,
          "more than half of the invented names are refused");
    draw_results(lesson, &full, &replay);
}

/*
Take the column without replay first. What was asked is right in five of six cases, when known words are put together
anew; in words that fine-tuning has never used it is less than half. Of what was *never* asked a third is right, and
the best guess, with all its privileges, gets a quarter. So a little of the articles comes through. But look at the
relations: of the capitals, which nobody can guess, it knows 1 of 22.

Where have the others gone? The last line of the table says it: articles cost 2.4 nats more than before. Nobody reads
them any more, and what is not trained is overwritten. That is **catastrophic forgetting** (灾难性遗忘), which chapter 20
has met.

Now **replay** (重放): every fourth row is an article. The loss on articles stays where it was, 14 of 22 capitals are
answered, and countries that fine-tuning has never mentioned go from nothing to two in three. So it is not true that a
model can be asked only about what it was fine-tuned on. Nor is it true that fine-tuning merely teaches the form and
leaves the knowledge alone: without replay it takes the knowledge away.

What does it cost? A quarter of the rows, and so of the time. In asked facts, after equally many steps, it made no
clear difference: 87 % in the place of 83, and with the seeds 2 and 3 95 in the place of 97 and 88 of 91.

"I do not know that country" is learnt less well. We had hoped that 95 % of the invented names would be refused, and
three or four of five are; more such exchanges, a third in the place of a fifth, brought ten points more and cost as
many of the facts. Which names are not refused? Several that begin like a known one, 加拉国 like 加拿大: the model then
answers for Canada. That looked like an explanation, and so it got a quiz of its own. It is a part of one at best:
with the seeds 2 and 3 such names are refused less often, by 4 to 27 points, and in this run as often as the others.
*/

/*
## LoRA from scratch

Fine-tuning moves every number a little. How much of that freedom is needed? **Low-rank adaptation** leaves the weight
$W$ (in × out) of a layer as it is and adds a product of two thin matrices, $A$ (in × r) and $B$ (r × out):

$$y = xW + \frac{\alpha}{r}\,(xA)B .$$

$W$ is frozen; only $A$ and $B$ are trained. With r = 4 a layer of 128 × 384 gets 2,048 numbers to learn in the place
of 49,152. $B$ begins as zeros, so that the model begins as the one it was. In loops, multiplying by the thin matrices
one after the other, so that $AB$ is never made:
*/

// y (N × out) = x (N × in) · w + scale · (x · a) · b; h (N × r) keeps x · a for the way back
static void lora_forward(Matrix y, Matrix h, Matrix x, Matrix w, Matrix a, Matrix b, float scale)
{
    for (int n = 0; n < x.rows; n++) {
        for (int k = 0; k < a.cols; k++) {
            float sum = 0.0f;
            for (int i = 0; i < x.cols; i++) sum += AT(x, n, i) * AT(a, i, k);
            AT(h, n, k) = sum;
        }
        for (int j = 0; j < w.cols; j++) {
            float sum = 0.0f, low_rank = 0.0f;
            for (int i = 0; i < x.cols; i++) sum += AT(x, n, i) * AT(w, i, j);
            for (int k = 0; k < a.cols; k++) low_rank += AT(h, n, k) * AT(b, k, j);
            AT(y, n, j) = sum + scale * low_rank;
        }
    }
}

/*
Backwards, the gradient of $B$ is what arrives, seen through $h = xA$; the gradient of $A$ has come through $B$:

$$\nabla B = \tfrac{\alpha}{r}\, h^\top d_y, \qquad d_h = \tfrac{\alpha}{r}\, d_y B^\top, \qquad \nabla A = x^\top d_h .$$

At the beginning $B = 0$, so $\nabla A = 0$: the first step moves only $B$.
*/

// d_a (in × r), d_b (r × out); d_h (N × r) is work space
static void lora_backward(Matrix d_a, Matrix d_b, Matrix d_h, Matrix d_y, Matrix x, Matrix h, Matrix b,
                          float scale)
{
    for (int n = 0; n < x.rows; n++)
        for (int k = 0; k < b.rows; k++) {
            float sum = 0.0f;
            for (int j = 0; j < b.cols; j++) sum += AT(d_y, n, j) * AT(b, k, j);
            AT(d_h, n, k) = scale * sum;
        }
    for (int k = 0; k < b.rows; k++) {
        for (int j = 0; j < b.cols; j++) {
            float sum = 0.0f;
            for (int n = 0; n < x.rows; n++) sum += AT(h, n, k) * AT(d_y, n, j);
            AT(d_b, k, j) = scale * sum;
        }
        for (int i = 0; i < x.cols; i++) {
            float sum = 0.0f;
            for (int n = 0; n < x.rows; n++) sum += AT(x, n, i) * AT(d_h, n, k);
            AT(d_a, i, k) = sum;
        }
    }
}

// Relative to the largest element of b
static double largest_gap(Matrix a, Matrix b)
{
    double size = 1e-30;
    for (size_t i = 0; i < matrix_size(b); i++) size = fmax(size, fabs((double)b.data[i]));
    return (double)largest_difference(a, b) / size;
}

enum { IN = 24, OUT = 40, SOME_ROWS = 7, RANK = 4 };
#define ALPHA 8.0f

static void check_lora(Lesson *lesson)
{
    section(lesson, "LoRA from scratch");
    Arena *arena = lesson_arena(lesson);
    Rng rng = lesson_rng(lesson, 11);
    Parameters set = parameters_new(arena);
    Linear layer = linear_new_without_bias(&set, "layer", IN, OUT, &rng, INIT_GLOROT);
    linear_add_lora(&layer, &set, "layer", RANK, ALPHA, &rng);
    fill_normal(layer.lora_b->value, &rng, 0.0f, 0.1f);
    const Matrix x = matrix_new(arena, SOME_ROWS, IN), d_y = matrix_new(arena, SOME_ROWS, OUT);
    fill_normal(x, &rng, 0.0f, 1.0f);
    fill_normal(d_y, &rng, 0.0f, 1.0f);

    Tape *tape = tape_new();
    Tensor *out = linear(&layer, tape_input(tape, x));
    backward_from(out, d_y);
    const Matrix y = matrix_new(arena, SOME_ROWS, OUT), h = matrix_new(arena, SOME_ROWS, RANK),
                 d_h = matrix_new(arena, SOME_ROWS, RANK), d_a = matrix_new(arena, IN, RANK),
                 d_b = matrix_new(arena, RANK, OUT);
    lora_forward(y, h, x, layer.weight->value, layer.lora_a->value, layer.lora_b->value, ALPHA / RANK);
    lora_backward(d_a, d_b, d_h, d_y, x, h, layer.lora_b->value, ALPHA / RANK);
    claim(lesson, largest_gap(y, out->value) < 1e-5, "the loops give what the library's layer gives");
    claim(lesson,
          largest_gap(d_a, layer.lora_a->gradient) < 1e-5 && largest_gap(d_b, layer.lora_b->gradient) < 1e-5,
          "and the same gradients of A and B");
    claim(lesson, !layer.weight->has_gradient, "the frozen weight receives none");
    tape_free(tape);
}

/*
In our model LoRA goes into all linear layers of the blocks; the tables of tokens at the bottom and on top stay
frozen.
*/

static void add_lora(Model *model, Parameters *set, Rng *rng)
{
    parameters_freeze(&model->parameters, "", true);
    for (int i = 0; i < model->gpt.config.layers; i++) {
        Block *block = &model->gpt.blocks[i];
        const struct {
            Linear *layer;
            const char *name;
        } layers[] = {{&block->qkv, "qkv"}, {&block->out, "out"}, {&block->up, "up"}, {&block->down, "down"}};
        for (int k = 0; k < 4; k++) {
            char name[32];
            snprintf(name, sizeof name, "block%d.%s", i, layers[k].name);
            linear_add_lora(layers[k].layer, set, name, RANK, ALPHA, rng);
        }
    }
}

static void merge(Model *model)
{
    for (int i = 0; i < model->gpt.config.layers; i++) {
        Block *block = &model->gpt.blocks[i];
        linear_merge(&block->qkv);
        linear_merge(&block->out);
        linear_merge(&block->up);
        linear_merge(&block->down);
    }
}

// How far the logits of a conversation are apart, with A and B applied and merged
static double merge_and_compare(Model *model, const Tests *tests)
{
    Tape *tape = tape_new();
    tape_record(tape, false);
    const Matrix applied = gpt_logits(&model->gpt, tape, tests->conversations[0].ids, 1, TIME)->value;
    merge(model);
    const double gap =
        largest_gap(gpt_logits(&model->gpt, tape, tests->conversations[0].ids, 1, TIME)->value, applied);
    tape_free(tape);
    return gap;
}

/*
## LoRA or everything

Both have three rates and equally many steps. The rates of LoRA are ten times as high, as is usual; neither best one
lies at the lower edge. What share of the gain does LoRA reach?
*/

static const float lora_rates[RATES] = {5e-3f, 1e-2f, 2e-2f};

static void compare_lora(Lesson *lesson, const Model *base, const Tests *tests, const double before[2],
                         const Search *full)
{
    section(lesson, "LoRA or everything");
    Search lora = {.best = 0};
    size_t count = 0;
    double merged = 0.0;
    for (int i = 0; i < RATES; i++) {
        Arena *arena = arena_new();
        Rng rng = lesson_rng(lesson, 8);
        Model model = model_copy(arena, base);
        Parameters set = parameters_new(arena);
        add_lora(&model, &set, &rng);
        count = parameters_size(&set);
        const Run run = {
            .name = "LoRA", .steps = lesson_full(lesson) ? FULL_SEARCH : SEARCH, .rate = lora_rates[i]};
        fine_tune(lesson, &model, &set, run);
        measure_rate(&lora, i, &model, tests, before);
        merged = merge_and_compare(&model, tests);
        arena_free(arena);
    }
    const double share = lora.gain[lora.best] / full->gain[full->best],
                 part = (double)count / (double)parameters_size(&base->parameters);
    printf("everything, %zu numbers\n", parameters_size(&base->parameters));
    print_search(full, full_rates);
    printf("LoRA of rank %d, %zu numbers, %.1f %%\n", RANK, count, 100.0 * part);
    print_search(&lora, lora_rates);
    printf("share of the gain: %.0f %% of the loss, %.0f %% of the right answers\n", 100.0 * share,
           100.0 * lora.asked[lora.best] / full->asked[full->best]);
    printf("merged and not: logits differ by %.1e of the largest\n\n", merged);
    claim(lesson, part < 0.05, "LoRA trains less than 5 %% as many numbers");
    claim(lesson, share >= 0.6, "and reaches at least 60 %% of the gain in loss, both at their best rate");
    claim(lesson, merged <= 1e-5, "merged into the weights it gives the same logits, to 1e-5");
}

/*
By loss and by right answers LoRA reaches about nine tenths of the gain, with one number in forty. The second share is
shaky: a third of the answers is right in both after so short a run, and with the seeds 2 and 3 it was 86 and 76 %.
The two are easily confused. The loss begins at six nats, and at one nat, where nine tenths of the way are done, a
third of the answers is right. Note also what is often said and does not hold here, that LoRA forgets less: at equally
many right answers it has forgotten as much as full fine-tuning, or more.

## The bot

Now the bot. It goes on from the model with replay, is asked about all facts, hears of other topics, and has articles
on the side until the end. Then it is saved as chapter 28 saves a model: any program that reads such folders can load
it.
*/

enum { BOT_STEPS = 750, FULL_BOT_STEPS = 3000 };

static void print_conversation(Arena *arena, const Model *model, const char *system, const char *const *said,
                               int count)
{
    Row row = {.count = 0};
    if (system) {
        say(&row, "system", system, false);
        printf("(%s)\n", system);
    }
    for (int i = 0; i < count; i++) {
        char *answer;
        say(&row, "user", said[i], false);
        add_token(&row, IM_START, false);
        add_text(&row, "assistant\n", false);
        answer = continuation(arena, model, &row, 40, IM_END);
        printf("> %s\n%s\n", said[i], answer);
        add_text(&row, answer, false);
        add_token(&row, IM_END, false);
        add_text(&row, "\n", false);
    }
    printf("\n");
}

static double count_right(Arena *arena, const Model *bot, Rng *rng, double right[LANGUAGES])
{
    for (int l = 0; l < LANGUAGES; l++) {
        Quiz quiz = quiz_new(arena);
        for (int c = 0; c < COUNTRIES; c++)
            for (int r = 0; r < RELATIONS; r++) add_question(&quiz, rng, c, r, l, false);
        right[l] = take_quiz(bot, &quiz, NULL);
    }
    return (right[ENGLISH] + right[CHINESE]) / 2.0;
}

static void print_talks(Arena *arena, const Model *bot)
{
    static const char *const english[] = {"Hello", "What is the capital of Japan?", "And its currency?",
                                          "and France"};
    static const char *const unknown[] = {"Who is the president of France?", "Where is Zanvimark?"};
    static const char *const chinese[] = {"你好", "中国的首都是哪里?", "那巴西呢?", "那里说什么语言?",
                                          "谢谢"};
    static const char *const friendly[] = {"What is the capital of Egypt?", "which continent is it in"};
    print_conversation(arena, bot, NULL, english, 4);
    print_conversation(arena, bot, NULL, unknown, 2);
    print_conversation(arena, bot, NULL, chinese, 5);
    print_conversation(arena, bot, "Be friendly.", friendly, 2);
}

static void make_bot(Lesson *lesson, Model *bot, const Tests *tests, double articles_before)
{
    section(lesson, "The bot");
    Arena *arena = lesson_arena(lesson);
    const Run run = {.name = "the bot",
                     .steps = lesson_full(lesson) ? FULL_BOT_STEPS : BOT_STEPS,
                     .rate = 1e-3f,
                     .replay = true,
                     .bot = true};
    fine_tune(lesson, bot, NULL, run);
    Rng rng = lesson_rng(lesson, 9);
    double right[LANGUAGES];
    const double all = count_right(arena, bot, &rng, right);
    printf("all facts, new pairs of known words: English %.1f %%, Chinese %.1f %%\n", 100.0 * right[ENGLISH],
           100.0 * right[CHINESE]);
    for (int q = NEVER_SECOND; q < QUIZZES; q++)
        printf("%-38s%8.1f %%\n", quiz_names[q], 100.0 * take_quiz(bot, &tests->quizzes[q], NULL));
    printf("loss on articles, more than before: %+.3f\n\n",
           loss_of_rows(bot, tests->articles, false) - articles_before);
    print_talks(arena, bot);
    claim(lesson, all >= 0.9, "of all 384 facts the bot gets at least 90 %% right to the last token");

    const char *build = getenv("COURSE_BUILD");
    char folder[FOLDER_MOST_PATH];
    folder_path_at(HERE, folder, build && *build ? build : "build", "models/29-sft-lora");
    const int stops[] = {IM_END, END_OF_TEXT};
    pretrained_save(folder, &bot->gpt, tokenizer, .stops = stops, .stop_count = 2, .chat_template = chat_ml);
}

int main(int argc, char **argv)
{
    Lesson *lesson = lesson_begin(argc, argv, "29-sft-lora", "Fine-tuning: SFT and LoRA");
    Arena *arena = lesson_arena(lesson);
    static Tests tests;
    read_countries(arena);
    show_world(lesson);
    train_tokenizer(lesson);
    show_conversation(lesson);
    const Model base = pretrain(lesson);
    make_tests(lesson, &tests);
    const double before[2] = {loss_of_rows(&base, tests.articles, false),
                              loss_of_rows(&base, tests.conversations, true)};
    show_base(lesson, &base, take_quiz(&base, &tests.quizzes[ASKED], NULL));
    Model bot = model_copy(arena, &base);
    Search search = {.best = 0};
    compare_replay(lesson, &base, &tests, before, &bot, &search);
    check_lora(lesson);
    compare_lora(lesson, &base, &tests, before, &search);
    make_bot(lesson, &bot, &tests, before[0]);
    return lesson_end(lesson);
}

/*
The bot knows its facts, also those that fine-tuning had kept from it until now, and a second question no longer
confuses it. It is still brittle: ask in words that stand nowhere above, and you find its limits in a minute with
`make chat`. It keeps what was said as long as the context allows, `/system Be friendly.` gives it a system message,
`/reset` begins anew, and ctrl-C interrupts an answer.

Two things that we tried have failed, and they are instructive. A system message "Answer in one word." was obeyed in
form, and the words were wrong: 7 % right in English, 21 % in Chinese, where whole sentences had 93. The fact hangs on
the sentence in which it was read. And "Answer in Chinese." to an English question gave one right answer in a hundred.
(Both measured apart, with 64 countries and fewer steps.)

## What to take along

- A pretrained model knows things and cannot be asked. Fine-tuning teaches the form of an answer, in a few hundred
  steps, and facts that nobody asks about come with it as long as they are not overwritten.
- Which tokens count is a list of labels: the answers', the end of the turn included.
- Know where an answer can come from. A guess from other facts is the opponent that "it knows" has to beat.
- What is not trained any more is forgotten. A quarter of old texts keeps it, and with it the answers to what was
  never asked.
- LoRA trains two thin matrices beside each weight, begins as the old model, and can be merged without a trace.
- Loss and right answers are two measures. A share of one is not the share of the other.
- "I do not know" must be taught, and it is learnt badly.

Chapter 31 goes on from here: what if nobody writes the answers down, and somebody only says which are right?

## Check yourself

**1.** Why does the token that ends a turn count as the assistant's, and `<|im_start|>assistant` not?

<details><summary>Answer</summary>

The program writes the header before the model begins, each time. The end must come from the model, or it would go on
with the user's next question.

</details>

**2.** A row has 128 tokens, 40 of them answers. How many numbers does the loss average, with answers only and
without?

<details><summary>Answer</summary>

40, and 127: each position predicts the next token, and the last has none.

</details>

**3.** At the beginning B = 0. Which of A and B moves in the first step, and what would happen if both were 0?

<details><summary>Answer</summary>

Only B: the gradient of A goes through B. If both were 0, both gradients would be 0, and nothing would ever move.

</details>

**4.** A layer of 4096 × 4096 numbers, LoRA of rank 8. What part of the layer's numbers is trained?

<details><summary>Answer</summary>

8 · (4096 + 4096) = 65,536 of 16,777,216: 0.4 %. The part falls as the layer grows.

</details>

**5.** Does LoRA make training faster by as much as it has fewer numbers?

<details><summary>Answer</summary>

No. The forward pass is a little longer, and the gradient must still be carried back through all layers. What is saved
is the product that makes the gradient of W, a third of the work, and the memory of the optimiser.

</details>

## Further reading

- E. Hu and others, *LoRA: low-rank adaptation of large language models*, 2021.
- L. Ouyang and others, *Training language models to follow instructions with human feedback*, 2022: SFT as the first
  of three steps.
- J. Wei and others, *Finetuned language models are zero-shot learners*, 2021.
- M. McCloskey, N. Cohen, *Catastrophic interference in connectionist networks*, 1989; A. Robins, *Catastrophic
  forgetting, rehearsal and pseudorehearsal*, 1995: replay.
- D. Biderman and others, *LoRA learns less and forgets less*, 2024: measured on large models.
- Z. Allen-Zhu, Y. Li, *Physics of language models: part 3.1, knowledge storage and extraction*, 2023: when a fact
  that was read can be asked for.

## Exercises

Write your answers in `exercise.c`; `exercise.h` says what is asked. `make grade29` tells how far you are,
`make hint29` helps.

- **TASK 29.1** the labels of a conversation.
- **TASK 29.2** a layer with LoRA, forwards.
- **TASK 29.3** and backwards.
- **TASK 29.4** the merge.
- **TASK 29.5** which messages stay when the context is full.

And without a computer, or with five minutes at one:

**1.** Add your country to `datasets/countries.csv`, if it is missing, change `COUNTRIES`, and train the bot again.
Then take out one fact of another country from the statements only. What does the bot say about it?

<details><summary>Answer</summary>

Something of the right kind is to be expected: some capital, some language. Nothing in the loss tells the model that a
fact of a known country is missing; that would have to be taught as well.

</details>

**2.** Someone fine-tunes with replay and reports: "asked facts 78 % instead of 82 %, replay hurts." What is missing?

<details><summary>Answer</summary>

Equal steps are not equal conversations: a quarter of the rows were articles. And the other rows of the table: what
was not asked, and what was forgotten.

</details>

**3.** Two LoRAs, for two tasks, on one model. Can both be merged? In which order?

<details><summary>Answer</summary>

Both are added to W, so the order does not matter. Whether the sum does both tasks is another question: neither was
trained beside the other.

</details>

**4.** Why is the model asked to write "The capital of Japan is Tokyo." and not only "Tokyo."?

<details><summary>Answer</summary>

The sentence is one that it has read, so what it learned about it can be used as it is. With one word, the way from
the question to the fact has to be learnt as well.

</details>

**5.** In which case would the quiz, which looks at all positions of the right answer at once, and real decoding
disagree?

<details><summary>Answer</summary>

Only about wrong answers. If one position is wrong, decoding goes on behind the wrong token and the quiz behind the
right one; but the answer is wrong in both. With a temperature above 0 they are different questions.

</details>
*/
