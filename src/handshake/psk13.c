/* psk13.c: external pre-shared keys in TLS 1.3 that the application is asked for (RFC 8446 4.2.11), with the same
 * question as in TLS 1.2 where the configuration says so. */
#include "config/psk.h"

#include "handshake/hs.h"

/* A ticket is no identity that a person gave: longer ones are nobody's. */
#define LONGEST_IDENTITY 256

static void forget(struct hs *hs)
{
    mem_wipe_free(hs->psk_key, hs->psk_key_len);
    hs->psk_key = NULL;
    hs->psk_key_len = 0;
    if (hs->n.server)
        return;
    mem_free(hs->psk_identity); /* it is known as used when the server has chosen it */
    hs->psk_identity = NULL;
    hs->psk_identity_len = 0;
}

/* "the Hash algorithm MUST be set when the PSK is established or default to SHA-256". */
static enum hs_result take(struct hs *hs, struct slice identity, hf_session **session)
{
    if (!hs->psk_key_len)
        return HS_OK;
    if (identity.len < 1 || identity.len > LONGEST_IDENTITY)
        return hs_fail(hs, HF_E_USAGE,
                       "a pre-shared key's identity of %zu bytes: TLS 1.3 wants 1 to %d",
                       identity.len, LONGEST_IDENTITY);
    *session = psk_external(identity, slice_of(hs->psk_key, hs->psk_key_len), HASH_SHA256);
    return *session ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "pre-shared key");
}

enum hs_result ask_psk13(struct hs *hs, struct slice identity, hf_session **session)
{
    bool nobody;
    *session = NULL;
    if (!hs->n.config->ask_psk13 || identity.len > LONGEST_IDENTITY)
        return HS_OK;
    hs->question.identity = identity.p;
    hs->question.identity_len = identity.len;
    enum hs_result r = hs_ask(hs, HF_ASK_PSK, &nobody);
    if (r != HS_OK || nobody)
        return r;
    hs_asked(hs);
    r = take(hs, hs->n.server ? identity : slice_of(hs->psk_identity, hs->psk_identity_len),
             session);
    forget(hs);
    return r;
}
