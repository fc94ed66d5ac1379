/* group_list.c: OpenSSL 3.5's language for lists of groups: "?X25519MLKEM768 / *x25519:-P-384". */
#include <stdatomic.h>
#include <strings.h>

#include "config/list.h"
#include "handfast_context.h"

struct groups {
    struct ids ids;
    uint8_t tuple[CONFIG_MAX_LIST]; /* to which each belongs */
    struct ids shares;
    uint8_t tuples;
};

/* One entry, without its marks. */
struct entry {
    struct slice name;
    bool share, optional, remove;
};

static bool is(struct slice name, const char *word)
{
    return word && strlen(word) == name.len &&
           strncasecmp(word, (const char *)name.p, name.len) == 0;
}

static void drop(struct ids *ids, uint8_t *tuple, uint16_t id)
{
    size_t n = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->id[i] == id)
            continue;
        if (tuple)
            tuple[n] = tuple[i];
        ids->id[n++] = ids->id[i];
    }
    ids->count = n;
}

static void add(struct groups *g, uint16_t id, bool share)
{
    if (!ids_has(&g->ids, id) && g->ids.count < CONFIG_MAX_LIST) {
        g->tuple[g->ids.count] = g->tuples;
        g->ids.id[g->ids.count++] = id;
    }
    if (share && !ids_has(&g->shares, id) && g->shares.count < CONFIG_MAX_LIST)
        g->shares.id[g->shares.count++] = id;
}

static bool find(struct slice name, uint16_t *id)
{
    struct named row;
    if (is(name, "prime256v1")) { /* X9.62's name, which OpenSSL uses */
        *id = 0x0017;
        return true;
    }
    for (size_t i = 0; group_named(i, &row); i++) {
        if (row.available && (is(name, row.name) || is(name, row.alias))) {
            *id = row.id;
            return true;
        }
    }
    return false;
}

static void add_defaults(struct groups *g)
{
    size_t count;
    const struct group *table = group_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].by_default && group_find(table[i].id))
            add(g, table[i].id, false);
    }
}

static bool bad(hf_error *err, const char *why, const struct entry *e)
{
    return err_set(err, HF_E_CONFIG, "the list of groups: '%.*s': %s",
                   e->name.len > 40 ? 40 : (int)e->name.len, (const char *)e->name.p, why);
}

static bool take(struct groups *g, const struct entry *e, hf_error *err)
{
    uint16_t id = 0;
    bool marks = e->share || e->optional || e->remove;

    if (!e->name.len)
        return bad(err, "a name is missing", e);
    if (e->share && e->remove)
        return bad(err, "'*' and '-' contradict each other", e);
    if (is(e->name, "DEFAULT")) {
        if (marks)
            return bad(err, "DEFAULT takes no marks", e);
        add_defaults(g);
        return true;
    }
    if (!find(e->name, &id))
        return e->optional || bad(err, "unknown group (a '?' before it would ignore that)", e);
    if (e->remove) {
        drop(&g->ids, g->tuple, id);
        drop(&g->shares, NULL, id);
    } else {
        add(g, id, e->share);
    }
    return true;
}

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static bool parse(const char *list, struct groups *g, hf_error *err)
{
    for (const char *s = list;; s++) {
        struct entry e = {0};
        for (s = skip_blanks(s); *s == '*' || *s == '?' || *s == '-'; s = skip_blanks(s + 1)) {
            bool *mark = *s == '*' ? &e.share : *s == '?' ? &e.optional : &e.remove;
            if (*mark)
                return err_set(err, HF_E_CONFIG,
                               "the list of groups: '%c' stands twice at "
                               "byte %zu",
                               *s, (size_t)(s - list));
            *mark = true;
        }
        size_t n = strcspn(s, ":/ \t");
        e.name = slice_of(s, n);
        if (!take(g, &e, err))
            return false;
        s = skip_blanks(s + n);
        if (!*s)
            return true;
        if (*s == '/')
            g->tuples++;
        else if (*s != ':')
            return err_set(err, HF_E_CONFIG,
                           "the list of groups: ':' or '/' is missing at byte %zu",
                           (size_t)(s - list));
    }
}

bool hf_config_set_group_list(hf_config *config, const char *list)
{
    struct groups g = {0};

    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    if (!list || strlen(list) > 4096)
        return err_set(&config->error, HF_E_CONFIG, "the list of groups is %s",
                       list ? "longer than 4096 bytes" : "NULL");
    if (!parse(list, &g, &config->error))
        return false;
    if (!g.ids.count)
        return err_set(&config->error, HF_E_CONFIG,
                       "the list of groups has none that is known");
    config->groups = g.ids;
    config->group_ties = (struct ties){0};
    for (size_t i = 0; g.tuples && i + 1 < g.ids.count; i++) {
        if (g.tuple[i] == g.tuple[i + 1])
            config->group_ties.bits[i / 8] |= (uint8_t)(1u << (i % 8));
    }
    config->group_first = g.tuples > 0;
    config->key_shares = g.shares;
    config->key_shares_set = g.shares.count > 0;
    return true;
}
