// SPDX-License-Identifier: MIT
/*
 * format.c: vsnprintf.
 */
#include "kernel/lib/string.h"

/* Where text goes; what does not fit is counted all the same. */
struct output {
    char *buf;
    size_t size, length;
};

/* One conversion specification. */
struct spec {
    bool left, zero, plus, space, alternate, upper;
    int width, precision; /* precision -1: none given */
    unsigned bytes;       /* of an integer argument */
};

static void put(struct output *out, char c)
{
    if (out->length < out->size)
        out->buf[out->length] = c;
    out->length++;
}

static void put_repeated(struct output *out, char c, int count)
{
    while (count-- > 0)
        put(out, c);
}

static void put_text(struct output *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

/* `text` in a field of the given width. */
static void put_field(struct output *out, const struct spec *spec, const char *text, size_t length)
{
    int padding = spec->width - (int)length;
    if (!spec->left)
        put_repeated(out, ' ', padding);
    put_text(out, text, length);
    if (spec->left)
        put_repeated(out, ' ', padding);
}

#define DIGITS_MAX 22 /* 2^64 - 1 in octal */

/* Digits of value, from the end of `digits` downwards. Returns how many. */
static int digits_of(uint64_t value, unsigned base, bool upper, char digits[DIGITS_MAX])
{
    const char *glyphs = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    int count = 0;
    for (; value; value /= base)
        digits[DIGITS_MAX - ++count] = glyphs[value % base];
    return count;
}

/* prefix: sign or 0x. Order: blanks, prefix, zeroes, digits, blanks. */
static void put_number(struct output *out, const struct spec *spec, const char *prefix, uint64_t value,
                       unsigned base)
{
    char digits[DIGITS_MAX];
    int count = digits_of(value, base, spec->upper, digits);
    int prefix_length = (int)strlen(prefix);
    int zeroes = (spec->precision < 0 ? 1 : spec->precision) - count;
    if (spec->alternate && base == 8 && zeroes < 1)
        zeroes = 1;
    if (spec->zero && !spec->left && spec->precision < 0)
        zeroes = MAX(zeroes, spec->width - prefix_length - count);
    zeroes = MAX(zeroes, 0);
    int padding = spec->width - prefix_length - zeroes - count;
    if (!spec->left)
        put_repeated(out, ' ', padding);
    put_text(out, prefix, prefix_length);
    put_repeated(out, '0', zeroes);
    put_text(out, digits + DIGITS_MAX - count, count);
    if (spec->left)
        put_repeated(out, ' ', padding);
}

static void put_signed(struct output *out, const struct spec *spec, uint64_t raw)
{
    unsigned shift = 64 - 8 * spec->bytes;
    int64_t value = (int64_t)(raw << shift) >> shift;
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";
    put_number(out, spec, sign, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

static void put_unsigned(struct output *out, const struct spec *spec, uint64_t raw, unsigned base)
{
    unsigned shift = 64 - 8 * spec->bytes;
    uint64_t value = raw << shift >> shift;
    const char *prefix = base == 16 && spec->alternate && value ? spec->upper ? "0X" : "0x" : "";
    put_number(out, spec, prefix, value, base);
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
    for (;; fmt++) {
        switch (*fmt) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        default:
            return fmt;
        }
    }
}

/* A number in the format, or the next argument for `*`. */
static const char *parse_number(const char *fmt, int *number, va_list *args)
{
    if (*fmt == '*') {
        *number = va_arg(*args, int);
        return fmt + 1;
    }
    for (*number = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
        *number = *number * 10 + (*fmt - '0');
    return fmt;
}

static const char *parse_width(const char *fmt, struct spec *spec, va_list *args)
{
    fmt = parse_number(fmt, &spec->width, args);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = -spec->width;
    }
    spec->precision = -1;
    if (*fmt == '.')
        fmt = parse_number(fmt + 1, &spec->precision, args);
    return fmt;
}

static const char *parse_length(const char *fmt, struct spec *spec)
{
    spec->bytes = sizeof(int);
    if (fmt[0] == 'h') {
        spec->bytes = fmt[1] == 'h' ? sizeof(char) : sizeof(short);
        return fmt + (fmt[1] == 'h' ? 2 : 1);
    }
    while (*fmt == 'l' || *fmt == 'z' || *fmt == 'j') {
        spec->bytes = sizeof(long);
        fmt++;
    }
    return fmt;
}

/* An integer argument as 64 bits; only its low spec->bytes count. */
static uint64_t argument(const struct spec *spec, va_list *args)
{
    return spec->bytes == sizeof(long) ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
    text = text ? text : "(null)";
    put_field(out, spec, text, strnlen(text, spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision));
}

static void put_pointer(struct output *out, struct spec *spec, const void *pointer)
{
    spec->bytes = sizeof(pointer);
    put_number(out, spec, "0x", (uint64_t)pointer, 16);
}

static void put_conversion(struct output *out, char conversion, struct spec *spec, va_list *args)
{
    char c;
    spec->upper = conversion == 'X';
    switch (conversion) {
    case 'd':
    case 'i':
        return put_signed(out, spec, argument(spec, args));
    case 'u':
        return put_unsigned(out, spec, argument(spec, args), 10);
    case 'o':
        return put_unsigned(out, spec, argument(spec, args), 8);
    case 'x':
    case 'X':
        return put_unsigned(out, spec, argument(spec, args), 16);
    case 'p':
        return put_pointer(out, spec, va_arg(*args, const void *));
    case 's':
        return put_string(out, spec, va_arg(*args, const char *));
    case 'c':
        c = (char)va_arg(*args, int);
        return put_field(out, spec, &c, 1);
    default: /* "%%", and whatever is not known shows itself */
        return put(out, conversion);
    }
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct output out = { .buf = buf, .size = size };
    va_list rest;
    va_copy(rest, args);
    while (*fmt) {
        if (*fmt != '%') {
            put(&out, *fmt++);
            continue;
        }
        struct spec spec = { 0 };
        fmt = parse_flags(fmt + 1, &spec);
        fmt = parse_width(fmt, &spec, &rest);
        fmt = parse_length(fmt, &spec);
        if (*fmt)
            put_conversion(&out, *fmt++, &spec, &rest);
    }
    va_end(rest);
    if (size)
        buf[MIN(out.length, size - 1)] = '\0';
    return (int)out.length;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}
