/* answer.c: questions to the application and their answers. */
#include "connection/conn.h"

const hf_question *hf_conn_question(const hf_conn *c)
{
    const struct hs *hs = conn_asking(c);
    if (!hs || !hs->question.ask || hs->answered || conn_state(c) & HO_FAILED)
        return NULL;
    return &hs->question;
}

/* waits_for: what waits for this answer, and has it now; NULL: nothing does. */
static struct hs *waits_for(hf_conn *c, hf_ask ask)
{
    const hf_question *q = hf_conn_question(c);
    if (!q || q->ask != ask)
        return NULL;
    struct hs *hs = conn_asking(c);
    if (hs)
        hs->answered = true;
    return hs;
}

bool hf_answer_credential(hf_conn *c, hf_credential *credential)
{
    struct hs *hs = waits_for(c, HF_ASK_CREDENTIAL);
    if (hs)
        hs->answer_credential = credential ? hf_credential_ref(credential) : NULL;
    return hs != NULL;
}

bool hf_answer_signature(hf_conn *c, const uint8_t *signature, size_t len)
{
    if (len > SIG_MAX_SIZE || (len && !signature))
        return false;
    struct hs *hs = waits_for(c, HF_ASK_SIGNATURE);
    if (hs && len)
        memcpy(hs->signature, signature, len);
    if (hs)
        hs->signature_len = len;
    return hs != NULL;
}

bool hf_answer_verify(hf_conn *c, bool accept)
{
    struct hs *hs = waits_for(c, HF_ASK_VERIFY);
    if (hs)
        hs->answer_accept = accept;
    return hs != NULL;
}

bool hf_answer_refuse(hf_conn *c, uint8_t alert)
{
    const hf_question *q = hf_conn_question(c);
    struct hs *hs = q && alert != 0 && alert != HF_NO_ALERT ? waits_for(c, q->ask) : NULL;
    if (hs)
        hs->answer_alert = alert;
    return hs != NULL;
}

bool hf_answer_early_data(hf_conn *c, bool accept)
{
    struct hs *hs = waits_for(c, HF_ASK_EARLY_DATA);
    if (hs)
        hs->answer_early = accept;
    return hs != NULL;
}

bool hf_answer_ticket(hf_conn *c, hf_session *session, bool renew)
{
    if (!waits_for(c, HF_ASK_TICKET))
        return false;
    hf_session_free(c->hs->answer_session);
    c->hs->answer_session = hf_session_ref(session);
    c->hs->answer_renew = renew;
    return true;
}

bool hf_answer_hello(hf_conn *c, hf_config *config)
{
    hf_error ignored = {0};
    if (config && (config->role != HF_SERVER || !config_use(config, &ignored)))
        return false;
    struct hs *hs = waits_for(c, HF_ASK_HELLO);
    if (!hs)
        return false;
    if (config) {
        hf_config *old = c->config;
        c->config = hs->n.config = hf_config_ref(config);
        hf_config_free(old);
    }
    return true;
}

bool hf_answer_psk(hf_conn *c, const uint8_t *identity, size_t identity_len, const uint8_t *key,
                   size_t key_len)
{
    struct hs *hs = c->hs;
    const hf_question *q = hf_conn_question(c);
    uint8_t *copy = NULL, *own = NULL;
    bool client = hs && !hs->n.server && key_len;
    if (!q || q->ask != HF_ASK_PSK || key_len > PSK_MAX_KEY || (key_len && !key) ||
        (client && ((!identity && identity_len) || identity_len > 65535)))
        return false;
    /* opaque psk_identity<0..2^16-1>: one that is empty will do where both know which key is meant. */
    if ((key_len && !(own = mem_dup(key, key_len))) ||
        (client && identity_len && !(copy = mem_dup(identity, identity_len)))) {
        mem_wipe_free(own, key_len);
        return false;
    }
    if (client) {
        mem_free(hs->psk_identity);
        hs->psk_identity = copy;
        hs->psk_identity_len = identity_len;
    }
    hs->psk_key = own; /* it is asked once in a handshake */
    hs->psk_key_len = key_len;
    return waits_for(c, HF_ASK_PSK) != NULL;
}
