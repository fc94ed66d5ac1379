/* scan_tasks.c: what is asked, in which order, and by how many connections at once. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes/names.h"
#include "cli/dial.h"
#include "cli/report.h"
#include "cli/scan_hello.h"
#include "cli/settings.h"
#include "message/message.h"

enum { PART = 60, AGAIN_MS = 200, MOST_PARALLEL = 64 };

/* ---------------------------------------------------------------- certificates */

static bool same_chain(const struct scan_chain *c, const struct slice *der)
{
    size_t len = 0;
    const uint8_t *p = hf_certificate_der(c->certificate[0], &len);
    return len == der[0].len && memcmp(p, der[0].p, len) == 0;
}

static void add_chain(struct scan_result *r, const struct slice *der, size_t count)
{
    struct scan_chain *c = &r->chain[r->chains];
    for (size_t i = 0; i < count && c->count < 16; i++) {
        c->certificate[c->count] = hf_certificate_parse(der[i].p, der[i].len, NULL);
        if (!c->certificate[c->count])
            break;
        c->count++;
    }
    if (c->count)
        r->chains++;
}

void scan_keep_chain(struct scan *s, const struct slice *der, size_t count,
                     const hf_error *verdict)
{
    struct scan_result *r = s->r;
    pthread_mutex_lock(&s->lock);
    size_t i = 0;
    while (i < r->chains && !same_chain(&r->chain[i], der))
        i++;
    if (i == r->chains && r->chains < SCAN_CHAINS)
        add_chain(r, der, count);
    if (i < r->chains && verdict && !r->chain[i].judged) {
        r->chain[i].judged = true;
        r->chain[i].verdict = *verdict;
    }
    pthread_mutex_unlock(&s->lock);
}

static void keep_message(struct scan *s, const struct answer *a)
{
    struct rd_msg m = {.name = "Certificate"};
    if (!a->certificates)
        return;
    struct certificate_list *list = malloc(sizeof *list);
    struct slice der[16];
    size_t count = 0;
    struct rd r = rd_start(&m, a->certificates, a->certificates_len, MSG_HEADER);
    if (list && msg_read_certificate12(&r, list))
        for (; count < 16 && count < list->count; count++)
            der[count] = list->entry[count].data;
    if (count)
        scan_keep_chain(s, der, count, NULL);
    free(list);
}

/* ---------------------------------------------------------------- asking */

static struct hello hello_of(const struct scan *s, uint16_t version,
                             const struct numbers *suites)
{
    return (struct hello){.version = version,
                          .suites = suites,
                          .groups = version >= HF_TLS1_3 ? &s->groups13 : &s->groups,
                          .schemes = version >= HF_TLS1_2 ? &s->schemes : NULL,
                          .name = s->sni ? s->name : NULL,
                          .plain = version < HF_TLS1_0};
}

static bool worth_again(const struct answer *a)
{
    return a->kind == ANSWER_RESET || a->kind == ANSWER_NO_DOOR || a->kind == ANSWER_SILENT;
}

/* Once more where a server that has answered before does not: it may have been busy. */
static void ask_twice(struct scan *s, const struct hello *h, bool flight, struct answer *a)
{
    scan_ask(s, h, flight, a);
    if (!worth_again(a) || atomic_load(&s->gave_up))
        return;
    struct timespec t = {.tv_nsec = AGAIN_MS * 1000000L};
    nanosleep(&t, NULL);
    answer_clear(a);
    scan_ask(s, h, flight, a);
}

static bool is_suite_of(const struct answer *a, uint16_t version, const struct numbers *list)
{
    return a->kind == ANSWER_HELLO && a->version == version && numbers_have(list, a->suite);
}

/* ---------------------------------------------------------------- suites of a version */

static void keep_suite(struct scan *s, struct scan_offer *o, struct answer *a)
{
    keep_message(s, a);
    if (!o->taken) {
        o->taken = true;
        o->hello_time = a->hello_time;
        o->shown = *a;
        o->shown.certificates = NULL;
    }
    o->shown.stapled |= a->stapled;
    o->shown.encrypt_then_mac |= a->encrypt_then_mac; /* only CBC suites have it */
    o->suite[o->count++] = (struct scan_suite){
        .id = a->suite, .group = a->group, .dh_bits = a->dh_bits, .dh_named = a->dh_named};
}

/* Offers what is left until the server refuses. The first answer may have come already. */
static void take_all(struct scan *s, uint16_t version, struct numbers *left,
                     struct scan_offer *o)
{
    struct hello h = hello_of(s, version, left);
    while (left->count) {
        struct answer a;
        ask_twice(s, &h, version < HF_TLS1_3, &a);
        bool good = is_suite_of(&a, version, left) && o->count < SCAN_NUMBERS;
        if (good) {
            keep_suite(s, o, &a);
            numbers_remove(left, a.suite);
        } else if (!o->taken) {
            o->refusal = a;
            o->refusal.certificates = NULL;
        } else {
            o->cut = worth_again(&a);
        }
        answer_clear(&a);
        if (!good)
            return;
    }
}

/* Servers that cannot read a long hello are asked by parts; the order is then not known. */
static void take_parts(struct scan *s, uint16_t version, const struct numbers *all,
                       struct scan_offer *o)
{
    for (size_t at = 0; at < all->count; at += PART) {
        struct numbers part = {0};
        for (size_t i = at; i < all->count && i < at + PART; i++)
            numbers_add(&part, all->n[i]);
        take_all(s, version, &part, o);
        if (at == 0 && !o->taken)
            return; /* what matters is in the first part */
        if (o->cut)
            return;
    }
}

static bool may_be_length(const struct scan_offer *o)
{
    const struct answer *a = &o->refusal;
    return !o->taken && a->kind != ANSWER_HELLO && a->kind != ANSWER_STRANGE &&
           a->kind != ANSWER_NO_DOOR && !(a->kind == ANSWER_ALERT && a->alert == 70);
}

static uint16_t choice_of(struct scan *s, uint16_t version, const struct numbers *list)
{
    struct hello h = hello_of(s, version, list);
    struct answer a;
    ask_twice(s, &h, false, &a);
    uint16_t suite = is_suite_of(&a, version, list) ? a.suite : 0;
    answer_clear(&a);
    return suite;
}

static void split_chacha(const struct scan_offer *o, struct numbers *with,
                         struct numbers *without)
{
    for (size_t i = 0; i < o->count; i++)
        numbers_add(scan_suite_marks(o->suite[i].id) & SUITE_CHACHA ? with : without,
                    o->suite[i].id);
}

/* Whose order counts: the same suites, the other way round. ChaCha20 is looked at alone: clients without AES
 * in hardware put it first, and some servers follow that and nothing else. */
static void find_order(struct scan *s, uint16_t version, struct scan_offer *o)
{
    struct numbers chacha = {0}, list = {0}, reversed = {0};
    if (o->count < 2 || o->by_parts)
        return;
    split_chacha(o, &chacha, &list);
    if (list.count < 2)
        for (list.count = 0; list.count < o->count; list.count++)
            list.n[list.count] = o->suite[list.count].id;
    for (size_t i = list.count; i-- > 0;)
        numbers_add(&reversed, list.n[i]);
    uint16_t chosen = choice_of(s, version, &reversed);
    o->order = !chosen                   ? ORDER_UNKNOWN
               : chosen == list.n[0]     ? ORDER_SERVER
               : chosen == reversed.n[0] ? ORDER_CLIENT
                                         : ORDER_MIXED;
    if (o->order != ORDER_SERVER || !chacha.count || list.count == o->count ||
        o->suite[0].id == chacha.n[0])
        return;
    for (size_t i = 0; i < list.count; i++)
        numbers_add(&chacha, list.n[i]);
    if (scan_suite_marks(choice_of(s, version, &chacha)) & SUITE_CHACHA)
        o->order = ORDER_SERVER_CHACHA;
}

static void ask_version(struct scan *s, enum scan_version v)
{
    struct scan_offer *o = &s->r->offer[v];
    uint16_t version = scan_version_number(v);
    const struct numbers *all = version >= HF_TLS1_3 ? &s->suites13 : &s->suites;
    struct numbers left = *all;
    take_all(s, version, &left, o);
    if (all->count > PART && may_be_length(o)) {
        struct answer before = o->refusal;
        take_parts(s, version, all, o);
        o->by_parts = o->taken;
        if (!o->taken)
            o->refusal = before;
    }
    find_order(s, version, o);
}

static void ask_ssl2(struct scan *s)
{
    struct scan_offer *o = &s->r->offer[SCAN_SSL2];
    struct answer a;
    scan_ask_ssl2(s, &a);
    o->taken = a.kind == ANSWER_HELLO && a.version == 0x0002;
    o->hello_time = a.hello_time;
    o->refusal = a;
    answer_clear(&a);
}

static void ask_ssl3(struct scan *s)
{
    ask_version(s, SCAN_SSL3);
}

static void ask_tls10(struct scan *s)
{
    ask_version(s, SCAN_TLS10);
}

static void ask_tls11(struct scan *s)
{
    ask_version(s, SCAN_TLS11);
}

static void ask_tls12(struct scan *s)
{
    ask_version(s, SCAN_TLS12);
}

static void ask_tls13(struct scan *s)
{
    ask_version(s, SCAN_TLS13);
}

/* ---------------------------------------------------------------- groups and signatures */

static struct scan_offer *best_old(const struct scan *s)
{
    for (int v = SCAN_TLS12; v >= SCAN_SSL3; v--)
        if (s->r->offer[v].taken)
            return &s->r->offer[v];
    return NULL;
}

static uint16_t version_of(const struct scan *s, const struct scan_offer *o)
{
    return scan_version_number((enum scan_version)(o - s->r->offer));
}

static void suites_with(const struct scan_offer *o, unsigned marks, struct numbers *out)
{
    *out = (struct numbers){0};
    for (size_t i = 0; i < o->count; i++)
        if ((scan_suite_marks(o->suite[i].id) & marks) == marks)
            numbers_add(out, o->suite[i].id);
}

/* Asks with what is left of `left`, until the server takes none of it. `with`: what was found stays in the
 * list, at its end. */
static void take_groups(struct scan *s, const struct hello *like, struct numbers *left,
                        struct numbers *found, bool with)
{
    struct numbers asked;
    struct hello h = *like;
    h.groups = &asked;
    while (left->count) {
        struct answer a;
        asked = *left;
        for (size_t i = 0; with && i < found->count; i++)
            numbers_add(&asked, found->n[i]);
        ask_twice(s, &h, h.version < HF_TLS1_3, &a);
        uint16_t group = is_suite_of(&a, h.version, h.suites) ? a.group : 0;
        answer_clear(&a);
        if (!group || !numbers_have(left, group))
            return;
        numbers_add(found, group);
        numbers_remove(left, group);
    }
}

static bool follows_client(struct scan *s, const struct hello *like,
                           const struct numbers *found)
{
    struct hello h = *like;
    struct numbers reversed = {0};
    struct answer a;
    if (found->count < 2)
        return false;
    for (size_t i = found->count; i-- > 0;)
        numbers_add(&reversed, found->n[i]);
    h.groups = &reversed;
    ask_twice(s, &h, h.version < HF_TLS1_3, &a);
    bool last = a.kind == ANSWER_HELLO && a.group == found->n[found->count - 1];
    answer_clear(&a);
    return last;
}

static void ask_groups13(struct scan *s)
{
    struct numbers left = s->groups13, suites;
    suites_with(&s->r->offer[SCAN_TLS13], 0, &suites);
    struct hello h = hello_of(s, HF_TLS1_3, &suites);
    take_groups(s, &h, &left, &s->r->groups13, false);
    s->r->groups13_client = follows_client(s, &h, &s->r->groups13);
}

static void ask_groups12(struct scan *s)
{
    const struct scan_offer *o = best_old(s);
    struct numbers left = s->groups, suites;
    suites_with(o, SUITE_ECDHE, &suites);
    if (!suites.count)
        return;
    struct hello h = hello_of(s, version_of(s, o), &suites);
    take_groups(s, &h, &left, &s->r->groups12, false);
    /* An ECDSA certificate's curve must be in the list (RFC 8422 5.3): without it there may be more. */
    take_groups(s, &h, &left, &s->r->groups12, true);
    s->r->groups12_client = follows_client(s, &h, &s->r->groups12);
}

static void ask_schemes12(struct scan *s)
{
    struct scan_offer *o = &s->r->offer[SCAN_TLS12];
    struct numbers left = s->schemes, suites;
    struct scan_result *r = s->r;
    suites_with(o, SUITE_SIGNED, &suites);
    struct hello h = hello_of(s, HF_TLS1_2, &suites);
    h.schemes = &left;
    while (suites.count && left.count) {
        struct answer a;
        ask_twice(s, &h, true, &a);
        uint16_t scheme = is_suite_of(&a, HF_TLS1_2, &suites) ? a.scheme : 0;
        keep_message(s, &a);
        answer_clear(&a);
        if (!scheme)
            return;
        if (!numbers_have(&left, scheme)) {
            r->schemes12_ignored = true;
            return;
        }
        numbers_add(&r->schemes12, scheme);
        numbers_remove(&left, scheme);
    }
}

/* One handshake each; RFC 8446 4.2.3 says which may sign one. */
static bool signs13(uint16_t scheme)
{
    return scheme == 0x0403 || scheme == 0x0503 || scheme == 0x0603 ||
           (scheme >= 0x0804 && scheme <= 0x080b);
}

static void ask_schemes13(struct scan *s)
{
    for (size_t i = 0; i < s->schemes.count; i++)
        if (signs13(s->schemes.n[i]) && scan_talk_scheme(s, s->schemes.n[i]))
            numbers_add(&s->r->schemes13, s->schemes.n[i]);
}

/* ---------------------------------------------------------------- behaviour */

static void ask_compression(struct scan *s)
{
    const struct scan_offer *o = best_old(s);
    struct numbers suites;
    struct answer a;
    suites_with(o, 0, &suites);
    struct hello h = hello_of(s, version_of(s, o), &suites);
    h.deflate = true;
    ask_twice(s, &h, false, &a);
    s->r->compression = a.kind != ANSWER_HELLO ? UNKNOWN : a.compression ? YES : NO;
    answer_clear(&a);
}

/* RFC 7507: a hello for less than the server's best, with the signal, must be refused. */
static void ask_fallback(struct scan *s)
{
    const struct scan_offer *best = NULL, *next = NULL;
    struct numbers suites;
    struct answer a;
    for (int v = SCAN_TLS13; v >= SCAN_SSL3; v--) {
        const struct scan_offer *o = &s->r->offer[v];
        if (o->taken && best && !next)
            next = o;
        if (o->taken && !best)
            best = o;
    }
    if (!next)
        return;
    suites_with(next, 0, &suites);
    struct hello h = hello_of(s, version_of(s, next), &suites);
    h.fallback = true;
    ask_twice(s, &h, false, &a);
    if (a.kind == ANSWER_HELLO)
        s->r->fallback_scsv = NO;
    else if (a.kind == ANSWER_ALERT && a.alert == 86)
        s->r->fallback_scsv = YES;
    answer_clear(&a);
}

/* clang-format off */
static const struct {
    const char *what;
    unsigned odd;
    size_t length;
} oddities[] = {
    {"unknown cipher suites (RFC 8701)", ODD_SUITE, 0},
    {"unknown groups (RFC 8701)", ODD_GROUP, 0},
    {"unknown signature schemes (RFC 8701)", ODD_SCHEME, 0},
    {"unknown extensions (RFC 5246 7.4.1.4)", ODD_EXTENSION, 0},
    {"unknown versions in supported_versions (RFC 8446 4.2.1)", ODD_VERSION, 0},
    {"a client_version above its own (RFC 5246 E.1)", ODD_LEGACY_VERSION, 0},
    {"another version in the record's header (RFC 5246 E.1)", ODD_RECORD_VERSION, 0},
    {"hellos of 256 to 511 bytes (RFC 7685)", 0, 400},
    {"hellos of more than 512 bytes", 0, 700},
    {"hellos that fill more than one packet", 0, 2000},
    {"hellos of more than 4096 bytes", 0, 5000},
};
/* clang-format on */
enum { ODDITIES = sizeof oddities / sizeof *oddities };

static bool understands(struct scan *s, const struct scan_offer *o, unsigned odd, size_t length)
{
    struct numbers suites, few = {0};
    struct answer a;
    static const struct numbers groups = {.n = {0x001d, 0x0017, 0x0018, 0x0019}, .count = 4};
    static const struct numbers schemes = {
        .n = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0807, 0x0201},
        .count = 10};
    suites_with(o, 0, &suites);
    for (size_t i = 0; i < suites.count && i < 24; i++)
        numbers_add(&few, suites.n[i]);
    struct hello h = hello_of(s, version_of(s, o), &few);
    h.groups = s->r->groups13.count && h.version >= HF_TLS1_3 ? &s->r->groups13
               : s->r->groups12.count                         ? &s->r->groups12
                                                              : &groups;
    h.schemes = h.schemes ? &schemes : NULL;
    h.odd = odd;
    h.length = length;
    ask_twice(s, &h, false, &a);
    bool good = a.kind == ANSWER_HELLO;
    answer_clear(&a);
    return good;
}

static void ask_oddities(struct scan *s)
{
    const struct scan_offer *new = &s->r->offer[SCAN_TLS13], *old = best_old(s);
    const struct scan_offer *any = old ? old : new;
    /* What a plain one does not get through is no fault of the oddity. */
    if (any < &s->r->offer[SCAN_TLS10] || !understands(s, any, 0, 0))
        return;
    bool new_good = new->taken && (any == new || understands(s, new, 0, 0));
    for (size_t i = 0; i < ODDITIES; i++) {
        bool needs13 = oddities[i].odd == ODD_VERSION,
             needs12 = oddities[i].odd == ODD_LEGACY_VERSION;
        const struct scan_offer *o = needs13 ? new : any;
        if ((needs13 && !new_good) || (needs12 && !old))
            continue;
        if (!understands(s, o, oddities[i].odd, oddities[i].length) &&
            s->r->intolerant_count < 16)
            s->r->intolerant[s->r->intolerant_count++] = oddities[i].what;
    }
}

/* ---------------------------------------------------------------- running */

struct task {
    void (*run)(struct scan *s);
    const char *label;
};

struct crew {
    struct scan *s;
    const struct task *task;
    size_t count;
    atomic_size_t next;
};

static void *work(void *arg)
{
    struct crew *c = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= c->count)
            return NULL;
        c->task[i].run(c->s);
        unsigned done = atomic_fetch_add(&c->s->done, 1) + 1;
        pthread_mutex_lock(&c->s->lock);
        progress_step(&c->s->bar, done, c->task[i].label);
        pthread_mutex_unlock(&c->s->lock);
    }
}

/* Each task has one connection at a time: so many tasks at once are so many connections. */
static void run_tasks(struct scan *s, const struct task *task, size_t count)
{
    struct crew c = {.s = s, .task = task, .count = count};
    pthread_t thread[MOST_PARALLEL];
    size_t started = 0, wanted = s->parallel < count ? s->parallel : count;
    while (started + 1 < wanted && started < MOST_PARALLEL &&
           pthread_create(&thread[started], NULL, work, &c) == 0)
        started++;
    work(&c);
    for (size_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    if (s->r->most_at_once < started + 1)
        s->r->most_at_once = started + 1;
}

/* The first connection alone: it shows whether there is anybody, and where. */
static bool find_address(struct scan *s, hf_error *err)
{
    double least = 0;
    for (int i = 0; i < 2; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        atomic_fetch_add(&s->connections, 1);
        hf_stream *stream = dial_plain(s->t, s->url, s->timeout, err);
        clock_gettime(CLOCK_MONOTONIC, &after);
        if (!stream)
            return false;
        double took = (double)(after.tv_sec - before.tv_sec) +
                      (double)(after.tv_nsec - before.tv_nsec) / 1e9;
        least = i == 0 || took < least ? took : least;
        hf_stream_name(stream, true, s->r->address, sizeof s->r->address);
        snprintf(s->url, sizeof s->url, "tcp://%s", s->r->address);
        hf_error ignored = {0};
        (void)hf_close(stream, &ignored);
    }
    s->r->connect_time = least;
    return true;
}

static const struct task first[] = {
    {ask_tls13, "TLS 1.3"}, {ask_tls12, "TLS 1.2"}, {ask_tls11, "TLS 1.1"},
    {ask_tls10, "TLS 1.0"}, {ask_ssl3, "SSL 3.0"},  {ask_ssl2, "SSL 2.0"},
};
enum { FIRST = sizeof first / sizeof *first, SECOND = 12 };

static size_t second_tasks(const struct scan *s, struct task *out)
{
    size_t n = 0;
    bool new = s->r->offer[SCAN_TLS13].taken, old = best_old(s) != NULL;
    bool old_tls = old && best_old(s) != &s->r->offer[SCAN_SSL3], tls = new || old_tls;
    if (new) {
        out[n++] = (struct task){ask_schemes13, "signatures of TLS 1.3"};
        out[n++] = (struct task){scan_talk13, "a handshake"};
        out[n++] = (struct task){ask_groups13, "groups of TLS 1.3"};
    }
    if (old_tls) {
        out[n++] = (struct task){scan_talk_old, "an old handshake"};
        out[n++] = (struct task){scan_talk_resume_id, "resumption"};
        out[n++] = (struct task){scan_talk_renegotiate, "renegotiation"};
    }
    if (old) {
        out[n++] = (struct task){ask_groups12, "groups"};
        out[n++] = (struct task){ask_compression, "compression"};
    }
    if (s->r->offer[SCAN_TLS12].taken)
        out[n++] = (struct task){ask_schemes12, "signatures"};
    if (tls)
        out[n++] = (struct task){scan_talk_alpn, "application protocols"};
    out[n++] = (struct task){ask_fallback, "fallback"};
    return n;
}

static const struct task third[] = {
    {ask_oddities, "what must be ignored"},
    {scan_talk_judge, "certificates"},
};
enum { THIRD = sizeof third / sizeof *third };

static bool nobody(struct scan *s, hf_error *err)
{
    const struct scan_offer *o = NULL;
    char words[ANSWER_WORDS];
    /* What came in place of TLS says most. */
    for (int v = SCAN_TLS12; v >= SCAN_SSL3; v--)
        if (!o || s->r->offer[v].refusal.kind == ANSWER_STRANGE)
            o = &s->r->offer[v];
    const struct answer *a = &o->refusal;
    hf_code code = a->kind == ANSWER_SILENT    ? HF_E_TIMEOUT
                   : a->kind == ANSWER_NO_DOOR ? HF_E_CONNECT
                   : a->kind == ANSWER_STRANGE ? HF_E_PLAINTEXT_PEER
                   : a->kind == ANSWER_ALERT   ? HF_E_ALERT_RECEIVED
                                               : HF_E_HANDSHAKE_CUT;
    bool nameless = a->kind == ANSWER_ALERT && a->alert == 112; /* unrecognized_name */
    return settings_fail(err, code, 0, "no TLS was answered: %s%s", answer_words(a, words),
                         nameless ? ": ask for the name that it serves, with --name" : "");
}

bool scan_all(struct scan *s, hf_error *err)
{
    struct task second[SECOND];
    if (!find_address(s, err))
        return false;
    scan_lists(s);
    progress_begin(&s->bar, stderr, "scanning", FIRST + SECOND, false);
    progress_step(&s->bar, 0, "versions and suites");
    run_tasks(s, first, FIRST);
    bool any = s->r->offer[SCAN_SSL2].taken || s->r->offer[SCAN_TLS13].taken || best_old(s);
    if (any && (s->r->offer[SCAN_TLS13].taken || best_old(s))) {
        size_t count = second_tasks(s, second);
        s->bar.total = FIRST + count + THIRD;
        run_tasks(s, second, count);
        run_tasks(s, third, THIRD);
    }
    progress_end(&s->bar);
    s->r->connections = atomic_load(&s->connections);
    s->r->failures = atomic_load(&s->failures);
    s->r->gave_up = atomic_load(&s->gave_up);
    return any || nobody(s, err);
}
