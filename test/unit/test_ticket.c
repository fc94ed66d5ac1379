/* test_ticket.c: sealing, opening, rotation, and what threads and forks do to it. */
#define _GNU_SOURCE /* memmem */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "config/ticket.h"
#include "pki.h"

static int64_t now; /* the clock of all configurations here */

static int64_t clock_fn(void *arg)
{
    return *(const int64_t *)arg;
}

/* A server as far as tickets are concerned; ticket functions need no frozen configuration. */
static hf_config *server(uint32_t lifetime, uint32_t rotation)
{
    now = PKI_NOW;
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_clock(config, clock_fn, &now));
    CHECK(hf_config_set_tickets(config, 2, lifetime));
    CHECK(hf_config_set_ticket_rotation(config, rotation));
    CHECK(ticket_ring_start(config->tickets, config));
    return config;
}

static hf_session *sample(const hf_config *config)
{
    hf_session *s = session_new();
    s->version = HF_TLS1_3;
    s->suite = 0x1301;
    s->secret_len = 32;
    memset(s->secret, 0x5a, 32);
    s->lifetime = config->ticket_lifetime;
    s->issued_ms = now * 1000;
    s->started = now;
    s->server_name = mem_strdup("server.example");
    return s;
}

static struct buffer sealed(const hf_config *config)
{
    struct buffer b = {0};
    struct wr w;
    hf_session *s = sample(config);
    wr_start(&w, &b);
    CHECK(ticket_seal(config, s, &w));
    hf_session_free(s);
    return b;
}

static struct slice bytes_of(const struct buffer *b)
{
    return slice_of(b->p + b->start, buffer_len(b));
}

static bool opens(const hf_config *config, const struct buffer *ticket)
{
    hf_session *s = ticket_open(config, bytes_of(ticket));
    bool ok = s && s->secret[0] == 0x5a && strcmp(s->server_name, "server.example") == 0;
    hf_session_free(s);
    return ok;
}

static void test_round_trip(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer b = {0};
    struct wr w;
    hf_session *s = sample(config);
    s->alpn = mem_dup("h2", 2);
    s->alpn_len = 2;
    s->age_add = 0x01020304;
    s->verified = true;
    CHECK(buffer_append(&b, "before", 6)); /* a ticket goes behind what is there */
    wr_start(&w, &b);
    CHECK(ticket_seal(config, s, &w));
    CHECK_MEM(b.p, "before", 6);
    struct slice ticket = slice_of(b.p + 6, buffer_len(&b) - 6);
    CHECK(!memmem(ticket.p, ticket.len, "server.example", 14));
    hf_session *back = ticket_open(config, ticket);
    CHECK(back);
    if (back) {
        CHECK_MEM(back->secret, s->secret, 32);
        CHECK_INT(back->age_add, 0x01020304);
        CHECK(back->verified);
        CHECK_INT(back->alpn_len, 2);
        CHECK_INT(back->issued_ms, now * 1000);
    }
    hf_session_free(back);
    hf_session_free(s);
    buffer_clear(&b);
    hf_config_free(config);
}

static void test_two_are_different(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer a = sealed(config), b = sealed(config);
    CHECK_INT(buffer_len(&a), buffer_len(&b));
    CHECK_MEM(a.p, b.p, 16); /* the same key */
    CHECK(memcmp(a.p + 16, b.p + 16, 12) != 0);
    CHECK(memcmp(a.p + 28, b.p + 28, buffer_len(&a) - 28) != 0);
    buffer_clear(&a);
    buffer_clear(&b);
    hf_config_free(config);
}

static void test_damaged_everywhere(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer b = sealed(config);
    for (size_t i = 0; i < buffer_len(&b); i++) {
        b.p[i] ^= 1;
        CHECK(!opens(config, &b));
        b.p[i] ^= 1;
    }
    CHECK(opens(config, &b));
    for (size_t n = 0; n < buffer_len(&b); n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, b.p, n);
        CHECK(!ticket_open(config, slice_of(cut, n)));
        free(cut);
    }
    buffer_clear(&b);
    hf_config_free(config);
}

static void test_others_do_not_open(void)
{
    hf_config *mine = server(7200, 3600), *other = server(7200, 3600);
    hf_config *client = hf_config_new(HF_CLIENT);
    struct buffer b = sealed(mine);
    CHECK(opens(mine, &b));
    CHECK(!opens(other, &b));
    CHECK(!opens(client, &b));
    buffer_clear(&b);
    hf_config_free(mine);
    hf_config_free(other);
    hf_config_free(client);
}

static void test_derived_shares_keys(void)
{
    hf_config *config = server(7200, 3600);
    hf_config *derived = hf_config_derive(config);
    struct buffer b = sealed(config), c = sealed(derived);
    CHECK(opens(derived, &b));
    hf_config_free(config);
    CHECK(opens(derived, &c));
    buffer_clear(&b);
    buffer_clear(&c);
    hf_config_free(derived);
}

static void test_expiry(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer b = sealed(config);
    now += 7199;
    CHECK(opens(config, &b));
    now += 1;
    CHECK(!opens(config, &b));
    buffer_clear(&b);
    hf_config_free(config);
}

static void test_rotation(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer a = sealed(config);
    now += 3599;
    struct buffer b = sealed(config);
    CHECK_MEM(a.p, b.p, 16);
    CHECK_INT(ticket_ring_count(config->tickets), 1);
    now += 1;
    struct buffer c = sealed(config);
    CHECK(memcmp(a.p, c.p, 16) != 0);
    CHECK_INT(ticket_ring_count(config->tickets), 2);
    CHECK(opens(config, &a) && opens(config, &b) && opens(config, &c));
    /* b, the last under the first key, lives until 3599 + 7200. */
    now = PKI_NOW + 3599 + 7199;
    CHECK(opens(config, &b));
    CHECK(ticket_ring_count(config->tickets) <= 4);
    /* The ring does not grow with time, and what it has dropped stays lost. */
    for (int i = 0; i < 50; i++) {
        now += 3600;
        struct buffer t = sealed(config);
        CHECK(opens(config, &t));
        CHECK(ticket_ring_count(config->tickets) <= 4);
        buffer_clear(&t);
    }
    now = PKI_NOW + 3599 + 7199;
    CHECK(!opens(config, &b));
    buffer_clear(&a);
    buffer_clear(&b);
    buffer_clear(&c);
    hf_config_free(config);
}

static void test_many_keys(void)
{
    hf_config *config = server(604800, 60);
    struct buffer first = sealed(config);
    for (int i = 0; i < 600; i++) {
        now += 60;
        struct buffer t = sealed(config);
        buffer_clear(&t);
    }
    CHECK_INT(ticket_ring_count(config->tickets), 256);
    CHECK(!opens(config, &first)); /* not expired, but one of too many */
    buffer_clear(&first);
    hf_config_free(config);
}

static void test_clock_jumps(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer a = sealed(config);
    now += 20LL * 365 * 86400; /* more rotations than anybody catches up with */
    struct buffer b = sealed(config);
    CHECK(opens(config, &b));
    CHECK(!opens(config, &a));
    now = PKI_NOW; /* and back: a key from the future must not be used for twenty years */
    struct buffer c = sealed(config);
    CHECK(memcmp(b.p, c.p, 16) != 0);
    CHECK(opens(config, &c));
    now -= 100; /* a little back is no jump */
    struct buffer d = sealed(config);
    CHECK_MEM(c.p, d.p, 16);
    buffer_clear(&a);
    buffer_clear(&b);
    buffer_clear(&c);
    buffer_clear(&d);
    hf_config_free(config);
}

/* Workers forked from one parent open each other's tickets, also after keys have rotated. */
static void test_fork(void)
{
    hf_config *config = server(7200, 3600);
    int pipes[2];
    CHECK_INT(pipe(pipes), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        uint8_t len;
        now += 3 * 3600 + 5;
        struct buffer b = sealed(config);
        len = (uint8_t)buffer_len(&b);
        bool ok = buffer_len(&b) < 256 && write(pipes[1], &len, 1) == 1 &&
                  write(pipes[1], b.p, len) == len;
        _exit(!ok);
    }
    uint8_t len = 0, bytes[256];
    int status = -1;
    CHECK(read(pipes[0], &len, 1) == 1 && read(pipes[0], bytes, len) == len);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < 3;
         i++) { /* the child rotated thrice at once, the parent does it by and by */
        now += 3600 + 2;
        struct buffer t = sealed(config);
        buffer_clear(&t);
    }
    struct buffer mine = sealed(config);
    CHECK_MEM(mine.p, bytes, 16);
    CHECK(memcmp(mine.p + 16, bytes + 16, 12) != 0); /* but never the same nonce */
    hf_session *s = ticket_open(config, slice_of(bytes, len));
    CHECK(s);
    hf_session_free(s);
    buffer_clear(&mine);
    hf_config_free(config);
    close(pipes[0]);
    close(pipes[1]);
}

/* ---- TLS 1.2 */

static void test_older_versions(void)
{
    hf_config *config = server(7200, 3600);
    struct buffer b = {0};
    struct wr w;
    hf_session *s = sample(config);
    s->version = HF_TLS1_2;
    s->suite = 0xc02b;
    s->group = 0x001d;
    s->secret_len = 48;
    memset(s->secret, 0x5a, 48);
    s->ems = true;
    s->max_fragment = 512;
    memcpy(s->context, "host", 4);
    s->context_len = 4;
    s->alpn = mem_dup("h2", 2);
    s->alpn_len = 2;
    wr_start(&w, &b);
    CHECK(ticket_seal(config, s, &w));
    /* A ticket goes into every ClientHello: without a client's chain it is smaller than OpenSSL's. */
    CHECK_INT(buffer_len(&b), 44 + 104 + strlen("server.example") + strlen("h2") + 4);
    CHECK(buffer_len(&b) < 176);
    hf_session *back = ticket_open(config, bytes_of(&b));
    CHECK(back);
    if (back) {
        CHECK_INT(back->version, HF_TLS1_2);
        CHECK_INT(back->secret_len, 48);
        CHECK_MEM(back->secret, s->secret, 48);
        CHECK(back->ems);
        CHECK_INT(back->max_fragment, 512);
        CHECK(slice_equal(slice_of(back->context, back->context_len), slice_of("host", 4)));
    }
    hf_session_free(back);
    now += 7200;
    CHECK(!ticket_open(config, bytes_of(&b)));
    buffer_clear(&b);
    hf_session_free(s);
    hf_config_free(config);
}

/* ---- keys from outside */

static void fill_key(uint8_t *key, uint8_t with)
{
    memset(key, with, HF_TICKET_KEY_SIZE);
}

static void test_shared_keys(void)
{
    uint8_t keys[4 * HF_TICKET_KEY_SIZE];
    hf_config *a = server(7200, 3600), *b = server(7200, 3600);
    struct buffer first = sealed(a);
    now += 3600;
    struct buffer second = sealed(a), foreign = sealed(b);
    CHECK(!opens(b, &first) && !opens(b, &second));
    size_t count = hf_config_ticket_keys(a, keys, 4);
    CHECK_INT(count, 2);
    CHECK_MEM(keys, second.p, 16); /* newest first, its name in front */
    CHECK_MEM(keys + HF_TICKET_KEY_SIZE, first.p, 16);
    CHECK(hf_config_set_ticket_keys(b, keys, count, NULL));
    CHECK(opens(b, &first) && opens(b, &second));
    CHECK(!opens(b, &foreign)); /* its own are gone: the list is what there is */
    struct buffer back = sealed(b);
    CHECK(opens(a, &back));
    CHECK_MEM(back.p, second.p, 16);

    /* It does not rotate by itself, however long it waits. */
    now += 100 * 3600;
    struct buffer late = sealed(b);
    CHECK_MEM(late.p, second.p, 16);
    CHECK_INT(ticket_ring_count(b->tickets), 2);
    buffer_clear(&first);
    buffer_clear(&second);
    buffer_clear(&foreign);
    buffer_clear(&back);
    buffer_clear(&late);
    hf_config_free(a);
    hf_config_free(b);
}

static void test_changed_keys(void)
{
    uint8_t keys[3 * HF_TICKET_KEY_SIZE], out[3 * HF_TICKET_KEY_SIZE];
    hf_config *config = hf_config_new(HF_SERVER);
    now = PKI_NOW;
    CHECK(hf_config_set_clock(config, clock_fn, &now));
    for (uint8_t i = 0; i < 3; i++)
        fill_key(keys + i * HF_TICKET_KEY_SIZE, (uint8_t)(i + 1));
    CHECK(hf_config_set_ticket_keys(config, keys, 1, NULL)); /* before there is any other */
    CHECK(ticket_ring_start(config->tickets, config));
    CHECK_INT(ticket_ring_count(config->tickets), 1);
    hf_config *derived = hf_config_derive(config);
    struct buffer old = sealed(config);
    CHECK_INT(old.p[0], 1);
    /* The next key in front, the old one behind; then it goes. What is derived follows at once. */
    memcpy(out, keys + HF_TICKET_KEY_SIZE, HF_TICKET_KEY_SIZE);
    memcpy(out + HF_TICKET_KEY_SIZE, keys, HF_TICKET_KEY_SIZE);
    CHECK(hf_config_set_ticket_keys(derived, out, 2, NULL));
    struct buffer new = sealed(config);
    CHECK_INT(new.p[0], 2);
    CHECK(opens(config, &old) && opens(derived, &new));
    CHECK(hf_config_set_ticket_keys(config, out, 1, NULL));
    CHECK(!opens(derived, &old) && opens(derived, &new));

    CHECK(hf_config_set_ticket_keys(config, keys, 3, NULL));
    memset(out, 0, sizeof out);
    CHECK_INT(hf_config_ticket_keys(config, out, 2), 3);
    CHECK_MEM(out, keys, (size_t)2 * HF_TICKET_KEY_SIZE);
    CHECK_INT(out[2 * HF_TICKET_KEY_SIZE], 0); /* not more than there is room for */
    CHECK_INT(hf_config_ticket_keys(config, NULL, 0), 3);
    buffer_clear(&old);
    buffer_clear(&new);
    hf_config_free(config);
    hf_config_free(derived);
}

static void test_key_refusals(void)
{
    uint8_t *keys = malloc((size_t)257 * HF_TICKET_KEY_SIZE);
    hf_config *config = server(7200, 3600), *client = hf_config_new(HF_CLIENT);
    hf_error err = {.code = HF_E_FILE, .detail = "old"};
    for (size_t i = 0; i < 257; i++) {
        fill_key(keys + i * HF_TICKET_KEY_SIZE, 0);
        keys[i * HF_TICKET_KEY_SIZE] = (uint8_t)i;
        keys[i * HF_TICKET_KEY_SIZE + 1] = (uint8_t)(i >> 8);
    }
    struct buffer before = sealed(config);
    CHECK(!hf_config_set_ticket_keys(config, keys, 257, &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    CHECK_STR(err.detail, "257 ticket keys: 1 to 256 are allowed");
    CHECK(!hf_config_set_ticket_keys(config, keys, 0, &err));
    CHECK_STR(err.detail, "0 ticket keys: 1 to 256 are allowed");
    CHECK(!hf_config_set_ticket_keys(config, NULL, 1, NULL));
    CHECK(!hf_config_set_ticket_keys(client, keys, 1, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    CHECK(!hf_config_set_ticket_keys(NULL, keys, 1, &err));
    keys[2 * HF_TICKET_KEY_SIZE] = 1;
    CHECK(!hf_config_set_ticket_keys(config, keys, 3, &err));
    CHECK_STR(err.detail, "ticket keys 1 and 2 have the same name (the first 16 bytes), by "
                          "which a ticket's key is found");
    keys[2 * HF_TICKET_KEY_SIZE] = 2;
    CHECK_INT(hf_config_ticket_keys(client, keys, 1), 0);
    CHECK_INT(hf_config_ticket_keys(NULL, keys, 1), 0);
    for (unsigned long n = 1; n <= 3; n++) {
        mem_test_fail_after(n);
        CHECK(!hf_config_set_ticket_keys(config, keys, 3, &err));
        mem_test_fail_after(0);
        CHECK_INT(err.code, HF_E_NO_MEMORY);
    }
    CHECK(opens(config, &before)); /* nothing has changed by all this */
    CHECK(hf_config_set_ticket_keys(config, keys, 256, &err));
    CHECK_INT(err.code, HF_OK);
    CHECK(!opens(config, &before));
    buffer_clear(&before);
    hf_config_free(config);
    hf_config_free(client);
    free(keys);
}

static bool fixed_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    (void)arg;
    memset(out, strcmp(what, "ticket_nonce") == 0 ? 1 : 2, n);
    return true;
}

static bool no_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    (void)arg, (void)what, (void)out, (void)n;
    return false;
}

static void test_hooks(void)
{
    static const struct test_hooks fixed = {.random = fixed_random},
                                   none = {.random = no_random};
    struct buffer t[2];
    for (int i = 0; i < 2; i++) {
        hf_config *config = hf_config_new(HF_SERVER);
        now = PKI_NOW;
        CHECK(hf_config_set_clock(config, clock_fn, &now));
        config->test = &fixed;
        t[i] = sealed(config);
        CHECK(opens(config, &t[i]));
        hf_config_free(config);
    }
    CHECK(slice_equal(bytes_of(&t[0]), bytes_of(&t[1])));
    buffer_clear(&t[0]);
    buffer_clear(&t[1]);

    /* Without randomness there is no ticket, and nothing of one is left behind. */
    hf_config *config = server(7200, 3600);
    config->test = &none;
    struct buffer b = {0};
    struct wr w;
    hf_session *s = sample(config);
    CHECK(buffer_append(&b, "x", 1));
    wr_start(&w, &b);
    CHECK(!ticket_seal(config, s, &w));
    CHECK(!wr_ok(&w));
    CHECK_INT(buffer_len(&b), 1);
    buffer_clear(&b);
    hf_session_free(s);
    hf_config_free(config);
}

static void test_no_memory(void)
{
    ROW("C14");
    hf_config *config = server(7200, 3600);
    hf_session *s = sample(config);
    struct buffer whole = sealed(config);
    bool sealed_once = false, opened_once = false;
    for (unsigned long n = 1; n < 40; n++) {
        struct buffer b = {0};
        struct wr w;
        now += 3600; /* a new key is needed each time */
        s->issued_ms = now * 1000;
        wr_start(&w, &b);
        mem_test_fail_after(n);
        bool ok = ticket_seal(config, s, &w);
        mem_test_fail_after(0);
        if (ok)
            CHECK(opens(config, &b));
        else
            CHECK_INT(buffer_len(&b), 0);
        sealed_once = sealed_once || ok;
        buffer_clear(&b);
    }
    buffer_clear(&whole);
    whole = sealed(config);
    for (unsigned long n = 1; n < 40; n++) {
        mem_test_fail_after(n);
        bool ok = opens(config, &whole);
        mem_test_fail_after(0);
        opened_once = opened_once || ok;
        CHECK(n > 1 || !ok);
    }
    CHECK(sealed_once && opened_once);
    buffer_clear(&whole);
    hf_session_free(s);
    hf_config_free(config);
}

static void *seal_and_open(void *arg)
{
    const hf_config *config = arg;
    long bad = 0;
    for (int i = 0; i < 500; i++) {
        struct buffer b = {0};
        struct wr w;
        hf_session *s = sample(config);
        wr_start(&w, &b);
        bad += !ticket_seal(config, s, &w) || !opens(config, &b);
        buffer_clear(&b);
        hf_session_free(s);
    }
    return bad ? arg : NULL;
}

static int64_t ticking(void *arg)
{
    return PKI_NOW + __atomic_add_fetch((int64_t *)arg, 1, __ATOMIC_RELAXED) / 100;
}

static void test_threads(void)
{
    static int64_t ticks;
    hf_config *config = server(7200, 3600);
    CHECK(hf_config_set_clock(config, ticking, &ticks)); /* keys rotate under their feet */
    CHECK(hf_config_set_ticket_rotation(config, 1));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, seal_and_open, config), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK_INT(pthread_join(threads[i], &result), 0);
        CHECK(result == NULL);
    }
    hf_config_free(config);
}

/* Keys change under the feet of four threads, one of which changes them. */
static void *change_keys(void *arg)
{
    hf_config *config = arg;
    uint8_t keys[2 * HF_TICKET_KEY_SIZE];
    long bad = 0;
    for (int i = 0; i < 500; i++) {
        fill_key(keys, (uint8_t)i);
        fill_key(keys + HF_TICKET_KEY_SIZE, (uint8_t)(i - 1));
        bad += !hf_config_set_ticket_keys(config, keys, 2, NULL);
        bad += hf_config_ticket_keys(config, keys, 2) != 2;
    }
    return bad ? arg : NULL;
}

static void *seal_only(void *arg)
{
    const hf_config *config = arg;
    long bad = 0;
    for (int i = 0; i < 500; i++) {
        struct buffer b = sealed(config);
        hf_session *s = ticket_open(config, bytes_of(&b)); /* its key may be gone already */
        bad += s && s->secret[0] != 0x5a;
        hf_session_free(s);
        buffer_clear(&b);
    }
    return bad ? arg : NULL;
}

static void test_threads_change_keys(void)
{
    hf_config *config = server(7200, 3600);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, i ? seal_only : change_keys, config), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        CHECK_INT(pthread_join(threads[i], &result), 0);
        CHECK(result == NULL);
    }
    hf_config_free(config);
}

int main(void)
{
    RUN(test_round_trip);
    RUN(test_two_are_different);
    RUN(test_damaged_everywhere);
    RUN(test_others_do_not_open);
    RUN(test_derived_shares_keys);
    RUN(test_expiry);
    RUN(test_rotation);
    RUN(test_many_keys);
    RUN(test_clock_jumps);
    RUN(test_fork);
    RUN(test_older_versions);
    RUN(test_shared_keys);
    RUN(test_changed_keys);
    RUN(test_key_refusals);
    RUN(test_hooks);
    RUN(test_no_memory);
    RUN(test_threads);
    RUN(test_threads_change_keys);
    return check_done();
}
