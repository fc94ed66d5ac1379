/* pre_shared_key.c: the keys that a client offers to resume with (RFC 8446 4.2.11). */
#include "extension/row.h"

static const struct suite *suite_of(const hf_session *s)
{
    return suite_find(s->suite);
}

/* After a HelloRetryRequest only keys of the chosen suite's hash are of use (4.1.4). */
static bool of_use(const struct nego *n, const hf_session *s)
{
    const struct suite *suite = suite_of(s);
    return suite && (!n->retried || suite->hash == n->suite->hash);
}

bool pre_shared_key_wants(const struct nego *n, unsigned message)
{
    if (message == IN_SH)
        return n->psk;
    for (size_t i = 0; i < n->offer_count; i++) {
        if (of_use(n, n->offers[i]))
            return true;
    }
    return false;
}

/* "For identities established externally, an obfuscated_ticket_age of 0 SHOULD be used" (4.2.11). */
static uint32_t obfuscated_age(const struct nego *n, const hf_session *s)
{
    if (s->kind != PSK_RESUMPTION)
        return 0;
    int64_t age = config_now_ms(n->config) - s->issued_ms;
    return (uint32_t)(age < 0 ? 0 : age) + s->age_add;
}

static void drop_useless(struct nego *n)
{
    size_t count = 0;
    for (size_t i = 0; i < n->offer_count; i++) {
        if (of_use(n, n->offers[i]))
            n->offers[count++] = n->offers[i];
        else
            hf_session_free(n->offers[i]);
    }
    n->offer_count = count;
}

/* The binders are written as zeros; whoever finishes the ClientHello fills them in, for they cover all
 * that stands before them. */
void pre_shared_key_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_SH) {
        wr_u16(w, n->psk_index);
        return;
    }
    drop_useless(n);
    size_t identities = wr_open(w, 2);
    for (size_t i = 0; i < n->offer_count; i++) {
        const hf_session *s = n->offers[i];
        wr_opaque16(w, slice_of(s->ticket, s->ticket_len));
        wr_u32(w, obfuscated_age(n, s));
    }
    wr_close(w, identities, 2);
    n->binders_at = wr_at(w);
    size_t binders = wr_open(w, 2);
    for (size_t i = 0; i < n->offer_count; i++) {
        size_t binder = wr_open(w, 1);
        size_t len = hash_size(suite_of(n->offers[i])->hash);
        uint8_t *zeros = wr_space(w, len);
        if (zeros)
            memset(zeros, 0, len);
        wr_close(w, binder, 1);
    }
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
 * } PreSharedKeyExtension;                                                   RFC 8446 4.2.11
 *
 * Of the binders a server "SHOULD ... validate solely the binder that corresponds to that PSK" which it has
 * selected; one that is too short does not validate. */
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
    list = rd_vec16(r, "binders", 1, 65535);
    while (rd_more(&list)) {
        struct slice binder = rd_opaque8(&list, "binder", 0, 255);
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
    if (v->psk_chosen >= n->offer_count)
        return ext_refuse(n, message, X_PRE_SHARED_KEY, HF_E_BAD_PSK_IDENTITY,
                          "identity %u was chosen, %zu were offered", v->psk_chosen,
                          n->offer_count);
    hf_session_free(n->session);
    n->session = hf_session_ref(n->offers[v->psk_chosen]);
    n->psk_index = v->psk_chosen;
    n->psk = true;
    return true;
}
