// SPDX-License-Identifier: MIT
/*
 * params.c: the command line, kept whole and cut into words once.
 *
 * GRUB quotes words with spaces and puts a backslash before quotes and backslashes; cutting undoes that.
 */
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"

#define LINE_SIZE 1024

static char line[LINE_SIZE];
static char words[LINE_SIZE]; /* each ends with NUL; those from `init_args` on are init's */
static const char *words_end = words;
static const char *init_args = words;

/* Copy one word from `s` to `*out` without its quotes. Returns where it ends in `s`. */
static const char *word_cut(const char *s, char **out)
{
    bool quoted = false;
    for (; *s && (quoted || *s != ' '); s++) {
        if (*s == '"') {
            quoted = !quoted;
            continue;
        }
        if (*s == '\\' && s[1])
            s++;
        *(*out)++ = *s;
    }
    *(*out)++ = '\0';
    return s;
}

void params_init(const char *command_line)
{
    bool separator_seen = false;
    char *out = words;
    string_copy(line, command_line, sizeof(line));
    for (const char *s = line; *s;) {
        if (*s == ' ') {
            s++;
            continue;
        }
        char *word = out;
        s = word_cut(s, &out);
        if (!separator_seen && !strcmp(word, "--")) {
            separator_seen = true;
            init_args = out;
        }
    }
    words_end = out;
    if (!separator_seen)
        init_args = words_end;
}

const char *params_line(void) { return line; }

const char *params_string(const char *name)
{
    size_t length = strlen(name);
    const char *found = NULL;
    for (const char *word = words; word < init_args; word += strlen(word) + 1) {
        if (strncmp(word, name, length))
            continue;
        if (word[length] == '=')
            found = word + length + 1;
        else if (!word[length])
            found = word + length;
    }
    return found;
}

static bool is_one_of(const char *s, const char *a, const char *b, const char *c)
{
    return !strcmp(s, a) || !strcmp(s, b) || !strcmp(s, c);
}

bool params_bool(const char *name, bool otherwise)
{
    const char *value = params_string(name);
    if (!value)
        return otherwise;
    if (!*value || is_one_of(value, "on", "1", "yes"))
        return true;
    return is_one_of(value, "off", "0", "no") ? false : otherwise;
}

unsigned long params_ulong(const char *name, unsigned long otherwise)
{
    const char *value = params_string(name), *end;
    if (!value)
        return otherwise;
    unsigned long number = string_to_ulong(value, &end, 0);
    return end == value || *end ? otherwise : number;
}

unsigned params_port(const char *name, unsigned otherwise)
{
    const char *value = params_string(name);
    bool is_port = value && !strncmp(value, "ttyS", 4) && value[4] >= '0' && value[4] <= '3' && !value[5];
    return is_port ? (unsigned)(value[4] - '0') : otherwise;
}

const char *params_init_arg(unsigned i)
{
    const char *word = init_args;
    for (; word < words_end && i; i--)
        word += strlen(word) + 1;
    return word < words_end ? word : NULL;
}
