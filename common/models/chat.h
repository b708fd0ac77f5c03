// chat.h: a conversation with a language model out of a folder in the layout of Hugging Face.
//
//     const Pretrained model = pretrained_open(arena, "models/29-sft-lora");
//     Chat *chat = chat_open(arena, &model, .system = "Be brief.");
//     ChatAnswer answer = chat_say(chat, "What is the capital of France?", write, NULL);
//     answer = chat_say(chat, "And how many people live there?", write, NULL);     // it knows what was said before
//     chat_close(chat);
//
// For each answer the whole conversation goes through the model's template (models/chat_template.h) and becomes tokens. Of
// these, the keys and values of as many stay in the cache as are the same as in the turn before, so that a turn costs only what
// is new; the logits are equal bit for bit to those of a cache that begins anew (models/decoder.h). What is not kept is read
// again: a template may leave earlier thoughts out, and the model may have written its answer in other tokens than those
// that its text is cut into.
//
// A conversation that outgrows the context loses its oldest exchanges, a question and its answer at once. The system message
// and the new question stay.
//
// A template and what people type are both untrusted input. A folder without a template stops the program; what a template
// refuses is told in the answer, and the conversation is as before.
#pragma once
#include "models/chat_template.h"
#include "models/pretrained.h"

// ---- A conversation as tokens ---------------------------------------------------------------------------------------------

// Part of a message's content that is an added token which the model itself has written.
typedef struct {
    size_t at, size;
} ChatOwn;

typedef struct {
    const ChatOwn *items; // in their order
    int count;
} ChatOwns;

// The request, rendered and encoded: the tokens of the whole text, in which only those added tokens count ("<|im_end|>") that
// the template has written, or, with own [request->count], the model. Where the contents of a message spell one, it is encoded
// as the characters that it consists of: nobody can end their turn, or speak in another's. The template sees such a content with
// a character for private use in the midst of what it spells, so that it does not take it for the token either.
//
// Contents that spell none are given to the template as they are, and the tokens are those of tokenizer_encode of its text.
// Messages among request->variables count as the template's own words. own NULL: the model has written none.
//
// NULL ids when the template refuses, or when normalising (models/tokenizer.h, step 2) would turn what was typed into an
// added token; *problem then says so.
#define chat_encode(arena, tokenizer, template, request, ...) /* own, problem */                             \
    chat_encode_at(HERE, arena, tokenizer, template, request, __VA_ARGS__)
Tokens chat_encode_at(Place place, Arena *arena, Tokenizer *tokenizer, const ChatTemplate *chat_template,
                      const ChatRequest *request, const ChatOwns *own, const char **problem);

// ---- A conversation -------------------------------------------------------------------------------------------------------

enum { CHAT_MOST_CONTEXT = 4096 }; // where nothing else is said: caches of long contexts take gigabytes

typedef struct Chat Chat;

typedef struct {
    const char *system;       // NULL or "": none
    const Sampling *sampling; // NULL: as generation_config.json says
    int most;                 // tokens of an answer; 0: until it ends or the context is full
    int context;              // tokens, no more than the model has; 0: CHAT_MOST_CONTEXT
    uint64_t seed;            // answer n after the beginning draws from rng_new(seed, n), n = 0, 1, …
    const char *variables;    // of the template (ChatRequest), such as {"enable_thinking": false}, or NULL
} ChatOptions;

typedef enum {
    CHAT_ENDED, // the model has ended its answer
    CHAT_MOST,  // it has as many tokens as it may have
    CHAT_FULL,  // the context is full
    CHAT_INTERRUPTED, // write said so; what was written stays, as an answer. Nothing written: as if nothing was said
    CHAT_REFUSED // nothing has changed; problem says why
} ChatEnd;

typedef struct {
    ChatEnd end;
    int prompt;                   // tokens of the conversation before the answer
    int kept;                     // as many of them were in the cache already
    int written;                  // tokens of the answer, without the one that ends it
    int dropped;                  // exchanges that were left out now, the oldest
    const char *answer, *problem; // NULL: none; they live until the next call
} ChatAnswer;

// Is called after each token with its bytes, which may end within a character and may be anything, and with none (size 0)
// while a long conversation is being read. false: stop now.
typedef bool ChatWrite(void *context, const char *bytes, size_t size);

// The model must stay open. A folder that has no template or no tokenizer stops the program.
#define chat_open(arena, model, ...)                                                                         \
    chat_open_at(HERE, arena, model, (ChatOptions){.context = 0, __VA_ARGS__})
Chat *chat_open_at(Place place, Arena *arena, const Pretrained *model, ChatOptions options);
void chat_close(Chat *chat); // NULL is allowed

// Says a text, in UTF-8, and lets the model answer. A quarter of the context is kept free for the answer, or `most` tokens if
// that is less.
#define chat_say(chat, text, write, context) chat_say_at(HERE, chat, text, write, context)
ChatAnswer chat_say_at(Place place, Chat *chat, const char *text, ChatWrite *write, void *context);

void chat_reset(Chat *chat); // forgets the conversation; the system message stays
void chat_set_system(Chat *chat, const char *text);
const char *chat_system(const Chat *chat); // NULL: none
int chat_context(const Chat *chat);        // tokens

// What the model will see of the conversation: the system message if there is one, then questions and answers in turn.
int chat_message_count(const Chat *chat);
ChatMessage chat_message(const Chat *chat, int number);
