/* post_auth.c: authentication of a client after the handshake (RFC 8446 4.6.2). */
#include "libssl/local.h"

static int refuse(int reason)
{
    raise_ssl(reason);
    return 0;
}

int SSL_verify_client_post_handshake(SSL *s)
{
    hf_error err = {0};
    if (!s->conn || access_version(s->conn) != TLS1_3_VERSION)
        return refuse(SSL_R_WRONG_SSL_VERSION);
    if (!s->server)
        return refuse(SSL_R_NOT_SERVER);
    if (s->phase != PHASE_DONE)
        return refuse(SSL_R_STILL_IN_INIT);
    switch (hf_conn_post_auth(s->conn)) {
    case HF_POST_AUTH_NONE: return refuse(SSL_R_EXTENSION_NOT_RECEIVED);
    case HF_POST_AUTH_PENDING:
        return refuse(s->pha_unsent ? SSL_R_STILL_IN_INIT : SSL_R_REQUEST_SENT);
    case HF_POST_AUTH_POSSIBLE:
    case HF_POST_AUTH_DONE:
    default: break;
    }
    bool enough = s->settings->verify_mode & SSL_VERIFY_CLIENT_ONCE && s->pha_asked;
    if (!(s->settings->verify_mode & SSL_VERIFY_PEER) || enough)
        return refuse(SSL_R_INVALID_CONFIG);
    bool must = s->settings->verify_mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    hf_client_auth mode = must ? HF_CLIENT_AUTH_REQUIRE : HF_CLIENT_AUTH_REQUEST;
    if (hf_conn_request_certificate(s->conn, mode, &err) != HF_DONE) {
        raise_hf(&err);
        return 0;
    }
    s->pha_pending = s->pha_unsent = s->pha_asked = true;
    return 1;
}

/* The certificate that has come takes the place of what was shown before. */
void post_auth_progress(SSL *s)
{
    if (!s->pha_pending || hf_conn_post_auth(s->conn) != HF_POST_AUTH_DONE)
        return;
    s->pha_pending = false;
    sk_X509_pop_free(s->peer_chain, X509_free);
    s->peer_chain = NULL;
}
