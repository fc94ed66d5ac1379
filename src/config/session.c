/* session.c: sessions and their serialised form. */
#include "config/session.h"

#include <stdatomic.h>

#include "config/tables.h"
#include "handfast_context.h"

#define FORMAT        3
#define MAX_LIFETIME  604800             /* RFC 8446 4.6.1: seven days */
#define SKEW_MS       10000              /* how far two clocks of one fleet may be apart */
#define MAX_TIME      (INT64_MAX / 2048) /* seconds; leaves room for milliseconds and sums */
#define CHECK_SIZE    16
#define FLAG_VERIFIED 1u
#define FLAG_NAMED    2u
#define FLAG_EMS      4u
#define FLAG_RAW      8u
#define FLAG_OWN_RAW  16u
#define MASTER_SIZE   48 /* RFC 5246 8.1 */

static const uint8_t magic[4] = {'H', 'F', 'S', 'E'};

hf_session *session_new(void)
{
    hf_session *session = mem_new(sizeof *session);
    if (session) {
        atomic_init(&session->refs, 1);
        atomic_init(&session->used, 0);
    }
    return session;
}

hf_session *hf_session_ref(hf_session *session)
{
    if (session)
        atomic_fetch_add_explicit(&session->refs, 1, memory_order_relaxed);
    return session;
}

void hf_session_free(hf_session *session)
{
    if (!session || atomic_fetch_sub_explicit(&session->refs, 1, memory_order_acq_rel) > 1)
        return;
    mem_wipe_free(session->ticket, session->ticket_len);
    mem_free(session->server_name);
    mem_free(session->alpn);
    chain_free(session->chain);
    mem_free(session->ocsp);
    mem_free(session->scts);
    mem_wipe_free(session, sizeof *session);
}

enum cert_type session_peer_type(const hf_session *session)
{
    return session->chain ? cert_type_of(session->chain->cert[0]) : CERT_X509;
}

/* ---- writing
 *
 *   opaque Certificate<1..2^24-1>;
 *   struct {
 *       uint8 format = 3;
 *       ProtocolVersion version;
 *       CipherSuite suite;
 *       NamedGroup group;
 *       SignatureScheme signature;
 *       opaque secret<32..48>;
 *       uint8 flags;                      bit 0: verified, 1: named, 2: ems, 3: chain has one SubjectPublicKeyInfo
 *                                         and no certificate, 4: own_raw; the others are 0
 *       uint32 lifetime;
 *       uint32 age_add;
 *       uint64 issued_ms;
 *       uint64 started;
 *       opaque server_name<0..2^16-1>;    empty: none
 *       opaque alpn<0..2^8-1>;            empty: none
 *       opaque ticket<0..2^16-1>;         empty within a ticket
 *       Certificate chain<0..2^24-1>;
 *       opaque id<0..32>;                 from here on: not in format 1, nor is bit 2 of the flags
 *       opaque context<0..32>;
 *       uint16 max_fragment;
 *       opaque ocsp<0..2^24-1>;
 *       uint32 max_early_data;
 *       opaque scts<0..2^16-1>;           not in formats 1 and 2
 *   } Session;
 */

void session_write(struct wr *w, const hf_session *session)
{
    const char *name = session->server_name;
    const struct chain *chain = session->chain;

    wr_u8(w, FORMAT);
    wr_u16(w, session->version);
    wr_u16(w, session->suite);
    wr_u16(w, session->group);
    wr_u16(w, session->signature);
    wr_opaque8(w, slice_of(session->secret, session->secret_len));
    wr_u8(w, (uint8_t)((session->verified ? FLAG_VERIFIED : 0) |
                       (session->named ? FLAG_NAMED : 0) | (session->ems ? FLAG_EMS : 0) |
                       (session_peer_type(session) == CERT_RAW ? FLAG_RAW : 0) |
                       (session->own_raw ? FLAG_OWN_RAW : 0)));
    wr_u32(w, session->lifetime);
    wr_u32(w, session->age_add);
    wr_u64(w, (uint64_t)session->issued_ms);
    wr_u64(w, (uint64_t)session->started);
    wr_opaque16(w, slice_of(name, name ? strlen(name) : 0));
    wr_opaque8(w, slice_of(session->alpn, session->alpn_len));
    wr_opaque16(w, slice_of(session->ticket, session->ticket_len));
    size_t mark = wr_open(w, 3);
    for (size_t i = 0; chain && i < chain->count; i++)
        wr_opaque24(w, cert_der(chain->cert[i]));
    wr_close(w, mark, 3);
    wr_opaque8(w, slice_of(session->id, session->id_len));
    wr_opaque8(w, slice_of(session->context, session->context_len));
    wr_u16(w, session->max_fragment);
    wr_opaque24(w, slice_of(session->ocsp, session->ocsp_len));
    wr_u32(w, session->max_early_data);
    wr_opaque16(w, slice_of(session->scts, session->scts_len));
}

/* ---- reading */

/* What was read and needs memory of its own before it is a session. */
struct parts {
    uint8_t format;
    bool raw; /* the one cert is a SubjectPublicKeyInfo */
    struct slice name, alpn, ticket, ocsp, scts;
    struct slice cert[CHAIN_MAX];
    size_t certs;
};

static bool bad(struct rd *r, const char *field, const char *why)
{
    return rd_bad(r, HF_E_SESSION_DATA, "%s: %s", field, why);
}

static void read_version(struct rd *r, hf_session *s, struct parts *parts)
{
    parts->format = rd_u8(r, "format");
    if (rd_ok(r) && (parts->format < 1 || parts->format > FORMAT))
        rd_bad(r, HF_E_SESSION_DATA, "format %u: this version of handfast reads 1 to %u",
               parts->format, FORMAT);
    s->version = rd_enum16(r, "version", hf_version_name);
    if (rd_ok(r) && (s->version < HF_TLS1_0 || s->version > HF_TLS1_3))
        rd_bad(r, HF_E_SESSION_DATA, "version 0x%04x: sessions are of TLS 1.0 to 1.3",
               s->version);
    else if (rd_ok(r) && parts->format == 1 && s->version != HF_TLS1_3)
        rd_bad(r, HF_E_SESSION_DATA, "version 0x%04x: format 1 has only TLS 1.3 sessions",
               s->version);
}

bool session_set_secret(hf_session *s, struct slice secret, hf_error *err)
{
    const struct suite *suite = suite_find(s->suite);

    if (!suite)
        return err_set(err, HF_E_SESSION_DATA, "suite 0x%04x: not in this version of handfast",
                       s->suite);
    if (!suite_fits(suite, s->version))
        return err_set(err, HF_E_SESSION_DATA, "suite: %s is not for %s", suite->name,
                       hf_version_name(s->version));
    size_t size = s->version == HF_TLS1_3 ? hash_size(suite->hash) : MASTER_SIZE;
    if (secret.len != size)
        return err_set(err, HF_E_SESSION_DATA,
                       "secret: %zu bytes, but %s has secrets of %zu in %s", secret.len,
                       suite->name, size, hf_version_name(s->version));
    memcpy(s->secret, secret.p, secret.len);
    s->secret_len = (uint8_t)secret.len;
    return true;
}

static void read_algorithms(struct rd *r, hf_session *s)
{
    s->suite = rd_enum16(r, "suite", hf_suite_name);
    s->group = rd_enum16(r, "group", hf_group_name);
    s->signature = rd_enum16(r, "signature", hf_signature_name);

    hf_error why = {0};
    struct slice secret = rd_opaque8(r, "secret", 1, sizeof s->secret);
    if (rd_ok(r) && !session_set_secret(s, secret, &why))
        rd_bad(r, why.code, "%s", why.detail);
}

static void read_times(struct rd *r, hf_session *s, struct parts *parts)
{
    uint8_t flags = rd_u8(r, "flags"), known = FLAG_VERIFIED | FLAG_NAMED;
    known = parts->format > 1 ? known | FLAG_EMS | FLAG_RAW | FLAG_OWN_RAW : known;
    parts->raw = (flags & FLAG_RAW) != 0;
    s->own_raw = (flags & FLAG_OWN_RAW) != 0;
    s->verified = (flags & FLAG_VERIFIED) != 0;
    s->named = (flags & FLAG_NAMED) != 0;
    s->ems = (flags & FLAG_EMS) != 0;
    s->lifetime = rd_u32(r, "lifetime");
    s->age_add = rd_u32(r, "age_add");
    uint64_t issued_ms = rd_u64(r, "issued_ms");
    uint64_t started = rd_u64(r, "started");
    if (!rd_ok(r))
        return;
    if (flags & ~known)
        bad(r, "flags", "bits that have no meaning are set");
    else if (issued_ms > (uint64_t)MAX_TIME * 1000)
        bad(r, "issued_ms", "no time of this world");
    else if (started > (uint64_t)MAX_TIME)
        bad(r, "started", "no time of this world");
    s->issued_ms = (int64_t)issued_ms;
    s->started = (int64_t)started;
}

static void read_parts(struct rd *r, struct parts *parts)
{
    parts->name = rd_opaque16(r, "server_name", 0, 65535);
    parts->alpn = rd_opaque8(r, "alpn", 0, 255);
    parts->ticket = rd_opaque16(r, "ticket", 0, 65535);
    struct rd chain = rd_vec24(r, "chain", 0, 0xffffff);
    while (rd_more(&chain)) {
        if (parts->certs == CHAIN_MAX) {
            rd_bad(&chain, HF_E_SESSION_DATA, "more than %d certificates", CHAIN_MAX);
            return;
        }
        parts->cert[parts->certs] = rd_opaque24(&chain, "certificate", 1, 0xffffff);
        parts->certs += rd_ok(r);
    }
    if (parts->name.len && memchr(parts->name.p, 0, parts->name.len))
        bad(r, "server_name", "holds a NUL");
    else if (rd_ok(r) && parts->raw && parts->certs != 1)
        bad(r, "chain", "a raw public key is one and alone");
}

static uint8_t read_id(struct rd *r, const char *name, uint8_t out[32])
{
    struct slice id = rd_opaque8(r, name, 0, 32);
    if (id.len)
        memcpy(out, id.p, id.len);
    return (uint8_t)id.len;
}

bool session_max_fragment(uint16_t size)
{
    return size == 0 || size == 512 || size == 1024 || size == 2048 || size == 4096;
}

static void read_format2(struct rd *r, hf_session *s, struct parts *parts)
{
    s->id_len = read_id(r, "id", s->id);
    s->context_len = read_id(r, "context", s->context);
    s->max_fragment = rd_u16(r, "max_fragment");
    if (rd_ok(r) && !session_max_fragment(s->max_fragment))
        rd_bad(r, HF_E_SESSION_DATA, "max_fragment: %u is none of 512, 1024, 2048 and 4096",
               s->max_fragment);
    parts->ocsp = rd_opaque24(r, "ocsp", 0, 0xffffff);
    s->max_early_data = rd_u32(r, "max_early_data");
}

static void read_session(struct rd *r, hf_session *s, struct parts *parts)
{
    read_version(r, s, parts);
    read_algorithms(r, s);
    read_times(r, s, parts);
    read_parts(r, parts);
    if (parts->format > 1)
        read_format2(r, s, parts);
    if (parts->format > 2)
        parts->scts = rd_opaque16(r, "scts", 0, 65535);
}

static bool make_chain(hf_session *s, const struct parts *parts, hf_error *err)
{
    hf_certificate *cert[CHAIN_MAX];
    size_t n = 0;

    while (n < parts->certs) {
        hf_error why = {0};
        cert[n] = parts->raw ? raw_key_from_spki(parts->cert[n], &why)
                             : cert_from_der(parts->cert[n], &why);
        if (!cert[n]) {
            err_set(err, why.code == HF_E_NO_MEMORY ? why.code : HF_E_SESSION_DATA,
                    "certificate %zu: %s", n, why.detail);
            break;
        }
        n++;
    }
    if (n > 0 && n == parts->certs && !(s->chain = chain_new(cert, n)))
        err_set(err, HF_E_NO_MEMORY, "for a session's certificates");
    bool ok = n == parts->certs && (n == 0 || s->chain);
    while (n > 0)
        hf_certificate_free(cert[--n]);
    return ok;
}

static bool make_parts(hf_session *s, const struct parts *parts, hf_error *err)
{
    if (parts->name.len) {
        s->server_name = mem_new(parts->name.len + 1);
        if (s->server_name)
            memcpy(s->server_name, parts->name.p, parts->name.len);
    }
    if (parts->alpn.len) {
        s->alpn = mem_dup(parts->alpn.p, parts->alpn.len);
        s->alpn_len = (uint8_t)parts->alpn.len;
    }
    if (parts->ticket.len) {
        s->ticket = mem_dup(parts->ticket.p, parts->ticket.len);
        s->ticket_len = parts->ticket.len;
    }
    if (parts->ocsp.len) {
        s->ocsp = mem_dup(parts->ocsp.p, parts->ocsp.len);
        s->ocsp_len = parts->ocsp.len;
    }
    if (parts->scts.len) {
        s->scts = mem_dup(parts->scts.p, parts->scts.len);
        s->scts_len = parts->scts.len;
    }
    if ((parts->name.len && !s->server_name) || (parts->alpn.len && !s->alpn) ||
        (parts->ticket.len && !s->ticket) || (parts->ocsp.len && !s->ocsp) ||
        (parts->scts.len && !s->scts))
        return err_set(err, HF_E_NO_MEMORY, "for a session");
    return make_chain(s, parts, err);
}

/* The reader speaks of a peer's message; whoever handed these bytes over is no peer. */
static bool as_session_data(const hf_error *read, hf_error *err)
{
    if (read->code == HF_E_NO_MEMORY)
        return err_set(err, read->code, "%s", read->detail);
    if (!err || err->code != HF_OK)
        return false;
    err_set(err, HF_E_SESSION_DATA, "%s", read->detail);
    err->offset = read->offset;
    memcpy(err->path, read->path, sizeof err->path);
    return false;
}

hf_session *session_read(struct slice bytes, hf_error *err)
{
    hf_error why = {0};
    struct parts parts = {0};
    struct rd_msg m = {.name = "Session", .err = &why};
    hf_session *s = session_new();

    if (!s) {
        err_set(err, HF_E_NO_MEMORY, "for a session");
        return NULL;
    }
    struct rd r = rd_start(&m, bytes.p, bytes.len, 0);
    read_session(&r, s, &parts);
    if (!rd_end(&r) || !make_parts(s, &parts, &why)) {
        as_session_data(&why, err);
        hf_session_free(s);
        return NULL;
    }
    return s;
}

/* ---- what an application keeps
 *
 *   struct { opaque magic[4] = "HFSE"; Session session; opaque check[16]; } Export;
 *
 * check begins the SHA-256 of what stands before it. It is there for bytes that were damaged, which
 * would otherwise make a server refuse the binder and with it the connection; against somebody who
 * changes them on purpose nothing helps, since they hold the secret. */

static void check_of(const uint8_t *p, size_t len, uint8_t out[CHECK_SIZE])
{
    uint8_t digest[HASH_MAX_SIZE];
    hash_once(HASH_SHA256, p, len, digest);
    memcpy(out, digest, CHECK_SIZE);
    wipe(digest, sizeof digest);
}

size_t hf_session_export(const hf_session *session, uint8_t *out, size_t size)
{
    struct buffer b = {0};
    struct wr w;
    uint8_t check[CHECK_SIZE];
    size_t len = 0;

    wr_start(&w, &b);
    wr_bytes(&w, magic, sizeof magic);
    session_write(&w, session);
    if (wr_ok(&w)) {
        check_of(b.p + b.start, buffer_len(&b), check);
        wr_bytes(&w, check, sizeof check);
    }
    if (wr_ok(&w)) {
        len = buffer_len(&b);
        if (out && len <= size)
            memcpy(out, b.p + b.start, len);
    }
    buffer_clear(&b);
    return len;
}

static void read_export(struct rd *r, hf_session *s, struct parts *parts)
{
    struct slice start = rd_bytes(r, "magic", sizeof magic);
    if (rd_ok(r) && memcmp(start.p, magic, sizeof magic) != 0)
        bad(r, "magic", "these bytes are no exported session");
    /* Without a ticket and an ID it is what a server puts into a ticket; a client cannot offer it. */
    read_session(r, s, parts);
}

hf_session *hf_session_import(const uint8_t *bytes, size_t len, hf_error *err)
{
    hf_error why = {0};
    struct parts parts = {0};
    struct rd_msg m = {.name = "Session", .err = &why};
    uint8_t check[CHECK_SIZE];
    hf_session *s = session_new();
    bool ok = false;

    if (!s) {
        err_set(&why, HF_E_NO_MEMORY, "for a session");
    } else {
        struct rd r = rd_start(&m, bytes, bytes ? len : 0, 0);
        read_export(&r, s, &parts);
        struct slice given = rd_bytes(&r, "check", sizeof check);
        if (rd_end(&r)) {
            check_of(bytes, len - sizeof check, check);
            ok = memcmp(given.p, check, sizeof check) == 0 ||
                 bad(&r, "check", "the bytes were changed since they were exported");
        }
        ok = ok && make_parts(s, &parts, &why);
    }
    if (!ok) {
        hf_error result = {0};
        as_session_data(&why, &result);
        if (err)
            *err = result;
        hf_session_free(s);
        return NULL;
    }
    return s;
}

/* ---- what a session says */

static int64_t expires_ms(const hf_session *session)
{
    uint32_t lifetime = session->lifetime < MAX_LIFETIME ? session->lifetime : MAX_LIFETIME;
    int64_t end = session->issued_ms + (int64_t)lifetime * 1000;
    /* Tickets beget tickets; the handshake in which somebody last proved who they are must not be
     * stretched for ever (RFC 8446 4.6.1). */
    int64_t last = (session->started + MAX_LIFETIME) * 1000;
    return session->started && last < end ? last : end;
}

bool session_expired(const hf_session *session, int64_t now_ms)
{
    return now_ms >= expires_ms(session) || session->issued_ms - now_ms > SKEW_MS;
}

const char *hf_session_server_name(const hf_session *session)
{
    return session->server_name;
}

uint16_t hf_session_version(const hf_session *session)
{
    return session->version;
}

uint16_t hf_session_suite(const hf_session *session)
{
    return session->suite;
}

uint32_t hf_session_max_early_data(const hf_session *session)
{
    return session->max_early_data;
}

int64_t hf_session_expires(const hf_session *session)
{
    return expires_ms(session) / 1000;
}

int64_t hf_session_time(const hf_session *session)
{
    return session->issued_ms / 1000;
}

uint32_t hf_session_timeout(const hf_session *session)
{
    return session->lifetime < MAX_LIFETIME ? session->lifetime : MAX_LIFETIME;
}

uint32_t hf_session_lifetime_hint(const hf_session *session)
{
    return session->ticket_len ? hf_session_timeout(session) : 0;
}

void hf_session_key(const hf_session *session, uint8_t out[HF_SESSION_KEY_SIZE])
{
    struct hash h;
    hash_init(&h, HASH_SHA256);
    hash_update(&h, session->ticket, session->ticket_len);
    hash_update(&h, session->id, session->id_len);
    hash_digest(&h, out);
    wipe(&h, sizeof h);
}

const uint8_t *hf_session_id(const hf_session *session, size_t *len)
{
    if (len)
        *len = session->id_len;
    return session->id_len ? session->id : NULL;
}

bool hf_session_has_ticket(const hf_session *session)
{
    return session->ticket_len > 0;
}
