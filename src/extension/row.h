/* row.h: what a row of the extension table consists of, and the functions that the rows name. */
#ifndef EXTENSION_ROW_H
#define EXTENSION_ROW_H

#include "extension/extension.h"

enum {
    ROW_LAST = 1,    /* must be the last extension of a ClientHello */
    ROW_UNASKED = 2, /* may come in a response without having been asked for (cookie) */
    ROW_SCSV = 4,    /* a client may have asked by a cipher suite instead (RFC 5746 3.3) */
    ROW_12 = 8,      /* means something in TLS 1.2 and older only */
    ROW_13 = 16,     /* means something in TLS 1.3 only */
};

struct ext_row {
    uint16_t id;
    const char *name;
    const char *rfc;
    unsigned requests;  /* messages that ask: CH, CR, NST */
    unsigned responses; /* messages that answer: SH, HRR, EE, CT, SH12 */
    unsigned flags;
    /* wants: put this extension into the message? For a response, the driver has checked already
     * that the peer asked. */
    bool (*wants)(const struct nego *n, unsigned message);
    void (*put)(struct nego *n, struct wr *w, unsigned message);
    void (*read)(struct rd *r, struct ext_values *v, unsigned message);
    bool (*take)(struct nego *n, const struct ext_values *v, unsigned message);
};

#define EXT_FUNCTIONS(name)                                                                    \
    bool name##_wants(const struct nego *n, unsigned message);                                 \
    void name##_put(struct nego *n, struct wr *w, unsigned message);                           \
    void name##_read(struct rd *r, struct ext_values *v, unsigned message);                    \
    bool name##_take(struct nego *n, const struct ext_values *v, unsigned message);

EXT_FUNCTIONS(renegotiation_info)
EXT_FUNCTIONS(server_name)
EXT_FUNCTIONS(supported_versions)
EXT_FUNCTIONS(cookie)
EXT_FUNCTIONS(supported_groups)
EXT_FUNCTIONS(signature_algorithms)
EXT_FUNCTIONS(signature_algorithms_cert)
EXT_FUNCTIONS(key_share)
EXT_FUNCTIONS(psk_modes)
EXT_FUNCTIONS(early_data)
EXT_FUNCTIONS(alpn)
EXT_FUNCTIONS(status_request)
EXT_FUNCTIONS(authorities)
EXT_FUNCTIONS(record_size_limit)
EXT_FUNCTIONS(post_handshake_auth)
EXT_FUNCTIONS(extended_master_secret)
EXT_FUNCTIONS(ec_point_formats)
EXT_FUNCTIONS(encrypt_then_mac)
EXT_FUNCTIONS(max_fragment_length)
EXT_FUNCTIONS(session_ticket)
EXT_FUNCTIONS(signed_certificate_timestamp)
EXT_FUNCTIONS(ticket_request)
EXT_FUNCTIONS(client_certificate_type)
EXT_FUNCTIONS(server_certificate_type)
EXT_FUNCTIONS(compress_certificate)
EXT_FUNCTIONS(pre_shared_key)

#undef EXT_FUNCTIONS

#endif
