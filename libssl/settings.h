/* settings.h: what SSL_new copies from an SSL_CTX. Copied only when somebody changes them: until then all
 * connections of a context share one object, and with it the engine's frozen configuration. */
#ifndef LIBSSL_SETTINGS_H
#define LIBSSL_SETTINGS_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "handfast.h"

#define LIST_MAX 192

struct id_list {
    size_t count;
    uint16_t id[LIST_MAX];
};

struct settings {
    _Atomic int refs;
    /* by role (hf_role); made at first use, dropped by settings_edit */
    _Atomic(hf_config *) config[2];
    atomic_uint traced[2]; /* the kinds of events that these report */
    uint64_t made;         /* when these last changed, in the order of all changes; */
    uint64_t base;         /* of what these are a copy: when that had changed */

    uint64_t options;             /* SSL_OP_; copies are made from here on */
    uint32_t mode;                /* SSL_MODE_ */
    int version_min, version_max; /* 0: whatever there is */
    bool suites_own;       /* a connection's: else its context's count, whenever they change */
    struct id_list suites; /* of TLS 1.2 and older, in order */
    struct id_list suites13;                /* of TLS 1.3 */
    struct id_list groups;                  /* TLS NamedGroups; count 0: the default */
    struct id_list sigalgs, client_sigalgs; /* SignatureSchemes; count 0: the default */
    unsigned char *alpn;                    /* client's ProtocolNameList, or NULL */
    size_t alpn_len;

    struct certs *certs; /* certificate.h; never NULL, shared in the same manner */
    STACK_OF(X509_NAME) * ca_names, *client_ca_names; /* or NULL; owned */
    int verify_mode;                                  /* SSL_VERIFY_ mask */
    SSL_verify_cb verify_cb;
    int security_level;
    int (*security_cb)(const SSL *, const SSL_CTX *, int, int, int, void *, void *);
    void *security_ex;

    unsigned char sid_ctx[SSL_MAX_SID_CTX_LENGTH];
    size_t sid_ctx_len;
    GEN_SESSION_CB generate_id;
    size_t num_tickets;
    SSL_async_callback_fn async_cb;
    void *async_arg;

    size_t max_send_fragment, split_send_fragment, max_pipelines, read_buffer_len,
        max_cert_list;
    uint8_t max_fragment_code; /* TLSEXT_max_fragment_length_ */
    size_t block_padding;
    size_t (*padding_cb)(SSL *, int, size_t, void *);
    void *padding_arg;
    int quiet_shutdown, read_ahead;
    bool pha, offer_early, secrets;
    uint32_t max_early_data, recv_max_early_data;
    int status_type; /* TLSEXT_STATUSTYPE_ocsp or -1 */

    void (*info_cb)(const SSL *, int, int); /* a connection's own, before its context's */
    void (*msg_cb)(int, int, int, const void *, size_t, SSL *, void *);
    void *msg_arg;
    SSL_psk_client_cb_func psk_client_cb;
    SSL_psk_server_cb_func psk_server_cb;
    SSL_psk_use_session_cb_func psk_use_cb;
    SSL_psk_find_session_cb_func psk_find_cb;
    char *psk_hint; /* or NULL */
    int (*not_resumable_cb)(SSL *, int);
    SSL_allow_early_data_cb_fn early_cb;
    void *early_arg;
    ssl_ct_validation_cb ct_cb;
    void *ct_arg;
    STACK_OF(SRTP_PROTECTION_PROFILE) * srtp; /* DTLS only; or NULL */
    struct custom_exts *custom_exts;          /* custom.c; or NULL */
};

struct settings *settings_new(void);
struct settings *settings_ref(struct settings *s);
void settings_free(struct settings *s);

/* settings_edit makes *slot the only reference to its settings, without configurations, so that they can be
 * changed; NULL with the error on the queue when memory ran out. */
struct settings *settings_edit(struct settings **slot) __attribute__((warn_unused_result));

/* settings_touch is settings_edit for what the engine's configuration does not depend on: it keeps them. */
struct settings *settings_touch(struct settings **slot) __attribute__((warn_unused_result));

/* settings_config: the engine's configuration for a connection of these settings; borrowed from them, made
 * when first asked for. NULL with the error on the queue. */
hf_config *settings_config(SSL *ssl, hf_role role);

/* settings_padding: how many zeros go behind so many bytes of a record (SSL_CTX_set_record_padding_callback(3)). */
size_t settings_padding(hf_conn *conn, uint8_t type, size_t len);

#endif
