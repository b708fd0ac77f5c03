// object.c: see object.h. Every offset of the file is compared with its size before it is followed.
#include "tests/grader/object.h"

#include <ctype.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "tests/grader/listing.h"

typedef struct {
    const char *bytes;
    size_t size;
    Elf64_Ehdr header;
} File;

static bool take(const File *file, uint64_t offset, void *out, size_t size)
{
    if (offset > file->size || size > file->size - offset) return false;
    memcpy(out, file->bytes + offset, size);
    return true;
}

static bool take_section(const File *file, unsigned i, Elf64_Shdr *section)
{
    return i < file->header.e_shnum &&
           take(file, file->header.e_shoff + (uint64_t)i * sizeof *section, section, sizeof *section);
}

// The string at offset of a table; NULL when it does not end within the table.
static const char *text_at(const File *file, const Elf64_Shdr *table, uint64_t offset)
{
    if (table->sh_offset > file->size || table->sh_size > file->size - table->sh_offset ||
        offset >= table->sh_size)
        return NULL;
    const char *text = file->bytes + table->sh_offset + offset;
    return memchr(text, '\0', table->sh_size - offset) ? text : NULL;
}

static void add_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);
    if (strlen(name) + used + 2 <= size) snprintf(list + used, size - used, "%s ", name);
}

static bool refuse_object(Object *object, const char *what, const char *name)
{
    snprintf(object->message, sizeof object->message, "%s %.60s", what, name);
    return false;
}

// Sections that the assembler adds to those of the listing.
static bool is_own(const char *name)
{
    static const char *const own[] = {"",         ".symtab",       ".strtab",   ".shstrtab",
                                      ".comment", ".llvm_addrsig", ".eh_frame", ".symtab_shndx"};
    if (strncmp(name, ".rela.", 6) == 0) return is_own(name + 5) || section_allowed(name + 5, NULL);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(name, own[i]) == 0) return true;
    return false;
}

static bool starts(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

static void read_symbols(const File *file, const Elf64_Shdr *table, Object *object)
{
    Elf64_Shdr names;
    Elf64_Sym symbol;
    if (!take_section(file, table->sh_link, &names)) return;
    for (uint64_t at = 0; table->sh_size - at >= sizeof symbol && at < table->sh_size; at += sizeof symbol) {
        if (!take(file, table->sh_offset + at, &symbol, sizeof symbol)) return;
        const char *name = text_at(file, &names, symbol.st_name);
        int type = ELF64_ST_TYPE(symbol.st_info);
        if (!name || !*name) continue;
        if (symbol.st_shndx == SHN_UNDEF)
            add_name(object->wanted, sizeof object->wanted, name);
        else if (type == STT_FUNC || type == STT_GNU_IFUNC)
            add_name(object->functions, sizeof object->functions, name);
    }
}

bool read_object(const char *bytes, size_t size, Object *object)
{
    File file = {.bytes = bytes, .size = size};
    Elf64_Shdr section, names;
    uint64_t variables = 0;
    *object = (Object){.message = ""};
    if (!take(&file, 0, &file.header, sizeof file.header) ||
        memcmp(file.header.e_ident, ELFMAG, SELFMAG) != 0 || file.header.e_ident[EI_CLASS] != ELFCLASS64 ||
        file.header.e_shentsize != sizeof section || !take_section(&file, file.header.e_shstrndx, &names))
        return refuse_object(object, "the compiler made no object file", "that can be read");
    for (unsigned i = 0; i < file.header.e_shnum; i++) {
        const char *name = take_section(&file, i, &section) ? text_at(&file, &names, section.sh_name) : NULL;
        if (!name) return refuse_object(object, "the object file", "has sections without a name");
        if (!section_allowed(name, NULL) && !is_own(name))
            return refuse_object(object, "has a section that no exercise needs:", name);
        object->runs_early = object->runs_early || starts(name, ".init_array") || starts(name, ".fini_array");
        object->runs_first = object->runs_first || starts(name, ".preinit_array");
        if (section.sh_flags & SHF_ALLOC) {
            variables += section.sh_size < UINT32_MAX ? section.sh_size : UINT32_MAX;
            if (section.sh_addralign > LARGEST_ALIGNMENT)
                return refuse_object(object, "has too large an alignment in section", name);
        }
        if (section.sh_type == SHT_SYMTAB) read_symbols(&file, &section, object);
    }
    object->too_large = variables > LARGEST_VARIABLES;
    if (object->too_large) say_too_large(variables, object->message, sizeof object->message);
    return !object->too_large;
}

// ---- Names that are nearly right -----------------------------------------------------------------------

enum { LONGEST_NAME = 80 };

// How many letters must be changed, put in or left out to make b of a; a letter's case and '_' count nothing.
static int distance(const char *a, const char *b)
{
    int row[LONGEST_NAME + 1], length = 0;
    char letters[LONGEST_NAME];
    for (; *b && length < LONGEST_NAME; b++)
        if (*b != '_') letters[length++] = (char)tolower((unsigned char)*b);
    for (int j = 0; j <= length; j++) row[j] = j;
    for (int i = 1; *a; a++) {
        if (*a == '_') continue;
        int before = row[0];
        row[0] = i++;
        for (int j = 1; j <= length; j++) {
            int change = before + (tolower((unsigned char)*a) != letters[j - 1]);
            before = row[j];
            int either = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < either ? change : either;
        }
    }
    return row[length];
}

void likeliest(const char *functions, const char *wanted, char *name, size_t size)
{
    int best = (int)strlen(wanted) / 4 + 1;
    name[0] = '\0';
    for (const char *at = functions; *at;) {
        char one[LONGEST_NAME];
        size_t length = strcspn(at, " ");
        snprintf(one, sizeof one, "%.*s", (int)length, at);
        int changes = length < sizeof one ? distance(one, wanted) : best;
        if (changes < best) {
            best = changes;
            snprintf(name, size, "%s", one);
        }
        at += length + (at[length] == ' ');
    }
}
