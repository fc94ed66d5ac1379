/* pre_shared_key.c: the keys that a client offers to resume with (RFC 8446 4.2.11). */
#include "extension/row.h"

static const struct suite *session_suite(const struct nego *n)
{
    return n->session && n->session->version >= HF_TLS1_3 ? suite_find(n->session->suite)
                                                          : NULL;
}

bool pre_shared_key_wants(const struct nego *n, unsigned message)
{
    if (message == IN_SH)
        return n->psk;
    const struct suite *suite = session_suite(n);
    /* After a HelloRetryRequest only keys of the chosen suite's hash are of use (4.1.4). */
    return suite && (!n->retried || suite->hash == n->suite->hash);
}

static uint32_t obfuscated_age(const struct nego *n)
{
    int64_t age = config_now_ms(n->config) - n->session->issued_ms;
    return (uint32_t)(age < 0 ? 0 : age) + n->session->age_add;
}

/* The binder is written as zeros; whoever finishes the ClientHello fills it in, for it covers all
 * that stands before it. */
void pre_shared_key_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_SH) {
        wr_u16(w, n->psk_index);
        return;
    }
    const struct suite *suite = session_suite(n);
    if (!suite)
        return;
    size_t identities = wr_open(w, 2);
    wr_opaque16(w, slice_of(n->session->ticket, n->session->ticket_len));
    wr_u32(w, obfuscated_age(n));
    wr_close(w, identities, 2);
    n->binders_at = wr_at(w);
    size_t binders = wr_open(w, 2);
    size_t binder = wr_open(w, 1);
    size_t len = hash_size(suite->hash);
    uint8_t *zeros = wr_space(w, len);
    if (zeros)
        memset(zeros, 0, len);
    wr_close(w, binder, 1);
    wr_close(w, binders, 2);
}

/* struct { opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; } PskIdentity;
 * opaque PskBinderEntry<32..255>;
 * struct {
 *     PskIdentity identities<7..2^16-1>;
 *     PskBinderEntry binders<33..2^16-1>;
 * } OfferedPsks;
 * struct {
 *     select (Handshake.msg_type) {
 *         case client_hello: OfferedPsks;
 *         case server_hello: uint16 selected_identity;
 *     };
 * } PreSharedKeyExtension;                                                   RFC 8446 4.2.11 */
void pre_shared_key_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message == IN_SH) {
        v->psk_chosen = rd_u16(r, "selected_identity");
        return;
    }
    size_t identities = 0, binders = 0;
    struct rd list = rd_vec16(r, "identities", 7, 65535);
    while (rd_more(&list)) {
        struct slice identity = rd_opaque16(&list, "identity", 1, 65535);
        uint32_t age = rd_u32(&list, "obfuscated_ticket_age");
        if (identities < EXT_MAX_PSKS) {
            v->psk[identities].identity = identity;
            v->psk[identities].age = age;
        }
        identities++;
    }
    v->binders_at = (size_t)(r->p - r->m->start);
    list = rd_vec16(r, "binders", 33, 65535);
    while (rd_more(&list)) {
        struct slice binder = rd_opaque8(&list, "binder", 32, 255);
        if (binders < EXT_MAX_PSKS)
            v->psk[binders].binder = binder;
        binders++;
    }
    if (rd_ok(r) && identities != binders)
        rd_bad(r, HF_E_BAD_EXTENSION, "%zu identities, but %zu binders", identities, binders);
    v->psk_count = identities < EXT_MAX_PSKS ? identities : EXT_MAX_PSKS;
}

bool pre_shared_key_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH) {
        if (ext_has(v, X_PRE_SHARED_KEY) && !ext_has(v, X_PSK_KEY_EXCHANGE_MODES))
            return ext_refuse(n, message, X_PRE_SHARED_KEY, HF_E_NO_PSK_MODES,
                              "psk_key_exchange_modes is missing");
        return true; /* choosing among them needs tickets: the handshake's own step */
    }
    if (!ext_has(v, X_PRE_SHARED_KEY))
        return true;
    if (v->psk_chosen != 0)
        return ext_refuse(n, message, X_PRE_SHARED_KEY, HF_E_BAD_PSK_IDENTITY,
                          "identity %u was chosen, one was offered", v->psk_chosen);
    n->psk = true;
    return true;
}
