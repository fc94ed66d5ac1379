/* control.h: what stands behind SSL_ctrl and SSL_CTX_ctrl. */
#ifndef LIBSSL_CONTROL_H
#define LIBSSL_CONTROL_H

#include "libssl/local.h"

/* Most commands set the same thing for a context or for one connection; one function does both. */
struct target {
    SSL *ssl;     /* or NULL: it is the context that is asked */
    SSL_CTX *ctx; /* the connection's own, then */
};

typedef long (*control_fn)(const struct target *t, int command, long number, void *pointer);

struct settings *target_settings(const struct target *t); /* to be read */
struct settings *target_edit(const struct target *t);     /* settings_edit */
/* target_touch: for what the engine's configuration does not depend on. */
struct settings *target_touch(const struct target *t);

/* target_bound sets the lowest or highest version, 0 for none, without regard to the other one; for conf.c.
 * False: no such version. */
bool target_bound(const struct target *t, int version, bool is_min);

/* ---- control_settings.c: what both have */
long control_mode(const struct target *t, int command, long number, void *pointer);
long control_read_ahead(const struct target *t, int command, long number, void *pointer);
long control_max_cert_list(const struct target *t, int command, long number, void *pointer);
long control_fragment(const struct target *t, int command, long number, void *pointer);
long control_version(const struct target *t, int command, long number, void *pointer);
long control_msg_arg(const struct target *t, int command, long number, void *pointer);
long control_status_type(const struct target *t, int command, long number, void *pointer);

/* ---- control_ctx.c: contexts only */
long control_servername_arg(const struct target *t, int command, long number, void *pointer);
long control_status_callback(const struct target *t, int command, long number, void *pointer);
long control_ticket_keys(const struct target *t, int command, long number, void *pointer);
long control_srp(const struct target *t, int command, long number, void *pointer);

/* ---- control_ssl.c: connections only */
long control_renegotiations(const struct target *t, int command, long number, void *pointer);
long control_hostname(const struct target *t, int command, long number, void *pointer);
long control_debug_arg(const struct target *t, int command, long number, void *pointer);
long control_status(const struct target *t, int command, long number, void *pointer);
long control_ri_support(const struct target *t, int command, long number, void *pointer);
long control_ems_support(const struct target *t, int command, long number, void *pointer);
long control_retry_verify(const struct target *t, int command, long number, void *pointer);
long control_dtls(const struct target *t, int command, long number, void *pointer);

/* ---- control_certificate.c: certificates. Number and pointer are as in the command's macro. */
long control_tmp_dh(const struct target *t, int command, long number, void *pointer);  /* 3 */
long control_dh_auto(const struct target *t, int command, long number, void *pointer); /* 118 */
long control_extra_chain(const struct target *t, int command, long number,
                         void *pointer); /* 14, 82, 83 */
long control_chain(const struct target *t, int command, long number,
                   void *pointer); /* 88, 89, 115 */
long control_cert_flags(const struct target *t, int command, long number,
                        void *pointer); /* 99, 100 */
long control_cert_types(const struct target *t, int command, long number,
                        void *pointer); /* 103, 104 */
long control_build_chain(const struct target *t, int command, long number,
                         void *pointer); /* 105 */
long control_cert_store(const struct target *t, int command, long number,
                        void *pointer); /* 106, 107, 137, 138 */
long control_current_cert(const struct target *t, int command, long number,
                          void *pointer); /* 116, 117 */

/* ---- control_session.c, control_groups.c: sessions, groups and signature algorithms */
long control_sess_counter(const struct target *t, int command, long number,
                          void *pointer); /* 20 to 31 */
long control_sess_cache(const struct target *t, int command, long number,
                        void *pointer); /* 42 to 45 */
long control_tmp_ecdh(const struct target *t, int command, long number, void *pointer); /* 4 */
long control_groups(const struct target *t, int command, long number,
                    void *pointer); /* 90 to 93, 134 */
long control_sigalgs(const struct target *t, int command, long number,
                     void *pointer); /* 97, 98, 101, 102 */
long control_signature_nid(const struct target *t, int command, long number,
                           void *pointer); /* 108, 132 */
long control_tmp_key(const struct target *t, int command, long number,
                     void *pointer); /* 109, 133 */
long control_raw_ciphers(const struct target *t, int command, long number,
                         void *pointer); /* 110 */
long control_ec_formats(const struct target *t, int command, long number,
                        void *pointer); /* 111 */

#endif
