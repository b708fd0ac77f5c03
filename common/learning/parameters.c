// parameters.c: named sets of parameters. See parameters.h.
#include "learning/parameters.h"
#include "base/check.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

Parameters parameters_new(Arena *arena) { return (Parameters){.arena = arena}; }

// Twice the room. The old lists stay behind in the arena: together they are smaller than the new ones.
static void grow(Place place, Parameters *set)
{
    int capacity = int_max(16, set->capacity * 2);
    Tensor **items = arena_alloc_at(place, set->arena, (size_t)capacity, sizeof *items);
    char **names = arena_alloc_at(place, set->arena, (size_t)capacity, sizeof *names);
    for (int i = 0; i < set->count; i++) {
        items[i] = set->items[i];
        names[i] = set->names[i];
    }
    set->items = items;
    set->names = names;
    set->capacity = capacity;
    set->table = name_table_new(set->arena, (size_t)capacity);
    for (int i = 0; i < set->count; i++) name_table_put(&set->table, names, i);
}

static void check_name(Place place, const Parameters *set, const char *name)
{
    check_at(place, name[0], "name it after what it is: \"first.weight\"", "a parameter needs a name");
    check_at(place, utf8_invalid(name, strlen(name)) == strlen(name), "names are UTF-8",
             "the name of parameter %d is not UTF-8 at byte %zu", set->count,
             utf8_invalid(name, strlen(name)));
    check_at(place, strcmp(name, "__metadata__") != 0,
             "choose another name: files of tensors keep notes under it",
             "a parameter cannot be named __metadata__");
    check_at(place, !parameters_find(set, name), "names are unique: put the layer's name in front",
             "parameter %s exists already", name);
}

Tensor *parameters_add_at(Place place, Parameters *set, const char *name, int rows, int cols)
{
    check_name(place, set, name);
    check_at(place, !set->block.data, "add all parameters before parameters_seal",
             "parameter %s comes too late: the set is sealed", name);
    if (set->count == set->capacity) grow(place, set);
    Tensor *parameter = parameter_new_at(place, set->arena, rows, cols);
    set->items[set->count] = parameter;
    set->names[set->count] = arena_string(set->arena, name);
    name_table_put(&set->table, set->names, set->count++);
    return parameter;
}

Tensor *parameters_find(const Parameters *set, const char *name)
{
    int number = name_table_find(&set->table, set->names, name);
    return number >= 0 ? set->items[number] : NULL;
}

size_t parameters_size(const Parameters *set)
{
    size_t size = 0;
    for (int i = 0; i < set->count; i++) size += matrix_size(set->items[i]->value);
    return size;
}

void clear_gradients(Parameters *set)
{
    for (int i = 0; i < set->count; i++) set->items[i]->has_gradient = false;
}

// Whether the name is the prefix, or goes on behind it with a dot.
static bool belongs_to(const char *name, const char *prefix)
{
    const size_t length = strlen(prefix);
    if (length == 0) return true;
    return strncmp(name, prefix, length) == 0 &&
           (name[length] == '\0' || name[length] == '.' || prefix[length - 1] == '.');
}

void parameters_freeze_at(Place place, Parameters *set, const char *prefix, bool frozen)
{
    int found = 0;
    for (int i = 0; i < set->count; i++) {
        if (!belongs_to(set->names[i], prefix)) continue;
        found++;
        set->items[i]->wants_gradient = !frozen;
        if (frozen) set->items[i]->has_gradient = false;
    }
    check_at(place, found > 0, "names are those given to parameters_add, cut at a dot",
             "parameters_freeze: no parameter is called %s", prefix[0] ? prefix : "anything");
}

// ---- From one set to another ----------------------------------------------------------------------------------

static const Tensor *counterpart(Place place, const char *operation, const Parameters *from, const char *name,
                                 Matrix value)
{
    const Tensor *other = parameters_find(from, name);
    check_at(place, other, "both sets must come from the same model", "%s: the other set has no parameter %s",
             operation, name);
    check_at(place, same_shape(other->value, value), "both sets must come from the same model",
             "%s: %s is (%d × %d) here and (%d × %d) there", operation, name, value.rows, value.cols,
             other->value.rows, other->value.cols);
    return other;
}

void parameters_copy_at(Place place, Parameters *to, const Parameters *from)
{
    for (int i = 0; i < to->count; i++)
        copy(to->items[i]->value,
             counterpart(place, "parameters_copy", from, to->names[i], to->items[i]->value)->value);
}

void parameters_average_at(Place place, Parameters *average, const Parameters *now, float decay)
{
    check_at(place, decay >= 0.0f && decay <= 1.0f, "0.999 is usual", "parameters_average: decay %g",
             (double)decay);
    for (int i = 0; i < average->count; i++) {
        Matrix value = average->items[i]->value;
        const Tensor *other = counterpart(place, "parameters_average", now, average->names[i], value);
        for (size_t k = 0; k < matrix_size(value); k++)
            value.data[k] = __builtin_fmaf(decay, value.data[k], (1.0f - decay) * other->value.data[k]);
    }
}

void parameters_share_at(Place place, Parameters *replica, const Parameters *set)
{
    check_at(place, !replica->block.data, "share first", "parameters_share: the replica is sealed");
    for (int i = 0; i < replica->count; i++) {
        Tensor *own = replica->items[i];
        const Tensor *other = counterpart(place, "parameters_share", set, replica->names[i], own->value);
        own->value = other->value;
        own->wants_gradient = other->wants_gradient;
    }
}

void parameters_gather_at(Place place, Parameters *set, Parameters *replica)
{
    for (int i = 0; i < set->count; i++) {
        const Tensor *from =
            counterpart(place, "parameters_gather", replica, set->names[i], set->items[i]->value);
        if (!from->has_gradient) continue;
        bool accumulate;
        const Matrix sum = tensor_gradient_raw(set->items[i], &accumulate);
        if (sum.data && accumulate) add(sum, sum, from->gradient);
        if (sum.data && !accumulate) copy(sum, from->gradient);
    }
    clear_gradients(replica);
}

// ---- Side by side ---------------------------------------------------------------------------------------------

enum { ALIGNED = 16 }; // numbers, one line of the cache

static size_t room_of(const Tensor *parameter)
{
    return (matrix_size(parameter->value) + ALIGNED - 1) / ALIGNED * ALIGNED;
}

void parameters_seal_at(Place place, Parameters *set)
{
    size_t size = 0, offset = 0;
    check_at(place, !set->block.data, "once is enough", "parameters_seal: the set is sealed already");
    for (int i = 0; i < set->count; i++) size += room_of(set->items[i]);
    check_at(place, size <= INT32_MAX, "a matrix has fewer than 2³¹ columns",
             "parameters_seal: %zu numbers are too many for one block", size);
    set->block = matrix_new_at(place, set->arena, 1, (int)size);
    set->block_gradient = matrix_new_at(place, set->arena, 1, (int)size);
    for (int i = 0; i < set->count; i++) {
        Tensor *parameter = set->items[i];
        Matrix value = parameter->value, gradient = parameter->gradient;
        value.data = set->block.data + offset;
        gradient.data = set->block_gradient.data + offset;
        copy(value, parameter->value);
        if (parameter->has_gradient) copy(gradient, parameter->gradient);
        parameter->value = value;
        parameter->gradient = gradient;
        offset += room_of(parameter);
    }
}

Matrix parameters_gradients_at(Place place, Parameters *set)
{
    check_at(place, set->block.data, "call parameters_seal when the model is made",
             "parameters_gradients: the set is not sealed");
    for (int i = 0; i < set->count; i++) {
        if (set->items[i]->wants_gradient)
            tensor_gradient(set->items[i]); // cleared where nothing was written
        else
            fill(set->items[i]->gradient, 0.0f);
    }
    return set->block_gradient;
}

double gradient_norm(const Parameters *set)
{
    double squares = 0.0;
    for (int i = 0; i < set->count; i++)
        if (set->items[i]->has_gradient) squares += sum_of_squares(set->items[i]->gradient);
    return sqrt(squares);
}

// g ← factor · g, where the factor may be too small for a float to hold all its digits, as 1/10³⁹ is
static void shrink(Matrix g, double factor)
{
    if (factor >= 0x1p-126) {
        scale(g, (float)factor);
    } else {
        for (size_t i = 0; i < matrix_size(g); i++) g.data[i] = (float)(factor * (double)g.data[i]);
    }
}

double clip_gradients(Parameters *set, float limit)
{
    check(limit > 0.0f, "a limit of 1 is usual", "clip_gradients: the limit is %g", (double)limit);
    double before = gradient_norm(set);
    // A norm that is infinite or not a number leaves the gradients as they are: divided by it, all that are
    // finite would become 0, and nothing would show that one was not.
    if (isfinite(before) && before > (double)limit)
        for (int i = 0; i < set->count; i++)
            if (set->items[i]->has_gradient) shrink(set->items[i]->gradient, (double)limit / before);
    return before;
}

float glorot_deviation(int inputs, int outputs)
{
    check(inputs >= 0 && outputs >= 0 && (inputs > 0 || outputs > 0), "count the features on both sides",
          "glorot_deviation: %d inputs, %d outputs", inputs, outputs);
    return sqrtf(2.0f / ((float)inputs + (float)outputs));
}

float he_deviation(int inputs)
{
    check(inputs > 0, "count the input features", "he_deviation: %d inputs", inputs);
    return sqrtf(2.0f / (float)inputs);
}
