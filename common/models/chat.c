// chat.c: a conversation with a language model. See chat.h; chat_encode.c makes tokens of it.
#include "models/chat.h"
#include "base/check.h"
#include "base/utf8.h"

enum { READ_AT_ONCE = 32 }; // tokens, between two looks at whether it shall stop

typedef struct {
    Arena *arena; // of what stands here
    const char *question, *answer;
    ChatOwns own; // of the answer
} Exchange;

struct Chat {
    Arena *arena;
    Pretrained model;
    const ChatTemplate *chat_template;
    ChatTokens tokens;
    ChatOptions options;
    Sampling sampling;
    int stops[PRETRAINED_MOST_STOPS + 1], stop_count;
    int context;
    DecoderCache *cache;
    int *read; // [context] what the cache has read
    Arena *system_arena, *problem_arena;
    const char *system;
    Exchange *exchanges;
    int count, room;
    uint64_t answers; // since the beginning
};

// ---- Opening ----------------------------------------------------------------------------------------------

static void find_stops(Chat *chat)
{
    const Pretrained *model = &chat->model;
    chat->stop_count = model->stop_count;
    memcpy(chat->stops, model->stops, (size_t)model->stop_count * sizeof *chat->stops);
    const char *eos = chat->tokens.eos;
    const int id = eos ? tokenizer_find(model->tokenizer, eos, strlen(eos)) : -1;
    if (id >= 0 && tokenizer_piece(model->tokenizer, id).added) chat->stops[chat->stop_count++] = id;
}

Chat *chat_open_at(Place place, Arena *arena, const Pretrained *model, ChatOptions options)
{
    check_at(place, model->tokenizer, "a conversation is a text: take a folder with a tokenizer.json",
             "%s: there is no tokenizer", model->folder);
    const ChatTemplate *chat_template = chat_template_open_at(place, arena, model->folder);
    check_at(place, chat_template,
             "a model without one continues texts and was not trained to answer; if you know the "
             "form that it was trained on, write it as a template to chat_template.jinja there",
             "%s: there is no chat template, neither chat_template.jinja nor \"chat_template\" in "
             "tokenizer_config.json",
             model->folder);
    Chat *chat = arena_zeros_at(place, arena, 1, sizeof *chat);
    *chat = (Chat){.arena = arena,
                   .model = *model,
                   .chat_template = chat_template,
                   .tokens = chat_template_tokens_at(place, arena, model->folder),
                   .options = options,
                   .sampling = options.sampling ? *options.sampling : model->sampling,
                   .system_arena = arena_new(),
                   .problem_arena = arena_new()};
    const int limit = model->decoder.limit, most = model->decoder.config.context;
    chat->context = int_min(most, options.context ? options.context : CHAT_MOST_CONTEXT);
    if (limit) chat->context = int_min(chat->context, limit);
    chat->cache = decoder_cache_new_at(place, arena, &model->decoder, chat->context);
    chat->read = arena_alloc_at(place, arena, (size_t)chat->context, sizeof *chat->read);
    if (options.variables) chat->options.variables = arena_string(arena, options.variables);
    find_stops(chat);
    chat_set_system(chat, options.system);
    return chat;
}

void chat_close(Chat *chat)
{
    if (!chat) return;
    chat_reset(chat);
    arena_free(chat->system_arena);
    arena_free(chat->problem_arena);
}

// ---- What was said ----------------------------------------------------------------------------------------

void chat_set_system(Chat *chat, const char *text)
{
    Arena *arena = arena_new(); // text may be the old one
    chat->system = text && *text ? arena_string(arena, text) : NULL;
    arena_free(chat->system_arena);
    chat->system_arena = arena;
}

const char *chat_system(const Chat *chat) { return chat->system; }

int chat_context(const Chat *chat) { return chat->context; }

int chat_message_count(const Chat *chat) { return (chat->system != NULL) + 2 * chat->count; }

ChatMessage chat_message(const Chat *chat, int number)
{
    check(number >= 0 && number < chat_message_count(chat), "messages count from 0",
          "chat_message: number %d of %d", number, chat_message_count(chat));
    if (chat->system && number-- == 0) return (ChatMessage){"system", chat->system};
    const Exchange *exchange = &chat->exchanges[number / 2];
    return number % 2 ? (ChatMessage){"assistant", exchange->answer}
                      : (ChatMessage){"user", exchange->question};
}

static void drop_exchanges(Chat *chat, int count)
{
    for (int i = 0; i < count; i++) arena_free(chat->exchanges[i].arena);
    chat->count -= count;
    if (chat->count)
        memmove(chat->exchanges, chat->exchanges + count, (size_t)chat->count * sizeof *chat->exchanges);
}

void chat_reset(Chat *chat)
{
    drop_exchanges(chat, chat->count);
    chat->answers = 0;
}

static void keep_exchange(Chat *chat, Exchange exchange)
{
    if (chat->count == chat->room) {
        chat->room = int_max(16, 2 * chat->room);
        Exchange *larger = arena_alloc(chat->arena, (size_t)chat->room, sizeof *larger);
        if (chat->count) memcpy(larger, chat->exchanges, (size_t)chat->count * sizeof *larger);
        chat->exchanges = larger;
    }
    chat->exchanges[chat->count++] = exchange;
}

// ---- The prompt -------------------------------------------------------------------------------------------

// Tokens of the conversation without its oldest exchanges, and with a new question
static Tokens encode_from(Place place, Arena *arena, const Chat *chat, int first, const char *question,
                          const char **problem)
{
    const int most = 2 + 2 * (chat->count - first);
    ChatMessage *messages = arena_alloc_at(place, arena, (size_t)most, sizeof *messages);
    ChatOwns *own = arena_zeros_at(place, arena, (size_t)most, sizeof *own);
    int count = 0;
    if (chat->system) messages[count++] = (ChatMessage){"system", chat->system};
    for (int i = first; i < chat->count; i++) {
        messages[count++] = (ChatMessage){"user", chat->exchanges[i].question};
        own[count] = chat->exchanges[i].own;
        messages[count++] = (ChatMessage){"assistant", chat->exchanges[i].answer};
    }
    messages[count++] = (ChatMessage){"user", question};
    const ChatRequest request = {.messages = messages,
                                 .count = count,
                                 .add_generation_prompt = true,
                                 .bos_token = chat->tokens.bos,
                                 .eos_token = chat->tokens.eos,
                                 .variables = chat->options.variables};
    return chat_encode_at(place, arena, chat->model.tokenizer, chat->chat_template, &request, own, problem);
}

static const char *too_long(Chat *chat, size_t tokens, int room)
{
    char text[256];
    snprintf(text, sizeof text, "it takes %zu tokens%s, and beside an answer there is room for %d", tokens,
             chat->system ? " with the system message" : "", int_max(0, room));
    return arena_string(chat->problem_arena, text);
}

// The tokens to be continued, at most as many as leave room for an answer. *dropped exchanges stand in it no more.
static Tokens prompt_of(Place place, Arena *arena, Chat *chat, const char *question, ChatAnswer *answer)
{
    const int quarter = int_max(1, chat->context / 4), most = chat->options.most,
              room = chat->context - (most ? int_min(most, quarter) : quarter);
    for (int first = 0;; first++) {
        const ArenaMark mark = arena_mark(arena);
        const char *problem;
        const Tokens tokens = encode_from(place, arena, chat, first, question, &problem);
        if (problem) {
            answer->problem = arena_string(chat->problem_arena, problem);
        } else if (tokens.count == 0) {
            answer->problem = "the template makes nothing of it that could be continued";
        } else if (tokens.count <= (size_t)int_max(0, room)) {
            answer->dropped = first;
            return tokens;
        } else if (first == chat->count) {
            answer->problem = too_long(chat, tokens.count, room);
        }
        if (answer->problem) return (Tokens){NULL, 0};
        arena_rewind(arena, mark);
    }
}

// ---- The answer -------------------------------------------------------------------------------------------

typedef struct {
    char *bytes;
    size_t size, room;
    ChatOwn *own;
    int own_count, own_room;
} Writing;

static void append_piece(Place place, Arena *arena, Writing *w, TokenizerPiece piece)
{
    if (w->size + piece.size > w->room) {
        w->room = 2 * (w->size + piece.size) + 256;
        char *larger = arena_alloc_at(place, arena, w->room, 1);
        if (w->size) memcpy(larger, w->bytes, w->size);
        w->bytes = larger;
    }
    if (piece.added && w->own_count == w->own_room) {
        w->own_room = int_max(16, 2 * w->own_room);
        ChatOwn *larger = arena_alloc_at(place, arena, (size_t)w->own_room, sizeof *larger);
        if (w->own_count) memcpy(larger, w->own, (size_t)w->own_count * sizeof *larger);
        w->own = larger;
    }
    if (piece.added) w->own[w->own_count++] = (ChatOwn){w->size, piece.size};
    if (piece.size) memcpy(w->bytes + w->size, piece.bytes, piece.size);
    w->size += piece.size;
}

// The bytes as a string of UTF-8, in which the model's own tokens stay what they are.
static void keep_answer(Place place, Exchange *exchange, const Writing *w)
{
    char *text =
        arena_alloc_at(place, exchange->arena, size_sum(place, size_product(place, 3, w->size), 1), 1);
    ChatOwn *own = arena_alloc_at(place, exchange->arena, (size_t)w->own_count, sizeof *own);
    size_t to = 0;
    int next = 0;
    for (size_t at = 0; at < w->size;) {
        const bool is_own = next < w->own_count && w->own[next].at == at;
        const size_t end = is_own ? at + w->own[next].size : next < w->own_count ? w->own[next].at : w->size;
        if (is_own) own[next++] = (ChatOwn){to, end - at};
        const size_t begin = to;
        do {
            uint32_t c;
            at += (size_t)utf8_decode(w->bytes + at, end - at, &c);
            to += (size_t)utf8_encode(text + to, c ? c : UTF8_REPLACEMENT);
        } while (is_own && at < end);
        if (is_own) own[next - 1].size = to - begin;
    }
    text[to] = '\0';
    exchange->answer = text;
    exchange->own = (ChatOwns){own, w->own_count};
}

static bool is_stop(const Chat *chat, int id)
{
    for (int i = 0; i < chat->stop_count; i++)
        if (chat->stops[i] == id) return true;
    return false;
}

// Brings the cache from what it has read to the prompt, → the logits after it; data NULL when that was interrupted
static Matrix read_prompt(Place place, Chat *chat, Tokens prompt, ChatAnswer *answer, ChatWrite *write,
                          void *context)
{
    const int count = (int)prompt.count, known = decoder_cache_length(chat->cache);
    int same = 0;
    while (same < known && same < count - 1 && chat->read[same] == prompt.ids[same]) same++;
    decoder_cache_cut(chat->cache, same);
    answer->prompt = count, answer->kept = same;
    Matrix logits = {0};
    for (int n; same < count; same += n) {
        if (!write(context, "", 0)) return (Matrix){0};
        n = int_min(READ_AT_ONCE, count - same);
        memcpy(chat->read + same, prompt.ids + same, (size_t)n * sizeof *chat->read);
        logits = decoder_step_at(place, &chat->model.decoder, chat->cache, prompt.ids + same, n);
    }
    return logits;
}

static ChatEnd write_answer(Place place, Chat *chat, Arena *scratch, Writing *w, Matrix logits,
                            ChatAnswer *answer, ChatWrite *write, void *context)
{
    const Pretrained *model = &chat->model;
    const int most = chat->options.most;
    Rng rng = rng_new(chat->options.seed, chat->answers);
    for (;;) {
        const int id = sample_token_at(place, logits, chat->sampling, &rng);
        if (is_stop(chat, id)) return CHAT_ENDED;
        TokenizerPiece piece = {NULL, 0, false}; // a model may have more rows than its tokenizer has pieces
        if (id < tokenizer_size(model->tokenizer)) piece = tokenizer_piece(model->tokenizer, id);
        append_piece(place, scratch, w, piece);
        answer->written++;
        if (!write(context, piece.size ? piece.bytes : "", piece.size)) return CHAT_INTERRUPTED;
        if (most && answer->written >= most) return CHAT_MOST;
        const int length = decoder_cache_length(chat->cache);
        if (length == chat->context) return CHAT_FULL;
        chat->read[length] = id;
        logits = decoder_step_at(place, &model->decoder, chat->cache, &id, 1);
    }
}

ChatAnswer chat_say_at(Place place, Chat *chat, const char *text, ChatWrite *write, void *context)
{
    ChatAnswer answer = {.end = CHAT_REFUSED};
    Arena *scratch = arena_new();
    Exchange exchange = {.arena = arena_new()};
    exchange.question = arena_string(exchange.arena, text);
    arena_reset(chat->problem_arena);
    const Tokens prompt = prompt_of(place, scratch, chat, text, &answer);
    if (prompt.ids) {
        Writing w = {NULL, 0, 0, NULL, 0, 0};
        answer.end = CHAT_INTERRUPTED;
        const Matrix logits = read_prompt(place, chat, prompt, &answer, write, context);
        if (logits.data) answer.end = write_answer(place, chat, scratch, &w, logits, &answer, write, context);
        keep_answer(place, &exchange, &w);
    }
    if (answer.end == CHAT_REFUSED || (answer.end == CHAT_INTERRUPTED && !answer.written)) {
        answer.dropped = 0;
        arena_free(exchange.arena);
    } else {
        drop_exchanges(chat, answer.dropped);
        keep_exchange(chat, exchange);
        chat->answers++;
        answer.answer = exchange.answer;
    }
    arena_free(scratch);
    return answer;
}
