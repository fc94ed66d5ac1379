/* cookie.c: cookies are written and read, and the settings about them. */
#include "config/cookie.h"

#include <stdatomic.h>

enum {
    FORMAT = 1,
    MAC = 32,
    SHARE_ASKED = 1, /* flags */
    PSK = 2,
    AHEAD = 5, /* seconds that the clock of who made it may be ahead of ours */
};

/* ---- settings */

static bool may_set(hf_config *config, const char *what)
{
    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    return config->role == HF_SERVER ||
           err_set(&config->error, HF_E_USAGE, "%s is for servers", what);
}

bool hf_config_set_stateless_retry(hf_config *config, bool on)
{
    if (!may_set(config, "hf_config_set_stateless_retry"))
        return false;
    config->stateless = on;
    return true;
}

bool hf_config_set_cookie_keys(hf_config *config, const uint8_t *keys, size_t count)
{
    if (!may_set(config, "hf_config_set_cookie_keys"))
        return false;
    if (!keys || count < 1 || count > HF_COOKIE_KEYS_MAX)
        return err_set(&config->error, HF_E_CONFIG, "%zu cookie keys: 1 to %d are allowed",
                       keys ? count : 0, HF_COOKIE_KEYS_MAX);
    memcpy(config->cookie_keys, keys, count * HF_COOKIE_KEY_SIZE);
    config->cookie_key_count = (uint8_t)count;
    return true;
}

bool hf_config_set_cookie_lifetime(hf_config *config, uint32_t seconds)
{
    if (!may_set(config, "hf_config_set_cookie_lifetime"))
        return false;
    if (seconds < 1 || seconds > 3600)
        return err_set(&config->error, HF_E_CONFIG,
                       "a cookie's lifetime of %u s: 1 to 3600 are allowed", (unsigned)seconds);
    config->cookie_lifetime = seconds;
    return true;
}

bool hf_config_set_cookie_content(hf_config *config, hf_cookie_make_fn make,
                                  hf_cookie_check_fn check, void *arg)
{
    if (!may_set(config, "hf_config_set_cookie_content"))
        return false;
    if (!make != !check)
        return err_set(&config->error, HF_E_CONFIG,
                       "hf_config_set_cookie_content: who makes a content must check it, too");
    config->cookie_make = make;
    config->cookie_check = check;
    config->cookie_arg = arg;
    return true;
}

/* ---- the cookie itself
 *
 * struct {
 *     uint8 format = 1;
 *     uint8 flags;
 *     CipherSuite cipher_suite;
 *     NamedGroup group;
 *     uint64 made;
 *     opaque client_hello_hash<32..48>;
 *     opaque fixed[32];
 *     opaque content<0..1024>;
 *     opaque mac[32];
 * }
 *
 * mac is HMAC-SHA256 over all before it, behind a label: the same keys make the cookies that one connection alone
 * takes back (hf_config_set_cookie). */

static void make_mac(const uint8_t *key, struct slice bytes, uint8_t out[MAC])
{
    static const char label[] = "handfast stateless cookie";
    hmac(HASH_SHA256, key, HF_COOKIE_KEY_SIZE, slice_of(label, sizeof label), bytes,
         slice_of(NULL, 0), out);
}

uint8_t *cookie_seal(const hf_config *config, const uint8_t *key, const struct cookie *c,
                     size_t *len)
{
    struct buffer b = {0};
    struct wr w;
    uint8_t mac[MAC], *whole = NULL;

    wr_start(&w, &b);
    wr_u8(&w, FORMAT);
    wr_u8(&w, (uint8_t)((c->share_asked ? SHARE_ASKED : 0) | (c->psk ? PSK : 0)));
    wr_u16(&w, c->suite);
    wr_u16(&w, c->group);
    wr_u64(&w, c->made);
    wr_opaque8(&w, c->hello);
    wr_bytes(&w, c->fixed, sizeof c->fixed);
    wr_opaque16(&w, c->content);
    if (wr_ok(&w)) {
        make_mac(key ? key : config->cookie_keys[0], slice_of(buffer_front(&b), buffer_len(&b)),
                 mac);
        wr_bytes(&w, mac, sizeof mac);
    }
    if (wr_ok(&w)) {
        *len = buffer_len(&b);
        whole = mem_dup(buffer_front(&b), *len);
    }
    buffer_clear(&b);
    return whole;
}

static bool authentic(const hf_config *config, const uint8_t *key, struct slice body,
                      const uint8_t *theirs)
{
    uint8_t ours[MAC];
    bool good = false;
    for (size_t i = 0; i < (key ? 1 : config->cookie_key_count) && !good; i++) {
        make_mac(key ? key : config->cookie_keys[i], body, ours);
        good = ct_equal(ours, theirs, MAC);
    }
    return good;
}

/* What has our MAC was made by us, perhaps by another version. */
static bool parse(struct slice body, struct cookie *c)
{
    hf_error ignored = {0};
    struct rd_msg m = {.start = body.p, .name = "cookie", .err = &ignored};
    struct rd r = rd_start(&m, body.p, body.len, 0);
    if (rd_u8(&r, "format") != FORMAT)
        return false;
    uint8_t flags = rd_u8(&r, "flags");
    c->share_asked = (flags & SHARE_ASKED) != 0;
    c->psk = (flags & PSK) != 0;
    c->suite = rd_u16(&r, "cipher_suite");
    c->group = rd_u16(&r, "group");
    c->made = rd_u64(&r, "made");
    c->hello = rd_opaque8(&r, "client_hello_hash", 32, 48);
    struct slice fixed = rd_bytes(&r, "fixed", sizeof c->fixed);
    c->content = rd_opaque16(&r, "content", 0, HF_COOKIE_CONTENT_MAX);
    if (!rd_end(&r))
        return false;
    memcpy(c->fixed, fixed.p, fixed.len);
    return true;
}

hf_code cookie_open(const hf_config *config, const uint8_t *key, struct slice bytes,
                    struct cookie *out, const char **why)
{
    uint64_t now = (uint64_t)config_now(config);
    *out = (struct cookie){0};
    *why = "it was not made with this server's keys, or was altered";
    if (bytes.len <= MAC)
        return HF_E_COOKIE_MISMATCH;
    struct slice body = slice_of(bytes.p, bytes.len - MAC);
    if (!authentic(config, key, body, bytes.p + body.len))
        return HF_E_COOKIE_MISMATCH;
    *why = "it has another format";
    if (!parse(body, out))
        return HF_E_COOKIE_MISMATCH;
    *why = "it was made in the future: do the servers' clocks differ?";
    if (out->made > now && out->made - now > AHEAD)
        return HF_E_COOKIE_EXPIRED;
    *why = "it is too old";
    return out->made < now && now - out->made > config->cookie_lifetime ? HF_E_COOKIE_EXPIRED
                                                                        : HF_OK;
}
