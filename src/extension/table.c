/* table.c: the extensions of RFC 8446 4.2 and of older versions, and the driver that every block of them goes through. */
#include <stdarg.h>
#include <stdio.h>

#include "bytes/names.h"
#include "extension/application.h"
#include "extension/grease.h"
#include "extension/row.h"

/* clang-format off */
static const struct ext_row rows[X_COUNT] = {
#define ROW(x, id, name, rfc, requests, responses, flags, f) \
    [x] = { id, name, rfc, requests, responses, flags, f##_wants, f##_put, f##_read, f##_take }
    /*  index                        id      name                            defined in         asks in          answers in         flags                  functions */
    ROW(X_RENEGOTIATION_INFO,         0xff01, "renegotiation_info",          "RFC 5746 3.2",    IN_CH,           IN_SH12,           ROW_12 | ROW_SCSV,     renegotiation_info),
    ROW(X_SERVER_NAME,                     0, "server_name",                 "RFC 6066 3",      IN_CH,           IN_EE | IN_SH12,   0,                     server_name),
    ROW(X_SUPPORTED_VERSIONS,             43, "supported_versions",          "RFC 8446 4.2.1",  IN_CH,           IN_SH | IN_HRR,    ROW_13,                supported_versions),
    ROW(X_COOKIE,                         44, "cookie",                      "RFC 8446 4.2.2",  IN_CH,           IN_HRR,            ROW_13 | ROW_UNASKED,  cookie),
    ROW(X_SUPPORTED_GROUPS,               10, "supported_groups",            "RFC 8446 4.2.7",  IN_CH,           IN_EE | IN_SH12,   0,                     supported_groups),
    ROW(X_SIGNATURE_ALGORITHMS,           13, "signature_algorithms",        "RFC 8446 4.2.3",  IN_CH | IN_CR,   0,                 0,                     signature_algorithms),
    ROW(X_SIGNATURE_ALGORITHMS_CERT,      50, "signature_algorithms_cert",   "RFC 8446 4.2.3",  IN_CH | IN_CR,   0,                 0,                     signature_algorithms_cert),
    ROW(X_KEY_SHARE,                      51, "key_share",                   "RFC 8446 4.2.8",  IN_CH,           IN_SH | IN_HRR,    ROW_13,                key_share),
    ROW(X_PSK_KEY_EXCHANGE_MODES,         45, "psk_key_exchange_modes",      "RFC 8446 4.2.9",  IN_CH,           0,                 ROW_13,                psk_modes),
    ROW(X_EARLY_DATA,                     42, "early_data",                  "RFC 8446 4.2.10", IN_CH | IN_NST,  IN_EE,             ROW_13,                early_data),
    ROW(X_ALPN,                           16, "application_layer_protocol_negotiation","RFC 7301 3.1",    IN_CH,           IN_EE | IN_SH12,   0,                     alpn),
    ROW(X_STATUS_REQUEST,                  5, "status_request",              "RFC 6066 8",      IN_CH | IN_CR,   IN_CT | IN_SH12,   0,                     status_request),
    ROW(X_CERTIFICATE_AUTHORITIES,        47, "certificate_authorities",     "RFC 8446 4.2.4",  IN_CH | IN_CR,   0,                 ROW_13,                authorities),
    ROW(X_RECORD_SIZE_LIMIT,              28, "record_size_limit",           "RFC 8449 4",      IN_CH,           IN_EE | IN_SH12,   0,                     record_size_limit),
    ROW(X_POST_HANDSHAKE_AUTH,            49, "post_handshake_auth",         "RFC 8446 4.2.6",  IN_CH,           0,                 ROW_13,                post_handshake_auth),
    ROW(X_EXTENDED_MASTER_SECRET,         23, "extended_master_secret",      "RFC 7627 5.1",    IN_CH,           IN_SH12,           ROW_12,                extended_master_secret),
    ROW(X_EC_POINT_FORMATS,               11, "ec_point_formats",            "RFC 8422 5.1.2",  IN_CH,           IN_SH12,           ROW_12,                ec_point_formats),
    ROW(X_ENCRYPT_THEN_MAC,               22, "encrypt_then_mac",            "RFC 7366 2",      IN_CH,           IN_SH12,           ROW_12,                encrypt_then_mac),
    ROW(X_MAX_FRAGMENT_LENGTH,             1, "max_fragment_length",         "RFC 6066 4",      IN_CH,           IN_EE | IN_SH12,   0,                     max_fragment_length),
    ROW(X_SESSION_TICKET,                 35, "session_ticket",              "RFC 5077 3.2",    IN_CH,           IN_SH12,           ROW_12,                session_ticket),
    ROW(X_SCT,                            18, "signed_certificate_timestamp","RFC 6962 3.3",    IN_CH | IN_CR,   IN_CT | IN_SH12,   0,                     signed_certificate_timestamp),
    ROW(X_TICKET_REQUEST,                 58, "ticket_request",              "RFC 9149 3",      IN_CH,           IN_EE,             ROW_13,                ticket_request),
    ROW(X_CLIENT_CERTIFICATE_TYPE,        19, "client_certificate_type",     "RFC 7250 3",      IN_CH,           IN_EE | IN_SH12,   0,                     client_certificate_type),
    ROW(X_SERVER_CERTIFICATE_TYPE,        20, "server_certificate_type",     "RFC 7250 3",      IN_CH,           IN_EE | IN_SH12,   0,                     server_certificate_type),
    ROW(X_COMPRESS_CERTIFICATE,           27, "compress_certificate",        "RFC 8879 3",      IN_CH | IN_CR,   0,                 ROW_13,                compress_certificate),
    ROW(X_PRE_SHARED_KEY,                 41, "pre_shared_key",              "RFC 8446 4.2.11", IN_CH,           IN_SH,             ROW_13 | ROW_LAST,     pre_shared_key),
#undef ROW
};
/* clang-format on */

/* RFC 8446 4.2 lists the messages an extension may stand in; those that we do not implement are
 * recognised too, so that a misplaced one is refused and not ignored. */
static const struct {
    uint16_t id;
    unsigned messages;
} others[] = {
    {48, IN_CR}, /* oid_filters */
    {21, IN_CH}, /* padding */
};

static const struct ext_row *row_find(uint16_t id, enum ext_index *x)
{
    for (unsigned i = 0; i < X_COUNT; i++) {
        if (rows[i].id == id) {
            *x = (enum ext_index)i;
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_request(unsigned message)
{
    return (message & (IN_CH | IN_CR | IN_NST)) != 0;
}

static const char *message_name(unsigned message)
{
    switch (message) {
    case IN_CH: return "ClientHello";
    case IN_SH:
    case IN_SH12: return "ServerHello";
    case IN_HRR: return "HelloRetryRequest";
    case IN_EE: return "EncryptedExtensions";
    case IN_CR: return "CertificateRequest";
    case IN_CT: return "Certificate";
    default: return "NewSessionTicket";
    }
}

/* in_version: has this row a meaning in the version that is spoken? A client that writes its first hello
 * knows the range only; who does not know a version yet judges both kinds. */
static bool in_version(const struct nego *n, const struct ext_row *row, bool hello_written)
{
    if (hello_written) {
        bool newest = n->config->body.version_max >= HF_TLS1_3 && !n->renegotiating;
        bool older = n->config->body.version_min < HF_TLS1_3;
        return !(row->flags & ROW_13 && !newest) && !(row->flags & ROW_12 && !older);
    }
    if (!n->version)
        return true;
    return !(row->flags & (n->version >= HF_TLS1_3 ? ROW_12 : ROW_13));
}

/* One is empty, the other has a byte: both happen (RFC 8701 3.1). */
static void put_grease(const struct nego *n, struct wr *w, enum grease where)
{
    wr_u16(w, grease_value(n, where));
    size_t body = wr_open(w, 2);
    if (where == GREASE_LAST_EXTENSION)
        wr_u8(w, 0);
    wr_close(w, body, 2);
}

void ext_write(struct nego *n, struct wr *w, unsigned message)
{
    size_t block = wr_open(w, 2);
    bool request = is_request(message);
    if (request)
        n->sent = 0;
    bool grease = request && n->config->grease;
    if (grease)
        put_grease(n, w, GREASE_EXTENSION);
    for (unsigned i = 0; i < X_COUNT; i++) {
        const struct ext_row *row = &rows[i];
        if (i == X_PRE_SHARED_KEY)
            application_write(n, w, message);
        if (grease && i == X_PRE_SHARED_KEY) /* which must be the last */
            put_grease(n, w, GREASE_LAST_EXTENSION);
        if (((request ? row->requests : row->responses) & message) == 0)
            continue;
        if (!request && !(row->flags & (ROW_UNASKED | ROW_SCSV)) && !(n->received >> i & 1))
            continue;
        if (!in_version(n, row, message == IN_CH) || !row->wants(n, message))
            continue;
        wr_u16(w, row->id);
        size_t body = wr_open(w, 2);
        row->put(n, w, message);
        wr_close(w, body, 2);
        if (request)
            n->sent |= 1u << i;
    }
    wr_close(w, block, 2);
}

/* Phase one: is this extension allowed here at all? */
static bool admit(struct nego *n, struct rd *body, const struct ext_row *row, uint16_t id,
                  enum ext_index x, unsigned message)
{
    if (!row) {
        hf_code fault;
        if (application_knows(n, id, message, &fault))
            return fault == HF_OK ||
                   rd_bad(body, fault, "extension %u %s %s", id,
                          fault == HF_E_MISPLACED_EXTENSION ? "may not stand in"
                                                            : "was not asked for:",
                          message_name(message));
        for (size_t i = 0; message != IN_SH12 && i < sizeof others / sizeof *others; i++) {
            if (others[i].id == id && !(others[i].messages & message))
                return rd_bad(body, HF_E_MISPLACED_EXTENSION,
                              "extension %u may not stand in %s", id, message_name(message));
        }
        if (!is_request(message))
            return rd_bad(body, HF_E_UNSOLICITED_EXTENSION, "extension %u (%s) was not offered",
                          id, name_extension(id));
        return true;
    }
    bool may = ((row->requests | row->responses) & message) != 0;
    bool asked = is_request(message) || (row->flags & ROW_UNASKED && may) || n->sent >> x & 1;
    /* In a ServerHello of TLS 1.2 all of them are answers, and one to nothing is the greater fault
     * (RFC 5246 7.4.1.4). */
    if (!may && (asked || message != IN_SH12))
        return rd_bad(body, HF_E_MISPLACED_EXTENSION, "%s may not stand in %s", row->name,
                      message_name(message));
    if (!asked)
        return rd_bad(body, HF_E_UNSOLICITED_EXTENSION, "%s was not offered", row->name);
    return true;
}

/* Duplicates of extensions that have no row: their ids, as far as a block may hold them. */
struct seen {
    uint64_t bits[1024];
};

static bool seen_before(struct seen *seen, uint16_t id)
{
    uint64_t bit = 1ull << (id & 63);
    bool was = (seen->bits[id >> 6] & bit) != 0;
    seen->bits[id >> 6] |= bit;
    return was;
}

/* Extension ids are few in any honest block: the first ones are compared one by one, and only a
 * block of more unknown ones than that pays for a bitmap of all 65,536. */
#define FEW 32

struct filing {
    struct rd body[X_COUNT];
    uint16_t few[FEW];
    size_t count;
    struct seen *many;
    bool any_twice, met_once;
    uint16_t twice; /* the first id that the block has a second time */
};

static bool unknown_twice(struct filing *f, uint16_t id, bool *memory)
{
    if (f->many)
        return seen_before(f->many, id);
    for (size_t i = 0; i < f->count; i++) {
        if (f->few[i] == id)
            return true;
    }
    if (f->count < FEW) {
        f->few[f->count++] = id;
        return false;
    }
    f->many = mem_new(sizeof *f->many);
    *memory = f->many != NULL;
    if (!f->many)
        return true;
    for (size_t i = 0; i < FEW; i++)
        seen_before(f->many, f->few[i]);
    return seen_before(f->many, id);
}

/* "There MUST NOT be more than one extension of the same type in a given extension block" (4.2): that comes
 * before the question whether the extension may stand here. Where the block cannot be read, the real reader
 * says so. */
static bool find_duplicate(struct rd *block, struct filing *f)
{
    uint32_t known = 0;
    bool memory = true;
    const uint8_t *p = block->p;
    while (block->end - p >= 4 && !f->any_twice) {
        size_t len = 4u + get_u16(p + 2);
        enum ext_index x = X_COUNT;
        f->twice = get_u16(p);
        f->any_twice = row_find(f->twice, &x) ? (known >> x & 1) != 0
                                              : unknown_twice(f, f->twice, &memory);
        if (!memory)
            return rd_bad(block, HF_E_NO_MEMORY, "more than %d unknown extensions", FEW);
        if (x != X_COUNT)
            known |= 1u << x;
        if (len > (size_t)(block->end - p))
            break;
        p += len;
    }
    return true;
}

/* struct {
 *     ExtensionType extension_type;
 *     opaque extension_data<0..2^16-1>;
 * } Extension;                                                               RFC 8446 4.2 */
static bool file_one(struct nego *n, struct rd *block, unsigned message, struct filing *f,
                     struct ext_values *out)
{
    if (out->present >> X_PRE_SHARED_KEY & 1 && message == IN_CH && n)
        return rd_bad(block, HF_E_EXTENSION_NOT_LAST, "more extensions follow pre_shared_key");
    uint16_t id = rd_enum16(block, "extension_type", name_extension);
    enum ext_index x = X_COUNT;
    const struct ext_row *row = row_find(id, &x);
    struct rd body = rd_vec16(block, row ? row->name : "extension_data", 0, 65535);
    if (!rd_ok(&body))
        return false;
    if (f->any_twice && id == f->twice) {
        if (f->met_once)
            /* Two values that contradict each other are illegal; of what nobody here can read, all that is
             * wrong is the block. */
            return rd_bad(&body, row ? HF_E_DUPLICATE_EXTENSION : HF_E_DECODE,
                          "%s (%u) appears twice", row ? row->name : name_extension(id), id);
        f->met_once = true;
    } else if (n && !admit(n, &body, row, id, x, message)) {
        return false;
    }
    if (row) {
        out->present |= 1u << x;
        f->body[x] = body;
    } else {
        rd_rest(&body, "opaque");
    }
    return true;
}

/* Where TLS 1.3 will be spoken, an extension of older versions is one that "servers MUST ignore" (RFC 8446
 * 4.1.2), whatever is in it. One that is well-formed is kept all the same: the application may still choose
 * another configuration. Rows that depend on the version stand behind supported_versions. */
static bool is_none_of_ours(const struct nego *n, const struct ext_row *row, unsigned message,
                            const struct rd *body, struct ext_values *out)
{
    if (!n || !n->server || message != IN_CH || !(row->flags & ROW_12) ||
        versions_choose(n->config, out, 0) != HF_TLS1_3)
        return false;
    NO_INIT hf_error ignored;
    ignored.code = HF_OK;
    struct rd_msg quiet = {.name = row->name, .err = &ignored};
    struct rd r = rd_start(&quiet, body->p, rd_left(body), 0);
    row->read(&r, out, message);
    return !rd_end(&r);
}

bool ext_read(struct nego *n, struct rd *block, unsigned message, struct ext_values *out)
{
    struct filing f;
    f.count = 0;
    f.many = NULL;
    f.any_twice = f.met_once = false;
    memset(out, 0, sizeof *out);
    if (n) /* its configuration may still change */
        out->applications = slice_of(block->p, (size_t)(block->end - block->p));
    bool ok = find_duplicate(block, &f);
    while (ok && rd_more(block))
        ok = file_one(n, block, message, &f, out);
    mem_free(f.many);
    if (!ok || !rd_end(block))
        return false;
    const char *rfc = block->m->rfc;
    for (unsigned i = 0; ok && i < X_COUNT; i++) {
        if (!(out->present >> i & 1))
            continue;
        block->m->rfc = rows[i].rfc;
        f.body[i].up = block;
        if (is_none_of_ours(n, &rows[i], message, &f.body[i], out)) {
            out->present &= ~(1u << i);
            rd_rest(&f.body[i], "opaque");
        } else {
            rows[i].read(&f.body[i], out, message);
        }
        ok = rd_end(&f.body[i]);
    }
    block->m->rfc = rfc;
    if (n && message == IN_CH)
        n->received = out->present;
    return ok;
}

bool ext_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    for (unsigned i = 0; i < X_COUNT; i++) {
        if ((rows[i].requests | rows[i].responses) & message &&
            in_version(n, &rows[i], false) && !rows[i].take(n, v, message))
            return false;
    }
    return application_take(n, v, message);
}

bool ext_refuse(struct nego *n, unsigned message, enum ext_index x, hf_code code,
                const char *fmt, ...)
{
    if (!n->err || n->err->code)
        return false;
    char detail[HF_DETAIL_MAX_LEN];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    err_set(n->err, code, "%s", detail);
    snprintf(n->err->path, sizeof n->err->path, "%s.extensions.%s", message_name(message),
             rows[x].name);
    return false;
}

void known_ids(struct ids *out, struct slice list, bool (*known)(uint16_t))
{
    out->count = 0;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        uint16_t id = get_u16(list.p + i);
        if (known(id) && !ids_has(out, id) && out->count < CONFIG_MAX_LIST)
            out->id[out->count++] = id;
    }
}

void nego_clear(struct nego *n)
{
    for (size_t i = 0; i < n->own_count; i++) {
        kx_free(n->own[i].kx);
        mem_free(n->own[i].public_value);
    }
    mem_free(n->server_name);
    mem_free(n->cookie);
    mem_free(n->peer_share);
    mem_free(n->answer_share);
    mem_free(n->alpn);
    mem_free(n->peer_ocsp);
    mem_free(n->peer_authorities);
    mem_free(n->peer_scts);
    hf_session_free(n->session);
    hf_session_free(n->external);
    for (size_t i = 0; i < n->offer_count; i++)
        hf_session_free(n->offers[i]);
    memset(n, 0, sizeof *n);
}
