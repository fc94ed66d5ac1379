/* list.c: lists of names into lists of numbers. */
#include "config/list.h"

#include <stdio.h>
#include <strings.h>

#include "crypto/random.h"

#define NAME_MAX_LEN 48 /* longer than any name in the tables */

bool ids_has(const struct ids *ids, uint16_t id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->id[i] == id)
            return true;
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *name, const char *s, size_t len)
{
    return name && strlen(name) == len && strncasecmp(name, s, len) == 0;
}

/* The number of single-character edits between a name and what was written. */
static size_t distance(const char *name, const char *s, size_t len)
{
    size_t row[NAME_MAX_LEN + 1];
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; name[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t best = diagonal + (lower(name[i - 1]) != lower(s[j - 1]));
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len];
}

/* A typing mistake is answered with the name that was probably meant: about a third of it may be wrong. */
static const char *nearest(named_fn table, const char *s, size_t len)
{
    const char *best = NULL;
    size_t best_distance = len < 4 ? 0 : len / 3 + 2;
    struct named row;

    if (len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; table(i, &row); i++) {
        const char *names[2] = {row.name, row.alias};
        for (size_t k = 0; k < 2; k++) {
            size_t d = names[k] ? distance(names[k], s, len) : best_distance;
            if (d < best_distance) {
                best_distance = d;
                best = names[k];
            }
        }
    }
    return best;
}

/* All that can be had, if that is not too long for a message. */
static bool names_of(named_fn table, char *out, size_t size)
{
    size_t used = 0;
    struct named row;

    for (size_t i = 0; table(i, &row); i++) {
        if (!row.available)
            continue;
        int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "", row.name);
        if (n < 0 || (size_t)n >= size - used)
            return false;
        used += (size_t)n;
    }
    return used > 0;
}

static bool unknown(const char *what, named_fn table, const char *s, size_t len, hf_error *err)
{
    const char *near = nearest(table, s, len);
    int shown = len > 64 ? 64 : (int)len;
    char all[160];
    if (!near && names_of(table, all, sizeof all))
        return err_set(err, HF_E_CONFIG, "unknown %s '%.*s': there are %s", what, shown, s,
                       all);
    return err_set(err, HF_E_CONFIG, "unknown %s '%.*s'%s%s%s", what, shown, s,
                   near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static bool find_name(const char *what, named_fn table, const char *s, size_t len, uint16_t *id,
                      hf_error *err)
{
    struct named row;
    for (size_t i = 0; table(i, &row); i++) {
        if (!same_name(row.name, s, len) && !same_name(row.alias, s, len))
            continue;
        if (!row.available)
            return err_set(err, HF_E_CONFIG, "%s %s is not in this libcrypto (%s)", what,
                           row.name, crypto_version());
        *id = row.id;
        return true;
    }
    return unknown(what, table, s, len, err);
}

/* Where a list is being read: within brackets, names are of equal rank. */
struct ranking {
    struct ties *ties; /* NULL: this list has no brackets */
    bool open;
    size_t first; /* entries before the bracket */
};

static bool bracket(const char *what, char c, size_t count, struct ranking *r, hf_error *err)
{
    bool opens = c == '[';
    if (!r->ties)
        return err_set(err, HF_E_CONFIG, "the list of %ss knows no brackets", what);
    if (c == '|' && !r->open)
        return err_set(err, HF_E_CONFIG, "the list of %ss: '|' stands within brackets only",
                       what);
    if (c != '|' && opens == r->open)
        return err_set(err, HF_E_CONFIG, "the list of %ss: '%c' does not belong here", what, c);
    if (c != '|')
        r->open = opens;
    if (opens)
        r->first = count;
    return true;
}

static void add(struct ids *ids, uint16_t id, const struct ranking *r)
{
    /* Tables are shorter than CONFIG_MAX_LIST and nothing is listed twice: it always fits. */
    if (ids_has(ids, id) || ids->count >= CONFIG_MAX_LIST)
        return;
    if (r->open && ids->count > r->first)
        r->ties->bits[(ids->count - 1) / 8] |= (uint8_t)(1u << ((ids->count - 1) % 8));
    ids->id[ids->count++] = id;
}

bool list_parse_ranked(const char *what, named_fn table, const char *list, bool may_be_empty,
                       struct ids *out, struct ties *ties, hf_error *err)
{
    static const char separators[] = ":, \t\r\n", ends[] = ":, \t\r\n[|]";
    struct ids ids = {0};
    struct ties found = {0};
    struct ranking r = {.ties = ties ? &found : NULL};

    if (!list)
        return err_set(err, HF_E_USAGE, "the list of %ss is NULL", what);
    for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
        size_t len = strcspn(list, ends);
        uint16_t id = 0;
        if (!len) {
            if (!bracket(what, *list++, ids.count, &r, err))
                return false;
            continue;
        }
        if (!find_name(what, table, list, len, &id, err))
            return false;
        add(&ids, id, &r);
        list += len;
    }
    if (r.open)
        return err_set(err, HF_E_CONFIG, "the list of %ss: a bracket is not closed", what);
    if (ids.count == 0 && !may_be_empty)
        return err_set(err, HF_E_CONFIG, "the list of %ss is empty: name at least one", what);
    *out = ids;
    if (ties)
        *ties = found;
    return true;
}

bool list_parse(const char *what, named_fn table, const char *list, bool may_be_empty,
                struct ids *out, hf_error *err)
{
    return list_parse_ranked(what, table, list, may_be_empty, out, NULL, err);
}

void ranked(const struct ids *ours, const struct ties *ties, const struct ids *theirs,
            struct ids *out)
{
    out->count = 0;
    for (size_t i = 0, end; i < ours->count; i = end) {
        struct ids rank = {0};
        for (end = i; end < ours->count; end++) {
            rank.id[rank.count++] = ours->id[end];
            if (!ties_has(ties, end)) {
                end++;
                break;
            }
        }
        for (size_t k = 0; k < theirs->count; k++) {
            if (ids_has(&rank, theirs->id[k]) && !ids_has(out, theirs->id[k]))
                out->id[out->count++] = theirs->id[k];
        }
    }
}

static struct slice trimmed(const char *s, size_t len)
{
    while (len > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        len--;
    }
    while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    return slice_of(s, len);
}

bool list_parse_alpn(const char *list, uint8_t **out, size_t *out_len, hf_error *err)
{
    /* Each name takes a length byte and gives up a comma (or the end), so this is enough. */
    size_t len = 0;
    uint8_t *names = mem_new(strlen(list) + 2);

    if (!names)
        return err_set(err, HF_E_NO_MEMORY, "for the application protocols");
    for (const char *s = list;; s++) {
        size_t n = strcspn(s, ",");
        struct slice name = trimmed(s, n);
        if (name.len == 0 || name.len > 255) {
            mem_free(names);
            return err_set(
                err, HF_E_CONFIG,
                "application protocols '%.60s': a name of %zu bytes at byte %zu (1 to "
                "255 are allowed)",
                list, name.len, (size_t)(s - list));
        }
        names[len++] = (uint8_t)name.len;
        memcpy(names + len, name.p, name.len);
        len += name.len;
        s += n;
        if (!*s)
            break;
    }
    if (len > 65535) {
        mem_free(names);
        return err_set(err, HF_E_CONFIG,
                       "application protocols: %zu bytes in all (at most 65535)", len);
    }
    *out = names;
    *out_len = len;
    return true;
}
